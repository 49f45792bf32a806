"""The documentation keeps up with the program: what it shows is run, what it names is there."""

import json
import re
import runpy
import shlex
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.core import TyperGroup

from idsync_cli.cli.app import app
from idsync_cli.core import codes
from idsync_cli.core.config.lint import LintCode
from idsync_cli.core.identity import DEVICE_TYPES, IdentityType, names_of
from idsync_cli.errors import FaultCode
from idsync_cli.files.scenario_file import read_scenarios
from idsync_cli.foresight.linting.findings import LintFinding
from tests.console_blocks import (
    ROOT,
    Block,
    Folder,
    agree,
    blocks,
    commands,
    differences,
    rewritten,
)

DOCS = ROOT / "docs"
OF_ALL = [ROOT / f"{name}.md" for name in ("README", "CONTRIBUTING", "SECURITY")]
DOCUMENTS = [*OF_ALL, *sorted(DOCS.glob("*.md"))]
SCENARIOS = ROOT / "fixtures" / "scenarios"


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@cache
def text_of(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def headings(path: Path) -> list[str]:
    prose = without_blocks(text_of(path))
    return [line.lstrip("#").strip() for line in prose.split("\n") if re.match("#{1,6} ", line)]


def without_blocks(text: str) -> str:
    """The document with empty lines in the place of its fenced blocks."""
    lines = text.split("\n")
    for block in blocks(text):
        for place in range(block.line - 2, block.line + len(block.lines)):
            lines[place] = ""
    return "\n".join(lines)


# ---- What is generated


def assert_up_to_date(script: str, environment: dict[str, str] | None = None) -> None:
    ended = subprocess.run(
        [sys.executable, DOCS / script, "--check"],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        env=environment,
    )
    assert ended.returncode == 0, ended.stderr


@pytest.mark.parametrize("columns", ["40", "80", "200"])
def test_the_command_reference_is_up_to_date_whatever_the_terminal(columns: str) -> None:
    assert_up_to_date(
        "make_commands.py", {"COLUMNS": columns, "IDSYNC_CONFIG": "x", "TERM": "xterm"}
    )


def test_the_command_reference_shows_what_the_program_prints(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    shown = {block.lines[0]: block.lines for block in blocks(text_of(DOCS / "commands.md"))}
    for command in ("", "init", "modify", "config show"):
        printed = folder.run(f"idsync {command} --help")
        assert shown[printed[0]] == printed


def test_the_table_of_the_seeds_is_up_to_date() -> None:
    assert_up_to_date("make_seeds_table.py")


def test_the_picture_of_an_explained_answer_is_up_to_date() -> None:
    assert_up_to_date("make_picture.py", {"COLUMNS": "60", "NO_COLOR": "1", "IDSYNC_STORE": "x"})


def test_the_picture_of_a_graph_has_the_parts_of_the_page(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where they stand needs a browser: tests/clients/test_graph_layout.py."""
    monkeypatch.syspath_prepend(DOCS)
    make = runpy.run_path(str(DOCS / "make_graph.py"), run_name="make_graph")
    page = make["page"]()
    written, kept = make["picture_of"](page, page), text_of(DOCS / "graph.svg")
    assert sorted(re.findall("<text .*?>(.*?)</text>", kept)) == sorted(
        re.findall("<text .*?>(.*?)</text>", written)
    )
    assert kept.count("<path ") == written.count("<path ")
    assert kept.partition("</style>")[0].partition("<style>")[2] in written


# ---- Codes and words


ALL_CODES = [
    *(codes.Status, codes.Rule, codes.Reason, codes.TierOutcome, codes.NoteCode, codes.ErrorCode),
    *(LintCode, LintFinding, FaultCode),
    *(codes.Calculation, codes.Operator),
]
ENDS = {"INTERRUPTED", "TERMINATED", "OUTPUT_CLOSED", "BUG"}
"""What else ends a replay: codes of `ended_by`."""


@pytest.mark.parametrize("code", [code for enum in ALL_CODES for code in enum])
def test_a_code_has_its_heading_in_the_rule_book(code: str) -> None:
    assert f"`{code}`" in headings(DOCS / "rules.md")


def test_the_rule_book_has_no_heading_for_a_word_that_is_gone() -> None:
    known = {str(code) for enum in ALL_CODES for code in enum} | words_of_the_schemas() | ENDS
    named = [word for line in headings(DOCS / "rules.md") for word in re.findall("`([^`]+)`", line)]
    assert [word for word in named if word not in known] == []


def test_the_names_of_identifier_types_are_documented() -> None:
    rows = [
        tuple(re.findall("`([^`]+)`", line))
        for line in text_of(DOCS / "formats.md").split("\n")
        if line.startswith("| `")
    ]
    tables = [names_of(kind) for kind in IdentityType]
    assert [row for row in rows if row in tables] == tables
    of_devices = text_of(DOCS / "formats.md").partition("| device identities |")[2]
    of_devices = of_devices.partition("\n\n")[0]
    for kind in IdentityType:
        assert (f"| `{kind}` |" in of_devices) == (kind in DEVICE_TYPES)


@pytest.mark.parametrize("name", ["request", "answer", "profile", "scenario", "configuration"])
def test_every_member_of_a_format_is_documented(name: str) -> None:
    named = set(re.findall(r"`([^`]+)`", without_blocks(text_of(DOCS / "formats.md"))))
    words = {word for each in named for word in re.findall(r"\w+", each)}
    assert properties_of(schema(name)) - words == set()


def test_the_exit_statuses_are_documented() -> None:
    section = text_of(DOCS / "formats.md").partition("## Exit status")[2]
    for status in (0, 1, 2, 3, 70, 130):
        assert f"\n| {status} |" in section


def schema(name: str) -> Any:
    return json.loads(text_of(DOCS / "schema" / f"{name}.schema.json"))


def properties_of(place: Any) -> set[str]:
    """The names of all members that a schema speaks of."""
    found: set[str] = set()
    if isinstance(place, dict):
        if isinstance(place.get("properties"), dict):
            found.update(place["properties"])
        place = list(place.values())
    if isinstance(place, list):
        found.update(*map(properties_of, place))
    return found


def words_of_the_schemas() -> set[str]:
    """The members, and the words that may be their values."""
    words: set[str] = set()
    for path in (DOCS / "schema").glob("*.json"):
        whole = json.loads(text_of(path))
        words |= properties_of(whole)
        places = [whole]
        while places:
            place = places.pop()
            if isinstance(place, dict):
                values = [*place.get("enum", ()), place.get("const")]
                words.update(value for value in values if isinstance(value, str))
                places += place.values()
            elif isinstance(place, list):
                places += place
    return words


# ---- Links


LINK = re.compile(r"\[(?P<text>[^\]]*)\]\((?P<target>[^)\s]+)\)")


def links(path: Path) -> Iterator[tuple[str, str]]:
    for found in LINK.finditer(without_blocks(text_of(path))):
        yield found["text"], found["target"]


@cache
def anchors(path: Path) -> set[str]:
    """What a heading is reached by, as GitHub makes it."""
    kept = (re.sub(r"[^\w\- ]", "", heading.lower()) for heading in headings(path))
    return {each.replace(" ", "-") for each in kept}


@cache
def scenario_names(path: Path) -> list[str]:
    return [scenario.name for scenario in read_scenarios(path)]


@pytest.mark.parametrize("document", DOCUMENTS, ids=relative)
def test_what_a_document_links_to_is_there(document: Path) -> None:
    for text, target in links(document):
        if "://" in target:
            continue
        file, _, anchor = target.partition("#")
        path = (document.parent / file).resolve() if file else document
        assert path.exists(), target
        if anchor:
            assert anchor in anchors(path), target
        if path.parent == SCENARIOS and path.suffix == ".yaml" and not text.startswith("`"):
            assert text in scenario_names(path), target


@pytest.mark.parametrize("document", DOCUMENTS, ids=relative)
def test_a_scenario_file_that_a_document_names_is_there(document: Path) -> None:
    for name in re.findall(r"fixtures/scenarios/([\w./-]+\.yaml)", text_of(document)):
        assert (SCENARIOS / name).exists(), name


def test_every_code_of_an_answer_is_shown_by_a_scenario() -> None:
    """A heading of the rule book is followed by a link to a scenario before the next one."""
    sections = re.split(r"^### ", without_blocks(text_of(DOCS / "rules.md")), flags=re.MULTILINE)
    shown = {
        section.split("\n")[0].strip("`")
        for section in sections
        if re.search(r"\]\(\.\./fixtures/scenarios/[\w./-]+\.yaml\)", section)
    }
    not_of_answers = (LintCode, LintFinding, FaultCode)
    answered = [code for enum in ALL_CODES if enum not in not_of_answers for code in enum]
    cannot_be_shown = {codes.ErrorCode.INVALID_JSON}  # a scenario is no JSON
    assert [code for code in answered if code not in shown | cannot_be_shown] == []


# ---- Commands


@pytest.mark.parametrize("document", DOCUMENTS, ids=relative)
def test_console_blocks_are_true(document: Path) -> None:
    wrong = list(differences(relative(document), text_of(document)))
    if wrong:
        told = "\n\n".join(map(str, wrong))
        pytest.fail(f"{told}\n\nmake it true: tests/console_blocks.py --write", pytrace=False)


NOT_BUILT_YET = "\n## 9. "
"""Where the sections of docs/specification.md begin whose commands are still to come."""


def shown_commands(path: Path) -> Iterator[str]:
    """The idsync commands that a document shows, and that no test runs."""
    text = text_of(path)
    if path.name == "specification.md":
        text, _, _ = text.partition(NOT_BUILT_YET)
    for block in blocks(text):
        if block.language in ("sh", "bash", "shell"):
            for line in block.lines:
                yield from re.findall(r"(?:^|[|;&] *|\$ )(idsync\b.*)", line)
    yield from re.findall(r"`(idsync [^`]+)`", without_blocks(text))


@pytest.mark.parametrize("document", DOCUMENTS, ids=relative)
def test_a_command_that_a_document_shows_is_there(document: Path) -> None:
    for command in shown_commands(document):
        assert misfit(command) is None, command


def misfit(command: str) -> str | None:
    """The first word of a command that the program does not know; CAPITALS may stand for any."""
    here = typer.main.get_command(app)
    context = typer.Context(here, info_name="idsync")
    for word in shlex.split(command, comments=True)[1:]:
        if word in ("|", ">", ">>", "<", "&&", "||", ";"):
            return None
        if isinstance(here, TyperGroup) and not word.startswith("-"):
            found = here.get_command(context, word)
            if found is None:
                return None if word.isupper() else word
            here, context = found, typer.Context(found, parent=context, info_name=word)
        elif re.match(r"--?[a-zA-Z]", word):
            options = {name for each in here.get_params(context) for name in each.opts}
            if word.partition("=")[0] not in options:
                return word
    return None


@pytest.mark.parametrize(
    ("command", "wrong"),
    [
        ("idsync", None),
        ("idsync --help", None),
        ("idsync COMMAND --help", None),
        ("idsync identify --email a@example.com --idfv 9876 --explain", None),
        ("idsync modify --mpid -5412 --remove email | cat", None),
        ("idsync config show", None),
        ("idsync export > profiles.jsonl", None),
        ("idsync identfy --email a", "identfy"),
        ("idsync identify --emial a", "--emial"),
        ("idsync config draw", "draw"),
    ],
)
def test_a_command_that_is_not_there_is_found(command: str, wrong: str | None) -> None:
    assert misfit(command) == wrong


# ---- The runner of console blocks


DOCUMENT = """\
# A document

```yaml file=greeting.yaml
hello: world
```

```console
$ cat greeting.yaml
hello: world
$ cat <<'END'
> one
> two
> END
one
two
$ exit 3
$ echo "status $?"; echo columns $COLUMNS colour ${NO_COLOR-unset} store ${IDSYNC_STORE-unset}
status 3
columns 80 colour unset store unset
```

Between the blocks.

```console
$ ls
fixtures
greeting.yaml
sample_config.yaml
$ seq 9
1
...
8
9

$ test -t 0 || test -t 1 || echo a pipe; echo to standard error >&2; echo the end
a pipe
to standard error
the end
```
"""


def test_a_true_document_is_true(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_COLOR", "IDSYNC_STORE", "COLUMNS"):
        monkeypatch.setenv(name, "1")
    assert list(differences("a.md", DOCUMENT)) == []


def test_a_wrong_document_is_told_and_made_true() -> None:
    wrong = DOCUMENT.replace("hello: world\n$", "hello: moon\n$").replace("8\n9", "9\n9")
    wrong = wrong.replace("one\ntwo\n$ exit", "$ exit")
    found = list(differences("a.md", wrong))
    assert [each.command.text.split("\n")[0] for each in found] == [
        "cat greeting.yaml",
        "cat <<'END'",
        "seq 9",
    ]
    assert str(found[0]) == "\n".join(
        [
            "a.md:8: $ cat greeting.yaml",
            *("--- the document says", "hello: moon"),
            *("--- the command writes", "hello: world"),
        ]
    )
    every_line = "\n".join(map(str, range(1, 10)))
    assert rewritten(wrong, found) == DOCUMENT.replace("1\n...\n8\n9", every_line)
    assert rewritten(DOCUMENT, []) == DOCUMENT


def test_the_installed_idsync_is_run(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    assert folder.run("idsync init --config sample_config.yaml --seed 42") == (
        "kept the configuration sample_config.yaml",
        "created the store idsync.db",
    )
    assert (tmp_path / "idsync.db").exists()


@pytest.mark.parametrize(
    ("expected", "found", "agrees"),
    [
        ([], [], True),
        ([], ["a"], False),
        (["a"], [], False),
        (["a"], ["a", "b"], False),
        (["a.c"], ["abc"], False),
        (["..."], [], True),
        (["..."], ["a", "", "b"], True),
        (["a", "..."], ["a"], True),
        (["a", "..."], ["b"], False),
        (["a", "...", "z"], ["a", "b", "c", "z"], True),
        (["a", "...", "z"], ["a", "z", "y"], False),
        (["a", "...", "m", "...", "z"], ["a", "m", "z"], True),
        (["a..."], ["abc"], False),
    ],
)
def test_dots_stand_for_any_lines(expected: list[str], found: list[str], agrees: bool) -> None:
    assert agree(expected, found) == agrees


def test_a_block_is_read_to_its_own_end() -> None:
    text = "````md\n```console\n$ a\n```\n````\n\n```sh\nb\n```\n"
    assert list(blocks(text)) == [
        Block("md", 2, ("```console", "$ a", "```")),
        Block("sh", 8, ("b",)),
    ]


@pytest.mark.parametrize("text", ["- item\n  ```console\n  $ a\n  ```\n", "```console\n$ a\n"])
def test_a_block_that_would_be_passed_over_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"line [12]: "):
        list(blocks(text))


def test_a_console_block_begins_with_a_command() -> None:
    with pytest.raises(ValueError, match="line 5: "):
        list(commands(Block("console", 5, ("output", "$ a"))))
