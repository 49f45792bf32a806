"""HTTP over one connection: what bounds it, and what is said of something that is no HTTP.

llhttp, the parser of Node.js, reads it (httptools). It takes what a server must refuse, and has no
limits, so both stand here.
"""

import asyncio
import re
from typing import Any, Final

import httptools
from uvicorn.protocols.http.httptools_impl import (
    STATUS_LINE,
    HttpToolsProtocol,
    RequestResponseCycle,
)

from idsync_cli.server.answers import error_response
from idsync_cli.server.bodies import WHOLE_BODY
from idsync_cli.server.cors import Cors
from idsync_cli.server.transport import Joined
from idsync_cli.server.unchunked import without_chunks

SILENT_SECONDS: Final = 30
"""How long a connection may say nothing, be in the middle of its headers, or read nothing."""

MOST_OF_HEAD: Final = 64 * 1024
"""How many bytes the head of a request may have: its first line and its headers."""

_GOODBYE_SECONDS: Final = 5
_NO_CHUNKS: Final = ("0.9", "1.0")
_WITHOUT_PATH: Final = re.compile(rb"(https?://[^/?#]+)((?:\?.*)?)", re.IGNORECASE | re.DOTALL)
_NO_HTTP: Final = "this is not HTTP"
_CUT: Final = "the body is incomplete"
_TOO_LONG: Final = f"the head of a request is longer than {MOST_OF_HEAD // 1024} KiB"


class _Wrong(Exception):
    """A request is no HTTP that a server may take; the message says why."""


