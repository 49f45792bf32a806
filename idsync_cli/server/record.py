"""A file of requests with their answers, to be replayed: `--record` (sections 10 and 12)."""

import json
from pathlib import Path
from typing import Any, Final

from idsync_cli.core.decision import Answer, Refusal
from idsync_cli.files.contents import GZIP, is_packed
from idsync_cli.files.packed import is_to_be_packed, member


class Recorder:
    """Appends requests to a file, a line each, with what they were answered as `response`.

    Each is packed by itself if the file is packed, or is new and its name says so.

    Raises:
        OSError: the file cannot be opened for writing.
    """

    def __init__(self, path: str) -> None:
        self._is_packed: Final = _is_to_be_packed(Path(path))
        self._file: Final = Path(path).open("ab")  # noqa: SIM115 - see close

    def take(self, request: dict[str, Any], answer: Answer) -> None:
        """Write down a request and its answer.

        Raises:
            OSError: it cannot be written.
        """
        outcome = answer.outcome
        if isinstance(outcome, Refusal):
            response: dict[str, str | None] = {"error": outcome.code.value}
        else:
            response = {"mpid": None if answer.mpid is None else str(answer.mpid)}
        line = (json.dumps({**request, "response": response}) + "\n").encode("ascii")
        self._file.write(member(line) if self._is_packed else line)
        self._file.flush()

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def _is_to_be_packed(path: Path) -> bool:
    if path.is_file() and path.stat().st_size:
        with path.open("rb") as file:
            return is_packed(file.read(len(GZIP)))
    return is_to_be_packed(path.name)
