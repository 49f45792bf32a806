"""Pages as a browser finds them, and what none of them may have."""

from collections import Counter
from html.parser import HTMLParser

OWN = frozenset(
    (
        *(
            "html",
            "head",
            "link",
            "meta",
            "title",
            "style",
            "body",
            "a",
            "header",
            "h1",
            "h2",
            "h3",
            "main",
        ),
        *("section", "footer", "script", "p", "ul", "ol", "li", "span", "div", "label", "input"),
        *(
            "output",
            "table",
            "thead",
            "tbody",
            "tr",
            "th",
            "td",
            "svg",
            "g",
            "path",
            "rect",
            "text",
        ),
    )
)
"""The elements that pages are made of."""


class Reader(HTMLParser):
    """What a browser finds on a page: elements with their attributes, and text."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    def named(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


def assert_own(page: str, *, scripts: int) -> Reader:
    """Nothing is on a page but what it is made of, so many scripts, and nothing is loaded."""
    seen = Reader(page)
    names = Counter(name for name, _ in seen.elements)
    assert set(names) <= OWN
    assert names["script"] == scripts
    for name, attributes in seen.elements:
        assert not any(each.startswith("on") for each in attributes), (name, attributes)
        assert not {"style", "src", "srcset", "action", "formaction", "poster"} & set(attributes)
        assert (attributes.get("href") or "#").startswith("#")
    return seen
