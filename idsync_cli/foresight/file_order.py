"""When the requests of a file were made: files of several days are to be read in their order."""

from idsync_cli import wire
from idsync_cli.core.decision import Refusal
from idsync_cli.files.request_file import RequestFile, open_requests

_LINES = 100
"""How many lines are looked at for a time."""


def first_time(path: str, name: str) -> int | None:
    """The `request_timestamp_ms` of the first line that has one, of the first few of a file.

    Raises:
        UsageFault: the file cannot be read.
    """
    with open_requests(path, name) as source:
        for _, line in RequestFile(source).next_lines(_LINES):
            try:
                request = wire.decode(line)
            except Refusal:
                continue
            if isinstance(request, dict):
                time = request.get("request_timestamp_ms")
                if isinstance(time, int) and not isinstance(time, bool):
                    return time
    return None
