"""What doctor found: what each finding means, for people and for machines."""

from typing import Any, NamedTuple

from idsync_cli.errors import printable
from idsync_cli.inspect.doctor import HealthReport, Level, level_of
from idsync_cli.render.theme import Line, Look
from idsync_cli.store.sqlite.health.findings import Finding, FindingCode

_DAMAGED = (
    "the file is damaged: write nothing more to it, keep a copy, and restore the latest backup; "
    "without one, see how much of it can still be exported"
)
_OURS = (
    f"if no other program has changed the store, this is a fault of idsync: report it; {_DAMAGED}"
)


class _Saying(NamedTuple):
    what: str
    way_out: str


SAYINGS = {
    FindingCode.MODE: _Saying(
        "others than its owner may read or write it",
        "take the right away with chmod 600",
    ),
    FindingCode.DRAFT: _Saying(
        "a draft that a killed process has left; it may hold what the store holds",
        "remove it, unless a backup or restore is going on",
    ),
    FindingCode.SIZE: _Saying("the file is not as long as it says", _DAMAGED),
    FindingCode.HEADER: _Saying("the head of the file is not what SQLite writes", _DAMAGED),
    FindingCode.SQLITE: _Saying("SQLite's own check", f"nothing else was looked at; {_DAMAGED}"),
    FindingCode.UNREADABLE: _Saying("a check came upon something that cannot be", _DAMAGED),
    FindingCode.SCHEMA: _Saying(
        "a table, index, trigger or fixed row is not what idsync makes",
        f"undo what another program has changed; if none has, {_DAMAGED}",
    ),
    FindingCode.STORE: _Saying("the row of the whole store", _DAMAGED),
    FindingCode.CHECKSUM: _Saying("rows that are not what was written", _DAMAGED),
    FindingCode.HASH: _Saying("identifiers that are not what was written", _DAMAGED),
    FindingCode.VALUE: _Saying("values that no request could have given", _OURS),
    FindingCode.TWICE: _Saying("identifiers that stand there twice", _OURS),
    FindingCode.REFERENCE: _Saying("rows that refer to what is not there", _DAMAGED),
    FindingCode.HISTORY: _Saying("history that cannot have been", _OURS),
    FindingCode.HOLDERS: _Saying("profiles hold another thing than their history says", _OURS),
    FindingCode.TYPE: _Saying("identifiers are held as what they are not", _OURS),
    FindingCode.TYPES: _Saying("the types of a profile are not those that it holds", _OURS),
    FindingCode.KNOWN: _Saying("known and anonymous profiles are not told apart", _OURS),
    FindingCode.PROFILE: _Saying("profiles that cannot be", _OURS),
    FindingCode.MPID: _Saying("MPIDs that do not follow from the seed", _OURS),
    FindingCode.COUNTER: _Saying("numbers beyond the last that was taken", _OURS),
    FindingCode.REPLAY: _Saying("replays whose progress cannot be", _OURS),
    FindingCode.LABEL: _Saying("labels of no unfinished replay, or of no profile", _OURS),
    FindingCode.SHARED_UNIQUE: _Saying(
        "unique identifiers that several profiles hold",
        "so it is where the type became unique later; they stay until a request moves them: "
        "a modify takes one from all others. If the type always was unique, report it",
    ),
    FindingCode.SEVERAL_IMMUTABLE: _Saying(
        "profiles with several values of an immutable type",
        "so it is where the type became immutable later; if it always was, report it",
    ),
    FindingCode.LOGIN_TYPES: _Saying(
        "scopes with other login types than before",
        "the next request brings the store up to date",
    ),
    FindingCode.UNNAMED_SCOPE: _Saying(
        "scopes that the configuration no longer names",
        "their profiles stay, and no request can reach them",
    ),
    FindingCode.ORPHAN: _Saying(
        "orphaned profiles",
        "they can be listed; no request but a modify reaches them",
    ),
}
"""What each finding means, and the way out; how bad it is says `inspect.doctor`."""

_LEVELS = {Level.NOTE: Look.NOTE, Level.WARNING: Look.WARNING, Level.FAULT: Look.FAILED}

_COUNTED = (
    ("pages", "{:,} pages"),
    ("profiles", "profiles: {:,}"),
    ("identifiers", "identifiers: {:,}"),
    ("holders", "held {:,} times"),
    ("requests", "requests: {:,}"),
    ("changes", "changes: {:,}"),
    ("replays", "replays: {:,}"),
)


def lines(report: HealthReport) -> list[Line]:
    """The verdict first, then a paragraph for each finding, then what was looked at."""
    store = printable(report.store)
    if report.sound:
        verdict: list[Line] = [[("no fault found", Look.OK), f" in {store}"]]
    else:
        number = sum(level_of(each.code) is not Level.NOTE for each in report.findings)
        wrong = f"{number} {'things are' if number > 1 else 'thing is'} wrong"
        verdict = [[f"{store}: ", (wrong, Look.FAILED)]]
    for each in report.findings:
        verdict += [[], *_finding(each)]
    if report.counts:
        checked = ", ".join(words.format(report.counts[key]) for key, words in _COUNTED)
        verdict += [[], [(f"looked at: {checked}", Look.ASIDE)]]
    return verdict


def _finding(finding: Finding) -> list[Line]:
    what, way_out = SAYINGS[finding.code]
    examples = [f"  {printable(each)}" for each in finding.examples]
    rest = finding.times - len(examples)
    if examples and rest:
        examples.append(f"  and {rest:,} more")
    level = level_of(finding.code)
    heading: Line = [(str(level), _LEVELS[level]), f": {what} ({finding.code}, {finding.times:,})"]
    return [heading, *([each] for each in examples), [f"  {way_out}"]]


def report_json(report: HealthReport) -> dict[str, Any]:
    """What was found, for machines."""
    return {
        "store": report.store,
        "sound": report.sound,
        "findings": [_finding_json(each) for each in report.findings],
        "checked": dict(report.counts),
    }


def _finding_json(finding: Finding) -> dict[str, Any]:
    what, way_out = SAYINGS[finding.code]
    return {
        "code": finding.code.value,
        "level": level_of(finding.code).value,
        "what": what,
        "count": finding.times,
        "examples": [printable(each) for each in finding.examples],
        "way_out": way_out,
    }
