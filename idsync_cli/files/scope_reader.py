"""The rules of one scope, read from its mapping (sections 3 and 11)."""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import TYPE_CHECKING, TypeVar

from idsync_cli.core.codes import OnConflictingLogin, OnLogout, OnNewKnownUser, OnUniqueHeld
from idsync_cli.core.config.definitions import NO_DEFINITIONS, Definitions
from idsync_cli.core.config.lint import contradictions
from idsync_cli.core.config.rules import ScopeRules
from idsync_cli.core.config.strategy import DEFAULT_PRIORITY, PRESETS, Preset, Settings, Strategy
from idsync_cli.core.identity import TYPES_BY_NAME, IdentityType
from idsync_cli.errors import Hint, nearest, quoted
from idsync_cli.files.extensions import read_extensions
from idsync_cli.files.yaml_tree import Faults, Node, SourcePosition

if TYPE_CHECKING:
    from idsync_cli.files.definitions_file import DefinitionReader

Code = TypeVar("Code", bound=StrEnum)

_DEFINITIONS = ("calculated_attributes", "audiences")
_SCOPE = (
    *("strategy", "priority", "identities", "on_conflicting_login", "on_unique_held"),
    *_DEFINITIONS,
    "extensions",
)
_STRATEGY = (
    "on_new_known_user",
    "on_logout",
    "logins",
    "login_needs_login_id",
    "links",
    "aliasing",
)
_ONLY_WITH_LOGINS = ("on_logout", "login_needs_login_id")
_SETTINGS = ("login", "unique", "immutable")


def position_of(scope: Node, path: Iterable[str]) -> SourcePosition:
    """Where the last of the keys that is there stands; types may stand under any of their names."""
    node, position = scope, scope.position
    for key in path:
        if node.mapping is not None:
            name = next((name for name in node.mapping if _same(name, key)), None)
            if name is None:
                break
            position, node = node.keys[name], node.mapping[name]
        else:
            items = node.sequence or ()
            position = next((item.position for item in items if _same(item.value, key)), position)
    return position


def _same(name: object, key: str) -> bool:
    return name == key or (isinstance(name, str) and TYPES_BY_NAME.get(name) == key)


