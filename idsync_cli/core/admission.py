"""Whether a whole profile, from an import or a scenario's `given`, keeps the rules of its scope."""

from typing import NamedTuple

from idsync_cli.core.config.rules import ScopeRules
from idsync_cli.core.identity import Identifier
from idsync_cli.core.lookup import Lookup
from idsync_cli.core.profile import Profile
from idsync_cli.errors import quoted


class Violation(NamedTuple):
    """A rule that a profile would break, in words, and where in the profile it would."""

    message: str
    word: tuple[str | int, ...]


def violation(profile: Profile, rules: ScopeRules, lookup: Lookup) -> Violation | None:
    """Say which rule of its scope the profile would break if it were added, or None.

    An MPID belongs to one profile, an immutable type has one value, and a unique identifier has
    one holder (sections 1 and 8).
    """
    if lookup.was_given_out(profile.mpid):
        return Violation(f"the MPID {profile.mpid} is already in use", ("mpid",))
    for kind in rules.in_order({held.type for held in profile.identifiers}):
        values = profile.values_of(kind)
        settings = rules.settings_of(kind)
        word = ("identities", kind.value)
        seen: set[str] = set()
        for place, value in enumerate(values):
            if value in seen:
                return Violation(f"a value of {kind} appears twice", (*word, place))
            seen.add(value)
        if settings.immutable and len(values) > 1:
            return Violation(f"{kind} is immutable, but has {len(values)} values", word)
        for place, value in enumerate(values):
            if settings.unique and _is_held(Identifier(kind, value), lookup):
                what = f"{kind} is unique, but another profile holds {quoted(value)}"
                return Violation(what, (*word, place))
    return None


def _is_held(identifier: Identifier, lookup: Lookup) -> bool:
    return bool(lookup.known(identifier, 1) or lookup.anonymous((identifier,), 1))


def can_be_found(profile: Profile, rules: ScopeRules) -> bool:
    """Whether a request may ever be answered with the profile, as it comes (sections 1 and 4).

    Nobody finds one without an identifier in the priority, nor a known one without a login ID.
    """
    if not rules.holds_lookup(profile.types):
        return False
    return not profile.was_known or rules.holds_login_id(profile.types)
