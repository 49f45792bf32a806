"""Bad input: a message that names the place and the way out, the right status, and no change."""

import json
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from tests.program import (  # noqa: F401 - the fixture
    TWO_SCOPES,
    Outcome,
    Program,
    assert_refused,
    program_in_a_fresh_folder,
)

IDENTIFY = ("identify", "--email", "a@example.com")
MIB = 2**20


def case(name: str, *given: Any) -> Any:
    return pytest.param(*given, id=name)


def assert_refused_without_a_trace(
    idsync: Program, arguments: tuple[str, ...], status: int, *words: str
) -> None:
    """Refused in a folder without a store, and in one with a store, and nothing is touched."""
    before = idsync.files()
    assert_refused(idsync(*arguments), status, *words)
    assert idsync.files() == before
    idsync.make_store()
    before = idsync.files()
    assert_refused(idsync(*arguments), status, *words)
    assert idsync.files() == before


# Commands

NO_MPIDS = (
    *("", "0", "-0", "01", "+1", "x", "1.0", "1e3", " 1", "1_0", "--1", "-", "0x1", "²", "١"),
    *("9223372036854775808", "-9223372036854775809", "9" * 5000),
)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        case("unknown command", ("idnetify",), ["idnetify", "idsync --help"]),
        case("unknown option", ("identify", "--emial", "x"), ["--emial", "--email"]),
        case("unknown type", ("identify", "--identity", "emial=x"), ["'emial'", "'email'"]),
        case("no type", ("identify", "--identity", "=x"), ["''"]),
        case("no value", ("identify", "--identity", "email"), ["--identity 'email'", "TYPE=VALUE"]),
        case("stray word", (*IDENTIFY, "extra"), ["extra"]),
        case("option without its value", ("identify", "--email"), ["--email"]),
        case("no identifier", ("identify",), ["NO_IDENTITIES", "at least one"]),
        case("empty value", ("identify", "--email", ""), ["'email' is empty"]),
        case("empty value by =", ("identify", "--email="), ["'email' is empty"]),
        case("empty identity", ("login", "--identity", "idfv="), ["'idfv' is empty"]),
        case("too long", ("identify", "--email", "x" * 4097), ["INVALID_IDENTITY_VALUE", "4,096"]),
        case("NUL", ("identify", "--email", "a\0b"), ["INVALID_IDENTITY_VALUE", "NUL"]),
        case("surrogate", ("identify", "--email", "\udcff"), ["INVALID_IDENTITY_VALUE"]),
        case("unknown scope", (*IDENTIFY, "--scope", "consumer"), ["'consumer'", "'consumers'"]),
        case("empty scope", (*IDENTIFY, "--scope", ""), ["''", "consumers"]),
        case("unknown workspace", (*IDENTIFY, "--workspace", "apps"), ["'apps'", "'app'"]),
        case("modify without mpid", ("modify", "--email", "x"), ["--mpid"]),
        case("modify of nothing", ("modify", "--mpid", "1"), ["NO_IDENTITIES"]),
        case("modify empties", ("modify", "--mpid", "1", "--email", ""), ["'email' is empty"]),
        case("unknown removal", ("modify", "--mpid", "1", "--remove", "emial"), ["'email'"]),
        case("empty removal", ("modify", "--mpid", "1", "--remove", ""), ["''"]),
        case(
            "set and removed",
            ("modify", "--mpid", "1", "--remove", "idfv", "--ios-idfv", "x"),
            ["twice"],
        ),
        case("change of two parts", ("modify", "--mpid", "1", "--change", "email:a"), ["\\:"]),
        case("change of four", ("modify", "--mpid", "1", "--change", "email:a:b:c"), ["\\:"]),
        case("empty change", ("modify", "--mpid", "1", "--change", ""), ["TYPE:OLD:NEW"]),
        case("open escape", ("modify", "--mpid", "1", "--change", "email:a:b\\"), ["\\\\"]),
        case(
            "change of nothing",
            ("modify", "--mpid", "1", "--change", "email::"),
            ["'email::'", "old value"],
        ),
        case("unknown change", ("modify", "--mpid", "1", "--change", "emial:a:b"), ["'email'"]),
        case(
            "both forms",
            ("modify", "--mpid", "1", "--email", "x", "--change", "email:a:b"),
            ["cannot be combined"],
        ),
        case("replay of nothing", ("replay", "none.jsonl"), ["'none.jsonl'"]),
        case("replay of a folder", ("replay", "."), ["'.'"]),
        case("replay of an empty path", ("replay", ""), ["is empty", "name a file"]),
        case("seed that is none", ("replay", "-", "--seed", "x"), ["--seed 'x'", "--seed 42"]),
        case("empty seed", ("replay", "-", "--seed", ""), ["--seed ''"]),
        case("seed of init", ("init", "--seed", "1.0"), ["--seed '1.0'"]),
        case("empty chunk", ("replay", "-", "--chunk-size", "0"), ["--chunk-size"]),
        case("output is a folder", ("replay", "-", "--output", "."), ["--output '.'"]),
        case("output is empty", ("replay", "-", "--output", ""), ["--output ''"]),
        case("output without folder", ("replay", "-", "--output", "no/x"), ["--output 'no/x'"]),
        case(
            "output is the configuration",
            ("replay", "-", "--output", "./idsync.yaml"),
            ["--output './idsync.yaml' is the configuration 'idsync.yaml'"],
        ),
        case("replay into no scope", ("replay", "-", "--scope", "consumer"), ["'consumers'"]),
        case("replay into no workspace", ("replay", "-", "--workspace", "ap"), ["'app'"]),
        case("check without a path", ("check",), ["name scenario files or folders"]),
        case("check of an empty path", ("check", ""), ["name scenario files or folders"]),
        case("profile without mpid", ("profile", "show"), ["--mpid"]),
        case("export of no scope", ("export", "--scope", "consumer"), ["consumer"]),
    ],
)
def test_a_command_that_asks_for_what_cannot_be_is_refused_by_name(
    idsync: Program, arguments: tuple[str, ...], words: list[str]
) -> None:
    idsync.make_store()
    before = idsync.files()
    assert_refused(idsync(*arguments), 2, *words)
    assert idsync.files() == before


