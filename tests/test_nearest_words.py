"""The nearest right word to a wrong one, and what people call identifiers elsewhere."""

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idsync_cli.core.identity import TYPES_BY_NAME
from idsync_cli.nearest import MOST_NAMED, nearest_words
from tests.program import TWO_SCOPES, Program, program_in_a_fresh_folder

__all__ = ["program_in_a_fresh_folder"]

WIDE = {"COLUMNS": "250"}


@pytest.mark.parametrize(
    ("word", "known", "nearest"),
    [
        ("EMAIL", ["email", "mail"], ["email"]),
        ("Shop IOS", ["shop-ios", "shop-web"], ["shop-ios"]),
        ("emial", ["email", "google"], ["email"]),
        ("other1", ["other", "other2", "other10"], ["other"]),
        ("other_id", ["other", "other_id_2", "other_id_3"], ["other"]),
        ("otherid22", ["other", "other_id_2"], ["other_id_2"]),
        ("idf", ["idfa", "idfv", "gaid"], ["idfa", "idfv"]),
        ("shop", ["shop-b", "shop-a"], ["shop-b", "shop-a"]),
        ("shop ios", ["shop-ios", "shop_ios"], ["shop-ios", "shop_ios"]),
        ("token", ["push_token", "alias"], ["push_token"]),
        ("id", ["request_id", "idfa"], []),
        ("ID", ["id", "idfa"], ["id"]),
        ("first_name", list(TYPES_BY_NAME), []),
        ("", ["a", ""], []),
        ("--", ["--a"], []),
        ("shop", [f"shop{n}" for n in "abcdefghijk"], []),
    ],
)
def test_the_nearest_of_some_words(word: str, known: list[str], nearest: list[str]) -> None:
    assert list(nearest_words(word, known)) == nearest


@given(st.sampled_from(sorted(TYPES_BY_NAME)), st.randoms(use_true_random=False))
def test_a_known_word_is_found_in_whatever_case(name: str, chance: object) -> None:
    written = "".join(chance.choice([each.lower(), each.upper()]) for each in name)  # type: ignore[attr-defined]
    found = nearest_words(written, TYPES_BY_NAME)
    assert {TYPES_BY_NAME[each] for each in found} == {TYPES_BY_NAME[name]}


@given(st.text(max_size=30), st.lists(st.text(max_size=12), max_size=12))
def test_whatever_is_named_is_known_and_at_most_ten(word: str, known: list[str]) -> None:
    found = nearest_words(word, known)
    assert set(found) <= set(known)
    assert len(set(found)) == len(found) <= MOST_NAMED


def test_thousands_of_scopes_are_gone_through_in_no_time() -> None:
    known = [f"scope of region {n}" for n in range(20_000)]
    begun = time.process_time()
    assert nearest_words("scope of regoin 19999", known) == ("scope of region 19999",)
    assert time.process_time() - begun < 2


def test_names_of_identifiers_in_a_file(idsync: Program) -> None:
    names = ("EMAIL", "IDFV", "other1", "phone_number", "mpid", "first_name")
    idsync.write(
        "names.jsonl",
        "\n".join(
            json.dumps({"type": "identify", "known_identities": {name: "1"}}) for name in names
        ),
    )
    told = idsync("replay", "names.jsonl", environment=WIDE).stdout
    assert [
        line.partition("'; ")[2] for line in told.splitlines() if line.startswith("names.jsonl:")
    ] == [
        "did you mean 'email'?",
        "did you mean 'idfv'?",
        "did you mean 'other'?",
        "did you mean 'mobile_number', 'phone_number_2' or 'phone_number_3'?",
        "an MPID is a profile's own number, not an identifier",
        "for all types, run: idsync help types",
    ]


@pytest.mark.parametrize(
    ("request_", "hint"),
    [
        ({"Type": "identify"}, "unknown member 'Type'; did you mean 'type'?"),
        ({"type": "Identify"}, "unknown type 'Identify'; did you mean 'identify'?"),
        ({"type": "identify", "email": "a"}, "put identifiers into known_identities"),
        ({"type": "identify", "user_id": "a"}, "put identifiers into known_identities"),
        ({"type": "identify", "identities": {}}, "did you mean 'known_identities'?"),
        ({"type": "identify", "zip": "a"}, "use one of type, scope, workspace, label, "),
        (
            {"type": "modify", "mpid": 1, "identity_changes": [{"identityType": "email"}]},
            "did you mean 'identity_type'?",
        ),
        (
            {"type": "modify", "mpid": 1, "identity_changes": [{"zip": "email"}]},
            "use one of identity_type, old_value, new_value",
        ),
    ],
    ids=str,
)
def test_members(idsync: Program, request_: dict[str, object], hint: str) -> None:
    idsync.write("one.jsonl", json.dumps(request_))
    assert hint in idsync("replay", "one.jsonl", "--dry-run", environment=WIDE).stdout


