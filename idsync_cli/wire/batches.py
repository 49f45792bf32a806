"""Event batches as they come: their members, checked in the order of section 8 (section 9).

Members that nobody names are passed over, for the libraries send many.
"""

from collections.abc import Sequence
from typing import Any, Final

from idsync_cli.core.data.values import MAX_NAME_LENGTH, BatchData
from idsync_cli.core.decision import Refusal
from idsync_cli.core.identity import Identifier, IdentityType, device_among
from idsync_cli.core.value import Value
from idsync_cli.wire.batch_data import data_of, own_time_of
from idsync_cli.wire.batch_identifiers import device_identifier_of, identifiers_of
from idsync_cli.wire.batch_members import BatchMembers
from idsync_cli.wire.batch_values import invalid_batch
from idsync_cli.wire.decoding import Json


class BatchLine(Value):
    """A batch that stood in a line, with its events as they stand there, and the line."""

    __match_args__ = ("batch", "texts", "line")
    __slots__ = __match_args__

    def __init__(self, batch: Json, texts: Sequence[str] | None, line: bytes) -> None:
        self.batch: Final = batch
        self.texts: Final = texts
        self.line: Final = line

    def as_json(self) -> Json:
        """The JSON value that it was."""
        return self.batch


class Batch:
    """A batch as far as it can be read without knowing the store; `own_time_ms` is its own time.

    Of one that names its profile the identifiers are ignored: then there are none, and no fault of
    them either.
    """

    __slots__ = ("data", "fault", "identifiers", "own_time_ms", "passed_over")

    def __init__(self, data: BatchData, own_time_ms: int | None) -> None:
        self.data: Final = data
        self.own_time_ms: Final = own_time_ms
        self.identifiers: Sequence[Identifier] = ()
        self.passed_over: tuple[IdentityType, ...] = ()
        self.fault: Refusal | None = None

    def __repr__(self) -> str:
        return repr({name: getattr(self, name) for name in self.__slots__})


def read(members: BatchMembers, texts: Sequence[str] | None, *, names_profile: bool) -> Batch:
    """Read what a batch brings; `texts` are its events as they came.

    Raises:
        Refusal: INVALID_BATCH.
    """
    its_id: Any = members.source_request_id
    if its_id is not None and len(its_id) > MAX_NAME_LENGTH:
        fault = f"has {len(its_id):,} characters; at most {MAX_NAME_LENGTH} are allowed"
        raise invalid_batch(("source_request_id",), fault)
    time_ms = own_time_of(members)
    if names_profile:
        device = device_identifier_of(members)
        return Batch(data_of(members, texts, time_ms, device, names_profile=True), time_ms)
    found = identifiers_of(members)
    device = device_among(found.found)
    read = Batch(data_of(members, texts, time_ms, device, names_profile=False), time_ms)
    read.identifiers = found.found
    read.passed_over = found.passed_over
    read.fault = found.fault
    return read
