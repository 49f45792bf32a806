"""What an import came to, for people and for machines."""

from typing import Any

from idsync_cli.errors import number_of
from idsync_cli.transfer.profile_import import Imported


def import_line(imported: Imported) -> str:
    """How many profiles were taken in, or would be."""
    did = "would import" if imported.dry_run else "imported"
    erasures = f" and {number_of(imported.erasures, 'erasure')}" if imported.erasures else ""
    told = f"{did} {number_of(imported.profiles, 'profile')}{erasures}"
    if not imported.never_found:
        return told
    never = "can never be found: no login ID where one was, or nothing in the priority"
    return f"{told}; {imported.never_found:,} of the profiles {never}"


def import_json(imported: Imported) -> dict[str, Any]:
    """How many profiles were taken in, or would be."""
    never_found = {"never_found": imported.never_found} if imported.never_found else {}
    return {
        "profiles": imported.profiles,
        "erasures": imported.erasures,
        **never_found,
        "dry_run": imported.dry_run,
    }
