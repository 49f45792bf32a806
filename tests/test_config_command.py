"""`idsync config`: show, lint and plan; and the rules that a store remembers."""

import json
import sqlite3
from typing import Any

import pytest

from idsync_cli.core.codes import OnUniqueHeld
from idsync_cli.core.config.strategy import PRESETS
from idsync_cli.core.identity import IdentityType
from idsync_cli.errors import StoreFault
from idsync_cli.files import config_file, rules_json
from tests.program import CONFIG, TWO_SCOPES, Program, program_in_a_fresh_folder, without_excerpts
from tests.test_check_ci import commands

__all__ = ["program_in_a_fresh_folder"]

KEEPING = """\
scopes:
  one: {strategy: profile_link, priority: [email, ios_idfv], on_unique_held: keep}
"""

BEFORE = """\
scopes:
  one:
    strategy: profile_conversion
    priority: [customer_id, email, mobile_number, ios_idfv]
    identities: {customer_id: {login: true, unique: true}}
  two: {strategy: best_match, priority: [email]}
"""
AFTER = """\
scopes:
  one:
    strategy: profile_link
    priority: [customer_id, ios_idfv, email]
    identities: {customer_id: {}, email: {login: true, unique: true}}
  three: {strategy: best_match, priority: [email]}
"""
CUSTOM = (
    "{on_new_known_user: create, on_logout: create, logins: true, "
    "login_needs_login_id: true, links: false, aliasing: false}"
)
REQUESTS: list[dict[str, Any]] = [
    {"type": "identify", "scope": "one", "known_identities": {"email": "a", "ios_idfv": "1"}},
    {"type": "login", "scope": "one", "known_identities": {"customer_id": "c", "email": "a"}},
    {"type": "login", "scope": "one", "known_identities": {"customer_id": "d", "email": "a"}},
    {"type": "identify", "scope": "one", "known_identities": {"mobile_number": "5"}},
    {"type": "identify", "scope": "one", "known_identities": {"email": "b", "yahoo": "y"}},
    {"type": "identify", "scope": "two", "known_identities": {"email": "z"}},
]


@pytest.fixture(name="used")
def store_that_was_used(idsync: Program) -> Program:
    idsync.write("idsync.yaml", BEFORE)
    idsync.write("after.yaml", AFTER)
    outcome = idsync.replay(*REQUESTS, arguments=["--seed", "3"])
    assert outcome.status == 0
    return idsync


def plan(program: Program, *, status: int) -> Any:
    before = program.files()
    outcome = program("config", "plan", "--config", "after.yaml", "--json")
    assert (outcome.status, program.files()) == (status, before)
    return outcome.json()


def remembered(program: Program) -> dict[str, str]:
    with sqlite3.connect(program.folder / "idsync.db") as connection:
        found = dict(connection.execute("SELECT scope, rules FROM rules"))
    connection.close()
    return found


# Show


def test_show_draws_priority_and_rules_within_80_columns(idsync: Program) -> None:
    idsync.write("idsync.yaml", TWO_SCOPES)
    outcome = idsync("config", "show")
    assert outcome.status == 0
    assert all(len(line) <= 80 for line in outcome.stdout.split("\n"))
    lines = [" ".join(line.split()) for line in outcome.stdout.split("\n")]
    for line in (
        "scope consumers",
        "strategy profile_conversion",
        "account main shop",
        "1 customer_id user login unique",
        "3 ios_idfv device -",
        "on_logout create every logout creates a new anonymous profile",
        "scope couriers",
        "account main courier-app",
        "2 email user login unique",
        "on_conflicting_login separate two login IDs that disagree are two users",
        "on_unique_held take a request may take a unique identifier from others",
    ):
        assert line in lines


def test_show_has_a_sentence_for_every_rule_of_every_strategy(idsync: Program) -> None:
    strategies = [name for name in PRESETS if name != "default"]
    scopes = [
        f"  {conflicting}-{place}: {{strategy: {strategy}, priority: [customer_id], "
        f"on_conflicting_login: {conflicting}, on_unique_held: {held}}}\n"
        for place, strategy in enumerate([*strategies, CUSTOM])
        for conflicting, held in (("separate", "take"), ("join", "keep"))
    ]
    idsync.write("idsync.yaml", "scopes:\n" + "".join(scopes))
    told = idsync("config", "show", environment={"COLUMNS": "200"}).stdout
    rules = [line for line in told.split("\n") if line.startswith(("on_", "log", "links", "alias"))]
    assert len(rules) == 2 * (4 * 8 + 6)
    assert all(len(line.split()) > 4 for line in rules)


