"""What idsync reads beside its modules is in a wheel: pages, styles, scripts, help."""

import tomllib
from pathlib import Path, PurePosixPath

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "idsync_cli"
MADE = {".py", ".pyc", ".so"}


def patterns() -> list[str]:
    """Which files beside modules setuptools takes into a wheel, as seen from their package."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    found: list[str] = settings["tool"]["setuptools"]["package-data"]["*"]
    return found


def is_taken(path: PurePosixPath) -> bool:
    """Whether a pattern has it, as seen from one of its folders: each is a package."""
    return any(path.match(each) for each in patterns())


def test_everything_beside_the_modules_is_in_a_wheel() -> None:
    files = [each for each in PACKAGE.rglob("*") if each.is_file() and each.suffix not in MADE]
    names = {each.name for each in files}
    assert {"page.css", "graph.css", "graph.js", "explorer.css", "main.js", "index.html"} <= names
    assert {"rules.md", "starter.yaml", "py.typed"} <= names
    left_out = [each for each in files if not is_taken(PurePosixPath(each))]
    assert left_out == []


def test_a_file_that_no_pattern_has_would_be_found() -> None:
    assert is_taken(PurePosixPath("idsync_cli/server/explorer/page/x.svg"))
    assert not is_taken(PurePosixPath("idsync_cli/server/explorer/page/more/x.svg"))
    assert not is_taken(PurePosixPath("idsync_cli/render/html/x.svg"))
