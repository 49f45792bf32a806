"""dagre lays out the graphs of pages, which are whole pictures as they are written (section 12)."""

import json
import os
import re
import subprocess
import sys
from itertools import combinations
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.clients.clients import FOLDER, chromium, node_modules
from tests.clients.test_pages import run, visited
from tests.console_blocks import ROOT
from tests.pages import Reader
from tests.program import CONFIG, Program
from tests.test_graph_command import identify, login

LIBRARY = ROOT / "idsync_cli" / "render" / "html" / "dagre.js"
GAP = 8


class Box(NamedTuple):
    x: float
    y: float
    width: float
    height: float


class Picture(NamedTuple):
    """A picture as it is drawn; links by their two ends, which may have several."""

    nodes: dict[str, Box]
    links: list[tuple[str, str, list[float], dict[str, str | None] | None]]
    width: float
    height: float

    def crossings(self) -> int:
        return sum(
            self.nodes[a].x == self.nodes[c].x
            and (self.nodes[a].y - self.nodes[c].y) * (self.nodes[b].y - self.nodes[d].y) < 0
            for (a, b), (c, d) in combinations(dict.fromkeys(each[:2] for each in self.links), 2)
        )


def numbers(text: str | None) -> list[float]:
    return [float(each) for each in re.findall(r"-?[\d.]+", text or "")]


def pictures(page: str) -> list[Picture]:
    """The pictures of a page, or of a part of one."""
    return [picture(each) for each in re.findall(r"<svg .*?</svg>", page, re.DOTALL)]


def picture(drawn: str) -> Picture:
    elements = Reader(drawn).elements
    left, top, width, height = numbers(elements[0][1]["viewbox"])
    assert (elements[0][1]["width"], elements[0][1]["height"]) == (f"{width:g}", f"{height:g}")
    found = Picture({}, [], width + 2 * left, height + 2 * top)
    drawn_links: list[tuple[list[str], list[float], dict[str, str | None] | None]] = []
    for place, (name, its) in enumerate(elements):
        if name == "g" and "node" in str(its["class"]).split():
            [x, y] = numbers(its["transform"])
            _, box = elements[place + 1]
            found.nodes[str(its["data-id"])] = Box(
                x, y, float(box["width"] or 0), float(box["height"] or 0)
            )
        elif name == "g":
            (_, near), (_, path) = elements[place + 1 : place + 3]
            assert near["d"] == path["d"]
            after = elements[place + 3] if len(elements) > place + 3 else ("", {})
            label = after[1] if after[0] == "text" else None
            drawn_links.append((str(its["data-ends"]).split(), numbers(path["d"]), label))
    for ends, heights, label in drawn_links:
        one, other = sorted(ends, key=lambda each: found.nodes[each].x)
        found.links.append((one, other, heights, label))
    return found


def assert_whole(drawn: Picture) -> None:
    """Nodes stand apart, in the picture, in the order to read them; links lead to them."""
    boxes = list(drawn.nodes.values())
    assert boxes == sorted(boxes)
    for each in boxes:
        assert each.x >= 0
        assert each.y >= 0
        assert each.x + each.width <= drawn.width + 1
        assert each.y + each.height <= drawn.height + 1
    assert min(each.y for each in boxes) == pytest.approx(0)
    for one, other in combinations(boxes, 2):
        if one.x == other.x:
            assert abs(other.y - one.y) >= one.height + GAP - 0.11
        else:
            assert one.x + one.width < other.x
    for begin, end, path, label in drawn.links:
        first, last = drawn.nodes[begin], drawn.nodes[end]
        assert path[:2] == pytest.approx(
            [first.x + first.width, first.y + first.height / 2], abs=0.1
        )
        assert path[-2:] == pytest.approx([last.x, last.y + last.height / 2], abs=0.1)
        assert [path[3], path[5]] == pytest.approx([path[1], path[7]])
        assert path[2] == pytest.approx(path[4], abs=0.11)
        if label is not None:
            assert label["class"] in ("begin", "middle", "end")
            where = {"begin": path[1], "middle": (path[1] + path[7]) / 2, "end": path[7]}
            assert numbers(label["y"]) == pytest.approx([where[str(label["class"])]], abs=0.11)


@pytest.fixture(name="idsync", scope="module")
def program_with_all_kinds(tmp_path_factory: pytest.TempPathFactory) -> Program:
    idsync = Program(tmp_path_factory.mktemp("layout"))
    idsync.write("idsync.yaml", CONFIG)
    idsync.make_store()
    idsync.replay(
        login("small", email="small@x"),
        *(login("sixty", email=f"sixty{n}@x", ios_idfv=f"sixty{n}") for n in range(30)),
        *(login(f"friend{n}", ios_idfv=f"sixty{n}", email=f"friend{n}@x") for n in range(5)),
        *(login(f"tv{n}", ios_idfv="tv", email=f"tv{n}@x") for n in range(12)),
        *(login(f"tv{n}", ios_idfv=f"of{n // 3}", email=f"of{n // 2}@x") for n in range(12)),
        *(login(f"tie{n // 2}", ios_idfv=f"tie{(n + 1) // 2}") for n in range(8)),
    )
    strict = CONFIG.replace("customer_id, email, ios_idfv", "customer_id, ios_idfv")
    idsync.write("new.yaml", strict.replace(", device_application_stamp", ""))
    lines = [
        identify(email=f"{n * n % 7}", ios_idfv=f"{n}-{k}", device_application_stamp=f"d{n // 2}")
        for n in range(12)
        for k in range(3)
    ]
    idsync.write("r.jsonl", "".join(f"{json.dumps(each)}\n" for each in lines))
    return idsync


