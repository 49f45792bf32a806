"""What a replay shows: which answers `--explain` draws, and the summary with refused lines."""

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from idsync_cli.cli import hints
from idsync_cli.cli.environment import (
    draw,
    say,
    terminal_width,
    write,
    write_json,
    write_lines,
)
from idsync_cli.core.codes import RequestKind, Rule, Status
from idsync_cli.core.decision import Answer, Decision, Refusal
from idsync_cli.errors import (
    FaultCode,
    Hint,
    IdsyncError,
    OutputClosed,
    StoreFault,
    Terminated,
    UsageFault,
    number_of,
)
from idsync_cli.replay.summary import Ended, RefusedLine, Summary, Tally

if TYPE_CHECKING:
    from idsync_cli.render.html.page import Page

Lines = Annotated[
    list[int] | None,
    typer.Option("--line", metavar="N", min=1, help="Explain only this line; repeatable."),
]
Statuses = Annotated[
    list[Status] | None,
    typer.Option(
        "--status", metavar="STATUS", help="Explain only answers of this status; repeatable."
    ),
]
Rules = Annotated[
    list[Rule] | None,
    typer.Option(
        "--rule", metavar="RULE", help="Explain only answers decided by this; repeatable."
    ),
]
Kinds = Annotated[
    list[RequestKind] | None,
    typer.Option("--type", metavar="TYPE", help="Explain only requests of this type; repeatable."),
]


@dataclass(frozen=True, slots=True)
class Shown:
    """Which answers are explained: of each kind of choice that is made, one must fit."""

    lines: frozenset[int] = frozenset()
    statuses: frozenset[Status] = frozenset()
    rules: frozenset[Rule] = frozenset()
    kinds: frozenset[RequestKind] = frozenset()

    @classmethod
    def chosen(
        cls,
        lines: Sequence[int] | None,
        statuses: Sequence[Status] | None,
        rules: Sequence[Rule] | None,
        kinds: Sequence[RequestKind] | None,
        *,
        is_explained: bool,
    ) -> "Shown":
        """What the options choose.

        Raises:
            UsageFault: they do, and no tables are drawn.
        """
        shown = cls(
            frozenset(lines or ()),
            frozenset(statuses or ()),
            frozenset(rules or ()),
            frozenset(kinds or ()),
        )
        if shown != cls() and not is_explained:
            raise UsageFault(
                "--line, --status, --rule and --type choose which answers --explain shows as "
                "tables; give --explain, and omit --output"
            )
        return shown

    def accepts(self, answer: Answer) -> bool:
        """Whether an answer is explained."""
        outcome = answer.outcome
        rule = outcome.decided_by.rule if isinstance(outcome, Decision) else None
        return (
            (not self.lines or answer.line in self.lines)
            and (not self.statuses or answer.status in self.statuses)
            and (not self.rules or rule in self.rules)
            and (not self.kinds or answer.kind in self.kinds)
        )

    def explain(self, answers: Iterable[Answer], _file: str | None) -> None:
        """Draw answers with their tiers."""
        from idsync_cli.render import answers as render

        for answer in filter(self.accepts, answers):
            if isinstance(answer.outcome, Refusal):
                write_lines([render.refusal_line(answer, hints.told(answer.outcome))])
                if tiers := render.refused_explanation(answer.outcome, terminal_width()):
                    draw(*tiers)
            else:
                draw(*render.explanation(answer, answer.outcome, terminal_width()))
            write("")


