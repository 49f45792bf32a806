"""Compare two configurations over the same requests."""

from typing import Annotated

import typer

from idsync_cli.cli.both_sides import Beginning, replayed
from idsync_cli.cli.environment import draw, parse_seed, say, terminal_width, write_json
from idsync_cli.cli.opening import load_configuration
from idsync_cli.cli.options import (
    DEFAULT_CONFIG,
    AsJson,
    Config,
    Force,
    NoExtensions,
    Scope,
    Workspace,
    present_store,
)
from idsync_cli.cli.output import HtmlReport, check_page, output_file, write_page
from idsync_cli.core.codes import FileKind
from idsync_cli.errors import IdsyncError, UsageFault
from idsync_cli.files.outputs import Outputs, ensure_writable
from idsync_cli.foresight.comparing.compare import Compared
from idsync_cli.foresight.comparing.comparison import Limits
from idsync_cli.store.sqlite.lifecycle.keeping import keep_path

_MOST = 10**9

IN_GRAPH = 30
"""How many profiles of each side the graph of a report has."""


def compare(
    files: Annotated[
        list[str],
        typer.Argument(metavar="FILE...", help="Requests, one per line (.gz too); - for stdin."),
    ],
    other: Annotated[
        str | None,
        typer.Option("--with", metavar="FILE", help="B: the proposed configuration."),
    ] = None,
    recorded: Annotated[
        bool, typer.Option("--recorded", help="B: what production answered (response).")
    ] = False,
    map_mpids: Annotated[
        bool, typer.Option("--map-mpids", help="Map recorded MPIDs (response.mpid) to ours.")
    ] = False,
    examples: Annotated[
        int, typer.Option("--examples", metavar="N", min=0, max=1000, help="At most N examples.")
    ] = 10,
    max_splits: Annotated[
        int | None,
        typer.Option(
            "--max-splits",
            metavar="N",
            min=0,
            max=_MOST,
            help="Fail only if more profiles split.",
        ),
    ] = None,
    max_merges: Annotated[
        int | None,
        typer.Option(
            "--max-merges",
            metavar="N",
            min=0,
            max=_MOST,
            help="Fail only if more profiles merge.",
        ),
    ] = None,
    max_refused: Annotated[
        int | None,
        typer.Option(
            "--max-refused",
            metavar="N",
            min=0,
            max=_MOST,
            help="Fail only if one side rejects more.",
        ),
    ] = None,
    output: Annotated[
        str | None,
        typer.Option("--output", metavar="FILE", help="Write every line that differs."),
    ] = None,
    html: HtmlReport = None,
    force: Force = False,
    scope: Scope = None,
    workspace: Workspace = None,
    config: Config = DEFAULT_CONFIG,
    store: Annotated[
        str | None,
        typer.Option(
            "--store",
            "-s",
            metavar="FILE",
            help="Start with a copy of this store (default: empty).",
        ),
    ] = None,
    seed: Annotated[
        str | None,
        typer.Option("--seed", metavar="N", help="Seed for the MPIDs of both sides (default: 0)."),
    ] = None,
    no_extensions: NoExtensions = False,
    as_json: AsJson = False,
) -> int:
    """Compare how two configurations answer the same requests.

    A is --config. B is --with, or with --recorded what production answered, whose MPIDs are then
    mapped to ours. Both are replayed at once, into temporary stores: which profiles of A does B
    split, and which does it merge? The exit status is 1 if anything differs, or with --max options
    if more differs than they allow.

    Example: idsync compare --config idsync.yaml --with new.yaml requests.jsonl
    """
    if (other is None) is not recorded:
        raise UsageFault(
            "name one thing to compare with: a proposed configuration (--with), or what "
            "production answered (--recorded)"
        )
    number = parse_seed(seed)
    organizations = [
        load_configuration(each, no_extensions=no_extensions).organization
        for each in (config, other)
        if each is not None
    ]
    inputs = files if other is None else [*files, other]
    outputs = Outputs(store=store or present_store(), configuration=config, inputs=inputs)
    if output is not None:
        outputs.check("--output", output, must_be_new=not force)
        ensure_writable("--output", output)
    check_page(html, outputs, force=force)
    found = replayed(
        organizations,
        files,
        Beginning(scope, workspace, number, store, map_mpids),
        examples=examples,
        in_graph=IN_GRAPH if html is not None and other is not None else 0,
    )
    for written in (output, html):
        if store is not None and written is not None:
            keep_path(store, FileKind.OUTPUT, written)
    try:
        _write_files(found, output, html, force=force)
    except IdsyncError:
        _show(found, as_json=as_json)  # it took long to find, and need not be found again
        raise
    _show(found, as_json=as_json)
    return found.exit_status(Limits(max_splits, max_merges, max_refused))


def _write_files(found: Compared, output: str | None, html: str | None, *, force: bool) -> None:
    if output is not None:
        _write_differing(found, output, force=force)
    if html is not None:
        from idsync_cli.render.reports import compare_page

        write_page(html, compare_page(found.comparison, found.graph), force=force)


def _show(found: Compared, *, as_json: bool) -> None:
    from idsync_cli.render import compare as render

    comparison = found.comparison
    if as_json:
        write_json(render.compare_json(comparison))
    else:
        draw(*render.comparison(comparison, terminal_width()))
    for fault in found.first_wrong:
        say(str(fault))
    if more := found.wrong - len(found.first_wrong):
        say(f"and {more} more invalid responses")


def _write_differing(found: Compared, output: str, *, force: bool) -> None:
    from idsync_cli.render import compare as render

    with output_file("--output", output, force=force) as file:
        for line in found.differing_lines():
            file.write(render.differing_line(line))
