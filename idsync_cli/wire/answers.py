"""Answers and profiles as JSON (section 8)."""

import json
from collections.abc import Collection, Iterable
from datetime import UTC, datetime
from json.encoder import encode_basestring_ascii as _quoted
from typing import Final

from idsync_cli.core.codes import ErrorCode, RequestKind, Status
from idsync_cli.core.data.values import BatchData
from idsync_cli.core.decision import Answer, Change, DecidedBy, Note, Refusal
from idsync_cli.core.erasure import Erasure, ErasureReport
from idsync_cli.core.identity import TYPE_ORDER, Identifier, IdentityType
from idsync_cli.core.scoped_profile import ScopedProfile
from idsync_cli.core.tiers import COUNTED_TO, NearMiss, Tier
from idsync_cli.messages import note_message
from idsync_cli.wire.decoding import Json

_SEARCH: Final = RequestKind.SEARCH
_ERASE: Final = RequestKind.ERASE
_TEXTS: dict[DecidedBy, str] = {}
"""Ways to decide as JSON: there are a few for each scope."""


def answer_json(answer: Answer, *, explain: bool, file: str | None = None) -> Json:
    """An answer as it is sent; with `explain`, with the details of every tier (section 8).

    Near misses are told if they were asked for when it was decided.

    `file` is the one that the request came from, where a replay has several.
    """
    heading: Json = {
        "seq": answer.seq,
        **({} if file is None else {"file": file}),
        **({} if answer.line is None else {"line": answer.line}),
        "type": None if answer.kind is None else answer.kind.value,
        "scope": answer.scope,
        "status": answer.status.value,
    }
    outcome = answer.outcome
    if isinstance(outcome, Refusal):
        errors = [{"code": outcome.code.value, "message": outcome.message}]
        refused: Json = {**heading, "errors": errors}
        if explain and outcome.code is ErrorCode.PROTECTED_IDENTITY:
            refused["notes"] = [_note_json(note) for note in outcome.notes]
            refused["tiers"] = [_tier_json(tier) for tier in outcome.tiers]
        return refused
    profile = outcome.profile
    if outcome.status is Status.DUPLICATE:
        return heading | {"mpid": None if profile is None else str(profile.mpid)}
    if outcome.alias is not None:
        return heading | {"mpid": str(outcome.alias.destination_mpid), "events": outcome.copied}
    if outcome.report is not None:
        return heading | erasure_json(outcome.report)
    found: Json = {}
    if answer.kind is RequestKind.SEARCH and profile is not None:
        found = {"identities": _by_type(outcome.identifiers, outcome.types_in_order)}
    body: Json = {
        "mpid": None if profile is None else str(profile.mpid),
        "is_logged_in": outcome.is_logged_in,
        "matched_identities": {each.type.value: each.value for each in outcome.matched},
        **found,
        "decided_by": decider_json(outcome.decided_by),
        "changes": [_change_json(change) for change in outcome.changes],
        "orphaned": [str(mpid) for mpid in outcome.orphaned],
        "source_mpid": None if profile is None else _mpid_text(profile.source_mpid),
        "notes": [_note_json(note) for note in outcome.notes],
    }
    if outcome.data is not None:
        body |= _data_json(outcome.data)
    if explain:
        body["tiers"] = [_tier_json(tier) for tier in outcome.tiers]
    if outcome.near:
        body["near"] = [_near_json(near) for near in outcome.near]
    return heading | body


def answer_line(answer: Answer, *, explain: bool, file: str | None = None) -> bytes:
    """An answer as a line of a file: `answer_json` as `encode` writes it.

    Millions of answers are written, so that a plain one is put together as text; a test holds it
    against the other way.
    """
    outcome, kind, line, scope = answer.outcome, answer.kind, answer.line, answer.scope
    if (
        (isinstance(outcome, Refusal) or explain or outcome.near)
        or (kind is _SEARCH or kind is _ERASE or kind is None)
    ):  # fmt: skip
        return (encode(answer_json(answer, explain=explain, file=file)) + "\n").encode("ascii")
    profile = outcome.profile
    if outcome.status is Status.DUPLICATE or outcome.alias is not None:
        return (encode(answer_json(answer, explain=explain, file=file)) + "\n").encode("ascii")
    assert scope is not None
    assert profile is not None
    parts = [f'{{"seq": {answer.seq}, ']
    if file is not None:
        parts.append(f'"file": {_quoted(file)}, ')
    if line is not None:
        parts.append(f'"line": {line}, ')
    parts.append(
        f'"type": "{kind}", "scope": {_quoted(scope)}, "status": "{outcome.status}", '
        f'"mpid": "{profile.mpid}", "is_logged_in": {"true" if outcome.is_logged_in else "false"}, '
        '"matched_identities": {'
    )
    parts.append(", ".join([f'"{each.type}": {_quoted(each.value)}' for each in outcome.matched]))
    parts.append(f'}}, "decided_by": {_text_of(outcome.decided_by)}, "changes": [')
    parts.append(", ".join([_change_text(each) for each in outcome.changes]))
    parts.append('], "orphaned": [')
    parts.append(", ".join([f'"{mpid}"' for mpid in outcome.orphaned]))
    source = "null" if profile.source_mpid is None else f'"{profile.source_mpid}"'
    parts.append(f'], "source_mpid": {source}, "notes": [')
    parts.append(", ".join([encode(_note_json(note)) for note in outcome.notes]))
    data = outcome.data
    if data is None:
        parts.append("]}\n")
    else:
        parts.append(f'], "events": {len(data.events)}, "attributes_set": [')
        parts.append(", ".join([_quoted(name) for name in data.attributes or ()]))
        parts.append('], "attributes_deleted": [')
        parts.append(", ".join([_quoted(name) for name in data.deleted]))
        parts.append("]}\n")
    return "".join(parts).encode("ascii")


