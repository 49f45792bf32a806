"""Files that once went wrong, each of a kind that people meet (`fixtures/found`)."""

import gzip
import json
import shutil

import pytest

from tests.console_blocks import ROOT
from tests.program import (  # noqa: F401 - the fixture
    Program,
    assert_refused,
    program_in_a_fresh_folder,
)


@pytest.fixture(name="found")
def program_beside_the_files(idsync: Program) -> Program:
    shutil.copytree(ROOT / "fixtures" / "found", idsync.folder, dirs_exist_ok=True)
    return Program(idsync.folder, columns=1000)


def test_a_download_that_broke_off(found: Program) -> None:
    ended = found("replay", "good.jsonl", "cut.jsonl.gz")
    assert ended.status == 2
    assert ended.stdout.startswith("2 requests, 2 profiles created")
    assert "ended early; everything counted here is committed" in ended.stdout
    assert "'cut.jsonl.gz' cannot be read" in ended.stderr
    assert "get a whole copy of it, then use --resume to continue" in ended.stderr
    assert len(found("profiles", "--json").stdout.splitlines()) == 2
    told = found("replay", "good.jsonl", "cut.jsonl.gz", "--store", "new.db", "--json")
    summary = json.loads(told.stdout)
    assert (told.status, summary["requests"]) == (2, 2)
    assert summary["ended_by"]["code"] == "FILE_UNREADABLE"
    (found.folder / "cut.jsonl.gz").write_bytes((found.folder / "packed").read_bytes())
    whole = found("replay", "good.jsonl", "cut.jsonl.gz", "--resume", "--json")
    assert (whole.status, whole.json()["requests"]) == (0, 40)


def test_a_growing_folder(found: Program) -> None:
    assert found("replay", "done.jsonl").status == 0
    refused = found("replay", "good.jsonl", "done.jsonl")
    assert_refused(refused, 2, "'done.jsonl' has already been replayed", "use --resume to skip it")
    assert len(found("profiles", "--json").stdout.splitlines()) == 1
    resumed = found("replay", "good.jsonl", "done.jsonl", "--resume")
    assert (resumed.status, resumed.stdout[:11]) == (0, "2 requests,")
    assert "nothing left to replay in done.jsonl" in resumed.stderr


def test_suffixes_in_capitals(found: Program) -> None:
    checked = found("check", "folder")
    assert (checked.status, checked.stdout.splitlines()[-1]) == (0, "3 passed, 0 failed")


@pytest.mark.parametrize("name", ["PACKED.JSONL.GZ", "packed", "-"])
def test_what_is_packed(found: Program, name: str) -> None:
    stdin = (found.folder / "packed").read_bytes()
    replayed = found.process("replay", name, "--json", stdin=stdin)
    assert (replayed.status, json.loads(replayed.stdout)["requests"]) == (0, 40)


def test_answers_under_the_name_of_what_is_packed(found: Program) -> None:
    assert found("replay", "good.jsonl", "--output", "a.jsonl.gz").status == 0
    answers = gzip.decompress((found.folder / "a.jsonl.gz").read_bytes()).splitlines()
    assert [json.loads(line)["status"] for line in answers] == ["created", "created"]
    refused = found("replay", "a.jsonl.gz", "--store", "new.db")
    assert_refused(refused, 2, "'a.jsonl.gz' holds answers, but requests are JSON")
    assert not (found.folder / "new.db").exists()


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("people.csv", ("'MPID'; did you mean 'mpid'?", "'Email'; did you mean 'email'?")),
        ("first-name.csv", ("'first_name'; a column is an identity type, or one of mpid",)),
        ("twins.csv", (":4: customer_id is unique", "holds 'C-1': the profile 1 of line 2")),
        ("good.jsonl", ("holds requests, but profiles are JSON", "idsync replay good.jsonl")),
    ],
)
def test_a_table_of_people(found: Program, name: str, words: tuple[str, ...]) -> None:
    assert_refused(found("import", name), 2, *words)
    assert not (found.folder / "idsync.db").exists()


def test_numbers_as_they_stand(found: Program) -> None:
    told = found("replay", "numbers.jsonl").stdout
    for message in (
        "the value '108204268033311374519' of google is not text; put it between quotes",
        "the value '1e3' of customer_id is not text; write it with all its digits, between quotes",
        "the value '[\"1234\"]' of customer_id is a list, not text; give one value",
        "mpid is '123456789012345678901', but must be an MPID",
    ):
        assert message in told


@pytest.mark.parametrize(
    ("name", "what", "with_jq"),
    [
        ("array.json", "is a JSON array", "jq -c '.[]' array.json"),
        ("pretty.json", "laid out over several lines", "jq -c . pretty.json"),
    ],
)
def test_json_that_is_no_lines(found: Program, name: str, what: str, with_jq: str) -> None:
    refused = found("replay", name)
    assert_refused(refused, 2, what, f"idsync convert {name}", with_jq)
    assert len(refused.stderr.splitlines()) == 1
    assert not (found.folder / "idsync.db").exists()
    converted = found("convert", name, "--output", "lines.jsonl")
    assert converted.status == 0
    assert found("replay", "lines.jsonl").status == 0
