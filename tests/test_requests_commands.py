"""The commands identify, login, logout, search and modify: one request, one answer."""

import re
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from tests.program import (  # noqa: F401 - the fixture
    CONFIG,
    TWO_SCOPES,
    Outcome,
    Program,
    assert_refused,
    ended,
    mpid_of,
    program_in_a_fresh_folder,
)

NAMES = """
customer_id customerid controller_customer_id
email
facebook
twitter
google
microsoft
yahoo
facebook_custom_audience_id facebookcustomaudienceid
other
other_id_2 other2
other_id_3 other3
other_id_4 other4
other_id_5 other5
other_id_6 other6
other_id_7 other7
other_id_8 other8
other_id_9 other9
other_id_10 other10
mobile_number
phone_number_2
phone_number_3
ios_idfa idfa ios_advertising_id
ios_idfv idfv ios_vendor_id
android_aaid gaid google_advertising_id android_advertising_id
android_uuid android_id
fire_aid fire_advertising_id
roku_aid roku_id roku_advertising_id
roku_publisher_id roku_publishing_id
microsoft_aid microsoft_advertising_id
microsoft_publisher_id
amp_id
push_token
device_application_stamp das
"""
"""Section 2 of the specification: a type a line, its canonical name first."""

TYPES = [line.split() for line in NAMES.strip().splitlines()]
EVERY_TYPE = f"""\
version: 1
scopes:
  all:
    strategy: profile_conversion
    priority: [{", ".join(names[0] for names in TYPES)}]
"""
FULL = Path("/dev/full")
ANSWERED_BY_A_PROFILE = ("identify", "login", "logout", "search")


def line_of(arguments: tuple[str, ...]) -> dict[str, Any]:
    """The line of a request file that asks for the same as a command, in its longer names."""
    kind, *rest = arguments
    request: dict[str, Any] = {"type": kind, "known_identities": {}}
    for option, value in zip(rest[::2], rest[1::2], strict=True):
        name = option.removeprefix("--").replace("-", "_")
        if name in ("scope", "workspace", "mpid", "previous_mpid"):
            request[name] = value
        elif name == "remove":
            request["known_identities"][value] = None
        elif name == "change":
            del request["known_identities"]
            kind, old, new = value.split(":")
            change = {"identity_type": kind, "old_value": old or None, "new_value": new or None}
            request["identity_changes"] = [change]
        else:
            request["known_identities"][name] = value
    return request


# Options


@pytest.mark.parametrize("command", [*ANSWERED_BY_A_PROFILE, "modify"])
@pytest.mark.parametrize("form", ["option", "identity"])
def test_every_name_of_every_type_is_an_option_and_an_identity(
    idsync: Program, command: str, form: str
) -> None:
    idsync.write("idsync.yaml", EVERY_TYPE)
    idsync.make_store()
    if command == "modify":
        assert idsync("identify", "--das", "first").status == 0
    common = [command, "--dry-run", "--explain", "--json"]
    common += ["--mpid", mpid_of(1, 1)] if command == "modify" else []
    for place in range(max(map(len, TYPES))):
        arguments = [*common]
        for names in TYPES:
            name = names[place % len(names)]
            dashed = "--" + name.replace("_", "-")
            value = f"the value of {names[0]}"
            arguments += [dashed, value] if form == "option" else ["--identity", f"{name}={value}"]
        answer = idsync(*arguments).json()
        assert [tier["value"] for tier in answer["tiers"]] == [
            f"the value of {names[0]}" for names in TYPES
        ]


@pytest.mark.parametrize("command", [*ANSWERED_BY_A_PROFILE, "modify"])
def test_help_names_every_option_and_shows_an_example(idsync: Program, command: str) -> None:
    text = idsync(command, "--help").stdout
    told = set(re.findall(r"[\w-]+", text))
    told |= {f"other-id-{number}" for number in range(3, 10)}  # it says "to other-id-10"
    assert {names[0].replace("_", "-") for names in TYPES} <= told
    assert "(other names: idsync help types)" in text
    of_all = idsync("help", "types").stdout
    assert set(re.findall(r"[\w-]+", of_all)) >= {name for names in TYPES for name in names}
    for option in ("--identity", "--scope", "--workspace", "--config", "--store", "--dry-run"):
        assert option in text
    assert f"idsync {command} " in text
    assert "\x1b" not in text


