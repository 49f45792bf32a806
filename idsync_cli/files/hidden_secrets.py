"""The text of a configuration as errors may show it: without the secrets of workspaces."""

import re
from typing import Final

_SECRET: Final = re.compile(r"""\b(?:api|admin)_secret["']?\s*:""")
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
        end = _end_of_value(text, key)
        hidden = re.sub(r"[^\s,\[\]]", "*", text[key.end() : end])
        text = text[: key.end()] + hidden + text[end:]
    return text


def _end_of_value(text: str, key: "re.Match[str]") -> int:
    """Where the value of a key ends, which begins on its line or below it."""
    for form in (_FLOW_LIST, _QUOTED):
        found = form.match(text, key.end())
        if found is not None:
            return found.end()
    rest = _REST_OF_LINE.match(text, key.end())
    assert rest is not None
    if rest[0].strip() and not rest[0].strip().startswith(("|", ">")):
        return rest.end()
    line_begin = text.rfind("\n", 0, key.start()) + 1
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
