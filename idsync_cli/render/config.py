"""A configuration as tables and as JSON."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from idsync_cli.core.codes import Beyond, Extension
from idsync_cli.core.config.definitions import NO_DEFINITIONS
from idsync_cli.core.config.guard_rails import GuardRails
from idsync_cli.core.config.rules import Organization, ScopeRules
from idsync_cli.core.identity import DEVICE_TYPES
from idsync_cli.file_faults import Fault
from idsync_cli.files.definitions_json import definitions_json
from idsync_cli.messages import guard_rails, login_warning, strategy_rules
from idsync_cli.render.breaking import broken
from idsync_cli.render.ci import annotation
from idsync_cli.render.excerpts import excerpt_lines
from idsync_cli.render.tables import grid, laid_out
from idsync_cli.render.theme import Line, Look, text
from idsync_cli.visible import visible

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

_NOTHING = "-"


def warnings_for_github(warnings: Iterable[Fault]) -> list[str]:
    """An annotation for every warning of a configuration."""
    return [annotation("warning", each, "idsync config lint") for each in warnings]


def warning_lines(warnings: Iterable[Fault], width: int) -> Iterator[Line]:
    """Each warning of a configuration, and below it the line with a caret."""
    for warning in warnings:
        where = str(warning).removesuffix(warning.message)
        yield [(where, Look.POSITION), warning.message]
        if warning.excerpt is not None:
            yield from excerpt_lines(warning.excerpt, width)


def organization_tables(organization: Organization, width: int) -> "list[RenderableType]":
    """The rules of every scope, and the workspaces that each serves."""
    pieces: list[RenderableType] = []
    if organization.name is not None:
        pieces += [text((f"organization {visible(organization.name)}", Look.HEADLINE)), text("")]
    for name, rules in organization.scopes.items():
        strategy: tuple[Line, Line] = (["strategy"], [rules.strategy.name])
        pieces += [
            text((f"scope {visible(name)}", Look.HEADLINE)),
            text(""),
            *grid([strategy, *_served(name, organization)], width),
            text(""),
            _priority_table(rules, width),
            text(""),
            _strategy_table(rules, width),
            text(""),
            *_guard_rail_pieces(rules, width),
            *_defined(rules, width),
        ]
    return pieces


def _defined(rules: ScopeRules, width: int) -> "list[RenderableType]":
    """Calculated attributes and audiences; few configurations have any."""
    if rules.definitions == NO_DEFINITIONS:
        return []
    from idsync_cli.render.audiences import definitions_pieces

    return definitions_pieces(rules.definitions, width)


def _served(scope: str, organization: Organization) -> list[tuple[Line, Line]]:
    """The workspaces of each account that the scope serves."""
    rows: list[tuple[Line, Line]] = []
    for account, workspaces in organization.accounts.items():
        served = [each for each in workspaces if organization.workspaces.get(each) == scope]
        if served:
            listed = ", ".join(map(visible, served))
            rows.append(([f"account {visible(account)}"], [listed]))
    return rows or [(["workspaces"], ["none"])]


def _priority_table(rules: ScopeRules, width: int) -> "Table":
    rows = [
        (
            text(str(rank)),
            text((kind.value, Look.TYPE)),
            "device" if kind in DEVICE_TYPES else "user",
            " ".join(rules.settings_of(kind).names()) or _NOTHING,
        )
        for rank, kind in enumerate(rules.priority, start=1)
    ]
    return laid_out(("#", "Type", "Identifies a", "Settings"), rows, width)


def _strategy_table(rules: ScopeRules, width: int) -> "Table":
    return laid_out(("Rule", "Value", "What it means"), strategy_rules(rules), width)


def _guard_rail_pieces(rules: ScopeRules, width: int) -> "list[RenderableType]":
    """The guard rails of a scope, and the login types that are no secret."""
    pieces: list[RenderableType] = []
    if rails := guard_rails(rules):
        columns = ("Extension", "Type", "Set to", "What it means")
        pieces += [laid_out(columns, rails, width), text("")]
    warnings = [login_warning(kind, rules) for kind in rules.login_types_others_may_know]
    for warning in warnings:
        pieces.append(broken(text(("note", Look.NOTE), f": {warning}"), width, indent=2))
    return [*pieces, *([text("")] if warnings else [])]


def organization_json(organization: Organization) -> dict[str, Any]:
    """The rules of every scope, for machines."""
    return {
        "organization": organization.name,
        "scopes": {
            name: {
                "strategy": rules.strategy.name,
                "rules": {key: value for key, value, _ in strategy_rules(rules)},
                "priority": [kind.value for kind in rules.priority],
                "identities": {
                    kind.value: list(rules.settings_of(kind).names()) for kind in rules.priority
                },
                "extensions": extensions_json(rules.guard_rails),
                "others_may_know": [kind.value for kind in rules.login_types_others_may_know],
                **definitions_json(rules.definitions),
            }
            for name, rules in organization.scopes.items()
        },
        "workspaces": dict(organization.workspaces),
    }


def extensions_json(rails: GuardRails) -> dict[str, Any]:
    """Guard rails as a configuration has them, without what is empty."""
    found: dict[str, Any] = {}
    for extension, kind, words in rails.entries():
        if extension is Extension.MOVING:
            found.setdefault(extension.value, []).append(str(kind))
            continue
        by_type = found.setdefault(extension.value, {})
        by_type["*" if kind is None else kind.value] = list(words)
    if limits := rails.max_values:
        found[Extension.MAX_VALUES.value] = {
            kind.value: {
                "limit": each.limit,
                **({"beyond": Beyond.REPLACE_OLDEST.value} if each.replaces_oldest else {}),
            }
            for kind, each in limits.items()
        }
    return found
