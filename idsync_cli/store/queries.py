"""Queries for people: what a store holds, and by which requests it came to be so."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import starmap

from idsync_cli.core.identity import Identifier, IdentityType
from idsync_cli.core.profile import Profile
from idsync_cli.store.session import Session

_KINDS = """
    WITH held AS (
        SELECT created_seq, identity_type, count(*) AS number
        FROM identifiers GROUP BY created_seq, identity_type
    ), each AS (
        SELECT scope_id, mpid, was_known,
            (SELECT group_concat(identity_type) FROM held
                WHERE held.created_seq = profiles.created_seq) AS types,
            (SELECT count(*) FROM identifiers AS own
                WHERE own.created_seq = profiles.created_seq) AS number
        FROM profiles
        WHERE ?2 IS NULL OR EXISTS (
            SELECT * FROM identifiers AS sought
            WHERE sought.created_seq = profiles.created_seq AND sought.identity_type = ?2
        )
    )
    SELECT name, min(mpid), count(*), sum(number), max(number)
    FROM each JOIN scopes USING (scope_id)
    WHERE ?1 IS NULL OR name = ?1
    GROUP BY name, was_known, types
    ORDER BY name
"""
_CHANGES = """
    FROM changes JOIN requests USING (seq)
    WHERE (?1 IS NULL OR changes.mpid = ?1)
        AND (?2 IS NULL OR (changes.identity_type = ?2 AND value = ?3))
"""
_HISTORY = f"""
    SELECT seq, time_ms, type, request_id, op, changes.mpid, changes.identity_type, value, rule
    {_CHANGES} ORDER BY seq, place LIMIT ?4
"""
_ARRIVALS = """
    SELECT held.identity_type, value, added_seq, time_ms, type, request_id
    FROM profiles
    JOIN identifiers AS held USING (created_seq)
    LEFT JOIN requests ON requests.seq = added_seq
    WHERE profiles.mpid = ? ORDER BY identifier_id
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
class HistoryEntry:
    """A change of an identity record, and the request that made it; the time is in ms, UTC."""

    seq: int
    time_ms: int
    kind: str
    request_id: str | None
    op: str
    mpid: int
    identity_type: str
    value: str
    rule: str


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
    rows = session.connection.execute(_KINDS, (scope, holding and holding.value)).fetchall()
    kinds = []
    for name, mpid, *numbers in rows:
        example = session.scope(name).profile(mpid)
        assert example is not None
        kinds.append(ProfileKind(name, example, *numbers))
    return kinds


def history(
    session: Session,
    *,
    mpid: int | None = None,
    identifier: Identifier | None = None,
    limit: int | None = None,
) -> Iterator[HistoryEntry]:
    """The changes of a profile, of an identifier, or of both, oldest first; at most `limit`."""
    asked = _asked(mpid, identifier)
    rows = session.connection.execute(_HISTORY, (*asked, -1 if limit is None else limit))
    return starmap(HistoryEntry, rows)


def history_length(
    session: Session, *, mpid: int | None = None, identifier: Identifier | None = None
) -> int:
    """How many changes of a profile, of an identifier, or of both there are."""
    [number] = session.connection.execute(
        f"SELECT count(*) {_CHANGES}",
        _asked(mpid, identifier),
    ).fetchone()
    return int(number)


def _asked(
    mpid: int | None, identifier: Identifier | None
) -> tuple[int | None, str | None, str | None]:
    return (
        (mpid, None, None)
        if identifier is None
        else (mpid, identifier.type.value, identifier.value)
    )


def arrivals(session: Session, mpid: int) -> list[Arrival]:
    """How the identifiers that a profile holds came to it, in the order in which they did."""
    rows = session.connection.execute(_ARRIVALS, (mpid,))
    return [
        Arrival(Identifier(IdentityType(kind), value), *request) for kind, value, *request in rows
    ]


def maker(session: Session, seq: int) -> tuple[int, str, str, str | None] | None:
    """The time in ms, kind, rule and request id of the request that made a profile, if one did."""
    row: tuple[int, str, str, str | None] | None = session.connection.execute(
        "SELECT time_ms, type, rule, request_id FROM requests WHERE seq = ?", (seq,)
    ).fetchone()
    return row


def deciders(session: Session) -> list[tuple[str, str | None, int]]:
    """How many requests that changed the store each rule decided, with its type, most first."""
    return list(
        session.connection.execute(
            "SELECT rule, identity_type, count(*) AS number FROM requests"
            " GROUP BY rule, identity_type ORDER BY number DESC, rule, identity_type"
        )
    )


def types_held(session: Session, scope: str | None = None) -> list[IdentityType]:
    """The identifier types that occur, in one scope or in all, in the order of section 2."""
    rows = session.connection.execute(
        "SELECT DISTINCT identity_type FROM identifiers JOIN scopes USING (scope_id)"
        " WHERE ?1 IS NULL OR name = ?1",
        (scope,),
    )
    found = {kind for (kind,) in rows}
    return [kind for kind in IdentityType if kind.value in found]
