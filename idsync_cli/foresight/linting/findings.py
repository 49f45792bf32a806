"""What the measures of a scope contradict, by weight (section 12)."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Any, NamedTuple

from idsync_cli.core.codes import Extension, Normalizer
from idsync_cli.core.config.guard_rails import GuardRails
from idsync_cli.core.config.lint import contradictions
from idsync_cli.core.config.placeholders import PLACEHOLDERS, is_placeholder
from idsync_cli.core.config.rules import ScopeRules
from idsync_cli.core.identity import Identifier, IdentityType
from idsync_cli.foresight.linting.alike import PHONES, groups, without_format
from idsync_cli.foresight.linting.measures import FileLine, ScopeMeasures, Values

EXAMPLES = 3
"""How many values of a finding are shown."""

COMMON = 0.01
"""The share of requests, or of values, from which on something is more than chance."""

TWICE = 2
_NOBODY = ("test", "noreply", "none", "n/a")
_HASH = re.compile(r"(?:[0-9A-Fa-f]{32}|[0-9A-Fa-f]{40}|[0-9A-Fa-f]{64})")


class Weight(StrEnum):
    """How much a finding matters."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


class LintFinding(StrEnum):
    """What is found."""

    SHARED_LOGIN = "shared_login"
    PLACEHOLDER = "placeholder"
    PRIORITY_CONTRADICTED = "priority_contradicted"
    NEVER_DECIDES = "never_decides"
    CASE_VARIANTS = "case_variants"
    FORMAT_VARIANTS = "format_variants"
    MIXED_HASHES = "mixed_hashes"
    UNUSED = "unused"
    OUTSIDE_PRIORITY = "outside_priority"


class SeenValue(NamedTuple):
    """A value, and where it came first."""

    value: str
    at: FileLine


class TypeFinding(NamedTuple):
    """Something about a type, with its evidence.

    So many `values` in so many `requests`, that were answered with so many `profiles`. `remedy` is
    what can be written into the scope, if that helps, and `order` the priority in it.
    """

    weight: Weight
    code: LintFinding
    identity_type: IdentityType
    values: int
    requests: int
    profiles: int
    examples: tuple[SeenValue, ...] = ()
    remedy: Mapping[str, Any] | None = None
    order: tuple[IdentityType, ...] | None = None


def findings(
    measures: ScopeMeasures, decided: Mapping[IdentityType, int] | None
) -> list[TypeFinding]:
    """Everything that is found in a scope, by weight, then in priority order.

    `decided` says how many answers each type decided; None where nobody knows, of a store.
    """
    found = [*_high(measures), *_medium(measures, decided), *_low(measures)]
    order = measures.rules.in_order(dict.fromkeys(each.identity_type for each in found))
    weights, codes = list(Weight), list(LintFinding)
    return sorted(
        found,
        key=lambda each: (
            weights.index(each.weight), codes.index(each.code), order.index(each.identity_type)
        ),
    )  # fmt: skip


def _high(measures: ScopeMeasures) -> Iterator[TypeFinding]:
    high = Weight.HIGH
    for kind, numbers in measures.shared_logins.items():
        yield _finding(high, LintFinding.SHARED_LOGIN, kind, measures.types[kind], numbers)
    for kind, values in measures.types.items():
        listed, names = _placeholders(kind, values)
        if listed:
            blocked: dict[str, list[str]] = {}
            if len(names) < len(listed):
                blocked["*"] = [PLACEHOLDERS]
            if names:  # in lower case, too, where that is what `normalize` makes of them
                forms = {form for name in names.values() for form in (name, name.lower())}
                blocked[kind.value] = [f"{form}@*" for form in sorted(forms)]
            yield _finding(
                high, LintFinding.PLACEHOLDER, kind, values, listed, {Extension.BLOCKED: blocked}
            )
    yield from _contradicted(measures)


def _placeholders(kind: IdentityType, values: Values) -> tuple[list[int], dict[int, str]]:
    """The values that stand for nobody; of those that no list has, what stands before the @."""
    listed: list[int] = []
    names: dict[int, str] = {}
    for value, number in values.numbers.items():
        if is_placeholder(value):
            listed.append(number)
        elif kind is IdentityType.EMAIL:
            name, at, _ = value.rpartition("@")
            if at and name.lower() in _NOBODY:
                listed.append(number)
                names[number] = name
    return listed, names


def _contradicted(measures: ScopeMeasures) -> Iterator[TypeFinding]:
    """Types that tell people apart worse than one ranked below; each with the better order."""
    rules = measures.rules
    for rank, higher in enumerate(rules.priority):
        values = _common(measures, higher)
        if values is None or values.shared_share < COMMON:
            continue
        better = [
            lower
            for lower in rules.priority[rank + 1 :]
            if (its := _common(measures, lower)) is not None
            and values.shared_share >= TWICE * its.shared_share
        ]
        if better:
            order = _behind(higher, better[-1], rules)
            yield _finding(
                Weight.HIGH,
                LintFinding.PRIORITY_CONTRADICTED,
                higher,
                values,
                values.shared,
                None if order is None else {"priority": [each.value for each in order]},
            )._replace(order=order)


