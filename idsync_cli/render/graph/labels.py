"""What stands in every picture of a graph: words for its parts, and a colour for each type."""

from collections import Counter
from collections.abc import Mapping
from colorsys import hls_to_rgb
from typing import NamedTuple

from idsync_cli.core.identity import TYPE_ORDER, IdentityType
from idsync_cli.errors import number_of
from idsync_cli.graph.values import Graph, IdentifierNode, LeftOut, Link, ProfileNode
from idsync_cli.render.identifiers import in_a_list, value_of
from idsync_cli.render.store import requester
from idsync_cli.render.times import moment
from idsync_cli.store.causes import KeptRequest
from idsync_cli.visible import visible

LONGEST = 40
"""How many characters of a value stand in a picture; all of them stand beside it."""

_HEAD, _TAIL = 26, 12
_HUES = (
    *(355, 212, 238, 196, 10, 150, 275, 255, 320),  # customer_id to other
    *(331, 341, 312, 302, 292, 326, 336, 316, 306),  # other_id_2 to other_id_10
    *(178, 186, 170),  # the phones
    *(48, 28, 120, 96, 62, 266, 282, 160, 140, 78),  # ios_idfa to amp_id
    *(246, 290, 222),  # push_token, device_application_stamp, alias
)
"""The hue of each type in the order of section 2; the usual ones are far from one another."""


class Colours(NamedTuple):
    """The colours of a type: a line that stands out on white paper, and a paper for black ink.

    The dark ones are for pages on a dark screen: a line for black paper, a paper for white ink.
    """

    line: str
    paper: str
    dark_line: str
    dark_paper: str


def colours(kind: IdentityType) -> Colours:
    """The colours of a type, the same in every picture."""
    hue = _HUES[TYPE_ORDER[kind]] / 360
    return Colours(
        _hex(hue, 0.32, 0.65), _hex(hue, 0.92, 0.7), _hex(hue, 0.72, 0.6), _hex(hue, 0.15, 0.5)
    )


def _hex(hue: float, lightness: float, saturation: float) -> str:
    parts = (round(each * 255) for each in hls_to_rgb(hue, lightness, saturation))
    return "#" + "".join(f"{each:02x}" for each in parts)


def types_in(graph: Graph) -> list[IdentityType]:
    """The types that a graph shows, in the order of section 2."""
    return sorted({each.identifier.type for each in graph.identifiers}, key=TYPE_ORDER.__getitem__)


def values_shown(graph: Graph) -> Mapping[str, str]:
    """The value of each identifier by its `id`, short; those that look alike are numbered."""
    short = {each.id: _shortened(each) for each in graph.identifiers}
    alike = Counter((each.identifier.type, short[each.id]) for each in graph.identifiers)
    seen = Counter[tuple[IdentityType, str]]()
    for each in graph.identifiers:
        key = each.identifier.type, short[each.id]
        if alike[key] > 1:
            seen[key] += 1
            short[each.id] = f"{key[1]} ({seen[key]})"
    return short


def _shortened(node: IdentifierNode) -> str:
    shown = in_a_list(node.identifier)
    return shown if len(shown) <= LONGEST else f"{shown[:_HEAD]}…{shown[-_TAIL:]}"


def state(node: ProfileNode) -> str:
    """What a profile is: known or anonymous, and orphaned."""
    known = "known" if node.known else "anonymous"
    return f"{known}, orphaned" if node.orphaned else known


def side(node: ProfileNode) -> str:
    """Of which side of a comparison a profile is, as it stands before its MPID; else nothing."""
    return "" if node.side is None else f"{node.side.upper()}: "


def on_link(link: Link) -> str:
    """What stands on a link: the request that added it, and the one that took it away."""
    if not link.added_seq:
        return ""
    taken = "" if link.removed_seq is None else f", removed {link.removed_seq}"
    return f"{link.added_seq}{taken}"


def about_profile(node: ProfileNode, graph: Graph) -> list[str]:
    """What is told of a profile where somebody points at it."""
    lines = [f"{side(node)}profile {node.mpid} in scope {visible(node.scope)}: {state(node)}"]
    if node.side is None:
        lines.append(f"created by {about_request(node.number, graph)}")
    if node.source_mpid is not None:
        lines.append(f"source: the anonymous profile {node.source_mpid}")
    shown = len({each.identifier for each in graph.links if each.profile == node.id})
    if node.identifiers > shown:
        lines.append(f"{number_of(node.identifiers, 'identifier')} in all, {shown} of them shown")
    return lines


def about_identifier(node: IdentifierNode, graph: Graph) -> list[str]:
    """What is told of an identifier where somebody points at it."""
    lines = [f"{node.identifier.type} {value_of(node.identifier)} in scope {visible(node.scope)}"]
    shown = len({each.profile for each in graph.links if each.identifier == node.id})
    if node.profiles > shown:
        lines.append(f"held by {number_of(node.profiles, 'profile')} in all, {shown} of them shown")
    return lines


def about_link(link: Link, graph: Graph) -> list[str]:
    """Which request made a link, and which took it away."""
    if not link.added_seq:
        return ["held at the end"]
    lines = [f"added by {about_request(link.added_seq, graph)}"]
    if link.removed_seq is not None:
        answer = graph.requests.get(link.removed_seq)
        whose = ""
        if answer is not None and str(answer.answer) != link.profile:
            is_gone = answer.answer is None
            whose = (
                ", answered with a profile that was erased"
                if is_gone
                else f", answered with profile {answer.answer}"
            )
        lines.append(f"removed by {about_request(link.removed_seq, graph)}{whose}")
    return lines


def about_request(seq: int, graph: Graph) -> str:
    """A request, when it was, what it was, and what decided it."""
    request = graph.requests.get(seq)
    if request is None:
        return f"request {seq}, which is no longer in the history"
    return f"request {seq}, {moment(request.cause.time_ms)} UTC, {told_of(request)}"


def told_of(request: KeptRequest) -> str:
    """What a request was, and what decided it."""
    return ", ".join(requester(request.cause))


def left_out_line(left_out: LeftOut) -> str:
    """What a graph does not show; nothing where it shows all."""
    parts = []
    if left_out.profiles:
        parts.append(number_of(left_out.profiles, "profile"))
    if left_out.identifiers:
        parts.append(number_of(left_out.identifiers, "identifier"))
    return f"not shown: {' and '.join(parts)} more" if parts else ""
