"""Requests: their members are read and checked, in the order of section 8's table."""

from collections.abc import Sequence
from typing import Final

from idsync_cli.core.codes import ErrorCode, RequestKind
from idsync_cli.core.config.rules import Organization, ScopeRules
from idsync_cli.core.data.batch_ids import Digests
from idsync_cli.core.decision import WHOLE_REQUEST, Refusal
from idsync_cli.wire import aliases, batches
from idsync_cli.wire.as_written import read_again
from idsync_cli.wire.batch_members import BatchMembers
from idsync_cli.wire.batches import BatchLine
from idsync_cli.wire.decoding import Json, LineObject, check_depth
from idsync_cli.wire.identifiers import changes_in, identifiers_in, settings_in
from idsync_cli.wire.lines import PlainLine
from idsync_cli.wire.members import (
    Members,
    invalid_request,
    is_text,
    kind_and_label_of,
    members_in,
    unknown_type,
)
from idsync_cli.wire.mpids import is_no_mpid, mpid_or_label, mpid_or_label_if_any, recorded_mpid
from idsync_cli.wire.reading import Reading
from idsync_cli.wire.scopes import Target, scope_of

_KINDS: Final = {kind.value: kind for kind in RequestKind}
_MODIFY: Final = RequestKind.MODIFY
_SHOWING_VALUES: Final = (
    ErrorCode.INVALID_REQUEST,
    ErrorCode.INVALID_IDENTITY_VALUE,
    ErrorCode.INVALID_BATCH,
)
_BATCH: Final = RequestKind.BATCH
_ALIAS: Final = RequestKind.ALIAS
_NAME_OF_BATCH: Final = RequestKind.BATCH.value
_NAME_OF_ALIAS: Final = RequestKind.ALIAS.value
_ERASE: Final = RequestKind.ERASE
_NAMING_NOTHING: Final = None, None


