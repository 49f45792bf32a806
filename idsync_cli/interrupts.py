"""Ctrl-C while the program is loaded, and after."""

import os
import signal
from types import FrameType

EXIT_INTERRUPTED = 130
"""The exit status after Ctrl-C (section 8)."""


def leave_at_once_on_interrupt() -> None:
    """Have Ctrl-C end the program at once, for there is nothing yet to be kept whole (section 8).

    An exception would not do: where Python is in the middle of an import, it may drop it and go on.
    Where interrupts are ignored, as in the background of a shell, they stay so.
    """
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _leave)


def end_in_order_on_interrupt() -> None:
    """Have Ctrl-C raise `KeyboardInterrupt` again: what is begun from here on is ended in order."""
    if signal.getsignal(signal.SIGINT) is _leave:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def _leave(_number: int, _frame: FrameType | None) -> None:
    os._exit(EXIT_INTERRUPTED)
