"""Audiences, their members, and why a profile is one, as JSON."""

from typing import Any

from idsync_cli.core.audiences.comparison import ABSENT
from idsync_cli.core.audiences.fold import ConditionResult, EventsSeen
from idsync_cli.core.config.definitions import (
    AttributeCondition,
    AudienceCondition,
    ConditionGroup,
    IdentityCondition,
    KnownCondition,
    Not,
)
from idsync_cli.files.definitions_json import condition_json
from idsync_cli.inspect.audiences import AudienceCounts, Membership, NamedAudience, ShownMember
from idsync_cli.wire import profile_json, time_text


def counts_json(found: AudienceCounts) -> list[dict[str, Any]]:
    """Every audience with how many members it has, for machines."""
    return [
        {**_audience_json(audience), "members": count.members, "opted_out": count.opted_out}
        for audience, count in found.counts
    ]


def member_json(member: ShownMember) -> dict[str, Any]:
    """A member as a line of JSON: as export writes a profile, and whether it has opted out."""
    return {**profile_json(member.profile), "is_opted_out": member.is_opted_out}


def membership_json(found: Membership) -> dict[str, Any]:
    """Whether a profile is in an audience, and what each condition saw, for machines."""
    profile, finding = found.profile, found.finding
    return {
        **_audience_json(found.audience),
        "mpid": str(found.mpid),
        "profile_scope": None if profile is None else profile.scope,
        "now": time_text(found.now_ms),
        "member": found.is_member,
        "condition": None if finding is None else _finding_json(finding),
    }


def _audience_json(audience: NamedAudience) -> dict[str, Any]:
    return {
        "audience_id": audience.id,
        "audience_name": audience.name,
        "scope": audience.scope,
    }


def _finding_json(finding: ConditionResult) -> dict[str, Any]:
    condition, parts = finding.condition, [*map(_finding_json, finding.parts)]
    told: dict[str, Any] = condition_json(condition)
    if isinstance(condition, ConditionGroup):
        told = dict.fromkeys(told, parts)
    elif isinstance(condition, Not):
        told = {"not": parts[0]}
    elif isinstance(condition, AudienceCondition):
        told["condition"] = parts[0]
    else:
        told["saw"] = _saw_json(finding)
    return {**told, "holds": finding.holds}


def _saw_json(finding: ConditionResult) -> Any:
    seen = finding.seen
    if isinstance(finding.condition, AttributeCondition):
        return {} if seen is ABSENT else {"value": seen}
    if isinstance(seen, EventsSeen):
        last = None if seen.last_ms is None else time_text(seen.last_ms)
        return {"events": seen.number, "last": last}
    if isinstance(finding.condition, IdentityCondition):
        return {"values": seen}
    if isinstance(finding.condition, KnownCondition):
        return {"known": seen}
    return {"first_seen": time_text(seen) if isinstance(seen, int) else None}
