"""A pytest plugin for soaks: the tests' own seeds give other numbers each time, and it counts.

`-p tests.soak_seeds`, with IDSYNC_SALT naming the soak's seed and IDSYNC_TALLY the file to write
to.
All that a test draws by `random.Random(5)` then follows from the salt and the 5, and so is never
drawn twice, and drawn again under the same salt.
"""

import json
import os
import random
from collections import Counter
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

SALT = os.environ.get("IDSYNC_SALT", "")
TALLY = os.environ.get("IDSYNC_TALLY", "")

COUNTED: dict[str, dict[str, dict[str, int]]] = {
    "test_resume": {
        "test_killed_at_random_moments_and_resumed_it_is_as_if_it_ran_through": {
            "kills:KILLS": 1,
            "resumes:KILLS": 1,
        },
    },
    "test_faults_backup": {
        "test_backups_beside_writers_are_whole": {"backups under load:ROUNDS": 1},
        "test_a_killed_restore_leaves_one_state_or_the_other": {"kills:ROUNDS": 1},
    },
    "test_faults_several": {
        "test_eight_processes_that_meet_a_new_customer_make_one_profile": {
            "meetings of eight processes:ROUNDS": 1
        },
    },
    "test_upgrade": {
        "test_a_process_killed_at_it_leaves_the_old_store_or_the_new_one": {"kills:KILLS": 1},
    },
    "test_damage": {
        "test_every_bit_that_changes_anything_is_found": {"flipped bits:FLIPS": 1},
        "test_scribbled_bytes_are_found_and_nothing_is_written_over_them": {
            "scribbled files:SCRIBBLES": 1
        },
        "test_a_log_cut_anywhere_leaves_a_whole_prefix_of_the_history": {
            "log cuts:CUTS_OF_THE_LOG": 1
        },
    },
}
"""What a test that passed adds to the counts: `what:CONSTANT`, of the module, times a number."""

STORE_EXAMPLES, STORE_STEPS = 100, 25


class SaltedRandom(random.Random):
    """Chance that follows from a test's own seed and from the salt."""

    def __init__(self, seed: Any = None) -> None:
        super().__init__(None if seed is None else f"{SALT}:{seed}")


tally: Counter[str] = Counter()


def pytest_collection() -> None:
    """Before any module of tests is loaded."""
    if SALT:
        random.Random = SaltedRandom  # type: ignore[assignment,misc]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let Hypothesis try other stores than every day."""
    for module in {item.module for item in items if isinstance(item, pytest.Function)}:
        case = getattr(module, "TestStoreAgainstDictionary", None)
        if case is not None:
            case.settings = settings(
                max_examples=STORE_EXAMPLES,
                stateful_step_count=STORE_STEPS,
                derandomize=False,
                database=None,
                deadline=None,
            )


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Add up what a test did."""
    if report.when != "call":
        return
    tally["fault tests"] += report.passed
    module = Path(report.location[0]).stem
    name = report.location[2].rpartition(".")[2].partition("[")[0]
    if report.passed and module == "test_store_stateful":
        tally["store sequences"] += STORE_EXAMPLES
    if report.passed and name in COUNTED.get(module, {}):
        count(module, name)


def count(module: str, name: str) -> None:
    """Add what the test has done according to the constants of its module."""
    for what, times in COUNTED[module][name].items():
        kind, _, constant = what.partition(":")
        tally[kind] += times * int(getattr(import_module(f"tests.{module}"), constant))


def pytest_sessionfinish() -> None:
    """Write the counts."""
    if TALLY:
        Path(TALLY).write_text(json.dumps(tally), encoding="utf-8")
