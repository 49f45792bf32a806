"""What a conversion came to, for people and for machines."""

from typing import TYPE_CHECKING

from idsync_cli import wire
from idsync_cli.convert.report import Converted
from idsync_cli.errors import number_of, printable, quoted
from idsync_cli.files.contents import Contents
from idsync_cli.render.breaking import broken
from idsync_cli.render.theme import Look, text

if TYPE_CHECKING:
    from rich.console import RenderableType

_RECORD_CALLS = (
    "open the network tab of the browser, load the page, sign in, and save all as HAR with content"
)


def summary_text(
    file: str, converted: Converted, map_it: str, width: int
) -> "list[RenderableType]":
    """What came of a file; `map_it` says how to map a column: its name, a type, its name again."""
    name = printable(file)
    total = f"{number_of(converted.written, 'request')} from {name}, which {converted.contents}"
    look = Look.FAILED if converted.exit_status else Look.HEADLINE
    unusable = f"{converted.unusable:,} not usable"
    pieces = [broken(text((total, Look.HEADLINE), ", ", (unusable, look)), width, indent=2)]
    if converted.passed_over:
        pieces.append(text(f"{number_of(converted.passed_over, 'other')} passed over"))
    if converted.contents is Contents.HAR and not converted.written + converted.unusable:
        told = text((name, Look.POSITION), f": no call of mParticle's web SDK; {_RECORD_CALLS}")
        pieces.append(broken(told, width, indent=2))
    for column, nearest in converted.unused_columns:
        told = text((f"{name}: ", Look.POSITION), f"the column {quoted(column)} is not used; ")
        way_out = map_it.format(printable(column), nearest or "TYPE", printable(column))
        pieces.append(broken(told.append(way_out), width, indent=2))
    for line, why, _ in converted.first_unusable:
        told = text((f"{name}:{line}", Look.POSITION), f": {printable(why)}")
        pieces.append(broken(told, width, indent=2))
    more = converted.unusable - sum(each.lines for each in converted.first_unusable)
    if more > 0:
        pieces.append(text(f"and {more:,} more not usable"))
    if converted.variants:
        differ = "differs" if converted.variants == 1 else "differ"
        what = f"{differ} from an earlier one only in case or spaces"
        told = text((number_of(converted.variants, "value"), Look.WARNING), f" {what}")
        pieces.append(broken(told, width, indent=2))
    for line, kind, value, first_line, first in converted.first_variants:
        told = text(
            (f"{name}:{line}", Look.POSITION),
            f": {kind} {quoted(value)}, but {quoted(first)} in line {first_line}",
        )
        pieces.append(broken(told, width, indent=2))
    more = converted.variants - len(converted.first_variants)
    if more > 0:
        pieces.append(text(f"and {number_of(more, 'more value')}"))
    if converted.line_ends:
        has = "has a line end in it" if converted.line_ends == 1 else "have line ends in them"
        what = f"{has}; look for a misplaced quotation mark"
        told = text((number_of(converted.line_ends, "value"), Look.WARNING), f" {what}")
        pieces.append(broken(told, width, indent=2))
    for line, kind, value in converted.first_line_ends:
        told = text((f"{name}:{line}", Look.POSITION), f": {kind} {quoted(value)}")
        pieces.append(broken(told, width, indent=2))
    more = converted.line_ends - len(converted.first_line_ends)
    if more > 0:
        pieces.append(text(f"and {number_of(more, 'more value')}"))
    return [*pieces]


def summary_json(converted: Converted) -> wire.Json:
    """What came of a file."""
    return {
        "contents": converted.contents.name.lower(),
        "requests": converted.written,
        "passed_over": converted.passed_over,
        "unusable": converted.unusable,
        "first_unusable": [each._asdict() for each in converted.first_unusable],
        "unused_columns": [each._asdict() for each in converted.unused_columns],
        "variants": converted.variants,
        "first_variants": [
            {**each._asdict(), "identity_type": each.identity_type.value}
            for each in converted.first_variants
        ],
        "line_ends": converted.line_ends,
        "first_line_ends": [
            {**each._asdict(), "identity_type": each.identity_type.value}
            for each in converted.first_line_ends
        ],
    }
