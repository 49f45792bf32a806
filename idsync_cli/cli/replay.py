"""Replay files of requests."""

import gc
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, closing, contextmanager, nullcontext
from functools import partial
from pathlib import Path
from time import process_time
from typing import Annotated

import typer

from idsync_cli import wire
from idsync_cli.cli import colour, hints
from idsync_cli.cli.environment import (
    load_configuration,
    new_seed,
    now_ms,
    open_store,
    parse_seed,
    say,
    say_agreed,
    store_at_work,
    unfinished_erasure,
    write,
)
from idsync_cli.cli.options import (
    DEFAULT_CONFIG,
    DEFAULT_STORE,
    Config,
    Force,
    NoExtensions,
    Scope,
    Seed,
    StorePath,
    Workspace,
)
from idsync_cli.cli.replay_shown import Kinds, Lines, Rules, Shown, Statuses, sum_up
from idsync_cli.core.config.rules import Organization
from idsync_cli.core.decision import Answer, Refusal
from idsync_cli.engine.engine import Engine
from idsync_cli.errors import Hint, Terminated, UsageFault, number_of, printable
from idsync_cli.files.answers_file import AnswersFile, Over
from idsync_cli.files.outputs import Outputs
from idsync_cli.files.request_file import STANDARD_STREAM, Source, open_requests
from idsync_cli.replay.enrichment import enriching
from idsync_cli.replay.loop import Replay
from idsync_cli.replay.resumption import Mode
from idsync_cli.replay.summary import Tally
from idsync_cli.replay.writers import Done
from idsync_cli.store import sqlite as stores
from idsync_cli.store.sqlite import SqliteStore

GiveOut = Callable[[Iterable[Answer], str | None], None]


