"""Translation: what one service calls by email, another calls by push token (section 9)."""

from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum
from itertools import islice
from typing import NamedTuple

from idsync_cli.core.codes import RequestKind, Rule
from idsync_cli.core.config.rules import Organization, ScopeRules
from idsync_cli.core.decide import decide
from idsync_cli.core.decision import Refusal
from idsync_cli.core.identity import IdentityType
from idsync_cli.core.profile import ProfileView
from idsync_cli.core.request import IdentityRequest
from idsync_cli.files.name_lines import NamedProfile
from idsync_cli.store.api import Transaction

AT_ONCE = 1000
"""How many lines are looked up together."""


class LineOutcome(StrEnum):
    """What became of a line."""

    TRANSLATED = "translated"
    NOT_FOUND = "not_found"
    AMBIGUOUS = "ambiguous"
    NO_VALUE = "no_value"
    OPTED_OUT = "opted_out"


class Translation(NamedTuple):
    """What a line comes to: the profile, and its values of the wanted type, last added first."""

    named: NamedProfile
    outcome: LineOutcome
    mpid: int | None = None
    values: tuple[str, ...] = ()


class TranslationTotals(NamedTuple):
    """How many lines came to what, and how many lines could not be read."""

    counts: dict[LineOutcome, int]
    unreadable: int = 0

    @property
    def exit_status(self) -> int:
        """1 if a line could not be read, or nothing was translated."""
        return 0 if self.counts[LineOutcome.TRANSLATED] and not self.unreadable else 1


def translate(
    names: Iterable[tuple[NamedProfile, str]],
    to: IdentityType,
    organization: Organization,
    transaction: Transaction,
) -> Iterator[Translation]:
    """Translate lines, each in its scope, one after another; few of them are in memory at once.

    No identifier leads to a profile that a search by it could not have returned, and where several
    could be meant, nobody is. Who has opted out is left out.
    """
    lines = iter(names)
    while some := list(islice(lines, AT_ONCE)):
        for scope in dict.fromkeys(scope for _, scope in some):
            here = [each for each, its_scope in some if its_scope == scope]
            rules = organization.scopes[scope]
            identifiers = [
                form
                for each in here
                if each.identifier is not None
                for form in rules.guard_rails.forms(each.identifier)
            ]
            mpids = [each.mpid for each in here if each.mpid is not None]
            transaction.prefetch(scope, rules, identifiers, mpids)
        for each, scope in some:
            yield _translated(each, to, scope, organization.scopes[scope], transaction)


def _translated(
    named: NamedProfile, to: IdentityType, scope: str, rules: ScopeRules, transaction: Transaction
) -> Translation:
    lookup = transaction.lookup(scope, rules)
    profile: ProfileView | None
    if named.mpid is not None:
        profile = lookup.profile(named.mpid)
    else:
        assert named.identifier is not None
        try:
            asked = IdentityRequest(RequestKind.SEARCH, (named.identifier,))
            decision = decide(asked, rules, lookup, 1, 0)
        except Refusal:
            return Translation(named, LineOutcome.NOT_FOUND)
        if decision.decided_by.rule is Rule.NEWEST:
            return Translation(named, LineOutcome.AMBIGUOUS)
        profile = decision.profile
    if profile is None:
        return Translation(named, LineOutcome.NOT_FOUND)
    values: Sequence[str] = tuple(reversed([*lookup.values_of(profile, to)]))
    if not values:
        return Translation(named, LineOutcome.NO_VALUE, profile.mpid)
    data = transaction.data_of(profile.mpid, 0)
    if data is not None and data.is_opted_out:
        return Translation(named, LineOutcome.OPTED_OUT, profile.mpid)
    return Translation(named, LineOutcome.TRANSLATED, profile.mpid, tuple(values))
