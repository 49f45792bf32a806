"""A replay in tasks as Spark does it, in this process and without Spark: with dictionaries.

The parts are those of `idsync_cli.spark`: what ties lines, what a task does, what the state is.
What Spark does with tables is done here by plain loops, so that random worlds can be asked by the
thousand.
"""

import json
import random
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from operator import attrgetter

from idsync_cli import wire
from idsync_cli.core.config.rules import Organization
from idsync_cli.core.scoped_profile import scoped
from idsync_cli.engine.engine import Engine
from idsync_cli.engine.labels import Labels
from idsync_cli.render.store_json import entry_json
from idsync_cli.spark.rows import Answered, RowKind, Section, TaskRow, is_line, line_node, place_of
from idsync_cli.spark.rules import rules_of
from idsync_cli.spark.state import rows_of, seen_by
from idsync_cli.spark.task import TaskWork, run
from idsync_cli.spark.ties import LineTies, TieReader, attempt_mpid, mpid_name, names_of_row
from idsync_cli.store.sqlite import SqliteStore
from idsync_cli.transfer.profile_export import RecordLines

NOW_MS = 1_700_000_000_000

Line = tuple[int, int, int, bytes]
"""A line with its sequence number, the number of its file, and where it stands there."""


@dataclass
class Job:
    """Files under rules."""

    organization: Organization
    files: list[list[bytes]]

    def lines(self, last_seq: int) -> list[Line]:
        found: list[Line] = []
        for number, file in enumerate(self.files):
            for line, data in wire.not_blank(file, 1):
                last_seq += 1
                found.append((last_seq, number, line, data))
        return found

    @property
    def names(self) -> list[str] | None:
        names = [f"file-{number}.jsonl" for number in range(len(self.files))]
        return names if len(names) > 1 else None


@dataclass
class Result:
    answers: list[bytes] = field(default_factory=list)
    export: list[str] = field(default_factory=list)
    history: list[str] = field(default_factory=list)
    hidden: list[str] = field(default_factory=list)
    """Times that an export does not tell, and who is not known yet."""


# ---- Serially


def serially(store: SqliteStore, jobs: Sequence[Job]) -> Result:
    """The same by the engine over one store, as `idsync replay` does it."""
    result = Result()
    with store.reading() as transaction:
        first = transaction.last_seq
    for job in jobs:
        engine = Engine(job.organization, store, now=lambda: NOW_MS)
        reader = wire.LineReader()
        names = job.names
        for number, file in enumerate(job.files):
            answers = engine.batch(reader.requests(wire.not_blank(file, 1)), Labels())
            name = None if names is None else names[number]
            result.answers += [wire.answer_line(a, explain=False, file=name)[:-1] for a in answers]
    rules = jobs[-1].organization
    result.export = exported(store, rules)
    with store.reading() as transaction:
        result.history = [
            wire.encode(entry_json(each)) for each in transaction.history() if each.seq > first
        ]
        rows = [*rows_of(transaction, rules)]
        result.hidden = hidden_in(rows)
    return result


def exported(store: SqliteStore, rules: Organization) -> list[str]:
    with store.reading() as transaction:
        profiles = [
            wire.encode(wire.profile_json(scoped(profile, scope, rules.scopes.get(scope))))
            for scope, profile in transaction.profiles(rules.scopes)
        ]
        records = RecordLines(wire.record_line, wire.digest_key_line)
        return [*profiles, *records.of(transaction.records())]


def hidden_in(rows: Iterable[TaskRow]) -> list[str]:
    """What the rows of a state say beyond an export."""
    found = [row.data.decode() for row in rows if row.section == Section.TIMES_ALONE]
    known = [f"{row.mpid} {row.was_known}" for row in rows if row.section == Section.PROFILE]
    return sorted(found) + sorted(known)


def lines_of_state(rows: Iterable[TaskRow]) -> list[str]:
    """The rows of a state as an export."""
    found: list[str] = []
    key = None
    for row in sorted(rows, key=place_of):
        if row.section == Section.TIMES_ALONE:
            continue
        if row.key is not None and row.key != key:
            key = row.key
            found.append(wire.digest_key_line(key))
        found.append(row.data.decode())
    return found


# ---- In tasks


class Leaders:
    """Who belongs together: each of them knows somebody who was there before."""

    def __init__(self) -> None:
        self._leader: dict[object, object] = {}

    def of(self, node: object) -> object:
        while (leader := self._leader.setdefault(node, node)) != node:
            self._leader[node] = self._leader[leader]
            node = leader
        return node

    def tie(self, one: object, other: object) -> None:
        self._leader[self.of(one)] = self.of(other)


