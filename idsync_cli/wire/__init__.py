"""The JSON formats of section 8: requests in; answers and profiles out."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from idsync_cli.wire.answers import (
    answer_json,
    answer_line,
    decided_by_json,
    decider_json,
    encode,
    erasure_json,
    erasure_record_json,
    identities_json,
    profile_json,
    time_text,
)
from idsync_cli.wire.as_written import read_again, shown
from idsync_cli.wire.batch_data import event_of
from idsync_cli.wire.batch_values import attributes_of
from idsync_cli.wire.batches import BatchLine
from idsync_cli.wire.decoding import (
    MAX_LINE_BYTES,
    OF_BODY,
    OF_CELL,
    OF_FILE,
    OF_OBJECT,
    Json,
    check_depth,
    decode,
    decode_json,
    json_text,
)
from idsync_cli.wire.identifiers import identities_of, identity_type_of
from idsync_cli.wire.lines import (
    LONGEST_LINE,
    Incoming,
    LineReader,
    NumberedLine,
    not_blank,
    response_of,
    type_named_by,
)
from idsync_cli.wire.members import is_text, unknown_member
from idsync_cli.wire.mpids import recorded_mpid
from idsync_cli.wire.reading import Reading, request_of
from idsync_cli.wire.requests import Reader
from idsync_cli.wire.scopes import Target, scope_of
from idsync_cli.wire.times import moment_of

if TYPE_CHECKING:
    from idsync_cli.wire.enriched import enriched_line, moment_of_batch
    from idsync_cli.wire.excerpts import excerpt_of, text_of_member
    from idsync_cli.wire.records import digest_key_line, record_line
    from idsync_cli.wire.tracking import CUSTOM_EVENT, tracked

__all__ = [
    "CUSTOM_EVENT",
    "LONGEST_LINE",
    "MAX_LINE_BYTES",
    "OF_BODY",
    "OF_CELL",
    "OF_FILE",
    "OF_OBJECT",
    "BatchLine",
    "Incoming",
    "Json",
    "LineReader",
    "NumberedLine",
    "Reader",
    "Reading",
    "Target",
    "answer_json",
    "answer_line",
    "attributes_of",
    "check_depth",
    "decided_by_json",
    "decider_json",
    "decode",
    "decode_json",
    "digest_key_line",
    "encode",
    "enriched_line",
    "erasure_json",
    "erasure_record_json",
    "event_of",
    "excerpt_of",
    "identities_json",
    "identities_of",
    "identity_type_of",
    "is_text",
    "json_text",
    "moment_of",
    "moment_of_batch",
    "not_blank",
    "profile_json",
    "read_again",
    "record_line",
    "recorded_mpid",
    "request_of",
    "response_of",
    "scope_of",
    "shown",
    "text_of_member",
    "time_text",
    "tracked",
    "type_named_by",
    "unknown_member",
]

_WHEN_ASKED_FOR = {
    "enriched_line": "idsync_cli.wire.enriched",
    "moment_of_batch": "idsync_cli.wire.enriched",
    "excerpt_of": "idsync_cli.wire.excerpts",
    "text_of_member": "idsync_cli.wire.excerpts",
    "digest_key_line": "idsync_cli.wire.records",
    "record_line": "idsync_cli.wire.records",
    "CUSTOM_EVENT": "idsync_cli.wire.tracking",
    "tracked": "idsync_cli.wire.tracking",
}
"""What one request of the command line never needs, by the modules that have it."""


def __getattr__(name: str) -> Any:
    """Import what is asked for, which is then found without this."""
    if name not in _WHEN_ASKED_FOR:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = globals()[name] = getattr(import_module(_WHEN_ASKED_FOR[name]), name)
    return found
