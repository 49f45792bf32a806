"""Erasures: what is kept of them, what they take away, and what they have to name (section 9)."""

from typing import Final, NamedTuple

from idsync_cli.core.codes import FileKind
from idsync_cli.core.value import Value

ERASED_VALUE: Final = ""
"""Stands in the history for a value that was erased: no identifier has it for its own."""


class Erasure(Value):
    """All that is kept of a profile that was erased: an entry of the history.

    `seq` is the request that erased it, `time_ms` when that was, in milliseconds since 1970, UTC.
    """

    __match_args__ = ("mpid", "seq", "scope", "time_ms", "request_id")
    __slots__ = __match_args__

    def __init__(
        self, mpid: int, seq: int, scope: str, time_ms: int, request_id: str | None = None
    ) -> None:
        self.mpid: Final = mpid
        self.seq: Final = seq
        self.scope: Final = scope
        self.time_ms: Final = time_ms
        self.request_id: Final = request_id


class KeptFile(NamedTuple):
    """A file whose path a store has kept: it may hold what was erased, and nobody touches it."""

    kind: FileKind
    path: str


class ErasureCounts(NamedTuple):
    """How much an erasure takes away.

    `identifiers` are those that the profile holds. `values` are those that it holds or ever held,
    and that no other profile holds now: they are gone from the whole store. `history` are the
    changes of its identity record. `attributes`, `devices` and `events` are
    those that it has.
    """

    identifiers: int = 0
    values: int = 0
    history: int = 0
    attributes: int = 0
    devices: int = 0
    events: int = 0


class ErasureReport(Value):
    """What an erasure takes away, and what it names because it stays.

    The profiles that were aliased with the erased one, those made from it, and those from which
    requests answered with it took an identifier, are there by ascending MPID. `files` are in the
    order of their paths.
    """

    __match_args__ = ("erasure", "counts", "made_from_it", "taken_from", "files", "aliased_with")
    __slots__ = __match_args__

    def __init__(
        self,
        erasure: Erasure,
        counts: ErasureCounts,
        made_from_it: tuple[int, ...] = (),
        taken_from: tuple[int, ...] = (),
        files: tuple[KeptFile, ...] = (),
        aliased_with: tuple[int, ...] = (),
    ) -> None:
        self.erasure: Final = erasure
        self.counts: Final = counts
        self.made_from_it: Final = made_from_it
        self.taken_from: Final = taken_from
        self.files: Final = files
        self.aliased_with: Final = aliased_with
