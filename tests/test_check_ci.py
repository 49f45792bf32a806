"""`idsync check` for CI: selection, formats, reports, updates, and a folder to begin with."""

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest
import yaml

from idsync_cli.core.config.strategy import PRESETS
from idsync_cli.files.yaml_edit import flow
from tests.faults import unprivileged
from tests.program import CONFIG, TWO_SCOPES, Outcome, Program, program_in_a_fresh_folder

__all__ = ["program_in_a_fresh_folder"]

SCOPE = """\
scope:
  strategy: profile_conversion
  priority: [customer_id, email, ios_idfv]
  identities: {customer_id: {login: true, unique: true}}
"""
STEP = "steps:\n  - identify: {email: a@example.com}\n"
PASSES = f"name: one that passes\n{SCOPE}{STEP}    expect: {{status: created}}\n"
FAILS = f"name: one that fails\n{SCOPE}{STEP}    expect: {{status: matched, notes: [tie]}}\n"
BROKEN = "name: [\n"
IMPOSSIBLE = f"""\
name: one that cannot be
{SCOPE}given:
  - {{customer_id: A}}
  - {{customer_id: A}}
{STEP}"""

NASTY = "::error file=x::y\n##[error]z\x1b[31m [bold] ]]> # \\ % \u202e\x85\u2028 ,: <a&b> \x00ü😀"
"""A name or a value that would act, if it could, in any of the formats."""


@pytest.fixture(name="mixed")
def scenarios_of_every_outcome(idsync: Program) -> Program:
    idsync.write("s/1.yaml", PASSES)
    idsync.write("s/2.yaml", FAILS + "---\n" + PASSES.replace("one", "another"))
    idsync.write("s/3.yaml", BROKEN)
    idsync.write("s/4.yaml", IMPOSSIBLE + "---\n" + PASSES.replace("one", "the last"))
    return idsync


def closing(outcome: Outcome) -> str:
    return outcome.stdout.splitlines()[-1]


# Selecting


def test_every_scenario_is_run_whatever_comes_of_the_others(mixed: Program) -> None:
    outcome = mixed("check", "s")
    assert (outcome.status, closing(outcome)) == (2, "3 passed, 1 failed, 2 unreadable")
    assert "s/3.yaml:2:1: broken YAML" in outcome.stderr
    assert "s/4.yaml:8:19: the given profile breaks a rule" in outcome.stderr


def test_a_path_that_is_not_there_keeps_nothing_else_from_running(mixed: Program) -> None:
    outcome = mixed("check", "nowhere", "s/1.yaml")
    assert (outcome.status, closing(outcome)) == (2, "1 passed, 0 failed, 1 unreadable")
    assert "nowhere: no such file or folder" in outcome.stderr


@pytest.mark.parametrize("text", ["ANOTHER", "another one", "that"])
def test_a_part_of_the_name_selects(idsync: Program, text: str) -> None:
    idsync.write("s.yaml", PASSES.replace("one", "another one") + "---\n" + FAILS[:0] + PASSES)
    outcome = idsync("check", "s.yaml", "-k", text)
    assert outcome.status == 0
    assert closing(outcome) == f"{2 if text == 'that' else 1} passed, 0 failed"


def test_a_part_of_the_path_selects(mixed: Program) -> None:
    outcome = mixed("check", "s/1.yaml", "s/2.yaml", "-k", "S/1")
    assert (outcome.status, closing(outcome)) == (0, "1 passed, 0 failed")


@pytest.mark.parametrize("form", ["text", "github", "tap"])
def test_nothing_that_matches_is_told_apart_from_all_passed(mixed: Program, form: str) -> None:
    outcome = mixed("check", "s/1.yaml", "-k", "\x1bnone", "--format", form)
    assert outcome.status == 2
    assert outcome.stderr == "idsync: no scenario has '\\x1bnone' in its name or path\n"
    assert "passed" not in outcome.stdout


def test_a_folder_without_scenarios_is_told(idsync: Program) -> None:
    outcome = idsync("check", ".")
    assert (outcome.status, outcome.stdout) == (2, "")
    assert "contain no scenario" in outcome.stderr


def test_what_is_hidden_in_a_folder_is_no_scenario(mixed: Program) -> None:
    mixed.write("t/.github/workflows/x.yml", "on: push\n")
    mixed.write("t/.y.yaml", "on: push\n")
    mixed.write("t/z.yaml", PASSES)
    assert mixed("check", "t").status == 0


