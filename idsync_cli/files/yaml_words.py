"""What is wrong with a text that is not YAML, in words: those of the parser are for its authors."""

import re
from typing import Final

from idsync_cli.errors import printable

_TAB: Final = "a line is indented with spaces, not tabs"
_WORDS: Final = (
    (
        r"mapping values are not allowed",
        "a second ': '; indent the line like those around it, or put a value between quotes",
    ),
    (
        r"could not find expected ':'",
        "a key without ':' behind it; add one, or indent the line more than the line before",
    ),
    (r"expected ',' or '\]'", "a list is not closed with ']', or a ',' is missing"),
    (r"expected ',' or '}'", "a mapping is not closed with '}', or a ',' is missing"),
    (r"expected (the )?node content", "a value is missing"),
    (
        r"expected (key|'-' indicator)|expected <block end>",
        "this line is not indented like those above it",
    ),
    (r"unexpected end of stream", "a quotation mark is not closed"),
    (
        r"unknown escape character",
        "there is no such escape; write a backslash as \\\\, or use single quotes",
    ),
)


def words_for(context: str | None, problem: str | None, at: str, *, follows_tab: bool) -> str:
    """What is wrong and the way out; of what is not common, what the parser says.

    `at` is the character that the parser stopped at.
    """
    if follows_tab:
        return _TAB
    if problem and "cannot start any token" in problem:
        return f"a value cannot begin with {printable(at)}; put it between quotes"
    for pattern, words in _WORDS:
        if problem and re.search(pattern, problem):
            return words
    return printable(", ".join(filter(None, (context, problem))))
