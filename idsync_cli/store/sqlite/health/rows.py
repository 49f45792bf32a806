"""Rows of several tables side by side, in whatever state they are."""

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any

AnyRow = tuple[Any, ...]
"""A row as it was read, whatever is in it."""


def side_by_side(
    left: Iterable[AnyRow], *right: Iterable[AnyRow]
) -> Iterator[tuple[int, AnyRow | None, tuple[list[AnyRow], ...]]]:
    """The rows of queries by their first column, by which all are sorted: one of the left or none.

    Of those on the right, only the rows of one number are in memory.
    """
    others = [iter(rows) for rows in right]
    heads = [next(rows, None) for rows in others]
    for row in chain(left, (None,)):
        key = None if row is None else row[0]
        for place, rows in enumerate(others):
            head = heads[place]
            while head is not None and (key is None or head[0] < key):
                strays: tuple[list[AnyRow], ...] = tuple([] for _ in others)
                strays[place].append(head)
                yield head[0], None, strays
                head = next(rows, None)
            heads[place] = head
        if row is None:
            return
        found: list[list[AnyRow]] = []
        for place, rows in enumerate(others):
            head, its_rows = heads[place], []
            while head is not None and head[0] == key:
                its_rows.append(head)
                head = next(rows, None)
            heads[place] = head
            found.append(its_rows)
        yield row[0], row, tuple(found)
