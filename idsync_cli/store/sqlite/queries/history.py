"""What changed, and by which request."""

from collections.abc import Iterator
from heapq import merge
from itertools import chain, groupby, islice
from typing import Any

from idsync_cli.core.codes import Op
from idsync_cli.core.decision import Change
from idsync_cli.core.identity import Identifier
from idsync_cli.core.profile import ProfileView
from idsync_cli.store.causes import Act, Arrival
from idsync_cli.store.sqlite.cache.cached_profiles import TYPES
from idsync_cli.store.sqlite.connected import Connected
from idsync_cli.store.sqlite.queries.changes import (
    ChangeKey,
    count_of_identifier,
    count_of_profile,
    held_in_order,
    keys_of_both,
    keys_of_identifier,
    keys_of_profile,
)
from idsync_cli.store.sqlite.queries.codes import deciding_type, entry_kind, entry_rule
from idsync_cli.store.sqlite.queries.identifiers import identifier_ids
from idsync_cli.store.sqlite.queries.other_changes import (
    count_of_others,
    number_of,
    other_entries,
    requests_of_others,
)
from idsync_cli.store.sqlite.queries.profiles import view_of
from idsync_cli.store.sqlite.queries.requests import cause_of, requests
from idsync_cli.store.values import HistoryChange, HistoryEntry

_CHANGE = """
    SELECT seq, time_ms, type, request_id, request_timestamp_ms, op, mpid, identity_type_id, value,
        rule, identity_type
    FROM changes
    JOIN requests USING (seq)
    JOIN outcomes USING (outcome_id)
    JOIN profiles ON profiles.created_seq = changes.created_seq
    JOIN identifiers USING (identifier_id)
"""
_EVERY_CHANGE = f"{_CHANGE} ORDER BY seq, place LIMIT ?"
_CHANGE_AT = f"{_CHANGE} WHERE changes.seq = ? AND changes.place = ?"
_ARRIVAL = """
    SELECT identity_type_id, value, time_ms, type, rule, identity_type, request_id,
        request_timestamp_ms
    FROM identifiers LEFT JOIN requests ON seq = ? LEFT JOIN outcomes USING (outcome_id)
    WHERE identifier_id = ?
"""
_ACTS = """
    SELECT requests.seq, time_ms, type, rule, identity_type, request_id, request_timestamp_ms,
        answer.mpid, op, changed.mpid, identity_type_id, value
    FROM requests
    JOIN outcomes USING (outcome_id)
    LEFT JOIN profiles AS answer ON answer.created_seq = requests.created_seq
    LEFT JOIN changes ON changes.seq = requests.seq
    LEFT JOIN profiles AS changed ON changed.created_seq = changes.created_seq
    LEFT JOIN identifiers USING (identifier_id)
    WHERE requests.seq = ?
    ORDER BY place
"""


def history(
    transaction: Connected,
    mpid: int | None = None,
    identifier: Identifier | None = None,
    limit: int | None = None,
) -> Iterator[HistoryEntry]:
    """The changes of a profile, of an identifier, or of both, oldest first; at most `limit`.

    No more of the history is read than is asked for.
    """
    of_identities = _identity_entries(transaction, mpid, identifier, limit)
    if identifier is not None:
        return of_identities
    others = other_entries(transaction, mpid, limit)
    return islice(merge(of_identities, others, key=number_of), limit)


def _identity_entries(
    transaction: Connected, mpid: int | None, identifier: Identifier | None, limit: int | None
) -> Iterator[HistoryEntry]:
    execute = transaction.connection.execute
    if mpid is None and identifier is None:
        rows: Iterator[Any] = execute(_EVERY_CHANGE, (-1 if limit is None else limit,))
    else:
        keys = _change_keys(transaction, mpid, identifier)
        rows = islice((row for key in keys for row in execute(_CHANGE_AT, key)), limit)
    for seq, time_ms, kind, own_id, own_time, op, its_mpid, type_id, value, rule, decider in rows:
        yield HistoryEntry(
            seq,
            time_ms,
            entry_kind(kind),
            own_id,
            own_time,
            _identity_change(op, its_mpid, type_id, value),
            entry_rule(rule),
            deciding_type(decider),
        )


