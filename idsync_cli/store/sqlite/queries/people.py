"""Queries for people: what a store holds, and by which requests it came to be so."""

from dataclasses import dataclass

from idsync_cli.core.identity import TYPE_BITS, TYPE_ORDER, Identifier, IdentityType
from idsync_cli.core.profile import Profile
from idsync_cli.store.sqlite.cache.in_memory import TYPES
from idsync_cli.store.sqlite.session import Session

_KINDS = """
    WITH each AS (
        SELECT p.scope_id, mpid, was_known, types, count(identifier_id) AS number
        FROM profiles AS p LEFT JOIN holders USING (created_seq)
        WHERE ?2 IS NULL OR (types >> ?2) & 1
        GROUP BY p.created_seq
    )
    SELECT name, min(mpid), count(*), sum(number), max(number)
    FROM each JOIN scopes USING (scope_id)
    WHERE ?1 IS NULL OR name = ?1
    GROUP BY name, was_known, types
    ORDER BY name
"""
_ARRIVALS = """
    SELECT held.identity_type_id, value, added_seq, time_ms, type, request_id
    FROM profiles
    JOIN holders AS held USING (created_seq)
    JOIN identifiers USING (identifier_id)
    LEFT JOIN requests ON requests.seq = added_seq
    LEFT JOIN outcomes USING (outcome_id)
    WHERE profiles.mpid = ? ORDER BY added_seq, place
"""


@dataclass(frozen=True, slots=True)
class ProfileKind:
    """The profiles of a scope that the rules cannot tell apart; `example` is one of them.

    They hold identifiers of the same types, and were all known once, or none of them was.
    """

    scope: str
    example: Profile
    profiles: int
    identifiers: int
    most_identifiers: int


@dataclass(frozen=True, slots=True)
class Arrival:
    """By which request a profile got an identifier, and when.

    Time and kind are None for a profile that no request and no import made.
    """

    identifier: Identifier
    seq: int
    time_ms: int | None
    kind: str | None
    request_id: str | None


def profile_kinds(
    session: Session, scope: str | None = None, holding: IdentityType | None = None
) -> list[ProfileKind]:
    """Every kind of profile that is there, with how many; `scope` and `holding` limit it.

    What a profile is by the rules of its scope follows from its kind, so that the rules need
    not be asked about every profile of a large store.
    """
    type_id = None if holding is None else TYPE_ORDER[holding]
    rows = session.connection.execute(_KINDS, (scope, type_id)).fetchall()
    kinds = []
    for name, mpid, *numbers in rows:
        example = session.find(mpid)
        assert example is not None
        kinds.append(ProfileKind(name, example[1], *numbers))
    return kinds


def arrivals(session: Session, mpid: int) -> list[Arrival]:
    """How the identifiers that a profile holds came to it, in the order in which they did."""
    rows = session.connection.execute(_ARRIVALS, (mpid,))
    return [
        Arrival(Identifier(TYPES[type_id], value), *request) for type_id, value, *request in rows
    ]


def maker(session: Session, seq: int) -> tuple[int, str, str, str | None] | None:
    """The time in ms, kind, rule and request id of the request that made a profile, if one did."""
    row: tuple[int, str, str, str | None] | None = session.connection.execute(
        "SELECT time_ms, type, rule, request_id FROM requests JOIN outcomes USING (outcome_id)"
        " WHERE seq = ?",
        (seq,),
    ).fetchone()
    return row


def deciders(session: Session) -> list[tuple[str, str | None, int]]:
    """How many requests that changed the store each rule decided, with its type, most first."""
    return list(
        session.connection.execute(
            "SELECT rule, identity_type, count(*) AS number"
            " FROM requests JOIN outcomes USING (outcome_id)"
            " GROUP BY rule, identity_type ORDER BY number DESC, rule, identity_type"
        )
    )


def types_held(session: Session, scope: str | None = None) -> list[IdentityType]:
    """The identifier types that occur, in one scope or in all, in the order of section 2."""
    rows = session.connection.execute(
        "SELECT DISTINCT types FROM profiles JOIN scopes USING (scope_id)"
        " WHERE ?1 IS NULL OR name = ?1",
        (scope,),
    )
    found = 0
    for (types,) in rows:
        found |= types
    return [kind for kind in IdentityType if found & TYPE_BITS[kind]]
