"""The commands that make a store and look into it, and those that look at a configuration."""

import os
import re
from pathlib import Path

import pytest

from idsync_cli.core.config.lint import LintCode
from tests.program import (  # noqa: F401 - the fixture
    CONFIG,
    TWO_SCOPES,
    Program,
    assert_refused,
    mpid_of,
    program_in_a_fresh_folder,
    without_excerpts,
)

# init


def test_init_makes_a_configuration_and_a_store_that_work_at_once(tmp_path: Path) -> None:
    idsync = Program(tmp_path)
    outcome = idsync("init")
    assert (outcome.status, outcome.stdout) == (0, "")
    assert "idsync.yaml" in outcome.stderr
    assert "idsync.db" in outcome.stderr
    assert set(idsync.files()) == {"idsync.yaml", "idsync.db"}
    assert idsync("config", "lint").stdout == "no warnings\n"
    assert idsync("identify", "--email", "a@example.com", "--explain").status == 0
    assert idsync("export").json()["created_seq"] == 1


def test_the_first_two_commands_of_a_newcomer_find_what_they_made(tmp_path: Path) -> None:
    idsync = Program(tmp_path)
    begin = idsync("init").stderr.splitlines()[-1].removeprefix("next: idsync ").split()
    assert begin == ["identify", "--email", "a@example.com", "--explain"]
    assert idsync(*begin).status == 0
    made = idsync("export").json()["mpid"]
    found = idsync("search", "--email", "a@example.com")
    assert (found.status, found.stderr) == (0, "")
    assert found.stdout.startswith(f"matched {made}")


def test_the_next_step_of_the_configuration_stands_in_it(tmp_path: Path) -> None:
    idsync = Program(tmp_path)
    idsync("init")
    file = tmp_path / "idsync.yaml"
    text = file.read_text("utf-8")
    now, later = re.findall(r"^ *(?:# )?(customer_id: .*)\n", text, re.MULTILINE)
    assert later == now.replace("true}", "true, immutable: true}")
    file.write_text(text.replace(f"      {now}\n", "").replace(f"# {later}", later), "utf-8")
    assert idsync("config", "lint").stdout == "no warnings\n"
    login = idsync("login", "--customer-id", "C1", "--email", "a@example.com")
    assert login.status == 0
    assert idsync("search", "--email", "a@example.com").status == 1
    assert idsync("search", "--customer-id", "C1").status == 0


def test_the_configuration_to_begin_with_explains_itself(tmp_path: Path) -> None:
    idsync = Program(tmp_path)
    idsync("init")
    text = (tmp_path / "idsync.yaml").read_text("utf-8")
    assert len(re.findall(r"^ *# .", text, re.MULTILINE)) >= 5
    assert max(map(len, text.splitlines())) <= 100


def test_init_keeps_what_is_there(idsync: Program) -> None:
    idsync.write("idsync.yaml", "# mine\n" + CONFIG)
    idsync.make_store()
    idsync("identify", "--email", "a@example.com")
    before = idsync.files()
    for arguments in ((), ("--seed", "1")):
        outcome = idsync("init", *arguments)
        assert (outcome.status, outcome.stdout) == (0, "")
        assert outcome.stderr.count("kept") == 2
        assert idsync.files() == before


@pytest.mark.parametrize("path", ["/", "//", "/.", "/tmp/..", ".", ".."])
@pytest.mark.parametrize(
    "command", ["init", "stats", "identify --email e", "serve --port 0", "doctor"]
)
def test_a_folder_is_no_store_and_the_highest_is_none_either(
    idsync: Program, command: str, path: str
) -> None:
    before = idsync.files()
    outcome = idsync(*command.split(), "--store", path)
    assert_refused(outcome, 3, "is a folder; name a file in it")
    assert idsync.files() == before


