"""Where the program begins and ends."""

import sys  # and nothing else: Ctrl-C may come while more is imported

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType

_NEW_OBJECTS = 100_000
"""How many Python lets pass before it looks for cycles: more than a start makes, all to be kept."""


def main() -> None:
    """Run the command line and leave with its exit status."""
    status = 130  # by Ctrl-C, as section 8 has it
    try:
        _open_closed_streams()
        import gc
        import signal

        from idsync_cli.interrupts import leave_at_once_on_interrupt

        gc.set_threshold(_NEW_OBJECTS)
        leave_at_once_on_interrupt()

        from idsync_cli.cli.app import run

        for number in (signal.SIGTERM, signal.SIGHUP):  # before, there is nothing to be kept whole
            if signal.getsignal(number) is signal.SIG_DFL:  # nohup has one of them ignored
                signal.signal(number, _terminate)
        status = run()
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # all is done and said
        gc.freeze()  # or Python would look for cycles once more, where all ends with the process
    except KeyboardInterrupt:
        pass
    raise SystemExit(status)


def _open_closed_streams() -> None:
    """Give every standard stream that is closed something to lead to.

    Else a file that is opened later would take its number. What is written to a closed standard
    output must fail, as it does for a reader that has gone; messages may be lost.
    """
    import os

    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
    if sys.stdout is None:
        reader, writer = os.pipe()
        os.close(reader)
        sys.stdout = os.fdopen(writer, "w", encoding="utf-8")
    if sys.stderr is None:
        sys.stderr = os.fdopen(os.open(os.devnull, os.O_WRONLY), "w", encoding="utf-8")
    if sys.stdin is None:
        sys.stdin = os.fdopen(os.open(os.devnull, os.O_RDONLY), encoding="utf-8")


def _terminate(number: int, _frame: "FrameType | None") -> None:
    from idsync_cli.errors import Terminated

    raise Terminated(number)


if __name__ == "__main__":
    main()
