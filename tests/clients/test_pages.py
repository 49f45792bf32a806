"""Pages in headless Chromium, Mermaid text in Mermaid, and DOT in Graphviz (section 12)."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.clients.clients import chromium, node_modules
from tests.program import CONFIG, Program, mpid_of
from tests.test_graph_command import MARKUP, identify, login, modify
from tests.test_hostile_values import HOSTILE, shown

HERE = Path(__file__).parent
ACTING = (
    "<img src=x onerror='window.owned=1;alert(1)'>",
    "<script>window.owned=1;alert(1)</script>",
    "'\"><svg onload=alert(1)>",
    "</script><script>window.owned=1</script>",
    "javascript:alert(1)",
)
"""What acts on a page that takes it for markup."""


def run(script: str, *arguments: object) -> Any:
    ended = subprocess.run(
        ["node", HERE / script, *map(str, arguments)],
        capture_output=True, text=True, check=False, timeout=500,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout)


def visited(page: Path, width: int = 900, scheme: str = "light") -> Any:
    """What a visit of a page comes to; nothing may act, be asked for, or be complained of."""
    modules = node_modules("playwright-core", "axe-core")
    picture = page.with_name(f"{page.stem}-{width}-{scheme}.png")
    address = page.as_uri()
    seen = run("pages.mjs", modules, chromium(), address, picture, width, scheme)
    assert {*seen["asked"]} == {address}
    assert (seen["dialogs"], seen["said"], seen["errors"], seen["owned"]) == (0, [], [], False)
    assert seen["violations"] == []
    assert (seen["wide"], seen["hidden"]) == (0, 0)
    assert picture.stat().st_size > 5_000
    return seen


@pytest.fixture(name="idsync", scope="module")
def program_with_a_store(tmp_path_factory: pytest.TempPathFactory) -> Program:
    idsync = Program(tmp_path_factory.mktemp("pages"))
    idsync.write("idsync.yaml", CONFIG)
    idsync.make_store()
    idsync.replay(
        login("1", email="a@x", ios_idfv="phone"),
        login("2", email="b@x", ios_idfv="phone"),
        modify(1, "ios_idfv", "phone", "new"),
        *(
            {**identify(email=each, device_application_stamp="d"), "request_id": each}
            for each in (*HOSTILE, *MARKUP, *ACTING)
        ),
    )
    return idsync


def written(idsync: Program, name: str, *arguments: str) -> Path:
    outcome = idsync("graph", *arguments, "--output", name, "--force")
    assert outcome.status == 0, outcome.stderr
    return idsync.folder / name


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [400, 900, 1600])
def test_a_graph_is_told_of_and_its_history_is_run_through(
    idsync: Program, width: int, scheme: str
) -> None:
    seen = visited(written(idsync, "graph.html", mpid_of(1, 1)), width, scheme)
    assert len(seen["told"]) == 6
    assert any("removed by request 3" in each for each in seen["told"])
    assert "added by request" in seen["link"]
    steps = seen["history"]
    assert [(each["links"], each["past"], each["nodes"]) for each in steps] == [
        (3, 0, 4), (4, 0, 5), (5, 1, 6),
    ]  # fmt: skip
    assert steps[0]["said"].startswith("after request 1, ")
    assert steps[-1]["said"] == "as of now"


def test_hostile_values_do_nothing_on_a_page(idsync: Program) -> None:
    seen = visited(written(idsync, "hostile.html", "das=d", "--limit", "50"))
    assert seen["links"] > 10
    seen = visited(written(idsync, "hostile.html", mpid_of(1, 4)))
    told = " ".join(seen["told"])
    for value in (*ACTING, *MARKUP):
        assert shown(value) in told


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_reports_are_pages_on_which_nothing_acts(idsync: Program, scheme: str) -> None:
    strict = CONFIG.replace("customer_id, email, ios_idfv", "customer_id, ios_idfv")
    idsync.write("new.yaml", strict)
    values = [*ACTING, *MARKUP]
    lines = [
        identify(email=each, ios_idfv=f"{n}{m}") for n in "12" for m, each in enumerate(values)
    ]
    lines += [identify(**{each: each}) for each in values]
    idsync.write("r.jsonl", "".join(f"{json.dumps(each)}\n" for each in lines))
    idsync("compare", "--with", "new.yaml", "r.jsonl", "--html", "compare.html", "--force")
    idsync("replay", "r.jsonl", "--dry-run", "--again", "--html", "replay.html", "--force")
    scenarios = "---\n".join(
        f"name: {json.dumps(each)}\nconfig: idsync.yaml\nsteps:\n"
        f"  - identify: {{email: {json.dumps(each)}}}\n    expect: {{status: matched}}\n"
        for each in values
    )
    idsync.write("s.yaml", scenarios)
    assert idsync("check", "s.yaml", "--html", "check.html").status == 1
    for name in ("compare", "replay", "check"):
        for width in (400, 1600):
            visited(idsync.folder / f"{name}.html", width, scheme)


def test_mermaid_draws_what_was_written_as_it_is(idsync: Program) -> None:
    modules, browser = node_modules("playwright-core", "mermaid"), chromium()
    file = written(idsync, "hostile.mmd", mpid_of(1, 4))
    drawn = run("mermaid.mjs", modules, browser, file, idsync.folder / "mermaid.png")
    assert (drawn["type"], drawn["dialogs"], drawn["active"], drawn["owned"]) == (
        "flowchart-v2", 0, 0, False,
    )  # fmt: skip
    assert drawn["asked"] == []
    graph = idsync("graph", mpid_of(1, 4), "--json").json()
    assert drawn["edges"] == len(graph["links"]) + 1  # and the legend
    labels = " ".join(drawn["nodes"])
    for value in (*ACTING, *MARKUP):
        assert shown(value)[:20] in labels
    family = written(idsync, "family.mmd", mpid_of(1, 1))
    drawn = run("mermaid.mjs", modules, browser, family, idsync.folder / "mermaid.png")
    assert drawn["dotted"] == 2  # one in the legend


def test_graphviz_reads_what_was_written(idsync: Program) -> None:
    if shutil.which("dot") is None:
        pytest.skip("Graphviz is not installed")
    file = written(idsync, "hostile.dot", mpid_of(1, 4))
    ended = subprocess.run(
        ["dot", "-Tjson0", file], capture_output=True, text=True, check=True, timeout=100
    )
    drawn = json.loads(ended.stdout)
    assert ended.stderr == ""
    graph = idsync("graph", mpid_of(1, 4), "--json").json()
    assert len(drawn["edges"]) == len(graph["links"]) + 1
    labels = " ".join(each.get("label", "") for each in drawn["objects"])
    assert len(graph["nodes"]) < len(drawn["objects"])
    assert "script" in labels


def shared_by(people: int, folder: Path, *arguments: str) -> Path:
    """The page of a device that people share."""
    idsync = Program(folder)
    idsync.write("idsync.yaml", CONFIG)
    idsync.make_store()
    idsync.replay(*(login(str(each), ios_idfv="shared") for each in range(people)))
    assert idsync("graph", "ios_idfv=shared", *arguments, "--output", "shared.html").status == 0
    return folder / "shared.html"


def test_the_picture_of_a_shared_device_is_printed_below_its_heading(tmp_path: Path) -> None:
    sheet = 900  # pages.mjs makes its window as high
    seen = visited(shared_by(40, tmp_path))
    assert 0 < seen["printed"] <= sheet
    assert seen["sheets"] == 1


def test_a_picture_that_is_higher_than_a_sheet_begins_on_the_first_one(tmp_path: Path) -> None:
    """Below its heading it needs three of them, and by itself, too."""
    assert visited(shared_by(60, tmp_path, "--limit", "60"))["sheets"] == 3
