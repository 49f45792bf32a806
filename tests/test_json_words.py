"""What is wrong with a line that is not JSON, in our words, with every Python."""

import pytest

from idsync_cli.core.decision import Refusal
from idsync_cli.wire.decoding import decode
from tests.program import Program, program_in_a_fresh_folder  # noqa: F401 - the fixture


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ('{"a": }', "7: a value is missing"),
        ("{a: 1}", "2: a key between double quotes is missing"),
        ('{"a" 1}', "6: a ':' is missing"),
        ('{"a": 1 "b": 2}', "9: a ',' is missing"),
        ('{"a": 1} {}', "10: something follows the value"),
        ('{"a": "b}', "7: the text that begins here has no closing quote"),
        ('{"a": "b\tc"}', "9: a control character in a text must be an escape, such as \\t"),
        ('{"a": "\\x"}', "8: there is no such escape"),
        ('{"a": "\\u12"}', ": \\u needs four hexadecimal digits"),
    ],
)
def test_what_is_no_json_is_told_in_words(line: str, told: str) -> None:
    with pytest.raises(Refusal) as raised:
        decode(line.encode())
    assert f"{told}; write one JSON object per line" in raised.value.message


@pytest.mark.parametrize("line", ['{"a": 1,}', "[1,]"])
def test_a_comma_too_many_is_told_at_its_place(line: str) -> None:
    with pytest.raises(Refusal) as raised:
        decode(line.encode())
    words = ("a key between double quotes is missing", "nothing follows the ','")
    assert any(each in raised.value.message for each in (*words, "a value is missing"))


def test_the_way_out_fits_where_the_json_stands(idsync: Program) -> None:
    idsync.write("idsync.yaml", "scopes: {main: {strategy: best_match, priority: [email]}}\n")
    idsync.write("p.csv", "mpid,email\n1,[a\n")
    idsync.write("request.json", "{")
    for command, way_out in (
        (("track", "--email", "a", "--event", "x", "--data", "{"), "write one JSON object\n"),
        (("import", "p.csv"), 'write a list such as ["a", "b"]\n'),
        (("erase", "--dsr", "request.json"), "write one JSON object\n"),
    ):
        outcome = idsync(*command)
        assert outcome.status == 2
        assert way_out in outcome.stderr
        assert "per line" not in outcome.stderr
