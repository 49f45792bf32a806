"""What a store holds as JSON, for machines; profiles as an export has them."""

from idsync_cli import wire
from idsync_cli.core.codes import Op
from idsync_cli.inspect.profiles import Holder, ProfileDetails, ScopeCounts, Statistics, Whois
from idsync_cli.inspect.story import Chapter, Gain, Loss, Story
from idsync_cli.store.api import HistoryEntry
from idsync_cli.store.sqlite.queries.history import Arrival, Cause


def details_json(details: ProfileDetails) -> wire.Json:
    """A profile that is there, with what made it and what brought each identifier."""
    found, made_by = details.profile, details.made_by
    assert found is not None
    return {
        **wire.profile_json(found),
        "made_by": made_by and {"seq": found.profile.created_seq, **_cause_json(made_by)},
        "identifiers": [_arrival_json(each) for each in details.arrivals],
    }


def _arrival_json(arrival: Arrival) -> wire.Json:
    return {
        "identity_type": arrival.identifier.type.value,
        "value": arrival.identifier.value,
        "seq": arrival.seq,
        **_cause_json(arrival.cause),
    }


_CAUSE = ("time", "type", "decided_by", "request_id", "request_timestamp_ms")


def _cause_json(cause: Cause | None) -> wire.Json:
    """What a request was that did something: as much as the store keeps of it."""
    if cause is None:
        return dict.fromkeys(_CAUSE)
    told = (
        wire.time_text(cause.time_ms),
        cause.kind,
        wire.decided_by_json(cause.rule, cause.decided_by_type),
        cause.request_id,
        cause.request_timestamp_ms,
    )
    return dict(zip(_CAUSE, told, strict=True))


def story_json(story: Story) -> wire.Json:
    """The life of a profile that is there."""
    assert story.profile is not None
    return {
        **wire.profile_json(story.profile),
        "story": [_chapter_json(each) for each in story.chapters],
    }


def _chapter_json(chapter: Chapter) -> wire.Json:
    return {
        "seq": chapter.seq,
        **_cause_json(chapter.cause),
        "mpid": str(chapter.answer),
        "made": chapter.is_making,
        "changes": [_turn_json(each) for each in chapter.changes],
    }


def _turn_json(change: Gain | Loss) -> wire.Json:
    its_type, value = change.identifier.type.value, change.identifier.value
    if isinstance(change, Gain):
        others: wire.Json = {"taken_from": [str(mpid) for mpid in change.taken_from]}
    else:
        others = {"taken_by": None if change.taken_by is None else str(change.taken_by)}
    op = Op.ADD if isinstance(change, Gain) else Op.REMOVE
    return {"op": op.value, "identity_type": its_type, "value": value, **others}


def entry_json(entry: HistoryEntry) -> wire.Json:
    """One change of the history."""
    return {
        "seq": entry.seq,
        "time": wire.time_text(entry.time_ms),
        "type": entry.kind,
        "decided_by": wire.decided_by_json(entry.rule, entry.decided_by_type),
        "request_id": entry.request_id,
        "request_timestamp_ms": entry.request_timestamp_ms,
        "op": entry.op.value,
        "mpid": str(entry.mpid),
        "identity_type": entry.identifier.type.value,
        "value": entry.identifier.value,
    }


def whois_json(found: Whois) -> wire.Json:
    """Who holds an identifier, and the explained searches for it."""
    return {
        "identity_type": found.identifier.type.value,
        "value": found.identifier.value,
        "read_as": {scope: each.value for scope, each in found.read_as.items()},
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
        "deciders": [
            {
                "decided_by": wire.decided_by_json(each.rule, each.identity_type),
                "requests": each.requests,
            }
            for each in counted.deciders
        ],
        "placeholders": [
            {
                "scope": each.scope,
                "identity_type": each.identifier.type.value,
                "value": each.identifier.value,
                "profiles": each.profiles,
                "requests": each.requests,
            }
            for each in counted.placeholders
        ],
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
