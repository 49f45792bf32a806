"""`idsync why-not`: what it says of a profile, as text and JSON, and what it refuses."""

import json
from typing import Any

import pytest

from tests.program import (
    TWO_SCOPES,
    Program,
    assert_refused,
    mpid_of,
    program_in_a_fresh_folder,
)
from tests.test_output_schemas import assert_valid

__all__ = ["program_in_a_fresh_folder"]

A, B = mpid_of(1, 1), mpid_of(1, 2)


@pytest.fixture(name="shop")
def program_with_two_known_users_on_one_device(idsync: Program) -> Program:
    idsync.make_store()
    for customer in "AB":
        done = idsync("login", "--customer-id", customer, "--email", "a@x.org", "--idfv", "1")
        assert done.status == 0
    return idsync


def told(text: str) -> str:
    return " ".join(text.split())


def test_a_profile_that_is_not_the_answer(shop: Program) -> None:
    before = shop.files()
    outcome = shop("why-not", A, "--email", "a@x.org", "--idfv", "2", "--customer-id", "B")
    assert (outcome.status, outcome.stderr) == (0, "")
    said = told(outcome.stdout)
    assert said.startswith(
        f"Profile {A} is not the answer: login_protection: known, and the request has none of its "
        f"login IDs. identify in scope consumers, request 3; the answer is profile {B}"
    )
    assert "lost here" in said
    assert "1 request send customer_id A" in said
    assert shop.files() == before


def test_as_json(shop: Program) -> None:
    outcome = shop("why-not", A, "--customer-id", "B", "--email", "a@x.org", "--json")
    assert outcome.json() == {
        "mpid": A,
        "answer": B,
        "found_by": ["email"],
        "ineligible": "login_protection",
        "lost_at": {"rank": 1, "identity_type": "customer_id"},
        "lost_tie": False,
        "flips": [[{"change": "add", "identity_type": "customer_id", "value": "A"}]],
        "left_out": 0,
    }
    assert_valid("why-not", outcome.json())


def test_every_flip_comes_true_for_whoever_makes_it(shop: Program) -> None:
    """The flips of the request are made on the command line, those of the rules in the file."""
    asked = {"email": "a@x.org", "ios_idfv": "1"}
    options = [word for name, value in asked.items() for word in ("--identity", f"{name}={value}")]
    found = shop("why-not", B, *options, "--json").json()
    assert found["flips"]
    for [change] in found["flips"]:
        if change["change"] == "add":
            given = asked | {change["identity_type"]: change["value"]}
            words = [word for pair in given.items() for word in ("--identity", "=".join(pair))]
            answer = shop("identify", *words, "--json", "--dry-run").json()
            assert answer["mpid"] == B


def test_the_answer_itself(shop: Program) -> None:
    outcome = shop("why-not", A, "--customer-id", "A")
    assert outcome.status == 0
    assert outcome.stdout.startswith(f"Profile {A} is the answer.\n")
    found = shop("why-not", A, "--customer-id", "A", "--json").json()
    assert (found["answer"], found["flips"], found["lost_at"]) == (A, [], None)
    assert_valid("why-not", found)


def test_nothing_makes_a_profile_the_answer_that_has_nothing_to_be_found_by(
    shop: Program,
) -> None:
    assert shop("modify", "--mpid", A, *("--remove", "customer_id")).status == 0
    assert shop("modify", "--mpid", A, "--remove", "email", "--remove", "ios_idfv").status == 0
    outcome = shop("why-not", A, "--customer-id", "B")
    assert outcome.status == 1
    assert "it holds no identifier in the request" in told(outcome.stdout)
    assert (
        "No single change, nor any two to the request, would make it the answer." in outcome.stdout
    )
    assert shop("why-not", A, "--customer-id", "B", "--json").status == 1


