"""What can go wrong outside the rules, grouped by what the user can do about it.

An error has a code, the facts that its message is made of, and the code of a hint at the way out.
Its message names no command and no option: a client over HTTP has none. The command line
says hints in its own words (`cli/hints.py`).
"""

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Any, Self

LONGEST_QUOTE = 80
"""How many characters of a foreign value an error shows."""


class FaultCode(StrEnum):
    """What kind of fault an error is."""

    USAGE = "USAGE"
    INVALID_PATH = "INVALID_PATH"
    FILE_UNREADABLE = "FILE_UNREADABLE"
    INVALID_FILE = "INVALID_FILE"
    WRONG_CONTENTS = "WRONG_CONTENTS"
    FILE_CHANGED = "FILE_CHANGED"
    FILE_EXISTS = "FILE_EXISTS"
    FILE_IN_USE = "FILE_IN_USE"
    OUTPUT_UNWRITABLE = "OUTPUT_UNWRITABLE"
    OUTPUT_CHANGED = "OUTPUT_CHANGED"
    OPTIONS_CHANGED = "OPTIONS_CHANGED"
    REPLAYED_BEFORE = "REPLAYED_BEFORE"
    REPLAYED_ELSEWHERE = "REPLAYED_ELSEWHERE"
    NO_STORE = "NO_STORE"
    NOT_A_STORE = "NOT_A_STORE"
    OLD_STORE = "OLD_STORE"
    NEWER_STORE = "NEWER_STORE"
    STORE_UNUSABLE = "STORE_UNUSABLE"
    STORE_UNWRITABLE = "STORE_UNWRITABLE"
    STORE_DAMAGED = "STORE_DAMAGED"
    STORE_BUSY = "STORE_BUSY"
    STORE_REPLACED = "STORE_REPLACED"
    ERASURE_UNFINISHED = "ERASURE_UNFINISHED"
    REQUEST_ID_USED = "REQUEST_ID_USED"
    DISK_FULL = "DISK_FULL"
    DISK_FAILS = "DISK_FAILS"
    WRITER_ENDED = "WRITER_ENDED"


