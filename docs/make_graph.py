"""Draw docs/graph.svg, the graph that docs/graphs.md shows, from requests that are run.

python docs/make_graph.py            draw it
python docs/make_graph.py --check    say whether it is as it would be drawn now

It is the picture of the page that `idsync graph` writes, with the page's own style sheets.
"""

import os
import re
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

DOCS = Path(__file__).resolve().parent
PICTURE = DOCS / "graph.svg"

STORY = (
    "init --seed 42",
    "login --customer-id ABC123 --email ann@example.com --idfv phone",
    "login --customer-id XYZ789 --email bob@example.com --idfv phone",
    "identify --email bob@example.com --idfv tablet",
    "login --customer-id XYZ789 --idfv tablet",
    "modify --mpid 7003778869905922103 --ios-idfv new-phone",
    "graph 7003778869905922103 --output graph.html",
)
"""Ann's phone is Bob's, too; later she has a new one."""


def drawn() -> str:
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
        return picture_of((Path(folder) / "graph.html").read_text("utf-8"))


def picture_of(page: str) -> str:
    """The first picture of a page as a file of its own, without what scripts need of it."""
    styles = "".join(re.findall("<style>(.*?)</style>", page, re.DOTALL))
    found = re.search("<svg (.*?)>(.*?)</svg>", page, re.DOTALL)
    assert found
    attributes, content = found.groups()
    content = re.sub(' (?:data-[a-z]+|tabindex|role|aria-label)="[^"]*"', "", content)
    width, height = re.findall('(?:width|height)="([0-9]+)"', attributes)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="graph" viewBox="0 0 {width} {height}" '
        f'width="{width}" height="{height}"><style>{styles}</style>'
        '<rect width="100%" height="100%" fill="var(--paper)"/>'
        f"<svg {attributes}>{content}</svg></svg>\n"
    )


def main() -> int:
    """Draw the picture, or with --check compare it."""
    picture = drawn()
    if sys.argv[1:] == ["--check"]:
        if PICTURE.is_file() and PICTURE.read_text("utf-8") == picture:
            return 0
        sys.stderr.write("docs/graph.svg is out of date; run python docs/make_graph.py\n")
        return 1
    PICTURE.write_text(picture, "utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
