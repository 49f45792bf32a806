"""The body of a request: read with a bound, unpacked with a bound, and decoded (section 10)."""

import asyncio
import json
import re
import zlib
from typing import Final

from starlette.requests import ClientDisconnect, Request

from idsync_cli.core.decision import WHOLE_REQUEST
from idsync_cli.files.contents import BYTE_ORDER_MARK
from idsync_cli.server.answers import Problem
from idsync_cli.wire.decoding import OF_BODY, decode_json
from idsync_cli.wire.members import invalid_request

MOST_BYTES = 256 * 1024
"""How long a body may be once it is unpacked."""

SECONDS = 30.0
"""How long a client may take to send its body."""

WHOLE_BODY: Final = "idsync.whole_body"
"""Where a scope has the body if all of it came with the head, so that nobody waits for it."""

_GZIP: Final = zlib.MAX_WBITS + 16
_TEXT_OR_BRACKET: Final = re.compile(r'"(?:[^"\\]|\\.)*"?|[\[\]{}]', re.DOTALL)
_JSON: Final = ("application/json", "text/json", "text/plain")


async def read_body(request: Request, most: int = MOST_BYTES) -> bytes:
    """The body as it was before it was compressed.

    Raises:
        Problem: 400, it is cut or its compression is broken or unknown; 408, it took too long;
            413, it is too long.
    """
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    if encoding not in ("identity", "gzip", "x-gzip", ""):
        raise Problem(400, "the Content-Encoding is not known; send gzip, or none")
    unpacking = _Unpacking() if "gzip" in encoding else None
    if _length_of(request) > (most if unpacking is None else 2 * most):
        raise too_long(most)  # before any of it is read
    whole: bytes | None = request.scope.get(WHOLE_BODY)
    body = bytearray()
    try:
        if whole is not None:
            _add(body, whole, unpacking, most)
        else:
            async with asyncio.timeout(SECONDS):
                async for chunk in request.stream():
                    _add(body, chunk, unpacking, most)
    except TimeoutError:
        raise Problem(408, f"the body did not arrive within {SECONDS:.0f} seconds") from None
    except ClientDisconnect:
        raise Problem(400, "the body is incomplete") from None
    if unpacking is not None and not unpacking.is_whole:
        raise Problem(400, "the body is not one whole gzip file")
    return bytes(body)


def _add(body: bytearray, chunk: bytes, unpacking: "_Unpacking | None", most: int) -> None:
    """Add what came to a body.

    Raises:
        Problem: 400, it is not gzip; 413, the body is too long.
    """
    body += chunk if unpacking is None else unpacking.unpack(chunk, most - len(body))
    if len(body) > most or (unpacking is not None and unpacking.received > 2 * most):
        raise too_long(most)


def _length_of(request: Request) -> int:
    """How long a body says that it is, as it comes; 0 where it does not."""
    said = request.headers.get("content-length", "")
    return int(said[:20]) if said.isascii() and said.isdigit() else 0


class _Unpacking:
    """Unpacks gzip chunk by chunk: one member, or several one after another.

    `received` counts bytes as they came: members may be empty, and so cost time without a limit.
    """

    def __init__(self) -> None:
        self._member = zlib.decompressobj(_GZIP)
        self.received = 0

    def unpack(self, chunk: bytes, most: int) -> bytes:
        """What a chunk comes to, no more than a byte beyond `most`.

        Raises:
            Problem: 400; it is not gzip.
        """
        self.received += len(chunk)
        body = bytearray()
        try:
            while chunk and len(body) <= most:
                if self._member.eof:
                    self._member = zlib.decompressobj(_GZIP)
                body += self._member.decompress(chunk, most + 1 - len(body))
                chunk = self._member.unused_data
        except zlib.error:
            raise Problem(400, "the body is not gzip, as its Content-Encoding says") from None
        return bytes(body)

    @property
    def is_whole(self) -> bool:
        """Whether the last member has ended."""
        return self._member.eof


def too_long(most: int = MOST_BYTES) -> Problem:
    """What is said of a body that is too long."""
    return Problem(413, f"the body is longer than {most // 1024} KiB")


def json_of(request: Request, body: bytes) -> object:
    """What the body of a request holds, which must be said to be JSON.

    Raises:
        Refusal: INVALID_REQUEST, it is said to be something else; INVALID_JSON.
    """
    check_content_type(request)
    return decoded(body)


def check_content_type(request: Request) -> None:
    """See that a body is said to be JSON, or text as browsers send JSON without asking first.

    Raises:
        Refusal: INVALID_REQUEST.
    """
    named = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if named and not (named in _JSON or (named.startswith("application/") and "+json" in named)):
        raise invalid_request("the Content-Type is not JSON; send application/json", WHOLE_REQUEST)


def decoded(body: bytes) -> object:
    """What a body holds, read as strictly as a line of a file (section 8), a byte-order mark too.

    Raises:
        Refusal: INVALID_JSON.
    """
    return decode_json(body.removeprefix(BYTE_ORDER_MARK), OF_BODY)


def is_json(body: bytes) -> bool:
    """Whether a body is JSON, as leniently as the standard library reads it, at any depth.

    Each object and list is read by itself, with null for every one in it: no reader goes as deep
    as a body may.
    """
    open_ones: list[list[str]] = [[]]
    end = 0
    try:
        text = body.decode(json.detect_encoding(body), "surrogatepass")
        for found in _TEXT_OR_BRACKET.finditer(text):
            open_ones[-1].append(text[end : found.start()])
            end = found.end()
            if found[0] in ("[", "{"):
                open_ones.append([found[0]])
            elif found[0] in ("]", "}"):
                json.loads("".join([*open_ones.pop(), found[0]]))
                open_ones[-1].append("null")
            else:
                open_ones[-1].append(found[0])
        json.loads("".join([*open_ones.pop(), text[end:]]))
    except ValueError:
        return False
    return not open_ones
