"""Where lines go that a command writes: to a file of the user's, or to standard output."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO

import typer

from idsync_cli.cli.environment import say, write_utf8
from idsync_cli.core.codes import FileKind
from idsync_cli.errors import FaultCode, StoreFault, UsageFault, quoted
from idsync_cli.files.outputs import Outputs, ensure_writable, file_exists
from idsync_cli.files.source import STANDARD_STREAM
from idsync_cli.files.whole_file import whole_file
from idsync_cli.store.sqlite.lifecycle.keeping import keep_path

if TYPE_CHECKING:
    from idsync_cli.render.html.page import Page

HtmlReport = Annotated[
    str | None,
    typer.Option("--html", metavar="FILE", help="Also write an HTML page to send."),
]


@contextmanager
def writing_to(output: str, *, force: bool) -> Iterator[Callable[[str], object]]:
    """What takes lines, some at once: standard output, or a file."""
    if output == STANDARD_STREAM:
        yield write_utf8
        return
    ensure_writable("--output", output)
    with output_file("--output", output, force=force) as file:
        yield lambda lines: file.write(f"{lines}\n".encode())


@contextmanager
def output_file(option: str, path: str, *, force: bool) -> Iterator[BinaryIO]:
    """Open the file that an option names; it takes its place when the block ends.

    Raises:
        StoreFault: it cannot be written.
        UsageFault: somebody has made it meanwhile.
    """
    try:
        with whole_file(path, must_be_new=not force) as file:
            yield file
    except FileExistsError:
        raise file_exists(option, path) from None
    except OSError as error:
        raise StoreFault(
            f"{option} {quoted(path)} cannot be written: {error.strerror}",
            FaultCode.OUTPUT_UNWRITABLE,
            path=path,
        ) from None


def say_not_kept(store: str, *outputs: str | None) -> None:
    """Say that a dry run tells the store nothing of the files that it writes (section 9, Erase)."""
    files = [quoted(each) for each in outputs if each not in (None, STANDARD_STREAM)]
    if files and Path(store).exists():
        say(
            "note: a dry run leaves the store as it is, so no erasure will name "
            f"{' and '.join(files)}; delete what you no longer need"
        )


def check_output(
    output: str, store: str, config: str, *, force: bool, inputs: Iterable[str] = ()
) -> bool:
    """Check that a command may write to a file; False if it writes to standard output.

    Raises:
        UsageFault: it is no path, cannot be written, has another use, or exists and is not to be
            replaced.
    """
    if output == STANDARD_STREAM:
        return False
    outputs = Outputs(store=store, configuration=config, inputs=inputs)
    outputs.check("--output", output, must_be_new=not force)
    ensure_writable("--output", output)
    return True


def checked_output(output: str, store: str, config: str, *, force: bool) -> None:
    """Check that what a command tells of a store may be written to a file, and keep its path.

    Raises:
        UsageFault: it may not, or nothing is to be replaced.
    """
    if check_output(output, store, config, force=force):
        keep_path(store, FileKind.OUTPUT, output)
    elif force:
        raise UsageFault("--force has no effect without --output; omit it, or give both")


def check_page(html: str | None, outputs: Outputs, *, force: bool) -> None:
    """Check that a report may be written to a file, if one is asked for.

    Raises:
        UsageFault: it may not.
    """
    if html is not None:
        outputs.check("--html", html, must_be_new=not force)
        ensure_writable("--html", html)


def write_page(html: str, page: "Page", *, force: bool) -> None:
    """Write a report.

    Raises:
        StoreFault: it cannot be written.
        UsageFault: somebody has made the file meanwhile.
    """
    from idsync_cli.render.html.page import html as as_html

    with output_file("--html", html, force=force) as file:
        file.write(as_html(page).encode())


def write_output(output: str, text: str, *, force: bool) -> None:
    """Write a whole text, with the line feed at its end."""
    with writing_to(output, force=force) as write:
        write(text.removesuffix("\n"))
