"""A graph on a page: its picture, a legend, its history, and the same facts as tables."""

from collections.abc import Iterator, Sequence
from xml.etree.ElementTree import Element

from idsync_cli.core.identity import IdentityType
from idsync_cli.errors import number_of
from idsync_cli.graph.values import Graph
from idsync_cli.render.graph.labels import (
    about_link,
    about_request,
    colours,
    left_out_line,
    side,
    state,
    types_in,
)
from idsync_cli.render.graph.picture import pictures, steps
from idsync_cli.render.html.elements import element
from idsync_cli.render.html.page import Page
from idsync_cli.render.html.pieces import line, shown
from idsync_cli.render.html.styles import built, resource
from idsync_cli.render.identifiers import value_of
from idsync_cli.render.tables import WIDE, laid_out
from idsync_cli.render.theme import Look, text
from idsync_cli.visible import visible

NOTHING_POINTED_AT = "Point at a part of the picture, tap it, or reach it with the Tab key."


def graph_page(graph: Graph, title: str) -> Page:
    """A graph as a page of its own."""
    return Page(
        title,
        graph_section(graph),
        styles=[graph_style(types_in(graph))],
        scripts=[graph_script()],
        made_by="graph",
    )


def graph_style(kinds: Sequence[IdentityType]) -> str:
    """The style sheet that graphs need, with the colours of some types."""
    light = "".join(
        f".type-{each}{{--line:{colours(each).line};--fill:{colours(each).paper}}}"
        for each in kinds
    )
    dark = "".join(
        f".type-{each}{{--line:{colours(each).dark_line};--fill:{colours(each).dark_paper}}}"
        for each in kinds
    )
    return f"{resource('graph.css')}{light}@media screen and (prefers-color-scheme:dark){{{dark}}}"


def graph_script() -> str:
    """What lets the parts of every graph on a page be pointed at, and its history be run through.

    It defines `idsyncGraph(element)`, for what comes onto the page later. What lays graphs out is
    in it, with its licence, where the build put it beside the package's own.
    """
    return "".join(map(resource, (*built("dagre.js"), "graph_layout.js", "graph.js")))


def graph_section(graph: Graph) -> list[Element]:
    """A graph as the content of a page."""
    more = left_out_line(graph.left_out)
    summary = line([f"{_counted(graph)}{f'; {more}' if more else ''}"])
    if not graph.profiles and not graph.identifiers:
        return [summary]
    return [
        element(
            "section",
            summary,
            _legend(graph),
            _history(graph),
            element("div", pictures(graph), class_="pictures"),
            element(
                "div",
                element("p", NOTHING_POINTED_AT),
                class_="told card",
                role="status",
                hidden=True,
            ),
            class_="graph",
            aria_label="Graph",
        ),
        element("h2", "As tables"),
        *_tables(graph),
    ]


def _counted(graph: Graph) -> str:
    past = sum(each.removed_seq is not None for each in graph.links)
    taken = f", {past} of them removed" if past else ""
    return (
        f"{number_of(len(graph.profiles), 'profile')}, "
        f"{number_of(len(graph.identifiers), 'identifier')}, "
        f"{number_of(len(graph.links), 'link')}{taken}"
    )


def _legend(graph: Graph) -> Element:
    def look(class_: str, told: str) -> Element:
        return element("li", element("span", class_=f"sample {class_}"), f" {told}")

    looks = [look("profile known", "known"), look("profile anonymous", "anonymous")]
    if any(each.orphaned for each in graph.profiles):
        looks.append(look("profile orphaned", "orphaned"))
    looks += [look(f"type-{each}", each.value) for each in types_in(graph)]
    looks.append(look("line", "held"))
    if any(each.removed_seq is not None for each in graph.links):
        looks.append(look("line past", "removed"))
    return element("ul", looks, class_="legend", aria_label="Legend")


def _history(graph: Graph) -> Element | None:
    """A slider from one request to the next; what it shows stands in it as text for the script.

    Without the script, which shows it, it would do nothing.
    """
    numbers = list(steps(graph))
    if len(numbers) < 2:
        return None
    last = str(len(numbers) - 1)
    slider = element("input", type="range", min="0", max=last, value=last, step="1")
    return element(
        "div",
        element("label", "History ", slider),
        element("output", _NOW),
        element(
            "ol",
            (element("li", _step(each, graph), data_seq=each) for each in numbers),
            hidden=True,
        ),
        class_="history no-print",
        hidden=True,
    )


_NOW = "as of now"


def _step(seq: int, graph: Graph) -> str:
    return f"after {about_request(seq, graph)}"


def _tables(graph: Graph) -> Iterator[Element]:
    profiles = [
        [
            text((f"{side(each)}{each.mpid}", Look.MPID)),
            visible(each.scope),
            state(each),
            "-" if each.side is not None else about_request(each.number, graph),
        ]
        for each in graph.profiles
    ]
    names = {each.id: f"{side(each)}{each.mpid}" for each in graph.profiles}
    nodes = {each.id: each for each in graph.identifiers}
    links = [
        [
            text((names[each.profile], Look.MPID)),
            text((nodes[each.identifier].identifier.type.value, Look.TYPE)),
            value_of(nodes[each.identifier].identifier),
            text(("held", Look.ADDED))
            if each.removed_seq is None
            else text(("removed", Look.REMOVED)),
            "\n".join(about_link(each, graph)),
        ]
        for each in graph.links
    ]
    yield element("h3", "Profiles")
    yield from shown([laid_out(("MPID", "Scope", "State", "Created"), profiles, WIDE)])
    yield element("h3", "What they hold, or once held")
    yield from shown([laid_out(("MPID", "Type", "Value", "Now", "By"), links, WIDE)])
