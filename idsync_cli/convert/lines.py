"""Request lines as text: what stands in a file is kept as it stands there.

Values go over unread: numbers keep their digits, and a key that is given twice is rejected later
as it would be in the file. Only ends of lines go, and every character beyond ASCII becomes an
escape, so that no value can act on a terminal.
"""

import json
import re
from collections.abc import Mapping

import msgspec

from idsync_cli import wire
from idsync_cli.core.decision import Refusal

_NOT_ASCII = re.compile(r"[^\x00-\x7f]")
_LINE_ENDS = re.compile(r"[\r\n]+")


class CannotUse(Exception):
    """A value, a row or a call that makes no request, and why; `lines` is how many such there are.

    They are more than one where what is wrong with a line makes those behind it useless.
    """

    def __init__(self, why: str, lines: int = 1) -> None:
        super().__init__(why)
        self.why = why
        self.lines = lines


def decoded(text: str) -> object:
    """The JSON value of a text, read as strictly as a request.

    Raises:
        CannotUse: it is none.
    """
    try:
        return wire.decode_json(text.encode("utf-8"))
    except UnicodeEncodeError:
        raise CannotUse("not UTF-8") from None
    except Refusal as refusal:
        raise CannotUse(refusal.message.partition(";")[0]) from None


def members_of(text: str) -> dict[str, str]:
    """The members of an object that can be decoded, each as it stands there."""
    members = msgspec.json.decode(text, type=dict[str, msgspec.Raw])
    return {name: bytes(value).decode("utf-8") for name, value in members.items()}


def line_of(members: Mapping[str, str]) -> str:
    """An object as a line, of members that are JSON.

    Raises:
        CannotUse: a request line may not be so long.
    """
    inside = ", ".join(f"{json.dumps(name)}: {members[name]}" for name in members)
    return on_one_line(f"{{{inside}}}")


def on_one_line(text: str) -> str:
    """JSON on one line, in ASCII.

    Raises:
        CannotUse: a request line may not be so long.
    """
    text = _LINE_ENDS.sub(" ", text)
    line = text if text.isascii() else _NOT_ASCII.sub(_escaped, text)
    if len(line) > wire.MAX_LINE_BYTES:
        raise CannotUse("longer than 1 MiB")
    return line


def _escaped(found: re.Match[str]) -> str:
    return json.dumps(found[0])[1:-1]