class Report:
    """How a replay is summed up: as data, unless standard output holds the answers.

    `also` are the options that a replay has to go on with beside --resume; `write_html` writes the
    page that is asked for.
    """

    def __init__(
        self,
        *,
        as_json: bool,
        quiet: bool,
        on_stderr: bool,
        dry_run: bool,
        also: str = "",
        write_html: "Callable[[Page], None] | None" = None,
    ) -> None:
        self._as_json = as_json
        self._quiet = quiet
        self._on_stderr = on_stderr
        self._dry_run = dry_run
        self._also = also
        self._write_html = write_html

    def sum_up(self, summary: Summary) -> None:
        """Give out the summary; where there is no room for it, on standard error.

        Raises:
            StoreFault: standard output cannot be written, or the page.
            UsageFault: somebody has made the file of the page meanwhile.
        """
        try:
            if not self._quiet:
                self._sum_up_as_text(summary)
        finally:
            if self._write_html is not None:
                from idsync_cli.render.reports import replay_page

                self._write_html(replay_page(*self._told(summary)))

    def _sum_up_as_text(self, summary: Summary) -> None:
        try:
            self._write(summary, on_stderr=self._on_stderr)
        except StoreFault:
            if not self._on_stderr:
                self._write(summary, on_stderr=True)
            raise

    def ended_early(self, tally: Tally, error: BaseException) -> None:
        """Sum up what was committed before an error, if there was anything.

        Whoever closes a pipe has seen enough; what was committed by then is told on standard error.
        """
        goes_on = tally.requests and not self._dry_run
        if isinstance(error, IdsyncError):
            hints.going_on_with(error, self._also)
            is_there = error.code != FaultCode.STORE_REPLACED  # which has what was done
            if error.hint is None and goes_on and is_there:
                error.hint = Hint.RESUME_REPLAY
        if isinstance(error, OutputClosed):
            self._on_stderr = True
        if isinstance(error, KeyboardInterrupt | Terminated):
            self._say_interrupted(tally, error)
        if not tally.requests:
            return
        ended_by = _ended_by(error, None if self._dry_run else self._also)
        summary = tally.summary(stopped=False, dry_run=self._dry_run)._replace(ended_by=ended_by)
        with suppress(OutputClosed, StoreFault):  # what ended it is told all the same
            if isinstance(error, OutputClosed) and not self._quiet:
                way_out = f"; {ended_by.way_out}" if ended_by.way_out else ""
                after = number_of(tally.requests, "request")
                say(f"idsync: {ended_by.message}, after {after}{way_out}")
            self.sum_up(summary)

    def _say_interrupted(self, tally: Tally, error: BaseException) -> None:
        how = "interrupted" if isinstance(error, KeyboardInterrupt) else "terminated"
        goes_on = tally.requests and not self._dry_run
        way_out = f"; {hints.sentence(Hint.RESUME_REPLAY, self._also)}" if goes_on else ""
        say(f"idsync: {how} after {number_of(tally.requests, 'request')}{way_out}")

    def _write(self, summary: Summary, *, on_stderr: bool) -> None:
        from idsync_cli.render.summary import summary_json, summary_text

        if self._as_json:
            write_json(summary_json(summary), to_stderr=on_stderr)
            return
        width = terminal_width(to_stderr=on_stderr)
        draw(*summary_text(*self._told(summary), width), to_stderr=on_stderr)

    def _told(self, summary: Summary) -> tuple[Summary, str]:
        """A summary with its hints, and what to do where the replay stopped."""
        told = summary._replace(first_refused=tuple(map(_with_hint, summary.first_refused)))
        if summary.dry_run:
            return told, hints.MEND_AND_TRY_AGAIN
        return told, hints.MEND_AND_RESUME + self._also


def _ended_by(error: BaseException, also: str | None) -> Ended:
    """What ended a replay, as its summary says it; `also` is None where it cannot go on."""
    resume = None if also is None else hints.sentence(Hint.RESUME_REPLAY, also)
    if isinstance(error, KeyboardInterrupt):
        return Ended("INTERRUPTED", "interrupted", resume)
    if isinstance(error, Terminated):
        return Ended("TERMINATED", "terminated", resume)
    if isinstance(error, OutputClosed):
        return Ended("OUTPUT_CLOSED", "standard output was closed", resume)
    if isinstance(error, IdsyncError):
        return Ended(error.code, str(error), hints.way_out(error))
    return Ended("BUG", f"a bug in idsync ({type(error).__name__})", resume)


def _with_hint(refused: RefusedLine) -> RefusedLine:
    """A refused line with what to do about it, as people are shown."""
    answer = refused.answer
    assert isinstance(answer.outcome, Refusal)
    outcome = hints.told(answer.outcome)
    told = Answer(answer.seq, answer.line, answer.kind, answer.scope, outcome)
    return refused._replace(answer=told)
