"""What is in memory of a store: profiles, identifiers, and who holds which."""

from collections.abc import Sequence
from typing import Final

from idsync_cli.core.identity import Identifier, IdentityType
from idsync_cli.core.profile import ProfileView
from idsync_cli.store.sqlite.rows.checksums import NO_TIME, hash_prefix

TYPES: Final = tuple(IdentityType)
"""The type of each identity_type_id."""

NOT_READ: Final = 2**63
"""A sequence number above all that there are: nothing was read."""


class Scope:
    """A scope: its number, and those of its identifiers that are in memory, by type and value.

    `login_bits` has a bit for each type that makes a profile known in `holders`.
    """

    __slots__ = ("identifiers", "login_bits", "number", "prefixes")

    def __init__(self, number: int, login_bits: int) -> None:
        self.number = number
        self.login_bits = login_bits
        self.identifiers: list[dict[str, CachedIdentifier]] = [{} for _ in TYPES]
        self.prefixes = [hash_prefix(number, type_id) for type_id in range(len(TYPES))]


class HolderRow:
    """A row of `holders`: that a profile holds an identifier.

    `number` and `type_id` are the identifier's, `seq` and `place` say which change added it.
    `older` is the row of the same profile that was added before it. `begin` is where the row stands
    among the changes that are yet to be written, -1 if it does not; it counts on from batch to
    batch.
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

    `known` says under which value of `known` its rows stand in `holders`, `stored_known` under
    which they stand in the tables as last written. Once `is_read`, `newest` is the row that was
    added last, and leads to all others. Times may be NO_TIME.
    """

    __slots__ = (
        "created_seq", "first_seen_ms", "is_changed", "is_new", "is_read", "known", "known_seq",
        "last_stored_ms", "mpid", "newest", "scope", "source_mpid", "stored_known", "types",
    )  # fmt: skip

    def __init__(
        self,
        created_seq: int,
        mpid: int,
        scope: Scope,
        source_mpid: int | None,
        known_seq: int,
        types: int,
        first_seen_ms: int = NO_TIME,
        last_stored_ms: int = NO_TIME,
    ) -> None:
        self.mpid = mpid
        self.created_seq = created_seq
        self.source_mpid = source_mpid
        self.known_seq = known_seq
        self.types = types
        self.first_seen_ms = first_seen_ms
        self.last_stored_ms = last_stored_ms
        self.scope = scope
        self.known = known_seq != 0 or types & scope.login_bits != 0
        self.stored_known = self.known
        self.newest: HolderRow | None = None
        self.is_read = False
        self.is_new = False
        self.is_changed = False

    def view(self) -> ProfileView:
        """The profile as it is now, for the rules."""
        return ProfileView(
            self.mpid, self.created_seq, self.source_mpid, self.known_seq != 0, self.types
        )

    def lose(self, number: int) -> HolderRow | None:
        """Remove an identifier; gives its row, if what the profile holds has been read."""
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
        """Whether it holds an identifier; call it only once what it holds has been read."""
        each = self.newest
        while each is not None:
            if each.number == number:
                return True
            each = each.older
        return False


class HolderList:
    """The known, or the anonymous, holders of one identifier, oldest first.

    Only those are in memory that were made by request `floor` or later; with 0, all of them.
    """

    __slots__ = ("floor", "holders")

    def __init__(self, floor: int) -> None:
        self.floor = floor
        self.holders: list[CachedProfile] = []

    def add(self, profile: CachedProfile) -> None:
        """Add a holder, in the order of age."""
        holders, seq = self.holders, profile.created_seq
        if seq < self.floor:
            return
        if not holders or holders[-1].created_seq < seq:
            holders.append(profile)
        else:
            holders.insert(_index_for(holders, seq), profile)

    def discard(self, profile: CachedProfile) -> None:
        """Remove a holder."""
        if profile.created_seq >= self.floor:
            self.holders.remove(profile)

    def has(self, profile: CachedProfile) -> bool:
        """Whether the profile, which is as young as `floor`, is among them."""
        holders = self.holders
        index = 0 if len(holders) <= 1 else _index_for(holders, profile.created_seq)
        return index < len(holders) and holders[index] is profile


def _index_for(holders: Sequence[CachedProfile], created_seq: int) -> int:
    """The index at which a profile created by that request belongs among others, by age."""
    low, high = 0, len(holders)
    while low < high:
        middle = (low + high) // 2
        if holders[middle].created_seq < created_seq:
            low = middle + 1
        else:
            high = middle
    return low


class CachedIdentifier:
    """An identifier, and what is in memory of its holders.

    `identifier_id` is its number in the tables, None where the store has never seen it. With
    `is_whole` all its holders are in memory. If there is one holder, and never was another, it is
    `only`; else the holders are in two lists, each None until it is asked for. `generation` says
    when the identifier was last named.
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

    def holder_list(self, known: bool) -> HolderList:
        """The known or the anonymous holders."""
        only = self.only
        if only is not None:
            self.only = None
            self.holder_list(only.known).add(only)
        holder_list = self.known if known else self.anonymous
        if holder_list is None:
            holder_list = HolderList(0 if self.is_whole else NOT_READ)
            if known:
                self.known = holder_list
            else:
                self.anonymous = holder_list
        return holder_list

    def add(self, profile: "CachedProfile") -> None:
        """Add a holder."""
        is_first = self.is_whole and self.only is None
        if is_first and self.known is None and self.anonymous is None:
            self.only = profile
        else:
            self.holder_list(profile.known).add(profile)

    def discard(self, profile: "CachedProfile") -> None:
        """Remove a holder."""
        if self.only is profile:
            self.only = None
        else:
            self.holder_list(profile.known).discard(profile)


def all_anonymous(identifier: CachedIdentifier) -> list[CachedProfile] | None:
    """All anonymous holders of an identifier, oldest first; None if some are not in memory."""
    if identifier.only is not None:
        return [] if identifier.only.known else [identifier.only]
    anonymous = identifier.holder_list(known=False)
    return anonymous.holders if anonymous.floor == 0 else None
