"""docs/store.md: it names every table and view, its SQL runs, and Datasette shows the same."""

import json
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from html import unescape
from importlib.util import find_spec
from pathlib import Path
from time import monotonic, sleep
from typing import Any
from urllib.error import URLError
from urllib.parse import urlencode
from urllib.request import urlopen

import pytest
import sqlite_utils

from tests.console_blocks import ROOT, blocks
from tests.program import Program, program_in_a_fresh_folder

__all__ = ["program_in_a_fresh_folder"]

DOCUMENT = (ROOT / "docs" / "store.md").read_text("utf-8")
FILES = {each.file: "\n".join(each.lines) for each in blocks(DOCUMENT) if each.file}
QUESTIONS = {name: text for name, text in FILES.items() if name.endswith(".sql")}
ANA = "7003778869905922103"

WITHOUT_DATASETTE = "Datasette is not installed; to run this test: pip install datasette"


@pytest.fixture(name="store")
def store_of_the_document(idsync: Program) -> Path:
    for name in ("idsync.yaml", "week.jsonl"):
        idsync.write(name, FILES[name])
    assert idsync("replay", "week.jsonl", "--seed", "42").status == 0
    return idsync.folder / "idsync.db"


def test_every_table_and_view_is_explained(store: Path) -> None:
    with closing(sqlite_utils.Database(store)) as database:
        views, tables = set(database.view_names()), set(database.table_names())
    parts = re.split(r"^## ", DOCUMENT, flags=re.MULTILINE)
    told = {
        part.splitlines()[0]: set(re.findall(r"^\| `(\w+)` \|", part, flags=re.MULTILINE))
        for part in parts
    }
    assert told["Views, for people"] == views
    assert told["Tables"] == {each for each in tables if not each.startswith("sqlite_")}


def test_there_are_ten_questions_and_each_has_an_answer(store: Path) -> None:
    assert list(QUESTIONS) == [f"{number}.sql" for number in range(1, 11)]
    shown = {
        block.lines[0].partition("$(cat ")[2].partition(")")[0]: block.lines[1:]
        for block in blocks(DOCUMENT)
        if block.language == "console"
    }
    with closing(sqlite_utils.Database(store)) as database:
        for name, question in QUESTIONS.items():
            found = list(database.query(question))
            assert found, name
            heading, _, *rows = shown[name]
            assert heading.split() == list(found[0])
            words = [[str(value) for value in row.values() if value is not None] for row in found]
            assert ["".join(row.split()) for row in rows] == [
                "".join("".join(row).split()) for row in words
            ]


@pytest.fixture(name="datasette")
def datasette_over_the_store(store: Path) -> Iterator[str]:
    """Datasette as people start it, and where it listens."""
    if find_spec("datasette") is None:
        pytest.skip(WITHOUT_DATASETTE)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "datasette", str(store), "--port", str(port)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:
        address = f"http://127.0.0.1:{port}/idsync"
        try:
            wait_for(address, process)
            yield address
        finally:
            process.terminate()


def wait_for(address: str, process: subprocess.Popen[bytes]) -> None:
    until = monotonic() + 60
    while monotonic() < until:
        assert process.poll() is None, process.stderr and process.stderr.read()
        try:
            with urlopen(address, timeout=10):
                return
        except URLError:
            sleep(0.1)
    raise TimeoutError(address)


def page(address: str) -> str:
    with urlopen(address, timeout=30) as answer:
        assert answer.status == 200
        return unescape(re.sub(r"<[^>]*>", " ", answer.read().decode("utf-8")))


def rows_of(address: str, **asked: str) -> list[dict[str, Any]]:
    with urlopen(f"{address}.json?{urlencode(asked | {'_shape': 'array'})}", timeout=30) as answer:
        found: list[dict[str, Any]] = json.loads(answer.read())
    return found


def test_datasette_shows_a_profile_an_audience_and_the_history(
    datasette: str, idsync: Program
) -> None:
    first = page(datasette)
    for name in ("profiles", "profile_identifiers", "profile_events", "history"):
        assert f" {name} " in first

    assert ANA in page(f"{datasette}/profiles/1")
    profile = page(f"{datasette}/profile_identifiers?mpid={ANA}")
    assert "customer_id" in profile
    assert "C1" in profile
    its = rows_of(f"{datasette}/profile_attributes", mpid=ANA)
    assert {each["name"]: each["value"] for each in its} == {"city": "Bern", "plan": "paid"}

    [member] = rows_of(datasette, sql=QUESTIONS["7.sql"])
    assert member == {"mpid": int(ANA), "orders": 2, "spent": 129.5}
    assert ANA in page(f"{datasette}?{urlencode({'sql': QUESTIONS['7.sql']})}")

    entries = rows_of(f"{datasette}/history", mpid=ANA)
    assert [(each["seq"], each["op"], each["value"]) for each in entries] == [
        (1, "add", "b1"), (3, "add", "C1"), (3, "add", "ana@example.com"),
        (10, "remove", "ana@example.com"),
    ]  # fmt: skip
    assert "helpdesk-7" in page(f"{datasette}/history?mpid={ANA}")

    # It goes on reading while idsync writes, and what is written is seen.
    assert idsync("identify", "--email", "dora@example.com").status == 0
    [new] = rows_of(f"{datasette}/profile_identifiers", value="dora@example.com")
    assert new["identity_type"] == "email"
    assert idsync("doctor").status == 0
