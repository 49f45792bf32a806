"""A server from its start to its end: it listens, hears signals, and finishes what it accepted."""

import asyncio
import os
import resource
import signal
import socket
import ssl
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Final

import uvicorn
from starlette.types import ASGIApp

from idsync_cli.errors import Hint, UsageFault, quoted
from idsync_cli.server import protocol
from idsync_cli.server.cors import Cors

GRACE_SECONDS: Final = 30
"""How long the end waits for requests that were accepted."""

_MOST_FILES: Final = 65_536
_BACKLOG: Final = 1024


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
        raise UsageFault(
            f"cannot listen on {quoted(host)}, port {port}: {_cause(error)}",
            hint=Hint.LISTEN_ELSEWHERE,
        ) from None
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listening


def _cause(error: OSError | UnicodeError) -> str:
    """Why an address cannot be had; Python's own words repeat the address."""
    if isinstance(error, OSError) and not isinstance(error, socket.gaierror) and error.errno:
        return os.strerror(error.errno)
    return str(getattr(error, "strerror", None) or error)


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
        http=type("ItsProtocol", (protocol.Protocol,), {"cors": cors}),
        ws="none",
        lifespan="off",
        log_config=None,
        log_level="critical",  # what goes wrong is told by the application
        access_log=False,
        server_header=False,
        proxy_headers=False,  # who asks is told by the connection alone
        timeout_keep_alive=protocol.SILENT_SECONDS,
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
