"""Requests of many threads over one store: in some order, committed together, never lost."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import closing
from pathlib import Path
from threading import current_thread

import pytest

from idsync_cli.core.config.rules import Organization
from idsync_cli.core.decision import Answer, Change
from idsync_cli.engine.engine import Engine
from idsync_cli.engine.service import Service
from idsync_cli.errors import Busy, Stopped, StoreFault
from idsync_cli.store import sqlite as store
from idsync_cli.store.api import Store
from tests.comparison import exported, organization, plain
from tests.program import Program, ended, program_in_a_fresh_folder
from tests.threads import (
    DEADLINE,
    RULES,
    SCOPES,
    SEED,
    Client,
    Json,
    Stores,
    Told,
    all_ask,
    check_order,
    crowd,
    json_of,
    outcome,
    service,
)

__all__ = ["program_in_a_fresh_folder"]

ROOT = Path(__file__).parent.parent


@pytest.fixture
def stores(tmp_path: Path) -> Stores:
    return Stores(tmp_path / "store.db")


@pytest.fixture
def served(stores: Stores) -> Iterator[Service]:
    with service(stores) as running:
        yield running


def identify(value: str) -> Json:
    return {"type": "identify", "known_identities": {"ios_idfv": value}}


def search(value: str) -> Json:
    return identify(value) | {"type": "search"}


def export_of(stores: Stores) -> list[Json]:
    with stores.reading() as opened:
        return exported(opened, organization(SCOPES, {}))


# ---- An order


def test_the_answers_of_64_threads_are_those_of_some_order(stores: Stores) -> None:
    clients = crowd(64)
    with service(stores) as running:
        told = all_ask(clients, 20, running)
    model = check_order(told)
    assert json.dumps(export_of(stores)) == json.dumps(model.export())
    for client in clients:  # whoever was answered is never shown an earlier state
        highest = 0
        for each in client.told:
            assert each.seq > highest - 1
            highest = each.seq + each.takes_a_number
    changing = sum(each.takes_a_number for each in told)
    assert changing > 400
    assert changing >= 16 * stores.commits
    kinds = {(each.answer["type"], each.answer["status"]) for each in told}
    assert {("search", "matched"), ("search", "not_found"), ("modify", "modified")} <= kinds
    assert {("identify", "created"), ("identify", "matched"), ("modify", "error")} <= kinds


def test_other_rules_hold_between_two_requests(stores: Stores) -> None:
    later = {"people": RULES | {"priority": ["customer_id", "ios_idfv", "email"]}}
    clients = crowd(16, seed=2)
    with service(stores) as running:
        told = all_ask(clients, 10, running)
        reloaded = running.reload(organization(later, {}))
        told = all_ask(clients, 10, running)
        assert reloaded.done()
        after = Client(clients[0].rng, clients[0].mpids)
        assert after.ask(running).answer["scope"] in ("people", None)
    told += after.told
    assert {each.answer["scope"] for each in told} >= {"consumers", "people"}
    check_order(told, later)


def test_rules_can_be_changed_in_the_middle_of_the_traffic(stores: Stores) -> None:
    later = {"people": RULES}

    class Reloading(Client):
        def request(self) -> Json:
            if len(self.told) == 5:
                running.reload(organization(later, {}))
            return super().request()

    clients = crowd(16, seed=3)
    clients[0] = Reloading(clients[0].rng, clients[0].mpids)
    with service(stores) as running:
        told = all_ask(clients, 15, running)
    assert {each.answer["scope"] for each in told} >= {"consumers", "people"}
    check_order(told, later)


def test_another_process_may_replay_meanwhile(
    stores: Stores, tmp_path: Path, idsync: Program
) -> None:
    requests = [
        {"type": "login", "known_identities": {"customer_id": f"C{at % 90}", "email": f"{at}@x"}}
        for at in range(600)
    ]
    file, answers = tmp_path / "day.jsonl", tmp_path / "answers.jsonl"
    file.write_text("".join(json.dumps(each) + "\n" for each in requests))
    config = tmp_path / "idsync.yaml"
    config.write_text(json.dumps({"version": 1, "scopes": SCOPES}))
    with service(stores) as running:
        options = ("--store", stores.path, "--config", str(config), "--output", str(answers))
        process = idsync.start("replay", str(file), "--chunk-size", "20", "--quiet", *options)
        told: list[Told] = []
        while process.poll() is None:
            told += all_ask(crowd(8, seed=len(told)), 4, running)
        assert ended(process).status == 0
    for line, request, said in zip(
        range(1, 601), requests, answers.read_text().splitlines(), strict=True
    ):
        told.append(Told(request, False, plain(json.loads(said)), line))
    model = check_order(told)
    assert json.dumps(export_of(stores)) == json.dumps(model.export())


# ---- Together


def test_requests_that_wait_are_committed_together(stores: Stores, served: Service) -> None:
    with stores.held():
        first = served.submit(identify("0"))
        waiting = [served.submit(identify(str(number % 10))) for number in range(1, 31)]
        time.sleep(0.05)
        assert not first.done()
    answers = [json_of(each.result(DEADLINE)) for each in (first, *waiting)]
    assert [each["seq"] for each in answers] == [*range(1, 11), *[11] * 21]
    assert [each["status"] for each in answers] == ["created"] * 10 + ["matched"] * 21
    assert stores.commits <= 2


def test_what_was_answered_is_seen_by_who_asks_next(served: Service) -> None:
    for number in range(20):
        created = served.submit(identify(str(number))).result(DEADLINE)
        found = served.submit(search(str(number))).result(DEADLINE)
        assert found.mpid == created.mpid
        assert found.seq == number + 2
        assert served.look(lambda transaction: transaction.last_seq).result(DEADLINE) == number + 1


def test_a_dry_run_changes_nothing_and_shows_the_next_number(served: Service) -> None:
    dry = served.submit(identify("a"), dry_run=True, explain=True).result(DEADLINE)
    done = served.submit(identify("a")).result(DEADLINE)
    assert (dry.seq, dry.mpid) == (done.seq, done.mpid) == (1, done.mpid)
    assert dry.outcome.tiers
    assert not done.outcome.tiers


def test_labels_are_known_to_no_other_request(served: Service) -> None:
    served.submit(identify("a") | {"label": "x"}).result(DEADLINE)
    request = identify("a") | {"previous_mpid": "@x"}
    assert json_of(served.submit(request).result(DEADLINE))["errors"] == ["UNKNOWN_LABEL"]


def test_an_answer_can_be_awaited(served: Service) -> None:
    async def ask() -> list[int]:
        waiting = [asyncio.wrap_future(served.submit(identify(str(at)))) for at in range(40)]
        return [answer.seq for answer in await asyncio.gather(*waiting)]

    assert asyncio.run(ask()) == [*range(1, 41)]


# ---- What goes wrong


class BadText(str):
    """A text that the thread that writes can look up nowhere, as by a fault of the program."""

    __slots__ = ()

    def __hash__(self) -> int:
        if current_thread().name == "idsync-writer":
            raise RuntimeError(f"fails: {self}")
        return super().__hash__()


def test_of_one_that_fails_the_others_notice_nothing(stores: Stores) -> None:
    calls = iter(range(1000))

    def clock() -> int:
        if next(calls) == 5:
            raise RuntimeError("no time")
        return 0

    with service(stores, now=clock) as running:
        with stores.held():
            first = running.submit(identify("first"))
            waiting = [running.submit(identify(str(at))) for at in range(12)]
            waiting[3:3] = [running.submit(identify("a") | {"type": BadText("identify")})]
            waiting[7:7] = [running.submit(identify(BadText("value")))]
            waiting += [running.submit({"type": "log in"})]
        results = [outcome(each) for each in (first, *waiting)]
        failed = [each for each in results if isinstance(each, str)]
        assert sorted(failed) == [
            "RuntimeError: fails: identify",  # as it is read
            "RuntimeError: fails: value",  # as what all name is looked up
            "RuntimeError: no time",  # as it is answered
        ]
        answers = [each for each in results if not isinstance(each, str)]
        assert [each["seq"] for each in answers] == [*range(1, 13), 13]
        assert answers[-1]["errors"] == ["INVALID_REQUEST"]
        assert outcome(running.submit(identify("next")))["seq"] == 13  # type: ignore[index]
    assert len(export_of(stores)) == 13


def test_a_question_that_fails_is_its_own_affair(served: Service) -> None:
    def fail(_transaction: object) -> None:
        raise KeyError("x")

    failing = served.look(fail)
    assert isinstance(failing.exception(DEADLINE), KeyError)
    assert served.look(lambda transaction: transaction.scopes()).result(DEADLINE) == ()


def test_a_task_has_the_store_between_two_transactions(served: Service) -> None:
    before = served.submit(identify("a"))
    told = served.do(lambda engine, store: engine.one_shot(search("a")).mpid)
    assert told.result() == before.result().mpid

    def fail(_engine: Engine, _store: Store) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        served.do(fail).result()

    def find_it_unusable(_engine: Engine, _store: Store) -> None:
        raise StoreFault("it is unusable")

    with pytest.raises(StoreFault, match="it is unusable"):
        served.do(find_it_unusable).result()
    assert served.submit(identify("a")).result().mpid == told.result()


def test_while_the_store_is_locked_each_is_told_so(stores: Stores) -> None:
    stores.settings = ["PRAGMA busy_timeout = 50"]
    with service(stores) as running:
        with stores.held():
            waiting = [running.submit(identify(str(at))) for at in range(5)]
            results = [outcome(each) for each in waiting]
            assert json_of(running.submit(search("0")).result(DEADLINE))["status"] == "not_found"
        for each in results:
            assert isinstance(each, str)
            assert each.startswith("StoreFault: the store cannot be used: database is locked")
        assert running.submit(identify("0")).result(DEADLINE).seq == 1


def test_where_the_disk_is_full_each_is_told_so(stores: Stores) -> None:
    with stores.writing() as opened:
        [pages] = opened.connection.execute("PRAGMA page_count").fetchone()
    stores.settings = [f"PRAGMA max_page_count = {pages}"]
    long = "x" * 4000
    with service(stores) as running:
        fitted = 0
        while isinstance(result := outcome(running.submit(identify(f"{long}{fitted}"))), dict):
            fitted += 1
        waiting = [running.submit(identify(f"{long}more {at}")) for at in range(5)]
        for told in (result, *map(outcome, waiting)):
            assert isinstance(told, str)
            assert told.startswith("StoreFault: the store cannot be used: database or disk is full")
        stores.settings = []
        assert running.submit(identify(long)).result(DEADLINE).seq == fitted + 1
    assert len(export_of(stores)) == fitted + 1


def test_a_store_that_was_replaced_is_opened_anew(stores: Stores, tmp_path: Path) -> None:
    with service(stores) as running:
        running.submit(identify("old")).result(DEADLINE)
        other = tmp_path / "other.db"
        store.create(str(other), SEED + 1).close()
        os.replace(other, stores.path)  # noqa: PTH105
        fault = running.submit(identify("lost")).exception(DEADLINE)
        assert isinstance(fault, StoreFault)
        assert "was removed or replaced" in str(fault)
        assert json_of(running.submit(search("old")).result(DEADLINE))["status"] == "not_found"
        assert running.submit(identify("new")).result(DEADLINE).seq == 1
    assert [each["identities"] for each in export_of(stores)] == [{"ios_idfv": ["new"]}]


def test_who_only_reads_notices_that_the_store_was_replaced(stores: Stores, tmp_path: Path) -> None:
    with service(stores) as running:
        running.submit(identify("old")).result(DEADLINE)
        assert json_of(running.submit(search("old")).result(DEADLINE))["status"] == "matched"
        other = tmp_path / "other.db"
        store.create(str(other), SEED + 1).close()
        os.replace(other, stores.path)  # noqa: PTH105
        time.sleep(0.15)
        assert json_of(running.submit(search("old")).result(DEADLINE))["status"] == "not_found"


def test_while_there_is_no_store_each_is_told_so(stores: Stores) -> None:
    with service(stores) as running:
        running.submit(identify("a")).result(DEADLINE)
        aside = Path(stores.path).rename(stores.path + ".aside")
        with pytest.raises(StoreFault, match="was removed or replaced"):
            running.submit(identify("b")).result(DEADLINE)
        for request in (identify("c"), search("a")):
            with pytest.raises(StoreFault, match="there is no store"):
                running.submit(request).result(DEADLINE)
        aside.rename(stores.path)
        assert running.submit(identify("d")).result(DEADLINE).seq == 2


def test_a_service_needs_a_store(tmp_path: Path) -> None:
    def nothing() -> store.SqliteStore:
        raise StoreFault("no store")

    with pytest.raises(StoreFault, match="no store"):
        Service(Organization(None, {}, {}), nothing, nothing, now=lambda: 0)


# ---- How much, and how long


def test_too_many_requests_are_refused_and_those_accepted_answered(stores: Stores) -> None:
    with service(stores, capacity=4) as running:
        accepted: list[Future[Answer]] = []
        with stores.held():
            message = "4 requests are already waiting; nothing was done"
            with pytest.raises(Busy, match=message):  # noqa: PT012
                while True:
                    accepted.append(running.submit(identify(str(len(accepted)))))
            assert 4 <= len(accepted) <= 5
            running.submit(search("0")).result(DEADLINE)  # those who read are not busy
        assert [each.result(DEADLINE).seq for each in accepted] == [*range(1, len(accepted) + 1)]
        assert running.submit(identify("later")).result(DEADLINE).seq == len(accepted) + 1


def test_a_close_answers_what_was_accepted_and_accepts_no_more(stores: Stores) -> None:
    running = service(stores)
    accepted = [running.submit(identify(str(number))) for number in range(300)]
    accepted.append(running.submit(search("0")))
    reloaded = running.reload(organization(SCOPES, {}))
    running.close()
    assert all(each.done() for each in accepted)
    assert reloaded.done()
    assert [each.result().seq for each in accepted[:-1]] == [*range(1, 301)]
    for ask in (
        lambda: running.submit(identify("a")),
        lambda: running.submit(search("a")),
        lambda: running.look(lambda _: 0),
        lambda: running.reload(organization(SCOPES, {})),
    ):
        with pytest.raises(Stopped):
            ask()
    running.close()
    assert len(export_of(stores)) == 300


def test_a_request_that_is_cancelled_as_it_waits_is_not_carried_out(
    stores: Stores, served: Service
) -> None:
    with stores.held():
        first = served.submit(identify("a"))
        while not first.running():
            time.sleep(0.001)
        second, third = served.submit(identify("b")), served.submit(identify("c"))
        assert second.cancel()
        assert not first.cancel()
    assert [first.result(DEADLINE).seq, third.result(DEADLINE).seq] == [1, 2]
    assert served.submit(search("b")).result(DEADLINE).mpid is None


# ---- A process that is killed

SERVING = """\
import json, os, sys
from pathlib import Path
from threading import Thread
from tests.threads import Stores, crowd, service

