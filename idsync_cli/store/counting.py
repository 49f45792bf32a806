"""What statistics and plans count, by what every store tells (`Questions`).

As with `Inspection`, the answers are defined here in plain Python, and a store that may grow has
queries for them. Each reads all that it counts. `tests/test_store_counting.py` compares them.
"""

from collections import Counter
from collections.abc import Iterator
from heapq import nlargest

from idsync_cli.core.codes import EntryRule, Rule
from idsync_cli.core.config.placeholders import is_placeholder
from idsync_cli.core.config.rules import ScopeRules
from idsync_cli.core.identity import Identifier, IdentityType
from idsync_cli.core.profile import Profile
from idsync_cli.store.counts import (
    MOST_PLACEHOLDERS,
    AudienceMoves,
    DeciderCount,
    HeldCount,
    HeldPlaceholder,
    LargeProfile,
    ProfileKind,
)
from idsync_cli.store.questions import Questions
from idsync_cli.store.values import EVERY_PROFILE, ProfileFilter


class Counting:
    """How many there are of what, in one transaction.

    It is valid until something is changed, or the transaction ends. Any method may raise
    StoreFault: the store cannot be used.
    """

    def __init__(self, questions: Questions) -> None:
        self._questions = questions

    def profile_kinds(self) -> list[ProfileKind]:
        """Every kind of profile that is there, with how many profiles are of it.

        They come by scope, those first that were never known, then by type. The example of each has
        the least MPID. What a profile is by the rules of its scope follows from its kind, so that
        the rules need not be asked about every profile.
        """
        kinds: dict[tuple[str, bool, int], list[Profile]] = {}
        for scope, each in self._questions.profiles({}):
            kinds.setdefault((scope, each.was_known, each.types), []).append(each)
        return [
            ProfileKind(what[0], min(kinds[what], key=_mpid), len(kinds[what]))
            for what in sorted(kinds)
        ]

    def types_held(self, scope: str | None = None) -> list[IdentityType]:
        """The identifier types that occur, in one scope or in all, in the order of section 2."""
        found = {each.type for _, its in self._profiles(scope) for each in its.identifiers}
        return [kind for kind in IdentityType if kind in found]

    def identifiers_held(self) -> dict[str, HeldCount]:
        """How many identifiers are held in each scope where any is, by the names of scopes."""
        held: dict[str, list[int]] = {}
        for scope, each in self._questions.profiles({}):
            held.setdefault(scope, []).append(len(each.identifiers))
        return {name: HeldCount(sum(its), max(its)) for name, its in held.items() if any(its)}

    def identifiers_by_type(self) -> dict[str, dict[IdentityType, int]]:
        """How many identifiers of each type are held in each scope; no type that none is of."""
        found: dict[str, dict[IdentityType, int]] = {}
        for scope, profile in self._questions.profiles({}):
            for each in profile.identifiers:
                of_scope = found.setdefault(scope, {})
                of_scope[each.type] = of_scope.get(each.type, 0) + 1
        return found

    def holder_counts(
        self, scope: str, kind: IdentityType, least: int = 1
    ) -> Iterator[tuple[Identifier, int]]:
        """The identifiers of a type that at least so many profiles of a scope hold, and how many.

        Those with the most holders come first, then they go by value.
        """
        held = Counter(
            each
            for _, profile in self._profiles(scope)
            for each in profile.identifiers
            if each.type is kind
        )
        found = [each for each in held.items() if each[1] >= least]
        return iter(sorted(found, key=lambda each: (-each[1], each[0].value)))

    def largest_profiles(self, most: int) -> list[LargeProfile]:
        """The profiles that hold the most identifiers, of equal ones the oldest first."""
        found = [
            LargeProfile(scope, each.mpid, len(each.identifiers))
            for scope, each in self._questions.profiles({})
            if each.identifiers
        ]
        return sorted(found, key=lambda each: -each.identifiers)[:most]

    def profiles_beyond(
        self, scope: str, kind: IdentityType, limit: int
    ) -> Iterator[tuple[int, int]]:
        """The profiles of a scope that hold more values of a type than a limit, and how many.

        Those that hold the most come first, of equal ones the oldest.
        """
        found = [(each.mpid, len(each.values_of(kind))) for _, each in self._profiles(scope)]
        beyond = [each for each in found if each[1] > limit]
        return iter(sorted(beyond, key=lambda each: -each[1]))

    def deciders(self) -> list[DeciderCount]:
        """What decided the requests that changed the store: the most frequent first.

        Equal ones go by rule, by type, with none first, and by scope.
        """
        counted: Counter[tuple[EntryRule, str, str]] = Counter()
        for each in self._questions.requests():
            counted[each.cause.rule, each.cause.decided_by_type or "", each.scope] += 1
        return [
            DeciderCount(scope, rule, IdentityType(kind) if kind else None, number)
            for (rule, kind, scope), number in sorted(
                counted.items(), key=lambda each: (-each[1], each[0])
            )
        ]

    def held_placeholders(self) -> list[HeldPlaceholder]:
        """Values that look like placeholders, and may have decided a request.

        Those with the most requests come first. Of more than MOST_PLACEHOLDERS only those with the
        most holders are looked at.
        """
        from idsync_cli.store.inspection import Inspection

        held = Counter(
            (scope, each)
            for scope, profile in self._questions.profiles({})
            for each in profile.identifiers
            if is_placeholder(each.value)
        )
        likely = dict(nlargest(MOST_PLACEHOLDERS, held.items(), key=lambda each: each[1]))
        decided: Counter[tuple[str, Identifier]] = Counter()
        inspection = Inspection(self._questions)
        for request in self._questions.requests():
            found = None if request.answer is None else inspection.view(request.answer)
            if found is None or request.cause.rule is not Rule.IDENTIFIER:
                continue
            scope, view = found
            for came in inspection.arrivals(view):
                where = scope, came.identifier
                by_its_type = came.identifier.type is request.cause.decided_by_type
                if where in likely and by_its_type and came.seq < request.seq:
                    decided[where] += 1
        told = [
            HeldPlaceholder(*where, likely[where], requests) for where, requests in decided.items()
        ]
        return sorted(told, key=_rank)

    def count_moves(
        self, scope: str, before: ScopeRules, after: ScopeRules, audience: str, now_ms: int
    ) -> AudienceMoves:
        """How the members of an audience change with the rules, which both define one of the name.

        In a scope without profiles nobody moves.
        """
        was, will = (
            {each.profile.mpid for each in self._questions.members(scope, its, audience, now_ms)}
            for its in (before, after)
        )
        return AudienceMoves(len(was), len(will), len(will - was), len(was - will))

    def _profiles(self, scope: str | None) -> Iterator[tuple[str, Profile]]:
        asked = EVERY_PROFILE if scope is None else ProfileFilter(scope)
        return self._questions.profiles({}, asked)


def _mpid(profile: Profile) -> int:
    return profile.mpid


def _rank(held: HeldPlaceholder) -> tuple[int, str, int, str]:
    return -held.requests, held.scope, held.identifier.order, held.identifier.value
