"""`idsync check`: scenarios that hold, that do not, and that cannot be read."""

import pytest

from tests.program import (  # noqa: F401 - the fixture
    TWO_SCOPES,
    Program,
    program_in_a_fresh_folder,
)

SCOPE = """\
scope:
  strategy: profile_conversion
  priority: [customer_id, email, ios_idfv]
  identities: {customer_id: {login: true, unique: true}}
"""
HOLDS = f"""\
name: a login finds the account
{SCOPE}given:
  - {{mpid: 1, customer_id: A, email: a@example.com}}
  - {{mpid: 2, ios_idfv: phone}}
steps:
  - login: {{customer_id: A, ios_idfv: phone}}
    expect:
      mpid: 1
      status: matched
      decided_by: customer_id
      matched: [customer_id]
      orphaned: []
      source_mpid: null
      is_logged_in: true
      notes: []
      changes: [{{op: add, mpid: 1, identity_type: ios_idfv, value: phone}}]
      tiers: {{customer_id: decided, email: not_in_request, ios_idfv: not_consulted}}
  - modify: {{mpid: 1, customer_id: null, email: null, ios_idfv: null}}
    as: emptied
    expect: {{orphaned: ["@emptied"]}}
  - login: {{push_token: only}}
    expect: {{status: error, error: NO_LOOKUP_IDENTITY}}
profiles:
  1: {{}}
  2: {{ios_idfv: phone}}
"""


def check(idsync: Program, text: str | bytes) -> tuple[int, str, str]:
    idsync.write("story.yaml", text)
    before = idsync.files()
    outcome = idsync("check", "story.yaml")
    assert idsync.files() == before
    assert "Traceback" not in outcome.stderr
    assert "fault of idsync" not in outcome.stderr
    return outcome.status, outcome.stdout, outcome.stderr


# Scenarios that hold


def test_a_scenario_that_holds_has_one_line_and_status_zero(idsync: Program) -> None:
    assert check(idsync, HOLDS) == (
        0,
        "ok     a login finds the account (story.yaml:1)\n1 passed, 0 failed\n",
        "",
    )


def test_a_file_may_hold_several_scenarios(idsync: Program) -> None:
    status, stdout, _ = check(idsync, HOLDS + "---\n" + HOLDS.replace("name: a", "name: another"))
    assert status == 0
    assert "2 passed, 0 failed" in stdout
    assert "another login finds the account (story.yaml:" in stdout


def test_a_scenario_without_a_name_is_called_after_its_file_and_place(idsync: Program) -> None:
    _, stdout, _ = check(idsync, HOLDS + "---\n" + HOLDS.split("\n", 1)[1])
    assert "story 2" in stdout


def test_a_folder_is_searched_and_its_configurations_are_passed_over(idsync: Program) -> None:
    idsync.write("stories/b/deep.yml", HOLDS.replace("name: a", "name: deep"))
    idsync.write("stories/a.yaml", HOLDS.replace("name: a", "name: first"))
    idsync.write("stories/rules.yaml", TWO_SCOPES)
    idsync.write("stories/notes.txt", "no scenario")
    outcome = idsync("check", "stories")
    names = [line.split()[1] for line in outcome.stdout.splitlines()[:-1]]
    assert (outcome.status, names) == (0, ["first", "deep"])
    assert "2 passed, 0 failed" in outcome.stdout


def test_a_configuration_is_named_by_a_path_beside_the_scenario(idsync: Program) -> None:
    idsync.write("rules/two.yaml", TWO_SCOPES)
    story = """\
config: ../rules/two.yaml
given:
  - {scope: couriers, mpid: -7, email: a@example.com}
steps:
  - search: {scope: couriers, email: a@example.com}
    expect: {mpid: "-7"}
  - search: {workspace: shop, email: a@example.com}
    expect: {status: not_found, mpid: null}
"""
    idsync.write("stories/story.yaml", story)
    assert idsync("check", "stories/story.yaml").status == 0