@pytest.mark.parametrize(
    "arguments",
    [
        ("identify", "--email", "a", "--email", "b"),
        ("identify", "--email", "a", "--email", "a"),
        ("identify", "--idfv", "a", "--ios-idfv", "b"),
        ("login", "--email", "a", "--scope", "consumers", "--scope", "consumers"),
        ("logout", "--idfv", "a", "--workspace", "app", "--workspace", "web"),
        ("search", "--email", "a", "--config", "idsync.yaml", "--config", "idsync.yaml"),
        ("search", "--email", "a", "--store", "a.db", "--store", "b.db"),
        ("identify", "--email", "a", "--previous-mpid", "1", "--previous-mpid", "2"),
        ("modify", "--mpid", "1", "--mpid", "1", "--email", "a"),
        ("identify", "--email", "a", "--identity", "email=a"),
        ("identify", "--identity", "idfv=a", "--identity", "ios_vendor_id=b"),
        ("modify", "--mpid", "1", "--remove", "email", "--remove", "email"),
        ("replay", "-", "--seed", "1", "--seed", "1"),
        ("replay", "-", "--output", "a", "--output", "b"),
        ("export", "--scope", "consumers", "--scope", "consumers"),
        ("init", "--seed", "1", "--seed", "1"),
        ("profile", "show", "--mpid", "1", "--mpid", "1"),
        ("config", "lint", "--config", "idsync.yaml", "--config", "idsync.yaml"),
    ],
    ids=" ".join,
)
def test_what_is_given_once_is_refused_when_it_is_given_twice(
    idsync: Program, arguments: tuple[str, ...]
) -> None:
    assert_refused_without_a_trace(idsync, arguments, 2, "twice")


WHAT_SDKS_SEND = ("", "0")
"""As a `previous_mpid` it is as good as absent (section 8)."""


@pytest.mark.parametrize("mpid", WHAT_SDKS_SEND)
def test_a_previous_mpid_of_nobody_is_as_good_as_absent(idsync: Program, mpid: str) -> None:
    asked = ("identify", "--email", "a@example.com", "--dry-run", "--json")
    idsync.make_store()
    outcome = idsync(*asked, "--previous-mpid", mpid)
    assert outcome.status == 0
    assert outcome.json() == idsync(*asked).json()


RULES = {
    "0": "an MPID; 0 is none",
    "-0": "an MPID; 0 is none",
    "01": "an MPID; it has no leading zeros",
    **dict.fromkeys(
        NO_MPIDS[-3:], "an MPID of 64 bits, from -9223372036854775808 to 9223372036854"
    ),
}
"""What is said of numbers that are no MPIDs."""


@pytest.mark.parametrize(
    ("mpid", "words"),
    [
        ("-0", "mpid is '-0', but must be an MPID; 0 is none"),
        ("0", "mpid is '0', but must be an MPID; 0 is none"),
        ('"007"', "mpid is '007', but must be an MPID; it has no leading zeros"),
        ("9223372036854775808", "mpid is '9223372036854775808', but must be an MPID of 64 bits"),
        ("1e3", "mpid is '1e3', but must be an MPID: digits, optionally with a leading minus"),
        ('"x"', "mpid is 'x', but must be an MPID: digits, optionally with a leading minus, or @"),
    ],
)
def test_a_number_that_is_no_mpid_is_told_by_what_it_is(
    idsync: Program, mpid: str, words: str
) -> None:
    line = f'{{"type": "modify", "mpid": {mpid}, "known_identities": {{"email": "x"}}}}'
    outcome = Program(idsync.folder, columns=200)("replay", "-", stdin=line.encode())
    assert words in outcome.stdout
    profile = f'{{"mpid": {mpid}, "identities": {{"email": ["x"]}}}}'
    told = idsync("import", "-", stdin=profile.encode()).stderr
    assert words.removesuffix(", or @") in told


@pytest.mark.parametrize("mpid", NO_MPIDS, ids=lambda mpid: mpid[:20])
def test_an_mpid_that_is_none_is_refused(idsync: Program, mpid: str) -> None:
    idsync.make_store()
    before = idsync.files()
    rule = RULES.get(mpid, "digits, optionally with a leading minus")
    if mpid not in WHAT_SDKS_SEND:
        assert_refused(idsync(*IDENTIFY, "--previous-mpid", mpid), 2, mpid[:70], rule)
    assert_refused(idsync("modify", "--email", "x", "--mpid", mpid), 2, mpid[:70], rule)
    assert_refused(idsync("profile", "show", "--mpid", mpid), 2, mpid[:70], rule)
    assert idsync.files() == before


def test_several_scopes_ask_for_one_and_name_them(idsync: Program) -> None:
    idsync.write("idsync.yaml", TWO_SCOPES)
    assert_refused_without_a_trace(idsync, IDENTIFY, 2, "consumers, couriers")


def test_a_scope_and_a_workspace_that_disagree_are_refused(idsync: Program) -> None:
    idsync.write("idsync.yaml", TWO_SCOPES)
    arguments = (*IDENTIFY, "--scope", "couriers", "--workspace", "shop")
    assert_refused_without_a_trace(idsync, arguments, 2, "'shop'", "'consumers'", "'couriers'")


