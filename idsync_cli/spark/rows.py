"""What goes into a task, and comes out of it: rows, all of one form (section 13)."""

from enum import IntEnum
from typing import Final, NamedTuple


class RowKind(IntEnum):
    """What a row is; a task takes them in this order, and gives an `Answered` for each line."""

    STATE = 0
    LINE = 1


class Section(IntEnum):
    """Where a row of the state stands in an export; the last does not stand there."""

    PROFILE = 0
    TIMES = 1
    RECORD = 2
    TIMES_ALONE = 3


class TaskRow(NamedTuple):
    """A row of any kind; what it has depends on that, and the rest is left as it is here.

    `node` is what ties lines and profiles together: that of the line, or of the profile that a row
    of the state belongs to. `seq`, `rank`, `age` and `place` are what rows of one kind, and of a
    section, are sorted by: of a record its number, its kind, the number of its profile, and its
    name or place. `mpid` is the profile's; `other` is the destination of an alias. `key` is that of
    a digest.
    `file` and `line` say where a line stands, and `place` of a line has the labels that earlier
    windows set for it, as JSON. `data` is the line, or the text.
    """

    kind: int
    seq: int
    data: bytes
    node: int = 0
    section: int = 0
    rank: int = 0
    age: int = 0
    place: str = ""
    mpid: int | None = None
    other: int | None = None
    key: bytes | None = None
    was_known: bool = False
    file: int = 0
    line: int = 0


class Answered(NamedTuple):
    """What came of a line: its answer, with the MPID.

    If it changed anything, also the decision, as `decisions` has it, and its entries in the
    history, a line each, in their order.
    """

    seq: int
    file: int
    line: int
    mpid: int | None
    answer: bytes
    decision: bytes | None
    entries: bytes | None


def place_of(row: TaskRow) -> tuple[int, int, int, int, int, str]:
    """What the rows of a task are sorted by."""
    return row.kind, row.section, row.seq, row.rank, row.age, row.place


_KINDS_OF_NODES: Final = 4


def line_node(seq: int) -> int:
    """The node of a line, by its number."""
    return seq * _KINDS_OF_NODES


def seq_of(node: int) -> int:
    """The number of what a node stands for."""
    return node // _KINDS_OF_NODES


def profile_node(created_seq: int) -> int:
    """The node of a profile of the state, and of all that it has."""
    return created_seq * _KINDS_OF_NODES + 1


def erasure_node(seq: int) -> int:
    """The node of an erasure."""
    return seq * _KINDS_OF_NODES + 2


def batch_node(seq: int) -> int:
    """The node of the id of a batch whose profile was erased."""
    return seq * _KINDS_OF_NODES + 3


def is_line(node: int) -> bool:
    """Whether a node is that of a line."""
    return node % _KINDS_OF_NODES == 0
