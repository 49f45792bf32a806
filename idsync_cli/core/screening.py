"""What guard rails leave of a request, before anything else is done with it (section 11)."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from idsync_cli.core.codes import ErrorCode, NoteCode
from idsync_cli.core.config.guard_rails import GuardRails, ValueLimit
from idsync_cli.core.decision import KNOWN_IDENTITIES, Note, Refusal
from idsync_cli.core.identity import TYPE_ORDER, Identifier, IdentityType
from idsync_cli.core.lookup import Lookup, is_held
from idsync_cli.core.request import IdentityChange, ModifyRequest
from idsync_cli.core.value import Value


class Screened(Value):
    """Identifiers as they are meant, and the types that have blocked ones, in section 2's order."""

    __match_args__ = ("identifiers", "blocked")
    __slots__ = __match_args__

    def __init__(
        self, identifiers: Sequence[Identifier], blocked: Sequence[IdentityType] = ()
    ) -> None:
        self.identifiers: Final = identifiers
        self.blocked: Final = blocked

    def notes(self) -> list[Note]:
        """A note for each type of which something is blocked."""
        return blocked_notes(self.blocked)


def screen(identifiers: Iterable[Identifier], rails: GuardRails, lookup: Lookup) -> Screened:
    """Set aside what is blocked and what comes to nothing; read the rest as it is meant."""
    left: list[Identifier] = []
    blocked: list[IdentityType] = []
    for identifier in identifiers:
        if rails.blocks(identifier):
            blocked.append(identifier.type)
            continue
        meant = as_meant(identifier, rails, lookup)
        if meant is not None:
            left.append(meant)
    if len(blocked) > 1:
        blocked = _in_order(blocked)
    return Screened(left, blocked)


def as_meant(identifier: Identifier, rails: GuardRails, lookup: Lookup) -> Identifier | None:
    """An identifier in its normal form, or as it was sent where only that is held.

    None where nothing is left of it. Whether it is blocked is not asked.
    """
    normal = rails.normal_form(identifier)
    if normal == identifier.value:
        return identifier
    wanted = Identifier(identifier.type, normal) if normal else None
    if (wanted is None or not is_held(lookup, wanted)) and is_held(lookup, identifier):
        return identifier
    return wanted


class ScreenedModify(NamedTuple):
    """What is left of a modify; `indices` tells where its changes stood among all of them."""

    request: ModifyRequest
    indices: Sequence[int]
    notes: list[Note]


def screen_modify(request: ModifyRequest, rails: GuardRails, lookup: Lookup) -> ScreenedModify:
    """The same for a modify: a change whose new value is blocked or nothing is set aside whole."""
    if request.known_identities is not None:
        return _screen_set(request, request.known_identities, rails, lookup)
    changes: list[IdentityChange] = []
    indices: list[int] = []
    blocked: list[IdentityType] = []
    for index, change in enumerate(request.identity_changes):
        kind, new = change.identity_type, change.new_value
        if new is not None and rails.blocks(Identifier(kind, new)):
            blocked.append(kind)
            continue
        wanted = _value_meant(kind, new, rails, lookup)
        if wanted is None and new is not None:
            continue
        old = _value_meant(kind, change.old_value, rails, lookup)
        changes.append(IdentityChange(kind, old, wanted))
        indices.append(index)
    left = request._replace(identity_changes=tuple(changes))
    return ScreenedModify(left, indices, blocked_notes(_in_order(blocked)))


def _value_meant(
    kind: IdentityType, value: str | None, rails: GuardRails, lookup: Lookup
) -> str | None:
    meant = None if value is None else as_meant(Identifier(kind, value), rails, lookup)
    return None if meant is None else meant.value


def _screen_set(
    request: ModifyRequest,
    identities: Mapping[IdentityType, str | None],
    rails: GuardRails,
    lookup: Lookup,
) -> ScreenedModify:
    given = [Identifier(kind, value) for kind, value in identities.items() if value is not None]
    screened = screen(given, rails, lookup)
    wanted: dict[IdentityType, str | None] = {
        kind: None for kind, value in identities.items() if value is None
    }
    wanted |= {each.type: each.value for each in screened.identifiers}
    return ScreenedModify(request._replace(known_identities=wanted), (), screened.notes())


def nothing_left(blocked: Sequence[IdentityType]) -> Refusal:
    """What a request is told of which guard rails leave nothing."""
    if blocked:
        why = f"the scope blocks the value of {', '.join(blocked)}"
    else:
        why = "normalize leaves every value empty"
    return Refusal(
        ErrorCode.NO_IDENTITIES,
        f"no identifier is left: {why}; give another one",
        word=KNOWN_IDENTITIES,
    )


def oldest_beyond(limit: ValueLimit, held: Sequence[str]) -> Sequence[str]:
    """The oldest values, as many as must go for one more to be within the limit."""
    return held[: max(0, len(held) + 1 - limit.limit)]


def blocked_notes(types: Iterable[IdentityType]) -> list[Note]:
    """A note for each of some types."""
    return [Note(NoteCode.BLOCKED, each) for each in types]


def _in_order(types: Iterable[IdentityType]) -> list[IdentityType]:
    """Types, each once, in the order of section 2."""
    return sorted(set(types), key=TYPE_ORDER.__getitem__)
