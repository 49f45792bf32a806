"""Who holds an identifier, and what a search with it alone comes to in each of their scopes."""

from dataclasses import dataclass

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
from idsync_cli.store.sqlite import SqliteTransaction
from idsync_cli.store.sqlite.queries.profiles import count_holders, holder_views, profile_of

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

    Of `held_by` profiles `holders` has the first, scope by scope, oldest first.
    """

    identifier: Identifier
    holders: tuple[Holder, ...]
    searches: tuple[Answer, ...]
    held_by: int

    @property
    def exit_status(self) -> int:
        """1 if nobody holds it."""
        return int(not self.held_by)


def whois(
    transaction: SqliteTransaction,
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
    `UNKNOWN_SCOPE` where the scope has no rules any more. With `whole` comes all that each of them
    holds, and the account of every tier.
    """
    holders: list[Holder] = []
    searches: list[Answer] = []
    held_by = 0
    for name in transaction.scopes():
        if scope not in (None, name):
            continue
        its_number = count_holders(transaction, name, identifier)
        if not its_number:
            continue
        held_by += its_number
        answer = _search(transaction, organization, identifier, name, seed, explain=whole)
        if answer is not None:
            searches.append(answer)
        left = None if limit is None else limit - len(holders)
        matcher = _matcher(transaction, organization, identifier, name)
        rules = organization.scopes.get(name)
        for each in holder_views(transaction, name, identifier, left):
            why_not = _why_not(each, identifier, answer, matcher)
            everything = profile_of(transaction, each.mpid) if whole else None
            profile = None if everything is None else scoped(everything[1], name, rules)
            holders.append(Holder(scoped_view(each, name, rules), why_not, profile))
    return Whois(identifier, tuple(holders), tuple(searches), held_by)


def _search(
    transaction: SqliteTransaction,
    organization: Organization,
    identifier: Identifier,
    scope: str,
    seed: int,
    *,
    explain: bool,
) -> Answer | None:
    """The core's answer to a search; None in a scope that the configuration no longer names."""
    rules = organization.scopes.get(scope)
    if rules is None:
        return None
    request = IdentityRequest(RequestKind.SEARCH, [identifier])
    seq = transaction.last_seq + 1
    lookup = transaction.lookup(scope, rules)
    decision = decide(request, rules, lookup, seq, seed, explain=explain)
    return Answer(seq, None, request.kind, scope, decision)


def _matcher(
    transaction: SqliteTransaction, organization: Organization, identifier: Identifier, scope: str
) -> Matcher | None:
    """The same search as `_search` makes, to ask about each profile."""
    rules = organization.scopes.get(scope)
    if rules is None:
        return None
    shape = shape_of(RequestKind.SEARCH, types_of([identifier]), rules)
    return Matcher(shape, [identifier], transaction.lookup(scope, rules))


def _why_not(
    holder: ProfileView, identifier: Identifier, answer: Answer | None, matcher: Matcher | None
) -> WhyNot | None:
    """Why the search did not return a holder; None if it did."""
    if answer is None or matcher is None:
        return ErrorCode.UNKNOWN_SCOPE
    if answer.mpid == holder.mpid:
        return None
    if not matcher.shape.rules.is_lookup(identifier.type):
        return ErrorCode.NO_LOOKUP_IDENTITY
    reason = matcher.ineligibility(holder)
    return NoteCode.TIE if reason is None else reason
