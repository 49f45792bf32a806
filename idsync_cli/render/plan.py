"""What a configuration would change in a store, as text and as JSON."""

from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, TypeVar

from idsync_cli.core.config.diff import ExtensionChange, NamesChange, RuleChange, RulesChange, Shift
from idsync_cli.core.config.strategy import Settings
from idsync_cli.core.identity import IdentityType
from idsync_cli.errors import number_of
from idsync_cli.inspect.kept_out import CrowdedProfile, First, HeldValue, KeptOut
from idsync_cli.inspect.plan import Affected, Fate, Plan, ScopePlan
from idsync_cli.messages import ALL_TYPES, SHIFTS, rule_sentence, words_of
from idsync_cli.render.identifiers import in_one_list
from idsync_cli.render.tables import grid, laid_out
from idsync_cli.render.theme import Line, Look, Part, text
from idsync_cli.visible import visible

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.text import Text

T = TypeVar("T")

_TYPES = frozenset(IdentityType)
_NO_SETTINGS = "no settings"
_UNSET = "not set"


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
    pieces: list[RenderableType] = [text((headline, Look.HEADLINE))]
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
    return pieces + _kept_out_pieces(scope.kept_out, width)


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
    rows += [(each.rule, _rule_change(each)) for each in change.rules]
    return rows + [_extension_row(each) for each in change.extensions]


def _extension_row(change: ExtensionChange) -> tuple[str, Line]:
    """A guard rail of a type, or of all types, that is another."""
    kind = ALL_TYPES if change.identity_type is None else change.identity_type.value
    before, after = (
        _UNSET if words is None else words_of(words) for words in (change.before, change.after)
    )
    return f"{change.extension} {kind}", _became(before, after)


def _settings(settings: Settings) -> str:
    return ", ".join(settings.names())


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


def _kept_out_pieces(kept: KeptOut, width: int) -> "list[RenderableType]":
    """What is there that new guard rails would not have let in, the most of it first."""
    pieces: list[RenderableType] = []
    if kept.blocked.number:
        what = f"{number_of(kept.blocked.number, 'identifier')} blocked: kept, not looked up"
        pieces += _listed(what, ("Type", "Value", "Holders"), kept.blocked, _blocked_row, width)
    if kept.reshaped.number:
        what = f"{number_of(kept.reshaped.number, 'identifier')} in another form: kept, and found"
        columns = ("Type", "Value", "Would be", "Holders")
        pieces += _listed(what, columns, kept.reshaped, _reshaped_row, width)
    if kept.crowded.number:
        number = number_of(kept.crowded.number, "profile")
        verb = "holds" if kept.crowded.number == 1 else "hold"
        what = f"{number} that {verb} more values than the limit: kept as they are"
        pieces += _listed(what, ("MPID", "Type", "Values"), kept.crowded, _crowded_row, width)
    return pieces


def _listed(
    what: str,
    columns: Sequence[str],
    found: First[T],
    row: Callable[[T], "Sequence[Text | str]"],
    width: int,
) -> "list[RenderableType]":
    table = laid_out(columns, [row(each) for each in found.most], width)
    left = found.number - len(found.most)
    return [text(f"  {what}:"), table, *([text(f"  and {left:,} more")] if left else [])]


def _blocked_row(held: HeldValue) -> "Sequence[Text | str]":
    shown = visible(held.identifier.value)
    return text((held.identifier.type.value, Look.TYPE)), shown, f"{held.holders:,}"


def _reshaped_row(held: HeldValue) -> "Sequence[Text | str]":
    kind, shown, holders = _blocked_row(held)
    normal = held.normal
    return kind, shown, visible(normal) if normal else "(nothing)", holders


def _crowded_row(profile: CrowdedProfile) -> "Sequence[Text | str]":
    mpid, kind = str(profile.mpid), profile.identity_type.value
    return text((mpid, Look.MPID)), text((kind, Look.TYPE)), f"{profile.values:,}"


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
        "extensions": [
            {
                "extension": each.extension.value,
                "identity_type": each.identity_type and each.identity_type.value,
                "before": each.before and list(each.before),
                "after": each.after and list(each.after),
            }
            for each in change.extensions
        ],
        "kept_out": _kept_out_json(scope.kept_out),
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


def _kept_out_json(kept: KeptOut) -> dict[str, Any]:
    return {
        "blocked": {
            "identifiers": kept.blocked.number,
            "most_held": [_held_json(each) for each in kept.blocked.most],
        },
        "reshaped": {
            "identifiers": kept.reshaped.number,
            "most_held": [
                {**_held_json(each), "would_be": each.normal} for each in kept.reshaped.most
            ],
        },
        "crowded": {
            "profiles": kept.crowded.number,
            "largest": [
                {
                    "mpid": str(each.mpid),
                    "identity_type": each.identity_type.value,
                    "values": each.values,
                }
                for each in kept.crowded.most
            ],
        },
    }


def _held_json(held: HeldValue) -> dict[str, Any]:
    kind, value = held.identifier.type.value, held.identifier.value
    return {"identity_type": kind, "value": value, "holders": held.holders}
