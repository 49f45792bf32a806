"""What a connection writes to: the answers go out whole, and it ends once."""

import asyncio
from collections.abc import Callable
from typing import Any, Final

_MOST_HELD: Final = 64 * 1024


class Joined:
    """A transport that sends at once what is written one after another: head and body of an answer.

    `lingers` says whether it has to stay open when it is to be closed. All else is the transport's
    own.
    """

    def __init__(
        self, transport: Any, loop: asyncio.AbstractEventLoop, lingers: Callable[[], bool]
    ) -> None:
        self._transport: Final = transport
        self._loop: Final = loop
        self._lingers: Final = lingers
        self._held = bytearray()
        self._written = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        """Send some bytes before the loop waits for anything."""
        if data and not self._held:
            self._loop.call_soon(self.send)
        self._held += data
        if len(self._held) > _MOST_HELD:
            self.send()

    def close(self) -> None:
        """Send what was written, and close the connection."""
        self.send()
        if not (self._transport.is_closing() or self._lingers()):  # TLS minds being told twice
            self._transport.close()

    def progress(self) -> tuple[int, int]:
        """How many bytes wait to be sent, and how many were sent."""
        unsent: int = self._transport.get_write_buffer_size()
        return unsent, self._written - unsent

    def send(self) -> None:
        """Send what was written."""
        if self._held:
            held, self._held = self._held, bytearray()
            self._written += len(held)
            self._transport.write(held)
