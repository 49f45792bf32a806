"""Writing a file whole: it takes its place once all of it is written, and not before.

Whether it may be written at all says `outputs`. Answers of a replay are not written this way: their
file grows, and a replay goes on behind what is there.
"""

import errno
import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from idsync_cli.files.outputs import is_kept
from idsync_cli.files.packed import is_to_be_packed, packing
from idsync_cli.store.sqlite.lifecycle.drafts import draft_of, put_in_place

_LONGEST_NAME = 200
"""Of a longer name, in bytes, there is no draft: its own name would be too long."""

_ONLY_IN_PLACE = {errno.EBUSY, errno.EPERM, errno.EACCES}
"""A file that may be written but not replaced: mounted by itself, or another's in /tmp."""


@contextmanager
def whole_file(
    path: str, *, must_be_new: bool = False, packed: bool | None = None
) -> Iterator[BinaryIO]:
    """Open a file to be written from its beginning; it takes its place when the block ends.

    What is written to it is packed, if so wanted or, where nothing is said, if its name says so.
    If the block raises, or there is no room, what was there stays, and nothing new is left. A link
    stays a link, and what it leads to is replaced, with its permissions and its owner. What is no
    file, such as a pipe or a stream of the process, is written as it comes; so is a file in a
    folder where no other may be made.

    Raises:
        FileExistsError: it must be new, and is not.
        OSError: it cannot be written.
    """
    with _plain(path, must_be_new=must_be_new) as file:
        if is_to_be_packed(path) if packed is None else packed:
            with packing(file) as to_be_packed:
                yield to_be_packed
        else:
            yield file


def comes_whole(path: str) -> bool:
    """Whether a file takes its place only once all of it is written; else it is written at once.

    Raises:
        OSError: it cannot be looked at, or not be written.
    """
    if _file_at(path) is None and Path(path).exists():
        return False
    return _can_be_beside(Path(os.path.realpath(path)))


@contextmanager
def _plain(path: str, *, must_be_new: bool) -> Iterator[BinaryIO]:
    """Open it for what is to be written as it comes."""
    there = _file_at(path)
    if there is None and Path(path).exists():
        with Path(path).open("wb") as file:
            yield file
        return
    if there is not None and must_be_new:
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST))
    target = Path(os.path.realpath(path))
    if not _can_be_beside(target):
        with target.open("xb" if must_be_new else "wb") as file:
            yield file
        return
    with draft_of(target) as draft:
        with draft.open("wb") as file:
            yield file
        _take_over(draft, there)
        if must_be_new:
            _put_where_nothing_is(draft, target)
        else:
            _replace(draft, target)


def _file_at(path: str) -> os.stat_result | None:
    """The file that is there; None if nothing is, or what is no file.

    Raises:
        OSError: it may not be written, or the path is a link that leads to itself.
    """
    try:
        there = Path(path).stat()
    except FileNotFoundError:
        return None
    if not stat.S_ISREG(there.st_mode) or not is_kept(path) or _is_stream(there):
        return None
    if not os.access(path, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    return there


def _is_stream(there: os.stat_result) -> bool:
    """Whether it is where one of the streams of this process leads, under another name."""
    for number in (0, 1, 2):
        with suppress(OSError):
            if os.path.samestat(os.fstat(number), there):
                return True
    return False


def _can_be_beside(target: Path) -> bool:
    is_short = len(os.fsencode(target.name)) <= _LONGEST_NAME
    return is_short and os.access(target.parent, os.W_OK | os.X_OK)


def _take_over(draft: Path, there: os.stat_result | None) -> None:
    """Give a draft the permissions of what was there, or those of a new file."""
    if there is None:
        umask = os.umask(0o077)
        os.umask(umask)
        draft.chmod(0o666 & ~umask)
        return
    mode, group = there.st_mode & 0o777, draft.stat().st_gid
    try:
        os.chown(draft, there.st_uid, there.st_gid)
    except PermissionError:
        if group != there.st_gid:
            mode &= ~stat.S_IRWXG  # meant for another group
    draft.chmod(mode)


def _put_where_nothing_is(draft: Path, target: Path) -> None:
    """Give a draft its name, unless somebody has made a file of that name meanwhile."""
    try:
        os.link(draft, target)
    except FileExistsError:
        raise
    except OSError:  # a file system without second names
        target.open("xb").close()
        try:
            _replace(draft, target)
        except OSError:
            target.unlink()
            raise


def _replace(draft: Path, target: Path) -> None:
    """Put a draft in the place of a file; where that cannot be, put its content there."""
    try:
        put_in_place(draft, target)
    except OSError as error:
        if error.errno not in _ONLY_IN_PLACE:
            raise
        shutil.copyfile(draft, target)