def test_scalars_are_taken_as_they_are_written(idsync: Program) -> None:
    status, stdout, _ = check(
        idsync,
        SCOPE
        + """\
given:
  - {mpid: 1, email: 00123, customer_id: 12:30}
  - {mpid: 2, email: no, customer_id: 1e3}
  - {mpid: 3, email: "null", customer_id: "true"}
  - {mpid: 4, email: 2026-11-22, customer_id: 0x10}
steps:
  - identify: {email: 00123, customer_id: 12:30}
    expect: {mpid: 1}
  - identify: {email: no, customer_id: 1e3}
    expect: {mpid: 2}
  - identify: {email: "null", customer_id: "true"}
    expect: {mpid: 3}
  - identify: {email: 2026-11-22, customer_id: 0x10}
    expect: {mpid: 4}
  - identify: {email: "123", customer_id: "750"}
    expect: {status: created}
  - identify: {email: null, customer_id: ~, ios_idfv: }
    expect: {error: NO_IDENTITIES}
  - identify: {email: true}
    expect: {error: INVALID_IDENTITY_VALUE}
profiles:
  1: {email: 00123, customer_id: 12:30}
  4: {email: 2026-11-22, customer_id: 0x10}
""",
    )
    assert status == 0, stdout


def test_a_name_stands_for_the_mpid_of_its_step(idsync: Program) -> None:
    status, stdout, _ = check(
        idsync,
        SCOPE
        + """\
steps:
  - identify: {ios_idfv: phone}
    as: visitor
  - logout: {ios_idfv: phone}
    as: later
  - identify: {ios_idfv: phone}
    previous_mpid: "@visitor"
    expect: {mpid: "@visitor", decided_by: previous_mpid}
  - modify: {mpid: "@later", ios_idfv: null}
    expect: {mpid: "@later", orphaned: ["@later"], changes: [{op: remove, mpid: "@later",
             identity_type: ios_idfv, value: phone}]}
profiles:
  "@visitor": {ios_idfv: phone}
  "@later": {}
""",
    )
    assert status == 0, stdout


# Scenarios that do not hold


@pytest.mark.parametrize(
    ("key", "right", "wrong", "expected", "found"),
    [
        ("mpid", " mpid: 1\n", " mpid: 2\n", '"2"', '"1"'),
        ("mpid", " mpid: 1\n", ' mpid: "@emptied"\n', '"@emptied"', '"1"'),
        ("mpid", " mpid: 1\n", " mpid: null\n", "null", '"1"'),
        ("status", "status: matched", "status: created", '"created"', '"matched"'),
        (
            "decided_by",
            "decided_by: customer_id",
            "decided_by: newest",
            '"newest"',
            '"customer_id"',
        ),
        ("matched", "matched: [customer_id]", "matched: []", "[]", '["customer_id"]'),
        ("orphaned", 'orphaned: ["@emptied"]', "orphaned: []", "[]", '["1"]'),
        ("source_mpid", "source_mpid: null", "source_mpid: 2", '"2"', "null"),
        ("is_logged_in", "is_logged_in: true", "is_logged_in: false", "false", "true"),
        ("notes", "notes: []", "notes: [tie]", '["tie"]', "[]"),
        ("changes", "value: phone}]", "value: tablet}]", "tablet", "phone"),
        ("changes", "op: add, mpid: 1", "op: add, mpid: 2", '"mpid": "2"', '"mpid": "1"'),
        ("error", "error: NO_LOOKUP", "error: NO_IDENTITIES #", '"NO_IDENTITIES"', '"NO_LOOKUP_'),
        ("tiers", "not_in_request", "no_effect", "no_effect", "not_in_request"),
        ("profile 1", "1: {}", "1: {email: x}", '{"email": ["x"]}', "{}"),
        ("profile 2", "2: {ios_idfv: phone}", "2: {}", "{}", '{"ios_idfv": ["phone"]}'),
        ("profile 3", "2: {ios_idfv: phone}", "3: {}", "{}", "null"),
    ],
)
def test_each_thing_expected_otherwise_fails_with_what_was_expected_and_found(
    idsync: Program, key: str, right: str, wrong: str, expected: str, found: str
) -> None:
    assert right in HOLDS
    text = HOLDS.replace(right, wrong)
    # The comment sign cuts the rest of a line off, and with it what closes the mapping.
    text = text.replace("_IDENTITY}\n", "_IDENTITY}\n      }\n") if "#" in wrong else text
    status, stdout, stderr = check(idsync, text)
    lines = stdout.splitlines()
    assert (status, stderr) == (1, "")
    assert lines[0] == "FAILED a login finds the account (story.yaml:1)"
    assert lines[-1] == "0 passed, 1 failed"
    assert f" {key}" in lines[1]
    told, shown = stdout.split("\n    expected ")[1].split("\n    found ")
    assert expected in told
    assert found in shown


