"""The side of what another system answered: the recorded responses of the lines (section 12)."""

from array import array
from collections.abc import Iterator, Sequence

from idsync_cli import wire
from idsync_cli.core.decision import Refusal
from idsync_cli.file_faults import Fault
from idsync_cli.files.request_file import RequestFile, open_requests
from idsync_cli.foresight.comparing.sides import LineResult, Side, Way
from idsync_cli.foresight.comparing.work import File, Wanted

Response = wire.Json
"""What another system answered, as it stands in a line."""

_AT_ONCE = 200
_WRONG_SHOWN = 20
_MOST_ERRORS = 1000
"""How many errors are told apart; a system has a few."""


def lines_of(files: Sequence[File]) -> Iterator[tuple[int, int, object]]:
    """All requests in order, each with the number of its file, from 0, and its line.

    Raises:
        UsageFault: a file cannot be read.
    """
    reader = wire.LineReader()
    for number, file in enumerate(files):
        with open_requests(file.path, file.name) as source:
            requests = RequestFile(source)
            while lines := requests.next_lines(_AT_ONCE):
                for line, text in lines:
                    yield number, line, reader.request(text)


class RecordedSide:
    """Reads responses line by line, beside another side that replays the same files.

    `wrong` counts those that are none, and `first_wrong` are the first of them.
    """

    def __init__(self, files: Sequence[File]) -> None:
        self._requests = lines_of(files)
        self._mpids, self._ways, self._lines = array("q"), array("H"), array("L")
        self._numbers: dict[Way, int] = {}
        self.responses = 0
        self.wrong = 0
        self.first_wrong: list[Fault] = []
        self._names = [each.name for each in files]

    def add(self, requests: int) -> None:
        """Take so many further lines."""
        for _ in range(requests):
            file, line, request = next(self._requests)
            try:
                way, mpid = _answer_in(wire.response_of(request))
            except Refusal as refusal:  # the line is refused here, too
                way, mpid = _UNRECORDED, 0
                self._note(file, line, refusal)
            if way not in self._numbers and len(self._numbers) > _MOST_ERRORS:
                way = _SOME_ERROR
            self.responses += way is not _UNRECORDED
            self._mpids.append(mpid)
            self._ways.append(self._numbers.setdefault(way, len(self._numbers)))
            self._lines.append(line)

    def _note(self, file: int, line: int, refusal: Refusal) -> None:
        self.wrong += 1
        if len(self.first_wrong) < _WRONG_SHOWN:
            message = f"{refusal.code.value}: {refusal.message}"
            self.first_wrong.append(Fault(self._names[file], message, line))

    def side(self) -> Side:
        """All that was read."""
        return Side(self._mpids, self._ways, self._lines, tuple(self._numbers))


_FOUND, _NOBODY = Way(LineResult.PROFILE), Way(LineResult.NOT_FOUND)
_UNRECORDED, _SOME_ERROR = Way(LineResult.UNRECORDED), Way(LineResult.REFUSED, error="")


def _answer_in(response: object) -> tuple[Way, int]:
    """What a response says.

    Raises:
        Refusal: INVALID_REQUEST; it is wrong.
    """
    if response is None:
        return _UNRECORDED, 0
    mpid = wire.recorded_mpid(response)
    if mpid is not None:
        return _FOUND, mpid
    assert isinstance(response, dict)
    error = response.get("error")
    return (Way(LineResult.REFUSED, error=error), 0) if error else (_NOBODY, 0)


def responses(files: Sequence[File], wanted: Wanted) -> dict[tuple[int, int], Response]:
    """The responses of some lines, as they were recorded."""
    found: dict[tuple[int, int], Response] = {}
    left = sum(map(len, wanted.values()))
    for file, line, request in lines_of(files):
        if len(found) == left:
            break
        if line in wanted.get(file, ()):
            response = wire.response_of(request)
            assert isinstance(response, dict)
            found[file, line] = response
    return found