stores = Stores(Path(sys.argv[1]))
with service(stores) as running:
    def run(client):
        while True:
            told = client.ask(running)
            if told.takes_a_number:
                os.write(1, json.dumps(told.answer).encode() + b"\\n")
    for client in crowd(16, seed=int(sys.argv[2])):
        Thread(target=run, args=(client,), daemon=True).start()
    while True:
        sys.stdin.read()
"""


@pytest.mark.parametrize("answers", [1, 40, 300])
def test_nothing_that_was_answered_is_lost_when_the_process_is_killed(
    answers: int, tmp_path: Path, idsync: Program
) -> None:
    path = tmp_path / "store.db"
    with subprocess.Popen(
        [sys.executable, "-c", SERVING, str(path), str(answers)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    ) as process:
        assert process.stdout is not None
        said = [process.stdout.readline() for _ in range(answers)]
        process.send_signal(signal.SIGKILL)
        said += process.stdout.readlines()
    told = [json.loads(line) for line in said if line.endswith(b"\n")]
    assert len(told) >= answers
    doctor = idsync("doctor", "--store", str(path))
    assert doctor.status == 0, doctor.stdout
    opened = store.open_store(str(path), write=False)
    assert opened is not None
    with closing(opened), opened.reading() as transaction:
        assert transaction.last_seq >= max(each["seq"] for each in told)
        kept: dict[int, list[Json]] = {}
        for entry in transaction.history():
            assert isinstance(entry.change, Change)
            change, held = entry.change, entry.change.identifier
            its = {"op": change.op, "mpid": str(entry.mpid), "identity_type": held.type}
            kept.setdefault(entry.seq, []).append(its | {"value": held.value})
    for each in told:
        assert kept[each["seq"]] == each["changes"]
