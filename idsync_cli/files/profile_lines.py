"""Profile lines: profiles as JSON, one per line, from a file, a pipe or an archive (section 8)."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import IO, Any

from idsync_cli import wire
from idsync_cli.core.codes import ErrorCode
from idsync_cli.core.config.rules import Organization
from idsync_cli.core.decision import WHOLE_REQUEST, Refusal, Word
from idsync_cli.core.identity import Identifier, parse_mpid, value_fault
from idsync_cli.errors import Hint, quoted
from idsync_cli.file_faults import Excerpt
from idsync_cli.files.contents import BYTE_ORDER_MARK, LINES, Contents, check
from idsync_cli.files.member_checks import (
    A_SEQ,
    AN_MPID,
    RECORD,
    ExcerptOf,
    Member,
    told_wrong,
)
from idsync_cli.files.record_lines import RecordLine, read_record
from idsync_cli.files.source import STANDARD_STREAM, Source, open_seekable

LONGEST_LINE = 2**24
"""How many bytes a line may have: a thousand identifiers of the greatest length, or 100,000."""

_WHAT = "profiles"
_TAKEN = (*LINES, Contents.PROFILES, Contents.CSV)
_PIECE = 2**16


@dataclass(frozen=True, slots=True)
class ProfileLine:
    """A profile as a file says it is; without a number it takes the next one."""

    line: int
    scope: str
    mpid: int
    created_seq: int | None
    source_mpid: int | None
    known: bool
    identifiers: tuple[Identifier, ...]
    excerpt: ExcerptOf = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class BadLine:
    """A line that is no profile, what is wrong with it, and the way out if that is not said."""

    line: int
    what: str
    excerpt: Excerpt | None = field(default=None, compare=False)
    hint: Hint | None = None


AnyLine = ProfileLine | RecordLine | BadLine
"""What a line of an export may be, or fail to be."""


def read_jsonl(source: "ProfileFile", organization: Organization) -> Iterator[AnyLine]:
    """The lines of a file of JSON lines; they end at line feeds only, and blank ones count."""
    for number, line in source.lines():
        content = line.removesuffix(b"\n").removesuffix(b"\r")
        if len(content) > LONGEST_LINE:
            what = "the line is longer than 16 MiB; such a large profile cannot be imported"
            yield BadLine(number, what, wire.excerpt_of(number, content, None))
        elif content.strip():
            excerpt = partial(wire.excerpt_of, number, content)
            profile = read_profile(
                number, partial(wire.decode_json, content), organization, excerpt, content
            )
            if isinstance(profile, BadLine) and (again := wire.read_again(content)) is not None:
                profile = read_profile(
                    number, partial(_itself, again), organization, excerpt, content
                )
            yield profile


def _itself(value: object) -> object:
    return value


def read_profile(
    number: int,
    decode: Callable[[], object],
    organization: Organization,
    excerpt: ExcerptOf,
    line: bytes | None = None,
) -> AnyLine:
    """Read one profile, or the record that a line holds, or say why it is neither.

    `decode` may raise a Refusal.
    """
    try:
        value = decode()
        if line is not None and isinstance(value, dict) and RECORD in value:
            return read_record(number, value, line, organization, excerpt)
        return _profile_of(number, value, organization, excerpt)
    except Refusal as refusal:
        return BadLine(number, refusal.message, excerpt(refusal.word), refusal.hint)
    except RecursionError:  # what could be read may still be too deep to be shown
        return BadLine(number, "nested too deeply to read", excerpt(None))


def _profile_of(
    number: int, value: object, organization: Organization, excerpt: ExcerptOf
) -> ProfileLine:
    if not isinstance(value, dict):
        raise _bad("a profile is a JSON object", WHOLE_REQUEST)
    for name in value:
        if name not in _MEMBERS:
            raise wire.unknown_member(name, _MEMBERS, identifiers_in="identities")
    given = {name: each for name, each in value.items() if each is not None}
    for name, each in given.items():
        if not _MEMBERS[name][1](each):
            raise _bad(told_wrong(name, each, _MEMBERS), (name,))
    for name in ("mpid", "identities"):
        if name not in given:
            raise _bad(f"no {name}; a profile needs an mpid and identities", WHOLE_REQUEST)
    if "scope" not in given and len(organization.scopes) > 1:
        raise _bad(
            "no scope; the configuration has several, so the profile must name one", WHOLE_REQUEST
        )
    mpid = parse_mpid(given["mpid"])
    assert mpid is not None
    return ProfileLine(
        line=number,
        scope=wire.scope_of(given.get("scope"), None, organization, wire.Target()),
        mpid=mpid,
        created_seq=given.get("created_seq"),
        source_mpid=parse_mpid(given.get("source_mpid")),
        known=given.get("known", False),
        identifiers=tuple(_identifiers(given["identities"])),
        excerpt=excerpt,
    )


def _identifiers(identities: Mapping[str, Any]) -> Iterator[Identifier]:
    for kind, values in wire.identities_of(identities).items():
        word = ("identities", kind.value)
        if not isinstance(values, list):
            what = f"{kind} is {quoted(wire.shown(values))}, but must be a list of values"
            raise _bad(what, word)
        for index, value in enumerate(values):
            fault = "is empty" if value == "" else value_fault(value)
            if fault:
                raise Refusal(
                    ErrorCode.INVALID_IDENTITY_VALUE,
                    f"the value {quoted(wire.shown(value))} of {kind} {fault}",
                    word=(*word, index),
                )
            yield Identifier(kind, value)


def _bad(message: str, word: Word) -> Refusal:
    return Refusal(ErrorCode.INVALID_REQUEST, message, word=word)


_MEMBERS: Mapping[str, Member] = {
    "mpid": AN_MPID,
    "scope": ("text", wire.is_text),
    "created_seq": A_SEQ,
    "source_mpid": AN_MPID,
    "known": ("true or false", lambda value: isinstance(value, bool)),
    "orphaned": ("anything", lambda _: True),  # passed over: it follows from the identifiers
    "identities": ("an object of lists", lambda value: isinstance(value, dict)),
}
"""Every member that a profile may have, and what it must be (section 8)."""


class ProfileFile:
    """The bytes of a file of profiles, or of what else is said.

    `size` and `position` say how much of it has been read.

    Every method raises UsageFault where the file cannot be read, or is a damaged archive.
    """

    def __init__(self, name: str, raw: IO[bytes], what: str = _WHAT) -> None:
        self.name = "standard input" if name == STANDARD_STREAM else name
        raw.seek(0)
        self._source = Source(name, raw, what)
        self.holds = self._source.look()

    @property
    def size(self) -> int | None:
        """How many bytes the file itself has, as far as that is known."""
        return self._source.size_of_file

    @property
    def position(self) -> int:
        """How many bytes of the file itself have been read."""
        return self._source.position_in_file

    def lines(self) -> Iterator[tuple[int, bytes]]:
        """The lines with their numbers; of one that is too long, no more than shows that it is."""
        number = 0
        self._source.rewind()
        while (line := self._readline()) is not None:
            number += 1
            yield number, line.removeprefix(BYTE_ORDER_MARK) if number == 1 else line

    def _readline(self) -> bytes | None:
        piece = line = self._source.readline(LONGEST_LINE + 1)
        while piece and not piece.endswith(b"\n"):
            piece = self._source.readline(_PIECE)
        return line or None


@contextmanager
def open_profiles(name: str) -> Iterator[ProfileFile]:
    """Open a file of profiles, packed by gzip or not; `-` is standard input.

    A pipe is read to its end at once, so that nobody waits for it with the store in hand.

    Raises:
        UsageFault: it cannot be opened, or holds something else than profiles.
    """
    with open_seekable(name, _WHAT) as raw:
        file = ProfileFile(name, raw)
        check(name, file.holds, _TAKEN, "profiles are JSON, one object per line, or CSV")
        yield file