# The store's path

IN_THE_STORE = (
    IDENTIFY,
    ("search", "--email", "a@example.com"),
    ("identify", "--email", "a@example.com", "--dry-run"),
    ("modify", "--mpid", "1", "--email", "a@example.com"),
    ("replay", "requests.jsonl"),
    ("replay", "requests.jsonl", "--dry-run"),
    ("export",),
    ("profile", "show", "--mpid", "1"),
    ("init",),
)
NO_STORES = {
    "folder": "is a folder",
    "": "path of the store is empty",
    ":memory:": "':memory:'",
    "text.txt": "text.txt is not an idsync store and was left unchanged",
    "empty.db": "empty.db is not an idsync store and was left unchanged",
    "half.db": "half.db is not an idsync store and was left unchanged",
    "other.db": "other.db is not an idsync store and was left unchanged",
    "text.txt/idsync.db": "text.txt/idsync.db cannot be read",
    "leads-nowhere.db": "is a broken link",
    "x" * 300: "File name too long",
    "/dev/null": "not a regular file",
    "a\0b": "NUL",
}


@pytest.mark.parametrize("arguments", IN_THE_STORE, ids=" ".join)
def test_what_is_no_store_is_refused_and_left_as_it_is(
    idsync: Program, arguments: tuple[str, ...]
) -> None:
    import sqlite3
    from contextlib import closing

    idsync.write("folder/kept.txt", "kept")
    idsync.write("text.txt", "SQLite format 4\0")
    idsync.write("empty.db", b"")
    idsync.write("half.db", b"SQLite format 3\0")
    idsync.write("requests.jsonl", '{"type": "identify", "known_identities": {"email": "a"}}\n')
    with closing(sqlite3.connect(idsync.folder / "other.db")) as other, other:
        other.execute("CREATE TABLE theirs (kept)")
    (idsync.folder / "leads-nowhere.db").symlink_to("no-such-file")
    before = idsync.files()
    for path, words in NO_STORES.items():
        outcome = idsync(*arguments, "--store", path)
        assert words in outcome.stderr
        assert (outcome.status, outcome.stdout) == (3, ""), path
        assert "fault of idsync" not in outcome.stderr
        assert idsync.files() == before, path


def test_a_store_in_a_folder_that_is_not_there_is_not_made(idsync: Program) -> None:
    before = idsync.files()
    outcome = idsync(*IDENTIFY, "--store", "no-folder/idsync.db")
    assert_refused(outcome, 3, "no-folder/idsync.db", "folder does not exist")
    assert idsync.files() == before


@pytest.mark.parametrize("arguments", [("export",), ("profile", "show", "--mpid", "1")])
def test_looking_into_a_store_that_is_not_there_says_how_to_make_one(
    idsync: Program, arguments: tuple[str, ...]
) -> None:
    before = idsync.files()
    assert_refused(idsync(*arguments), 3, "idsync.db", "idsync init")
    assert idsync.files() == before


def test_answers_of_an_earlier_run_stay_when_the_store_is_refused(idsync: Program) -> None:
    idsync.write("answers.jsonl", "the answers of yesterday\n")
    before = idsync.files()
    outcome = idsync("replay", "-", "--output", "answers.jsonl", "--force", "--store", ".")
    assert_refused(outcome, 3, "is a folder")
    assert idsync.files() == before


def test_init_makes_nothing_where_it_cannot_make_the_store(tmp_path: Path) -> None:
    idsync = Program(tmp_path)
    assert idsync("init", "--store", ".").status == 3
    assert idsync.files() == {}


# The configuration


def scope(strategy: str = "best_match", priority: str = "[email, ios_idfv]", more: str = "") -> str:
    """A configuration in which the strategy stands in line 4, the priority in 5, the rest in 6."""
    return f"version: 1\nscopes:\n  c:\n    strategy: {strategy}\n    priority: {priority}\n{more}"


def identities(settings: str) -> str:
    return f"    identities: {{{settings}}}\n"


