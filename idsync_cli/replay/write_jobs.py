"""What the process that decides and the process that writes say to each other.

A message is a length and a value of marshal: tuples of numbers, texts and bytes.
"""

import marshal
import signal
from typing import IO, Any, NamedTuple

from idsync_cli.store.sqlite.ahead import RowBatch
from idsync_cli.store.sqlite.queries.replays import ReplayRow

_LENGTH = 8
_WITHOUT_REFERENCES = 2  # this version of marshal does not look for values that came before

WRITTEN, NOT_ALONE, STORE_FAULT, USAGE_FAULT = "written", "not alone", "store", "usage"
"""What came of a job, with: seconds, nothing, and what a fault says."""

NOT_OF_THE_WRITER = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""Signals that the process that decides handles for both."""


class WriteJob(NamedTuple):
    """A batch of a replay: what it changes, and how far the replay is before it and after it.

    `labels` and `pairs` say what the labels and recorded MPIDs that it changed stand for by now.
    """

    batch: RowBatch
    before: ReplayRow
    after: ReplayRow
    labels: dict[str, int | None]
    pairs: dict[int, int | None]


def row_values(row: ReplayRow) -> tuple[Any, ...]:
    """How far a replay is, as a message has it."""
    return tuple(getattr(row, name) for name in ReplayRow.__slots__)


def put(stream: IO[bytes], message: Any) -> None:
    """Send a message.

    Raises:
        OSError: nobody reads it any more.
    """
    data = marshal.dumps(message, _WITHOUT_REFERENCES)
    stream.write(len(data).to_bytes(_LENGTH, "big") + data)
    stream.flush()


def get(stream: IO[bytes]) -> Any:
    """The next message; None if the other process has ended."""
    length = stream.read(_LENGTH)
    size = int.from_bytes(length, "big")
    data = stream.read(size) if length else b""
    if not data or len(data) < size:  # it has ended, perhaps in the middle of a message
        return None
    return marshal.loads(data)
