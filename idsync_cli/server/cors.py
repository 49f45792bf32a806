"""Which pages may read what the server answers: CORS (section 10)."""

import re
from typing import Final

from starlette.responses import Response

from idsync_cli.errors import UsageFault, quoted

_HEADERS: Final = b"x-mp-key, content-type, authorization, x-mp-signature, date"
_EXPOSED: Final = b"X-MP-Max-Age"
_PREFLIGHT_SECONDS: Final = b"86400"
_ORIGIN: Final = re.compile(
    r"(?P<scheme>[a-z][a-z0-9+.-]*)://(?P<host>\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::(?P<port>\d{1,5}))?"
)
_NONE: Final = "null"
"""The origin of a page without one, such as a file."""

_USUAL_PORTS: Final = {"http": "80", "https": "443"}

Header = tuple[bytes, bytes]


class Cors:
    """The origins of the pages that may ask; of none, any may."""

    def __init__(self, allowed_origins: tuple[str, ...] = ()) -> None:
        self._allowed: Final = frozenset(allowed_origins)

    def headers_for(self, origin: bytes = b"") -> list[Header]:
        """The headers of every answer to a page of an origin; of no page, or who knows which."""
        if not self._allowed:
            allowed = [(b"access-control-allow-origin", b"*")]
        else:
            is_allowed = origin.decode("latin-1") in self._allowed
            allowed = [(b"access-control-allow-origin", origin)] if is_allowed else []
            allowed.append((b"vary", b"Origin"))
        return [*allowed, (b"access-control-expose-headers", _EXPOSED)]


def preflight(headers: list[Header]) -> Response:
    """The answer to a page that asks what it may ask."""
    response = Response(status_code=204)
    response.raw_headers += [
        *headers,
        (b"access-control-allow-methods", b"GET, POST"),
        (b"access-control-allow-headers", _HEADERS),
        (b"access-control-max-age", _PREFLIGHT_SECONDS),
    ]
    return response


def _is_left_out(origin: re.Match[str]) -> bool:
    """Whether the port is the usual one, which browsers leave out."""
    return origin["port"] is not None and _USUAL_PORTS.get(origin["scheme"]) == origin["port"]


def check_origin(named: str, text: str) -> str:
    """See that a text is an origin as browsers send it, for it is compared with theirs; give it.

    `named` is what the message calls it.

    Raises:
        UsageFault: it is none; it may be meant for one.
    """
    found = _ORIGIN.fullmatch(text)
    if text == _NONE or (found and not _is_left_out(found)):
        return text
    meant = _ORIGIN.match(text.lower())
    said = "scheme, host and port, such as https://shop.example.com or http://localhost:3000"
    if meant is not None and (len(text) == meant.end() or text[meant.end()] in "/?#"):
        said = meant[0].removesuffix(f":{meant['port']}") if _is_left_out(meant) else meant[0]
    raise UsageFault(f"{named} {quoted(text)} is not an origin as browsers send it; give {said}")