CONVERSION = "profile_conversion"
MAPPING = (
    "{on_new_known_user: keep, on_logout: create, logins: true, login_needs_login_id: false, "
    "links: %s, aliasing: true}"
)
IMMUTABLE = "{login: true, unique: true, immutable: true}"
WORKSPACES = "accounts:\n  a: {workspaces: {w: c}}\n  b: {workspaces: {%s}}\n"


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        case("empty", "", "1:1", ["empty", "idsync init"]),
        case("comments only", "# nothing\n\n", "1:1", ["empty", "idsync init"]),
        case("null", "~\n", "1:1", ["empty"]),
        case("a word", "idsync", "1:1", ["'idsync'", "mapping"]),
        case("a list", "- version\n", "1:1", ["a list", "mapping"]),
        case("two documents", scope() + "---\n" + scope(), "7:1", ["second YAML document"]),
        case("no scopes", "version: 1\n", "1:1", ["no scopes"]),
        case("empty scopes", "version: 1\nscopes: {}\n", "2:9", ["must name a scope"]),
        case("broken", "version: 1\nscopes: [\n", "3:1", ["broken YAML"]),
        case("a tab", "version: 1\n\tscopes: {}\n", "2:1", ["broken YAML"]),
        case("bad indentation", "version: 1\n  scopes: {}\n", "2:9", ["broken YAML"]),
        case("control character", "version: 1\nscopes: \x01\n", "2", ["not allowed in YAML"]),
        case(
            "control character far on",
            "# " + "é" * 500 + "\nversion: 1\nscopes: \x01\n" + "\n" * 600,
            "3:",
            ["not allowed in YAML"],
        ),
        case("not UTF-8", b"version: 1\nscopes: \xff\n", "2", ["UTF-8"]),
        case("UTF-16", scope().encode("utf-16"), "1", ["UTF-8"]),
        case("too large", scope() + "#" * MIB, "", ["1 MiB"]),
        case("too deep", "version: " + "[" * 10_000, "1:59", ["more than 50 levels deep"]),
        case("duplicate key", "version: 1\n" + scope(), "2:1", ["'version'", "twice", "line 1"]),
        case(
            "duplicate key below",
            scope(CONVERSION, more=identities("email: {}, email: {}")),
            "6:29",
            ["'email'", "twice", "line 6"],
        ),
        case("anchor", scope("&s best_match"), "4:15", ["anchor 's'", "remove"]),
        case("alias", scope("&s best_match", "*s"), "5:15", ["alias", "write the value out"]),
        case("merge key", scope("&s best_match", more="    <<: *s\n"), "6:9", ["alias"]),
        case("tag", scope("!mine best_match"), "4:15", ["'!mine'", "remove"]),
        case("standard tag", scope("!!str best_match"), "4:15", ["tag", "remove"]),
        case("python tag", scope("!!python/name:os.system x"), "4:15", ["tag"]),
        case("a key that is no word", scope() + "? [a]\n: b\n", "6:3", ["key must be a word"]),
        case("version", scope().replace("1", "2", 1), "1:10", ["'2'", "version: 1"]),
        case("organization", scope() + "organization: [x]\n", "6:15", ["must be a name"]),
        case("unknown key", scope() + "acounts: {}\n", "6:1", ["'acounts'", "'accounts'"]),
        case("unknown key of a scope", scope(more="    x: y\n"), "6:5", ["'x'", "identities"]),
        case("scope that is a word", "version: 1\nscopes: {c: x}\n", "2:13", ["'x'", "mapping"]),
        case("scope that is nothing", "version: 1\nscopes:\n  c:\n", "3:5", ["mapping"]),
        case("unknown strategy", scope("best_mach"), "4:15", ["'best_mach'", "'best_match'"]),
        case("no strategy", scope("~"), "4:5", ["no strategy", "best_match"]),
        case("strategy is a list", scope("[default]"), "4:15", ["a list"]),
        case("unknown type", scope(priority="[emial]"), "5:16", ["'emial'", "'email'"]),
        case("type is a list", scope(priority="[[email]]"), "5:16", ["identity type"]),
        case("type twice", scope(priority="[email, email]"), "5:23", ["email", "twice"]),
        case("by two names", scope(priority="[idfv, ios_idfv]"), "5:22", ["ios_idfv", "twice"]),
        case("empty priority", scope(priority="[]"), "5:15", ["empty", "at least one"]),
        case("no priority", scope(priority=""), "4:5", ["no priority"]),
        case("priority is a word", scope(priority="email"), "5:15", ["must be a list"]),
        case(
            "unknown type with a setting",
            scope(CONVERSION, more=identities("emial: {login: true}")),
            "6:18",
            ["'emial'", "'email'"],
        ),
        case(
            "unknown setting",
            scope(CONVERSION, more=identities("email: {lgin: true}")),
            "6:26",
            ["'lgin'", "'login'"],
        ),
        case(
            "setting that is no boolean",
            scope(CONVERSION, more=identities("email: {login: yes}")),
            "6:33",
            ["'yes'", "true or false"],
        ),
        case(
            "quoted boolean",
            scope(CONVERSION, more=identities('email: {login: "true"}')),
            "6:33",
            ["'true'", "true or false"],
        ),
        case(
            "setting outside the priority",
            scope(CONVERSION, more=identities("customer_id: {login: true}")),
            "6:18",
            ["customer_id", "not in the priority"],
        ),
        case(
            "nothing set outside the priority",
            scope(CONVERSION, more=identities("customer_id: {}")),
            "6:18",
            ["customer_id", "not in the priority", "remove the entry"],
        ),
        case(
            "false outside the priority",
            scope(CONVERSION, more=identities("customer_id: {login: false}")),
            "6:18",
            ["customer_id", "not in the priority", "remove the entry"],
        ),
        case(
            "immutable alone",
            scope(CONVERSION, more=identities("email: {immutable: true}")),
            "6:18",
            ["email", "login: true and unique: true"],
        ),
        case(
            "immutable and login",
            scope(CONVERSION, more=identities("email: {immutable: true, login: true}")),
            "6:18",
            ["unique: true"],
        ),
        case(
            "immutable and unique",
            scope(CONVERSION, more=identities("email: {immutable: true, unique: true}")),
            "6:18",
            ["login: true"],
        ),
        case(
            "immutable below another",
            scope(CONVERSION, "[email, customer_id]", identities(f"customer_id: {IMMUTABLE}")),
            "5:23",
            ["customer_id", "email", "move it up"],
        ),
        case(
            "identities under default",
            scope("default", "[customer_id]", identities("customer_id: {login: true}")),
            "6:17",
            ["default", "remove"],
        ),
        case(
            "identities under best_match",
            scope(more=identities("email: {unique: true}")),
            "6:17",
            ["best_match", "remove"],
        ),
        case(
            "default without customer_id", scope("default"), "5:5", ["customer_id", "put it first"]
        ),
        case(
            "links without create", scope(MAPPING % "true"), "4:103", ["on_new_known_user: create"]
        ),
        case("strategy's value", scope(MAPPING % "yes"), "4:110", ["'yes'", "true or false"]),
        case("strategy lacks a rule", scope("{logins: true}"), "4:15", ["links"]),
        case("strategy's unknown rule", scope("{lnks: true}"), "4:16", ["'lnks'", "'links'"]),
        case(
            "on_conflicting_login",
            scope(more="    on_conflicting_login: jon\n"),
            "6:27",
            ["'jon'", "separate or join"],
        ),
        case(
            "on_unique_held",
            scope(more="    on_unique_held: kept\n"),
            "6:21",
            ["'kept'", "take or keep"],
        ),
        case("workspace of no scope", scope() + WORKSPACES % "v: cc", "8:23", ["'cc'", "'c'"]),
        case("workspace twice", scope() + WORKSPACES % "w: c", "8:20", ["'w'", "twice"]),
        case("workspace of a list", scope() + WORKSPACES % "v: [c]", "8:23", ["a list"]),
        case("account is nothing", scope() + "accounts:\n  a:\n", "7:5", ["'a'", "mapping"]),
        case("unknown key of an account", scope() + "accounts: {a: {w: {}}}\n", "6:16", ["'w'"]),
    ],
)
def test_a_fault_of_the_configuration_is_told_with_its_place_and_the_way_out(
    idsync: Program, text: str | bytes, place: str, words: list[str]
) -> None:
    idsync.write("idsync.yaml", text)
    before = idsync.files()
    for arguments in (IDENTIFY, ("config", "lint")):
        outcome = idsync(*arguments)
        assert_refused(outcome, 2, *words)
        told = [line for line in outcome.stderr.splitlines() if words[0] in line]
        assert f"idsync.yaml:{place}" in told[0]
    assert idsync.files() == before


