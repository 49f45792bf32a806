"""`--html`: what a check, a replay or a comparison came to, as one page that can be sent."""

import json
from pathlib import Path

import pytest

from tests.pages import Reader, assert_own
from tests.program import (  # noqa: F401 - the fixture
    CONFIG,
    Program,
    assert_refused,
    program_in_a_fresh_folder,
)
from tests.test_hostile_values import AT_ONCE, HOSTILE, in_yaml, shown

SCENARIO = """\
name: {name}
scope: {{strategy: default, priority: [customer_id, email]}}
steps:
  - identify: {{email: {value}}}
    expect: {{status: {expected}}}
"""
"""A scenario of one step, which creates a profile."""


def scenario(name: str, value: str = "a", expected: str = "created") -> str:
    return SCENARIO.format(name=in_yaml(name), value=in_yaml(value), expected=expected)


def words(page: str) -> str:
    return " ".join(Reader(page).texts)


def read(idsync: Program, name: str = "report.html") -> str:
    return (idsync.folder / name).read_text("utf-8")


# check


def test_a_check_writes_the_failing_scenarios_with_their_tables(idsync: Program) -> None:
    idsync.write("s/a.yaml", scenario("it passes"))
    idsync.write("s/b.yaml", scenario("it fails", expected="matched"))
    idsync.write("s/c.yaml", "steps: [\n")
    outcome = idsync("check", "s", "--html", "report.html")
    assert outcome == idsync("check", "s")
    assert outcome.status == 2
    page = read(idsync)
    seen = assert_own(page, scripts=0)
    told = words(page)
    assert "2 scenarios did not pass" in told
    assert "1 passed, 1 failed, 1 unreadable" in told
    assert '"matched"' in told
    assert "s/c.yaml:2:1: broken YAML" in told
    headings = [name for name, _ in seen.elements if name == "h2"]
    assert len(headings) == 3
    assert told.count("it passes") == 1  # in the table alone


def test_a_check_that_passes_says_so(idsync: Program) -> None:
    idsync.write("a.yaml", scenario("it passes"))
    assert idsync("check", "a.yaml", "--html", "report.html", "--quiet").status == 0
    assert "All scenarios passed" in words(read(idsync))


def test_a_check_takes_the_place_of_its_own_report_and_of_nothing_else(idsync: Program) -> None:
    idsync.write("a.yaml", scenario("one"))
    asked = ("check", "a.yaml", "--html", "report.html")
    assert idsync(*asked).status == 0
    idsync.write("a.yaml", scenario("two"))
    assert idsync(*asked).status == 0
    assert "two" in words(read(idsync))
    idsync.write("report.html", "<!DOCTYPE html>\n<html><title>mine</title>")
    assert_refused(idsync(*asked), 2, "'report.html' is not a report; it was left unchanged")
    assert "mine" in read(idsync)
    assert_refused(idsync("check", "a.yaml", "--html", "a.yaml"), 2, "is the input 'a.yaml'")
    assert_refused(idsync("check", "a.yaml", "--html", "no/x"), 2, "its folder does not exist")
    outcome = idsync("check", "a.yaml", "--html", "x.xml", "--junit", "x.xml")
    assert_refused(outcome, 2, "is the file that --junit")
    assert_refused(idsync("check", "a.yaml", "--html", "x", "--update"), 2, "--html")


def test_a_check_of_nothing_writes_nothing_over_what_was_there(idsync: Program) -> None:
    idsync.write("a.yaml", scenario("one"))
    assert_refused(idsync("check", "a.yaml", "-k", "none", "--html", "r"), 2, "no scenario has")


@pytest.mark.parametrize("value", [*HOSTILE[::9], AT_ONCE, "<script>alert(1)</script>"])
def test_no_value_of_a_scenario_is_more_than_text(idsync: Program, value: str) -> None:
    idsync.write("a.yaml", scenario(value, value, expected="matched"))
    assert idsync("check", "a.yaml", "--html", "report.html").status == 1
    seen = assert_own(read(idsync), scripts=0)
    assert any(shown(value).strip() in each for each in seen.texts) or len(value) > 80


# replay


REQUESTS = [
    {"type": "identify", "known_identities": {"email": "a"}},
    {"type": "identify", "known_identities": {"email": "a", "ios_idfv": "1"}},
    {"type": "identify", "known_identities": {"mail": "<script>alert(1)</script>"}},
]


@pytest.fixture(name="day")
def program_with_requests(idsync: Program) -> Program:
    idsync.write("idsync.yaml", CONFIG)
    idsync.make_store()
    idsync.write("r.jsonl", "".join(f"{json.dumps(each)}\n" for each in REQUESTS))
    return idsync


