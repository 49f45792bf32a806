"""The published server libraries send batches, among them wrong ones (section 10)."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.clients.clients import node_modules, python_path
from tests.http_api import Server, serving
from tests.program import Program

CONFIG = """\
scopes:
  shop:
    strategy: profile_link
    priority: [customer_id, email, device_application_stamp]
    identities: {customer_id: {login: true, unique: true}}
accounts:
  main:
    workspaces:
      feed: {scope: shop, api_key: feed-key, api_secret: sesame}
"""
NODE = Path(__file__).with_name("node_server.js")
PYTHON = Path(__file__).with_name("python_server.py")


@pytest.fixture
def program(tmp_path: Path) -> Program:
    made = Program(tmp_path)
    made.write("idsync.yaml", CONFIG)
    return made


@pytest.fixture
def server(program: Program) -> Iterator[Server]:
    with serving(program) as running:
        yield running


def told_by(command: list[Any], environment: dict[str, str] | None = None) -> Any:
    ended = subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=120, env=environment
    )
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout.splitlines()[-1])


def assert_they_came(program: Program, name: str) -> None:
    for customer in ("c-3003", "c-3004"):
        found = program("search", "--customer-id", customer, "--json").json()["mpid"]
        told = program("profile", "query", "--mpid", found, "--fields", "events,user_attributes",
                       "--json").json()  # fmt: skip
        assert [each["data"]["event_name"] for each in told["events"]] == [name]
        assert told["user_attributes"] == {"city": "Bern", "tags": ["a", "b"]}
    assert program("search", "--customer-id", "c-3005").status == 1


def test_the_node_library(program: Program, server: Server) -> None:
    modules = node_modules("mparticle")
    base = f"http://{server.host}:{server.port}/v2"
    told = told_by(["node", NODE, modules, base, "feed-key", "sesame"])
    assert told == {"one": 202, "wrong": 400, "bulk": 202, "stranger": 403}
    assert_they_came(program, "from Node")


def test_the_python_library(program: Program, server: Server) -> None:
    path = python_path("mparticle")
    base = f"http://{server.host}:{server.port}/v2"
    told = told_by([sys.executable, PYTHON, base, "feed-key", "sesame"], {"PYTHONPATH": path})
    assert told == {"one": 202, "wrong": 400, "bulk": 202, "stranger": 403}
    assert_they_came(program, "from Python")
