"""The changes that one request makes, in the order made, and what follows from them."""

from collections.abc import Iterable

from idsync_cli.core.codes import Op
from idsync_cli.core.decision import Change
from idsync_cli.core.identity import Identifier, IdentityType
from idsync_cli.core.profile import Profile
from idsync_cli.core.rules import Rules


class Ledger:
    """Profiles as a request found them, and as it leaves them."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._found: dict[int, Profile] = {}
        self._left: dict[int, list[Identifier]] = {}
        self.changes: list[Change] = []

    def add(self, profile: Profile, identifier: Identifier) -> None:
        """Give the profile an identifier that it does not hold, as its last."""
        self._identifiers(profile).append(identifier)
        self.changes.append(Change(Op.ADD, profile.mpid, identifier))

    def remove(self, profile: Profile, identifier: Identifier) -> None:
        """Take from the profile an identifier that it holds."""
        self._identifiers(profile).remove(identifier)
        self.changes.append(Change(Op.REMOVE, profile.mpid, identifier))

    def take_away(self, identifier: Identifier, holders: Iterable[Profile]) -> None:
        """Take an identifier from those of `holders` that still hold it, by ascending MPID."""
        for holder in sorted(holders, key=lambda profile: profile.mpid):
            if self.holds(holder, identifier):
                self.remove(holder, identifier)

    def holds(self, profile: Profile, identifier: Identifier) -> bool:
        """Whether the profile holds the identifier by now."""
        return identifier in self._left.get(profile.mpid, profile.identifiers)

    def values(self, profile: Profile, identity_type: IdentityType) -> list[str]:
        """The values of a type that the profile holds by now, oldest first."""
        held = self._left.get(profile.mpid, profile.identifiers)
        return [identifier.value for identifier in held if identifier.type is identity_type]

    def after(self, profile: Profile) -> Profile:
        """The profile as the request leaves it."""
        return Profile(
            mpid=profile.mpid,
            created_seq=profile.created_seq,
            source_mpid=profile.source_mpid,
            was_known=profile.was_known or profile.mpid in self.became_known(),
            identifiers=tuple(self._left.get(profile.mpid, profile.identifiers)),
        )

    def orphaned(self) -> tuple[int, ...]:
        """The profiles that had a lookup before and have none now, ascending (section 8)."""
        return tuple(
            mpid
            for mpid, profile in sorted(self._found.items())
            if self._rules.holds_lookup(profile.identifiers)
            and not self._rules.holds_lookup(self._left[mpid])
        )

    def became_known(self) -> tuple[int, ...]:
        """The profiles that the request found or left holding a login ID for the first time."""
        return tuple(
            mpid
            for mpid, profile in sorted(self._found.items())
            if not profile.was_known
            and (
                self._rules.holds_login_id(profile.identifiers)
                or self._rules.holds_login_id(self._left[mpid])
            )
        )

    def _identifiers(self, profile: Profile) -> list[Identifier]:
        self._found.setdefault(profile.mpid, profile)
        return self._left.setdefault(profile.mpid, list(profile.identifiers))
