"""The configuration: YAML to rules, with every fault at once and each at its place (section 3)."""

from pathlib import Path

from idsync_cli.core.config.lint import lint_warnings
from idsync_cli.core.config.rules import Organization, ScopeRules
from idsync_cli.errors import Hint, printable
from idsync_cli.file_faults import Fault, FileFault
from idsync_cli.files.scope_reader import ScopeReader, position_of
from idsync_cli.files.workspaces import read_accounts
from idsync_cli.files.yaml_parser import parse_documents
from idsync_cli.files.yaml_tree import START, Faults, Node, read_bytes, text_of

_TOP = ("version", "organization", "scopes", "accounts")


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
        faults.add(documents[1].position, "a second YAML document; a configuration has only one")
    reader = _Reader(faults)
    organization = reader.organization(documents[0])
    faults.raise_any()
    return Configuration(organization, documents[0], faults)


def _lint(faults: Faults, document: Node, organization: Organization) -> tuple[Fault, ...]:
    found = faults.another()
    scopes = document.mapping["scopes"].mapping if document.mapping else None
    for name, rules in organization.scopes.items():
        for warning in lint_warnings(rules):
            position = position_of(scopes[name], warning.path) if scopes else START
            found.add(position, f"scope {printable(name)}: {warning.message} [{warning.code}]")
    return tuple(found.in_order())


class _Reader:
    """Reads the nodes of a file into rules, noting what is wrong with them."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults
        self._scope = ScopeReader(faults)

    def organization(self, document: Node) -> Organization:
        entries = self._faults.entries(document, _TOP, "the configuration")
        version = entries.get("version")
        if version is not None and version.value != "1":
            self._faults.add(
                version.position, f"unknown version {version.described()}; write version: 1"
            )
        name = entries.get("organization")
        if name is not None and not isinstance(name.value, str):
            self._faults.add(
                name.position, f"organization is {name.described()}, but must be a name"
            )
        scopes = self._scopes(document, entries.get("scopes"))
        accounts, workspaces, access = read_accounts(entries.get("accounts"), scopes, self._faults)
        return Organization(
            name=name.value if name is not None and isinstance(name.value, str) else None,
            scopes={scope: rules for scope, rules in scopes.items() if rules is not None},
            workspaces=workspaces,
            accounts=accounts,
            access=access,
        )

    def _scopes(self, document: Node, node: Node | None) -> dict[str, ScopeRules | None]:
        if node is None:
            if document.mapping is not None:
                self._faults.add(document.position, "no scopes; a configuration has at least one")
            return {}
        if not node.mapping:
            found = "names none" if node.mapping is not None else f"is {node.described()}"
            self._faults.add(node.position, f"scopes {found}, but must name a scope")
            return {}
        return {name: self._scope.rules(each) for name, each in node.mapping.items()}
