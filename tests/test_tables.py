"""How tables are laid out: what gives way, where words break, and what keeps its look."""

import pytest

from idsync_cli.render.breaking import broken
from idsync_cli.render.paper import lines
from idsync_cli.render.tables import WIDE, height, laid_out
from idsync_cli.render.theme import Look, text
from tests.program import (  # noqa: F401 - the fixture
    Program,
    program_in_a_fresh_folder,
)
from tests.test_colour import ALWAYS, SGR

STAMP = "4394e91b-c1c7-18dd-b35f-9266052ace93"
TIME = "2026-11-30 13:26:42"
BY = f"login: no_match\n9bc545b393e8e8dd\nsent {TIME}"
ARRIVALS = (
    ("76", TIME, BY, "device_application_stamp", STAMP),
    ("", "", "", "email", "milo.tanaka72@example.com"),
)


def drawn(width: int) -> list[str]:
    """The lines of a table of identifiers, with what added them."""
    headings = ("Seq", "Added (UTC)", "By", "Type", "Value")
    return lines([laid_out(headings, ARRIVALS, width)], width)


def test_a_row_is_no_taller_than_what_added_it_while_others_can_give_way() -> None:
    _, _, *rows = drawn(80)
    assert [row.split()[-1] for row in rows] == [
        "4394e91b-c1c7-",
        "18dd-b35f-",
        "9266052ace93",
        "milo.tanaka72@",
        "example.com",
    ]
    assert "sent 2026-11-30 13:26:42" in rows[2]


@pytest.mark.parametrize("width", [60, 70, 80, 100])
def test_words_and_dates_stay_whole_where_others_can_give_way(width: int) -> None:
    shown = drawn(width)
    assert max(map(len, shown)) <= width
    for whole in ("2026-11-30", "13:26:42", "9bc545b393e8e8dd", "9266052ace93", "example.com"):
        assert any(whole in line for line in shown), whole


def test_a_word_is_cut_through_once_nothing_else_gives_way() -> None:
    shown = lines([laid_out(("Type", "Value"), [("email", "a" * 30)], 26)], 26)
    assert shown[3:] == ["email", f"      {'a' * 20}", f"      {'a' * 10}"]


def test_a_value_that_would_be_cut_through_stands_below_its_row() -> None:
    rows = [("1", "device_application_stamp", "a" * 30, "2"), ("2", "email", "b", "1")]
    table = laid_out(("#", "Type", "Value", "Profiles"), rows, 40)
    heading, second, _, first, first_value, *_ = lines([table], 40)
    assert heading.split() == ["#", "Type", "Profiles"]
    assert second == "  Value"
    assert first.split() == ["1", "device_application_stamp", "2"]
    assert first_value == f"  {'a' * 30}"
    assert height(table) == 4


def test_what_moves_below_its_row_makes_a_tall_table_shorter_by_a_third() -> None:
    stamps = "\n".join(f"device_application_stamp {STAMP}" for _ in range(3))
    rows = [("7003778869905922103", "consumers", "anonymous", stamps)] * 4
    columns = ("MPID", "Scope", "State", "First identifiers")
    assert not laid_out(columns, rows[:1], 68).is_stacked
    tall = laid_out(columns, rows, 68)
    assert tall.is_stacked
    assert f"  device_application_stamp {STAMP}" in lines([tall], 68)


def test_what_stands_below_each_other_stands_side_by_side_where_there_is_room() -> None:
    assert next(line for line in drawn(120) if "9bc545b393e8e8dd" in line).split()[3:] == [
        *("login:", "no_match,", "9bc545b393e8e8dd", "device_application_stamp", STAMP),
    ]
    [row, last] = drawn(160)[2:]
    assert f"login: no_match, 9bc545b393e8e8dd, sent {TIME} device_application_stamp" in row
    assert last.split() == ["email", "milo.tanaka72@example.com"]


def test_a_page_breaks_lines_itself() -> None:
    assert sum(BY.splitlines()[1] in line for line in drawn(WIDE)) == 1
    assert BY.splitlines()[1] in drawn(WIDE)[3]


def test_settings_that_nothing_has_take_no_room() -> None:
    columns = ("Type", "Value", "Settings", "Held by")
    rows = [("email", "a@example.com", "-", "1"), ("ios_idfv", "9876", "-", "2")]
    assert lines([laid_out(columns, rows, 80)], 80)[0].split() == [*columns[:3], "Held", "by"]
    narrow = lines([laid_out(columns, rows, 32)], 32)
    assert narrow[0].split() == ["Type", "Value", "Held", "by"]
    assert narrow[2] == "email    a@example.com       1"
    assert len(narrow) == 4
    unlike = [("email", "a@example.com", "unique", "1"), *rows]
    assert "Settings" in lines([laid_out(columns, unlike, 32)], 32)[1]


def test_numbers_stand_at_the_right_unless_something_stands_below_them() -> None:
    table = laid_out(("Eligible", "Left"), [("1", "1"), ("10", "10")], 80)
    assert lines([table], 80)[2:] == ["       1    1", "      10   10"]
    table = laid_out(("Eligible", "Left"), [("1\n  9 login_protection", "1")], 80)
    assert lines([table], 80)[2] == "1                       1"


