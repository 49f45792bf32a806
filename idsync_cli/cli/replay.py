"""Replay files of requests."""

import gc
import shlex
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, closing, contextmanager
from functools import partial
from time import process_time
from typing import Annotated

import typer

from idsync_cli import wire
from idsync_cli.cli.environment import new_seed, now_ms, parse_seed, write
from idsync_cli.cli.input_files import checked_target
from idsync_cli.cli.opening import (
    load_configuration,
    open_store,
    say_agreed,
    store_at_work,
    unfinished_erasure,
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
from idsync_cli.cli.output import HtmlReport, check_page, say_not_kept, write_page
from idsync_cli.cli.replay_shown import Kinds, Lines, Report, Rules, Shown, Statuses
from idsync_cli.cli.replay_work import GiveOut, Work
from idsync_cli.core.config.rules import Organization
from idsync_cli.core.decision import Answer
from idsync_cli.engine.engine import Engine
from idsync_cli.errors import UsageFault, printable
from idsync_cli.files.answers_file import AnswersFile, Over
from idsync_cli.files.outputs import Outputs, is_standard_output
from idsync_cli.files.request_file import STANDARD_STREAM, open_requests
from idsync_cli.replay.enrichment import enriching
from idsync_cli.replay.loop import Replay
from idsync_cli.replay.recorded import ReplayedMpids
from idsync_cli.replay.resumption import Mode
from idsync_cli.store import sqlite as stores
from idsync_cli.store.sqlite import SqliteStore


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
            "--enrich", metavar="FILE", help="Write each event batch, enriched from its profile."
        ),
    ] = None,
    html: HtmlReport = None,
    force: Force = False,
    resume: Annotated[
        bool, typer.Option("--resume", help="Continue a replay that ended early.")
    ] = False,
    again: Annotated[
        bool, typer.Option("--again", help="Replay a file that was replayed before.")
    ] = False,
    stop_on_error: Annotated[
        bool,
        typer.Option(
            "--stop-on-error", help="Stop before the first rejected line (else: status 1)."
        ),
    ] = False,
    sort_by_time: Annotated[
        bool,
        typer.Option("--sort-by-time", help="Replay the lines of all files by their own times."),
    ] = False,
    map_mpids: Annotated[
        bool,
        typer.Option("--map-mpids", help="Map recorded MPIDs (response.mpid) to ours."),
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
            help="Lines per commit (default: by time).",
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

    Example: idsync replay requests.jsonl --output answers.jsonl
    """
    to_start = process_time()  # as long as another process would take to get here
    if resume and again:
        raise UsageFault("--resume continues and --again starts over; give only one of them")
    shown = Shown.chosen(line, status, rule, kind, is_explained=explain and output is None)
    organization = load_configuration(config, no_extensions=no_extensions).organization
    target = checked_target(organization, scope, workspace)
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
    check_page(html, outputs, force=force)
    if dry_run and not quiet:
        say_not_kept(store, output, enrich, html)
    give_out = _to_stdout(output, shown, explain=explain)
    gc.disable()  # of a hundred thousand values nothing is a cycle, and looking takes a third
    with ExitStack() as opened:
        sources = [(name, opened.enter_context(open_requests(name))) for name in files]
        storage = opened.enter_context(_store(store, organization, number, dry_run=dry_run))
        if answers:
            opened.enter_context(closing(answers))
        enrichment = opened.enter_context(
            enriching(
                enrich,
                organization,
                storage,
                named="--enrich",
                now=now_ms,
                resume=resume,
                may_replace=force,
            )
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
            page=html,
            forced=force,
            recorded=ReplayedMpids(anew=not resume) if map_mpids else None,
        )
        report = Report(
            as_json=as_json,
            quiet=quiet,
            on_stderr=output is not None and is_standard_output(output),
            dry_run=dry_run,
            also=_to_go_on_with(map_mpids=map_mpids, enrich=enrich),
            write_html=None if html is None else partial(write_page, html, force=force),
        )
        work = Work(run, give_out, quiet=quiet)
        try:
            if sort_by_time:
                work.by_time(sources)
            else:
                work.in_order(sources)
        except BaseException as error:
            report.ended_early(work.tally, error)
            raise
        is_finished = dry_run or storage.finish_erasures()
    if run.stopped_by:
        work.tally.add(run.stopped_by)
    summary = work.tally.summary(stopped=run.stopped_by is not None, dry_run=dry_run)
    report.sum_up(summary._replace(enriched=None if enrichment is None else enrichment.counted))
    if not is_finished:
        raise unfinished_erasure(store)
    return summary.exit_status


def _to_go_on_with(*, map_mpids: bool, enrich: str | None) -> str:
    """The options without which a replay that ended early does not go on as it began."""
    into = "" if enrich is None else f" --enrich {shlex.quote(printable(enrich))}"
    return " --map-mpids" * map_mpids + into


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
    is_new = found is None
    wanted = new_seed() if seed is None else seed
    try:
        if found is None:
            found = stores.temporary(wanted) if dry_run else stores.create(path, wanted)
        with store_at_work(found, path, seed, dry_run=dry_run) as storage:
            yield storage
    except BaseException:
        if is_new and not dry_run:
            stores.discard_unused(path, wanted)
        raise
