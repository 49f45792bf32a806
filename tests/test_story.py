"""What decided, told by the history and by a profile's life in order."""

import json

import pytest

from tests.program import Program, program_in_a_fresh_folder  # noqa: F401 - the fixture

RULES = """\
version: 1
scopes:
  shop:
    strategy: profile_conversion
    priority: [customer_id, email, mobile_number, ios_idfv, device_application_stamp]
    identities: {customer_id: {login: true, unique: true}, mobile_number: {unique: true}}
"""
SENT = 1_700_000_000_123
SENT_TEXT = "sent 2023-11-14 22:13:20"
BY_STAMP = {"rule": "identifier", "identity_type": "device_application_stamp"}
Lives = tuple[str, str]


@pytest.fixture(name="lives")
def two_lives(idsync: Program) -> Lives:
    """A visitor signs in; then the modify of another user takes the number."""
    idsync.write("idsync.yaml", RULES)
    stamp = {"device_application_stamp": "s"}
    login = stamp | {"customer_id": "a", "mobile_number": "1"}
    answers = idsync.answers(
        {"type": "identify", "known_identities": stamp, "request_id": "r-1"},
        {
            "type": "login",
            "known_identities": login,
            "request_id": "r-2",
            "request_timestamp_ms": SENT,
        },
        {"type": "login", "known_identities": {"customer_id": "b"}, "label": "b"},
        {"type": "modify", "mpid": "@b", "known_identities": {"mobile_number": "1"}},
    )
    return answers[0]["mpid"], answers[2]["mpid"]


def test_the_history_says_which_type_decided_and_the_requests_own_id_and_time(
    idsync: Program, lives: Lives
) -> None:
    shown = idsync("history", "--mpid", lives[0]).stdout
    for word in ("identify: no_match", "login: tier", "device_", "r-2", "sent "):
        assert word in shown
    entry = idsync("history", "customer_id=a", "--json").json()
    assert entry["decided_by"] == BY_STAMP
    assert (entry["request_id"], entry["request_timestamp_ms"]) == ("r-2", SENT)


def test_a_profile_says_it_of_what_brought_each_identifier(idsync: Program, lives: Lives) -> None:
    shown = idsync("profile", "show", "--mpid", lives[0]).stdout
    assert "login: tier" in shown
    assert SENT_TEXT in shown
    told = idsync("profile", "show", "--mpid", lives[0], "--json").json()
    assert told["made_by"]["decided_by"] == {"rule": "no_match"}
    [customer_id] = [e for e in told["identifiers"] if e["identity_type"] == "customer_id"]
    assert (customer_id["type"], customer_id["decided_by"]) == ("login", BY_STAMP)
    assert customer_id["request_timestamp_ms"] == SENT


def test_a_life_is_told_in_order(idsync: Program, lives: Lives) -> None:
    mpid, other = lives
    text = idsync("profile", "show", "--mpid", mpid, "--story").stdout
    blocks = text.strip().split("\n\n")
    assert blocks[0] == f"profile {mpid} in scope shop: known"
    first, second, third = (block.splitlines() for block in blocks[1:])
    assert first[0].startswith("request 1, ")
    assert first[0].endswith(" UTC: created by identify")
    assert first[1:] == [
        "  decided by no_match: no tier found an eligible profile",
        "  request ID r-1",
        "  + device_application_stamp s",
    ]
    assert second[0].endswith(" UTC: login")
    assert second[1:] == [
        "  decided by tier device_application_stamp",
        f"  request ID r-2, {SENT_TEXT} UTC",
        "  + customer_id a",
        "  + mobile_number 1",
    ]
    assert third[0].endswith(f" UTC: modify of profile {other}")
    assert third[1:] == [
        "  decided by mpid: the request names the profile by its MPID",
        f"  - mobile_number 1 (taken by profile {other})",
    ]
    theirs = idsync("profile", "show", "--mpid", other, "--story").stdout
    assert f"  + mobile_number 1 (taken from profile {mpid})" in theirs