def test_a_refused_request_has_its_error(idsync: Program) -> None:
    idsync.write("idsync.yaml", TWO_SCOPES)
    idsync.make_store()
    made = idsync("login", "--scope", "couriers", "--customer-id", "A", "--idfv", "1", "--json")
    mpid = made.json()["mpid"]
    asked = ("why-not", mpid, "--type", "login", "--idfv", "1", "--workspace", "courier-app")
    found = idsync(*asked, "--json").json()
    assert (found["answer"], found["error"]["code"]) == (None, "LOGIN_ID_REQUIRED")
    assert [{"change": "add", "identity_type": "customer_id", "value": "A"}] in found["flips"]
    assert_valid("why-not", found)
    assert "the request is rejected, LOGIN_ID_REQUIRED" in told(idsync(*asked).stdout)


def test_a_logout_that_creates_and_a_tie(shop: Program) -> None:
    logout = shop("why-not", A, "--type", "logout", "--idfv", "1")
    assert "a logout creates an anonymous profile; no tier is consulted" in told(logout.stdout)
    for _ in range(2):
        assert shop("logout", "--idfv", "9").status == 0
    older = mpid_of(1, 3)
    found = shop("why-not", older, "--idfv", "9", "--json").json()
    assert (found["lost_tie"], found["lost_at"], found["ineligible"]) == (True, None, None)
    assert [{"change": "previous_mpid"}] in found["flips"]
    assert "another is newer" in told(shop("why-not", older, "--idfv", "9").stdout)
    named = shop("why-not", older, "--idfv", "9", "--previous-mpid", older, "--json").json()
    assert named["answer"] == older


def test_without_an_mpid_every_holder_is_asked_about(shop: Program) -> None:
    found = shop("why-not", "--email", "a@x.org", "--json").lines()
    assert [each["mpid"] for each in found] == [B, A]
    assert_valid("why-not", *found)
    text = shop("why-not", "--email", "a@x.org", "--limit", "1")
    assert "the first 1 of 2 holders" in text.stdout
    nobody = shop("why-not", "--email", "A@x.org")
    assert (nobody.status, nobody.stdout) == (1, "")
    assert "no profile holds any identifier in the request" in nobody.stderr
    assert "differs only in" in nobody.stderr


def lines(*requests: Any) -> str:
    return "".join((json.dumps(each) if each else "") + "\n" for each in requests)


def login(customer: str, **more: Any) -> dict[str, Any]:
    identities = {"customer_id": customer, "idfv": "1"}
    return {"type": "login", "known_identities": identities, **more}


DAY = (
    login("A", label="first"),
    None,
    login("B"),
    {"type": "identify", "known_identities": {"idfv": "1"}},
    {"type": "modify", "mpid": "@first", "known_identities": {"email": "e"}},
    {"type": "batch", "user_identities": {"customer_id": "B"}, "events": []},
    {"type": "search", "known_identities": {"email": "nobody"}},
    {"type": "identify", "known_identities": {"email": "e"}},
)


@pytest.mark.parametrize("name", ["@first", "line:1", mpid_of(0, 1)])
def test_a_line_of_a_file_after_those_before_it(idsync: Program, name: str) -> None:
    idsync.write("day.jsonl", lines(*DAY))
    outcome = idsync("why-not", name, "--line", "4", "day.jsonl", "--json")
    found = outcome.json()
    assert (found["mpid"], found["answer"]) == (mpid_of(0, 1), mpid_of(0, 3))
    assert found["ineligible"] == "login_protection"
    assert [{"change": "add", "identity_type": "customer_id", "value": "A"}] in found["flips"]
    text = idsync("why-not", name, "--line", "4", "day.jsonl").stdout
    assert "identify in scope consumers, request 3, line 4" in told(text)
    assert set(idsync.files()) == {"idsync.yaml", "day.jsonl"}


def test_a_line_answers_as_its_replay_does(idsync: Program) -> None:
    """The lines before are replayed under their numbers, and with the seed that is given."""
    idsync.write("day.jsonl", lines(*DAY))
    answers = idsync("replay", "day.jsonl", "--seed", "7", "--output", "-").lines()
    first = answers[0]["mpid"]
    for place, line in ((1, 3), (2, 4), (4, 6), (5, 7), (6, 8)):
        assert answers[place]["line"] == line
        asked = ("--line", str(line), "day.jsonl", "--seed", "7", "--json")
        assert idsync("why-not", first, *asked).json()["answer"] == answers[place]["mpid"]


