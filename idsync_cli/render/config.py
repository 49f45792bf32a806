"""A configuration as tables, and what it would change in a store."""

from collections.abc import Iterable, Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from idsync_cli.core.config.definitions import NO_DEFINITIONS
from idsync_cli.core.config.diff import NamesChange, RuleChange, RulesChange, Shift
from idsync_cli.core.config.rules import Organization, ScopeRules
from idsync_cli.core.config.strategy import Settings
from idsync_cli.core.identity import DEVICE_TYPES, IdentityType
from idsync_cli.errors import Fault, number_of
from idsync_cli.files.definitions_json import definitions_json
from idsync_cli.inspect.plan import Affected, Fate, Plan, ScopePlan
from idsync_cli.messages import SHIFTS, rule_sentence, strategy_rules
from idsync_cli.render.ci import annotation
from idsync_cli.render.excerpts import excerpt_lines
from idsync_cli.render.identifiers import in_one_list
from idsync_cli.render.tables import grid, laid_out
from idsync_cli.render.theme import Line, Look, Part, text
from idsync_cli.visible import visible

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

_NOTHING = "-"
_TYPES = frozenset(IdentityType)
_NO_SETTINGS = "no settings"
_UNSET = "not set"


def warnings_for_github(warnings: Iterable[Fault]) -> list[str]:
    """An annotation for every warning of a configuration."""
    return [annotation("warning", each, "idsync config lint") for each in warnings]


def warning_lines(warnings: Iterable[Fault], width: int) -> Iterator[Line]:
    """Each warning of a configuration, and below it the line with a caret."""
    for warning in warnings:
        place = str(warning).removesuffix(warning.message)
        yield [(place, Look.PLACE), (warning.message, Look.WARNING)]
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
                **definitions_json(rules.definitions),
            }
            for name, rules in organization.scopes.items()
        },
        "workspaces": dict(organization.workspaces),
    }


def plan_text(plan: Plan, width: int) -> "list[RenderableType]":
    """What a configuration would change: first how much, then a scope after the other."""
    if plan.is_unused:
        return [text("nothing would change: no request has changed the store yet")]
    if not plan.changes:
        return [text("nothing would change: the store was last changed under the same rules")]
    changed = [scope for scope in plan.scopes if scope.changes]
    same = len(plan.scopes) - len(changed)
    headline = f"the rules of {number_of(len(changed), 'scope')} would change"
    if same:
        headline += f"; the rules of {number_of(same, 'more scope')} are unchanged"
    pieces: list[RenderableType] = [text((headline, Look.WARNING))]
    for scope in changed:
        pieces += [text(""), *_scope_pieces(scope, width)]
    return pieces


def _scope_pieces(scope: ScopePlan, width: int) -> "list[RenderableType]":
    number = number_of(scope.profiles, "profile")
    name = visible(scope.scope)
    if scope.fate is Fate.VANISHES:
        kept = f" is removed: {number} kept, which no request can reach"
        gone = text((f"scope {name}", Look.HEADLINE), kept)
        defined = _defined_rows(scope)
        return [gone, *(grid(defined, width, indent=2) if defined else ())]
    is_new = " is new" if scope.fate is Fate.NEW else ""
    heading = text((f"scope {name}", Look.HEADLINE), f"{is_new}: {number}")
    pieces: list[RenderableType] = [heading]
    rows: list[tuple[str, Line]] = [*_rules_rows(scope.change), *_shift_rows(scope)]
    if scope.reindexes:
        rows.append(("the store", "is reindexed by the next request that writes: new login types"))
    told_rows: list[tuple[Line, Line]] = []
    for what, line in rows:
        named: Line = [(what, Look.TYPE if what in _TYPES else Look.PLAIN)]
        told_rows.append((named, line))
    told_rows += _defined_rows(scope)
    if told_rows:
        pieces += grid(told_rows, width, indent=2)
    if scope.shared.identifiers:
        pieces += _shared_pieces(scope, width)
    return pieces


def _defined_rows(scope: ScopePlan) -> list[tuple[Line, Line]]:
    """What becomes of calculated attributes and audiences; few configurations have any."""
    if not scope.audiences and scope.change.calculated_attributes == NamesChange():
        return []
    from idsync_cli.render.audiences import plan_rows

    return plan_rows(scope)


def _rules_rows(change: RulesChange) -> list[tuple[str, Line]]:
    rows: list[tuple[str, Line]] = [
        ("leaves the priority", [(kind.value, Look.REMOVED)]) for kind in change.leaving
    ]
    rows += [("enters the priority", [(kind.value, Look.ADDED)]) for kind in change.entering]
    if change.reordered:
        rows.append(("the priority", ["is reordered"]))
    for each in change.settings:
        before, after = (_settings(of) or _NO_SETTINGS for of in (each.before, each.after))
        rows.append((each.identity_type.value, _became(before, after)))
    return rows + [(each.rule, _rule_change(each)) for each in change.rules]


def _became(before: str, after: str) -> list[str | Part]:
    return [(before, Look.REMOVED), " becomes ", (after, Look.ADDED)]


def _rule_change(change: RuleChange) -> Line:
    before, after = _rule_value(change.before), _rule_value(change.after)
    sentence = rule_sentence(change.rule, after)
    return [*_became(before, after), f": {sentence}" if sentence else ""]


def _rule_value(value: str | bool | None) -> str:
    return _UNSET if value is None else str(value).lower()


def _shift_rows(scope: ScopePlan) -> list[tuple[str, Line]]:
    return [
        (number_of(affected.profiles, "profile"), _shift(shift, affected))
        for shift, affected in scope.shifts.items()
    ]


def _shift(shift: Shift, affected: Affected) -> Line:
    named: list[str | Part] = []
    for mpid in affected.examples:
        named += [", " if named else "", (str(mpid), Look.MPID)]
    shown = len(affected.examples)
    if affected.profiles == shown:
        return [f"{SHIFTS[shift]}: ", *named]
    return [f"{SHIFTS[shift]}; {shown:,} of {affected.profiles:,}, as examples: ", *named]


def _shared_pieces(scope: ScopePlan, width: int) -> "list[RenderableType]":
    number, shown = scope.shared.identifiers, scope.shared.most_held
    identifiers = number_of(number, "identifier")
    heading = f"  {identifiers} of types that become unique, with more than one holder:"
    values = in_one_list(each for each, _ in shown)
    rows = [
        (text((each.type.value, Look.TYPE)), values[each], f"{holders:,}")
        for each, holders in shown
    ]
    table = laid_out(("Type", "Value", "Holders"), rows, width)
    left = number - len(shown)
    more = [text(f"  and {left:,} more, each held by at most as many profiles")] if left else []
    return [text(heading), table, *more]


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
        "calculated_attributes": asdict(change.calculated_attributes),
        "audiences": [asdict(each) for each in scope.audiences],
        "become": {
            shift.value: {
                "profiles": affected.profiles,
                "kinds": affected.kinds,
                "examples": list(map(str, affected.examples)),
            }
            for shift, affected in scope.shifts.items()
        },
    }
