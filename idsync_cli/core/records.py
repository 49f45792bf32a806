"""What a store has beside profiles, piece by piece: what an export has of it (section 9).

Each is what a profile has by now, with the sequence number of the request that brought it; JSON is
kept as text. Aliases and erasures are records, too.
"""

from typing import NamedTuple

from idsync_cli.core.data.values import Alias
from idsync_cli.core.erasure import Erasure
from idsync_cli.core.identity import Identifier


class TimesRecord(NamedTuple):
    """When a profile was first seen and last stored, in milliseconds since 1970, UTC."""

    mpid: int
    first_seen_ms: int
    last_stored_ms: int


class AttributeRecord(NamedTuple):
    """An attribute that a profile has, with its value as JSON."""

    mpid: int
    seq: int
    name: str
    value: str


class DeviceRecord(NamedTuple):
    """A device of a profile, and what was said of it last, a JSON object.

    `first_seq` is the request that named it first.
    """

    mpid: int
    seq: int
    first_seq: int
    identifier: Identifier | None
    info: str


class StateRecord(NamedTuple):
    """Consent and the like, since the last request that changed any of it; two are JSON objects."""

    mpid: int
    seq: int
    consent_state: str | None
    is_opted_out: bool
    attribution: str | None


class EventRecord(NamedTuple):
    """An event that a profile has; `text` is the whole of it as JSON (`core.data.values.Event`)."""

    mpid: int
    seq: int
    place: int
    time_ms: int
    event_type: str
    name: str | None
    text: str


class DigestRecord(NamedTuple):
    """The digest of a batch's id under a key; of one whose profile was erased no MPID is known."""

    mpid: int | None
    seq: int
    digest: bytes
    key: bytes


DataRecord = AttributeRecord | DeviceRecord | StateRecord | EventRecord | Alias | DigestRecord
"""What batches and aliases brought, by number; of one number in this order."""

NumberedRecord = DataRecord | Erasure
"""What an export has by number; of one number an erasure is the last."""

Record = TimesRecord | NumberedRecord
