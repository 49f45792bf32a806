"""What was decided: a value that can be shown, compared or applied, unchanged (section 8)."""

from collections.abc import Mapping
from typing import Final, NamedTuple

from idsync_cli.core.codes import (
    ErrorCode,
    KeptBy,
    NoteCode,
    Op,
    Reason,
    RequestKind,
    Rule,
    Status,
    TierOutcome,
)
from idsync_cli.core.config.strategy import Settings
from idsync_cli.core.identity import Identifier, IdentityType
from idsync_cli.core.profile import ProfileView
from idsync_cli.core.value import Value
from idsync_cli.errors import Hint

_NONE: Mapping[Reason, int] = {}  # a MappingProxyType would not be pickled


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
    """Something done otherwise than the sender may expect, and for which type.

    Where an account was asked for, `held_elsewhere` names the holder with the lowest MPID that
    keeps the identifier, and why.
    """

    code: NoteCode
    identity_type: IdentityType | None = None
    mpid: int | None = None
    reason: Reason | KeptBy | None = None


COUNTED_TO = 1000
"""Where the counts of a tier stop (section 8): a crowd need not be counted to its end."""


class Tier(NamedTuple):
    """What one type of the priority did; counts are None where nothing was looked up.

    No count goes beyond COUNTED_TO; one that is as high may stand for more.
    """

    rank: int
    identity_type: IdentityType
    settings: Settings
    outcome: TierOutcome
    value: str | None = None
    held_by: int | None = None
    eligible: int | None = None
    ineligible: Mapping[Reason, int] = _NONE
    candidates: int | None = None
    stopped_counting: bool = False


NEAR_COUNTED_TO = 10
"""Where the counts of a near miss stop (section 8)."""


class NearMiss(NamedTuple):
    """An identifier of the request that profiles hold, none of which may be the answer, and why.

    No count goes beyond NEAR_COUNTED_TO; one that is as high may stand for more.
    """

    identifier: Identifier
    held_by: int
    ineligible: Mapping[Reason, int]


Word = str | int | tuple[str | int, ...]
"""What is at fault in a line: a word of it, a character, counted from 0, or the keys and indices
that lead to a value of the request."""

KNOWN_IDENTITIES: Final[Word] = ("known_identities",)
WHOLE_REQUEST: Final[Word] = ()


class Refusal(Exception):
    """A request that is rejected and changes nothing: its code, and what is wrong in words.

    `hint` is the way out where it is more than the message says, and `word` what is at fault. No
    answer in JSON has them.
    `tiers` and `notes` are there if the account was asked for and step 5 rejected the request.
    """

    def __init__(
        self,
        code: ErrorCode,
        message: str,
        hint: Hint | None = None,
        tiers: tuple[Tier, ...] = (),
        notes: tuple[Note, ...] = (),
        word: Word | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint
        self.tiers = tiers
        self.notes = notes
        self.word = word

    def __reduce__(self) -> tuple[type["Refusal"], tuple[object, ...]]:
        return Refusal, (
            self.code, self.message, self.hint, self.tiers, self.notes, self.word,
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

    `profile` is the answered profile as it was before the request, None where nothing was found;
    one that was `created` holds nothing yet. `identifiers` are all that a profile holds that a
    search found, as it got them; `types_in_order` are their types. `updates` has the profiles
    that change. `tiers` are there if the account of them was asked for, and `near` if near misses
    were.
    """

    __match_args__ = (
        "status", "decided_by", "profile", "is_logged_in", "matched", "created", "changes",
        "orphaned", "updates", "notes", "identifiers", "types_in_order", "tiers",
        "near",
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

    @property
    def changes_the_store(self) -> bool:
        """Whether applying it changes anything."""
        return self.created or bool(self.changes)


class Answer(Value):
    """What a request came to: which one it was, and what was decided or why it was refused.

    `line` is None outside a replay, `kind` where the request is none of the kinds, `scope` before
    it is established.
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
