"""The explorer as tests ask it: a server that runs, and the token that it printed."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from tests.http_api import Reply, Server, serving
from tests.program import Program

CONFIG = """\
organization: example-org
scopes:
  shop:
    strategy: profile_link
    priority: [customer_id, email, ios_idfv, device_application_stamp]
    identities: {customer_id: {login: true, unique: true}}
    calculated_attributes:
      orders: {calculation: count, event: purchase}
    audiences:
      buyers: {id: 7, all: [{event: purchase}]}
accounts:
  main:
    workspaces:
      web: {scope: shop, api_key: web-key, api_secret: not-a-secret, key_only: true}
"""
KEY = {"x-mp-key": "web-key", "content-type": "application/json"}

STORY: tuple[dict[str, Any], ...] = (
    {
        "type": "login",
        "known_identities": {
            "customer_id": "ABC123",
            "email": "a@example.com",
            "ios_idfv": "9876",
        },
    },
    {"type": "identify", "known_identities": {"ios_idfv": "9876"}},
    {"type": "login", "known_identities": {"customer_id": "XYZ789", "ios_idfv": "9876"}},
    {
        "type": "batch",
        "user_identities": {"customer_id": "ABC123"},
        "user_attributes": {"city": "Bern", "tags": ["a", "b"]},
        "events": [{"event_type": "custom_event", "data": {"event_name": "purchase"}}],
    },
)
"""Two people at one device, one of whom bought something."""


@dataclass(frozen=True, slots=True)
class Explored:
    """A server with its explorer."""

    server: Server
    token: str

    def __call__(
        self,
        path: str,
        body: object = None,
        headers: Mapping[str, str] | None = None,
        method: str | None = None,
    ) -> Reply:
        """Ask for data, with the token unless the headers say otherwise."""
        sent = {"x-idsync-token": self.token, "content-type": "application/json", **(headers or {})}
        kept = {name: value for name, value in sent.items() if value != ""}
        asks = method or ("GET" if body is None else "POST")
        return self.server(asks, f"/explorer/api/{path}", b"" if body is None else body, kept)

    @property
    def address(self) -> str:
        """What was printed for a browser."""
        return f"http://{self.server.host}:{self.server.port}/#token={self.token}"


@contextmanager
def exploring(program: Program, *arguments: str) -> Iterator[Explored]:
    """Start `idsync serve` with its explorer."""
    with serving(program, *arguments) as server:
        assert server.process.stdout is not None
        line = server.process.stdout.readline().decode()
        found = re.fullmatch(r"explore it at https?://[^/]+/#token=([\w-]{43})\n", line)
        assert found, line
        yield Explored(server, found[1])


def words(shown: Any) -> str:
    """What drawn elements say."""
    if isinstance(shown, str):
        return shown
    if shown and isinstance(shown[0], str) and isinstance(shown[1], dict):
        return "".join(map(words, shown[2:])) + ("\n" if shown[0] in ("p", "tr") else " ")
    return "".join(map(words, shown))
