"""`--at SEQ` of `profile show`, `profiles` and `export`."""

import json

import pytest

from tests.program import Program, program_in_a_fresh_folder

__all__ = ["program_in_a_fresh_folder"]

ASKED = (("profiles",), ("profile", "show", "--mpid", "5"), ("export",))


@pytest.fixture(name="mpid")
def somebody_over_five_requests(idsync: Program) -> str:
    """A visitor; an attribute; a login; another email in place of the first; another attribute."""
    mpid = str(idsync("identify", "--email", "a@example.com", "--json").json()["mpid"])
    its = ("--mpid", mpid)
    idsync("track", *its, "--event", "view", "--attribute", "plan=free", "--attribute", "n=1")
    idsync("login", "--email", "a@example.com", "--customer-id", "C1")
    idsync("modify", *its, "--change", "email:a@example.com:b@example.com")
    idsync("track", *its, "--event", "buy", "--attribute", "plan=paid", "--delete-attribute", "n")
    return mpid


def test_a_profile_is_shown_as_it_was(idsync: Program, mpid: str) -> None:
    shown = [
        idsync("profile", "show", "--mpid", mpid, "--at", str(seq), "--json").json()
        for seq in range(1, 6)
    ]
    assert [each["identities"] for each in shown] == [
        {"email": ["a@example.com"]},
        {"email": ["a@example.com"]},
        {"customer_id": ["C1"], "email": ["a@example.com"]},
        {"customer_id": ["C1"], "email": ["b@example.com"]},
        {"customer_id": ["C1"], "email": ["b@example.com"]},
    ]
    assert [each["known"] for each in shown] == [False, False, True, True, True]
    attributes = [{}, *[{"n": "1", "plan": "free"}] * 3, {"plan": "paid"}]
    assert [each["attributes"] for each in shown] == attributes
    assert [len(each["events"]) for each in shown] == [0, 1, 1, 1, 2]
    assert shown[-1] == idsync("profile", "show", "--mpid", mpid, "--json").json()
    text = idsync("profile", "show", "--mpid", mpid, "--at", "2")
    assert (text.status, text.stderr) == (0, "")
    assert "anonymous" in text.stdout
    assert "b@example.com" not in text.stdout


def test_profiles_are_listed_as_they_were(idsync: Program, mpid: str) -> None:
    idsync("identify", "--idfv", "9")
    assert len(idsync("profiles", "--json").stdout.splitlines()) == 2
    then = idsync("profiles", "--at", "5", "--json")
    assert [json.loads(line)["mpid"] for line in then.stdout.splitlines()] == [mpid]
    assert mpid in idsync("profiles", "--at", "3", "--known").stdout
    assert idsync("profiles", "--at", "2", "--known").stdout == "no matching profiles\n"
    assert mpid in idsync("profiles", "--at", "2", "--anonymous", "--with", "email").stdout


def test_an_export_of_what_was_is_that_of_another_store(idsync: Program, mpid: str) -> None:
    was = idsync("export", "--store", "idsync.db", "--at", "3")
    assert was.status == 0
    seqs = [json.loads(line).get("seq", 0) for line in was.stdout.splitlines()]
    assert max(seqs) == 2
    idsync("export", "--at", "3", "--output", "then.jsonl")
    assert idsync("import", "then.jsonl", "--store", "then.db").status == 0
    assert idsync("export", "--store", "then.db").stdout == was.stdout
    in_csv = idsync("export", "--at", "3", "--format", "csv").stdout
    assert "a@example.com" in in_csv
    assert "b@example.com" not in in_csv


@pytest.mark.parametrize("command", ASKED)
@pytest.mark.parametrize("number", ["x", "-1", "0", "", "1e1", "٣", "1.0", "+1"])
def test_what_is_no_number_of_a_request_is_refused(
    idsync: Program, mpid: str, command: tuple[str, ...], number: str
) -> None:
    outcome = idsync(*command, f"--at={number}")
    assert (outcome.status, outcome.stdout) == (2, "")
    told = "is not a sequence number: give the number of a request, as idsync history shows it"
    assert told in outcome.stderr


