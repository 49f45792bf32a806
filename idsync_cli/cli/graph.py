"""Graphs: which profiles and identifiers belong together, as a picture or as text for one."""

from enum import StrEnum
from pathlib import PurePath
from typing import Annotated

import typer

from idsync_cli.cli.both_sides import Beginning, replayed
from idsync_cli.cli.environment import say
from idsync_cli.cli.opening import check_scope, existing_store, load_configuration
from idsync_cli.cli.options import (
    DEFAULT_CONFIG,
    DEFAULT_STORE,
    AsJson,
    Config,
    Force,
    StorePath,
)
from idsync_cli.cli.output import check_output, checked_output, write_output
from idsync_cli.cli.questions import OneScope, identifier_in, say_meant
from idsync_cli.core.config.rules import Organization
from idsync_cli.core.identity import Identifier, parse_mpid
from idsync_cli.errors import UsageFault, quoted
from idsync_cli.files.source import STANDARD_STREAM
from idsync_cli.graph.drawn import around, holders, scope_graph
from idsync_cli.graph.ties import MOST_LOOKED_AT, ties
from idsync_cli.graph.values import Graph, Tie
from idsync_cli.inspect.near import meant_by
from idsync_cli.store.api import Transaction
from idsync_cli.visible import visible

FEW, MANY = 30, 200
"""How many profiles are drawn at most: around one thing that is asked about, and of a scope."""


class GraphFormat(StrEnum):
    """What a graph is written as."""

    HTML = "html"
    MERMAID = "mermaid"
    DOT = "dot"
    JSON = "json"


_BY_SUFFIX = {
    ".html": GraphFormat.HTML,
    ".htm": GraphFormat.HTML,
    ".mmd": GraphFormat.MERMAID,
    ".mermaid": GraphFormat.MERMAID,
    ".dot": GraphFormat.DOT,
    ".gv": GraphFormat.DOT,
    ".json": GraphFormat.JSON,
}


def graph(
    whom: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[WHAT]...",
            help="An MPID, or one TYPE=VALUE or two; with --compare, files.",
        ),
    ] = None,
    scope: OneScope = None,
    compare: Annotated[
        tuple[str, str] | None,
        typer.Option(
            "--compare",
            metavar="A B",
            help="Two configurations: what B splits and merges.",
        ),
    ] = None,
    limit: Annotated[
        int | None,
        typer.Option(
            "--limit",
            metavar="N",
            min=1,
            max=2000,
            help=f"At most N profiles, up to 2,000 (default: {FEW}, of a scope {MANY}).",
        ),
    ] = None,
    form: Annotated[
        GraphFormat | None,
        typer.Option(
            "--format",
            metavar="FORMAT",
            help="html, mermaid, dot or json (default: by --output, or mermaid).",
        ),
    ] = None,
    output: Annotated[
        str, typer.Option("--output", metavar="FILE", help="The file to write; - for stdout.")
    ] = STANDARD_STREAM,
    force: Force = False,
    config: Config = DEFAULT_CONFIG,
    store: StorePath = DEFAULT_STORE,
    as_json: AsJson = False,
) -> int:
    """Draw which profiles and identifiers belong together.

    A profile with its neighbours, who holds an identifier, what ties two, with --scope alone the
    newest profiles, or with --compare what two configurations make of the same requests. Dotted
    lines show what was removed. The HTML is one page that loads nothing else.

    The exit status is 1 if there is nothing to draw, or nothing ties the two.

    Example: idsync graph email=a@example.com --output graph.html
    """
    shape = _format(form, output, as_json=as_json)
    if compare is not None:
        files = whom or []
        _check_files(files)
        check_output(output, store, config, force=force, inputs=[*compare, *files])
        return _compared(compare, files, scope, limit or FEW, shape, output, force=force)
    asked = _asked(whom or [], scope)
    organization = load_configuration(config).organization
    checked_output(output, store, config, force=force)
    with existing_store(store, organization) as opened, opened.reading() as transaction:
        check_scope(scope, organization, transaction)
        found = _found(transaction, organization, asked, scope, limit)
        if isinstance(found, str):
            say(f"idsync: {found}")
            _say_meant(transaction, organization, asked)
            return 1
    _say_tie(found, asked)
    write_output(output, _written(found, shape, _title(asked, scope)), force=force)
    return found.exit_status


def _check_files(files: list[str]) -> None:
    """See that there are requests of which two configurations may make something.

    Raises:
        UsageFault: there are none.
    """
    if not files:
        raise UsageFault(
            "--compare needs a file of requests after the two configurations, such as: "
            "idsync graph --compare idsync.yaml new.yaml requests.jsonl"
        )


def _compared(
    configurations: tuple[str, str],
    files: list[str],
    scope: str | None,
    limit: int,
    shape: GraphFormat,
    output: str,
    *,
    force: bool,
) -> int:
    """Draw what two configurations make of the same requests."""
    organizations = [load_configuration(each).organization for each in configurations]
    both = replayed(organizations, files, Beginning(scope), examples=0, in_graph=limit)
    found = both.graph
    assert found is not None
    if not found.profiles:
        say("idsync: nothing is split or merged, so there is nothing to draw")
        return found.exit_status
    write_output(output, _written(found, shape, _COMPARED), force=force)
    return found.exit_status


