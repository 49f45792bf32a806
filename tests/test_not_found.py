"""Where nothing is found: what is there that may have been meant is pointed out."""

import json

import pytest

from idsync_cli.core.config.rules import Organization
from idsync_cli.core.identity import Identifier, IdentityType
from idsync_cli.core.profile import Profile
from idsync_cli.core.variants import variants_of
from idsync_cli.inspect.near import meant_by
from idsync_cli.store.sqlite import SqliteTransaction, temporary
from tests.core.shorthand import rules
from tests.program import Program, program_in_a_fresh_folder

__all__ = ["program_in_a_fresh_folder"]

CONFIG = """\
version: 1
scopes:
  main:
    strategy: profile_conversion
    priority: [customer_id, email, mobile_number, ios_idfv]
    identities: {customer_id: {login: true, unique: true}}
  other: {strategy: best_match, priority: [email]}
"""
EMAIL = IdentityType.EMAIL
BY_SCOPE = {"main": rules("customer_id:lu email mobile_number"), "other": rules("email")}


@pytest.mark.parametrize(
    ("asked", "held", "differs"),
    [
        ("mia@example.com", "Mia@example.com", "letter case"),
        ("mia@example.com", "MIA@EXAMPLE.COM", "letter case"),
        ("MIA@EXAMPLE.COM", "mia@example.com", "letter case"),
        ("mia.lee@example.com", "Mia.Lee@Example.com", "letter case"),
        ("Mia.Lee@example.com", "mia.lee@Example.Com", "letter case"),
        ("mia@example.com", "mia@example.com ", "spaces"),
        (" mia@example.com ", "mia@example.com", "spaces"),
        ("mia@example.com\n", "mia@example.com", "spaces"),
        ("mia @example.com", "mia@example.com", "spaces"),
        ("mia@example.com", "mia@example.com\u00a0", "spaces"),
        ("mia@example.com\u200b", "mia@example.com", "spaces"),
        ("jose\u0301@example.com", "josé@example.com", "Unicode form"),
        ("josé@example.com", "jose\u0301@example.com", "Unicode form"),
        ("ｍｉａ@example.com", "mia@example.com", "Unicode form"),
        (" MIA@Example.com", "mia@example.com", "letter case and spaces"),
        ("JOSE\u0301@example.com ", "josé@example.com", "Unicode form and letter case and spaces"),
    ],
)
def test_a_value_that_differs_in_its_looks_is_pointed_out(
    idsync: Program, asked: str, held: str, differs: str
) -> None:
    idsync.write("idsync.yaml", CONFIG)
    idsync.make_store()
    for scope in ("main", "other"):
        assert idsync("identify", "--email", held, "--scope", scope).status == 0
    for command in (
        ("search", "--email", asked, "--scope", "main"),
        ("search", "--email", asked, "--scope", "main", "--json"),
        ("whois", f"email={asked}", "--scope", "main"),
        ("history", f"email={asked}"),
    ):
        outcome = idsync(*command)
        assert outcome.status == 1
        note = outcome.stderr.splitlines()[-1]
        assert note.startswith("note: nobody holds email '")
        assert note.endswith(f" is held, which differs only in {differs}")
        assert outcome.stderr.count("note: ") == 1


def test_what_differs_in_more_is_not_pointed_out(idsync: Program) -> None:
    idsync.write("idsync.yaml", CONFIG)
    idsync.make_store()
    known = ("identify", "--scope", "main", "--email", "Mia@example.com", "--mobile-number", "1")
    assert idsync(*known, "--idfv", "A-B", "--customer-id", "c", "--other", "O").status == 0
    for asked in (
        ("--email", "mi@example.com"),
        ("--mobile-number", "001"),
        ("--idfv", "AB"),
        ("--other", "o"),  # which no search can find
        ("--customer-id", "mia@example.com"),
    ):
        assert "note:" not in idsync("search", "--scope", "main", *asked).stderr
    assert "note:" not in idsync("search", "--scope", "other", "--email", "mia@example.com").stderr
    assert "note:" not in idsync("search", "--scope", "main", "--email", "Mia@example.com").stderr
    moved = idsync("modify", "--mpid", "5", "--scope", "main", "--email", "x")
    assert "note:" not in moved.stderr


