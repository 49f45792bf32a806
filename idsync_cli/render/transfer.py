"""What an import came to, for people and for machines."""

from typing import Any

from idsync_cli.errors import number_of
from idsync_cli.transfer.profile_import import Imported


def import_line(imported: Imported) -> str:
    """How many profiles were taken in, or would be."""
    did = "would import" if imported.dry_run else "imported"
    told = f"{did} {number_of(imported.profiles, 'profile')}"
    if not imported.never_found:
        return told
    never = "can never be found: no login ID where one was, or nothing in the priority"
    return f"{told}; {imported.never_found:,} of them {never}"


def import_json(imported: Imported) -> dict[str, Any]:
    """How many profiles were taken in, or would be."""
    never_found = {"never_found": imported.never_found} if imported.never_found else {}
    return {"profiles": imported.profiles, **never_found, "dry_run": imported.dry_run}
