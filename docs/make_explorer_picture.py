"""Take docs/explorer.png, a picture of the explorer over a store that requests made.

python docs/make_explorer_picture.py           take it
python docs/make_explorer_picture.py --to F    save it as F instead

It needs node, Chromium and playwright-core, as tests/clients does (scripts/clients.sh).
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).resolve().parent.parent
CLIENTS = ROOT / "tests" / "clients"
MODULES = Path(os.environ.get("IDSYNC_CLIENTS", CLIENTS)) / "node_modules"

STORY = (
    "init --seed 42",
    "login --customer-id ABC123 --email a@example.com --idfv 9876",
    "identify --idfv 9876",
)
"""Somebody signs in; somebody else takes the device."""


def take(picture: Path) -> None:
    """Save the picture.

    Raises:
        subprocess.CalledProcessError: a command failed; it says why.
        RuntimeError: there is no Chromium.
    """
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        raise RuntimeError("Chromium is not installed")
    program = [sys.executable, "-m", "idsync_cli"]
    surroundings = {
        name: value for name, value in os.environ.items() if not name.startswith("IDSYNC_")
    }
    with TemporaryDirectory() as folder:
        for command in STORY:
            subprocess.run(
                [*program, *command.split()], cwd=folder, env=surroundings, check=True,
                stdout=subprocess.DEVNULL,
            )  # fmt: skip
        with subprocess.Popen(
            [*program, "explore"], cwd=folder, env=surroundings, stdout=subprocess.PIPE, text=True
        ) as explorer:
            try:
                assert explorer.stdout is not None
                explorer.stdout.readline()
                found = re.search(r"http://\S+", explorer.stdout.readline())
                assert found is not None
                script = CLIENTS / "explorer_picture.mjs"
                subprocess.run(
                    ["node", script, MODULES, chromium, found[0], picture.resolve()], check=True
                )
            finally:
                explorer.terminate()


def main() -> int:
    """Take the picture."""
    to = Path(sys.argv[2]) if sys.argv[1:2] == ["--to"] else ROOT / "docs" / "explorer.png"
    take(to)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