def _data_json(data: BatchData) -> Json:
    """What an answer says of what a batch brought."""
    return {
        "events": len(data.events),
        "attributes_set": list(data.attributes or ()),
        "attributes_deleted": list(data.deleted),
    }


def erasure_json(report: ErasureReport) -> Json:
    """What an erasure took away, and what stays elsewhere: no value, and no digest of one."""
    erasure = report.erasure
    return {
        "mpid": str(erasure.mpid),
        "request_id": erasure.request_id,
        "time": time_text(erasure.time_ms),
        "counts": report.counts._asdict(),
        "aliased_with": [str(mpid) for mpid in report.aliased_with],
        "made_from_it": [str(mpid) for mpid in report.made_from_it],
        "taken_from": [str(mpid) for mpid in report.taken_from],
        "files": [{"kind": each.kind.value, "path": each.path} for each in report.files],
    }


def erasure_record_json(erasure: Erasure) -> Json:
    """An erasure as a line of an export."""
    return {
        "record": "erasure",
        "mpid": str(erasure.mpid),
        "seq": erasure.seq,
        "scope": erasure.scope,
        "time_ms": erasure.time_ms,
        "request_id": erasure.request_id,
    }


def _change_text(change: Change) -> str:
    held = change.identifier
    return (
        f'{{"op": "{change.op}", "mpid": "{change.mpid}", "identity_type": "{held.type}", '
        f'"value": {_quoted(held.value)}}}'
    )


def _text_of(decided_by: DecidedBy) -> str:
    text = _TEXTS.get(decided_by)
    if text is None:
        text = _TEXTS[decided_by] = encode(decider_json(decided_by))
    return text


def profile_json(scoped: ScopedProfile) -> Json:
    """A line of an export."""
    profile = scoped.profile
    return {
        "mpid": str(profile.mpid),
        "scope": scoped.scope,
        "created_seq": profile.created_seq,
        "source_mpid": _mpid_text(profile.source_mpid),
        "known": scoped.known,
        "orphaned": scoped.orphaned,
        "identities": _by_type(profile.identifiers, scoped.types),
    }


def identities_json(identifiers: Collection[Identifier]) -> dict[str, list[str]]:
    """All values by type: types in the order of section 2, values as they come."""
    types = sorted({each.type for each in identifiers}, key=TYPE_ORDER.__getitem__)
    return _by_type(identifiers, types)


def _by_type(
    identifiers: Iterable[Identifier], types: Iterable[IdentityType]
) -> dict[str, list[str]]:
    values: dict[str, list[str]] = {each.value: [] for each in types}
    for each in identifiers:
        values[each.type.value].append(each.value)
    return values


def time_text(time_ms: int) -> str:
    """A time in milliseconds since 1970 as ISO 8601, UTC."""
    moment = datetime.fromtimestamp(time_ms / 1000, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def encode(value: Json) -> str:
    """One line of JSON, in ASCII: no value of an identifier can act on a terminal."""
    return json.dumps(value)


def decided_by_json(rule: str, identity_type: str | None) -> Json:
    """What decided, where it is not known at which rank the type stood then."""
    if identity_type is None:
        return {"rule": str(rule)}
    return {"rule": str(rule), "identity_type": str(identity_type)}


def decider_json(decided_by: DecidedBy) -> Json:
    """What decided an answer."""
    if decided_by.identity_type is None:
        return {"rule": decided_by.rule.value}
    return {
        "rule": decided_by.rule.value,
        "rank": decided_by.rank,
        "identity_type": decided_by.identity_type.value,
    }


def _mpid_text(mpid: int | None) -> str | None:
    return None if mpid is None else str(mpid)


def _change_json(change: Change) -> Json:
    return {
        "op": change.op.value,
        "mpid": str(change.mpid),
        "identity_type": change.identifier.type.value,
        "value": change.identifier.value,
    }


def _note_json(note: Note) -> Json:
    other: Json = {} if note.mpid is None else {"mpid": str(note.mpid)}
    if note.reason is not None:
        other["reason"] = note.reason.value
    return {
        "code": note.code.value,
        "identity_type": None if note.identity_type is None else note.identity_type.value,
        "message": note_message(note),
        **other,
    }


def _near_json(near: NearMiss) -> Json:
    return {
        "identity_type": near.identifier.type.value,
        "held_by": near.held_by,
        "ineligible": {reason.value: count for reason, count in near.ineligible.items()},
    }


def _tier_json(tier: Tier) -> Json:
    return {
        "rank": tier.rank,
        "identity_type": tier.identity_type.value,
        "value": tier.value,
        "settings": list(tier.settings.names()),
        "held_by": tier.held_by,
        "eligible": tier.eligible,
        "ineligible": {reason.value: count for reason, count in tier.ineligible.items()},
        "left": tier.candidates,
        "outcome": tier.outcome.value,
        **({"counted_to": COUNTED_TO} if tier.stopped_counting else {}),
    }
