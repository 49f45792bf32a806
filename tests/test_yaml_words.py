"""What is wrong with a text that is not YAML: in our words and at the place, by both parsers."""

from pathlib import Path

import pytest
import yaml

from idsync_cli.file_faults import Fault, FileFault
from idsync_cli.files import yaml_parser
from idsync_cli.files.yaml_tree import Faults, SourcePosition

LOADERS = [yaml.SafeLoader, *([yaml.CSafeLoader] if hasattr(yaml, "CSafeLoader") else [])]
TEXTS = [
    ("a: 1\n  b: 2\n", "2:4: broken YAML: a second ': '; indent the line like", ":"),
    ("a: b: c\n", "1:5: broken YAML: a second ': '", ":"),
    (
        "a: @first b\n",
        "1:4: broken YAML: a value cannot begin with @; put it between quotes",
        "@first b",
    ),
    ("a: 'its\n", "1:4: broken YAML: a quotation mark is not closed", "'"),
    ('a: "b\\q c"\n', "broken YAML: there is no such escape; write a backslash as \\\\", None),
    ("a: [b, c\n", "1:4: broken YAML: a list is not closed with ']', or a ',' is missing", "["),
    ("a: [b, c\nd: e", "broken YAML: a list is not closed with ']', or a ',' is missing", None),
    ("a: {b: c\n", "1:4: broken YAML: a mapping is not closed with '}', or a ',' is missing", "{"),
    ("a:\n  b: 1\n c: 2\n", "3:2: broken YAML: this line is not indented like those above it", "c"),
    ("a:\n\tb: 1\n", "2:1: broken YAML: a line is indented with spaces, not tabs", None),
    ("a:\n  b\nc d\ne: 1\n", "broken YAML: a key without ':' behind it", None),
]


@pytest.mark.parametrize("loader", LOADERS)
@pytest.mark.parametrize(("text", "told", "under"), TEXTS)
def test_what_is_no_yaml_is_told_in_words(
    monkeypatch: pytest.MonkeyPatch, loader: type, text: str, told: str, under: str | None
) -> None:
    monkeypatch.setattr(yaml_parser, "_LOADER", loader)
    with pytest.raises(FileFault) as raised:
        yaml_parser.parse_documents(text, Faults(Path("x.yaml")))
    [fault] = raised.value.found
    assert isinstance(fault, Fault)
    assert told in str(fault)
    if under is not None:
        excerpt = fault.excerpt
        assert excerpt is not None
        assert excerpt.column is not None
        begin = excerpt.column - 1
        assert excerpt.text[begin : begin + excerpt.length] == under


@pytest.mark.parametrize(
    ("line", "under"),
    [
        ("scopes: {main: {strategy: no such one, priority: [email]}}", "no such one"),
        ("scopes: {main: {strategy: 12:30, priority: [email]}}", "12:30"),
        ("scopes: {main: {strategy: 'it''s', priority: [email]}}", "'it''s'"),
        ('scopes: {main: {strategy: "a \\" b", priority: [email]}}', '"a \\" b"'),
        ("version: two words # and a comment", "two words"),
        ("version: two\twords", "two"),
        ("a key: 1", "a key"),
    ],
)
def test_a_caret_is_under_all_of_a_plain_word(line: str, under: str) -> None:
    column = line.index(under) + 1
    faults = Faults(Path("x.yaml"))
    faults.show_lines_of(line)
    faults.add(SourcePosition(1, column), "wrong")
    with pytest.raises(FileFault) as raised:
        faults.raise_any()
    [fault] = raised.value.found
    assert isinstance(fault, Fault)
    assert fault.excerpt is not None
    assert fault.excerpt.length == len(under)
