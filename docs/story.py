"""A story of commands, run in a new folder, and a picture that is drawn of it."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from tempfile import TemporaryDirectory

DOCS = Path(__file__).resolve().parent


def told(story: Iterable[str], file: str) -> bytes:
    """The file that the commands of a story leave behind.

    Raises:
        RuntimeError: a command failed.
    """
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith("IDSYNC_")
    }
    with TemporaryDirectory() as folder:
        for command in story:
            done = subprocess.run(
                [sys.executable, "-m", "idsync_cli", *command.split()],
                cwd=folder,
                env=environment,
                capture_output=True,
                text=True,
                check=False,
            )
            if done.returncode:
                raise RuntimeError(f"idsync {command}: {done.stderr}")
        return (Path(folder) / file).read_bytes()


def keep(name: str, drawn: Callable[[], bytes]) -> int:
    """Draw a picture of these documents, or with --check compare it; give the exit status."""
    picture, now = DOCS / name, drawn()
    if sys.argv[1:] != ["--check"]:
        picture.write_bytes(now)
    elif not picture.is_file() or picture.read_bytes() != now:
        sys.stderr.write(f"docs/{name} is out of date; run python docs/{Path(sys.argv[0]).name}\n")
        return 1
    return 0
