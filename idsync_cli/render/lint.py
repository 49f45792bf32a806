"""What data says of a strategy: as JSON, as tables, and as annotations."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from idsync_cli import wire
from idsync_cli.core.identity import Identifier, IdentityType
from idsync_cli.errors import number_of, printable
from idsync_cli.file_faults import Fault
from idsync_cli.files.yaml_edit import flow
from idsync_cli.foresight.comparing.comparison import Comparison
from idsync_cli.foresight.linting.findings import LintFinding, SeenValue, TypeFinding, Weight
from idsync_cli.foresight.linting.lint import Lint, ScopeLint
from idsync_cli.foresight.linting.measures import MeasuredType, Spread
from idsync_cli.render.breaking import broken
from idsync_cli.render.ci import annotation
from idsync_cli.render.compare import compare_json, sentence
from idsync_cli.render.identifiers import in_a_list
from idsync_cli.render.tables import laid_out
from idsync_cli.render.theme import Line, Look, text
from idsync_cli.visible import visible

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

_NOTHING = "-"
HIDDEN = "(hidden)"
"""Stands for a value that is not to be shown."""

_LOOKS = {Weight.HIGH: Look.FAILED, Weight.MEDIUM: Look.WARNING, Weight.LOW: Look.ASIDE}

_SENTENCES = {
    LintFinding.SHARED_LOGIN: (
        "a login ID that comes with several values of a login type ranked above it: it belongs to "
        "several people"
    ),
    LintFinding.PLACEHOLDER: "placeholder values, which merge strangers into one profile",
    LintFinding.PRIORITY_CONTRADICTED: (
        "tells people apart worse than a type ranked below it: more of its values have several "
        "profiles"
    ),
    LintFinding.NEVER_DECIDES: "in the priority and in requests, but no answer was decided by it",
    LintFinding.CASE_VARIANTS: "values that differ only in letter case, and count as different",
    LintFinding.FORMAT_VARIANTS: "values that differ only in how they are written",
    LintFinding.MIXED_HASHES: "hashes among values that are not hashed: two systems send the type",
    LintFinding.UNUSED: "in the priority, but in no request",
    LintFinding.OUTSIDE_PRIORITY: "in requests, but not in the priority: nobody is found by it",
}


def lint_json(lint: Lint, *, redact: bool) -> wire.Json:
    """What was measured and found, by scope (section 12)."""
    return {
        "requests": lint.requests,
        "scopes": {name: _scope_json(lint, name, redact=redact) for name in lint.scopes},
    }


def _scope_json(lint: Lint, name: str, *, redact: bool) -> wire.Json:
    scope = lint.scopes[name]
    return {
        "answered": scope.answered,
        "types": {
            kind.value: _type_json(scope, measured, kind, redact=redact)
            for kind, measured in scope.types.items()
        },
        "findings": [
            _finding_json(each, lint, lint.tried.get((name, each.identity_type)), redact=redact)
            for each in scope.findings
        ],
        "yaml": _yaml({"extensions": scope.extensions}) if scope.extensions else None,
    }


def _type_json(
    scope: ScopeLint, measured: MeasuredType, kind: IdentityType, *, redact: bool
) -> wire.Json:
    answered = scope.answered
    of_files = scope.decided is not None
    return {
        "coverage": _share(measured.carried, answered) if of_files else None,
        "values": measured.values,
        "profiles_per_value": _spread_json(measured.profiles_per_value),
        "values_per_profile": _spread_json(measured.values_per_profile),
        "decided": _share((scope.decided or {}).get(kind, 0), answered) if of_files else None,
        "most_shared": [
            {
                "value": None if redact else each.value,
                "profiles": each.profiles,
                "requests": each.requests if of_files else None,
            }
            for each in measured.most_shared
        ],
    }


def _share(number: int, of: int) -> float:
    return round(number / of, 4) if of else 0.0


def _spread_json(spread: Spread | None) -> wire.Json | None:
    if spread is None:
        return None
    return {"median": spread.median, "p99": spread.p99, "max": spread.most}


def _finding_json(
    finding: TypeFinding, lint: Lint, tried: Comparison | None, *, redact: bool
) -> wire.Json:
    found: wire.Json = {
        "weight": finding.weight.value,
        "code": finding.code.value,
        "identity_type": finding.identity_type.value,
        "values": finding.values,
        "requests": None if lint.requests is None else finding.requests,
        "profiles": finding.profiles,
        "examples": [_example_json(each, lint, redact=redact) for each in finding.examples],
        "yaml": None if finding.remedy is None else remedy_yaml(finding.remedy),
    }
    if tried is not None:
        found["tried"] = compare_json(tried)
    return found


def _example_json(seen: SeenValue, lint: Lint, *, redact: bool) -> wire.Json:
    of_files = lint.requests is not None
    return {
        "value": None if redact else seen.value,
        "file": lint.files[seen.at.file] if of_files else None,
        "line": seen.at.line if of_files else None,
    }


def remedy_yaml(remedy: Mapping[str, Any]) -> str:
    """What a finding proposes, on one line of YAML for the scope."""
    if "priority" in remedy:
        return _yaml(remedy)
    return _yaml({"extensions": dict(remedy)})


def _yaml(value: Mapping[str, Any]) -> str:
    """A mapping as lines of YAML, a line for each key."""
    return "\n".join(f"{key}: {flow(each)}" for key, each in value.items())


def lint_pieces(lint: Lint, width: int, *, redact: bool) -> "list[RenderableType]":
    """A headline, then for each scope its findings and its measures."""
    found = [each for scope in lint.scopes.values() for each in scope.findings]
    counted = ", ".join(
        f"{number} {weight}"
        for weight in Weight
        if (number := sum(each.weight is weight for each in found))
    )
    headline = f"{number_of(len(found), 'finding')}: {counted}." if found else "No findings."
    pieces: list[RenderableType] = [text((headline, Look.HEADLINE))]
    if lint.requests is not None:
        answered = sum(each.answered for each in lint.scopes.values())
        told = f"{number_of(lint.requests, 'request')}, {answered:,} answered with a profile"
        pieces.append(text((told, Look.ASIDE)))
    for name, scope in lint.scopes.items():
        if not scope.answered:
            continue
        pieces += [text(""), text((f"scope {visible(name)}", Look.HEADING))]
        for finding in scope.findings:
            tried = lint.tried.get((name, finding.identity_type))
            pieces += [text(""), *_finding(finding, lint, tried, width, redact=redact)]
        if scope.extensions:
            heading = "to paste into the scope (includes its current settings):"
            pieces += [text(""), text((heading, Look.HEADING)), text("extensions:")]
            pieces += [
                text(f"  {key}: {printable(flow(each))}") for key, each in scope.extensions.items()
            ]
        pieces += [text(""), _measures_table(scope, width, redact=redact)]
    return pieces


def _finding(
    finding: TypeFinding, lint: Lint, tried: Comparison | None, width: int, *, redact: bool
) -> "Iterator[RenderableType]":
    weight = (finding.weight.value, _LOOKS[finding.weight])
    kind = (finding.identity_type.value, Look.TYPE)
    sentence_of: Line = [weight, f" {finding.code}, ", kind, f": {_SENTENCES[finding.code]}"]
    yield broken(text(*sentence_of), width, indent=2)
    if evidence := _evidence(finding, lint):
        yield text((f"  {evidence}", Look.ASIDE))
    for each in finding.examples:
        value = HIDDEN if redact else in_a_list(Identifier(finding.identity_type, each.value))
        where = "" if lint.requests is None else f"  {_where(each, lint)}"
        yield broken(text("  ", value, (where, Look.POSITION)), width, indent=4)
    if finding.code is LintFinding.PRIORITY_CONTRADICTED and finding.order is None:
        yield text("  no order allowed in the scope would help")
    elif finding.remedy is not None:
        yield broken(text(("  + ", Look.ADDED), _one_line(finding.remedy)), width, indent=4)
    if tried is not None:
        yield broken(text("  tried: ", sentence(tried)), width, indent=4)


def _one_line(remedy: Mapping[str, Any]) -> str:
    return printable(remedy_yaml(remedy))


def _evidence(finding: TypeFinding, lint: Lint) -> str:
    if not finding.values:
        return ""
    parts = [number_of(finding.values, "value")]
    if lint.requests is not None:
        parts.append(number_of(finding.requests, "request"))
    if finding.profiles:
        parts.append(number_of(finding.profiles, "profile"))
    return ", ".join(parts)


def _where(seen: SeenValue, lint: Lint) -> str:
    return f"{visible(lint.files[seen.at.file])}:{seen.at.line}"


_COLUMNS = (
    "Type",
    "In",
    "Values",
    "Decided",
    "Profiles per value",
    "Values per profile",
    "Most shared",
)


def _measures_table(scope: ScopeLint, width: int, *, redact: bool) -> "Table":
    rows = []
    for kind, measured in scope.types.items():
        shared = "\n".join(
            f"{HIDDEN if redact else in_a_list(Identifier(kind, each.value))} ({each.profiles:,})"
            for each in measured.most_shared
        )
        decided = None if scope.decided is None else scope.decided.get(kind, 0)
        rows.append(
            (
                text((kind.value, Look.TYPE)),
                _percent(measured.carried, scope.answered),
                f"{measured.values:,}",
                _NOTHING if decided is None else _percent(decided, scope.answered),
                _spread_text(measured.profiles_per_value),
                _spread_text(measured.values_per_profile),
                shared or _NOTHING,
            )
        )
    return laid_out(_COLUMNS, rows, width)


def _percent(number: int, of: int) -> str:
    share = number / of if of else 0.0
    return "<1%" if 0 < share < 0.01 else f"{share:.0%}"


def _spread_text(spread: Spread | None) -> str:
    """Median, 99th percentile and the most."""
    return _NOTHING if spread is None else f"{spread.median} / {spread.p99} / {spread.most:,}"


def lint_for_github(lint: Lint, command: str, *, redact: bool) -> list[str]:
    """An annotation for each finding, at the line where its first value came.

    `command` is what its title says found it.
    """
    lines = []
    for scope in lint.scopes.values():
        for finding in scope.findings:
            first = finding.examples[0] if finding.examples else None
            path, line = "", None
            if first is not None and lint.requests is not None:
                path, line = lint.files[first.at.file], first.at.line
            told = f"{finding.identity_type}: {_SENTENCES[finding.code]}"
            if evidence := _evidence(finding, lint):
                told += f" ({evidence})"
            if first is not None and not redact:
                told += f", such as {visible(first.value)}"
            level = "error" if finding.weight is Weight.HIGH else "warning"
            title = f"{command}: {finding.weight} {finding.code}"
            lines.append(annotation(level, Fault(path, told, line), title))
    return lines
