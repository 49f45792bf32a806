"""Decisions that changed a store, as lines: what it takes to apply them elsewhere (section 13)."""

import json
from typing import Any, NamedTuple

import msgspec

from idsync_cli.core.codes import Op, RequestKind, Rule, Status
from idsync_cli.core.data.values import Alias, BatchData, BatchDevice, NewEvent
from idsync_cli.core.decision import Change, DecidedBy, Decision, ProfileUpdate
from idsync_cli.core.identity import Identifier, IdentityType
from idsync_cli.core.profile import ProfileView
from idsync_cli.store.values import RequestEntry

_encode = json.JSONEncoder(separators=(",", ":"), check_circular=False).encode


class Applied(NamedTuple):
    """A decision, the scope that it is of, and its entry in the history."""

    decision: Decision
    scope: str
    entry: RequestEntry


def line_of(applied: Applied) -> bytes:
    """What `Transaction.apply` uses of a decision, as JSON."""
    decision, scope, entry = applied
    profile = decision.profile
    assert profile is not None
    value = [
        entry.seq, entry.time_ms, entry.kind, entry.request_id, entry.request_timestamp_ms,
        scope, decision.status, decision.decided_by.rule, decision.decided_by.identity_type,
        _view_json(profile), decision.created,
        [[each.op, each.mpid, *_held(each.identifier)] for each in decision.changes],
        [[*_view_json(each.profile), each.types, each.was_known] for each in decision.updates],
        _data_json(decision.data), None if decision.digest is None else decision.digest.hex(),
        list(decision.aliases), decision.alias,
    ]  # fmt: skip
    try:
        return msgspec.json.encode(value)
    except (
        UnicodeEncodeError,
        OverflowError,
    ):  # half a character, or a number of more than 64 bits
        return _encode(value).encode("ascii")


def applied_in(line: bytes) -> Applied:
    """The decision of a line."""
    (
        seq, time_ms, kind, its_id, its_time, scope, status, rule, by, profile, created,
        changes, updates, data, digest, aliases, alias,
    ) = json.loads(line)  # fmt: skip
    decision = Decision(
        Status(status),
        DecidedBy(Rule(rule), None, None if by is None else IdentityType(by)),
        _view(*profile),
        created=created,
        changes=tuple([_change(*each) for each in changes]),
        updates=tuple([ProfileUpdate(_view(*each[:3]), *each[3:]) for each in updates]),
        data=_data(data),
        digest=None if digest is None else bytes.fromhex(digest),
        aliases=[Alias(*each) for each in aliases],
        alias=None if alias is None else Alias(*alias),
    )
    entry = RequestEntry(seq, time_ms, RequestKind(kind), its_id, its_time)
    return Applied(decision, scope, entry)


def _view_json(profile: ProfileView) -> list[int | None]:
    return [profile.mpid, profile.created_seq, profile.source_mpid]


def _view(mpid: int, created_seq: int, source_mpid: int | None) -> ProfileView:
    """A profile, as far as it is named: what it held before is not asked."""
    return ProfileView(mpid, created_seq, source_mpid, False, 0)


def _held(identifier: Identifier) -> list[str]:
    return [identifier.type, identifier.value]


def _change(op: str, mpid: int, kind: str, value: str) -> Change:
    return Change(Op(op), mpid, Identifier(IdentityType(kind), value))


def _data_json(data: BatchData | None) -> list[Any] | None:
    if data is None:
        return None
    device = data.device
    return [
        [[each.time_ms, each.event_type, each.name, each.text] for each in data.events],
        None if data.attributes is None else dict(data.attributes),
        list(data.deleted),
        None if device is None else [device.identifier and _held(device.identifier), device.info],
        data.consent_state,
        data.is_opted_out,
        data.attribution,
    ]


def _data(value: list[Any] | None) -> BatchData | None:
    if value is None:
        return None
    events, attributes, deleted, device, consent_state, is_opted_out, attribution = value
    return BatchData(
        [NewEvent(*each) for each in events],
        attributes,
        deleted,
        None if device is None else BatchDevice(_identifier(device[0]), device[1]),
        consent_state,
        is_opted_out,
        attribution,
    )


def _identifier(held: list[str] | None) -> Identifier | None:
    return None if held is None else Identifier(IdentityType(held[0]), held[1])