def test_a_replay_writes_its_summary_and_the_rejected_lines(day: Program) -> None:
    outcome = day("replay", "r.jsonl", "--html", "report.html")
    assert outcome.status == 1
    page = read(day)
    assert_own(page, scripts=0)
    told = words(page)
    assert "3 requests replayed" in told
    assert "1 rejected line" in told
    assert "UNKNOWN_IDENTITY_TYPE" in told
    assert "<script>alert(1)</script>" in told
    assert "^^^^" in told
    assert "r.jsonl:3" in told
    assert outcome.stdout == day("replay", "r.jsonl", "--store", "b.db", "--seed", "1").stdout


def test_a_replay_writes_the_page_whatever_else_it_shows(day: Program) -> None:
    assert day("replay", "r.jsonl", "--quiet", "--html", "a.html", "--dry-run").stdout == ""
    day("replay", "r.jsonl", "--json", "--html", "b.html", "--dry-run")
    assert read(day, "a.html") == read(day, "b.html")
    assert "dry run" in words(read(day, "a.html"))


def test_a_replay_leaves_an_existing_file_unless_forced(day: Program) -> None:
    before = day.files()
    outcome = day("replay", "r.jsonl", "--html", "idsync.yaml")
    assert_refused(outcome, 2, "is the configuration")
    day.write("report.html", "mine")
    outcome = day("replay", "r.jsonl", "--html", "report.html")
    assert_refused(outcome, 2, "'report.html' already exists", "--force")
    assert day.files() == {**before, "report.html": b"mine"}
    assert day("replay", "r.jsonl", "--html", "report.html", "--force").status == 1
    assert read(day).startswith("<!DOCTYPE html>")


def test_an_erasure_names_the_page_of_a_replay(day: Program) -> None:
    day("replay", "r.jsonl", "--html", "report.html")
    [profile] = day("profiles", "--json").lines()
    assert "report.html" in day("erase", "--mpid", profile["mpid"], "--dry-run").stdout


def test_a_replay_that_stops_writes_what_came_before(day: Program) -> None:
    day("replay", "r.jsonl", "--stop-on-error", "--html", "report.html")
    told = words(read(day))
    assert "stopped before the rejected line" in told
    assert "3 requests replayed" in told


# compare


@pytest.fixture(name="parted")
def program_with_two_configurations(day: Program) -> Program:
    day.write("new.yaml", CONFIG.replace("customer_id, email, ios_idfv", "customer_id, ios_idfv"))
    more = [
        {"type": "identify", "known_identities": {"email": "a", "ios_idfv": "2"}},
        {"type": "identify", "known_identities": {"email": "<b>x</b>", "ios_idfv": "2"}},
    ]
    with (day.folder / "r.jsonl").open("a") as file:
        file.writelines(f"{json.dumps(each)}\n" for each in more)
    return day


def test_a_comparison_writes_the_differences_explained_and_drawn(parted: Program) -> None:
    outcome = parted("compare", "--with", "new.yaml", "r.jsonl", "--html", "report.html")
    assert outcome == parted("compare", "--with", "new.yaml", "r.jsonl")
    assert outcome.status == 1
    page = read(parted)
    seen = assert_own(page, scripts=1)
    told = words(page)
    assert "The two sides differ" in told
    assert "the first tier that differs" in told
    assert "What is split and merged" in told
    assert [each["class"] for each in seen.named("div") if "beside" in str(each.get("class"))]
    assert seen.named("svg")


def test_a_comparison_without_a_difference_has_no_picture(parted: Program) -> None:
    parted("compare", "--with", "idsync.yaml", "r.jsonl", "--html", "report.html")
    seen = assert_own(read(parted), scripts=0)
    assert "Nothing differs." in seen.texts
    assert not seen.named("svg")


def test_a_comparison_with_what_was_recorded_is_a_page_too(parted: Program) -> None:
    line = {**REQUESTS[0], "response": {"mpid": "5"}}
    other = {**REQUESTS[1], "response": {"mpid": "6"}}
    parted.write("rec.jsonl", f"{json.dumps(line)}\n{json.dumps(other)}\n")
    assert parted("compare", "--recorded", "rec.jsonl", "--html", "report.html").status == 1
    assert "Recorded: profile " in words(read(parted))


def test_a_comparison_leaves_an_existing_file_unless_forced(parted: Program) -> None:
    parted.write("report.html", "mine")
    asked = ("compare", "--with", "new.yaml", "r.jsonl", "--html", "report.html")
    assert_refused(parted(*asked), 2, "already exists")
    assert_refused(parted(*asked[:-1], "r.jsonl", "--force"), 2, "is the input")
    assert parted(*asked, "--force").status == 1
    assert Path(parted.folder, "report.html").stat().st_size > 1000
