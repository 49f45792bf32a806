"""Whether a whole profile, from an import or a scenario's `given`, keeps the rules of its scope."""

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from idsync_cli.core.config.rules import ScopeRules
from idsync_cli.core.identity import Identifier
from idsync_cli.core.lookup import Lookup, is_held
from idsync_cli.core.profile import Profile
from idsync_cli.core.screening import as_meant
from idsync_cli.errors import quoted

_LENGTH_WITH_INDEX: Final = 3  # identities, a type, a place


class Violation(NamedTuple):
    """A rule that a profile would break, in words, and where in the profile it would."""

    message: str
    word: tuple[str | int, ...]


class Admitted(NamedTuple):
    """What guard rails leave of a whole profile's identifiers, and how many values are blocked.

    `given_as` has, by type and for each value that is left, its index among all that were given,
    and how it was given.
    """

    identifiers: tuple[Identifier, ...]
    blocked: int = 0
    given_as: Mapping[str, Sequence[tuple[int, str]]] | None = None

    def as_given(self, broken: Violation) -> Violation:
        """What is wrong with the identifiers that are left, with its place among all of them."""
        found = self._found(broken)
        if found is None:
            return broken
        *where, kind, _ = broken.word
        return Violation(broken.message, (*where, kind, found[0]))

    def told(self, broken: Violation) -> str:
        """The same in words, with the value as it was given; both forms of one in another form."""
        found = self._found(broken)
        if found is None:
            return broken.message
        _, given, normal = found
        head = broken.message.removesuffix(quoted(normal))
        if given == normal or head == broken.message:
            return broken.message
        return f"{head}{quoted(given)} (normalized: {quoted(normal)})"

    def _found(self, broken: Violation) -> tuple[int, str, str] | None:
        """Where the value at fault was given, and how, and what was made of it."""
        if self.given_as is None or len(broken.word) < _LENGTH_WITH_INDEX:
            return None
        *_, kind, index = broken.word
        assert isinstance(kind, str)
        assert isinstance(index, int)
        normal = [each.value for each in self.identifiers if each.type == kind][index]
        its_index, given = self.given_as[kind][index]
        return its_index, given, normal


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
    counts: dict[str, int] = {}
    given_as: dict[str, list[tuple[int, str]]] = {}
    blocked = 0
    for identifier in identifiers:
        kind = identifier.type.value
        index = counts.get(kind, 0)
        counts[kind] = index + 1
        if rails.blocks(identifier):
            blocked += 1
            continue
        meant = as_meant(identifier, rails, lookup)
        is_twice = identifier in given  # which is for `violation` to tell
        given.add(identifier)
        if meant is not None and (is_twice or meant not in kept):
            kept.add(meant)
            left.append(meant)
            given_as.setdefault(kind, []).append((index, identifier.value))
    return Admitted(tuple(left), blocked, given_as)


def violation(profile: Profile, rules: ScopeRules, lookup: Lookup) -> Violation | None:
    """Say which rule of its scope the profile would break if it were added, or None.

    An MPID belongs to one profile, an immutable type has one value, and a unique identifier has
    one holder (sections 1 and 8).
    """
    if lookup.was_given_out(profile.mpid):
        return Violation(f"the MPID {profile.mpid} is already in use", ("mpid",))
    for kind in rules.listed(profile.types):
        values = profile.values_of(kind)
        settings = rules.settings_of(kind)
        word = ("identities", kind.value)
        seen: set[str] = set()
        for index, value in enumerate(values):
            if value in seen:
                return Violation(f"a value of {kind} appears twice", (*word, index))
            seen.add(value)
        if settings.immutable and len(values) > 1:
            return Violation(f"{kind} is immutable, but has {len(values)} values", word)
        for index, value in enumerate(values):
            if settings.unique and is_held(lookup, Identifier(kind, value)):
                what = f"{kind} is unique, but another profile holds {quoted(value)}"
                return Violation(what, (*word, index))
    return None


def can_be_found(profile: Profile, rules: ScopeRules) -> bool:
    """Whether a request may ever be answered with the profile, as it comes (sections 1 and 4).

    Nobody finds one without an identifier in the priority, nor a known one without a login ID.
    """
    if not rules.holds_lookup(profile.types):
        return False
    return not profile.was_known or rules.holds_login_id(profile.types)
