"""What a store holds as JSON, for machines; profiles as an export has them."""

from idsync_cli import wire
from idsync_cli.core.codes import AttributeOp, Op, RequestKind
from idsync_cli.core.data.values import Alias, AttributeChange
from idsync_cli.core.decision import Change
from idsync_cli.core.erasure import ERASED_VALUE
from idsync_cli.core.identity import Identifier
from idsync_cli.inspect.profiles import ProfileDetails
from idsync_cli.inspect.statistics import ScopeCounts, Statistics
from idsync_cli.inspect.story import Chapter, ChapterChange, Gain, Story
from idsync_cli.inspect.whois import Holder, Whois
from idsync_cli.store.causes import Arrival, Cause
from idsync_cli.store.values import HistoryChange, HistoryEntry


def details_json(details: ProfileDetails) -> wire.Json:
    """A profile that is there, with what created it and what added its identifiers.

    The first of them, or all.
    """
    found, made_by = details.profile, details.made_by
    assert found is not None
    return {
        **wire.profile_json(found),
        "made_by": made_by and {"seq": found.profile.created_seq, **_cause_json(made_by)},
        "identifiers": [_arrival_json(each) for each in details.arrivals],
        "left_out": details.held - len(details.arrivals),
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
        "left_out": story.requests - len(story.chapters),
    }


def _chapter_json(chapter: Chapter) -> wire.Json:
    return {
        "seq": chapter.seq,
        **_cause_json(chapter.cause),
        "mpid": None if chapter.answer is None else str(chapter.answer),
        "made": chapter.is_making,
        "changes": [_chapter_change_json(each) for each in chapter.changes],
    }


def _chapter_change_json(change: ChapterChange) -> wire.Json:
    if isinstance(change, (AttributeChange, Alias)):
        return _change_json(change)
    if isinstance(change, Gain):
        others: wire.Json = {"taken_from": [str(mpid) for mpid in change.taken_from]}
    else:
        others = {"taken_by": None if change.taken_by is None else str(change.taken_by)}
    op = Op.ADD if isinstance(change, Gain) else Op.REMOVE
    return {"op": op.value, **_value_json(change.identifier), **others}


def _value_json(identifier: Identifier) -> wire.Json:
    """An identifier of the history; where its value was erased that is null, and said."""
    is_erased = identifier.value == ERASED_VALUE
    return {
        "identity_type": identifier.type.value,
        "value": None if is_erased else identifier.value,
        **({"erased": True} if is_erased else {}),
    }


def entry_json(entry: HistoryEntry) -> wire.Json:
    """One change of the history; what decided an erasure is not kept."""
    decided_by = None
    if entry.rule is not None:
        decided_by = wire.decided_by_json(entry.rule, entry.decided_by_type)
    change = _change_json(entry.change)
    return {
        "seq": entry.seq,
        "time": wire.time_text(entry.time_ms),
        "type": entry.kind,
        "decided_by": decided_by,
        "request_id": entry.request_id,
        "request_timestamp_ms": entry.request_timestamp_ms,
        "op": change.pop("op"),
        "mpid": str(entry.mpid),
        **change,
    }


def _change_json(change: HistoryChange) -> wire.Json:
    """What was done, but to whom."""
    if isinstance(change, Change):
        return {"op": change.op.value, **_value_json(change.identifier)}
    if isinstance(change, AttributeChange):
        is_set = change.op is AttributeOp.SET
        value = {"value": change.value} if is_set else {}
        return {"op": change.op.value, "attribute": change.name, **value}
    if isinstance(change, Alias):
        return {
            "op": RequestKind.ALIAS.value,
            "source_mpid": str(change.source_mpid),
            "destination_mpid": str(change.destination_mpid),
            "start_unixtime_ms": change.start_ms,
            "end_unixtime_ms": change.end_ms,
        }
    return {"op": RequestKind.ERASE.value, "scope": change.scope}


def whois_json(found: Whois) -> wire.Json:
    """Who holds an identifier, and the explained searches for it."""
    return {
        "identity_type": found.identifier.type.value,
        "value": found.identifier.value,
        "read_as": {scope: each.value for scope, each in found.read_as.items()},
        "profiles": [_holder_json(each) for each in found.holders],
        "left_out": found.held_by - len(found.holders),
        "searches": [wire.answer_json(each, explain=True) for each in found.searches],
    }


def _holder_json(holder: Holder) -> wire.Json:
    why_not = holder.why_not
    assert holder.profile is not None
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
        "requests_per_profile": counted.requests_per_profile,
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
        "largest": None
        if counted.largest is None
        else [
            {"scope": each.scope, "mpid": str(each.mpid), "identifiers": each.identifiers}
            for each in counted.largest
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
        "types": {kind.value: number for kind, number in counts.types.items()},
        "requests": counts.requests,
        "requests_per_profile": counts.requests_per_profile,
        "several_logins": None
        if counts.several_logins is None
        else {kind.value: number for kind, number in counts.several_logins.items()},
    }