def test_init_takes_nothing_away_that_it_did_not_make(idsync: Program) -> None:
    """A device or a pipe is no file that was just made, and a link is not what it leads to."""
    link, target = idsync.folder / "link", idsync.folder / "target"
    link.symlink_to("/dev/null")
    outcome = idsync("init", "--config", "link", "--store", "new.db")
    assert_refused(outcome, 2, "link", "the configuration is empty")
    assert link.is_symlink()
    link.unlink()
    link.symlink_to("target")
    outcome = idsync("init", "--config", "link", "--store", "no/new.db")
    assert_refused(outcome, 3, "no/new.db", "its folder does not exist")
    assert (link.is_symlink(), target.exists()) == (True, False)
    os.mkfifo(target)
    rules = (idsync.folder / "idsync.yaml").read_bytes()
    process = idsync.start("init", "--config", "target", "--store", "new.db")
    target.write_bytes(rules)
    told, _ = process.communicate(timeout=60)
    assert (process.returncode, told) == (0, b"")
    assert target.is_fifo()


def test_init_takes_other_names(tmp_path: Path) -> None:
    idsync = Program(tmp_path)
    assert idsync("init", "--config", "rules.yaml", "--store", "people.db").status == 0
    assert set(idsync.files()) == {"rules.yaml", "people.db"}


def test_the_seed_given_to_init_makes_the_mpids(idsync: Program) -> None:
    assert idsync("init", "--seed", "42").status == 0
    assert idsync("identify", "--email", "a", "--json").json()["mpid"] == mpid_of(42, 1)


def test_init_with_another_seed_than_the_store_s_is_refused(idsync: Program) -> None:
    idsync.make_store()
    before = idsync.files()
    outcome = idsync("init", "--seed", "2")
    assert outcome.status == 2
    assert "another seed" in outcome.stderr
    assert idsync.files() == before


def test_init_beside_a_broken_configuration_makes_no_store(idsync: Program) -> None:
    idsync.write("idsync.yaml", "scopes: [\n")
    before = idsync.files()
    assert_refused(idsync("init"), 2, "idsync.yaml:2:1: broken YAML")
    assert idsync.files() == before


# export


@pytest.fixture(name="lived")
def program_with_profiles(idsync: Program) -> Program:
    """A known user, a visitor, an orphan, and a courier; made by the requests 1, 2, 3 and 5."""
    idsync.write("idsync.yaml", TWO_SCOPES)
    idsync.make_store()
    phone, scope = {"idfv": "phone"}, {"scope": "consumers"}
    emails = [{"push_token": "t", "email": email, "customer_id": "C"} for email in ("a", "b")]
    answers = idsync.answers(
        scope | {"type": "identify", "known_identities": phone},
        scope | {"type": "logout", "known_identities": phone},
        scope | {"type": "identify", "label": "x", "known_identities": {"email": "x"}},
        scope | {"type": "modify", "mpid": "@x", "known_identities": {"email": None}},
        {"type": "login", "scope": "couriers", "known_identities": {"email": "a"}},
        *(scope | {"type": "login", "known_identities": each} for each in emails),
        scope | {"type": "modify", "mpid": mpid_of(1, 1), "known_identities": emails[0]},
        scope | {"type": "login", "known_identities": emails[1]},
    )
    assert [answer["status"] for answer in answers].count("error") == 0
    return idsync


def test_an_export_has_every_profile_in_the_order_of_their_making(lived: Program) -> None:
    lines = lived("export").lines()
    assert [line["created_seq"] for line in lines] == [1, 2, 3, 5, 6]
    assert [line["mpid"] for line in lines] == [mpid_of(1, seq) for seq in (1, 2, 3, 5, 6)]
    assert [line["known"] for line in lines] == [True, False, False, True, True]
    assert [line["orphaned"] for line in lines] == [False, False, True, False, False]
    assert [line["scope"] for line in lines] == [*["consumers"] * 3, "couriers", "consumers"]


