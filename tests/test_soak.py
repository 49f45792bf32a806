"""The soak does and counts what it says; how long it may be run stands in scripts/soak.sh."""

import json
import random
from importlib import import_module
from pathlib import Path

import pytest

from scripts.soak import AGAIN_AND_AGAIN, BATCHES, Report, once
from tests import soak_seeds

TESTS = Path(__file__).resolve().parent


@pytest.mark.parametrize("task", AGAIN_AND_AGAIN)
def test_each_task_does_something_and_finds_nothing(task: str, tmp_path: Path) -> None:
    report = Report()
    once(task, "every day", tmp_path, report)
    assert report.findings == []
    assert sum(report.counts.values()) > 0
    assert list(tmp_path.iterdir()) == []


def test_what_is_wrong_is_kept_and_told_with_its_seed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def wrong(seed: str, folder: Path, report: Report) -> None:
        (folder / "trace").write_text(seed)
        raise ValueError("it went wrong")

    monkeypatch.setitem(AGAIN_AND_AGAIN, "worlds", wrong)
    report = Report()
    once("worlds", "5:0", tmp_path, report)
    [finding] = report.findings
    assert "it went wrong" in finding
    assert "soak.sh --again worlds 5:0" in finding
    assert (tmp_path / "worlds-5-0" / "trace").read_text() == "5:0"


def test_the_batches_and_the_counted_tests_are_there() -> None:
    for batch in BATCHES.values():
        for name in batch.tests:
            assert (TESTS / name).exists()
    for name, counted in soak_seeds.COUNTED.items():
        module = import_module(f"tests.{name}")
        for test, kinds in counted.items():
            assert callable(getattr(module, test))
            for what in kinds:
                assert isinstance(getattr(module, what.partition(":")[2]), int)


def test_salt_gives_other_numbers_and_the_same_ones_again(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = []
    for salt in ("1", "2", "1"):
        monkeypatch.setattr(soak_seeds, "SALT", salt)
        drawn.append(soak_seeds.SaltedRandom(5).random())
    assert drawn[0] == drawn[2] != drawn[1]
    assert drawn[0] != random.Random(5).random()
    assert json.dumps(soak_seeds.tally)
