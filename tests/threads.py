"""What the tests of a service share: traffic from many threads, and a judge of what it was told."""

import json
import sqlite3
from collections import defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import closing, contextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from threading import Barrier, Thread
from typing import Any

from idsync_cli import wire
from idsync_cli.core.decision import Answer
from idsync_cli.engine.service import Service
from idsync_cli.errors import StoreFault
from idsync_cli.store import sqlite as store
from idsync_cli.store.sqlite import SqliteStore
from tests.comparison import organization, plain
from tests.reference_model import Model

Json = dict[str, Any]
SEED = 7
DEADLINE = 60.0
"""After how many seconds a future is taken never to be done."""

RULES: Json = {
    "strategy": "profile_conversion",
    "priority": ["customer_id", "email", "ios_idfv"],
    "identities": {"customer_id": {"login": True, "unique": True}, "email": {"unique": True}},
}
SCOPES: dict[str, Json] = {"consumers": RULES}


class Stores:
    """Opens a store for a service, and counts the commits that changed it."""

    def __init__(self, path: Path) -> None:
        self.path = str(path)
        self.commits = 0
        self.settings: list[str] = []
        store.create(self.path, SEED).close()

    def writing(self) -> SqliteStore:
        opened = self._opened(write=True)
        connection = opened.connection
        for setting in self.settings:
            connection.execute(setting)
        changed = [connection.total_changes]

        def count(statement: str) -> None:
            if statement == "COMMIT" and connection.total_changes != changed[0]:
                changed[0] = connection.total_changes
                self.commits += 1

        connection.set_trace_callback(count)
        return opened

    def reading(self) -> SqliteStore:
        return self._opened(write=False)

    def _opened(self, *, write: bool) -> SqliteStore:
        opened = store.open_store(self.path, write=write)
        if opened is None:
            raise StoreFault("there is no store")
        return opened

    @contextmanager
    def held(self) -> Iterator[None]:
        """Keep everybody else from writing."""
        with closing(sqlite3.connect(self.path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            yield
            other.execute("ROLLBACK")


def service(
    stores: Stores,
    *,
    scopes: dict[str, Json] = SCOPES,
    now: Callable[[], int] = lambda: 0,
    capacity: int = 1024,
) -> Service:
    """A service over a store."""
    rules = organization(scopes, {})
    return Service(rules, stores.writing, stores.reading, now=now, capacity=capacity)


@dataclass
class Told:
    """A request, and what was answered."""

    request: object
    dry_run: bool
    answer: Json
    line: int | None = None

    @property
    def seq(self) -> int:
        return int(self.answer["seq"])

    @property
    def takes_a_number(self) -> bool:
        changes = self.answer.get("changes") and not self.dry_run
        return bool(changes) or self.line is not None


@dataclass
class Client:
    """One of many that ask at once, each the next as soon as it has its answer."""

    rng: Random
    mpids: list[str]
    told: list[Told] = field(default_factory=list)

    def request(self) -> Json:
        """A request of any kind; they collide, and now and then one is malformed."""
        rng = self.rng
        kind = rng.choices(["identify", "login", "logout", "search", "modify"], [7, 4, 2, 3, 3])[0]
        request: Json = {"type": kind, "known_identities": self.identities(kind)}
        if kind == "modify":
            request["mpid"] = rng.choice(self.mpids) if self.mpids else "5"
        elif self.mpids and rng.random() < 0.3:
            request["previous_mpid"] = rng.choice(self.mpids)
        if rng.random() < 0.05:
            wrong: list[Json] = [{"type": "log in"}, {"mpid": 0}, {"known_identities": {"x": "y"}}]
            request |= rng.choice(wrong)
        return request

    def identities(self, kind: str) -> Json:
        rng = self.rng
        identities = {"ios_idfv": f"phone {rng.randrange(400)}"}
        if kind in ("login", "logout") or rng.random() < 0.2:
            identities["customer_id"] = f"C{rng.randrange(120)}"
        if rng.random() < 0.3:
            identities["email"] = f"{rng.randrange(150)}@example.com"
        if kind == "modify":
            del identities["ios_idfv"]
            identities["email"] = f"{rng.randrange(150)}@example.com"
        return identities

    def ask(self, service: Service) -> Told:
        """Have one request answered."""
        request, dry_run = self.request(), self.rng.random() < 0.1
        answer = service.submit(request, dry_run=dry_run).result(DEADLINE)
        told = Told(request, dry_run, json_of(answer))
        self.told.append(told)
        if told.takes_a_number:
            self.mpids.append(told.answer["mpid"])
        return told


def json_of(answer: Answer) -> Json:
    """An answer as it is told, without its sentences."""
    return plain(wire.answer_json(answer, explain=False))


def crowd(size: int, seed: int = 1) -> list[Client]:
    """Clients that tell each other of the profiles they meet."""
    mpids: list[str] = []
    return [Client(Random(seed * 1000 + number), mpids) for number in range(size)]


def all_ask(clients: list[Client], each: int, service: Service) -> list[Told]:
    """Let all clients ask so many requests at once; everything that they were told."""
    faults: list[BaseException] = []
    begin = Barrier(len(clients))

    def run(client: Client) -> None:
        try:
            begin.wait()
            for _ in range(each):
                client.ask(service)
        except BaseException as error:
            faults.append(error)
            raise

    threads = [Thread(target=run, args=(client,)) for client in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not faults
    return [told for client in clients for told in client.told]


def check_order(
    told: list[Told], later: dict[str, Json] | None = None, scopes: dict[str, Json] = SCOPES
) -> Model:
    """See whether there is an order in which the reference model gives the same answers.

    Those that take numbers come in their order, and each of the others where its number says.
    `later` are the rules after a reload, under which scopes have other names.
    """
    changing = sorted((each for each in told if each.takes_a_number), key=lambda each: each.seq)
    assert [each.seq for each in changing] == [*range(1, len(changing) + 1)]
    others: dict[int, list[Told]] = defaultdict(list)
    for each in told:
        if not each.takes_a_number:
            others[each.seq].append(each)
    model, is_later = Model(scopes, SEED), False
    for number in range(1, len(changing) + 2):
        steps = [*others.pop(number, []), *changing[number - 1 : number]]
        steps.sort(key=lambda each: (_is_later(each, later), each.takes_a_number))
        for each in steps:
            if _is_later(each, later) and not is_later:
                is_later = True
                assert later is not None
                model.reconfigure(later)
            judge = model if each.takes_a_number else deepcopy(model)
            expected = plain(judge.answer(each.request, line=each.line))
            expected.pop("near", None)  # only a one-shot answer on the command line has it
            assert json.dumps(each.answer) == json.dumps(expected), each.request
            assert later is None or each.answer["scope"] in model.rules or not each.answer["scope"]
    assert not others
    return model


def _is_later(each: Told, later: dict[str, Json] | None) -> bool:
    return later is not None and each.answer["scope"] in later


def outcome(future: "Future[Answer]") -> Json | str:
    """What a future comes to: its answer, or the kind of error and what it says."""
    error = future.exception(DEADLINE)
    if error is not None:
        return f"{type(error).__name__}: {error}"
    return json_of(future.result())
