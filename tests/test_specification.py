"""Whoever reads "section 8" finds it: the document cited in the sources is in the house."""

import ast
import re
import tokenize
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.console_blocks import ROOT

SPECIFICATION = ROOT / "docs" / "specification.md"
SOURCES = sorted(
    path
    for folder in ("idsync_cli", "tests", "benchmarks", "scripts", "docs", "fixtures")
    for path in (ROOT / folder).rglob("*.py")
)
CITED = re.compile(
    r"\bsections?\s+(\d+(?:(?:,\s|\s(?:and|to)\s|,\sand\s)\d+)*)(?:,\s+step\s+(\d))?", re.IGNORECASE
)


@cache
def sections() -> dict[int, str]:
    """The text of each section, by its number."""
    text = SPECIFICATION.read_text(encoding="utf-8")
    parts = re.split(r"^## (\d+)\. .*$", text, flags=re.MULTILINE)
    return {int(number): text for number, text in zip(parts[1::2], parts[2::2], strict=True)}


def prose(path: Path) -> Iterator[str]:
    """The docstrings and the comments of a source that may cite something."""
    with tokenize.open(path) as file:
        text = file.read()
    if not CITED.search(text):
        return
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            yield str(node.value.value)
    lines = iter(text.splitlines(keepends=True))
    for token in tokenize.generate_tokens(lambda: next(lines, "")):
        if token.type == tokenize.COMMENT:
            yield token.string


def citations(text: str) -> Iterator[tuple[int, int | None]]:
    """The sections that a text cites, each with the step of it that is meant, if one is."""
    for numbers, step in CITED.findall(text):
        for number in re.findall(r"\d+", numbers):
            yield int(number), int(step) if step else None


def test_sections_are_numbered_from_1_without_a_gap() -> None:
    assert list(sections()) == list(range(1, len(sections()) + 1))


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_section_that_a_source_cites_is_there(path: Path) -> None:
    for text in prose(path):
        for number, step in citations(text):
            assert number in sections(), f"section {number}: {text}"
            assert step is None or f"**Step {step}," in sections()[number], text


def test_the_sources_cite_most_of_what_is_built() -> None:
    missing = set(range(1, 9))
    for path in SOURCES:
        missing -= {number for text in prose(path) for number, _ in citations(text)}
        if not missing:
            return
    pytest.fail(f"sections {missing} are cited nowhere")


def test_a_citation_is_read_whatever_its_form() -> None:
    text = "Sections 1, 2 and 7; section 4, step 2; sections 3\nand 6; sections 1 to 8; section 8's"
    numbers = [number for number, _ in citations(text)]
    assert numbers == [1, 2, 7, 4, 3, 6, 1, 8, 8]
    assert (4, 2) in citations(text)
