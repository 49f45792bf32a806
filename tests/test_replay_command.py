"""`idsync replay`: a file of requests, their answers, and the summary."""

import json
import os
import re
import signal
import sqlite3
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.program import (  # noqa: F401 - the fixture
    TWO_SCOPES,
    Program,
    assert_refused,
    ended,
    mpid_of,
    program_in_a_fresh_folder,
)


def day() -> list[dict[str, Any]]:
    """Requests of every kind and outcome: 12 visitors on 5 devices in two scopes."""
    requests: list[dict[str, Any]] = []
    for visit in range(36):
        phone, user = {"idfv": f"phone {visit % 5}"}, {"customer_id": f"C{visit % 12}"}
        scope = "couriers" if visit % 4 == 3 else "consumers"
        requests += [
            {"type": "identify", "scope": scope, "label": "visitor", "known_identities": phone},
            {"type": "login", "scope": scope, "label": "user", "known_identities": phone | user},
            {"type": "search", "scope": scope, "known_identities": user},
            {"type": "search", "scope": scope, "known_identities": {"email": f"{visit}"}},
            {"type": "logout", "scope": scope, "known_identities": phone | user},
        ]
        changed = {"type": "modify", "scope": scope, "mpid": "@user"}
        if visit % 3 == 0:
            requests.append(changed | {"known_identities": {"email": f"{visit}"}})
        if visit % 7 == 0:
            requests.append({"type": "login", "scope": "nowhere", "known_identities": user})
        if visit % 9 == 0:
            requests.append(changed | {"mpid": "@visitor", "known_identities": {"idfv": None}})
    return requests


DAY = day()
FILE = "".join(json.dumps(request) + "\n" for request in DAY)


@pytest.fixture(name="couriers")
def program_with_two_scopes(idsync: Program) -> Program:
    idsync.write("idsync.yaml", TWO_SCOPES)
    idsync.write("day.jsonl", FILE)
    return idsync


def replayed(idsync: Program, *arguments: str) -> str:
    """The answers of the day, as standard output has them."""
    outcome = idsync("replay", "day.jsonl", "--seed", "1", "--output", "-", *arguments)
    assert outcome.status == 1
    return outcome.stdout


# Answers


def test_answers_stand_in_the_order_of_the_requests_with_their_lines(couriers: Program) -> None:
    content = "\n \r\n" + FILE.replace("\n", "\n\n", 1)
    couriers.write("day.jsonl", content)
    answers = [json.loads(line) for line in replayed(couriers).splitlines()]
    assert [answer["line"] for answer in answers] == [3, *range(5, len(DAY) + 4)]
    assert [answer["seq"] for answer in answers] == list(range(1, len(DAY) + 1))
    assert [answer["type"] for answer in answers] == [request["type"] for request in DAY]


def test_a_day_has_an_answer_of_every_status_and_its_refusals(couriers: Program) -> None:
    statuses = Counter(json.loads(line)["status"] for line in replayed(couriers).splitlines())
    assert min(statuses[each] for each in ("matched", "created", "not_found", "modified")) > 0
    assert statuses["error"] > 0


def test_a_file_of_answers_holds_what_standard_output_would(couriers: Program) -> None:
    shown = replayed(couriers)
    to_file = ("--output", "answers.jsonl", "--store", "other.db")
    outcome = couriers("replay", "day.jsonl", "--seed", "1", *to_file)
    assert outcome.status == 1
    assert (couriers.folder / "answers.jsonl").read_bytes() == shown.encode("ascii")


def test_a_new_profile_has_the_mpid_that_follows_from_seed_and_number(couriers: Program) -> None:
    made = 0
    for line in replayed(couriers).splitlines():
        answer = json.loads(line)
        if answer["status"] == "created":
            made += 1
            assert answer["mpid"] == mpid_of(1, answer["seq"])
    assert made > 20


@pytest.mark.parametrize("seed", ["0", "-7", "123456789012345678901234567890123456789", "007"])
def test_a_seed_may_be_any_integer(couriers: Program, seed: str) -> None:
    outcome = couriers("replay", "day.jsonl", "--seed", seed, "--output", "-")
    assert json.loads(outcome.stdout.splitlines()[0])["mpid"] == mpid_of(int(seed), 1)


