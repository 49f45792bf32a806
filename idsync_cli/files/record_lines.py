"""Lines of an export that are no profiles: records, each of the kind that it names (section 9)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from idsync_cli import wire
from idsync_cli.core.config.rules import Organization
from idsync_cli.core.decision import WHOLE_REQUEST
from idsync_cli.core.erasure import Erasure
from idsync_cli.core.identity import parse_mpid
from idsync_cli.errors import nearest, quoted
from idsync_cli.files.data_lines import KINDS, DataLine, DigestKeyLine, read_data
from idsync_cli.files.member_checks import (
    A_SEQ,
    AN_MPID,
    RECORD,
    ExcerptOf,
    Members,
    bad,
    checked,
    is_clock_time,
)

_ERASURE: Final = "erasure"


@dataclass(frozen=True, slots=True)
class ErasureLine:
    """An erasure as a file says it was."""

    line: int
    erasure: Erasure
    excerpt: ExcerptOf = field(compare=False, repr=False)


RecordLine = ErasureLine | DataLine | DigestKeyLine
"""What a line may be that is no profile."""


def read_record(
    number: int,
    value: Mapping[str, Any],
    line: bytes,
    organization: Organization,
    excerpt: ExcerptOf,
) -> RecordLine:
    """Read a record, which is what a line holds.

    Raises:
        Refusal: it is none that is known.
    """
    kind = value[RECORD]
    if kind in KINDS:
        return read_data(number, kind, value, line, excerpt)
    if kind != _ERASURE:
        hint = nearest(kind, [*KINDS, _ERASURE]) if isinstance(kind, str) else ""
        raise bad(f"unknown record {quoted(wire.shown(kind))}{hint}", (RECORD,))
    given = checked(value, _ERASURE_MEMBERS, required=("mpid", "seq", "time_ms"))
    if "scope" not in given and len(organization.scopes) > 1:
        raise bad(
            "no scope; the configuration has several, so the erasure must name one", WHOLE_REQUEST
        )
    mpid = parse_mpid(given["mpid"])
    assert mpid is not None
    scope = given.get("scope") or next(iter(organization.scopes))
    its_id = given.get("request_id")
    return ErasureLine(
        number, Erasure(mpid, given["seq"], scope, given["time_ms"], its_id), excerpt
    )


_ERASURE_MEMBERS: Members = {
    RECORD: ("text", wire.is_text),
    "mpid": AN_MPID,
    "seq": A_SEQ,
    "scope": ("text", wire.is_text),
    "time_ms": ("a time in milliseconds since 1970, before the year 10000", is_clock_time),
    "request_id": ("text", wire.is_text),
}
