"""How far the work on files is: a bar on a terminal, and nothing elsewhere."""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from idsync_cli.cli import colour
from idsync_cli.files.request_file import STANDARD_STREAM


def unseen(_bytes: int, _requests: int) -> None:
    """Progress that is not shown."""


@contextmanager
def progress(files: Sequence[str], times: int = 1) -> Iterator[Callable[[int, int], None]]:
    """A progress bar with rate and time left, on a terminal and nowhere else.

    It is told of bytes that were read and requests that were answered since it was told last; all
    files are read so many times.
    """
    if not sys.stderr.isatty():
        yield unseen
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    known = all(name != STANDARD_STREAM and not name.endswith(".gz") for name in files)
    total = times * sum(Path(name).stat().st_size for name in files) if known else None
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
        task = bar.add_task("", total=total, requests=0, rate=0.0)
        counted = 0

        def advance(number_of_bytes: int, requests: int) -> None:
            nonlocal counted
            counted += requests
            elapsed = bar.tasks[0].elapsed or 0.0
            rate = counted / elapsed if elapsed else 0.0
            bar.update(task, advance=number_of_bytes, requests=counted, rate=rate)

        yield advance
