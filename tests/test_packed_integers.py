"""Integers gathered as bytes: as many, and the same, wherever they stand by now."""

import pytest

from idsync_cli.store.sqlite.rows.packed_integers import (
    PackedIntegers,
    pack_numbers,
    unpack_numbers,
)

ENDS = [0, 1, -1, 2**63 - 1, -(2**63)]


def test_numbers_come_back_as_they_were() -> None:
    assert unpack_numbers(pack_numbers(ENDS)) == tuple(ENDS)
    assert pack_numbers([]) == b""
    assert unpack_numbers(b"") == ()
    assert pack_numbers([1, -1]) == b"\1" + 7 * b"\0" + 8 * b"\xff"


@pytest.mark.parametrize("size", [0, 7, 4_095, 4_096, 4_103, 20_000])
def test_each_can_be_read_and_changed_wherever_it_stands(size: int) -> None:
    numbers = PackedIntegers()
    expected: list[int] = []
    for begin in range(0, size, 7):
        assert numbers.count == len(expected)
        row = [begin + place for place in range(7)]
        numbers.add(row)
        expected += row
    for place in (*range(0, len(expected), 1_000), len(expected) - 1):
        if expected:
            numbers.put(place, -place)
            expected[place] = -place
    assert [numbers.at(place) for place in range(len(expected))] == expected
    assert numbers.as_bytes() == pack_numbers(expected)
    numbers.add([5])
    assert numbers.at(len(expected)) == 5
    assert numbers.as_bytes() == pack_numbers([*expected, 5])
