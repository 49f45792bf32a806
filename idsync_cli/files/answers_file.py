"""The file that takes the answers of a replay, and can be cut back to what was committed."""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO

from idsync_cli import wire
from idsync_cli.core.decision import Answer
from idsync_cli.errors import StoreFault, UsageFault, printable, quoted


class AnswersFile:
    """The file that takes the answers, a line each."""

    def __init__(self, path: str, *, explain: bool) -> None:
        self._path = path
        self._explain = explain
        self._file: BinaryIO | None = None

    def check(self) -> None:
        """See whether the file can be written, before anything is done.

        Raises:
            UsageFault: it cannot.
        """
        path = Path(self._path)
        if path.is_dir():
            cause = "it is a folder"
        elif not path.exists() and not path.parent.is_dir():
            cause = "its folder is not there"
        elif not os.access(path if path.exists() else path.parent, os.W_OK):
            cause = "permission denied"
        else:
            return
        raise UsageFault(f"--output {quoted(self._path)} cannot be written: {cause}")

    def start(self, length: int) -> None:
        """Go on behind the first `length` bytes; whatever follows them is cut off.

        Raises:
            UsageFault: the file cannot be written, or is shorter.
        """
        if self._file is None:
            self._file = self._open(length)
        if self.can_be_cut:
            self._file.truncate(length)
            self._file.seek(length)

    @property
    def can_be_cut(self) -> bool:
        """Whether it is a file: what went to a pipe or a device cannot be taken back."""
        path = Path(self._path)
        return path.is_file() or not path.exists()

    def write(self, answers: Iterable[Answer]) -> int | None:
        """Write answers, and give the length of the file once they are on the disk.

        None where it is no file.

        Raises:
            StoreFault: they cannot be written.
        """
        assert self._file is not None
        lines = (wire.encode(wire.answer_json(each, explain=self._explain)) for each in answers)
        try:
            self._file.write("".join(f"{line}\n" for line in lines).encode("ascii"))
            self._file.flush()
            if not self.can_be_cut:
                return None
            os.fsync(self._file.fileno())
            return self._file.tell()
        except OSError as error:
            raise StoreFault(
                f"the answers cannot be written to {printable(self._path)}: {error.strerror}; "
                "what was committed before is whole, and --resume goes on behind it"
            ) from None

    def close(self) -> None:
        """Close the file, if it was opened."""
        if self._file is not None:
            self._file.close()

    def _open(self, length: int) -> BinaryIO:
        try:
            file = Path(self._path).open("r+b" if length else "wb")  # noqa: SIM115 - see close
            size = os.fstat(file.fileno()).st_size
        except (OSError, ValueError) as error:
            cause = getattr(error, "strerror", None) or error
            raise UsageFault(f"--output {quoted(self._path)} cannot be written: {cause}") from None
        if size < length:
            file.close()
            raise UsageFault(
                f"--output {quoted(self._path)} is shorter than the answers written so far; "
                "name the file that the replay began with"
            )
        return file