def test_a_line_that_is_indented_goes_on_at_its_indent() -> None:
    assert broken(text("narrowed\n  lost here"), 8).plain == "narrowed\n  lost\n  here"
    assert broken(text("    a b c"), 5).plain == "    a\n  b c"


def test_the_height_of_a_table_is_that_of_its_rows() -> None:
    table = laid_out(("#", "Value"), [("1", "one\ntwo"), ("2", "three")], 80)
    assert height(table) == 3


def test_settings_that_are_shortened_look_as_their_row_does() -> None:
    settings = text(("login unique immutable", Look.DECIDED))
    table = laid_out(("Value", "Settings"), [(STAMP, settings)], 50)
    shown = lines([table], 50, has_colour=True)
    assert any("\x1b[1;32mlog uniq" in line for line in shown)


def test_text_beside_a_table_that_is_too_wide_is_as_wide_as_the_terminal() -> None:
    table = laid_out(("Number",), [("1" * 50,)], 20)
    shown = lines(["some words that take more than a line", table], 20)
    assert shown[:2] == ["some words that take", "more than a line"]


# What an explanation shows where


@pytest.fixture(name="shop")
def program_with_a_customer(idsync: Program) -> Program:
    """A known profile whose stamp and email do not find it alone."""
    idsync.write("idsync.yaml", RULES)
    idsync.make_store()
    known = ("--customer-id", "C-1", "--email", "ravi.quinn27@example.com", "--das", STAMP)
    assert idsync("login", *known).status == 0
    return idsync


RULES = """\
version: 1
scopes:
  consumers:
    strategy: profile_conversion
    priority: [customer_id, email, ios_idfv, device_application_stamp]
    identities: {customer_id: {login: true, unique: true, immutable: true}}
"""
EXPLAINED = ("identify", "--dry-run", "--explain", "--email", "ravi.quinn27@example.com")


def test_reasons_stand_below_a_table_that_they_would_make_longer(shop: Program) -> None:
    narrow = Program(shop.folder, 80)(*EXPLAINED, "--das", STAMP).stdout.splitlines()
    assert "tier 2: 1 immutable_protection" in narrow
    assert "tier 4: 1 immutable_protection" in narrow
    assert any(line.split()[:3] == ["2", "email", "ravi.quinn27@example."] for line in narrow)
    wide = Program(shop.folder, 140)(*EXPLAINED, "--das", STAMP).stdout.splitlines()
    assert [line.strip() for line in wide].count("1 immutable_protection") == 2
    assert not any(line.startswith("tier ") for line in wide)


@pytest.mark.parametrize("columns", [60, 80, 100])
def test_an_explanation_is_no_wider_than_the_terminal(shop: Program, columns: int) -> None:
    narrow = Program(shop.folder, columns)
    for more in ((), ("--das", STAMP), ("--customer-id", "C-1", "--das", STAMP)):
        shown = narrow(*EXPLAINED, *more).stdout.splitlines()
        assert max(map(len, shown)) <= columns, more
        assert any(STAMP[-12:] in line for line in shown) == ("--das" in more), more


def test_a_tier_that_was_not_consulted_has_no_colour_of_its_own(shop: Program) -> None:
    shown = shop(*EXPLAINED, "--customer-id", "C-1", *ALWAYS).stdout
    [line] = [each for each in shown.splitlines() if "not" in SGR.sub("", each).split()[4:]]
    assert "\x1b[2;39memail" in line or "\x1b[36;2;39memail" in line


def test_a_warning_has_colour_where_it_says_why_and_nowhere_else(shop: Program) -> None:
    search = ("search", "--email", "ravi.quinn27@example.com", *ALWAYS)
    near = shop(*search).stdout.splitlines()[2]
    assert SGR.sub("", near).startswith("1 profile holds email ravi.quinn27@example.com, but ")
    assert near.startswith("1 profile")
    assert "(\x1b[33mimmutable_search\x1b[0m); --explain shows all" in near


def test_types_mpids_and_states_look_like_themselves_everywhere(shop: Program) -> None:
    mpid = SGR.sub("", shop("profiles").stdout.splitlines()[2]).split()[0]
    show = ("--mpid", mpid, *ALWAYS)
    for command in (("profile", "show"), ("profile", "show", "--story"), ("profile", "query")):
        head = shop(*command, *show).stdout.splitlines()[0]
        assert f"\x1b[35m{mpid}\x1b[0m" in head
        assert head.endswith("\x1b[1mknown\x1b[0m")
    assert f"changes of profile \x1b[35m{mpid}" in shop("history", *show).stdout
    heading = shop("history", "customer_id=C-1", *ALWAYS).stdout.splitlines()[0]
    assert heading == "changes of \x1b[36mcustomer_id\x1b[0m C-1"
    query = shop("profile", "query", *show).stdout
    assert "\x1b[36mdevice_application_stamp\x1b[0m" in query