@pytest.mark.parametrize(
    "arguments",
    [
        IDENTIFY,
        ("login", "--email", "a"),
        ("logout", "--email", "a"),
        ("search", "--email", "a"),
        ("modify", "--mpid", "1", "--email", "a"),
        ("replay", "-"),
        ("export",),
        ("profile", "show", "--mpid", "1"),
        ("config", "show"),
        ("config", "lint"),
        ("init",),
    ],
    ids=" ".join,
)
def test_every_command_that_needs_a_configuration_refuses_one_that_cannot_be_used(
    idsync: Program, arguments: tuple[str, ...]
) -> None:
    idsync.write("idsync.yaml", scope("best_mach"))
    before = idsync.files()
    assert_refused(idsync(*arguments), 2, "idsync.yaml:4:15", "'best_match'")
    if arguments != ("init",):
        assert_refused(idsync(*arguments, "--config", "none.yaml"), 2, "none.yaml", "idsync init")
    assert_refused(idsync(*arguments, "--config", ""), 2, "empty", "--config")
    assert_refused(idsync(*arguments, "--config", "."), 2, "directory")
    assert_refused(idsync(*arguments, "--config", "a\0b"), 2)
    assert_refused(idsync(*arguments, "--config", "no-folder/x.yaml"), 2, "no-folder/x.yaml")
    assert idsync.files() == before


def test_a_configuration_whose_name_is_too_long_is_no_fault_of_idsync(idsync: Program) -> None:
    assert_refused(idsync(*IDENTIFY, "--config", "x" * 300), 2)


def test_all_faults_of_a_configuration_are_told_at_once_in_the_order_of_the_file(
    idsync: Program,
) -> None:
    text = """\
version: 2
scopes:
  one:
    strategy: best_mach
    priority: [emial, email, email]
  two:
    strategy: profile_conversion
    priority: [email, customer_id]
    identities: {customer_id: {immutable: true}, idfa: {login: yes}}
    identites: {}
  three: {strategy: default, priority: [email], identities: {email: {}}}
accounts:
  a: {workspaces: {w: won, v: two}}
  b: {workspaces: {v: two}}
version: 1
"""
    idsync.write("idsync.yaml", text)
    outcome = idsync("config", "lint")
    assert outcome.status == 2
    told = [line for line in outcome.stderr.splitlines() if line.startswith("idsync: ")]
    places = [line.split(": ")[1] for line in told]
    assert places == [
        f"idsync.yaml:{place}"
        for place in (
            *("1:10", "4:15", "5:16", "5:30", "8:23", "9:18", "9:50", "9:64", "10:5"),
            *("11:30", "11:61", "13:23", "14:20", "15:1"),
        )
    ]


@pytest.mark.parametrize(
    ("text", "place"),
    [
        case(
            "beside an unknown strategy",
            scope("best_mach", more=identities("email: {immutable: true}")),
            "6:18",
        ),
        case(
            "beside an empty priority",
            scope(CONVERSION, "[]", identities("email: {immutable: true}")),
            "6:18",
        ),
        case("beside an unknown scope", scope() + WORKSPACES.replace("c}", "d}") % "w: c", "8:20"),
    ],
)
def test_no_fault_of_a_configuration_hides_another(idsync: Program, text: str, place: str) -> None:
    idsync.write("idsync.yaml", text)
    assert f"idsync.yaml:{place}: " in idsync("config", "lint").stderr


# Request files

REQUESTS_CONFIG = """\
version: 1
scopes:
  consumers:
    strategy: profile_conversion
    priority: [customer_id, email, ios_idfv]
    identities:
      customer_id: {login: true, unique: true, immutable: true}
      email: {unique: true}
  couriers: {strategy: profile_isolation, priority: [customer_id, email, ios_idfv]}
  visitors: {strategy: best_match, priority: [email, ios_idfv]}
accounts: {main: {workspaces: {shop: consumers}}}
"""
FIRST = (
    b'{"type": "identify", "label": "first",'
    b' "known_identities": {"customer_id": "A", "email": "a@example.com"}}'
)
LAST = b'{"type": "identify", "known_identities": {"ios_idfv": "phone"}}'
BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def identify(**members: object) -> bytes:
    request = {"type": "identify", "known_identities": {"email": "b@example.com"}} | members
    return json.dumps(request).encode()


