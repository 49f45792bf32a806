"""Who a request may be answered with, tier by tier (section 4, steps 2 and 3).

An identifier may be held by a crowd: a device on which a million people once signed in, or
by which a million visitors were seen. Two facts keep such a request as cheap as any other. A
known profile is eligible only if the request carries one of its login IDs, so that it is reached
through that login ID and never through the crowd. And all anonymous profiles are judged alike,
for nothing of theirs counts but that they are anonymous: of them the newest ones are enough.
"""

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from idsync_cli.core.codes import Outcome, Reason
from idsync_cli.core.config.rules import Rules
from idsync_cli.core.decision import COUNTED_TO, DecidedBy, Tier
from idsync_cli.core.identity import TYPE_BITS, Identifier, IdentityType
from idsync_cli.core.profile import Holder
from idsync_cli.core.resolve.request_shape import Form
from idsync_cli.core.value import Value

_SEVERAL: Final = 2
"""How many candidates are as good as any number: one decides, more do not."""

_TOO_MANY: Final = COUNTED_TO + 1


class Knowledge(ABC):
    """What the store knows about one scope, as it stands before the request."""

    __slots__ = ()

    @abstractmethod
    def known(
        self, identifier: Identifier, rules: Rules, limit: int | None = None
    ) -> Sequence[Holder]:
        """Known profiles of the scope that hold exactly this identifier, at most `limit`."""

    @abstractmethod
    def anonymous(
        self,
        identifiers: Sequence[Identifier],
        rules: Rules,
        limit: int | None = None,
        *,
        lacking: Identifier | None = None,
    ) -> Sequence[Holder]:
        """Anonymous profiles that hold all the identifiers: newest first, at most `limit`.

        With `lacking`, only those that do not hold that one.
        """

    @abstractmethod
    def profile(self, mpid: int) -> Holder | None:
        """The profile of the scope that has the MPID."""

    @abstractmethod
    def was_given_out(self, mpid: int) -> bool:
        """Whether any profile of the whole store has, or ever had, the MPID."""


def holders(knowledge: Knowledge, identifier: Identifier, rules: Rules) -> list[Holder]:
    """Every profile of the scope that holds exactly this identifier."""
    return [*knowledge.known(identifier, rules), *knowledge.anonymous((identifier,), rules)]


class Match(Value):
    """What the tiers left.

    `decided_by` says which identifier left one candidate, and `newest` is that one, or
    the newest of several; None without candidates. Of several, `known` are those that are known,
    and the others are the anonymous profiles that hold all of `crowd`, unless it is None.
    """

    __match_args__ = ("newest", "decided_by", "known", "crowd", "tiers")
    __slots__ = __match_args__

    def __init__(
        self,
        newest: Holder | None = None,
        decided_by: DecidedBy | None = None,
        known: Sequence[Holder] = (),
        crowd: Sequence[Identifier] | None = None,
        tiers: tuple[Tier, ...] = (),
    ) -> None:
        self.newest: Final = newest
        self.decided_by: Final = decided_by
        self.known: Final = known
        self.crowd: Final = crowd
        self.tiers: Final = tiers