def test_show_lets_no_name_act(idsync: Program) -> None:
    name = "[bold]\x1b[2J\u202e[/oops]"
    text = json.dumps(name)
    idsync.write(
        "idsync.yaml",
        f"organization: {text}\nscopes:\n  {text}: {{strategy: default}}\n"
        f"accounts:\n  {text}:\n    workspaces:\n      {text}: {text}\n",
    )
    told = idsync("config", "show").stdout
    assert told.count("[bold]\\x1b[2J\\u202e[/oops]") == 4
    assert idsync("config", "show", "--json").json()["organization"] == name


# Lint


def test_lint_puts_its_warnings_beside_the_lines(idsync: Program) -> None:
    idsync.write("c,o.yaml", CONFIG.replace("email, ", "").replace("unique", "login, unique"))
    text = CONFIG.replace(", unique: true", "")
    idsync.write("idsync.yaml", text)
    outcome = idsync("config", "lint", "--format", "github")
    assert (outcome.status, outcome.stderr) == (0, "")
    [(level, place, message)] = commands(outcome.stdout)
    assert level == "warning"
    assert place == {"file": "idsync.yaml", "line": "8", "col": "7", "title": "idsync config lint"}
    plain = idsync("config", "lint").stdout
    assert [*without_excerpts(plain.splitlines())] == [f"idsync.yaml:8:7: {message}"]


def test_lint_puts_faults_beside_the_lines(idsync: Program) -> None:
    idsync.write("a,b%.yaml", '"##[error]x": 1\nscopes:\n  s: {strategy: nope, priority: []}\n')
    outcome = idsync("config", "lint", "--format", "github", "--config", "a,b%.yaml")
    assert (outcome.status, outcome.stderr) == (2, "")
    found = commands(outcome.stdout)
    assert [(level, place["file"], place["line"]) for level, place, _ in found] == [
        ("error", "a,b%.yaml", "1"),
        ("error", "a,b%.yaml", "3"),
        ("error", "a,b%.yaml", "3"),
    ]


def test_lint_of_what_is_not_there_is_a_fault_in_any_format(idsync: Program) -> None:
    for form in ("text", "github"):
        outcome = idsync("config", "lint", "--config", "nowhere.yaml", "--format", form)
        assert outcome.status == 2
        assert "no such file" in outcome.stdout + outcome.stderr


def test_nothing_to_warn_of_is_no_annotation(idsync: Program) -> None:
    assert idsync("config", "lint", "--format", "github").stdout == "no warnings\n"


# What a store remembers


def test_a_store_remembers_the_rules_that_it_was_last_changed_under(idsync: Program) -> None:
    idsync("init", "--seed", "1")
    assert remembered(idsync) == {}
    idsync("search", "--email", "a")
    idsync("identify", "--email", "a", "--dry-run")
    idsync("identify", "--push-token", "a")
    assert remembered(idsync) == {}
    idsync("identify", "--email", "a")
    organization = config_file.load(idsync.folder / "idsync.yaml").organization
    assert remembered(idsync) == rules_json.remembered(organization)
    idsync.write("idsync.yaml", TWO_SCOPES)
    idsync("identify", "--email", "a", "--scope", "consumers")  # changes nothing
    assert set(remembered(idsync)) == {"consumers"}
    idsync("identify", "--email", "b", "--scope", "consumers")
    assert set(remembered(idsync)) == {"consumers", "couriers"}
    assert idsync("config", "plan").status == 0


def test_an_import_is_under_rules_too(idsync: Program) -> None:
    line = {"mpid": "5", "scope": "consumers", "identities": {"email": ["a"]}}
    idsync.write("p.jsonl", json.dumps(line) + "\n")
    assert idsync("import", "p.jsonl").status == 0
    assert set(remembered(idsync)) == {"consumers"}


@pytest.mark.parametrize("text", [CONFIG, TWO_SCOPES, BEFORE, AFTER, KEEPING])
def test_rules_are_read_as_they_were_remembered(idsync: Program, text: str) -> None:
    organization = config_file.load(idsync.write("rules.yaml", text)).organization
    for rules in organization.scopes.values():
        again = rules_json.decode(rules_json.encode(rules))
        assert rules_json.encode(again) == rules_json.encode(rules)
        assert (again.strategy, again.priority) == (rules.strategy, rules.priority)
        assert again.on_conflicting_login is rules.on_conflicting_login
        assert again.on_unique_held is rules.on_unique_held
        for kind in IdentityType:
            assert again.settings_of(kind) == rules.settings_of(kind)


def test_rules_that_were_remembered_before_there_was_a_choice_take(idsync: Program) -> None:
    [rules] = config_file.load(idsync.write("rules.yaml", KEEPING)).organization.scopes.values()
    said = json.loads(rules_json.encode(rules))
    assert said.pop("on_unique_held") == "keep"
    assert rules_json.decode(json.dumps(said)).on_unique_held is OnUniqueHeld.TAKE


