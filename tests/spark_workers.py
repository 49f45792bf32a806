"""The daemon of PySpark, whose children run tasks, for tests: they let things happen in a task.

A test makes a file of such a name in the folder FOLDER: `KILL`, and the next task that has answered
some lines is killed, once; `SHORT`, and MPIDs have 12 bits as long as the file is there.
"""

import os
import signal
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from idsync_cli.core import identity
from idsync_cli.core.identity import mpid_of
from idsync_cli.core.resolve import resolution
from idsync_cli.spark import task, ties
from idsync_cli.spark.rows import Answered, TaskRow

FOLDER: Final = "TESTS_OF_SPARK"
KILL: Final = "kill"
SHORT: Final = "short"
_ANSWERED: Final = 10
USERS_OF_MPIDS: Final = (identity, resolution, ties)

_run = task.run


def short_mpid(seed: int, seq: int, attempt: int) -> int:
    """An MPID of 12 bits: many are taken."""
    return mpid_of(seed, seq, attempt) >> 52


def _mpid_of(seed: int, seq: int, attempt: int) -> int:
    is_short = os.path.exists(os.path.join(os.environ[FOLDER], SHORT))  # noqa: PTH110,PTH118 - often
    return (short_mpid if is_short else mpid_of)(seed, seq, attempt)


def _run_or_die(work: task.TaskWork, rows: Iterable[TaskRow]) -> Iterator[Answered | TaskRow]:
    answered = 0
    for row in _run(work, rows):
        answered += isinstance(row, Answered)
        if answered == _ANSWERED:
            try:
                (Path(os.environ[FOLDER]) / KILL).unlink()
            except FileNotFoundError:
                pass
            else:
                os.kill(os.getpid(), signal.SIGKILL)
        yield row


if __name__ == "__main__":
    from pyspark import daemon

    task.run = _run_or_die
    for module in USERS_OF_MPIDS:
        module.mpid_of = _mpid_of  # type: ignore[attr-defined]
    daemon.manager()
