"""What the tests on Spark share: when they are left out, one session, and what to compare with."""

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.program import Program
from tests.spark_workers import FOLDER

MISSING = None
try:
    import pyspark  # noqa: F401 - whether it is there
except ImportError:
    MISSING = "PySpark is not installed: sh scripts/test.sh spark installs it"
else:
    if shutil.which("java") is None:
        MISSING = "there is no Java: apt-get install openjdk-17-jre-headless"

MARKS = [
    pytest.mark.skipif(MISSING is not None, reason=str(MISSING)),
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning"),
]


@pytest.fixture(scope="session", name="spark")
def spark_session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A session on two cores, in which a task is tried three times."""
    os.environ |= {
        "PYSPARK_PYTHON": sys.executable,
        "SPARK_LOCAL_IP": "127.0.0.1",
    }
    if FOLDER not in os.environ:  # each module has a fixture, and all of them one session
        os.environ[FOLDER] = str(tmp_path_factory.mktemp("workers"))
    from pyspark.sql import SparkSession

    options = {
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.sql.shuffle.partitions": "3",
        "spark.default.parallelism": "2",
        "spark.sql.files.maxPartitionBytes": "200k",  # a file is in several pieces
        "spark.python.daemon.module": "tests.spark_workers",
    }
    session = SparkSession.builder.master("local[2,3]").config(map=options).getOrCreate()
    session.sparkContext.setLogLevel("ERROR")
    yield session
    session.stop()


def let(name: str) -> Path:
    """Let something happen in the processes of tasks (`spark_workers`); gives the file for it."""
    path = Path(os.environ[FOLDER]) / name
    path.touch()
    return path


def replayed(idsync: Program, *files: str, seed: str = "7", store: str = "serial.db") -> str:
    """The answers of a replay."""
    outcome = idsync("replay", *files, "--seed", seed, "--store", store, "--output", "-", "--quiet")
    assert outcome.status in (0, 1), outcome
    return outcome.stdout


def parts(folder: Path) -> str:
    """The part files of a folder, in the order of their names."""
    return "".join(path.read_text() for path in sorted(folder.glob("part-*")))


def without_times(lines: str) -> str:
    """An export, but for times that were the clock's."""
    return "\n".join(line for line in lines.splitlines() if '"record": "times"' not in line)
