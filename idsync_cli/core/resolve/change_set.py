"""The changes that one request makes, in the order made, and what follows from them."""

from collections.abc import Iterable
from typing import Final

from idsync_cli.core.codes import Op
from idsync_cli.core.config.rules import ScopeRules
from idsync_cli.core.decision import Change, ProfileUpdate
from idsync_cli.core.identity import TYPE_BITS, Identifier, IdentityType
from idsync_cli.core.lookup import Lookup
from idsync_cli.core.profile import ProfileView
from idsync_cli.core.value import Value


class _Page:
    """One profile: as it was found, what it gained (the last one last) and lost.

    Of a type in `shrunk` it has yet to be seen whether a value is left.
    """

    __slots__ = ("gained", "lost", "profile", "shrunk", "types")

    def __init__(self, profile: ProfileView) -> None:
        self.profile = profile
        self.types = profile.types
        self.gained: dict[Identifier, None] = {}
        self.lost: set[Identifier] | None = None  # most requests take nothing away
        self.shrunk: set[IdentityType] | None = None


class Consequences(Value):
    """What the changes of a request come to: how profiles are left, and which are orphaned."""

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


class ChangeSet:
    """Profiles as a request found them, and as it leaves them."""

    __slots__ = ("_latest", "_login_bits", "_lookup", "_lookup_bits", "_pages", "changes")

    def __init__(self, rules: ScopeRules, lookup: Lookup) -> None:
        self._lookup = lookup
        self._login_bits = rules.login_bits
        self._lookup_bits = rules.lookup_bits
        self._pages: dict[int, _Page] = {}
        self._latest: _Page | None = None
        self.changes: list[Change] = []

    def add(self, profile: ProfileView, identifier: Identifier) -> None:
        """Give the profile an identifier that it does not hold, as its last."""
        page = self._page(profile)
        page.gained[identifier] = None
        page.types |= 1 << identifier.order
        self.changes.append(Change(_ADD, profile.mpid, identifier))

    def remove(self, profile: ProfileView, identifier: Identifier) -> None:
        """Take from the profile an identifier that it holds."""
        page = self._page(profile)
        if page.lost is None or page.shrunk is None:
            page.lost, page.shrunk = set(), set()
        if identifier in page.gained:
            del page.gained[identifier]
        else:
            page.lost.add(identifier)
        page.shrunk.add(identifier.type)
        self.changes.append(Change(_REMOVE, profile.mpid, identifier))

    def take_away(self, identifier: Identifier, holders: Iterable[ProfileView]) -> None:
        """Take an identifier from those of `holders` that still hold it, by ascending MPID."""
        for holder in sorted(holders, key=_mpid):
            if self.holds(holder, identifier):
                self.remove(holder, identifier)

    def holds(self, profile: ProfileView, identifier: Identifier) -> bool:
        """Whether the profile holds the identifier by now."""
        page = self._find(profile)
        if page is None:
            return self._lookup.holds(profile, identifier)
        if identifier in page.gained:
            return True
        is_lost = page.lost is not None and identifier in page.lost
        return not is_lost and self._lookup.holds(profile, identifier)

    def values(self, profile: ProfileView, identity_type: IdentityType) -> list[str]:
        """The values of a type that the profile holds by now, oldest first."""
        held = self._lookup.values_of(profile, identity_type)
        page = self._find(profile)
        if page is None:
            return list(held)
        lost = {each.value for each in page.lost or () if each.type is identity_type}
        gained = [each.value for each in page.gained if each.type is identity_type]
        return [value for value in held if value not in lost] + gained

    def types_after(self, profile: ProfileView) -> int:
        """The types that the profile holds by now, one bit each."""
        page = self._find(profile)
        return profile.types if page is None else self._types_of(page)

    def consequences(self) -> Consequences:
        """How the request leaves the profiles that it changes, by ascending MPID."""
        pages = self._pages
        if not pages:
            return _NOTHING
        updates: list[ProfileUpdate] = []
        orphaned: list[int] = []
        for mpid in sorted(pages) if len(pages) > 1 else pages:
            page = pages[mpid]
            profile = page.profile
            before = profile.types
            after = self._types_of(page)
            was_known = profile.was_known or (before | after) & self._login_bits != 0
            updates.append(ProfileUpdate(profile, after, was_known))
            if before & self._lookup_bits and not after & self._lookup_bits:
                orphaned.append(mpid)
        return Consequences(tuple(updates), tuple(orphaned))

    def _page(self, profile: ProfileView) -> _Page:
        page = self._find(profile)
        if page is None:
            page = self._latest = self._pages[profile.mpid] = _Page(profile)
        return page

    def _find(self, profile: ProfileView) -> _Page | None:
        latest = self._latest  # most requests change one profile
        if latest is not None and latest.profile.mpid == profile.mpid:
            return latest
        return self._pages.get(profile.mpid) if self._pages else None

    def _types_of(self, page: _Page) -> int:
        if page.shrunk:
            for kind in page.shrunk:
                if not self.values(page.profile, kind):
                    page.types &= ~TYPE_BITS[kind]
            page.shrunk.clear()
        return page.types


def _mpid(profile: ProfileView) -> int:
    return profile.mpid
