"""What spark-submit runs: `idsync spark-replay` with the same arguments."""

# Python has loaded os when this begins; pathlib would look for others in this folder.
# ruff: noqa: PTH100, PTH110, PTH118, PTH120

import os
import sys

if __name__ == "__main__":
    # Python looks for modules beside a script first, and beside this one there is an inspect.py.
    here = os.path.dirname(os.path.abspath(__file__))
    if os.path.exists(os.path.join(here, "inspect.py")):
        sys.path[:] = [each for each in sys.path if os.path.abspath(each) != here]
    from idsync_cli.cli.app import run

    sys.argv.insert(1, "spark-replay")
    raise SystemExit(run())
