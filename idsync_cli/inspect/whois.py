"""Who holds an identifier, and what a search with it alone comes to in each of their scopes."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from idsync_cli.core.codes import ErrorCode, NoteCode, Reason, RequestKind
from idsync_cli.core.config.rules import Organization
from idsync_cli.core.decide import decide
from idsync_cli.core.decision import Answer
from idsync_cli.core.identity import Identifier
from idsync_cli.core.profile import ProfileView, types_of
from idsync_cli.core.request import IdentityRequest
from idsync_cli.core.resolve.matcher import Matcher
from idsync_cli.core.resolve.request_shape import shape_of
from idsync_cli.core.scoped_profile import ScopedProfile, ScopedView, scoped, scoped_view
from idsync_cli.core.screening import as_meant
from idsync_cli.store.api import Transaction

WhyNot = Reason | NoteCode | ErrorCode
"""Why a search does not return a holder."""


@dataclass(frozen=True, slots=True)
class Holder:
    """A profile that holds an identifier; `why_not` is None where a search returns it.

    `profile` has all that it holds, if that was asked for.
    """

    seen: ScopedView
    why_not: WhyNot | None
    profile: ScopedProfile | None = None


@dataclass(frozen=True, slots=True)
class Whois:
    """Who holds an identifier, and what a search with it alone comes to in each of their scopes.

    Of `held_by` profiles `holders` has the first, scope by scope, oldest first. `read_as` has what
    the identifier means in those scopes that read it as another (section 11).
    """

    identifier: Identifier
    holders: tuple[Holder, ...]
    searches: tuple[Answer, ...]
    held_by: int
    read_as: Mapping[str, Identifier] = field(default_factory=dict)

    @property
    def exit_status(self) -> int:
        """1 if nobody holds it."""
        return int(not self.held_by)


def whois(
    transaction: Transaction,
    organization: Organization,
    identifier: Identifier,
    *,
    seed: int,
    scope: str | None = None,
    limit: int | None = None,
    whole: bool = True,
) -> Whois:
    """The profiles that hold an identifier, at most `limit`, and what a search with it comes to.

    Of each it is said why the search does not return it, if so: a reason of section 4, step 2;
    `tie` where a newer one is returned; `NO_LOOKUP_IDENTITY` where the type is not in the priority;
    `blocked` where the scope blocks the value; `UNKNOWN_SCOPE` where it has no rules any more. With
    `whole`, all that each of them holds is there, and what every tier did.
    """
    holders: list[Holder] = []
    searches: list[Answer] = []
    held_by = 0
    inspection = transaction.inspection()
    read_as: dict[str, Identifier] = {}
    for name in transaction.scopes():
        if scope not in (None, name):
            continue
        meant = meant_in(transaction, organization, identifier, name)
        if meant != identifier:
            read_as[name] = meant
        its_number = inspection.count_holders(name, meant)
        if not its_number:
            continue
        held_by += its_number
        answer = _search(transaction, organization, meant, name, seed, explain=whole)
        if isinstance(answer, Answer):
            searches.append(answer)
        left = None if limit is None else limit - len(holders)
        matcher = _matcher(transaction, organization, meant, name)
        rules = organization.scopes.get(name)
        for each in inspection.holders(name, meant, left):
            why_not = _why_not(each, meant, answer, matcher)
            everything = transaction.find(each.mpid) if whole else None
            profile = None if everything is None else scoped(everything[1], name, rules)
            holders.append(Holder(scoped_view(each, name, rules), why_not, profile))
    return Whois(identifier, tuple(holders), tuple(searches), held_by, read_as)


def meant_in(
    transaction: Transaction, organization: Organization, identifier: Identifier, scope: str
) -> Identifier:
    """What an identifier means in a scope; as it is where the scope leaves nothing of it."""
    rules = organization.scopes.get(scope)
    if rules is None:
        return identifier
    lookup = transaction.lookup(scope, rules)
    return as_meant(identifier, rules.guard_rails, lookup) or identifier


def _search(
    transaction: Transaction,
    organization: Organization,
    identifier: Identifier,
    scope: str,
    seed: int,
    *,
    explain: bool,
) -> Answer | WhyNot:
    """The core's answer to a search, or why there can be none."""
    rules = organization.scopes.get(scope)
    if rules is None:
        return ErrorCode.UNKNOWN_SCOPE
    if rules.guard_rails.blocks(identifier):
        return NoteCode.BLOCKED
    request = IdentityRequest(RequestKind.SEARCH, [identifier])
    seq = transaction.last_seq + 1
    lookup = transaction.lookup(scope, rules)
    decision = decide(request, rules, lookup, seq, seed, explain=explain)
    return Answer(seq, None, request.kind, scope, decision)


def _matcher(
    transaction: Transaction, organization: Organization, identifier: Identifier, scope: str
) -> Matcher | None:
    """The same search as `_search` makes, to ask about each profile."""
    rules = organization.scopes.get(scope)
    if rules is None:
        return None
    shape = shape_of(RequestKind.SEARCH, types_of([identifier]), rules)
    return Matcher(shape, [identifier], transaction.lookup(scope, rules))


def _why_not(
    holder: ProfileView, identifier: Identifier, answer: Answer | WhyNot, matcher: Matcher | None
) -> WhyNot | None:
    """Why the search did not return a holder; None if it did."""
    if not isinstance(answer, Answer):
        return answer
    assert matcher is not None
    if answer.mpid == holder.mpid:
        return None
    if not matcher.shape.rules.is_lookup(identifier.type):
        return ErrorCode.NO_LOOKUP_IDENTITY
    reason = matcher.ineligibility(holder)
    return NoteCode.TIE if reason is None else reason
