"""Guard rails: what a scope makes of values, and how many of them a profile may hold (section 11).

A value is looked at twice for every request, to know what it names and to decide it. So what is
asked of a type is found out once, and a type of which nothing is asked costs one look.
"""

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from idsync_cli.core.codes import Beyond, Extension, Normalizer
from idsync_cli.core.config.placeholders import PLACEHOLDERS, is_placeholder
from idsync_cli.core.identity import TYPE_ORDER, Identifier, IdentityType
from idsync_cli.core.value import Value

_TRIM: Final = Normalizer.TRIM
_LOWERCASE: Final = Normalizer.LOWERCASE
_LOWER: Final = {ord(letter): letter.lower() for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"}
_NO_GROUPS: Final = {ord(each): None for each in " .-/()"}

NormalizersByType = Mapping[IdentityType, tuple[Normalizer, ...]]
BlockedByType = Mapping[IdentityType | None, tuple[str, ...]]


class ValueLimit(NamedTuple):
    """How many values of a type a profile may hold.

    One more is left out, unless it replaces the oldest ones.
    """

    limit: int
    replaces_oldest: bool = False


class GuardRail(NamedTuple):
    """One entry of the `extensions` of a scope; None is the type of one that is for all types.

    `words` are the normalizers, what is blocked, or the limit and what is done beyond it; of a type
    that moves there are none.
    """

    extension: Extension
    identity_type: IdentityType | None
    words: tuple[str, ...] = ()


class _Screen:
    """What is asked of every value of one type; what is not asked of any costs nothing."""

    __slots__ = (
        "_blocks_others", "_blocks_placeholders", "_normalizers", "_patterns", "_values",
        "normalizes",
    )  # fmt: skip

    def __init__(self, normalizers: tuple[Normalizer, ...], blocked: tuple[str, ...]) -> None:
        others = [each for each in blocked if each != PLACEHOLDERS]
        self._normalizers: Final = normalizers
        self._blocks_placeholders: Final = len(others) < len(blocked)
        self._blocks_others: Final = len(others) > 0
        self._values: Final = frozenset(
            [each for each in others if "*" not in each and "?" not in each]
        )
        self._patterns: Final = [each for each in others if "*" in each or "?" in each]
        self.normalizes: Final = len(normalizers) > 0

    def normal_form(self, value: str) -> str:
        """The value after `normalize`."""
        for each in self._normalizers:
            if each is _TRIM:
                value = value.strip()
            elif each is _LOWERCASE:
                value = value.lower() if value.isascii() else value.translate(_LOWER)
            else:
                value = _digits(value)
        return value

    def blocks(self, normal: str) -> bool:
        """Whether a value in its normal form is blocked."""
        if self._blocks_placeholders and is_placeholder(normal):
            return True
        if not self._blocks_others:
            return False
        return normal in self._values or any(_fits(normal, each) for each in self._patterns)


class GuardRails(Value):
    """The `extensions` of a scope.

    `normalize` says what is done to values of a type, in this order; `blocked` which are set
    aside, under None those of all types: values, patterns, and the word for the built-in list.
    `max_values` says how many values of a type a profile may hold, and `moving` has the types that
    a request takes from whoever holds them.
    """

    __match_args__ = ("normalize", "blocked", "max_values", "moving")
    __slots__ = (*__match_args__, "_screens", "screens_values")

    def __init__(
        self,
        normalize: NormalizersByType | None = None,
        blocked: BlockedByType | None = None,
        max_values: Mapping[IdentityType, ValueLimit] | None = None,
        moving: tuple[IdentityType, ...] = (),
    ) -> None:
        self.normalize: Final[NormalizersByType] = normalize or {}
        self.blocked: Final[BlockedByType] = blocked or {}
        self.max_values: Final[Mapping[IdentityType, ValueLimit]] = max_values or {}
        self.moving: Final = moving
        self._screens: Final = [self._screen_of(kind) for kind in TYPE_ORDER]
        self.screens_values: Final = any(each is not None for each in self._screens)

    def _screen_of(self, kind: IdentityType) -> _Screen | None:
        normalizers = self.normalize.get(kind, ())
        blocked = (*self.blocked.get(None, ()), *self.blocked.get(kind, ()))
        return _Screen(normalizers, blocked) if normalizers or blocked else None

    def normal_form(self, identifier: Identifier) -> str:
        """The value after `normalize`; empty where nothing is left of it."""
        screen = self._screens[identifier.order]
        return identifier.value if screen is None else screen.normal_form(identifier.value)

    def blocks(self, identifier: Identifier) -> bool:
        """Whether an identifier is set aside; one of which nothing is left is not given at all."""
        screen = self._screens[identifier.order]
        if screen is None:
            return False
        normal = screen.normal_form(identifier.value)
        return bool(normal) and screen.blocks(normal)

    def leave(self, identifiers: Sequence[Identifier]) -> bool:
        """Whether all of these are in their normal form and none is blocked, as most are."""
        for identifier in identifiers:
            screen = self._screens[identifier.order]
            if screen is None:
                continue
            value = identifier.value
            if screen.normalizes and screen.normal_form(value) != value:
                return False
            if screen.blocks(value):
                return False
        return True

    def forms(
        self, identifier: Identifier, *, may_be_blocked: bool = True
    ) -> tuple[Identifier, ...]:
        """All that an identifier may mean: its normal form, then as it was sent.

        Which of them it is follows from who holds what. Nothing where it is blocked, unless it
        names what is held already.
        """
        screen = self._screens[identifier.order]
        if screen is None:
            return (identifier,)
        sent = identifier.value
        normal = screen.normal_form(sent)
        if may_be_blocked and normal and screen.blocks(normal):
            return ()
        if normal == sent or not normal:
            return (identifier,)
        return Identifier(identifier.type, normal), identifier

    def limit_of(self, identity_type: IdentityType) -> ValueLimit | None:
        """How many values of a type a profile may hold; None where it is any number."""
        return self.max_values.get(identity_type)

    def entries(self) -> list[GuardRail]:
        """All of it, entry by entry; what is for all types stands before what is for one."""
        found = [
            GuardRail(Extension.NORMALIZE, kind, tuple([each.value for each in normalizers]))
            for kind, normalizers in self.normalize.items()
        ]
        found += [GuardRail(Extension.BLOCKED, *each) for each in self.blocked.items()]
        for kind, limit in self.max_values.items():
            beyond = (Beyond.REPLACE_OLDEST.value,) if limit.replaces_oldest else ()
            found.append(GuardRail(Extension.MAX_VALUES, kind, (str(limit.limit), *beyond)))
        found += [GuardRail(Extension.MOVING, kind) for kind in self.moving]
        return sorted([each for each in found if each.words or not _needs_words(each)], key=_order)

    def moves(self, identity_type: IdentityType) -> bool:
        """Whether a request takes identifiers of the type from whoever holds them."""
        return identity_type in self.moving


NO_GUARD_RAILS: Final = GuardRails()


_ORDER: Final = {extension: index for index, extension in enumerate(Extension)}


def _needs_words(rail: GuardRail) -> bool:
    return rail.extension is not Extension.MOVING


def _order(rail: GuardRail) -> tuple[int, int]:
    kind = rail.identity_type
    return _ORDER[rail.extension], -1 if kind is None else TYPE_ORDER[kind]


def _digits(value: str) -> str:
    """A telephone number without its groups; any other value as it is."""
    kept = value.translate(_NO_GROUPS)
    number = kept[1:] if value.startswith("+") else kept
    return kept if not number or (number.isascii() and number.isdigit()) else value


def _fits(value: str, pattern: str) -> bool:
    """Whether a value is what a pattern says, in which `*` is any text and `?` one character.

    A star takes as little as it can, and more where what stands behind it does not fit. Only the
    last star has to be tried again, so that it takes no more steps than the two lengths multiplied.
    """
    index = at = 0
    star = -1  # where the last star stands
    tried = 0  # up to where it takes the value
    while index < len(value):
        if at < len(pattern) and pattern[at] == "*":
            star, tried = at, index
            at += 1
        elif at < len(pattern) and pattern[at] in ("?", value[index]):
            at += 1
            index += 1
        elif star >= 0:
            tried += 1
            index, at = tried, star + 1
        else:
            return False
    return not pattern[at:].strip("*")
