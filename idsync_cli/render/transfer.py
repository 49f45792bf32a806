"""What an import came to, for people and for machines."""

from typing import Any

from idsync_cli.errors import number_of
from idsync_cli.transfer.profile_import import Imported


def import_line(imported: Imported) -> str:
    """How many profiles were taken in, or would be, and how many values were left out."""
    did = "would import" if imported.dry_run else "imported"
    erasures = f" and {number_of(imported.erasures, 'erasure')}" if imported.erasures else ""
    blocked = ""
    if imported.blocked:
        blocked = f", without {number_of(imported.blocked, 'value')} that extensions block"
    return f"{did} {number_of(imported.profiles, 'profile')}{erasures}{blocked}"


def import_json(imported: Imported) -> dict[str, Any]:
    """The same, for machines."""
    return {
        "profiles": imported.profiles,
        "erasures": imported.erasures,
        "blocked": imported.blocked,
        "dry_run": imported.dry_run,
    }
