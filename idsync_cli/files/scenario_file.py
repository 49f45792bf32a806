"""Scenarios: YAML to steps and what is expected of them (section 8)."""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path

from idsync_cli.core.codes import RequestKind
from idsync_cli.core.config.rules import Organization
from idsync_cli.core.decision import Word
from idsync_cli.core.everyday_names import type_hint
from idsync_cli.core.identity import TYPES_BY_NAME, Identifier, mpid_rule, parse_mpid, value_fault
from idsync_cli.errors import Hint, nearest, quoted
from idsync_cli.file_faults import Fault, FileFault
from idsync_cli.files.config_file import Configuration, load
from idsync_cli.files.expectation import read_expect
from idsync_cli.files.scenario import Given, Scenario, Step
from idsync_cli.files.scenario_data import (
    TRACK,
    WHOLE_LINES,
    ExpectedProfile,
    clock_of,
    expected_profile,
    line_of,
    says_more,
    track_of,
)
from idsync_cli.files.scope_reader import ScopeReader
from idsync_cli.files.yaml_parser import parse_documents
from idsync_cli.files.yaml_tree import Faults, Node, read_bytes, text_of
from idsync_cli.wire import Json

INLINE_SCOPE = "scope"
"""The name of a scope that a scenario spells out itself."""

_SCENARIO = ("name", "config", "scope", "now", "given", "steps", "profiles")
_STEP_EXTRAS = ("as", "previous_mpid", "expect")
_REQUEST_MEMBERS = ("scope", "workspace", "mpid", "identity_changes")


Load = Callable[[Path], Configuration]
"""How a scenario comes by the configuration that it names."""


def read_scenarios(
    path: Path, load: Load = load, rules: Organization | None = None
) -> list[Scenario]:
    """Read the scenarios of one file; `load` may remember configurations that many name.

    With `rules` they are read as if these stood instead of their own, which are not looked at.
    One that spells a scope out itself gets the scope of that name (`INLINE_SCOPE`), or the only
    one there is.

    Raises:
        FileFault: every fault of the file, each with its place.
    """
    return parse_scenarios(path, read_bytes(path), load, rules)


def parse_scenarios(
    path: Path, data: bytes, load: Load = load, rules: Organization | None = None
) -> list[Scenario]:
    """Read scenarios as `read_scenarios` does, where `path` holds `data`, or may come to.

    Raises:
        FileFault: every fault of the file, each with its place.
    """
    faults = Faults(path)
    documents = parse_documents(text_of(path, data), faults)
    scenarios = [
        _Reader(path, faults, load, rules).scenario(document, position)
        for position, document in enumerate(documents, start=1)
    ]
    faults.raise_any()
    if not scenarios:
        raise FileFault([Fault(path.as_posix(), "no scenario; a scenario has steps", 1, 1)])
    return [scenario for scenario in scenarios if scenario is not None]


def _given_fault(faults: Faults, node: Node, message: str, word: Word) -> Fault:
    """What is wrong with a given profile, at the key or the value that `word` leads to."""
    position, found = node.position, node
    for key in word if isinstance(word, tuple) else ():
        if isinstance(key, int):
            position = found.sequence[key].position if found.sequence else found.position
        elif found.mapping is not None:
            kind = TYPES_BY_NAME.get(key)
            for name, each in found.mapping.items():
                if name == key or (kind and TYPES_BY_NAME.get(name) is kind):
                    position, found = found.keys[name], each
                    break
    return faults.fault(position, message)


