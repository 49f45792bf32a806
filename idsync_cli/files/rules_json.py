"""The rules of a scope as JSON, always the same for the same rules: what a store remembers."""

import json
from typing import Any

from idsync_cli.core.codes import OnConflictingLogin, OnLogout, OnNewKnownUser, OnUniqueHeld
from idsync_cli.core.config.definitions import NO_DEFINITIONS
from idsync_cli.core.config.rules import Organization, ScopeRules
from idsync_cli.core.config.strategy import Settings, Strategy
from idsync_cli.core.identity import IdentityType
from idsync_cli.errors import StoreFault
from idsync_cli.files.definitions_json import definitions_json, read_definitions


def remembered(organization: Organization) -> dict[str, str]:
    """The rules of every scope, by its name."""
    return {name: encode(rules) for name, rules in organization.scopes.items()}


def encode(rules: ScopeRules) -> str:
    """The rules of a scope as they work."""
    strategy = rules.strategy
    value = {
        "strategy": {
            "name": strategy.name,
            "on_new_known_user": strategy.on_new_known_user,
            "on_logout": strategy.on_logout,
            "logins": strategy.logins,
            "login_needs_login_id": strategy.login_needs_login_id,
            "links": strategy.links,
            "aliasing": strategy.aliasing,
        },
        "priority": rules.priority,
        "identities": {
            kind: settings.names()
            for kind in rules.priority
            if (settings := rules.settings_of(kind)).names()
        },
        "on_conflicting_login": rules.on_conflicting_login,
        "on_unique_held": rules.on_unique_held,
        **_defined(rules),
    }
    return json.dumps(value, separators=(",", ":"), sort_keys=True)


def _defined(rules: ScopeRules) -> dict[str, Any]:
    definitions = rules.definitions
    return {} if definitions == NO_DEFINITIONS else {"defined": definitions_json(definitions)}


def decode(text: str) -> ScopeRules:
    """Read the rules of a scope.

    Raises:
        StoreFault: they are no rules that this version knows.
    """
    try:
        return _rules_of(json.loads(text))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise StoreFault(
            f"the rules under which the store was last changed cannot be read: {error!r}; "
            "the next request that changes the store replaces them"
        ) from None


def _rules_of(value: dict[str, Any]) -> ScopeRules:
    told = value["strategy"]
    on_logout = told["on_logout"]
    strategy = Strategy(
        name=str(told["name"]),
        on_new_known_user=OnNewKnownUser(told["on_new_known_user"]),
        on_logout=None if on_logout is None else OnLogout(on_logout),
        logins=bool(told["logins"]),
        login_needs_login_id=bool(told["login_needs_login_id"]),
        links=bool(told["links"]),
        aliasing=bool(told["aliasing"]),
    )
    return ScopeRules(
        strategy=strategy,
        priority=tuple(map(IdentityType, value["priority"])),
        settings={
            IdentityType(kind): Settings(**dict.fromkeys(names, True))
            for kind, names in value["identities"].items()
        },
        on_conflicting_login=OnConflictingLogin(value["on_conflicting_login"]),
        # A store that was last changed before there was a choice remembers none.
        on_unique_held=OnUniqueHeld(value.get("on_unique_held", OnUniqueHeld.TAKE)),
        definitions=read_definitions(value["defined"]) if "defined" in value else NO_DEFINITIONS,
    )
