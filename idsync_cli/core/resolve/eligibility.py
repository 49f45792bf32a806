"""Which profiles a request may be answered with at all (section 4, step 2)."""

from collections.abc import Sequence

from idsync_cli.core.codes import Reason
from idsync_cli.core.identity import TYPE_BITS, Identifier, IdentityType
from idsync_cli.core.lookup import Lookup
from idsync_cli.core.profile import ProfileView
from idsync_cli.core.resolve.request_shape import RequestShape

Named = tuple[ProfileView, Reason | None]
"""A known profile with a login ID of the request, and why it may not be the answer."""


class Eligibility:
    """Judges profiles by one request.

    `identifiers` are those that step 1 keeps of the request's, in the order of step 5.
    """

    __slots__ = ("identifiers", "lookup", "shape")

    def __init__(
        self, shape: RequestShape, identifiers: Sequence[Identifier], lookup: Lookup
    ) -> None:
        self.shape = shape
        self.identifiers = shape.arranged(identifiers)
        self.lookup = lookup

    def ineligibility(self, profile: ProfileView) -> Reason | None:
        """Why the profile may not be the answer, or None if it may."""
        shape, types = self.shape, profile.types
        if not profile.was_known and types & shape.login_bits == 0:
            return shape.reason_of_the_anonymous
        if (shape.wants_immutable_id or types & shape.immutable_bits) and not self._names_one_of(
            shape.immutable_types, profile
        ):
            if shape.wants_immutable_id:
                return Reason.IMMUTABLE_SEARCH
            return Reason.IMMUTABLE_PROTECTION
        if not self._names_one_of(shape.login_types, profile):
            return Reason.LOGIN_PROTECTION
        if shape.separates_conflicting_logins and self.conflicting_login(profile):
            return Reason.CONFLICTING_LOGIN
        return None

    def _names_one_of(self, types: Sequence[IdentityType], profile: ProfileView) -> bool:
        """Whether an identifier of one of the types is among the request's and the profile's."""
        for identifier in self.identifiers:
            if identifier.type in types and self.lookup.holds(profile, identifier):
                return True
        return False

    def conflicting_login(self, profile: ProfileView) -> IdentityType | None:
        """The highest ranked login type that both carry, if they disagree on its value."""
        types, login_types = profile.types, self.shape.login_types
        for identifier in self.identifiers:
            kind = identifier.type
            if kind in login_types and types & TYPE_BITS[kind]:
                return None if self.lookup.holds(profile, identifier) else kind
        return None

    def eligible_known(self, named: dict[int, Named] | None = None) -> list[ProfileView]:
        """The known profiles that may be the answer, each reached through a login ID.

        Everybody who was reached is put into `named`, by MPID.
        """
        found: dict[int, ProfileView] = {}
        for number, identifier in enumerate(self.identifiers):
            if self.shape.requested_types[number].is_login:
                for profile in self.lookup.known(identifier):
                    if profile.mpid in found:
                        continue
                    reason = self.ineligibility(profile)
                    if reason is None:
                        found[profile.mpid] = profile
                    if named is not None:
                        named[profile.mpid] = profile, reason
        return list(found.values())
