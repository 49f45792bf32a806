"""Whatever is wrong with a line of a file is shown in that line, with a caret under the word."""

import json
import re

import pytest

from idsync_cli import wire
from tests.program import (  # noqa: F401 - the fixture
    Program,
    program_in_a_fresh_folder,
)

DEVICE = '"known_identities": {"idfv": "1"}'
CHANGES = [{"identity_type": "das"}, {"identity_type": "das", "new_value": 7}]

REQUESTS = [
    ('{"type": "login", "known_identities": {"email": 5}}', "5"),
    ('{"type": "login", "known_identities": {"idfv": "email", "email": ["email"]}}', '["email"]'),
    ('{"type": "login", "known_identities": {"customerid": "a\\u0000b"}}', '"a\\u0000b"'),
    (
        '{"type": "login", "known_identities": {"email": "", "idfv": null}}',
        '{"email": "", "idfv": null}',
    ),
    ('{"type": "login", "label": "emial", "known_identities": {"emial": "x"}}', '"emial"'),
    ('{"label": "nope", "scope": "nope", "type": "login", ' + DEVICE + "}", '"nope"'),
    ('{"scope": 5, "type": "login", ' + DEVICE + "}", "5"),
    ('{"type": "login", "previous_mpid": "@you", ' + DEVICE + "}", '"@you"'),
    ('{"type": "logni", ' + DEVICE + "}", '"logni"'),
    ("{" + DEVICE + "}", "{" + DEVICE + "}"),
    ('{"type": "modify", ' + DEVICE + "}", '"modify"'),
    ('{"type": "modify", "mpid": "5", ' + DEVICE + "}", '"5"'),
    (json.dumps({"type": "modify", "mpid": 7, "identity_changes": CHANGES}), "7"),
    ('{"type": "login", "request_timestamp_ms": 1.5, ' + DEVICE + "}", "1.5"),
    ('{"type": "login", "response": {"mpid": "x"}, ' + DEVICE + "}", '"x"'),
    ('{"type": "login", ' + DEVICE, None),
]


def under_the_carets(shown: str) -> list[str]:
    """What carets stand under, in the order in which they come."""
    return [
        line[carets.index("^") : len(carets)]
        for line, carets in re.findall(r"^( *\d+ \| .*)\n( +\| +\^+)$", shown, re.MULTILINE)
    ]


@pytest.mark.parametrize(("line", "word"), REQUESTS)
def test_what_is_wrong_with_a_request_has_a_caret(
    idsync: Program, line: str, word: str | None
) -> None:
    wide = Program(idsync.folder, 200)
    shown = wide("replay", "-", "--dry-run", stdin=line.encode() + b"\n").stdout
    assert under_the_carets(shown) == ([word] if word else [""])
    carets = [
        each for each in shown.splitlines() if set(each.strip()) <= set("|^ ") and "^" in each
    ]
    [under] = carets
    at = under.index("^") - len("   1 | ")
    if line.startswith('{"label"'):
        assert at == line.rindex('"nope"')
    if "identity_changes" in line:
        assert at == len(line) - len("7}]}")
    if "emial" in line:
        assert at == line.rindex('"emial"')


def test_a_refusal_of_the_rules_has_a_caret(idsync: Program) -> None:
    idsync.write(
        "idsync.yaml",
        "scopes: {s: {strategy: profile_conversion, priority: [customer_id, idfv], identities: "
        "{customer_id: {login: true, unique: true, immutable: true}}}}\n",
    )
    lines = [
        {"type": "login", "label": "a", "known_identities": {"customer_id": "A", "idfv": "1"}},
        {"type": "modify", "mpid": "@a", "known_identities": {"customerid": None}},
        {"type": "modify", "mpid": "@a", "known_identities": {"idfv": "A", "customer_id": "B"}},
        {
            "type": "modify",
            "mpid": "@a",
            "identity_changes": [{"identity_type": "idfv", "old_value": "B", "new_value": "B"}],
        },
        {"type": "identify", "known_identities": {"email": "x"}},
    ]
    data = "".join(json.dumps(each) + "\n" for each in lines).encode()
    shown = Program(idsync.folder, 200)("replay", "-", "--dry-run", stdin=data).stdout
    assert under_the_carets(shown) == ["null", '"B"', '"B"', '{"email": "x"}']


def test_of_a_long_line_what_is_around_the_caret_is_shown(idsync: Program) -> None:
    line = json.dumps({"context": "x" * 3000, "type": "nope", "label": "y" * 3000})
    for width in (60, 80, 100, 140):
        shown = Program(idsync.folder, width)(
            "replay", "-", "--dry-run", stdin=line.encode()
        ).stdout
        assert under_the_carets(shown) == ['"nope"']
        assert max(map(len, shown.splitlines())) <= width


@pytest.mark.parametrize("line", ["", "{", "[", '{"a"', '{"a":', '{"a": [1', "\x00", '{"a" 1}'])
def test_where_the_value_cannot_be_found_the_line_has_no_caret(line: str) -> None:
    for path in (("a", 1), ("b",), (1,), ()):
        assert wire.excerpt_of(1, line.encode(), path).column is None


def test_a_line_may_be_nested_too_deeply_to_look_into() -> None:
    deep = b"[" * 200_000 + b"]" * 200_000
    assert wire.excerpt_of(1, b'{"a": ' + deep + b', "b": 1}', ("b",)).column is None


