"""What is asked of why-not: a request by itself, or a line of a file behind those before it."""

from collections.abc import Callable
from typing import NamedTuple

from idsync_cli import wire
from idsync_cli.core.codes import RequestKind
from idsync_cli.core.config.rules import Organization
from idsync_cli.core.data.batch_ids import key_of
from idsync_cli.core.decision import Answer
from idsync_cli.core.request import BatchRequest, IdentityRequest
from idsync_cli.engine.engine import Engine
from idsync_cli.engine.labels import Labels
from idsync_cli.errors import UsageFault, number_of, quoted
from idsync_cli.files.request_file import RequestFile, Source
from idsync_cli.foresight.why_not import Asked
from idsync_cli.store.api import Store

LINES_AT_ONCE = 500
"""How many lines are replayed in one transaction."""


def _unseen(_bytes: int, _requests: int) -> None:
    """Nobody looks on."""


class NoSuchLine(UsageFault):
    """The line that is asked about is not there, or is blank."""


class Asking(NamedTuple):
    """How requests are read: under which rules, and for which scope if they name none."""

    organization: Organization
    target: wire.Target | None = None

    def asked(
        self,
        request: object,
        seq: int,
        seed: int,
        labels: Labels,
        line: int | None = None,
    ) -> Asked:
        """Read a request as the engine would.

        Of an event batch, the request is the identify that it comes to.

        Raises:
            Refusal: it cannot be read.
            UsageFault: it is of a kind that is answered by its MPID.
        """
        reading = wire.Reader(self.organization, self.target, key_of(seed)).read(request)
        if reading.kind in (RequestKind.MODIFY, RequestKind.ALIAS, RequestKind.ERASE):
            raise _names_its_profile(reading.kind)
        read = wire.request_of(reading, labels, 0)
        if isinstance(read, BatchRequest):
            if read.mpid is not None or read.identity is None:
                raise _names_its_profile(RequestKind.BATCH)
            read = read.identity
        assert isinstance(read, IdentityRequest)
        assert reading.scope is not None
        assert reading.rules is not None
        return Asked(read, reading.scope, reading.rules, seq, seed, line)


class ReplayedLines(NamedTuple):
    """The lines before the one that is asked about are in the store.

    `request` is what that line says, `labels` are those set before it, and `answered` is the answer
    to an earlier line that was to be kept.
    """

    request: object
    labels: Labels
    answered: Answer | None


def replay_up_to(
    line: int,
    name: str,
    source: Source,
    store: Store,
    asking: Asking,
    keep: int | None = None,
    advance: Callable[[int, int], None] = _unseen,
) -> ReplayedLines:
    """Replay the lines of a file before one of them into a store; `keep` is one of those lines.

    `advance` is told how many bytes were read, and how many requests were answered.

    Raises:
        NoSuchLine: there is no such line, or it is blank.
        StoreFault: the store cannot be written.
    """
    engine = Engine(asking.organization, store, now=_no_time, target=asking.target)
    file, reader, labels = RequestFile(source), wire.LineReader(), Labels()
    answered: Answer | None = None
    read = 0
    while lines := file.next_lines(LINES_AT_ONCE):
        advance(source.position_in_file - read, len(lines))
        read = source.position_in_file
        before = [each for each in lines if each[0] < line]
        if before:
            for answer in engine.batch(reader.requests(before), labels):
                if answer.line == keep:
                    answered = answer
        if len(before) < len(lines):
            number, text = lines[len(before)]
            if number == line:
                return ReplayedLines(reader.request(text), labels, answered)
            raise NoSuchLine(f"line {line:,} of {quoted(name)} is blank; name one with a request")
    last = number_of(file.position.lines, "line")
    what = f"is blank, like everything after it in {quoted(name)}"
    if line > file.position.lines:
        what = f"is not there: {quoted(name)} has {last}"
    raise NoSuchLine(f"line {line:,} {what}; name one with a request")


def _names_its_profile(kind: RequestKind) -> UsageFault:
    article = "an" if kind in (RequestKind.ALIAS, RequestKind.ERASE) else "a"
    return UsageFault(
        f"{article} {kind} names its profile, so no tier decides; ask about an identify, "
        "login, logout or search"
    )


def _no_time() -> int:
    """The history of a store that is thrown away needs none."""
    return 0