def test_an_identity_value_may_hold_equals_signs_and_begin_with_a_dash(idsync: Program) -> None:
    answer = idsync("identify", "--identity", "email=a=b=", "--idfv=-x", "--das", "-5", "--json")
    assert {change["value"] for change in answer.json()["changes"]} == {"a=b=", "-x", "-5"}


def test_values_are_taken_as_they_are_written(idsync: Program) -> None:
    value = "  A\tb\nä\u0308 \U0001f600 [x] '\" \\ "
    assert idsync("identify", "--email", value).status == 0
    assert idsync("export").json()["identities"]["email"] == [value]
    assert idsync("search", "--email", value.strip()).status == 1


# Answers


def test_an_answer_as_json_has_every_member_of_the_specification(idsync: Program) -> None:
    idsync.make_store()
    answer = idsync("identify", "--email", "a@example.com", "--json").json()
    mpid = mpid_of(1, 1)
    assert answer == {
        "seq": 1,
        "type": "identify",
        "scope": "consumers",
        "status": "created",
        "mpid": mpid,
        "is_logged_in": False,
        "matched_identities": {},
        "decided_by": {"rule": "no_match"},
        "changes": [
            {"op": "add", "mpid": mpid, "identity_type": "email", "value": "a@example.com"}
        ],
        "orphaned": [],
        "source_mpid": None,
        "notes": [],
    }
    answer = idsync("login", "--email", "a@example.com", "--customer-id", "C", "--json").json()
    assert answer["decided_by"] == {"rule": "identifier", "rank": 2, "identity_type": "email"}
    assert (answer["status"], answer["mpid"], answer["is_logged_in"]) == ("matched", mpid, True)


def test_json_is_one_line_of_ascii(idsync: Program) -> None:
    outcome = idsync("identify", "--email", "ä\u2028\U0001f600", "--json")
    assert outcome.stdout.isascii()
    assert outcome.stdout.count("\n") == 1


DAY = [
    ("identify", "--idfv", "phone"),
    ("identify", "--idfv", "phone", "--email", "a@example.com"),
    ("login", "--customer-id", "C", "--email", "a@example.com", "--idfv", "phone"),
    ("logout", "--customer-id", "C", "--idfv", "phone"),
    ("identify", "--idfv", "phone"),
    ("search", "--customer-id", "C"),
    ("search", "--customer-id", "nobody"),
    ("identify", "--email", "a@example.com"),
    ("identify", "--email", "b@example.com", "--idfv", "phone"),
    ("modify", "--mpid", mpid_of(1, 1), "--email", "new@example.com", "--remove", "ios_idfv"),
    ("modify", "--mpid", mpid_of(1, 1), "--change", "email:new@example.com:newer@example.com"),
    ("modify", "--mpid", mpid_of(1, 1), "--change", "email:other@example.com:"),
    ("modify", "--mpid", "1", "--email", "x"),
    ("identify", "--push-token", "only"),
    ("identify", "--idfv", "phone", "--previous-mpid", mpid_of(1, 4)),
    ("identify", "--idfv", "phone", "--previous-mpid", "@nobody"),
    ("login", "--email", "a@example.com", "--scope", "consumers", "--workspace", "app"),
    ("login", "--email", "a@example.com", "--scope", "customers"),
]


def test_a_command_answers_as_a_replay_of_the_same_line_does(idsync: Program) -> None:
    idsync.make_store()
    statuses = set()
    for arguments in DAY:
        [replayed] = idsync.answers(line_of(arguments), arguments=("--dry-run", "--explain"))
        assert replayed.pop("line") == 1
        dry = idsync(*arguments, "--json", "--explain", "--dry-run").json()
        answer = idsync(*arguments, "--json", "--explain").json()
        assert answer == dry == replayed
        statuses.add(answer["status"])
    assert statuses == {"created", "matched", "not_found", "modified", "error"}


def test_without_json_the_first_line_is_the_result(idsync: Program) -> None:
    idsync.make_store()
    mpid = mpid_of(1, 1)
    outcomes = [
        idsync("identify", "--idfv", "phone"),
        idsync("login", "--customer-id", "C", "--idfv", "phone"),
        idsync("search", "--idfv", "phone"),
        idsync("modify", "--mpid", mpid, "--email", "a@example.com"),
    ]
    assert [outcome.stdout.splitlines()[0] for outcome in outcomes] == [
        f"created {mpid} (not logged in)",
        f"matched {mpid} (logged in)",
        "not found",
        f"modified {mpid} (logged in)",
    ]