def modify(**members: object) -> bytes:
    request = {"type": "modify", "mpid": "@first", "known_identities": {"email": "b"}} | members
    given = {name: value for name, value in request.items() if value is not None}
    return json.dumps(given).encode()


def naming(value: bytes) -> bytes:
    """An identify with any bytes as the value of its email."""
    return b'{"type": "identify", "known_identities": {"email": ' + value + b"}}"


def padded(size: int, line: bytes = LAST) -> bytes:
    """The line with as many spaces before its end as make it so many bytes long."""
    return line[:-1] + b" " * (size - len(line)) + line[-1:]


@pytest.mark.parametrize(
    ("line", "code"),
    [
        case("open object", b"{", "INVALID_JSON"),
        case("something behind", b"{} x", "INVALID_JSON"),
        case("two values", LAST + LAST, "INVALID_JSON"),
        case("single quotes", b"{'type': 'identify'}", "INVALID_JSON"),
        case("trailing comma", LAST[:-1] + b",}", "INVALID_JSON"),
        case("comment", LAST + b" // comment", "INVALID_JSON"),
        case("not UTF-8", naming(b'"\xff"'), "INVALID_JSON"),
        case("surrogate in UTF-8", naming(b'"\xed\xa0\x80"'), "INVALID_JSON"),
        case("overlong UTF-8", naming(b'"\xc0\xaf"'), "INVALID_JSON"),
        case("NUL byte", b"\0", "INVALID_JSON"),
        case("raw control character", naming(b'"\x01"'), "INVALID_JSON"),
        case("raw tab", naming(b'"\t"'), "INVALID_JSON"),
        case("a byte-order mark within", BYTE_ORDER_MARK + LAST, "INVALID_JSON"),
        case("NaN", identify(context=float("nan")), "INVALID_JSON"),
        case("Infinity", identify(context=float("inf")), "INVALID_JSON"),
        case("-Infinity", identify(context=float("-inf")), "INVALID_JSON"),
        case("1e999", naming(b"1e999"), "INVALID_JSON"),
        case("-1e999", naming(b"-1e999"), "INVALID_JSON"),
        case("key twice", b'{"type": "identify", ' + LAST[1:], "INVALID_JSON"),
        case("key twice below", naming(b'"a", "email": "a"'), "INVALID_JSON"),
        case("1 MiB and a byte", padded(MIB + 1), "INVALID_JSON"),
        case("1 MiB and a byte and CR", padded(MIB + 1) + b"\r", "INVALID_JSON"),
        case("3 MiB", padded(3 * MIB), "INVALID_JSON"),
        case("1 MiB and garbage", LAST + b" " * MIB + b"garbage", "INVALID_JSON"),
        case("deep list", b"[" * 100_000, "INVALID_JSON"),
        case("deep object", b'{"a":' * 100_000, "INVALID_JSON"),
        case("deep context", identify()[:-1] + b', "context": ' + b"[" * 99_999, "INVALID_JSON"),
        case("a list", b"[]", "INVALID_REQUEST"),
        case("null", b"null", "INVALID_REQUEST"),
        case("a number", b"1", "INVALID_REQUEST"),
        case("a string", b'"identify"', "INVALID_REQUEST"),
        case("no type", b"{}", "INVALID_REQUEST"),
        case("type null", identify(type=None), "INVALID_REQUEST"),
        case("type unknown", identify(type="Identify"), "INVALID_REQUEST"),
        case("type a number", identify(type=1), "INVALID_REQUEST"),
        case("unknown member", identify(knwon=1), "INVALID_REQUEST"),
        case("unknown member null", identify(knwon=None), "INVALID_REQUEST"),
        case("identities a list", identify(known_identities=["email"]), "INVALID_REQUEST"),
        case("label a number", identify(label=1), "INVALID_REQUEST"),
        case("label a surrogate", identify(label="\ud800"), "INVALID_REQUEST"),
        case("scope a number", identify(scope=1), "INVALID_REQUEST"),
        case("timestamp a fraction", identify(request_timestamp_ms=1.5), "INVALID_REQUEST"),
        case("timestamp too large", identify(request_timestamp_ms=2**63), "INVALID_REQUEST"),
        case("client_sdk a list", identify(client_sdk=[]), "INVALID_REQUEST"),
        case("environment a number", identify(environment=1), "INVALID_REQUEST"),
        case("MPID 00", identify(previous_mpid="00"), "INVALID_REQUEST"),
        case("MPID -0", identify(previous_mpid="-0"), "INVALID_REQUEST"),
        case("MPID 0.0", identify(previous_mpid=0.0), "INVALID_REQUEST"),
        case("MPID false", identify(previous_mpid=False), "INVALID_REQUEST"),
        case("MPID 0 of a modify", modify(mpid=0), "INVALID_REQUEST"),
        case("response of nothing", identify(response={}), "INVALID_REQUEST"),
        case("response's MPID", identify(response={"mpid": "x"}), "INVALID_REQUEST"),
        case("response's error", identify(response={"error": 5}), "INVALID_REQUEST"),
        case("response is a text", identify(response="5"), "INVALID_REQUEST"),
        case("source_request_id", identify(source_request_id=5), "INVALID_REQUEST"),
        case("MPID with zeros", identify(previous_mpid="01"), "INVALID_REQUEST"),
        case("MPID a fraction", identify(previous_mpid=1.0), "INVALID_REQUEST"),
        case("MPID a boolean", identify(previous_mpid=True), "INVALID_REQUEST"),
        case("MPID too large", identify(previous_mpid=2**63), "INVALID_REQUEST"),
        case(
            "5,000 digits",
            identify()[:-1] + b', "previous_mpid": ' + b"9" * 5000 + b"}",
            "INVALID_REQUEST",
        ),
        case("5,000 digits in a string", identify(previous_mpid="9" * 5000), "INVALID_REQUEST"),
        case("mpid of an identify", identify(mpid="1"), "INVALID_REQUEST"),
        case("changes of an identify", identify(identity_changes=[]), "INVALID_REQUEST"),
        case("modify without mpid", modify(mpid=None), "INVALID_REQUEST"),
        case("modify in both forms", modify(identity_changes=[]), "INVALID_REQUEST"),
        case("modify in neither", modify(known_identities=None), "INVALID_REQUEST"),
        case(
            "change of nothing to an unknown type",
            modify(known_identities=None, identity_changes=[{"identity_type": "emial"}]),
            "UNKNOWN_IDENTITY_TYPE",
        ),
        case(
            "change without type",
            modify(known_identities=None, identity_changes=[{"new_value": "x"}]),
            "INVALID_REQUEST",
        ),
        case(
            "change with an unknown member",
            modify(
                known_identities=None,
                identity_changes=[{"identity_type": "email", "new_value": "x", "value": "x"}],
            ),
            "INVALID_REQUEST",
        ),
        case(
            "changes that are no objects",
            modify(known_identities=None, identity_changes=["email"]),
            "INVALID_REQUEST",
        ),
        case("unknown scope", identify(scope="consumer"), "UNKNOWN_SCOPE"),
        case("empty scope", identify(scope=""), "UNKNOWN_SCOPE"),
        case("unknown workspace", identify(workspace="shp"), "UNKNOWN_WORKSPACE"),
        case(
            "scope and workspace disagree",
            identify(scope="couriers", workspace="shop"),
            "INVALID_REQUEST",
        ),
        case("unknown label", identify(previous_mpid="@nobody"), "UNKNOWN_LABEL"),
        case("unknown label of a modify", modify(mpid="@nobody"), "UNKNOWN_LABEL"),
        case("empty label", identify(previous_mpid="@"), "UNKNOWN_LABEL"),
        case("unknown type", identify(known_identities={"emial": "x"}), "UNKNOWN_IDENTITY_TYPE"),
        case(
            "type in capitals", identify(known_identities={"EMAIL": "x"}), "UNKNOWN_IDENTITY_TYPE"
        ),
        case("type a surrogate", identify(known_identities={"\ud800": 1}), "UNKNOWN_IDENTITY_TYPE"),
        case(
            "two names of one type",
            identify(known_identities={"idfv": "x", "ios_idfv": None}),
            "INVALID_REQUEST",
        ),
        case("value a number", naming(b"1"), "INVALID_IDENTITY_VALUE"),
        case("value 5,000 digits", naming(b"9" * 5000), "INVALID_IDENTITY_VALUE"),
        case("value true", naming(b"true"), "INVALID_IDENTITY_VALUE"),
        case("value a list", naming(b'["a"]'), "INVALID_IDENTITY_VALUE"),
        case("value an object", naming(b"{}"), "INVALID_IDENTITY_VALUE"),
        case("value too long", naming(b'"' + b"x" * 4097 + b'"'), "INVALID_IDENTITY_VALUE"),
        case("value with NUL", naming(b'"\\u0000"'), "INVALID_IDENTITY_VALUE"),
        case("value half a character", naming(b'"\\ud83d"'), "INVALID_IDENTITY_VALUE"),
        case("empty in a modify", modify(known_identities={"email": ""}), "INVALID_IDENTITY_VALUE"),
        case("no identities", identify(known_identities={}), "NO_IDENTITIES"),
        case("no known_identities", identify(known_identities=None), "NO_IDENTITIES"),
        case(
            "null and empty",
            identify(known_identities={"email": "", "idfv": None}),
            "NO_IDENTITIES",
        ),
        case("modify of nothing", modify(known_identities={}), "NO_IDENTITIES"),
        case(
            "no changes",
            modify(known_identities=None, identity_changes=[]),
            "NO_IDENTITIES",
        ),
        case("login", identify(type="login", scope="visitors"), "UNSUPPORTED_BY_STRATEGY"),
        case("logout", identify(type="logout", scope="visitors"), "UNSUPPORTED_BY_STRATEGY"),
        case(
            "login without login ID",
            identify(type="login", scope="couriers", known_identities={"idfv": "x"}),
            "LOGIN_ID_REQUIRED",
        ),
        case("no lookup", identify(known_identities={"push_token": "x"}), "NO_LOOKUP_IDENTITY"),
        case("nobody's MPID", modify(mpid="1"), "MPID_NOT_FOUND"),
        case("an MPID of another scope", modify(scope="couriers"), "MPID_NOT_FOUND"),
        case(
            "old value not held",
            modify(
                known_identities=None,
                identity_changes=[{"identity_type": "email", "old_value": "x", "new_value": "y"}],
            ),
            "OLD_VALUE_MISMATCH",
        ),
        case(
            "immutable replaced",
            modify(known_identities={"customer_id": "B"}),
            "IMMUTABLE_IDENTITY",
        ),
        case(
            "immutable removed",
            modify(known_identities={"customer_id": None}),
            "IMMUTABLE_IDENTITY",
        ),
        case("all protected", naming(b'"a@example.com"'), "PROTECTED_IDENTITY"),
    ],
)
def test_a_line_is_refused_alone_with_its_code_and_the_others_are_done(
    idsync: Program, line: bytes, code: str
) -> None:
    outcome = replay_between(idsync, line)
    first, refused, last = outcome.lines()
    assert [error["code"] for error in refused["errors"]] == [code]
    assert refused["errors"][0]["message"]
    assert set(refused) == {"seq", "line", "type", "scope", "status", "errors"}
    assert [answer["line"] for answer in (first, refused, last)] == [1, 2, 3]
    assert [answer["status"] for answer in (first, refused, last)] == [
        "created",
        "error",
        "created",
    ]
    assert outcome.status == 1
    assert "Traceback" not in outcome.stderr
    assert idsync("export").stdout == export_of_what_stands_around()