def test_whoever_is_held_but_may_not_be_found_is_a_near_miss_and_no_more(idsync: Program) -> None:
    idsync.write("idsync.yaml", CONFIG)
    idsync.make_store()
    for email in ("mia@x.org", "Mia@x.org"):
        known = ("login", "--scope", "main", "--customer-id", email, "--email", email)
        assert idsync(*known).status == 0
    found = idsync("search", "--scope", "main", "--email", "mia@x.org")
    assert "1 profile holds email mia@x.org, but" in found.stdout
    assert "note:" not in found.stderr


def test_what_nobody_holds_any_more_is_not_held(idsync: Program) -> None:
    idsync.write("idsync.yaml", CONFIG)
    idsync.make_store()
    made = idsync("identify", "--scope", "main", "--email", "Mia@x.org", "--json").json()
    change = ("modify", "--scope", "main", "--mpid", made["mpid"], "--email", "lea@x.org")
    assert idsync(*change).status == 0
    assert "note:" not in idsync("search", "--scope", "main", "--email", "mia@x.org").stderr


def test_where_there_is_no_store_there_is_nothing_to_point_out(idsync: Program) -> None:
    assert idsync("search", "--email", "MIA").stderr == ""


def test_a_variant_is_one_look_up_by_an_index_whatever_the_store_holds() -> None:
    asked = Identifier(EMAIL, "mia@example.com")
    taken = []
    for number in (100, 1000):
        store = temporary(1)
        with store.writing() as session:
            for seq in range(1, number + 1):
                held = (Identifier(EMAIL, f"{seq}@example.com"),)
                session.insert("main", Profile(seq, seq, None, False, held), BY_SCOPE["main"], 5)
            session.advance_to(number)
        with store, store.reading() as session:
            assert isinstance(session, SqliteTransaction)
            session.lookup("main", BY_SCOPE["main"])
            statements: list[str] = []
            session.connection.set_trace_callback(statements.append)
            organization = Organization(None, BY_SCOPE, {})
            assert meant_by(session, organization, [asked], ["main"]).variants == []
            session.connection.set_trace_callback(None)
            looked_up = [each for each in statements if "FROM identifier_hashes" in each]
            assert len(looked_up) == len(variants_of(asked)) + 1
            taken.append(len(statements))
    assert taken[0] == taken[1]


def test_an_mpid_that_javascript_rounded_is_recognized(idsync: Program) -> None:
    mpids = [7713214583320187041, -7713214583320187041, 12345678901234567, 5]
    lines = [{"mpid": str(each), "identities": {"idfv": [str(each)]}} for each in mpids]
    stdin = "\n".join(map(json.dumps, lines)).encode()
    assert idsync("import", "-", stdin=stdin).status == 0
    for wrong, right in (
        ("7713214583320187000", mpids[0]),
        ("7713214583320186880", mpids[0]),  # exactly what its number is
        ("-7713214583320187000", mpids[1]),
        ("12345678901234568", mpids[2]),
    ):
        for command in (
            ("profile", "show"),
            ("profile", "show", "--story"),
            ("profile", "show", "--json"),
            ("history",),
            ("modify", "--email", "x@example.com"),
            ("profile", "query"),
            ("erase",),
            ("erase", "--dry-run", "--json"),
            ("alias", "--destination=5"),
        ):
            is_alias = command[0] == "alias"
            outcome = idsync(*command, f"{'--source' if is_alias else '--mpid'}={wrong}")
            assert outcome.status == 1 + is_alias
            assert outcome.stderr.splitlines()[-1] == (
                f"note: there is a profile {right}, which differs only in digits that JavaScript "
                "loses; pass MPIDs as text"
            )
    for wrong in ("7713214583320190000", "6", "1234567890123456", "9223372036854775807"):
        assert "note:" not in idsync("profile", "show", f"--mpid={wrong}").stderr
    assert idsync("profile", "show", f"--mpid={mpids[0]}").stderr == ""
    dry = idsync("modify", "--mpid=7713214583320187000", "--email", "x", "--dry-run", "--json")
    assert dry.json()["errors"][0]["code"] == "MPID_NOT_FOUND"
    assert "7713214583320187041" not in dry.stdout
