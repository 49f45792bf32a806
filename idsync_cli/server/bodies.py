"""The body of a request: read with a bound, unpacked with a bound, and decoded (section 10)."""

import asyncio
import json
import re
import zlib
from typing import Final

from starlette.requests import ClientDisconnect, Request

from idsync_cli.server.answers import Problem

MOST_BYTES = 256 * 1024
"""How long a body may be once it is unpacked."""

SECONDS = 30.0
"""How long a client may take to send its body."""

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
    unpack = zlib.decompressobj(_GZIP) if "gzip" in encoding else None
    body = bytearray()
    try:
        async with asyncio.timeout(SECONDS):
            async for chunk in request.stream():
                body += chunk if unpack is None else _unpacked(unpack, chunk, most - len(body))
                if len(body) > most:
                    raise too_long(most)
    except TimeoutError:
        raise Problem(408, f"the body did not come within {SECONDS:.0f} seconds") from None
    except ClientDisconnect:
        raise Problem(400, "the body is cut") from None
    if unpack is not None and (not unpack.eof or unpack.unused_data):
        raise Problem(400, "the body is not one whole gzip file")
    return bytes(body)


def _unpacked(unpack: "zlib._Decompress", chunk: bytes, most: int) -> bytes:
    """What a chunk comes to, no more than a byte beyond `most`."""
    try:
        return unpack.decompress(chunk, most + 1)
    except zlib.error:
        raise Problem(400, "the body is not gzip, as its Content-Encoding says") from None


def too_long(most: int = MOST_BYTES) -> Problem:
    """What is said of a body that is too long."""
    return Problem(413, f"the body is longer than {most // 1024} KiB")


def check_content_type(request: Request) -> None:
    """See that a body is said to be JSON, or text as browsers send JSON without asking first.

    Raises:
        Problem: 400.
    """
    named = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if named and not (named in _JSON or (named.startswith("application/") and "+json" in named)):
        raise Problem(400, "the Content-Type is not JSON; send application/json")


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
