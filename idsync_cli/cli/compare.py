"""Compare two configurations over the same requests."""

from contextlib import AbstractContextManager
from typing import Annotated

import typer

from idsync_cli.cli.environment import (
    check_seed,
    draw,
    load_configuration,
    now_ms,
    open_store,
    parse_seed,
    say,
    terminal_width,
    write_json,
)
from idsync_cli.cli.input_files import checked_target, readable, say_order
from idsync_cli.cli.options import (
    DEFAULT_CONFIG,
    AsJson,
    Config,
    Force,
    NoExtensions,
    Scope,
    Workspace,
)
from idsync_cli.cli.progress import files_progress
from idsync_cli.core.codes import FileKind
from idsync_cli.core.config.rules import Organization
from idsync_cli.errors import FaultCode, Hint, StoreFault, UsageFault, printable, quoted
from idsync_cli.files.outputs import Outputs, ensure_writable, file_exists
from idsync_cli.files.whole_file import whole_file
from idsync_cli.foresight.comparing.compare import Compared, compare_recorded
from idsync_cli.foresight.comparing.compare import compare as compare_sides
from idsync_cli.foresight.comparing.comparison import Limits
from idsync_cli.foresight.comparing.work import Advance, SideJob
from idsync_cli.store.sqlite.lifecycle.keeping import keep_path

_MOST = 10**9


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
    if output is not None:
        inputs = files if other is None else [*files, other]
        outputs = Outputs(store=store, configuration=config, inputs=inputs)
        outputs.check("--output", output, must_be_new=not force)
        ensure_writable("--output", output)
    scopes = _common_scopes(organizations[0], organizations[-1])
    targets = [checked_target(each, scope, workspace) for each in organizations]
    _check_store(store, organizations[0], number)
    with readable(files) as found_files:
        say_order(found_files)
        job = SideJob(
            organization=organizations[0],
            target=targets[0],
            files=tuple(found_files),
            scopes=scopes,
            seed=number or 0,
            store=store,
            now_ms=now_ms(),
            folder="",
            maps_mpids=map_mpids or recorded,
        )

        def shown() -> AbstractContextManager[Advance]:
            paths = [each.path for each in found_files]
            return files_progress(paths, times=len(organizations))

        if recorded:
            found = compare_recorded(job, examples=examples, progress=shown)
        else:
            proposed = job._replace(organization=organizations[1])
            found = compare_sides(job, proposed, examples=examples, progress=shown)
    if output is not None:
        if store is not None:
            keep_path(store, FileKind.OUTPUT, output)
        _write_differing(found, output, force=force)
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
    status = comparison.exit_status(Limits(max_splits, max_merges, max_refused))
    return 1 if found.wrong else status


def _common_scopes(a: Organization, b: Organization) -> tuple[str, ...]:
    """The scopes that both have; says which are left out.

    Raises:
        UsageFault: there is none.
    """
    common = tuple(name for name in a.scopes if name in b.scopes)
    if not common:
        raise UsageFault(
            "the two configurations have no scope in common, so that there is nothing to compare; "
            "give the scope the same name in both"
        )
    for side, has, lacks in (("A", a, b), ("B", b, a)):
        for name in has.scopes:
            if name not in lacks.scopes:
                say(f"note: the scope {quoted(name)} is only in {side}; it is not compared")
    return common


def _check_store(path: str | None, organization: Organization, seed: int | None) -> None:
    """See whether the store to begin with can be read.

    Raises:
        StoreFault: it cannot, or is not there.
        UsageFault: it has another seed than the one that is asked for.
    """
    if path is None:
        return
    opened = open_store(path, organization, write=False)
    if opened is None:
        raise StoreFault(
            f"there is no store at {printable(path)}",
            FaultCode.NO_STORE,
            hint=Hint.MAKE_STORE,
            store=path,
        )
    with opened:
        check_seed(opened, path, seed)


def _write_differing(found: Compared, output: str, *, force: bool) -> None:
    from idsync_cli.render import compare as render

    try:
        with whole_file(output, must_be_new=not force) as file:
            for line in found.differing_lines():
                file.write(render.differing_line(line))
    except FileExistsError:
        raise file_exists("--output", output) from None
    except OSError as error:
        raise StoreFault(
            f"--output {quoted(output)} cannot be written: {error.strerror}",
            FaultCode.OUTPUT_UNWRITABLE,
            path=output,
        ) from None
