"""The accounts of a configuration: workspaces, the scope of each, and its keys (section 10)."""

from collections.abc import Collection, Mapping
from typing import Final

from idsync_cli.core.config.access import NO_ACCESS, NO_SECRETS, Access, Secrets
from idsync_cli.errors import nearest, quoted
from idsync_cli.files.yaml_tree import Faults, Node

_WORKSPACE = (
    "scope", "api_key", "api_secret", "api_secret_env", "key_only", "admin_key", "admin_secret",
    "admin_secret_env", "rate", "audiences", "modify_takes",
)  # fmt: skip
_SECRETS: Final = ("api_secret", "api_secret_env", "admin_secret", "admin_secret_env")
_MOST_SECRETS = 2
_LONGEST_KEY = 256
_NOT_IN_A_KEY: Final = frozenset("/:?#%&\"'\\")
"""What would mean something else in the path of a URL, or in Basic credentials."""

Accounts = tuple[dict[str, tuple[str, ...]], dict[str, str], dict[str, Access]]
"""The workspaces of each account, the scope of each, and the keys of those that have any."""


def read_accounts(node: Node | None, scopes: Collection[str], faults: Faults) -> Accounts:
    """Read the accounts; what is wrong with them is added to the faults."""
    return _Reader(scopes, faults).accounts(node)


