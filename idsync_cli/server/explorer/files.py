"""The files of the page, as they lie in the package: no other can be asked for."""

from importlib.resources import files
from typing import Final, NamedTuple

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
    style = PageFile(page_style().encode(), _KINDS["css"])
    return {"page.css": style} | {
        each.name: PageFile(each.read_bytes(), _KINDS[each.name.rpartition(".")[2]])
        for each in folder.iterdir()
        if each.name.rpartition(".")[2] in _KINDS
    }