def test_a_search_shows_every_identifier_of_the_profile_it_found(idsync: Program) -> None:
    idsync("identify", "--email", "a@example.com", "--idfv", "phone", "--push-token", "t")
    found = idsync("search", "--idfv", "phone", "--json").json()
    assert found["identities"] == {
        "email": ["a@example.com"],
        "ios_idfv": ["phone"],
        "push_token": ["t"],
    }
    assert found["matched_identities"] == {"ios_idfv": "phone"}
    text = idsync("search", "--idfv", "phone").stdout
    for held in ("email a@example.com", "ios_idfv phone", "push_token t"):
        assert held in text
    assert "identities" not in idsync("identify", "--idfv", "phone", "--json").json()


# Dry runs and what makes a store


@pytest.mark.parametrize("arguments", DAY, ids=" ".join)
def test_a_dry_run_writes_nothing_and_makes_no_store(
    idsync: Program, arguments: tuple[str, ...]
) -> None:
    before = idsync.files()
    dry = idsync(*arguments, "--dry-run", "--explain", "--json").json()
    assert idsync.files() == before
    idsync.make_store()
    before = idsync.files()
    assert idsync(*arguments, "--dry-run", "--explain", "--json").json().keys() == dry.keys()
    assert idsync.files() == before


def test_a_dry_run_shows_the_whole_answer(idsync: Program) -> None:
    idsync.make_store()
    idsync("identify", "--email", "a@example.com")
    for arguments in (
        ("login", "--customer-id", "C", "--email", "a@example.com"),
        ("logout", "--das", "d"),
    ):
        dry = idsync(*arguments, "--dry-run")
        dry_explained = idsync(*arguments, "--dry-run", "--explain")
        assert "+ " in dry.stdout
        assert "+ " in dry_explained.stdout
        before = idsync("export").stdout
        real_explained = idsync(*arguments, "--dry-run", "--explain")
        assert idsync("export").stdout == before
        assert dry_explained == real_explained
        assert "nothing was written" in dry.stderr
        assert idsync(*arguments).stdout == dry.stdout


@pytest.mark.parametrize(
    "arguments",
    [
        ("search", "--email", "a@example.com"),
        ("search", "--email", "a@example.com", "--explain"),
        ("identify", "--push-token", "t"),
        ("identify", "--email", "a", "--scope", "nowhere"),
        ("modify", "--mpid", "1", "--email", "a"),
        ("identify",),
    ],
    ids=" ".join,
)
def test_what_changes_nothing_makes_no_store(idsync: Program, arguments: tuple[str, ...]) -> None:
    before = idsync.files()
    assert idsync(*arguments).status in (1, 2)
    assert idsync.files() == before


def test_the_first_request_that_changes_anything_makes_the_store(idsync: Program) -> None:
    outcome = idsync("identify", "--email", "a@example.com")
    assert outcome.status == 0
    assert set(idsync.files()) == {"idsync.yaml", "idsync.db"}
    assert outcome.stdout.splitlines()[0] in idsync(
        "search", "--email", "a@example.com"
    ).stdout.replace("matched", "created")


def test_each_new_store_has_a_seed_of_its_own(idsync: Program) -> None:
    made = {
        idsync("identify", "--email", "a", "--store", store, "--json").json()["mpid"]
        for store in ("one.db", "two.db")
    }
    assert len(made) == 2


# Sequence numbers


def test_a_one_shot_request_takes_a_number_only_if_it_changes_the_store(idsync: Program) -> None:
    idsync.make_store()
    given = [
        ("identify", "--email", "a", 1),
        ("identify", "--email", "a", 2),
        ("search", "--email", "a", 2),
        ("search", "--email", "b", 2),
        ("identify", "--push-token", "t", 2),
        ("modify", "--mpid", "1", "--email", "x", 2),
        ("modify", "--mpid", mpid_of(1, 1), "--email", "a", 2),
        ("identify", "--email", "a", "--idfv", "p", 2),
        ("identify", "--email", "a", "--idfv", "p", 3),
        ("identify", "--email", "b", "--dry-run", 3),
        ("identify", "--email", "b", 3),
        ("search", "--email", "b", 4),
    ]
    for *arguments, seq in given:
        assert idsync(*map(str, arguments), "--json").json()["seq"] == seq, arguments
    assert [line["mpid"] for line in idsync("export").lines()] == [mpid_of(1, 1), mpid_of(1, 3)]


