"""`idsync erase`: whom it erases, what it says, and the certificate (section 9)."""

import json
from typing import Any

import pytest

from tests.program import (  # noqa: F401 - the fixture
    TWO_SCOPES,
    Program,
    assert_refused,
    mpid_of,
    program_in_a_fresh_folder,
)

FIRST = mpid_of(1, 1)
RULES = """\
version: 1
scopes:
  shop:
    strategy: profile_link
    priority: [customer_id, email, ios_idfv]
    identities: {customer_id: {login: true, unique: true, immutable: true}}
"""


@pytest.fixture(name="shop")
def store_with_two_users(idsync: Program) -> Program:
    """A user with an email and a phone, and a visitor on the same phone."""
    idsync.make_store()
    idsync("login", "--customer-id", "c1", "--email", "a@example.com", "--idfv", "phone")
    idsync("logout", "--idfv", "phone")
    return idsync


def erased(program: Program, *arguments: str) -> Any:
    outcome = program("erase", *arguments, "--json")
    assert (outcome.status, outcome.stderr) == (0, "")
    assert outcome.json()["status"] == "erased"
    return outcome.json()


def test_an_answer_says_who_was_erased_and_what_stays(shop: Program) -> None:
    answer = erased(shop, "--customer-id", "c1", "--request-id", "r-1")
    pages = answer["shown_by"].pop("pages")
    assert pages > 10
    time = answer.pop("time")
    assert time.endswith("Z")
    assert answer == {
        "seq": 3,
        "type": "erase",
        "scope": "consumers",
        "status": "erased",
        "mpid": FIRST,
        "request_id": "r-1",
        "counts": {
            "identifiers": 3, "values": 2, "history": 3, "attributes": 0, "devices": 0, "events": 0,
        },
        "aliased_with": [],
        "made_from_it": [],
        "taken_from": [],
        "files": [],
        "shown_by": {"free_pages": 0, "log_bytes": 0},
    }  # fmt: skip
    told = shop("history", "--mpid", FIRST, "--json").json()
    assert told == {
        "seq": 3,
        "time": time,
        "type": "erase",
        "request_id": "r-1",
        "request_timestamp_ms": None,
        "decided_by": None,
        "op": "erase",
        "mpid": FIRST,
        "scope": "consumers",
    }


def test_people_read_what_is_gone_and_what_shows_it(shop: Program) -> None:
    shop("backup", "monday.db")
    outcome = shop("erase", "--customer-id", "c1")
    assert (outcome.status, outcome.stderr) == (0, "")
    first, *rest = outcome.stdout.splitlines()
    assert first == f"erased {FIRST}"
    assert rest[0] == "decided by tier 1, customer_id"
    assert rest[1] == "- 3 identifiers, 3 history entries, 0 attributes, 0 devices, 0 events"
    assert rest[2].startswith("- 2 values that no other profile holds")
    assert rest[3] == f"may hold its data: backup {shop.folder.resolve()}/monday.db"
    assert rest[4].startswith("done: no byte of it is left in the store's files (")


def test_a_pipe_and_a_device_are_not_named_because_they_keep_nothing(shop: Program) -> None:
    shop.write("day.jsonl", '{"type": "search", "known_identities": {"email": "a@x"}}\n')
    for command in (("export",), ("replay", "day.jsonl", "--again")):
        for output in ("/dev/null", "/dev/stdout"):
            process = shop.start(*command, "--output", output)
            process.communicate(timeout=60)
    outcome = shop("erase", "--customer-id", "c1")
    named = [line for line in outcome.stdout.splitlines() if line.startswith("may hold its data")]
    assert named == [f"may hold its data: requests {shop.folder.resolve()}/day.jsonl"]


def test_an_erased_profile_is_spoken_of_wherever_it_is_asked_for(shop: Program) -> None:
    erased(shop, "--customer-id", "c1", "--request-id", "r-1")
    for arguments in (("profile", "show"), ("profile", "show", "--story")):
        outcome = shop(*arguments, "--mpid", FIRST)
        assert (outcome.status, outcome.stdout) == (1, "")
        assert "was erased by request 3" in " ".join(outcome.stderr.split())
        assert "r-1" in outcome.stderr
    outcome = shop("history", "--mpid", FIRST)
    assert (outcome.status, outcome.stderr) == (0, "")
    assert "was erased by request 3" in " ".join(outcome.stdout.split())


