"""Files that are written under another name, and renamed when they are complete."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from idsync_cli.store.sqlite.files.leftovers import is_over

_SUFFIXES = ("", "-wal", "-shm", "-journal")
_LAST = {f"new{suffix}" for suffix in _SUFFIXES}  # what the names of drafts end in


@contextmanager
def draft_of(path: Path) -> Iterator[Path]:
    """A new file beside `path`; it is removed at the end of the block unless it was renamed.

    The drafts that killed processes left are removed first.
    """
    prefix = f".{path.name}."
    with suppress(PermissionError):  # of a folder that may be written and not read
        for left in path.parent.iterdir():
            number, _, rest = left.name.removeprefix(prefix).partition(".")
            if left.name.startswith(prefix) and rest in _LAST and is_over(number):
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
        for suffix in _SUFFIXES:
            draft.with_name(draft.name + suffix).unlink(missing_ok=True)


def put_in_place(draft: Path, path: Path) -> None:
    """Rename a draft, in the place of what is there, and sync both it and its folder to the disk.

    Raises:
        OSError: it cannot be renamed.
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
