"""A side in a process of its own, so that both are replayed at once.

The two ends of the pipes are this program, so that what goes through them is trusted.
"""

import pickle
import signal
import subprocess
import sys
import traceback
from array import array
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from select import select
from typing import IO, Any, Self

from idsync_cli.core.decision import Answer
from idsync_cli.errors import FaultCode, StoreFault, UsageFault
from idsync_cli.foresight.comparing.work import SideJob, SideReplay, SideWork, Wanted
from idsync_cli.graph.compared import SidePart
from idsync_cli.graph.values import SideName

_START = """\
import sys
root = sys.argv.pop(1)
if root not in sys.path:
    sys.path.insert(0, root)
from idsync_cli.foresight.comparing.process import main
main()
"""
_LENGTH = 8
_NOT_ITS_OWN = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_ADVANCED, _DONE, _FAULT, _BUG = "advanced", "done", "fault", "bug"
_FAULTS = {each.__name__: each for each in (StoreFault, UsageFault)}

Advance = Callable[[int, int], None]


class SideProcess:
    """The process of one side, for the process that compares. Use it in a `with`."""

    def __init__(self, job: SideJob) -> None:
        """Start it on its first replay; `results` has what it comes to."""
        root = Path(__file__).resolve().parents[3]
        # Ctrl-C goes to all processes, and must not reach this one before it ignores the signal.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, _NOT_ITS_OWN)
        try:
            self._process = subprocess.Popen(
                # -P: nothing in the folder that the user is in may stand in for a module.
                [sys.executable, "-P", "-c", _START, str(root)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                bufsize=0,  # what is read ahead would not be seen by `select`
            )
        except OSError as error:
            raise StoreFault(f"no process can be started: {error.strerror}") from None
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        self._send(job)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """End it: its store is in no file, and nothing of it is to be kept."""
        self.kill()
        for stream in (self._process.stdin, self._process.stdout):
            assert stream is not None
            with suppress(OSError):
                stream.close()
        self._process.wait()

    def kill(self) -> None:
        """End it at once, whatever it is doing."""
        self._process.kill()

    @property
    def replies(self) -> IO[bytes]:
        """Where it says how far it is, and what its work came to."""
        assert self._process.stdout is not None
        return self._process.stdout

    def ask_for_known(self, mpids: "array[int]") -> None:
        """Ask which profiles are known at the end; a byte for each is the result."""
        self._send((SideWork.are_known.__name__, mpids))

    def ask_for_graph(self, side: SideName, mpids: Sequence[int]) -> None:
        """Ask for some profiles with what they hold at the end."""
        self._send((SideWork.part_of_graph.__name__, (side, mpids)))

    def ask_to_explain(self, wanted: Wanted) -> None:
        """Ask for the explained answers to some lines."""
        self._send((SideWork.explain.__name__, wanted))

    def _send(self, message: object) -> None:
        assert self._process.stdin is not None
        with suppress(BrokenPipeError):  # it ended, which is seen where its reply is read
            _put(self._process.stdin, message)


Result = SideReplay | bytes | SidePart | dict[tuple[int, int], Answer]


def results(sides: Sequence[SideProcess], advance: Advance) -> list[Any]:
    """Wait for the result of each of some processes that work at once.

    Raises:
        UsageFault: a file cannot be read.
        StoreFault: there is no room, or a process was ended from outside.
    """
    found: list[Any] = [None] * len(sides)
    waiting = {side.replies: at for at, side in enumerate(sides)}
    while waiting:
        readable, _, _ = select(list(waiting), [], [])
        for stream in readable:
            message = _get(stream)
            if message is None:
                raise StoreFault(
                    "a process that replays for the comparison ended unexpectedly; nothing was "
                    "changed",
                    FaultCode.WRITER_ENDED,
                )
            what, detail = message
            if what == _ADVANCED:
                advance(*detail)
            elif what == _BUG:
                raise RuntimeError(detail)
            elif what == _FAULT:
                name, values = detail
                raise _FAULTS[name].told_of(values)
            else:
                found[waiting.pop(stream)] = detail
    return found


def _put(stream: IO[bytes], message: object) -> None:
    data = pickle.dumps(message, pickle.HIGHEST_PROTOCOL)
    left = memoryview(len(data).to_bytes(_LENGTH, "big") + data)
    while left:
        left = left[stream.write(left) :]
    stream.flush()


def _get(stream: IO[bytes]) -> Any:
    size = int.from_bytes(_exactly(stream, _LENGTH), "big")
    data = _exactly(stream, size)
    if not data or len(data) < size:  # it has ended, perhaps in the middle of a message
        return None
    return pickle.loads(data)  # noqa: S301 - the other end is this program


def _exactly(stream: IO[bytes], size: int) -> bytes:
    """That many bytes; fewer where they end before."""
    data = bytearray()
    while len(data) < size and (piece := stream.read(size - len(data))):
        data += piece
    return bytes(data)


def main() -> None:
    """The process of a side: do what is asked, until nobody asks any more."""
    for ignored in _NOT_ITS_OWN:  # the process that compares handles them, and ends this one
        signal.signal(ignored, signal.SIG_IGN)
    asked, replies = sys.stdin.buffer, sys.stdout.buffer

    def advance(size: int, requests: int) -> None:
        _put(replies, (_ADVANCED, (size, requests)))

    with suppress(BrokenPipeError):  # the other one has ended
        job = _get(asked)
        work: SideWork | None = None
        try:
            if job is not None:
                work = SideWork(job, advance)
                _put(replies, (_DONE, work.replay()))
                while message := _get(asked):
                    name, argument = message
                    _put(replies, (_DONE, getattr(work, name)(argument)))
        except (StoreFault, UsageFault) as fault:
            _put(replies, (_FAULT, (type(fault).__name__, fault.as_values())))
        except BrokenPipeError:
            raise
        except Exception as error:  # noqa: BLE001 - told of there, as any other is
            where = traceback.extract_tb(error.__traceback__)[-1]
            at = f"{Path(where.filename).name}:{where.lineno}"
            _put(replies, (_BUG, f"{type(error).__name__} at {at} of a side"))
        finally:
            if work is not None:
                work.close()
