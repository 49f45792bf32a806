"""What can be found wrong with a store: every code, once, and findings as values."""

from collections import Counter
from collections.abc import Iterable
from enum import StrEnum
from typing import NamedTuple

EXAMPLES = 3
"""How many examples of each finding are kept."""


class FindingCode(StrEnum):
    """Each kind of finding; what it means for people is said by `render.doctor`."""

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
    # What is stored twice: history.py, identifiers.py, holders.py
    HISTORY = "history"
    MPID = "mpid"
    HASH = "hash"
    VALUE = "value"
    TWICE = "twice"
    HOLDERS = "holders"
    TYPE = "type"
    TYPES = "types"
    KNOWN = "known"
    # What refers to something else: relations.py
    REFERENCE = "reference"
    COUNTER = "counter"
    PROFILE = "profile"
    REPLAY = "replay"
    LABEL = "label"
    # What does not fit the rules of today: rules.py
    SHARED_UNIQUE = "shared_unique"
    SEVERAL_IMMUTABLE = "several_immutable"
    LOGIN_TYPES = "login_types"
    UNNAMED_SCOPE = "unnamed_scope"
    ORPHAN = "orphan"


class Sign(NamedTuple):
    """Something that was found: what kind it is of, and where."""

    code: FindingCode
    where: str


class Finding(NamedTuple):
    """A kind of finding, how often it was found, and a few of the places."""

    code: FindingCode
    times: int
    examples: tuple[str, ...]


def summed_up(signs: Iterable[Sign], examples: int = EXAMPLES) -> list[Finding]:
    """The signs of each kind as one finding, in the order in which they were found first."""
    counts: Counter[FindingCode] = Counter()
    places: dict[FindingCode, list[str]] = {}
    for code, where in signs:
        counts[code] += 1
        if counts[code] <= examples:
            places.setdefault(code, []).append(where)
    return [Finding(code, count, tuple(places[code])) for code, count in counts.items()]
