"""Files that processes left beside a store because they were killed."""

import os
import re
from pathlib import Path

_DRAFT = re.compile(r"(?:.*\.)?(\d+)\.new(?:-\w+)?")


def left_drafts(store: Path) -> list[Path]:
    """Drafts of a store, or of a copy beside it, whose makers are no more, by their names.

    Raises:
        OSError: the folder cannot be read.
    """
    found = []
    for file in sorted(store.parent.iterdir()):
        prefix = f".{store.name}."
        draft = _DRAFT.fullmatch(file.name.removeprefix(prefix))
        if file.name.startswith(prefix) and draft and is_over(draft[1]):
            found.append(file)
    return found


def is_over(number: str) -> bool:
    """Whether a process has ended; this one has, where its number was another's before."""
    if not number.isdigit() or int(number) == os.getpid():
        return number.isdigit()
    try:
        os.kill(int(number), 0)
    except (ProcessLookupError, OverflowError):
        return True
    except PermissionError:
        return False
    return False
