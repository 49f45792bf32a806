"""Where a store is: the path as given, the file that it leads to, and the lock beside it."""

import os
from pathlib import Path

from idsync_cli.errors import FaultCode, Hint, StoreFault, printable
from idsync_cli.store.sqlite.files.lock import Lock

LOG_SUFFIXES = ("-wal", "-journal")
"""How the names of SQLite's logs end; SQLite replays them when the store is next opened."""


class StoreLocation:
    """The location of a store. Files that belong to it are named after the file itself.

    Raises:
        StoreFault: no file can be there.
    """

    def __init__(self, given: str) -> None:
        if given == "":
            raise _no_path("the path of the store is empty")
        if given == ":memory:":
            raise _no_path(
                "a store in ':memory:' would be lost at once", Hint.NAME_STORE_OR_TRY_DRY
            )
        if given == "-":
            raise _no_path("a store cannot be standard input or output ('-')")
        if "\0" in given:
            raise _no_path("the path of the store contains a NUL character")
        self.given = Path(given)
        self._name = str(self.given)
        self.path = Path(os.path.realpath(given))  # a link may lead to it by another name
        self.lock = Lock(self.path)
        self._found: os.stat_result | None = None

    def __str__(self) -> str:
        return printable(str(self.given))

    def find(self) -> os.stat_result:
        """Look at the file, and remember it as the one that should be here.

        Raises:
            OSError: it cannot be looked at.
        """
        self._found = self.path.stat()
        return self._found

    def still_leads_to_it(self) -> bool:
        """Whether the path still leads to the file that `find` saw."""
        try:
            now = os.stat(self._name)  # noqa: PTH116 - a Path takes half as long again
        except OSError:
            return False
        found = self._found
        return found is not None and found.st_ino == now.st_ino and found.st_dev == now.st_dev

    def beside(self, suffix: str) -> Path:
        """The file beside the store whose name ends with the suffix."""
        return Path(f"{self.path}{suffix}")

    def logs(self) -> list[Path]:
        """Its logs that are not empty."""
        logs = map(self.beside, LOG_SUFFIXES)
        return [log for log in logs if log.exists() and log.stat().st_size > 0]


def _no_path(message: str, hint: Hint = Hint.NAME_STORE) -> StoreFault:
    return StoreFault(message, FaultCode.INVALID_PATH, hint=hint)
