"""What the shell offers for the next word: names from the configuration at hand.

Where there is none, or a broken one, nothing is said: the command itself will tell.
"""

from collections.abc import Iterable
from pathlib import Path

import typer

from idsync_cli.core.config.rules import Organization
from idsync_cli.core.identity import TYPES_BY_NAME, IdentityType
from idsync_cli.errors import IdsyncError
from idsync_cli.files.config_file import load


def scopes(ctx: typer.Context, incomplete: str) -> list[str]:
    """The scopes of the configuration."""
    organization = _organization(ctx)
    return _starting(organization.scopes if organization else (), incomplete)


def audiences(ctx: typer.Context, incomplete: str) -> list[str]:
    """The audiences of the scope that is named, or of all scopes."""
    organization = _organization(ctx)
    if organization is None:
        return []
    chosen = organization.scopes.get(ctx.params.get("scope") or "")
    everywhere = [chosen] if chosen else organization.scopes.values()
    names = dict.fromkeys(name for rules in everywhere for name in rules.definitions.audiences)
    return _starting(names, incomplete)


def workspaces(ctx: typer.Context, incomplete: str) -> list[str]:
    """The workspaces of the configuration."""
    organization = _organization(ctx)
    return _starting(organization.workspaces if organization else (), incomplete)


def types(ctx: typer.Context, incomplete: str) -> list[str]:
    """Identifier types: those that the configuration can look up, or else every one.

    Other names of a type are offered once something of them is typed.
    """
    found = _starting(_looked_up(ctx), incomplete)
    if not found and incomplete:
        found = _starting(TYPES_BY_NAME, incomplete)
    return found


def types_with_value(ctx: typer.Context, incomplete: str) -> list[str]:
    """Identifier types for TYPE=VALUE; a value is the user's to know."""
    return [] if "=" in incomplete else [f"{name}=" for name in types(ctx, incomplete)]


def types_with_change(ctx: typer.Context, incomplete: str) -> list[str]:
    """Identifier types for TYPE:OLD:NEW."""
    return [] if ":" in incomplete else [f"{name}:" for name in types(ctx, incomplete)]


def _looked_up(ctx: typer.Context) -> Iterable[str]:
    organization = _organization(ctx)
    if organization is None:
        return IdentityType
    workspace = ctx.params.get("workspace")
    scope = ctx.params.get("scope") or organization.workspaces.get(workspace or "")
    chosen = organization.scopes.get(scope or "")
    everywhere = [chosen] if chosen else organization.scopes.values()
    return dict.fromkeys(kind.value for rules in everywhere for kind in rules.priority)


def _organization(ctx: typer.Context) -> Organization | None:
    named = ctx.params.get("config")
    try:
        return load(Path(named)).organization if named else None
    except (IdsyncError, OSError, ValueError):
        return None


def _starting(names: Iterable[str], incomplete: str) -> list[str]:
    return [str(name) for name in names if name.startswith(incomplete) and name.isprintable()]
