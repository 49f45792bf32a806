"""Running the whole program, as its users do: arguments in; output, errors and exit status out.

`Program` runs it in this process, which takes milliseconds, or as a process of its own, for what
only a process shows: signals, closed pipes, arguments that are no text, several at once.
"""

import gc
import io
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import blake2b
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, BinaryIO

import pytest
import typer.main

from idsync_cli.cli.app import app, run

CONFIG = """\
version: 1
organization: example-org
scopes:
  consumers:
    strategy: profile_conversion
    priority: [customer_id, email, ios_idfv, device_application_stamp]
    identities:
      customer_id: {login: true, unique: true}
accounts:
  main:
    workspaces: {app: consumers, web: consumers}
"""
"""One scope, so that requests need not name it."""

TWO_SCOPES = """\
version: 1
scopes:
  consumers:
    strategy: profile_conversion
    priority: [customer_id, email, ios_idfv]
    identities: {customer_id: {login: true, unique: true}}
  couriers: {strategy: profile_isolation, priority: [customer_id, email, ios_idfv]}
accounts:
  main: {workspaces: {shop: consumers, courier-app: couriers}}
"""

SURROUNDINGS = (
    "IDSYNC_",
    "NO_COLOR",
    "FORCE_COLOR",
    "TTY_",
    "COLUMNS",
    "LINES",
    "PYTHONIOENCODING",
)
"""What a variable begins with that would change what the program does."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one run."""

    stdout: str
    stderr: str
    status: int

    def json(self) -> Any:
        """Standard output, which is one JSON value."""
        return json.loads(self.stdout)

    def lines(self) -> list[Any]:
        """Standard output, which is a JSON value a line."""
        return [json.loads(line) for line in self.stdout.splitlines()]

    def profiles(self) -> list[Any]:
        """The profiles of an export, without the records of what they have."""
        return [line for line in self.lines() if "record" not in line]


@dataclass(frozen=True, slots=True)
class Program:
    """The program in one folder, on a terminal so wide."""

    folder: Path
    columns: int = 80

    def __call__(
        self, *arguments: str, stdin: bytes = b"", environment: Mapping[str, str] | None = None
    ) -> Outcome:
        """Run it in this process."""
        stdout, stderr, commands = _captured(), _captured(), all_commands()
        with pytest.MonkeyPatch.context() as here:
            here.chdir(self.folder)
            for name in set(os.environ) - set(self._surroundings()):
                here.delenv(name)
            for name, value in self._surroundings(environment).items():
                here.setenv(name, value)
            here.setattr("typer.main.get_command", lambda _: commands)
            here.setattr(sys, "argv", ["idsync", *arguments])
            here.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin), encoding="utf-8"))
            here.setattr(sys, "stdout", stdout)
            here.setattr(sys, "stderr", stderr)
            try:
                status = run()
            finally:
                gc.enable()  # which a replay, whose process ends with it, leaves off
        return Outcome(_text(stdout), _text(stderr), status)

    def start(
        self,
        *arguments: str | bytes,
        environment: Mapping[str, str] | None = None,
        umask: int = -1,
        stdout: int | BinaryIO = subprocess.PIPE,
    ) -> subprocess.Popen[bytes]:
        """Start it as a process of its own, with pipes for its streams."""
        return subprocess.Popen(
            [sys.executable, "-m", "idsync_cli", *arguments],
            stdin=subprocess.PIPE,
            stdout=stdout,
            stderr=subprocess.PIPE,
            cwd=self.folder,
            env=self._surroundings(environment),
            umask=umask,
        )

    def process(
        self,
        *arguments: str | bytes,
        stdin: bytes = b"",
        environment: Mapping[str, str] | None = None,
        umask: int = -1,
    ) -> Outcome:
        """Run it as a process of its own."""
        with self.start(*arguments, environment=environment, umask=umask) as process:
            return ended(process, stdin)

    def make_store(self, name: str = "idsync.db") -> None:
        """Put an empty store with the seed 1 there: a copy, for to make one takes its time."""
        path = self.write(name, _empty_store())
        path.chmod(0o600)

    def replay(self, *lines: object, arguments: Sequence[str] = ()) -> Outcome:
        """Replay requests from standard input; the answers are standard output."""
        stdin = "".join(json.dumps(line) + "\n" for line in lines).encode()
        return self("replay", "-", "--output", "-", *arguments, stdin=stdin)

    def answers(self, *lines: object, arguments: Sequence[str] = ()) -> list[Any]:
        """The answers of requests that are replayed."""
        return self.replay(*lines, arguments=arguments).lines()

    def write(self, name: str, content: str | bytes) -> Path:
        """Write a file into the folder, with any folders on its way."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def files(self) -> dict[str, bytes | None]:
        """Every file of the folder with its bytes, and every folder in it with None.

        But not the lock of a store, which stays when the program has ended.
        """
        return {
            path.relative_to(self.folder).as_posix(): path.read_bytes() if path.is_file() else None
            for path in self.folder.rglob("*")
            if not path.name.endswith("-lock")
        }

    def _surroundings(self, more: Mapping[str, str] | None = None) -> dict[str, str]:
        kept = {
            name: each for name, each in os.environ.items() if not name.startswith(SURROUNDINGS)
        }
        return kept | {"COLUMNS": str(self.columns)} | dict(more or {})


@cache
def all_commands() -> Any:
    """All commands, built once for a process: to build them takes as long as many of them take."""
    return typer.main.get_command(app)


def mpid_of(seed: int, seq: int) -> str:
    """The MPID of the profile made by a request (section 7)."""
    digest = blake2b(f"{seed}:{seq}".encode(), digest_size=8).digest()
    return str(int.from_bytes(digest, "big", signed=True))


def assert_refused(outcome: Outcome, status: int, *words: str) -> None:
    """Refused with this exit status: nothing but an error message, which holds these words."""
    assert "Traceback" not in outcome.stderr
    assert "fault of idsync" not in outcome.stderr
    for word in words:
        assert word in outcome.stderr
    assert outcome.stderr.endswith("\n")
    assert (outcome.status, outcome.stdout) == (status, "")


def without_excerpts(lines: Iterable[str]) -> Iterator[str]:
    """What is said, without the lines of files that are shown and the carets below them."""
    return (line for line in lines if not re.match(r" *[0-9]* \| ", line))


def ended(process: subprocess.Popen[bytes], stdin: bytes = b"") -> Outcome:
    """What came of a process, once it has ended; one that hangs fails the test."""
    try:
        stdout, stderr = process.communicate(stdin, timeout=60)
    finally:
        process.kill()
    return Outcome((stdout or b"").decode(), stderr.decode(), process.returncode)


@cache
def _empty_store() -> bytes:
    with TemporaryDirectory() as folder:
        program = Program(Path(folder))
        program.write("idsync.yaml", CONFIG)
        assert program("init", "--seed", "1").status == 0
        return (program.folder / "idsync.db").read_bytes()


def _captured() -> io.TextIOWrapper:
    return io.TextIOWrapper(io.BytesIO(), encoding="utf-8")


def _text(stream: io.TextIOWrapper) -> str:
    stream.flush()
    assert isinstance(stream.buffer, io.BytesIO)
    return stream.buffer.getvalue().decode("utf-8")


@pytest.fixture(name="idsync")
def program_in_a_fresh_folder(tmp_path: Path) -> Program:
    """The program in a folder that holds nothing but a configuration with one scope."""
    program = Program(tmp_path)
    program.write("idsync.yaml", CONFIG)
    return program
