"""How many: profiles by what the rules see of them, identifiers, shared ones, and deciders."""

from collections.abc import Iterator
from dataclasses import dataclass

from idsync_cli.core.codes import EntryRule
from idsync_cli.core.identity import TYPE_ORDER, Identifier, IdentityType
from idsync_cli.core.profile import Profile
from idsync_cli.store.sqlite.connected import Connected
from idsync_cli.store.sqlite.queries.codes import deciding_type, entry_rule
from idsync_cli.store.sqlite.queries.profiles import profile_of

_KINDS = """
    SELECT name, example, number
    FROM (SELECT scope_id, known_seq != 0 AS was_known, types, min(mpid) AS example,
            count(*) AS number
        FROM profiles GROUP BY types, was_known, scope_id)
    JOIN scopes USING (scope_id) ORDER BY name, was_known, types
"""
_HELD = """
    SELECT name, total, most
    FROM (SELECT scope_id, sum(number) AS total, max(number) AS most
        FROM (SELECT created_seq, count(*) AS number FROM holders GROUP BY created_seq)
        CROSS JOIN profiles USING (created_seq)
        GROUP BY scope_id)
    JOIN scopes USING (scope_id) ORDER BY name
"""
_DECIDERS = """
    SELECT rule, identity_type, sum(number) AS requests
    FROM (SELECT outcome_id, count(*) AS number FROM requests GROUP BY outcome_id)
    JOIN outcomes USING (outcome_id)
    GROUP BY rule, identity_type ORDER BY requests DESC, rule, identity_type
"""
_SHARED = """
    SELECT value, count(*)
    FROM holders JOIN identifiers USING (identifier_id) JOIN scopes USING (scope_id)
    WHERE name = ? AND identifiers.identity_type_id = ?
    GROUP BY identifier_id HAVING count(*) > 1 ORDER BY count(*) DESC, value
"""


@dataclass(frozen=True, slots=True)
class ProfileKind:
    """The profiles of a scope that the rules cannot tell apart; `example` is one of them.

    They hold identifiers of the same types, and were all known once, or none of them was.
    """

    scope: str
    example: Profile
    profiles: int


@dataclass(frozen=True, slots=True)
class HeldCount:
    """How many identifiers the profiles of a scope hold together, and one of them at most."""

    identifiers: int
    most: int


@dataclass(frozen=True, slots=True)
class DeciderCount:
    """How many requests that changed the store a rule decided, with the type that decided."""

    rule: EntryRule
    identity_type: IdentityType | None
    requests: int


def profile_kinds(transaction: Connected) -> list[ProfileKind]:
    """Every kind of profile that is there, with how many; all rows of `profiles` are read.

    What a profile is by the rules of its scope follows from its kind, so that the rules need
    not be asked about every profile of a large store.
    """
    kinds = []
    for name, mpid, number in transaction.connection.execute(_KINDS).fetchall():
        example = profile_of(transaction, mpid)
        assert example is not None
        kinds.append(ProfileKind(name, example[1], number))
    return kinds


def identifiers_held(transaction: Connected) -> dict[str, HeldCount]:
    """How many identifiers are held in each scope where any is; all of an index is read."""
    return {name: HeldCount(*counts) for name, *counts in transaction.connection.execute(_HELD)}


def deciders(transaction: Connected) -> list[DeciderCount]:
    """What decided the requests that changed the store; all rows of `requests` are read."""
    return [
        DeciderCount(entry_rule(rule), deciding_type(decider), number)
        for rule, decider, number in transaction.connection.execute(_DECIDERS)
    ]


def login_types(transaction: Connected) -> dict[str, int]:
    """The login types by which the holders of each scope are indexed, as bits of a set."""
    return dict(transaction.connection.execute("SELECT name, login_types FROM scopes").fetchall())


def shared_identifiers(
    transaction: Connected, scope: str, kind: IdentityType
) -> Iterator[tuple[Identifier, int]]:
    """The identifiers of a type that several profiles of a scope hold, and how many do."""
    for value, holders in transaction.connection.execute(_SHARED, (scope, TYPE_ORDER[kind])):
        yield Identifier(kind, value), holders
