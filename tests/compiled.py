"""A plugin of pytest: the modules that can be compiled are, in every process that runs tests.

`scripts/test.sh` uses it where the installed copy of idsync is compiled, so that what the tests
compare is that copy and not, by mistake, the sources.
"""

import tomllib
from importlib import import_module
from pathlib import Path

import pytest

PROJECT = Path(__file__).parent.parent / "pyproject.toml"


def modules() -> list[str]:
    """The names of the modules that setup.py compiles."""
    named = tomllib.loads(PROJECT.read_text(encoding="utf-8"))["tool"]["idsync"]["compiled"]
    assert isinstance(named, list)
    return named


@pytest.hookimpl(tryfirst=True)
def pytest_sessionstart() -> None:
    """Run no test where one of them is not compiled."""
    for name in modules():
        place = import_module(name).__file__ or ""
        if place.endswith(".py"):
            raise pytest.UsageError(f"{place} is not compiled: run sh scripts/setup.sh dev")
