"""How many: profiles by what the rules see of them, identifiers, shared ones, and deciders."""

from collections.abc import Iterator

from idsync_cli.core.identity import TYPE_BITS, TYPE_ORDER, Identifier, IdentityType
from idsync_cli.store.counts import DeciderCount, HeldCount, LargeProfile, ProfileKind
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
    SELECT name, rule, identity_type, sum(number) AS requests
    FROM (SELECT outcome_id, count(*) AS number FROM requests GROUP BY outcome_id)
    JOIN outcomes USING (outcome_id) JOIN scopes USING (scope_id)
    GROUP BY name, rule, identity_type ORDER BY requests DESC, rule, identity_type, name
"""
_BY_TYPE = """
    SELECT name, identity_type_id, number
    FROM (SELECT scope_id, identity_type_id, count(*) AS number
        FROM profiles CROSS JOIN holders USING (created_seq)
        GROUP BY scope_id, identity_type_id)
    JOIN scopes USING (scope_id) ORDER BY name, identity_type_id
"""
_LARGEST = """
    SELECT name, mpid, number
    FROM (SELECT created_seq, count(*) AS number FROM holders GROUP BY created_seq
        ORDER BY number DESC, created_seq LIMIT ?)
    JOIN profiles USING (created_seq) JOIN scopes USING (scope_id)
    ORDER BY number DESC, created_seq
"""
_MOST = 2**62  # what SQLite takes for an integer, and no profile holds so many
_HOLDER_COUNTS = """
    SELECT value, count(*)
    FROM holders JOIN identifiers USING (identifier_id) JOIN scopes USING (scope_id)
    WHERE name = ? AND identifiers.identity_type_id = ?
    GROUP BY identifier_id HAVING count(*) >= ? ORDER BY count(*) DESC, value
"""
_BEYOND = """
    SELECT mpid, count(*)
    FROM profiles CROSS JOIN holders USING (created_seq) JOIN scopes USING (scope_id)
    WHERE name = ? AND identity_type_id = ? AND types & ? != 0
    GROUP BY created_seq HAVING count(*) > ? ORDER BY count(*) DESC, created_seq
"""


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
        DeciderCount(scope, entry_rule(rule), deciding_type(decider), number)
        for scope, rule, decider, number in transaction.connection.execute(_DECIDERS)
    ]


def identifiers_by_type(transaction: Connected) -> dict[str, dict[IdentityType, int]]:
    """How many identifiers of each type are held in each scope; all of an index is read."""
    kinds, found = list(TYPE_ORDER), dict[str, dict[IdentityType, int]]()
    for name, kind, number in transaction.connection.execute(_BY_TYPE):
        found.setdefault(name, {})[kinds[kind]] = number
    return found


def largest_profiles(transaction: Connected, most: int) -> list[LargeProfile]:
    """The profiles that hold the most identifiers; all of an index is read."""
    return [LargeProfile(*row) for row in transaction.connection.execute(_LARGEST, (most,))]


def holder_counts(
    transaction: Connected, scope: str, kind: IdentityType, least: int
) -> Iterator[tuple[Identifier, int]]:
    """The identifiers of a type that at least so many profiles of a scope hold; most held first."""
    asked = scope, TYPE_ORDER[kind], least
    for value, holders in transaction.connection.execute(_HOLDER_COUNTS, asked):
        yield Identifier(kind, value), holders


def profiles_beyond(
    transaction: Connected, scope: str, kind: IdentityType, limit: int
) -> Iterator[tuple[int, int]]:
    """The profiles of a scope that hold more values of a type than a limit, and how many."""
    asked = scope, TYPE_ORDER[kind], TYPE_BITS[kind], min(limit, _MOST)
    yield from transaction.connection.execute(_BEYOND, asked)