def replay(
    files: Annotated[
        list[str],
        typer.Argument(
            metavar="FILE...",
            help="Requests, one per line (.gz too); - for stdin.",
        ),
    ],
    output: Annotated[
        str | None,
        typer.Option(
            "--output", metavar="FILE", help="Write every answer, one per line; - for stdout."
        ),
    ] = None,
    enrich: Annotated[
        str | None,
        typer.Option(
            "--enrich", metavar="FILE", help="Write each batch with what its profile then knows."
        ),
    ] = None,
    force: Force = False,
    resume: Annotated[
        bool, typer.Option("--resume", help="Continue an interrupted replay of the file.")
    ] = False,
    again: Annotated[
        bool, typer.Option("--again", help="Replay a file that was replayed before.")
    ] = False,
    stop_on_error: Annotated[
        bool, typer.Option("--stop-on-error", help="Stop before the first rejected line.")
    ] = False,
    scope: Scope = None,
    workspace: Workspace = None,
    config: Config = DEFAULT_CONFIG,
    store: StorePath = DEFAULT_STORE,
    no_extensions: NoExtensions = False,
    seed: Seed = None,
    chunk_size: Annotated[
        int | None,
        typer.Option(
            "--chunk-size",
            metavar="N",
            min=1,
            max=10**6,
            help="Requests per transaction (default: by time).",
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Use a temporary copy of the store.")
    ] = False,
    explain: Annotated[
        bool,
        typer.Option("--explain", help="Explain every answer: in --output, or as tables."),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the summary as JSON.")] = False,
    quiet: Annotated[
        bool, typer.Option("--quiet", help="Print no progress and no summary.")
    ] = False,
    line: Lines = None,
    status: Statuses = None,
    rule: Rules = None,
    kind: Kinds = None,
) -> int:
    """Answer the requests in files and summarize the results.

    A rejected line does not stop the replay, but makes the exit status 1. Progress is stored with
    the work, so an interrupted replay can continue with --resume.

    Example: idsync replay requests.jsonl --output answers.jsonl
    """
    to_start = process_time()  # as long as another process would take to get here
    if resume and again:
        raise UsageFault("--resume continues and --again starts over; give only one of them")
    shown = Shown.chosen(line, status, rule, kind, is_explained=explain and output is None)
    organization = load_configuration(config, no_extensions=no_extensions).organization
    target = _checked_target(organization, scope, workspace)
    number = parse_seed(seed)
    answers = None
    outputs = Outputs(store=store, configuration=config, inputs=files)
    if output is not None and output != STANDARD_STREAM:
        outputs.check("--output", output, must_be_new=not (force or resume))
        over = Over.ANY_FILE if force else Over.ITS_OWN if resume else Over.NOTHING
        answers = AnswersFile(output, explain=explain, named="--output", over=over)
        answers.check()
    if enrich is not None:
        outputs.check("--enrich", enrich, must_be_new=not (force or resume))
    give_out = _to_stdout(output, shown, explain=explain)
    tally = Tally()
    gc.disable()  # of a hundred thousand values nothing is a cycle, and looking takes a third
    with ExitStack() as opened:
        sources = [(name, opened.enter_context(open_requests(name))) for name in files]
        storage = opened.enter_context(_store(store, organization, number, dry_run=dry_run))
        if answers:
            opened.enter_context(closing(answers))
        enrichment = opened.enter_context(
            enriching(enrich, organization, storage, now=now_ms, resume=resume, may_replace=force)
        )
        run = Replay(
            Engine(
                organization,
                storage,
                now=now_ms,
                target=target,
                explain=explain,
                on_aligned=say_agreed,
                companion=enrichment,
            ),
            storage,
            mode=Mode.RESUME if resume else Mode.AGAIN if again else Mode.ONCE,
            chunk_size=chunk_size,
            answers=answers,
            stop_on_error=stop_on_error,
            keep_answers=give_out is not None,
            to_start=to_start,
            several_files=len(files) > 1,
            output=output,
            forced=force,
        )
        try:
            with nullcontext(_unseen) if quiet else _progress(files) as advance:
                for done in _done(run, sources, advance):
                    tally.add(done.tally)
                    if give_out and done.answers:
                        give_out(done.answers, run.file_in_answers)
        except (KeyboardInterrupt, Terminated):
            goes_on = tally.requests and not dry_run
            way_out = f"; {hints.sentence(Hint.RESUME_REPLAY)}" if goes_on else ""
            say(f"idsync: interrupted after {number_of(tally.requests, 'request')}{way_out}")
            raise
        is_finished = dry_run or storage.finish_erasures()
    if run.stopped_by:
        tally.count_all([run.stopped_by], run.file)
        tally.keep_lines([run.stopped_line] if run.stopped_line else [], run.file)
    summary = tally.summary(stopped=run.stopped_by is not None, dry_run=dry_run)
    summary = summary._replace(enriched=None if enrichment is None else enrichment.counted)
    if not quiet:
        sum_up(summary, as_json=as_json, on_stderr=output == STANDARD_STREAM)
    if not is_finished:
        raise unfinished_erasure(store)
    return summary.exit_status


def _done(
    run: Replay, sources: list[tuple[str, Source]], advance: Callable[[int, int], None]
) -> Iterator[Done]:
    for name, source in sources:
        before = source.bytes_read
        batches = 0
        for done in run.run(name, source):
            batches += 1
            advance(source.bytes_read - before, done.tally.requests)
            before = source.bytes_read
            yield done
        if run.stopped_by:
            return
        if not batches:
            left = "no requests in" if run.mode is not Mode.RESUME else "nothing left to replay in"
            say(f"{left} {'standard input' if name == STANDARD_STREAM else printable(name)}")


def _checked_target(
    organization: Organization, scope: str | None, workspace: str | None
) -> wire.Target:
    target = wire.Target(scope, workspace)
    if scope is not None or workspace is not None:
        try:
            wire.scope_of(None, None, organization, target)
        except Refusal as refusal:
            raise UsageFault(refusal.message) from None
    return target


def _to_stdout(output: str | None, shown: Shown, *, explain: bool) -> GiveOut | None:
    """What writes answers as they come: as lines if asked for, or explained."""
    if output == STANDARD_STREAM:
        return partial(_write_lines, explain=explain)
    return shown.explain if explain and output is None else None


def _write_lines(answers: Iterable[Answer], file: str | None, *, explain: bool) -> None:
    lines = [wire.answer_line(each, explain=explain, file=file) for each in answers]
    write(b"".join(lines).decode()[:-1])


@contextmanager
def _store(
    path: str, organization: Organization, seed: int | None, *, dry_run: bool
) -> Iterator[SqliteStore]:
    """The store, created if there is none; for a dry run, a copy of it."""
    found = open_store(path, organization, write=not dry_run)
    if found is None:
        wanted = new_seed() if seed is None else seed
        found = stores.temporary(wanted) if dry_run else stores.create(path, wanted)
    with store_at_work(found, path, seed, dry_run=dry_run) as storage:
        yield storage


def _unseen(_bytes: int, _requests: int) -> None:
    """Progress that is not shown."""


@contextmanager
def _progress(files: list[str]) -> Iterator[Callable[[int, int], None]]:
    """A progress bar with rate and time left, on a terminal and nowhere else."""
    if not sys.stderr.isatty():
        yield _unseen
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    known = all(name != STANDARD_STREAM and not name.endswith(".gz") for name in files)
    total = sum(Path(name).stat().st_size for name in files) if known else None
    columns = (
        BarColumn(),
        TextColumn("{task.fields[requests]:,} requests, {task.fields[rate]:,.0f} a second"),
        TimeRemainingColumn(),
    )
    with Progress(
        *columns,
        console=Console(stderr=True, no_color=not colour.is_wanted(sys.stderr)),
        transient=True,
    ) as bar:
        task = bar.add_task("replay", total=total, requests=0, rate=0.0)
        counted = 0

        def advance(number_of_bytes: int, requests: int) -> None:
            nonlocal counted
            counted += requests
            elapsed = bar.tasks[0].elapsed or 0.0
            rate = counted / elapsed if elapsed else 0.0
            bar.update(task, advance=number_of_bytes, requests=counted, rate=rate)

        yield advance