class ScopeReader:
    """Reads the mappings of scopes, noting what is wrong with them."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults
        self._definition_reader: DefinitionReader | None = None

    def rules(self, node: Node) -> ScopeRules | None:
        """The rules of a scope; None if its faults leave nothing usable."""
        entries = self._faults.entries(node, _SCOPE, "a scope")
        preset = self._strategy(node, entries.get("strategy"))
        join = self._code(OnConflictingLogin, entries, "on_conflicting_login")
        held = self._code(OnUniqueHeld, entries, "on_unique_held")
        priority = self._priority(node, entries.get("priority"), preset)
        settings = self._identities(entries, priority, preset)
        definitions = self._definitions(entries)
        extensions = read_extensions(entries.get("extensions"), self._faults, self._identity_type)
        # So that no fault hides another, something harmless stands in for what is missing.
        strategy = (preset or PRESETS["profile_conversion"]).strategy
        immutable_first = sorted(settings, key=lambda kind: not settings[kind].immutable)
        ranked = priority or (*immutable_first, *DEFAULT_PRIORITY)
        rules = ScopeRules(
            strategy,
            ranked,
            settings,
            join or OnConflictingLogin.SEPARATE,
            held or OnUniqueHeld.TAKE,
            definitions,
            extensions,
        )
        for contradiction in contradictions(rules):
            self._faults.add(position_of(node, contradiction.path), contradiction.message)
        return None if node.mapping is None or preset is None or priority is None else rules

    def _definitions(self, entries: Mapping[str, Node]) -> Definitions:
        """Calculated attributes and audiences; most configurations have none, and load no more."""
        if not any(key in entries for key in _DEFINITIONS):
            return NO_DEFINITIONS
        from idsync_cli.files.definitions_file import DefinitionReader

        if self._definition_reader is None:
            self._definition_reader = DefinitionReader(self._faults)
        return self._definition_reader.definitions(entries)

    def _strategy(self, scope: Node, node: Node | None) -> Preset | None:
        """The strategy of a scope; where parts are wrong, harmless ones stand in for them."""
        if node is None:
            if scope.mapping is not None:
                self._faults.add(scope.position, f"no strategy; use one of {', '.join(PRESETS)}")
            return None
        if node.mapping is not None:
            return Preset(self._strategy_mapping(node))
        if isinstance(node.value, str) and node.value in PRESETS:
            return PRESETS[node.value]
        hint = nearest(node.value, PRESETS) if isinstance(node.value, str) else ""
        self._faults.add(
            node.position,
            f"unknown strategy {node.described()}{hint or '; use one of ' + ', '.join(PRESETS)}",
        )
        return None

    def _strategy_mapping(self, node: Node) -> Strategy:
        entries = self._faults.entries(node, _STRATEGY, "a strategy")
        logins = self._flag(entries, "logins")
        for name in _STRATEGY:
            unused = logins is False and name in _ONLY_WITH_LOGINS
            if unused and name in entries:
                self._faults.add(node.keys[name], f"{name} has no meaning with logins: false")
            elif name not in entries and not unused:
                self._faults.add(
                    node.position, f"the strategy does not set {name}; it must set every key"
                )
        on_new_known_user = self._code(OnNewKnownUser, entries, "on_new_known_user")
        on_logout = self._code(OnLogout, entries, "on_logout")
        needs_login_id = self._flag(entries, "login_needs_login_id")
        links, aliasing = self._flag(entries, "links"), self._flag(entries, "aliasing")
        with_logins = logins is not False
        return Strategy(
            name="custom",
            on_new_known_user=on_new_known_user or OnNewKnownUser.KEEP,
            on_logout=(on_logout or OnLogout.CREATE) if with_logins else None,
            logins=with_logins,
            login_needs_login_id=bool(needs_login_id),
            links=bool(links),
            aliasing=bool(aliasing),
        )

    def _priority(
        self, scope: Node, node: Node | None, preset: Preset | None
    ) -> tuple[IdentityType, ...] | None:
        if node is None:
            if preset is PRESETS["default"]:
                return DEFAULT_PRIORITY
            if scope.mapping is not None:
                self._faults.add(
                    scope.position, "no priority; list identifier types, most trusted first"
                )
            return None
        if not node.sequence:
            self._faults.add(
                node.position,
                "the priority is empty; list at least one identifier type"
                if node.sequence == ()
                else f"priority is {node.described()}, but must be a list of identifier types",
            )
            return None
        priority: list[IdentityType] = []
        for item in node.sequence:
            kind = self._identity_type(item.value, item.position, item.described())
            if kind in priority:
                self._faults.add(item.position, f"{kind} appears twice in the priority; keep one")
            elif kind is not None:
                priority.append(kind)
        return tuple(priority) or None

    def _identities(
        self,
        entries: Mapping[str, Node],
        priority: tuple[IdentityType, ...] | None,
        preset: Preset | None,
    ) -> dict[IdentityType, Settings]:
        node = entries.get("identities")
        settings = dict(preset.settings) if preset else {}
        if priority is not None:
            settings = {kind: each for kind, each in settings.items() if kind in priority}
        if node is None:
            return settings
        if preset and preset.fixed:
            self._faults.add(
                node.position,
                f"the strategy {preset.strategy.name} does not allow identities; remove them",
            )
            return settings
        named: set[IdentityType] = set()
        for name, entry in self._faults.entries(node, None, "identities").items():
            kind = self._identity_type(name, node.keys[name], quoted(name))
            if kind is None:
                continue
            if kind in named:
                self._faults.add(node.keys[name], f"{kind} appears twice under identities")
            named.add(kind)
            flags = self._faults.entries(entry, _SETTINGS, f"the settings of {kind}")
            settings[kind] = Settings(**{flag: bool(self._flag(flags, flag)) for flag in flags})
            sets_nothing = entry.mapping is not None and not settings[kind].names()
            if sets_nothing and priority is not None and kind not in priority:
                self._faults.add(
                    node.keys[name],
                    f"{kind} has an entry, but is not in the priority; add it there, or remove the "
                    "entry",
                )
        return settings

    def _identity_type(
        self, name: object, position: SourcePosition, shown: str
    ) -> IdentityType | None:
        if isinstance(name, str) and name in TYPES_BY_NAME:
            return TYPES_BY_NAME[name]
        from idsync_cli.core.everyday_names import type_hint

        close = type_hint(name) if isinstance(name, str) else ""
        hint = None if close else Hint.LIST_TYPES
        self._faults.add(position, f"unknown identity type {shown}{close}", hint)
        return None

    def _flag(self, entries: Mapping[str, Node], name: str) -> bool | None:
        node = entries.get(name)
        if node is None:
            return None
        if isinstance(node.value, bool):
            return node.value
        self._faults.add(node.position, f"{name} is {node.described()}, but must be true or false")
        return None

    def _code(self, codes: type[Code], entries: Mapping[str, Node], name: str) -> Code | None:
        node = entries.get(name)
        if node is None:
            return None
        if isinstance(node.value, str) and node.value in set(codes):
            return codes(node.value)
        wanted = " or ".join(codes)
        self._faults.add(node.position, f"{name} is {node.described()}, but must be {wanted}")
        return None
