"""Elements of a page, as trees: text is only ever text, whatever it holds."""

import json
from collections.abc import Iterable
from typing import Any
from xml.etree.ElementTree import Element, tostring

Content = str | Element | None
"""What an element holds: text, another element, or nothing."""


def element(name: str, /, *content: Content | Iterable[Content], **attributes: object) -> Element:
    """An element with what it holds, in order.

    An attribute is named with `_` for `-`, and with `_` behind it where Python has its name for
    itself (`class_`); True gives one without a value, False and None leave it out.
    """
    made = Element(name, {key: value for key, value in map(_attribute, attributes.items()) if key})
    for each in content:
        if each is None or isinstance(each, (str, Element)):
            add(made, each)
        else:
            for one in each:
                add(made, one)
    return made


def add(parent: Element, content: Content) -> None:
    """Let an element hold one thing more, behind all else that it holds."""
    if isinstance(content, Element):
        parent.append(content)
    elif content:
        last = parent[-1] if len(parent) else None
        if last is None:
            parent.text = (parent.text or "") + content
        else:
            last.tail = (last.tail or "") + content


def _attribute(pair: tuple[str, object]) -> tuple[str, str]:
    name, value = pair
    if value is None or value is False:
        return "", ""
    return name.rstrip("_").replace("_", "-"), "" if value is True else str(value)


def markup(made: Element) -> str:
    """An element as HTML, in which nothing is markup but the elements themselves."""
    return tostring(made, encoding="unicode", method="html")


def as_json(made: Element) -> list[Any]:
    """An element as `[name, attributes, content…]`, for a page that makes it itself."""
    found: list[Any] = [made.tag, dict(made.attrib)]
    if made.text:
        found.append(made.text)
    for each in made:
        found.append(as_json(each))
        if each.tail:
            found.append(each.tail)
    return found


def data(name: str, value: object) -> Element:
    """A value for the scripts of a page, as JSON that cannot end the element that it stands in."""
    text = json.dumps(value, ensure_ascii=True, separators=(",", ":"))
    for each in "<>&":
        text = text.replace(each, f"\\u{ord(each):04x}")
    return element("script", text, id=name, type="application/json")
