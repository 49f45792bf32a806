"""What a check shows: each scenario as it comes, the totals, and the report for CI."""

from collections.abc import Callable, Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from idsync_cli.check.results import CheckOutcome, Result, Totals, Unreadable
from idsync_cli.cli.environment import drawn, terminal_width, write, write_lines, write_utf8
from idsync_cli.errors import UsageFault, quoted
from idsync_cli.file_faults import FileFault

if TYPE_CHECKING:
    from idsync_cli.files.outputs import Outputs


class CheckFormat(StrEnum):
    """Who the results are for."""

    TEXT = "text"
    GITHUB = "github"
    TAP = "tap"
    JUNIT = "junit"


class Teller:
    """Reports each scenario, as it comes."""

    def __init__(self, form: CheckFormat, *, quiet: bool) -> None:
        self._form = form
        self._quiet = quiet
        if form is CheckFormat.TAP:
            from idsync_cli.render.ci import TAP_VERSION

            write(TAP_VERSION)

    def tell(self, outcome: CheckOutcome, number: int) -> None:
        """Report the scenario that was run as the `number`th; a JUnit report has all at its end."""
        if self._form is CheckFormat.JUNIT:
            return
        from idsync_cli.render import ci as render_ci
        from idsync_cli.render.plain_text import explained

        if self._form is CheckFormat.TAP:  # a reader of TAP would miss every point that is left out
            write("\n".join(render_ci.tap(outcome, number, explained(outcome))))
            return
        if isinstance(outcome, Result) and not (self._quiet and outcome.passed):
            write_lines([render_ci.verdict(outcome)])
        if self._form is CheckFormat.GITHUB:
            for line in render_ci.github(outcome, explained(outcome)):
                write(line)
        elif isinstance(outcome, Unreadable):
            complain_of(outcome.fault)
        elif not outcome.passed:
            _show_mismatches(outcome)

    def close(self, found: Totals, outcomes: Sequence[CheckOutcome]) -> None:
        """Sum up."""
        from idsync_cli.render import ci as render_ci

        if self._form is CheckFormat.JUNIT:
            from idsync_cli.render.plain_text import explained

            write_utf8(render_ci.junit(outcomes, explained).decode().rstrip("\n"))
        elif self._form is not CheckFormat.TAP:
            if found.number:
                write_lines([render_ci.totals_line(found)])
        elif found.number:
            write(f"1..{found.number}\n# {render_ci.totals_text(found)}")
        else:
            write("Bail out! nothing was run")


def _show_mismatches(result: Result) -> None:
    from idsync_cli.render import answers as render
    from idsync_cli.render import ci as render_ci

    lines = drawn(*render.mismatches(result, terminal_width()))
    write("\n".join([*map(render_ci.inert, lines), ""]))


def complain_of(fault: FileFault) -> None:
    """Tell of the faults of a scenario file, so that nothing in them acts on a CI system."""
    from idsync_cli.cli.complaints import complain
    from idsync_cli.render.ci import inert

    complain(fault, guarded=inert)


class Reports(NamedTuple):
    """The files that reports are written to, where they are asked for."""

    junit: str | None = None
    html: str | None = None

    def check(self, outputs: "Callable[[], Outputs]") -> None:
        """See whether they can be written, never over files that are anything else.

        Raises:
            UsageFault: they cannot.
        """
        if self == Reports():
            return
        from idsync_cli.render.html.page import BEGINS

        checked = outputs()
        for option, path, begins in (("--junit", self.junit, b"<"), ("--html", self.html, BEGINS)):
            if path is not None:
                checked.check(option, path)
                _check_report(option, path, begins)

    def write(self, outcomes: Sequence[CheckOutcome], found: Totals) -> None:
        """Write them, of all that was run.

        Raises:
            UsageFault: one cannot be written.
        """
        if self.junit is not None:
            from idsync_cli.render.ci import junit
            from idsync_cli.render.plain_text import explained

            _write_report("--junit", self.junit, junit(outcomes, explained))
        if self.html is not None:
            from idsync_cli.render.html.page import html
            from idsync_cli.render.reports import check_page

            _write_report("--html", self.html, html(check_page(outcomes, found)).encode())


def _check_report(option: str, path: str, begins: bytes) -> None:
    import gzip
    import zlib

    from idsync_cli.files.gzip_mark import GZIP, is_packed
    from idsync_cli.files.outputs import ensure_writable, is_kept

    ensure_writable(option, path)
    if not is_kept(path):
        return
    try:
        with Path(path).open("rb") as file:
            packed = is_packed(file.read(len(GZIP)))
        with gzip.open(path) if packed else Path(path).open("rb") as file:
            text = file.read().lstrip()
    except (EOFError, gzip.BadGzipFile, zlib.error):
        is_report = False
    except OSError as error:
        raise _unwritten(option, path, error) from None
    else:
        is_report = not text or text.startswith(begins)
    if not is_report:
        raise UsageFault(f"{option} {quoted(path)} is not a report; it was left unchanged")


def _write_report(option: str, path: str, report: bytes) -> None:
    from idsync_cli.files.whole_file import whole_file

    try:
        with whole_file(path) as file:
            file.write(report)
    except OSError as error:
        raise _unwritten(option, path, error) from None


def _unwritten(option: str, path: str, error: OSError) -> UsageFault:
    return UsageFault(f"{option} {quoted(path)} cannot be written: {error.strerror}")
