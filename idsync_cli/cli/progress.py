"""A progress bar, on a terminal and nowhere else."""

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from idsync_cli.cli import colour
from idsync_cli.files.source import STANDARD_STREAM

_BAR_WIDTH = 20

Advance = Callable[[int, int], None]
"""Is told how far the files were read, in bytes, and how many things were done in all."""


@contextmanager
def progress(noun: str, total: int | None, *, beside_output: bool = False) -> Iterator[Advance]:
    """A bar for files of so many bytes, None if nobody knows; `noun` is what is counted.

    With data on standard output meanwhile, a terminal that shows both has no bar; nor has one that
    cannot go back in a line.
    """
    is_dumb = os.environ.get("TERM") == "dumb"
    if is_dumb or not sys.stderr.isatty() or (beside_output and sys.stdout.isatty()):
        yield _unseen
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    from idsync_cli.render.theme import Look, rich_theme

    columns = (
        BarColumn(
            style=Look.ASIDE, complete_style=Look.BAR, finished_style=Look.OK, pulse_style=Look.BAR
        ),
        TextColumn(f"{{task.fields[number]:,}} {noun}, {{task.fields[rate]:,.0f}} a second"),
        TimeRemainingColumn(),
    )
    with Progress(
        *columns,
        console=Console(stderr=True, theme=rich_theme(), no_color=not colour.is_wanted(sys.stderr)),
        transient=True,
        redirect_stdout=False,  # or Rich writes data where the bar is, broken at its width
    ) as bar:
        task = bar.add_task(noun, total=total, number=0, rate=0.0)

        def advance(position: int, number: int) -> None:
            elapsed = bar.tasks[0].elapsed or 0.0
            rate = number / elapsed if elapsed else 0.0
            bar.update(task, completed=position, number=number, rate=rate)

        yield advance


@contextmanager
def files_progress(
    files: Sequence[str], noun: str = "requests", *, times: int = 1
) -> Iterator[Advance]:
    """A bar for requests of files, which are all read so many times.

    It is told how far a file was read, in bytes, and how many requests were answered, since it was
    told last.
    """
    all_are_files = STANDARD_STREAM not in files
    total = times * sum(Path(name).stat().st_size for name in files) if all_are_files else None
    read = answered = 0
    with progress(noun, total) as advance:

        def advance_by(number_of_bytes: int, requests: int) -> None:
            nonlocal read, answered
            read += number_of_bytes
            answered += requests
            advance(read, answered)

        yield advance_by


@contextmanager
def no_progress() -> Iterator[Advance]:
    """Progress that nobody looks at."""
    yield _unseen


def _unseen(_position: int, _number: int) -> None:
    """Nobody looks."""
