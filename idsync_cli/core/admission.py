"""Whether a profile that comes whole, by `given` or an import, keeps the rules of its scope."""

from collections.abc import Sequence
from typing import NamedTuple

from idsync_cli.core.config.rules import ScopeRules
from idsync_cli.core.identity import Identifier
from idsync_cli.core.lookup import Lookup, is_held
from idsync_cli.core.profile import Profile
from idsync_cli.core.screening import as_meant


class Admitted(NamedTuple):
    """What guard rails leave of a whole profile's identifiers, and how many values are blocked."""

    identifiers: tuple[Identifier, ...]
    blocked: int = 0


def admitted(identifiers: Sequence[Identifier], rules: ScopeRules, lookup: Lookup) -> Admitted:
    """Set aside what the scope blocks, and normalize the rest, as for a request (section 11).

    Values that become one are one. How many a profile may hold is not asked.
    """
    rails = rules.guard_rails
    if not rails.screens_values:
        return Admitted(tuple(identifiers))
    left: list[Identifier] = []
    given: set[Identifier] = set()
    kept: set[Identifier] = set()
    blocked = 0
    for identifier in identifiers:
        if rails.blocks(identifier):
            blocked += 1
            continue
        meant = as_meant(identifier, rails, lookup)
        is_twice = identifier in given  # which is for `violation` to tell
        given.add(identifier)
        if meant is not None and (is_twice or meant not in kept):
            kept.add(meant)
            left.append(meant)
    return Admitted(tuple(left), blocked)


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
        if settings.unique and any(is_held(lookup, Identifier(kind, value)) for value in values):
            return f"{kind} is unique, but another profile holds the value"
    return None
