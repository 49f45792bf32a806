"""The fixtures are what they say."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.program import Program

ROOT = Path(__file__).resolve().parent.parent


def test_the_day_is_what_its_generator_makes() -> None:
    command = [sys.executable, "fixtures/make_day.py"]
    made = subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout
    assert made == (ROOT / "fixtures" / "requests.jsonl").read_bytes()
    assert made.count(b"\n") == 5000


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
