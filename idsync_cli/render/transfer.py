"""What an import came to, for people and for machines."""

from typing import Any

from idsync_cli.transfer.profile_import import Imported


def import_line(imported: Imported) -> str:
    """How many profiles were taken in, or would be."""
    did = "would import" if imported.dry_run else "imported"
    return f"{did} {imported.profiles:,} profile{'' if imported.profiles == 1 else 's'}"


def import_json(imported: Imported) -> dict[str, Any]:
    """How many profiles were taken in, or would be."""
    return {"profiles": imported.profiles, "dry_run": imported.dry_run}
