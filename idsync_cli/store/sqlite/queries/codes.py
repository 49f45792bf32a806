"""The words that stand in rows of `outcomes`, as the codes that they are."""

from enum import StrEnum
from typing import TypeVar

from idsync_cli.core.codes import EntryKind, EntryRule, Import, RequestKind, Rule
from idsync_cli.core.identity import IdentityType
from idsync_cli.store.sqlite.files.faults import UnknownCode

_Code = TypeVar("_Code", bound=StrEnum)


def entry_kind(word: str) -> EntryKind:
    """What made a history entry; like the others here an UnknownCode for any other word."""
    return Import.IMPORT if word == Import.IMPORT else _code(RequestKind, word)


def entry_rule(word: str) -> EntryRule:
    """What decided a history entry."""
    return Import.IMPORT if word == Import.IMPORT else _code(Rule, word)


def deciding_type(word: str | None) -> IdentityType | None:
    """The type that decided, if one did."""
    return None if word is None else _code(IdentityType, word)


def _code(codes: type[_Code], word: str) -> _Code:
    try:
        return codes(word)
    except ValueError:
        raise UnknownCode from None
