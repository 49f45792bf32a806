"""What became of scenarios, for machines: annotations of GitHub, TAP 14, and JUnit XML.

Names and values of scenarios are foreign: whatever they hold, they may not act as a command of the
format that they stand in.
"""

import json
import re
from collections.abc import Callable, Iterable, Sequence
from itertools import groupby

from idsync_cli.check.results import CheckOutcome, Mismatch, Result, Totals, Unreadable
from idsync_cli.errors import printable
from idsync_cli.file_faults import Fault, FileFault
from idsync_cli.files.yaml_edit import flow
from idsync_cli.render.theme import Line, Look

TAP_VERSION = "TAP version 14"

# GitHub takes `::` for a command at the start of a line, and `##[` wherever it stands.
_STARTS_A_COMMAND = re.compile(r"^(\s*):(?=:)")


def inert(line: str) -> str:
    """A line of a log in which GitHub finds no command."""
    return _STARTS_A_COMMAND.sub(r"\1\\x3a", line).replace("##[", "#\\x23[")


def verdict(result: Result, *, updated: bool = False) -> Line:
    """A line for what became of a scenario."""
    word = ("ok    ", Look.OK) if result.passed else ("FAILED", Look.FAILED)
    return [("wrote ", Look.WARNING) if updated else word, inert(f" {_title(result)}")]


def totals_text(totals: Totals) -> str:
    """How many scenarios passed, failed and could not be read."""
    more = f", {totals.unreadable} unreadable" if totals.unreadable else ""
    return f"{totals.passed} passed, {totals.failed} failed{more}"


def totals_line(totals: Totals) -> Line:
    """The same as a line for people."""
    return [(totals_text(totals), Look.FAILED if totals.exit_status else Look.OK)]


def _title(result: Result) -> str:
    scenario = result.scenario
    return printable(f"{scenario.name} ({scenario.path.as_posix()}:{scenario.line})")


def github(outcome: CheckOutcome, explained: Sequence[str]) -> list[str]:
    """An annotation for every mismatch of a scenario, or every fault of a file.

    Behind them `explained`, the lines that explain it, in a group of the log that can be opened.
    """
    if isinstance(outcome, Unreadable):
        return faults_for_github(outcome.fault)
    name, path = outcome.scenario.name, outcome.scenario.path.as_posix()
    found = [
        annotation("error", Fault(path, _sentence(each), each.line), f"scenario failed: {name}")
        for each in outcome.mismatches
    ]
    return [*found, *_group(f"explained: {name}", explained)] if explained else found


def _group(title: str, lines: Sequence[str]) -> list[str]:
    """Lines that GitHub's log shows folded, under a title."""
    opening = f"::group::{_data(title)}".replace("##[", "#\\x23[")
    return [opening, *map(inert, lines), "::endgroup::"]


def faults_for_github(fault: FileFault) -> list[str]:
    """An annotation for every fault of a file."""
    faults = (each if isinstance(each, Fault) else Fault("", each) for each in fault.found)
    return [annotation("error", each, "idsync cannot use this file") for each in faults]


def annotation(level: str, fault: Fault, title: str) -> str:
    """A workflow command of GitHub that puts a message beside a line of a file.

    `level` is `error` or `warning`.
    """
    properties = {
        "file": fault.path or None,
        "line": fault.line,
        "col": fault.column,
        "title": title,
    }
    listed = ",".join(
        f"{key}={_property(str(value))}" for key, value in properties.items() if value is not None
    )
    return f"::{level} {listed}::{_data(fault.message)}".replace("##[", "#\\x23[")


def _data(text: str) -> str:
    """Text behind a command; line feeds and carriage returns are escapes already by `printable`."""
    return printable(text).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def _sentence(mismatch: Mismatch) -> str:
    where = f"{mismatch.step.kind} in line {mismatch.step.line}: " if mismatch.step else ""
    expected, found = json.dumps(mismatch.expected), json.dumps(mismatch.found)
    return printable(f"{where}{mismatch.what}: expected {expected}, found {found}")


def tap(outcome: CheckOutcome, number: int, explained: Sequence[str]) -> list[str]:
    """A test point, with what was wrong as YAML, and as the lines that explain it."""
    if isinstance(outcome, Result) and outcome.passed:
        return [f"ok {number} - {_description(_title(outcome))}"]
    if isinstance(outcome, Unreadable):
        path = outcome.path.as_posix()
        told = [f"    - {flow(fault)}" for fault in outcome.fault.faults]
        return _not_ok(number, printable(path), "cannot be read", ["  faults:", *told])
    told = [f"    - {flow(_diagnosis(each))}" for each in outcome.mismatches]
    block = ["  explained: |2", *(f"    {inert(line)}" for line in explained)]
    return _not_ok(number, _title(outcome), "mismatch", ["  mismatches:", *told, *block])


def _not_ok(number: int, description: str, message: str, more: Sequence[str]) -> list[str]:
    heading = f"not ok {number} - {_description(description)}"
    lines = [heading, "  ---", f'  message: "{message}"', "  severity: fail", *more, "  ..."]
    return [line.replace("##[", "#\\x23[") for line in lines]


def _description(text: str) -> str:
    """Text that is no directive: a `#` would begin one."""
    return text.replace("\\", "\\\\").replace("#", "\\#")


def _diagnosis(mismatch: Mismatch) -> dict[str, object]:
    step = mismatch.step
    return {
        "line": mismatch.line,
        **({"request": step.kind} if step else {}),
        "what": mismatch.what,
        "expected": mismatch.expected,
        "found": mismatch.found,
    }


def junit(
    outcomes: Iterable[CheckOutcome], explained: Callable[[CheckOutcome], Sequence[str]]
) -> bytes:
    """A JUnit report, a suite for every file; without times, so that equal runs are equal reports.

    What `explained` gives of a failure is the output of its case.
    Whatever XML 1.0 cannot hold is no printable character, and stands there as its escape.
    """
    from xml.etree import ElementTree

    everything = list(outcomes)
    suites = ElementTree.Element("testsuites", {"name": "idsync check"} | _counts(everything))
    for path, group in groupby(everything, key=lambda outcome: outcome.path):
        told = list(group)
        name = printable(path.as_posix())
        suite = ElementTree.SubElement(suites, "testsuite", {"name": name} | _counts(told))
        for outcome in told:
            if isinstance(outcome, Unreadable):
                case = ElementTree.SubElement(suite, "testcase", name=name, classname=name)
                fault = ElementTree.SubElement(case, "error", message="cannot be read")
                fault.text = "\n".join(map(printable, outcome.fault.faults))
                continue
            scenario = outcome.scenario
            case = ElementTree.SubElement(
                suite,
                "testcase",
                name=printable(scenario.name),
                classname=name,
                file=name,
                line=str(scenario.line),
            )
            if not outcome.passed:
                failure = ElementTree.SubElement(case, "failure", message="mismatch")
                failure.text = "\n".join(
                    f"{name}:{each.line}: {_sentence(each)}" for each in outcome.mismatches
                )
                output = ElementTree.SubElement(case, "system-out")
                output.text = "\n".join(explained(outcome))
    ElementTree.indent(suites)
    written: bytes = ElementTree.tostring(suites, encoding="utf-8", xml_declaration=True)
    return written + b"\n"


def _counts(outcomes: Sequence[CheckOutcome]) -> dict[str, str]:
    unreadable = sum(isinstance(each, Unreadable) for each in outcomes)
    failed = sum(isinstance(each, Result) and not each.passed for each in outcomes)
    return {"tests": str(len(outcomes)), "failures": str(failed), "errors": str(unreadable)}
