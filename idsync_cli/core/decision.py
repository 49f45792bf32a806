"""What was decided: a value that can be shown, compared or applied, unchanged (section 8)."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from idsync_cli.core.codes import (
    ErrorCode,
    NoteCode,
    Op,
    Outcome,
    Reason,
    RequestKind,
    Rule,
    Status,
)
from idsync_cli.core.identity import Identifier, IdentityType
from idsync_cli.core.profile import Profile
from idsync_cli.core.rules import Rules
from idsync_cli.core.strategy import Settings


class Refusal(Exception):
    """A request that is refused and changes nothing: its code, and what is wrong in words."""

    def __init__(self, code: ErrorCode, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


@dataclass(frozen=True, slots=True)
class DecidedBy:
    """The rule that decided; rank and type for the rule `identifier` alone."""

    rule: Rule
    rank: int | None = None
    identity_type: IdentityType | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """One identifier that a profile gains or loses."""

    op: Op
    mpid: int
    identifier: Identifier


@dataclass(frozen=True, slots=True)
class Note:
    """Something done otherwise than the sender may expect, and for which type."""

    code: NoteCode
    identity_type: IdentityType | None = None


@dataclass(frozen=True, slots=True)
class Tier:
    """What one type of the priority did; counts are None where nothing was looked up.

    `verdicts` says of each profile that it found, by MPID, why it is not eligible, or None.
    """

    rank: int
    identity_type: IdentityType
    settings: Settings
    outcome: Outcome
    value: str | None = None
    held_by: int | None = None
    eligible: int | None = None
    ineligible: Mapping[Reason, int] = field(default_factory=dict)
    left: int | None = None
    verdicts: Mapping[int, Reason | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class NewProfile:
    """The profile that a request makes; its identifiers come by the decision's changes."""

    mpid: int
    created_seq: int
    source_mpid: int | None


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer to a request, with everything that applying and explaining it needs.

    `profile` is the answered profile as it is after the request, None where nothing was found.
    `became_known` names the profiles that count as known from now on, whatever they lose later.
    """

    status: Status
    decided_by: DecidedBy
    profile: Profile | None = None
    is_logged_in: bool = False
    matched: tuple[Identifier, ...] = ()
    created: NewProfile | None = None
    changes: tuple[Change, ...] = ()
    orphaned: tuple[int, ...] = ()
    became_known: tuple[int, ...] = ()
    notes: tuple[Note, ...] = ()
    tiers: tuple[Tier, ...] = ()

    @property
    def changes_the_store(self) -> bool:
        """Whether applying it changes anything."""
        return self.created is not None or bool(self.changes)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a request came to: which one it was, and what was decided or why it was refused.

    `line` is None outside a replay, `kind` where the request is none of the kinds, `scope` and
    `rules` before the scope is established.
    """

    seq: int
    line: int | None
    kind: RequestKind | None
    scope: str | None
    rules: Rules | None
    outcome: Decision | Refusal

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
