"""Where the changes of a profile or of an identifier stand in the history, oldest first.

No index of `changes` serves this: every request would pay for it. What is held came by the change
that `holders` names, and what is held no more came and went by those that `past_holders` names.
Both are read in order and no further than they are asked for.
"""

from collections.abc import Iterable, Iterator, Sequence
from heapq import heappop, heappush, merge

from idsync_cli.core.identity import TYPE_BITS, TYPE_ORDER
from idsync_cli.store.sqlite.connected import Connected

ChangeKey = tuple[int, int]
"""Where a change stands: the request, and its place among what that one changed."""

_HELD_OF_TYPE = """
    SELECT added_seq, place, identifier_id FROM holders {}
    WHERE created_seq = ? AND identity_type_id = ? ORDER BY added_seq, place
"""
_PAST_OF_PROFILE = """
    SELECT added_seq, added_place, removed_seq, removed_place FROM past_holders
    WHERE created_seq = ? AND {} ORDER BY added_seq, added_place
"""
_PAST_OF_IDENTIFIER = """
    SELECT added_seq, added_place, removed_seq, removed_place
    FROM past_holders INDEXED BY past_holders_by_identifier
    WHERE identifier_id = ? ORDER BY added_seq, added_place
"""
_HOLDERS_IN_RANGE = """
    SELECT created_seq, added_seq, place FROM holders
    WHERE identifier_id = ? AND known = ? ORDER BY created_seq
"""
_COUNTS = {
    "holders": """
        SELECT count(*) FROM holders WHERE created_seq = ?1 AND {}
            AND (added_seq != ?1 OR EXISTS (SELECT * FROM requests WHERE seq = ?1))
    """,
    "past_holders": "SELECT 2 * count(*) FROM past_holders WHERE created_seq = ?1 AND {}",
}


def held_in_order(
    transaction: Connected, created_seq: int, types: int
) -> Iterator[tuple[int, int, int]]:
    """Which change brought each identifier that a profile holds, with the identifier's number.

    `types` are those that the profile holds.
    """
    execute = transaction.connection.execute
    query = _HELD_OF_TYPE.format("" if transaction.as_of else "INDEXED BY holders_by_profile")
    return merge(
        *(
            execute(query, (created_seq, TYPE_ORDER[kind]))
            for kind, bit in TYPE_BITS.items()
            if types & bit
        )
    )


def keys_of_profile(transaction: Connected, created_seq: int, types: int) -> Iterator[ChangeKey]:
    """Where the changes of a profile stand; `types` are those that it holds."""
    execute = transaction.connection.execute
    held = (row[:2] for row in held_in_order(transaction, created_seq, types))
    return merge(held, _past(execute(_PAST_OF_PROFILE.format("TRUE"), (created_seq,))))


def keys_of_identifier(transaction: Connected, numbers: Sequence[int]) -> Iterator[ChangeKey]:
    """Where the changes of an identifier stand, by its numbers in all scopes."""
    execute = transaction.connection.execute
    return merge(
        *(
            _in_order(
                ((made, 0), [(seq, place)])
                for made, seq, place in execute(_HOLDERS_IN_RANGE, (number, known))
            )
            for number in numbers
            for known in (0, 1)
        ),
        *(_past(execute(_PAST_OF_IDENTIFIER, (number,))) for number in numbers),
    )


def keys_of_both(
    transaction: Connected, created_seq: int, numbers: Sequence[int]
) -> Iterator[ChangeKey]:
    """Where the changes stand by which a profile came to hold an identifier, or no longer did."""
    execute, listed = transaction.connection.execute, _listed(numbers)
    held = execute(
        "SELECT added_seq, place FROM holders"
        f" WHERE identifier_id IN ({listed}) AND known IN (0, 1) AND created_seq = ?"
        " ORDER BY added_seq, place",
        (created_seq,),
    )
    condition = f"identifier_id IN ({listed})"
    return merge(held, _past(execute(_PAST_OF_PROFILE.format(condition), (created_seq,))))


def count_held(transaction: Connected, created_seq: int) -> int:
    """How many identifiers a profile holds."""
    [count] = transaction.connection.execute(
        "SELECT count(*) FROM holders WHERE created_seq = ?", (created_seq,)
    ).fetchone()
    return int(count)


def count_of_profile(
    transaction: Connected, created_seq: int, numbers: Sequence[int] | None = None
) -> int:
    """How many changes of a profile there are, or of some identifiers on it."""
    condition = "TRUE" if numbers is None else f"identifier_id IN ({_listed(numbers)})"
    execute = transaction.connection.execute
    return sum(
        execute(count.format(condition), (created_seq,)).fetchone()[0] for count in _COUNTS.values()
    )


def count_of_identifier(transaction: Connected, numbers: Sequence[int]) -> int:
    """How many changes of an identifier there are: every holder came by one."""
    listed = _listed(numbers)
    [count] = transaction.connection.execute(
        f"SELECT (SELECT count(*) FROM holders WHERE identifier_id IN ({listed}))"
        f" + (SELECT 2 * count(*) FROM past_holders WHERE identifier_id IN ({listed}))"
    ).fetchone()
    return int(count)


def _listed(numbers: Iterable[int]) -> str:
    return ", ".join(map(str, numbers))


def _past(rows: Iterable[tuple[int, int, int, int]]) -> Iterator[ChangeKey]:
    """The changes by which something came and went, of rows in the order in which it came."""
    return _in_order(
        ((seq, place), [(seq, place), (removed_seq, removed_place)])
        for seq, place, removed_seq, removed_place in rows
    )


def _in_order(rows: Iterable[tuple[ChangeKey, Sequence[ChangeKey]]]) -> Iterator[ChangeKey]:
    """Changes in order, of rows each of which has none before its first member.

    The rows stand in the order of those, so that few changes are in memory.
    """
    later: list[ChangeKey] = []
    for least, keys in rows:
        while later and later[0] < least:
            yield heappop(later)
        for key in keys:
            heappush(later, key)
    while later:
        yield heappop(later)
