"""A request of a data subject: a file as OpenDSR's version 3 has it (section 9, Erase)."""

import gzip
import re
import zlib
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, Final, NamedTuple

from idsync_cli import wire
from idsync_cli.core.decision import Refusal
from idsync_cli.core.identity import TYPES_BY_NAME, mpid_rule, parse_mpid
from idsync_cli.errors import Hint, nearest, quoted
from idsync_cli.file_faults import Fault, FileFault
from idsync_cli.files.contents import BYTE_ORDER_MARK
from idsync_cli.files.gzip_mark import is_packed

EXTENSION: Final = "opendsr.mparticle.com"
"""The member of `extensions` that has more identities."""

MOST_IDENTITIES: Final = 50
LARGEST: Final = 2**20

_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_RAW: Final = "raw"
_MPID: Final = "mpid"
_VERSION: Final = "3.0"


class SubjectRequestType(StrEnum):
    """What the subject asks for."""

    ACCESS = "access"
    PORTABILITY = "portability"
    ERASURE = "erasure"


class Regulation(StrEnum):
    """By which law."""

    GDPR = "gdpr"
    CCPA = "ccpa"


class SubjectRequest(NamedTuple):
    """A request: its id in small letters, and whose profile it means, by MPID or by identities.

    `group_id` is a name that several requests may share.
    """

    id: str
    type: SubjectRequestType
    mpid: str | int | None
    identities: Mapping[str, str]
    group_id: str | None = None


def read(path: str) -> SubjectRequest:
    """Read a request from a file.

    Raises:
        FileFault: it cannot be read, or all that is wrong with it.
    """
    try:
        content = _content(Path(path))
    except (OSError, ValueError, EOFError, zlib.error) as error:
        cause = getattr(error, "strerror", None) or str(error)
        raise FileFault([Fault(path, f"cannot be read: {cause}")]) from None
    return parse(content, path)


def parse(content: bytes, source: str, *, is_body: bool = False) -> SubjectRequest:
    """Read a request that came from a source; of a body over HTTP no word is suggested.

    A byte-order mark at the start is passed over.

    Raises:
        FileFault: all that is wrong with it.
    """
    try:
        text = content.removeprefix(BYTE_ORDER_MARK)
        body = wire.decode_json(text, wire.OF_BODY if is_body else wire.OF_OBJECT)
    except Refusal as refusal:
        raise FileFault([Fault(source, refusal.message)]) from None
    if not isinstance(body, dict):
        raise FileFault([Fault(source, "the request is not a JSON object")])
    reader = _Reader(body, suggests=not is_body)
    faults = [Fault(source, message, hint=hint) for message, hint in reader.faults()]
    if faults:
        raise FileFault(faults)
    return reader.request()


def _content(path: Path) -> bytes:
    with path.open("rb") as file:
        content = file.read(LARGEST + 1)
    if is_packed(content):
        with gzip.open(path) as unpacked:
            content = unpacked.read(LARGEST + 1)
    if len(content) > LARGEST:
        raise ValueError("it is larger than 1 MiB")
    return content


