"""Looking into a store: its profiles, who holds an identifier, how it came, and what is there.

What is known, protected or found is said by the rules and by the core's own search; nothing here
knows a rule. Results are values, which `render.store` draws and `render.store_json` writes; each
has the exit status that its command ends with (section 8).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice

from idsync_cli.core.codes import ErrorCode, NoteCode, Reason, RequestKind, Rule
from idsync_cli.core.config.rules import Organization
from idsync_cli.core.decide import decide
from idsync_cli.core.decision import Answer
from idsync_cli.core.identity import Identifier
from idsync_cli.core.profile import Profile, types_of
from idsync_cli.core.request import IdentityRequest
from idsync_cli.core.resolve.matcher import Matcher
from idsync_cli.core.resolve.request_shape import shape_of
from idsync_cli.core.scoped_profile import ScopedProfile, scoped
from idsync_cli.core.screening import as_meant
from idsync_cli.store.api import HistoryEntry, ProfileFilter
from idsync_cli.store.sqlite import SqliteTransaction
from idsync_cli.store.sqlite.queries.history import (
    Arrival,
    Cause,
    arrivals,
    history_length,
    making,
)
from idsync_cli.store.sqlite.queries.placeholders import HeldPlaceholder, held_placeholders
from idsync_cli.store.sqlite.queries.statistics import (
    DeciderCount,
    deciders,
    identifiers_held,
    profile_kinds,
)

WhyNot = Reason | NoteCode | ErrorCode
"""Why a search does not return a holder."""


@dataclass(frozen=True, slots=True)
class ProfileListing:
    """The first of the profiles that are asked for, and how many there are in all."""

    profiles: tuple[ScopedProfile, ...]
    total: int

    @property
    def exit_status(self) -> int:
        """0: that there is none is an answer, too."""
        return 0


@dataclass(frozen=True, slots=True)
class ProfileDetails:
    """A profile, what made it, and what brought each of its identifiers.

    `profile` is None where none has the MPID, and `made_by` where no request and no import made it.
    """

    mpid: int
    profile: ScopedProfile | None
    made_by: Cause | None = None
    arrivals: tuple[Arrival, ...] = ()

    @property
    def exit_status(self) -> int:
        """1 if there is no such profile."""
        return int(self.profile is None)


@dataclass(frozen=True, slots=True)
class Holder:
    """A profile that holds an identifier; `why_not` is None where a search returns it."""

    profile: ScopedProfile
    why_not: WhyNot | None


@dataclass(frozen=True, slots=True)
class Whois:
    """Who holds an identifier, and what a search with it alone comes to in each of their scopes.

    `read_as` has what it means in those scopes that read it as another (section 11).
    """

    identifier: Identifier
    holders: tuple[Holder, ...]
    searches: tuple[Answer, ...]
    read_as: Mapping[str, Identifier] = field(default_factory=dict)

    @property
    def exit_status(self) -> int:
        """1 if nobody holds it."""
        return int(not self.holders)


@dataclass(frozen=True, slots=True)
class History:
    """Changes of a profile, of an identifier, or of both, oldest first; `total` counts all of them.

    `entries` are read from the store as they are taken, and no more often than once.
    """

    entries: Iterator[HistoryEntry]
    total: int

    @property
    def exit_status(self) -> int:
        """1 if there is no such change."""
        return int(not self.total)


@dataclass(frozen=True, slots=True)
class ScopeCounts:
    """What is in a scope: profiles of each kind, and identifiers of all and of one at most."""

    profiles: int
    known: int
    anonymous: int
    orphaned: int
    identifiers: int
    most_identifiers: int

    @property
    def mean_identifiers(self) -> float:
        """How many identifiers a profile has on average, to two places."""
        return round(self.identifiers / self.profiles, 2)


@dataclass(frozen=True, slots=True)
class Statistics:
    """What a store holds, scope by scope, and what decided the requests that changed it.

    `deciders` counts them by what decided, the most frequent first; `ties` are those that the rule
    newest decided, and `placeholders` the values that look like placeholders and decided some.
    """

    last_seq: int
    scopes: Mapping[str, ScopeCounts]
    requests: int
    ties: int
    deciders: tuple[DeciderCount, ...]
    placeholders: tuple[HeldPlaceholder, ...] = ()

    @property
    def exit_status(self) -> int:
        """0: an empty store is an answer, too."""
        return 0


def profiles(
    transaction: SqliteTransaction, organization: Organization, asked: ProfileFilter
) -> Iterator[ScopedProfile]:
    """The profiles that are asked for, in the order of creation, read as they are taken."""
    for scope, profile in transaction.profiles(organization.scopes, asked):
        yield _scoped(profile, scope, organization)


def first_profiles(
    transaction: SqliteTransaction, organization: Organization, asked: ProfileFilter, limit: int
) -> ProfileListing:
    """The first profiles that are asked for, at most `limit`."""
    first = tuple(islice(profiles(transaction, organization, asked), limit))
    total = len(first)
    if total == limit:  # else that is all there is
        total = transaction.count_profiles(organization.scopes, asked)
    return ProfileListing(first, total)


def profile(
    transaction: SqliteTransaction, organization: Organization, mpid: int
) -> ProfileDetails:
    """A profile, with what made it and what brought each identifier."""
    found = transaction.find(mpid)
    if found is None:
        return ProfileDetails(mpid, None)
    scope, its_profile = found
    return ProfileDetails(
        mpid,
        _scoped(its_profile, scope, organization),
        making(transaction, its_profile.created_seq),
        tuple(arrivals(transaction, mpid)),
    )


def history(
    transaction: SqliteTransaction,
    *,
    mpid: int | None,
    identifier: Identifier | None,
    limit: int | None,
) -> History:
    """The changes of a profile, of an identifier, or of both; at most `limit` of them."""
    return History(
        transaction.history(mpid=mpid, identifier=identifier, limit=limit),
        history_length(transaction, mpid=mpid, identifier=identifier),
    )


def whois(
    transaction: SqliteTransaction,
    organization: Organization,
    identifier: Identifier,
    *,
    seed: int,
    scope: str | None = None,
) -> Whois:
    """Every profile that holds an identifier, and what a search with it alone comes to.

    Of each it is said why the search does not return it, if so: a reason of section 4, step 2;
    `tie` where a newer one is returned; `NO_LOOKUP_IDENTITY` where the type is not in the priority;
    `blocked` where the scope blocks the value; `UNKNOWN_SCOPE` where it has no rules any more.
    """
    holders, searches, read_as = [], [], {}
    for name in transaction.scopes():
        if scope not in (None, name):
            continue
        meant = _meant(transaction, organization, identifier, name)
        if meant != identifier:
            read_as[name] = meant
        answer = _search(transaction, organization, meant, name, seed)
        held_by = transaction.holding(name, meant)
        if isinstance(answer, Answer) and held_by:
            searches.append(answer)
        matcher = _matcher(transaction, organization, meant, name)
        for each in held_by:
            why_not = _why_not(each, meant, answer, matcher)
            holders.append(Holder(_scoped(each, name, organization), why_not))
    return Whois(identifier, tuple(holders), tuple(searches), read_as)


def _meant(
    transaction: SqliteTransaction, organization: Organization, identifier: Identifier, scope: str
) -> Identifier:
    """What an identifier means in a scope; as it is where the scope leaves nothing of it."""
    rules = organization.scopes.get(scope)
    if rules is None:
        return identifier
    lookup = transaction.lookup(scope, rules)
    return as_meant(identifier, rules.guard_rails, lookup) or identifier


def _search(
    transaction: SqliteTransaction,
    organization: Organization,
    identifier: Identifier,
    scope: str,
    seed: int,
) -> Answer | WhyNot:
    """The core's answer to a search, or why there can be none."""
    rules = organization.scopes.get(scope)
    if rules is None:
        return ErrorCode.UNKNOWN_SCOPE
    if rules.guard_rails.blocks(identifier):
        return NoteCode.BLOCKED
    request = IdentityRequest(RequestKind.SEARCH, [identifier])
    seq = transaction.last_seq + 1
    decision = decide(request, rules, transaction.lookup(scope, rules), seq, seed, explain=True)
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
    holder: Profile, identifier: Identifier, answer: Answer | WhyNot, matcher: Matcher | None
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


