"""Make request lines of files that people have."""

from collections.abc import Iterator
from itertools import islice
from typing import Annotated

import typer

from idsync_cli.cli.environment import draw, terminal_width, told_if_interrupted, write_json
from idsync_cli.cli.options import Force, present_config, present_store
from idsync_cli.cli.output import check_output, writing_to
from idsync_cli.cli.progress import no_progress, progress
from idsync_cli.convert.columns import RowKind, said_of
from idsync_cli.convert.report import Converted
from idsync_cli.convert.run import Conversion, ConvertSource
from idsync_cli.files.foreign_text import ForeignText
from idsync_cli.files.outputs import is_standard_output
from idsync_cli.files.source import STANDARD_STREAM, open_source
from idsync_cli.files.whole_file import comes_whole

_LINES_AT_ONCE = 1000


def convert(
    file: Annotated[
        str,
        typer.Argument(metavar="FILE", help="CSV, JSON or HAR, compressed or not; - for stdin."),
    ],
    column: Annotated[
        list[str] | None,
        typer.Option(
            "--map",
            metavar="COLUMN=TYPE",
            help="The type of a column; COLUMN= ignores it. Repeatable.",
        ),
    ] = None,
    kind: Annotated[
        RowKind,
        typer.Option(
            "--type",
            metavar="TYPE",
            show_default=False,
            help="Type of requests that name none (default: identify).",
        ),
    ] = RowKind.IDENTIFY,
    output: Annotated[
        str,
        typer.Option("--output", metavar="FILE", help="The file to write (default: - for stdout)."),
    ] = STANDARD_STREAM,
    force: Force = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the summary as JSON.")] = False,
    quiet: Annotated[
        bool, typer.Option("--quiet", help="Print no progress and no summary.")
    ] = False,
) -> int:
    """Convert CSV, JSON or a browser's recording to requests.

    The format is recognized by the contents. Recorded MPIDs are kept as responses, for idsync
    replay --map-mpids. The exit status is 1 if anything in the file cannot be used.

    Example: idsync convert people.csv --map 'Customer ID=customer_id'
    """
    said = said_of(column or ())
    its_own = present_store(), present_config()
    is_streamed = not check_output(output, *its_own, force=force, inputs=[file])
    is_whole = not is_streamed and comes_whole(output)
    number = 0
    converted: Converted | None = None

    def what_is_done() -> str:
        if converted is not None:
            return "all of it was written, or nothing" if is_whole else "all of it was written"
        return "only a part was written" if number and not is_whole else "nothing was written"

    with told_if_interrupted(what_is_done), open_source(file, "file") as opened:
        text = ForeignText(opened)
        with (
            Conversion(ConvertSource(file, text, said, kind)) as conversion,
            writing_to(output, force=force) as give_out,
            (
                no_progress()
                if quiet
                else progress("requests", opened.size_of_file, beside_output=is_streamed)
            ) as advance,
        ):
            requests: Iterator[str] = conversion.requests()
            while lines := list(islice(requests, _LINES_AT_ONCE)):
                number += len(lines)
                give_out("\n".join(lines))
                advance(text.position, number)
            converted = conversion.report()
    if not quiet:
        _sum_up(file, converted, as_json=as_json, on_stderr=is_standard_output(output))
    return converted.exit_status


def _sum_up(file: str, converted: Converted, *, as_json: bool, on_stderr: bool) -> None:
    """The summary is data, unless standard output holds the requests."""
    from idsync_cli.render.convert import summary_json, summary_text

    if as_json:
        write_json(summary_json(converted), to_stderr=on_stderr)
    else:
        width = terminal_width(to_stderr=on_stderr)
        draw(*summary_text(file, converted, _MAP_IT, width), to_stderr=on_stderr)


_MAP_IT = "use --map '{}={}', or '{}=' to ignore it"