@pytest.mark.parametrize("command", ASKED)
@pytest.mark.parametrize("number", ["6", "99999999999999999999999"])
def test_beyond_the_last_request_nothing_is_known(
    idsync: Program, mpid: str, command: tuple[str, ...], number: str
) -> None:
    outcome = idsync(*command, "--at", number)
    assert (outcome.status, outcome.stdout) == (2, "")
    assert outcome.stderr == (
        f"idsync: --at {number} is beyond the last request, 5; give a number up to that, or omit "
        "--at to see the store as it is\n"
    )


def test_a_store_without_requests_has_no_earlier_state(idsync: Program) -> None:
    idsync("init")
    outcome = idsync("profiles", "--at", "1")
    assert outcome.status == 2
    assert "--at 1 is beyond the last request: the store has no requests yet" in outcome.stderr


def test_who_was_not_there_yet_and_who_was_erased(idsync: Program, mpid: str) -> None:
    later = str(idsync("identify", "--idfv", "9", "--json").json()["mpid"])
    outcome = idsync("profile", "show", "--mpid", later, "--at", "3")
    assert (outcome.status, outcome.stdout) == (1, "")
    assert outcome.stderr == (
        f"idsync: no profile had the MPID {later} after request 3; request 6 created it\n"
    )
    assert (
        "no profile has the MPID 77"
        in idsync("profile", "show", "--mpid", "77", "--at", "3").stderr
    )
    idsync("erase", "--mpid", mpid)
    outcome = idsync("profile", "show", "--mpid", mpid, "--at", "3")
    assert (outcome.status, outcome.stdout) == (1, "")
    assert f"profile {mpid} was erased by request 7" in outcome.stderr
    lines = idsync("export", "--at", "3").stdout.splitlines()
    assert [json.loads(line)["record"] for line in lines] == ["erasure"]


def test_a_story_is_told_whole(idsync: Program, mpid: str) -> None:
    outcome = idsync("profile", "show", "--mpid", mpid, "--story", "--at", "3")
    assert (outcome.status, outcome.stdout) == (2, "")
    assert "--story covers every request; omit --at" in outcome.stderr


def test_of_imported_profiles_it_is_said_what_is_not_known(idsync: Program, mpid: str) -> None:
    idsync("export", "--output", "all.jsonl")
    idsync("import", "all.jsonl", "--store", "other.db")
    other = ("--store", "other.db")
    first = idsync("profile", "show", "--mpid", mpid, *other, "--at", "1", "--json")
    assert first.json()["identities"] == {"customer_id": ["C1"], "email": ["b@example.com"]}
    assert first.json()["attributes"] == {}
    assert first.stderr == (
        "note: the profile was imported with all its identifiers at once; an export does "
        "not say which of them were there after request 1\n"
    )
    listed = idsync("profiles", *other, "--at", "1")
    assert "note: 1 profile was imported with all" in listed.stderr
    assert idsync("identify", "--idfv", "9", *other).status == 0
    assert idsync("profiles", *other, "--at", "5").stderr == ""  # all of the import was there


def test_a_destination_was_seen_as_early_as_its_source_was_by_then(idsync: Program) -> None:
    first, second = (
        str(idsync("identify", kind, "9", "--json").json()["mpid"]) for kind in ("--idfv", "--das")
    )
    day = 1_577_836_800_000

    def line(**members: object) -> str:
        return json.dumps({"type": "batch", "events": [], **members}) + "\n"

    alias = {"type": "alias", "source_mpid": first, "destination_mpid": second}
    idsync.write(
        "day.jsonl",
        line(mpid=first, user_attributes={"a": 1}, request_timestamp_ms=day + 5)
        + line(mpid=second, user_attributes={"a": 1}, request_timestamp_ms=day + 9)
        + json.dumps(alias | {"end_unixtime_ms": day, "request_timestamp_ms": day + 9})
        + "\n"
        + line(mpid=first, user_attributes={"a": 2}, request_timestamp_ms=day + 1),
    )
    assert idsync("replay", "day.jsonl").status == 0
    seen = [
        idsync("profile", "show", "--mpid", second, "--at", str(seq), "--json").json()
        for seq in (4, 5, 6)
    ]
    assert [each["first_seen_ms"] for each in seen] == [day + 9, day + 5, day + 5]
