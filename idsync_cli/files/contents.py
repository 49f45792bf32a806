"""What a file may hold, what of it a reader takes, and what is said of everything else.

In one sentence, with what makes it right. `looks.py` tells what a file holds.
"""

from collections.abc import Collection
from enum import StrEnum

from idsync_cli.errors import FaultCode, Hint, UsageFault, quoted

BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class Contents(StrEnum):
    """What a file holds, in words that stand behind its name."""

    NOTHING = "is empty"
    OBJECTS = "holds JSON objects"
    REQUESTS = "holds requests"
    PROFILES = "holds profiles"
    ANSWERS = "holds answers"
    BATCHES = "holds event batches"
    TEXT = "holds text"
    CSV = "is CSV"
    ARRAY = "is a JSON array"
    LAID_OUT = "holds JSON objects that are laid out over several lines"
    WRAPPED = "is one JSON object around a list"
    COMMAS = "holds JSON objects with commas between them"
    ON_ONE_LINE = "holds several JSON objects on one line"
    HAR = "is a recording of a browser (HAR)"
    QUOTED = "holds JSON objects as quoted text"
    PREFIXED = "has text before the JSON object of each line, like a log"
    CARRIAGE_RETURNS = "ends its lines with carriage returns alone"
    UTF_16 = "is UTF-16, not UTF-8"
    UTF_32 = "is UTF-32, not UTF-8"
    MARKUP = "is HTML or XML"
    YAML = "is YAML"
    NULS = "begins with NUL bytes, like a file that was never fully written"
    POINTER = "is a pointer of Git LFS, not the file itself"
    PDF = "is a PDF document"
    PICTURE = "is a picture"
    PACKED_TWICE = "is compressed with gzip twice"
    BZIP2 = "is compressed with bzip2"
    XZ = "is compressed with xz"
    ZSTD = "is compressed with zstd"
    SEVEN_ZIP = "is a 7-Zip archive"
    ZIP = "is a zip archive, or a spreadsheet, which is one"
    TAR = "is a tar archive"
    SQLITE = "is an SQLite database"
    PARQUET = "is a Parquet file"
    BINARY = "is not text"


LINES = (Contents.NOTHING, Contents.OBJECTS, Contents.TEXT)
"""What may be a file of lines of JSON, whatever these are then said to be."""

ARCHIVES = (
    Contents.PACKED_TWICE,
    Contents.BZIP2,
    Contents.XZ,
    Contents.ZSTD,
    Contents.SEVEN_ZIP,
    Contents.ZIP,
    Contents.TAR,
)
"""What has to be unpacked before it can be read."""

DOCUMENTS = (Contents.SQLITE, Contents.PARQUET, Contents.PDF, Contents.PICTURE)
"""What is never text."""

_WAYS_OUT = {
    Contents.REQUESTS: Hint.REPLAY_FILE,
    Contents.PROFILES: Hint.IMPORT_FILE,
    Contents.ANSWERS: Hint.NAME_WHAT_WAS_ANSWERED,
    Contents.BATCHES: Hint.CONVERT_FILE,
    Contents.CSV: Hint.CONVERT_FILE,
    Contents.ARRAY: Hint.CONVERT_ARRAY,
    Contents.LAID_OUT: Hint.CONVERT_OBJECTS,
    Contents.WRAPPED: Hint.CONVERT_WRAPPED,
    Contents.COMMAS: Hint.CONVERT_FILE,
    Contents.ON_ONE_LINE: Hint.CONVERT_OBJECTS,
    Contents.HAR: Hint.CONVERT_FILE,
    Contents.QUOTED: Hint.UNQUOTE_OBJECTS,
    Contents.PREFIXED: Hint.CUT_PREFIXES,
    Contents.CARRIAGE_RETURNS: Hint.MAKE_LINE_FEEDS,
    Contents.UTF_16: Hint.RECODE_UTF_16,
    Contents.UTF_32: Hint.RECODE_UTF_32,
    Contents.MARKUP: Hint.GET_FILE_ANEW,
    Contents.YAML: Hint.WRITE_AS_TEXT,
    Contents.NULS: Hint.GET_FILE_ANEW,
    Contents.POINTER: Hint.GET_BY_GIT_LFS,
    Contents.PDF: Hint.WRITE_AS_TEXT,
    Contents.PICTURE: Hint.GET_FILE_ANEW,
    Contents.PACKED_TWICE: Hint.UNPACK_GZIP,
    Contents.BZIP2: Hint.UNPACK_BZIP2,
    Contents.XZ: Hint.UNPACK_XZ,
    Contents.ZSTD: Hint.UNPACK_ZSTD,
    Contents.SEVEN_ZIP: Hint.UNPACK_7Z,
    Contents.ZIP: Hint.UNPACK_ZIP,
    Contents.TAR: Hint.UNPACK_TAR,
    Contents.SQLITE: Hint.WRITE_AS_TEXT,
    Contents.PARQUET: Hint.WRITE_AS_TEXT,
    Contents.BINARY: Hint.WRITE_AS_TEXT,
}


def check(name: str, found: Contents, accepted: Collection[Contents], wanted: str) -> None:
    """Check that a file is one that is taken; `wanted` says in words what is.

    Raises:
        UsageFault: it is something else.
    """
    if found not in accepted:
        raise refusal(name, found, wanted)


def refusal(name: str, found: Contents, wanted: str) -> UsageFault:
    """What is said of a file that holds something else than is wanted."""
    return UsageFault(
        f"{quoted(name)} {found}, but {wanted}",
        FaultCode.WRONG_CONTENTS,
        hint=_WAYS_OUT.get(found),
        path=name,
    )