@pytest.mark.parametrize("text", ["", "[]", "{}", "null", '{"strategy": 1}'])
def test_rules_that_are_none_are_a_fault_of_the_store(text: str) -> None:
    with pytest.raises(StoreFault, match="last changed cannot be read"):
        rules_json.decode(text)


def test_a_transaction_that_fails_remembers_nothing(idsync: Program) -> None:
    from idsync_cli import wire
    from idsync_cli.engine.engine import Engine
    from idsync_cli.store import sqlite as store

    organization = config_file.load(idsync.folder / "idsync.yaml").organization
    request = wire.Incoming({"type": "identify", "known_identities": {"email": "a"}})

    def fail(*_: object) -> None:
        raise ZeroDivisionError

    with store.temporary(0) as memory:
        engine = Engine(organization, memory, now=lambda: 0)
        with pytest.raises(ZeroDivisionError):
            engine.batch([request], before_commit=fail)
        with memory.reading() as session:
            assert session.remembered_rules() == {}
        engine.batch([request])
        with memory.reading() as session:
            assert session.remembered_rules() == rules_json.remembered(organization)


# Plan


def test_a_plan_of_the_same_rules_is_empty(used: Program) -> None:
    used.write("after.yaml", "# a comment\n" + BEFORE)
    told = plan(used, status=0)
    assert (told["changes"], told["unused"]) == (False, False)
    assert used("config", "plan").stdout.startswith(
        "nothing would change: the store was last changed"
    )


def test_a_plan_for_a_store_that_holds_nothing_is_empty(idsync: Program) -> None:
    idsync("init", "--seed", "1")
    idsync.write("after.yaml", AFTER)
    assert plan(idsync, status=0) == {"changes": False, "unused": True, "scopes": []}
    assert idsync("config", "plan").stdout == (
        "nothing would change: no request has changed the store yet\n"
    )


def test_a_plan_tells_of_all_that_would_change(used: Program) -> None:
    told = plan(used, status=1)
    mpids = [answer["mpid"] for answer in used("export").lines()]
    first, second, by_number, by_email, _ = mpids
    assert told["changes"] is True
    one, three, two = told["scopes"]
    assert one == {
        "scope": "one",
        "fate": "stays",
        "changes": True,
        "profiles": 4,
        "reindexes": True,
        "rules": [
            {"rule": "on_new_known_user", "before": "keep", "after": "create"},
            {"rule": "links", "before": False, "after": True},
        ],
        "entering": [],
        "leaving": ["mobile_number"],
        "reordered": True,
        "settings": [
            {"identity_type": "customer_id", "before": ["login", "unique"], "after": []},
            {"identity_type": "email", "before": [], "after": ["login", "unique"]},
        ],
        "shared": {
            "identifiers": 1,
            "most_held": [{"identity_type": "email", "value": "a", "holders": 2}],
        },
        "calculated_attributes": {"added": [], "removed": [], "changed": []},
        "audiences": [],
        "become": {
            "orphaned": {"profiles": 1, "kinds": 1, "examples": [by_number]},
            "known": {"profiles": 1, "kinds": 1, "examples": [by_email]},
        },
    }
    assert (three["scope"], three["fate"], three["profiles"]) == ("three", "new", 0)
    assert (two["scope"], two["fate"], two["profiles"]) == ("two", "vanishes", 1)
    assert first != second


def test_a_plan_reads_well(used: Program) -> None:
    outcome = used("config", "plan", "--config", "after.yaml")
    assert outcome.status == 1
    assert all(len(line) <= 80 for line in outcome.stdout.split("\n"))
    told = " ".join(outcome.stdout.split())
    for words in (
        "scope one: 4 profiles",
        "leaves the priority mobile_number",
        "the priority is reordered",
        "customer_id login, unique becomes no settings",
        "email no settings becomes login, unique",
        "on_new_known_user keep becomes create: a new login ID creates a new profile",
        "1 profile known from now on, protected by their login IDs:",
        "1 profile orphaned, no longer found by any identifier:",
        "1 identifier of types that become unique, with more than one holder:",
        "email a 2",
        "the store is reindexed by the next request that writes: new login types",
        "scope three is new: 0 profiles",
        "scope two is removed: 1 profile kept, which no request can reach",
    ):
        assert words in told


