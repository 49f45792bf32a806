"""What a profile is in the eyes of its scope: known or not, orphaned or not (section 1)."""

from typing import NamedTuple

from idsync_cli.core.config.rules import ScopeRules
from idsync_cli.core.identity import TYPE_ORDER, IdentityType
from idsync_cli.core.profile import Profile, ProfileView


class ScopedProfile(NamedTuple):
    """A profile with its scope, and what the rules of the scope say of it.

    `types` are those that it holds: first those of the priority by rank, then the others in the
    order of section 2. It has no reference to the rules, so it can be kept or sent elsewhere.
    """

    scope: str
    profile: Profile
    known: bool
    orphaned: bool
    types: tuple[IdentityType, ...]


class ScopedView(NamedTuple):
    """The same without the identifiers, of which there may be many."""

    scope: str
    view: ProfileView
    known: bool
    orphaned: bool


def scoped_view(view: ProfileView, scope: str, rules: ScopeRules | None) -> ScopedView:
    """See a profile by the rules of its scope, as `scoped` does."""
    if rules is None:
        return ScopedView(scope, view, view.was_known, view.types == 0)
    return ScopedView(scope, view, rules.is_known(view), not rules.holds_lookup(view.types))


def scoped(profile: Profile, scope: str, rules: ScopeRules | None) -> ScopedProfile:
    """See a profile by the rules of its scope.

    `rules` are None if the configuration no longer names the scope. Then the profile counts as
    known if it ever was, and as orphaned if it holds nothing.
    """
    if rules is None:
        kinds = {each.type for each in profile.identifiers}
        types = tuple(sorted(kinds, key=TYPE_ORDER.__getitem__))
    else:
        types = rules.listed(profile.types)
    seen = scoped_view(profile, scope, rules)
    return ScopedProfile(scope, profile, seen.known, seen.orphaned, types)
