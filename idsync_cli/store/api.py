"""What the engine, replay and the looking commands need of a store: the contract of every store.

`store/sqlite` keeps it in a file, `store/memory` in plain dictionaries for small worlds. A store in
plain Python serves the compiled package too: a class that derives from these. It is done when it
passes `tests/test_store_conformance.py`. Not part of the contract are the checkpoints of a replay,
copies, health, and SQL: those belong to one kind of store.

What goes in and what comes out are values. What was given out never changes afterwards, and can
still be read once the store is closed.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Final, NamedTuple, Self

from mypy_extensions import mypyc_attr

from idsync_cli.core.codes import EntryKind, EntryRule, Op, RequestKind
from idsync_cli.core.config.rules import ScopeRules
from idsync_cli.core.decision import Decision
from idsync_cli.core.identity import TYPE_BITS, Identifier, IdentityType
from idsync_cli.core.lookup import Lookup
from idsync_cli.core.profile import Profile, ProfileView
from idsync_cli.core.value import Value


class MpidTaken(Exception):
    """A new MPID that was taken to be free is not; what was decided must be decided anew."""


class RequestEntry(Value):
    """What history keeps of a request beside what it changed.

    `time_ms` is when it was answered, in milliseconds since 1970, UTC; the id and the time that it
    brought itself are None where it brought none.
    """

    __match_args__ = ("seq", "time_ms", "kind", "request_id", "request_timestamp_ms")
    __slots__ = __match_args__

    def __init__(
        self,
        seq: int,
        time_ms: int,
        kind: RequestKind,
        request_id: str | None = None,
        request_timestamp_ms: int | None = None,
    ) -> None:
        self.seq: Final = seq
        self.time_ms: Final = time_ms
        self.kind: Final = kind
        self.request_id: Final = request_id
        self.request_timestamp_ms: Final = request_timestamp_ms


class HistoryEntry(Value):
    """One change of an identity record, with the request, or import, that made it (section 9).

    `kind` and `rule` are those of the request, or both are `Import.IMPORT`. For the rule
    `identifier`, `decided_by_type` is the type that decided.
    """

    __match_args__ = (
        "seq", "time_ms", "kind", "request_id", "request_timestamp_ms", "op", "mpid",
        "identifier", "rule", "decided_by_type",
    )  # fmt: skip
    __slots__ = __match_args__

    def __init__(
        self,
        seq: int,
        time_ms: int,
        kind: EntryKind,
        request_id: str | None,
        request_timestamp_ms: int | None,
        op: Op,
        mpid: int,
        identifier: Identifier,
        rule: EntryRule,
        decided_by_type: IdentityType | None = None,
    ) -> None:
        self.seq: Final = seq
        self.time_ms: Final = time_ms
        self.kind: Final = kind
        self.request_id: Final = request_id
        self.request_timestamp_ms: Final = request_timestamp_ms
        self.op: Final = op
        self.mpid: Final = mpid
        self.identifier: Final = identifier
        self.rule: Final = rule
        self.decided_by_type: Final = decided_by_type


class ProfileFilter(NamedTuple):
    """Which profiles are asked for; what is None asks for nothing.

    `holding` asks for those that hold an identifier of the type, `known` and `orphaned` for those
    that are so, or are not, by the rules of today (section 1).
    """

    scope: str | None = None
    holding: IdentityType | None = None
    known: bool | None = None
    orphaned: bool | None = None

    def takes(self, scope: str, profile: ProfileView, rules: ScopeRules | None) -> bool:
        """Whether a profile of a scope is asked for.

        In a scope without rules it is known if it ever was, and orphaned if it holds nothing.
        """
        known = profile.was_known if rules is None else rules.is_known(profile)
        found = profile.types != 0 if rules is None else rules.holds_lookup(profile.types)
        return (
            self.scope in (None, scope)
            and (self.holding is None or profile.types & TYPE_BITS[self.holding] != 0)
            and self.known in (None, known)
            and self.orphaned in (None, not found)
        )


EVERY_PROFILE = ProfileFilter()


@mypyc_attr(allow_interpreted_subclasses=True)
class Transaction(ABC):
    """A store in one transaction: it sees its own changes, and nobody else's that come meanwhile.

    It serves the thread that began it, until it ends. Any method may raise StoreFault: the store
    cannot be used, and nothing of the transaction is kept; or MpidTaken, where `Store.writing`
    says so.
    """

    __slots__ = ()

    # Numbers.

    @property
    @abstractmethod
    def last_seq(self) -> int:
        """The highest sequence number that was taken; 0 in a new store (section 7)."""

    @abstractmethod
    def advance_to(self, seq: int) -> None:
        """Let a sequence number, not below `last_seq`, be the highest that was taken."""

    @abstractmethod
    def is_taken(self, seq: int) -> bool:
        """Whether a profile was made, or anything changed, under the sequence number."""

    # What the rules ask, and what they decided.

    @abstractmethod
    def align(self, rules: Mapping[str, ScopeRules]) -> tuple[str, ...]:
        """Prepare for requests under these rules, by scope.

        Gives the names of scopes that have profiles and had to be brought up to date, because
        other types are login types in them than when the scope got its first profile, or was last
        brought up to date. It is never needed: look-ups go by the rules that they are made for.
        """

    @abstractmethod
    def prefetch(
        self, scope: str, rules: ScopeRules, identifiers: Iterable[Identifier], mpids: Iterable[int]
    ) -> None:
        """Hear what look-ups of a scope will soon be about; a store may read it all at once."""

    @abstractmethod
    def lookup(self, scope: str, rules: ScopeRules) -> Lookup:
        """What is known about a scope under its rules; it need not have any profile.

        It is of no use once anything was changed, or the transaction has ended: ask for another.
        """

    @abstractmethod
    def apply(self, decision: Decision, scope: str, rules: ScopeRules, entry: RequestEntry) -> None:
        """Do what was decided, and enter it in the history.

        It changes something, and was decided upon this transaction as it stands. Nothing is looked
        at but the status, the rule that decided, the answered profile and whether it is new, the
        changes, and how profiles are left. The sequence number is not advanced.
        """

    @abstractmethod
    def insert(self, scope: str, profile: Profile, rules: ScopeRules, time_ms: int | None) -> None:
        """Put a whole profile into a scope, with its MPID and number, which are free.

        It is entered in the history as an import, unless `time_ms` is None.
        """

    @abstractmethod
    def flush(self) -> None:
        """Meet now whatever could keep the transaction from being kept.

        Raises:
            MpidTaken: see `Store.writing`.
        """

    # Rules that the store was used with.

    @property
    @abstractmethod
    def remembers_rules(self) -> bool:
        """Whether `remember_rules` was called in this transaction."""

    @abstractmethod
    def remember_rules(self, rules: Mapping[str, str]) -> None:
        """Remember the rules of each scope, as text, that the store is changed under."""

    @abstractmethod
    def remembered_rules(self) -> dict[str, str]:
        """What was remembered last; empty where nothing was."""

    # What people ask.

    @abstractmethod
    def scopes(self) -> tuple[str, ...]:
        """The names of the scopes that have profiles, in alphabetical order."""

    @abstractmethod
    def find(self, mpid: int) -> tuple[str, Profile] | None:
        """The profile that has the MPID, with its scope."""

    @abstractmethod
    def profiles(
        self, rules: Mapping[str, ScopeRules], asked: ProfileFilter = EVERY_PROFILE
    ) -> Iterator[tuple[str, Profile]]:
        """The profiles that are asked for, with their scopes, by the number of who made them.

        They are read as they are taken; nothing must be changed meanwhile. `rules` are those of
        each scope (see `ProfileFilter.takes`).
        """

    @abstractmethod
    def count_profiles(
        self, rules: Mapping[str, ScopeRules], asked: ProfileFilter = EVERY_PROFILE
    ) -> int:
        """How many profiles are asked for."""

    @abstractmethod
    def holding(self, scope: str, identifier: Identifier) -> list[Profile]:
        """The profiles of a scope that hold exactly this identifier, oldest first."""

    @abstractmethod
    def history(
        self,
        mpid: int | None = None,
        identifier: Identifier | None = None,
        limit: int | None = None,
    ) -> Iterator[HistoryEntry]:
        """The changes of a profile, of an identifier, of both or of all: at most `limit`.

        They come by sequence number, and those of one request in the order made. They may be read
        as they are gone through; nothing must be changed meanwhile.
        """


@mypyc_attr(allow_interpreted_subclasses=True)
class Store(ABC):
    """Profiles, identifiers and their history. Close it, or use it in a `with`.

    It is in one transaction at a time. To begin another one meanwhile, or any once it was closed,
    is a StoreFault, which does the first no harm.
    """

    @property
    @abstractmethod
    def seed(self) -> int:
        """What the MPIDs of new profiles follow from (section 7)."""

    @abstractmethod
    def reading(self) -> AbstractContextManager[Transaction]:
        """A transaction that sees one state of the store; whatever is done in it is not kept.

        Raises:
            StoreFault: the store cannot be used.
        """

    @abstractmethod
    def writing(self, *, trust_new_mpids: bool = False) -> AbstractContextManager[Transaction]:
        """A transaction that has the store alone from its beginning to its end.

        What is done is kept when the block ends, all of it, and nothing if it raises. With
        `trust_new_mpids` the store may take an MPID that it has not seen to be free.

        Raises:
            StoreFault: the store cannot be used; nothing of the transaction is kept.
            MpidTaken: a new MPID was taken to be free, and is not; nothing is kept.
        """

    @property
    def is_the_same(self) -> bool:
        """Whether its users would still find this store, and not another in its place.

        Who keeps a store open for long asks it before reading; `writing` sees to it by itself.

        Raises:
            StoreFault: the store cannot be used.
        """
        return True

    @abstractmethod
    def close(self) -> None:
        """Let go of the store."""

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
