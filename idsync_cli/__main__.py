"""Where the program begins and ends."""

import signal
import sys
from types import FrameType

from idsync_cli.cli.app import run
from idsync_cli.errors import Terminated


def main() -> None:
    """Run the command line and leave with its exit status."""
    signal.signal(signal.SIGTERM, _terminate)
    sys.exit(run())  # noqa: TID251 - the one place that may


def _terminate(_signal: int, _frame: FrameType | None) -> None:
    raise Terminated


if __name__ == "__main__":
    main()
