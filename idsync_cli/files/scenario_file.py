"""Scenarios: YAML to steps and what is expected of them (section 8)."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from idsync_cli.core.codes import RequestKind
from idsync_cli.core.config.rules import Organization
from idsync_cli.core.decision import Word
from idsync_cli.core.identity import TYPES_BY_NAME, Identifier, parse_mpid, value_fault
from idsync_cli.errors import Fault, FileFault, nearest, quoted
from idsync_cli.files.config_file import Configuration, load, read_scope
from idsync_cli.files.expectation import AN_MPID, read_expect
from idsync_cli.files.packed import without_suffix
from idsync_cli.files.yaml_tree import Faults, Node, parse_documents, read_bytes, text_of
from idsync_cli.wire import Json

INLINE_SCOPE = "scope"
"""The name of a scope that a scenario spells out itself."""

_SCENARIO = ("name", "config", "scope", "given", "steps", "profiles")
_STEP_EXTRAS = ("as", "previous_mpid", "expect")
_REQUEST_MEMBERS = ("scope", "workspace", "mpid", "identity_changes")


@dataclass(frozen=True, slots=True)
class Given:
    """A profile that is there before the first step; without an MPID, the store makes one."""

    scope: str
    mpid: int | None
    identifiers: tuple[Identifier, ...]
    line: int
    fault: "Callable[[str, Word], Fault]" = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Step:
    """One request, as a line of JSON would hold it, and what is expected of its answer.

    What `expect` leaves out is not checked; identifier types stand in it by canonical name.
    `written` has the nodes of the file that `expect` was read from.
    """

    kind: RequestKind
    request: Json
    expect: Mapping[str, Any]
    line: int
    written: Mapping[str, Node] = field(default_factory=dict, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Scenario:
    """A story with its rules; `profiles` says what each must hold at the end.

    `document` counts the scenarios of the file from 1, and `written` has the nodes of the file that
    `profiles` was read from.
    """

    name: str
    path: Path
    line: int
    organization: Organization
    given: tuple[Given, ...]
    steps: tuple[Step, ...]
    profiles: Mapping[str, frozenset[Identifier]]
    document: int = 1
    written: Mapping[str, Node] = field(default_factory=dict, compare=False, repr=False)


Load = Callable[[Path], Configuration]
"""How a scenario comes by the configuration that it names."""


def find(paths: Iterable[Path]) -> Iterator[Path]:
    """The scenario files that are named, or lie in a folder that is named, sorted in each.

    A configuration among the files of a folder is passed over, and so is what is hidden there.

    Raises:
        FileFault: a path that is not there.
    """
    for path in paths:
        try:
            is_folder, is_there = path.is_dir(), path.exists()
        except OSError as error:  # a name that is too long, a folder that may not be entered
            raise FileFault([Fault(path.as_posix(), error.strerror or str(error))]) from None
        if is_folder:
            files = sorted(each for each in path.rglob("*") if _is_yaml(each.name))
            yield from (
                each
                for each in files
                if not _is_hidden(each.relative_to(path)) and not _is_configuration(each)
            )
        elif is_there:
            yield path
        else:
            raise FileFault([Fault(path.as_posix(), "no such file or folder")])


def read_scenarios(
    path: Path, load: Load = load, rules: Organization | None = None
) -> list[Scenario]:
    """Read the scenarios of one file; `load` may remember configurations that many name.

    With `rules` they are read as if these stood in the place of their own, which are not looked at.
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
        _Reader(path, faults, load, rules).scenario(document, place)
        for place, document in enumerate(documents, start=1)
    ]
    faults.raise_any()
    if not scenarios:
        raise FileFault([Fault(path.as_posix(), "no scenario; a scenario has steps", 1, 1)])
    return [scenario for scenario in scenarios if scenario is not None]


def _is_yaml(name: str) -> bool:
    return without_suffix(name).endswith((".yaml", ".yml"))


def _is_hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)


def _is_configuration(path: Path) -> bool:
    try:
        data = read_bytes(path)
        if b"scopes" not in data:  # spares nearly every scenario from being parsed twice
            return False
        documents = parse_documents(text_of(path, data), Faults(path))
    except FileFault:
        return False  # is told where the file is read as a scenario
    return bool(documents) and "scopes" in (documents[0].mapping or {})


def _given_fault(faults: Faults, node: Node, message: str, word: Word) -> Fault:
    """What is wrong with a given profile, at the key or the value that `word` leads to."""
    place, found = node.place, node
    for key in word if isinstance(word, tuple) else ():
        if isinstance(key, int):
            place = found.sequence[key].place if found.sequence else found.place
        elif found.mapping is not None:
            kind = TYPES_BY_NAME.get(key)
            for name, each in found.mapping.items():
                if name == key or (kind and TYPES_BY_NAME.get(name) is kind):
                    place, found = found.keys[name], each
                    break
    return faults.fault(place, message)


