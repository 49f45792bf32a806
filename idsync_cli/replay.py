"""Replay: a file of requests, a line each, through the engine (section 8)."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import BinaryIO

from idsync_cli import wire
from idsync_cli.core.decision import Answer, Refusal
from idsync_cli.engine import Engine, Incoming

CHUNK_SIZE = 1000
"""How many requests a replay answers in one transaction, unless told otherwise."""

REFUSED_SHOWN = 20
"""How many refused lines a summary lists."""

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def read_requests(stream: BinaryIO) -> Iterator[Incoming]:
    """The requests of a file of JSON lines; a line that is none comes as its refusal.

    Lines end at line feeds only; blank ones are counted and passed over.
    """
    for number, line in enumerate(_lines(stream), start=1):
        content = line.removeprefix(_BYTE_ORDER_MARK) if number == 1 else line
        if len(content) <= wire.MAX_LINE_BYTES and not content.strip():
            continue
        try:
            yield Incoming(wire.decode(content), number)
        except Refusal as refusal:
            yield Incoming(refusal, number)


def _lines(stream: BinaryIO) -> Iterator[bytes]:
    """The lines without their ends; of a line that is too long, no more than shows that it is."""
    limit = wire.MAX_LINE_BYTES + 2  # the carriage return and the line feed do not count
    while line := stream.readline(limit):
        rest = line
        while rest and not rest.endswith(b"\n"):
            rest = stream.readline(limit)
        yield line.removesuffix(b"\n").removesuffix(b"\r")


def replay(
    engine: Engine, requests: Iterable[Incoming], *, chunk_size: int = CHUNK_SIZE
) -> Iterator[list[Answer]]:
    """Answer requests in order, a transaction for each chunk; each list is kept when it comes.

    Raises:
        StoreFault: the store cannot be used; the chunks that came before are kept.
    """
    requests = iter(requests)
    while chunk := list(islice(requests, chunk_size)):
        yield engine.batch(chunk)


@dataclass(slots=True)
class Summary:
    """What a replay came to, counted as its answers come."""

    requests: int = 0
    kinds: Counter[tuple[str, str]] = field(default_factory=Counter)
    decided_by: Counter[str] = field(default_factory=Counter)
    notes: Counter[str] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)
    created: int = 0
    orphaned: int = 0
    refused: list[Answer] = field(default_factory=list)

    @property
    def refused_count(self) -> int:
        """How many lines were refused; `refused` holds the first of them."""
        return sum(self.errors.values())

    def count(self, answer: Answer) -> None:
        """Take an answer into account."""
        self.requests += 1
        self.kinds[answer.kind.value if answer.kind else "none", answer.status.value] += 1
        outcome = answer.outcome
        if isinstance(outcome, Refusal):
            self.errors[outcome.code.value] += 1
            if len(self.refused) < REFUSED_SHOWN:
                self.refused.append(answer)
            return
        decided_by = outcome.decided_by
        self.decided_by[decided_by.identity_type or decided_by.rule] += 1
        self.notes.update(note.code.value for note in outcome.notes)
        self.created += outcome.created is not None
        self.orphaned += len(outcome.orphaned)

    def as_json(self) -> wire.Json:
        """The summary for machines."""
        kinds: dict[str, dict[str, int]] = {}
        for (kind, status), number in sorted(self.kinds.items()):
            kinds.setdefault(kind, {})[status] = number
        return {
            "requests": self.requests,
            "kinds": kinds,
            "decided_by": dict(self.decided_by.most_common()),
            "profiles_created": self.created,
            "profiles_orphaned": self.orphaned,
            "notes": dict(self.notes.most_common()),
            "refused": self.refused_count,
            "errors": dict(self.errors.most_common()),
            "first_refused": [wire.answer_json(each, explain=False) for each in self.refused],
        }
