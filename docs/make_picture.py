"""Draw docs/explained.svg, the explained answer that README.md shows, from requests that are run.

python docs/make_picture.py            draw it
python docs/make_picture.py --check    say whether it is as it would be drawn now
"""

import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

PICTURE = Path(__file__).resolve().parent / "explained.svg"

STORY = (
    "init --seed 42",
    "login --customer-id ABC123 --email a@example.com --idfv 9876",
    "identify --idfv 9876",
    "login --customer-id XYZ789 --email a@example.com --idfv 9876 --explain --svg explained.svg",
)
"""Somebody signs in; somebody else takes the device, and signs up with the email of the first."""


def drawn() -> bytes:
    """The picture as it is drawn now.

    Raises:
        RuntimeError: a request was refused.
    """
    surroundings = {
        name: value for name, value in os.environ.items() if not name.startswith("IDSYNC_")
    }
    with TemporaryDirectory() as folder:
        for command in STORY:
            done = subprocess.run(
                [sys.executable, "-m", "idsync_cli", *command.split()],
                cwd=folder,
                env=surroundings,
                capture_output=True,
                text=True,
                check=False,
            )
            if done.returncode:
                raise RuntimeError(f"idsync {command}: {done.stderr}")
        return (Path(folder) / "explained.svg").read_bytes()


def main() -> int:
    """Draw the picture, or with --check compare it."""
    picture = drawn()
    if sys.argv[1:] == ["--check"]:
        if PICTURE.is_file() and PICTURE.read_bytes() == picture:
            return 0
        sys.stderr.write("docs/explained.svg is out of date; run python docs/make_picture.py\n")
        return 1
    PICTURE.write_bytes(picture)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
