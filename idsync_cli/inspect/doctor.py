"""Doctor: everything that can be wrong with a store, what each of it means, and what to do.

The store is examined by `store.sqlite.health`, also by the rules of its scopes. Results are JSON
values, which `render.doctor` draws.
"""

from enum import StrEnum
from typing import NamedTuple

from idsync_cli import wire
from idsync_cli.core.config.rules import Organization
from idsync_cli.errors import printable
from idsync_cli.store.sqlite.health import examination
from idsync_cli.store.sqlite.health.findings import Finding, FindingCode


class Level(StrEnum):
    """How bad a finding is; with notes alone a store is sound."""

    FAULT = "fault"
    WARNING = "warning"
    NOTE = "note"


_DAMAGED = (
    "the file is damaged: write nothing more to it, keep a copy, and restore the latest backup; "
    "without one, see how much of it can still be exported"
)
_OURS = (
    f"if no other program has changed the store, this is a fault of idsync: report it; {_DAMAGED}"
)


class _Saying(NamedTuple):
    level: Level
    what: str
    way_out: str


_SAYINGS = {
    FindingCode.MODE: _Saying(
        Level.WARNING,
        "others than its owner may read or write it",
        "take the right away with chmod 600",
    ),
    FindingCode.DRAFT: _Saying(
        Level.WARNING,
        "a draft that a killed process has left; it may hold what the store holds",
        "remove it, unless a backup or restore is going on",
    ),
    FindingCode.SIZE: _Saying(Level.FAULT, "the file is not as long as it says", _DAMAGED),
    FindingCode.HEADER: _Saying(
        Level.FAULT, "the head of the file is not what SQLite writes", _DAMAGED
    ),
    FindingCode.SQLITE: _Saying(
        Level.FAULT, "SQLite's own check", f"nothing else was looked at; {_DAMAGED}"
    ),
    FindingCode.UNREADABLE: _Saying(
        Level.FAULT, "a check came upon something that cannot be", _DAMAGED
    ),
    FindingCode.SCHEMA: _Saying(
        Level.FAULT,
        "a table, index, trigger or fixed row is not what idsync makes",
        f"undo what another program has changed; if none has, {_DAMAGED}",
    ),
    FindingCode.STORE: _Saying(Level.FAULT, "the row of the whole store", _DAMAGED),
    FindingCode.CHECKSUM: _Saying(Level.FAULT, "rows that are not what was written", _DAMAGED),
    FindingCode.HASH: _Saying(Level.FAULT, "identifiers that are not what was written", _DAMAGED),
    FindingCode.VALUE: _Saying(Level.FAULT, "values that no request could have given", _OURS),
    FindingCode.TWICE: _Saying(Level.FAULT, "identifiers that stand there twice", _OURS),
    FindingCode.REFERENCE: _Saying(Level.FAULT, "rows that refer to what is not there", _DAMAGED),
    FindingCode.HISTORY: _Saying(Level.FAULT, "history that cannot have been", _OURS),
    FindingCode.HOLDERS: _Saying(
        Level.FAULT, "profiles hold another thing than their history says", _OURS
    ),
    FindingCode.TYPE: _Saying(Level.FAULT, "identifiers are held as what they are not", _OURS),
    FindingCode.TYPES: _Saying(
        Level.FAULT, "the types of a profile are not those that it holds", _OURS
    ),
    FindingCode.KNOWN: _Saying(
        Level.FAULT, "known and anonymous profiles are not told apart", _OURS
    ),
    FindingCode.PROFILE: _Saying(Level.FAULT, "profiles that cannot be", _OURS),
    FindingCode.MPID: _Saying(Level.FAULT, "MPIDs that do not follow from the seed", _OURS),
    FindingCode.COUNTER: _Saying(Level.FAULT, "numbers beyond the last that was taken", _OURS),
    FindingCode.REPLAY: _Saying(Level.FAULT, "replays whose progress cannot be", _OURS),
    FindingCode.LABEL: _Saying(
        Level.FAULT, "labels of no unfinished replay, or of no profile", _OURS
    ),
    FindingCode.SHARED_UNIQUE: _Saying(
        Level.WARNING,
        "unique identifiers that several profiles hold",
        "so it is where the type became unique later; they stay until a request moves them: "
        "a modify takes one from all others. If the type always was unique, report it",
    ),
    FindingCode.SEVERAL_IMMUTABLE: _Saying(
        Level.WARNING,
        "profiles with several values of an immutable type",
        "so it is where the type became immutable later; if it always was, report it",
    ),
    FindingCode.LOGIN_TYPES: _Saying(
        Level.NOTE,
        "scopes with other login types than before",
        "the next request brings the store up to date",
    ),
    FindingCode.UNNAMED_SCOPE: _Saying(
        Level.NOTE,
        "scopes that the configuration no longer names",
        "their profiles stay, and no request can reach them",
    ),
    FindingCode.ORPHAN: _Saying(
        Level.NOTE,
        "orphaned profiles",
        "they can be listed; no request but a modify reaches them",
    ),
}
"""What each finding means, how bad it is, and the way out."""


def examine(path: str, organization: Organization) -> wire.Json:
    """Look at all of a store, and say what is wrong with it; nothing is written.

    Raises:
        StoreFault: there is none, or it may not be read.
    """
    examined = examination.examine(path, organization.scopes)
    levels = [_SAYINGS[each.code].level for each in examined.findings]
    return {
        "store": path,
        "sound": all(level is Level.NOTE for level in levels),
        "findings": [_json(each) for each in examined.findings],
        "checked": dict(examined.counts),
    }


def _json(finding: Finding) -> wire.Json:
    level, what, way_out = _SAYINGS[finding.code]
    return {
        "code": finding.code.value,
        "level": level.value,
        "what": what,
        "count": finding.times,
        "examples": [printable(each) for each in finding.examples],
        "way_out": way_out,
    }
