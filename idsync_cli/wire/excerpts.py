"""Where in a line of JSON something is at fault, to be shown to people with a caret under it."""

import json
import re
from collections.abc import Sequence
from contextlib import suppress

from idsync_cli.core.decision import Word
from idsync_cli.core.identity import TYPES_BY_NAME
from idsync_cli.file_faults import Excerpt

_SPACE = re.compile(r"[ \t\r\n]*")
_DECODER = json.JSONDecoder(strict=False)


def excerpt_of(number: int, line: bytes, word: Word | None) -> Excerpt:
    """A line with its number, and where in it the word is that a refusal names.

    A word that is given as text and occurs more than once is taken for a key, if it is one. There
    is no caret where the word cannot be found.
    """
    shown = line.decode("utf-8", "replace").removesuffix("\n").removesuffix("\r")
    if isinstance(word, int):
        return Excerpt(number, shown, word + 1)
    found = None
    if isinstance(word, str):
        found = _word_in(shown, word)
    elif word is not None:
        with suppress(ValueError, IndexError, RecursionError):  # no JSON, or nothing is there
            found = _value_at(shown, word)
    if found is None:
        return Excerpt(number, shown)
    start, end = found
    return Excerpt(number, shown, start + 1, end - start)


def _word_in(line: str, word: str) -> tuple[int, int] | None:
    for written in (json.dumps(word, ensure_ascii=False), json.dumps(word), word):
        if written and written in line:
            key = re.search(re.escape(written) + r"\s*:", line)
            is_key = key is not None and line.count(written) > 1
            start = key.start() if key is not None and is_key else line.index(written)
            return start, start + len(written)
    return None


def text_of_member(line: bytes, name: str) -> str:
    """The value of a member as it stands in a line, which is an object that has it."""
    text = line.decode("utf-8")
    start, end = _value_at(text, (name,))
    return text[start:end]


def _value_at(line: str, path: Sequence[str | int]) -> tuple[int, int]:
    """Where the value begins and ends to which keys and indices lead.

    Raises:
        ValueError, IndexError: the line is not JSON up to there, or has no such value.
        RecursionError: it is nested too deeply.
    """
    at = _past_space(line, 0)
    for wanted in path:
        at = _item(line, at, wanted) if isinstance(wanted, int) else _member(line, at, wanted)
    return at, _end_of(line, at)


def _member(line: str, at: int, wanted: str) -> int:
    """Where the value of a member begins; an identity type may go by any of its names."""
    identity_type = TYPES_BY_NAME.get(wanted)
    while line[at] in "{,":
        key, at = _DECODER.raw_decode(line, _past_space(line, at + 1))
        at = _past_space(line, _past_space(line, at) + 1)
        if key == wanted or (identity_type and TYPES_BY_NAME.get(key) is identity_type):
            return at
        at = _past_space(line, _end_of(line, at))
    raise IndexError


def _item(line: str, at: int, wanted: int) -> int:
    """Where an item of a list begins."""
    at = _past_space(line, at + 1)
    for _ in range(wanted):
        at = _past_space(line, _past_space(line, _end_of(line, at)) + 1)
    return at


def _end_of(line: str, at: int) -> int:
    return _DECODER.raw_decode(line, at)[1]


def _past_space(line: str, at: int) -> int:
    found = _SPACE.match(line, at)
    return found.end() if found else at
