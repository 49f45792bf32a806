"""`replay --enrich`: each batch written out again with what its profile then knows."""

import json
import random
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from time import sleep
from typing import Any

import pytest

from idsync_cli import wire
from idsync_cli.core.audiences.fold import Fold, Subject
from idsync_cli.engine.engine import Engine
from idsync_cli.errors import UsageFault
from idsync_cli.files.config_file import load
from idsync_cli.files.enriched_file import EnrichedFile
from idsync_cli.replay.enrichment import enriching
from idsync_cli.replay.gathering import Gathering
from idsync_cli.replay.summary import Enriched
from idsync_cli.store import sqlite
from tests.comparison import answer_all, data_json, organization, parts
from tests.many import many
from tests.program import CONFIG, Program, assert_refused, program_in_a_fresh_folder
from tests.test_earlier import is_erasure
from tests.test_output_schemas import assert_valid
from tests.worlds import World, random_world

__all__ = ["program_in_a_fresh_folder"]

SHOP = """\
scopes:
  consumers:
    strategy: profile_conversion
    priority: [customer_id, email, ios_idfv]
    identities: {customer_id: {login: true, unique: true}}
    calculated_attributes:
      spent: {calculation: sum, event_type: commerce_event, attribute: total_amount}
    audiences:
      spenders: {id: 7, all: [{attribute: spent, operator: greater_than, value: 100}]}
      lately: {id: 9, all: [{event: purchase, within: 1 days}]}
"""
DAY = 1_772_000_000_000


def bought(amount: float, time_ms: int, **members: Any) -> dict[str, Any]:
    data = {
        "timestamp_unixtime_ms": time_ms,
        "product_action": {"action": "purchase", "total_amount": amount},
    }
    event = {"event_type": "commerce_event", "data": data}
    return {"type": "batch", "timestamp_unixtime_ms": time_ms, "events": [event], **members}


def enriched(idsync: Program, name: str = "enriched.jsonl") -> list[Any]:
    text = (idsync.folder / name).read_text("ascii")
    return [json.loads(line) for line in text.splitlines()]


def written(idsync: Program, *lines: object, name: str = "day.jsonl") -> None:
    idsync.write(name, "".join(json.dumps(line) + "\n" for line in lines))


def test_a_batch_has_what_its_profile_then_knows(idsync: Program) -> None:
    idsync.write("idsync.yaml", SHOP)
    known = {"user_identities": {"customer_id": "C1"}}
    written(
        idsync,
        {"type": "login", "known_identities": {"customer_id": "C1", "ios_idfv": "9"}},
        bought(80, DAY, **known, user_attributes={"plan": "free", "n": 1}, batch_id="b1"),
        {"type": "identify", "known_identities": {"customer_id": "C1", "email": "a@example.com"}},
        bought(40, DAY + 3 * 86_400_000, **known, user_attributes={"plan": "paid"}),
        {"type": "batch", **known, "timestamp_unixtime_ms": DAY + 9 * 86_400_000, "events": []},
    )
    outcome = idsync("replay", "day.jsonl", "--enrich", "enriched.jsonl")
    assert outcome.status == 0
    assert "3 batches enriched\n" in outcome.stdout
    first, second, third = enriched(idsync)
    assert [each["seq"] for each in (first, second, third)] == [2, 4, 5]
    assert first["batch_id"] == "b1"
    assert first["events"] == bought(80, DAY)["events"]
    assert first["user_identities"] == [
        {"identity_type": "customer_id", "identity": "C1"},
        {"identity_type": "ios_idfv", "identity": "9"},
    ]
    assert first["user_attributes"] == {"plan": "free", "n": 1, "spent": 80}
    assert first["audience_memberships"] == [{"audience_id": 9, "audience_name": "lately"}]
    assert {"identity_type": "email", "identity": "a@example.com"} in second["user_identities"]
    assert second["user_attributes"] == {"plan": "paid", "n": 1, "spent": 120}
    names = [each["audience_name"] for each in second["audience_memberships"]]
    assert names == ["spenders", "lately"]
    assert [each["audience_name"] for each in third["audience_memberships"]] == ["spenders"]
    assert_valid("enriched", first, second, third)