def replay_between(idsync: Program, line: bytes) -> Outcome:
    idsync.write("idsync.yaml", REQUESTS_CONFIG)
    idsync.make_store()
    content = b"\n".join([FIRST, line, LAST])
    return idsync("replay", "-", "--output", "-", "--scope", "consumers", stdin=content)


@cache
def export_of_what_stands_around() -> str:
    """What is in the store where the line between is one that changes nothing."""
    with TemporaryDirectory() as folder:
        idsync = Program(Path(folder))
        harmless = b'{"type": "search", "known_identities": {"email": "x"}}'
        assert replay_between(idsync, harmless).status == 0
        return idsync("export").stdout


@pytest.mark.parametrize(
    ("content", "lines"),
    [
        case("nothing", b"", []),
        case("one newline", b"\n", []),
        case("a byte-order mark", BYTE_ORDER_MARK, []),
        case("white space", b" \t\r\n\n  ", []),
        case("no final newline", LAST + b"\n" + LAST, [1, 2]),
        case("CRLF", LAST + b"\r\n" + LAST + b"\r\n", [1, 2]),
        case("byte-order mark and CRLF", BYTE_ORDER_MARK + LAST + b"\r\n" + LAST, [1, 2]),
        case("blank lines between", b"\n\n" + LAST + b"\n \t \r\n\n" + LAST, [3, 6]),
        case("1 MiB", padded(MIB) + b"\n" + padded(MIB), [1, 2]),
        case("1 MiB and CRLF", padded(MIB) + b"\r\n" + padded(MIB) + b"\r\n", [1, 2]),
        case("U+2028", naming('"a\u2028b\u2029c\x85d"'.encode()) + b"\n" + LAST, [1, 2]),
        case("escaped line ends", naming(b'"a\\nb\\rc"'), [1]),
        case(
            "a context of 5,000 digits",
            identify()[:-1] + b', "context": ' + b"9" * 5000 + b"}",
            [1],
        ),
        case("nested a little", identify(context=[[[[{"a": [1.5]}]]]]), [1]),
        case("members that are null", identify(label=None, mpid=None, identity_changes=None), [1]),
    ],
)
def test_a_file_is_split_at_line_feeds_and_its_blank_lines_are_counted(
    idsync: Program, content: bytes, lines: list[int]
) -> None:
    idsync.write("requests.jsonl", content)
    outcome = idsync("replay", "requests.jsonl", "--output", "answers.jsonl", "--json")
    answers = (idsync.folder / "answers.jsonl").read_text("ascii").splitlines()
    assert [json.loads(answer)["line"] for answer in answers] == lines
    assert [json.loads(answer)["seq"] for answer in answers] == list(range(1, len(lines) + 1))
    assert outcome.json()["requests"] == len(lines)
    assert outcome.status == 0


