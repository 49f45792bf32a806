"""Import of what batches and aliases brought: for the profiles that the same file brings."""

from typing import Final

from idsync_cli.core.admission import Violation
from idsync_cli.core.data.values import Alias
from idsync_cli.core.profile import ProfileView
from idsync_cli.core.records import (
    AttributeRecord,
    DataRecord,
    DeviceRecord,
    DigestRecord,
    EventRecord,
    StateRecord,
    TimesRecord,
)
from idsync_cli.files.data_lines import DataLine, DigestKeyLine
from idsync_cli.store.api import Transaction

_SAID: Final = {
    TimesRecord: "the times of the profile are",
    AttributeRecord: "the attribute is",
    DeviceRecord: "the device is",
    StateRecord: "the state of the profile is",
    EventRecord: "the event is",
    Alias: "an alias with that number is",
    DigestRecord: "the digest is",
}


class RecordImport:
    """Takes in the records of a file, in the order of their numbers.

    Numbers up to that of the store before may be taken there; which of them this file takes has to
    be told (`mark_taken`).
    """

    def __init__(self, transaction: Transaction, now_ms: int) -> None:
        self._transaction = transaction
        self._now_ms = now_ms
        self._last_before = transaction.last_seq
        self._taken: set[int] = set()  # by this file, of those numbers
        self._of_erasures: set[int] = set()  # taken by erasures of this file, which share them not
        self._key: bytes | None = None
        self._seq = 0
        self._events: set[tuple[int, int]] = set()  # of that number, by MPID and place

    def mark_taken(self, seq: int) -> None:
        """Know of a number that the file takes."""
        if seq <= self._last_before:
            self._taken.add(seq)

    def mark_taken_by_erasure(self, seq: int) -> None:
        """Know of a number that an erasure of the file takes, and shares with nothing else."""
        self._of_erasures.add(seq)

    def brings(self, created_seq: int) -> bool:
        """Whether a profile came with this file."""
        return created_seq > self._last_before or created_seq in self._taken

    def add_key(self, line: DigestKeyLine) -> None:
        """Know the key of the digests that follow."""
        self._key = line.key

    def insert(self, line: DataLine) -> Violation | None:
        """Add a record to the store, or say why it cannot be added."""
        record = line.record
        if isinstance(record, DigestRecord):
            if self._key is None:
                what = "no key: a line with the record digest_key comes before the first digest"
                return Violation(what, ())
            record = record._replace(key=self._key)
        violation = self._check_profiles(record)
        if violation is None and not isinstance(record, TimesRecord):
            violation = self._check_number(record)
        if violation is not None:
            return violation
        if not self._is_new(record):
            what = f"{_SAID[type(record)]} in an earlier line, or in the store; remove this one"
            return Violation(what, ())
        if not isinstance(record, TimesRecord):
            self.mark_taken(record.seq)
            if isinstance(record, DeviceRecord):
                self.mark_taken(record.first_seq)
            self._transaction.advance_to(max(self._transaction.last_seq, record.seq))
        return None

    def _check_profiles(self, record: TimesRecord | DataRecord) -> Violation | None:
        scopes: set[str] = set()
        for name, mpid in profiles_of(record).items():
            found = self._transaction.view(mpid)
            if found is None:
                what = f"no profile has the MPID {mpid}; its line must come before its data"
                return Violation(what, (name,))
            scope, profile = found
            violation = self._check_profile(record, name, profile)
            if violation is not None:
                return violation
            scopes.add(scope)
        if len(scopes) > 1:
            what = "the two profiles are in different scopes; an alias stays within one scope"
            return Violation(what, ("destination_mpid",))
        return None

    def _check_profile(
        self, record: TimesRecord | DataRecord, name: str, profile: ProfileView
    ) -> Violation | None:
        if not self.brings(profile.created_seq):
            what = (
                f"the profile {profile.mpid} was in the store before; an import adds data only to "
                "its own profiles; remove the line"
            )
            return Violation(what, (name,))
        if isinstance(record, TimesRecord):
            return None
        first = record.first_seq if isinstance(record, DeviceRecord) else record.seq
        if first < profile.created_seq:
            word = "first_seq" if isinstance(record, DeviceRecord) else "seq"
            what = (
                f"{word} is {first}, but its profile was created by request {profile.created_seq}"
            )
            return Violation(what, (word,))
        return None

    def _check_number(self, record: DataRecord) -> Violation | None:
        seq = record.seq
        if seq < self._seq:
            what = f"seq is {seq}, after a line with {self._seq}; these lines must be sorted by seq"
            return Violation(what, ("seq",))
        if seq > self._seq:
            self._seq, self._events = seq, set()
        for word, number in _numbers_of(record):
            may_be_taken = number <= self._last_before and number not in self._taken
            if number in self._of_erasures:
                what = (
                    f"{word} {number} is that of an erasure in an earlier line; each is used once"
                )
                return Violation(what, (word,))
            if may_be_taken and self._transaction.is_taken(number):
                what = f"{word} {number} is already in use; import into a new store"
                return Violation(what, (word,))
        return None

    def _is_new(self, record: TimesRecord | DataRecord) -> bool:
        if isinstance(record, EventRecord):
            where = record.mpid, record.place
            if where in self._events:
                return False
            self._events.add(where)
        return self._transaction.insert_record(record, self._now_ms)


def profiles_of(record: TimesRecord | DataRecord) -> dict[str, int]:
    """The profiles that a record names, by the member in which it does."""
    if isinstance(record, Alias):
        source, destination = record.source_mpid, record.destination_mpid
        return {"source_mpid": source, "destination_mpid": destination}
    return {} if record.mpid is None else {"mpid": record.mpid}


def _numbers_of(record: DataRecord) -> list[tuple[str, int]]:
    """The sequence numbers that a record takes, and the member in which it does.

    The digest of a batch whose profile was erased takes none any more.
    """
    if isinstance(record, DigestRecord) and record.mpid is None:
        return []
    numbers = [("seq", record.seq)]
    if isinstance(record, DeviceRecord) and record.first_seq < record.seq:
        numbers.append(("first_seq", record.first_seq))
    return numbers
