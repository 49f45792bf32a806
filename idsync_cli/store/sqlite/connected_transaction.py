"""A transaction of a SQLite store, as those see it who ask the store by SQL."""

import sqlite3
from abc import abstractmethod

from idsync_cli.store.api import Transaction


class ConnectedTransaction(Transaction):
    """A transaction in a connection; `as_of` is the request after which it sees the store.

    That is None where it sees the store as it is.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection
        self.as_of: int | None = None

    @abstractmethod
    def write(self) -> None:
        """Write all that was changed, and the sequence number reached, if it was advanced."""
