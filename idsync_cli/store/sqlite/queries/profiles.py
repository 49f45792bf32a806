"""Listing the profiles of a store, in the order of their creation."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from typing import Any

from idsync_cli.core.config.rules import ScopeRules
from idsync_cli.core.identity import TYPE_BITS, Identifier, IdentityType
from idsync_cli.core.profile import Profile, ProfileView
from idsync_cli.store.sqlite.cache.cached_profiles import TYPES
from idsync_cli.store.sqlite.connected import Connected
from idsync_cli.store.sqlite.queries.earlier import held_in_order
from idsync_cli.store.sqlite.queries.identifiers import identifier_ids
from idsync_cli.store.values import EVERY_PROFILE, ProfileFilter

_ALL_TYPES = sum(TYPE_BITS.values())

# CROSS JOIN keeps SQLite to this order of loops. Profiles then come by their key, one after another
# as they are fetched, and a listing of twenty reads only those.
_PROFILES = """
    SELECT p.created_seq, mpid, source_mpid, known_seq, holders.identity_type_id, value, name, {}
    FROM profiles AS p
    CROSS JOIN scopes USING (scope_id)
    LEFT JOIN holders USING (created_seq)
    LEFT JOIN identifiers USING (identifier_id)
    WHERE {}
    ORDER BY p.created_seq, added_seq, place
"""
# The same of an earlier store: what a profile held then comes of two tables, and a join with both
# would read all of them first.
_EARLIER_PROFILES = """
    SELECT p.created_seq, mpid, source_mpid, known_seq, identity_type_id, identifiers.value, name,
        NULL
    FROM profiles AS p
    CROSS JOIN scopes USING (scope_id)
    LEFT JOIN json_each(({})) AS held
    LEFT JOIN identifiers ON identifier_id = held.value
    WHERE {}
    ORDER BY p.created_seq, held.key
"""

_VIEW = """
    SELECT name, created_seq, mpid, source_mpid, known_seq, types
    FROM profiles JOIN scopes USING (scope_id)
"""
# Both ranges of an identifier stand in order of creation; of each no more is read than asked for.
_RANGE = """
    SELECT created_seq FROM holders WHERE identifier_id = ?1 AND known = {}
    ORDER BY created_seq LIMIT ?2
"""
_HOLDERS = f"""
    SELECT name, created_seq, mpid, source_mpid, known_seq, types
    FROM (SELECT * FROM ({_RANGE.format(0)}) UNION ALL SELECT * FROM ({_RANGE.format(1)})
        ORDER BY created_seq LIMIT ?2)
    CROSS JOIN profiles USING (created_seq)
    JOIN scopes USING (scope_id)
    ORDER BY created_seq