def _common(measures: ScopeMeasures, kind: IdentityType) -> Values | None:
    """The values of a type that enough requests carry."""
    values = measures.types.get(kind)
    if values is None or values.carried < COMMON * measures.answered:
        return None
    return values


def _behind(
    moved: IdentityType, last: IdentityType, rules: ScopeRules
) -> tuple[IdentityType, ...] | None:
    """The priority with a type directly behind another; None where that cannot be configured."""
    others = [each for each in rules.priority if each is not moved]
    others.insert(others.index(last) + 1, moved)
    order = tuple(others)
    return None if any(contradictions(rules._replace(priority=order))) else order


def _medium(
    measures: ScopeMeasures, decided: Mapping[IdentityType, int] | None
) -> Iterator[TypeFinding]:
    medium = Weight.MEDIUM
    for kind in measures.rules.priority if decided is not None else ():
        values = measures.types.get(kind)
        if values is not None and not (decided or {}).get(kind):
            yield _finding(medium, LintFinding.NEVER_DECIDES, kind, values, ())._replace(
                values=len(values.numbers), requests=values.carried
            )
    for kind, values in measures.types.items():
        by_case = groups(values, str.casefold)
        if by_case:
            remedy = _normalize(kind, [Normalizer.LOWERCASE], by_case, values)
            yield _finding(medium, LintFinding.CASE_VARIANTS, kind, values, by_case, remedy)
        by_format = groups(values, without_format(kind))
        if by_format:
            words = [Normalizer.DIGITS if kind in PHONES else Normalizer.TRIM]
            remedy = _normalize(kind, words, by_format, values)
            yield _finding(medium, LintFinding.FORMAT_VARIANTS, kind, values, by_format, remedy)
        hashes = _mixed_hashes(values)
        if hashes:
            yield _finding(medium, LintFinding.MIXED_HASHES, kind, values, hashes)


def _normalize(
    kind: IdentityType, words: Sequence[Normalizer], numbers: Iterable[int], values: Values
) -> Mapping[str, Any] | None:
    """The normalizers that make one of some of these values, or None."""
    rails = GuardRails({kind: tuple(words)})
    wanted = set(numbers)
    before = [value for value, number in values.numbers.items() if number in wanted]
    if len({rails.normal_form(Identifier(kind, each)) for each in before}) == len(before):
        return None
    return {Extension.NORMALIZE: {kind.value: [each.value for each in words]}}


def _mixed_hashes(values: Values) -> list[int]:
    """The values that are hashes, where others are none; each at least one in a hundred."""
    hashes = [number for value, number in values.numbers.items() if _HASH.fullmatch(value)]
    least = COMMON * len(values.numbers)
    others = len(values.numbers) - len(hashes)
    return hashes if hashes and others and min(len(hashes), others) >= least else []


def _low(measures: ScopeMeasures) -> Iterator[TypeFinding]:
    rules = measures.rules
    for kind in rules.priority if measures.answered else ():
        if kind not in measures.types:
            yield TypeFinding(Weight.LOW, LintFinding.UNUSED, kind, 0, 0, 0)
    for kind, values in measures.types.items():
        if not rules.is_lookup(kind) and values.carried >= COMMON * measures.answered:
            yield _finding(Weight.LOW, LintFinding.OUTSIDE_PRIORITY, kind, values, ())._replace(
                values=len(values.numbers), requests=values.carried
            )


def _finding(
    weight: Weight,
    code: LintFinding,
    kind: IdentityType,
    values: Values,
    numbers: Iterable[int],
    remedy: Mapping[str, Any] | None = None,
) -> TypeFinding:
    """A finding about some values of a type, of which those in most requests are shown."""
    about = list(numbers)
    first = sorted(about, key=lambda each: (-values.requests[each], each))[:EXAMPLES]
    named = dict.fromkeys(first, "")
    for value, number in values.numbers.items() if named else ():
        if number in named:
            named[number] = value
    return TypeFinding(
        weight,
        code,
        kind,
        len(about),
        sum(values.requests[each] for each in about),
        values.profiles_of(about),
        tuple(SeenValue(value, values.line_of(number)) for number, value in named.items()),
        remedy,
    )


def remedies(rules: ScopeRules, found: Iterable[TypeFinding]) -> Mapping[str, Any]:
    """The `extensions` of a scope with all that findings propose, beside what there is."""
    blocked: dict[str, list[str]] = {
        "*" if kind is None else kind.value: list(words)
        for kind, words in rules.guard_rails.blocked.items()
    }
    normalizers: dict[str, list[str]] = {
        kind.value: [each.value for each in words]
        for kind, words in rules.guard_rails.normalize.items()
    }
    is_more = False
    for finding in found:
        for extension, by_type in (finding.remedy or {}).items():
            if extension not in (Extension.BLOCKED, Extension.NORMALIZE):
                continue
            into = blocked if extension == Extension.BLOCKED else normalizers
            for kind, words in by_type.items():
                listed = into.setdefault(kind, [])
                listed += [each for each in words if each not in listed]
                is_more = True
    if not is_more:
        return {}
    extensions = {Extension.NORMALIZE.value: normalizers, Extension.BLOCKED.value: blocked}
    return {name: its for name, its in extensions.items() if its}
