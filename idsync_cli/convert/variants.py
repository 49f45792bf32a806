"""Values that differ from an earlier one only in case or spaces: most likely the same, and missed.

All values of a file are put in order by what they have in common, so that any number of them takes
bounded memory.
"""

import json
from collections.abc import Iterator, Sequence
from hashlib import blake2b
from heapq import nsmallest
from itertools import groupby
from types import TracebackType
from typing import Self

from idsync_cli.convert.report import SHOWN, Variant
from idsync_cli.core.identity import TYPE_ORDER, Identifier, IdentityType
from idsync_cli.files.external_sort import ExternalSort

_KEY = 35  # two digits of the type, a space and the digest
_LINE = slice(36, 51)
_VALUE = 52
_TYPES = tuple(TYPE_ORDER)


class Variants:
    """Collects the identifiers of rows. Use it in a `with`."""

    def __init__(self) -> None:
        self._sort = ExternalSort()

    def __enter__(self) -> Self:
        self._sort.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._sort.__exit__(kind, error, trace)

    def add(self, line: int, identifiers: Sequence[Identifier]) -> None:
        """Take the identifiers of a row."""
        for each in identifiers:
            common = blake2b(_common(each.value).encode(), digest_size=16).hexdigest()
            value = json.dumps(each.value)
            self._sort.add(f"{each.order:02d} {common} {line:015d} {value}".encode("ascii"))

    def found(self) -> tuple[int, tuple[Variant, ...]]:
        """How many there are, each once, and the first of them by their lines."""
        counted = 0

        def counting() -> Iterator[Variant]:
            nonlocal counted
            for each in self._all():
                counted += 1
                yield each

        first = tuple(nsmallest(SHOWN, counting()))
        return counted, first

    def _all(self) -> Iterator[Variant]:
        for key, alike in groupby(self._sort.sorted(), lambda record: record[:_KEY]):
            kind = _TYPES[int(key[:2])]
            yield from _variants(kind, alike)


def _variants(kind: IdentityType, records: Iterator[bytes]) -> Iterator[Variant]:
    first_line, first = _read(next(records))
    seen = {first}
    for record in records:
        line, value = _read(record)
        if value not in seen:
            seen.add(value)
            yield Variant(line, kind, value, first_line, first)


def _read(record: bytes) -> tuple[int, str]:
    return int(record[_LINE]), json.loads(record[_VALUE:])


def _common(value: str) -> str:
    return "".join(value.split()).casefold()
