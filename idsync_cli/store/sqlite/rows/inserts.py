"""Inserting many rows: one statement for hundreds of them costs a third less."""

import sqlite3
from collections.abc import Sequence
from typing import Final

_AT_ONCE: Final = 500
"""How many rows one statement inserts; more bring no gain."""


class Inserter:
    """Puts rows into the tables of one store."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._execute = connection.execute
        self._executemany = connection.executemany
        self._of_one: dict[str, str] = {}  # statements that insert one row, by the table
        self._most = connection.getlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER)

    def rows(self, table: str, width: int, rows: Sequence[tuple[object, ...]]) -> None:
        """Insert rows of so many values each, in the order given."""
        if not rows:
            return
        begin = 0
        if len(rows) >= _AT_ONCE and _AT_ONCE * width <= self._most:
            statement = _insert(table, width, _AT_ONCE)
            while begin + _AT_ONCE <= len(rows):
                values: list[object] = []
                for row in rows[begin : begin + _AT_ONCE]:
                    values.extend(row)
                self._execute(statement, values)
                begin += _AT_ONCE
        if begin < len(rows):
            one = self._of_one.get(table)
            if one is None:
                one = self._of_one[table] = _insert(table, width, 1)
            self.each(one, rows[begin:] if begin else rows)

    def each(self, statement: str, rows: Sequence[tuple[object, ...]]) -> None:
        """Execute a statement for each of some rows."""
        if len(rows) == 1:
            self._execute(statement, rows[0])  # half of what it costs as one of many
        elif rows:
            self._executemany(statement, rows)


def _insert(table: str, width: int, rows: int) -> str:
    row = f"({', '.join('?' * width)})"
    return f"INSERT INTO {table} VALUES {', '.join([row] * rows)}"