def test_fail_fast_stops_at_the_first_that_does_not_pass(mixed: Program) -> None:
    outcome = mixed("check", "s", "--fail-fast")
    assert (outcome.status, closing(outcome)) == (1, "1 passed, 1 failed")


@pytest.mark.parametrize("form", ["text", "github"])
def test_quiet_tells_of_failures_alone(mixed: Program, form: str) -> None:
    outcome = mixed("check", "s", "--quiet", "--format", form)
    assert outcome.status == 2
    assert "ok " not in outcome.stdout
    assert "FAILED one that fails" in outcome.stdout
    assert closing(outcome) == "3 passed, 1 failed, 2 unreadable"
    assert mixed("check", "s/1.yaml", "--quiet").stdout == "1 passed, 0 failed\n"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "check --init"),
        ([""], "check --init"),
        (["s", "-k", ""], "-k is empty"),
        (["s", "--format", "xml"], "'xml' is not one of"),
        (["s", "--update", "--fail-fast"], "--update cannot be combined"),
        (["s", "--update", "--junit", "r.xml"], "--update cannot be combined"),
        (["s", "--update", "--format", "tap"], "--update cannot be combined"),
        (["s", "--junit", ""], "--junit '' is not a path"),
        (["s", "--junit", "."], "it is a folder"),
        (["s", "--junit", "no/r.xml"], "cannot be written"),
        (["s/2.yaml", "--junit", "s/1.yaml"], "is not a report; it was left unchanged"),
        (["--init", "a", "b"], "--init creates one folder"),
        (["--init", ""], "cannot be the name"),
        (["--init", "a\x1bb"], "'a\\x1bb' cannot be the name"),
        (["--init", "${{ x }}"], "cannot be the name"),
        (["--init", "idsync.yaml"], "is the configuration"),
        (["--init", "idsync.yaml/deeper"], "idsync.yaml"),
    ],
)
def test_what_cannot_be_asked_is_refused(mixed: Program, arguments: list[str], words: str) -> None:
    before = mixed.files()
    outcome = mixed("check", *arguments)
    assert (outcome.status, outcome.stdout) == (2, "")
    assert words in outcome.stderr
    assert "fault of idsync" not in outcome.stderr
    assert mixed.files() == before


# GitHub

COMMAND = re.compile(r"::(?P<level>\w+) (?P<properties>.*?)::(?P<message>.*)")
GROUP = re.compile(r"::(group|endgroup)::(.*)")


def unescaped(text: str) -> str:
    for escape, character in (("%3A", ":"), ("%2C", ","), ("%0D", "\r"), ("%0A", "\n")):
        text = text.replace(escape, character)
    return text.replace("%25", "%")


def commands(stdout: str) -> list[tuple[str, dict[str, str], str]]:
    """The workflow commands of a log, as GitHub's runner finds them, without those of groups.

    Groups do not nest, and each has an end.
    """
    found = []
    is_open = False
    for line in re.split("[\r\n]", stdout):
        assert "##[" not in line  # the older form is found anywhere in a line
        if group := GROUP.fullmatch(line.lstrip()):
            assert is_open is (group[1] == "endgroup")
            is_open = not is_open
        elif line.lstrip().startswith("::"):
            command = COMMAND.fullmatch(line.lstrip())
            assert command
            pairs = (each.split("=", 1) for each in command["properties"].split(","))
            properties = {key: unescaped(value) for key, value in pairs}
            found.append((command["level"], properties, unescaped(command["message"])))
    assert not is_open
    return found


def groups(stdout: str) -> dict[str, list[str]]:
    """The groups of a log: their titles, and the lines in them."""
    found = re.findall(r"^::group::(.*)\n((?:.*\n)*?)::endgroup::\n", stdout, re.MULTILINE)
    return {unescaped(title): lines.split("\n")[:-1] for title, lines in found}


def test_github_is_shown_the_line_of_whatever_was_expected_otherwise(mixed: Program) -> None:
    outcome = mixed("check", "s/1.yaml", "s/2.yaml", "--format", "github")
    found = commands(outcome.stdout)
    place = {"file": "s/2.yaml", "line": "8", "title": "scenario failed: one that fails"}
    assert found == [
        ("error", place, 'identify in line 7: status: expected "matched", found "created"'),
        ("error", place, 'identify in line 7: notes: expected ["tie"], found []'),
    ]
    assert outcome.status == 1


