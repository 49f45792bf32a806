"""`--svg` saves an explanation as a picture, in which foreign values are text and nothing else."""

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.program import (  # noqa: F401 - the fixture
    Outcome,
    Program,
    assert_refused,
    program_in_a_fresh_folder,
)
from tests.test_hostile_values import HOSTILE

DRAWN = {"svg", "style", "defs", "clipPath", "rect", "g", "circle", "text"}
ASKED = ("identify", "--email", "a@example.com", "--idfv", "1")


def picture(idsync: Program, name: str = "x.svg") -> ElementTree.Element:
    root = ElementTree.fromstring((idsync.folder / name).read_bytes())  # our own
    for element in root.iter():
        element.tag = element.tag.removeprefix("{http://www.w3.org/2000/svg}")
    return root


COLUMN = 12.0
"""How wide a character is drawn."""


def lines(root: ElementTree.Element) -> list[str]:
    """The lines of text, each piece at its column."""
    found: dict[str, str] = {}
    for each in root.iter("text"):
        place, text = each.attrib["y"], text_of(each)
        if text:
            column = round(float(each.attrib["x"]) / COLUMN)
            found[place] = found.get(place, "").ljust(column) + text
    return [line.strip() for line in found.values()]


def text_of(element: ElementTree.Element) -> str:
    """Its text; Rich also draws the end of each line, which shows nothing."""
    return (element.text or "").replace("\xa0", " ").removesuffix("\n")


def test_an_explanation_is_saved_as_a_picture(idsync: Program) -> None:
    idsync.make_store()
    outcome = idsync(*ASKED, "--explain", "--svg", "x.svg", "--dry-run")
    assert outcome == idsync(*ASKED, "--explain", "--dry-run")
    shown = lines(picture(idsync))
    assert shown[0] == "idsync identify"
    assert "identify in scope consumers, request 1" in shown
    assert "+ email a@example.com" in shown
    assert any("not in request" in line for line in shown)


@pytest.mark.parametrize("form", [(), ("--json",)])
def test_what_is_written_out_stays_as_it_was_asked_for(
    idsync: Program, form: tuple[str, ...]
) -> None:
    idsync.make_store()
    outcome = idsync(*ASKED, "--svg", "x.svg", "--dry-run", *form)
    assert outcome == idsync(*ASKED, "--dry-run", *form)
    assert "identify in scope consumers, request 1" in lines(picture(idsync))


def test_the_picture_of_an_answer_is_the_same_everywhere(idsync: Program) -> None:
    idsync.make_store()
    found = set()
    for environment in ({}, {"NO_COLOR": "1"}, {"FORCE_COLOR": "1"}, {"COLUMNS": "40"}):
        options = ("--svg", "x.svg", "--force", "--dry-run")
        assert idsync(*ASKED, *options, environment=environment).status == 0
        found.add((idsync.folder / "x.svg").read_bytes())
    assert len(found) == 1


def test_a_picture_asks_no_network_for_anything(idsync: Program) -> None:
    assert idsync(*ASKED, "--svg", "x.svg").status == 0
    text = (idsync.folder / "x.svg").read_text(encoding="utf-8")
    assert re.findall(r"\w+://[^\"]*", text) == ["http://www.w3.org/2000/svg"]
    assert set(re.findall(r"url\(.", text)) == {"url(#"}
    assert "@" not in text.replace("a@example.com", "")  # no @import and no @font-face


@pytest.mark.parametrize("kind", ["identify", "search", "modify"])
def test_values_are_text_in_a_picture_whatever_they_hold(idsync: Program, kind: str) -> None:
    made = idsync("login", "--customer-id", "A", "--json").json()
    for number, value in enumerate(HOSTILE):
        named = ("--customer-id", "A") if kind != "modify" else ("--mpid", made["mpid"])
        outcome = idsync(kind, *named, f"--email={value}", "--svg", f"{number}.svg", "--dry-run")
        assert outcome.status == 0, (value, outcome)
        root = picture(idsync, f"{number}.svg")
        assert {each.tag for each in root.iter()} <= DRAWN
        for each in root.iter():
            assert not any(name.startswith("on") or "href" in name for name in each.attrib)
            if each.tag == "text":
                assert text_of(each).isprintable()


def test_a_modify_and_a_negative_answer_have_their_pictures(idsync: Program) -> None:
    made = idsync(*ASKED, "--json").json()
    change = ("modify", "--mpid", made["mpid"], "--email", "b@example.com")
    assert idsync(*change, "--svg", "modify.svg").status == 0
    assert "- email a@example.com" in lines(picture(idsync, "modify.svg"))
    assert idsync("search", "--idfv", "none", "--svg", "none.svg").status == 1
    assert any("No profile found" in line for line in lines(picture(idsync, "none.svg")))


def test_a_dry_run_says_that_only_the_store_was_left_alone(idsync: Program) -> None:
    outcome = idsync(*ASKED, "--dry-run", "--svg", "x.svg")
    assert "dry run: nothing was written to the store\n" in outcome.stderr
    assert set(idsync.files()) == {"idsync.yaml", "x.svg"}


def test_of_a_request_that_is_refused_there_is_no_picture(idsync: Program) -> None:
    outcome = idsync("modify", "--mpid", "5", "--email", "a", "--svg", "x.svg")
    assert (outcome.status, outcome.stdout) == (1, "")
    assert set(idsync.files()) == {"idsync.yaml"}


@pytest.mark.parametrize(
    ("svg", "words"),
    [
        (("--svg", "there.svg"), "--svg 'there.svg' already exists; use --force to replace it"),
        (("--svg", "."), "it is a folder"),
        (("--svg", "no/x.svg"), "its folder does not exist"),
        (("--svg", ""), "--svg '' is not a path"),
        (("--svg", "idsync.yaml", "--force"), "is the configuration"),
        (("--svg", "idsync.db", "--force"), "is the store"),
        (("--force",), "--force has no effect without --svg"),
    ],
)
def test_where_no_picture_may_be_nothing_is_done(
    idsync: Program, svg: tuple[str, ...], words: str
) -> None:
    idsync.make_store()
    idsync.write("there.svg", "")
    before = idsync.files()
    assert_refused(idsync(*ASKED, "--explain", *svg), 2, words)
    assert idsync.files() == before


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is full")
def test_a_picture_that_cannot_be_written_is_told_of(idsync: Program) -> None:
    outcome = idsync(*ASKED, "--svg", "/dev/full")
    assert outcome.status == 3
    assert "the request was answered, but --svg '/dev/full' cannot be written" in outcome.stderr
    assert outcome.stdout.startswith("created ")
