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
    "the file is damaged: stop writing to it, keep a copy and restore the latest backup; "
    "without a backup, export what can still be read"
)
_OURS = (
    "if no other program has changed the store, this is a bug in idsync: please report it; "
    f"{_DAMAGED}"
)


class _Saying(NamedTuple):
    level: Level
    what: str
    way_out: str


_SAYINGS = {
    FindingCode.MODE: _Saying(
        Level.WARNING,
        "users other than the owner can read or write it",
        "run chmod 600 on it",
    ),
    FindingCode.DRAFT: _Saying(
        Level.WARNING,
        "a draft left by a killed process, which may contain data of the store",
        "remove it, unless a backup or restore is running",
    ),
    FindingCode.SIZE: _Saying(Level.FAULT, "the file's size does not match its header", _DAMAGED),
    FindingCode.HEADER: _Saying(Level.FAULT, "the file's header is not valid for SQLite", _DAMAGED),
    FindingCode.SQLITE: _Saying(
        Level.FAULT, "SQLite's integrity check failed", f"nothing else was checked; {_DAMAGED}"
    ),
    FindingCode.UNREADABLE: _Saying(Level.FAULT, "a check could not be completed", _DAMAGED),
    FindingCode.SCHEMA: _Saying(
        Level.FAULT,
        "a table, index, trigger or fixed row is not as idsync created it",
        f"undo what another program has changed; if none has, {_DAMAGED}",
    ),
    FindingCode.STORE: _Saying(Level.FAULT, "the row that describes the store is wrong", _DAMAGED),
    FindingCode.CHECKSUM: _Saying(Level.FAULT, "rows are not as they were written", _DAMAGED),
    FindingCode.HASH: _Saying(Level.FAULT, "identifiers are not as they were written", _DAMAGED),
    FindingCode.VALUE: _Saying(Level.FAULT, "values that no request could have set", _OURS),
    FindingCode.TWICE: _Saying(Level.FAULT, "identifiers are stored twice", _OURS),
    FindingCode.REFERENCE: _Saying(Level.FAULT, "rows refer to missing rows", _DAMAGED),
    FindingCode.HISTORY: _Saying(Level.FAULT, "the history is inconsistent", _OURS),
    FindingCode.HOLDERS: _Saying(Level.FAULT, "profile contents disagree with history", _OURS),
    FindingCode.TYPE: _Saying(Level.FAULT, "identifiers are held under the wrong type", _OURS),
    FindingCode.TYPES: _Saying(
        Level.FAULT, "the stored types of profiles disagree with their identifiers", _OURS
    ),
    FindingCode.KNOWN: _Saying(
        Level.FAULT, "known profiles are indexed as anonymous, or the reverse", _OURS
    ),
    FindingCode.PROFILE: _Saying(Level.FAULT, "profiles are invalid", _OURS),
    FindingCode.MPID: _Saying(Level.FAULT, "MPIDs do not derive from the seed", _OURS),
    FindingCode.COUNTER: _Saying(
        Level.FAULT, "numbers are higher than the last one assigned", _OURS
    ),
    FindingCode.REPLAY: _Saying(Level.FAULT, "the progress of replays is invalid", _OURS),
    FindingCode.LABEL: _Saying(
        Level.FAULT, "labels belong to no unfinished replay, or to no profile", _OURS
    ),
    FindingCode.SHARED_UNIQUE: _Saying(
        Level.WARNING,
        "several profiles hold the same unique identifier",
        "this happens when a type becomes unique later; they stay until a request moves them: "
        "a modify takes one from all others. If the type was always unique, please report it",
    ),
    FindingCode.SEVERAL_IMMUTABLE: _Saying(
        Level.WARNING,
        "profiles have several values of an immutable type",
        "this happens when a type becomes immutable later; if it always was, please report it",
    ),
    FindingCode.LOGIN_TYPES: _Saying(
        Level.NOTE,
        "the login types of scopes have changed",
        "the next request that writes reindexes the store",
    ),
    FindingCode.UNNAMED_SCOPE: _Saying(
        Level.NOTE,
        "scopes are no longer in the configuration",
        "their profiles are kept, but no request can reach them",
    ),
    FindingCode.ORPHAN: _Saying(
        Level.NOTE,
        "orphaned profiles",
        "they can be listed, but only a modify can reach them",
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
