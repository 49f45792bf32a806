"""A graph in the language of Graphviz; a value stands between quotation marks, as text."""

from collections.abc import Iterator

from idsync_cli.graph.values import Graph, ProfileNode
from idsync_cli.render.graph.labels import (
    about_identifier,
    about_link,
    about_profile,
    colours,
    left_out_line,
    on_link,
    side,
    state,
    types_in,
    values_shown,
)


def dot(graph: Graph) -> str:
    """The graph as text, a line for each part."""
    return "\n".join(_lines(graph)) + "\n"


def _lines(graph: Graph) -> Iterator[str]:
    values = values_shown(graph)
    yield "graph idsync {"
    yield '  graph [rankdir=LR, fontname="sans-serif"];'
    yield '  node [fontname="sans-serif"]; edge [fontname="sans-serif", fontsize=10];'
    for profile in graph.profiles:
        label = f"{side(profile)}{profile.mpid}\n{state(profile)}"
        told = "\n".join(about_profile(profile, graph))
        its = f"label={_quoted(label)}, tooltip={_quoted(told)}, {_look(profile)}"
        yield f"  {_quoted(profile.id)} [{its}];"
    for node in graph.identifiers:
        kind = node.identifier.type
        label, told = f"{kind}\n{values[node.id]}", "\n".join(about_identifier(node, graph))
        wide = ", penwidth=4" if node.is_asked else ""
        yield (
            f"  {_quoted(node.id)} [label={_quoted(label)}, tooltip={_quoted(told)}, shape=box, "
            f'style=filled, fillcolor="{colours(kind).paper}", color="{colours(kind).line}"{wide}];'
        )
    for link in graph.links:
        style = "solid" if link.removed_seq is None else "dotted"
        told = "\n".join(about_link(link, graph))
        yield (
            f"  {_quoted(link.profile)} -- {_quoted(link.identifier)} [style={style}, "
            f"label={_quoted(on_link(link))}, edgetooltip={_quoted(told)}];"
        )
    if more := left_out_line(graph.left_out):
        yield f"  left_out [label={_quoted(more)}, shape=plaintext];"
    yield from _legend(graph)
    yield "}"


def _legend(graph: Graph) -> Iterator[str]:
    yield '  subgraph cluster_legend { label="Legend"; color="#57606a";'
    yield f"    legend_known [label=known, {_KNOWN}];"
    yield f"    legend_anonymous [label=anonymous, {_ANONYMOUS}];"
    yield f"    legend_orphaned [label=orphaned, {_ORPHANED}];"
    for kind in types_in(graph):
        its = colours(kind)
        yield (
            f"    legend_{kind} [label={_quoted(kind.value)}, shape=box, style=filled, "
            f'fillcolor="{its.paper}", color="{its.line}"];'
        )
    if any(each.added_seq for each in graph.links):
        yield "    legend_a [label=12, shape=plaintext]; legend_b [label=15, shape=plaintext];"
        yield '    legend_a -- legend_b [style=dotted, label="held from 12, removed by 15"];'
    yield "  }"


_KNOWN = "shape=ellipse, style=bold"
_ANONYMOUS = "shape=ellipse"
_ORPHANED = 'shape=hexagon, style=dashed, color="#7a4b00"'


def _look(node: ProfileNode) -> str:
    look = _ORPHANED if node.orphaned else _KNOWN if node.known else _ANONYMOUS
    return f"{look}, penwidth=4" if node.is_asked else look


def _quoted(text: str) -> str:
    r"""A text between quotation marks; a line feed, as `\n`, is all that means anything in it.

    Graphviz takes `&#…;` for the character, and so does whoever reads what it draws.
    """
    told = "".join(_CODES.get(each, each) for each in text)
    return f'"{told}"'


_CODES = {"\n": r"\n", '"': "&#34;", "\\": "&#92;", "&": "&#38;", "<": "&#60;", ">": "&#62;"}
