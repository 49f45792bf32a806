"""The summary of a replay: its answers are counted as they come."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Final, NamedTuple

from idsync_cli.core.codes import RequestKind, Status
from idsync_cli.core.config.placeholders import is_placeholder
from idsync_cli.core.decision import Answer, Refusal
from idsync_cli.core.identity import Identifier, IdentityType

REFUSED_SHOWN = 20
"""How many refused lines a summary lists, and how many MPIDs that met others."""

PLACEHOLDERS_COUNTED = 1000
"""How many values that look like placeholders are counted apart; others are counted together."""

PLACEHOLDERS_SHOWN = 20
"""How many of them a summary names."""

_Way = tuple[RequestKind | None, Status, str | None, str | None]
"""A way to answer: the kind, the status, what decided (a type, or else the rule), the error."""


_DUPLICATE: Final = Status.DUPLICATE


class RefusedLine(NamedTuple):
    """A request that was refused, the file that it came from, and its line as it stood there."""

    file: str
    answer: Answer
    text: bytes | None = None


class MetTwice(NamedTuple):
    """A line by which a recorded MPID stands for a profile, and what either met before.

    `before` is what the recorded MPID stood for, `other` a recorded MPID that stands for the
    profile as well; one of them is there.
    """

    file: str
    line: int
    recorded: int
    mpid: int
    before: int | None
    other: int | None


class KindCount(NamedTuple):
    """How many requests of a kind had a status; the kind is None for lines that are no request."""

    kind: RequestKind | None
    status: Status
    number: int


class PlaceholderCount(NamedTuple):
    """A value that looks like a placeholder, and how many requests were resolved by it."""

    identifier: Identifier
    requests: int


class Enriched(NamedTuple):
    """How many batches were enriched, and how many left out.

    That is those of profiles that have opted out, and those without a profile: rejected, or carried
    out before.
    """

    written: int = 0
    opted_out: int = 0
    without_profile: int = 0


class Ended(NamedTuple):
    """What ended a replay before all was done: a code, what is said of it, and how to go on."""

    code: str
    message: str
    way_out: str | None = None


class Summary(NamedTuple):
    """What a replay came to.

    `decided_by` counts the answers by the type that decided or else by the rule, `notes` and
    `errors` count their codes; the most frequent comes first. `refused` is how many lines were
    refused, and `first_refused` are the first of them. `stopped` says that the replay ended before
    a line that was refused, and `ended_by` what else ended it. `by_placeholders` is how many
    requests were resolved by a value that looks like a placeholder, and `placeholders` are those
    values that did most. `met_twice` is how many pairs of a recorded MPID and one of ours met
    others before, and `first_met_twice` are the first of them. `enriched` counts batches, if they
    were enriched.
    """

    requests: int
    kinds: tuple[KindCount, ...]
    decided_by: Mapping[str, int]
    created: int
    orphaned: int
    notes: Mapping[str, int]
    errors: Mapping[str, int]
    refused: int
    first_refused: tuple[RefusedLine, ...]
    stopped: bool
    dry_run: bool
    ended_by: Ended | None = None
    met_twice: int = 0
    first_met_twice: tuple[MetTwice, ...] = ()
    by_placeholders: int = 0
    placeholders: tuple[PlaceholderCount, ...] = ()
    enriched: Enriched | None = None

    @property
    def exit_status(self) -> int:
        """1 if a line was refused (section 8)."""
        return int(self.refused > 0)


class Tally:
    """Counts the answers of a replay as they come."""

    __slots__ = (
        "by_placeholders", "created", "first_met_twice", "met_twice", "notes", "orphaned",
        "placeholders", "refused", "requests", "ways",
    )  # fmt: skip

    def __init__(self) -> None:
        self.requests = 0
        self.ways: Counter[_Way] = Counter()
        self.notes: dict[str, int] = {}
        self.created = 0
        self.orphaned = 0
        self.refused: list[RefusedLine] = []
        self.by_placeholders = 0
        self.placeholders: dict[Identifier, int] = {}
        self.met_twice = 0
        self.first_met_twice: list[MetTwice] = []

    def count_all(self, answers: Iterable[Answer], file: str) -> None:
        """Count answers to lines of a file."""
        ways: list[_Way] = []
        for answer in answers:
            outcome = answer.outcome
            if isinstance(outcome, Refusal):
                way: _Way = (answer.kind, Status.ERROR, None, str(outcome.code))
                if len(self.refused) < REFUSED_SHOWN:
                    self.refused.append(RefusedLine(file, answer))
            else:
                by = outcome.decided_by
                decider: str | None = by.identity_type or by.rule
                if outcome.status is _DUPLICATE:
                    decider = None  # nothing was decided
                way = (answer.kind, outcome.status, decider, None)
                self.created += outcome.created
                self.orphaned += len(outcome.orphaned)
                for note in outcome.notes:
                    self.notes[note.code] = self.notes.get(note.code, 0) + 1
                if outcome.matched:
                    self._look_at(outcome.matched, by.identity_type)
            ways.append(way)
        self.ways.update(ways)
        self.requests += len(ways)

    def _look_at(self, matched: tuple[Identifier, ...], decider: IdentityType | None) -> None:
        """See whether a request was resolved by a placeholder.

        Where no tier decided, the first tier that found anybody says which profiles there were.
        """
        identifier = matched[0]
        if decider is not None and identifier.type is not decider:
            for each in matched:
                if each.type is decider:
                    identifier = each
        if is_placeholder(identifier.value):
            self._add_placeholder(identifier, 1)
            self.by_placeholders += 1

    def _add_placeholder(self, identifier: Identifier, requests: int) -> None:
        counted = self.placeholders
        if identifier in counted:
            counted[identifier] += requests
        elif len(counted) < PLACEHOLDERS_COUNTED:
            counted[identifier] = requests

    def keep_lines(self, lines: Iterable[tuple[int, bytes]], file: str) -> None:
        """Keep the text of those lines, given with their numbers, that are listed as refused."""
        wanted = {each.answer.line for each in self.refused if each.file == file}
        if wanted:
            texts = {number: line for number, line in lines if number in wanted}
            self.refused = [
                each._replace(text=texts.get(each.answer.line or 0, each.text))
                if each.file == file
                else each
                for each in self.refused
            ]

    def add(self, other: "Tally") -> None:
        """Add what another tally has counted."""
        self.requests += other.requests
        self.created += other.created
        self.orphaned += other.orphaned
        self.ways.update(other.ways)
        for code, number in other.notes.items():
            self.notes[code] = self.notes.get(code, 0) + number
        self.by_placeholders += other.by_placeholders
        for identifier, number in other.placeholders.items():
            self._add_placeholder(identifier, number)
        self.refused += other.refused[: REFUSED_SHOWN - len(self.refused)]
        self.met_twice += other.met_twice
        self.first_met_twice += other.first_met_twice[: REFUSED_SHOWN - len(self.first_met_twice)]

    def summary(self, *, stopped: bool, dry_run: bool) -> Summary:
        """What was counted so far, as a value."""
        kinds: dict[tuple[RequestKind | None, Status], int] = {}
        for (kind, status, _, _), number in self.ways.items():
            kinds[kind, status] = kinds.get((kind, status), 0) + number
        errors = self._by(_error_of)
        return Summary(
            requests=self.requests,
            kinds=tuple([KindCount(*each, kinds[each]) for each in sorted(kinds, key=_name_of)]),
            decided_by=self._by(_rule_of),
            created=self.created,
            orphaned=self.orphaned,
            notes=dict(Counter(self.notes).most_common()),
            errors=errors,
            refused=sum(errors.values()),
            first_refused=tuple(self.refused),
            stopped=stopped,
            dry_run=dry_run,
            by_placeholders=self.by_placeholders,
            placeholders=tuple(
                [
                    PlaceholderCount(*each)
                    for each in Counter(self.placeholders).most_common(PLACEHOLDERS_SHOWN)
                ]
            ),
            met_twice=self.met_twice,
            first_met_twice=tuple(self.first_met_twice),
        )

    def _by(self, of: Callable[[_Way], str | None]) -> dict[str, int]:
        """The answers counted by something that some of them have, the most frequent first."""
        counted: Counter[str] = Counter()
        for way, number in self.ways.items():
            what = of(way)
            if what is not None:
                counted[what] += number
        return dict(counted.most_common())


def _rule_of(way: _Way) -> str | None:
    return way[2]


def _error_of(way: _Way) -> str | None:
    return way[3]


def _name_of(counted: tuple[RequestKind | None, Status]) -> tuple[str, str]:
    kind, status = counted
    return str(kind or "none"), str(status)
