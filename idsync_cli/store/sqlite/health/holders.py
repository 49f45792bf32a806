"""Whether the identifiers of profiles agree with their history."""

import sqlite3
from collections.abc import Iterable, Iterator

from idsync_cli.store.file_values import FindingCode, Sign
from idsync_cli.store.sqlite.health.rows import AnyRow, side_by_side


def of_holders(connection: sqlite3.Connection) -> Iterator[Sign]:
    """Profiles whose identifiers disagree with the history, or with the index of look-ups."""
    changes = connection.execute(
        "SELECT created_seq, identifier_id, seq, place, op FROM changes"
        " ORDER BY created_seq, seq, place"
    )
    holders = connection.execute(_HOLDERS)
    past = connection.execute(f"SELECT {_PAST} FROM past_holders ORDER BY {_PAST}")
    rows = side_by_side(connection.execute(_PROFILES), changes, holders, past)
    for seq, profile, (its_changes, its_holders, its_past) in rows:
        if profile is None:
            yield Sign(
                FindingCode.HOLDERS,
                f"the profile created by request {seq} does not exist",
            )
            continue
        _, scope_id, known_seq, its_types, login_types, made = profile
        where = f"the profile created by request {seq}"
        if not made:
            yield Sign(FindingCode.HISTORY, f"no request created the profile {seq}")
        expected: dict[int, tuple[int, int]] = {}
        once: list[AnyRow] = []
        yield from _told(its_changes, expected, once)
        if sorted(once) != its_past:
            yield Sign(FindingCode.HOLDERS, f"what {where} once held")
        types, known = 0, bool(known_seq or its_types & (login_types or 0))
        for (
            _,
            number,
            its_known,
            its_type,
            added_seq,
            place,
            scope_of_it,
            type_of_it,
        ) in its_holders:
            types |= 1 << its_type
            if expected.pop(number, None) != (added_seq, place):
                yield Sign(FindingCode.HOLDERS, f"identifier {number} and {where}")
            if its_type != type_of_it or scope_of_it != scope_id:
                yield Sign(FindingCode.TYPE, f"identifier {number} and {where}")
            if its_known != known:
                yield Sign(FindingCode.KNOWN, f"identifier {number} and {where}")
        for number in expected:
            yield Sign(FindingCode.HOLDERS, f"identifier {number} and {where}")
        if types != its_types:
            yield Sign(FindingCode.TYPES, where)


def _told(
    changes: Iterable[AnyRow], held: dict[int, tuple[int, int]], once: list[AnyRow]
) -> Iterator[Sign]:
    """Replay the history of a profile from its beginning, and find impossible changes.

    What it holds, and what it once held, is put into `held` and `once`.
    """
    for created_seq, number, seq, place, op in changes:
        if (op == 1) == (number in held):
            yield Sign(FindingCode.HISTORY, f"change {place} of request {seq} is impossible")
        if op == 1:
            held[number] = seq, place
        elif number in held:
            once.append((created_seq, *held.pop(number), number, seq, place))


_PAST = "created_seq, added_seq, added_place, identifier_id, removed_seq, removed_place"
_HOLDERS = """
    SELECT h.created_seq, h.identifier_id, h.known, h.identity_type_id, added_seq, place,
        i.scope_id, i.identity_type_id
    FROM holders AS h LEFT JOIN identifiers AS i USING (identifier_id)
    ORDER BY h.created_seq
"""
_PROFILES = """
    SELECT created_seq, scope_id, known_seq, types, login_types,
        EXISTS (SELECT * FROM requests AS r
            WHERE r.seq = p.created_seq AND r.created_seq = p.created_seq)
    FROM profiles AS p LEFT JOIN scopes USING (scope_id) ORDER BY created_seq
"""
