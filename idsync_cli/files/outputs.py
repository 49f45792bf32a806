"""May a command write here? One rule, for every file that any command writes.

Never over a store, or what stands beside one; nor over an input, the configuration, or another
output of the same call, by whatever name. No option overrides that.
"""

import os
from collections.abc import Iterable
from pathlib import Path

from idsync_cli.errors import FaultCode, UsageFault, printable, quoted
from idsync_cli.files.request_file import STANDARD_STREAM
from idsync_cli.store.sqlite.lifecycle.beside import (
    Part,
    is_file,
    is_one_file,
    part_of,
    part_of_any,
)

_STANDARD_INPUT = "/dev/stdin"


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
        self._taken: list[tuple[str, Path]] = []
        if configuration is not None:
            self._take(f"the configuration {quoted(configuration)}", configuration)
        for each in inputs:
            if each == STANDARD_STREAM:
                self._take("standard input", _STANDARD_INPUT)
            else:
                self._take(f"the input {quoted(each)}", each)

    def check(self, named: str, path: str, *, may_replace_store: bool = False) -> None:
        """Check that a file may be written.

        `named` is what messages call it. With `may_replace_store` it may be a store of its own.

        Raises:
            UsageFault: it is no path, or the file has another use.
        """
        if not is_path(path):
            raise UsageFault(
                f"{named} {quoted(path)} is not a path; name a file", FaultCode.INVALID_PATH
            )
        use = self._use_of(_without_links(path), may_replace_store=may_replace_store)
        if use is not None:
            raise UsageFault(
                f"{named} {quoted(path)} is {use}; name another file",
                FaultCode.FILE_IN_USE,
                path=path,
            )
        self._take(f"the file that {named} {quoted(path)} writes", path)

    def _take(self, use: str, path: str) -> None:
        if is_path(path):
            self._taken.append((use, _without_links(path)))

    def _use_of(self, path: Path, *, may_replace_store: bool) -> str | None:
        if self._store is not None:
            part = part_of(path, _without_links(self._store))
            if part is not None:
                return _named(part, self._store)
        for use, taken in self._taken:
            if is_one_file(path, taken) and (is_file(path) or not os.path.lexists(path)):
                return use  # devices and pipes hold nothing that could be destroyed
        found = part_of_any(path)
        if found is None or (may_replace_store and found[0] is Part.STORE):
            return None
        part, store = found
        return _named(part, store.name)


def is_path(text: str) -> bool:
    """Whether a text can be the path of a file."""
    return text != "" and "\0" not in text


def _without_links(path: str) -> Path:
    return Path(os.path.realpath(path))


def _named(part: Part, store: str) -> str:
    return f"{part} {printable(store)}"
