"""What doctor found, as lines for people; they are drawn from the JSON that machines get."""

from collections.abc import Mapping, Sequence
from typing import Any

from idsync_cli.errors import number_of, printable
from idsync_cli.inspect.doctor import Level

_COUNTED = (
    ("pages", "page"),
    ("profiles", "profile"),
    ("identifiers", "identifier"),
    ("holders", "profile-identifier link"),
    ("requests", "request"),
    ("changes", "change"),
    ("replays", "replay"),
)


def lines(found: Mapping[str, Any]) -> list[str]:
    """The verdict first, then a paragraph for each finding, then what was looked at."""
    store, findings = printable(found["store"]), found["findings"]
    if found["sound"]:
        verdict = [f"no problems found in {store}"]
    else:
        number = sum(each["level"] != Level.NOTE for each in findings)
        verdict = [f"{store}: {number_of(number, 'problem')} found"]
    for each in findings:
        verdict += ["", *_finding(each)]
    counts = found["checked"]
    if counts:
        checked = ", ".join(number_of(counts[key], noun) for key, noun in _COUNTED)
        verdict += ["", f"checked: {checked}"]
    return verdict


def _finding(finding: Mapping[str, Any]) -> list[str]:
    examples: Sequence[str] = finding["examples"]
    rest = finding["count"] - len(examples)
    shown = [f"  {each}" for each in examples]
    if examples and rest:
        shown.append(f"  and {rest:,} more")
    heading = f"{finding['level']}: {finding['what']} ({finding['code']}, {finding['count']:,})"
    return [heading, *shown, f"  {finding['way_out']}"]