class _Reader:
    """Reads one document, noting what is wrong with it."""

    def __init__(self, path: Path, faults: Faults, load: Load, rules: Organization | None) -> None:
        self._path = path
        self._faults = faults
        self._load = load
        self._rules = rules

    def scenario(self, document: Node, place: int) -> Scenario | None:
        entries = self._faults.entries(document, _SCENARIO, "a scenario")
        organization = self._organization(document, entries)
        name, profiles = entries.get("name"), entries.get("profiles")
        if name is not None and not isinstance(name.value, str):
            self._faults.add(
                name.place, f"name is {name.described()}, but must be text; put it between quotes"
            )
        given = [self._given(each, organization) for each in self._list(entries, "given")]
        steps = [self._step(each) for each in self._list(entries, "steps")]
        if not steps and document.mapping is not None:
            self._faults.add(document.place, "no steps; a scenario has at least one request")
        if organization is None:
            return None
        return Scenario(
            name=str(name.value) if name else f"{self._path.stem} {place}",
            path=self._path,
            line=document.place.line,
            organization=organization,
            given=tuple(each for each in given if each is not None),
            steps=tuple(step for step in steps if step is not None),
            profiles=self._profiles(profiles),
            document=place,
            written=(profiles.mapping or {}) if profiles else {},
        )

    def _organization(self, document: Node, entries: Mapping[str, Node]) -> Organization | None:
        config, scope = entries.get("config"), entries.get("scope")
        if config is not None and scope is not None:
            self._faults.add(scope.place, "both config and scope are given; keep one")
        elif self._rules is not None:
            return self._rules if scope is None else self._in_place_of(scope, self._rules)
        elif scope is not None:
            rules = read_scope(scope, self._faults)
            return Organization(None, {INLINE_SCOPE: rules}, {}) if rules else None
        elif config is None:
            if document.mapping is not None:
                self._faults.add(document.place, "no rules; set config or scope")
        elif not isinstance(config.value, str):
            self._faults.add(config.place, f"config is {config.described()}, but must be a path")
        else:
            try:
                return self._load(self._path.parent / config.value).organization
            except FileFault as fault:
                for each in fault.found:
                    hint, excerpt = None, None
                    if isinstance(each, Fault):
                        hint, excerpt = each.hint, each.excerpt
                    self._faults.add(config.place, f"the configuration: {each}", hint, excerpt)
        return None

    def _in_place_of(self, scope: Node, rules: Organization) -> Organization | None:
        """The rules of one scope for a scenario whose requests need not name theirs."""
        found = rules.scopes.get(INLINE_SCOPE)
        if found is None and len(rules.scopes) == 1:
            [found] = rules.scopes.values()
        if found is None:
            self._faults.add(
                scope.place,
                "the scenario spells its scope out, and the configuration that is to be used "
                f"instead has several; call one of them {INLINE_SCOPE}, or name one with a single "
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
                self._faults.add(mpid.place, f"{mpid.described()} is not an MPID; {AN_MPID}")
        identifiers = tuple(self._identifiers(entries, node))
        if organization is None:
            return None
        if scope is None and len(organization.scopes) > 1:
            self._faults.add(
                node.place, "no scope; the configuration has several, so the profile must name one"
            )
            return None
        name = scope.value if scope else next(iter(organization.scopes))
        if not isinstance(name, str) or name not in organization.scopes:
            assert scope is not None
            hint = nearest(str(name), organization.scopes)
            self._faults.add(scope.place, f"unknown scope {scope.described()}{hint}")
            return None
        fault = partial(_given_fault, self._faults, node)
        return Given(name, number, identifiers, node.place.line, fault)

    def _identifiers(self, entries: Mapping[str, Node], parent: Node) -> Iterator[Identifier]:
        for name, node in entries.items():
            kind = TYPES_BY_NAME.get(name)
            if kind is None:
                hint = nearest(name, TYPES_BY_NAME)
                self._faults.add(parent.keys[name], f"unknown identity type {quoted(name)}{hint}")
                continue
            for each in (node,) if node.sequence is None else node.sequence:
                empty = each.value in ("", None)
                fault = "is empty; remove it" if empty else value_fault(each.value)
                if fault is None and isinstance(each.value, str):
                    yield Identifier(kind, each.value)
                else:
                    self._faults.add(each.place, f"the value {each.described()} of {kind} {fault}")

    def _step(self, node: Node) -> Step | None:
        entries = self._faults.entries(node, (*RequestKind, *_STEP_EXTRAS), "a step")
        kinds = [kind for kind in RequestKind if node.mapping and kind in node.mapping]
        if len(kinds) != 1:
            if node.mapping is not None:
                wanted = ", ".join(RequestKind)
                self._faults.add(node.place, f"a step is one request, under one of {wanted}")
            return None
        kind = kinds[0]
        request = self._request(kind, entries.get(kind))
        for key, member in (("as", "label"), ("previous_mpid", "previous_mpid")):
            if key in entries:
                request[member] = entries[key].plain()
        if not isinstance(request.get("label", ""), str):
            self._faults.add(
                entries["as"].place, "the name after as must be text; put it between quotes"
            )
        expected = entries.get("expect")
        return Step(
            kind=kind,
            request=request,
            expect=read_expect(self._faults, expected) if expected else {},
            line=node.place.line,
            written=(expected.mapping or {}) if expected else {},
        )

    def _request(self, kind: RequestKind, node: Node | None) -> Json:
        entries = self._faults.entries(node, None, f"the request {kind}") if node else {}
        request: Json = {"type": kind.value}
        identities = {}
        for key, value in entries.items():
            if key in _REQUEST_MEMBERS:
                request[key] = value.plain()
            else:
                identities[key] = value.plain()
        if identities or "identity_changes" not in request:
            request["known_identities"] = identities
        return request

    def _profiles(self, node: Node | None) -> dict[str, frozenset[Identifier]]:
        profiles = {}
        for key, entry in (self._faults.entries(node, None, "profiles") if node else {}).items():
            if not key.startswith("@") and parse_mpid(key) is None:
                assert node is not None
                self._faults.add(
                    node.keys[key],
                    f"{quoted(key)} is neither an MPID nor @name; {AN_MPID}",
                )
            held = self._faults.entries(entry, None, f"the profile {quoted(key)}")
            profiles[key] = frozenset(self._identifiers(held, entry))
        return profiles

    def _list(self, entries: Mapping[str, Node], key: str) -> tuple[Node, ...]:
        return self._faults.items(entries[key]) if key in entries else ()