def test_another_seed_than_the_store_s_is_refused_and_nothing_done(couriers: Program) -> None:
    couriers.make_store()
    before = couriers.files()
    for extra in ((), ("--dry-run",), ("--output", "answers.jsonl")):
        outcome = couriers("replay", "day.jsonl", "--seed", "2", *extra)
        assert_refused(outcome, 2, "idsync.db", "another seed", "--seed")
        assert couriers.files() == before


def test_any_chunk_size_gives_the_same_answers_and_the_same_store(couriers: Program) -> None:
    results = set()
    for size in ("1", "2", "7", "100", "100000"):
        into = ("--store", f"{size}.db")
        answers = replayed(couriers, "--chunk-size", size, "--explain", *into)
        results.add((answers, couriers("export", *into).stdout))
    assert len(results) == 1


def test_with_explain_the_answers_carry_their_tiers(couriers: Program) -> None:
    for line in replayed(couriers, "--explain", "--store", "a.db").splitlines():
        assert ("tiers" in json.loads(line)) == (json.loads(line)["status"] != "error")
    assert '"tiers"' not in replayed(couriers, "--store", "b.db")


def test_with_explain_and_no_output_every_answer_is_a_table(couriers: Program) -> None:
    outcome = couriers("replay", "day.jsonl", "--explain", "--seed", "1")
    answers = [json.loads(line) for line in replayed(couriers, "--store", "b.db").splitlines()]
    done = [answer for answer in answers if answer["status"] != "error"]
    assert outcome.stdout.count(" in scope ") == len(done)
    for answer in answers:
        if answer["status"] == "error":
            assert f"line {answer['line']}: {answer['errors'][0]['code']}: " in outcome.stdout
        else:
            heading = f"{answer['type']} in scope {answer['scope']}, request {answer['seq']}, line"
            assert heading in outcome.stdout


# Labels, scopes, numbers


def test_a_label_stands_for_the_last_answer_that_bore_it(idsync: Program) -> None:
    def asked(email: str, **members: str) -> dict[str, object]:
        return {"type": "identify", "known_identities": {"email": email}, **members}

    def changed(label: str) -> dict[str, object]:
        return {"type": "modify", "mpid": f"@{label}", "known_identities": {"das": "d"}}

    answers = idsync.answers(
        changed("a"),
        asked("1", label="a"),
        changed("a"),
        asked("2", label="a"),
        changed("a"),
        asked("3", previous_mpid="@a"),
        {"type": "search", "label": "a", "known_identities": {"email": "nobody"}},
        changed("a"),
        asked("4", label="a"),
        asked("5", label="a", previous_mpid="00"),
        changed("a"),
    )
    codes = [answer.get("errors", [{"code": None}])[0]["code"] for answer in answers]
    unknown = "UNKNOWN_LABEL"
    assert codes == [unknown, *[None] * 6, unknown, None, "INVALID_REQUEST", unknown]
    assert answers[2]["mpid"] == answers[1]["mpid"]
    assert answers[4]["mpid"] == answers[3]["mpid"] != answers[1]["mpid"]


def test_labels_do_not_outlive_the_file(idsync: Program) -> None:
    identities = {"known_identities": {"email": "a"}}
    idsync.replay({"type": "identify", "label": "a"} | identities)
    [answer] = idsync.answers({"type": "modify", "mpid": "@a"} | identities)
    assert answer["errors"][0]["code"] == "UNKNOWN_LABEL"


def test_the_command_s_scope_is_for_the_lines_that_name_none(couriers: Program) -> None:
    lines: list[dict[str, object]] = [{}, {"scope": "consumers"}, {"workspace": "shop"}]
    requests = [{"type": "identify", "known_identities": {"email": "a"}} | line for line in lines]
    for place, target in enumerate((("--scope", "couriers"), ("--workspace", "courier-app"))):
        arguments = (*target, "--store", f"{place}.db")
        answers = couriers.answers(*requests, arguments=arguments)
        assert [answer["scope"] for answer in answers] == ["couriers", "consumers", "consumers"]
    [refused, *_] = couriers.answers(*requests, arguments=("--store", "none.db"))
    assert refused["errors"][0]["code"] == "INVALID_REQUEST"