def test_in_a_replay_every_line_takes_a_number(idsync: Program) -> None:
    idsync.make_store()
    search = {"type": "search", "known_identities": {"email": "a"}}
    answers = idsync.answers(search, search, {"type": "nonsense"}, search)
    assert [answer["seq"] for answer in answers] == [1, 2, 3, 4]
    assert idsync("identify", "--email", "a", "--json").json()["seq"] == 5
    assert idsync("export").json()["mpid"] == mpid_of(1, 5)


# modify


@pytest.fixture(name="held")
def profile_with_two_emails(idsync: Program) -> Program:
    """A store whose one profile, of request 1, holds the emails a and b and the phone p."""
    idsync.make_store()
    idsync("identify", "--idfv", "p", "--email", "a")
    idsync("identify", "--idfv", "p", "--email", "b")
    return idsync


def modify(idsync: Program, *arguments: str) -> Outcome:
    return idsync("modify", "--mpid", mpid_of(1, 1), *arguments)


def emails(idsync: Program) -> list[str]:
    held: list[str] = idsync("export").json()["identities"].get("email", [])
    return held


def test_identity_options_of_a_modify_are_the_set_form(held: Program) -> None:
    assert modify(held, "--email", "c").status == 0
    assert held("export").json()["identities"] == {"email": ["c"], "ios_idfv": ["p"]}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        (["email:a:c"], ["b", "c"]),
        (["email::c"], ["a", "b", "c"]),
        (["email:a:"], ["b"]),
        (["email:a:b"], ["b"]),
        (["email:a:a"], ["a", "b"]),
        (["email:a:c", "email:b:d", "email:c:e"], ["d", "e"]),
        (["email::c\\:d"], ["a", "b", "c:d"]),
        (["email::\\\\"], ["a", "b", "\\"]),
        (["email::\\\\\\:"], ["a", "b", "\\:"]),
        (["email::https\\://x/?a=b"], ["a", "b", "https://x/?a=b"]),
        (["email:a:\\:", "email:\\::c"], ["b", "c"]),
    ],
)
def test_changes_are_made_one_after_another_and_a_backslash_escapes(
    held: Program, changes: list[str], expected: list[str]
) -> None:
    arguments = [word for change in changes for word in ("--change", change)]
    assert modify(held, *arguments).status == 0
    assert emails(held) == expected


def test_a_change_takes_any_name_of_the_type(held: Program) -> None:
    assert modify(held, "--change", "idfv:p:q").status == 0
    assert held("export").json()["identities"]["ios_idfv"] == ["q"]


def test_remove_takes_all_values_of_a_type_and_any_of_its_names(held: Program) -> None:
    assert modify(held, "--remove", "email", "--remove", "idfv", "--das", "d").status == 0
    assert held("export").json()["identities"] == {"device_application_stamp": ["d"]}


def test_taking_the_last_lookup_away_orphans_the_profile_and_says_so(held: Program) -> None:
    outcome = modify(held, "--remove", "email", "--remove", "idfv")
    assert f"orphaned: {mpid_of(1, 1)}" in outcome.stdout
    assert held("export").json()["orphaned"] is True
    assert held("search", "--idfv", "p").status == 1


def negative_mpids() -> Iterator[tuple[int, str]]:
    """Sequence numbers and the MPIDs made by them under seed 1, where they are below zero."""
    for seq in count(1):
        if mpid_of(1, seq).startswith("-"):
            yield seq, mpid_of(1, seq)


def test_a_negative_mpid_works_as_it_is_written(idsync: Program) -> None:
    seq, mpid = next(negative_mpids())
    idsync.make_store()
    search = {"type": "search", "known_identities": {"email": "a"}}
    made = idsync.answers(*[search] * (seq - 1), {**search, "type": "identify"})[-1]["mpid"]
    assert made == mpid
    assert idsync("modify", "--mpid", mpid, "--email", "b").status == 0
    assert idsync("modify", f"--mpid={mpid}", "--idfv", "p").status == 0
    assert idsync("profile", "show", "--mpid", mpid, "--json").json()["mpid"] == mpid
    assert (
        idsync("identify", "--idfv", "p", "--previous-mpid", mpid, "--json").json()["mpid"] == mpid
    )