class _Reader:
    """Reads one document, noting what is wrong with it."""

    def __init__(self, path: Path, faults: Faults, load: Load, rules: Organization | None) -> None:
        self._path = path
        self._faults = faults
        self._load = load
        self._rules = rules

    def scenario(self, document: Node, position: int) -> Scenario | None:
        entries = self._faults.entries(document, _SCENARIO, "a scenario")
        organization = self._organization(document, entries)
        name, profiles, now = (entries.get(key) for key in ("name", "profiles", "now"))
        if name is not None and not isinstance(name.value, str):
            self._faults.add(
                name.position,
                f"name is {name.described()}, but must be text; put it between quotes",
            )
        given = [self._given(each, organization) for each in self._list(entries, "given")]
        steps = [self._step(each) for each in self._list(entries, "steps")]
        if not steps and document.mapping is not None:
            self._faults.add(document.position, "no steps; a scenario has at least one request")
        if organization is None:
            return None
        return Scenario(
            name=str(name.value) if name else f"{self._path.stem} {position}",
            path=self._path,
            line=document.position.line,
            organization=organization,
            given=tuple(each for each in given if each is not None),
            steps=tuple(step for step in steps if step is not None),
            profiles=self._profiles(profiles),
            document=position,
            now_ms=(clock_of(self._faults, now) or 0) if now else 0,
            written=(profiles.mapping or {}) if profiles else {},
        )

    def _organization(self, document: Node, entries: Mapping[str, Node]) -> Organization | None:
        config, scope = entries.get("config"), entries.get("scope")
        if config is not None and scope is not None:
            self._faults.add(scope.position, "both config and scope are given; keep one")
        elif self._rules is not None:
            return self._rules if scope is None else self._in_place_of(scope, self._rules)
        elif scope is not None:
            rules = ScopeReader(self._faults).rules(scope)
            return Organization(None, {INLINE_SCOPE: rules}, {}) if rules else None
        elif config is None:
            if document.mapping is not None:
                self._faults.add(document.position, "no rules; set config or scope")
        elif not isinstance(config.value, str):
            self._faults.add(config.position, f"config is {config.described()}, but must be a path")
        else:
            try:
                return self._load(self._path.parent / config.value).organization
            except FileFault as fault:
                for each in fault.found:
                    hint, excerpt = None, None
                    if isinstance(each, Fault):
                        hint, excerpt = each.hint, each.excerpt
                    self._faults.add(config.position, f"the configuration: {each}", hint, excerpt)
        return None

    def _in_place_of(self, scope: Node, rules: Organization) -> Organization | None:
        """The rules of one scope for a scenario whose requests need not name theirs."""
        found = rules.scopes.get(INLINE_SCOPE)
        if found is None and len(rules.scopes) == 1:
            [found] = rules.scopes.values()
        if found is None:
            self._faults.add(
                scope.position,
                "the scenario spells out its scope, but the configuration to be used "
                f"instead has several; name one of them {INLINE_SCOPE}, or use one with a single "
                "scope",
            )
            return None
        return Organization(None, {INLINE_SCOPE: found}, {})

    def _given(self, node: Node, organization: Organization | None) -> Given | None:
        entries = dict(self._faults.entries(node, None, "a given profile"))
        scope, mpid = entries.pop("scope", None), entries.pop("mpid", None)
        number = None
        if mpid is not None:
            number = parse_mpid(mpid.value)
            if number is None:
                self._faults.add(
                    mpid.position, f"{mpid.described()} is not an MPID{mpid_rule(mpid.value)}"
                )
        identifiers = tuple(self._identifiers(entries, node))
        if organization is None:
            return None
        if scope is None and len(organization.scopes) > 1:
            self._faults.add(
                node.position,
                "no scope; the configuration has several, so the profile must name one",
            )
            return None
        name = scope.value if scope else next(iter(organization.scopes))
        if not isinstance(name, str) or name not in organization.scopes:
            assert scope is not None
            hint = nearest(str(name), organization.scopes)
            self._faults.add(scope.position, f"unknown scope {scope.described()}{hint}")
            return None
        fault = partial(_given_fault, self._faults, node)
        return Given(name, number, identifiers, node.position.line, fault)

    def _identifiers(self, entries: Mapping[str, Node], parent: Node) -> Iterator[Identifier]:
        for name, node in entries.items():
            kind = TYPES_BY_NAME.get(name)
            if kind is None:
                close = type_hint(name)
                hint = None if close else Hint.LIST_TYPES
                what = f"unknown identity type {quoted(name)}{close}"
                self._faults.add(parent.keys[name], what, hint)
                continue
            for each in (node,) if node.sequence is None else node.sequence:
                empty = each.value in ("", None)
                fault = "is empty; remove it" if empty else value_fault(each.value)
                if fault is None and isinstance(each.value, str):
                    yield Identifier(kind, each.value)
                else:
                    self._faults.add(
                        each.position, f"the value {each.described()} of {kind} {fault}"
                    )

    def _step(self, node: Node) -> Step | None:
        requests = (*RequestKind, TRACK)
        entries = self._faults.entries(node, (*requests, *_STEP_EXTRAS), "a step")
        kinds = [str(kind) for kind in requests if node.mapping and kind in node.mapping]
        if len(kinds) != 1:
            if node.mapping is not None and (
                kinds or {*requests, *_STEP_EXTRAS}.issuperset(node.mapping)
            ):
                wanted = ", ".join(requests)
                self._faults.add(node.position, f"a step is one request, under one of {wanted}")
            return None
        kind = kinds[0]
        request = self._request(kind, entries.get(kind))
        for key, member in (("as", "label"), ("previous_mpid", "previous_mpid")):
            if key in entries:
                request[member] = entries[key].plain()
        if not isinstance(request.get("label", ""), str):
            self._faults.add(
                entries["as"].position, "the name after as must be text; put it between quotes"
            )
        expected = entries.get("expect")
        return Step(
            kind=kind,
            request=request,
            expect=read_expect(self._faults, expected) if expected else {},
            line=node.position.line,
            written=(expected.mapping or {}) if expected else {},
        )

    def _request(self, kind: str, node: Node | None) -> Json:
        entries = self._faults.entries(node, None, f"the request {kind}") if node else {}
        for key in _STEP_EXTRAS:  # taken for identifiers, they would hide that nothing was expected
            if node and key in entries and not (kind in WHOLE_LINES and key == "previous_mpid"):
                what = f"{key} is inside the request; put it beside {kind}"
                self._faults.add(node.keys[key], what)
        if node and entries and kind in WHOLE_LINES:
            return line_of(kind, node)
        if node and entries and kind == TRACK:
            return track_of(self._faults, node)
        request: Json = {"type": kind}
        identities = {}
        for key, value in entries.items():
            if key in _REQUEST_MEMBERS:
                request[key] = value.plain()
            else:
                identities[key] = value.plain()
        says_it_otherwise = "identity_changes" in request or (
            kind == RequestKind.ERASE and "mpid" in request
        )
        if identities or not says_it_otherwise:
            request["known_identities"] = identities
        return request

    def _profiles(self, node: Node | None) -> dict[str, ExpectedProfile]:
        profiles = {}
        for key, entry in (self._faults.entries(node, None, "profiles") if node else {}).items():
            if not key.startswith("@") and parse_mpid(key) is None:
                assert node is not None
                self._faults.add(
                    node.keys[key],
                    f"{quoted(key)} is neither @name nor an MPID{mpid_rule(key)}",
                )
            profiles[key] = self._expected(entry, f"the profile {quoted(key)}")
        return profiles

    def _expected(self, entry: Node, what: str) -> ExpectedProfile:
        held = self._faults.entries(entry, None, what)
        if not says_more(held):
            identifiers = frozenset(self._identifiers(held, entry))
            return ExpectedProfile(identifiers, written={"identities": entry})
        identities = held.get("identities")
        if identities is None or identities.value is None:
            return expected_profile(self._faults, entry, what, None)
        within = self._faults.entries(identities, None, "identities")
        found = frozenset(self._identifiers(within, identities))
        return expected_profile(self._faults, entry, what, found)

    def _list(self, entries: Mapping[str, Node], key: str) -> tuple[Node, ...]:
        return self._faults.items(entries[key]) if key in entries else ()
