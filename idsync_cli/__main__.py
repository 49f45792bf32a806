"""Where the program begins and ends."""

import sys

from idsync_cli.cli.app import run


def main() -> None:
    """Run the command line and leave with its exit status."""
    sys.exit(run())  # noqa: TID251 - the one place that may


if __name__ == "__main__":
    main()
