"""The published web SDK in headless Chromium, on the page of examples/shop (section 10)."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.clients.clients import SHOP, chromium, files_served, node_modules
from tests.http_api import serving
from tests.program import Program

SCRIPT = Path(__file__).with_name("shop.mjs")
KEY, SECRET = "shop-web", "not-a-secret"


@pytest.fixture(scope="module", name="visit")
def a_visit(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What was seen at each step, and what the server explains of it afterwards."""
    modules = node_modules("@mparticle/web-sdk", "playwright-core")
    browser = chromium()
    folder = tmp_path_factory.mktemp("shop")
    page = folder / "page"
    page.mkdir()
    for name in ("index.html", "shop.js"):
        shutil.copy(SHOP / name, page)
    (page / "node_modules").symlink_to(modules)
    program = Program(folder)
    program.write("idsync.yaml", (SHOP / "idsync.yaml").read_bytes())
    pictures = folder / "pictures"
    pictures.mkdir()
    with (
        serving(program, "--tls", "--log", "--record", "day.jsonl", "--seed", "1") as server,
        files_served(page) as address,
    ):
        opened = f"{address}/?server=localhost:{server.port}&key={KEY}"
        ended = subprocess.run(
            ["node", SCRIPT, modules, browser, opened, pictures],
            capture_output=True, text=True, check=False, timeout=400,
        )  # fmt: skip
        assert ended.returncode == 0, ended.stderr
        _, said = server.stop()
    steps = {each["step"]: each for each in map(json.loads, ended.stdout.splitlines())}
    steps["program"] = program
    steps["said"] = said
    steps["pictures"] = pictures
    return steps


STEPS = ("visitor", "login", "change", "logout", "second", "refused", "return")


@pytest.mark.parametrize("step", STEPS)
def test_the_page_and_the_sdk_agree_at_each_step(visit: dict[str, Any], step: str) -> None:
    told = visit[step]
    assert told["failed"] == []
    assert told["page"]["mpid"] == told["user"]["mpid"]
    assert told["page"]["loggedIn"] == ("yes" if told["user"]["loggedIn"] else "no")
    assert (visit["pictures"] / f"{step}.png").stat().st_size > 5_000


def test_whom_the_sdk_takes_the_user_for_is_whom_the_server_answered(visit: dict[str, Any]) -> None:
    mpids = [visit[step]["user"]["mpid"] for step in STEPS]
    visitor, ann, changed, after, bob, refused, back = mpids
    assert visitor != ann == changed
    assert after not in (ann, bob)
    assert bob == refused == back
    logged_in = [visit[step]["user"]["loggedIn"] for step in STEPS]
    assert logged_in == [False, True, True, False, True, True, True]
    recorded = [
        json.loads(line)
        for line in (visit["program"].folder / "day.jsonl").read_text().splitlines()
    ]
    of_identity = [each for each in recorded if each["type"] not in ("batch", "alias")]
    assert [each["type"] for each in of_identity] == [
        "identify", "login", "modify", "logout", "login", "identify", "search",
    ]  # fmt: skip
    answered = [each["response"] for each in of_identity]
    assert answered[:5] == [{"mpid": each} for each in (visitor, ann, ann, after, bob)]
    assert answered[5:] == [{"mpid": bob}, {"mpid": ann}]


def test_the_sdk_is_told_what_went_wrong_and_stays_logged_in(visit: dict[str, Any]) -> None:
    answer = visit["refused"]["page"]["answer"]
    assert answer.startswith("400 ")
    assert "PROTECTED_IDENTITY" in answer
    assert visit["refused"]["user"]["loggedIn"]
    assert "ann@example.org" not in answer


def test_a_search_finds_the_first_customer(visit: dict[str, Any]) -> None:
    found = visit["search"]["found"]
    assert found["httpCode"] == 200, found
    assert found["body"]["mpid"] == visit["login"]["user"]["mpid"]


def test_the_events_and_the_alias_came(visit: dict[str, Any]) -> None:
    program, ann = visit["program"], visit["login"]["user"]["mpid"]
    assert "alias 202" in visit["login"]["page"]["answer"]
    told = program("profile", "query", "--mpid", ann, "--fields", "events", "--json").json()
    names = [each["event_type"] for each in told["events"]]
    assert "commerce_event" in names  # of the visitor, by alias
    assert "  400  " not in visit["said"].replace("modify  400  ", "modify, wanted")
    bob = visit["second"]["user"]["mpid"]
    told = program("profile", "query", "--mpid", bob, "--fields", "events", "--json").json()
    bought = [each for each in told["events"] if each["event_type"] == "commerce_event"]
    assert len(bought) == 1  # the last, by sendBeacon