def test_a_profile_has_the_members_of_the_specification(lived: Program) -> None:
    assert lived("export").lines()[0] == {
        "mpid": mpid_of(1, 1),
        "scope": "consumers",
        "created_seq": 1,
        "source_mpid": None,
        "known": True,
        "orphaned": False,
        "identities": {
            "customer_id": ["C"],
            "email": ["a", "b"],
            "ios_idfv": ["phone"],
            "push_token": ["t"],
        },
    }


def test_values_stand_in_the_order_in_which_they_were_added(idsync: Program) -> None:
    for email in ("m", "a", "z", "b"):
        idsync("identify", "--das", "d", "--email", email)
    assert idsync("export").json()["identities"]["email"] == ["m", "a", "z", "b"]


def test_an_export_of_one_scope_has_only_its_profiles(lived: Program) -> None:
    [courier] = lived("export", "--scope", "couriers").lines()
    assert courier["scope"] == "couriers"
    both = [*lived("export", "--scope", "consumers").lines(), courier]
    everything = lived("export").lines()
    assert sorted(both, key=lambda line: int(line["created_seq"])) == everything


def test_an_export_of_an_empty_store_is_empty(idsync: Program) -> None:
    idsync.make_store()
    outcome = idsync("export")
    assert (outcome.status, outcome.stdout, outcome.stderr) == (0, "", "")


def test_an_export_is_ascii_and_changes_nothing(idsync: Program) -> None:
    idsync("identify", "--email", "ä\u2028\x1b")
    before = idsync.files()
    outcome = idsync("export")
    assert outcome.stdout.isascii()
    assert outcome.json()["identities"]["email"] == ["ä\u2028\x1b"]
    assert idsync.files() == before


def test_source_and_known_come_from_the_rules_of_the_strategy(idsync: Program) -> None:
    idsync.write("idsync.yaml", CONFIG.replace("profile_conversion", "profile_link"))
    idsync.make_store()
    idsync("identify", "--idfv", "phone")
    idsync("login", "--customer-id", "C", "--idfv", "phone")
    visitor, user = idsync("export").lines()
    assert (visitor["known"], visitor["source_mpid"]) == (False, None)
    assert (user["known"], user["source_mpid"]) == (True, visitor["mpid"])


# profile show


def test_a_profile_is_shown_with_every_identifier(lived: Program) -> None:
    outcome = lived("profile", "show", "--mpid", mpid_of(1, 1))
    assert (outcome.status, outcome.stderr) == (0, "")
    for word in (
        mpid_of(1, 1),
        "consumers",
        "known",
        "customer_id",
        "email",
        "push_token",
        "phone",
    ):
        assert word in outcome.stdout
    assert "orphaned" not in outcome.stdout
    assert "orphaned" in lived("profile", "show", "--mpid", mpid_of(1, 3)).stdout
    assert "anonymous" in lived("profile", "show", "--mpid", mpid_of(1, 2)).stdout


def test_a_profile_as_json_says_what_the_export_says(lived: Program) -> None:
    for line in lived("export").lines():
        shown = lived("profile", "show", "--mpid", line["mpid"], "--json").json()
        common = {"mpid", "scope", "created_seq", "source_mpid", "known", "orphaned"}
        assert {key: shown[key] for key in common} == {key: line[key] for key in common}


def test_an_mpid_that_nobody_has_is_a_negative_answer(lived: Program) -> None:
    for arguments in ((), ("--json",)):
        outcome = lived("profile", "show", "--mpid", "-12345", *arguments)
        assert_refused(outcome, 1, "-12345")


# config show


def test_config_show_names_every_rule_type_setting_and_workspace(idsync: Program) -> None:
    idsync.write("idsync.yaml", TWO_SCOPES)
    outcome = idsync("config", "show")
    assert (outcome.status, outcome.stderr) == (0, "")
    for word in (
        *("consumers", "couriers", "profile_conversion", "profile_isolation", "shop"),
        *("courier-app", "customer_id", "email", "ios_idfv", "login", "unique"),
        *("on_new_known_user", "on_logout", "logins", "login_needs_login_id", "links"),
        *(
            "aliasing",
            "on_conflicting_login",
            "on_unique_held",
            "take",
            "keep",
            "create",
            "return_anonymous",
            "separate",
        ),
    ):
        assert word in outcome.stdout