def test_a_failing_step_shows_its_line_and_its_table(idsync: Program) -> None:
    _, stdout, _ = check(idsync, HOLDS.replace("status: matched", "status: created"))
    assert "line 10, login: status" in stdout
    assert "request 3" in stdout
    for heading in ("Type", "Value", "Settings", "Eligible", "Outcome"):
        assert heading in stdout
    assert "1 customer_id A" in stdout
    assert "Profile 1 is the answer" in stdout


def test_a_step_that_was_refused_unexpectedly_shows_the_refusal(idsync: Program) -> None:
    _, stdout, _ = check(idsync, HOLDS.replace("error: NO_LOOKUP_IDENTITY", "mpid: 1"))
    assert "NO_LOOKUP_IDENTITY: " in stdout
    assert '    expected "1"' in stdout


def test_a_step_is_not_failed_for_what_its_expect_leaves_out(idsync: Program) -> None:
    story = SCOPE + "steps:\n  - identify: {email: a}\n    expect: {}\n  - search: {email: b}\n"
    assert check(idsync, story)[0] == 0


def test_one_failure_makes_the_status_one_and_the_others_are_run(idsync: Program) -> None:
    wrong = HOLDS.replace("status: matched", "status: created")
    status, stdout, _ = check(idsync, "---\n".join([HOLDS, wrong, HOLDS]))
    assert status == 1
    assert [line.split()[0] for line in stdout.splitlines() if "(story.yaml:" in line] == [
        "ok",
        "FAILED",
        "ok",
    ]
    assert stdout.endswith("2 passed, 1 failed\n")


def test_every_scenario_has_a_store_of_its_own(idsync: Program) -> None:
    idsync("identify", "--email", "a@example.com")
    story = SCOPE + (
        "steps:\n  - search: {email: a@example.com}\n    expect: {status: not_found}\n"
        "  - identify: {email: a@example.com}\n    expect: {status: created}\n"
    )
    status, stdout, _ = check(idsync, "---\n".join([story, story]))
    assert status == 0, stdout


# Scenarios that cannot be read

