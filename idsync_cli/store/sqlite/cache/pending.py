"""What was changed in memory and is not in the tables yet."""

from sqlite3 import Connection

from idsync_cli.store.sqlite.cache.cached_profiles import CachedProfile, HolderRow
from idsync_cli.store.sqlite.cache.handed_over import HandedOver
from idsync_cli.store.sqlite.rows.batch import IdentifierRow, PastRow, RowBatch, Rows, RowWriter
from idsync_cli.store.sqlite.rows.checksums import profile_numbers
from idsync_cli.store.sqlite.rows.holder_changes import NOWHERE, HolderChanges
from idsync_cli.store.sqlite.rows.packed_integers import pack_numbers


class PendingChanges:
    """Profiles, identifiers and holders that are not in the tables yet, or differ there.

    `moved_unread` has the numbers of identifiers that are not in memory, and of which a holder
    became known. Unless it `keeps_past`, nothing is known of what a profile has lost. The store
    `is_in_memory` as long as its tables have nothing: no profile, no identifier, no erasure.
    """

    __slots__ = (
        "_begin_of_holders", "_changed", "_holders", "_identifiers", "_past", "_where", "_writer",
        "handed_over", "is_in_memory", "keeps_past", "moved_unread",
    )  # fmt: skip

    def __init__(self, connection: Connection) -> None:
        self._writer = RowWriter(connection)
        self._identifiers: list[IdentifierRow] = []
        self._changed: list[CachedProfile] = []
        self._holders = HolderChanges()
        self._past: list[PastRow] = []
        self._begin_of_holders = 0  # the number of integers that were handed over before
        self._where: dict[tuple[int, int], int] = {}  # changes that no `HolderRow` points at
        self.moved_unread: set[int] = set()
        self.handed_over = HandedOver()
        self.keeps_past = True
        self.is_in_memory = False

    def clear(self) -> None:
        """Note that the tables have everything."""
        self._identifiers = []
        self._changed = []
        self._begin_of_holders += self._holders.count
        self._holders = HolderChanges()
        self._past = []
        self._where = {}
        self.moved_unread = set()

    @property
    def exist(self) -> bool:
        """Whether the tables are behind what is in memory."""
        return bool(self._changed) or self._holders.count > 0

    def add_identifier(self, row: IdentifierRow) -> None:
        """Add an identifier that the tables lack."""
        self._identifiers.append(row)

    def add_profile(self, profile: CachedProfile) -> None:
        """Add a profile that is new, or differs from the tables."""
        profile.is_changed = True
        self._changed.append(profile)

    def put_holder(
        self, profile: CachedProfile, held: HolderRow, now: int, *, is_there: bool = True
    ) -> None:
        """Change a row of `holders`, to another value of `known`; `is_there` says if it exists."""
        number, seq, holders = held.number, profile.created_seq, self._holders
        begin = held.begin - self._begin_of_holders
        if begin < 0 and self._where:
            begin = self._where.get((number, seq), -1)
        if begin < 0:
            before = int(profile.stored_known) if is_there and not profile.is_new else NOWHERE
            begin = holders.add(number, seq, before, now, held.type_id, held.seq, held.place)
        else:
            holders.replace(begin, now, held.type_id, held.seq, held.place)
        held.begin = begin + self._begin_of_holders
        if now == NOWHERE or not profile.is_read:
            self._where[number, seq] = begin

    def add_past(self, profile: CachedProfile, held: HolderRow, seq: int, place: int) -> None:
        """Add that a change removes an identifier from a profile, before `CachedProfile.lose` does.

        If what the profile holds has not been read, the tables know which change had added it.
        """
        if not self.keeps_past:
            return
        created_seq, number = profile.created_seq, held.number
        added = held.seq, held.place
        if not added[0]:
            begin = self._where.get((number, created_seq))
            if begin is not None:
                added = self._holders.added_at(begin)
        self._past.append((created_seq, *added, number, seq, place))

    def range_of(self, number: int, created_seq: int) -> int | None:
        """The value of `known` in a row of `holders` now; None if the row has not changed."""
        where = number, created_seq
        begin = self._where.get(where)
        if begin is not None:
            return self._holders.range_at(begin)
        return self.handed_over.range_of(number, created_seq)

    def has_profile(self, profile: CachedProfile) -> bool:
        """Whether a profile may differ from what the tables have."""
        return profile.is_changed or profile.created_seq in self.handed_over.profiles

    def write(self) -> None:
        """Bring the tables up to date.

        Raises:
            TablesBehind: another process has to do that.
        """
        if self.handed_over.goes_on:
            self.handed_over.check_all_written(has_changes=self.exist)
        elif self.exist:
            batch = RowBatch()
            self.give_to(batch)
            self._writer.write(Rows(batch), "")

    def give_to(self, batch: RowBatch) -> None:
        """Put what was changed into a batch; from now on it counts as written."""
        self.is_in_memory = False
        batch.identifiers += self._identifiers
        batch.holdings = self._holders.as_bytes()
        batch.past = self._past
        created: list[int] = []
        updated: list[int] = []
        for profile in self._changed:
            numbers = profile_numbers(
                profile.created_seq, profile.mpid, profile.scope.number, profile.source_mpid,
                profile.known_seq, profile.types, profile.first_seen_ms,
                profile.last_stored_ms,
            )  # fmt: skip
            if profile.is_new:
                created += numbers
            else:
                updated += numbers
            profile.is_new = profile.is_changed = False
            profile.stored_known = profile.known
        batch.created, batch.updated = pack_numbers(created), pack_numbers(updated)
        self.handed_over.replace(self._holders, batch.holdings, self._where, self._changed)
        self.clear()
