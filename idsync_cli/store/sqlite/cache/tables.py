"""Reading the tables: every query of the cache, with its rows as they come."""

import json
from collections.abc import Collection, Iterable, Iterator, Sequence
from sqlite3 import Connection

from idsync_cli.store.sqlite.rows.checksums import ProfileRow

NEWEST = 64
"""How many known, and how many anonymous, holders of an identifier are prefetched."""


_DIGESTS_AT_ONCE = 200


_STEPS = 64
"""After so many steps through lists of holders, a query does the rest, which steps faster."""


HeldRow = tuple[int, int, int, int]
"""An identifier that a profile holds: its number, its type, and which change added it."""

_COLUMNS = (
    "p.created_seq, p.mpid, p.scope_id, p.source_mpid, p.known_seq, p.types, p.first_seen_ms,"
    " p.last_stored_ms"
)
_BY_MPID = f"SELECT {_COLUMNS} FROM profiles AS p WHERE mpid = ?"
_TAKEN = """
    SELECT 1 FROM profiles WHERE mpid = ?1 UNION ALL SELECT 1 FROM erasures WHERE mpid = ?1
"""
_ANYTHING = """
    SELECT 1 FROM (SELECT 1 FROM identifiers LIMIT 1)
    UNION ALL SELECT 1 FROM (SELECT 1 FROM profiles LIMIT 1)
    UNION ALL SELECT 1 FROM (SELECT 1 FROM erasures LIMIT 1)
    LIMIT 1
"""
_BY_SEQ = f"SELECT {_COLUMNS} FROM profiles AS p WHERE created_seq = ?"
_BY_MPIDS = f"""
    SELECT {_COLUMNS} FROM json_each(?) AS k CROSS JOIN profiles AS p ON p.mpid = k.value
"""
_IDENTIFIER = """
    SELECT identifier_id FROM identifier_hashes JOIN identifiers USING (identifier_id)
    WHERE hash = ? AND value = ? AND identity_type_id = ? AND scope_id = ?
"""
_IDENTIFIERS = """
    SELECT h.hash, i.scope_id, i.identity_type_id, i.value, i.identifier_id
    FROM json_each(?) AS k
    CROSS JOIN identifier_hashes AS h ON h.hash = k.value
    CROSS JOIN identifiers AS i ON i.identifier_id = h.identifier_id
"""
_HOLDERS = f"""
    SELECT {_COLUMNS} FROM holders AS h CROSS JOIN profiles AS p ON p.created_seq = h.created_seq
    WHERE h.identifier_id = ? AND h.known = ? ORDER BY h.created_seq DESC LIMIT ?
"""
_HOLDERS_OF_EACH = f"""
    SELECT k.value, {_COLUMNS}
    FROM json_each(?1) AS k
    CROSS JOIN holders AS h ON h.identifier_id = k.value AND h.known = ?2 AND h.created_seq >=
        coalesce((
            SELECT created_seq FROM holders AS newer
            WHERE newer.identifier_id = k.value AND newer.known = ?2
            ORDER BY newer.created_seq DESC LIMIT 1 OFFSET {NEWEST - 1}
        ), 0)
    CROSS JOIN profiles AS p ON p.created_seq = h.created_seq
"""
_HELD = """
    SELECT identifier_id, identity_type_id, added_seq, place FROM holders
    WHERE created_seq = ? ORDER BY added_seq, place
"""
_HELD_BY_EACH = """
    SELECT created_seq, identifier_id, identity_type_id, added_seq, place
    FROM json_each(?) AS k
    CROSS JOIN holders AS h INDEXED BY holders_by_profile ON h.created_seq = k.value
    ORDER BY k.key, added_seq, place
"""
_HELD_VALUES = """
    SELECT identifiers.identity_type_id, value
    FROM holders JOIN identifiers USING (identifier_id)
    WHERE created_seq = ? ORDER BY added_seq, place
"""
_NEWEST_UP_TO = """
    SELECT created_seq FROM holders WHERE identifier_id = ? AND known = 0 AND created_seq <= ?
    ORDER BY created_seq DESC LIMIT 1
"""


