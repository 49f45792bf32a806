"""A value that is wrong is shown as it stands in the file: digits, lists and all (issue 15)."""

import json
from contextlib import suppress
from pathlib import Path

import pytest

from idsync_cli import wire
from idsync_cli.core.decision import Refusal
from tests.program import (  # noqa: F401 - the fixture
    CONFIG,
    Program,
    program_in_a_fresh_folder,
)

NUMBERS = (
    *("0", "-1", "12", "9223372036854775808", "108204268033311374519", "-123456789012345678901"),
    *("1e3", "1E+3", "1.50", "-0.0", "0.10", "1e-7", "12345678901234567890.5", "7" * 80),
)
LISTS = ('["1234"]', '["a","b"]', '[ "a" , 1e3 ]', "[]", '[["a"]]', '["\\u00e9"]', '["é"]')
OBJECTS = ("{}", '{"id":"1234"}', '{ "id" : 1e3 }', '{"a": ["b"]}')
SHOWN = (*NUMBERS, *LISTS, *OBJECTS, "true", "false")


@pytest.fixture(name="wide")
def program_of_many_columns(idsync: Program) -> Program:
    return Program(idsync.folder, columns=1000)


def messages(idsync: Program, line: str) -> list[str]:
    """What is said of a line in its answer and in the summary."""
    idsync.write("a.jsonl", line + "\n")
    answers = idsync("replay", "a.jsonl", "--dry-run", "--output", "-").lines()
    summary = idsync("replay", "a.jsonl", "--dry-run").stdout
    return [answers[0]["errors"][0]["message"], summary]


@pytest.mark.parametrize("value", SHOWN)
def test_a_value_of_a_request_is_shown_as_it_stands(wide: Program, value: str) -> None:
    asked = f'{{"type": "identify", "known_identities": {{"email": {value}}}}}'
    for told in messages(wide, asked):
        assert f"the value '{value}' of email " in told


@pytest.mark.parametrize("value", SHOWN)
@pytest.mark.parametrize("member", ["old_value", "new_value"])
def test_a_value_of_a_change_is_shown_as_it_stands(wide: Program, member: str, value: str) -> None:
    change = f'{{"identity_type": "email", "{member}": {value}}}'
    asked = f'{{"type": "modify", "mpid": "1", "identity_changes": [{change}]}}'
    for told in messages(wide, asked):
        assert f"the value '{value}' of email " in told


@pytest.mark.parametrize("value", [*NUMBERS[3:], *LISTS, *OBJECTS, "true"])
def test_a_member_is_shown_as_it_stands(wide: Program, value: str) -> None:
    identities = '"known_identities": {"email": "x@example.com"}'
    for member in ("mpid", "label", "request_timestamp_ms", "scope", "response"):
        kind = "modify" if member == "mpid" else "identify"
        asked = f'{{"type": "{kind}", "{member}": {value}, {identities}}}'
        if member == "response" and value.startswith("{"):
            asked = f'{{"type": "{kind}", "{member}": {{"mpid": {value}}}, {identities}}}'
        for told in messages(wide, asked):
            assert f" is '{value}', but must be " in told


@pytest.mark.parametrize(
    ("value", "advice"),
    [
        ("12", "put it between quotes"),
        ("108204268033311374519", "put it between quotes"),
        ("1e3", "with all its digits, between quotes"),
        ('["1234"]', "give one value"),
        ('{"id": "1234"}', "give its value"),
    ],
)
def test_the_advice_fits_the_value(wide: Program, value: str, advice: str) -> None:
    for told in messages(wide, f'{{"type": "identify", "known_identities": {{"email": {value}}}}}'):
        assert advice in told


def test_a_long_value_is_cut_where_every_value_is(wide: Program) -> None:
    for value in ("9" * 5000, json.dumps(["a"] * 5000), json.dumps(["a"] * 50_000)):
        for told in messages(
            wide, f'{{"type": "identify", "known_identities": {{"email": {value}}}}}'
        ):
            assert f"the value '{value[:80]}…' of email" in told


def test_what_is_nested_too_deeply_to_be_read_again_is_refused_all_the_same(wide: Program) -> None:
    for depth in (300, 900):
        value = "[" * depth + "]" * depth
        asked = f'{{"type": "identify", "known_identities": {{"email": {value}}}}}'
        for told in messages(wide, asked):
            assert "of email is a list, not text" in told or "nested too deeply" in told


@pytest.mark.parametrize("value", [*NUMBERS[3:], "true", '{"id":"1"}', '[ "a" ]'])
def test_a_value_of_a_profile_is_shown_as_it_stands(wide: Program, value: str) -> None:
    for identities, told in (
        (f'{{"email": [{value}]}}', f"the value '{value}' of email "),
        (f'{{"email": {value}}}', f"email is '{value}', but must be a list of values"),
    ):
        if value.startswith("[") and "must be" in told:
            continue
        wide.write("p.jsonl", f'{{"mpid": "1", "identities": {identities}}}\n')
        assert told in wide("import", "p.jsonl").stderr
    wide.write("p.jsonl", f'{{"mpid": {value}, "identities": {{}}}}\n')
    assert f"mpid is '{value}', but must be an MPID" in wide("import", "p.jsonl").stderr


@pytest.mark.parametrize("value", [*NUMBERS[2:], "true", '{"id":"1"}', '[ "a" ]'])
def test_a_value_in_a_cell_is_shown_as_it_stands(wide: Program, value: str) -> None:
    cell = f"[{value}]".replace('"', '""')
    wide.write("p.csv", f'mpid,email\n1,"{cell}"\n')
    assert f"the value '{value}' of email " in wide("import", "p.csv").stderr
    wide.write("p.csv", f'mpid,created_seq,email\n1,"{value.replace(chr(34), chr(34) * 2)}",x\n')
    told = wide("import", "p.csv").stderr
    assert not told or f"created_seq is '{value}', but must be" in told


def test_what_is_read_again_is_the_same() -> None:
    found = 0
    day = (Path(__file__).parent.parent / "fixtures" / "requests.jsonl").read_bytes()
    for line in day.split(b"\n"):
        with suppress(Refusal):
            value = wire.decode(line)
            found += 1
            assert json.dumps(wire.read_again(line)) == json.dumps(value)
    assert found > 400


def test_what_is_wrong_with_a_line_is_the_same_however_it_is_read(wide: Program) -> None:
    """Nothing that a line is refused for is found only the second time, or no more."""
    wide.write("idsync.yaml", CONFIG)
    lines = [
        b'{"type": "identify", "known_identities": {"email": 1, "email": 2}}',
        b'{"type": "identify", "known_identities": {"email": NaN}}',
        b'{"type": "identify", "context": [1e999], "known_identities": {"email": 1}}',
        b"[1]",
    ]
    for line in lines:
        answer = wide("replay", "-", "--dry-run", "--output", "-", stdin=line + b"\n{}\n").lines()[
            0
        ]
        code = "INVALID_REQUEST" if line == b"[1]" else "INVALID_JSON"
        assert answer["errors"][0]["code"] == code
