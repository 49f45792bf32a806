"""A task: lines, and what of the state they can reach, through the engine (section 13)."""

import json
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, groupby, islice
from typing import Final, NamedTuple

from idsync_cli import wire
from idsync_cli.core.decision import Answer, Decision
from idsync_cli.engine.answering import Answering
from idsync_cli.engine.labels import Labels
from idsync_cli.render.store_json import entry_json
from idsync_cli.spark import decisions, state
from idsync_cli.spark.decisions import Applied
from idsync_cli.spark.rows import Kind, Row
from idsync_cli.spark.rules import JobRules
from idsync_cli.store import sqlite
from idsync_cli.store.sqlite import SqliteStore
from idsync_cli.store.values import RequestEntry

LINES_AT_ONCE: Final = 1000
"""How many lines a task answers in one transaction."""


class TaskWork(NamedTuple):
    """What every task of a window is told.

    `last_seq` is the number of the last line before the window, and `now_ms` the time of the whole
    job. `files` are the names that answers give, by number; without them there is one file.
    """

    rules: JobRules
    seed: int
    last_seq: int
    now_ms: int
    files: Sequence[str] | None = None


def run(work: TaskWork, rows: Iterable[Row]) -> Iterator[Row]:
    """Answer the lines of a task, which come behind its part of the state (`rows.place_of`).

    Gives the answers, the decisions, what labels came to stand for, the history, and the part of
    the state as it is then. Everything is kept in a temporary store, which spills to the disk.
    """
    with sqlite.temporary(work.seed) as store:
        store.expect_many()
        yield from _Task(work, store).run(rows)


class _Task:
    def __init__(self, work: TaskWork, store: SqliteStore) -> None:
        self._work = work
        self._store = store
        self._organization = work.rules.organization()
        self._lines = wire.LineReader()
        self._labels: dict[int, Labels] = {}  # by file
        self._applied: list[Applied] = []
        self._answering = Answering(
            self._organization, work.seed, now=self._now, on_applied=self._on_applied
        )

    def _now(self) -> int:
        return self._work.now_ms

    def _on_applied(self, decision: Decision, scope: str, entry: RequestEntry) -> None:
        self._applied.append(Applied(decision, scope, entry))

    def run(self, rows: Iterable[Row]) -> Iterator[Row]:
        rows = iter(rows)
        first: list[Row] = []

        def of_state() -> Iterator[Row]:
            for row in rows:
                if row.kind != Kind.STATE:
                    first.append(row)
                    return
                yield row

        with self._store.writing() as transaction:
            state.put(of_state(), transaction, self._organization, self._work.now_ms)
            transaction.advance_to(self._work.last_seq)
        lines = chain(first, rows)
        while block := list(islice(lines, LINES_AT_ONCE)):
            yield from self._answer(block)
        yield from self._left()

    def _answer(self, block: list[Row]) -> Iterator[Row]:
        """The answers to some lines, the decisions, and what labels came to stand for."""
        found: list[Row] = []
        with self._store.writing() as transaction:
            transaction.align(self._organization.scopes)
            for file, group in groupby(block, lambda row: (row.file, row.place)):
                some = list(group)
                labels = self._labels.setdefault(file[0], Labels())
                if file[1]:
                    labels.update(json.loads(file[1]))
                incoming = [wire.Incoming(self._lines.request(row.data), row.line) for row in some]
                seqs = [row.seq for row in some]
                answers = self._answering.answer_all(incoming, seqs, transaction, labels)
                found += map(self._answer_row, some, answers)
        yield from found
        for each in self._applied:
            yield Row(Kind.DECISION, each.entry.seq, decisions.line_of(each))
        self._applied.clear()

    def _answer_row(self, line: Row, answer: Answer) -> Row:
        files = self._work.files
        file = None if files is None else files[line.file]
        text = wire.answer_line(answer, explain=False, file=file)[:-1]
        return Row(Kind.ANSWER, line.seq, text, mpid=answer.mpid, file=line.file, line=line.line)

    def _left(self) -> Iterator[Row]:
        """The history of the window, and the state behind it."""
        with self._store.reading() as transaction:
            seq = place = 0
            for entry in transaction.history():
                if entry.seq <= self._work.last_seq:
                    continue
                place = place + 1 if entry.seq == seq else 0
                seq = entry.seq
                text = wire.encode(entry_json(entry)).encode("ascii")
                yield Row(Kind.HISTORY, seq, text, rank=place)
            yield from state.rows_of(transaction, self._organization)
