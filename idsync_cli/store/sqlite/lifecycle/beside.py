"""The files that belong to a store, by their names: nothing else may ever be written there.

Two names count as the same if some file system treats them so, because they differ only in capitals
or in how an accent is encoded. While neither file exists, nobody can tell what this one does.
"""

import os
import re
import unicodedata
from collections.abc import Iterator
from contextlib import suppress
from enum import StrEnum
from pathlib import Path

from idsync_cli.store.sqlite.files.handles import reading
from idsync_cli.store.sqlite.files.lock import SUFFIX as LOCK_SUFFIX
from idsync_cli.store.sqlite.lifecycle.header import HEADER_BYTES, is_of_a_store

MIGRATED_SUFFIX = ".v{}-backup"
"""How the name of the backup made by a migration ends; the number is the old schema's."""

RESTORED_SUFFIX = ".before-restore"
"""How the name of the store that a restore replaced ends."""


class StorePart(StrEnum):
    """What a file is to a store, in words that precede the store's name."""

    STORE = "the store"
    LOG = "the log of the store"
    MEMORY = "the shared memory of the store"
    JOURNAL = "the journal of the store"
    LOCK = "the lock of the store"
    COPY = "a kept copy of the store"
    DRAFT = "a draft of the store"


_FILES = {
    "": StorePart.STORE,
    "-wal": StorePart.LOG,
    "-shm": StorePart.MEMORY,
    "-journal": StorePart.JOURNAL,
    LOCK_SUFFIX: StorePart.LOCK,
}
SUFFIXES = tuple(_FILES)
"""How the names of a store's files end, after the store's own name."""

_FILE = f"(?P<file>{'|'.join(filter(None, SUFFIXES))})?"
_COPY = f"(?P<copy>(?:(?:{re.escape(RESTORED_SUFFIX)}|\\.v[0-9]+-backup)(?:-[0-9]+)?)*)"
_TAIL = re.compile(_COPY + _FILE)
_DRAFT_TAIL = re.compile(r"\.[0-9]+\.new.*")


def part_of(path: Path, store: Path) -> StorePart | None:
    """What a file, which may not exist yet, is to a store; both paths have no links."""
    part = _part(path.name, store.name)
    if part is not None and is_one_file(path.parent, store.parent):
        tail = _folded(path.name).removeprefix(_folded(store.name))
        if part is StorePart.DRAFT or is_one_file(path, store.with_name(store.name + tail)):
            return part
    if not is_file(path):
        return None
    with suppress(OSError):
        for each in store.parent.iterdir():  # a file of the store may have other names elsewhere
            part = _part(each.name, store.name)
            if part is not None and is_one_file(path, each):
                return part
    return None


def part_of_any(path: Path) -> tuple[StorePart, Path] | None:
    """What a file is to a store in its folder, and to which one; it may be a store itself."""
    for name in _owners(path.name):
        store = path.with_name(name)
        if _is_store(store) and (part := part_of(path, store)):
            return part, store
    return (StorePart.STORE, path) if _is_store(path) else None


def is_one_file(first: Path, second: Path) -> bool:
    """Whether two paths lead to one file, or might once it is made."""
    try:
        return first.samefile(second)
    except (OSError, ValueError):
        if os.path.lexists(first) or os.path.lexists(second):
            return False
    return _folded(first.name) == _folded(second.name) and (
        first.parent == second.parent or is_one_file(first.parent, second.parent)
    )


def is_file(path: Path) -> bool:
    """Whether there is a regular file; no, if that cannot be seen."""
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def _folded(name: str) -> str:
    """A form that is the same for all names that some file system treats as equal."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", name).casefold())


def _part(name: str, store: str) -> StorePart | None:
    """What a file is to a store in the same folder, by their names alone."""
    name, store = _folded(name), _folded(store)
    if name.startswith(store) and (found := _TAIL.fullmatch(name, len(store))):
        return StorePart.COPY if found["copy"] else _FILES[found["file"] or ""]
    is_draft = name.startswith(f".{store}") and any(
        _TAIL.fullmatch(name, len(store) + 1, index) and _DRAFT_TAIL.fullmatch(name, index)
        for index, character in enumerate(name)
        if character == "." and index > len(store)
    )
    return StorePart.DRAFT if is_draft else None


def _owners(name: str) -> Iterator[str]:
    """The names of possible stores that a file of this name might belong to."""
    for index, character in enumerate(name):
        if index and character in ".-":
            if _TAIL.fullmatch(_folded(name[index:])):
                yield name[:index]
            if name.startswith(".") and _DRAFT_TAIL.fullmatch(_folded(name[index:])):
                yield name[1:index]
                yield from _owners(name[1:index])


def _is_store(path: Path) -> bool:
    if not is_file(path):
        return False
    try:
        with reading(path) as file:
            return is_of_a_store(file.read(HEADER_BYTES))
    except OSError:
        return False
