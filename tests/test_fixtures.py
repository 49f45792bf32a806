"""The fixtures are what they say."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from idsync_cli.core.config.definitions import NO_DEFINITIONS
from idsync_cli.files import config_file
from tests.program import Program

ROOT = Path(__file__).resolve().parent.parent


def test_the_day_is_what_its_generator_makes() -> None:
    command = [sys.executable, "fixtures/make_day.py"]
    made = subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout
    assert made == (ROOT / "fixtures" / "requests.jsonl").read_bytes()
    assert made.count(b"\n") == 5000


DATA = ROOT / "fixtures" / "day"


def test_the_data_of_the_day_are_what_its_generator_makes(tmp_path: Path) -> None:
    command = [sys.executable, "fixtures/make_day.py", "--data", str(tmp_path)]
    assert subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout == b""
    made = sorted(path.name for path in tmp_path.iterdir())
    assert made == sorted(path.name for path in DATA.glob("*.jsonl"))
    for name in made:
        assert (tmp_path / name).read_bytes() == (DATA / name).read_bytes()


def test_the_data_of_the_day_are_taken_under_the_rules_of_the_sample() -> None:
    sample = config_file.load(ROOT / "sample_config.yaml").organization
    ours = config_file.load(DATA / "idsync.yaml").organization
    assert ours.workspaces == sample.workspaces
    assert ours.scopes["consumers"].definitions.audiences
    bare = {name: rules._replace(definitions=NO_DEFINITIONS) for name, rules in ours.scopes.items()}
    assert bare == dict(sample.scopes)


def test_the_data_change_no_answer_to_a_request_of_the_day(tmp_path: Path) -> None:
    """Whoever is found, and by what, is as it is without them."""
    idsync = Program(tmp_path)
    requests = str(ROOT / "fixtures" / "requests.jsonl")
    data = [str(path) for path in sorted(DATA.glob("*.jsonl"))]
    configuration = ("--config", str(DATA / "idsync.yaml"), "--quiet")
    decided = []
    for name, more in (("alone", []), ("beside", [*data, "--sort-by-time"])):
        wanted = ("--store", f"{name}.db", "--output", f"{name}.jsonl")
        assert idsync("replay", requests, *more, *configuration, *wanted).status == 1
        answers = map(json.loads, (tmp_path / f"{name}.jsonl").read_text().splitlines())
        decided.append(
            [
                (each["line"], each["status"], each.get("decided_by"))
                for each in answers
                if each.get("file", requests) == requests
            ]
        )
    assert decided[0] == sorted(decided[1], key=lambda each: each[0])


STORY = """\
scope: {strategy: best_match, priority: [email, ios_idfv]}
steps:
  - identify: {email: a}
  - identify: {email: a}
    expect: {decided_by: %s}
"""


@pytest.mark.parametrize(
    ("decided_by", "status"), [("identifier", 0), ("email", 0), ("ios_idfv", 1), ("newest", 1)]
)
def test_a_scenario_may_expect_the_rule_or_the_type_that_decided(
    tmp_path: Path, decided_by: str, status: int
) -> None:
    (tmp_path / "story.yaml").write_text(STORY % decided_by, encoding="utf-8")
    assert Program(tmp_path)("check", "story.yaml").status == status