TABLE = ["identify in scope scope, request 1", "Profile", "+ email a@example.com"]
"""How some lines of the explanation of `FAILS` begin."""


def assert_explained(lines: list[str]) -> None:
    for beginning in ["  line 7, identify: status", '    expected "matched"', *TABLE]:
        assert any(line.startswith(beginning) for line in lines), (beginning, lines)
    assert any(line.startswith("2 email") and "no candidates" in line for line in lines), lines
    assert all(len(line) <= 100 for line in lines)


def test_github_folds_the_explanation_of_what_fails_into_a_group(mixed: Program) -> None:
    for environment in ({}, {"COLUMNS": "40"}, {"FORCE_COLOR": "1"}):
        outcome = mixed("check", "s", "--format", "github", environment=environment)
        [(title, lines)] = groups(outcome.stdout).items()
        assert title == "explained: one that fails"
        assert_explained(lines)
    assert groups(mixed("check", "s/1.yaml", "--format", "github").stdout) == {}


def test_github_is_shown_every_fault_of_a_file(mixed: Program) -> None:
    mixed.write("faults.yaml", PASSES.replace("status", "state").replace("steps", "stops"))
    outcome = mixed("check", "faults.yaml", "s/3.yaml", "s/4.yaml", "--format", "github")
    places = [(each["file"], each.get("line")) for _, each, _ in commands(outcome.stdout)]
    assert places == [
        ("faults.yaml", "1"),
        ("faults.yaml", "6"),
        ("s/3.yaml", "2"),
        ("s/4.yaml", "8"),
    ]
    assert (outcome.status, outcome.stderr) == (2, "")


# TAP


def tap_points(stdout: str) -> list[tuple[bool, int, str, dict[str, object]]]:
    """The test points of a TAP 14 document, with their diagnostics; anything else fails."""
    version, *lines = stdout.split("\n")
    assert version == "TAP version 14"
    assert lines.pop() == ""
    points: list[tuple[bool, int, str, dict[str, object]]] = []
    plan = None
    while lines:
        line = lines.pop(0)
        if match := re.fullmatch(r"(not )?ok (\d+) - (.*)", line):
            description = match[3]
            assert not re.search(r"(?<!\\)(\\\\)*#", description)  # no directive
            points.append((not match[1], int(match[2]), re.sub(r"\\(.)", r"\1", description), {}))
        elif line == "  ---":
            end = lines.index("  ...")
            text = "\n".join(each.removeprefix("  ") for each in lines[:end])
            points[-1][3].update(yaml.load(text, Loader=yaml.BaseLoader))  # noqa: S506
            del lines[: end + 1]
        elif match := re.fullmatch(r"1\.\.(\d+)", line):
            assert plan is None
            plan = int(match[1])
        else:
            assert line.startswith("# ")
    assert [number for _, number, _, _ in points] == list(range(1, (plan or 0) + 1))
    return points


def test_tap_has_a_point_for_every_outcome(mixed: Program) -> None:
    outcome = mixed("check", "s", "--format", "tap", "--quiet")
    points = tap_points(outcome.stdout)
    assert [(ok, name) for ok, _, name, _ in points] == [
        (True, "one that passes (s/1.yaml:1)"),
        (False, "one that fails (s/2.yaml:1)"),
        (True, "another that passes (s/2.yaml:10)"),
        (False, "s/3.yaml"),
        (False, "s/4.yaml"),
        (True, "the last that passes (s/4.yaml:12)"),
    ]
    assert points[1][3]["mismatches"] == [
        {
            "line": "8",
            "request": "identify",
            "what": "status",
            "expected": "matched",
            "found": "created",
        },
        {"line": "8", "request": "identify", "what": "notes", "expected": ["tie"], "found": []},
    ]
    assert_explained(str(points[1][3]["explained"]).split("\n"))
    assert "s/3.yaml:2:1: broken YAML" in str(points[3][3]["faults"])
    assert (outcome.status, outcome.stderr) == (2, "")


def test_a_run_of_nothing_bails_out_of_tap(idsync: Program) -> None:
    outcome = idsync("check", ".", "--format", "tap")
    assert outcome.stdout == "TAP version 14\nBail out! nothing was run\n"
    assert outcome.status == 2


