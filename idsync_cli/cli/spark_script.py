"""What spark-submit runs: `idsync spark-replay` with the same arguments."""

import os
import sys

if __name__ == "__main__":
    # Python looks for modules beside a script first, and beside this one there is an inspect.py.
    here = os.path.dirname(os.path.abspath(__file__))  # noqa: PTH100,PTH120 - imports nothing more
    if os.path.exists(os.path.join(here, "inspect.py")):  # noqa: PTH110,PTH118 - as above
        sys.path[:] = [each for each in sys.path if os.path.abspath(each) != here]  # noqa: PTH100 - as above
    from idsync_cli.cli.app import run

    sys.argv.insert(1, "spark-replay")
    raise SystemExit(run())
