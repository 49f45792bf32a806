"""Files that are made whole under another name before they get their own."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def draft_of(path: Path) -> Iterator[Path]:
    """A file, beside the one that it is to be, that is gone at the end unless it was renamed.

    The drafts of processes that were killed are cleared away first.
    """
    prefix = f".{path.name}."
    for left in path.parent.iterdir():
        number, _, rest = left.name.removeprefix(prefix).partition(".")
        if left.name.startswith(prefix) and rest.startswith("new") and is_over(number):
            left.unlink(missing_ok=True)
    draft = path.with_name(f"{prefix}{os.getpid()}.new")
    try:
        file = os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        try:
            os.fchmod(file, 0o600)  # a umask may have taken more away
        finally:
            os.close(file)
        yield draft
    finally:
        for suffix in ("", "-wal", "-shm", "-journal"):
            draft.with_name(draft.name + suffix).unlink(missing_ok=True)


def put_in_place(draft: Path, path: Path) -> None:
    """Give a draft its name, replacing whatever has it, and let both be on the disk.

    Raises:
        OSError: it cannot be.
    """
    file = os.open(draft, os.O_RDONLY)
    try:
        os.fsync(file)
    finally:
        os.close(file)
    draft.replace(path)
    with suppress(OSError):  # not every file system can
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def is_over(number: str) -> bool:
    """Whether a process has ended; this one has, where its number was another's before."""
    if not number.isdigit() or int(number) == os.getpid():
        return number.isdigit()
    try:
        os.kill(int(number), 0)
    except (ProcessLookupError, OverflowError):
        return True
    except PermissionError:
        return False
    return False