class _Reader:
    """Reads the body of a request; what it does not know is passed over, for clients send more."""

    def __init__(self, body: Mapping[str, Any], *, suggests: bool) -> None:
        self._body = body
        self._suggests = suggests
        self._identities: dict[str, tuple[str, Any]] = {}  # by type: as named, and what is said
        self._number = 0

    def request(self) -> SubjectRequest:
        """The request, in which no fault was found."""
        values = {kind: said["value"] for kind, (_, said) in self._identities.items()}
        mpid = values.pop(_MPID, None)
        body = self._body
        its_type = SubjectRequestType(body["subject_request_type"])
        its_id, group_id = body["subject_request_id"].lower(), body.get("group_id")
        return SubjectRequest(its_id, its_type, mpid, values, group_id)

    def faults(self) -> Iterator[tuple[str, Hint | None]]:
        """All that is wrong, in the order of the members."""
        yield from self._word("regulation", Regulation)
        its_id = self._body.get("subject_request_id")
        if its_id is None:
            yield "no subject_request_id; give the request a UUID", None
        elif not isinstance(its_id, str) or not _UUID.fullmatch(its_id):
            what = quoted(wire.shown(its_id))
            yield f"subject_request_id is {what}, but must be a UUID", None
        yield from self._word("subject_request_type", SubjectRequestType)
        yield from self._time()
        version = self._body.get("api_version")
        if version not in (None, _VERSION):
            yield f"api_version is {quoted(wire.shown(version))}, but must be {_VERSION}", None
        group_id = self._body.get("group_id")
        if group_id is not None and not wire.is_text(group_id):
            yield f"group_id is {quoted(wire.shown(group_id))}, but must be text", None
        extension = self._extension()
        if extension is None:
            yield f"extensions, or {EXTENSION} in it, is not an object", None
        for member, identities in (
            ("subject_identities", self._body.get("subject_identities")),
            (f"subject_identities of {EXTENSION}", (extension or {}).get("subject_identities")),
        ):
            yield from self._read_people(member, identities)
        yield from self._of_all()

    def _word(self, name: str, allowed: type[StrEnum]) -> Iterator[tuple[str, None]]:
        value = self._body.get(name)
        words = ", ".join(allowed)
        if value is None:
            yield f"no {name}; use one of {words}", None
        elif value not in [*allowed]:
            hint = self._nearest(value, allowed)
            yield f"{name} is {quoted(wire.shown(value))}, but must be one of {words}{hint}", None

    def _nearest(self, value: object, allowed: Iterable[str]) -> str:
        return nearest(value, allowed) if self._suggests and isinstance(value, str) else ""

    def _time(self) -> Iterator[tuple[str, None]]:
        value = self._body.get("submitted_time")
        if value is None:
            yield (
                "no submitted_time; give the time of the request, such as 2026-01-31T12:00:00Z",
                None,
            )
            return
        try:
            datetime.fromisoformat(value)
        except (TypeError, ValueError):
            what = quoted(wire.shown(value))
            yield f"submitted_time is {what}, but must be a time such as 2026-01-31T12:00:00Z", None

    def _extension(self) -> Mapping[str, Any] | None:
        found = self._body.get("extensions")
        if isinstance(found, dict):
            found = found.get(EXTENSION)
        return {} if found is None else found if isinstance(found, dict) else None

    def _read_people(self, member: str, identities: object) -> Iterator[tuple[str, Hint | None]]:
        """Read the identities under one member, and say what is wrong with them."""
        if identities is None:
            return
        if isinstance(identities, list):
            yield (
                (
                    f"{member} is a list, as in earlier versions of OpenDSR; in version 3 it is an "
                    "object with a type for each identity"
                ),
                None,
            )
            return
        if not isinstance(identities, dict):
            yield f"{member} is {quoted(wire.shown(identities))}, but must be an object", None
            return
        self._number += len(identities)
        for name, said in identities.items():
            kind = _MPID if name == _MPID else TYPES_BY_NAME.get(name)
            if kind is None:
                hint = self._nearest(name, [*TYPES_BY_NAME, _MPID])
                yield f"unknown identity type {quoted(name)}{hint}", Hint.LIST_TYPES
                continue
            if str(kind) in self._identities:
                first = self._identities[str(kind)][0]
                yield f"{first} and {name} are one type; give only one of them", None
                continue
            self._identities[str(kind)] = name, said
            yield from _of_identity(name, said)

    def _of_all(self) -> Iterator[tuple[str, None]]:
        found = self._identities
        if not self._number:
            yield "no subject_identities; name at least one identity, or an mpid", None
        if self._number > MOST_IDENTITIES:
            yield f"{self._number} identities; at most {MOST_IDENTITIES} are allowed", None
        if _MPID in found and self._number > 1:
            yield "an mpid is given with other identities; give it alone, or omit it", None


def _of_identity(name: str, said: object) -> Iterator[tuple[str, None]]:
    """What is wrong with one identity; whether its value is one, the request itself will show."""
    if not isinstance(said, dict) or "value" not in said:
        yield f'{name} must be an object such as {{"value": "…", "encoding": "{_RAW}"}}', None
        return
    encoding, value = said.get("encoding", _RAW), said["value"]
    if encoding != _RAW:
        what = quoted(wire.shown(encoding))
        yield f"{name} has the encoding {what}; only {_RAW} can be looked up", None
    if name == _MPID and parse_mpid(value) is None:
        what = quoted(wire.shown(value))
        yield f"{_MPID} is {what}, but must be an MPID{mpid_rule(value)}", None
    elif name != _MPID and not (isinstance(value, str) and value):
        yield f"the value of {name} is not text, or empty; put it between quotes", None
