"""What differs looks different, wherever a value is shown to people."""

import re
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idsync_cli.core.identity import Identifier, IdentityType
from idsync_cli.errors import quoted
from idsync_cli.render.identifiers import in_a_list, in_one_list
from idsync_cli.visible import visible
from tests.program import Program, program_in_a_fresh_folder

__all__ = ["program_in_a_fresh_folder"]

CONFIG = """\
version: 1
scopes:
  main:
    strategy: profile_conversion
    priority: [customer_id, email, mobile_number, push_token]
    identities: {customer_id: {login: true, unique: true}}
"""
TOKEN = "cFq3kXyz" * 9 + ":" + "APA91bHu" * 12


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("a@example.com", "a@example.com"),
        ("Mia Lee", "Mia Lee"),
        ("a ", r"a\x20"),
        ("  a", r"\x20\x20a"),
        ("a  b", r"a\x20\x20b"),
        ("a\u00a0b", r"a\xa0b"),
        ("a\tb\n", r"a\tb\n"),
        ("josé", "josé"),
        ("jose\u0301", r"jose\u0301"),
        ("\u212bngström", r"\u212bngström"),
        ("x\u0301", "x\u0301"),  # no other character is that
        ("\u0301x", r"\u0301x"),
        ("\u1112\u1161", "\u1112\\u1161"),
        ("한국어", "한국어"),
        ("हिन्दी", "हिन्दी"),
        ("josе@example.com", r"jos\u0435@example.com"),
        ("раypal", r"\u0440\u0430ypal"),
        ("пaypal", r"\u043faypal"),
        ("Ивaн", r"Ив\x61н"),
        ("Иван@example.com", "Иван@example.com"),
        ("АВС-123", r"\u0410\u0412\u0421-123"),
        ("сосо@example.com", r"\u0441\u043e\u0441\u043e@example.com"),
        ("Νίκος", "Νίκος"),
        ("Müller-Łódź", "Müller-Łódź"),
        ("ａ1", r"\uff411"),
        ("東京Ａ", "東京Ａ"),
        ("a\u2010b", r"a\u2010b"),
        ("a…b", r"a\u2026b"),
        ("─▶", r"\u2500\u25b6"),
        ("a\u200bb", r"a\u200bb"),
        ("a\ufe0f", r"a\ufe0f"),
        ("a\u3164", r"a\u3164"),
        ("\u202ea", r"\u202ea"),
        (r"DOMAIN\ann", r"DOMAIN\ann"),
        (r"a\x20", r"a\\x20"),
        (r"a\n", r"a\\n"),
        ("a\\ ", r"a\\\x20"),
        ("\x1b\\[x", r"\x1b\[x"),
        ("a\\\\", "a\\\\\\"),
        ("😀", "😀"),
    ],
)
def test_what_is_hidden_is_an_escape(value: str, shown: str) -> None:
    assert visible(value) == shown


LIKELY_TO_BE_TAKEN = st.text(
    st.sampled_from(" \\xnu0235ea\u0301éеа\u0435ЖIΙ１1\n\u00a0\u200b\ufe0fñn\u0303"), max_size=8
)


@given(LIKELY_TO_BE_TAKEN, LIKELY_TO_BE_TAKEN)
def test_two_values_are_never_shown_alike(one: str, other: str) -> None:
    assert (visible(one) == visible(other)) is (one == other)


@given(st.text())
def test_whatever_it_is_it_can_be_shown_and_read_back(value: str) -> None:
    shown = visible(value)
    assert shown.isprintable()
    assert shown == shown.strip()
    escape = r"\\(?:([nrt\\])|x([0-9a-f]{2})|u([0-9a-f]{4})|U([0-9a-f]{8}))"
    read = re.sub(escape, lambda each: each[0].encode().decode("unicode_escape"), shown)
    assert read == value


def test_between_quotation_marks_a_space_can_be_seen() -> None:
    assert quoted("a ") == "'a '"
    assert quoted("jose\u0301 ") == r"'jose\u0301 '"


def test_a_long_push_token_is_shortened_in_a_list_and_nothing_else() -> None:
    def token(value: str) -> Identifier:
        return Identifier(IdentityType.PUSH_TOKEN, value)

    assert in_a_list(token("9876")) == "9876"
    assert in_a_list(Identifier(IdentityType.EMAIL, TOKEN)) == TOKEN
    shown = in_a_list(token(TOKEN))
    assert shown == "cFq3kXyzcF…A91bHu"
    twins = map(token, (TOKEN, TOKEN[:40] + "!" + TOKEN[40:], "other", TOKEN))
    assert list(in_one_list(twins).values()) == [f"{shown} (1)", f"{shown} (2)", "other"]


