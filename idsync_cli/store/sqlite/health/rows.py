"""Reading several tables side by side, even if they are damaged."""

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any

AnyRow = tuple[Any, ...]
"""A row as it was read, whatever is in it."""


def side_by_side(
    left: Iterable[AnyRow], *right: Iterable[AnyRow]
) -> Iterator[tuple[int, AnyRow | None, tuple[list[AnyRow], ...]]]:
    """Join queries that are sorted by their first column, on that column.

    Each result has the number, the row of `left` with it (None if there is none), and the rows of
    each of `right`. Only the rows of one number are in memory.
    """
    others = [iter(rows) for rows in right]
    heads = [next(rows, None) for rows in others]
    for row in chain(left, (None,)):
        key = None if row is None else row[0]
        for index, rows in enumerate(others):
            head = heads[index]
            while head is not None and (key is None or head[0] < key):
                strays: tuple[list[AnyRow], ...] = tuple([] for _ in others)
                strays[index].append(head)
                yield head[0], None, strays
                head = next(rows, None)
            heads[index] = head
        if row is None:
            return
        found: list[list[AnyRow]] = []
        for index, rows in enumerate(others):
            head, its_rows = heads[index], []
            while head is not None and head[0] == key:
                its_rows.append(head)
                head = next(rows, None)
            heads[index] = head
            found.append(its_rows)
        yield row[0], row, tuple(found)