KINDS = {
    "small": ("email=small@x",),
    "sixty": ("MPID", "sixty"),
    "device": ("idfv=tv",),
    "of a profile": ("MPID", "tv4"),
    "tie": ("idfv=tie0", "idfv=tie4"),
    "scope": ("--scope", "consumers"),
    "split": ("--compare", "idsync.yaml", "new.yaml", "r.jsonl"),
    "merge": ("--compare", "new.yaml", "idsync.yaml", "r.jsonl"),
}


def drawn_page(idsync: Program, kind: str) -> Path:
    asked = KINDS[kind]
    if asked[0] == "MPID":
        asked = (idsync("search", "--customer-id", asked[1], "--json").json()["mpid"],)
    name = f"{kind.replace(' ', '-')}.html"
    outcome = idsync("graph", *asked, "--output", name, "--force")
    assert (outcome.status, outcome.stderr) == (0, "")
    return idsync.folder / name


def laid_out(page: Path) -> Any:
    if not LIBRARY.is_file():
        pytest.skip("the library is not there: see get_dagre.py")
    seen = run("graph_layout.mjs", node_modules("playwright-core"), chromium(), page.as_uri())
    assert seen["failed"] == []
    return seen


@pytest.mark.parametrize("kind", KINDS)
def test_a_page_is_a_whole_picture_without_its_scripts(idsync: Program, kind: str) -> None:
    written = pictures(drawn_page(idsync, kind).read_text("utf-8"))
    assert written
    for each in written:
        assert_whole(each)


@pytest.mark.parametrize("kind", KINDS)
def test_dagre_lays_it_out_before_anybody_sees_it(idsync: Program, kind: str) -> None:
    page = drawn_page(idsync, kind)
    seen = laid_out(page)
    assert f"dagre@{seen['library']}\n" in LIBRARY.read_text("utf-8")[:40]
    assert seen["moved"] == 0
    written, found = pictures(page.read_text("utf-8")), pictures("".join(seen["pictures"]))
    assert len(found) == len(written)
    for before, after in zip(written, found, strict=True):
        assert_whole(after)
        assert {name: box.x for name, box in after.nodes.items()} == {
            name: box.x for name, box in before.nodes.items()
        }
        assert [each[:2] for each in after.links] == [each[:2] for each in before.links]
        assert after.crossings() <= before.crossings()
        assert after.height <= before.height * 1.25


def test_it_is_laid_out_so_that_links_that_need_not_cross_do_not(idsync: Program) -> None:
    for kind in ("small", "sixty", "tie"):
        [found] = pictures("".join(laid_out(drawn_page(idsync, kind))["pictures"]))
        assert found.crossings() == 0


def test_the_number_of_a_request_stands_where_one_link_ends(idsync: Program) -> None:
    """Also where both ends have several, but one of them on different sides."""
    [written] = pictures(drawn_page(idsync, "sixty").read_text("utf-8"))
    assert {str(label and label["class"]) for *_, label in written.links} == {"begin", "end"}


def test_of_those_that_are_alike_the_first_stays_above(idsync: Program) -> None:
    page = drawn_page(idsync, "sixty")
    [written] = pictures(page.read_text("utf-8"))
    [found] = pictures("".join(laid_out(page)["pictures"]))
    held = [each for link in written.links for each in link[:2]]
    leaves = [each for each in written.nodes if held.count(each) == 1]
    for x in {box.x for box in written.nodes.values()}:
        column = [each for each in leaves if written.nodes[each].x == x]
        assert column == [each for each in found.nodes if each in column]


@pytest.mark.parametrize("kind", ["sixty", "split", "scope"])
def test_a_page_with_the_library_acts_as_one_without(idsync: Program, kind: str) -> None:
    page = drawn_page(idsync, kind)
    seen = visited(page)
    nodes = sum(len(each.nodes) for each in pictures(page.read_text("utf-8")))
    assert len(seen["told"]) == min(nodes, 300)
    text = page.read_text("utf-8")
    assert text.count("@dagrejs/dagre@") == LIBRARY.is_file()
    assert text.count("Permission is hereby granted") == LIBRARY.is_file()


def test_a_picture_of_thousands_of_links_stays_as_it_was_written(tmp_path: Path) -> None:
    idsync = Program(tmp_path)
    idsync.write("idsync.yaml", CONFIG)
    idsync.make_store()
    idsync.replay(
        *(
            login(f"c{n}", ios_idfv=f"{n}-{k}", email=f"{(n + k * k) // 9}@x")
            for n in range(440)
            for k in range(9)
        )
    )
    outcome = idsync("graph", "--scope", "consumers", "--limit", "440", "--output", "big.html")
    assert outcome.status == 0, outcome.stderr
    page = tmp_path / "big.html"
    written = max(pictures(page.read_text("utf-8")), key=lambda each: len(each.links))
    assert len(written.links) > 4000
    found = pictures("".join(laid_out(page)["pictures"]))
    assert max(found, key=lambda each: len(each.links)) == written


def test_the_picture_of_the_documentation_is_what_a_browser_shows() -> None:
    if not LIBRARY.is_file():
        pytest.skip("the library is not there: see get_dagre.py")
    node_modules("playwright-core")
    chromium()
    ended = subprocess.run(
        [sys.executable, ROOT / "docs" / "make_graph.py", "--check"],
        capture_output=True, text=True, check=False, cwd=ROOT,
        env={**os.environ, "IDSYNC_CLIENTS": str(FOLDER), "COLUMNS": "60", "IDSYNC_STORE": "x"},
    )  # fmt: skip
    assert (ended.returncode, ended.stderr) == (0, "")
