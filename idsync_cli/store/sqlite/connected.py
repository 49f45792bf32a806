"""Whoever has a connection to a store: all that a query needs of a transaction."""

from sqlite3 import Connection
from typing import Protocol


class Connected(Protocol):
    """A transaction of a SQLite store, as queries see it."""

    @property
    def connection(self) -> Connection:
        """The connection in which the transaction is."""

    @property
    def as_of(self) -> int | None:
        """The request after which the store is seen as it was then; None if it is as it is."""
