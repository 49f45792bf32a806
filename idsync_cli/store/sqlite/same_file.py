"""Whether the file of an open store is still the one that was opened."""

import sqlite3
from contextlib import suppress
from typing import Final

from idsync_cli.errors import FaultCode, Hint, Kept, StoreFault
from idsync_cli.store.sqlite.erasing import entries
from idsync_cli.store.sqlite.files.location import StoreLocation

_TABLES: Final = "PRAGMA schema_version"
_COMMITS_OF_OTHERS: Final = "PRAGMA data_version"


class SameFile:
    """What is known of the file that was opened; a temporary store has no location.

    `foreign_commits` is what `count_commits` gave when the transaction began, and `has_committed`
    says that this process has committed something.
    """

    def __init__(
        self,
        connection: sqlite3.Connection,
        cursor: sqlite3.Cursor,
        location: StoreLocation | None,
    ) -> None:
        self._connection: Final = connection
        self._cursor: Final = cursor
        self._location: Final = location
        self._tables = self._number(_TABLES)
        self._rewritings = entries.rewritings(connection)
        self.foreign_commits = self.count_commits()
        self.has_committed = False

    def count_commits(self) -> int:
        """How many commits of others SQLite has counted by now."""
        return self._number(_COMMITS_OF_OTHERS)

    def is_in_place(self) -> bool:
        """Whether the path still leads to the file."""
        return self._location is None or self._location.still_leads_to_it()

    def has_its_tables(self) -> bool:
        """Whether the tables are those that were opened, also if the file was rewritten since.

        Whoever rewrites it counts that, as SQLite does. Another store in its place counts otherwise
        (`backup.py`).
        """
        tables = self._number(_TABLES)
        if tables != self._tables:
            count = entries.rewritings(self._connection)
            if not 0 < tables - self._tables == count - self._rewritings:
                return False
            self._tables, self._rewritings = tables, count
        return True

    def check_unchanged(self) -> None:
        """Check that nothing has taken its place, and that nothing was restored into it.

        Raises:
            StoreFault: something was.
        """
        self.check_in_place()
        if not self.has_its_tables():
            raise StoreFault(
                f"the store {self._location} was restored, or its tables were changed, while it "
                "was in use; nothing was changed after that",
                FaultCode.STORE_REPLACED,
                hint=Hint.LOOK_AND_TRY_AGAIN,
                store=str(self._location),
            )

    def check_in_place(self) -> None:
        """Check that the path still leads to the file.

        Raises:
            StoreFault: it was removed or replaced; the transaction is rolled back.
        """
        if self.is_in_place():
            return
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")
        with suppress(sqlite3.Error):
            if self.count_commits() == self.foreign_commits:
                # The log belongs to the old file, and must never be replayed into the new one.
                self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        raise StoreFault(
            f"the store {self._location} was removed or replaced while it was in use",
            FaultCode.STORE_REPLACED,
            kept=Kept.ALL_IS_IN_OLD_FILE if self.has_committed else Kept.NOTHING_CHANGED,
            store=str(self._location),
        )

    def _number(self, pragma: str) -> int:
        return int(self._cursor.execute(pragma).fetchone()[0])
