"""A request as it was read, and what it asks once its labels are known."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final, Protocol

from idsync_cli.core.codes import ErrorCode, RequestKind
from idsync_cli.core.config.rules import ScopeRules
from idsync_cli.core.data.batch_ids import BatchId
from idsync_cli.core.decision import Refusal
from idsync_cli.core.identity import Identifier, IdentityType
from idsync_cli.core.request import (
    AliasRequest,
    BatchRequest,
    EraseRequest,
    IdentityChange,
    IdentityRequest,
    ModifyRequest,
    Request,
)
from idsync_cli.errors import quoted
from idsync_cli.wire.aliases import NamedAlias
from idsync_cli.wire.batches import Batch

_ERASE: Final = RequestKind.ERASE
_IDENTIFY: Final = RequestKind.IDENTIFY
_MODIFY: Final = RequestKind.MODIFY


class Reading:
    """A request as far as it can be read without knowing what labels stand for.

    `refusal` says what is wrong with its members or its scope, and `late_refusal` what is wrong
    with its identifiers or its data, which counts only if its labels are known (the order of
    section 8). `identities` are those of a modify in its set form. An MPID that is a text is a
    label. `recorded_mpid` is what another system answered with. `batch` is what an event batch has
    beside these, `digest` stands for its `batch_id`, and `alias` is what an alias has. What
    `spares_known` says of a modify comes from whoever takes the request, never from the request.
    """

    __slots__ = (
        "alias", "batch", "batch_id", "changes", "digest", "identifiers", "identities", "kind",
        "label", "late_refusal", "mpid", "previous_mpid", "recorded_mpid", "refusal", "request_id",
        "request_timestamp_ms", "rules", "scope", "spares_known",
    )  # fmt: skip

    def __init__(
        self,
        kind: RequestKind | None = None,
        label: str | None = None,
        refusal: Refusal | None = None,
    ) -> None:
        self.kind = kind
        self.scope: str | None = None
        self.rules: ScopeRules | None = None
        self.label = label
        self.mpid: int | str | None = None
        self.previous_mpid: int | str | None = None
        self.identifiers: Sequence[Identifier] = ()
        self.identities: Mapping[IdentityType, str | None] | None = None
        self.changes: tuple[IdentityChange, ...] | None = None
        self.request_id: str | None = None
        self.request_timestamp_ms: int | None = None
        self.refusal = refusal
        self.late_refusal: Refusal | None = None
        self.recorded_mpid: int | None = None
        self.batch: Batch | None = None
        self.alias: NamedAlias | None = None
        self.batch_id: BatchId | None = None
        self.digest: bytes | None = None
        self.spares_known = False

    def translate(self, here: Callable[[int], int]) -> None:
        """Replace the MPIDs that the request names with what they stand for here (section 12)."""
        if isinstance(self.mpid, int):
            self.mpid = here(self.mpid)
        if isinstance(self.previous_mpid, int):
            self.previous_mpid = here(self.previous_mpid)
        if self.alias is not None:
            self.alias = self.alias.translated(here)


class KnownLabels(Protocol):
    """What labels stand for by now."""

    def get(self, label: str, /) -> int | None:
        """The MPID that a label stands for, if it stands for any."""


def request_of(reading: Reading, labels: KnownLabels, now_ms: int = 0) -> Request:
    """What is asked, now that the labels set so far are known.

    `now_ms` is the time, in milliseconds since 1970, UTC, for a request that has none of its own.

    Raises:
        Refusal: what is wrong with the request: any code of section 8's table up to NO_IDENTITIES.
    """
    kind, mpid, previous = reading.kind, reading.mpid, reading.previous_mpid
    if reading.refusal:
        raise reading.refusal
    if isinstance(mpid, str):
        mpid = _mpid_of("mpid", mpid, labels)
    if isinstance(previous, str):
        previous = _mpid_of("previous_mpid", previous, labels)
    if reading.late_refusal:
        raise reading.late_refusal
    alias = reading.alias
    if alias is not None:
        own_time = reading.request_timestamp_ms
        return AliasRequest(
            _named_by("source_mpid", alias.source, labels),
            _named_by("destination_mpid", alias.destination, labels),
            alias.start_ms,
            alias.end_ms,
            now_ms if own_time is None else own_time,
        )
    batch = reading.batch
    if batch is not None:
        digest = reading.digest
        if mpid is not None:
            return BatchRequest(batch.data, None, mpid, digest)
        identify = IdentityRequest(_IDENTIFY, reading.identifiers)
        return BatchRequest(batch.data, identify, None, digest, batch.passed_over, batch.fault)
    if kind is _MODIFY:
        assert mpid is not None
        if reading.changes is not None:
            return ModifyRequest(
                mpid, identity_changes=reading.changes, spares_known=reading.spares_known
            )
        return ModifyRequest(
            mpid, known_identities=reading.identities, spares_known=reading.spares_known
        )
    assert kind is not None
    if kind is _ERASE:
        return EraseRequest(mpid, reading.identifiers)
    return IdentityRequest(kind, reading.identifiers, previous)


def _named_by(name: str, mpid_or_label: int | str, labels: KnownLabels) -> int:
    if isinstance(mpid_or_label, str):
        return _mpid_of(name, mpid_or_label, labels)
    return mpid_or_label


def _mpid_of(name: str, label: str, labels: KnownLabels) -> int:
    mpid = labels.get(label)
    if mpid is None:
        raise Refusal(
            ErrorCode.UNKNOWN_LABEL,
            f"no earlier answer has the label {quoted(label)}; set it in an earlier request",
            word=(name,),
        )
    return mpid
