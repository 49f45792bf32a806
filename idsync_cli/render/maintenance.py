"""What was done with a whole store, for people and for machines."""

from typing import Any

from idsync_cli.errors import number_of, printable
from idsync_cli.maintenance.copies import Backup, Restoration


def backup_lines(made: Backup) -> list[str]:
    """What was copied, to where, and how large it is."""
    store, file = printable(made.store), printable(made.file)
    return [f"backed up the store {store} to {file}, {made.bytes:,} bytes"]


def backup_json(made: Backup) -> dict[str, Any]:
    """What was copied, to where, and how large it is."""
    return {"store": made.store, "file": made.file, "bytes": made.bytes}


def restoration_lines(done: Restoration) -> list[str]:
    """What was put back, and where the old store is."""
    lines = [f"restored the store {printable(done.store)} from {printable(done.file)}"]
    if done.erased_again:
        count = number_of(done.erased_again, "profile")
        lines.append(f"erased {count} again that the old store had erased")
    if done.kept is not None:
        lines.append(f"kept the old store as {printable(done.kept)}")
    return lines


def restoration_json(done: Restoration) -> dict[str, Any]:
    """What was put back, and where the old store is."""
    return {
        "store": done.store,
        "file": done.file,
        "kept": done.kept,
        "erased_again": done.erased_again,
    }