# JUnit


def test_a_report_is_written_whatever_comes_of_the_scenarios(mixed: Program) -> None:
    mixed.write("r.xml", "<old/>")
    plain = mixed("check", "s")
    assert mixed("check", "s", "--junit", "r.xml") == plain
    first = (mixed.folder / "r.xml").read_bytes()
    mixed("check", "s", "--junit", "r.xml")
    assert (mixed.folder / "r.xml").read_bytes() == first
    suites = ElementTree.fromstring(first)  # our own
    assert suites.attrib == {"name": "idsync check", "tests": "6", "failures": "1", "errors": "2"}
    counted = {
        each.attrib["name"]: tuple(each.attrib[key] for key in ("tests", "failures", "errors"))
        for each in suites
    }
    assert counted == {
        "s/1.yaml": ("1", "0", "0"),
        "s/2.yaml": ("2", "1", "0"),
        "s/3.yaml": ("1", "0", "1"),
        "s/4.yaml": ("2", "0", "1"),
    }
    [failure] = suites.iter("failure")
    assert failure.text == (
        's/2.yaml:8: identify in line 7: status: expected "matched", found "created"\n'
        's/2.yaml:8: identify in line 7: notes: expected ["tie"], found []'
    )
    [output] = suites.iter("system-out")
    assert_explained((output.text or "").split("\n"))
    assert [each.tag for each in suites[1][0]] == ["failure", "system-out"]
    [case] = suites[0]
    assert case.attrib == {
        "name": "one that passes",
        "classname": "s/1.yaml",
        "file": "s/1.yaml",
        "line": "1",
    }


def test_a_report_of_nothing_is_an_empty_one(mixed: Program) -> None:
    assert mixed("check", "s/1.yaml", "-k", "none", "--junit", "r.xml").status == 2
    assert ElementTree.parse(mixed.folder / "r.xml").getroot().attrib["tests"] == "0"


# What names and values hold has no effect


def test_the_format_junit_is_the_report_alone(mixed: Program) -> None:
    told = mixed("check", "s", "--format", "junit", "--junit", "r.xml")
    assert told.stdout.encode() == (mixed.folder / "r.xml").read_bytes().rstrip(b"\n") + b"\n"
    assert ElementTree.fromstring(told.stdout.encode()).tag == "testsuites"
    assert (told.status, told.stderr) == (mixed("check", "s").status, "")


@pytest.mark.parametrize("form", ["text", "github", "tap"])
def test_names_and_values_cannot_act(idsync: Program, form: str) -> None:
    nasty = NASTY.replace("\x00", "")
    long = "x" * 26 + nasty * 3
    story = (
        f"name: {flow(nasty)}\n{SCOPE}steps:\n"
        f"  - identify: {{email: {flow(long)}}}\n    expect: {{changes: []}}\n"
        f"profiles:\n  {flow('@' + nasty)}: {{email: {flow(nasty)}}}\n"
    )
    idsync.write("s%,:.yaml", story)
    idsync.write("t.yaml", f"{flow(nasty)}: {flow(nasty)}\n")
    for columns in ("40", "80", "83"):
        outcome = idsync(
            *("check", ".", "--format", form, "--junit", "r.xml"), environment={"COLUMNS": columns}
        )
        assert outcome.status == 2
        for stream in (outcome.stdout, outcome.stderr):
            told = commands(stream)
            assert all(level == "error" for level, _, _ in told)
            assert bool(told) == (form == "github" and stream is outcome.stdout)
            assert all(line.isprintable() for line in stream.split("\n"))
        if form == "github":
            assert {each["file"] for _, each, _ in told or commands(outcome.stdout)} == {
                "s%,:.yaml",
                "t.yaml",
            }
        if form == "tap":
            points = tap_points(outcome.stdout)
            assert [ok for ok, _, _, _ in points] == [False, False]
            assert long in str(points[0][3]) or "value" in str(points[0][3])
        [first, second] = ElementTree.parse(idsync.folder / "r.xml").getroot()
        assert "]]>" in first[0].attrib["name"]
        assert (len(first), len(second)) == (1, 1)


# Updating

