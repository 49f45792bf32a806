"""Packing by gzip: what is read packed is known by its first bytes, what is written by its name.

Equal content is packed into equal bytes: neither the time nor the name of the file is kept in it.
"""

import gzip
from typing import IO, BinaryIO, cast

_LEVEL = 6
_SUFFIX = ".gz"


def is_to_be_packed(path: str) -> bool:
    """Whether what is written to a path is packed: its suffix, in any case, says so."""
    return path.lower().endswith(_SUFFIX)


def without_suffix(path: str) -> str:
    """A path without the suffix of what is packed, in lower case, for what stands before it."""
    return path.lower().removesuffix(_SUFFIX)


def member(data: bytes) -> bytes:
    """Data packed by itself. Several such, one behind another, are a packed file, too."""
    return gzip.compress(data, _LEVEL, mtime=0)


def packing(stream: BinaryIO) -> BinaryIO:
    """A stream that packs what is written to it; to close it closes the other."""
    return cast(BinaryIO, _Packing(stream))


class _Packing(gzip.GzipFile):
    def __init__(self, stream: IO[bytes]) -> None:
        super().__init__("", "wb", _LEVEL, stream, mtime=0)
        self._beneath = stream

    def close(self) -> None:
        try:
            super().close()
        finally:
            self._beneath.close()
