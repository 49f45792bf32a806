"""A replay at work: what comes of it is counted, given out and shown as it comes."""

from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import AbstractContextManager, ExitStack, suppress
from functools import partial

from idsync_cli.cli.environment import say
from idsync_cli.cli.progress import Advance, no_progress, progress
from idsync_cli.core.decision import Answer
from idsync_cli.errors import IdsyncError, OutputClosed, number_of, printable
from idsync_cli.files.request_file import STANDARD_STREAM, Source
from idsync_cli.files.sorted_requests import sorted_by_time
from idsync_cli.replay.loop import Replay
from idsync_cli.replay.resumption import Mode
from idsync_cli.replay.summary import Tally
from idsync_cli.replay.writers import Done

GiveOut = Callable[[Iterable[Answer], str | None], None]
"""Takes answers to lines of a file; it has no name where it is the only one."""

Files = Sequence[tuple[str, Source]]


class Work:
    """Carries out a replay; `tally` has what was committed, whatever ends it."""

    def __init__(self, run: Replay, give_out: GiveOut | None, *, quiet: bool) -> None:
        self._run = run
        self._give_out = give_out
        self._quiet = quiet
        self.tally = Tally()

    def in_order(self, files: Files) -> None:
        """Replay files one after another."""
        self._run.check(files)
        position = 0
        with self._progress("requests", files) as advance:
            for name, source in files:
                come = self._run.run(name, source)
                batches = self._count_and_give(come, source, partial(_further, advance, position))
                if self._run.stopped_by:
                    return
                position += source.size_of_file or 0
                if not batches:
                    self._say_nothing_in(name)

    def by_time(self, files: Files) -> None:
        """Replay the lines of all files in the order of their own times."""
        wanted = self._run.to_sort(files)
        for name in wanted.done:
            self._say_nothing_in(name)
        if not wanted.files:
            return
        with ExitStack() as opened:
            with self._progress("lines sorted", wanted.files) as advance:
                lines = opened.enter_context(sorted_by_time(wanted.files, advance))
            if lines.without_time and not self._quiet:
                without = number_of(lines.without_time, "line")
                say(f"note: {without} without a time, sorted right after the line before")
            with self._progress("requests", [("", lines.source)]) as advance:
                come = self._run.run_by_time(wanted.files, lines)
                batches = self._count_and_give(come, lines.source, advance)
        if not batches and not self._run.stopped_by:
            for name, _ in wanted.files:
                self._say_nothing_in(name)

    def _count_and_give(
        self,
        batches: Generator[Done, None, None],
        source: Source,
        advance: Advance,
    ) -> int:
        """Count and give out the results of each batch, and say how many batches there were.

        What was kept while an error was on its way is counted and given out as well.
        """
        number = 0
        try:
            for done in batches:
                number += 1
                self.tally.add(done.tally)
                advance(source.position_in_file, self.tally.requests)
                self._give(done)
        except BaseException:
            batches.close()
            for done in self._run.untold():
                self.tally.add(done.tally)
                with suppress(OutputClosed, IdsyncError):
                    self._give(done)
            raise
        return number

    def _give(self, done: Done) -> None:
        if self._give_out and done.answers:
            for file, some in self._run.by_file(done.answers):
                self._give_out(some, file)

    def _progress(self, noun: str, files: Files) -> AbstractContextManager[Advance]:
        if self._quiet:
            return no_progress()
        return progress(noun, _size_of(files), beside_output=self._give_out is not None)

    def _say_nothing_in(self, name: str) -> None:
        resumes = self._run.mode is Mode.RESUME
        left = "nothing left to replay in" if resumes else "no requests in"
        say(f"{left} {'standard input' if name == STANDARD_STREAM else printable(name)}")


def _further(advance: Advance, before: int, position: int, number: int) -> None:
    """Tell how far files were read of which so many bytes come before the one at hand."""
    advance(before + position, number)


def _size_of(files: Files) -> int | None:
    """How many bytes all files have; None if that of one is not known."""
    sizes = [source.size_of_file for _, source in files]
    told = [size for size in sizes if size is not None]
    return sum(told) if len(told) == len(sizes) else None
