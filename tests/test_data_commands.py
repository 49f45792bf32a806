"""Batches at the command line: `idsync track`, `profile show`, and what a replay says."""

import json
import sqlite3
from contextlib import closing
from typing import Any

import pytest

from tests.program import (  # noqa: F401 - the fixture
    CONFIG,
    Program,
    assert_refused,
    program_in_a_fresh_folder,
)

NOW = 1_700_000_000_000


@pytest.fixture(name="begun")
def program_with_a_configuration(idsync: Program) -> Program:
    idsync.write("idsync.yaml", CONFIG)
    return idsync


def batch(**members: Any) -> dict[str, Any]:
    return {"type": "batch", "user_identities": {"email": "a@example.com"}, **members}


def rows(program: Program, query: str) -> list[Any]:
    with closing(sqlite3.connect(program.folder / "idsync.db")) as connection:
        return connection.execute(query).fetchall()


def test_track_records_an_event_and_attributes(begun: Program) -> None:
    outcome = begun(
        *("track", "--email", "a@example.com", "--event", "purchase"),
        *("--event-type", "commerce_event", "--data", '{"product_action": {"total_amount": 5}}'),
        *("--attribute", "city=Bern=CH", "--attribute", "vip", "--delete-attribute", "old"),
    )
    assert (outcome.status, outcome.stderr) == (0, "")
    assert outcome.stdout.splitlines()[2:] == [
        "+ email a@example.com",
        "+ 1 event: purchase",
        '+ attribute city: "Bern=CH"',
        "+ attribute vip (tag)",
        "- attribute old",
    ]
    [(event,)] = rows(begun, "SELECT event FROM events")
    assert json.loads(event) == {
        "event_type": "commerce_event",
        "data": {"product_action": {"total_amount": 5, "action": "purchase"}},
    }
    assert rows(begun, "SELECT name, value FROM attributes") == [
        ("city", '"Bern=CH"'),
        ("vip", "null"),
    ]


@pytest.mark.parametrize(
    ("arguments", "event"),
    [
        (("--event", "a"), {"event_type": "custom_event", "data": {"event_name": "a"}}),
        (("--event-type", "session_start"), {"event_type": "session_start", "data": {}}),
        (("--data", '{"a": 1}'), {"event_type": "custom_event", "data": {"a": 1}}),
        (
            ("--event", "cart", "--event-type", "screen_view", "--data", '{"screen_name": "x"}'),
            {"event_type": "screen_view", "data": {"screen_name": "cart"}},
        ),
        (("--attribute", "a=1"), None),
    ],
)
def test_the_event_of_a_track_is_made_of_its_options(
    begun: Program, arguments: tuple[str, ...], event: object
) -> None:
    assert begun("track", "--email", "a", *arguments).status == 0
    assert [json.loads(each) for (each,) in rows(begun, "SELECT event FROM events")] == (
        [] if event is None else [event]
    )


def test_track_is_for_the_profile_that_is_named(begun: Program) -> None:
    mpid = begun("identify", "--email", "a", "--json").json()["mpid"]
    answer = begun("track", "--mpid", mpid, "--event", "a", "--json").json()
    assert (answer["mpid"], answer["decided_by"], answer["events"]) == (mpid, {"rule": "mpid"}, 1)
    assert answer["changes"] == []
    outcome = begun("track", "--mpid", mpid, "--event", "a", "--explain")
    assert "the request names the profile by its MPID" in " ".join(outcome.stdout.split())
    assert "not in request" not in outcome.stdout


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (("--event", "a"), 2, ["NO_IDENTITIES", "idsync track --email"]),
        (("--mpid", "7", "--event", "a"), 1, ["MPID_NOT_FOUND", "7"]),
        (("--mpid", "7", "--email", "a"), 2, ["--mpid", "identity options"]),
        (("--mpid", "@x"), 2, ["UNKNOWN_LABEL"]),
        (("--email", "a", "--data", "[1]"), 2, ["--data", "'[1]'", "JSON object"]),
        (("--email", "a", "--data", "{"), 2, ["--data: not JSON"]),
        (("--email", "a", "--data", '{"a":1,"a":1}'), 2, ["--data", "twice"]),
        (("--email", "a", "--attribute", "a=1", "--attribute", "a"), 2, ["'a'", "twice"]),
        (("--email", "a", "--event", "x" * 257), 2, ["INVALID_BATCH", "events[0].data.event_name"]),
        (("--email", "a", "--identity", "email=b"), 2, ["'email'", "twice"]),
    ],
)
def test_a_track_that_cannot_be_is_refused(
    begun: Program, arguments: tuple[str, ...], status: int, words: list[str]
) -> None:
    assert begun("init").status == 0
    assert_refused(begun("track", *arguments), status, *words)
    assert rows(begun, "SELECT count(*) FROM requests") == [(0,)]


