"""The plain answer names the near miss: on the command line, as text and as JSON (section 8)."""

import json
import subprocess

import pytest

from tests.program import Outcome, Program, program_in_a_fresh_folder  # noqa: F401 - the fixture

RULES = """\
version: 1
scopes:
  shop:
    strategy: profile_conversion
    priority: [customer_id, email, mobile_number, ios_idfv]
    identities: {customer_id: {login: true, unique: true%s}, email: {unique: true}}
"""
PLAIN, FIXED = RULES % "", RULES % ", immutable: true"
NEAR = "; --explain shows all"


@pytest.fixture(name="shop")
def program_with_a_known_user_and_two_visitors(idsync: Program) -> Program:
    idsync.write("idsync.yaml", FIXED)
    idsync.make_store()
    assert idsync("login", "--customer-id", "c", "--email", "e", "--idfv", "d").status == 0
    for _ in range(2):
        assert idsync("logout", "--idfv", "d").status == 0
    return idsync


def line_of(outcome: Outcome) -> str:
    """What it says of who was near."""
    [line] = [line for line in outcome.stdout.splitlines() if line.endswith(NEAR)]
    return line.removesuffix(NEAR)


def test_a_search_that_finds_nobody_says_in_one_line_who_holds_it(shop: Program) -> None:
    found = shop("search", "--email", "e")
    assert (found.status, found.stdout.splitlines()[0]) == (1, "not found")
    assert line_of(found) == (
        "1 profile holds email e, but a search needs its immutable ID (immutable_search)"
    )
    [near] = shop("search", "--email", "e", "--json").json()["near"]
    assert near == {"identity_type": "email", "held_by": 1, "ineligible": {"immutable_search": 1}}


def test_several_are_their(shop: Program) -> None:
    assert line_of(shop("search", "--idfv", "d")) == (
        "3 profiles hold ios_idfv d, but a search needs their immutable ID (immutable_search)"
    )


def test_a_profile_that_was_created_says_it_too(shop: Program) -> None:
    made = shop("identify", "--email", "e", "--mobile-number", "1")
    assert made.stdout.startswith("created ")
    assert line_of(made) == (
        "1 profile holds email e, but the request does not name its immutable ID"
        " (immutable_protection)"
    )


def test_several_reasons_are_counted(shop: Program) -> None:
    shop.write("idsync.yaml", RULES.replace("profile_conversion", "profile_link") % "")
    made = shop("login", "--customer-id", "other", "--idfv", "d", "--dry-run")
    assert line_of(made) == (
        "3 profiles hold ios_idfv d, but none of them is eligible"
        " (1 login_protection, 2 new_known_user_only)"
    )


def test_the_highest_ranked_type_is_told_and_json_has_them_all(shop: Program) -> None:
    request = ("search", "--idfv", "d", "--email", "e")
    assert line_of(shop(*request)).startswith("1 profile holds email e, ")
    types = [each["identity_type"] for each in shop(*request, "--json").json()["near"]]
    assert types == ["email", "ios_idfv"]


def test_ten_may_be_more(shop: Program) -> None:
    requests = [
        {"type": "login", "known_identities": {"customer_id": f"c{each}", "idfv": "shared"}}
        for each in range(12)
    ]
    assert {each["status"] for each in shop.answers(*requests)} == {"created"}
    search = shop("search", "--idfv", "shared")
    assert line_of(search).startswith("10 or more profiles hold ios_idfv shared, ")
    [near] = shop("search", "--idfv", "shared", "--json").json()["near"]
    assert (near["held_by"], near["ineligible"]) == (10, {"immutable_search": 10})


@pytest.mark.parametrize(
    "arguments",
    [
        ("search", "--email", "nobody"),
        ("search", "--customer-id", "c"),
        ("identify", "--idfv", "d"),
        ("logout", "--idfv", "d"),
        ("identify", "--idfv", "new", "--push-token", "e"),
    ],
    ids=" ".join,
)
def test_where_nobody_is_near_nothing_is_said(shop: Program, arguments: tuple[str, ...]) -> None:
    assert NEAR not in shop(*arguments, "--dry-run").stdout
    assert "near" not in shop(*arguments, "--json").json()