def test_without_an_mpid_every_holder_at_a_line(idsync: Program) -> None:
    stdin = lines(*DAY).encode()
    found = idsync("why-not", "--line", "4", "-", "--json", stdin=stdin).lines()
    assert [each["mpid"] for each in found] == [mpid_of(0, 2), mpid_of(0, 1)]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((A, "--line", "4"), ["--line 4 needs a file"]),
        (("--line", "4"), ["--line 4 needs a file"]),
        ((A, "day.jsonl"), ["'day.jsonl' needs --line"]),
        ((A, "--line", "2", "day.jsonl"), ["line 2 of 'day.jsonl' is blank"]),
        ((A, "--line", "99", "day.jsonl"), ["line 99 is not there: 'day.jsonl' has 8 lines"]),
        ((A, "--line", "5", "day.jsonl"), ["a modify names its profile"]),
        ((A, "--line", "1", "none.jsonl"), ["'none.jsonl' cannot be read"]),
        ((A, "--line", "1", "day.jsonl", "--email", "e"), ["omit the options that describe one"]),
        (("@none", "--line", "4", "day.jsonl"), ["'none'", "no line before it"]),
        (("line:4", "--line", "4", "day.jsonl"), ["'line:4'", "earlier"]),
        (("line:x", "--line", "4", "day.jsonl"), ["'line:x'", "line:1"]),
        (("line:2", "--line", "4", "day.jsonl"), ["line 2 is blank"]),
        (
            ("line:7", "--line", "8", "day.jsonl"),
            ["line 7", "not answered with a profile", "not_found"],
        ),
        ((A, "--seed", "1", "--email", "e"), ["--seed has no effect"]),
        (("@first", "--email", "e"), ["'@first' is not an MPID"]),
        ((A, "--type", "modify", "--email", "e"), ["a modify names its profile"]),
        ((A, "--type", "erase", "--email", "e"), ["an erase names its profile"]),
        ((A, "--type", "logn", "--email", "e"), ["INVALID_REQUEST", "did you mean 'login'?"]),
        ((A, "--type", "nope", "--email", "e"), ["identify, login, logout, search\n"]),
        ((A,), ["NO_IDENTITIES"]),
        ((A, "--email", "e", "--scope", "nowhere"), ["UNKNOWN_SCOPE"]),
    ],
)
def test_bad_input_is_told_the_way_out(
    shop: Program, arguments: tuple[str, ...], words: list[str]
) -> None:
    shop.write("day.jsonl", lines(*DAY))
    assert_refused(shop("why-not", *arguments), 2, *words)


def test_a_line_that_cannot_be_read_is_named(idsync: Program) -> None:
    idsync.write("day.jsonl", lines(login("A")) + "{nonsense\n")
    assert_refused(idsync("why-not", "line:1", "--line", "2", "day.jsonl"), 2, "INVALID_JSON")


def test_a_profile_that_is_not_there_or_elsewhere(idsync: Program) -> None:
    idsync.write("idsync.yaml", TWO_SCOPES)
    assert_refused(idsync("why-not", "1", "--email", "e", "--scope", "consumers"), 3, "init")
    idsync.make_store()
    nobody = idsync("why-not", "1", "--email", "e", "--scope", "consumers")
    assert (nobody.status, nobody.stdout) == (1, "")
    assert "no profile has the MPID 1" in nobody.stderr
    mpid = idsync("identify", "--scope", "couriers", "--idfv", "1", "--json").json()["mpid"]
    elsewhere = idsync("why-not", mpid, "--email", "e", "--scope", "consumers")
    assert elsewhere.status == 1
    assert "in scope 'couriers', and the request in 'consumers'" in elsewhere.stderr


def test_an_unknown_option_is_still_none(shop: Program) -> None:
    assert_refused(shop("why-not", "-x", "--email", "e"), 2, "no such option: -x")
