"""The terminal's styles as a style sheet: the same looks, on light paper and on dark."""

from collections.abc import Sequence
from functools import cache
from importlib.resources import files

from idsync_cli.render.theme import STYLES, Look, Style

COLOURS = {
    "green": ("#116329", "#56d364"),
    "red": ("#b3190f", "#ff8b80"),
    "yellow": ("#7a4b00", "#e3b341"),
    "blue": ("#0550ae", "#79c0ff"),
    "magenta": ("#85187c", "#e0b0ff"),
    "cyan": ("#0a5c6b", "#6fdbe6"),
}
"""The colours of the theme: on light paper and on dark, with a contrast of 4.5 or more on each."""


@cache
def page_style() -> str:
    """The style sheet that every page has."""
    light, dark = (
        "".join(f"--{name}:{pair[n]};" for name, pair in COLOURS.items()) for n in (0, 1)
    )
    looks = "".join(f".look-{look}{{{_rules(style)}}}" for look, style in STYLES.items())
    base = resource("page.css")
    return base.replace("/*light*/", light).replace("/*dark*/", dark) + looks


def resource(name: str) -> str:
    """The text of a file that lies beside this one."""
    return files("idsync_cli.render.html").joinpath(name).read_text(encoding="utf-8")


def built(name: str) -> Sequence[str]:
    """The name of a file that the build puts beside this one, if it could: see get_dagre.py."""
    return [name] if files("idsync_cli.render.html").joinpath(name).is_file() else []


def look_class(look: Look | str) -> str:
    """The class of a style; of text that has none, nothing."""
    name = str(look)
    return f"look-{name}" if name in STYLES and name != Look.PLAIN else ""


def _rules(style: Style) -> str:
    rules = []
    if style.colour not in (None, "default"):  # a page has a colour for what is dim
        rules.append(f"color:var(--{style.colour})")
    elif style.dim:
        rules.append("color:var(--dim)")
    rules += ["font-weight:600"] if style.bold else []
    rules += ["font-style:italic"] if style.italic else []
    return ";".join(rules)
