"""A page as a whole: one file that loads nothing, and lets nothing act but its own scripts.

Its content security policy names the digest of each style sheet and script that stands in it, so
that a value, were it ever taken for markup, could neither run nor load anything.
"""

from base64 import b64encode
from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import NamedTuple
from xml.etree.ElementTree import Element

from idsync_cli.render.html.elements import element, markup
from idsync_cli.render.html.styles import page_style


class Page(NamedTuple):
    """What a page shows, with what it has beside the common style.

    `content` goes into its main part, below the heading. `data` are elements that
    `elements.data` made, for its scripts. A page that `connects` may ask the server that it
    came from. `made_by` names the command that a file comes from.
    """

    title: str
    content: Sequence[Element]
    styles: Sequence[str] = ()
    scripts: Sequence[str] = ()
    data: Sequence[Element] = ()
    connects: bool = False
    made_by: str = ""


_GENERATOR = element("meta", name="generator", content="idsync")

BEGINS = f'<!DOCTYPE html>\n<html lang="en"><head>{markup(_GENERATOR)}'.encode()
"""How every page begins, so that a later one may take its place."""


_END = "end"
"""What a browser waits for before it shows a page: its scripts have put everything in its place."""


def policy(page: Page) -> str:
    """The content security policy of a page, for its head or for a header of HTTP."""
    connected = "connect-src 'self'; " if page.connects else ""
    return (
        f"default-src 'none'; {connected}img-src data:; "
        f"style-src {_digests((page_style(), *page.styles))}; "
        f"script-src {_digests(page.scripts)}; base-uri 'none'; form-action 'none'"
    )


def html(page: Page) -> str:
    """The page as a file."""
    head = element(
        "head",
        _GENERATOR,
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=policy(page)),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="referrer", content="no-referrer"),
        element("meta", name="robots", content="noindex"),
        element("title", page.title),
        element("link", rel="expect", href=f"#{_END}", blocking="render") if page.scripts else None,
        (element("style", each) for each in (page_style(), *page.styles)),
    )
    footer = None
    if page.made_by:
        said = f"Made by idsync {page.made_by}. This page is complete and loads nothing else."
        footer = element("footer", element("p", said), class_="page")
    body = element(
        "body",
        element("a", "To the content", class_="skip", href="#content"),
        element("header", element("h1", page.title), class_="page"),
        element("main", page.content, id="content"),
        footer,
        page.data,
        (element("script", each) for each in page.scripts),
        element("span", id=_END, hidden=True) if page.scripts else None,
    )
    return f"<!DOCTYPE html>\n{markup(element('html', head, body, lang='en'))}\n"


def _digests(texts: Iterable[str]) -> str:
    found = [f"'sha256-{b64encode(sha256(each.encode()).digest()).decode()}'" for each in texts]
    return " ".join(found) or "'none'"
