"""Whoever has a connection to a store: all that a query needs of a transaction."""

from sqlite3 import Connection
from typing import Protocol


class Connected(Protocol):
    """A transaction of a SQLite store, as queries see it."""

    @property
    def connection(self) -> Connection:
        """The connection in which the transaction is."""
