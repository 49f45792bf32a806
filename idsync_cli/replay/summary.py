"""What a replay came to, counted as its answers come."""

from collections import Counter
from collections.abc import Callable, Iterable

from idsync_cli import wire
from idsync_cli.core.codes import RequestKind, Status
from idsync_cli.core.decision import Answer, Refusal

REFUSED_SHOWN = 20
"""How many refused lines a summary lists."""

_Way = tuple[RequestKind | None, Status, str | None, str | None]
"""A way to answer: the kind, the status, what decided (a type, or else the rule), the error."""


class Summary:
    """What a replay came to, counted as its answers come."""

    __slots__ = (
        "created", "dry_run", "notes", "orphaned", "refused", "refused_lines", "requests",
        "stopped", "ways",
    )  # fmt: skip

    def __init__(self, *, dry_run: bool = False) -> None:
        self.requests = 0
        self.ways: dict[_Way, int] = {}
        self.notes: dict[str, int] = {}
        self.created = 0
        self.orphaned = 0
        self.refused: list[tuple[str, Answer]] = []
        self.refused_lines: dict[tuple[str, int], bytes] = {}
        self.stopped = False
        self.dry_run = dry_run

    @property
    def refused_count(self) -> int:
        """How many lines were refused; `refused` holds the first of them."""
        return sum(self._by(_error_of).values())

    def count_all(self, answers: Iterable[Answer], file: str) -> None:
        """Take answers to lines of a file into account."""
        ways = self.ways
        for answer in answers:
            outcome = answer.outcome
            if isinstance(outcome, Refusal):
                way: _Way = (answer.kind, Status.ERROR, None, str(outcome.code))
                if len(self.refused) < REFUSED_SHOWN:
                    self.refused.append((file, answer))
            else:
                by = outcome.decided_by
                way = (answer.kind, outcome.status, by.identity_type or by.rule, None)
                self.created += outcome.created
                self.orphaned += len(outcome.orphaned)
                for note in outcome.notes:
                    self.notes[note.code] = self.notes.get(note.code, 0) + 1
            ways[way] = ways.get(way, 0) + 1
            self.requests += 1

    def keep_lines(self, lines: Iterable[wire.NumberedLine], file: str) -> None:
        """Keep the lines, of some of a file, that are refused and listed."""
        wanted = {answer.line for named, answer in self.refused if named == file}
        if wanted:
            self.refused_lines |= {(file, n): line for n, line in lines if n in wanted}

    def add(self, other: "Summary") -> None:
        """Take into account what another has counted since."""
        self.requests += other.requests
        self.created += other.created
        self.orphaned += other.orphaned
        for way, number in other.ways.items():
            self.ways[way] = self.ways.get(way, 0) + number
        for code, number in other.notes.items():
            self.notes[code] = self.notes.get(code, 0) + number
        self.refused += other.refused[: REFUSED_SHOWN - len(self.refused)]
        if len(self.refused_lines) < REFUSED_SHOWN:
            self.refused_lines |= other.refused_lines

    def _by(self, of: Callable[[_Way], str | None]) -> dict[str, int]:
        """The answers by something that each of some has, the most frequent first."""
        counted: Counter[str] = Counter()
        for way, number in self.ways.items():
            what = of(way)
            if what is not None:
                counted[what] += number
        return dict(counted.most_common())

    def as_json(self) -> wire.Json:
        """The summary for machines."""
        kinds: dict[str, dict[str, int]] = {}
        for (kind, status, _, _), number in sorted(self.ways.items(), key=_name_of):
            by_status = kinds.setdefault(str(kind or "none"), {})
            by_status[status.value] = by_status.get(status.value, 0) + number
        return {
            "requests": self.requests,
            "kinds": kinds,
            "decided_by": self._by(_rule_of),
            "profiles_created": self.created,
            "profiles_orphaned": self.orphaned,
            "notes": dict(Counter(self.notes).most_common()),
            "refused": self.refused_count,
            "stopped": self.stopped,
            "dry_run": self.dry_run,
            "errors": self._by(_error_of),
            "first_refused": [
                {"file": file, **wire.answer_json(answer, explain=False)}
                for file, answer in self.refused
            ],
        }


def _rule_of(way: _Way) -> str | None:
    return way[2]


def _error_of(way: _Way) -> str | None:
    return way[3]


def _name_of(counted: tuple[_Way, int]) -> tuple[str, str]:
    kind, status, _, _ = counted[0]
    return str(kind or "none"), str(status)