STEP = "steps:\n  - identify: {email: a}\n"


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ("", "", ["no scenario"]),
        ("a\n", "1:1", ["must be a mapping"]),
        ("steps: [\n", "2:1", ["broken YAML"]),
        (b"name: \xff\n", "1", ["UTF-8"]),
        (SCOPE, "1:1", ["no steps"]),
        (SCOPE + "steps: []\n", "1:1", ["no steps"]),
        (STEP, "1:1", ["no rules"]),
        (SCOPE + STEP + "name: a\nname: b\n", "8:1", ["'name'", "twice"]),
        (SCOPE + STEP + "stesp: []\n", "7:1", ["'stesp'", "'steps'"]),
        (SCOPE + "config: idsync.yaml\n" + STEP, "2:3", ["config and scope"]),
        ("config: none.yaml\n" + STEP, "1:9", ["none.yaml"]),
        ("config: broken.yaml\n" + STEP, "1:9", ["broken.yaml:4:15", "best_mach"]),
        ("scope: {strategy: best_mach, priority: [email]}\n" + STEP, "1:19", ["'best_match'"]),
        (SCOPE + "given: [{emial: a}]\n" + STEP, "5:10", ["'emial'", "'email'"]),
        (SCOPE + "given: [{mpid: 0, email: a}]\n" + STEP, "5:16", ["'0'", "MPID"]),
        (SCOPE + 'given: [{email: ""}]\n' + STEP, "5:17", ["empty"]),
        (SCOPE + "given: [{email: [a, {}]}]\n" + STEP, "5:21", ["email"]),
        ("config: two.yaml\ngiven: [{email: a}]\n" + STEP, "2:9", ["scope"]),
        ("config: two.yaml\ngiven: [{scope: courier}]\n" + STEP, "2:17", ["'couriers'"]),
        (SCOPE + "steps: [{identfy: {email: a}}]\n", "5:10", ["'identfy'", "'identify'"]),
        (SCOPE + "steps: [{identify: {}, search: {}}]\n", "5:9", ["one request"]),
        (SCOPE + "steps: [{login: {email: a, as: b}}]\n", "5:28", ["as is inside", "beside login"]),
        (SCOPE + "steps: [{track: {email: a, expect: {}}}]\n", "5:28", ["expect", "beside track"]),
        (SCOPE + "steps: [{batch: {mpid: 1, as: b}}]\n", "5:27", ["as is inside", "beside batch"]),
        (
            SCOPE + "steps: [{search: {email: a, previous_mpid: 1}, expect: {status: error}}]\n",
            "5:29",
            ["previous_mpid is inside", "beside search"],
        ),
        (SCOPE + "steps: [{as: a}]\n", "5:9", ["one request"]),
        (SCOPE + STEP + "    expect: {sttus: x}\n", "7:14", ["'sttus'", "'status'"]),
        (SCOPE + STEP + "    expect: {status: creatd}\n", "7:22", ["'creatd'", "'created'"]),
        (SCOPE + STEP + "    expect: {decided_by: emial}\n", "7:26", ["'emial'", "'email'"]),
        (SCOPE + STEP + "    expect: {notes: [ties]}\n", "7:22", ["'ties'", "'tie'"]),
        (SCOPE + STEP + "    expect: {notes: tie}\n", "7:21", ["list"]),
        (SCOPE + STEP + "    expect: {error: NO_IDENTITY}\n", "7:21", ["'NO_IDENTITY'", "'NO_ID"]),
        (SCOPE + STEP + "    expect: {mpid: one}\n", "7:20", ["'one'", "MPID"]),
        (SCOPE + STEP + "    expect: {is_logged_in: yes}\n", "7:28", ["'yes'", "true"]),
        (SCOPE + STEP + "    expect: {matched: [emial]}\n", "7:24", ["'emial'", "'email'"]),
        (SCOPE + STEP + "    expect: {changes: [{op: add}]}\n", "7:24", ["has no mpid"]),
        (SCOPE + STEP + "    expect: {tiers: {emial: decided}}\n", "7:22", ["'emial'", "'email'"]),
        (SCOPE + STEP + "    expect: {tiers: {email: decded}}\n", "7:29", ["'decided'"]),
        (SCOPE + STEP + "profiles: {one: {}}\n", "7:12", ["'one'", "@name"]),
        (SCOPE + STEP + "profiles: {1: {emial: a}}\n", "7:16", ["'emial'", "'email'"]),
        (SCOPE + STEP + "name: &n a\n", "7:7", ["anchor"]),
        (SCOPE + STEP + "name: *n\n", "7:7", ["alias"]),
        (SCOPE + STEP + "name: !!str a\n", "7:7", ["tag"]),
        (
            SCOPE + "given:\n  - {mpid: 1, customer_id: A}\n  - {mpid: 2, customer_id: A}\n" + STEP,
            "7",
            ["given profile"],
        ),
    ],
)
def test_a_scenario_that_cannot_be_read_is_told_with_its_place_and_status_two(
    idsync: Program, text: str | bytes, place: str, words: list[str]
) -> None:
    idsync.write("two.yaml", TWO_SCOPES)
    idsync.write("broken.yaml", TWO_SCOPES.replace("profile_conversion", "best_mach"))
    status, stdout, stderr = check(idsync, text)
    assert status == 2
    assert "0 passed, 0 failed" in stdout or stdout == ""
    assert f"story.yaml:{place}" in stderr
    for word in words:
        assert word in stderr


