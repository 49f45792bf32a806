"""HTTP over one connection: what bounds it, and what is said of something that is no HTTP.

llhttp, the parser of Node.js, reads it (httptools). It takes what a server must refuse, and has no
limits, so both stand here.
"""

import asyncio
from typing import Any, Final

import httptools
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from idsync_cli.server.answers import error_response
from idsync_cli.server.bodies import WHOLE_BODY
from idsync_cli.server.cors import Cors

SILENT_SECONDS: Final = 30
"""How long a connection may say nothing, or be in the middle of its headers."""

MOST_OF_HEAD: Final = 64 * 1024
"""How many bytes the head of a request may have: its first line and its headers."""

_NO_HTTP: Final = "this is not HTTP"
_CUT: Final = "the body is incomplete"
_TOO_LONG: Final = f"the head of a request is longer than {MOST_OF_HEAD // 1024} KiB"


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


class _Wrong(Exception):
    """A request is no HTTP that a server may take; the message says why."""


class Protocol(HttpToolsProtocol):
    """HTTP over one connection, which is closed where the client goes on saying nothing."""

    cors = Cors()
    """Which pages may read that what they sent is no HTTP."""

    _in_head = False  # a request has begun, and its head has not ended
    _in_body = False  # its head has ended, and its body has not
    _head_bytes = 0  # of that head, in lines that are whole
    _head_came = 0  # of that head, since what it began in
    _unanswered = 0  # requests whose head came, and whose answer is not whole
    _is_over = False  # nothing more is read
    _fault: str | None = None  # why, where the client has to be told
    _has_ended = False  # the client sends no more

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to watch the connection."""
        super().connection_made(_Joined(transport, self.loop))  # type: ignore[arg-type]
        self._watch = self.loop.call_later(SILENT_SECONDS, self._look, None)

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop watching."""
        self._watch.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read what came, as far as it is HTTP."""
        self._unset_keepalive_if_required()
        if self._is_over:
            return
        was_in_head = self._in_head
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade:  # it is answered as if it had not asked
            self._is_over, self.cycle.keep_alive = True, False
        except httptools.HttpParserError as error:
            why = error.__context__
            self._refuse(str(why) if isinstance(why, _Wrong) else _NO_HTTP)
        else:
            # The parser itself keeps the part of a line that came, however long it is.
            self._head_came = self._head_came + len(data) if was_in_head and self._in_head else 0
            if self._head_came > MOST_OF_HEAD:
                self._refuse(_TOO_LONG)

    def on_message_begin(self) -> None:
        """Begin a request."""
        super().on_message_begin()
        self._in_head, self._head_bytes = True, 0

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
        super().on_headers_complete()
        self._in_head, self._in_body = False, True
        self._unanswered += 1

    def on_message_complete(self) -> None:
        """End a request."""
        self._in_body = False
        super().on_message_complete()
        if not self.cycle.response_started:
            self.scope[WHOLE_BODY] = bytes(self.cycle.body)  # type: ignore[typeddict-unknown-key]

    def on_response_complete(self) -> None:
        """Go on with the connection, unless nothing more will come on it."""
        self._unanswered -= 1
        super().on_response_complete()
        if self._unanswered:
            return
        if self._fault is not None:
            self._say(self._fault)
        elif self._has_ended:
            self.transport.close()

    def eof_received(self) -> bool | None:  # type: ignore[override]
        """Answer what came before the client ended its side, which may be a body that is cut.

        It may still be reading, so the connection stays until the answer is written; over TLS it
        cannot.
        """
        if self._in_body and not self._is_over:
            self._refuse(_CUT)
        self._has_ended = True
        return self._unanswered > 0 and self.scheme != "https"

    def _count(self, size: int) -> None:
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

    def _look(self, cycle_before: object) -> None:
        """Close the connection where no request was begun since the last look, and none is on."""
        if not self._unanswered and self.cycle is cycle_before:
            self.transport.close()
        else:
            self._watch = self.loop.call_later(SILENT_SECONDS, self._look, self.cycle)
