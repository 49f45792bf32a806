"""Where the program begins and ends."""

import os
import signal
import sys
from types import FrameType

from idsync_cli.errors import EXIT_INTERRUPTED, Terminated


def main() -> None:
    """Run the command line and leave with its exit status."""
    try:
        signal.signal(signal.SIGTERM, _terminate)
        _open_closed_streams()
        from idsync_cli.cli.app import run  # most of the start-up, and Ctrl-C may come meanwhile

        status = run()
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # all is done and said
    except KeyboardInterrupt:
        status = EXIT_INTERRUPTED
    sys.exit(status)  # noqa: TID251 - the one place that may


def _open_closed_streams() -> None:
    """Give every standard stream that is closed something to lead to.

    Else a file that is opened later would take its number. What is written to a closed standard
    output must fail, as it does for a reader who has gone; talk may get lost.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
    if sys.stdout is None:
        reader, writer = os.pipe()
        os.close(reader)
        sys.stdout = os.fdopen(writer, "w", encoding="utf-8")
    if sys.stderr is None:
        sys.stderr = os.fdopen(os.open(os.devnull, os.O_WRONLY), "w", encoding="utf-8")
    if sys.stdin is None:
        sys.stdin = os.fdopen(os.open(os.devnull, os.O_RDONLY), encoding="utf-8")


def _terminate(_signal: int, _frame: FrameType | None) -> None:
    raise Terminated


if __name__ == "__main__":
    main()