def history_length(
    transaction: Connected, *, mpid: int | None = None, identifier: Identifier | None = None
) -> int:
    """How many changes of a profile, of an identifier, or of both there are."""
    numbers = None if identifier is None else identifier_ids(transaction, identifier)
    if mpid is None:
        assert numbers is not None
        return count_of_identifier(transaction, numbers)
    others = count_of_others(transaction, mpid) if numbers is None else 0
    found = view_of(transaction, mpid)
    if found is None:
        return others
    return others + count_of_profile(transaction, found[1].created_seq, numbers)


def _change_keys(
    transaction: Connected, mpid: int | None, identifier: Identifier | None
) -> Iterator[ChangeKey]:
    numbers = [] if identifier is None else identifier_ids(transaction, identifier)
    if mpid is None:
        return keys_of_identifier(transaction, numbers)
    found = view_of(transaction, mpid)
    if found is None:
        return iter(())
    _, profile = found
    if identifier is None:
        return keys_of_profile(transaction, profile.created_seq, profile.types)
    return keys_of_both(transaction, profile.created_seq, numbers)


def arrivals(
    transaction: Connected, profile: ProfileView, limit: int | None = None
) -> list[Arrival]:
    """How the identifiers that a profile holds came to it, in that order; at most `limit`."""
    held = islice(held_in_order(transaction, profile.created_seq, profile.types), limit)
    found = []
    for seq, _, number in held:
        [row] = transaction.connection.execute(_ARRIVAL, (seq, number))
        type_id, value, *request = row
        cause = None if request[0] is None else cause_of(*request)
        found.append(Arrival(Identifier(TYPES[type_id], value), seq, cause))
    return found


def life(transaction: Connected, profile: ProfileView, limit: int | None = None) -> Iterator[Act]:
    """The requests that created or changed a profile, by number; the first `limit` of them."""
    others = groupby(other_entries(transaction, profile.mpid), key=number_of)
    of_others = next(others, _NONE)
    for number in islice(_requests_of(transaction, profile), limit):
        rows = transaction.connection.execute(_ACTS, (number,)).fetchall()
        changes: list[HistoryChange] = [
            _identity_change(op, mpid, type_id, value)
            for *_, op, mpid, type_id, value in rows
            if op is not None
        ]
        if of_others[0] == number:
            changes += [each.change for each in of_others[1]]
            of_others = next(others, _NONE)
        _, *request, answer = rows[0][:-4]
        yield Act(number, cause_of(*request), answer, tuple(changes))


_NONE: tuple[int, Iterator[HistoryEntry]] = (-1, iter(()))


def _identity_change(op: int, mpid: int, type_id: int, value: str) -> Change:
    return Change(Op.ADD if op > 0 else Op.REMOVE, mpid, Identifier(TYPES[type_id], value))


def life_length(transaction: Connected, profile: ProfileView) -> int:
    """How many requests created or changed a profile."""
    return sum(1 for _ in _requests_of(transaction, profile))


def _requests_of(transaction: Connected, profile: ProfileView) -> Iterator[int]:
    changes = keys_of_profile(transaction, profile.created_seq, profile.types)
    numbers: Iterator[int] = merge(
        (seq for seq, _ in changes), requests_of_others(transaction, profile)
    )
    created_seq = profile.created_seq
    if next(requests(transaction, created_seq), None) is None:  # it came in without a history
        numbers = (number for number in numbers if number != created_seq)
    else:
        numbers = chain((created_seq,), numbers)  # which may have given it nothing
    return (number for number, _ in groupby(numbers))
