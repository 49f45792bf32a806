"""Where lines go that a command writes: to a file of the user's, or to standard output."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from idsync_cli.cli.environment import write_utf8
from idsync_cli.errors import StoreFault, UsageFault, printable, quoted
from idsync_cli.files.outputs import open_output
from idsync_cli.files.source import STANDARD_STREAM


@contextmanager
def lines_to(output: str, *, force: bool) -> Iterator[Callable[[str], object]]:
    """What takes lines, some at once: standard output, or a file."""
    if output == STANDARD_STREAM:
        yield write_utf8
        return
    try:
        stream = open_output("--output", output, must_be_new=not force)
    except OSError as error:
        raise UsageFault(f"--output {quoted(output)} cannot be written: {error.strerror}") from None
    try:
        with stream:
            yield lambda lines: stream.write(f"{lines}\n".encode())
    except OSError as error:
        cause = error.strerror
        raise StoreFault(f"--output {printable(output)} cannot be written: {cause}") from None