class Tables:
    """The tables of a store, as they are in the current transaction."""

    __slots__ = ("_execute",)

    def __init__(self, connection: Connection) -> None:
        self._execute = connection.execute

    def profile(self, mpid: int) -> ProfileRow | None:
        """The profile that has the MPID."""
        row: ProfileRow | None = self._execute(_BY_MPID, (mpid,)).fetchone()
        return row

    def profile_at(self, created_seq: int) -> ProfileRow:
        """The profile created by a request, which is there."""
        row: ProfileRow = self._execute(_BY_SEQ, (created_seq,)).fetchone()
        return row

    def profiles(self, mpids: Collection[int]) -> list[ProfileRow]:
        """The profiles that have one of the MPIDs."""
        return self._execute(_BY_MPIDS, (json.dumps(list(mpids)),)).fetchall()

    def has_mpid(self, mpid: int) -> bool:
        """Whether any profile has the MPID, or had it until it was erased."""
        row = self._execute(_TAKEN, (mpid,)).fetchone()
        return row is not None

    def are_empty(self) -> bool:
        """Whether there is no profile, no identifier, and no erasure."""
        return self._execute(_ANYTHING).fetchone() is None

    def has_batch_ids(self) -> bool:
        """Whether any batch with an id was carried out."""
        return self._execute("SELECT 1 FROM batch_ids LIMIT 1").fetchone() is not None

    def batches(self, digests: Sequence[bytes]) -> Iterator[tuple[bytes, int | None]]:
        """Those of the digests that there are, with the profiles of their batches."""
        for begin in range(0, len(digests), _DIGESTS_AT_ONCE):
            some = digests[begin : begin + _DIGESTS_AT_ONCE]
            marks = ", ".join("?" * len(some))
            yield from self._execute(
                f"SELECT digest, created_seq FROM batch_ids WHERE digest IN ({marks})", some
            )

    def highest_identifier(self) -> int:
        """The highest number of an identifier; 0 where there is none."""
        [highest] = self._execute("SELECT max(identifier_id) FROM identifiers").fetchone()
        return int(highest or 0)

    def identifier_number(
        self, its_hash: int, value: str, type_id: int, scope_id: int
    ) -> int | None:
        """The number of an identifier, if it has one."""
        row = self._execute(_IDENTIFIER, (its_hash, value, type_id, scope_id)).fetchone()
        return row[0] if row else None

    def identifiers_by_hash(
        self, hashes: Collection[int]
    ) -> Iterable[tuple[int, int, int, str, int]]:
        """What has one of the hashes: the hash, scope, type, value and number of each."""
        return self._execute(_IDENTIFIERS, (json.dumps(list(hashes)),))

    def identifier(self, number: int) -> tuple[int, str]:
        """The type and value of the identifier that has a number."""
        row: tuple[int, str] = self._execute(
            "SELECT identity_type_id, value FROM identifiers WHERE identifier_id = ?", (number,)
        ).fetchone()
        return row

    def holders(self, number: int | None, *, known: bool, limit: int) -> list[ProfileRow]:
        """The newest known, or anonymous, holders of an identifier; all if the limit is -1."""
        return self._execute(_HOLDERS, (number, known, limit)).fetchall()

    def holders_of_each(
        self, numbers: Collection[int], *, known: bool
    ) -> Iterable[tuple[int, ProfileRow]]:
        """The newest NEWEST holders of each of some identifiers, oldest first."""
        for row in self._execute(_HOLDERS_OF_EACH, (json.dumps(list(numbers)), known)):
            yield row[0], row[1:]

    def is_holder(self, number: int, created_seq: int, *, known: bool) -> bool:
        """Whether a profile is among the known, or the anonymous, holders of an identifier."""
        row = self._execute(
            "SELECT 1 FROM holders WHERE identifier_id = ? AND known = ? AND created_seq = ?",
            (number, known, created_seq),
        )
        return row.fetchone() is not None

    def held(self, created_seq: int) -> list[HeldRow]:
        """What a profile holds, oldest first."""
        return self._execute(_HELD, (created_seq,)).fetchall()

    def held_by_each(
        self, created_seqs: Collection[int]
    ) -> Iterable[tuple[int, int, int, int, int]]:
        """What each of some profiles holds, oldest first; each row begins with the profile."""
        return self._execute(_HELD_BY_EACH, (json.dumps(list(created_seqs)),))

    def held_values(self, created_seq: int) -> list[tuple[int, str]]:
        """The type and value of each identifier that a profile holds, oldest first."""
        return self._execute(_HELD_VALUES, (created_seq,)).fetchall()

    def anonymous_with_all(
        self, numbers: Sequence[int], bound: int, limit: int, lacking: int | None
    ) -> list[ProfileRow]:
        """Anonymous profiles created up to `bound` that hold all identifiers and lack one.

        Newest first, at most `limit`; all if it is -1.
        """
        first, *others = numbers
        has = "SELECT 1 FROM holders AS o WHERE o.created_seq = h.created_seq AND o.known = 0"
        conditions = f" AND EXISTS ({has} AND o.identifier_id = ?)" * len(others)
        values = [first, bound, *others]
        if lacking is not None:
            conditions += f" AND NOT EXISTS ({has} AND o.identifier_id = ?)"
            values.append(lacking)
        return self._execute(
            f"SELECT {_COLUMNS} FROM holders AS h"
            " CROSS JOIN profiles AS p ON p.created_seq = h.created_seq"
            f" WHERE h.identifier_id = ? AND h.known = 0 AND h.created_seq <= ? {conditions}"
            " ORDER BY h.created_seq DESC LIMIT ?",
            (*values, limit),
        ).fetchall()

    def step_down(
        self, numbers: Sequence[int], bound: int, limit: int | None
    ) -> tuple[list[int], int]:
        """The newest anonymous profiles that hold all of several identifiers, from `bound` down.

        Also gives where to continue, or -1 if there are no more. The lists of holders are walked
        down together, each from where the one before stopped. If two lists do not overlap, a few
        steps show it.
        """
        found: list[int] = []
        agreeing = 0
        for step in range(_STEPS):
            row = self._execute(_NEWEST_UP_TO, (numbers[step % len(numbers)], bound)).fetchone()
            if row is None:
                return found, -1
            agreeing = agreeing + 1 if row[0] == bound else 1
            bound = row[0]
            if agreeing == len(numbers):
                found.append(bound)
                if len(found) == limit:
                    break
                bound, agreeing = bound - 1, 0
        return found, bound
