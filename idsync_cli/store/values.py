"""The values that go into a store and come out of it, beside those of the core."""

from typing import Final, NamedTuple

from mypy_extensions import mypyc_attr

from idsync_cli.core.codes import EntryKind, EntryRule, RequestKind
from idsync_cli.core.config.rules import ScopeRules
from idsync_cli.core.data.values import Alias, AttributeChange
from idsync_cli.core.decision import Change
from idsync_cli.core.erasure import Erasure
from idsync_cli.core.identity import TYPE_BITS, Identifier, IdentityType
from idsync_cli.core.profile import Profile, ProfileView
from idsync_cli.core.value import Value


@mypyc_attr(free_list_len=1)
class RequestEntry(Value):
    """What the history keeps of a request besides its changes.

    `time_ms` is when it was answered, in milliseconds since 1970, UTC. `request_id` and
    `request_timestamp_ms` are its own; they are None if it had none.
    """

    __match_args__ = ("seq", "time_ms", "kind", "request_id", "request_timestamp_ms")
    __slots__ = __match_args__

    def __init__(
        self,
        seq: int,
        time_ms: int,
        kind: RequestKind,
        request_id: str | None = None,
        request_timestamp_ms: int | None = None,
    ) -> None:
        self.seq: Final = seq
        self.time_ms: Final = time_ms
        self.kind: Final = kind
        self.request_id: Final = request_id
        self.request_timestamp_ms: Final = request_timestamp_ms

    @property
    def own_time_ms(self) -> int:
        """The time that it brought itself, or else when it was answered."""
        its_own = self.request_timestamp_ms
        return self.time_ms if its_own is None else its_own


HistoryChange = Change | AttributeChange | Alias | Erasure
"""What an entry of the history says: of an identity record, an attribute, an alias, an erasure."""


class HistoryEntry(Value):
    """One change of a profile, with the request, or import, that made it (section 9).

    That is a change of its identity record, of an attribute, its erasure, or an alias, which is an
    entry on its destination and concerns its source, too. `kind` and `rule` are those of the
    request, or both are `Import.IMPORT`; the rule of an erasure is not kept. For the rule
    `identifier`, `decided_by_type` is the type that decided. An identifier may have the value
    ERASED_VALUE, and the id of a request that was answered with an erased profile is gone.
    """

    __match_args__ = (
        "seq", "time_ms", "kind", "request_id", "request_timestamp_ms", "change", "rule",
        "decided_by_type",
    )  # fmt: skip
    __slots__ = __match_args__

    def __init__(
        self,
        seq: int,
        time_ms: int,
        kind: EntryKind,
        request_id: str | None,
        request_timestamp_ms: int | None,
        change: HistoryChange,
        rule: EntryRule | None,
        decided_by_type: IdentityType | None = None,
    ) -> None:
        self.seq: Final = seq
        self.time_ms: Final = time_ms
        self.kind: Final = kind
        self.request_id: Final = request_id
        self.request_timestamp_ms: Final = request_timestamp_ms
        self.change: Final = change
        self.rule: Final = rule
        self.decided_by_type: Final = decided_by_type

    @property
    def mpid(self) -> int:
        """The profile that was changed."""
        change = self.change
        return change.destination_mpid if isinstance(change, Alias) else change.mpid

    def concerns(self, mpid: int) -> bool:
        """Whether it is about a profile."""
        change = self.change
        return mpid == self.mpid or (isinstance(change, Alias) and mpid == change.source_mpid)

    def is_about(self, identifier: Identifier) -> bool:
        """Whether somebody got or lost the identifier."""
        change = self.change
        return isinstance(change, Change) and change.identifier == identifier


class AudienceMember(NamedTuple):
    """A profile that is in an audience."""

    profile: Profile
    is_opted_out: bool


class MemberCount(NamedTuple):
    """How many members an audience has, and how many of them have opted out."""

    members: int
    opted_out: int


class ProfileFilter(NamedTuple):
    """Which profiles are asked for; a member that is None does not matter.

    `holding` asks for those that hold an identifier of the type. `known` and `orphaned` ask for
    those that are so, or are not, by the present rules (section 1).
    """

    scope: str | None = None
    holding: IdentityType | None = None
    known: bool | None = None
    orphaned: bool | None = None

    def accepts(self, scope: str, profile: ProfileView, rules: ScopeRules | None) -> bool:
        """Whether a profile of a scope is asked for.

        If the scope has no rules, the profile counts as known if it ever was, and as orphaned if it
        holds nothing.
        """
        known = profile.was_known if rules is None else rules.is_known(profile)
        found = profile.types != 0 if rules is None else rules.holds_lookup(profile.types)
        return (
            self.scope in (None, scope)
            and (self.holding is None or profile.types & TYPE_BITS[self.holding] != 0)
            and self.known in (None, known)
            and self.orphaned in (None, not found)
        )


EVERY_PROFILE = ProfileFilter()
