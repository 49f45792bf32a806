"""What spark-submit runs: `idsync spark-replay` with the same arguments."""

import sys

from idsync_cli.cli.app import run

if __name__ == "__main__":
    sys.argv.insert(1, "spark-replay")
    raise SystemExit(run())
