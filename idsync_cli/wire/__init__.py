"""The JSON formats of section 8: requests in; answers and profiles out."""

from idsync_cli.wire.answers import (
    answer_json,
    answer_line,
    decided_by_json,
    encode,
    identities_json,
    profile_json,
    time_text,
)
from idsync_cli.wire.as_written import read_again, shown
from idsync_cli.wire.decoding import MAX_LINE_BYTES, Json, decode, decode_json
from idsync_cli.wire.excerpts import excerpt_of
from idsync_cli.wire.identifiers import identities_of, identity_type_of
from idsync_cli.wire.lines import (
    LONGEST_LINE,
    Incoming,
    LineReader,
    NumberedLine,
    not_blank,
    type_named_by,
)
from idsync_cli.wire.members import is_text
from idsync_cli.wire.requests import Reader, Reading, request_of
from idsync_cli.wire.scopes import Target, scope_of

__all__ = [
    "LONGEST_LINE",
    "MAX_LINE_BYTES",
    "Incoming",
    "Json",
    "LineReader",
    "NumberedLine",
    "Reader",
    "Reading",
    "Target",
    "answer_json",
    "answer_line",
    "decided_by_json",
    "decode",
    "decode_json",
    "encode",
    "excerpt_of",
    "identities_json",
    "identities_of",
    "identity_type_of",
    "is_text",
    "not_blank",
    "profile_json",
    "read_again",
    "request_of",
    "scope_of",
    "shown",
    "time_text",
    "type_named_by",
]
