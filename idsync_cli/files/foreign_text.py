"""The text of a file that others wrote: in whatever encoding of Unicode, and read as it is needed.

What is not UTF-8 comes as lone surrogates, which no text may hold (`is_text`): the value that has
them is refused, and the others are read.
"""

import codecs
import re
from collections.abc import Iterator

from idsync_cli.core.identity import has_surrogate
from idsync_cli.errors import FaultCode, UsageFault
from idsync_cli.files.contents import BYTE_ORDER_MARK, Contents
from idsync_cli.files.looks import LOOKED_AT, look
from idsync_cli.files.source import Source

_PIECE = 2**18
_LONGEST = 2**26
_LINE_END = re.compile(r"\r\n|\r|\n")
_MARKS = (
    (BYTE_ORDER_MARK, "utf-8"),
    (b"\xff\xfe\0\0", "utf-32-le"),
    (b"\0\0\xfe\xff", "utf-32-be"),
)
_SHORT_MARKS = ((b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"))
_BY_ZEROS: dict[tuple[bool, ...], str] = {
    (False, True, True, True): "utf-32-le",
    (True, True, True, False): "utf-32-be",
    (False, True, False, True): "utf-16-le",
    (True, False, True, False): "utf-16-be",
}


class ForeignText:
    """The text of a source, piece by piece; `holds` says what it is, whatever the encoding."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self.holds = source.look()
        self._encoding, self._mark = _encoding_of(source.peek(4))
        if self.holds in (Contents.UTF_16, Contents.UTF_32):
            head = self.head()
            self.holds = look(head.encode(), is_all=len(head) < LOOKED_AT // 4)

    @property
    def position(self) -> int:
        """How far the file was read, in its bytes."""
        return self._source.position_in_file

    def head(self) -> str:
        """The text that the file begins with."""
        data = self._source.peek(LOOKED_AT)[self._mark :]
        return data.decode(self._encoding, "replace").removesuffix("\ufffd")

    def pieces(self) -> Iterator[str]:
        """The text from its beginning, as it is read."""
        decoder = codecs.getincrementaldecoder(self._encoding)("surrogateescape")
        mark = self._mark
        while data := self._source.read(_PIECE):
            text = decoder.decode(data[mark:] if mark else data)
            mark = 0
            if text:
                yield text
        if rest := decoder.decode(b"", final=True):
            yield rest

    def lines(self) -> Iterator[str]:
        """The lines with their ends: line feeds, carriage returns, or both.

        Raises:
            UsageFault: one is too long.
        """
        begun: list[str] = []
        length, held = 0, ""
        for piece in self.pieces():
            text, held = held + piece, ""
            if text.endswith("\r"):  # a line feed may follow
                text, held = text[:-1], "\r"
            at = 0
            for end in _LINE_END.finditer(text):
                begun.append(text[at : end.end()])
                yield "".join(begun)
                begun, length, at = [], 0, end.end()
            begun.append(text[at:])
            length += len(begun[-1])
            if length > _LONGEST:
                raise UsageFault("a line is longer than 64 MiB", FaultCode.INVALID_FILE)
        if last := "".join([*begun, held]):
            yield last


def is_text(text: str) -> bool:
    """Whether all of a text was text in its file."""
    return not has_surrogate(text)


def _encoding_of(head: bytes) -> tuple[str, int]:
    """The encoding, and how many bytes a mark at the beginning takes."""
    for mark, encoding in (*_MARKS, *_SHORT_MARKS):
        if head.startswith(mark):
            return encoding, len(mark)
    return _BY_ZEROS.get(tuple(byte == 0 for byte in head), "utf-8"), 0
