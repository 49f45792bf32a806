"""Files of requests that are read several times, and what their requests are for."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from idsync_cli import wire
from idsync_cli.cli.environment import say
from idsync_cli.core.config.rules import Organization
from idsync_cli.core.decision import Refusal
from idsync_cli.errors import UsageFault, quoted
from idsync_cli.files.request_file import STANDARD_STREAM, open_requests
from idsync_cli.foresight.comparing.work import File
from idsync_cli.foresight.file_order import first_time

_PIECE = 2**20


def checked_target(
    organization: Organization, scope: str | None, workspace: str | None
) -> wire.Target:
    """What requests are for that name no scope.

    Raises:
        UsageFault: there is no such scope or workspace, or they disagree.
    """
    target = wire.Target(scope, workspace)
    if scope is not None or workspace is not None:
        try:
            wire.scope_of(None, None, organization, target)
        except Refusal as refusal:
            raise UsageFault(refusal.message, hint=refusal.hint) from None
    return target


@contextmanager
def readable(files: Sequence[str]) -> Iterator[list[File]]:
    """The files, of which each can be read several times: what comes through a pipe is set aside.

    Raises:
        UsageFault: one cannot be read.
    """
    with TemporaryDirectory(prefix="idsync-requests-") as folder:
        found = []
        for number, name in enumerate(files):
            with open_requests(name) as source:
                if name != STANDARD_STREAM and Path(name).is_file():
                    found.append(File(name, str(Path(name).resolve())))
                    continue
                copy = Path(folder, str(number))
                with copy.open("wb") as aside:
                    while piece := source.read(_PIECE):
                        aside.write(piece)
                found.append(File(name, str(copy)))
        yield found


def say_order(files: Sequence[File]) -> None:
    """Point out a file whose requests are older than those of one before it."""
    before: tuple[int, File] | None = None
    for file in files:
        time = first_time(file.path, file.name)
        if time is None:
            continue
        if before is not None and time < before[0]:
            say(
                f"note: {quoted(file.name)} begins earlier than {quoted(before[1].name)}, by their "
                "request_timestamp_ms; give files in the order in which their requests came"
            )
        before = time, file
