"""docs/strategies.md gives each question two answers, and scenarios that tell them apart."""

import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from idsync_cli.check.results import Result
from idsync_cli.check.run import check_file
from idsync_cli.core.config.rules import Organization
from idsync_cli.files.config_file import Configuration, load
from idsync_cli.files.scenario import Scenario
from idsync_cli.files.scenario_file import INLINE_SCOPE, read_scenarios
from tests.console_blocks import ROOT, blocks
from tests.program import Program

DOCUMENT = ROOT / "docs" / "strategies.md"
FOLDER = ROOT / "fixtures" / "scenarios" / "strategies"
SHOWN_BY = re.compile(
    r"^Shown by: \[(.*)\]\(\.\./fixtures/scenarios/strategies/(.*)\)$", re.MULTILINE
)


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer to a question: its configuration, and the scenario that shows it."""

    configuration: Configuration
    text: str
    scenario: Scenario


@dataclass(frozen=True, slots=True)
class Question:
    """A question with its answers, all of whose scenarios are in one file."""

    heading: str
    path: Path
    replies: tuple[Reply, ...]


@pytest.fixture(name="questions", scope="module")
def questions_of_the_document(tmp_path_factory: pytest.TempPathFactory) -> list[Question]:
    folder = tmp_path_factory.mktemp("strategies")
    _, *sections = re.split(r"^## ", DOCUMENT.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return [_question(section, folder) for section in sections]


def _question(section: str, folder: Path) -> Question:
    heading = section.partition("\n")[0]
    configurations, texts = [], []
    for block in blocks(section):
        if block.language == "yaml":
            assert block.file is not None, f"{heading}: each answer is a file"
            path = folder / block.file
            path.write_text("\n".join(block.lines) + "\n", encoding="utf-8")
            configurations.append(load(path))
            texts.append(path.read_text(encoding="utf-8"))
    shown = SHOWN_BY.findall(section)
    [name] = {file for _, file in shown}
    path = FOLDER / name
    scenarios = read_scenarios(path)
    assert [each.name for each in scenarios] == [title for title, _ in shown], heading
    assert len(configurations) == len(scenarios), heading
    return Question(heading, path, tuple(map(Reply, configurations, texts, scenarios)))


def _alike(scenario: Scenario, configured: Organization) -> bool:
    """Whether a scenario has the rules of a configuration; it may call the only scope otherwise."""
    own = scenario.organization
    if list(own.scopes) == [INLINE_SCOPE]:
        return list(own.scopes.values()) == list(configured.scopes.values())
    return (own.scopes, own.workspaces) == (configured.scopes, configured.workspaces)


def test_there_are_twelve_questions_with_two_answers_each(questions: list[Question]) -> None:
    assert [len(each.replies) for each in questions] == [2] * 12


def test_each_answer_is_the_one_that_its_scenario_runs_under(questions: list[Question]) -> None:
    for question in questions:
        for reply in question.replies:
            assert _alike(reply.scenario, reply.configuration.organization), reply.scenario.name


def test_the_scenarios_tell_the_answers_apart(questions: list[Question]) -> None:
    """A scenario passes under its own answer, and fails under any other to the same question."""
    for question in questions:
        for number, reply in enumerate(question.replies):
            results = list(check_file(question.path, rules=reply.configuration.organization))
            assert all(isinstance(each, Result) for each in results)
            passed = [isinstance(each, Result) and each.passed for each in results]
            wanted = [place == number for place in range(len(question.replies))]
            assert passed == wanted, (question.heading, number)


def test_no_answer_is_one_that_config_lint_warns_of(questions: list[Question]) -> None:
    for question in questions:
        for reply in question.replies:
            assert reply.configuration.lint == (), question.heading


def test_every_scenario_of_the_folder_is_shown(questions: list[Question]) -> None:
    assert {each.path for each in questions} == set(FOLDER.glob("*.yaml"))


def test_the_command_check_tells_them_apart(questions: list[Question], tmp_path: Path) -> None:
    idsync = Program(tmp_path)
    for question in questions:
        for reply in question.replies:
            idsync.write("other.yaml", reply.text)
            outcome = idsync("check", str(question.path), "--config", "other.yaml", "--quiet")
            assert (outcome.status, outcome.stderr) == (1, "")
            assert outcome.stdout.endswith("1 passed, 1 failed\n")
