"""A server from its start to its end: it listens, hears signals, and finishes what it accepted."""

import asyncio
import resource
import signal
import socket
import ssl
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, Final

import h11
import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

from idsync_cli.errors import Hint, UsageFault, quoted
from idsync_cli.server.answers import error_response
from idsync_cli.server.cors import Cors

SILENT_SECONDS: Final = 30
"""How long a connection may say nothing, or be in the middle of its headers."""

GRACE_SECONDS: Final = 30
"""How long the end waits for requests that were accepted."""

_MOST_FILES: Final = 65_536
_BACKLOG: Final = 1024


class _Joined:
    """A transport that sends at once what is written one after another: head and body of an answer.

    All else is the transport's own.
    """

    def __init__(self, transport: Any, loop: asyncio.AbstractEventLoop) -> None:
        self._transport: Final = transport
        self._loop: Final = loop
        self._held = bytearray()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        """Send some bytes before the loop waits for anything."""
        if data and not self._held:
            self._loop.call_soon(self._send)
        self._held += data

    def close(self) -> None:
        """Send what was written, and close the connection."""
        self._send()
        self._transport.close()

    def _send(self) -> None:
        if self._held:
            held, self._held = self._held, bytearray()
            self._transport.write(held)


class Protocol(H11Protocol):
    """HTTP over one connection, which is closed where the client goes on saying nothing."""

    cors = Cors()
    """Which pages may read that what they sent is no HTTP."""

    _has_ended = False  # the client sends no more

    def connection_made(self, transport: Any) -> None:
        """Begin to watch the connection."""
        super().connection_made(_Joined(transport, self.loop))  # type: ignore[arg-type]
        self._watch = self.loop.call_later(SILENT_SECONDS, self._look, None)

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop watching."""
        self._watch.cancel()
        super().connection_lost(exc)

    def eof_received(self) -> bool | None:  # type: ignore[override]
        """Answer what came before the client ended its side, which may be a body that is cut.

        It may still be reading, so the connection stays until the answer is written; over TLS it
        cannot.
        """
        if self.conn.their_state is h11.SEND_BODY:
            self.send_400_response("the body is incomplete")
            return None
        self._has_ended = True
        return self._is_answering() and self.scheme != "https"

    def on_response_complete(self) -> None:
        """Go on with the connection, unless nothing more will come on it."""
        super().on_response_complete()
        if self._has_ended and not self._is_answering():
            self.transport.close()

    def _is_answering(self) -> bool:
        cycle: RequestResponseCycle | None = self.cycle  # none before the first request
        return cycle is not None and not cycle.response_complete

    def send_400_response(self, msg: str) -> None:
        """Tell a client that what it sent is no HTTP, in the form of all other errors.

        Where an answer was begun, the connection is closed, and that is all.
        """
        if self.cycle is not None:
            self.cycle.disconnected = True  # whatever it still answers goes nowhere
        if self.conn.our_state not in (h11.IDLE, h11.SEND_RESPONSE):
            self.transport.close()
            return
        response = error_response(400, "BAD_REQUEST", msg)
        headers = [*response.raw_headers, *self.cors.headers_for(), (b"connection", b"close")]
        for event in (
            h11.Response(status_code=400, headers=headers, reason=b"Bad Request"),
            h11.Data(data=bytes(response.body)),
            h11.EndOfMessage(),
        ):
            self.transport.write(self.conn.send(event))
        self.transport.close()

    def _look(self, cycle_before: object) -> None:
        """Close the connection where no request was begun since the last look, and none is on."""
        if not self._is_answering() and self.cycle is cycle_before:
            self.transport.close()
        else:
            self._watch = self.loop.call_later(SILENT_SECONDS, self._look, self.cycle)


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens, and whose connections send at once what is written.

    Otherwise the second half of an answer would wait for the client to confirm the first, up to
    40 ms. asyncio sees to it itself, but not on a socket that it is given.

    Raises:
        UsageFault: the address cannot be had.
    """
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        listening = socket.create_server((host, port), family=family, backlog=_BACKLOG)
    except (OSError, UnicodeError) as error:
        cause = getattr(error, "strerror", None) or error
        raise UsageFault(
            f"cannot listen on {quoted(host)}, port {port}: {cause}", hint=Hint.LISTEN_ELSEWHERE
        ) from None
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listening


def serve(
    app: ASGIApp,
    listening: socket.socket,
    context: ssl.SSLContext | None,
    on_reload: Callable[[], Awaitable[None]],
    on_ready: Callable[[], None],
    beside: Callable[[], Awaitable[None]],
    cors: Cors,
) -> None:
    """Serve until SIGINT or SIGTERM comes; then finish what was accepted.

    A SIGHUP has `on_reload` called. `beside` runs as long as requests are accepted.
    """
    _allow_many_connections()
    config = uvicorn.Config(
        app,
        http=type("ItsProtocol", (Protocol,), {"cors": cors}),
        ws="none",
        lifespan="off",
        log_config=None,
        log_level="critical",  # what goes wrong is told by the application
        access_log=False,
        server_header=False,
        timeout_keep_alive=SILENT_SECONDS,
        timeout_graceful_shutdown=GRACE_SECONDS,
        backlog=_BACKLOG,
    )
    config.load()
    config.ssl = context
    asyncio.run(_Server(config, on_reload, on_ready, beside).serve([listening]))


class _Server(uvicorn.Server):
    """A server that says when it is ready, and whose end by a signal is an ordinary end."""

    def __init__(
        self,
        config: uvicorn.Config,
        on_reload: Callable[[], Awaitable[None]],
        on_ready: Callable[[], None],
        beside: Callable[[], Awaitable[None]],
    ) -> None:
        super().__init__(config)
        self._beside = beside
        self._on_reload = on_reload
        self._on_ready = on_ready
        self._reloads: set[asyncio.Task[None]] = set()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to listen, and say so."""
        await super().startup(sockets)
        self._is_beside = asyncio.ensure_future(self._beside())
        self._on_ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Accept no more, and end what runs beside."""
        self._is_beside.cancel()
        await super().shutdown(sockets)
        with suppress(asyncio.CancelledError):
            await self._is_beside

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Hear signals; those that ended the server are not raised again once it has ended."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self.handle_exit, number, None)
        loop.add_signal_handler(signal.SIGHUP, self._reload)
        yield

    def _reload(self) -> None:
        task = asyncio.get_running_loop().create_task(self._reload_once())
        self._reloads.add(task)
        task.add_done_callback(self._reloads.discard)

    async def _reload_once(self) -> None:
        await self._on_reload()


def _allow_many_connections() -> None:
    """Let the process have as many open files as it may: each connection is one."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _MOST_FILES if most == resource.RLIM_INFINITY else min(most, _MOST_FILES)
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, most))