def test_a_replay_goes_on_from_the_numbers_that_the_store_has(idsync: Program) -> None:
    idsync.make_store()
    request = {"type": "identify", "known_identities": {"email": "a"}}
    assert idsync.answers(request)[0]["seq"] == 1
    second = idsync.answers(request | {"label": "another file"}, request)
    assert [answer["seq"] for answer in second] == [2, 3]
    assert [answer["line"] for answer in second] == [1, 2]


# Dry runs


def test_a_dry_run_answers_as_the_replay_will_and_writes_nothing(couriers: Program) -> None:
    couriers.make_store()
    before = couriers.files()
    dry = replayed(couriers, "--dry-run", "--explain")
    assert couriers.files() == before
    assert replayed(couriers, "--explain") == dry
    assert couriers.files() != before


def test_a_dry_run_makes_no_store(couriers: Program) -> None:
    before = couriers.files()
    assert len(replayed(couriers, "--dry-run").splitlines()) == len(DAY)
    assert couriers("replay", "day.jsonl", "--dry-run").status == 1
    assert couriers.files() == before


# The summary


def test_the_summary_counts_what_the_answers_say(couriers: Program) -> None:
    answers = [json.loads(line) for line in replayed(couriers, "--store", "b.db").splitlines()]
    done = [answer for answer in answers if answer["status"] != "error"]
    refused = [answer for answer in answers if answer["status"] == "error"]
    kinds: dict[str, Counter[str]] = {}
    for answer in answers:
        kinds.setdefault(answer["type"], Counter())[answer["status"]] += 1
    deciders = Counter(
        json.dumps({k: v for k, v in each["decided_by"].items() if k != "rank"}) for each in done
    )
    expected = {
        "requests": len(answers),
        "types": kinds,
        "profiles_created": sum(answer["status"] == "created" for answer in done),
        "profiles_orphaned": sum(len(answer["orphaned"]) for answer in done),
        "notes": Counter(note["code"] for answer in done for note in answer["notes"]),
        "refused": len(refused),
        "errors": Counter(answer["errors"][0]["code"] for answer in refused),
        "first_refused": [{"file": "day.jsonl", **each} for each in refused[:20]],
    }
    summary = couriers("replay", "day.jsonl", "--seed", "1", "--json").json()
    assert {key: summary[key] for key in expected} == expected
    assert summary["profiles_orphaned"] > 0
    told = {json.dumps(each["decided_by"]): each["requests"] for each in summary["deciders"]}
    assert told == deciders


def test_the_summary_shows_the_same_numbers_to_people(couriers: Program) -> None:
    summary = couriers("replay", "day.jsonl", "--dry-run", "--json", "--seed", "1").json()
    told = couriers("replay", "day.jsonl").stdout.splitlines()
    assert told[0].startswith(f"{summary['requests']} requests, ")
    rows = [re.sub(r" *[<\d]+%.*", "", line).split() for line in told]
    for kind, statuses in summary["types"].items():
        for status, number in statuses.items():
            assert [kind, status, str(number)] in rows
    for each in summary["deciders"]:
        by = each["decided_by"]
        assert [by.get("identity_type", by["rule"]), str(each["requests"])] in rows
    for counted in ("notes", "errors"):
        for word, number in summary[counted].items():
            assert [word, str(number)] in rows


def test_the_first_twenty_refused_lines_are_told_and_the_others_counted(idsync: Program) -> None:
    lines = b"\n".join(b"{" for _ in range(1025))
    outcome = idsync("replay", "-", stdin=lines)
    told = [line for line in outcome.stdout.splitlines() if line.startswith("-:")]
    assert [line.split(":")[:3] for line in told] == [
        ["-", f"{number}", " INVALID_JSON"] for number in range(1, 21)
    ]
    assert "1,005 more" in outcome.stdout
    assert "1,025" in outcome.stdout


