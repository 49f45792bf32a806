"""Who a request may be answered with, tier by tier (section 4, steps 2 and 3)."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from idsync_cli.core.codes import OnConflictingLogin, Outcome, Reason, RequestKind
from idsync_cli.core.decision import Tier
from idsync_cli.core.identity import Identifier, IdentityType
from idsync_cli.core.profile import Profile
from idsync_cli.core.rules import Rules


class Knowledge(Protocol):
    """What the store knows about one scope, as it stands before the request."""

    def holders(self, identifier: Identifier) -> Sequence[Profile]:
        """The profiles of the scope that hold exactly this identifier."""
        ...

    def profile(self, mpid: int) -> Profile | None:
        """The profile of the scope that has the MPID."""
        ...

    def was_given_out(self, mpid: int) -> bool:
        """Whether any profile of the whole store has, or ever had, the MPID."""
        ...


@dataclass(frozen=True, slots=True)
class Match:
    """What the tiers left: the candidates, oldest first, and the account of each tier."""

    candidates: tuple[Profile, ...]
    tiers: tuple[Tier, ...]

    @property
    def deciding_tier(self) -> Tier | None:
        """The tier that left exactly one candidate."""
        return next((tier for tier in self.tiers if tier.outcome is Outcome.DECIDED), None)


class Inquiry:
    """One request set against what the store knows.

    `asked` holds the request's identifiers as step 1 left them.
    """

    def __init__(
        self,
        kind: RequestKind,
        asked: Mapping[IdentityType, str],
        rules: Rules,
        knowledge: Knowledge,
    ) -> None:
        self._kind = kind
        self._asked = asked
        self._rules = rules
        self._knowledge = knowledge
        self._holders: dict[Identifier, Sequence[Profile]] = {}
        self._verdicts: dict[int, Reason | None] = {}
        self.carries_login_id = any(kind in asked for kind in rules.login_types)

    def holders(self, identifier: Identifier) -> Sequence[Profile]:
        """The profiles of the scope that hold the identifier, before the request."""
        if identifier not in self._holders:
            self._holders[identifier] = self._knowledge.holders(identifier)
        return self._holders[identifier]

    def asks_for(self, identifier: Identifier) -> bool:
        """Whether the identifier is one of the request's."""
        return self._asked.get(identifier.type) == identifier.value

    def ineligibility(self, profile: Profile) -> Reason | None:
        """Why the profile may not be the answer, or None if it may (section 4, step 2)."""
        if profile.mpid not in self._verdicts:
            self._verdicts[profile.mpid] = self._judge(profile)
        return self._verdicts[profile.mpid]

    def _judge(self, profile: Profile) -> Reason | None:
        rules = self._rules
        immutable_ids = [held for held in profile.identifiers if held.type in rules.immutable_types]
        names_an_immutable_id = any(map(self.asks_for, immutable_ids))
        if self._kind is RequestKind.SEARCH and rules.immutable_types and not names_an_immutable_id:
            return Reason.IMMUTABLE_SEARCH
        if immutable_ids and not names_an_immutable_id:
            return Reason.IMMUTABLE_PROTECTION
        if rules.is_known(profile):
            login_ids = [held for held in profile.identifiers if held.type in rules.login_types]
            if not any(map(self.asks_for, login_ids)):
                return Reason.LOGIN_PROTECTION
            separate = rules.on_conflicting_login is OnConflictingLogin.SEPARATE
            if separate and self.conflicting_login(profile):
                return Reason.CONFLICTING_LOGIN
        elif rules.new_known_users_get_a_new_record and self.carries_login_id:
            return Reason.NEW_KNOWN_USER_ONLY
        return None

    def conflicting_login(self, profile: Profile) -> IdentityType | None:
        """The highest ranked login type that both carry, if they disagree on its value."""
        for kind in self._rules.login_types:
            values = profile.values_of(kind)
            if kind in self._asked and values:
                return kind if self._asked[kind] not in values else None
        return None

    def consult(self) -> Match:
        """Ask the tiers in order until one candidate is left (section 4, step 3)."""
        candidates: dict[int, Profile] = {}
        tiers = []
        decided = False
        for rank, kind in enumerate(self._rules.priority, start=1):
            if kind not in self._asked or decided:
                tiers.append(self._passed_over(rank, kind))
                continue
            holders = self.holders(Identifier(kind, self._asked[kind]))
            verdicts = {profile.mpid: self.ineligibility(profile) for profile in holders}
            eligible = {
                profile.mpid: profile for profile in holders if verdicts[profile.mpid] is None
            }
            left = {
                mpid: profile
                for mpid, profile in eligible.items()
                if not candidates or mpid in candidates
            }
            decided = len(left) == 1
            outcome = _outcome(found=len(left), before=len(candidates))
            candidates = left or candidates
            tiers.append(
                Tier(
                    rank=rank,
                    identity_type=kind,
                    settings=self._rules.settings_of(kind),
                    outcome=outcome,
                    value=self._asked[kind],
                    held_by=len(holders),
                    eligible=len(eligible),
                    ineligible=_count_reasons(verdicts),
                    left=len(candidates),
                    verdicts=verdicts,
                )
            )
        oldest_first = sorted(candidates.values(), key=lambda profile: profile.created_seq)
        return Match(tuple(oldest_first), tuple(tiers))

    def consult_none(self) -> Match:
        """The account of a request for which no tier is consulted (section 4, step 1)."""
        tiers = [self._passed_over(*place) for place in enumerate(self._rules.priority, start=1)]
        return Match((), tuple(tiers))

    def _passed_over(self, rank: int, kind: IdentityType) -> Tier:
        outcome = Outcome.NOT_CONSULTED if kind in self._asked else Outcome.NOT_IN_REQUEST
        settings = self._rules.settings_of(kind)
        return Tier(rank, kind, settings, outcome, value=self._asked.get(kind))


def _outcome(*, found: int, before: int) -> Outcome:
    """Name what a tier did that found `found` of `before` candidates (none before: of all)."""
    if found == 1:
        return Outcome.DECIDED
    if found == 0:
        return Outcome.NO_EFFECT if before else Outcome.NO_CANDIDATES
    return Outcome.NO_EFFECT if found == before else Outcome.NARROWED


def _count_reasons(verdicts: Mapping[int, Reason | None]) -> dict[Reason, int]:
    counted = Counter(verdicts.values())
    return {reason: counted[reason] for reason in Reason if counted[reason]}
