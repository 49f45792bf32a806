"""What is in memory of a store: profiles, identifiers, and who holds which."""

from collections.abc import Sequence
from typing import Final

from idsync_cli.core.identity import Identifier, IdentityType
from idsync_cli.core.profile import ProfileView
from idsync_cli.store.sqlite.rows.checksums import NO_TIME, hash_prefix

TYPES: Final = tuple(IdentityType)
"""The type of each identity_type_id."""

NOT_READ: Final = 2**63
"""Stands for a request that is later than any."""


class Scope:
    """A scope: its number, and by type those identifiers of it that are in memory.

    `login_bits` has the types that make a profile known in `holders`, a bit each.
    """

    __slots__ = ("entries", "login_bits", "number", "prefixes")

    def __init__(self, number: int, login_bits: int) -> None:
        self.number = number
        self.login_bits = login_bits
        self.entries: list[dict[str, CachedIdentifier]] = [{} for _ in TYPES]
        self.prefixes = [hash_prefix(number, type_id) for type_id in range(len(TYPES))]


class HolderRow:
    """An identifier that a profile holds, by its number; its type, and by which change it came.

    `older` is what the same profile has held for longer. `begin` is where it was entered among
    what is to be written, in this batch or one before.
    """

    __slots__ = ("begin", "number", "older", "place", "seq", "type_id")

    def __init__(
        self, number: int, type_id: int, seq: int, place: int, older: "HolderRow | None"
    ) -> None:
        self.number = number
        self.type_id = type_id
        self.seq = seq
        self.place = place
        self.older = older
        self.begin = -1


class CachedProfile:
    """A profile as it is in memory.

    `known` says in which of its ranges the `holders` table has it. `newest` is what it has held
    for the shortest time, once all of that was needed (`is_read`). Times may be NO_TIME.
    """

    __slots__ = (
        "created_seq", "first_seen_ms", "is_changed", "is_new", "is_read", "known",
        "last_stored_ms", "mpid", "newest", "scope", "source_mpid", "stored_known", "types",
        "was_known",
    )  # fmt: skip

    def __init__(
        self,
        created_seq: int,
        mpid: int,
        scope: Scope,
        source_mpid: int | None,
        was_known: bool,
        types: int,
        first_seen_ms: int = NO_TIME,
        last_stored_ms: int = NO_TIME,
    ) -> None:
        self.mpid = mpid
        self.created_seq = created_seq
        self.source_mpid = source_mpid
        self.was_known = was_known
        self.types = types
        self.first_seen_ms = first_seen_ms
        self.last_stored_ms = last_stored_ms
        self.scope = scope
        self.known = was_known or types & scope.login_bits != 0
        self.stored_known = self.known
        self.newest: HolderRow | None = None
        self.is_read = False
        self.is_new = False
        self.is_changed = False

    def view(self) -> ProfileView:
        """The profile as it is now, for the rules."""
        return ProfileView(
            self.mpid, self.created_seq, self.source_mpid, self.was_known, self.types
        )

    def lose(self, number: int) -> HolderRow | None:
        """Let it no longer hold an identifier; which one, if what it holds has been read."""
        newer, each = None, self.newest
        while each is not None:
            if each.number == number:
                if newer is None:
                    self.newest = each.older
                else:
                    newer.older = each.older
                return each
            newer, each = each, each.older
        return None

    def has(self, number: int) -> bool:
        """Whether it holds an identifier; what it holds has been read."""
        each = self.newest
        while each is not None:
            if each.number == number:
                return True
            each = each.older
        return False


class HolderList:
    """Holders of one identifier that are known, or that are anonymous, oldest first.

    Of all that there are it has those made by request `floor` or later.
    """

    __slots__ = ("floor", "holders")

    def __init__(self, floor: int) -> None:
        self.floor = floor
        self.holders: list[CachedProfile] = []

    def add(self, profile: CachedProfile) -> None:
        """Let it have a holder more, in its place by age."""
        holders, seq = self.holders, profile.created_seq
        if seq < self.floor:
            return
        if not holders or holders[-1].created_seq < seq:
            holders.append(profile)
        else:
            holders.insert(_place(holders, seq), profile)

    def discard(self, profile: CachedProfile) -> None:
        """Let it have a holder less."""
        if profile.created_seq >= self.floor:
            self.holders.remove(profile)

    def has(self, profile: CachedProfile) -> bool:
        """Whether the profile, which is as young as `floor`, is among them."""
        holders = self.holders
        place = 0 if len(holders) <= 1 else _place(holders, profile.created_seq)
        return place < len(holders) and holders[place] is profile


def _place(holders: Sequence[CachedProfile], created_seq: int) -> int:
    """Where a profile made by that request stands among others by age."""
    low, high = 0, len(holders)
    while low < high:
        middle = (low + high) // 2
        if holders[middle].created_seq < created_seq:
            low = middle + 1
        else:
            high = middle
    return low


class CachedIdentifier:
    """An identifier: its number, None where the store has never seen it, and its holders.

    With `is_whole` nothing of them is in the tables that is not in memory; where there is but one
    and always was, it is `only`. A crowd is None until it is asked for. `era` says when the
    identifier was last named.
    """

    __slots__ = (
        "anonymous",
        "generation",
        "identifier",
        "identifier_id",
        "is_whole",
        "known",
        "only",
    )

    def __init__(self, identifier: Identifier, generation: int) -> None:
        self.identifier = identifier
        self.generation = generation
        self.identifier_id: int | None = None
        self.is_whole = True
        self.only: CachedProfile | None = None
        self.known: HolderList | None = None
        self.anonymous: HolderList | None = None

    def crowd(self, known: bool) -> HolderList:
        """The known or the anonymous holders."""
        only = self.only
        if only is not None:
            self.only = None
            self.crowd(only.known).add(only)
        crowd = self.known if known else self.anonymous
        if crowd is None:
            crowd = HolderList(0 if self.is_whole else NOT_READ)
            if known:
                self.known = crowd
            else:
                self.anonymous = crowd
        return crowd

    def add(self, profile: "CachedProfile") -> None:
        """Let it have a holder more."""
        is_first = self.is_whole and self.only is None
        if is_first and self.known is None and self.anonymous is None:
            self.only = profile
        else:
            self.crowd(profile.known).add(profile)

    def discard(self, profile: "CachedProfile") -> None:
        """Let it have a holder less."""
        if self.only is profile:
            self.only = None
        else:
            self.crowd(profile.known).discard(profile)


def whole_crowd(entry: CachedIdentifier) -> list[CachedProfile] | None:
    """The anonymous holders of an identifier, if all that there are are in memory."""
    if entry.only is not None:
        return [] if entry.only.known else [entry.only]
    crowd = entry.crowd(known=False)
    return crowd.holders if crowd.floor == 0 else None
