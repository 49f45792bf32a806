"""The changes that one request makes, in the order made, and what follows from them."""

from collections.abc import Iterable
from typing import Final

from mypy_extensions import mypyc_attr

from idsync_cli.core.codes import Op
from idsync_cli.core.decision import Change, ProfileUpdate
from idsync_cli.core.identity import TYPE_BITS, Identifier, IdentityType
from idsync_cli.core.lookup import Lookup
from idsync_cli.core.profile import ProfileView
from idsync_cli.core.value import Value


@mypyc_attr(free_list_len=1)
class _ChangedProfile:
    """A profile as it was found, and the identifiers that it gained, in order, and lost.

    It lost a value of each type in `shrunk`. Whether it still holds another is yet to be looked up.
    """

    __slots__ = ("gained", "lost", "profile", "shrunk", "types")

    def __init__(self, profile: ProfileView) -> None:
        self.profile = profile
        self.types = profile.types
        self.gained: dict[Identifier, None] = {}
        self.lost: set[Identifier] | None = None  # most requests take nothing away
        self.shrunk: set[IdentityType] | None = None


@mypyc_attr(free_list_len=1)
class Consequences(Value):
    """What the changes of a request amount to: the changed profiles, and the orphaned ones."""

    __match_args__ = ("updates", "orphaned")
    __slots__ = __match_args__

    def __init__(
        self, updates: tuple[ProfileUpdate, ...] = (), orphaned: tuple[int, ...] = ()
    ) -> None:
        self.updates: Final = updates
        self.orphaned: Final = orphaned


_NOTHING: Final = Consequences()
_ADD: Final = Op.ADD
_REMOVE: Final = Op.REMOVE


@mypyc_attr(free_list_len=1)
class ChangeSet:
    """The changes of one request: profiles as it found them, and as they are after it so far."""

    __slots__ = ("_by_mpid", "_latest", "_login_bits", "_lookup", "_lookup_bits", "changes")

    def __init__(self, login_bits: int, lookup_bits: int, lookup: Lookup) -> None:
        """Nothing is changed yet; the bits are those of the scope's rules."""
        self._lookup = lookup
        self._login_bits = login_bits
        self._lookup_bits = lookup_bits
        self._by_mpid: dict[int, _ChangedProfile] = {}
        self._latest: _ChangedProfile | None = None
        self.changes: list[Change] = []

    def add(self, profile: ProfileView, identifier: Identifier) -> None:
        """Give the profile an identifier that it does not hold, as its last."""
        changed = self._changed(profile)
        changed.gained[identifier] = None
        changed.types |= 1 << identifier.order
        self.changes.append(Change(_ADD, profile.mpid, identifier))

    def remove(self, profile: ProfileView, identifier: Identifier) -> None:
        """Take from the profile an identifier that it holds."""
        changed = self._changed(profile)
        if changed.lost is None or changed.shrunk is None:
            changed.lost, changed.shrunk = set(), set()
        if identifier in changed.gained:
            del changed.gained[identifier]
        else:
            changed.lost.add(identifier)
        changed.shrunk.add(identifier.type)
        self.changes.append(Change(_REMOVE, profile.mpid, identifier))

    def take_away(self, identifier: Identifier, holders: Iterable[ProfileView]) -> None:
        """Take an identifier from those of `holders` that still hold it, by ascending MPID."""
        for holder in sorted(holders, key=_mpid):
            if self.holds(holder, identifier):
                self.remove(holder, identifier)

    def holds(self, profile: ProfileView, identifier: Identifier) -> bool:
        """Whether the profile holds the identifier so far."""
        changed = self._find(profile)
        if changed is None:
            return self._lookup.holds(profile, identifier)
        if identifier in changed.gained:
            return True
        is_lost = changed.lost is not None and identifier in changed.lost
        return not is_lost and self._lookup.holds(profile, identifier)

    def values(self, profile: ProfileView, identity_type: IdentityType) -> list[str]:
        """The values of a type that the profile holds so far, oldest first."""
        held = self._lookup.values_of(profile, identity_type)
        changed = self._find(profile)
        if changed is None:
            return list(held)
        lost = {each.value for each in changed.lost or () if each.type is identity_type}
        gained = [each.value for each in changed.gained if each.type is identity_type]
        return [value for value in held if value not in lost] + gained

    def types_after(self, profile: ProfileView) -> int:
        """The types that the profile holds so far, one bit each."""
        changed = self._find(profile)
        return profile.types if changed is None else self._types_of(changed)

    def consequences(self) -> Consequences:
        """The changed profiles after the request, and the orphaned ones, by ascending MPID."""
        latest, by_mpid = self._latest, self._by_mpid
        if latest is None:
            return _NOTHING
        everyone = [latest] if len(by_mpid) == 1 else [by_mpid[mpid] for mpid in sorted(by_mpid)]
        updates: list[ProfileUpdate] = []
        orphaned: list[int] = []
        for changed in everyone:
            profile = changed.profile
            before = profile.types
            after = self._types_of(changed)
            was_known = profile.was_known or (before | after) & self._login_bits != 0
            updates.append(ProfileUpdate(profile, after, was_known))
            if before & self._lookup_bits and not after & self._lookup_bits:
                orphaned.append(profile.mpid)
        return Consequences(tuple(updates), tuple(orphaned))

    def _changed(self, profile: ProfileView) -> _ChangedProfile:
        changed = self._find(profile)
        if changed is None:
            changed = self._latest = self._by_mpid[profile.mpid] = _ChangedProfile(profile)
        return changed

    def _find(self, profile: ProfileView) -> _ChangedProfile | None:
        latest = self._latest  # most requests change one profile
        if latest is not None and latest.profile.mpid == profile.mpid:
            return latest
        return self._by_mpid.get(profile.mpid) if self._by_mpid else None

    def _types_of(self, changed: _ChangedProfile) -> int:
        if changed.shrunk:
            for kind in changed.shrunk:
                if not self.values(changed.profile, kind):
                    changed.types &= ~TYPE_BITS[kind]
            changed.shrunk.clear()
        return changed.types


def _mpid(profile: ProfileView) -> int:
    return profile.mpid