def test_a_hostile_value_has_no_effect(shop: Program) -> None:
    value = "\x1b[31m[bold]e"
    shop("identify", "--email", value, "--customer-id", "h")
    text = shop("search", "--email", value).stdout
    assert "\x1b" not in text
    assert "[bold]e" in text


def test_a_dry_run_says_it_as_well(shop: Program) -> None:
    request = ("identify", "--email", "e", "--idfv", "z")
    assert line_of(shop(*request, "--dry-run")) == line_of(shop(*request))


def test_a_line_of_a_replay_has_it_with_explain_alone(shop: Program) -> None:
    shop.write("day.jsonl", json.dumps({"type": "search", "known_identities": {"email": "e"}}))
    plain = shop("replay", "day.jsonl", "--output", "-", "--quiet", "--dry-run").stdout
    told = shop("replay", "day.jsonl", "--output", "-", "--quiet", "--dry-run", "--explain").stdout
    assert "near" not in json.loads(plain)
    assert json.loads(told)["near"][0]["identity_type"] == "email"


def test_an_explained_note_names_who_keeps_an_identifier(shop: Program) -> None:
    request = ("identify", "--email", "e", "--idfv", "z", "--dry-run", "--json")
    [plain] = shop(*request).json()["notes"]
    [told] = shop(*request, "--explain").json()["notes"]
    assert plain.keys() == {"code", "identity_type", "message"}
    assert told["reason"] == "immutable_protection"
    assert told["mpid"] in shop("search", "--customer-id", "c", "--json").stdout


def test_a_refusal_of_step_5_is_explained(shop: Program) -> None:
    request = ("identify", "--email", "e")
    assert shop(*request, "--json").json().keys().isdisjoint({"notes", "tiers"})
    told = shop(*request, "--json", "--explain")
    assert told.status == 2
    assert [each["held_by"] for each in told.json()["tiers"]] == [None, 1, None, None]
    [note] = told.json()["notes"]
    text = shop(*request, "--explain")
    assert f"profile {note['mpid']} keeps it (immutable_protection)" in " ".join(
        text.stdout.split()
    )
    assert "PROTECTED_IDENTITY" in text.stderr
    headline, request_line, *table = text.stdout.splitlines()
    assert (headline, request_line) == (
        "Rejected: PROTECTED_IDENTITY",
        "identify in scope shop, request 4",
    )
    assert f"kept by {note['mpid']}" in " ".join(table), "the table says who, too"


def test_a_setting_that_keeps_an_identifier_is_explained(shop: Program) -> None:
    shop.write("idsync.yaml", PLAIN.replace("priority:", "on_unique_held: keep\n    priority:"))
    known = shop("search", "--customer-id", "c", "--json").json()["mpid"]
    text = shop("identify", "--email", "e", "--mobile-number", "1", "--explain", "--dry-run").stdout
    flat = " ".join(text.split())
    assert f"email was not added: profile {known} keeps it (on_unique_held)" in flat
    assert "on_unique_held: the scope sets on_unique_held: keep; only a modify moves it" in flat


def test_an_error_comes_before_the_tiers_that_explain_it(shop: Program) -> None:
    with shop.start("identify", "--email", "e", "--explain", stdout=subprocess.PIPE) as process:
        assert process.stderr is not None
        first = process.stderr.readline()
        _, rest = process.communicate()
    assert first.startswith(b"idsync: PROTECTED_IDENTITY: ")
    assert rest == b""


def test_an_erase_that_finds_nobody_is_told_how_to_see_who_is_near(idsync: Program) -> None:
    idsync.make_store()
    assert idsync("login", "--customer-id", "C-1", "--email", "a@example.com").status == 0
    outcome = idsync("erase", "--email", "a@example.com")
    assert outcome.status == 1
    [near] = [line for line in outcome.stdout.splitlines() if "holds email" in line]
    assert near.endswith("; idsync whois TYPE=VALUE shows who")
    assert "--explain" not in outcome.stdout
