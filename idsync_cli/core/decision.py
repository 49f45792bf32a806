"""What was decided: a value that can be shown, compared or applied, unchanged (section 8)."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from idsync_cli.core.codes import (
    AliasFault,
    ErrorCode,
    KeptBy,
    NoteCode,
    Op,
    Reason,
    RequestKind,
    Rule,
    Status,
)
from idsync_cli.core.data.values import Alias, BatchData
from idsync_cli.core.erasure import ErasureReport
from idsync_cli.core.identity import Identifier, IdentityType
from idsync_cli.core.profile import ProfileView
from idsync_cli.core.tiers import NearMiss, Tier
from idsync_cli.core.value import Value
from idsync_cli.errors import Hint

_ERASED: Final = Status.ERASED


class DecidedBy(NamedTuple):
    """The rule that decided; rank and type for the rule `identifier` alone."""

    rule: Rule
    rank: int | None = None
    identity_type: IdentityType | None = None


class Change(Value):
    """One identifier that a profile gains or loses."""

    __match_args__ = ("op", "mpid", "identifier")
    __slots__ = __match_args__

    def __init__(self, op: Op, mpid: int, identifier: Identifier) -> None:
        self.op: Final = op
        self.mpid: Final = mpid
        self.identifier: Final = identifier


class Note(NamedTuple):
    """Something that the sender may not expect, and the type that it is about.

    If an explanation was asked for, a note `held_elsewhere` has the MPID of the holder that keeps
    the identifier (the lowest, if there are several), and the reason. A note `moved` has the MPID
    of the profile that the identifier was taken from.
    """

    code: NoteCode
    identity_type: IdentityType | None = None
    mpid: int | None = None
    reason: Reason | KeptBy | None = None


Word = str | int | tuple[str | int, ...]
"""Where the fault in a line is: a word of it, a character, counted from 0, or the keys and indices
that lead to a value of the request."""

KNOWN_IDENTITIES: Final[Word] = ("known_identities",)
WHOLE_REQUEST: Final[Word] = ()


class Refusal(Exception):
    """A request that is rejected and changes nothing: its code, and what is wrong in words.

    `hint` is the way out, if the message does not say it, and `word` is the part of the request
    that is at fault; an answer in JSON has neither. `tiers` and `notes` are there if an explanation
    was asked for and step 5 rejected the request. `fault` says why an alias is rejected.
    """

    def __init__(
        self,
        code: ErrorCode,
        message: str,
        hint: Hint | None = None,
        tiers: tuple[Tier, ...] = (),
        notes: tuple[Note, ...] = (),
        word: Word | None = None,
        fault: AliasFault | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint
        self.tiers = tiers
        self.notes = notes
        self.word = word
        self.fault = fault

    def __reduce__(self) -> tuple[type["Refusal"], tuple[object, ...]]:
        return Refusal, (
            self.code, self.message, self.hint, self.tiers, self.notes, self.word, self.fault,
        )  # fmt: skip


class ProfileUpdate(Value):
    """How a request leaves a profile that it changes: the types it then holds, one bit each.

    `was_known` is true from the first request on that finds or leaves it holding a login ID.
    """

    __match_args__ = ("profile", "types", "was_known")
    __slots__ = __match_args__

    def __init__(self, profile: ProfileView, types: int, was_known: bool) -> None:
        self.profile: Final = profile
        self.types: Final = types
        self.was_known: Final = was_known


class Decision(Value):
    """The answer to a request, with everything that applying and explaining it needs.

    `profile` is the answered profile as it was before the request, or None if none was found. If it
    was `created`, it holds nothing yet. `updates` has the profiles that change. For a search,
    `identifiers` are all that the found profile holds, oldest first, and `types_in_order` are their
    types. `tiers` are there if an explanation was asked for, and `near` if near misses were.

    `data` is what a batch brings to the profile, and `digest` stands for its id. Events in the
    window of one of `aliases` are copied as they come. `alias` is the alias that the request
    creates, and `copied` the number of events that it copies. `report` says what an erasure takes
    away, once a store was asked.
    """

    __match_args__ = (
        "status", "decided_by", "profile", "is_logged_in", "matched", "created", "changes",
        "orphaned", "updates", "notes", "identifiers", "types_in_order", "tiers",
        "near", "data", "digest", "aliases", "alias", "copied", "report",
    )  # fmt: skip
    __slots__ = __match_args__

    def __init__(
        self,
        status: Status,
        decided_by: DecidedBy,
        profile: ProfileView | None = None,
        is_logged_in: bool = False,
        matched: tuple[Identifier, ...] = (),
        created: bool = False,
        changes: tuple[Change, ...] = (),
        orphaned: tuple[int, ...] = (),
        updates: tuple[ProfileUpdate, ...] = (),
        notes: tuple[Note, ...] = (),
        identifiers: tuple[Identifier, ...] = (),
        types_in_order: tuple[IdentityType, ...] = (),
        tiers: tuple[Tier, ...] = (),
        near: tuple[NearMiss, ...] = (),
        data: BatchData | None = None,
        digest: bytes | None = None,
        aliases: Sequence[Alias] = (),
        alias: Alias | None = None,
        copied: int = 0,
        report: ErasureReport | None = None,
    ) -> None:
        self.status: Final = status
        self.decided_by: Final = decided_by
        self.profile: Final = profile
        self.is_logged_in: Final = is_logged_in
        self.matched: Final = matched
        self.created: Final = created
        self.changes: Final = changes
        self.orphaned: Final = orphaned
        self.updates: Final = updates
        self.notes: Final = notes
        self.identifiers: Final = identifiers
        self.types_in_order: Final = types_in_order
        self.tiers: Final = tiers
        self.near: Final = near
        self.data: Final = data
        self.digest: Final = digest
        self.aliases: Final = aliases
        self.alias: Final = alias
        self.copied: Final = copied
        self.report: Final = report

    @property
    def changes_the_store(self) -> bool:
        """Whether applying it changes anything."""
        if self.created or self.changes or self.digest is not None or self.alias is not None:
            return True
        if self.status is _ERASED:
            return True
        return self.data is not None and not self.data.is_empty

    def with_batch(
        self,
        data: BatchData,
        digest: bytes | None,
        aliases: Sequence[Alias],
    ) -> "Decision":
        """The same with what a batch brings."""
        return Decision(
            self.status, self.decided_by, self.profile, self.is_logged_in, self.matched,
            self.created, self.changes, self.orphaned, self.updates, self.notes,
            self.identifiers, self.types_in_order, self.tiers, self.near, data, digest, aliases,
        )  # fmt: skip

    def reported(self, report: ErasureReport) -> "Decision":
        """The same erasure with what it takes away."""
        return Decision(self.status, self.decided_by, self.profile, report=report)


class Answer(Value):
    """What a request came to: which one it was, and what was decided or why it was refused.

    `line` is None outside a replay. `kind` is None if the request is of no known kind, and `scope`
    if the request was refused before its scope was established.
    """

    __match_args__ = ("seq", "line", "kind", "scope", "outcome")
    __slots__ = __match_args__

    def __init__(
        self,
        seq: int,
        line: int | None,
        kind: RequestKind | None,
        scope: str | None,
        outcome: Decision | Refusal,
    ) -> None:
        self.seq: Final = seq
        self.line: Final = line
        self.kind: Final = kind
        self.scope: Final = scope
        self.outcome: Final = outcome

    @property
    def status(self) -> Status:
        """How it was answered."""
        return Status.ERROR if isinstance(self.outcome, Refusal) else self.outcome.status

    @property
    def mpid(self) -> int | None:
        """The profile it was answered with, if any."""
        if isinstance(self.outcome, Refusal) or self.outcome.profile is None:
            return None
        return self.outcome.profile.mpid