def test_config_show_as_json_has_the_rules_as_codes(idsync: Program) -> None:
    idsync.write("idsync.yaml", TWO_SCOPES)
    shown = idsync("config", "show", "--json").json()
    couriers = shown["scopes"]["couriers"]
    assert couriers["strategy"] == "profile_isolation"
    assert couriers["priority"] == ["customer_id", "email", "ios_idfv"]
    assert couriers["identities"]["email"] == ["login", "unique"]
    assert couriers["rules"]["on_logout"] == "return_anonymous"
    assert shown["workspaces"] == {"shop": "consumers", "courier-app": "couriers"}


def test_config_show_needs_no_store_and_makes_none(idsync: Program) -> None:
    before = idsync.files()
    for command in ("show", "lint"):
        assert idsync("config", command, environment={"IDSYNC_STORE": "."}).status == 0
    assert idsync.files() == before


@pytest.mark.parametrize(
    ("strategy", "priority", "expected"),
    [
        (
            "default",
            "[customer_id, email]",
            {"customer_id": ["login", "unique", "immutable"], "email": []},
        ),
        ("profile_conversion", "[customer_id, email]", {"customer_id": [], "email": []}),
        (
            "profile_link",
            "[customer_id, email, other]",
            {"customer_id": ["login", "unique"], "email": ["login", "unique"], "other": []},
        ),
        ("profile_isolation", "[email, other]", {"email": ["login", "unique"], "other": []}),
        ("best_match", "[customer_id, email]", {"customer_id": [], "email": []}),
    ],
)
def test_a_preset_brings_its_settings(
    idsync: Program, strategy: str, priority: str, expected: dict[str, list[str]]
) -> None:
    idsync.write(
        "idsync.yaml",
        f"version: 1\nscopes:\n  c: {{strategy: {strategy}, priority: {priority}}}\n",
    )
    assert idsync("config", "show", "--json").json()["scopes"]["c"]["identities"] == expected


def test_default_without_a_priority_takes_its_own(idsync: Program) -> None:
    idsync.write("idsync.yaml", "version: 1\nscopes: {c: {strategy: default}}\n")
    priority = idsync("config", "show", "--json").json()["scopes"]["c"]["priority"]
    assert " ".join(priority) == (
        "customer_id email ios_idfa ios_idfv android_aaid android_uuid amp_id "
        "device_application_stamp"
    )


# config lint

LOGIN = "{login: true, unique: true}"
KEPT = "{login: true, unique: true, immutable: true}"
WITHOUT_LOGINS = "{on_new_known_user: keep, logins: false, links: false, aliasing: false}"
PRIORITY = "customer_id, email, ios_idfv"


def people(
    identities: str | None = f"customer_id: {KEPT}",
    *,
    priority: str = PRIORITY,
    strategy: str = "profile_conversion",
    more: str = "",
) -> str:
    """A configuration: the strategy in line 4, the priority in 5, identities in 6, more in 7."""
    named = "" if identities is None else f"    identities: {{{identities}}}\n"
    return (
        f"version: 1\nscopes:\n  people:\n    strategy: {strategy}\n"
        f"    priority: [{priority}]\n{named}{more}"
    )


def linted(idsync: Program, text: str) -> list[tuple[str, str]]:
    """The place and the code of each warning."""
    idsync.write("idsync.yaml", text)
    outcome = idsync("config", "lint")
    assert (outcome.status, outcome.stderr) == (0, "")
    found = re.findall(r"^idsync\.yaml:(\d+:\d+): .*\[(\w+)\]$", outcome.stdout, re.MULTILINE)
    if not found:
        assert outcome.stdout == "no warnings\n"
    return [(str(place), str(code)) for place, code in found]