WRITTEN = """\
# Kept: the comment above,
name:   odd  # and behind
scope: {strategy: profile_link, priority: [customer_id, email, ios_idfv]}
given:
  - {mpid: 7, idfv: phone}

steps:
  - identify: {idfv: phone}     # its layout
    as: visitor
    expect: {status: created,mpid: 9 , decided_by: email, matched: [], changes: [] }
  - login:
      customer_id: "A: 1"
      ios_idfv: phone
    as: user
    expect:
      mpid: "@visitor"   # who?
      source_mpid:
      is_logged_in: no-matter
      tiers: {idfv: decided, customerid: not_in_request}
      # the changes
      changes:
      - {op: add, mpid: 7, identity_type: customer_id, value: x}
      - op: remove
        mpid: 7
        identity_type: email
        value: "y"

      orphaned: ["@visitor"]
      notes: [tie]
  - search: {customer_id: nobody}
    expect: {status: error, error: NO_IDENTITIES}

profiles:
  7: {email: e, idfv: phone}
  "@user": {customer_id: [A, B]}
  # the end
""".replace("is_logged_in: no-matter", "is_logged_in: false").replace(
    "  - search: {customer_id: nobody}\n    expect: {status: error, error: NO_IDENTITIES}\n",
    "  - search: {}\n    expect: {status: error, error: INVALID_JSON}\n",
)

UPDATED = """\
# Kept: the comment above,
name:   odd  # and behind
scope: {strategy: profile_link, priority: [customer_id, email, ios_idfv]}
given:
  - {mpid: 7, idfv: phone}

steps:
  - identify: {idfv: phone}     # its layout
    as: visitor
    expect: {status: matched,mpid: "@visitor" , decided_by: ios_idfv, matched: [ios_idfv], changes: [] }
  - login:
      customer_id: "A: 1"
      ios_idfv: phone
    as: user
    expect:
      mpid: "@user"   # who?
      source_mpid: "@visitor"
      is_logged_in: true
      tiers: {idfv: no_candidates, customerid: no_candidates}
      # the changes
      changes:
        [{op: add, mpid: "@user", identity_type: customer_id, value: "A: 1"}, {op: add, mpid: "@user", identity_type: ios_idfv, value: phone}]

      orphaned: []
      notes: []
  - search: {}
    expect: {status: error, error: NO_IDENTITIES}

profiles:
  7: {idfv: phone}
  "@user": {customer_id: "A: 1", ios_idfv: phone}
  # the end
"""  # noqa: E501


