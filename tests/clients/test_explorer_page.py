"""The explorer in headless Chromium: every view, how it is used, and who wants to get in."""

import json
import os
import re
import runpy
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.clients.clients import FOLDER, chromium, files_served, node_modules
from tests.console_blocks import ROOT
from tests.explored import CONFIG, KEY, STORY, Explored, exploring
from tests.program import Program

HERE = Path(__file__).parent
PACKAGES = ("playwright-core", "axe-core")
VIEWS = (
    *("ask", "profiles", "one", "live", "compare", "configuration", "audiences"),
    "audiences/shop/buyers",
)


def ran(script: str, *arguments: object) -> list[dict[str, Any]]:
    """What a script of the browser told, line by line."""
    command = ["node", HERE / script, node_modules(*PACKAGES), chromium(), *arguments]
    ended = subprocess.run(
        list(map(str, command)), capture_output=True, text=True, check=False, timeout=900
    )
    assert ended.returncode == 0, ended.stderr
    return [json.loads(line) for line in ended.stdout.splitlines()]


def a_program(folder: Path) -> Program:
    program = Program(folder)
    program.write("idsync.yaml", CONFIG)
    program.replay(*STORY, arguments=("--seed", "1"))
    return program


def mpid_of(program: Program, customer: str) -> str:
    return str(program("search", "--customer-id", customer, "--json").json()["mpid"])


def ask_a_few(ask: Explored) -> None:
    for number in range(3):
        person = {"known_identities": {"customerid": f"c{number}", "ios_idfv": "9876"}}
        assert ask.server("POST", "/v1/login", person, KEY).status == 200
    assert ask.server("POST", "/v1/login", {}, {"x-mp-key": "nobody"}).status == 401