def test_where_nobody_fits_it_ends_with_1_and_takes_no_number(shop: Program) -> None:
    outcome = shop("erase", "--email", "a@example.com", "--json")  # no login ID here
    assert (outcome.status, outcome.stderr) == (1, "")
    answer = outcome.json()
    assert (answer["status"], answer["mpid"], answer["seq"]) == ("not_found", None, 3)
    assert answer["near"] == [
        {"identity_type": "email", "held_by": 1, "ineligible": {"login_protection": 1}}
    ]
    text = shop("erase", "--email", "a@example.com")
    assert text.stdout.startswith("not found\n")
    assert "1 profile holds email a@example.com, but" in text.stdout
    assert shop("erase", "--mpid", FIRST, "--dry-run", "--json").json()["seq"] == 3


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (["--mpid", "5"], 1, ["MPID_NOT_FOUND", "5"]),
        (["--mpid", "05"], 2, ["INVALID_REQUEST", "'05'"]),
        ([], 2, ["INVALID_REQUEST", "names nobody"]),
        (["--mpid", "5", "--email", "e"], 2, ["INVALID_REQUEST", "not both"]),
        (["--identity", "shoe_size=5"], 2, ["UNKNOWN_IDENTITY_TYPE", "shoe_size"]),
        (["--email", "e", "--identity", "email=f"], 2, ["given twice"]),
        (["--email", ""], 2, ["is empty"]),
        (["--email", "e", "--scope", "nowhere"], 2, ["UNKNOWN_SCOPE"]),
        (["--email", "e", "--force"], 2, ["--force", "--certificate"]),
        (["--email", "e", "--output", "d"], 2, ["--output is for an access"]),
        (["--email", "e", "--dry-run", "--certificate", "c"], 2, ["--certificate", "omit it"]),
    ],
)
def test_what_cannot_be_is_refused(
    shop: Program, arguments: list[str], status: int, words: list[str]
) -> None:
    before = shop.files()
    assert_refused(shop("erase", *arguments), status, *words)
    assert shop.files() == before


def test_several_that_fit_are_never_settled_by_the_newest(idsync: Program) -> None:
    idsync.make_store()
    for _ in range(2):
        idsync("logout", "--idfv", "phone")
    before = idsync.files()
    assert_refused(idsync("erase", "--idfv", "phone"), 2, "AMBIGUOUS", "several profiles fit")
    assert idsync("erase", "--idfv", "phone", "--json").json()["errors"][0]["code"] == "AMBIGUOUS"
    assert idsync.files() == before


def test_without_a_store_there_is_nobody_and_none_is_made(idsync: Program) -> None:
    before = idsync.files()
    assert idsync("erase", "--email", "e").status == 1
    assert_refused(idsync("erase", "--mpid", "5"), 1, "MPID_NOT_FOUND")
    assert idsync.files() == before


def test_profiles_that_came_from_it_are_named(idsync: Program) -> None:
    idsync.write("idsync.yaml", RULES)
    idsync.make_store()
    visitor = idsync("identify", "--idfv", "phone", "--json").json()["mpid"]
    known = idsync("login", "--email", "a@example.com", "--idfv", "phone", "--json").json()
    assert known["source_mpid"] == visitor
    answer = erased(idsync, "--mpid", visitor)
    assert answer["made_from_it"] == [known["mpid"]]
    shown = idsync("profile", "show", "--mpid", known["mpid"], "--json").json()
    assert shown["source_mpid"] == visitor
    assert idsync("doctor").status == 0


def test_the_rule_immutable_search_does_not_keep_anybody_from_being_erased(
    idsync: Program,
) -> None:
    idsync.write("idsync.yaml", RULES)
    idsync.make_store()
    idsync("login", "--email", "a@example.com")
    assert idsync("search", "--email", "a@example.com").status == 1
    assert erased(idsync, "--email", "a@example.com")["mpid"] == FIRST


def test_an_erase_in_one_scope_leaves_the_same_value_in_another(idsync: Program) -> None:
    idsync.write("idsync.yaml", TWO_SCOPES)
    idsync.make_store()
    for scope in ("consumers", "couriers"):
        idsync("login", "--customer-id", "c1", "--scope", scope)
    assert_refused(idsync("erase", "--customer-id", "c1"), 2, "no scope")
    answer = erased(idsync, "--customer-id", "c1", "--workspace", "shop")
    assert (answer["scope"], answer["counts"]["values"]) == ("consumers", 1)
    assert idsync("search", "--customer-id", "c1", "--scope", "couriers").status == 0
    assert idsync("stats", "--json").json()["scopes"].keys() == {"couriers"}


def test_an_erased_mpid_is_not_given_out_again(shop: Program) -> None:
    erased(shop, "--mpid", FIRST)
    again = shop("login", "--customer-id", "c1", "--json").json()
    assert (again["status"], again["seq"]) == ("created", 4)
    assert again["mpid"] != FIRST
    assert shop("doctor").status == 0


