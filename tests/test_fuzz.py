"""What the fuzzer has found, and changed fixtures: what must hold of every input holds of these.

IDSYNC_INPUTS says how many are tried of each target. `sh scripts/fuzz.sh` lets a fuzzer that sees
what an input reaches search for more.
"""

import os
import resource
import sys
from itertools import islice

import pytest

from tests.input_properties import FOUND, TARGETS, hold, mutations, seeds, smallest

INPUTS = int(os.environ.get("IDSYNC_INPUTS", "250"))
FINDINGS = sorted(path for path in FOUND.rglob("*") if path.is_file())
MEGABYTE = 2**20 if sys.platform == "darwin" else 2**10


@pytest.mark.parametrize("path", FINDINGS, ids=lambda path: f"{path.parent.name}-{path.name}")
def test_what_was_found_is_found_no_more(path: object) -> None:
    found = FOUND / str(path)
    hold(found.parent.name, found.read_bytes())


@pytest.mark.parametrize("target", TARGETS)
def test_changed_fixtures_are_taken_or_refused(target: str) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for data in islice(mutations(target, "every day"), INPUTS):
        try:
            hold(target, data)
        except Exception as error:  # noqa: BLE001 - whatever it is, it must not be
            pytest.fail(f"{smallest(target, data)!r}: {type(error).__name__}: {error}")
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < 300 * MEGABYTE


@pytest.mark.parametrize("target", TARGETS)
def test_there_are_seeds_and_the_same_changes_every_time(target: str) -> None:
    assert len(seeds(target)) > 10
    first, second = (list(islice(mutations(target, "twice"), 20)) for _ in range(2))
    assert first == second
    assert len({*first}) > 15


def test_an_input_is_made_small(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_x(data: bytes) -> None:
        assert b"x" not in data

    monkeypatch.setitem(TARGETS, "requests", no_x)
    assert smallest("requests", b"abc" * 50 + b"x" + b"def" * 50) == b"x"