"""


def profiles(
    transaction: Connected, rules: Mapping[str, ScopeRules], asked: ProfileFilter = EVERY_PROFILE
) -> Iterator[tuple[str, Profile]]:
    """The profiles that are asked for, with the names of their scopes, oldest first.

    They are read as they are taken. A profile in a scope without rules is known if it ever was, and
    orphaned if it holds nothing.
    """
    return _found(transaction, _condition(transaction, rules, asked))


def count_profiles(
    transaction: Connected, rules: Mapping[str, ScopeRules], asked: ProfileFilter
) -> int:
    """How many profiles are asked for. It reads all rows of `profiles`, unless all count."""
    [number] = transaction.connection.execute(
        f"SELECT count(*) FROM profiles AS p WHERE {_condition(transaction, rules, asked)}"
        if asked != EVERY_PROFILE
        else "SELECT count(*) FROM profiles"  # which an index answers
    ).fetchone()
    return int(number)


def profile_of(transaction: Connected, mpid: int) -> tuple[str, Profile] | None:
    """The profile that has the MPID, in whatever scope, with the name of the scope."""
    return next(_found(transaction, f"p.mpid = {mpid}"), None)


def view_of(transaction: Connected, mpid: int) -> tuple[str, ProfileView] | None:
    """The profile that has the MPID, without what it holds, with the name of its scope."""
    row = transaction.connection.execute(f"{_VIEW} WHERE mpid = ?", (mpid,)).fetchone()
    return None if row is None else (row[0], _view(row))


def newest_views(transaction: Connected, limit: int) -> list[tuple[str, ProfileView]]:
    """The newest profiles, the last first, without what they hold; no other is read."""
    # CROSS JOIN, for SQLite would rather begin with the few scopes, and read all profiles of each.
    query = _VIEW.replace(" JOIN ", " CROSS JOIN ") + " ORDER BY created_seq DESC LIMIT ?"
    return [(row[0], _view(row)) for row in transaction.connection.execute(query, (limit,))]


def mpids_between(transaction: Connected, least: int, most: int) -> list[int]:
    """The MPIDs of profiles from one number to another, in their order: ten at most."""
    rows = transaction.connection.execute(
        "SELECT mpid FROM profiles WHERE mpid BETWEEN ? AND ? ORDER BY mpid LIMIT 10",
        (least, most),
    )
    return [mpid for (mpid,) in rows]


def holder_views(
    transaction: Connected, scope: str, identifier: Identifier, limit: int | None = None
) -> list[ProfileView]:
    """The profiles of a scope that hold exactly this identifier, without what they hold.

    Oldest first, at most `limit`, and no more of them is read.
    """
    most, found = -1 if limit is None else limit, []
    for number in identifier_ids(transaction, identifier, scope):
        found += transaction.connection.execute(_HOLDERS, (number, most)).fetchall()
    return [_view(row) for row in found]


def count_holders(transaction: Connected, scope: str, identifier: Identifier) -> int:
    """How many profiles of a scope hold exactly this identifier."""
    count = "SELECT count(*) FROM holders WHERE identifier_id = ?"
    numbers = identifier_ids(transaction, identifier, scope)
    return sum(transaction.connection.execute(count, (number,)).fetchone()[0] for number in numbers)


def _view(row: tuple[str, int, int, int | None, int, int]) -> ProfileView:
    _, created_seq, mpid, source_mpid, known_seq, types = row
    return ProfileView(mpid, created_seq, source_mpid, known_seq != 0, types)


def holders_of(transaction: Connected, scope: str, identifier: Identifier) -> list[Profile]:
    """The profiles of a scope that hold exactly this identifier, oldest first."""
    ids = ", ".join(map(str, identifier_ids(transaction, identifier, scope)))
    holders = f"(SELECT created_seq FROM holders WHERE identifier_id IN ({ids}))"
    return [profile for _, profile in _found(transaction, f"p.created_seq IN {holders}")]


def types_held(transaction: Connected, scope: str | None = None) -> list[IdentityType]:
    """The identifier types that occur, in one scope or in all, in the order of section 2."""
    rows = transaction.connection.execute(
        "SELECT DISTINCT types FROM profiles JOIN scopes USING (scope_id)"
        " WHERE ?1 IS NULL OR name = ?1",
        (scope,),
    )
    found = 0
    for (types,) in rows:
        found |= types
    return [kind for kind in IdentityType if found & TYPE_BITS[kind]]


def select_profiles(condition: str, also: str = "NULL") -> str:
    """The SELECT of the profiles `p` that fulfil a condition, with something else of each."""
    return _PROFILES.format(also, condition)


def read_profiles(found: Iterable[Any]) -> Iterator[tuple[str, Profile, Any]]:
    """The profiles of the rows that `select_profiles` finds: scope, profile, and what else."""
    for (seq, mpid, source, known_seq, name, also), rows in groupby(
        found, key=lambda row: (*row[:4], *row[6:])
    ):
        held = tuple(Identifier(TYPES[row[4]], row[5]) for row in rows if row[4] is not None)
        yield name, Profile(mpid, seq, source, known_seq != 0, held), also


def _found(transaction: Connected, condition: str) -> Iterator[tuple[str, Profile]]:
    query, as_of = select_profiles(condition), transaction.as_of
    if as_of is not None:
        query = _EARLIER_PROFILES.format(held_in_order(as_of), condition)
    for name, profile, _ in read_profiles(transaction.connection.execute(query)):
        yield name, profile


def _condition(
    transaction: Connected, rules: Mapping[str, ScopeRules], asked: ProfileFilter
) -> str:
    """What is asked of a row of `profiles`, as SQL; nothing in it but numbers of our own."""
    terms = ["TRUE"]
    if asked.holding is not None:
        terms.append(f"p.types & {TYPE_BITS[asked.holding]}")
    if (asked.scope, asked.known, asked.orphaned) != (None, None, None):
        terms.append(_by_scope(transaction, rules, asked))
    return " AND ".join(terms)


def _by_scope(transaction: Connected, rules: Mapping[str, ScopeRules], asked: ProfileFilter) -> str:
    """The question as SQL, by the rules of each scope; scopes with equal terms share one.

    It is a CASE, because SQLite does not take a chain of a thousand ORs.
    """
    scopes: dict[str, list[str]] = {}
    for number, name in transaction.connection.execute("SELECT scope_id, name FROM scopes"):
        if asked.scope in (None, name):
            scopes.setdefault(_by_rules(rules.get(name), asked), []).append(str(number))
    whens = [f"WHEN p.scope_id IN ({', '.join(ids)}) THEN {term}" for term, ids in scopes.items()]
    return f"CASE {' '.join(whens)} ELSE FALSE END" if whens else "FALSE"


def _by_rules(rules: ScopeRules | None, asked: ProfileFilter) -> str:
    login_types = 0 if rules is None else rules.login_bits
    lookup_types = _ALL_TYPES if rules is None else rules.lookup_bits
    terms = ["TRUE"]
    if asked.known is not None:
        is_not = "" if asked.known else "NOT "
        terms.append(f"{is_not}(p.known_seq OR p.types & {login_types} != 0)")
    if asked.orphaned is not None:
        terms.append(f"(p.types & {lookup_types} {'=' if asked.orphaned else '!='} 0)")
    return " AND ".join(terms)
