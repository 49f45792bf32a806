"""Walls that no contract about imports can see."""

import ast
from collections.abc import Iterator
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent.parent / "idsync_cli"
SQLITE = PACKAGE / "store" / "sqlite"
FOR_ALL = ("connection", "cursor", "execute", "executemany", "executescript")


def names(path: Path) -> Iterator[tuple[int, str]]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Attribute):
            yield node.lineno, node.attr
        elif isinstance(node, ast.Name):
            yield node.lineno, node.id
        elif isinstance(node, ast.alias):
            yield 0, node.name


def test_nobody_outside_the_store_touches_a_connection_by_whatever_name() -> None:
    """A connection that is only passed on, under an alias, is not seen by a contract of imports."""
    found = [
        f"{path.relative_to(PACKAGE)}:{line} {name}"
        for path in sorted(PACKAGE.rglob("*.py"))
        if not path.is_relative_to(SQLITE)
        for line, name in names(path)
        if name in FOR_ALL or name == "Connection" or "sqlite3" in name
    ]
    assert found == []


def test_the_core_catches_nothing() -> None:
    """A look-up may fail with whatever error a store has, and nothing goes by what was caught."""
    found = [
        f"{path.relative_to(PACKAGE)}:{node.lineno}"
        for path in sorted((PACKAGE / "core").rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Try | ast.TryStar)
        or (isinstance(node, ast.Name) and node.id == "suppress")
    ]
    assert found == []


def test_the_codes_of_findings_stand_in_one_place() -> None:
    """A finding is made with a member of `FindingCode`, nowhere with a string."""
    for path in sorted((SQLITE / "health").glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in {"Sign", "Finding"}:
                assert not isinstance(node.args[0], ast.Constant), f"{path.name}:{node.lineno}"
