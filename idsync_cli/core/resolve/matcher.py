"""Who a request may be answered with, tier by tier (section 4, steps 2 and 3).

An identifier may have a million holders: a shared device, say, on which a million people signed in.
Two facts keep such a request as cheap as any other. A known profile is eligible only if the request
carries one of its login IDs, so it is looked up by that login ID and not among all the holders. And
all anonymous profiles are judged alike, so it is enough to look at the newest ones.
"""

from collections.abc import Sequence
from typing import Final

from mypy_extensions import mypyc_attr

from idsync_cli.core.decision import DecidedBy
from idsync_cli.core.identity import Identifier
from idsync_cli.core.profile import ProfileView
from idsync_cli.core.resolve.eligibility import Eligibility
from idsync_cli.core.resolve.explanation import SEVERAL, Explanation, near_misses
from idsync_cli.core.tiers import NearMiss, Tier
from idsync_cli.core.value import Value


@mypyc_attr(free_list_len=1)
class Match(Value):
    """The candidates that remain after the tiers were consulted.

    `newest` is the newest candidate, or None if there is none. If an identifier left only one,
    `decided_by` says which. Otherwise the candidates are the profiles of `known`, and all anonymous
    profiles that hold all of `anonymous_with`; if that is None, no anonymous profile is one.
    """

    __match_args__ = ("newest", "decided_by", "known", "anonymous_with", "tiers")
    __slots__ = __match_args__

    def __init__(
        self,
        newest: ProfileView | None = None,
        decided_by: DecidedBy | None = None,
        known: Sequence[ProfileView] = (),
        anonymous_with: Sequence[Identifier] | None = None,
        tiers: tuple[Tier, ...] = (),
    ) -> None:
        self.newest: Final = newest
        self.decided_by: Final = decided_by
        self.known: Final = known
        self.anonymous_with: Final = anonymous_with
        self.tiers: Final = tiers


@mypyc_attr(free_list_len=1)
class Matcher(Eligibility):
    """Finds the profiles that one request may be answered with.

    `identifiers` are those that step 1 keeps of the request's.
    """

    __slots__ = ()

    def consult(self, *, explain: bool = False, most: int | None = None) -> Match:
        """Ask the tiers in order until one candidate is left (section 4, step 3).

        With `explain`, the result has what every tier did. With `most`, no more tiers are asked
        than that many of those that the request carries.
        """
        shape, lookup = self.shape, self.lookup
        explanation = Explanation(self) if explain else None
        known: list[ProfileView] = []
        if shape.login_types:
            known = self.eligible_known(None if explanation is None else explanation.named)
        anonymous_with: tuple[Identifier, ...] | None = (
            () if shape.reason_of_the_anonymous is None else None
        )
        newest: ProfileView | None = None
        decided_by: DecidedBy | None = None
        for number, identifier in enumerate(self.identifiers):
            requested = shape.requested_types[number]
            if requested.rank is None or number == most:
                break  # behind the priority
            found = [each for each in known if lookup.holds(each, identifier)] if known else known
            narrower: tuple[Identifier, ...] | None = None
            anonymous: Sequence[ProfileView] = ()
            if anonymous_with is not None and not requested.is_login:  # its holders are known
                narrower = (*anonymous_with, identifier)
                anonymous = lookup.anonymous(narrower, SEVERAL)
            count = len(found) + len(anonymous)
            if explanation is not None:
                fewer = len(found) < len(known)
                explanation.add(
                    number, identifier, found, anonymous, anonymous_with, lost_known=fewer
                )
            if count:
                known, anonymous_with = found, narrower if anonymous else None
                newest = _newest(found, anonymous)
            if count == 1:
                decided_by = requested.decided_by
                break
        tiers = () if explanation is None else explanation.tiers()
        return Match(newest, decided_by, known, anonymous_with, tiers)

    def is_candidate(self, match: Match, profile: ProfileView) -> bool:
        """Whether the profile is one of the remaining candidates."""
        if any(each.mpid == profile.mpid for each in match.known):
            return True
        anonymous_with = match.anonymous_with
        if not anonymous_with or self.shape.rules.is_known(profile):
            return False
        return all(self.lookup.holds(profile, each) for each in anonymous_with)

    def near_misses(self) -> tuple[NearMiss, ...]:
        """Who holds what the request names in the priority, and may not be the answer (section 8).

        If an identifier has many holders, only the newest known and anonymous ones are counted.
        """
        return near_misses(self)

    def consult_none(self, *, explain: bool = False) -> Match:
        """The result for a request that consults no tier (section 4, step 1)."""
        return Match(tiers=Explanation(self).tiers() if explain else ())


def _newest(known: Sequence[ProfileView], anonymous: Sequence[ProfileView]) -> ProfileView:
    """The newest of known profiles in any order and anonymous ones, which come newest first."""
    newest = anonymous[0] if anonymous else known[0]
    for profile in known:
        if profile.created_seq > newest.created_seq:
            newest = profile
    return newest