def test_a_refused_modify_changes_nothing(held: Program) -> None:
    before = held.files()
    for arguments in (
        ("--change", "email:a:c", "--change", "email:z:d"),
        ("--change", "email:a:c", "--change", "emial:b:d"),
    ):
        assert modify(held, *arguments).status == 2
        assert held.files() == before


# Previous MPID, scope and workspace


def test_the_previous_mpid_breaks_a_tie_and_otherwise_the_newest_is_taken(idsync: Program) -> None:
    idsync.make_store()
    for _ in range(2):
        idsync("logout", "--idfv", "p")
    tie = idsync("identify", "--idfv", "p", "--json").json()
    assert (tie["mpid"], tie["decided_by"]) == (mpid_of(1, 2), {"rule": "newest"})
    assert [note["code"] for note in tie["notes"]] == ["tie"]
    broken = idsync("identify", "--idfv", "p", "--previous-mpid", mpid_of(1, 1), "--json").json()
    assert (broken["mpid"], broken["decided_by"]) == (mpid_of(1, 1), {"rule": "previous_mpid"})
    passed_over = idsync("identify", "--idfv", "p", "--previous-mpid", "12345", "--json").json()
    assert passed_over["mpid"] == tie["mpid"]


def test_a_workspace_stands_for_its_scope(idsync: Program) -> None:
    idsync.write("idsync.yaml", TWO_SCOPES)
    by_workspace = idsync("identify", "--email", "a", "--workspace", "courier-app", "--json").json()
    assert by_workspace["scope"] == "couriers"
    by_both = ("--workspace", "courier-app", "--scope", "couriers")
    assert (
        idsync("search", "--email", "a", *by_both, "--json").json()["mpid"] == by_workspace["mpid"]
    )
    assert idsync("search", "--email", "a", "--scope", "consumers").status == 1


# Exit statuses


def test_the_exit_status_says_done_no_wrong_or_unusable(held: Program) -> None:
    assert held("identify", "--idfv", "p").status == 0
    assert modify(held, "--email", "a").status == 0
    assert held("search", "--email", "a").status == 0
    assert held("search", "--email", "z").status == 1
    assert held("search", "--email", "z", "--json", "--explain").status == 1
    assert held("modify", "--mpid", "1", "--email", "z").status == 1
    assert held("identify", "--push-token", "z").status == 2
    assert modify(held, "--change", "email:z:y").status == 2
    assert held("identify", "--email", "z", "--config", "none.yaml").status == 2
    assert held("identify", "--email", "z", "--store", "idsync.yaml").status == 3


def test_a_refusal_is_told_on_standard_error_and_as_json_too(idsync: Program) -> None:
    outcome = idsync("identify", "--push-token", "t", "--json")
    assert outcome.status == 2
    assert outcome.stderr.startswith("idsync: NO_LOOKUP_IDENTITY: ")
    answer = outcome.json()
    assert set(answer) == {"seq", "type", "scope", "status", "errors"}
    assert answer["errors"][0]["code"] == "NO_LOOKUP_IDENTITY"
    assert answer["errors"][0]["message"] in outcome.stderr


def test_a_done_request_says_nothing_on_standard_error(held: Program) -> None:
    for arguments in (("identify", "--idfv", "p"), ("search", "--email", "zz")):
        assert held(*arguments).stderr == ""
        assert held(*arguments, "--explain").stderr == ""
        assert held(*arguments, "--json").stderr == ""


# Configuration


def test_rules_hold_from_the_next_request_after_the_configuration_changed(idsync: Program) -> None:
    idsync.make_store()
    idsync("login", "--customer-id", "C", "--email", "a")
    login = "customer_id: {login: true, unique: true}"
    for settings, priority, status, decided_by in (
        (login, "customer_id, email", "not_found", {"rule": "no_match"}),
        # What was known stays known, and nobody can be answered with it.
        ("ios_idfv: {unique: true}", "customer_id, email", "not_found", {"rule": "no_match"}),
        ("email: {login: true}", "customer_id, email", "matched", tier(2, "email")),
        ("email: {login: true}", "email, customer_id", "matched", tier(1, "email")),
        (login, "customer_id", "not_found", {"rule": "no_match"}),
    ):
        changed = CONFIG.replace(login, settings).replace("customer_id, email", priority)
        idsync.write("idsync.yaml", changed)
        answer = idsync("search", "--email", "a", "--json").json()
        assert (answer["status"], answer["decided_by"]) == (status, decided_by)


