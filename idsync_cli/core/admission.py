"""Whether a profile that comes whole, by `given` or an import, keeps the rules of its scope."""

from idsync_cli.core.config.rules import ScopeRules
from idsync_cli.core.identity import Identifier
from idsync_cli.core.lookup import Lookup
from idsync_cli.core.profile import Profile


def violation(profile: Profile, rules: ScopeRules, lookup: Lookup) -> str | None:
    """Say which rule of the scope the profile would break beside those that are there, or None.

    An MPID belongs to one profile, an immutable type has one value, and a unique identifier has
    one holder (sections 1 and 8).
    """
    if lookup.was_given_out(profile.mpid):
        return f"the MPID {profile.mpid} is already in use"
    for kind in rules.in_order({held.type for held in profile.identifiers}):
        values = profile.values_of(kind)
        settings = rules.settings_of(kind)
        if len(set(values)) < len(values):
            return f"a value of {kind} appears twice"
        if settings.immutable and len(values) > 1:
            return f"{kind} is immutable, but has {len(values)} values"
        if settings.unique and any(_is_held(Identifier(kind, value), lookup) for value in values):
            return f"{kind} is unique, but another profile holds the value"
    return None


def _is_held(identifier: Identifier, lookup: Lookup) -> bool:
    return bool(lookup.known(identifier, 1) or lookup.anonymous((identifier,), 1))
