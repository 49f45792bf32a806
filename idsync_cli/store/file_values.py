"""What there is to say of a store in a file: what can be wrong with it, and that all is erased."""

from collections import Counter
from collections.abc import Iterable
from enum import StrEnum
from typing import NamedTuple

EXAMPLES = 3
"""How many examples of each finding are kept."""


class FindingCode(StrEnum):
    """Each kind of finding, by the files of `sqlite/health`; `render.doctor` tells people of it."""

    # The files, before SQLite opens them: files.py
    MODE = "mode"
    DRAFT = "draft"
    SIZE = "size"
    HEADER = "header"
    # Pages and schema: pages.py; and whatever a check comes upon that cannot be: examination.py
    SQLITE = "sqlite"
    SCHEMA = "schema"
    UNREADABLE = "unreadable"
    # Rows with a checksum: checksums.py
    STORE = "store"
    CHECKSUM = "checksum"
    # What is stored twice: history.py, identifiers.py, holders.py, data.py
    HISTORY = "history"
    MPID = "mpid"
    HASH = "hash"
    VALUE = "value"
    TWICE = "twice"
    HOLDERS = "holders"
    TYPE = "type"
    TYPES = "types"
    KNOWN = "known"
    ATTRIBUTES = "attributes"
    # What refers to something else: relations.py
    REFERENCE = "reference"
    COUNTER = "counter"
    PROFILE = "profile"
    REPLAY = "replay"
    LABEL = "label"
    ERASURE = "erasure"
    UNFINISHED_ERASURE = "unfinished_erasure"
    # What does not fit the rules of today: rules.py
    SHARED_UNIQUE = "shared_unique"
    SEVERAL_IMMUTABLE = "several_immutable"
    LOGIN_TYPES = "login_types"
    UNNAMED_SCOPE = "unnamed_scope"
    ORPHAN = "orphan"


class Evidence(NamedTuple):
    """What shows that no byte is left: how many pages the file has, all of them rewritten.

    Of those none is free, and the log, which had the old ones, has no byte.
    """

    pages: int
    free_pages: int
    log_bytes: int


class Sign(NamedTuple):
    """One thing that is wrong: its code, and where it is."""

    code: FindingCode
    where: str


class Finding(NamedTuple):
    """All that was found under one code: how often, and a few examples of where."""

    code: FindingCode
    times: int
    examples: tuple[str, ...]


def summed_up(signs: Iterable[Sign], examples: int = EXAMPLES) -> list[Finding]:
    """One finding for each code, in the order in which they were first found."""
    counts: Counter[FindingCode] = Counter()
    found_at: dict[FindingCode, list[str]] = {}
    for code, where in signs:
        counts[code] += 1
        if counts[code] <= examples:
            found_at.setdefault(code, []).append(where)
    return [Finding(code, count, tuple(found_at[code])) for code, count in counts.items()]
