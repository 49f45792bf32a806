"""What a store holds as JSON, for machines; profiles as an export has them."""

from idsync_cli import wire
from idsync_cli.inspect.profiles import Holder, ProfileDetails, ScopeCounts, Statistics, Whois
from idsync_cli.store.api import HistoryEntry
from idsync_cli.store.sqlite.queries.history import Arrival


def details_json(details: ProfileDetails) -> wire.Json:
    """A profile that is there, with what made it and what brought each identifier."""
    found, made_by = details.profile, details.made_by
    assert found is not None
    return {
        **wire.profile_json(found),
        "made_by": made_by
        and {
            "seq": found.profile.created_seq,
            "time": wire.time_text(made_by.time_ms),
            "kind": made_by.kind,
            "rule": made_by.rule,
            "request_id": made_by.request_id,
        },
        "identifiers": [_arrival_json(each) for each in details.arrivals],
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


def whois_json(found: Whois) -> wire.Json:
    """Who holds an identifier, and the explained searches for it."""
    return {
        "identity_type": found.identifier.type.value,
        "value": found.identifier.value,
        "profiles": [_holder_json(each) for each in found.holders],
        "searches": [wire.answer_json(each, explain=True) for each in found.searches],
    }


def _holder_json(holder: Holder) -> wire.Json:
    why_not = holder.why_not
    return {
        **wire.profile_json(holder.profile),
        "returned": why_not is None,
        "why_not": None if why_not is None else why_not.value,
    }


def statistics_json(counted: Statistics) -> wire.Json:
    """What a store holds, and what decided the requests that changed it."""
    return {
        "last_seq": counted.last_seq,
        "scopes": {name: _scope_json(each) for name, each in counted.scopes.items()},
        "requests": counted.requests,
        "ties": counted.ties,
        "decided_by": dict(counted.decided_by),
    }


def _scope_json(counts: ScopeCounts) -> wire.Json:
    return {
        "profiles": counts.profiles,
        "known": counts.known,
        "anonymous": counts.anonymous,
        "orphaned": counts.orphaned,
        "identifiers": counts.identifiers,
        "most_identifiers": counts.most_identifiers,
        "mean_identifiers": counts.mean_identifiers,
    }
