"""Pages of help on a terminal: what stands out in them, and that a narrow one shows all of it."""

import pytest

from idsync_cli.cli.help_topics import LISTS, TOPICS
from idsync_cli.render.help_page import page_lines
from idsync_cli.render.theme import words
from tests.program import (  # noqa: F401 - the fixture
    Program,
    program_in_a_fresh_folder,
)
from tests.test_colour import ALWAYS, SGR

PAGES = [*TOPICS, *LISTS, "login_protection", "email", "strategy", "calculated_attributes"]


@pytest.mark.parametrize("page", PAGES)
def test_a_narrow_terminal_shows_every_word_of_a_page(idsync: Program, page: str) -> None:
    shown = idsync("help", page).stdout.rstrip("\n")
    assert [words(line) for line in page_lines(shown, None)] == shown.split("\n")
    narrow = [words(line) for line in page_lines(shown, 60)]
    assert max(map(len, narrow)) <= 60
    assert " ".join(narrow).split() == shown.split()
    assert narrow.count("") == shown.split("\n").count("")


def test_what_a_name_stands_for_goes_on_below_itself() -> None:
    page = "TYPE\n  login   the same, for a user\n          who signs in\n\nTwo lines\nof a text."
    assert [words(line) for line in page_lines(page, 24)] == [
        "TYPE",
        "  login   the same, for",
        "          a user who",
        "          signs in",
        "",
        "Two lines of a text.",
    ]


def test_headings_and_names_stand_out(idsync: Program) -> None:
    page = idsync("help", "requests", *ALWAYS).stdout
    assert "\x1b[1mTYPE\x1b[0m\n  \x1b[36midentify\x1b[0m   find or create" in page
    assert SGR.sub("", page) == idsync("help", "requests").stdout
    word = idsync("help", "tie", *ALWAYS).stdout
    assert word.startswith("\x1b[1mtie\x1b[0m  (Notes: ")
    assert "\n\n\x1b[1mMeans\x1b[0m: Several profiles" in word
    long = idsync("help", "calculated_attributes", *ALWAYS).stdout
    assert long.startswith("\x1b[1mcalculated_attributes\x1b[0m\n  (Scope keys: ")


def test_an_option_in_the_words_of_help_is_never_broken(idsync: Program) -> None:
    shown = idsync("lint", "--help").stdout
    assert "--fail-on" in shown.split()
    assert "--fail-\n" not in shown