def test_a_life_as_json(idsync: Program, lives: Lives) -> None:
    mpid, other = lives
    told = idsync("profile", "show", "--mpid", mpid, "--story", "--json").json()
    line = next(each for each in idsync("export").lines() if each["mpid"] == mpid)
    assert {name: told[name] for name in line} == line
    assert [(each["seq"], each["type"], each["mpid"], each["made"]) for each in told["story"]] == [
        (1, "identify", mpid, True),
        (2, "login", mpid, False),
        (4, "modify", other, False),
    ]
    assert told["story"][1]["decided_by"] == BY_STAMP
    assert told["story"][1]["request_timestamp_ms"] == SENT
    number = {"identity_type": "mobile_number", "value": "1"}
    assert told["story"][1]["changes"][1] == {"op": "add", **number, "taken_from": []}
    assert told["story"][2]["changes"] == [{"op": "remove", **number, "taken_by": other}]
    theirs = idsync("profile", "show", "--mpid", other, "--story", "--json").json()
    assert theirs["story"][1]["changes"] == [{"op": "add", **number, "taken_from": [mpid]}]


def test_a_life_as_markdown_for_a_ticket(idsync: Program, lives: Lives) -> None:
    mpid, other = lives
    text = idsync("profile", "show", "--mpid", mpid, "--story", "--markdown").stdout
    lines = text.splitlines()
    assert lines[:4] == [f"### Profile `{mpid}`", "", "In scope `shop`: known.", ""]
    assert lines[4].startswith("1. **created by identify** (request 1, ")
    assert f"    - request ID `r-2`, {SENT_TEXT} UTC" in lines
    assert "    - added customer_id `a`" in lines
    assert f"    - removed mobile_number `1` (taken by profile {other})" in lines


@pytest.mark.parametrize(
    ("value", "code"),
    [("a`b", "`` a`b ``"), ("``", "``` `` ```"), ("<b>*x*|", "`<b>*x*|`"), ("\x1b[1m", "[1m")],
)
def test_in_markdown_a_value_means_nothing(idsync: Program, value: str, code: str) -> None:
    idsync.write("idsync.yaml", RULES)
    mpid = idsync("identify", "--email", value, "--json").json()["mpid"]
    text = idsync("profile", "show", "--mpid", mpid, "--story", "--markdown").stdout
    assert code in text
    assert "\x1b" not in text


def test_what_a_modify_of_its_own_replaced_was_taken_by_nobody(idsync: Program) -> None:
    idsync.write("idsync.yaml", RULES)
    mpid = idsync("identify", "--email", "a", "--json").json()["mpid"]
    idsync("modify", "--mpid", mpid, "--email", "b")
    story = idsync("profile", "show", "--mpid", mpid, "--story", "--json").json()["story"]
    assert [(e["op"], e.get("taken_by", 0)) for e in story[1]["changes"]] == [
        ("remove", None),
        ("add", 0),
    ]


def test_an_import_is_told_as_one(idsync: Program) -> None:
    idsync.write("idsync.yaml", RULES)
    profile = {"mpid": "5", "scope": "shop", "identities": {"email": ["e"]}}
    empty = {"mpid": "6", "scope": "shop", "identities": {}}
    idsync.write("p.jsonl", f"{json.dumps(profile)}\n{json.dumps(empty)}\n")
    assert idsync("import", "p.jsonl").status == 0
    assert "created by import" in idsync("profile", "show", "--mpid", "5", "--story").stdout
    [made] = idsync("profile", "show", "--mpid", "6", "--story", "--json").json()["story"]
    assert (made["type"], made["decided_by"], made["changes"]) == (
        "import",
        {"rule": "import"},
        [],
    )


def test_a_time_that_no_calendar_has_is_told_as_it_came(idsync: Program) -> None:
    idsync.write("idsync.yaml", RULES)
    request = {"type": "identify", "known_identities": {"email": "e"}}
    [answer] = idsync.answers(request | {"request_timestamp_ms": 2**62})
    for story in ((), ("--story",)):
        shown = idsync("profile", "show", "--mpid", answer["mpid"], *story)
        assert f"sent {2**62} ms" in " ".join(shown.stdout.replace(" e\n", " ").split())


def test_nobody_and_forms_that_do_not_go_together(idsync: Program, lives: Lives) -> None:
    assert idsync("profile", "show", "--mpid", "5", "--story").status == 1
    show = ("profile", "show", "--mpid", lives[0])
    for wrong in (("--markdown",), ("--story", "--markdown", "--json")):
        outcome = idsync(*show, *wrong)
        assert (outcome.status, outcome.stdout) == (2, "")
        assert "--markdown needs --story, and cannot be combined with --json" in outcome.stderr