def test_the_summary_is_data_unless_the_answers_are(couriers: Program) -> None:
    shown = couriers("replay", "day.jsonl", "--dry-run")
    assert "requests" in shown.stdout
    assert shown.stderr == ""
    beside = couriers("replay", "day.jsonl", "--dry-run", "--output", "-")
    assert [json.loads(line)["seq"] for line in beside.stdout.splitlines()][-1] == len(DAY)
    assert shown.stdout == beside.stderr
    beside = couriers("replay", "day.jsonl", "--dry-run", "--output", "-", "--json")
    assert json.loads(beside.stderr)["requests"] == len(DAY)


def test_the_exit_status_is_one_only_if_a_line_was_refused(idsync: Program) -> None:
    search = {"type": "search", "known_identities": {"email": "nobody"}}
    assert idsync.replay(search).status == 0
    assert idsync.replay(search, {"type": "search"}).status == 1
    assert idsync("replay", "-", stdin=b"").status == 0


# Files in use


def test_answers_never_overwrite_what_is_read(couriers: Program) -> None:
    couriers.make_store()
    couriers.write("folder/kept", "")
    (couriers.folder / "link").symlink_to("day.jsonl")
    before = couriers.files()
    for output in ("day.jsonl", "idsync.yaml", "idsync.db", "folder/../day.jsonl", "link"):
        outcome = couriers("replay", "day.jsonl", "--output", output)
        assert_refused(outcome, 2, f"--output '{output}' is ", "name another file")
        assert couriers.files() == before


# As a process


def test_an_interrupted_replay_keeps_what_it_answered(couriers: Program) -> None:
    arguments = ("replay", "-", "--chunk-size", "1", "--seed", "1", "--output", "-")
    with couriers.start(*arguments) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write("".join(FILE.splitlines(keepends=True)[:3]).encode())
        process.stdin.flush()
        answers = [json.loads(process.stdout.readline()) for _ in range(3)]
        process.send_signal(signal.SIGINT)
        outcome = ended(process)
    assert (outcome.status, outcome.stdout) == (130, "")
    assert "interrupted" in outcome.stderr
    assert "Traceback" not in outcome.stderr
    assert [answer["seq"] for answer in answers] == [1, 2, 3]
    assert couriers("export").json()["mpid"] == answers[0]["mpid"] == mpid_of(1, 1)
    asked = ("identify", "--scope", "consumers", "--email", "next", "--json")
    assert couriers(*asked).json()["seq"] == 4


@pytest.mark.parametrize("option", ["--quiet", "--json", "--explain", "--map-mpids"])
def test_of_answers_that_nobody_reads_it_is_told_what_was_committed(
    couriers: Program, option: str
) -> None:
    answers = ("--output", "-", option, "--chunk-size", "1")
    with couriers.start("replay", "day.jsonl", *answers) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        told = process.stderr.read().decode()
    assert process.returncode == 141
    with closing(sqlite3.connect(couriers.folder / "idsync.db")) as connection:
        [[done]] = connection.execute("SELECT lines FROM replays")
    if option == "--quiet":
        assert told == ""
        return
    also = " --map-mpids" if option == "--map-mpids" else ""
    first, _, rest = told.partition("\n")
    assert first.startswith("idsync: standard output was closed, after ")
    assert first.endswith(f"; use --resume{also} to continue")
    if option == "--json":
        summary = json.loads(rest)
        assert 0 < summary["requests"] <= done
        assert summary["ended_by"]["code"] == "OUTPUT_CLOSED"
    else:
        assert "ended early; everything counted here is committed" in rest


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_answers_that_find_no_room_are_told_of_by_status_three(couriers: Program) -> None:
    to_file = couriers("replay", "day.jsonl", "--output", "/dev/full")
    assert_refused(to_file, 3, "/dev/full", "cannot be written")


def test_answers_may_go_where_nothing_can_be_cut_off(couriers: Program) -> None:
    """Such as `/dev/null`, or `>(gzip > answers.gz)`, which a shell gives as a pipe."""
    couriers.write("day.jsonl", "".join(FILE.splitlines(keepends=True)[:20]))
    assert couriers("replay", "day.jsonl", "--store", "a.db", "--output", "/dev/null").status == 1
    expected = replayed(couriers, "--store", "b.db")
    pipe = couriers.folder / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        assert couriers("replay", "day.jsonl", "--seed", "1", "--output", "pipe").status == 1
        assert os.read(reader, 2**20).decode("ascii") == expected
    finally:
        os.close(reader)


