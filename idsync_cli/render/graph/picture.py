"""A graph as a picture on a page: SVG, in which every part can be pointed at, and told of.

The picture is drawn as the store is now. Each part says from which request on it is there, and a
link until which it was held, so that a script can show the graph as it was (`graph.js`).
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import NamedTuple
from xml.etree.ElementTree import Element

from rich.cells import cell_len

from idsync_cli.graph.values import Graph, IdentifierNode, Link, ProfileNode
from idsync_cli.render.graph.labels import (
    about_identifier,
    about_link,
    about_profile,
    on_link,
    side,
    state,
    values_shown,
)
from idsync_cli.render.graph.layout import GAP, Box, ConnectedNodes, laid_out
from idsync_cli.render.html.elements import element

_CHARACTER = 7.3
"""How wide a character of a label is at most, in pixels."""

_ROOM = 22
_MARGIN = 10
_ONE_SHEET = 1400
"""How high a picture may be to go on one sheet, below its heading, and still be read."""

_LINE = 14


class _Drawing:
    """What the parts of one graph need to be drawn."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.nodes: Mapping[str, ProfileNode | IdentifierNode] = {
            each.id: each for each in graph.nodes
        }
        self.values = values_shown(graph)
        self.links: dict[str, list[Link]] = {each: [] for each in self.nodes}
        for link in graph.links:
            self.links[link.profile].append(link)
            self.links[link.identifier].append(link)

    def labels(self, node: ProfileNode | IdentifierNode) -> tuple[str, str]:
        """What a node is, small, and its name."""
        if isinstance(node, ProfileNode):
            return state(node), f"{side(node)}{node.mpid}"
        return node.identifier.type.value, self.values[node.id]

    def width(self, node: ProfileNode | IdentifierNode) -> float:
        """How wide a node has to be for what stands in it."""
        return max(map(cell_len, self.labels(node))) * _CHARACTER + _ROOM

    def about(self, node: ProfileNode | IdentifierNode) -> list[str]:
        """What is told of a node, and then of each of its links."""
        graph = self.graph
        if isinstance(node, ProfileNode):
            told = about_profile(node, graph)
            ends = [(link, self._named(link.identifier)) for link in self.links[node.id]]
        else:
            told = about_identifier(node, graph)
            ends = [(link, self._named(link.profile)) for link in self.links[node.id]]
        return [*told, *(f"{name}: {'; '.join(about_link(link, graph))}" for link, name in ends)]

    def about_link(self, link: Link) -> list[str]:
        """What is told of a link."""
        ends = f"{self._named(link.profile)} and {self._named(link.identifier)}"
        return [ends, *about_link(link, self.graph)]

    def between(self, link: Link) -> list[Link]:
        """The links that have the ends of this one: the same was added, removed and added again."""
        return [each for each in self.links[link.profile] if each[:2] == link[:2]]

    def _named(self, node_id: str) -> str:
        node = self.nodes[node_id]
        kind, name = self.labels(node)
        return f"profile {name}" if isinstance(node, ProfileNode) else f"{kind} {name}"


def pictures(graph: Graph) -> list[Element]:
    """A picture for each part of a graph that hangs together."""
    drawing = _Drawing(graph)
    widths = {each: drawing.width(node) for each, node in drawing.nodes.items()}
    return [_picture(drawing, part) for part in laid_out(graph, widths)]


def _picture(drawing: _Drawing, part: ConnectedNodes) -> Element:
    width, height = part.width + 2 * _MARGIN, part.height + 2 * _MARGIN
    links = {link: None for each in part.boxes for link in drawing.links[each]}
    number = len(part.boxes)
    meeting = Counter(side for link in links for side in _sides(part, link))
    drawn = element(
        "svg",
        (_link(drawing, part, link, meeting) for link in links),
        (_node(drawing, drawing.nodes[each], box) for each, box in part.boxes.items()),
        viewBox=f"{-_MARGIN} {-_MARGIN} {width:.0f} {height:.0f}",
        width=f"{width:.0f}",
        height=f"{height:.0f}",
        role="group",
        aria_label=f"{number} profiles and identifiers that hang together",
    )
    return element(
        "div",
        drawn,
        class_="part" if height > _ONE_SHEET else "part sheet",
        tabindex="0",
        role="group",
        aria_label="picture",
        data_gap=GAP,
    )


