"""The rules of a job as plain text, which can be sent anywhere and kept beside its output."""

from collections.abc import Mapping
from typing import NamedTuple

from idsync_cli.core.config.rules import Organization
from idsync_cli.errors import StoreFault
from idsync_cli.files import rules_json


class JobRules(NamedTuple):
    """The rules of every scope, as a store remembers them, and the scope of each workspace."""

    scopes: Mapping[str, str]
    workspaces: Mapping[str, str]

    def organization(self) -> Organization:
        """The rules themselves."""
        scopes = {name: rules_json.decode(text) for name, text in self.scopes.items()}
        return Organization(None, scopes, dict(self.workspaces))


def rules_in(written: Mapping[str, Mapping[str, str]]) -> JobRules:
    """The rules as a job wrote them.

    Raises:
        KeyError, TypeError, ValueError: they cannot be read.
    """
    found = JobRules(dict(written["scopes"]), dict(written["workspaces"]))
    try:
        found.organization()
    except StoreFault:  # it tells of a store
        raise ValueError("the rules cannot be read") from None
    return found


def rules_of(organization: Organization) -> JobRules:
    """The rules of an organization."""
    return JobRules(rules_json.remembered(organization), dict(organization.workspaces))


def with_other_logins(before: Mapping[str, str], after: Mapping[str, str]) -> list[str]:
    """The scopes in both whose login types are others now, by name."""
    return [
        name
        for name in sorted(before.keys() & after.keys())
        if rules_json.decode(before[name]).login_bits != rules_json.decode(after[name]).login_bits
    ]
