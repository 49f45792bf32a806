"""Doctor: everything that can be wrong with a store, what each of it means, and what to do.

What the store says of itself is checked by `store.health`; here it is held against the rules of
its scopes. Results are JSON values, which `render.doctor` draws.
"""

from collections.abc import Iterator
from itertools import chain
from typing import NamedTuple

from idsync_cli import wire
from idsync_cli.core.config.rules import Organization
from idsync_cli.errors import printable, quoted
from idsync_cli.store.sqlite.health import health
from idsync_cli.store.sqlite.health.health import Finding, Sign

LISTED = 100
"""How many identifiers are listed that break a rule of today; of other faults a few places do."""

FAULT, WARNING, NOTE = "fault", "warning", "note"

_DAMAGED = (
    "the file is damaged: write nothing more to it, keep a copy, and restore the latest backup; "
    "without one, see how much of it can still be exported"
)
_OURS = (
    f"if no other program has changed the store, this is a fault of idsync: report it; {_DAMAGED}"
)


class _Saying(NamedTuple):
    level: str
    what: str
    way_out: str


_SAYINGS = {
    "mode": _Saying(
        WARNING, "others than its owner may read or write it", "take the right away with chmod 600"
    ),
    "draft": _Saying(
        WARNING,
        "a draft that a killed process has left; it may hold what the store holds",
        "remove it, unless a backup or restore is going on",
    ),
    "size": _Saying(FAULT, "the file is not as long as it says", _DAMAGED),
    "header": _Saying(FAULT, "the head of the file is not what SQLite writes", _DAMAGED),
    "sqlite": _Saying(FAULT, "SQLite's own check", f"nothing else was looked at; {_DAMAGED}"),
    "unreadable": _Saying(FAULT, "a check came upon something that cannot be", _DAMAGED),
    "schema": _Saying(
        FAULT,
        "a table, index, trigger or fixed row is not what idsync makes",
        f"undo what another program has changed; if none has, {_DAMAGED}",
    ),
    "store": _Saying(FAULT, "the row of the whole store", _DAMAGED),
    "checksum": _Saying(FAULT, "rows that are not what was written", _DAMAGED),
    "hash": _Saying(FAULT, "identifiers that are not what was written", _DAMAGED),
    "value": _Saying(FAULT, "values that no request could have given", _OURS),
    "twice": _Saying(FAULT, "identifiers that stand there twice", _OURS),
    "reference": _Saying(FAULT, "rows that refer to what is not there", _DAMAGED),
    "history": _Saying(FAULT, "history that cannot have been", _OURS),
    "holders": _Saying(FAULT, "profiles hold another thing than their history says", _OURS),
    "type": _Saying(FAULT, "identifiers are held as what they are not", _OURS),
    "types": _Saying(FAULT, "the types of a profile are not those that it holds", _OURS),
    "known": _Saying(FAULT, "known and anonymous profiles are not told apart", _OURS),
    "profile": _Saying(FAULT, "profiles that cannot be", _OURS),
    "mpid": _Saying(FAULT, "MPIDs that do not follow from the seed", _OURS),
    "counter": _Saying(FAULT, "numbers beyond the last that was taken", _OURS),
    "replay": _Saying(FAULT, "replays whose progress cannot be", _OURS),
    "label": _Saying(FAULT, "labels of no unfinished replay, or of no profile", _OURS),
    "shared_unique": _Saying(
        WARNING,
        "unique identifiers that several profiles hold",
        "so it is where the type became unique later; they stay until a request moves them: "
        "a modify takes one from all others. If the type always was unique, report it",
    ),
    "several_immutable": _Saying(
        WARNING,
        "profiles with several values of an immutable type",
        "so it is where the type became immutable later; if it always was, report it",
    ),
    "login_types": _Saying(
        NOTE,
        "scopes with other login types than before",
        "the next request brings the store up to date",
    ),
    "unnamed_scope": _Saying(
        NOTE,
        "scopes that the configuration no longer names",
        "their profiles stay, and no request can reach them",
    ),
    "orphan": _Saying(
        NOTE, "orphaned profiles", "they can be listed; no request but a modify reaches them"
    ),
}
"""What each sign means, how bad it is, and the way out."""


_BASIC = {"sqlite", "schema", "unreadable"}
"""Signs with which nothing can be said of the rules."""


def examine(path: str, organization: Organization) -> wire.Json:
    """Look at all of a store, and say what is wrong with it; nothing is written.

    Raises:
        StoreFault: there is none, or it may not be read.
    """
    of_files = list(health.of_files(path))
    counts: dict[str, int] = {}
    try:
        with health.opened(path) as connection:
            found = health.summed_up(chain(of_files, health.of_content(connection)))
            if not any(each.code in _BASIC for each in found):
                found += _by_the_rules(connection, organization)
                counts = health.row_counts(connection)
    except health.Damaged as damaged:
        found = health.summed_up([*of_files, Sign("sqlite", str(damaged))])
    return {
        "store": path,
        "sound": all(_SAYINGS[each.code].level == NOTE for each in found),
        "findings": [_json(each) for each in found],
        "checked": counts,
    }


def _by_the_rules(connection: health.Connection, organization: Organization) -> list[Finding]:
    scopes = organization.scopes.items()
    unique = frozenset(
        (name, kind)
        for name, rules in scopes
        for kind in rules.priority
        if rules.settings_of(kind).unique
    )
    immutable = frozenset((name, kind) for name, rules in scopes for kind in rules.immutable_types)
    shared = (
        Sign(
            "shared_unique",
            f"{each.identity_type} {printable(each.value)} in {printable(each.scope)}: "
            f"{each.times} profiles, {', '.join(map(str, each.mpids))}"
            + (", …" if each.times > len(each.mpids) else ""),
        )
        for each in health.shared_identifiers(connection, unique)
    )
    several = (
        Sign(
            "several_immutable",
            f"{each.mpids[0]} in {printable(each.scope)}: {each.times} of {each.identity_type}",
        )
        for each in health.profiles_with_several(connection, immutable)
    )
    found = health.summed_up(chain(shared, several), LISTED)
    return found + list(_notes(connection, organization))


def _notes(connection: health.Connection, organization: Organization) -> Iterator[Finding]:
    orphans = 0
    unnamed: list[str] = []
    changed: list[str] = []
    for each in health.scope_counts(connection):
        rules = organization.scopes.get(each.scope)
        if rules is None:
            unnamed.append(quoted(each.scope))
        elif rules.login_bits != each.login_types:
            changed.append(quoted(each.scope))
        has_lookup = each.types if rules is None else rules.holds_lookup(each.types)
        orphans += 0 if has_lookup else each.profiles
    for code, names in (("login_types", changed), ("unnamed_scope", unnamed)):
        if names:
            named = tuple(dict.fromkeys(names))
            yield Finding(code, len(named), named[:LISTED])
    if orphans:
        yield Finding("orphan", orphans, ())


def _json(finding: Finding) -> wire.Json:
    level, what, way_out = _SAYINGS[finding.code]
    return {
        "code": finding.code,
        "level": level,
        "what": what,
        "count": finding.times,
        "examples": [printable(each) for each in finding.examples],
        "way_out": way_out,
    }
