"""A folder for all that is known of somebody: new, and for nobody but its owner to read."""

import os
from collections.abc import Iterable
from pathlib import Path

from idsync_cli.errors import FaultCode, StoreFault, UsageFault, quoted


def check_folder(named: str, folder: str) -> None:
    """See that a folder can be made, or is there and empty; `named` is what messages call it.

    Raises:
        UsageFault: it cannot, or there is something in it.
    """
    target = Path(folder)
    cause, writable = "", target.parent
    if target.is_dir():
        cause = "it is not empty" if any(target.iterdir()) else ""
        writable = target
    elif os.path.lexists(target):
        cause = "it is a file"
    elif not target.parent.is_dir():
        cause = "its folder does not exist"
    if not cause and not os.access(writable, os.W_OK):
        cause = "permission denied"
    if cause:
        raise UsageFault(
            f"{named} {quoted(folder)} cannot be used: {cause}; name a new folder",
            FaultCode.OUTPUT_UNWRITABLE,
            path=folder,
        )


def write_folder(named: str, folder: str, files: Iterable[tuple[str, Iterable[str]]]) -> None:
    """Make the folder, if there is none, and files in it, each of lines.

    Raises:
        StoreFault: they cannot be written.
    """
    target = Path(folder)
    try:
        target.mkdir(mode=0o700, exist_ok=True)
        for name, lines in files:
            number = os.open(target / name, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
            with os.fdopen(number, "wb") as file:
                for line in lines:
                    file.write(f"{line}\n".encode())
    except OSError as error:
        raise StoreFault(
            f"{named} {quoted(folder)} cannot be written: {error.strerror}",
            FaultCode.OUTPUT_UNWRITABLE,
            path=folder,
        ) from None