def test_who_became_known_in_a_batch_is_known_to_the_rest_of_it(idsync: Program) -> None:
    """Also by an identifier that no request before it named, and that is read only then."""
    device = {"type": "identify", "known_identities": {"idfv": "d"}}
    visitor = {"type": "identify", "known_identities": {"idfv": "d", "email": "e"}}
    login = {"type": "login", "known_identities": {"email": "e", "customer_id": "c"}}
    others = [{"type": "identify", "known_identities": {"idfv": f"x{n}"}} for n in range(600)]
    idsync.write("before.jsonl", json.dumps(visitor))
    idsync.write("day.jsonl", "".join(json.dumps(each) + "\n" for each in (login, *others, device)))
    for chunk in ("1", "7", "1000"):
        into = ("--store", f"{chunk}.db", "--seed", "1", "--quiet")
        assert idsync("replay", "before.jsonl", *into).status == 0
        answered = idsync("replay", "day.jsonl", *into, "--chunk-size", chunk, "--output", "-")
        assert answered.lines()[-1]["status"] == "created"


# Several files


def put_two_files(idsync: Program) -> None:
    asked = {"type": "identify", "known_identities": {"email": "a@example.com"}}
    idsync.write("one.jsonl", "\n" + json.dumps(asked) + "\n")
    idsync.write("two.jsonl", json.dumps(asked) + "\n" + json.dumps(asked | {"type": "x"}) + "\n")


def heads(answers: str) -> list[tuple[Any, ...]]:
    """Of each answer the members that it begins with, up to its line, and what they are."""
    found = [list(json.loads(line).items()) for line in answers.splitlines()]
    return [tuple(each[: [name for name, _ in each].index("line") + 1]) for each in found]


IN_TWO_FILES = [
    (("seq", 1), ("file", "./one.jsonl"), ("line", 2)),
    (("seq", 2), ("file", "two.jsonl"), ("line", 1)),
    (("seq", 3), ("file", "two.jsonl"), ("line", 2)),
]


@pytest.mark.parametrize("explain", [[], ["--explain"]])
def test_answers_of_several_files_name_their_file_as_it_was_given(
    idsync: Program, explain: list[str]
) -> None:
    put_two_files(idsync)
    files = ("./one.jsonl", "two.jsonl")
    shown = idsync("replay", *files, "--dry-run", "--output", "-", *explain)
    assert heads(shown.stdout) == IN_TWO_FILES
    assert idsync("replay", *files, "--seed", "1", "--output", "a.jsonl", *explain).status == 1
    assert heads((idsync.folder / "a.jsonl").read_text(encoding="utf-8")) == IN_TWO_FILES


def test_answers_of_one_file_do_not_name_it(idsync: Program) -> None:
    put_two_files(idsync)
    shown = idsync("replay", "two.jsonl", "--output", "-")
    assert heads(shown.stdout) == [(("seq", 1), ("line", 1)), (("seq", 2), ("line", 2))]


def test_a_recorded_response_and_an_sdks_members_change_no_answer(idsync: Program) -> None:
    asked = {"type": "identify", "known_identities": {"email": "a@example.com"}}
    sent = {"source_request_id": "s", "previous_mpid": 0, "client_sdk": {"platform": "web"}}
    recorded = [{"mpid": "5"}, {"mpid": None}, {"error": "x"}, {"mpid": "5", "status": "matched"}]
    idsync.write("plain.jsonl", (json.dumps(asked) + "\n") * len(recorded))
    idsync.write(
        "recorded.jsonl",
        "".join(json.dumps(asked | sent | {"response": each}) + "\n" for each in recorded),
    )
    options = ("--dry-run", "--seed", "1", "--output", "-")
    plain = idsync("replay", "plain.jsonl", *options).stdout
    assert idsync("replay", "recorded.jsonl", *options).stdout == plain