@pytest.mark.parametrize(
    ("header", "faults"),
    [
        ("MPID,Email", ["'MPID'; did you mean 'mpid'?", "'Email'; did you mean 'email'?"]),
        ("mpid, email", ["' email'; did you mean 'email'?"]),
        ("mpid,E-Mail Address", ["'E-Mail Address'; did you mean 'email'?"]),
        ("mpid,Customer ID,phone", ["'customer_id'?", "mean 'mobile_number',"]),
        (
            "mpid,first_name,email",
            ["known, orphaned; for all types, run: idsync help types"],
        ),
        ("mpid,email,", ["column 3 has no name; remove it, or the comma too many"]),
        ("mpid;email", ["columns are separated by commas, not by semicolons"]),
        ("mpid\temail", ["columns are separated by commas, not by tabs"]),
        ("mpid|email", ["columns are separated by commas, not by vertical bars"]),
        ("email", ["no column mpid; every profile needs one"]),
        ("mpid,email,email", ["the column email appears twice; keep one"]),
    ],
)
def test_columns(idsync: Program, header: str, faults: list[str]) -> None:
    idsync.write("people.csv", f"{header}\n1,a@example.com\n")
    outcome = idsync("import", "people.csv")
    lines = outcome.stderr.splitlines()
    *told, last = [line for line in lines if line.startswith("idsync: ")]
    assert (outcome.status, last) == (2, "idsync: nothing was imported")
    assert len(told) == len(faults)
    for line, fault in zip(told, faults, strict=True):
        assert line.startswith("idsync: people.csv:1: ")
        assert fault in line
    if ";" not in header:
        assert "semicolon" not in outcome.stderr


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (["identify", "--Email", "a"], "no such option: --Email; did you mean '--email'?"),
        (["identify", "--phone", "1"], "did you mean '--mobile-number', '--phone-number-2'"),
        (["identify", "--user-id", "1"], "did you mean '--customer-id'?"),
        (["identify", "--customer_id", "1"], "did you mean '--customer-id'?"),
        (["identify", "--other1", "1"], "did you mean '--other'?"),
        (["identify", "--idf", "1"], "did you mean '--idfa' or '--idfv'?"),
        (["identify", "--mpid", "1"], "did you mean '--previous-mpid'?"),
        (["identify", "--JSON"], "did you mean '--json'?"),
        (["Identify"], "no such command: Identify; did you mean 'identify'?"),
        (["profile", "Show"], "did you mean 'show'?"),
        (["help", "Phone"], "no help on 'Phone'; did you mean 'mobile_number', 'phone_number_2'"),
        (["help", "cookies"], "no help on 'cookies'"),
        (["help", "login_protections"], "did you mean 'login_protection'?"),
        (["whois", "cookie=1"], "did you mean 'device_application_stamp'?"),
        (["profiles", "--with", "zip"], "for all types, run: idsync help types"),
        (["profiles", "--scope", "Consumers"], "did you mean 'consumers'?"),
        (["identify", "--scope", "CONSUMER", "--email", "a"], "did you mean 'consumers'?"),
        (["identify", "--workspace", "Shop", "--email", "a"], "'shop-web' or 'shop-ios'?"),
    ],
    ids=" ".join,
)
def test_words_of_the_command_line(idsync: Program, arguments: list[str], hint: str) -> None:
    workspaces = TWO_SCOPES.replace("shop: consumers", "shop-web: consumers, shop-ios: consumers")
    idsync.write("idsync.yaml", workspaces)
    idsync.make_store()
    outcome = idsync(*arguments)
    assert outcome.status == 2
    assert hint in outcome.stderr


@pytest.mark.parametrize(
    ("old", "new", "hint"),
    [
        ("strategy: profile", "strategy: Profile", "did you mean 'profile_"),
        ("strategy:", "Strategy:", "did you mean 'strategy'?"),
        ("email", "Email", "unknown identity type 'Email'; did you mean 'email'?"),
        ("email", "phone", "did you mean 'mobile_number', "),
        ("login: true", "Login: true", "did you mean 'login'?"),
    ],
)
def test_words_of_a_configuration(idsync: Program, old: str, new: str, hint: str) -> None:
    assert old in TWO_SCOPES
    idsync.write("idsync.yaml", TWO_SCOPES.replace(old, new, 1))
    outcome = idsync("config", "lint")
    assert outcome.status == 2
    assert hint in outcome.stderr


def test_words_of_a_scenario(idsync: Program) -> None:
    idsync.write(
        "one.yaml",
        "scope: {strategy: best_match, priority: [email]}\n"
        "steps:\n  - Identify: {email: a}\n"
        "  - identify: {email: a}\n    expect: {status: Created, matched: [phone]}\n",
    )
    told = idsync("check", "one.yaml").stderr
    for hint in ("'identify'?", "'created'?", "'mobile_number', "):
        assert f"did you mean {hint}" in told
