"""The console blocks of a document: run them, compare them, and write what they really give.

    python tests/console_blocks.py README.md docs/tour.md            say where they are not true
    python tests/console_blocks.py --write README.md docs/tour.md    make them true

A block is fenced as ```console. A line `$ COMMAND` is given to a shell; lines `> ...` right behind
it belong to it, as a backslash at the end of a line or a here-document needs them. What
follows, up to the next `$ ` or the end of the block, is all that the command writes to standard
output and standard error, together and in order; empty lines at its end do not count. A line
`...` stands for any number of lines, for what cannot be the same every time; a store made with
`--seed` gives the same MPIDs, and needs none.

All blocks of a document run in order in one folder, made for it, with copies of sample_config.yaml
and fixtures/. A command starts in that folder, knows the exit status of the one before as `$?`, and
nothing else of it. A block fenced as ```yaml file=NAME, of whatever language, is a file: it is
written into the folder when its turn comes.

The installed `idsync` is on the PATH, the output is a pipe of 80 columns, and no variable of the
environment that changes what is shown is set.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).resolve().parent.parent

ANY_LINES = "..."
"""The line that stands for any number of lines."""

_FENCE = re.compile(r"(?P<indent> *)(?P<fence>`{3,})(?P<info>[^`]*)")


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block: what stands behind its fence, and its lines, the first of which is `line`."""

    info: str
    line: int
    lines: tuple[str, ...]

    @property
    def language(self) -> str:
        """The first word behind the fence."""
        return (self.info.split() or [""])[0]

    @property
    def file(self) -> str | None:
        """The file that the block is, if it is one."""
        named = (word.partition("=") for word in self.info.split()[1:])
        return next((value for key, _, value in named if key == "file"), None)


@dataclass(frozen=True, slots=True)
class Command:
    """A command of a console block and what it is said to write.

    `shown` has the lines of the command as the document has them.
    """

    line: int
    shown: tuple[str, ...]
    expected: tuple[str, ...]

    @property
    def text(self) -> str:
        """What the shell is given."""
        return "\n".join(line[2:] for line in self.shown)


@dataclass(frozen=True, slots=True)
class Difference:
    """A command that writes something else than the document says."""

    document: str
    command: Command
    found: tuple[str, ...]

    def __str__(self) -> str:
        return "\n".join(
            [
                f"{self.document}:{self.command.line}: {self.command.shown[0]}",
                *("--- the document says", *self.command.expected),
                *("--- the command writes", *self.found),
            ]
        )


def blocks(text: str) -> Iterator[Block]:
    """The fenced blocks of a document, in order.

    Raises:
        ValueError: one stands indented, in which nobody would look for commands, or has no end.
    """
    lines = iter(enumerate(text.split("\n"), start=1))
    for number, line in lines:
        opening = _FENCE.fullmatch(line)
        if opening is None:
            continue
        if opening["indent"]:
            raise ValueError(f"line {number}: begin a fenced block at the beginning of the line")
        inside = []
        for _, each in lines:
            if each.rstrip() == opening["fence"]:
                break
            inside.append(each)
        else:
            raise ValueError(f"line {number}: the fenced block has no end")
        yield Block(opening["info"].strip(), number + 1, tuple(inside))


def commands(block: Block) -> Iterator[Command]:
    """The commands of a console block.

    Raises:
        ValueError: the block begins with something else.
    """
    if not block.lines or not block.lines[0].startswith("$ "):
        raise ValueError(f"line {block.line}: a console block begins with `$ ` and a command")
    starts = [place for place, line in enumerate(block.lines) if line.startswith("$ ")]
    for start, end in zip(starts, [*starts[1:], len(block.lines)], strict=True):
        output = start + 1
        while output < end and block.lines[output].startswith("> "):
            output += 1
        yield Command(
            block.line + start,
            block.lines[start:output],
            without_empty_end(block.lines[output:end]),
        )


def without_empty_end(lines: Sequence[str]) -> tuple[str, ...]:
    """The lines up to the last that holds something."""
    kept = list(lines)
    while kept and not kept[-1]:
        kept.pop()
    return tuple(kept)


def agree(expected: Sequence[str], found: Sequence[str]) -> bool:
    """Whether output is as it is said to be, with `...` for any lines."""
    pattern = "".join(
        "(?:.*\n)*" if line == ANY_LINES else re.escape(line) + "\n" for line in expected
    )
    return re.fullmatch(pattern, "".join(f"{line}\n" for line in found)) is not None


class Folder:
    """Where the commands of one document run."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._status = 0
        shutil.copy(ROOT / "sample_config.yaml", path)
        left_out = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / "fixtures", path / "fixtures", ignore=left_out)

    def write(self, name: str, lines: Sequence[str]) -> None:
        """Put a file into the folder."""
        (self._path / name).write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")

    def run(self, command: str) -> tuple[str, ...]:
        """Run a command, and give the lines that it writes."""
        ended = subprocess.run(
            ["sh", "-c", f"(exit {self._status})\n{command}"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=self._path,
            env=_environment(self._path),
            timeout=120,
            check=False,
        )
        self._status = ended.returncode
        return without_empty_end(ended.stdout.decode("utf-8").split("\n"))


def _environment(home: Path) -> dict[str, str]:
    """Nothing but what a command needs: no NO_COLOR, no IDSYNC_STORE, no terminal."""
    programs = sysconfig.get_path("scripts")
    return {
        "PATH": os.pathsep.join([programs, os.environ.get("PATH", os.defpath)]),
        "HOME": str(home),
        "COLUMNS": "80",
        "PYTHONUTF8": "1",
    }


def differences(name: str, text: str) -> Iterator[Difference]:
    """Run the blocks of a document, and give every command that writes something else."""
    with TemporaryDirectory() as path:
        folder = Folder(Path(path))
        for block in blocks(text):
            if block.file is not None:
                folder.write(block.file, block.lines)
            if block.language != "console":
                continue
            for command in commands(block):
                found = folder.run(command.text)
                if not agree(command.expected, found):
                    yield Difference(name, command, found)


def rewritten(text: str, wrong: Sequence[Difference]) -> str:
    """The document with what its commands really write."""
    lines = text.split("\n")
    for difference in sorted(wrong, key=lambda each: each.command.line, reverse=True):
        command = difference.command
        start = command.line - 1 + len(command.shown)
        lines[start : start + len(command.expected)] = difference.found
    return "\n".join(lines)


def main() -> int:
    """Compare the documents that are named, or make them true."""
    parser = argparse.ArgumentParser(description="Run the console blocks of documents.")
    parser.add_argument("documents", nargs="+", type=Path, metavar="DOCUMENT")
    parser.add_argument("--write", action="store_true", help="put in what the commands really give")
    options = parser.parse_args()
    status = 0
    for document in options.documents:
        text = document.read_text(encoding="utf-8")
        wrong = list(differences(document.as_posix(), text))
        for difference in wrong:
            print(difference, end="\n\n")  # noqa: T201
        if wrong and options.write:
            document.write_text(rewritten(text, wrong), encoding="utf-8")
        elif wrong:
            status = 1
    return status


if __name__ == "__main__":
    sys.exit(main())
