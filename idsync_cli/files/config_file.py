"""The configuration: YAML to rules, with every fault at once and each at its place (section 3)."""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from idsync_cli.core.codes import OnConflictingLogin, OnLogout, OnNewKnownUser, OnUniqueHeld
from idsync_cli.core.config.definitions import NO_DEFINITIONS, Definitions
from idsync_cli.core.config.lint import contradictions, lint_warnings
from idsync_cli.core.config.rules import Organization, ScopeRules
from idsync_cli.core.config.strategy import DEFAULT_PRIORITY, PRESETS, Preset, Settings, Strategy
from idsync_cli.core.identity import TYPES_BY_NAME, IdentityType
from idsync_cli.errors import Fault, FileFault, Hint, nearest, printable, quoted
from idsync_cli.files.extensions import read_extensions
from idsync_cli.files.workspaces import read_accounts
from idsync_cli.files.yaml_parser import parse_documents
from idsync_cli.files.yaml_tree import (
    START,
    Faults,
    Node,
    SourcePosition,
    read_bytes,
    text_of,
)

if TYPE_CHECKING:
    from idsync_cli.files.definitions_file import DefinitionReader

Code = TypeVar("Code", bound=StrEnum)

_TOP = ("version", "organization", "scopes", "accounts")
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


class Configuration:
    """A configuration file that can be used, and what `config lint` says of it."""

    def __init__(self, organization: Organization, document: Node, faults: Faults) -> None:
        self.organization = organization
        self._document = document
        self._faults = faults

    def without_extensions(self) -> "Configuration":
        """The same with no guard rails (section 11)."""
        plain = self.organization.without_extensions()
        return Configuration(plain, self._document, self._faults)

    @property
    def warnings(self) -> tuple[Fault, ...]:
        """What is valid, and often a mistake."""
        return _lint(self._faults, self._document, self.organization)

    @property
    def lint(self) -> tuple[str, ...]:
        """The warnings as lines."""
        return tuple(map(str, self.warnings))


def load(path: Path) -> Configuration:
    """Read a configuration file.

    Raises:
        FileFault: every fault of the file, each with its place.
    """
    try:
        is_there = path.exists()
    except OSError as error:  # a name that is too long, a folder that may not be entered
        raise FileFault([Fault(path.as_posix(), error.strerror or str(error))]) from None
    if not is_there:
        missing = Fault(path.as_posix(), "no such file", hint=Hint.MAKE_CONFIGURATION)
        raise FileFault([missing])
    return read(text_of(path, read_bytes(path)), path)


def read(text: str, path: Path) -> Configuration:
    """Read the text of a configuration; `path` is what faults name it.

    Raises:
        FileFault: every fault of it, each with its place.
    """
    faults = Faults(path)
    documents = parse_documents(text, faults)
    if not documents or (len(documents) == 1 and documents[0].value is None):
        faults.add(START, "the configuration is empty", Hint.MAKE_CONFIGURATION_ANEW)
        faults.raise_any()
    if len(documents) > 1:
        faults.add(documents[1].place, "a second YAML document; a configuration has only one")
    reader = _Reader(faults)
    organization = reader.organization(documents[0])
    faults.raise_any()
    return Configuration(organization, documents[0], faults)


def read_scope(node: Node, faults: Faults) -> ScopeRules | None:
    """Read the mapping of one scope; None if its faults leave nothing usable."""
    return _Reader(faults).scope(node)


def _lint(faults: Faults, document: Node, organization: Organization) -> tuple[Fault, ...]:
    found = faults.another()
    scopes = document.mapping["scopes"].mapping if document.mapping else None
    for name, rules in organization.scopes.items():
        for warning in lint_warnings(rules):
            place = _place_of(scopes[name], warning.path) if scopes else START
            found.add(place, f"scope {printable(name)}: {warning.message} [{warning.code}]")
    return tuple(found.in_order())


def _place_of(scope: Node, path: Iterable[str]) -> SourcePosition:
    """Where the last of the keys that is there stands; types may stand under any of their names."""
    node, place = scope, scope.place
    for key in path:
        if node.mapping is not None:
            name = next((name for name in node.mapping if _same(name, key)), None)
            if name is None:
                break
            place, node = node.keys[name], node.mapping[name]
        else:
            items = node.sequence or ()
            place = next((item.place for item in items if _same(item.value, key)), place)
    return place


def _same(name: object, key: str) -> bool:
    return name == key or (isinstance(name, str) and TYPES_BY_NAME.get(name) == key)