def test_a_dry_run_of_a_track_writes_nothing(begun: Program) -> None:
    assert begun("init").status == 0
    before = begun.files()
    outcome = begun("track", "--email", "a", "--event", "b", "--dry-run")
    assert (outcome.status, "1 event: b" in outcome.stdout) == (0, True)
    assert begun.files() == before


def test_a_batch_takes_a_number_only_if_it_brings_anything(begun: Program) -> None:
    tracks = (("--event", "a"), (), ("--attribute", "a=1"), ("--attribute", "a=1"), ())
    answers = [begun("track", "--email", "a", *more, "--json").json() for more in tracks]
    numbers = [each["seq"] for each in answers]
    assert numbers == [1, 2, 2, 3, 4]


def test_a_duplicate_says_so_and_nothing_more(begun: Program) -> None:
    once = batch(source_request_id="s-1", events=[{"event_type": "x"}], label="a")
    first, second, third = begun.answers(once, once, {**once, "events": [5]})
    assert second == {
        "seq": 2, "line": 2, "type": "batch", "scope": first["scope"], "status": "duplicate",
        "mpid": first["mpid"],
    }  # fmt: skip
    assert third["errors"][0]["code"] == "INVALID_BATCH"  # looked at before the id
    assert rows(begun, "SELECT count(*) FROM events") == [(1,)]


def test_a_replay_counts_what_became_of_batches(begun: Program) -> None:
    lines = [batch(source_request_id="s"), batch(source_request_id="s"), batch(events=[{}])]
    begun.write("batches.jsonl", "".join(json.dumps(each) + "\n" for each in lines))
    outcome = begun("replay", "batches.jsonl")
    assert outcome.status == 1
    told = [" ".join(line.split()[:3]) for line in outcome.stdout.splitlines()]
    for line in ("batch created 1", "batch duplicate 1", "batch error 1", "no_match 1 33%"):
        assert line in told
    assert not any(line.startswith("mpid") for line in told)
    assert "events[0] has no event_type" in outcome.stdout


def test_profile_show_tells_what_a_profile_has(begun: Program) -> None:
    data = {"timestamp_unixtime_ms": NOW, "screen_name": "cart"}
    mpid = begun.answers(
        batch(
            device_info={"ios_idfv": "v", "platform": "iOS"},
            user_attributes={"city": "Bern", "tag": None, "l": [1, "x"]},
            events=[{"event_type": "screen_view", "data": data}, {"event_type": "opt_out"}],
            consent_state={"gdpr": {"a": {"consented": True}}},
            attribution_info={"publisher": "p"},
            timestamp_unixtime_ms=NOW + 1000,
        )
    )[0]["mpid"]
    shown = begun("profile", "show", "--mpid", mpid)
    assert (shown.status, shown.stderr) == (0, "")
    for line in (
        "first seen 2023-11-14 22:13:21 UTC, last stored 2023-11-14 22:13:21 UTC",
        "opted out",
        'consent: {"gdpr": {"a": {"consented": true}}}',
        'attribution: {"publisher": "p"}',
        "city      Bern",
        "tag       (tag)",
        'l         [1, "x"]',
        'ios_idfv v {"device_info": {"platform": "iOS"}}   1',
        "2023-11-14 22:13:20 screen_view cart   1",
        "2023-11-14 22:13:21 opt_out     -      1",
    ):
        assert line in shown.stdout.splitlines(), shown.stdout
    told = begun("profile", "show", "--mpid", mpid, "--json").json()
    assert told["attributes"] == {"city": "Bern", "l": [1, "x"], "tag": None}
    assert told["event_count"] == 2
    assert told["events"][0] == {
        "seq": 1, "time": "2023-11-14T22:13:20.000Z", "event_type": "screen_view", "name": "cart",
        "data": data,
    }  # fmt: skip
    assert told["devices"] == [
        {"identity_type": "ios_idfv", "value": "v", "info": {"device_info": {"platform": "iOS"}},
         "seq": 1}
    ]  # fmt: skip
    assert (told["is_opted_out"], told["attribution"]) == (True, {"publisher": "p"})
    assert told["consent_state"] == {"gdpr": {"a": {"consented": True}}}
    assert (told["first_seen_ms"], told["last_stored_ms"]) == (NOW + 1000, NOW + 1000)
    assert told["status_messages"] == []


