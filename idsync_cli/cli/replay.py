"""Replay a file of requests."""

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Annotated, BinaryIO

import typer

from idsync_cli import replay as replaying
from idsync_cli import store as stores
from idsync_cli import wire
from idsync_cli.cli.options import (
    DEFAULT_CONFIG,
    DEFAULT_STORE,
    Config,
    Scope,
    Seed,
    StorePath,
    Workspace,
)
from idsync_cli.cli.surroundings import (
    draw,
    load_configuration,
    new_seed,
    now_ms,
    open_store,
    parse_seed,
    terminal_width,
    write,
    write_json,
)
from idsync_cli.core.decision import Answer, Refusal
from idsync_cli.core.rules import Organization
from idsync_cli.engine import Engine
from idsync_cli.errors import StoreFault, UsageFault, printable, quoted
from idsync_cli.store import Store

STANDARD_STREAM = "-"


def replay(
    file: Annotated[
        str, typer.Argument(metavar="FILE", help="Requests, a line each; - for stdin.")
    ],
    output: Annotated[
        str | None,
        typer.Option(
            "--output", metavar="FILE", help="Write every answer, a line each; - for stdout."
        ),
    ] = None,
    scope: Scope = None,
    workspace: Workspace = None,
    config: Config = DEFAULT_CONFIG,
    store: StorePath = DEFAULT_STORE,
    seed: Seed = None,
    chunk_size: Annotated[
        int,
        typer.Option("--chunk-size", metavar="N", min=1, help="Requests in one transaction."),
    ] = replaying.CHUNK_SIZE,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="On a copy of the store that is thrown away.")
    ] = False,
    explain: Annotated[
        bool,
        typer.Option("--explain", help="Each answer with its tiers: in --output, else as tables."),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="The summary as JSON.")] = False,
) -> int:
    """Answer the requests of a file, one after another, and sum them up.

    The exit status is 1 if a line was refused; the other lines are done all the same.

    Example: idsync replay requests.jsonl --output answers.jsonl
    """
    organization = load_configuration(config).organization
    target = _checked_target(organization, scope, workspace)
    number = parse_seed(seed)
    with ExitStack() as opened:
        requests = opened.enter_context(_input(file))
        give_out = opened.enter_context(_output(output, taken=(file, config, store)))
        storage = opened.enter_context(_store(store, organization, number, dry_run=dry_run))
        engine = Engine(organization, storage, now=now_ms, target=target)
        summary = replaying.Summary()
        incoming = replaying.read_requests(requests)
        for answers in replaying.replay(engine, incoming, chunk_size=chunk_size):
            for answer in answers:
                summary.count(answer)
            if give_out:
                lines = (wire.encode(wire.answer_json(each, explain=explain)) for each in answers)
                give_out("\n".join(lines))
            elif explain:
                _explain(answers)
    _sum_up(summary, as_json=as_json, on_stderr=output == STANDARD_STREAM)
    return 1 if summary.refused_count else 0


def _checked_target(
    organization: Organization, scope: str | None, workspace: str | None
) -> wire.Target:
    target = wire.Target(scope, workspace)
    if scope is not None or workspace is not None:
        try:
            wire.scope_of({}, organization, target)
        except Refusal as refusal:
            raise UsageFault(refusal.message) from None
    return target


@contextmanager
def _input(file: str) -> Iterator[BinaryIO]:
    if file == STANDARD_STREAM:
        yield sys.stdin.buffer
        return
    try:
        stream = Path(file).open("rb")  # noqa: SIM115 - closed below
    except (OSError, ValueError) as error:
        cause = getattr(error, "strerror", None) or error
        raise UsageFault(f"the requests {quoted(file)} cannot be read: {cause}") from None
    with stream:
        yield stream


@contextmanager
def _output(output: str | None, taken: tuple[str, ...]) -> Iterator[Callable[[str], None] | None]:
    """What takes the answers, if anything does; never a file that is read or written otherwise."""
    if output is None or output == STANDARD_STREAM:
        yield None if output is None else write
        return
    place = Path(output)
    for other in taken:
        if other != STANDARD_STREAM and place.resolve() == Path(other).resolve():
            raise UsageFault(f"--output {quoted(output)} would overwrite a file that is in use")
    try:
        stream = place.open("w", encoding="ascii", newline="\n")
    except (OSError, ValueError) as error:
        cause = getattr(error, "strerror", None) or error
        raise UsageFault(f"--output {quoted(output)} cannot be written: {cause}") from None

    def give_out(lines: str) -> None:
        try:
            stream.write(lines + "\n")
            stream.flush()
        except OSError as error:
            raise StoreFault(
                f"--output {printable(output)} cannot be written: {error.strerror}; "
                "what the store took of the requests is whole"
            ) from None

    with stream:
        yield give_out


@contextmanager
def _store(
    path: str, organization: Organization, seed: int | None, *, dry_run: bool
) -> Iterator[Store]:
    """The store, made if there is none; for a dry run, a copy of it."""
    found = open_store(path, organization, write=not dry_run)
    if found is None:
        wanted = new_seed() if seed is None else seed
        found = stores.memory(wanted) if dry_run else stores.create(path, wanted)
    with found:
        if seed is not None and found.seed != seed:
            raise UsageFault(
                f"the store {printable(path)} was made with another seed; leave --seed out, "
                "or name a new store"
            )
        if dry_run:
            with stores.copy_of(found) as copy:
                yield copy
        else:
            yield found


def _explain(answers: list[Answer]) -> None:
    from idsync_cli import render

    for answer in answers:
        if isinstance(answer.outcome, Refusal):
            write(render.refusal_line(answer, answer.outcome) + "\n")
        else:
            draw(*render.explanation(answer, answer.outcome, terminal_width()))
            write("")


def _sum_up(summary: replaying.Summary, *, as_json: bool, on_stderr: bool) -> None:
    """The summary is data, unless standard output holds the answers."""
    from idsync_cli import render

    if as_json:
        write_json(summary.as_json(), to_stderr=on_stderr)
    else:
        draw(*render.summary(summary.as_json()), to_stderr=on_stderr)
