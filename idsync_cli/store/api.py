"""The contract of every store: what it takes to answer requests, and to tell what came of them.

`store/sqlite` keeps a store in a file, `store/memory` keeps a small one in dictionaries. Another
kind of store is a class that derives from these; it may be plain Python even if idsync is compiled.
It is done when it passes `tests/test_store_conformance.py` and the tests of `Inspection`,
`Counting` and `Links`.

What makes sense for a file alone is not part of the contract, and belongs to SQLite: the progress
of replays with their labels and recorded MPIDs, a second process that writes, copies and upgrades,
health, a look back to how the store was after an earlier request, requests of data subjects, and
which files of a user have to be erased with a profile.

Everything that goes in or comes out is a value. It never changes afterwards, and can still be read
when the store is closed.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from types import TracebackType
from typing import TYPE_CHECKING, Self

from mypy_extensions import mypyc_attr

from idsync_cli.core.config.rules import ScopeRules
from idsync_cli.core.decision import Decision
from idsync_cli.core.erasure import Erasure, ErasureReport
from idsync_cli.core.identity import Identifier
from idsync_cli.core.lookup import Lookup
from idsync_cli.core.profile import Profile, ProfileView
from idsync_cli.store.questions import Questions
from idsync_cli.store.values import RequestEntry

if TYPE_CHECKING:
    from idsync_cli.core.records import DataRecord, TimesRecord
    from idsync_cli.store.counting import Counting
    from idsync_cli.store.inspection import Inspection
    from idsync_cli.store.links import Links


class MpidTaken(Exception):
    """A new MPID that was assumed to be free is taken; the requests must be decided again."""


@mypyc_attr(allow_interpreted_subclasses=True)
class Transaction(Questions):
    """A store in one transaction. It sees its own changes, but not what others change meanwhile.

    Only the thread that began it may use it, until it ends. Any method may raise StoreFault: the
    store cannot be used, and nothing of the transaction is kept. It may also raise MpidTaken, where
    `Store.writing` says so.
    """

    __slots__ = ()

    # Numbers.

    @property
    @abstractmethod
    def seed(self) -> int:
        """That of the store."""

    @property
    @abstractmethod
    def last_seq(self) -> int:
        """The highest sequence number that was taken; 0 in a new store (section 7)."""

    @abstractmethod
    def advance_to(self, seq: int) -> None:
        """Set the highest sequence number that was taken; it is not below `last_seq`."""

    @abstractmethod
    def is_taken(self, seq: int) -> bool:
        """Whether a profile was created, or anything changed, under the sequence number.

        What was created and changed of a profile that was erased no longer counts.
        """

    # What the rules ask, and what they decided.

    @abstractmethod
    def stale_scopes(self, rules: Mapping[str, ScopeRules]) -> tuple[str, ...]:
        """The names that `align` would give under these rules, in their order; nothing is done."""

    @abstractmethod
    def align(self, rules: Mapping[str, ScopeRules]) -> tuple[str, ...]:
        """Prepare for requests under these rules, by scope.

        Gives the names of the scopes whose login types have changed since they were last prepared,
        or got their first profile, so that something had to be brought up to date. Look-ups are
        right without it, because they go by the rules that they are made for.
        """

    @abstractmethod
    def prefetch(
        self,
        scope: str,
        rules: ScopeRules,
        identifiers: Iterable[Identifier],
        mpids: Iterable[int],
        digests: Iterable[bytes] = (),
    ) -> None:
        """Read what look-ups of a scope will soon be about, all at once; a store may ignore it."""

    @abstractmethod
    def lookup(self, scope: str, rules: ScopeRules) -> Lookup:
        """Look-ups in a scope under its rules; the scope need not have any profile.

        They are valid until something is changed, or the transaction ends.
        """

    @abstractmethod
    def apply(self, decision: Decision, scope: str, rules: ScopeRules, entry: RequestEntry) -> None:
        """Apply a decision, and enter it in the history.

        The decision changes something, and was made on this transaction as it is now. Only its
        status, deciding rule, answered profile (and whether that is new), changes, updated profiles
        and data are used. The sequence number is not advanced.

        An alias copies the events of its window that the source has, and its install attribution;
        the destination was then first seen as early as the source. Events of a batch that are in
        the window of one of the decision's aliases are its destination's, too.

        An event of a batch without a time of its own has that of the request
        (`RequestEntry.own_time_ms`). An attribute that is set to the value it has, or deleted if it
        is not set, does not change; nor does a device of which nothing new is said.

        Of an erased profile only an `Erasure` stays: the profile goes, its history, and in the
        history of others each identifier that no other profile holds (section 9).
        """

    @abstractmethod
    def insert(self, scope: str, profile: Profile, rules: ScopeRules, time_ms: int | None) -> None:
        """Add a whole profile to a scope, with its MPID and number, which are free.

        It is entered in the history as an import, unless `time_ms` is None.
        """

    @abstractmethod
    def survey(self, erasure: Erasure) -> ErasureReport:
        """What erasing a profile of the store would remove, and which files it has to name."""

    @abstractmethod
    def insert_record(self, record: "TimesRecord | DataRecord", time_ms: int) -> bool:
        """Add a record of an export to a profile that was inserted before, with a history.

        Gives False, and adds nothing, if the store has the like already: that attribute, device or
        state of the profile, its times, an alias of the same number, or the digest of the batch. It
        is entered in the history as an import under its number, which is free, or was taken by
        imports; they come in the order of their numbers. An alias copies nothing, for the copies
        are records of their own. The sequence number is not advanced.
        """

    @abstractmethod
    def insert_erasure(self, erasure: Erasure) -> None:
        """Enter an erasure that was carried out elsewhere: its MPID stays taken.

        No profile has the MPID, and nothing has its number.
        """

    @abstractmethod
    def flush(self) -> None:
        """Do now whatever could still make the transaction fail.

        Raises:
            MpidTaken: see `Store.writing`.
        """

    @abstractmethod
    def view(self, mpid: int) -> tuple[str, ProfileView] | None:
        """The profile that has the MPID, without what it holds, with its scope."""

    # What batches brought.

    @property
    @abstractmethod
    def other_batch_keys(self) -> Sequence[bytes]:
        """Keys of other stores under which digests of batches' ids came from there (section 9).

        The key that is made of the seed is none of them.
        """

    # What those ask who look into it. A store that may grow has queries for it.

    def inspection(self) -> "Inspection":
        """Questions about single profiles and identifiers, until something is changed."""
        from idsync_cli.store.inspection import Inspection

        return Inspection(self)

    def counting(self) -> "Counting":
        """How many there are of what, until something is changed."""
        from idsync_cli.store.counting import Counting

        return Counting(self)

    def links(self) -> "Links":
        """Which profiles hold, or once held, which identifiers, until something is changed."""
        from idsync_cli.store.links import Links

        return Links(self)

    # Rules that the store was used with.

    @property
    @abstractmethod
    def remembers_rules(self) -> bool:
        """Whether `remember_rules` was called in this transaction."""

    @abstractmethod
    def remember_rules(self, rules: Mapping[str, str]) -> None:
        """Remember the rules of each scope, as text, under which the store is changed."""


@mypyc_attr(allow_interpreted_subclasses=True)
class Store(ABC):
    """Profiles, identifiers and their history. Close it, or use it in a `with`.

    It is in one transaction at a time. Beginning another meanwhile, or one after it was closed,
    raises StoreFault, and does the first no harm.
    """

    @property
    @abstractmethod
    def seed(self) -> int:
        """What the MPIDs of new profiles follow from (section 7)."""

    @abstractmethod
    def reading(self) -> AbstractContextManager[Transaction]:
        """A transaction that sees one state of the store; nothing that is done in it is kept.

        Raises:
            StoreFault: the store cannot be used.
        """

    @abstractmethod
    def writing(self, *, trust_new_mpids: bool = False) -> AbstractContextManager[Transaction]:
        """A transaction that has the store alone from its beginning to its end.

        Everything that was done is kept when the block ends, and nothing if it raises. With
        `trust_new_mpids`, the store may assume that an MPID it has not seen is free.

        Raises:
            StoreFault: the store cannot be used; nothing of the transaction is kept.
            MpidTaken: such an MPID is taken; nothing is kept.
        """

    def finish_erasures(self) -> bool:
        """Remove every byte of what was erased from where the store is kept; whether that is done.

        As long as somebody still reads what was, it stays to be done, and whoever writes next tries
        again. Call it in no transaction, once for all erasures that came together: it may take as
        long as to write the whole store.

        Raises:
            StoreFault: the store cannot be used, or there is no room.
        """
        return True

    @property
    def is_the_same(self) -> bool:
        """Whether the store is still where it was, and was not replaced by another.

        A process that keeps a store open should ask before it reads. `writing` checks it by itself.

        Raises:
            StoreFault: the store cannot be used.
        """
        return True

    @abstractmethod
    def close(self) -> None:
        """Close the store."""

    def __enter__(self) -> Self:
        """The store itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close it."""
        self.close()