class Protocol(HttpToolsProtocol):
    """HTTP over one connection, which is closed where the client goes on saying nothing."""

    cors = Cors()
    """Which pages may read that what they sent is no HTTP."""

    _in_head = False  # a request has begun, and its head has not ended
    _in_body = False  # its head has ended, and its body has not
    _head_bytes = 0  # of that head and of what follows the body, in lines that are whole
    _untold = 0  # bytes that the parser was given since it told of anything
    _asks_upgrade = False  # the request that is read asks for another protocol
    _lingers = False  # it is answered, and closed once all of it has come
    _unanswered = 0  # requests whose head came, and whose answer is not whole
    _is_over = False  # nothing more is read
    _fault: str | None = None  # why, where the client has to be told
    _has_ended = False  # the client sends no more
    _running: RequestResponseCycle | None = None  # the request that is being answered

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """Begin to watch the connection."""
        self._joined = Joined(transport, self.loop, self._has_to_linger)
        super().connection_made(self._joined)  # type: ignore[arg-type]  # it writes as one
        self._watch = self.loop.call_later(SILENT_SECONDS, self._look, None, (0, 0))

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop watching, and tell whatever still answers."""
        self._watch.cancel()
        self.pipeline.clear()
        if self._running is not None and not self._running.response_complete:
            self._running.disconnected = True
            self._running.message_event.set()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read what came, as far as it is HTTP."""
        self._unset_keepalive_if_required()
        rest = memoryview(data)
        while rest and not self._is_over:
            rest = self._read(rest)

    def _read(self, data: memoryview) -> memoryview:
        """Read what came; gives what is left of it behind a head that asks for an upgrade."""
        self._untold += len(data)
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            if self._asks_upgrade:  # the parser would take its body for the other protocol
                self._asks_upgrade = False
                self._read(memoryview(self._without_upgrade()))
                return data[upgrade.args[0] :]
            self._is_over, self.cycle.keep_alive = True, False
        except httptools.HttpParserError as error:
            why = error.__context__
            self._refuse(str(why) if isinstance(why, _Wrong) else _NO_HTTP)
        else:
            # The parser itself keeps the part of a line that came, however long it is.
            if self._untold > MOST_OF_HEAD:
                self._refuse(_TOO_LONG)
        return data[:0]

    def _without_upgrade(self) -> bytes:
        """The head that was read, as if it had not asked for an upgrade."""
        version = self.parser.get_http_version().encode()
        lines = [b"%b %b HTTP/%b\r\n" % (self.parser.get_method(), self.url, version)]
        for name, value in self.headers:
            if name == b"connection":
                kept = [each for each in value.split(b",") if each.strip().lower() != b"upgrade"]
                lines.append(b"connection: %b\r\n" % b",".join(kept))
            elif name != b"upgrade":
                lines.append(b"%b: %b\r\n" % (name, value))
        return b"".join([*lines, b"\r\n"])

    def on_message_begin(self) -> None:
        """Begin a request."""
        super().on_message_begin()
        self._in_head, self._head_bytes, self._untold = True, 0, 0

    def on_url(self, url: bytes) -> None:
        """Take a part of the path."""
        self._count(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header; one that comes behind the body counts for nothing."""
        self._count(len(name) + len(value))
        if self._in_head:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Begin to answer a request.

        Raises:
            _Wrong: it names no host, or several.
        """
        hosts = sum(name == b"host" for name, _ in self.headers)
        if hosts > 1 or (not hosts and self.parser.get_http_version() != "1.0"):
            raise _Wrong("a request must have one Host header")
        if self.parser.should_upgrade() and self.parser.get_method() != b"CONNECT":
            self._asks_upgrade = True
            return
        if address := _WITHOUT_PATH.fullmatch(self.url):
            self.url = b"%b/%b" % address.groups()
        super().on_headers_complete()
        self._in_head, self._in_body = False, True
        self._unanswered += 1

    def on_body(self, body: bytes) -> None:
        """Take a part of the body."""
        self._untold = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """End a request.

        Raises:
            _Wrong: it was the last one.
        """
        self._untold = 0
        if self._asks_upgrade:
            return
        self._in_body = False
        if self._lingers:
            self.transport.close()
            raise _Wrong(_NO_HTTP)  # which nobody is told
        super().on_message_complete()
        if not self.cycle.response_started:
            self.scope[WHOLE_BODY] = bytes(self.cycle.body)  # type: ignore[typeddict-unknown-key]  # our own

    def on_response_complete(self) -> None:
        """Go on with the connection, unless nothing more will come on it."""
        self._unanswered -= 1
        super().on_response_complete()
        if self.pipeline:  # what waits is answered before more is read
            self.flow.pause_reading()
        if self._unanswered:
            return
        if self._fault is not None:
            self._say(self._fault)
        elif self._has_ended:
            self.transport.close()

    def eof_received(self) -> bool | None:  # type: ignore[override]  # None there
        """Answer what came before the client ended its side, which may be a body that is cut.

        It may still be reading, so the connection stays until the answer is written; over TLS it
        cannot. An answer without a length may have no end, so nobody waits for one.
        """
        if self._in_body and not self._is_over:
            self._refuse(_CUT)
        self._has_ended = True
        self._joined.send()  # for the loop may close the connection itself
        if self._running is not None and _has_no_length(self._running):
            return False
        return self._unanswered > 0 and self.scheme != "https"

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        self._running = cycle
        if cycle.scope["http_version"] in _NO_CHUNKS:
            app = without_chunks(app, cycle)
        super()._start_asgi_task(cycle, app)

    def shutdown(self) -> None:
        """Close the connection once it is answered; over TLS the client has to agree, and soon."""
        super().shutdown()
        if self.transport.is_closing():
            self.loop.call_later(_GOODBYE_SECONDS, self._joined.abort)

    def _has_to_linger(self) -> bool:
        """Whether the client is still sending what was answered: a reset could cost the answer."""
        if self._lingers or not self._in_body or self._is_over or self._has_ended:
            return False
        self._lingers = True
        return True

    def _count(self, size: int) -> None:
        self._untold = 0
        self._head_bytes += size
        if self._head_bytes > MOST_OF_HEAD:
            raise _Wrong(_TOO_LONG)

    def _refuse(self, why: str) -> None:
        """Read nothing more, and say why, once all that came before is answered."""
        self._is_over, self._fault = True, why
        if self._in_body:  # of the request that came last, the body is wrong
            cycle = self.cycle
            cycle.disconnected = True  # whatever it still answers goes nowhere
            cycle.message_event.set()
            if cycle.response_started:
                self.transport.close()
                return
            self._unanswered -= 1
            if self.pipeline and self.pipeline[0][0] is cycle:
                self.pipeline.popleft()
        if not self._unanswered:
            self._say(why)

    def _say(self, why: str) -> None:
        """Tell a client that what it sent is no HTTP, in the form of all other errors."""
        if self.transport.is_closing():
            return
        response = error_response(400, "BAD_REQUEST", why)
        headers = [*self.server_state.default_headers, *response.raw_headers]
        headers += [*self.cors.headers_for(), (b"connection", b"close")]
        lines = b"".join(b"%b: %b\r\n" % each for each in headers)
        self.transport.write(STATUS_LINE[400] + lines + b"\r\n" + bytes(response.body))
        self.transport.close()

    def _look(self, cycle_before: object, progress_before: tuple[int, int]) -> None:
        """Close the connection where no request was begun since the last look, and none is on.

        Nor does it stay where the client reads nothing of what was sent.
        """
        progress = self._joined.progress()
        if progress[0] and progress == progress_before:
            self._joined.abort()
            return
        if not self._unanswered and self.cycle is cycle_before:
            self.transport.close()
        self._watch = self.loop.call_later(SILENT_SECONDS, self._look, self.cycle, progress)


def _has_no_length(cycle: RequestResponseCycle) -> bool:
    """Whether an answer has begun, and did not say how long it is."""
    return cycle.response_started and not cycle.expected_content_length