def tier(rank: int, identity_type: str) -> dict[str, object]:
    return {"rule": "identifier", "rank": rank, "identity_type": identity_type}


def test_config_and_store_may_come_from_the_environment_and_options_overrule_it(
    idsync: Program,
) -> None:
    idsync.write("other.yaml", TWO_SCOPES)
    environment = {"IDSYNC_CONFIG": "other.yaml", "IDSYNC_STORE": "other.db"}
    asked = ("identify", "--email", "a", "--json")
    refused = idsync(*asked, environment=environment)
    assert refused.json()["errors"][0]["code"] == "INVALID_REQUEST"
    assert idsync(*asked, "--scope", "couriers", environment=environment).status == 0
    assert set(idsync.files()) == {"idsync.yaml", "other.yaml", "other.db"}
    own = ("--config", "idsync.yaml", "--store", "own.db")
    assert idsync(*asked, *own, environment=environment).json()["scope"] == "consumers"
    assert set(idsync.files()) == {"idsync.yaml", "other.yaml", "other.db", "own.db"}
    for arguments in (("export",), ("replay", "-"), ("config", "show"), ("config", "lint")):
        assert idsync(*arguments, environment=environment).status == 0
        assert "idsync.db" not in idsync.files()


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (("identify", "--email", "b"), 0),
        (("identify", "--email", "c", "--dry-run"), 0),
        (("search", "--email", "a"), 1),
        (("modify", "--mpid", mpid_of(1, 1), "--email", "x"), 1),
        (("replay", "-"), 0),
        (("replay", "-", "--dry-run"), 0),
        (("export",), 0),
        (("profile", "show", "--mpid", mpid_of(1, 1)), 0),
        (("init",), 0),
    ],
    ids=str,
)
def test_every_command_tells_once_of_profiles_whose_scope_is_gone(
    idsync: Program, arguments: tuple[str, ...], status: int
) -> None:
    idsync.write("idsync.yaml", TWO_SCOPES)
    idsync.make_store()
    idsync("identify", "--email", "a", "--scope", "couriers")
    idsync.write("idsync.yaml", CONFIG)
    outcome = idsync(*arguments)
    assert (outcome.stderr.count("'couriers'"), outcome.status) == (1, status)
    assert idsync("export").lines()[0]["identities"] == {"email": ["a"]}


# As a process


def test_an_argument_that_is_no_text_is_refused(idsync: Program) -> None:
    before = idsync.files()
    assert_refused(idsync.process("identify", "--email", b"\xff"), 2, "INVALID_IDENTITY_VALUE")
    assert_refused(idsync.process("identify", "--email", "a", "--scope", b"\xff"), 2, "\\udcff")
    assert_refused(idsync.process("identify", "--email", "a", "--config", b"\xff"), 2, "\\udcff")
    assert idsync.files() == before


def test_the_installed_program_answers_as_in_this_process(idsync: Program) -> None:
    idsync.make_store()
    arguments = ("identify", "--email", "ä@example.com", "--explain", "--dry-run")
    assert idsync.process(*arguments) == idsync(*arguments)


def test_a_reader_that_has_gone_ends_the_program_without_a_word(idsync: Program) -> None:
    idsync.make_store()
    for arguments in (("identify", "--email", "a"), ("identify", "--email", "b", "--explain")):
        with idsync.start(*arguments) as process:
            assert process.stdout is not None
            assert process.stderr is not None
            process.stdout.close()
            assert process.stderr.read() == b""
        assert process.returncode == 141
    assert len(idsync("export").lines()) == 2


@pytest.mark.skipif(not FULL.exists(), reason="this system has no /dev/full")
@pytest.mark.parametrize(
    "arguments",
    [
        ("identify", "--email", "a"),
        ("identify", "--email", "a", "--json"),
        ("identify", "--email", "a", "--explain"),
        ("config", "show"),
        ("--version",),
        ("--help",),
    ],
    ids=" ".join,
)
def test_output_that_finds_no_room_is_told_of_by_status_three(
    idsync: Program, arguments: tuple[str, ...]
) -> None:
    with FULL.open("wb") as full, idsync.start(*arguments, stdout=full) as process:
        outcome = ended(process)
    assert_refused(outcome, 3, "No space left")