def test_a_profile_known_by_rules_alone_becomes_anonymous(used: Program) -> None:
    used.write(
        "idsync.yaml",
        BEFORE.replace("email,", "email,").replace(
            "unique: true}}", "unique: true}, email: {login: true}}", 1
        ),
    )
    used("identify", "--scope", "one", "--mobile-number", "6")
    used.write("after.yaml", BEFORE)
    [become] = [each["become"] for each in plan(used, status=1)["scopes"] if each["changes"]]
    assert {shift: each["profiles"] for shift, each in become.items()} == {"anonymous": 1}


def test_a_type_that_enters_finds_orphans_again(used: Program) -> None:
    used.write("idsync.yaml", AFTER)
    used("identify", "--scope", "one", "--email", "new")
    used.write("after.yaml", BEFORE)
    [one] = [each for each in plan(used, status=1)["scopes"] if each["scope"] == "one"]
    assert one["entering"] == ["mobile_number"]
    assert one["become"]["found_again"]["profiles"] == 1


def test_a_scope_that_comes_back_meets_its_profiles(used: Program) -> None:
    used.write("idsync.yaml", AFTER)
    used("identify", "--scope", "one", "--email", "new")
    used.write("after.yaml", AFTER + "  two: {strategy: profile_link, priority: [email]}\n")
    [two] = [each for each in plan(used, status=1)["scopes"] if each["changes"]]
    assert (two["scope"], two["fate"], two["profiles"]) == ("two", "new", 1)
    assert two["become"]["known"]["profiles"] == 1


def test_only_so_many_are_listed_and_all_are_counted(used: Program) -> None:
    for number in range(25):
        values = {"customer_id": f"c{number}", "mobile_number": f"+{number:02}"}
        others = {"ios_idfv": f"i{number}", "mobile_number": f"+{number:02}"}
        requests = [
            {"type": "login", "scope": "one", "known_identities": values},
            {"type": "identify", "scope": "one", "known_identities": others},
        ]
        assert used.replay(*requests).status == 0
    text = BEFORE.replace("unique: true}}", "unique: true}, mobile_number: {unique: true}}", 1)
    used.write("after.yaml", text)
    [one] = [each for each in plan(used, status=1)["scopes"] if each["changes"]]
    assert one["shared"]["identifiers"] == 25
    assert len(one["shared"]["most_held"]) == 25  # for programs, all of them
    told = used("config", "plan", "--config", "after.yaml").stdout
    assert "  25 identifiers of types that become unique" in told
    assert "  and 5 more" in told
    assert "the rules of 1 more scope are unchanged" in told
    becomes_known = BEFORE.replace("unique: true}}", "unique: true}, ios_idfv: {login: true}}", 1)
    used.write("after.yaml", becomes_known)
    [one] = [each for each in plan(used, status=1)["scopes"] if each["changes"]]
    known = one["become"]["known"]
    assert (known["profiles"], known["kinds"], len(known["examples"])) == (25, 1, 1)
    told = used("config", "plan", "--config", "after.yaml").stdout
    assert "login IDs; 1 of 25, as examples:" in " ".join(told.split())


def test_values_of_a_plan_cannot_act(used: Program) -> None:
    value = "[bold]\x1b[2J\u202e[/oops]\n::error::x"
    for identity in ("customer_id", "ios_idfv"):
        request = {"type": "identify", "scope": "one"}
        identities = {"mobile_number": value, identity: "x"}
        assert used.replay({**request, "known_identities": identities}).status == 0
    text = BEFORE.replace("unique: true}}", "unique: true}, mobile_number: {unique: true}}", 1)
    used.write("after.yaml", text)
    told = used("config", "plan", "--config", "after.yaml").stdout
    assert all(line.isprintable() for line in told.split("\n"))


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (["--store", "nowhere.db"], 3, "there is no store"),
        (["--store", "idsync.yaml"], 3, "not an idsync store"),
        (["--store", ""], 3, "path of the store is empty"),
        (["--config", "nowhere.yaml"], 2, "no such file"),
        (["--config", ""], 2, "is empty"),
        (["more"], 2, "unexpected argument"),
    ],
)
def test_what_cannot_be_planned_is_refused(
    used: Program, arguments: list[str], status: int, words: str
) -> None:
    before = used.files()
    outcome = used("config", "plan", *arguments)
    assert (outcome.status, outcome.stdout) == (status, "")
    assert words in outcome.stderr
    assert used.files() == before


def test_rules_that_cannot_be_read_are_told_and_mended_by_the_next_change(used: Program) -> None:
    with sqlite3.connect(used.folder / "idsync.db") as connection:
        connection.execute("UPDATE rules SET rules = '{'")
    connection.close()
    outcome = used("config", "plan")
    assert outcome.status == 3
    assert "the next request that changes the store replaces them" in outcome.stderr
    assert used("identify", "--scope", "one", "--email", "new").status == 0
    assert used("config", "plan").status == 0