# Profiles

PROFILES = [
    ('{"mpid": "05", "identities": {}}', '"05"'),
    ('{"mpid": "5", "identities": {"email": "5"}}', '"5"'),
    ('{"mpid": "5", "identities": {"email": ["a", 5]}}', "5"),
    ('{"mpid": "5", "identities": {"email": ["a", "b", "a"]}}', '"a"'),
    ('{"mpid": "5", "identities": {"emial": ["a"]}}', '"emial"'),
    ('{"mpid": "5", "identities": {"customerid": ["held"]}}', '"held"'),
    ('{"mpid": "9", "identities": {"email": ["a"]}}', '"9"'),
    ('{"mpid": "5", "created_seq": 1, "identities": {"email": ["a"]}}', "1"),
    ('{"mpid": "5"}', '{"mpid": "5"}'),
    ('{"mpid": "5", "scope": "nope", "identities": {}}', '"nope"'),
    ('{"mpid": "5", "identities": {}', ""),
]
HELD = '{"mpid": "9", "created_seq": 1, "identities": {"customer_id": ["held"]}}\n'


@pytest.mark.parametrize(("line", "word"), PROFILES)
def test_what_is_wrong_with_a_profile_has_a_caret(idsync: Program, line: str, word: str) -> None:
    outcome = idsync("import", "-", stdin=f"{HELD}{line}\n".encode())
    assert outcome.status == 2
    assert under_the_carets(outcome.stderr) == [word]
    assert "   2 | " in outcome.stderr


TABLES = [
    ("mpid,email\n05,a\n", 2, "05"),
    ('mpid,email\n"05",a\n', 2, '"05"'),
    ('email,mpid\n"a,""b",x\n', 2, "x"),
    ('email,mpid\n"a\nb",x\n', 3, "x"),
    ('email,mpid\n"[""a"",5]",5\n', 2, '"[""a"",5]"'),
    ("mpid,email\n5,[nope\n", 2, "[nope"),
    ("mpid,emial\n5,a\n", 1, "emial"),
    ("mpid,email,email\n5,a,a\n", 1, "email"),
    ("email\na\n", 1, ""),
    ("mpid,email\n5\n", 2, ""),
    ("mpid,email\n5,a,b\n", 2, "b"),
    ('mpid,email\n5,"a\n6,b\n', 2, '"'),
    ('mpid,email\n5,"a"b\n', 2, '"'),
    ("mpid,scope\n5,nope\n", 2, "nope"),
    ("mpid,customerid\n5,a\n6,a\n", 3, "a"),
    ("mpid,known\n5,perhaps\n", 2, "perhaps"),
    ("", 1, ""),
]


@pytest.mark.parametrize(("table", "line", "word"), TABLES)
def test_what_is_wrong_with_a_table_has_a_caret(
    idsync: Program, table: str, line: int, word: str
) -> None:
    outcome = idsync("import", "-", "--format", "csv", stdin=table.encode())
    assert outcome.status == 2
    assert under_the_carets(outcome.stderr) == [word], outcome.stderr
    assert f"{line:>4} | " in outcome.stderr


def test_a_byte_that_is_not_utf_8_has_a_caret(idsync: Program) -> None:
    requests = '{"type": "é'.encode() + b'\xff"}\n'
    assert "     |            ^\n" in idsync("replay", "-", stdin=requests).stdout
    idsync.write("p.csv", b"mpid,email\n5,\xc3\xa9\xff\n")
    assert "     |    ^\n" in idsync("import", "p.csv").stderr
    idsync.write("bad.yaml", b"version: 1\nscopes: \xff\n")
    assert "     |         ^\n" in idsync("config", "show", "--config", "bad.yaml").stderr


# Configurations and scenarios


def test_a_warning_is_shown_at_its_place(idsync: Program) -> None:
    idsync.write(
        "idsync.yaml",
        "scopes:\n  s:\n    strategy: profile_conversion\n    priority: [idfv, customer_id]\n"
        "    identities:\n      customer_id: {login: true}\n",
    )
    shown = Program(idsync.folder, 120)("config", "lint").stdout
    found = under_the_carets(shown)
    assert len(found) == shown.count("idsync.yaml:") > 1
    assert set(found) == {"customer_id"}


def test_a_given_profile_that_breaks_a_rule_is_shown_at_its_place(idsync: Program) -> None:
    idsync.write(
        "story.yaml",
        "config: idsync.yaml\ngiven:\n  - customer_id: a\n  - {email: [x, y], customerid: [a]}\n"
        "steps: [{search: {email: x}}]\n",
    )
    outcome = idsync("check", "story.yaml")
    assert outcome.status == 2
    assert "story.yaml:4:34: the given profile breaks a rule: " in outcome.stderr
    assert under_the_carets(outcome.stderr) == ["a"]


def test_a_fault_of_the_configuration_of_a_scenario_is_shown_there(idsync: Program) -> None:
    idsync.write("bad.yaml", "scopes:\n  s: {strategy: nope, priority: [email]}\n")
    idsync.write("story.yaml", "config: bad.yaml\nsteps: [{search: {email: x}}]\n")
    shown = idsync("check", "story.yaml").stderr
    assert "the configuration: bad.yaml:2:17: unknown strategy" in shown
    assert under_the_carets(shown) == ["nope"]
