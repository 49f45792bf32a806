"""A graph as Mermaid's flowchart, which many places draw that take Markdown.

A value stands there as letters, digits and the codes of all other characters, so that nothing of it
is Mermaid, HTML or Markdown.
"""

from collections.abc import Iterator

from idsync_cli.graph.values import Graph, ProfileNode
from idsync_cli.render.graph.labels import (
    colours,
    left_out_line,
    on_link,
    side,
    state,
    types_in,
    values_shown,
)

_PLAIN = frozenset(" .,:@+-_()/")
"""What may stand between quotation marks as it is, beside letters and digits."""

_CLASSES = (
    "classDef known fill:#ffffff,stroke:#1f2328,stroke-width:3px,color:#1f2328",
    "classDef anonymous fill:#ffffff,stroke:#57606a,stroke-width:1px,color:#1f2328",
    "classDef orphaned fill:#fff8e1,stroke:#7a4b00,stroke-dasharray:4 3,color:#1f2328",
    "classDef asked stroke-width:5px",
)


def mermaid(graph: Graph) -> str:
    """The graph as text, a line for each part."""
    return "\n".join(_lines(graph)) + "\n"


def _lines(graph: Graph) -> Iterator[str]:
    values = values_shown(graph)
    names = {each.id: f"p{number}" for number, each in enumerate(graph.profiles, start=1)}
    yield "flowchart LR"
    yield from _legend(graph)
    for profile in graph.profiles:
        told = f"{_escaped(f'{side(profile)}{profile.mpid}')}<br/>{_escaped(state(profile))}"
        begin, end = _shape(profile)
        yield f'  {names[profile.id]}{begin}"{told}"{end}:::{_class(profile)}'
    for node in graph.identifiers:
        kind = node.identifier.type.value
        told = f"{_escaped(kind)}<br/>{_escaped(values[node.id])}"
        yield f'  {node.id}["{told}"]:::{kind}'
    for link in graph.links:
        line = "---" if link.removed_seq is None else "-.-"
        on = f'|"{_escaped(on_link(link))}"|' if on_link(link) else ""
        yield f"  {names[link.profile]} {line}{on} {link.identifier}"
    if not graph.profiles and not graph.identifiers:
        yield '  nothing["nothing to show"]'
    for node_id in (
        *(names[each.id] for each in graph.profiles if each.is_asked),
        *(each.id for each in graph.identifiers if each.is_asked),
    ):
        yield f"  class {node_id} asked"
    if more := left_out_line(graph.left_out):
        yield f'  more>"{_escaped(more)}"]'
    yield from (f"  {each}" for each in _CLASSES)
    for kind in types_in(graph):
        its = colours(kind)
        yield f"  classDef {kind} fill:{its.paper},stroke:{its.line},color:#1f2328"


def _legend(graph: Graph) -> Iterator[str]:
    """What each look means, as far as the graph has it; a node for each."""
    yield '  subgraph legend["Legend"]'
    states = {_class(each): _shape(each) for each in graph.profiles}
    for name, (begin, end) in sorted(states.items()):
        yield f'    legend_{name}{begin}"{name}"{end}:::{name}'
    for kind in types_in(graph):
        yield f'    legend_{kind}["{_escaped(kind.value)}"]:::{kind}'
    if any(each.added_seq for each in graph.links):
        yield '    legend_a((" ")) ---|"held since request 12"| legend_b((" "))'
    if any(each.removed_seq is not None for each in graph.links):
        yield '    legend_c((" ")) -.-|"held from 12, removed by 15"| legend_d((" "))'
    yield "  end"


def _class(node: ProfileNode) -> str:
    return "orphaned" if node.orphaned else "known" if node.known else "anonymous"


def _shape(node: ProfileNode) -> tuple[str, str]:
    if node.orphaned:
        return "{{", "}}"
    return ("([", "])") if node.known else ("(", ")")


def _escaped(text: str) -> str:
    return "".join(each if each in _PLAIN or each.isalnum() else f"#{ord(each)};" for each in text)
