"""Which profiles hold, or once held, which identifiers: the newest first, and no more than asked.

Identifiers go by their `identifier_id`.
"""

from collections.abc import Collection

from idsync_cli.core.identity import Identifier
from idsync_cli.core.profile import ProfileView
from idsync_cli.store.links import LinkRow
from idsync_cli.store.sqlite.cache.cached_profiles import TYPES
from idsync_cli.store.sqlite.connected import Connected

_HELD_BY = """
    SELECT created_seq, identifier_id, added_seq, NULL
    FROM holders INDEXED BY holders_by_profile WHERE created_seq = ?
    ORDER BY added_seq DESC, place DESC LIMIT ?
"""
_ONCE_HELD_BY = """
    SELECT created_seq, identifier_id, added_seq, removed_seq FROM past_holders
    WHERE created_seq = ? ORDER BY added_seq DESC, added_place DESC LIMIT ?
"""
# Either range of an identifier stands in order of creation; here each is read from its end.
_HOLDERS_IN = """
    SELECT created_seq, identifier_id, added_seq, NULL FROM holders
    WHERE identifier_id = ?1 AND known = {} ORDER BY created_seq DESC LIMIT ?2
"""
_HOLDERS = f"""
    SELECT * FROM (SELECT * FROM ({_HOLDERS_IN.format(0)})
        UNION ALL SELECT * FROM ({_HOLDERS_IN.format(1)})) ORDER BY created_seq DESC LIMIT ?2
"""
_PAST_HOLDERS = """
    SELECT created_seq, identifier_id, added_seq, removed_seq
    FROM past_holders INDEXED BY past_holders_by_identifier
    WHERE identifier_id = ? ORDER BY added_seq DESC, added_place DESC LIMIT ?
"""


def links_of_profile(transaction: Connected, created_seq: int, most: int) -> list[LinkRow]:
    """What a profile holds, then what it once held: the newest of each first, at most so many."""
    return _both(transaction, _HELD_BY, _ONCE_HELD_BY, created_seq, most)


def links_of_identifier(transaction: Connected, identifier_id: int, most: int) -> list[LinkRow]:
    """Who holds an identifier, then who once held it: the newest of each first."""
    return _both(transaction, _HOLDERS, _PAST_HOLDERS, identifier_id, most)


def _both(transaction: Connected, held: str, past: str, number: int, most: int) -> list[LinkRow]:
    execute = transaction.connection.execute
    rows = execute(held, (number, most)).fetchall()
    if len(rows) < most:
        rows += execute(past, (number, most - len(rows))).fetchall()
    return [LinkRow(*row) for row in rows]


def links_between(
    transaction: Connected, profiles: Collection[int], identifiers: Collection[int]
) -> list[LinkRow]:
    """Which of some profiles hold, or once held, which of some identifiers; in no order."""
    execute, those, these = transaction.connection.execute, _listed(profiles), _listed(identifiers)
    held = execute(
        "SELECT created_seq, identifier_id, added_seq, NULL FROM holders"
        f" WHERE identifier_id IN ({these}) AND known IN (0, 1) AND created_seq IN ({those})"
    ).fetchall()
    past = execute(
        "SELECT created_seq, identifier_id, added_seq, removed_seq FROM past_holders"
        f" WHERE created_seq IN ({those}) AND identifier_id IN ({these})"
    ).fetchall()
    return [LinkRow(*row) for row in (*held, *past)]


def count_identifiers_of(transaction: Connected, profiles: Collection[int]) -> int:
    """How many identifiers some profiles hold or once held, each counted once."""
    return _count(transaction, "identifier_id", "created_seq", profiles)


def count_profiles_with(transaction: Connected, identifiers: Collection[int]) -> int:
    """How many profiles hold or once held one of some identifiers, each counted once."""
    return _count(transaction, "created_seq", "identifier_id", identifiers)


def _count(transaction: Connected, counted: str, by: str, numbers: Collection[int]) -> int:
    listed = _listed(numbers)
    [count] = transaction.connection.execute(
        f"SELECT count(*) FROM (SELECT {counted} FROM holders WHERE {by} IN ({listed})"
        f" UNION SELECT {counted} FROM past_holders WHERE {by} IN ({listed}))"
    ).fetchone()
    return int(count)


def _listed(numbers: Collection[int]) -> str:
    return ", ".join(map(str, numbers))


def newest_profiles(transaction: Connected, scope: str, most: int) -> list[int]:
    """The newest profiles of a scope, oldest of them first."""
    rows = transaction.connection.execute(
        "SELECT created_seq FROM profiles JOIN scopes USING (scope_id) WHERE name = ?"
        " ORDER BY created_seq DESC LIMIT ?",
        (scope, most),
    )
    return sorted(created_seq for (created_seq,) in rows)


def profile_numbered(transaction: Connected, created_seq: int) -> tuple[str, ProfileView] | None:
    """A profile without what it holds, with the name of its scope."""
    row = transaction.connection.execute(
        "SELECT name, mpid, created_seq, source_mpid, known_seq, types"
        " FROM profiles JOIN scopes USING (scope_id) WHERE created_seq = ?",
        (created_seq,),
    ).fetchone()
    if row is None:
        return None
    scope, mpid, number, source_mpid, known_seq, types = row
    return scope, ProfileView(mpid, number, source_mpid, known_seq != 0, types)


def identifier_numbered(transaction: Connected, identifier_id: int) -> tuple[str, Identifier]:
    """An identifier, with the name of the scope in which it is one."""
    scope, type_id, value = transaction.connection.execute(
        "SELECT name, identity_type_id, value FROM identifiers JOIN scopes USING (scope_id)"
        " WHERE identifier_id = ?",
        (identifier_id,),
    ).fetchone()
    return scope, Identifier(TYPES[type_id], value)
