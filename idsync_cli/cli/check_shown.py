"""What a check shows: each scenario as it comes, the totals, and the report for CI."""

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path

from idsync_cli.check.run import CheckOutcome, Result, Totals, Unreadable
from idsync_cli.cli.environment import drawn, terminal_width, write, write_lines
from idsync_cli.errors import FileFault, UsageFault, quoted


class Format(StrEnum):
    """Who the results are for."""

    TEXT = "text"
    GITHUB = "github"
    TAP = "tap"


class Teller:
    """Reports each scenario, as it comes."""

    def __init__(self, form: Format, *, quiet: bool) -> None:
        self._form = form
        self._quiet = quiet
        if form is Format.TAP:
            from idsync_cli.render.ci import TAP_VERSION

            write(TAP_VERSION)

    def tell(self, outcome: CheckOutcome, number: int) -> None:
        """Report the scenario that was run as the `number`th."""
        from idsync_cli.render import ci as render_ci
        from idsync_cli.render.plain_text import explained

        if self._form is Format.TAP:  # a reader of TAP would miss every point that is left out
            write("\n".join(render_ci.tap(outcome, number, explained(outcome))))
            return
        if isinstance(outcome, Result) and not (self._quiet and outcome.passed):
            write_lines([render_ci.verdict(outcome)])
        if self._form is Format.GITHUB:
            for line in render_ci.github(outcome, explained(outcome)):
                write(line)
        elif isinstance(outcome, Unreadable):
            complain_of(outcome.fault)
        elif not outcome.passed:
            _show_mismatches(outcome)

    def close(self, found: Totals) -> None:
        """Sum up."""
        from idsync_cli.render import ci as render_ci

        if self._form is not Format.TAP:
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
    write("\n".join(map(render_ci.inert, lines)))


def complain_of(fault: FileFault) -> None:
    """Tell of the faults of a scenario file, so that nothing in them acts on a CI system."""
    from idsync_cli.cli.complaints import complain
    from idsync_cli.render.ci import inert

    complain(fault, guarded=inert)


def check_report(junit: str) -> None:
    """See whether a report can be written, never over a file that is anything else.

    Raises:
        UsageFault: it cannot.
    """
    import gzip
    import zlib

    from idsync_cli.files.contents import GZIP, is_packed
    from idsync_cli.files.outputs import ensure_writable, is_kept

    ensure_writable("--junit", junit)
    if not is_kept(junit):
        return
    try:
        with Path(junit).open("rb") as file:
            packed = is_packed(file.read(len(GZIP)))
        with gzip.open(junit) if packed else Path(junit).open("rb") as file:
            is_report = file.read().lstrip()[:1] in (b"", b"<")
    except (EOFError, gzip.BadGzipFile, zlib.error):
        is_report = False
    except OSError as error:
        raise _unwritten(junit, error) from None
    if not is_report:
        raise UsageFault(f"--junit {quoted(junit)} is not a report; it was left unchanged")


def write_report(path: str, outcomes: Sequence[CheckOutcome]) -> None:
    """Write the report of all that was run.

    Raises:
        UsageFault: it cannot be written.
    """
    from idsync_cli.files.whole_file import whole_file
    from idsync_cli.render.ci import junit
    from idsync_cli.render.plain_text import explained

    try:
        with whole_file(path) as file:
            file.write(junit(outcomes, explained))
    except OSError as error:
        raise _unwritten(path, error) from None


def _unwritten(junit: str, error: OSError) -> UsageFault:
    return UsageFault(f"--junit {quoted(junit)} cannot be written: {error.strerror}")