class _Reader:
    """Reads workspaces, each of which must be there once, and so must each of their keys."""

    def __init__(self, scopes: Collection[str], faults: Faults) -> None:
        self._scopes = scopes
        self._faults = faults
        self._keys: dict[str, str] = {}  # and what each of them is

    def accounts(self, node: Node | None) -> Accounts:
        accounts: dict[str, tuple[str, ...]] = {}
        scope_of: dict[str, str] = {}
        access: dict[str, Access] = {}
        seen: set[str] = set()
        entries = self._faults.entries(node, None, "accounts") if node else {}
        for account, entry in entries.items():
            inside = self._faults.entries(entry, ("workspaces",), f"the account {quoted(account)}")
            listed = inside.get("workspaces")
            served = self._faults.entries(listed, None, "workspaces") if listed else {}
            accounts[account] = tuple(served)
            for workspace, each in served.items():
                if workspace in seen:
                    assert listed is not None
                    self._faults.add(
                        listed.keys[workspace],
                        f"the workspace {quoted(workspace)} appears twice in the organization; "
                        "a workspace belongs to one account and one scope",
                    )
                seen.add(workspace)
                scope, its_access = self._workspace(workspace, each)
                if scope is not None:
                    scope_of[workspace] = scope
                if its_access != NO_ACCESS:
                    access[workspace] = its_access
        return accounts, scope_of, access

    def _workspace(self, name: str, node: Node) -> tuple[str | None, Access]:
        if node.mapping is None:
            return self._scope(node), NO_ACCESS
        for key, each in node.mapping.items():
            if key not in _WORKSPACE:  # it may be meant for that of a secret
                self._faults.hide(each)
        entries = self._faults.entries(node, _WORKSPACE, f"the workspace {quoted(name)}")
        for key in _SECRETS:  # one that is left empty was not left out
            if key in node.mapping:
                entries = {**entries, key: node.mapping[key]}
        scope = entries.get("scope")
        if scope is None:
            self._faults.add(
                node.position, f"the workspace {quoted(name)} names no scope; add scope: to it"
            )
        access = Access(
            api_key=self._key(node, entries, "api_key", name),
            api_secrets=self._secrets(node, entries, "api"),
            key_only=self._flag(entries, "key_only"),
            admin_key=self._key(node, entries, "admin_key", name),
            admin_secrets=self._secrets(node, entries, "admin"),
            rate=self._rate(entries.get("rate")),
            audiences=self._flag(entries, "audiences"),
            modify_takes=self._flag(entries, "modify_takes"),
        )
        if access.admin_key is not None and not access.admin_secrets:
            self._faults.add(
                node.keys["admin_key"],
                f"the admin_key of {quoted(name)} has no secret; "
                "add admin_secret or admin_secret_env",
            )
        if access.key_only and "api_key" not in entries:
            self._faults.add(
                node.keys["key_only"],
                f"key_only lets the bare api_key of {quoted(name)} do, and it has none; "
                "add api_key, or remove key_only",
            )
        return (None if scope is None else self._scope(scope)), access

    def _scope(self, node: Node) -> str | None:
        if not isinstance(node.value, str):
            self._faults.add(node.position, f"{node.described()} is not the name of a scope")
        elif node.value not in self._scopes:
            hint = nearest(node.value, self._scopes) or "; name one under scopes, or add it there"
            self._faults.add(node.position, f"unknown scope {quoted(node.value)}{hint}")
        else:
            return node.value
        return None

    def _key(self, node: Node, entries: Mapping[str, Node], key: str, workspace: str) -> str | None:
        found = entries.get(key)
        if found is None:
            return None
        value = found.value
        if not isinstance(value, str) or not _may_be_key(value):
            self._faults.add(
                found.position,
                f"{key} is {found.described()}, but must be 1 to {_LONGEST_KEY} ASCII characters "
                "without spaces, quotes or any of / \\ : ? # % &",
            )
            return None
        use = f"the {key} of the workspace {quoted(workspace)}"
        first = self._keys.setdefault(value, use)
        if first is not use:
            self._faults.add(
                node.keys[key],
                f"{use} is also {first}; use each key once, for it says which workspace a request "
                "is for",
            )
        return value

    def _secrets(self, node: Node, entries: Mapping[str, Node], whose: str) -> Secrets:
        written, variable = entries.get(f"{whose}_secret"), entries.get(f"{whose}_secret_env")
        if written is None and variable is None:
            return NO_SECRETS
        if f"{whose}_key" not in entries:
            named = f"{whose}_secret" if written is not None else f"{whose}_secret_env"
            self._faults.add(node.keys[named], f"{named} has no key; add {whose}_key")
        if written is not None and variable is not None:
            self._faults.add(
                node.keys[f"{whose}_secret_env"],
                f"give {whose}_secret or {whose}_secret_env, not both",
            )
        if variable is not None:
            if not isinstance(variable.value, str) or not variable.value:
                self._faults.add(
                    variable.position,
                    f"{whose}_secret_env is {variable.described()}, "
                    "but must name an environment variable",
                )
                return NO_SECRETS
            return Secrets(variable=variable.value)
        assert written is not None
        items = written.sequence if written.sequence is not None else (written,)
        if not 1 <= len(items) <= _MOST_SECRETS:
            self._faults.add(
                written.position, f"{whose}_secret lists {len(items)} secrets; give one or two"
            )
        secrets = []
        for item in items:  # no message shows one
            if isinstance(item.value, str) and item.value:
                secrets.append(item.value)
            else:
                what = "is empty" if item.value in ("", None) else "is not text"
                self._faults.add(
                    item.position, f"{whose}_secret {what}; give a secret, or omit the key"
                )
        return Secrets(tuple(secrets))

    def _rate(self, node: Node | None) -> int | None:
        if node is None:
            return None
        text = node.value
        if isinstance(text, str) and text.isascii() and text.isdigit() and 0 < len(text) <= 9:
            number = int(text)
            if number > 0:
                return number
        self._faults.add(
            node.position,
            f"rate is {node.described()}, but must be a number of requests per second, such as 50",
        )
        return None

    def _flag(self, entries: Mapping[str, Node], name: str) -> bool:
        node = entries.get(name)
        if node is None:
            return False
        if not isinstance(node.value, bool):
            self._faults.add(
                node.position, f"{name} is {node.described()}, but must be true or false"
            )
        return node.value is True


def _may_be_key(text: str) -> bool:
    return (
        0 < len(text) <= _LONGEST_KEY
        and all("!" <= each <= "~" for each in text)
        and not _NOT_IN_A_KEY & set(text)
    )
