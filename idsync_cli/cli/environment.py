"""The environment of a command: its streams, its files, the clock and randomness.

The streams serve `idsync --help`, too. What only a command at work needs is imported where it is
used: the store and the files would more than double the time that the help takes.
"""

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from shutil import get_terminal_size
from typing import TYPE_CHECKING, Any, TextIO

from idsync_cli.cli import colour
from idsync_cli.errors import (
    FaultCode,
    Hint,
    OutputClosed,
    StoreFault,
    Terminated,
    UsageFault,
    nearest,
    printable,
    quoted,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.console import RenderableType

    from idsync_cli.core.config.rules import Organization
    from idsync_cli.files.config_file import Configuration
    from idsync_cli.render.theme import Line
    from idsync_cli.store.sqlite import SqliteStore, SqliteTransaction


_LONGEST_SEED = 4000  # Python reads few more digits, and 40 are more than can be guessed

_NARROWEST = 40
"""How many columns a table gets even where the terminal has fewer: it could show nothing else."""


def now_ms() -> int:
    """The time in milliseconds since 1970, UTC."""
    return time.time_ns() // 1_000_000


def new_seed() -> int:
    """128 random bits: MPIDs follow from the seed, and must not be guessed (section 7)."""
    return int.from_bytes(os.urandom(16))


def parse_seed(text: str | None) -> int | None:
    """Read `--seed`.

    Raises:
        UsageFault: it is not an integer.
    """
    if text is None:
        return None
    digits = text.removeprefix("-")
    if len(digits) > _LONGEST_SEED:
        raise UsageFault(f"--seed has {len(digits):,} digits; the limit is {_LONGEST_SEED:,}")
    if not (digits.isascii() and digits.isdigit()):
        raise UsageFault(f"--seed {quoted(text)} is not an integer; give digits, such as --seed 42")
    return int(text)


_BEGINNINGS = {"idsync:": "failed", "note:": "note", "dry run:": "note"}
"""What a message may begin with, and the style of that."""


def say(message: str, *, begins: str = "") -> None:
    """Send a message to the user, on standard error; if nobody can read it, the work continues.

    What it `begins` with looks like a failure, if it does.
    """
    looks = {begins: "failed"} if begins else _BEGINNINGS
    for line in message.split("\n"):
        begins = next(filter(line.startswith, looks), "")
        if not (colour.is_wanted(sys.stderr) or sys.stderr.isatty()):
            _talk(printable(line))
            continue
        from idsync_cli.render.theme import Look

        rest = printable(line.removeprefix(begins))
        say_line([(begins, Look(looks.get(begins, "plain"))), rest])


def say_line(line: "Line", *, indent: int = 2) -> None:
    """Write a message of printable parts: on a terminal as wide as that, in a pipe as one line."""
    if sys.stderr.isatty():
        from idsync_cli.render.breaking import broken
        from idsync_cli.render.theme import text

        for shown in drawn(broken(text(*line), terminal_width(), indent), to_stderr=True):
            _talk(shown)
        return
    from idsync_cli.render.theme import words

    _talk(colour.painted(line) if colour.is_wanted(sys.stderr) else words(line))


def _talk(line: str) -> None:
    with suppress(OSError):
        sys.stderr.write(line + "\n")
        sys.stderr.flush()


def write(text: str, *, to_stderr: bool = False) -> None:
    """Write data, on standard output unless it is busy with other data.

    Raises:
        OutputClosed: its reader has gone.
        StoreFault: it cannot be written.
    """
    try:
        stream = sys.stderr if to_stderr else sys.stdout
        stream.write(text + "\n")
        stream.flush()
    except BrokenPipeError:
        raise OutputClosed from None
    except OSError as error:
        raise StoreFault(
            f"standard output cannot be written: {error.strerror}", FaultCode.OUTPUT_UNWRITABLE
        ) from None


@contextmanager
def told_if_interrupted(what: str) -> Iterator[None]:
    """Where somebody ends the command, say what of its work was done."""
    try:
        yield
    except (KeyboardInterrupt, Terminated) as end:
        how = "interrupted" if isinstance(end, KeyboardInterrupt) else "terminated"
        if isinstance(end, Terminated):
            end.is_told = True
        say(f"idsync: {how}; {what}")
        raise


def write_lines(lines: "Iterable[Line]") -> None:
    """Write lines of parts: on a terminal broken at its width, in a pipe each as one line.

    This takes Rich only where a line has no room.
    """
    from idsync_cli.render.theme import words

    told = list(lines)
    if sys.stdout.isatty() and not all(map(_has_room, map(words, told))):
        from idsync_cli.render.breaking import broken
        from idsync_cli.render.theme import text

        draw(*[broken(text(*line), terminal_width(), indent=2) for line in told])
        return
    shown = colour.painted if colour.is_wanted(sys.stdout) else words
    write("\n".join(map(shown, told)))


def _has_room(line: str) -> bool:
    """Whether a line fits the terminal for sure; some characters take two columns."""
    return len(line) * (1 if line.isascii() else 2) <= terminal_width()


def write_utf8(text: str) -> None:
    """Write lines on standard output as UTF-8, whatever the terminal's own encoding is.

    Raises:
        OutputClosed: its reader has gone.
        StoreFault: it cannot be written.
    """
    try:
        sys.stdout.flush()
        sys.stdout.buffer.write((text + "\n").encode("utf-8"))
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        raise OutputClosed from None
    except OSError as error:
        raise StoreFault(
            f"standard output cannot be written: {error.strerror}", FaultCode.OUTPUT_UNWRITABLE
        ) from None


def write_json(value: Any, *, to_stderr: bool = False) -> None:
    """Write one JSON value in ASCII, so that nothing in it can act on a terminal."""
    import json

    write(json.dumps(value), to_stderr=to_stderr)


def draw(*pieces: "RenderableType | str", to_stderr: bool = False) -> None:
    """Write tables and text: as wide as the terminal, plain in a pipe or with NO_COLOR."""
    write("\n".join(drawn(*pieces, to_stderr=to_stderr)), to_stderr=to_stderr)


def drawn(*pieces: "RenderableType | str", to_stderr: bool = False) -> list[str]:
    """The lines of tables and text, with colour only where it is wanted."""
    from idsync_cli.render.paper import lines

    stream = sys.stderr if to_stderr else sys.stdout
    has_colour = colour.is_wanted(stream)
    shown = lines(pieces, max(_NARROWEST, terminal_width()), has_colour=has_colour)
    return shown if _draws_lines(stream) else [each.translate(_IN_ASCII) for each in shown]


# Whatever is shown of a value has none of these: `visible` makes escapes of them.
_IN_ASCII = str.maketrans(dict.fromkeys("█▉▊▋▌▍▎▏", "#") | {"▶": ">", "─": "-", "…": "~", "≠": "!"})


def _draws_lines(stream: TextIO) -> bool:
    """Whether a stream takes what tables are drawn with."""
    try:
        "▶█─…≠".encode(stream.encoding)
    except UnicodeEncodeError:
        return False
    return True


_WIDTH_IN_A_PIPE = 100


def width_of_excerpts(stream: TextIO) -> int:
    """How much of the line of a file is shown on a stream: in a pipe more than a table takes."""
    return terminal_width() if stream.isatty() else _WIDTH_IN_A_PIPE


def terminal_width() -> int:
    """How many columns a table may take: the terminal's, or 80 in a pipe; COLUMNS overrules."""
    return get_terminal_size().columns


def load_configuration(path: str, *, no_extensions: bool = False) -> "Configuration":
    """The configuration file, and what there is to say of it; guard rails may be passed over.

    Raises:
        FileFault: it is not there, or every fault of it.
    """
    if not path:
        raise UsageFault("the path of the configuration is empty; name a file with --config")
    if "\0" in path:
        raise UsageFault("the path of the configuration contains a NUL character; name a file")
    from idsync_cli.files.config_file import load

    loaded = load(Path(path))
    if no_extensions:
        return loaded.without_extensions()
    return loaded


def open_store(path: str, organization: "Organization", *, write: bool) -> "SqliteStore | None":
    """Open a store that is there; None where there is none.

    Says so where it has profiles of a scope that the configuration no longer names (section 3).
    """
    from idsync_cli.store import sqlite as store

    opened = store.open_store(path, write=write)
    if opened is not None:
        say_upgraded(opened, path)
        if write and opened.owes_erasures:
            say(
                f"note: the files of the store {printable(path)} still hold bytes of what was "
                "erased: another program is reading it; end that program; the next command that "
                "writes to the store then finishes the erasure"
            )
        with opened.reading() as transaction:
            unnamed = [name for name in transaction.scopes() if name not in organization.scopes]
        for name in unnamed:
            say(
                f"note: the store has profiles in the scope {quoted(name)}, which is no longer in "
                "the configuration; they are kept, but no request can reach them"
            )
    return opened


def say_upgraded(opened: "SqliteStore", path: str) -> None:
    """Say that a store of an earlier version was brought up to date as it was opened."""
    if opened.old_one_kept_as is not None:
        say(
            f"note: the store {printable(path)} was upgraded to this version of idsync; the "
            f"original is kept as {printable(str(opened.old_one_kept_as))}"
        )


def unfinished_erasure(path: str) -> StoreFault:
    """What is said where something was erased, and somebody keeps its bytes from being removed."""
    return StoreFault(
        "not finished: another program is reading the store, and until it ends, the files of the "
        "store still hold bytes of what was erased",
        FaultCode.ERASURE_UNFINISHED,
        hint=Hint.FINISH_LATER,
        store=path,
    )


def say_agreed(scope: str) -> None:
    """Say that the store had to be brought up to date for a scope (section 3)."""
    say(f"note: the login types of scope {quoted(scope)} have changed; the store was reindexed")


@contextmanager
def store_at_work(
    opened: "SqliteStore", path: str, seed: int | None, *, dry_run: bool
) -> Iterator["SqliteStore"]:
    """An open store of the right seed to work on; for a dry run, a copy that is thrown away."""
    from idsync_cli.store import sqlite as store

    with opened:
        check_seed(opened, path, seed)
        if dry_run:
            with store.copy_of(opened) as copy:
                yield copy
        else:
            yield opened


@contextmanager
def existing_store(path: str, organization: "Organization") -> Iterator["SqliteStore"]:
    """Open a store for looking into it.

    Raises:
        StoreFault: there is none.
    """
    opened = open_store(path, organization, write=False)
    if opened is None:
        raise StoreFault(
            f"there is no store at {printable(path)}",
            FaultCode.NO_STORE,
            hint=Hint.MAKE_STORE,
            store=path,
        )
    with opened:
        yield opened


def check_scope(
    scope: str | None, organization: "Organization", transaction: "SqliteTransaction"
) -> None:
    """Check that a scope that limits what is shown has rules, or at least profiles.

    Raises:
        UsageFault: nobody knows it.
    """
    known = {*organization.scopes, *transaction.scopes()}
    if scope is not None and scope not in known:
        hint = nearest(scope, known)
        hint = hint or f"; the scopes are: {', '.join(map(printable, sorted(known)))}"
        raise UsageFault(f"unknown scope {quoted(scope)}{hint}")


def check_seed(opened: "SqliteStore", path: str, seed: int | None) -> None:
    """Check that a store that is there has the seed that is asked for.

    Raises:
        UsageFault: it was created with another.
    """
    if seed is not None and opened.seed != seed:
        raise UsageFault(
            f"the store {printable(path)} was created with another seed; omit --seed, "
            "or name a new store"
        )