@pytest.mark.parametrize("ends", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_an_update_writes_what_was_found_and_keeps_every_other_byte(
    idsync: Program, ends: str, mark: str
) -> None:
    path = idsync.write("odd.yaml", mark + WRITTEN.replace("\n", ends))
    path.chmod(0o640)
    outcome = idsync("check", "odd.yaml", "--update")
    assert path.read_bytes().decode() == mark + UPDATED.replace("\n", ends)
    assert path.stat().st_mode & 0o777 == 0o640
    assert (outcome.status, outcome.stderr) == (0, "")
    assert closing(outcome) == "0 passed, 0 failed, 1 updated"
    assert '\n-      mpid: "@visitor"   # who?\n' in outcome.stdout
    assert '\n+      mpid: "@user"   # who?\n' in outcome.stdout
    assert outcome.stdout.startswith("--- odd.yaml\n+++ odd.yaml\n@@ ")
    assert set(idsync.files()) == {"odd.yaml", "idsync.yaml"}
    again = idsync("check", "odd.yaml", "--update")
    assert (again.status, closing(again)) == (0, "1 passed, 0 failed, 0 updated")
    assert path.read_bytes().decode() == mark + UPDATED.replace("\n", ends)


def test_an_update_goes_no_further_than_what_is_selected(idsync: Program) -> None:
    path = idsync.write("s.yaml", FAILS + "---\n" + FAILS.replace("one", "another"))
    outcome = idsync("check", "s.yaml", "s.yaml", ".", "--update", "-k", "another")
    assert (outcome.status, closing(outcome)) == (0, "0 passed, 0 failed, 1 updated")
    first, second = path.read_text().split("---\n")
    assert first == FAILS
    assert "expect: {status: created, notes: []}" in second


ALIASED = """\
name: a visitor is aliased
now: 2026-01-31T12:00:00Z
scope: {strategy: profile_link, priority: [customer_id, device_application_stamp]}
steps:
  - track: {device_application_stamp: d1, event: viewed}
    as: visitor
  - login: {customer_id: c1, device_application_stamp: d1}
    as: a visitor
  - alias: {source_mpid: "@visitor", destination_mpid: "@a visitor"}
profiles:
  "@visitor": {status_messages: ["request 3: aliased to profile @a visitor"]}
  "@a visitor": {status_messages: ["request 3: aliased from profile @visitor"]}
"""


def test_a_status_message_names_a_profile_as_the_scenario_does(idsync: Program) -> None:
    path = idsync.write("s.yaml", ALIASED)
    assert idsync("check", "s.yaml").status == 0
    path.write_text(ALIASED.replace("profile @visitor", "profile @a visitor"))
    assert idsync("check", "s.yaml").status == 1
    assert idsync("check", "s.yaml", "--update").status == 0
    assert path.read_text() == ALIASED


def test_a_linked_file_is_updated_where_it_is(idsync: Program) -> None:
    path = idsync.write("far/s.yaml", FAILS)
    (idsync.folder / "link.yaml").symlink_to(path)
    assert idsync("check", "link.yaml", "--update").status == 0
    assert (idsync.folder / "link.yaml").is_symlink()
    assert "created" in path.read_text()


@pytest.mark.parametrize(
    ("expect", "words"),
    [
        ("{error: NO_IDENTITIES}", "7: the answer has no error; remove the line"),
        ("{tiers: {yahoo: decided}}", "7: the answer has no yahoo"),
        ("{changes: [ # why\n      ]}", "7: a comment within the value would be lost"),
        ('{changes: [{op: add, mpid: 1, identity_type: email, value: "#"}, # why\n ]}', "comment"),
        ("{status: |\n  matched\n }", "scenario"),
        ("\n      status: |-\n        matched\n      notes: []", "block of text"),
        ("{status: matched, ? notes : [tie]}", "passed"),
        ("{mpid, status: created}", "layout"),
    ],
)
def test_a_file_that_cannot_be_rewritten_exactly_is_left_alone(
    idsync: Program, expect: str, words: str
) -> None:
    story = f"{SCOPE}{STEP}    expect: {expect}\n"
    path = idsync.write("s.yaml", story)
    outcome = idsync("check", "s.yaml", "--update")
    if words == "passed":
        assert (outcome.status, closing(outcome)) == (0, "0 passed, 0 failed, 1 updated")
        return
    assert path.read_text() == story
    assert outcome.status == (2 if words == "scenario" else 1)
    if outcome.status == 1:
        assert words in outcome.stderr
        assert "s.yaml was left unchanged" in outcome.stderr
        assert "FAILED s 1" in outcome.stdout
    assert set(idsync.files()) == {"s.yaml", "idsync.yaml"}


def test_an_answer_that_became_an_error_is_for_the_author_to_write(idsync: Program) -> None:
    story = f"{SCOPE}steps:\n  - identify: {{}}\n    expect: {{status: matched, notes: []}}\n"
    idsync.write("s.yaml", story + "profiles:\n  9: {email: a}\n")
    outcome = idsync("check", "s.yaml", "--update")
    assert "s.yaml:7: the answer is the error NO_IDENTITIES, without notes" in outcome.stderr
    assert "s.yaml:9: there is no profile 9" in outcome.stderr
    assert outcome.status == 1


def test_a_file_that_may_not_be_written_is_told(idsync: Program) -> None:
    idsync.write("far/s.yaml", FAILS).chmod(0o444)
    before = idsync.files()
    outcome = unprivileged(idsync, "check", "far", "--update")
    assert outcome.status == 1
    assert "far/s.yaml: cannot be updated: Permission denied" in outcome.stderr
    assert idsync.files() == before


@pytest.mark.parametrize(
    "value",
    [
        NASTY.replace("\x00", ""),
        "null",
        "~",
        "true",
        "no",
        "",
        "-",
        "- a",
        "a: b",
        "#",
        "@x",
        "0123",
        "-7",
        "1e3",
        "😀\U0010ffff\ufeff\x07",
        ["a,b", "]", "{", {"k": "v"}, {"::": None, "t": True}],
        {},
    ],
)
def test_a_value_in_flow_style_reads_as_itself(tmp_path: Path, value: object) -> None:
    from idsync_cli.files.yaml_parser import parse_documents
    from idsync_cli.files.yaml_tree import Faults

    text = f"key: {flow(value)} # comment\nnext: x\n"
    [document] = parse_documents(text, Faults(tmp_path))
    assert document.plain() == {"key": value, "next": "x"}
    assert text.count("\n") == 2


# Beginning

PRIORITIES = {
    "default": "",
    "profile_conversion": "priority: [email, ios_idfv]",
    "profile_link": "priority: [customer_id, email]",
    "profile_isolation": "priority: [customer_id]",
    "best_match": "priority: [email]",
}


def test_the_starter_has_its_own_configuration_where_there_is_none(idsync: Program) -> None:
    (idsync.folder / "idsync.yaml").unlink()
    outcome = idsync("check", "--init")
    workflow = ".github/workflows/idsync-check.yml"
    made = {name for name, content in idsync.files().items() if content is not None}
    assert made == {"scenarios/first.yaml", "scenarios/idsync.yaml", workflow}
    assert "next: idsync check scenarios" in outcome.stderr
    assert (outcome.status, outcome.stdout) == (0, "")
    text = (idsync.folder / workflow).read_text()
    told = yaml.load(text, Loader=yaml.BaseLoader)  # noqa: S506
    [run] = [each["run"] for each in told["jobs"]["check"]["steps"] if "idsync check" in str(each)]
    assert idsync(*run.split()[1:]).status == 0
    assert idsync("check", ".").status == 0
    watched = ["scenarios/**", "scenarios/idsync.yaml", workflow]
    assert told["on"]["push"]["paths"] == told["on"]["pull_request"]["paths"] == watched


def test_the_starter_passes_with_the_present_configuration(idsync: Program) -> None:
    idsync("check", "--init", "deep/er")
    assert idsync("check", "deep").stdout.endswith("1 passed, 0 failed\n")
    text = (idsync.folder / "deep/er/first.yaml").read_text()
    assert "config: ../../idsync.yaml\n" in text.replace('"', "")
    assert "scope:" not in text


@pytest.mark.parametrize("strategy", PRESETS)
@pytest.mark.parametrize("several", [True, False])
def test_the_starter_passes_under_any_rules(idsync: Program, strategy: str, several: bool) -> None:
    scope = f"{{strategy: {strategy}, {PRIORITIES[strategy]}}}"
    more = f"  'b: c': {scope}\n" if several else ""
    idsync.write("rules.yaml", f"scopes:\n  'a: b': {scope}\n{more}")
    outcome = idsync("check", "--init", environment={"IDSYNC_CONFIG": "rules.yaml"})
    assert outcome.status == 0
    assert idsync("check", "scenarios").stdout.endswith("1 passed, 0 failed\n")


def test_the_starter_never_overwrites(idsync: Program) -> None:
    idsync("check", "--init", "s p")
    idsync.write("s p/first.yaml", PASSES)
    before = idsync.files()
    outcome = idsync("check", "--init", "s p")
    assert outcome.stderr == (
        "kept s p/first.yaml\nkept .github/workflows/idsync-check.yml\nnext: idsync check 's p'\n"
    )
    assert idsync.files() == before


def test_the_workflow_lies_where_github_looks_for_it(idsync: Program) -> None:
    (idsync.folder / "a/.git").mkdir(parents=True)
    idsync("check", "--init", "a/b")
    text = (idsync.folder / "a/.github/workflows/idsync-check.yml").read_text()
    assert "--junit idsync-report.xml b\n" in text


@pytest.mark.parametrize(
    ("folder", "config", "watched"),
    [
        ("scenarios", "idsync.yaml", ["scenarios/**", "idsync.yaml"]),
        ("a/stories", "rules/x.yaml", ["a/stories/**", "rules/x.yaml"]),
        ("-s", "i.yaml", ["-s/**", "i.yaml"]),
        (".", "idsync.yaml", ["**", "idsync.yaml"]),
        ("a [b]*?+!", "c\\d.yaml", ["a \\[b\\]\\*\\?\\+\\!/**", "c\\\\d.yaml"]),
        ("s", "../shared.yaml", ["s/**"]),
    ],
)
def test_the_workflow_runs_when_rules_or_scenarios_change(
    tmp_path: Path, folder: str, config: str, watched: list[str]
) -> None:
    program = Program(tmp_path / "repository")
    program.write(config, CONFIG)
    program.write(".git/HEAD", "")
    outcome = program("check", "--init", "--config", config, "--", folder)
    assert outcome.status == 0, outcome
    workflow = ".github/workflows/idsync-check.yml"
    text = (program.folder / workflow).read_text()
    told = yaml.load(text, Loader=yaml.BaseLoader)  # noqa: S506
    for event in ("push", "pull_request"):
        assert told["on"][event] == {"paths": [*watched, workflow]}
    assert "workflow_dispatch" in told["on"]


def test_a_broken_configuration_makes_no_starter(idsync: Program) -> None:
    idsync.write("idsync.yaml", "scopes: 1\n")
    before = idsync.files()
    outcome = idsync("check", "--init")
    assert (outcome.status, idsync.files()) == (2, before)
    assert "idsync.yaml:1:9" in outcome.stderr


def test_a_configuration_is_read_anew_by_every_run(idsync: Program) -> None:
    idsync.write("s.yaml", f"config: idsync.yaml\n{STEP}    expect: {{status: created}}\n")
    assert idsync("check", "s.yaml").status == 0
    idsync.write("idsync.yaml", TWO_SCOPES)
    assert idsync("check", "s.yaml").status == 1
    idsync.write("idsync.yaml", CONFIG)
    assert idsync("check", "s.yaml").status == 0


# Under another strategy

LINK = """\
scopes:
  {name}: {{strategy: profile_link, priority: [customer_id, email, ios_idfv]}}
"""
SIGN_UP = f"""\
name: a visitor signs up
{SCOPE}steps:
  - identify: {{ios_idfv: phone}}
    as: visitor
  - login: {{customer_id: A, ios_idfv: phone}}
    expect: {{status: matched, mpid: "@visitor"}}
"""


def test_scenarios_run_under_another_strategy(idsync: Program) -> None:
    idsync.write("s.yaml", SIGN_UP)
    idsync.write("t.yaml", SIGN_UP.replace(SCOPE, "config: nowhere.yaml\n"))
    idsync.write("link.yaml", LINK.format(name="shop"))
    assert idsync("check", "s.yaml").status == 0
    outcome = idsync("check", "s.yaml", "t.yaml", "--config", "link.yaml")
    assert (outcome.status, closing(outcome), outcome.stderr) == (1, "0 passed, 2 failed", "")
    assert outcome.stdout.count("new_known_user") > 1
    assert idsync("check", "t.yaml", "--config", "idsync.yaml").status == 0
    variable = {"IDSYNC_CONFIG": "link.yaml"}
    assert idsync("check", "s.yaml", environment=variable).status == 0


def test_a_scope_that_is_spelled_out_gets_the_one_of_its_name_or_the_only_one(
    idsync: Program,
) -> None:
    idsync.write("s.yaml", "# a story\n" + SIGN_UP)
    two = LINK.format(name="shop") + LINK.format(name="scope").partition("\n")[2]
    idsync.write("two.yaml", two.replace("profile_link", "profile_conversion", 1))
    assert idsync("check", "s.yaml", "--config", "two.yaml").status == 1  # scope is profile_link
    idsync.write("none.yaml", two.replace("  scope:", "  other:"))
    outcome = idsync("check", "s.yaml", "--config", "none.yaml")
    assert (outcome.status, closing(outcome)) == (2, "0 passed, 0 failed, 1 unreadable")
    assert "s.yaml:4:3: the scenario spells out its scope" in outcome.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--config", "nowhere.yaml"], "nowhere.yaml: no such file"),
        (["--config", ""], "name a file with --config"),
        (["--config", "idsync.yaml", "--update"], "omit --config and --no-extensions"),
        (["--no-extensions", "--update"], "omit --config and --no-extensions"),
        (["--config", "other.yaml", "--junit", "./other.yaml"], "is the input 'other.yaml'"),
    ],
)
def test_another_strategy_that_cannot_be_is_refused(
    idsync: Program, arguments: list[str], words: str
) -> None:
    idsync.write("s.yaml", SIGN_UP)
    idsync.write("other.yaml", CONFIG)
    before = idsync.files()
    outcome = idsync("check", "s.yaml", *arguments)
    assert (outcome.status, outcome.stdout) == (2, "")
    assert words in outcome.stderr
    assert idsync.files() == before