class Reader:
    """Reads requests for an organization; the target stands in for those that name no scope.

    `batch_key` is what the digests of batches' ids are made under.
    """

    def __init__(
        self, organization: Organization, target: Target | None = None, batch_key: bytes = b""
    ) -> None:
        self._organization = organization
        self._digests = Digests(batch_key)
        self._target = target or Target()
        self._scopes: dict[tuple[str | None, str | None], tuple[str, ScopeRules]] = {}
        self._unnamed: tuple[str, ScopeRules] | None = (
            None  # what a request is for that names nothing
        )

    def read(self, request: object, *, from_app: bool = False) -> Reading:
        """Read a request, as far as it is one.

        With `from_app`, the id of a batch came under the credentials of an application.
        """
        if isinstance(request, PlainLine):
            return self._read(request.members)
        if isinstance(request, BatchLine):
            reading = self._read_batch(request.batch, request.texts, from_app=from_app)
            return self._as_it_stands(reading, request.line, from_app=from_app)
        if isinstance(request, Refusal):
            return Reading(refusal=request)
        if isinstance(request, LineObject):
            reading = self._read_json(request, from_app=from_app)
            return self._as_it_stands(reading, request.line, from_app=from_app)
        return self._read_json(request, from_app=from_app)

    def _as_it_stands(self, reading: Reading, line: bytes, *, from_app: bool) -> Reading:
        """The reading of a line; if it is refused with a value, told as that is written."""
        if _may_show_a_value(reading):
            as_written = read_again(line)
            if as_written is not None:
                return self._read_json(as_written, from_app=from_app)
        return reading

    def _read_json(self, request: object, *, from_app: bool) -> Reading:
        """Read a request that may be anything."""
        if isinstance(request, dict):
            named = request.get("type")
            if named == _NAME_OF_BATCH:
                try:
                    check_depth(request)
                except Refusal as refusal:
                    return Reading(refusal=refusal)
                return self._read_batch(request, None, from_app=from_app)
            if named == _NAME_OF_ALIAS:
                return self._read_alias(request)
        try:
            members = members_in(request)
        except Refusal as refusal:
            named, label = kind_and_label_of(request)
            return Reading(_KINDS.get(named) if named else None, label, refusal)
        return self._read(members)

    def _read(self, members: Members) -> Reading:
        """Read a request whose members each hold what they must."""
        (
            named, scope, workspace, label, identities, previous, mpid, changes, request_id,
            time_ms, _source_request_id, _environment, _client_sdk, _context, response,
        ) = members  # fmt: skip
        kind = _KINDS.get(named)
        reading = Reading(kind, label)
        try:
            _check_combination(kind, named, identities, mpid, changes, previous)
            if mpid is not None:
                mpid = mpid_or_label("mpid", mpid)
            if previous is not None and kind is not _MODIFY:
                previous = (
                    None if is_no_mpid(previous) else mpid_or_label("previous_mpid", previous)
                )
            if response is not None:
                reading.recorded_mpid = recorded_mpid(response)
            where = self._unnamed
            if where is None or scope is not None or workspace is not None:
                where = self._scope(scope, workspace)
        except Refusal as refusal:
            reading.refusal = refusal
            return reading
        reading.scope, reading.rules = where
        reading.request_id = request_id
        reading.request_timestamp_ms = time_ms
        try:
            if kind is _ERASE and mpid is not None:
                reading.mpid = mpid
            elif kind is not _MODIFY:
                reading.previous_mpid = previous
                reading.identifiers = identifiers_in(identities or {})
            else:
                reading.mpid = mpid
                if changes is not None:
                    reading.changes = changes_in(changes)
                else:
                    reading.identities = settings_in(identities)
        except Refusal as refusal:
            reading.late_refusal = refusal
        return reading

    def _read_batch(self, batch: Json, texts: Sequence[str] | None, *, from_app: bool) -> Reading:
        """Read an event batch (section 9)."""
        label = batch.get("label")
        reading = Reading(_BATCH, label if is_text(label) else None)
        try:
            members = BatchMembers(batch)
            mpid = members.mpid
            if mpid is not None:
                mpid = mpid_or_label_if_any("mpid", mpid)
            if members.response is not None:
                reading.recorded_mpid = recorded_mpid(members.response)
            scope, workspace = members.scope, members.workspace
            where = self._unnamed
            if where is None or scope is not None or workspace is not None:
                where = self._scope(scope, workspace)
        except Refusal as refusal:
            reading.refusal = refusal
            return reading
        reading.scope, reading.rules = where
        reading.mpid = mpid
        if members.request_id is not None and is_text(members.request_id):
            reading.request_id = members.request_id
        try:
            read = batches.read(members, texts, names_profile=mpid is not None)
        except Refusal as refusal:
            reading.late_refusal = refusal
            return reading
        reading.batch = read
        reading.request_timestamp_ms = read.own_time_ms
        reading.identifiers = read.identifiers
        batch_id = members.source_request_id
        if batch_id is not None:
            if scope is None and workspace is None:
                workspace = self._target.workspace
            reading.batch_id = workspace, where[0], batch_id, from_app
            reading.digest = self._digests.of(workspace, where[0], batch_id, from_app)
        return reading

    def _read_alias(self, alias: Json) -> Reading:
        """Read an alias (section 9)."""
        label = alias.get("label")
        reading = Reading(_ALIAS, label if is_text(label) else None)
        try:
            members = aliases.members_of(alias)
            source, destination = [
                mpid_or_label(name, aliases.named_in(members, name))
                for name in ("source_mpid", "destination_mpid")
            ]
            start, end = [
                aliases.time_in(members, name) for name in ("start_unixtime_ms", "end_unixtime_ms")
            ]
            if "response" in members:
                reading.recorded_mpid = recorded_mpid(members["response"])
            reading.scope, reading.rules = self._scope(
                members.get("scope"), members.get("workspace")
            )
        except Refusal as refusal:
            reading.refusal = refusal
            return reading
        reading.alias = aliases.NamedAlias(source, destination, start, end)
        reading.request_id = members.get("request_id")
        reading.request_timestamp_ms = members.get("request_timestamp_ms")
        return reading

    def _scope(self, scope: str | None, workspace: str | None) -> tuple[str, ScopeRules]:
        named = scope, workspace
        if named not in self._scopes:
            name = scope_of(scope, workspace, self._organization, self._target)
            self._scopes[named] = name, self._organization.scopes[name]
            self._unnamed = self._scopes.get(_NAMING_NOTHING)
        return self._scopes[named]


def _may_show_a_value(reading: Reading) -> bool:
    """Whether a request is refused with a value, which is to be told as it is written."""
    refusal = reading.refusal or reading.late_refusal
    if refusal is None and reading.batch is not None:
        refusal = reading.batch.fault
    return refusal is not None and refusal.code in _SHOWING_VALUES


def _check_combination(
    kind: RequestKind | None,
    named: str | None,
    identities: object,
    mpid: object,
    changes: object,
    previous: object,
) -> None:
    """See whether the members belong together: which of them a request has depends on its kind.

    Raises:
        Refusal: INVALID_REQUEST.
    """
    if kind is None:
        raise unknown_type(named)
    if kind is _MODIFY:
        if mpid is None:
            raise invalid_request("no mpid; a modify names the profile to change", ("type",))
        if (identities is None) == (changes is None):
            raise invalid_request(
                "a modify takes either known_identities or identity_changes, not both",
                WHOLE_REQUEST if changes is None else "identity_changes",
            )
    elif kind is _ERASE:
        if identities is None and mpid is None:
            raise invalid_request(
                "an erase names nobody; give its mpid or known_identities", WHOLE_REQUEST
            )
        if identities is not None and mpid is not None:
            raise invalid_request(
                "an erase takes either mpid or known_identities, not both", ("mpid",)
            )
        if changes is not None or previous is not None:
            name = "previous_mpid" if changes is None else "identity_changes"
            raise invalid_request(f"{name} says nothing about whom to erase; remove it", name)
    elif mpid is not None or changes is not None:
        name = "identity_changes" if mpid is None else "mpid"
        raise invalid_request(f"{name} is only for modify; remove it from the {kind}", name)
