"""The HTTP API as tests ask it: the application alone, or the server as a process of its own."""

import asyncio
import base64
import hashlib
import hmac
import json
import os
import re
import signal
import socket
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

from starlette.types import ASGIApp, Message

from tests.program import Program

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back: the status, the headers by their names in lower case, and the body."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def code(self) -> str:
        """The code of an error."""
        return str(self.json()["ErrorCode"])


def encoded(body: object) -> bytes:
    return body if isinstance(body, bytes) else json.dumps(body).encode()


def basic(key: str, secret: str) -> dict[str, str]:
    pair = base64.b64encode(f"{key}:{secret}".encode()).decode()
    return {"authorization": f"Basic {pair}"}


def signed(
    key: str, secret: str, date: str, path: str, body: bytes = b"", method: str = "POST"
) -> dict[str, str]:
    """The headers of a request as the native SDKs sign it."""
    message = f"{method}\n{date}\n{path}".encode() + body
    signature = hmac.new(secret.encode(), message, hashlib.sha256).hexdigest()
    return {"x-mp-key": key, "date": date, "x-mp-signature": signature}


@dataclass
class Application:
    """The application without a server: a request in, a reply out."""

    app: ASGIApp
    loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.new_event_loop)

    def __call__(
        self,
        method: str,
        path: str,
        body: object = b"",
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        return self.loop.run_until_complete(self._ask(method, path, encoded(body), headers or {}))

    def close(self) -> None:
        self.loop.close()

    async def _ask(self, method: str, path: str, body: bytes, headers: Mapping[str, str]) -> Reply:
        parts = urlsplit(path)
        came: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]
        sent: list[Message] = []

        async def receive() -> Message:
            return came.pop(0) if came else {"type": "http.disconnect"}

        async def send(message: Message) -> None:
            sent.append(message)

        scope = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "scheme": "http",
            "method": method, "path": parts.path, "raw_path": parts.path.encode(),
            "query_string": parts.query.encode(), "root_path": "",
            "headers": [(n.lower().encode(), v.encode("latin-1")) for n, v in headers.items()],
            "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 80),
        }  # fmt: skip
        await self.app(scope, receive, send)
        begin = sent[0]
        its_headers = {n.decode(): v.decode("latin-1") for n, v in begin["headers"]}
        return Reply(
            begin["status"], its_headers, b"".join(each.get("body", b"") for each in sent[1:])
        )


@dataclass(frozen=True, slots=True)
class Server:
    """A server that runs, as a process."""

    process: "subprocess.Popen[bytes]"
    host: str
    port: int

    def __call__(
        self,
        method: str,
        path: str,
        body: object = b"",
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        connection = HTTPConnection(self.host, self.port, timeout=20)
        try:
            connection.request(method, path, encoded(body), dict(headers or {}))
            response = connection.getresponse()
            names = {name.lower(): value for name, value in response.getheaders()}
            return Reply(response.status, names, response.read())
        finally:
            connection.close()

    def stop(self, number: int = signal.SIGTERM) -> tuple[int, str]:
        """End it, and give its exit status and what it said."""
        self.process.send_signal(number)
        _, said = self.process.communicate(timeout=40)
        return self.process.returncode, said.decode()


def raw(server: Server, sent: bytes) -> bytes:
    """All that comes back on a connection for some bytes."""
    came = b""
    with socket.create_connection((server.host, server.port), timeout=20) as connection:
        connection.sendall(sent)
        while chunk := connection.recv(65536):
            came += chunk
    return came


@contextmanager
def serving(
    program: Program, *arguments: str, environment: Mapping[str, str] | None = None
) -> Iterator[Server]:
    """Start `idsync serve` on a free port; whatever is left of it at the end is killed."""
    process = program.start(
        "serve", "--port", "0", *arguments, environment={**os.environ, **(environment or {})}
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline().decode()
        found = re.search(r"https?://([^:/]+):(\d+)", line)
        assert found, (line, process.stderr.read().decode() if process.stderr else "")
        yield Server(process, found[1], int(found[2]))
    finally:
        process.kill()
        process.communicate()