_COMPARED = "What B splits and merges compared with A"

_Asked = int | tuple[Identifier, ...]
"""What is asked about: a profile; one identifier, or two; or none, so a scope."""


def _asked(words: list[str], scope: str | None) -> _Asked:
    """Read what a graph is asked of.

    Raises:
        UsageFault: it is none of what can be drawn.
    """
    if not words:
        if scope is None:
            raise UsageFault(
                "name what to draw: an MPID, one identifier or two, such as "
                "email=a@example.com, or a scope with --scope"
            )
        return ()
    mpid = parse_mpid(words[0])
    if mpid is not None:
        if len(words) > 1:
            raise UsageFault(
                f"a graph shows one profile; omit {quoted(words[1])}, or name two identifiers"
            )
        if scope is not None:
            raise UsageFault("a profile has one scope, so --scope has no effect; omit it")
        return mpid
    if len(words) > 2:
        raise UsageFault(f"a graph shows at most two identifiers; omit {quoted(words[2])}")
    found = tuple(map(identifier_in, words))
    if len({*found}) < len(found):
        raise UsageFault("both identifiers are the same; name two, or give it once")
    return found


def _format(form: GraphFormat | None, output: str, *, as_json: bool) -> GraphFormat:
    """In which format a graph is written.

    Raises:
        UsageFault: two are asked for.
    """
    if as_json:
        if form not in (None, GraphFormat.JSON):
            raise UsageFault(f"--json and --format {form} are two formats; omit one of them")
        return GraphFormat.JSON
    by_name = None if output == STANDARD_STREAM else _BY_SUFFIX.get(PurePath(output).suffix.lower())
    return form or by_name or GraphFormat.MERMAID


def _found(
    transaction: Transaction,
    organization: Organization,
    asked: _Asked,
    scope: str | None,
    limit: int | None,
) -> Graph | str:
    """The graph, or why there is none."""
    if isinstance(asked, int):
        drawn = around(transaction, organization, asked, limit or FEW)
        if drawn is None:
            erased = next(transaction.erasures(asked), None)
            gone = "" if erased is None else f"; it was erased by request {erased.seq}"
            return f"there is no profile {asked}{gone}"
        return drawn
    if len(asked) == 2:
        pair = asked[0], asked[1]
        drawn = ties(transaction, organization, pair, limit or FEW, scope)
        there = {each.identifier for each in drawn.identifiers}
        for each in asked:
            if each not in there:
                return f"no profile ever held {_named(each)}"
        return drawn
    if asked:
        drawn = holders(transaction, organization, asked[0], limit or FEW, scope)
        return drawn if drawn.profiles else f"no profile ever held {_named(asked[0])}"
    assert scope is not None
    drawn = scope_graph(transaction, organization, scope, limit or MANY)
    return drawn if drawn.profiles else f"there is no profile in the scope {quoted(scope)}"


def _named(identifier: Identifier) -> str:
    return f"{identifier.type} {quoted(identifier.value)}"


def _say_meant(transaction: Transaction, organization: Organization, asked: _Asked) -> None:
    if isinstance(asked, int):
        say_meant(meant_by(transaction, organization, mpid=asked))
    else:
        say_meant(meant_by(transaction, organization, asked, transaction.scopes()))


def _say_tie(found: Graph, asked: _Asked) -> None:
    if found.tie in (None, Tie.FOUND):
        return
    assert not isinstance(asked, int)
    pair = f"{_named(asked[0])} and {_named(asked[1])}"
    if found.tie is Tie.NONE:
        say(f"idsync: nothing ties {pair}: no profile holds or held both, nor do any in between")
    else:
        say(
            f"idsync: no tie of {pair} was found among the {MOST_LOOKED_AT:,} nearest profiles and "
            "identifiers; there may be one further away"
        )


def _title(asked: _Asked, scope: str | None) -> str:
    if isinstance(asked, int):
        return f"Profile {asked} and its neighbours"
    if not asked:
        return f"The newest profiles of scope {visible(scope or '')}"
    named = " and ".join(f"{each.type} {visible(each.value)}" for each in asked)
    return f"What ties {named}" if len(asked) == 2 else f"Who holds {named}"


def _written(found: Graph, shape: GraphFormat, title: str) -> str:
    if shape is GraphFormat.HTML:
        from idsync_cli.render.graph.section import graph_page
        from idsync_cli.render.html.page import html

        return html(graph_page(found, title))
    if shape is GraphFormat.JSON:
        import json

        from idsync_cli.render.graph.as_json import graph_json

        return json.dumps(graph_json(found)) + "\n"
    if shape is GraphFormat.DOT:
        from idsync_cli.render.graph.dot import dot

        return dot(found)
    from idsync_cli.render.graph.mermaid import mermaid

    return mermaid(found)
