"""What an import came to, for people and for machines."""

from typing import Any

from idsync_cli.errors import number_of
from idsync_cli.transfer.profile_import import Imported


def import_line(imported: Imported) -> str:
    """How many profiles were taken in, or would be, and how many values were left out."""
    did = "would import" if imported.dry_run else "imported"
    counts = [number_of(imported.profiles, "profile")]
    if imported.records:
        counts.append(number_of(imported.records, "record") + " of what they have")
    if imported.erasures:
        counts.append(number_of(imported.erasures, "erasure"))
    if imported.blocked:
        counts.append(f"without {number_of(imported.blocked, 'value')} that extensions block")
    told = f"{did} {', '.join(counts)}"
    if not imported.never_found:
        return told
    never = "can never be found: no login ID where one was, or nothing in the priority"
    return f"{told}; {imported.never_found:,} of the profiles {never}"


def import_json(imported: Imported) -> dict[str, Any]:
    """The same, for machines."""
    never_found = {"never_found": imported.never_found} if imported.never_found else {}
    return {
        "profiles": imported.profiles,
        "records": imported.records,
        "erasures": imported.erasures,
        "blocked": imported.blocked,
        **never_found,
        "dry_run": imported.dry_run,
    }