def stats(transaction: SqliteTransaction, organization: Organization) -> Statistics:
    """What a store holds, scope by scope, and what decided the requests that changed it."""
    counted: dict[str, _Counts] = {}
    for kind in profile_kinds(transaction):
        seen = _scoped(kind.example, kind.scope, organization)
        of_scope = counted.setdefault(kind.scope, _Counts())
        of_scope.profiles += kind.profiles
        of_scope.known += kind.profiles * seen.known
        of_scope.orphaned += kind.profiles * seen.orphaned
    held = identifiers_held(transaction)
    decided = deciders(transaction)
    return Statistics(
        last_seq=transaction.last_seq,
        scopes={
            name: ScopeCounts(
                profiles=each.profiles,
                known=each.known,
                anonymous=each.profiles - each.known,
                orphaned=each.orphaned,
                identifiers=held[name].identifiers if name in held else 0,
                most_identifiers=held[name].most if name in held else 0,
            )
            for name, each in counted.items()
        },
        requests=sum(each.requests for each in decided),
        ties=sum(each.requests for each in decided if each.rule == Rule.NEWEST),
        deciders=tuple(decided),
        placeholders=tuple(held_placeholders(transaction)),
    )


@dataclass(slots=True)
class _Counts:
    """The profiles of a scope, while they are counted."""

    profiles: int = 0
    known: int = 0
    orphaned: int = 0


def _scoped(its_profile: Profile, scope: str, organization: Organization) -> ScopedProfile:
    return scoped(its_profile, scope, organization.scopes.get(scope))
