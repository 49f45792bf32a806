"""What doctor found, as lines for people; they are drawn from the JSON that machines get."""

from collections.abc import Mapping, Sequence
from typing import Any

from idsync_cli.errors import printable
from idsync_cli.inspect.doctor import Level

_COUNTED = (
    ("pages", "{:,} pages"),
    ("profiles", "profiles: {:,}"),
    ("identifiers", "identifiers: {:,}"),
    ("holders", "held {:,} times"),
    ("requests", "requests: {:,}"),
    ("changes", "changes: {:,}"),
    ("replays", "replays: {:,}"),
)


def lines(found: Mapping[str, Any]) -> list[str]:
    """The verdict first, then a paragraph for each finding, then what was looked at."""
    store, findings = printable(found["store"]), found["findings"]
    if found["sound"]:
        verdict = [f"no fault found in {store}"]
    else:
        number = sum(each["level"] != Level.NOTE for each in findings)
        verdict = [f"{store}: {number} {'things are' if number > 1 else 'thing is'} wrong"]
    for each in findings:
        verdict += ["", *_finding(each)]
    counts = found["checked"]
    if counts:
        checked = ", ".join(words.format(counts[key]) for key, words in _COUNTED)
        verdict += ["", f"looked at: {checked}"]
    return verdict


def _finding(finding: Mapping[str, Any]) -> list[str]:
    examples: Sequence[str] = finding["examples"]
    rest = finding["count"] - len(examples)
    shown = [f"  {each}" for each in examples]
    if examples and rest:
        shown.append(f"  and {rest:,} more")
    heading = f"{finding['level']}: {finding['what']} ({finding['code']}, {finding['count']:,})"
    return [heading, *shown, f"  {finding['way_out']}"]
