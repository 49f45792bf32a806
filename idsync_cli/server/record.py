"""A file of requests with their answers, to be replayed: `--record` (sections 10 and 12)."""

import json
from pathlib import Path
from typing import Any, Final

from idsync_cli.core.decision import Answer, Refusal


class Recorder:
    """Appends requests to a file, a line each, with what they were answered as `response`.

    Raises:
        OSError: the file cannot be opened for writing.
    """

    def __init__(self, path: str) -> None:
        self._file: Final = Path(path).open("a", encoding="ascii")  # noqa: SIM115 - see close

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
        self._file.write(json.dumps({**request, "response": response}) + "\n")
        self._file.flush()

    def close(self) -> None:
        """Close the file."""
        self._file.close()