# ---- In a file, and in a scenario


def test_lines_of_a_replay_erase_and_unset_labels(idsync: Program) -> None:
    idsync.make_store()
    login = {"type": "login", "known_identities": {"customer_id": "c1"}}
    first, other, erase, modify, again, last = idsync.answers(
        login | {"label": "one"},
        login | {"label": "two"},
        {"type": "erase", "mpid": "@one", "request_id": "r", "label": "one"},
        {"type": "modify", "mpid": "@two", "known_identities": {"email": "e"}},
        login | {"label": "one"},
        {"type": "erase", "known_identities": {"customerid": "c1"}},
    )
    assert first["mpid"] == other["mpid"] == erase["mpid"] == FIRST
    assert (erase["line"], erase["request_id"]) == (3, "r")
    assert "shown_by" not in erase
    assert modify["errors"][0]["code"] == "UNKNOWN_LABEL"
    assert again["status"] == "created"
    assert last["mpid"] == again["mpid"]
    assert idsync("doctor").status == 0


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"mpid": None},
        {"mpid": "5", "known_identities": {"email": "e"}},
        {"mpid": "5", "previous_mpid": "5"},
        {"known_identities": {"email": "e"}, "previous_mpid": 0},
        {"mpid": "5", "identity_changes": []},
        {"mpid": 0},
        {"mpid": ""},
        {"known_identities": {"email": "e"}, "events": []},
    ],
)
def test_a_line_is_as_strict_as_other_requests(idsync: Program, wrong: dict[str, Any]) -> None:
    idsync.make_store()
    [answer] = idsync.answers({"type": "erase"} | wrong)
    assert answer["errors"][0]["code"] == "INVALID_REQUEST"


def test_a_step_of_a_scenario_erases(idsync: Program) -> None:
    scenario = """\
name: who asks to be forgotten is
scope:
  strategy: profile_conversion
  priority: [customer_id, ios_idfv]
  identities: {customer_id: {login: true, unique: true}}
steps:
  - login: {customer_id: c1, ios_idfv: phone}
    as: one
  - erase: {customer_id: c1}
    expect: {status: erased, mpid: "@one"}
  - search: {customer_id: c1}
    expect: {status: not_found}
  - modify: {mpid: "@one", ios_idfv: other}
    expect: {error: UNKNOWN_LABEL}
  - login: {customer_id: c1}
    as: two
    expect: {status: created}
  - erase: {mpid: "@two"}
    expect: {status: erased}
  - erase: {mpid: "5"}
    expect: {error: MPID_NOT_FOUND}
  - erase: {mpid: "5", customer_id: c1}
    expect: {error: INVALID_REQUEST}
"""
    idsync.write("story.yaml", scenario)
    outcome = idsync("check", "story.yaml")
    assert outcome.status == 0, outcome.stdout


# ---- The certificate


def test_a_certificate_tells_no_value(shop: Program) -> None:
    answer = erased(
        shop, "--customer-id", "c1", "--request-id", "r-1", "--certificate", "certificate.json"
    )
    certificate = json.loads((shop.folder / "certificate.json").read_text())
    kept = ("mpid", "request_id", "seq", "time", "counts", "shown_by")
    assert certificate == {name: answer[name] for name in kept}
    text = json.dumps(certificate)
    assert [each for each in ("a@example.com", '"c1"', "phone") if each in text] == []


def test_where_it_cannot_be_written_nothing_is_erased(shop: Program) -> None:
    shop.write("there.json", "{}")
    (shop.folder / "folder").mkdir()
    before = shop.files()
    for name, words in {
        "there.json": "already exists",
        "folder": "it is a folder",
        "nowhere/c.json": "its folder does not exist",
        "idsync.db": "is the store",
        "idsync.db-wal": "is the log of the store",
        "idsync.yaml": "is the configuration",
        "": "is not a path",
    }.items():
        assert_refused(shop("erase", "--customer-id", "c1", "--certificate", name), 2, words)
    assert shop.files() == before
    assert shop("search", "--customer-id", "c1").status == 0
    erased(shop, "--customer-id", "c1", "--certificate", "there.json", "--force")
    assert json.loads((shop.folder / "there.json").read_text())["mpid"] == FIRST


def test_none_is_written_of_who_is_not_there(shop: Program) -> None:
    assert shop("erase", "--mpid", "5", "--certificate", "c.json").status == 1
    assert shop("erase", "--email", "nobody", "--certificate", "c.json").status == 1
    assert not (shop.folder / "c.json").exists()
