"""Draw docs/graph.svg, the graph that docs/graphs.md shows, from requests that are run.

python docs/make_graph.py            draw it
python docs/make_graph.py --check    say whether it is as it would be drawn now

It is the picture of the page that `idsync graph` writes, with the page's own style sheets, as a
browser shows it. It needs node, Chromium and playwright-core, as tests/clients does
(scripts/clients.sh), and what get_dagre.py gets.
"""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

from story import keep, told

PICTURE = "graph.svg"
CLIENTS = Path(__file__).resolve().parent.parent / "tests" / "clients"
MODULES = Path(os.environ.get("IDSYNC_CLIENTS", CLIENTS)) / "node_modules"

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


def page() -> str:
    """The page of the story.

    Raises:
        RuntimeError: a command failed.
    """
    return told(STORY, "graph.html").decode()


def picture_of(page: str, drawn: str) -> str:
    """A picture of a page as a file of its own, without what scripts need of it."""
    styles = "".join(re.findall("<style>(.*?)</style>", page, re.DOTALL))
    found = re.search("<svg (.*?)>(.*?)</svg>", drawn, re.DOTALL)
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


def shown(page: str) -> str:
    """The first picture of a page as a browser shows it.

    Raises:
        subprocess.CalledProcessError: there is no node, or it cannot look at the page.
        RuntimeError: there is no Chromium, or the page has no dagre.
    """
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        raise RuntimeError("Chromium is not installed")
    with TemporaryDirectory() as folder:
        file = Path(folder) / "graph.html"
        file.write_text(page, encoding="utf-8")
        script = CLIENTS / "graph_layout.mjs"
        seen = json.loads(
            subprocess.run(
                ["node", script, MODULES, chromium, file.as_uri()],
                check=True, capture_output=True, text=True,
            ).stdout
        )  # fmt: skip
    if seen["library"] is None:
        raise RuntimeError("there is no dagre: run python get_dagre.py")
    return str(seen["pictures"][0])


def draw() -> bytes:
    """The picture as a file."""
    written = page()
    return picture_of(written, shown(written)).encode()


if __name__ == "__main__":
    raise SystemExit(keep(PICTURE, draw))
