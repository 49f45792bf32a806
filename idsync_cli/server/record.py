"""A file of requests with their answers, to be replayed: `--record` (sections 10 and 12)."""

import json
from hashlib import blake2b
from pathlib import Path
from typing import Any, Final

from idsync_cli.core.data.values import MAX_NAME_LENGTH
from idsync_cli.core.decision import Answer, Refusal
from idsync_cli.files.gzip_mark import GZIP, is_packed
from idsync_cli.files.packed import is_to_be_packed, member
from idsync_cli.wire.members import is_text


class Recorder:
    """Appends requests to a file, a line each, with what they were answered as `response`.

    Each is packed by itself if the file is packed, or is new and its name says so.

    Raises:
        OSError: the file cannot be opened for writing.
    """

    def __init__(self, path: str) -> None:
        self._is_packed: Final = _is_to_be_packed(Path(path))
        self._file: Final = Path(path).open("ab")  # noqa: SIM115 - see close

    def add(self, request: dict[str, Any], answer: Answer, *, from_app: bool = False) -> None:
        """Write down a request and its answer; of a batch, whether an application sent it.

        Raises:
            OSError: it cannot be written.
        """
        outcome = answer.outcome
        if isinstance(outcome, Refusal):
            response: dict[str, str | None] = {"error": outcome.code.value}
        else:
            response = {"mpid": None if answer.mpid is None else str(answer.mpid)}
        if from_app:
            request = _with_an_id_of_its_own(request)
        line = (json.dumps({**request, "response": response}) + "\n").encode("ascii")
        self._file.write(member(line) if self._is_packed else line)
        self._file.flush()

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def _with_an_id_of_its_own(batch: dict[str, Any]) -> dict[str, Any]:
    """A batch that an application sent, with an ID that no server sends.

    The IDs of applications are counted apart from all others (section 9), and a line does not say
    who sent it.
    """
    its_id = batch.get("source_request_id")
    if not its_id or not is_text(its_id) or len(its_id) > MAX_NAME_LENGTH:
        return batch  # it has none, or is refused for it
    digest = blake2b(its_id.encode(), digest_size=16).hexdigest()
    return {**batch, "source_request_id": f"app-{digest}"}


def _is_to_be_packed(path: Path) -> bool:
    if path.is_file() and path.stat().st_size:
        with path.open("rb") as file:
            return is_packed(file.read(len(GZIP)))
    return is_to_be_packed(path.name)