@pytest.fixture(name="shop")
def program_with_values_that_look_alike(idsync: Program) -> Program:
    idsync.write("idsync.yaml", CONFIG)
    idsync.make_store()
    for value in ("lea@x.org", "lea@x.org ", "jose\u0301@x.org", "josé@x.org", "josе@x.org"):
        assert idsync("identify", "--email", value, "--push-token", TOKEN + value).status == 0
    return idsync


DIFFERENT = ("lea@x.org", r"lea@x.org\x20", r"jose\u0301@x.org", "josé@x.org", r"jos\u0435@x.org")


def test_a_table_of_profiles_shows_each_of_them(shop: Program) -> None:
    lines = shop("profiles").stdout.splitlines()
    emails = [line.partition(" email ")[2] for line in lines if " email " in line]
    assert emails == list(DIFFERENT)
    tokens = [line for line in lines if "push_token" in line]
    assert len(tokens) == len(DIFFERENT)
    assert all(line.split("push_token ")[1].startswith("cFq3kXyzcF…") for line in tokens)


@pytest.mark.parametrize("number", range(len(DIFFERENT)))
def test_every_other_text_shows_it_as_well(shop: Program, number: int) -> None:
    profile = shop("profiles", "--json").lines()[number]
    [value], mpid = profile["identities"]["email"], profile["mpid"]
    wide = {"COLUMNS": "400"}
    shown = f"email {DIFFERENT[number]}"
    commands: Sequence[tuple[str, ...]] = (
        ("search", "--email", value),
        ("whois", f"email={value}"),
        ("history", f"email={value}"),
        ("profile", "show", "--mpid", mpid, "--story"),
    )
    for command in commands:
        lines = shop(*command, environment=wide).stdout.splitlines()
        assert any(line.endswith(shown) for line in lines), command
    commands = (
        ("search", "--email", value, "--explain"),
        ("history", "--mpid", mpid),
        ("profile", "show", "--mpid", mpid),
    )
    for command in commands:
        lines = shop(*command, environment=wide).stdout.splitlines()
        assert any(DIFFERENT[number] in line.split() for line in lines), command
    markdown = shop("profile", "show", "--mpid", mpid, "--story", "--markdown").stdout
    assert f"email `{DIFFERENT[number]}`" in markdown


def test_a_push_token_takes_one_line_in_lists_and_is_whole_where_it_is_looked_at(
    shop: Program,
) -> None:
    mpid = shop("profiles", "--json").lines()[0]["mpid"]
    token = TOKEN + "lea@x.org"
    commands: Sequence[tuple[str, ...]] = (
        ("search", "--push-token", token, "--explain"),
        ("whois", f"push_token={token}"),
        ("history", "--mpid", mpid),
        ("profiles",),
    )
    for command in commands:
        lines = shop(*command).stdout.splitlines()
        assert any("cFq3kXyzcF…@x.org" in line for line in lines), command
        assert not any("kXyzcFq3kXyzcFq3k" in line for line in lines), command
    show: tuple[str, ...] = ("profile", "show", "--mpid", mpid)
    assert token in shop(*show, environment={"COLUMNS": "400"}).stdout
    for command in (show, ("profiles",), ("history", "--mpid", mpid)):
        assert token in shop(*command, "--json").stdout


def test_an_error_shows_it_too(shop: Program) -> None:
    told = shop("whois", "email=jos\u0435\u0301@y.org").stderr
    assert r"no profile holds email 'jos\u0435\u0301@y.org'" in told


def test_where_tables_cannot_be_drawn_ascii_stands_for_lines_and_marks(shop: Program) -> None:
    shop("identify", "--email", "▶█─…", "--push-token", TOKEN + "lea@x.org")
    commands: Sequence[tuple[str, ...]] = (
        ("search", "--email", "lea@x.org", "--explain"),
        ("stats",),
        ("profiles",),
    )
    told = ""
    for command in commands:
        plain = shop.process(*command, environment={"PYTHONIOENCODING": "ascii"})
        drawn = shop.process(*command, environment={"PYTHONIOENCODING": "utf-8"})
        assert plain.status == drawn.status == 0
        assert len(plain.stdout.splitlines()) == len(drawn.stdout.splitlines())
        for mark in ("\\u25b6", "\\u2588", "\\u2500", "\\u2026"):
            wanted = 1 if command == ("profiles",) else 0
            assert plain.stdout.count(mark) == drawn.stdout.count(mark) == wanted
        told += plain.stdout
    assert "> 2 email" in told
    assert "---------" in told
    assert "% ##########" in told
    assert "cFq3kXyzcF~@x.org" in told
