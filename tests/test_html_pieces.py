"""What pages are made of: text stays text, tables are those of the terminal, nothing is loaded."""

import json
import re
from base64 import b64encode
from hashlib import sha256

import pytest
from rich.console import Group
from rich.table import Table

from idsync_cli.render.html.elements import data, element, markup
from idsync_cli.render.html.page import Page, html, policy
from idsync_cli.render.html.pieces import line, shown
from idsync_cli.render.html.styles import COLOURS, page_style
from idsync_cli.render.tables import laid_out
from idsync_cli.render.theme import STYLES, Look, text
from tests.pages import Reader
from tests.test_hostile_values import HOSTILE

MARKUP = ("<script>alert(1)</script>", "</script><img src=x onerror=alert(1)>", '"><b onclick="x">')


@pytest.mark.parametrize("value", [*MARKUP, *HOSTILE])
def test_a_value_is_text_in_elements_and_in_attributes(value: str) -> None:
    seen = Reader(markup(element("p", value, element("b", value), value, title=value)))
    assert [name for name, _ in seen.elements] == ["p", "b"]
    assert seen.elements[0][1] == {"title": value}
    assert "".join(seen.texts) == value * 3


@pytest.mark.parametrize("value", [*MARKUP, "<!--", "\u2028", "]]>"])
def test_a_value_for_scripts_cannot_end_its_element(value: str) -> None:
    seen = Reader(markup(data("known", {"value": value})))
    assert [name for name, _ in seen.elements] == ["script"]
    assert json.loads("".join(seen.texts)) == {"value": value}


def test_a_table_of_the_terminal_is_a_table_with_the_same_looks() -> None:
    rows = [["1", text(("email", Look.TYPE)), text(("<b>", Look.DECIDED), " x")]]
    [made] = shown([laid_out(("#", "Type", "Value"), rows, 80)])
    seen = Reader(markup(made))
    assert [name for name, _ in seen.elements][:4] == ["div", "table", "thead", "tr"]
    assert [each["class"] for each in seen.named("span")] == ["look-type", "look-decided"]
    assert seen.texts == ["#", "Type", "Value", "1", "email", "<b>", " x"]
    assert [(each["scope"], each.get("class")) for each in seen.named("th")] == [
        ("col", "number"), ("col", None), ("col", None),
    ]  # fmt: skip


def test_a_wide_table_is_shown_as_records_where_there_is_no_room() -> None:
    rows = [["1", "email", "a@example.com", "decided"]]
    [made] = shown([laid_out(("#", "Type", "Value", "Outcome"), rows, 80)])
    seen = Reader(markup(made))
    assert seen.named("div")[0]["class"] == "table records"
    assert [each["data-label"] for each in seen.named("td")] == ["#", "Type", "Value", "Outcome"]
    assert {each["role"] for each in seen.named("td")} == {"cell"}
    [few] = shown([laid_out(("Type", "Value"), [["email", "a@example.com"]], 80)])
    assert few.get("class") == "table"
    [counted] = shown([laid_out(("Request", "Answer", "Number", "Share"), rows, 80)])
    assert counted.get("class") == "table"


def test_what_stands_side_by_side_does_so_on_a_page_and_blank_lines_are_left_out() -> None:
    grid = Table.grid()
    grid.add_row(Group(text("a"), text("")), Group(text("b")))
    made = shown([text(""), grid, "c"])
    assert [each.get("class") for each in made] == ["beside apart", "line"]
    assert Reader("".join(map(markup, made))).texts == ["a", "b", "c"]


def test_looks_that_lie_over_one_another_are_all_there() -> None:
    made = text("profile ", ("17", Look.MPID))
    made.stylize(Look.DECIDED.value)
    seen = Reader(markup(shown([made])[0]))
    assert [each["class"] for each in seen.named("span")] == [
        "look-decided", "look-mpid look-decided",
    ]  # fmt: skip
    assert seen.texts == ["profile ", "17"]


def test_a_piece_that_no_page_can_show_is_told() -> None:
    with pytest.raises(TypeError, match="a page cannot show a object"):
        shown([object()])  # type: ignore[list-item]  # that is the point


def test_every_style_of_the_theme_is_in_the_style_sheet() -> None:
    style = page_style()
    for look in set(STYLES) - {Look.PLAIN}:
        assert f".look-{look}{{" in style
    assert {each.colour for each in STYLES.values()} - {None, "default"} == set(COLOURS)
    assert ".look-not_consulted{color:var(--dim)" in style
    assert "/*" not in style.replace("/**/", "")


def luminance(colour: str) -> float:
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (
        each / 12.92 if each <= 0.04045 else ((each + 0.055) / 1.055) ** 2.4 for each in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("name", COLOURS)
def test_a_colour_can_be_read_on_its_paper(name: str) -> None:
    light, dark = COLOURS[name]
    papers = re.findall(r"--(?:paper|raised): (#\w+)", page_style())
    assert len(papers) == 4
    assert min(contrast(light, each) for each in papers[:2]) >= 4.5
    assert min(contrast(dark, each) for each in papers[2:]) >= 4.5


def digest(text: str) -> str:
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"


def test_a_page_lets_its_own_styles_and_scripts_act_and_nothing_else() -> None:
    page = Page(
        "a <b>",
        [line(["told ", ("x", Look.OK)])],
        styles=["b{}"],
        scripts=["let a"],
        made_by="check",
    )
    made = html(page)
    seen = Reader(made)
    assert made.startswith('<!DOCTYPE html>\n<html lang="en"><head>')
    told = policy(page)
    assert {"http-equiv": "Content-Security-Policy", "content": told} in seen.named("meta")
    directives = dict(each.strip().split(" ", 1) for each in told.split(";"))
    assert directives == {
        "default-src": "'none'",
        "img-src": "data:",
        "style-src": f"{digest(page_style())} {digest('b{}')}",
        "script-src": digest("let a"),
        "base-uri": "'none'",
        "form-action": "'none'",
    }
    assert "a <b>" in seen.texts
    assert not re.findall(r"(?:src|href|url\()=?[\"']?(?!#)\w", made.replace(page_style(), ""))


def test_a_page_without_scripts_lets_none_act_and_one_of_a_server_may_ask_it() -> None:
    assert "script-src 'none'" in policy(Page("x", []))
    assert "connect-src" not in policy(Page("x", []))
    assert "connect-src 'self'; " in policy(Page("x", [], connects=True))
