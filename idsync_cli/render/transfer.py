"""What an import came to, for people and for machines."""

from typing import Any

from idsync_cli.errors import number_of
from idsync_cli.transfer.profile_export import Exported
from idsync_cli.transfer.profile_import import Imported


def export_line(exported: Exported) -> str:
    """How much was written into a file."""
    told = f"exported {number_of(exported.profiles, 'profile')}"
    if exported.records:
        told += f", {number_of(exported.records, 'line')} of their data and of erasures"
    return told


def import_line(imported: Imported) -> str:
    """How many profiles were taken in, or would be, and how many values were left out."""
    did = "would import" if imported.dry_run else "imported"
    counts = [number_of(imported.profiles, "profile")]
    if imported.records:
        counts.append(number_of(imported.records, "record") + " of their data")
    if imported.erasures:
        counts.append(number_of(imported.erasures, "erasure"))
    if imported.blocked:
        counts.append(f"without {number_of(imported.blocked, 'value')} that extensions block")
    told = f"{did} {', '.join(counts)}"
    if imported.never_found:
        never = "can never be found, for lack of a login ID or of an identifier in the priority"
        told += f"; {imported.never_found:,} of the profiles {never}"
    if imported.line_ends:
        has = "has a line end in it" if imported.line_ends == 1 else "have line ends in them"
        first = f"the first in line {imported.first_line_end}"
        told += f"; {number_of(imported.line_ends, 'value')} {has}, {first}"
    return told


def import_json(imported: Imported) -> dict[str, Any]:
    """The same, for machines."""
    never_found = {"never_found": imported.never_found} if imported.never_found else {}
    line_ends = (
        {"line_ends": imported.line_ends, "first_line_end": imported.first_line_end}
        if imported.line_ends
        else {}
    )
    return {
        "profiles": imported.profiles,
        "records": imported.records,
        "erasures": imported.erasures,
        "blocked": imported.blocked,
        **never_found,
        **line_ends,
        "dry_run": imported.dry_run,
    }
