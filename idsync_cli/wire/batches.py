"""Event batches as they come: their members, checked in the order of section 8 (section 9).

Members that nobody names are passed over, for the libraries send many.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from idsync_cli.core.data.values import MAX_NAME_LENGTH, BatchData
from idsync_cli.core.decision import Refusal
from idsync_cli.core.identity import Identifier, IdentityType
from idsync_cli.core.value import Value
from idsync_cli.wire.batch_data import data_of
from idsync_cli.wire.batch_identifiers import (
    device_among,
    device_identifier_of,
    identifiers_of,
)
from idsync_cli.wire.batch_values import invalid_batch
from idsync_cli.wire.decoding import Json
from idsync_cli.wire.members import invalid_request, is_text, wrong


class BatchLine(Value):
    """A batch that stood in a line, with its events as they stand there."""

    __match_args__ = ("batch", "texts")
    __slots__ = __match_args__

    def __init__(self, batch: Json, texts: Sequence[str] | None) -> None:
        self.batch: Final = batch
        self.texts: Final = texts

    def as_json(self) -> Json:
        """The JSON value that it was."""
        return self.batch


class Batch:
    """A batch as far as it can be read without knowing the store.

    Of one that names its profile the identifiers are ignored: then there are none, and no fault of
    them either.
    """

    __slots__ = ("data", "fault", "identifiers", "passed_over")

    def __init__(self, data: BatchData) -> None:
        self.data: Final = data
        self.identifiers: Sequence[Identifier] = ()
        self.passed_over: tuple[IdentityType, ...] = ()
        self.fault: Refusal | None = None


def _is_object(value: object) -> bool:
    return isinstance(value, dict)


def _is_list(value: object) -> bool:
    return isinstance(value, list)


_KINDS: Final[Mapping[str, tuple[Callable[[Any], bool], str]]] = {
    **dict.fromkeys(("scope", "workspace", "label", "source_request_id"), (is_text, "text")),
    **dict.fromkeys(
        (
            "user_identities", "device_info", "user_attributes", "consent_state",
            "attribution_info",
        ),
        (_is_object, "an object"),
    ),
    **dict.fromkeys(("deleted_user_attributes", "events"), (_is_list, "a list")),
}  # fmt: skip
"""What those members of a batch must be that are looked into."""


def check_kinds(batch: Json) -> None:
    """See whether the members of a batch hold what they must; null is as good as absent.

    Raises:
        Refusal: INVALID_REQUEST.
    """
    for name, value in batch.items():
        kind = _KINDS.get(name)
        if kind is not None and value is not None and not kind[0](value):
            raise invalid_request(wrong(name, value, kind[1]), name)


def id_of(batch: Json) -> str | None:
    """The `source_request_id` of a batch; an empty one is as good as absent."""
    return batch.get("source_request_id") or None


def read(batch: Json, texts: Sequence[str] | None, *, names_profile: bool) -> Batch:
    """Read what a batch brings, whose members hold what they must.

    Raises:
        Refusal: INVALID_BATCH.
    """
    its_id = id_of(batch)
    if its_id is not None and len(its_id) > MAX_NAME_LENGTH:
        fault = f"has {len(its_id):,} characters; at most {MAX_NAME_LENGTH} are allowed"
        raise invalid_batch("source_request_id", fault, its_id)
    if names_profile:
        device = device_identifier_of(batch)
        return Batch(data_of(batch, texts, device, names_profile=True))
    found = identifiers_of(batch)
    device = device_among(found.found)
    read = Batch(data_of(batch, texts, device, names_profile=False))
    read.identifiers = found.found
    read.passed_over = found.passed_over
    read.fault = found.fault
    return read
