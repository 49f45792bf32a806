"""A progress bar, on a terminal and nowhere else."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from idsync_cli.cli import colour

Advance = Callable[[int, int], None]
"""Is told how far the files were read, in bytes, and how many things were done in all."""


@contextmanager
def progress(noun: str, total: int | None) -> Iterator[Advance]:
    """A bar for files of so many bytes, None if nobody knows; `noun` is what is counted."""
    if not sys.stderr.isatty():
        yield _unseen
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        BarColumn(),
        TextColumn(f"{{task.fields[number]:,}} {noun}, {{task.fields[rate]:,.0f}} a second"),
        TimeRemainingColumn(),
    )
    with Progress(
        *columns,
        console=Console(stderr=True, no_color=not colour.is_wanted(sys.stderr)),
        transient=True,
    ) as bar:
        task = bar.add_task(noun, total=total, number=0, rate=0.0)

        def advance(position: int, number: int) -> None:
            elapsed = bar.tasks[0].elapsed or 0.0
            rate = number / elapsed if elapsed else 0.0
            bar.update(task, completed=position, number=number, rate=rate)

        yield advance


@contextmanager
def no_progress() -> Iterator[Advance]:
    """Progress that nobody looks at."""
    yield _unseen


def _unseen(_position: int, _number: int) -> None:
    """Nobody looks."""
