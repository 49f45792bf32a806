"""Draw docs/graph.svg, the graph that docs/graphs.md shows, from requests that are run.

python docs/make_graph.py            draw it
python docs/make_graph.py --check    say whether it is as it would be drawn now

It is the picture of the page that `idsync graph` writes, with the page's own style sheets.
"""

import re

from story import keep, told

PICTURE = "graph.svg"

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


if __name__ == "__main__":
    raise SystemExit(keep(PICTURE, lambda: picture_of(told(STORY, "graph.html").decode()).encode()))
