"""May a command write here? One rule, for every file that any command writes.

Never over a store, or a file that belongs to one; nor over an input, the configuration, or another
output of the same call, by whatever name. No option overrides that. An existing file, even an
empty one, is not overwritten unless the user says so; pipes and devices are not files, and neither
are the streams of the process under names such as /dev/stdout.

What is written under a name that ends with `.gz` is packed.
"""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO

from idsync_cli.errors import FaultCode, Hint, UsageFault, printable, quoted
from idsync_cli.files.source import STANDARD_STREAM
from idsync_cli.store.sqlite.lifecycle.beside import (
    StorePart,
    is_file,
    is_one_file,
    part_of,
    part_of_any,
)

_STANDARD_INPUT = "/dev/stdin"
_STANDARD_OUTPUT = 1
_STREAMS = ("/dev/stdout", "/dev/stderr", "/dev/fd/", "/proc/self/fd/")
"""Where the streams of a process stand among the files: whoever opened them has chosen."""


class Outputs:
    """The files of one call. What is to be written is checked, and counts as one from then on."""

    def __init__(
        self,
        *,
        store: str | None = None,
        configuration: str | None = None,
        inputs: Iterable[str] = (),
    ) -> None:
        self._store = store if store and is_path(store) else None
        self._in_use: list[tuple[str, Path]] = []
        if configuration is not None:
            self._reserve(f"the configuration {quoted(configuration)}", configuration)
        for each in inputs:
            if each == STANDARD_STREAM:
                self._reserve("standard input", _STANDARD_INPUT)
            else:
                self._reserve(f"the input {quoted(each)}", each)

    def check(
        self,
        named: str,
        path: str,
        *,
        may_replace_store: bool = False,
        must_be_new: bool = False,
    ) -> None:
        """Check that a file may be written.

        `named` is what messages call it. With `may_replace_store` it may be a store of its own.

        Raises:
            UsageFault: it is no path or a stream, has another use, or must be new and is not.
        """
        if not is_path(path):
            raise UsageFault(
                f"{named} {quoted(path)} is not a path; name a file", FaultCode.INVALID_PATH
            )
        if path == STANDARD_STREAM:
            raise UsageFault(
                f"{named} cannot go to standard output ('-'); name a file",
                FaultCode.INVALID_PATH,
            )
        use = self._use_of(_without_links(path), may_replace_store=may_replace_store)
        if use is not None:
            raise UsageFault(
                f"{named} {quoted(path)} is {use}; name another file",
                FaultCode.FILE_IN_USE,
                path=path,
            )
        if must_be_new and is_kept(path):
            raise file_exists(named, path)
        self._reserve(f"the file that {named} {quoted(path)} writes", path)

    def _reserve(self, use: str, path: str) -> None:
        if is_path(path):
            self._in_use.append((use, _without_links(path)))

    def _use_of(self, path: Path, *, may_replace_store: bool) -> str | None:
        if self._store is not None:
            part = part_of(path, _without_links(self._store))
            if part is not None:
                return _named(part, self._store)
        for use, used in self._in_use:
            if is_one_file(path, used) and (is_file(path) or not os.path.lexists(path)):
                return use  # devices and pipes hold nothing that could be destroyed
        found = part_of_any(path)
        if found is None or (may_replace_store and found[0] is StorePart.STORE):
            return None
        part, store = found
        return _named(part, store.name)


def is_kept(path: str) -> bool:
    """Whether there is a file that would be lost if the path were written to."""
    named = os.path.abspath(path)  # noqa: PTH100 - resolve() would follow the link to the stream
    return is_file(Path(path)) and not named.startswith(_STREAMS)


def is_standard_output(path: str) -> bool:
    """Whether what is written there goes to standard output, by whatever name.

    If so, whatever else a command has to say belongs on standard error.
    """
    if path == STANDARD_STREAM:
        return True
    try:
        there, stream = Path(path).stat(), os.fstat(_STANDARD_OUTPUT)
        is_dropped = os.path.samestat(stream, Path(os.devnull).stat())
    except (OSError, ValueError):
        return False
    return os.path.samestat(there, stream) and not is_dropped


def ensure_writable(named: str, path: str) -> None:
    """See whether a file can be written, before anything is done.

    Raises:
        UsageFault: it cannot.
    """
    target = Path(path)
    try:
        target.stat()
        is_there = True
    except (FileNotFoundError, NotADirectoryError):
        is_there = False
    except OSError as error:
        raise _unwritable(named, path, str(error.strerror)) from None
    if target.is_dir():
        cause = "it is a folder"
    elif not is_there and not target.parent.is_dir():
        cause = "its folder does not exist"
    elif not os.access(target if is_there else target.parent, os.W_OK):
        cause = "permission denied"
    else:
        return
    raise _unwritable(named, path, cause)


def _unwritable(named: str, path: str, cause: str) -> UsageFault:
    return UsageFault(
        f"{named} {quoted(path)} cannot be written: {cause}",
        FaultCode.OUTPUT_UNWRITABLE,
        path=path,
    )


def open_plain(named: str, path: str, *, must_be_new: bool) -> BinaryIO:
    """Open a file for writing from its beginning; one that must be new is never overwritten.

    What is written to it is packed by whoever writes it, if it is to be packed.

    Raises:
        UsageFault: it must be new, and someone has created it meanwhile.
        OSError: it cannot be opened.
    """
    target = Path(path)
    if not must_be_new or (target.exists() and not is_kept(path)):
        return target.open("wb")
    try:
        return _without_links(path).open("xb")
    except FileExistsError:
        raise file_exists(named, path) from None


def file_exists(named: str, path: str) -> UsageFault:
    """The error for an existing file that must not be overwritten."""
    return UsageFault(
        f"{named} {quoted(path)} already exists",
        FaultCode.FILE_EXISTS,
        hint=Hint.REPLACE_FILE,
        path=path,
    )


def is_path(text: str) -> bool:
    """Whether a text can be the path of a file."""
    return text != "" and "\0" not in text


def _without_links(path: str) -> Path:
    return Path(os.path.realpath(path))


def _named(part: StorePart, store: str) -> str:
    return f"{part} {printable(store)}"
