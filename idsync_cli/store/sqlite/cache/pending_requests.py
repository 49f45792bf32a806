"""Requests, and their changes, that have yet to be written."""

from sqlite3 import Connection
from typing import Any

from idsync_cli.store.sqlite.rows.batch import RowBatch
from idsync_cli.store.sqlite.rows.packed_integers import PackedIntegers
from idsync_cli.store.values import RequestEntry

OutcomeKey = tuple[int, str, str, str, str | None]
"""What `outcomes` has once: scope, kind of request, status, rule, and type that decided."""


class PendingRequests:
    """Rows of `requests`, `changes` and `outcomes` that the tables do not have yet."""

    __slots__ = ("_connection", "_new_outcomes", "_numbers", "_outcomes", "_sizes", "_texts")

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._numbers = PackedIntegers()
        self._sizes: list[int] = []
        self._texts: dict[int, tuple[str | None, int | None]] = {}
        self._outcomes: dict[tuple[int | str | None, ...], int] = {}
        self._new_outcomes: list[tuple[int, int, str, str, str, str | None]] = []

    @property
    def exist(self) -> bool:
        """Whether there are any."""
        return bool(self._sizes or self._new_outcomes)

    def add(self, numbers: list[int]) -> None:
        """Add a request: the four numbers of its row, and four of each change (`RowBatch`)."""
        self._numbers.add(numbers)
        self._sizes.append(len(numbers))

    def add_texts(self, entry: RequestEntry) -> None:
        """Add what the request brought itself, if it brought anything: its ID, its own time."""
        its_id, its_time = entry.request_id, entry.request_timestamp_ms
        if its_id is not None or its_time is not None:
            self._texts[entry.seq] = its_id, its_time

    def outcome_id(self, key: OutcomeKey) -> int:
        """The number of a row of `outcomes`; a new one where it has none yet."""
        number = self._outcomes.get(key)
        if number is None:
            if not self._outcomes:
                rows: list[tuple[Any, ...]] = self._connection.execute(
                    "SELECT outcome_id, scope_id, type, status, rule, identity_type FROM outcomes"
                ).fetchall()
                self._outcomes = {row[1:]: row[0] for row in rows}
                number = self._outcomes.get(key)
            if number is None:
                number = self._outcomes[key] = len(self._outcomes) + 1
                scope_id, kind, status, rule, by = key
                texts = str(kind), str(status), str(rule), None if by is None else str(by)
                self._new_outcomes.append((number, scope_id, *texts))
        return number

    def give_to(self, batch: RowBatch) -> None:
        """Put all of it into a batch; from now on it counts as written."""
        batch.outcomes, self._new_outcomes = self._new_outcomes, []
        batch.requests, self._numbers = self._numbers.as_bytes(), PackedIntegers()
        batch.sizes, self._sizes = self._sizes, []
        batch.texts, self._texts = self._texts, {}
