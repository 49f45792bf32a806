"""All that a store in memory has, in plain dictionaries."""

from dataclasses import replace
from typing import Final

from idsync_cli.core.codes import Op, RequestKind
from idsync_cli.core.data.values import Alias
from idsync_cli.core.decision import Change
from idsync_cli.core.erasure import ERASED_VALUE, Erasure, ErasureCounts, ErasureReport
from idsync_cli.core.identity import Identifier
from idsync_cli.core.profile import Profile, ProfileView
from idsync_cli.core.records import DigestRecord
from idsync_cli.store.causes import KeptRequest
from idsync_cli.store.memory.data import NO_DATA, KeptData, KeptEvent
from idsync_cli.store.values import HistoryEntry


class KeptProfile:
    """A profile as it is kept: its scope, and what it holds, oldest first. It never changes."""

    __slots__ = ("held", "scope", "view")

    def __init__(self, scope: str, view: ProfileView, held: tuple[Identifier, ...]) -> None:
        self.scope: Final = scope
        self.view: Final = view
        self.held: Final = held

    def whole(self) -> Profile:
        """The profile with all that it holds."""
        view = self.view
        return Profile(view.mpid, view.created_seq, view.source_mpid, view.was_known, self.held)


class World:
    """All that a store holds. What is in a dictionary here is replaced, and never changed."""

    __slots__ = (
        "aliases", "data", "digests", "erasures", "events", "history", "holders", "last_seq",
        "login_bits", "other_batch_keys", "profiles", "requests", "rules", "taken", "timed",
    )  # fmt: skip

    def __init__(self) -> None:
        self.last_seq = 0
        self.taken: set[int] = set()  # sequence numbers
        self.profiles: dict[int, KeptProfile] = {}  # by MPID
        self.holders: dict[tuple[str, Identifier], tuple[int, ...]] = {}  # MPIDs, by scope
        self.history: list[HistoryEntry] = []  # as it was entered
        self.requests: dict[int, KeptRequest] = {}  # by number, also the imports
        self.erasures: dict[int, Erasure] = {}  # by MPID
        self.data: dict[int, KeptData] = {}  # by MPID
        self.events: list[tuple[int, KeptEvent]] = []  # by MPID, as they came
        self.digests: dict[bytes, DigestRecord] = {}  # of batches' ids
        self.other_batch_keys: list[bytes] = []
        self.aliases: list[Alias] = []
        self.timed: set[int] = set()  # MPIDs of those whose times came with an import
        self.login_bits: dict[str, int] = {}  # of every scope that has profiles
        self.rules: dict[str, str] = {}

    def copy(self) -> "World":
        """Another that has the same."""
        other = World()
        other.last_seq = self.last_seq
        other.taken = set(self.taken)
        other.profiles = dict(self.profiles)
        other.holders = dict(self.holders)
        other.history = list(self.history)
        other.requests = dict(self.requests)
        other.erasures = dict(self.erasures)
        other.data = dict(self.data)
        other.events = list(self.events)
        other.digests = dict(self.digests)
        other.other_batch_keys = list(self.other_batch_keys)
        other.aliases = list(self.aliases)
        other.timed = set(self.timed)
        other.login_bits = dict(self.login_bits)
        other.rules = self.rules
        return other

    def holding(self, scope: str, identifier: Identifier) -> list[KeptProfile]:
        """The profiles of a scope that hold an identifier, oldest first."""
        profiles = self.profiles
        found = [profiles[mpid] for mpid in self.holders.get((scope, identifier), ())]
        if len(found) > 1:
            found.sort(key=age_of)
        return found

    def put(self, kept: KeptProfile) -> None:
        """Keep a profile, new or changed; `hold` and `lose` say who holds which identifier."""
        self.profiles[kept.view.mpid] = kept

    def hold(self, scope: str, identifier: Identifier, mpid: int) -> None:
        """Add a holder of an identifier."""
        where = scope, identifier
        self.holders[where] = (*self.holders.get(where, ()), mpid)

    def lose(self, scope: str, identifier: Identifier, mpid: int) -> None:
        """Remove a holder of an identifier."""
        where = scope, identifier
        self.holders[where] = tuple([each for each in self.holders[where] if each != mpid])

    def only_of(self, mpid: int) -> set[Identifier]:
        """What a profile holds, or ever held, and no other profile of its scope holds now."""
        kept = self.profiles[mpid]
        its = {*kept.held, *[each.identifier for each in self.changes_of_identities(mpid)]}
        return {
            each
            for each in its
            if each.value != ERASED_VALUE
            and not {*self.holders.get((kept.scope, each), ())} - {mpid}
        }

    def survey(self, erasure: Erasure) -> ErasureReport:
        """What the erasure of a profile would remove, and which files it has to name."""
        mpid = erasure.mpid
        taken_from = {
            each.mpid
            for each in self.history
            if isinstance(each.change, Change)
            and each.change.op is Op.REMOVE
            and each.mpid != mpid
            and self.answer_of(each.seq) == mpid
        }
        made = [each.view.mpid for each in self.profiles.values() if each.view.source_mpid == mpid]
        data = self.data.get(mpid, NO_DATA)
        counts = ErasureCounts(
            identifiers=len(self.profiles[mpid].held),
            values=len(self.only_of(mpid)),
            history=len(self.changes_of_identities(mpid)),
            attributes=len(data.attributes),
            devices=len(data.devices),
            events=sum([its == mpid for its, _ in self.events]),
        )
        aliased = {each.source_mpid for each in self.aliases if each.destination_mpid == mpid}
        aliased |= {each.destination_mpid for each in self.aliases if each.source_mpid == mpid}
        return ErasureReport(
            erasure,
            counts,
            tuple(sorted(made)),
            tuple(sorted(taken_from)),
            aliased_with=tuple(sorted(aliased)),
        )

    def erase(self, erasure: Erasure) -> None:
        """Remove everything of a profile but its erasure."""
        mpid, gone = erasure.mpid, self.only_of(erasure.mpid)
        kept = self.profiles.pop(mpid)
        for identifier in kept.held:
            self.lose(kept.scope, identifier, mpid)
        touched = {each.seq for each in self.history if each.mpid == mpid}
        touched |= {seq for seq, each in self.requests.items() if each.answer == mpid}
        left = [each for each in self.history if not each.concerns(mpid)]
        self.history = [self._without(each, gone, kept.scope, mpid) for each in left]
        self.requests = self._requests_without(mpid)
        self.data.pop(mpid, None)
        self.events = [each for each in self.events if each[0] != mpid]
        self.aliases = [
            each for each in self.aliases if mpid not in (each.source_mpid, each.destination_mpid)
        ]
        self.digests = {
            digest: each._replace(mpid=None) if each.mpid == mpid else each
            for digest, each in self.digests.items()
        }
        self.taken -= touched | {kept.view.created_seq}
        self.taken |= {each.seq for each in self.history}
        self.enter(erasure)

    def enter(self, erasure: Erasure) -> None:
        """Keep an erasure."""
        self.erasures[erasure.mpid] = erasure
        self.taken.add(erasure.seq)

    def _without(
        self, entry: HistoryEntry, gone: set[Identifier], scope: str, mpid: int
    ) -> HistoryEntry:
        """An entry about another profile, without what is erased with the profile of an MPID."""
        change, request_id = entry.change, entry.request_id
        if (
            isinstance(change, Change)
            and change.identifier in gone
            and self.profiles[change.mpid].scope == scope
        ):
            value_is_gone = Identifier(change.identifier.type, ERASED_VALUE)
            change = Change(change.op, change.mpid, value_is_gone)
        if self.answer_of(entry.seq) == mpid:
            request_id = None
        return HistoryEntry(
            entry.seq, entry.time_ms, entry.kind, request_id, entry.request_timestamp_ms, change,
            entry.rule, entry.decided_by_type,
        )  # fmt: skip

    def answer_of(self, seq: int) -> int | None:
        """The MPID that a request or an import was answered with."""
        found = self.requests.get(seq)
        return None if found is None else found.answer

    def _requests_without(self, mpid: int) -> dict[int, KeptRequest]:
        """The requests without those of an erased profile, unless they also changed another."""
        changed_others = {each.seq for each in self.history if isinstance(each.change, Change)}
        left = {}
        for seq, each in self.requests.items():
            if each.answer not in (None, mpid):
                left[seq] = each
            elif seq in changed_others:
                cause = replace(each.cause, request_id=None)
                left[seq] = replace(each, cause=cause, answer=None)
        return left

    def entries(self) -> list[HistoryEntry]:
        """The history with its erasures."""
        kind = RequestKind.ERASE
        return self.history + [
            HistoryEntry(each.seq, each.time_ms, kind, each.request_id, None, each, None)
            for each in self.erasures.values()
        ]

    def changes_of_identities(self, mpid: int) -> list[Change]:
        """The changes of the identity record of a profile, as they were entered."""
        its = [each.change for each in self.history if each.mpid == mpid]
        return [each for each in its if isinstance(each, Change)]


def age_of(kept: KeptProfile) -> int:
    """What profiles are sorted by, oldest first."""
    return kept.view.created_seq
