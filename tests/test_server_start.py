"""What a start of the server costs: the modules that it takes before the first answer.

No time is measured here, but what takes it; docs/performance.md has the times.
"""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.explored import CONFIG, KEY, Explored
from tests.http_api import Server
from tests.program import Program, program_in_a_fresh_folder

__all__ = ["program_in_a_fresh_folder"]

WATCHED = """\
import atexit, sys
from idsync_cli.server import later
make = later.Rest.make
async def made(*given):
    await make(*given)
    print("made", file=sys.stderr, flush=True)
later.Rest.make = made
later.FIRST_SECONDS = float(sys.argv.pop(1))
sys.modules.update(dict.fromkeys(sys.argv.pop(1).split()))
atexit.register(lambda: sys.stderr.write("\\n".join(["", *map("imported {}".format, sys.modules)])))
from idsync_cli.__main__ import main
main()
"""
"""The program, with another time until the rest is made, without some modules, watched."""

NEVER = 3600.0
AT_ONCE = 0.0

LATER = {
    "idsync_cli.erasure",
    "idsync_cli.foresight",
    "idsync_cli.graph",
    "idsync_cli.inspect",
    "idsync_cli.render",
    "idsync_cli.replay",
    "idsync_cli.server.description",
    "idsync_cli.server.due",
    "idsync_cli.server.explorer.app",
    "idsync_cli.server.explorer.files",
    "idsync_cli.server.explorer.live_lines",
    "idsync_cli.server.explorer.routes",
    "idsync_cli.server.explorer.views",
    "idsync_cli.server.profiles",
    "idsync_cli.server.schemas",
    "idsync_cli.server.subject_requests",
}
"""What no identity request needs."""

BUG = "idsync: a bug in idsync (ModuleNotFoundError) at "
VISIT = {"known_identities": {"device_application_stamp": "d1"}}


@contextmanager
def started(
    program: Program, *options: str, rest_after: float, without: str = ""
) -> Iterator[tuple[Server, str | None]]:
    """A server, and the token of its explorer if it has one."""
    program.write("idsync.yaml", CONFIG)
    process = subprocess.Popen(
        [sys.executable, "-c", WATCHED, str(rest_after), without, "serve", "--port=0", *options],
        cwd=program.folder,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    try:
        assert process.stdout is not None
        found = re.search(r"http://([^:/]+):(\d+)", process.stdout.readline().decode())
        assert found, process.communicate()
        token = None
        if "--no-explorer" not in options:
            token = process.stdout.readline().decode().strip().partition("#token=")[2]
        yield Server(process, found[1], int(found[2])), token
    finally:
        process.kill()
        process.communicate()


def said_until(server: Server, words: str) -> str:
    """What a server says, up to a line with some words."""
    assert server.process.stderr is not None
    said = ""
    for line in iter(server.process.stderr.readline, b""):
        said += line.decode()
        if words in said:
            return said
    raise AssertionError(said)


def imported(said: str) -> set[str]:
    return set(re.findall(r"^imported (\S+)$", said, re.MULTILINE))


@pytest.mark.parametrize("options", [[], ["--no-explorer"]])
def test_the_first_answer_imports_what_it_needs(idsync: Program, options: list[str]) -> None:
    idsync.make_store()
    with started(idsync, *options, rest_after=NEVER) as (server, _):
        assert server("POST", "/v1/identify", VISIT, KEY).status == 200
        assert server("GET", "/healthz").status == 200
        assert server("POST", "/v3/JS/web-key/events", {"mpid": "1"}).status == 202
        status, said = server.stop()
    assert status == 0
    modules = imported(said)
    assert "idsync_cli.engine.service" in modules
    assert not modules & LATER
    assert not modules & {"rich", "sqlite_utils", "trustme", "pydantic", "starlette.applications"}


@pytest.mark.parametrize("options", [[], ["--no-explorer"]])
def test_all_else_is_made_once_the_server_runs(idsync: Program, options: list[str]) -> None:
    with started(idsync, *options, rest_after=AT_ONCE) as (server, _):
        said_until(server, "made")
        status, said = server.stop()
    assert status == 0
    wanted = {"idsync_cli.server.profiles", "idsync_cli.server.subject_requests"}
    wanted |= {"idsync_cli.server.description", "idsync_cli.server.due"}
    if not options:
        wanted |= {"idsync_cli.server.explorer.views"}
    assert wanted <= imported(said)


def test_what_is_asked_before_is_made_for_whoever_asks(idsync: Program) -> None:
    with started(idsync, rest_after=NEVER) as (server, token):
        assert token is not None
        ask = Explored(server, token)
        idsync.write("idsync.yaml", CONFIG.replace("example-org", "other-org"))
        server.process.send_signal(signal.SIGHUP)
        said_until(server, "reloaded")
        assert ask("overview").json()["organization"] == "other-org"
        assert b"<title>" in server("GET", "/").body
        assert "/v1/identify" in server("GET", "/openapi.json").json()["paths"]
        assert server("GET", "/v1/web-key/audience?mpid=1", headers=KEY).status == 403
        assert server("GET", "/v3/discovery").status == 404  # no workspace has such a pair


def test_who_is_erased_by_another_process_is_forgotten_from_the_start(idsync: Program) -> None:
    idsync.write("idsync.yaml", CONFIG)
    with started(idsync, rest_after=NEVER) as (server, token):
        mpid = server("POST", "/v1/identify", VISIT, KEY).json()["mpid"]
        assert idsync.process("erase", "--mpid", mpid).status == 0
        assert token is not None
        reply = Explored(server, token)("live/1")
        assert (reply.status, reply.json()["error"]["code"]) == (404, "NOT_KEPT")


def test_what_cannot_be_made_is_told_at_the_start_and_all_else_is_served(idsync: Program) -> None:
    broken = "idsync_cli.server.profiles idsync_cli.server.explorer.views"
    with started(idsync, rest_after=AT_ONCE, without=broken) as (server, token):
        assert server("POST", "/v1/identify", VISIT, KEY).status == 200
        assert said_until(server, "made").count(BUG) == 2
        reply = server("GET", "/v1/web-key/audience?mpid=1", headers=KEY)
        assert (reply.status, reply.code) == (500, "INTERNAL_ERROR")
        assert reply.headers["access-control-allow-origin"] == "*"
        assert token is not None
        page = Explored(server, token)("overview")
        assert (page.status, page.json()["error"]["code"]) == (500, "INTERNAL_ERROR")
        assert page.headers["x-frame-options"] == "DENY"
        assert server("GET", "/openapi.json").status == 200
        status, said = server.stop()
    assert status == 0
    assert said.count(BUG) == 2  # once more for each that was asked for
    assert json.dumps(VISIT) not in said
