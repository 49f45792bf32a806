"""What a conversion came to, as a value."""

from typing import NamedTuple

from idsync_cli.core.identity import IdentityType
from idsync_cli.files.contents import Contents

SHOWN = 20
"""How many of what cannot be used, and of what is warned of, are named."""


class Unusable(NamedTuple):
    """Something that makes no request, or not the whole of one: where it stands, and why.

    `lines` is how many lines it takes with it, if it makes those behind it useless.
    """

    line: int
    why: str
    lines: int = 1


class UnusedColumn(NamedTuple):
    """A column, or a member of objects like rows, that no request has; `nearest` may be meant."""

    name: str
    nearest: str | None


class Variant(NamedTuple):
    """A value that differs only in case or spaces from one that came before, both with lines."""

    line: int
    identity_type: IdentityType
    value: str
    first_line: int
    first_value: str


class LineEnd(NamedTuple):
    """A value of a row with the end of a line in it, as after a quotation mark at a wrong place."""

    line: int
    identity_type: IdentityType
    value: str


class Converted(NamedTuple):
    """How many requests were written, and what was left out.

    `passed_over` counts what was never meant to be one: other calls of a browser, other lines of
    a log. `unusable`, `variants` and `line_ends` count; `first_…` are the first of each.
    """

    contents: Contents
    written: int
    passed_over: int
    unusable: int
    first_unusable: tuple[Unusable, ...]
    unused_columns: tuple[UnusedColumn, ...]
    variants: int
    first_variants: tuple[Variant, ...]
    line_ends: int
    first_line_ends: tuple[LineEnd, ...]

    @property
    def exit_status(self) -> int:
        """1 if something could not be used (section 12)."""
        return int(self.unusable > 0 or bool(self.unused_columns) or self.written == 0)