def test_of_many_events_the_latest_are_shown_and_all_counted(begun: Program) -> None:
    events = [
        {"event_type": "x", "data": {"timestamp_unixtime_ms": NOW + n, "event_name": f"e{n}"}}
        for n in range(12)
    ]
    mpid = begun.answers(batch(events=events))[0]["mpid"]
    shown = begun("profile", "show", "--mpid", mpid).stdout
    assert "the latest 10 of 12 events" in shown
    assert (" e11 " in shown, " e2 " in shown, " e1 " in shown) == (True, True, False)
    told = begun("profile", "show", "--mpid", mpid, "--json").json()
    assert told["event_count"] == 12
    assert [each["name"] for each in told["events"]] == [f"e{n}" for n in range(2, 12)]


def test_a_profile_without_data_is_shown_as_ever(begun: Program) -> None:
    mpid = begun("identify", "--email", "a", "--json").json()["mpid"]
    assert "first seen" not in begun("profile", "show", "--mpid", mpid).stdout


def test_the_history_names_batches_as_what_they_are(begun: Program) -> None:
    begun.answers(batch(request_id="r-1", timestamp_unixtime_ms=NOW))
    [entry] = begun("history", "email=a@example.com", "--json").lines()
    assert (entry["type"], entry["request_id"]) == ("batch", "r-1")
    assert entry["request_timestamp_ms"] == NOW


def test_views_show_people_what_batches_brought(begun: Program) -> None:
    events = [{"event_type": "custom_event", "data": {"event_name": "a"}}]
    mpid = int(
        begun.answers(
            batch(
                events=events,
                user_attributes={"city": "Bern", "n": 5},
                deleted_user_attributes=["n"],
                ip="::1",
                timestamp_unixtime_ms=NOW,
            )
        )[0]["mpid"]
    )
    assert rows(begun, "SELECT mpid, time, name FROM profile_events") == [
        (mpid, "2023-11-14T22:13:20.000Z", "a")
    ]
    assert rows(begun, "SELECT mpid, name, value FROM profile_attributes") == [
        (mpid, "city", "Bern")
    ]
    assert rows(begun, "SELECT mpid, identity_type, info FROM profile_devices") == [
        (mpid, None, '{"ip": "::1"}')
    ]
    assert rows(begun, "SELECT op, name, value FROM attribute_history") == [
        ("set", "city", "Bern"),
        ("set", "n", 5),
        ("delete", "n", None),
    ]


def test_attributes_and_devices_have_an_end_too(begun: Program) -> None:
    names = [f"a{number:03}" for number in range(70)]
    batch = {"type": "batch", "user_identities": {"customerid": "many"}, "events": []}
    devices = [{"device_info": {"ios_idfv": f"d{number}", "os": "x"}} for number in range(3)]
    lines = [batch | {"user_attributes": dict.fromkeys(names, "x")} | each for each in devices]
    mpid = begun.answers(*lines)[0]["mpid"]
    shown = begun("profile", "show", "--mpid", mpid).stdout
    assert "a049" in shown
    assert "a050" not in shown
    assert "\nthe first 50 of 70 attributes\n" in shown
    some = begun("profile", "show", "--mpid", mpid, "--limit", "2").stdout
    assert "\nthe first 2 of 3 devices\n" in some
    assert len(begun("profile", "show", "--mpid", mpid, "--json").json()["attributes"]) == 70