def test_what_is_left_out_is_counted(idsync: Program) -> None:
    by = {"user_identities": {"email": "a@example.com"}}
    opt_out = {"event_type": "opt_out", "data": {"is_opted_out": True}}
    lines = (
        {"type": "batch", **by, "events": [], "source_request_id": "1"},
        {"type": "batch", **by, "events": [], "source_request_id": "1"},
        {"type": "batch", **by, "events": [{"data": {}}]},
        {"type": "batch", **by, "events": [opt_out]},
        {"type": "batch", **by, "user_attributes": {"a": 1}},
        {"type": "identify", "known_identities": {"email": "b@example.com"}},
    )
    written(idsync, *lines)
    outcome = idsync("replay", "day.jsonl", "--enrich", "enriched.jsonl", "--json")
    assert outcome.status == 1
    assert outcome.json()["enriched"] == {"written": 1, "opted_out": 2, "without_profile": 2}
    assert_valid("replay", outcome.json())
    assert [each["seq"] for each in enriched(idsync)] == [1]
    again = idsync("replay", "day.jsonl", "--again", "--enrich", "enriched.jsonl", "--force")
    assert (
        "0 batches enriched, 3 left out: rejected or duplicate, 2 left out: of profiles that have "
        "opted out"
    ) in " ".join(again.stdout.split())
    assert enriched(idsync) == []
    assert "enriched" not in idsync("replay", "day.jsonl", "--again", "--json").json()


def test_events_are_written_as_they_came(idsync: Program) -> None:
    event = '{"event_type": "custom_event", "data": {"amount": 12.50, "of": 1e3, "é": "\\u2028"}}'
    idsync.write(
        "day.jsonl",
        f'{{"type": "batch", "user_identities": {{"email": "a@example.com"}}, "events": [{event}]}}'
        "\n",
    )
    assert idsync("replay", "day.jsonl", "--enrich", "enriched.jsonl").status == 0
    text = (idsync.folder / "enriched.jsonl").read_text("ascii")
    assert event.replace("é", "\\u00e9") in text


def test_nothing_of_it_without_the_option_or_in_a_dry_run_of_the_store(idsync: Program) -> None:
    written(idsync, {"type": "batch", "user_identities": {"email": "a@example.com"}})
    outcome = idsync("replay", "day.jsonl", "--dry-run", "--enrich", "enriched.jsonl")
    assert outcome.status == 0
    assert len(enriched(idsync)) == 1
    assert "idsync.db" not in idsync.files()


def test_the_path_is_kept_for_erasures(idsync: Program) -> None:
    by = {"email": "a@example.com"}
    written(
        idsync, {"type": "batch", "user_identities": by}, {"type": "erase", "known_identities": by}
    )
    answers = ("--enrich", "enriched.jsonl", "--output", "answers.jsonl")
    assert idsync("replay", "day.jsonl", *answers).status == 0
    last = (idsync.folder / "answers.jsonl").read_text().splitlines()[-1]
    named = [each["path"] for each in json.loads(last)["files"]]
    assert str(idsync.folder / "enriched.jsonl") in named


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("day.jsonl", "is the input"),
        ("idsync.yaml", "is the configuration"),
        ("idsync.db", "is the store"),
        ("answers.jsonl", "is the file that --output 'answers.jsonl' writes"),
        ("there.jsonl", "already exists"),
        ("none/enriched.jsonl", "its folder does not exist"),
        ("/dev/null", "is not a regular file"),
        ("enriched.jsonl.gz", "name a file that does not end with .gz"),
        ("", "is not a path"),
    ],
)
def test_what_may_not_be_written_is_refused_before_anything_is_done(
    idsync: Program, path: str, told: str
) -> None:
    written(idsync, {"type": "batch", "user_identities": {"email": "a@example.com"}})
    idsync("init")
    idsync.write("there.jsonl", "mine\n")
    before = idsync.files()
    answers = ("--output", "answers.jsonl")
    assert_refused(idsync("replay", "day.jsonl", *answers, "--enrich", path), 2, told)
    assert idsync.files() == before


