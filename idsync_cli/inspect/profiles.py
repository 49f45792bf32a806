"""Looking into a store: its profiles, who holds an identifier, how it came, and what is there.

What is known, protected or found is said by the rules and by the core's own search; nothing here
knows a rule. Results are JSON values, which `render_store` draws.
"""

from collections.abc import Iterator

from idsync_cli import wire
from idsync_cli.core.codes import ErrorCode, NoteCode, RequestKind, Rule
from idsync_cli.core.config.rules import Organization
from idsync_cli.core.decide import decide
from idsync_cli.core.decision import Answer
from idsync_cli.core.identity import Identifier
from idsync_cli.core.profile import Profile, types_of
from idsync_cli.core.request import IdentityRequest
from idsync_cli.core.resolve.matcher import Matcher
from idsync_cli.core.resolve.request_shape import shape_of
from idsync_cli.store.api import HistoryEntry, ProfileFilter
from idsync_cli.store.sqlite import SqliteTransaction
from idsync_cli.store.sqlite.queries.history import Arrival, arrivals, making
from idsync_cli.store.sqlite.queries.statistics import deciders, identifiers_held, profile_kinds


def profiles(
    transaction: SqliteTransaction, organization: Organization, asked: ProfileFilter
) -> Iterator[wire.Json]:
    """The profiles that are asked for, as an export holds them, in the order of creation."""
    for scope, profile in transaction.profiles(organization.scopes, asked):
        yield _line(profile, scope, organization)


def count_profiles(
    transaction: SqliteTransaction, organization: Organization, asked: ProfileFilter
) -> int:
    """How many profiles are asked for."""
    return transaction.count_profiles(organization.scopes, asked)


def profile(
    transaction: SqliteTransaction, organization: Organization, mpid: int
) -> wire.Json | None:
    """A profile as an export holds it, with what made it and what brought each identifier."""
    found = transaction.find(mpid)
    if found is None:
        return None
    scope, its_profile = found
    made = making(transaction, its_profile.created_seq)
    return {
        **_line(its_profile, scope, organization),
        "made_by": made
        and {
            "seq": its_profile.created_seq,
            "time": wire.time_text(made.time_ms),
            "kind": made.kind,
            "rule": made.rule,
            "request_id": made.request_id,
        },
        "identifiers": [_arrival_json(each) for each in arrivals(transaction, mpid)],
    }


def _arrival_json(arrival: Arrival) -> wire.Json:
    return {
        "identity_type": arrival.identifier.type.value,
        "value": arrival.identifier.value,
        "seq": arrival.seq,
        "time": None if arrival.time_ms is None else wire.time_text(arrival.time_ms),
        "kind": arrival.kind,
        "request_id": arrival.request_id,
    }


def entry_json(entry: HistoryEntry) -> wire.Json:
    """One change of the history."""
    return {
        "seq": entry.seq,
        "time": wire.time_text(entry.time_ms),
        "kind": entry.kind,
        "request_id": entry.request_id,
        "op": entry.op.value,
        "mpid": str(entry.mpid),
        "identity_type": entry.identifier.type.value,
        "value": entry.identifier.value,
        "rule": entry.rule,
    }


def whois(
    transaction: SqliteTransaction,
    organization: Organization,
    identifier: Identifier,
    *,
    seed: int,
    scope: str | None = None,
) -> wire.Json:
    """Every profile that holds an identifier, and what a search with it alone comes to.

    Each profile is as an export holds it, and says whether the search returns it and, if not,
    why: a reason of section 4, step 2; `tie` where a newer one is returned; `NO_LOOKUP_IDENTITY`
    where the type is not in the priority; `UNKNOWN_SCOPE` where the scope has no rules any more.
    """
    holders, searches = [], []
    for name in transaction.scopes():
        if scope not in (None, name):
            continue
        answer = _search(transaction, organization, identifier, name, seed)
        held_by = transaction.holding(name, identifier)
        if answer and held_by:
            searches.append(wire.answer_json(answer, explain=True))
        matcher = _inquiry(transaction, organization, identifier, name)
        for each in held_by:
            why_not = _why_not(each, identifier, answer, matcher)
            line = _line(each, name, organization)
            holders.append({**line, "returned": why_not is None, "why_not": why_not})
    return {
        "identity_type": identifier.type.value,
        "value": identifier.value,
        "profiles": holders,
        "searches": searches,
    }


def _search(
    transaction: SqliteTransaction,
    organization: Organization,
    identifier: Identifier,
    scope: str,
    seed: int,
) -> Answer | None:
    """The core's answer to a search; None in a scope that the configuration no longer names."""
    rules = organization.scopes.get(scope)
    if rules is None:
        return None
    request = IdentityRequest(RequestKind.SEARCH, [identifier])
    seq = transaction.last_seq + 1
    decision = decide(request, rules, transaction.lookup(scope, rules), seq, seed, explain=True)
    return Answer(seq, None, request.kind, scope, decision)


def _inquiry(
    transaction: SqliteTransaction, organization: Organization, identifier: Identifier, scope: str
) -> Matcher | None:
    """The same search as `_search` makes, to ask about each profile."""
    rules = organization.scopes.get(scope)
    if rules is None:
        return None
    shape = shape_of(RequestKind.SEARCH, types_of([identifier]), rules)
    return Matcher(shape, [identifier], transaction.lookup(scope, rules))


def _why_not(
    holder: Profile, identifier: Identifier, answer: Answer | None, matcher: Matcher | None
) -> str | None:
    """Why the search did not return a holder; None if it did."""
    if answer is None or matcher is None:
        return ErrorCode.UNKNOWN_SCOPE.value
    if answer.mpid == holder.mpid:
        return None
    if not matcher.shape.rules.is_lookup(identifier.type):
        return ErrorCode.NO_LOOKUP_IDENTITY.value
    reason = matcher.ineligibility(holder)
    return NoteCode.TIE.value if reason is None else reason.value


def stats(transaction: SqliteTransaction, organization: Organization) -> wire.Json:
    """What a store holds, scope by scope, and what decided the requests that changed it."""
    scopes: dict[str, wire.Json] = {}
    for kind in profile_kinds(transaction):
        line = _line(kind.example, kind.scope, organization)
        counted = scopes.setdefault(kind.scope, dict.fromkeys(_COUNTS, 0))
        counted["profiles"] += kind.profiles
        counted["known" if line["known"] else "anonymous"] += kind.profiles
        counted["orphaned"] += kind.profiles * line["orphaned"]
    held = identifiers_held(transaction)
    for name, counted in scopes.items():
        if name in held:
            counted["identifiers"] = held[name].identifiers
            counted["most_identifiers"] = held[name].most
        counted["mean_identifiers"] = round(counted["identifiers"] / counted["profiles"], 2)
    decided = deciders(transaction)
    return {
        "last_seq": transaction.last_seq,
        "scopes": scopes,
        "requests": sum(each.requests for each in decided),
        "ties": sum(each.requests for each in decided if each.rule == Rule.NEWEST),
        "decided_by": {each.identity_type or each.rule: each.requests for each in decided},
    }


_COUNTS = ("profiles", "known", "anonymous", "orphaned", "identifiers", "most_identifiers")


def _line(its_profile: Profile, scope: str, organization: Organization) -> wire.Json:
    return wire.profile_json(its_profile, scope, organization.scopes.get(scope))
