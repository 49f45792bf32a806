"""Removing every byte of what was erased from the files of a store."""

import sqlite3
from typing import TYPE_CHECKING, Final

from idsync_cli.errors import StoreFault
from idsync_cli.store.sqlite.erasing import entries
from idsync_cli.store.sqlite.files.faults import told
from idsync_cli.store.sqlite.files.leftovers import left_drafts
from idsync_cli.store.sqlite.files.location import StoreLocation
from idsync_cli.store.sqlite.same_file import SameFile

if TYPE_CHECKING:
    from idsync_cli.store.file_values import Evidence


class ErasedBytes:
    """What may be left of erased profiles in the files of an open store.

    The file is rewritten, once for all that was erased, and its log is cut off, which has to wait
    for those who read what was. Nothing is ever left of a temporary store, which has no location.
    """

    def __init__(
        self, connection: sqlite3.Connection, file: SameFile, location: StoreLocation | None
    ) -> None:
        self._connection: Final = connection
        self._file: Final = file
        self._location: Final = location

    @property
    def may_be_left(self) -> bool:
        """Whether bytes of what was erased may still be in the store's files."""
        return self._location is not None and entries.is_owed(self._connection)

    def remove(self) -> bool:
        """Remove them, and wait for those who read; whether that is done.

        Raises:
            StoreFault: the store cannot be used, or there is no room.
        """
        try:
            return self._remove(patiently=True)
        except sqlite3.Error as error:
            what, code, hint = told(error)
            raise StoreFault(
                f"what was erased is still in the files of the store {self._location}: {what}",
                code,
                hint=hint,
                store=str(self._location),
            ) from error

    def remove_at_once(self) -> bool:
        """Remove them as far as nobody has to be waited for; whether that is done.

        Raises:
            StoreFault: another process writes, for too long.
        """
        try:
            return self._remove(patiently=False)
        except sqlite3.Error:
            return False  # it stays owed, and what is to be written meets the same, or not

    def evidence(self) -> "Evidence":
        """What shows that none is left, once they are removed."""
        from idsync_cli.store.sqlite.erasing import rewriting

        assert self._location is not None
        return rewriting.evidence(self._connection, self._location.beside("-wal"))

    def _remove(self, *, patiently: bool) -> bool:
        if self._location is None or not self.may_be_left:
            return True
        from idsync_cli.store.sqlite.erasing import rewriting

        with self._location.lock.turn():
            self._file.check_unchanged()
            self._file.foreign_commits = self._file.count_commits()
            rewriting.rewrite(self._connection)
            self._file.has_its_tables()
            for draft in left_drafts(self._location.path):
                draft.unlink(missing_ok=True)
            return rewriting.empty_log(self._connection, patiently=patiently)