# Interrupted, and continued


def stopped(idsync: Program) -> bytes:
    """The file of a whole replay; another stopped before the line in the middle is right."""
    lines = [
        bought(n, DAY + n, user_identities={"email": f"{n % 5}@example.com"}) for n in range(40)
    ]
    idsync.write("idsync.yaml", CONFIG)
    written(idsync, *lines, name="whole.jsonl")
    seed = ("--seed", "1", "--chunk-size", "3")
    whole = ("--store", "whole.db", "--enrich", "whole-enriched.jsonl")
    assert idsync("replay", "whole.jsonl", *seed, *whole).status == 0
    written(idsync, *lines[:25], {"type": "batch"}, *lines[26:])
    stop = ("--stop-on-error", "--enrich", "enriched.jsonl")
    assert idsync("replay", "day.jsonl", *seed, *stop).status == 1
    written(idsync, *lines)
    return (idsync.folder / "whole-enriched.jsonl").read_bytes()


def test_a_replay_that_continues_goes_on_behind_what_was_committed(idsync: Program) -> None:
    whole = stopped(idsync)
    path = idsync.folder / "enriched.jsonl"
    so_far = path.read_bytes()
    assert whole.startswith(so_far)
    assert so_far.count(b"\n") == 25
    path.write_bytes(so_far + b'{"seq": 26, "mpid": "5", "never": "committed"}\n{"seq": 27, "mp')
    outcome = idsync("replay", "day.jsonl", "--resume", "--enrich", "enriched.jsonl")
    assert outcome.status == 0
    assert "15 batches enriched" in outcome.stdout
    assert path.read_bytes() == whole


@pytest.mark.parametrize("number", range(3))
def test_killed_at_any_moment_it_continues(idsync: Program, number: int) -> None:
    rng = random.Random(number)
    lines = [
        bought(n, DAY + n, user_identities={"email": f"{n % 50}@example.com"}) for n in range(900)
    ]
    written(idsync, *lines)
    command = ["replay", "day.jsonl", "--seed", "1", "--quiet"]
    assert idsync(*command, "--store", "whole.db", "--enrich", "whole.jsonl").status == 0
    whole, path = (idsync.folder / "whole.jsonl").read_bytes(), idsync.folder / "enriched.jsonl"
    command += ["--enrich", "enriched.jsonl", "--chunk-size", "7", "--resume"]
    for wanted in sorted(rng.sample(range(len(whole)), k=3)):
        process = subprocess.Popen(
            [sys.executable, "-m", "idsync_cli", *command],
            cwd=idsync.folder,
            stderr=subprocess.PIPE,
        )
        while process.poll() is None and not (path.exists() and path.stat().st_size > wanted):
            sleep(0.001)
        process.kill()
        process.communicate()
    assert idsync(*command).status == 0
    assert path.read_bytes() == whole


def test_a_replay_goes_on_with_its_file_or_without_one_as_it_was_started(idsync: Program) -> None:
    stopped(idsync)
    assert_refused(
        idsync("replay", "day.jsonl", "--resume"), 2,
        "was started with a file for enriched batches", "the same way, with --enrich",
    )  # fmt: skip
    idsync.write("three.jsonl", '{"type": "identify", "known_identities": {"email": "e"}}\n{}\n')
    three = ("replay", "three.jsonl", "--store", "other.db")
    assert idsync(*three, "--stop-on-error").status == 1
    assert_refused(
        idsync(*three, "--resume", "--enrich", "e.jsonl"), 2,
        "was started without a file for enriched batches", "without --enrich",
    )  # fmt: skip


