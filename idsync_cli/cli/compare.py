"""Compare two configurations over the same requests."""

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
from idsync_cli.core.config.rules import Organization
from idsync_cli.errors import FaultCode, Hint, StoreFault, UsageFault, printable, quoted
from idsync_cli.files.outputs import Outputs, ensure_writable, file_exists
from idsync_cli.files.whole_file import whole_file
from idsync_cli.foresight.comparing.compare import Compared, Limits
from idsync_cli.foresight.comparing.compare import compare as compare_sides
from idsync_cli.foresight.comparing.work import SideJob

_MOST = 10**9


def compare(
    files: Annotated[
        list[str],
        typer.Argument(metavar="FILE...", help="Requests, one per line (.gz too); - for stdin."),
    ],
    other: Annotated[
        str | None,
        typer.Option("--with", metavar="FILE", help="The configuration that is proposed, B."),
    ] = None,
    examples: Annotated[
        int, typer.Option("--examples", metavar="N", min=0, max=1000, help="At most N examples.")
    ] = 10,
    max_splits: Annotated[
        int | None,
        typer.Option(
            "--max-splits", metavar="N", min=0, max=_MOST, help="Fail only if more are split."
        ),
    ] = None,
    max_merges: Annotated[
        int | None,
        typer.Option(
            "--max-merges", metavar="N", min=0, max=_MOST, help="Fail only if more are merged."
        ),
    ] = None,
    max_refused: Annotated[
        int | None,
        typer.Option(
            "--max-refused",
            metavar="N",
            min=0,
            max=_MOST,
            help="Fail only if one side alone rejects more.",
        ),
    ] = None,
    output: Annotated[
        str | None,
        typer.Option("--output", metavar="FILE", help="Write every differing line."),
    ] = None,
    force: Force = False,
    scope: Scope = None,
    workspace: Workspace = None,
    config: Config = DEFAULT_CONFIG,
    store: Annotated[
        str | None,
        typer.Option(
            "--store", "-s", metavar="FILE", help="Begin with a copy of this store, not empty."
        ),
    ] = None,
    seed: Annotated[
        str | None,
        typer.Option("--seed", metavar="N", help="Seed for the MPIDs of both (default: 0)."),
    ] = None,
    no_extensions: NoExtensions = False,
    as_json: AsJson = False,
) -> int:
    """Compare what two configurations make of the same requests.

    A is --config, in use, and B is --with. Both replay all files, at once, each into a temporary
    store: which profiles of A would B split, and which would it merge? Nothing is written.

    The exit status is 1 if anything differs, or more than a --max option allows.

    Example: idsync compare --config idsync.yaml --with new.yaml requests.jsonl
    """
    if other is None:
        raise UsageFault("what is it compared with? name the proposed configuration with --with")
    number = parse_seed(seed)
    organizations = [
        load_configuration(each, no_extensions=no_extensions).organization
        for each in (config, other)
    ]
    if output is not None:
        outputs = Outputs(store=store, configuration=config, inputs=[*files, other])
        outputs.check("--output", output, must_be_new=not force)
        ensure_writable("--output", output)
    scopes = _common_scopes(*organizations)
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
        )
        found = compare_sides(
            job,
            job._replace(organization=organizations[1]),
            examples=examples,
            progress=lambda: files_progress([each.path for each in found_files], times=2),
        )
    if output is not None:
        _write_differing(found, output, force=force)
    from idsync_cli.render import compare as render

    comparison = found.comparison
    if as_json:
        write_json(render.compare_json(comparison))
    else:
        draw(*render.comparison(comparison, terminal_width()))
    return comparison.exit_status(Limits(max_splits, max_merges, max_refused))


def _common_scopes(a: Organization, b: Organization) -> tuple[str, ...]:
    """The scopes that both have; says which are left out.

    Raises:
        UsageFault: there is none.
    """
    common = tuple(name for name in a.scopes if name in b.scopes)
    if not common:
        raise UsageFault(
            "the two configurations have no scope in common, so that there is nothing to compare; "
            "call the scope in both the same"
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
