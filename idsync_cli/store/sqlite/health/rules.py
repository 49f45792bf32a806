"""What a store holds against the rules of today; none of it makes the store unsound by itself."""

import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain

from idsync_cli.core.config.rules import ScopeRules
from idsync_cli.core.identity import TYPE_ORDER, IdentityType
from idsync_cli.errors import quoted
from idsync_cli.store.file_values import EXAMPLES, Finding, FindingCode, Sign, summed_up
from idsync_cli.visible import visible

LISTED = 100
"""How many identifiers are listed that break a rule of today; of other faults a few places do."""

_TYPES = tuple(IdentityType)
_Named = frozenset[tuple[str, IdentityType]]  # types with the names of their scopes


def by_the_rules(
    connection: sqlite3.Connection, by_scope: Mapping[str, ScopeRules]
) -> list[Finding]:
    """What breaks a rule, then what is only to be noted."""
    unique = frozenset(
        (name, kind)
        for name, rules in by_scope.items()
        for kind in rules.priority
        if rules.settings_of(kind).unique
    )
    immutable = frozenset(
        (name, kind) for name, rules in by_scope.items() for kind in rules.immutable_types
    )
    broken = chain(_shared_unique(connection, unique), _several_immutable(connection, immutable))
    return [*summed_up(broken, LISTED), *_notes(connection, by_scope)]


def _shared_unique(connection: sqlite3.Connection, unique: _Named) -> Iterator[Sign]:
    """Identifiers of unique types that several profiles hold, oldest first."""
    for number, type_id, count in connection.execute(
        f"SELECT identifier_id, identity_type_id, count(*) FROM holders"
        f" WHERE identity_type_id IN ({_numbers(unique)})"
        " GROUP BY identifier_id HAVING count(*) > 1 ORDER BY identifier_id"
    ):
        [(name, value)] = connection.execute(
            "SELECT name, value FROM identifiers JOIN scopes USING (scope_id)"
            " WHERE identifier_id = ?",
            (number,),
        )
        kind = _TYPES[type_id]
        if (name, kind) in unique:
            mpids = connection.execute(
                "SELECT mpid FROM holders JOIN profiles USING (created_seq)"
                " WHERE identifier_id = ? ORDER BY created_seq LIMIT ?",
                (number, EXAMPLES),
            )
            named = ", ".join(str(mpid) for (mpid,) in mpids) + (", …" if count > EXAMPLES else "")
            where = f"{kind} {visible(value)} in {visible(name)}: {count} profiles, {named}"
            yield Sign(FindingCode.SHARED_UNIQUE, where)


def _several_immutable(connection: sqlite3.Connection, immutable: _Named) -> Iterator[Sign]:
    """Profiles that hold several values of an immutable type, oldest first."""
    for seq, type_id, count in connection.execute(
        f"SELECT created_seq, identity_type_id, count(*) FROM holders"
        f" WHERE identity_type_id IN ({_numbers(immutable)})"
        " GROUP BY created_seq, identity_type_id HAVING count(*) > 1"
        " ORDER BY created_seq, identity_type_id"
    ):
        [(name, mpid)] = connection.execute(
            "SELECT name, mpid FROM profiles JOIN scopes USING (scope_id) WHERE created_seq = ?",
            (seq,),
        )
        kind = _TYPES[type_id]
        if (name, kind) in immutable:
            where = f"{mpid} in {visible(name)}: {count} of {kind}"
            yield Sign(FindingCode.SEVERAL_IMMUTABLE, where)


def _numbers(named: Iterable[tuple[str, IdentityType]]) -> str:
    return ", ".join(sorted({str(TYPE_ORDER[kind]) for _, kind in named}))


def _notes(connection: sqlite3.Connection, by_scope: Mapping[str, ScopeRules]) -> Iterator[Finding]:
    orphans = 0
    unnamed: dict[str, None] = {}
    changed: dict[str, None] = {}
    for name, login_types, types, profiles in connection.execute(
        "SELECT name, login_types, types, count(*) FROM profiles JOIN scopes USING (scope_id)"
        " GROUP BY name, login_types, types ORDER BY name"
    ):
        rules = by_scope.get(name)
        if rules is None:
            unnamed[quoted(name)] = None
        elif rules.login_bits != login_types:
            changed[quoted(name)] = None
        has_lookup = types if rules is None else rules.holds_lookup(types)
        orphans += 0 if has_lookup else profiles
    for code, names in (
        (FindingCode.LOGIN_TYPES, tuple(changed)),
        (FindingCode.UNNAMED_SCOPE, tuple(unnamed)),
    ):
        if names:
            yield Finding(code, len(names), names[:LISTED])
    if orphans:
        yield Finding(FindingCode.ORPHAN, orphans, ())