def test_it_does_not_go_on_in_another_file(idsync: Program) -> None:
    stopped(idsync)
    resume = ("replay", "day.jsonl", "--resume", "--enrich")
    assert_refused(
        idsync(*resume, "other.jsonl"), 2,
        "--enrich 'other.jsonl' does not exist", "only what is left",
    )  # fmt: skip
    idsync.write("other.jsonl", "mine\n")
    assert_refused(
        idsync(*resume, "other.jsonl"), 2, "does not contain the enriched batches of this replay"
    )
    assert (idsync.folder / "other.jsonl").read_text() == "mine\n"
    assert idsync(*resume, "enriched.jsonl").status == 0


def test_what_was_not_kept_is_cut_off(tmp_path: Path) -> None:
    path = tmp_path / "enriched.jsonl"
    with closing(EnrichedFile(str(path), "the file", resumed=False, may_replace=False)) as file:
        file.write(b"kept\n", 0)
        file.keep()
        file.write(b"never committed, and long\n", 0)
        file.write(b"again\n", 0)
        file.keep()
        assert path.read_bytes() == b"kept\nagain\n"
        file.write(b"interrupted\n", 0)
    assert path.read_bytes() == b"kept\nagain\n"
    with (
        closing(EnrichedFile(str(path), "the file", resumed=False, may_replace=False)) as file,
        pytest.raises(UsageFault, match="already exists"),
    ):
        file.write(b"", 0)


# Any world


def run(world: World, folder: Path, chunk_size: int) -> Iterator[tuple[bytes, Enriched]]:
    for name in ("a", "b"):
        path = folder / f"{name}-{chunk_size}.jsonl"
        rules = organization(world.scopes, world.workspaces)
        with (
            sqlite.temporary(world.seed) as store,
            enriching(
                str(path),
                rules,
                store,
                named="the file",
                now=lambda: DAY,
                resume=False,
                may_replace=False,
            ) as enrichment,
        ):
            assert enrichment is not None
            engine = Engine(rules, store, now=lambda: DAY, companion=enrichment)
            for _, requests in parts(world):
                for _ in answer_all(engine, requests, chunk_size=chunk_size):
                    pass
            yield path.read_bytes(), enrichment.counted
            if name == "a":
                check_against_history(store, path, world)


def check_against_history(store: sqlite.SqliteStore, path: Path, world: World) -> None:
    """What a line says is what the store tells of that moment, once all is done."""
    rules = organization(world.scopes, world.workspaces)
    with store.reading() as transaction:
        last = transaction.last_seq
    for text in path.read_text("ascii").splitlines():
        line = json.loads(text)
        mpid = int(line["mpid"])
        with store.reading() as transaction:
            if line["seq"] < last:
                transaction.look_back(line["seq"])
            found, data = transaction.find(mpid), transaction.data_of(mpid)
        assert found is not None
        assert data is not None
        scope, profile = found
        held = sorted((each.type.value, each.value) for each in profile.identifiers)
        told = [(each["identity_type"], each["identity"]) for each in line["user_identities"]]
        assert sorted(told) == held
        its = rules.scopes[scope]
        subject = Subject(data, profile.identifiers, its.is_known(profile), DAY)
        folded = Fold(its.definitions).of(subject)
        assert line["user_attributes"] == folded.attributes
        events = sorted(data_json(data)["events"], key=lambda each: int(each["place"]))
        brought = [each["event"] for each in events if each["seq"] == line["seq"]]
        assert [each for each in line.get("events") or [] if each is not None] == brought
        assert not data.is_opted_out


@pytest.mark.parametrize("number", many(range(24), share=6))
def test_it_is_what_the_history_tells_whatever_the_chunking(tmp_path: Path, number: int) -> None:
    world = random_world(random.Random(f"enrich {number}"), sizes=(5, 9))
    world.later_scopes = world.change_at = None
    world.requests = [each for each in world.requests if not is_erasure(each)]
    found = [each for size in (1, 7, 1000) for each in run(world, tmp_path, size)]
    assert len(set(found)) == 1
    [(text, counted)] = set(found)
    assert counted.written == len(text.splitlines())
    batches = sum(
        wire.type_named_by(each) == "batch" for each in world.requests if isinstance(each, dict)
    )
    assert sum(counted) >= batches


