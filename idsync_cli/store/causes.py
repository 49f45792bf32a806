"""What caused a change: values of the history, as those who look into a store are told them."""

from dataclasses import dataclass

from idsync_cli.core.codes import EntryKind, EntryRule
from idsync_cli.core.identity import Identifier, IdentityType
from idsync_cli.store.values import HistoryChange, HistoryEntry


@dataclass(frozen=True, slots=True)
class Cause:
    """The request, or the import, that changed something, and what decided it.

    `time_ms` is when it was answered, and `request_timestamp_ms` its own time, in ms since 1970,
    UTC. `decided_by_type` is the type that decided, for the rule `identifier`; at which rank it
    stood then is not known.
    """

    time_ms: int
    kind: EntryKind
    rule: EntryRule
    decided_by_type: IdentityType | None
    request_id: str | None
    request_timestamp_ms: int | None


@dataclass(frozen=True, slots=True)
class KeptRequest:
    """A request or an import that changed the store, and the MPID that it was answered with.

    The answer is None where that profile was erased.
    """

    seq: int
    scope: str
    cause: Cause
    answer: int | None


@dataclass(frozen=True, slots=True)
class Arrival:
    """By which request a profile got an identifier.

    The cause is None for a profile that no request and no import created.
    """

    identifier: Identifier
    seq: int
    cause: Cause | None


@dataclass(frozen=True, slots=True)
class Act:
    """One request of the life of a profile; `answer` is the MPID it was answered with.

    `changes` are those of identity records, of whichever profile, then those of attributes of this
    one, then an alias of it: each in the order made. The answer is None where that profile was
    erased; an identifier may have the value ERASED_VALUE.
    """

    seq: int
    cause: Cause
    answer: int | None
    changes: tuple[HistoryChange, ...]


def cause_of(entry: HistoryEntry) -> Cause:
    """The cause that an entry of the history tells of; erasures, which tell none, have no rule."""
    assert entry.rule is not None
    return Cause(
        entry.time_ms,
        entry.kind,
        entry.rule,
        entry.decided_by_type,
        entry.request_id,
        entry.request_timestamp_ms,
    )