class _Reader:
    """Reads nodes into rules, noting what is wrong with them."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults
        self._definition_reader: DefinitionReader | None = None

    def organization(self, document: Node) -> Organization:
        entries = self._faults.entries(document, _TOP, "the configuration")
        version = entries.get("version")
        if version is not None and version.value != "1":
            self._faults.add(
                version.place, f"unknown version {version.described()}; write version: 1"
            )
        name = entries.get("organization")
        if name is not None and not isinstance(name.value, str):
            self._faults.add(name.place, f"organization is {name.described()}, but must be a name")
        scopes = self._scopes(document, entries.get("scopes"))
        accounts, workspaces, access = read_accounts(entries.get("accounts"), scopes, self._faults)
        return Organization(
            name=name.value if name is not None and isinstance(name.value, str) else None,
            scopes={scope: rules for scope, rules in scopes.items() if rules is not None},
            workspaces=workspaces,
            accounts=accounts,
            access=access,
        )

    def scope(self, node: Node) -> ScopeRules | None:
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
            self._faults.add(_place_of(node, contradiction.path), contradiction.message)
        return None if node.mapping is None or preset is None or priority is None else rules

    def _definitions(self, entries: Mapping[str, Node]) -> Definitions:
        """Calculated attributes and audiences; most configurations have none, and load no more."""
        if not any(key in entries for key in _DEFINITIONS):
            return NO_DEFINITIONS
        from idsync_cli.files.definitions_file import DefinitionReader

        if self._definition_reader is None:
            self._definition_reader = DefinitionReader(self._faults)
        return self._definition_reader.definitions(entries)

    def _scopes(self, document: Node, node: Node | None) -> dict[str, ScopeRules | None]:
        if node is None:
            if document.mapping is not None:
                self._faults.add(document.place, "no scopes; a configuration has at least one")
            return {}
        if not node.mapping:
            found = "names none" if node.mapping is not None else f"is {node.described()}"
            self._faults.add(node.place, f"scopes {found}, but must name a scope")
            return {}
        return {name: self.scope(each) for name, each in node.mapping.items()}

    def _strategy(self, scope: Node, node: Node | None) -> Preset | None:
        """The strategy of a scope; where parts are wrong, harmless ones stand in for them."""
        if node is None:
            if scope.mapping is not None:
                self._faults.add(scope.place, f"no strategy; use one of {', '.join(PRESETS)}")
            return None
        if node.mapping is not None:
            return Preset(self._strategy_mapping(node))
        if isinstance(node.value, str) and node.value in PRESETS:
            return PRESETS[node.value]
        hint = nearest(node.value, PRESETS) if isinstance(node.value, str) else ""
        self._faults.add(
            node.place,
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
                    node.place, f"the strategy does not set {name}; it must set every key"
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
                    scope.place, "no priority; list identifier types, most trusted first"
                )
            return None
        if not node.sequence:
            self._faults.add(
                node.place,
                "the priority is empty; list at least one identifier type"
                if node.sequence == ()
                else f"priority is {node.described()}, but must be a list of identifier types",
            )
            return None
        priority: list[IdentityType] = []
        for item in node.sequence:
            kind = self._identity_type(item.value, item.place, item.described())
            if kind in priority:
                self._faults.add(item.place, f"{kind} appears twice in the priority; keep one")
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
                node.place,
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
        self, name: object, place: SourcePosition, shown: str
    ) -> IdentityType | None:
        if isinstance(name, str) and name in TYPES_BY_NAME:
            return TYPES_BY_NAME[name]
        from idsync_cli.core.everyday_names import type_hint

        close = type_hint(name) if isinstance(name, str) else ""
        hint = None if close else Hint.LIST_TYPES
        self._faults.add(place, f"unknown identity type {shown}{close}", hint)
        return None

    def _flag(self, entries: Mapping[str, Node], name: str) -> bool | None:
        node = entries.get(name)
        if node is None:
            return None
        if isinstance(node.value, bool):
            return node.value
        self._faults.add(node.place, f"{name} is {node.described()}, but must be true or false")
        return None

    def _code(self, codes: type[Code], entries: Mapping[str, Node], name: str) -> Code | None:
        node = entries.get(name)
        if node is None:
            return None
        if isinstance(node.value, str) and node.value in set(codes):
            return codes(node.value)
        wanted = " or ".join(codes)
        self._faults.add(node.place, f"{name} is {node.described()}, but must be {wanted}")
        return None
