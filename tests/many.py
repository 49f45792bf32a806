"""What is asked by the hundred: a share of it of the sources, all of it of the compiled copy."""

from collections.abc import Iterable
from typing import Any

import pytest


def many(values: Iterable[Any], share: int = 1) -> list[Any]:
    """The values of a parameter; those behind the first `share` are marked `many`.

    `scripts/test.sh` leaves them out on the sources, and asks all of the compiled copy, which
    answers several times as fast. Without a compiled copy the sources are asked all of them.
    """
    found = list(values)
    return [*found[:share], *(pytest.param(each, marks=pytest.mark.many) for each in found[share:])]
