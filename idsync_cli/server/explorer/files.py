"""The files of the page, its own and those that every page shares: no other can be asked for."""

from importlib.resources import files
from typing import Final, NamedTuple

from idsync_cli.core.identity import IdentityType
from idsync_cli.render.graph.section import graph_script, graph_style
from idsync_cli.render.html.styles import page_style

_KINDS: Final = {
    "html": "text/html; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
}

PAGE: Final = "index.html"


class PageFile(NamedTuple):
    """A file of the page, and what it is."""

    content: bytes
    media_type: str


def page_files() -> dict[str, PageFile]:
    """Every file of the page by its name."""
    folder = files("idsync_cli.server.explorer") / "page"
    shared = {
        "page.css": page_style(),
        "graph.css": graph_style(list(IdentityType)),
        "graph.js": graph_script(),
    }
    return {name: PageFile(text.encode(), _kind_of(name)) for name, text in shared.items()} | {
        each.name: PageFile(each.read_bytes(), _kind_of(each.name)) for each in folder.iterdir()
    }


def _kind_of(name: str) -> str:
    return _KINDS[name.rpartition(".")[2]]
