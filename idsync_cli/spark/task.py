"""A task: lines, and what of the state they can reach, through the engine (section 13)."""

import json
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, groupby, islice
from typing import Final, NamedTuple

from idsync_cli import wire
from idsync_cli.core.decision import Answer, Decision
from idsync_cli.engine.answering import Answering
from idsync_cli.engine.labels import Labels
from idsync_cli.spark import decisions, entries, state
from idsync_cli.spark.decisions import Applied
from idsync_cli.spark.rows import Answered, RowKind, TaskRow
from idsync_cli.spark.rules import JobRules
from idsync_cli.store import sqlite
from idsync_cli.store.sqlite import SqliteTransaction
from idsync_cli.store.values import RequestEntry

LINES_AT_ONCE: Final = 1000
"""How many lines a task answers before it gives what came of them: the fewer, the less memory."""

LINES_WITH_DATA: Final = 20_000
"""The same, once lines have brought data, which is written before it is told of."""

LINES_IN_MEMORY: Final = 200_000
"""After so many lines a task writes what they changed to its store, whose memory else grows."""


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


def run(work: TaskWork, rows: Iterable[TaskRow]) -> Iterator[Answered | TaskRow]:
    """Answer the lines of a task, which come behind its part of the state (`rows.place_of`).

    Gives what came of each line, and then the part of the state as it is by then. What lines left
    is kept in a temporary store, which spills to the disk what memory has no room for.
    """
    with sqlite.temporary(work.seed) as store:
        store.expect_many(keeps_history=False)
        with store.passing() as transaction:
            yield from _Task(work, transaction).run(rows)


class _Task:
    def __init__(self, work: TaskWork, transaction: SqliteTransaction) -> None:
        self._work = work
        self._transaction = transaction
        self._organization = work.rules.organization()
        self._lines = wire.LineReader()
        self._labels: dict[int, Labels] = {}  # by file
        self._applied: list[Applied] = []
        self._unwritten = 0
        self._answering = Answering(
            self._organization, work.seed, now=self._now, on_applied=self._on_applied
        )

    def _now(self) -> int:
        return self._work.now_ms

    def _on_applied(self, decision: Decision, scope: str, entry: RequestEntry) -> None:
        self._applied.append(Applied(decision, scope, entry))

    def run(self, rows: Iterable[TaskRow]) -> Iterator[Answered | TaskRow]:
        rows = iter(rows)
        first: list[TaskRow] = []

        def of_state() -> Iterator[TaskRow]:
            for row in rows:
                if row.kind != RowKind.STATE:
                    first.append(row)
                    return
                yield row

        transaction = self._transaction
        state.put(of_state(), transaction, self._organization, self._work.now_ms)
        transaction.advance_to(self._work.last_seq)
        lines = chain(first, rows)
        at_once = LINES_AT_ONCE
        while block := list(islice(lines, at_once)):
            yield from self._answer(block)
            if any(each.decision.data for each in self._applied):
                at_once = LINES_WITH_DATA
            self._unwritten += len(block)
            if self._unwritten > LINES_IN_MEMORY or transaction.owes_data:
                transaction.write()
                self._unwritten = 0
        yield from state.rows_of(transaction, self._organization)

    def _answer(self, block: list[TaskRow]) -> Iterator[Answered]:
        found: list[Answer] = []
        self._applied.clear()
        transaction = self._transaction
        for file, group in groupby(block, lambda row: (row.file, row.place)):
            some = list(group)
            labels = self._labels.setdefault(file[0], Labels())
            if file[1]:
                labels.update(json.loads(file[1]))
            incoming = [wire.Incoming(self._lines.request(row.data), row.line) for row in some]
            seqs = [row.seq for row in some]
            found += self._answering.answer_all(incoming, seqs, transaction, labels)
        others = entries.other_entries_of(self._applied, transaction)
        by_seq = {each.entry.seq: each for each in self._applied}
        for line, answer in zip(block, found, strict=True):
            applied = by_seq.get(line.seq)
            decision = its_entries = None
            if applied is not None:
                decision = decisions.line_of(applied)
                texts = entries.entries_of(applied)
                its_entries = entries.lines_of([*texts, *others.get(line.seq, ())])
            text = self._text_of(answer, line)
            yield Answered(line.seq, line.file, line.line, answer.mpid, text, decision, its_entries)

    def _text_of(self, answer: Answer, line: TaskRow) -> bytes:
        files = self._work.files
        file = None if files is None else files[line.file]
        return wire.answer_line(answer, explain=False, file=file)[:-1]