@pytest.fixture(scope="module", name="looked")
def every_view(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    node_modules(*PACKAGES)
    program = a_program(tmp_path_factory.mktemp("views"))
    pictures = program.folder / "pictures"
    pictures.mkdir()
    with exploring(program, "--allow-writes") as ask:
        ask_a_few(ask)
        mpid = mpid_of(program, "ABC123")
        found = ran("explorer.mjs", ask.address, pictures, mpid)
    for each in found:
        each["view"] = each["view"].replace(f"profiles/{mpid}", "one")
        name = each["view"].replace("/", "_").replace("one", "profiles_one")
        picture = pictures / f"{name}-{each['width']}-{each['scheme']}.png"
        each["bytes"] = picture.stat().st_size
    return found


@pytest.mark.parametrize("view", VIEWS)
def test_every_view_at_every_width_in_light_and_dark(
    looked: list[dict[str, Any]], view: str
) -> None:
    of_view = [each for each in looked if each["view"] == view]
    assert {(each["width"], each["scheme"]) for each in of_view} == {
        (width, scheme) for width in (400, 900, 1600) for scheme in ("light", "dark")
    }
    for each in of_view:
        assert each["violations"] == []
        assert each["failed"] == []
        assert not each["isTooWide"]
        assert each["misfits"] == []
        assert each["bytes"] > 5_000


@pytest.fixture(scope="module", name="acts")
def how_it_is_used(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    node_modules(*PACKAGES)
    program = a_program(tmp_path_factory.mktemp("acts"))
    assert program("backup", "before.db").status == 0
    other = tmp_path_factory.mktemp("other-site")
    shutil.copy(HERE / "attack.html", other)
    with exploring(program, "--allow-writes") as ask, files_served(other) as attacker:
        restore = [sys.executable, "-m", "idsync_cli", "restore", "before.db"]
        facts = {"restore": restore, "folder": str(program.folder), "attacker": attacker}
        found = ran("explorer_acts.mjs", ask.address, json.dumps(facts))
        steps: dict[str, Any] = {each.pop("step"): each for each in found}
        steps["program"] = program
        yield steps


def of(acts: dict[str, Any], step: str) -> dict[str, Any]:
    found: dict[str, Any] = acts[step]
    assert "error" not in found or not found["error"], found
    return found


def test_without_the_token_the_page_says_how_to_get_in(acts: dict[str, Any]) -> None:
    found = of(acts, "token")
    assert "open the address that idsync printed" in found["without"]
    assert found["isHidden"]
    assert found["other"] == "Audiences"


def test_it_is_used_with_the_keyboard_alone(acts: dict[str, Any]) -> None:
    found = of(acts, "keyboard")
    names = [name for _, name, _ in found["stops"]]
    assert names[0] == "Skip to the view"
    assert names.index("Ask") < names.index("Value")
    assert all(is_seen for _, _, is_seen in found["stops"])
    assert found["spoken"] == "polite"
    assert found["focused"] == "Configuration"
    assert found["title"] == "Configuration · idsync explorer"


def test_a_request_is_carried_out_and_followed(acts: dict[str, Any]) -> None:
    found = of(acts, "write")
    assert "Dry run" not in found["made"]
    assert "new_known_user" in found["line"]
    assert "NEW-ONE" in found["explained"]
    assert "NEW-ONE" in found["nodes"]
    assert "profile" in found["told"]


def test_what_is_shown_can_be_read_however_many_come(acts: dict[str, Any]) -> None:
    found = of(acts, "flood")
    assert found["paused"] == "Paused: 130 new."
    assert "flood-2" in found["explained"]
    assert found["open"] == 1
    assert re.fullmatch(r"Listening: the last 100 of 1\d\d, newest first\.", found["told"])


def test_what_a_dry_run_would_make_is_no_link(acts: dict[str, Any]) -> None:
    found = of(acts, "dryRun")
    assert "is created" in found["told"]
    assert found["links"] == 0


def test_on_a_phone_the_caret_of_a_fault_is_seen(acts: dict[str, Any]) -> None:
    found = of(acts, "fault")
    (left, right), (begin, end) = found["caret"], found["line"]
    assert begin <= left < right <= end <= 400


def test_who_is_not_there_is_told_with_the_way_on(acts: dict[str, Any]) -> None:
    found = of(acts, "notThere")
    assert "no profile has the MPID 5" in found["nobody"]
    assert "'x' is not an MPID" in found["none"]


def test_a_store_that_was_replaced_is_told(acts: dict[str, Any]) -> None:
    found = of(acts, "replaced")
    assert found["restored"] == 0
    assert "The store was replaced while this page was open" in found["told"]


def test_a_page_of_another_site_reads_and_changes_nothing(acts: dict[str, Any]) -> None:
    found = of(acts, "otherSite")
    refused = {each: told for each, told in found.items() if each not in ("beacon", "opaque")}
    for way, told in refused.items():
        assert told.startswith(("failed", "none", "0")) or told == "", (way, told)
    assert found["opaque"] in ("got ", "failed: TypeError")
    search = acts["program"]("search", "--customer-id", "ATTACK")
    assert search.status == 1


def test_a_name_that_resolves_here_reads_and_changes_nothing(acts: dict[str, Any]) -> None:
    found = of(acts, "rebound")
    assert found["status"] == 421
    for status, told in found["asked"]:
        assert status == 421
        assert "shop" not in told
    assert acts["program"]("search", "--customer-id", "REBOUND").status == 1


def test_a_browser_that_runs_no_scripts_is_told_what_to_do(acts: dict[str, Any]) -> None:
    found = of(acts, "withoutScripts")
    assert "This browser is too old" in found["told"]
    assert "idsync search --explain" in found["told"]


def test_the_picture_of_the_documentation_is_taken_of_a_real_run(tmp_path: Path) -> None:
    node_modules(*PACKAGES)
    chromium()
    picture = tmp_path / "explorer.png"
    script = ROOT / "docs" / "make_explorer_picture.py"
    environment = {**os.environ, "IDSYNC_CLIENTS": str(FOLDER)}
    subprocess.run(
        [sys.executable, script, "--to", picture], check=True, timeout=120, env=environment
    )
    taken, kept = picture.read_bytes(), (ROOT / "docs" / "explorer.png").read_bytes()
    text = runpy.run_path(str(script))["text_in"]
    assert "Profile 3448467494100910624 is the answer" in text(kept)
    assert text(taken) == text(kept), "docs/explorer.png is out of date"
    assert taken[16:20] == kept[16:20]  # the width
    assert len(taken) > 50_000
