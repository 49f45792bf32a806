"""What doctor found: what each finding means, for people and for machines."""

from typing import Any, NamedTuple

from idsync_cli.errors import number_of, printable
from idsync_cli.inspect.doctor import HealthReport, Level, level_of
from idsync_cli.render.theme import Line, Look
from idsync_cli.store.file_values import Finding, FindingCode

_DAMAGED = (
    "the file is damaged: stop writing to it, keep a copy and restore the latest backup; "
    "without a backup, export what can still be read"
)
_OURS = (
    "if no other program has changed the store, this is a bug in idsync: please report it; "
    f"{_DAMAGED}"
)


class _FindingText(NamedTuple):
    what: str
    way_out: str


FINDING_TEXTS = {
    FindingCode.MODE: _FindingText(
        "users other than the owner can read or write it",
        "run chmod 600 on it",
    ),
    FindingCode.DRAFT: _FindingText(
        "a draft left by a killed process, which may contain data of the store",
        "remove it, unless a backup or restore is running",
    ),
    FindingCode.SIZE: _FindingText("the file's size does not match its header", _DAMAGED),
    FindingCode.HEADER: _FindingText("the file's header is not valid for SQLite", _DAMAGED),
    FindingCode.SQLITE: _FindingText(
        "SQLite's integrity check failed", f"nothing else was checked; {_DAMAGED}"
    ),
    FindingCode.UNREADABLE: _FindingText("a check could not be completed", _DAMAGED),
    FindingCode.SCHEMA: _FindingText(
        "a table, index, trigger or fixed row is not as idsync created it",
        f"undo what another program has changed; if none has, {_DAMAGED}",
    ),
    FindingCode.STORE: _FindingText("the row that describes the store is wrong", _DAMAGED),
    FindingCode.CHECKSUM: _FindingText("rows are not as they were written", _DAMAGED),
    FindingCode.HASH: _FindingText("identifiers are not as they were written", _DAMAGED),
    FindingCode.VALUE: _FindingText("values that no request could have set", _OURS),
    FindingCode.TWICE: _FindingText("identifiers are stored twice", _OURS),
    FindingCode.REFERENCE: _FindingText("rows refer to missing rows", _DAMAGED),
    FindingCode.HISTORY: _FindingText("the history is inconsistent", _OURS),
    FindingCode.HOLDERS: _FindingText("profile contents disagree with history", _OURS),
    FindingCode.TYPE: _FindingText("identifiers are held under the wrong type", _OURS),
    FindingCode.TYPES: _FindingText(
        "the stored types of profiles disagree with their identifiers", _OURS
    ),
    FindingCode.KNOWN: _FindingText(
        "known profiles are indexed as anonymous, or the reverse", _OURS
    ),
    FindingCode.ATTRIBUTES: _FindingText("attributes disagree with their history", _OURS),
    FindingCode.PROFILE: _FindingText("profiles are invalid", _OURS),
    FindingCode.MPID: _FindingText("MPIDs do not derive from the seed", _OURS),
    FindingCode.COUNTER: _FindingText("numbers are higher than the last one assigned", _OURS),
    FindingCode.REPLAY: _FindingText("the progress of replays is invalid", _OURS),
    FindingCode.LABEL: _FindingText(
        "labels belong to no unfinished replay, or labels or recorded MPIDs to no profile", _OURS
    ),
    FindingCode.ERASURE: _FindingText("erasures disagree with the rest of the store", _OURS),
    FindingCode.UNFINISHED_ERASURE: _FindingText(
        "erased data may still be in the store's files: the erasure was interrupted, or another "
        "program was reading the store",
        "end any program that still reads it; the next command that writes to the store finishes",
    ),
    FindingCode.SHARED_UNIQUE: _FindingText(
        "several profiles hold the same unique identifier",
        "this happens when a type becomes unique later; they stay until a request moves them: "
        "a modify takes one from all others. If the type was always unique, please report it",
    ),
    FindingCode.SEVERAL_IMMUTABLE: _FindingText(
        "profiles have several values of an immutable type",
        "this happens when a type becomes immutable later; if it always was, please report it",
    ),
    FindingCode.LOGIN_TYPES: _FindingText(
        "the login types of scopes have changed",
        "the next request that writes reindexes the store",
    ),
    FindingCode.UNNAMED_SCOPE: _FindingText(
        "scopes are no longer in the configuration",
        "their profiles are kept, but no request can reach them",
    ),
    FindingCode.ORPHAN: _FindingText(
        "orphaned profiles",
        "they can be listed, but only a modify can reach them",
    ),
}
"""What each finding means, and the way out; how bad it is says `inspect.doctor`."""

_LEVELS = {Level.NOTE: Look.NOTE, Level.WARNING: Look.WARNING, Level.FAULT: Look.FAILED}

_COUNTED = (
    ("pages", "page"),
    ("profiles", "profile"),
    ("identifiers", "identifier"),
    ("holders", "profile-identifier link"),
    ("requests", "request"),
    ("changes", "change"),
    ("events", "event"),
    ("attributes", "attribute"),
    ("devices", "device"),
    ("replays", "replay"),
)


def lines(report: HealthReport) -> list[Line]:
    """The verdict first, then a paragraph for each finding, then what was looked at."""
    store = printable(report.store)
    if report.sound:
        verdict: list[Line] = [[("no problems found", Look.OK), f" in {store}"]]
    else:
        number = sum(level_of(each.code) is not Level.NOTE for each in report.findings)
        wrong = number_of(number, "problem")
        verdict = [[f"{store}: ", (f"{wrong} found", Look.FAILED)]]
    for each in report.findings:
        verdict += [[], *_finding(each)]
    if report.counts:
        checked = ", ".join(number_of(report.counts[key], noun) for key, noun in _COUNTED)
        verdict += [[], [(f"checked: {checked}", Look.ASIDE)]]
    return verdict


def _finding(finding: Finding) -> list[Line]:
    what, way_out = FINDING_TEXTS[finding.code]
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
    what, way_out = FINDING_TEXTS[finding.code]
    return {
        "code": finding.code.value,
        "level": level_of(finding.code).value,
        "what": what,
        "count": finding.times,
        "examples": [printable(each) for each in finding.examples],
        "way_out": way_out,
    }