class Hint(StrEnum):
    """A way out of a fault. What its sentence needs is among the facts of the error."""

    TRY_AGAIN = "TRY_AGAIN"
    WAIT_AND_TRY_AGAIN = "WAIT_AND_TRY_AGAIN"
    LOOK_AND_TRY_AGAIN = "LOOK_AND_TRY_AGAIN"
    MAKE_ROOM = "MAKE_ROOM"
    MAKE_ROOM_FOR_TEMPORARY_FILES = "MAKE_ROOM_FOR_TEMPORARY_FILES"
    SAVE_TO_A_FILE = "SAVE_TO_A_FILE"
    RESUME_BY_TIME = "RESUME_BY_TIME"
    RESUME_NOT_BY_TIME = "RESUME_NOT_BY_TIME"
    MAKE_ROOM_AND_RESUME = "MAKE_ROOM_AND_RESUME"
    ALLOW_WRITING = "ALLOW_WRITING"
    REPLACE_FILE = "REPLACE_FILE"
    MAKE_CONFIGURATION = "MAKE_CONFIGURATION"
    MAKE_CONFIGURATION_ANEW = "MAKE_CONFIGURATION_ANEW"
    MAKE_STORE = "MAKE_STORE"
    NAME_STORE = "NAME_STORE"
    NAME_ANOTHER_STORE = "NAME_ANOTHER_STORE"
    NAME_BACKUP = "NAME_BACKUP"
    NAME_STORE_OR_TRY_DRY = "NAME_STORE_OR_TRY_DRY"
    UPDATE_STORE = "UPDATE_STORE"
    RUN_DOCTOR = "RUN_DOCTOR"
    RESUME = "RESUME"
    RESUME_REPLAY = "RESUME_REPLAY"
    REPLAY_AGAIN = "REPLAY_AGAIN"
    CONVERT_RECORDED = "CONVERT_RECORDED"
    PASS_OVER_OR_REPLAY_AGAIN = "PASS_OVER_OR_REPLAY_AGAIN"
    PASS_OVER_REPLAYED = "PASS_OVER_REPLAYED"
    MEND_FILE_AND_RESUME = "MEND_FILE_AND_RESUME"
    RESTORE_FILE_AND_RESUME = "RESTORE_FILE_AND_RESUME"
    NAME_FILE_ONCE = "NAME_FILE_ONCE"
    RESUME_OR_REPLAY_AGAIN = "RESUME_OR_REPLAY_AGAIN"
    RESUME_WITH_OUTPUT = "RESUME_WITH_OUTPUT"
    RESUME_WITHOUT_OUTPUT = "RESUME_WITHOUT_OUTPUT"
    RESUME_WITH_MAP = "RESUME_WITH_MAP"
    RESUME_WITHOUT_MAP = "RESUME_WITHOUT_MAP"
    RESUME_WITH_ENRICH = "RESUME_WITH_ENRICH"
    RESUME_WITHOUT_ENRICH = "RESUME_WITHOUT_ENRICH"
    REPLAY_FILE = "REPLAY_FILE"
    IMPORT_FILE = "IMPORT_FILE"
    CONVERT_FILE = "CONVERT_FILE"
    CONVERT_ARRAY = "CONVERT_ARRAY"
    CONVERT_WRAPPED = "CONVERT_WRAPPED"
    CONVERT_OBJECTS = "CONVERT_OBJECTS"
    CONVERT_ROWS = "CONVERT_ROWS"
    NAME_WHAT_WAS_ANSWERED = "NAME_WHAT_WAS_ANSWERED"
    UNQUOTE_OBJECTS = "UNQUOTE_OBJECTS"
    CUT_PREFIXES = "CUT_PREFIXES"
    MAKE_LINE_FEEDS = "MAKE_LINE_FEEDS"
    RECODE_UTF_16 = "RECODE_UTF_16"
    RECODE_UTF_32 = "RECODE_UTF_32"
    GET_WHOLE_COPY = "GET_WHOLE_COPY"
    GET_FILE_ANEW = "GET_FILE_ANEW"
    GET_BY_GIT_LFS = "GET_BY_GIT_LFS"
    UNPACK_GZIP = "UNPACK_GZIP"
    UNPACK_BZIP2 = "UNPACK_BZIP2"
    UNPACK_XZ = "UNPACK_XZ"
    UNPACK_ZSTD = "UNPACK_ZSTD"
    UNPACK_7Z = "UNPACK_7Z"
    UNPACK_ZIP = "UNPACK_ZIP"
    UNPACK_TAR = "UNPACK_TAR"
    WRITE_AS_TEXT = "WRITE_AS_TEXT"
    BRING_BACK = "BRING_BACK"
    FINISH_LATER = "FINISH_LATER"
    SHOW_PROFILE = "SHOW_PROFILE"
    MAP_COLUMN = "MAP_COLUMN"
    LEAVE_OUT_COLUMN = "LEAVE_OUT_COLUMN"
    LIST_TYPES = "LIST_TYPES"
    NAME_ANOTHER_OUTPUT = "NAME_ANOTHER_OUTPUT"
    NAME_OUTPUT_OF_JOB = "NAME_OUTPUT_OF_JOB"
    NAME_EXPORT = "NAME_EXPORT"
    ERASE_WHEN_LOADED = "ERASE_WHEN_LOADED"
    RUN_AGAIN = "RUN_AGAIN"
    GIVE_WINDOW = "GIVE_WINDOW"
    GIVE_MAX_SHARE = "GIVE_MAX_SHARE"
    GIVE_SEED = "GIVE_SEED"
    LEAVE_SEED_OUT = "LEAVE_SEED_OUT"
    LISTEN_ELSEWHERE = "LISTEN_ELSEWHERE"
    GIVE_CERTIFICATE_WITH_KEY = "GIVE_CERTIFICATE_WITH_KEY"