def test_a_line_separator_in_a_value_is_kept(idsync: Program) -> None:
    value = "a\u2028b\u2029c\x85d\r\ne"
    idsync.replay({"type": "identify", "known_identities": {"email": value}})
    assert idsync("export").json()["identities"] == {"email": [value]}


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_a_file_in_another_encoding_is_refused_whole(idsync: Program, encoding: str) -> None:
    text = "\n".join([LAST.decode()] * 2)
    before = idsync.files()
    outcome = idsync("replay", "-", "--output", "-", stdin=text.encode(encoding))
    assert_refused(outcome, 2, "not UTF-8", f"iconv -f {encoding[:6].upper()}")
    assert idsync.files() == before


@pytest.mark.parametrize(
    ("content", "statuses"),
    [
        case("1 MiB", BYTE_ORDER_MARK + padded(MIB) + b"\n" + LAST, ["created", "matched"]),
        case(
            "1 MiB and garbage",
            BYTE_ORDER_MARK + LAST + b" " * MIB + b"garbage\n" + LAST,
            ["error", "created"],
        ),
        case(
            "garbage alone",
            BYTE_ORDER_MARK + b" " * (MIB + 5) + b"garbage\n" + LAST,
            ["error", "created"],
        ),
    ],
)
def test_a_byte_order_mark_does_not_count_into_the_length_of_a_line(
    idsync: Program, content: bytes, statuses: list[str]
) -> None:
    outcome = idsync("replay", "-", "--output", "-", stdin=content)
    assert [answer["status"] for answer in outcome.lines()] == statuses


@pytest.mark.parametrize(
    ("opened", "closed"), [case("lists", b"[", b"]"), case("objects", b'{"a":', b"}")]
)
def test_however_deeply_a_line_is_nested_it_is_refused_alone(
    idsync: Program, opened: bytes, closed: bytes
) -> None:
    nested = [opened * depth + b"[]" + closed * depth for depth in (*range(50, 1050), 150_000)]
    lines = [naming(each) for each in nested]
    outcome = idsync("replay", "-", "--output", "-", stdin=b"\n".join([*lines, LAST]))
    *refused, last = outcome.lines()
    codes = {answer["errors"][0]["code"] for answer in refused}
    assert codes == {"INVALID_JSON", "INVALID_IDENTITY_VALUE"}
    assert (outcome.status, len(refused), last["status"]) == (1, len(lines), "created")