def _node(drawing: _Drawing, node: ProfileNode | IdentifierNode, box: Box) -> Element:
    kind, name = drawing.labels(node)
    told = drawing.about(node)
    if isinstance(node, ProfileNode):
        look = f"profile {'known' if node.known else 'anonymous'}"
        look += " orphaned" if node.orphaned else ""
        since = node.number if node.side is None else 0
        round_ = "15"
    else:
        look = f"identifier type-{node.identifier.type.value}"
        since = min((link.added_seq for link in drawing.links[node.id]), default=0)
        round_ = "3"
    middle = f"{box.width / 2:.1f}"
    return element(
        "g",
        element("rect", width=f"{box.width:.1f}", height=f"{box.height:.1f}", rx=round_),
        element("text", kind, x=middle, y="12", class_="kind"),
        " ",
        element("text", name, x=middle, y="26"),
        class_=f"node {look}{' asked' if node.is_asked else ''}",
        transform=f"translate({box.x:.1f} {box.y:.1f})",
        tabindex="0",
        role="button",
        aria_label=f"{kind} {name}",
        data_id=node.id,
        data_from=since,
        data_about="\n".join(told),
    )


class _Side(NamedTuple):
    """Where links meet: on one side of a node."""

    node: str
    is_left: bool


def _sides(part: ConnectedNodes, link: Link) -> tuple[_Side, _Side]:
    """Where a link begins and where it ends, from left to right."""
    one, other = sorted((link.profile, link.identifier), key=lambda each: part.boxes[each].x)
    return _Side(one, is_left=False), _Side(other, is_left=True)


def _link(drawing: _Drawing, part: ConnectedNodes, link: Link, meeting: Counter[_Side]) -> Element:
    """A link; in its path each height stands behind a comma, and its label says where it is."""
    sides = _sides(part, link)
    one, other = (part.boxes[each.node] for each in sides)
    begin, end = (one.x + one.width, one.y + one.height / 2), (other.x, other.y + other.height / 2)
    bend = (end[0] - begin[0]) / 2
    path = (
        f"M{begin[0]:.1f},{begin[1]:.1f}C{begin[0] + bend:.1f},{begin[1]:.1f} "
        f"{end[0] - bend:.1f},{end[1]:.1f} {end[0]:.1f},{end[1]:.1f}"
    )
    label = on_link(link)
    if label:  # near an end that no other line meets, or else in the middle
        if meeting[sides[1]] == 1:
            x, y, where = end[0] - 8, end[1], "end"
        elif meeting[sides[0]] == 1:
            x, y, where = begin[0] + 8, begin[1], "begin"
        else:
            x, y, where = begin[0] + bend, (begin[1] + end[1]) / 2, "middle"
        again = drawing.between(link).index(link)  # below the line, and one below another
        down = -3 + again * _LINE
        text = element("text", label, x=f"{x:.1f}", y=f"{y:.1f}", dy=down, class_=where)
    return element(
        "g",
        element("path", d=path, class_="near"),
        element("path", d=path, class_="line"),
        text if label else None,
        class_="link past" if link.removed_seq is not None else "link",
        data_from=link.added_seq,
        data_to=link.removed_seq,
        data_ends=f"{link.profile} {link.identifier}",
        data_about="\n".join(drawing.about_link(link)),
    )  # fmt: skip


def steps(graph: Graph) -> Iterator[int]:
    """The requests that a graph names, by number."""
    named = {each.added_seq for each in graph.links}
    named |= {each.removed_seq or 0 for each in graph.links}
    named |= {each.number for each in graph.profiles if each.side is None}
    yield from sorted(named - {0})