DEFINED = """\
version: 1
scopes:
  consumers:
    strategy: profile_link
    priority: [customer_id, email, ios_idfv]
    identities: {customer_id: {login: true, unique: true}}
    calculated_attributes:
      spent: {calculation: sum, event: purchase, attribute: total_amount}
      most: {calculation: max, event: purchase, attribute: total_amount, within: 3 days}
      number: {calculation: count, event: purchase, within: 2 days}
    audiences:
      lately: {id: 9, all: [{event: purchase, within: 1 days}]}
"""


def stories(rng: random.Random) -> Iterator[dict[str, Any]]:
    """A few users who buy, become one, and are erased."""
    for number in range(60):
        chance, label = rng.random(), rng.choice("abc")
        if chance < 0.08:
            yield {"type": "erase", "mpid": f"@{label}"}
        elif chance < 0.2:
            window = {"start_unixtime_ms": DAY - 10, "end_unixtime_ms": DAY + 4 * 86_400_000}
            yield {"type": "alias", "source_mpid": "@a", "destination_mpid": "@b"} | window
        else:
            own = bought(number, DAY + rng.randrange(5) * 86_400_000 + number, label=label)
            yield own | {"user_identities": {"email": f"{label}{rng.randrange(2)}@example.com"}}


@pytest.mark.parametrize("number", range(8))
def test_what_has_come_since_is_added_to_what_was_there(
    idsync: Program, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is what reading all events for each batch says, after erasures and forgetting, too."""
    idsync.write("idsync.yaml", DEFINED)
    lines = list(stories(random.Random(number)))
    written(idsync, *lines[:20], name="before.jsonl")
    written(idsync, *lines[20:])
    of = Gathering.of

    def read_anew(self: Gathering, transaction: Any, *asked: Any) -> Any:
        self.forget(transaction)
        return of(self, transaction, *asked)

    def found(name: str, *options: str) -> bytes:
        for file in ("before.jsonl", "day.jsonl"):
            more = ("--store", f"{name}.db", "--enrich", f"{name}.{file}", *options)
            assert idsync("replay", file, "--seed", "1", "--quiet", *more).status in (0, 1)
        return (idsync.folder / f"{name}.day.jsonl").read_bytes()

    told = found("whole")
    assert told
    assert found("small", "--chunk-size", "7") == told
    with monkeypatch.context() as patched:
        patched.setattr("idsync_cli.replay.gathering._MOST_KEPT", 5)
        assert found("forgetful") == told
    monkeypatch.setattr(Gathering, "of", read_anew)
    assert found("anew") == told


def interrupt(_transaction: object) -> None:
    raise KeyboardInterrupt


def test_what_was_not_committed_is_forgotten(tmp_path: Path) -> None:
    (tmp_path / "idsync.yaml").write_text(DEFINED)
    rules = load(tmp_path / "idsync.yaml").organization
    first, lost, second = (
        wire.Incoming(bought(each, DAY, user_identities={"email": "a"})) for each in (1, 2, 5)
    )
    with (
        sqlite.temporary(1) as store,
        enriching(
            str(tmp_path / "e.jsonl"), rules, store,
            named="the file", now=lambda: DAY, resume=False, may_replace=False,
        ) as enrichment,
    ):  # fmt: skip
        engine = Engine(rules, store, now=lambda: DAY, companion=enrichment)
        engine.batch([first])
        with pytest.raises(KeyboardInterrupt):
            engine.batch([lost], before_commit=interrupt)
        engine.batch([second])
    *_, last = (tmp_path / "e.jsonl").read_text().splitlines()
    assert json.loads(last)["user_attributes"]["spent"] == 6
