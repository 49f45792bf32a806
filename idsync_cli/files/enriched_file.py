"""The file that takes enriched batches of a replay, and can be cut back to what was committed."""

import os
import re
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from idsync_cli.errors import FaultCode, StoreFault, UsageFault, printable, quoted
from idsync_cli.files.outputs import ensure_writable, is_kept, open_plain
from idsync_cli.files.packed import is_to_be_packed

_ITS_NUMBER = re.compile(rb'\{"seq": ([0-9]{1,19}), ')


class EnrichedFile:
    """The file that takes the batches, one per line, each behind its sequence number.

    `named` is what messages call it. A file that is `resumed` keeps what was committed, which the
    numbers show; what follows, and was written before a commit that never came, is cut off. Any
    other is new, or `may_replace` one.
    """

    def __init__(self, path: str, named: str, *, resumed: bool, may_replace: bool) -> None:
        self.path = path
        self._named = named
        self._shown = f"{named} {quoted(path)}"
        self._resumed = resumed
        self._may_replace = may_replace
        self._file: BinaryIO | None = None
        self._kept = 0

    def check(self) -> None:
        """See whether the file can be written, before anything is done.

        Raises:
            UsageFault: it cannot.
        """
        ensure_writable(self._named, self.path)
        if is_to_be_packed(self.path):
            raise UsageFault(
                f"{self._shown}: enriched batches are written as they come, and not "
                "compressed; name a file that does not end with .gz",
                FaultCode.OUTPUT_UNWRITABLE,
                path=self.path,
            )
        if Path(self.path).exists() and not is_kept(self.path):
            raise UsageFault(
                f"{self._shown} is not a regular file: what is written there could not be undone "
                "if a commit fails; name a file",
                FaultCode.OUTPUT_UNWRITABLE,
                path=self.path,
            )

    def write(self, data: bytes, last_seq: int) -> None:
        """Write lines, which are on the disk then; `last_seq` is the last that was committed.

        Lines that were written before and not `kept` are cut off.

        Raises:
            UsageFault: the file holds something else, or must not be written over.
            StoreFault: it cannot be written.
        """
        try:
            if self._file is None:
                self._file = self._open(last_seq)
                self._kept = self._file.tell()
            self._cut()
            self._file.write(data)
            self._file.flush()
            os.fsync(self._file.fileno())
        except OSError as error:
            raise StoreFault(
                f"enriched batches cannot be written to {printable(self.path)}: {error.strerror}",
                FaultCode.OUTPUT_UNWRITABLE,
                path=self.path,
            ) from None

    def keep(self) -> None:
        """Keep what was written: it was committed."""
        if self._file is not None:
            self._kept = self._file.tell()

    def close(self) -> None:
        """Close the file, if it was opened; what was not kept is cut off."""
        if self._file is not None:
            with suppress(OSError):  # what could not be written has been reported
                self._cut()
                self._file.close()

    def _cut(self) -> None:
        assert self._file is not None
        if self._file.tell() != self._kept:
            self._file.truncate(self._kept)
            self._file.seek(self._kept)

    def _open(self, last_seq: int) -> BinaryIO:
        if not (self._resumed and Path(self.path).exists()):
            return open_plain(self._named, self.path, must_be_new=not self._may_replace)
        end = self._end(last_seq)
        file = Path(self.path).open("r+b")  # noqa: SIM115 - it stays open for what follows
        file.truncate(end)
        file.seek(end)
        return file

    def _end(self, last_seq: int) -> int:
        """How long the file was when the last of its batches was committed."""
        end = 0
        with Path(self.path).open("rb") as file:
            for line in file:
                if not line.endswith(b"\n"):
                    break
                found = _ITS_NUMBER.match(line)
                if found is None:
                    raise UsageFault(
                        f"{self._shown} does not contain the enriched batches of "
                        "this replay; name the file that it was started with",
                        FaultCode.OUTPUT_CHANGED,
                        path=self.path,
                    )
                if int(found[1]) > last_seq:
                    break
                end += len(line)
        return end
