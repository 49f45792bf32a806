"""A configuration as tables, and what it would change in a store."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from idsync_cli.core.config.diff import RuleChange, RulesChange, Shift
from idsync_cli.core.config.rules import Organization, ScopeRules
from idsync_cli.core.config.strategy import Settings
from idsync_cli.core.identity import DEVICE_TYPES
from idsync_cli.errors import Fault, number_of, printable
from idsync_cli.inspect.plan import Affected, Fate, Plan, ScopePlan
from idsync_cli.messages import SHIFTS, rule_sentence, strategy_rules
from idsync_cli.render.ci import annotation
from idsync_cli.render.tables import new_table, plain

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

_NOTHING = "-"
_NO_SETTINGS = "no settings"
_UNSET = "not set"


def warnings_for_github(warnings: Iterable[Fault]) -> list[str]:
    """An annotation for every warning of a configuration."""
    return [annotation("warning", each, "idsync config lint") for each in warnings]


def organization_tables(organization: Organization) -> "list[RenderableType]":
    """The rules of every scope, and the workspaces that each serves."""
    pieces: list[RenderableType] = []
    if organization.name is not None:
        pieces.append(plain(f"organization {printable(organization.name)}\n"))
    for name, rules in organization.scopes.items():
        pieces += [
            plain(f"scope {printable(name)}"),
            plain(""),
            _grid([("strategy", rules.strategy.name), *_served(name, organization)]),
            plain(""),
            _priority_table(rules),
            plain(""),
            _strategy_table(rules),
            plain(""),
        ]
    return pieces


def _served(scope: str, organization: Organization) -> list[tuple[str, str]]:
    """The workspaces of each account that the scope serves."""
    rows = []
    for account, workspaces in organization.accounts.items():
        served = [each for each in workspaces if organization.workspaces.get(each) == scope]
        if served:
            rows.append((f"account {printable(account)}", ", ".join(map(printable, served))))
    return rows or [("workspaces", "none")]


def _priority_table(rules: ScopeRules) -> "Table":
    table = new_table("#", "Type", "Identifies a", "Settings")
    table.columns[0].justify = "right"
    for rank, kind in enumerate(rules.priority, start=1):
        whom = "device" if kind in DEVICE_TYPES else "user"
        table.add_row(str(rank), kind.value, whom, _settings(rules.settings_of(kind)) or _NOTHING)
    return table


def _strategy_table(rules: ScopeRules) -> "Table":
    table = new_table("Rule", "Value", "What it means")
    for row in strategy_rules(rules):
        table.add_row(*map(plain, row))
    for column in table.columns[:2]:
        column.no_wrap = True
    return table


def _grid(rows: Sequence[tuple[str, str]]) -> "Table":
    """Names and what they stand for, side by side and without a frame."""
    from rich.table import Table

    grid = Table.grid(padding=(0, 2))
    grid.add_column(overflow="fold")
    grid.add_column(overflow="fold")
    for name, text in rows:
        grid.add_row(plain(name), plain(text))
    return grid


def _settings(settings: Settings) -> str:
    return ", ".join(settings.names())


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
            }
            for name, rules in organization.scopes.items()
        },
        "workspaces": dict(organization.workspaces),
    }


def plan_text(plan: Plan) -> "list[RenderableType]":
    """What a configuration would change, a scope after the other."""
    if plan.is_unused:
        return [plain("nothing would change: no request has changed the store yet")]
    if not plan.changes:
        return [plain("nothing would change: the store was last changed under the same rules")]
    pieces: list[RenderableType] = []
    for scope in plan.scopes:
        if scope.changes:
            pieces += [*_scope_pieces(scope), plain("")]
    same = sum(not scope.changes for scope in plan.scopes)
    if same:
        pieces.append(plain(f"the rules of {number_of(same, 'more scope')} are unchanged"))
    return pieces


def _scope_pieces(scope: ScopePlan) -> "list[RenderableType]":
    number = number_of(scope.profiles, "profile")
    name = printable(scope.scope)
    if scope.fate is Fate.VANISHES:
        kept = f"{number} kept, which no request can reach"
        return [plain(f"scope {name} is removed: {kept}")]
    heading = f"scope {name} is new" if scope.fate is Fate.NEW else f"scope {name}"
    pieces: list[RenderableType] = [plain(f"{heading}: {number}")]
    rows = [*_rules_rows(scope.change), *_shift_rows(scope)]
    if scope.reindexes:
        rows.append(("the store", "is reindexed by the next request that writes: new login types"))
    if rows:
        pieces.append(_grid([(f"  {what}", text) for what, text in rows]))
    if scope.shared.identifiers:
        pieces += _shared_pieces(scope)
    return pieces


def _rules_rows(change: RulesChange) -> list[tuple[str, str]]:
    rows = [("leaves the priority", kind.value) for kind in change.leaving]
    rows += [("enters the priority", kind.value) for kind in change.entering]
    if change.reordered:
        rows.append(("the priority", "is reordered"))
    for each in change.settings:
        before, after = (_settings(of) or _NO_SETTINGS for of in (each.before, each.after))
        rows.append((each.identity_type.value, f"{before} becomes {after}"))
    return rows + [(each.rule, _rule_change(each)) for each in change.rules]


def _rule_change(change: RuleChange) -> str:
    before, after = _rule_value(change.before), _rule_value(change.after)
    sentence = rule_sentence(change.rule, after)
    return f"{before} becomes {after}" + (f": {sentence}" if sentence else "")


def _rule_value(value: str | bool | None) -> str:
    return _UNSET if value is None else str(value).lower()


def _shift_rows(scope: ScopePlan) -> list[tuple[str, str]]:
    return [
        (number_of(affected.profiles, "profile"), _shift(shift, affected))
        for shift, affected in scope.shifts.items()
    ]


def _shift(shift: Shift, affected: Affected) -> str:
    named = ", ".join(map(str, affected.examples))
    shown = len(affected.examples)
    if affected.profiles == shown:
        return f"{SHIFTS[shift]}: {named}"
    return f"{SHIFTS[shift]}; {shown:,} of {affected.profiles:,}, as examples: {named}"


def _shared_pieces(scope: ScopePlan) -> "list[RenderableType]":
    number, shown = scope.shared.identifiers, scope.shared.most_held
    identifiers = number_of(number, "identifier")
    heading = f"  {identifiers} of types that become unique, with more than one holder:"
    table = new_table("  Type", "Value", "Holders")
    table.columns[2].justify = "right"
    table.columns[2].no_wrap = True
    for each, holders in shown:
        table.add_row(f"  {each.type.value}", plain(printable(each.value)), f"{holders:,}")
    left = number - len(shown)
    more = [plain(f"  and {left:,} more, held by no more profiles each")] if left else []
    return [plain(heading), table, *more]


def plan_json(plan: Plan) -> dict[str, Any]:
    """What a configuration would change, for machines."""
    return {
        "changes": plan.changes,
        "unused": plan.is_unused,
        "scopes": [_scope_json(scope) for scope in plan.scopes],
    }


def _scope_json(scope: ScopePlan) -> dict[str, Any]:
    change = scope.change
    return {
        "scope": scope.scope,
        "fate": scope.fate.value,
        "changes": scope.changes,
        "profiles": scope.profiles,
        "reindexes": scope.reindexes,
        "rules": [
            {"rule": each.rule, "before": each.before, "after": each.after} for each in change.rules
        ],
        "entering": [kind.value for kind in change.entering],
        "leaving": [kind.value for kind in change.leaving],
        "reordered": change.reordered,
        "settings": [
            {
                "identity_type": each.identity_type.value,
                "before": list(each.before.names()),
                "after": list(each.after.names()),
            }
            for each in change.settings
        ],
        "shared": {
            "identifiers": scope.shared.identifiers,
            "most_held": [
                {"identity_type": each.type.value, "value": each.value, "holders": holders}
                for each, holders in scope.shared.most_held
            ],
        },
        "become": {
            shift.value: {
                "profiles": affected.profiles,
                "kinds": affected.kinds,
                "examples": list(map(str, affected.examples)),
            }
            for shift, affected in scope.shifts.items()
        },
    }