@dataclass
class InTasks:
    """Jobs, one after another, each in windows of some lines, spread over some tasks."""

    seed: int
    window: Callable[[], int]
    tasks: int
    rng: random.Random
    rows: list[TaskRow] = field(default_factory=list)
    last_seq: int = 0
    result: Result = field(default_factory=Result)
    decisions: list[bytes] = field(default_factory=list)
    sizes: list[int] = field(default_factory=list)
    """How many lines there were in each component."""
    again: bool = False
    """Whether each task is done twice, and has to say the same."""

    def run(self, jobs: Sequence[Job]) -> Result:
        for job in jobs:
            self.rows = [seen_by(row, job.organization) for row in self.rows]
            lines = job.lines(self.last_seq)
            handed_on: dict[tuple[int, str], int | None] = {}
            while lines:
                size = self.window()
                self._window(job, lines[:size], handed_on)
                lines = lines[size:]
        self.result.export = lines_of_state(self.rows)
        self.result.hidden = hidden_in(self.rows)
        return self.result

    def _window(
        self, job: Job, lines: list[Line], handed_on: dict[tuple[int, str], int | None]
    ) -> None:
        keys = sorted({row.key for row in self.rows if row.key is not None})
        reader = TieReader(job.organization, self.seed, keys)
        tied = [reader.of_line(data) for *_, data in lines]
        leaders = Leaders()
        for row in self.rows:
            for name in names_of_row(row, job.organization):
                leaders.tie(row.node, name)
        given = tie_lines(lines, tied, leaders, handed_on)
        self._tie_new_mpids(lines, tied, leaders)
        work = TaskWork(rules_of(job.organization), self.seed, self.last_seq, NOW_MS, job.names)
        by_task: dict[int, list[TaskRow]] = defaultdict(list)
        tasks: dict[object, int] = {}
        count: Counter[object] = Counter()
        for (seq, file, line, data), place in zip(lines, given, strict=True):
            node = line_node(seq)
            leader = leaders.of(node)
            count[leader] += 1
            task = tasks.setdefault(leader, self.rng.randrange(self.tasks))
            row = TaskRow(RowKind.LINE, seq, data, node, place=place, file=file, line=line)
            by_task[task].append(row)
        self.sizes += count.values()
        left: list[TaskRow] = []
        for row in self.rows:
            its_task = tasks.get(leaders.of(row.node))
            (left if its_task is None else by_task[its_task]).append(row)
        found: list[Answered] = []
        for rows in by_task.values():
            answered = [*run(work, sorted(rows, key=place_of))]
            if self.again:
                assert [*run(work, sorted(rows, key=place_of))] == answered
            found += [each for each in answered if isinstance(each, Answered)]
            left += [each for each in answered if isinstance(each, TaskRow)]
        answers = sorted(found, key=attrgetter("seq"))
        self.result.answers += [each.answer for each in answers]
        for each in answers:
            if each.entries is not None:
                self.result.history += each.entries.decode().split("\n")
            if each.decision is not None:
                self.decisions.append(each.decision)
        self.rows = left
        self.last_seq = lines[-1][0]
        for answer, its in zip(answers, tied, strict=True):
            if its.sets is not None:
                handed_on[answer.file, its.sets] = answer.mpid

    def _tie_new_mpids(
        self, lines: Sequence[Line], tied: Sequence[LineTies], leaders: Leaders
    ) -> None:
        """Tie each line to the MPID that it may give out, and to the next ones if it is taken."""
        taken = [row.mpid for row in self.rows if row.section == Section.PROFILE]
        taken += [row.mpid for row in self.rows if not is_line(row.node) and _erases(row)]
        named: Counter[int | None] = Counter(taken)
        trying = [(seq, 0) for (seq, *_), its in zip(lines, tied, strict=True) if its.may_make]
        tried: list[tuple[int, int, int]] = []
        while trying:
            new = [(attempt_mpid(self.seed, *each), *each) for each in trying]
            tried += new
            named.update(mpid for mpid, _, _ in new)
            last = {seq: (mpid, attempt) for mpid, seq, attempt in tried}
            trying = [
                (seq, attempt + 1)
                for seq, (mpid, attempt) in last.items()
                if mpid == 0 or named[mpid] > 1
            ]
        for mpid, seq, _ in tried:
            leaders.tie(line_node(seq), mpid_name(mpid))


def _erases(row: TaskRow) -> bool:
    return row.section == Section.RECORD and json.loads(row.data)["record"] == "erasure"


def tie_label(leaders: Leaders, user: int, setter: int) -> None:
    """Tie a line to the one that set a label which it uses."""
    leaders.tie(user, setter)


def tie_lines(
    lines: Sequence[Line],
    tied: Sequence[LineTies],
    leaders: Leaders,
    handed_on: dict[tuple[int, str], int | None],
) -> Iterator[str]:
    """Tie lines to their names, and to those that set their labels; what was set before them."""
    setters: dict[tuple[int, str], int] = {}
    given: list[str] = []
    for (seq, file, _, _), its in zip(lines, tied, strict=True):
        node = line_node(seq)
        for name in its.names:
            leaders.tie(node, name)
        before: dict[str, int] = {}
        for label in its.uses:
            setter = setters.get((file, label))
            mpid = handed_on.get((file, label))
            if setter is not None:
                tie_label(leaders, node, line_node(setter))
            elif mpid is not None:
                before[label] = mpid
                leaders.tie(node, mpid_name(mpid))
        given.append(json.dumps(before) if before else "")
        if its.sets is not None:
            setters[file, its.sets] = seq
    return iter(given)
