"""What the tests of faults share: days of requests, a replay that is fed line by line, and more."""

import json
import re
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from select import select
from typing import Any

from tests.program import Outcome, Program, ended

DEADLINE = 60
"""After how many seconds a process is taken to hang."""


def day(count: int) -> list[dict[str, Any]]:
    """Requests that make a profile each, and now and then find one again."""
    return [
        {
            "type": "identify",
            "known_identities": {
                "idfv": f"phone {number - number % 7 // 6}",
                "email": f"{number}@x",
            },
        }
        for number in range(count)
    ]


def text(requests: list[dict[str, Any]]) -> str:
    """The requests as the lines of a file."""
    return "".join(json.dumps(request) + "\n" for request in requests)


def export(idsync: Program, store: str = "idsync.db") -> str:
    """Every profile of a store, as the program gives them."""
    outcome = idsync("export", "--store", store)
    assert outcome.status == 0, outcome.stderr
    return outcome.stdout


def timeless(lines: bytes) -> bytes:
    """Lines but for the times of the clock, and the files that an erasure names."""
    lines = re.sub(rb'"files": \[[^]]*\]', b'"files": []', lines)
    of_the_clock = rb'"(?:time|time_ms|first_seen_ms|last_stored_ms)": (?:"[^"]*"|\d+)'
    return re.sub(of_the_clock, b'"time": 0', lines)


def history(idsync: Program, store: str = "idsync.db") -> list[tuple[object, ...]]:
    """Every change in the order made, but not when."""
    with closing(sqlite3.connect(idsync.folder / store)) as connection:
        rows = connection.execute(
            "SELECT seq, type, scope, op, mpid, identity_type, value, rule, decided_by FROM history"
        )
        return rows.fetchall()


def is_sound(path: Path) -> bool:
    """Whether SQLite finds nothing wrong with a store."""
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def names(folder: Path) -> set[str]:
    """The names of all files in a folder."""
    return {path.name for path in folder.iterdir()}


class FedReplay:
    """A replay that answers each line as soon as it has been given it."""

    def __init__(self, idsync: Program, *options: str) -> None:
        self._process = idsync.start(
            *("replay", "-", "--chunk-size", "1", "--output", "-", "--quiet"), *options
        )

    def ask(self, request: dict[str, Any]) -> Any:
        """Have a line answered; None where the replay has ended."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(text([request]).encode())
        self._process.stdin.flush()
        ready, _, _ = select([self._process.stdout], [], [], DEADLINE)
        assert ready, "it neither answers nor ends"
        answer = self._process.stdout.readline()
        return json.loads(answer) if answer else None

    def kill(self) -> None:
        """End it at once."""
        self._process.send_signal(signal.SIGKILL)
        self._process.communicate(timeout=DEADLINE)

    def end(self) -> Outcome:
        """What came of it once there are no more lines."""
        return ended(self._process)


@contextmanager
def fed_replay(idsync: Program, *options: str) -> Iterator[FedReplay]:
    """A replay that is killed if the test has not ended it."""
    replay = FedReplay(idsync, *options)
    try:
        yield replay
    finally:
        replay._process.kill()
        replay._process.communicate()


_BECOME_IDSYNC = """
os.execv(sys.executable, [sys.executable, "-m", "idsync_cli", *sys.argv[1:]])
"""
_WITHOUT_PRIVILEGES = """
import ctypes, os, sys
for capability in (1, 2) if os.geteuid() == 0 else ():  # to write and to read whatever is not ours
    ctypes.CDLL(None).prctl(24, capability, 0, 0, 0)
"""
_WITH_A_LIMIT = """
import os, resource, sys
os.environ["PYTHONDONTWRITEBYTECODE"] = "1"  # or half of what it compiles would be left to others
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv.pop(1)),) * 2)
"""


def unprivileged(idsync: Program, *arguments: str) -> Outcome:
    """Run it as somebody for whom permissions count, even where the tests are run by root."""
    return _prepared(idsync, _WITHOUT_PRIVILEGES, *arguments)


def limited(idsync: Program, size: int, *arguments: str) -> Outcome:
    """Run it where no file may grow beyond a size."""
    return _prepared(idsync, _WITH_A_LIMIT, str(size), *arguments)


def _prepared(idsync: Program, preparation: str, *arguments: str) -> Outcome:
    with subprocess.Popen(
        [sys.executable, "-c", preparation + _BECOME_IDSYNC, *arguments],
        cwd=idsync.folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        return ended(process)
