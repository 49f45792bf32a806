"""Where the parts of a graph stand: layers from left to right, laid out by grandalf.

What was asked about, or else has the most links, stands in the first layer, or in the second with
identifiers of its own to its left; whatever is a link further stands a layer further. So every
label has a line of its own, and links run between neighbouring layers only.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from idsync_cli.graph.values import Graph, SideName

ROW, GAP = 32, 8
"""How high a node is, and how much is left between two, in pixels."""

BETWEEN = 96
"""How much is left for links between two layers, in pixels."""


class Box(NamedTuple):
    """Where a node stands, in pixels: its upper left corner, and how large it is."""

    x: float
    y: float
    width: float
    height: float


class ConnectedNodes(NamedTuple):
    """Nodes that hang together, with their places, and how large the picture of them is."""

    boxes: Mapping[str, Box]
    width: float
    height: float


class _View:
    """What the library asks of a node, and where it puts it; its layers lie one below another."""

    def __init__(self, width: float) -> None:
        self.w, self.h = ROW, width
        self.xy = (0.0, 0.0)


def laid_out(graph: Graph, widths: Mapping[str, float]) -> list[ConnectedNodes]:
    """The parts of a graph: first what was asked about, then by what has the most links.

    `widths` are those of the nodes, by their `id`.
    """
    neighbours: dict[str, list[str]] = {each.id: [] for each in graph.nodes}
    for profile, identifier in dict.fromkeys((each[0], each[1]) for each in graph.links):
        neighbours[profile].append(identifier)
        neighbours[identifier].append(profile)
    asked = [each.id for each in graph.identifiers if each.is_asked]
    asked += [each.id for each in graph.profiles if each.is_asked]
    hubs = sorted((each.id for each in graph.nodes), key=lambda each: -len(neighbours[each]))
    roots = dict.fromkeys((*asked, *hubs))
    sides = {each.id: 2 * (each.side is SideName.B) for each in graph.profiles if each.side}
    parts: list[ConnectedNodes] = []
    placed: set[str] = set()
    for root in roots:
        if root not in placed:
            layers = _layers(root, neighbours)
            placed |= layers.keys()
            if sides:  # A, what both hold, B
                layers = {each: sides.get(each, 1) for each in layers}
            parts.append(_part(layers, neighbours, widths))
    return parts


def _layers(root: str, neighbours: Mapping[str, Sequence[str]]) -> dict[str, int]:
    """The layer of each node that hangs together with the root.

    Of the identifiers that nothing but the root holds a part stands to its left: all of them where
    others share some of the rest, or else half.
    """
    layers, frontier = {root: 0}, [root]
    while frontier:
        reached = []
        for node in frontier:
            for each in neighbours[node]:
                if each not in layers:
                    layers[each] = layers[node] + 1
                    reached.append(each)
        frontier = reached
    own = [each for each in neighbours[root] if len(neighbours[each]) == 1]
    is_shared = len(own) < len(neighbours[root])
    if is_shared or len(own) > _FEW:
        left = own if is_shared and len(own) <= _MANY else own[::2]
        layers |= dict.fromkeys(left, -1)
    return layers


_FEW, _MANY = 6, 24


def _part(
    layers: Mapping[str, int],
    neighbours: Mapping[str, Sequence[str]],
    widths: Mapping[str, float],
) -> ConnectedNodes:
    from grandalf.graphs import Edge, Graph, Vertex
    from grandalf.layouts import SugiyamaLayout

    nodes = {}
    for each in layers:
        nodes[each] = Vertex(each)
        nodes[each].view = _View(widths[each])
    links = [
        Edge(nodes[one], nodes[other])
        for one, layer in layers.items()
        for other in neighbours[one]
        if layers[other] == layer + 1
    ]
    first = min(layers.values())
    begins = [nodes[each] for each, layer in layers.items() if layer == first]
    reached = {edge.v[1] for edge in links}
    links += [  # what nothing leads to stands in its layer none the less
        Edge(begins[0], node)
        for each, node in nodes.items()
        if layers[each] == first + 1 and node not in reached
    ]
    [component] = Graph(list(nodes.values()), links).C
    layout = SugiyamaLayout(component)
    layout.xspace, layout.yspace = GAP, BETWEEN
    layout.init_all(roots=begins)
    layout.draw()
    centres = {each: node.view.xy for each, node in nodes.items()}
    top = min(x for x, _ in centres.values()) - ROW / 2
    left, columns = 0.0, {}
    for layer in range(first, max(layers.values()) + 1):
        wide = max(widths[each] for each in layers if layers[each] == layer)
        columns[layer] = left, wide  # all as wide as the widest, so that no link runs below one
        left += wide + BETWEEN
    boxes = {}
    for each, layer in layers.items():
        column, wide = columns[layer]
        boxes[each] = Box(column, centres[each][0] - ROW / 2 - top, wide, ROW)
    height = max(box.y + box.height for box in boxes.values())
    return ConnectedNodes(boxes, left - BETWEEN, height)
