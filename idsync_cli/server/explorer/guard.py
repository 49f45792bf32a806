"""Who may have the explorer: a browser at this machine, its own page, and with the token.

Cookies are not bound to a port, so the token is a header, which no page of another origin can send
without asking, and nobody answers that.
"""

import hmac
from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.requests import Request

from idsync_cli.server.answers import Problem

TOKEN_HEADER: Final = "x-idsync-token"

SECURITY_HEADERS: Final = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
        "img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
        "require-trusted-types-for 'script'; trusted-types 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
"""What goes with everything: nothing but the files of this page runs, and nobody frames it."""

_OWN_SITE: Final = ("same-origin", "none")  # none: the address was typed, or opened by a program


class Guard:
    """Judges requests; `host` is the name or address that the server was told to listen on."""

    def __init__(self, token: str, host: str) -> None:
        self._token: Final = token.encode("latin-1")
        self._names: Final = frozenset(("localhost", host.lower().rstrip(".")))

    def check_page(self, request: Request) -> None:
        """See that a file of the page is asked for under a name of this machine.

        A link on a page of another site may open it: that page reads nothing of it.

        Raises:
            Problem: 421, 403.
        """
        self._check_host(request.headers)
        is_opened = request.headers.get("sec-fetch-mode") == "navigate"
        if not (is_opened and request.headers.get("sec-fetch-dest") == "document"):
            _check_site(request.headers)

    def check_data(self, request: Request) -> None:
        """See that data are asked for by the page, with the token.

        Raises:
            Problem: 421, 403, 401.
        """
        self._check_host(request.headers)
        _check_site(request.headers)
        sent = request.headers.getlist(TOKEN_HEADER)
        if len(sent) != 1 or not hmac.compare_digest(sent[0].encode("latin-1"), self._token):
            raise Problem(
                401,
                "the token is missing or from an earlier run; open the address that idsync printed "
                "when it started",
                "TOKEN_NEEDED",
            )

    def _check_host(self, headers: Headers) -> None:
        """See that no name was made to resolve here: an address cannot be."""
        sent = headers.getlist("host")
        host = _host_in(sent[0]) if len(sent) == 1 else None
        if host is None or not (host.rstrip(".") in self._names or _is_address(host)):
            raise Problem(
                421,
                "the explorer is not served under this name; open the address that idsync printed",
                "WRONG_HOST",
            )


def _host_in(header: str) -> str | None:
    """The name or address in a Host header, without its port."""
    try:
        found = urlsplit(f"//{header}")
        _ = found.port
    except ValueError:
        return None
    if "@" in header or found.path or found.query or found.fragment:
        return None
    return found.hostname


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _check_site(headers: Headers) -> None:
    """See that it is no page of another site that asks, as far as the browser says."""
    origins = headers.getlist("origin")
    own = {f"{scheme}://{headers['host']}" for scheme in ("http", "https")}
    site = headers.get("sec-fetch-site", "none")
    if site not in _OWN_SITE or len(origins) > 1 or not own.issuperset(origins):
        raise Problem(403, "a page from another site may not send this request", "OTHER_SITE")