class Kept(StrEnum):
    """What is certain about the work when a fault ends it."""

    NOTHING_CHANGED = "nothing was changed"
    STORE_AS_IT_WAS = "the store is unchanged"
    EARLIER_IS_WHOLE = "everything committed before is intact"
    ALL_IS_IN_OLD_FILE = (
        "what was done here is in the original file, not in the one that replaced it"
    )


class IdsyncError(Exception):
    """A fault that the user can fix; its exit status follows section 8.

    `kept` says what became of the work, and is None where that is not known for sure.
    """

    exit_status = 2
    default_code = FaultCode.USAGE

    def __init__(
        self,
        message: str,
        code: FaultCode | None = None,
        *,
        hint: Hint | None = None,
        kept: Kept | None = None,
        **facts: str | int,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = self.default_code if code is None else code
        self.hint = hint
        self.kept = kept
        self.facts: Mapping[str, str | int] = facts

    def __str__(self) -> str:
        return self.message if self.kept is None else f"{self.message}; {self.kept.value}"

    def as_values(self) -> tuple[Any, ...]:
        """All of it as plain values, for another process; `told_of` reads them."""
        plain = (None if each is None else each.value for each in (self.hint, self.kept))
        return (self.message, self.code.value, *plain, dict(self.facts))

    @classmethod
    def told_of(cls, values: tuple[Any, ...]) -> Self:
        """The error that another process made plain values of."""
        message, code, hint, kept, facts = values
        return cls(
            message,
            FaultCode(code),
            hint=None if hint is None else Hint(hint),
            kept=None if kept is None else Kept(kept),
            **facts,
        )


class UsageFault(IdsyncError):
    """The command asks for something that cannot be."""


class StoreFault(IdsyncError):
    """The store cannot be used: locked, damaged, newer than this version, or no store at all."""

    exit_status = 3
    default_code = FaultCode.STORE_UNUSABLE


class Busy(IdsyncError):
    """Too many requests are waiting; nothing was done, and the request can be repeated."""

    exit_status = 3


class Stopped(IdsyncError):
    """The service has been stopped; nothing was done."""

    exit_status = 3


class Terminated(BaseException):
    """Someone asked the process to end: like Ctrl-C, it must not be handled as an error.

    `is_told` says that the command has told what became of its work.
    """

    is_told = False

    def __init__(self, number: int) -> None:
        """Name the signal by which it was asked."""
        super().__init__(number)
        self.exit_status = 128 + number  # as shells report it


class OutputClosed(Exception):
    """The reader of standard output has gone."""


class AsWritten(str):
    """A piece of JSON as it stands in a file: what its backslashes mean is said there."""

    __slots__ = ()


def printable(text: str) -> str:
    """Show every character that could move a cursor or turn text around as an escape."""
    if text.isprintable():
        return text
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode()
        for character in text
    )


def quoted(value: object) -> str:
    """A foreign value for an error message: one line, bounded, between quotes."""
    text = str(value)[: LONGEST_QUOTE + 1]
    if isinstance(value, AsWritten):
        text = "\\".join([quoted(piece)[1:-1] for piece in text.split("\\")])
    elif not (text.isascii() and text.isprintable() and "\\" not in text):
        from idsync_cli.visible import visible

        text = visible(text, spaces=False)
    return f"'{text}'" if len(text) <= LONGEST_QUOTE else f"'{text[:LONGEST_QUOTE]}…'"


def number_of(number: int, noun: str) -> str:
    """A number with its noun, such as `1 line` or `5,000 lines`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def nearest(word: str, words: Iterable[str]) -> str:
    """A hint at the nearest right words, ready to be put behind a message; or nothing."""
    from idsync_cli.nearest import nearest_words

    return did_you_mean(nearest_words(word[:LONGEST_QUOTE], words))


def did_you_mean(words: Sequence[str]) -> str:
    """A hint at words, ready to be put behind a message; or nothing if there are none."""
    if not words:
        return ""
    *others, last = map(quoted, words)
    return f"; did you mean {', '.join(others)}{' or ' if others else ''}{last}?"
