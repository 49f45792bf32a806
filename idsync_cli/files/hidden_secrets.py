"""The text of a configuration as errors may show it: without the secrets of workspaces."""

import re
from typing import Final

_SECRET: Final = re.compile(
    r"""(?<![\w.-])(?!(?:api|admin)_secret_env["']?\s*:)"""
    r"""(?:[\w.-]{0,60}(?:secr|passw)[\w.-]*|(?:api|admin)[ _.-]?s\w*)["']?\s*:""",
    re.IGNORECASE,
)
"""A key whose value is a secret, or that looks like a misspelt one."""
_FLOW_LIST: Final = re.compile(r"\s*\[[^\]]*\]?")
_QUOTED: Final = re.compile(r"""\s*(?:"(?:[^"\\]|\\.)*"?|'(?:[^']|'')*'?)""", re.DOTALL)
_REST_OF_LINE: Final = re.compile(r"[^\n]*?(?=,\s*[\w\"']+\s*:|\}|\n|$)")
_BELOW: Final = re.compile(r"\n(?P<indent>[ ]*)(?P<dash>- )?")


def without_secrets(text: str) -> str:
    """The text with an asterisk for each character of a secret, and every line as long as it was.

    It need not be YAML that can be read: what may be a secret is hidden. One that is named as a
    variable of the environment (`api_secret_env`) is none.
    """
    for key in _SECRET.finditer(text):
        text = without_value(text, key.end())
    return text


def without_value(text: str, begin: int) -> str:
    """The text with an asterisk for each character of the value that begins at a place.

    It may begin behind a colon, or where the value itself does.
    """
    end = _end_of_value(text, begin)
    return text[:begin] + re.sub(r"[^\s,\[\]]", "*", text[begin:end]) + text[end:]


def _end_of_value(text: str, begin: int) -> int:
    """Where a value ends, which begins on its line or below it."""
    for form in (_FLOW_LIST, _QUOTED):
        found = form.match(text, begin)
        if found is not None:
            return found.end()
    rest = _REST_OF_LINE.match(text, begin)
    assert rest is not None
    first = rest[0].strip()
    is_whole = text[rest.end() : rest.end() + 1] not in ("", "\n") or first.endswith((",", "]"))
    if first and is_whole and not first.startswith(("|", ">")):
        return rest.end()
    line_begin = text.rfind("\n", 0, begin) + 1
    own = len(text[line_begin:]) - len(text[line_begin:].lstrip(" "))
    end = rest.end()
    while (below := _BELOW.match(text, end)) is not None:
        deeper = len(below["indent"]) > own or (below["dash"] and len(below["indent"]) == own)
        line_end = text.find("\n", below.end())
        line_end = len(text) if line_end < 0 else line_end
        if not deeper and text[below.start() : line_end].strip():
            break
        end = line_end
    return end
