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
    return f"{did} {', '.join(counts)}"


def import_json(imported: Imported) -> dict[str, Any]:
    """The same, for machines."""
    return {
        "profiles": imported.profiles,
        "records": imported.records,
        "erasures": imported.erasures,
        "blocked": imported.blocked,
        "dry_run": imported.dry_run,
    }
