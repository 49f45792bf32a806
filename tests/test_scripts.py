"""What contributors are told to run is there, and runs on every Python that idsync is for."""

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from yaml import BaseLoader

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
SCRIPTS = sorted((ROOT / "scripts").glob("*.sh"))


def workflow() -> Any:
    """The workflow, with every scalar as text."""
    text = (ROOT / ".github" / "workflows" / "test.yml").read_text(encoding="utf-8")
    return yaml.load(text, Loader=BaseLoader)  # noqa: S506 - it makes text, lists and mappings


def test_the_workflow_runs_all_checks_on_every_system_and_python() -> None:
    said = workflow()
    assert {"push", "pull_request"} <= said["on"].keys()
    assert said["permissions"] == {"contents": "read"}
    [job] = said["jobs"].values()
    matrix = job["strategy"]["matrix"]
    assert matrix["python"] == ["3.11", "3.12", "3.13", "3.14"]
    assert [each.partition("-")[0] for each in matrix["system"]] == ["ubuntu", "macos"]
    assert job["runs-on"] == "${{ matrix.system }}"
    steps = [each.get("with", {}).get("python-version") for each in job["steps"]]
    assert "${{ matrix.python }}" in steps
    assert [each["run"] for each in job["steps"] if "run" in each] == ["sh scripts/test.sh"]


def test_the_oldest_python_is_the_same_everywhere() -> None:
    oldest = workflow()["jobs"]["test"]["strategy"]["matrix"]["python"][0]
    assert PROJECT["project"]["requires-python"] == f">={oldest}"
    assert PROJECT["tool"]["mypy"]["python_version"] == oldest
    assert PROJECT["tool"]["ruff"]["target-version"] == f"py{oldest.replace('.', '')}"


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: str(path.name))
def test_a_script_is_one_for_any_shell(script: Path) -> None:
    assert script.read_text(encoding="utf-8").startswith("#!/bin/sh\n")
    subprocess.run(["sh", "-n", script], check=True)


def test_what_the_scripts_name_of_the_tests_is_there() -> None:
    for script in SCRIPTS:
        for path, _, test in re.findall(
            r"\b(tests/[\w/]+(?:\.py)?)(::(\w+))?", script.read_text(encoding="utf-8")
        ):
            place = ROOT / path
            assert place.exists(), (script.name, path)
            assert not test or f"\ndef {test}(" in place.read_text(encoding="utf-8"), test


def setup(environment: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["sh", ROOT / "scripts" / "setup.sh", *arguments],
        env=os.environ | {"IDSYNC_VENV": str(environment)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_set_up_touches_no_folder_that_it_did_not_make(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("kept")
    done = setup(tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert "is in the way: idsync did not make it" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


def test_the_set_up_knows_the_sets_of_packages(tmp_path: Path) -> None:
    done = setup(tmp_path / "environment", "devel")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "devel: no such set of packages; say run or dev.\n"
    assert not list(tmp_path.iterdir())


def test_an_older_python_is_told_what_is_needed() -> None:
    pretends = "import sys; sys.version_info = (3, 10, 4); sys.modules['tomllib'] = None\n"
    done = subprocess.run(
        [sys.executable, "-c", pretends + (ROOT / "setup.py").read_text(encoding="utf-8")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr == "idsync needs Python 3.11 or later; this is Python 3.10.\n"