@pytest.mark.parametrize(
    "text",
    [
        people(),
        people(f"customer_id: {LOGIN}"),
        *(
            people(None, strategy=strategy)
            for strategy in ("default", "profile_link", "profile_isolation", "best_match")
        ),
        people("email: {}", strategy="profile_link"),
        people(f"customer_id: {KEPT}, email: {KEPT}", strategy="profile_isolation"),
    ],
)
def test_lint_has_nothing_to_say_of_a_clean_configuration(idsync: Program, text: str) -> None:
    assert linted(idsync, text) == []


DOUBTS = [
    (people(""), "4:5", "no_login_type"),
    (
        people(f"customer_id: {LOGIN}", priority="email, customer_id, ios_idfv"),
        "5:23",
        "ranked_low",
    ),
    (people("customer_id: {login: true}"), "6:18", "login_not_unique"),
    (people(f"customer_id: {KEPT}, email: {{unique: true}}"), "6:77", "unique_not_login"),
    (people(f"customer_id: {LOGIN}, email: {LOGIN}"), "6:5", "several_login_types"),
    (people(priority="customer_id, ios_idfv, email"), "5:39", "device_above_user"),
    (
        people(f"customer_id: {KEPT}, email: {LOGIN}", strategy="profile_link"),
        "6:77",
        "immutable_beside_mutable",
    ),
    (people(priority="customer_id, email"), "5:5", "no_device_identity"),
    (people(more="    on_conflicting_login: join\n"), "7:5", "joins_logins"),
    (people("customer_id: {login: true}", strategy=WITHOUT_LOGINS), "6:18", "without_logins"),
    (
        people(None, strategy="best_match", more="    on_unique_held: keep\n"),
        "6:5",
        "nothing_to_keep",
    ),
    (
        people(
            more="    calculated_attributes: {orders: {calculation: count, event: buy}}\n"
            "    audiences: {a: {id: 1, attribute: order, operator: exists}}\n"
        ),
        "8:17",
        "nearly_calculated",
    ),
    (people(priority="customer_id, email, ios_idfa"), "5:36", "unguarded"),
]


@pytest.mark.parametrize(("text", "place", "code"), DOUBTS, ids=[code for *_, code in DOUBTS])
def test_lint_warns_of_each_thing_alone_and_at_its_place(
    idsync: Program, text: str, place: str, code: str
) -> None:
    assert linted(idsync, text) == [(place, code)]


def test_every_warning_is_provoked_here() -> None:
    assert {code for *_, code in DOUBTS} == set(LintCode)


def test_lint_tells_every_scope_in_the_order_of_the_file(idsync: Program) -> None:
    first = people(priority="customer_id, email")
    second = first.split("scopes:\n", maxsplit=1)[1].replace("people", "others")
    assert linted(idsync, first + second) == [
        ("5:5", "no_device_identity"),
        ("9:5", "no_device_identity"),
    ]


def test_a_warning_says_which_scope_and_what_to_do_or_what_happens(idsync: Program) -> None:
    idsync.write("idsync.yaml", people(priority="customer_id, ios_idfv, email"))
    [line] = without_excerpts(idsync("config", "lint").stdout.splitlines())
    for word in ("scope people", "email", "ios_idfv", "move it up"):
        assert word in line


def test_a_configuration_with_warnings_is_accepted(idsync: Program) -> None:
    idsync.write("idsync.yaml", people(priority="customer_id, email"))
    outcome = idsync("identify", "--email", "a")
    assert (outcome.status, outcome.stderr) == (0, "")


def test_a_backup_is_not_packed(idsync: Program) -> None:
    idsync.make_store()
    assert_refused(idsync("backup", "b.db.GZ"), 2, "'b.db.GZ'", "omit .gz")
    assert not (idsync.folder / "b.db.GZ").exists()
