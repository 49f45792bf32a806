"""Take docs/explorer.png, a picture of the explorer over a store that requests made.

python docs/make_explorer_picture.py           take it
python docs/make_explorer_picture.py --to F    save it as F instead

It needs node, Chromium and playwright-core, as tests/clients does (scripts/clients.sh). The picture
holds the text that it shows, so that a test can tell whether it is out of date.
"""

import os
import re
import shutil
import subprocess
import sys
import zlib
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

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_KEYWORD = b"Description\0\0\0\0\0"  # with no compression, language or translation
_HEADER = 8  # of a chunk: its length and its kind; behind its data comes a checksum
_CHECKSUM = 4


def text_in(picture: bytes) -> str:
    """The text that a picture holds beside what it shows; none where it holds none.

    Raises:
        ValueError: it is not a PNG.
    """
    if not picture.startswith(_SIGNATURE):
        raise ValueError("not a PNG")
    place = len(_SIGNATURE)
    while place < len(picture):
        data = place + _HEADER
        end = data + int.from_bytes(picture[place : place + 4])
        if picture[data - 4 : data] == b"iTXt" and picture[data:end].startswith(_KEYWORD):
            return picture[data + len(_KEYWORD) : end].decode()
        place = end + _CHECKSUM
    return ""


def with_text(picture: bytes, text: str) -> bytes:
    """A picture that holds a text, too."""
    chunk = b"iTXt" + _KEYWORD + text.encode()
    whole = (len(chunk) - 4).to_bytes(4) + chunk + zlib.crc32(chunk).to_bytes(_CHECKSUM)
    first = len(_SIGNATURE) + _HEADER + int.from_bytes(picture[8:12]) + _CHECKSUM
    return picture[:first] + whole + picture[first:]


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
                shown = subprocess.run(
                    ["node", script, MODULES, chromium, found[0], picture.resolve()],
                    check=True, capture_output=True, text=True,
                ).stdout  # fmt: skip
                picture.write_bytes(with_text(picture.read_bytes(), shown))
            finally:
                explorer.terminate()


def main() -> int:
    """Take the picture."""
    to = Path(sys.argv[2]) if sys.argv[1:2] == ["--to"] else ROOT / "docs" / "explorer.png"
    take(to)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
