"""Where the parts of a graph stand: layers from left to right, a column each.

What was asked about, or else has the most links, stands in the first layer, or in the second with
identifiers of its own to its left; whatever is a link further stands a layer further. So every
label has a line of its own, and links run between neighbouring layers only.

The picture is whole as it is written, for readers without scripts and for paper. On a page dagre
orders the columns anew, so that fewer links cross (`graph_layout.js`).
"""

from collections.abc import Mapping, Sequence
from statistics import fmean
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
    """Nodes that hang together, with their places, and how large the picture of them is.

    The places are in the order to read them: column by column, from above.
    """

    boxes: Mapping[str, Box]
    width: float
    height: float


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
    columns = [
        [each for each, its in layers.items() if its == layer]
        for layer in range(min(layers.values()), max(layers.values()) + 1)
    ]
    heights = _heights(columns, neighbours)
    top = min(heights.values())
    boxes: dict[str, Box] = {}
    left = 0.0
    for column in columns:
        wide = max(widths[each] for each in column)  # so that no link runs below a narrower one
        for each in sorted(column, key=heights.__getitem__):
            boxes[each] = Box(left, heights[each] - top, wide, ROW)
        left += wide + BETWEEN
    return ConnectedNodes(boxes, left - BETWEEN, max(heights.values()) - top + ROW)


def _heights(
    columns: Sequence[Sequence[str]], neighbours: Mapping[str, Sequence[str]]
) -> dict[str, float]:
    """How far down each node stands: the longest column first, then the others from it outwards.

    There each stands beside its neighbours, as far as there is room. Then the longest one is put
    into the order of its own neighbours, and all is done again.
    """
    longest = max(range(len(columns)), key=lambda each: len(columns[each]))
    first = list(columns[longest])
    heights: dict[str, float] = {}
    for _ in range(_ROUNDS):
        heights = {each: row * float(ROW + GAP) for row, each in enumerate(first)}
        for column in (*columns[longest + 1 :], *reversed(columns[:longest])):
            lowest = max(heights.values())
            wanted = {
                each: fmean([heights[it] for it in neighbours[each] if it in heights] or [lowest])
                for each in column
            }
            heights |= _apart(dict(sorted(wanted.items(), key=lambda pair: pair[1])))
        first.sort(key=lambda each: fmean([heights[it] for it in neighbours[each]] or [0]))
    return heights


_ROUNDS = 4


def _apart(wanted: Mapping[str, float]) -> dict[str, float]:
    """Heights with a row for each: as wanted on average."""
    found: dict[str, float] = {}
    free = min(wanted.values())
    for each, height in wanted.items():
        found[each] = max(height, free)
        free = found[each] + ROW + GAP
    down = fmean(found.values()) - fmean(wanted.values())
    return {each: height - down for each, height in found.items()}