def test_all_faults_of_a_scenario_file_are_told_at_once(idsync: Program) -> None:
    one = SCOPE + "stesp: []\n" + STEP + "    expect: {sttus: x}\n  - identfy: {email: a}\n"
    _, _, stderr = check(idsync, one + "---\n" + one)
    told = [line for line in stderr.splitlines() if line.startswith("story.yaml")]
    places = [line.split(": ")[0] for line in told]
    assert stderr.count(" | ^") + stderr.count("  ^") == len(told)  # each at its place
    assert list(dict.fromkeys(places)) == [
        f"story.yaml:{place}" for place in ("5:1", "8:14", "9:5", "15:1", "18:14", "19:5")
    ]


def test_a_file_that_cannot_be_read_does_not_keep_the_others_from_being_run(
    idsync: Program,
) -> None:
    idsync.write("a.yaml", "steps: [\n")
    idsync.write("b.yaml", HOLDS.replace("mpid: 1\n", "mpid: 2\n"))
    idsync.write("c.yaml", HOLDS)
    outcome = idsync("check", "a.yaml", "b.yaml", "none.yaml", "c.yaml")
    assert outcome.status == 2
    assert "1 passed, 1 failed, 2 unreadable" in outcome.stdout
    assert "a.yaml:2:1: " in outcome.stderr
    assert "none.yaml: no such file or folder" in outcome.stderr


def test_a_path_that_is_not_there_and_a_folder_without_scenarios_are_refused(
    idsync: Program,
) -> None:
    assert idsync("check", "none.yaml").status == 2
    assert "none.yaml" in idsync("check", "none.yaml").stderr
    assert idsync("check", ".").status == 2
    assert "no scenario" in idsync("check", ".").stderr


def test_a_name_that_is_too_long_is_no_fault_of_idsync(idsync: Program) -> None:
    outcome = idsync("check", "x" * 300)
    assert (outcome.status, "fault of idsync" in outcome.stderr) == (2, False)


def test_a_number_of_names_that_are_expected_of_nobody_fails(idsync: Program) -> None:
    story = SCOPE + STEP + '    expect: {mpid: "@nobody"}\nprofiles: {"@nobody": {email: a}}\n'
    status, stdout, _ = check(idsync, story)
    assert status == 1
    assert 'expected "@nobody"' in stdout
    assert "profile @nobody" in stdout


def test_a_misspelt_kind_of_request_is_told_once(idsync: Program) -> None:
    steps = "steps:\n- idntify: {email: x}\n- as: a\n- {identify: {email: x}, login: {email: x}}\n"
    idsync.write("bad.yaml", f"name: x\nscope: {{strategy: default}}\n{steps}")
    told = [line for line in idsync("check", "bad.yaml").stderr.splitlines() if "bad.yaml" in line]
    assert told == [
        "bad.yaml:4:3: unknown key 'idntify' in a step; did you mean 'identify'?",
        *(
            f"bad.yaml:{line}:3: a step is one request, under one of identify, login, logout, "
            "search, modify, batch, alias, erase, track"
            for line in (5, 6)
        ),
    ]
