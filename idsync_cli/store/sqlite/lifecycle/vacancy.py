"""May a store be made at a path? Nothing may be there, and nothing of another store."""

import os

from idsync_cli.errors import FaultCode, StoreFault, UsageFault, printable
from idsync_cli.store.sqlite.files.location import StoreLocation
from idsync_cli.store.sqlite.lifecycle.beside import StorePart, part_of_any


def is_free(location: StoreLocation) -> bool:
    """Whether nothing is at the path of a store. The caller has the turn, so it stays so.

    Raises:
        StoreFault: the log of another store lies there.
    """
    if os.path.lexists(location.path):
        return False  # someone else has just created it
    for log in location.logs():
        raise StoreFault(
            f"no store can be created at {location}: {printable(log.name)} beside it is the log of "
            "a deleted store and would be replayed into it; restore that store, or remove the log",
            FaultCode.FILE_IN_USE,
            store=str(location),
        )
    return True


def check_name(location: StoreLocation) -> None:
    """Check that the path of a new store is not that of a file that belongs to another store.

    Raises:
        UsageFault: it may not.
    """
    if os.path.lexists(location.path):
        return
    found = part_of_any(location.path)
    # Another process may have made the store itself since a moment ago.
    if found is not None and found[0] not in (StorePart.COPY, StorePart.STORE):
        raise UsageFault(
            f"no store can be created at {location}: it is {found[0]} {printable(found[1].name)}; "
            "name another file",
            FaultCode.FILE_IN_USE,
            store=str(location),
        )


def no_folder(location: StoreLocation) -> StoreFault:
    """The fault if the folder of a new store does not exist."""
    return StoreFault(
        f"no store can be created at {location}: its folder does not exist",
        FaultCode.STORE_UNWRITABLE,
        store=str(location),
    )


def cannot_be_made(location: StoreLocation, error: Exception) -> StoreFault:
    """The fault if the system or SQLite cannot make a store."""
    cause = error.strerror if isinstance(error, OSError) else error
    return StoreFault(
        f"no store can be created at {location}: {cause}",
        FaultCode.STORE_UNWRITABLE,
        store=str(location),
    )