class Inquiry:
    """One request set against what the store knows.

    `identifiers` are the request's as step 1 left them, in the order of step 5.
    """

    __slots__ = ("_knowledge", "_rules", "form", "identifiers")

    def __init__(self, form: Form, identifiers: Sequence[Identifier], knowledge: Knowledge) -> None:
        self.form = form
        self.identifiers = form.arranged(identifiers)
        self._rules = form.rules
        self._knowledge = knowledge

    def ineligibility(self, profile: Holder) -> Reason | None:
        """Why the profile may not be the answer, or None if it may (section 4, step 2)."""
        form, types = self.form, profile.types
        if not profile.was_known and types & form.login_bits == 0:
            return form.reason_of_the_anonymous
        if (form.wants_immutable_id or types & form.immutable_bits) and not self._names_one_of(
            form.immutable_types, profile
        ):
            if form.wants_immutable_id:
                return Reason.IMMUTABLE_SEARCH
            return Reason.IMMUTABLE_PROTECTION
        if not self._names_one_of(form.login_types, profile):
            return Reason.LOGIN_PROTECTION
        if form.separates_conflicting_logins and self.conflicting_login(profile):
            return Reason.CONFLICTING_LOGIN
        return None

    def _names_one_of(self, types: Sequence[IdentityType], profile: Holder) -> bool:
        """Whether an identifier of one of the types is among the request's and the profile's."""
        for identifier in self.identifiers:
            if identifier.type in types and profile.holds(identifier):
                return True
        return False

    def conflicting_login(self, profile: Holder) -> IdentityType | None:
        """The highest ranked login type that both carry, if they disagree on its value."""
        types, login_types = profile.types, self.form.login_types
        for identifier in self.identifiers:
            kind = identifier.type
            if kind in login_types and types & TYPE_BITS[kind]:
                return None if profile.holds(identifier) else kind
        return None

    def _eligible_known(self) -> list[Holder]:
        """The known profiles that may be the answer, each reached through a login ID."""
        found: dict[int, Holder] = {}
        for number, identifier in enumerate(self.identifiers):
            if self.form.places[number].is_login:
                for profile in self._knowledge.known(identifier, self._rules):
                    if profile.mpid not in found and self.ineligibility(profile) is None:
                        found[profile.mpid] = profile
        return list(found.values())

    def consult(self, *, explain: bool = False) -> Match:
        """Ask the tiers in order until one candidate is left (section 4, step 3).

        With `explain`, the account of every tier comes with it.
        """
        form, rules = self.form, self._rules
        known: list[Holder] = self._eligible_known() if form.login_types else []
        crowd: tuple[Identifier, ...] | None = () if form.reason_of_the_anonymous is None else None
        newest: Holder | None = None
        decided_by: DecidedBy | None = None
        accounts: dict[IdentityType, Tier] = {}
        for number, identifier in enumerate(self.identifiers):
            place = form.places[number]
            rank = place.rank
            if rank is None:
                break  # behind the priority
            found = [profile for profile in known if profile.holds(identifier)] if known else known
            wider: tuple[Identifier, ...] | None = None
            unnamed: Sequence[Holder] = ()
            if crowd is not None and not place.is_login:  # who holds a login ID is not anonymous
                wider = (*crowd, identifier)
                unnamed = self._knowledge.anonymous(wider, rules, _SEVERAL)
            count = len(found) + len(unnamed)
            before = _Candidates(known, crowd, exist=newest is not None) if explain else None
            if count:
                known, crowd = found, wider if unnamed else None
                newest = _newest(found, unnamed)
            if before is not None:
                after = _Candidates(known, crowd, exist=newest is not None)
                accounts[place.identity_type] = self._account(
                    rank, identifier, before, after, found=count
                )
            if count == 1:
                decided_by = place.decided_by
                break
        tiers = self._all_tiers(accounts) if explain else ()
        return Match(newest, decided_by, known, crowd, tiers)

    def is_candidate(self, match: Match, profile: Holder) -> bool:
        """Whether the profile is among the candidates that the tiers left."""
        if any(each.mpid == profile.mpid for each in match.known):
            return True
        is_known = self._rules.is_known(profile)
        return bool(match.crowd) and not is_known and all(map(profile.holds, match.crowd or ()))

    def consult_none(self, *, explain: bool = False) -> Match:
        """The account of a request for which no tier is consulted (section 4, step 1)."""
        return Match(tiers=self._all_tiers({}) if explain else ())

    def _all_tiers(self, consulted: Mapping[IdentityType, Tier]) -> tuple[Tier, ...]:
        """The account of every type of the priority, also of those that were passed over."""
        values = {identifier.type: identifier.value for identifier in self.identifiers}
        tiers = []
        for rank, kind in enumerate(self._rules.priority, start=1):
            outcome = Outcome.NOT_CONSULTED if kind in values else Outcome.NOT_IN_REQUEST
            settings = self._rules.settings_of(kind)
            passed_over = Tier(rank, kind, settings, outcome, value=values.get(kind))
            tiers.append(consulted.get(kind, passed_over))
        return tuple(tiers)

    def _account(
        self,
        rank: int,
        identifier: Identifier,
        before: "_Candidates",
        after: "_Candidates",
        *,
        found: int,
    ) -> Tier:
        """What a tier did that found some of the candidates before it (`found` up to several)."""
        rules, knowledge = self._rules, self._knowledge
        known = knowledge.known(identifier, rules, _TOO_MANY)
        unnamed = len(knowledge.anonymous((identifier,), rules, _TOO_MANY))
        counted = Counter(map(self.ineligibility, known))
        # Of a crowd only the newest were read: those that are eligible may be older.
        named = sum(profile.holds(identifier) for profile in self._eligible_known())
        counted[None] = max(counted[None], named)
        counted[self.form.reason_of_the_anonymous] += unnamed
        left = self._count(after)
        outcome = self._outcome(identifier, before, after, found)
        return Tier(
            rank=rank,
            identity_type=identifier.type,
            settings=rules.settings_of(identifier.type),
            outcome=outcome,
            value=identifier.value,
            held_by=min(len(known) + unnamed, COUNTED_TO),
            eligible=min(counted[None], COUNTED_TO),
            ineligible={
                reason: min(counted[reason], COUNTED_TO) for reason in Reason if counted[reason]
            },
            left=min(left, COUNTED_TO),
            stopped_counting=max(len(known) + unnamed, left) > COUNTED_TO,
        )

    def _count(self, candidates: "_Candidates") -> int:
        if not candidates.exist:
            return 0
        crowd = candidates.crowd
        anonymous = self._knowledge.anonymous
        unnamed = anonymous(crowd, self._rules, _TOO_MANY) if crowd else ()
        return len(candidates.known) + len(unnamed)

    def _outcome(
        self,
        identifier: Identifier,
        before: "_Candidates",
        after: "_Candidates",
        found: int,
    ) -> Outcome:
        if found == 1:
            return Outcome.DECIDED
        if found == 0:
            return Outcome.NO_EFFECT if before.exist else Outcome.NO_CANDIDATES
        if not before.exist or len(after.known) < len(before.known):
            return Outcome.NARROWED
        if not before.crowd:
            return Outcome.NO_EFFECT
        lost = self._knowledge.anonymous(before.crowd, self._rules, 1, lacking=identifier)
        return Outcome.NARROWED if lost else Outcome.NO_EFFECT


class _Candidates(NamedTuple):
    """Candidates: some known profiles, and the anonymous ones that hold all of `crowd`.

    Before the first tier that finds anybody they do not exist: then all profiles are meant.
    """

    known: Sequence[Holder]
    crowd: Sequence[Identifier] | None
    exist: bool


def _newest(known: Sequence[Holder], unnamed: Sequence[Holder]) -> Holder:
    """The newest of some known profiles and of anonymous ones that stand newest first."""
    newest = unnamed[0] if unnamed else known[0]
    for profile in known:
        if profile.created_seq > newest.created_seq:
            newest = profile
    return newest
