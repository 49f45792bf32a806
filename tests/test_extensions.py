"""Guard rails as the commands show them and act by them (section 11)."""

import gzip
import json
from typing import Any

import pytest

from idsync_cli.core.codes import RequestKind, Rule, Status
from idsync_cli.core.config.placeholders import WORDS, is_placeholder
from idsync_cli.core.decision import Answer, DecidedBy, Decision
from idsync_cli.core.identity import Identifier, IdentityType
from idsync_cli.core.profile import ProfileView
from idsync_cli.replay.summary import PLACEHOLDERS_COUNTED, PLACEHOLDERS_SHOWN, Tally
from tests.program import Program, program_in_a_fresh_folder

__all__ = ["program_in_a_fresh_folder"]

Json = dict[str, Any]

PLAIN = """\
scopes:
  shop:
    strategy: profile_conversion
    priority: [customer_id, email, push_token, ios_idfa, ios_idfv]
    identities: {customer_id: {login: true, unique: true}, push_token: {unique: true}}
"""
GUARDED = (
    PLAIN
    + """\
    extensions:
      normalize: {email: [trim, lowercase]}
      blocked: {"*": [placeholders], email: ["*@spam.example", test@example.com]}
      max_values: {email: 2, ios_idfv: {limit: 1, beyond: replace_oldest}}
      moving: [push_token]
"""
)
ZEROS = "00000000-0000-0000-0000-000000000000"


@pytest.fixture(name="guarded")
def program_with_guard_rails(idsync: Program) -> Program:
    idsync.write("idsync.yaml", GUARDED)
    idsync.make_store()
    return idsync


def identify(**identities: str) -> Json:
    return {"type": "identify", "known_identities": identities}


def told(text: str) -> str:
    """A text as one line."""
    return " ".join(text.split())


# ---- Requests


def test_a_blocked_value_is_told_in_text_in_json_and_in_the_table(guarded: Program) -> None:
    arguments = ("identify", "--idfa", ZEROS, "--email", "Anna@X", "--dry-run")
    note = (
        "note blocked: the scope blocks the value of ios_idfa: it was neither looked up nor stored"
    )
    assert note in guarded(*arguments).stdout
    explained = guarded(*arguments, "--explain")
    assert note in told(explained.stdout)
    assert "not in request: customer_id, push_token, ios_idfa, ios_idfv" in told(explained.stdout)
    answer = guarded(*arguments, "--json", "--explain").json()
    assert [note["code"] for note in answer["notes"]] == ["blocked"]
    assert [change["value"] for change in answer["changes"]] == ["anna@x"]
    assert [tier["value"] for tier in answer["tiers"]] == [None, "anna@x", None, None, None]


@pytest.mark.parametrize("kind", ["identify", "login", "logout", "search"])
def test_a_request_with_nothing_but_blocked_values_is_refused(guarded: Program, kind: str) -> None:
    before = guarded("export").stdout
    for arguments in (["--idfa", ZEROS], ["--idfa", ZEROS, "--email", "  ", "--other", "Null"]):
        outcome = guarded(kind, *arguments)
        assert (outcome.status, outcome.stdout) == (2, "")
        assert (
            "NO_IDENTITIES: no identifier is left: the scope blocks the value of" in outcome.stderr
        )
        assert "try:" not in outcome.stderr  # it has been told
        assert guarded(kind, *arguments, "--json", "--explain").json()["errors"][0]["code"] == (
            "NO_IDENTITIES"
        )
    assert guarded("export").stdout == before


def test_no_extensions_passes_them_over(guarded: Program) -> None:
    outcome = guarded(
        "identify", "--idfa", ZEROS, "--email", " Anna@X", "--no-extensions", "--json"
    )
    assert outcome.json()["notes"] == []
    assert [change["value"] for change in outcome.json()["changes"]] == [" Anna@X", ZEROS]
    search = ("search", "--idfa", ZEROS)
    assert guarded(*search).status == 2
    assert guarded(*search, "--no-extensions").status == 0
    guarded.write("r.jsonl", json.dumps(identify(ios_idfa=ZEROS)) + "\n")
    replay = ("replay", "r.jsonl", "--quiet", "--output", "-")
    assert guarded(*replay).lines()[0]["status"] == "error"
    again = guarded(*replay, "--again", "--no-extensions")
    assert again.lines()[0]["status"] == "matched"


def test_a_modify_beyond_a_limit_is_refused_with_the_way_out(guarded: Program) -> None:
    made = guarded("identify", "--email", "a@x", "--idfv", "d", "--json").json()["mpid"]
    add = ("modify", f"--mpid={made}", "--change")
    assert guarded(*add, "email::b@x").status == 0
    before = guarded("export").stdout
    outcome = guarded(*add, "email::c@x")
    assert outcome.status == 2
    assert "LIMIT_REACHED: a profile may hold 2 values of email here" in outcome.stderr
    assert "'c@x' cannot be added; remove another first; to see it, run: idsync" in outcome.stderr
    assert guarded("export").stdout == before
    assert guarded(*add, "email:A@X:c@x").status == 0
    replaced = guarded(*add, "ios_idfv::e", "--json").json()
    assert [note["code"] for note in replaced["notes"]] == ["replaced_oldest"]
    assert [(each["op"], each["value"]) for each in replaced["changes"]] == [
        *(("remove", "d"), ("add", "e"))
    ]


def test_what_moved_is_told_with_the_profile_that_it_was_taken_from(guarded: Program) -> None:
    first = guarded("login", "--customer-id", "A", "--push-token", "t", "--json").json()["mpid"]
    outcome = guarded("login", "--customer-id", "B", "--push-token", "t", "--json")
    [note] = outcome.json()["notes"]
    assert note == {
        "code": "moved",
        "identity_type": "push_token",
        "message": f"push_token was taken from profile {first}",
        "mpid": first,
    }
    again = guarded("login", "--customer-id", "A", "--push-token", "t").stdout
    assert f"note moved: push_token was taken from profile {outcome.json()['mpid']}" in again
    story = guarded("profile", "show", f"--mpid={first}", "--story").stdout
    assert "push_token t" in story


# ---- To turn normalize on parts nobody from a profile


@pytest.fixture(name="old")
def store_from_before_guard_rails(idsync: Program) -> tuple[Program, str]:
    """A profile that holds an email as it was typed; the guard rails came later."""
    idsync.write("idsync.yaml", PLAIN)
    idsync.make_store()
    made = idsync("identify", "--email", "Anna@X", "--idfv", "phone", "--json").json()
    idsync.write("idsync.yaml", GUARDED)
    return idsync, made["mpid"]


def test_a_value_that_is_only_held_as_it_was_sent_still_finds_its_profile(
    old: tuple[Program, str],
) -> None:
    idsync, mpid = old
    found = idsync("search", "--email", "Anna@X", "--json").json()
    assert (found["mpid"], found["matched_identities"]) == (mpid, {"email": "Anna@X"})
    assert (
        idsync("search", "--email", "anna@X").status == 1
    )  # another spelling, of which none is held
    assert (
        idsync("identify", "--email", "Anna@X", "--idfv", "phone", "--json").json()["changes"] == []
    )


def test_once_somebody_holds_the_normal_form_that_is_meant(old: tuple[Program, str]) -> None:
    idsync, mpid = old
    other = idsync("identify", "--email", "ANNA@x", "--idfa", "I", "--json").json()
    assert [each["value"] for each in other["changes"]] == ["anna@x", "I"]
    found = idsync("search", "--email", "Anna@X", "--json").json()
    assert found["mpid"] == other["mpid"] != mpid


def test_an_old_value_may_be_named_as_it_is_held(old: tuple[Program, str]) -> None:
    idsync, mpid = old
    outcome = idsync("modify", f"--mpid={mpid}", "--change", "email:Anna@X:anna@x", "--json").json()
    assert [(each["op"], each["value"]) for each in outcome["changes"]] == [
        *(("remove", "Anna@X"), ("add", "anna@x"))
    ]
    assert idsync("modify", f"--mpid={mpid}", "--change", "email:ANNA@X:").status == 0


def test_whois_reads_a_value_as_a_request_would(old: tuple[Program, str]) -> None:
    idsync, mpid = old
    found = idsync("whois", "email=Anna@X", "--json").json()
    assert (found["value"], found["read_as"]) == ("Anna@X", {})
    assert [each["mpid"] for each in found["profiles"]] == [mpid]
    nobody = idsync("whois", "email= ANNA@x")
    assert nobody.status == 1
    assert "no profile holds email ' ANNA@x', read as 'anna@x'" in nobody.stderr
    made = idsync("identify", "--email", "ANNA@x", "--idfa", "I", "--json").json()["mpid"]
    found = idsync("whois", "email= Anna@X", "--json").json()
    assert found["read_as"] == {"shop": "anna@x"}
    assert [(each["mpid"], each["returned"]) for each in found["profiles"]] == [(made, True)]
    text = idsync("whois", "email= Anna@X").stdout
    assert "scope shop reads it as email anna@x" in text
    plain = idsync("whois", "email=Anna@X", "--no-extensions", "--json").json()
    assert [each["mpid"] for each in plain["profiles"]] == [mpid]


def test_whois_shows_who_holds_what_is_blocked_since(old: tuple[Program, str]) -> None:
    idsync, mpid = old
    idsync("identify", "--idfv", "phone", "--idfa", ZEROS, "--no-extensions")
    found = idsync("whois", f"idfa={ZEROS}", "--json").json()
    assert [(each["mpid"], each["returned"], each["why_not"]) for each in found["profiles"]] == [
        (mpid, False, "blocked")
    ]
    assert found["searches"] == []
    text = idsync("whois", f"idfa={ZEROS}").stdout
    assert "blocked: the scope blocks the value" in text


# ---- Whole profiles


def test_an_import_normalizes_and_sets_aside_and_counts(guarded: Program) -> None:
    identities = {
        "customer_id": ["guest"],
        "email": ["A@X", " a@x", "x@SPAM.example", "b@x", "c@x"],
        "ios_idfa": [ZEROS, "I"],
    }
    line = {"mpid": "5", "identities": identities}
    other = {"mpid": "6", "known": True, "identities": {"email": ["Null"]}}
    guarded.write(
        "p.jsonl.gz", gzip.compress((f"{json.dumps(line)}\n" + json.dumps(other)).encode())
    )
    dry = guarded("import", "p.jsonl.gz", "--dry-run", "--json").json()
    assert dry == {"profiles": 2, "blocked": 4, "dry_run": True}
    outcome = guarded("import", "p.jsonl.gz")
    assert outcome.stdout == "imported 2 profiles, without 4 values that extensions block\n"
    first, second = guarded("export").lines()
    assert first["identities"] == {"email": ["a@x", "b@x", "c@x"], "ios_idfa": ["I"]}
    assert (first["known"], second["known"]) == (False, True)
    assert (second["identities"], second["orphaned"]) == ({}, True)


def test_an_import_without_extensions_takes_all_as_it_is(guarded: Program) -> None:
    guarded.write("p.jsonl", json.dumps({"mpid": "5", "identities": {"email": ["A@X", "null"]}}))
    outcome = guarded("import", "p.jsonl", "--no-extensions")
    assert outcome.stdout == "imported 1 profile\n"
    assert guarded("export").lines()[0]["identities"] == {"email": ["A@X", "null"]}


def test_an_import_refuses_two_values_that_become_one_unique_value(idsync: Program) -> None:
    idsync.write(
        "idsync.yaml", GUARDED.replace("normalize: {", "normalize: {customer_id: [lowercase], ")
    )
    lines = [
        {"mpid": str(each), "identities": {"customer_id": [name]}}
        for each, name in ((1, "A"), (2, "a"))
    ]
    idsync.write("p.jsonl", "\n".join(map(json.dumps, lines)))
    outcome = idsync("import", "p.jsonl")
    assert outcome.status == 2
    assert "p.jsonl:2: customer_id is unique, but another profile holds the value" in outcome.stderr


def test_a_csv_is_guarded_too(guarded: Program) -> None:
    guarded.write("p.csv", 'mpid,email\n5," A@X "\n6,undefined\n')
    assert guarded("import", "p.csv", "--json").json()["blocked"] == 1
    assert [each["identities"] for each in guarded("export").lines()] == [{"email": ["a@x"]}, {}]


# ---- Scenarios


STORY = """\
scope:
  strategy: best_match
  priority: [email]
  extensions: {normalize: {email: [lowercase]}}
given:
  - {mpid: 1, email: A}
steps:
  - identify: {email: a}
    expect: {status: matched, mpid: 1, matched: [email]}
"""


def test_check_holds_to_extensions_unless_told_otherwise(idsync: Program) -> None:
    idsync.write("story.yaml", STORY)
    assert idsync("check", "story.yaml").status == 0
    outcome = idsync("check", "story.yaml", "--no-extensions")
    assert outcome.status == 1
    assert "FAILED" in outcome.stdout
    idsync.write("plain.yaml", "scopes: {c: {strategy: best_match, priority: [email]}}\n")
    assert idsync("check", "story.yaml", "--config", "plain.yaml").status == 1
    guarded = "scopes: {c: {strategy: best_match, priority: [email], extensions: %s}}\n"
    idsync.write("plain.yaml", guarded % "{normalize: {email: [lowercase]}}")
    assert idsync("check", "story.yaml", "--config", "plain.yaml").status == 0
    assert idsync("check", "story.yaml", "--config", "plain.yaml", "--no-extensions").status == 1


# ---- The configuration, shown


def test_config_show_has_a_sentence_for_every_guard_rail(guarded: Program) -> None:
    outcome = guarded("config", "show", environment={"COLUMNS": "200"})
    lines = [told(line) for line in outcome.stdout.split("\n")]
    for line in (
        (
            "normalize email trim, lowercase white space at both ends is removed, then A to Z become "
            "lower case"
        ),
        (
            "blocked * placeholders values that stand for nobody (zeros, null, guest …) are set aside: "
            "neither looked up nor stored"
        ),
        (
            "blocked email *@spam.example, test@example.com these values are set aside: neither looked "
            "up nor stored"
        ),
        "max_values email 2 a profile holds 2 values at most: no further one is added",
        (
            "max_values ios_idfv 1, replace_oldest a profile holds 1 value at most: one more replaces "
            "the oldest"
        ),
        "moving push_token yes taken from whoever holds it, protected or not",
    ):
        assert line in lines
    assert max(map(len, guarded("config", "show").stdout.split("\n"))) <= 80
    shown = guarded("config", "show", "--json").json()["scopes"]["shop"]
    assert shown["extensions"] == {
        "normalize": {"email": ["trim", "lowercase"]},
        "blocked": {"*": ["placeholders"], "email": ["*@spam.example", "test@example.com"]},
        "max_values": {"email": {"limit": 2}, "ios_idfv": {"limit": 1, "beyond": "replace_oldest"}},
        "moving": ["push_token"],
    }
    guarded.write("idsync.yaml", PLAIN)
    assert "Extension" not in guarded("config", "show").stdout
    assert guarded("config", "show", "--json").json()["scopes"]["shop"]["extensions"] == {}


def test_a_long_list_of_blocked_values_is_cut_short_for_people(idsync: Program) -> None:
    values = ", ".join(f"value-{number}" for number in range(3000))
    idsync.write("idsync.yaml", PLAIN + f"    extensions: {{blocked: {{email: [{values}]}}}}\n")
    assert "and 2,990 more" in told(idsync("config", "show").stdout)
    shown = idsync("config", "show", "--json").json()["scopes"]["shop"]["extensions"]
    assert len(shown["blocked"]["email"]) == 3000


@pytest.mark.parametrize(
    ("identities", "warned"),
    [
        ("{customer_id: {login: true, unique: true}}", {}),
        (
            (
                "{customer_id: {login: true, unique: true}, email: {login: true}, "
                "mobile_number: {login: true}}"
            ),
            {"email": False, "mobile_number": False},
        ),
        (
            "{customer_id: {login: true, unique: true, immutable: true}, email: {login: true}}",
            {"email": True},
        ),
        ("{email: {login: true, unique: true, immutable: true}}", {"email": False}),
    ],
)
def test_config_show_says_of_a_login_type_that_others_may_know_what_that_means(
    idsync: Program, identities: str, warned: dict[str, bool]
) -> None:
    priority = "[customer_id, email, mobile_number, ios_idfv]"
    if "customer_id" not in identities:
        priority = "[email, mobile_number, ios_idfv]"
    idsync.write(
        "idsync.yaml",
        f"scopes:\n  s:\n    strategy: profile_conversion\n    priority: {priority}\n"
        f"    identities: {identities}\n",
    )
    text = told(idsync("config", "show").stdout)
    for kind in ("customer_id", "email", "mobile_number", "ios_idfv"):
        said = (
            f"note: {kind} is a login type that others may know: whoever sends it is answered as "
            "that user, logged in"
        )
        assert (said in text) is (kind in warned)
        if kind in warned:
            unless = said + ", unless that profile holds an immutable ID"
            assert (unless in text) is warned[kind]
    shown = idsync("config", "show", "--json").json()["scopes"]["s"]
    assert shown["others_may_know"] == list(warned)


def test_lint_warns_of_an_advertising_identifier_that_is_unguarded(idsync: Program) -> None:
    idsync.write("idsync.yaml", PLAIN)
    outcome = idsync("config", "lint")
    assert outcome.status == 0
    [line] = [each for each in outcome.stdout.split("\n") if "[unguarded]" in each]
    assert line.startswith("idsync.yaml:4:48: scope shop: ")
    assert '"*": [placeholders]' in line
    idsync.write("idsync.yaml", GUARDED)
    assert "unguarded" not in idsync("config", "lint").stdout
    idsync.write("idsync.yaml", "scopes: {s: {strategy: default}}\n")
    assert idsync("config", "lint").stdout.count("[unguarded]") == 2


def test_what_init_writes_is_guarded(idsync: Program) -> None:
    (idsync.folder / "idsync.yaml").unlink()
    assert idsync("init", "--seed", "1").status == 0
    assert idsync("config", "lint").stdout == "no warnings\n"
    answer = idsync("identify", "--gaid", ZEROS, "--email", "anna@example.com", "--json").json()
    assert [note["code"] for note in answer["notes"]] == ["blocked"]
    assert idsync("check", "--init").status == 0
    assert idsync("check", "scenarios").status == 0


# ---- Plan


def test_a_plan_shows_what_new_guard_rails_would_have_kept_out(idsync: Program) -> None:
    idsync.write("idsync.yaml", PLAIN)
    idsync.make_store()
    requests = [
        identify(ios_idfa=ZEROS, ios_idfv="1"),
        identify(ios_idfa=ZEROS, ios_idfv="2"),
        {"type": "login", "known_identities": {"customer_id": "guest", "ios_idfa": ZEROS}},
        {
            "type": "login",
            "known_identities": {"customer_id": "C", "email": "Anna@X", "ios_idfv": "3"},
        },
        {
            "type": "login",
            "known_identities": {"customer_id": "C", "email": "b@x", "ios_idfv": "3"},
        },
        {"type": "login", "known_identities": {"customer_id": "C", "email": "c@SPAM.example"}},
        {"type": "logout", "known_identities": {"ios_idfa": ZEROS}},
    ]
    mpids = [answer["mpid"] for answer in idsync.answers(*requests)]
    idsync.write("after.yaml", GUARDED)
    before = idsync.files()
    outcome = idsync("config", "plan", "--config", "after.yaml", "--json")
    assert (outcome.status, idsync.files()) == (1, before)
    [scope] = outcome.json()["scopes"]
    assert scope["kept_out"] == {
        "blocked": {
            "identifiers": 3,
            "most_held": [
                {"identity_type": "ios_idfa", "value": ZEROS, "holders": 2},
                {"identity_type": "customer_id", "value": "guest", "holders": 1},
                {"identity_type": "email", "value": "c@SPAM.example", "holders": 1},
            ],
        },
        "reshaped": {
            "identifiers": 1,
            "most_held": [
                {"identity_type": "email", "value": "Anna@X", "holders": 1, "would_be": "anna@x"}
            ],
        },
        "crowded": {
            "profiles": 2,
            "largest": [
                {"mpid": mpids[3], "identity_type": "email", "values": 3},
                {"mpid": mpids[0], "identity_type": "ios_idfv", "values": 2},
            ],
        },
    }
    assert {(each["extension"], each["identity_type"]) for each in scope["extensions"]} == {
        *(("normalize", "email"), ("blocked", None), ("blocked", "email")),
        *(("max_values", "email"), ("max_values", "ios_idfv"), ("moving", "push_token")),
    }
    assert scope["extensions"][1] == {
        "extension": "blocked",
        "identity_type": None,
        "before": None,
        "after": ["placeholders"],
    }
    text = told(idsync("config", "plan", "--config", "after.yaml").stdout)
    for words in (
        "normalize email not set becomes trim, lowercase",
        "blocked * not set becomes placeholders",
        "moving push_token not set becomes yes",
        "3 identifiers blocked: kept, and finding nobody:",
        f"ios_idfa {ZEROS} 2",
        "1 identifier of another form: kept, and found:",
        "email Anna@X anna@x 1",
        "2 profiles that hold more values than the limit: kept as they are:",
        f"{mpids[3]} email 3",
    ):
        assert words in text
    assert all(len(line) <= 80 for line in idsync("config", "plan").stdout.split("\n"))
    same = idsync("config", "plan", "--config", "after.yaml", "--no-extensions")
    assert same.status == 0


def test_a_plan_tells_only_of_what_is_new(guarded: Program) -> None:
    guarded("identify", "--idfa", ZEROS, "--email", "A@X", "--no-extensions")
    guarded("identify", "--email", "other@x")  # under guard rails, which the store remembers
    assert guarded("config", "plan").status == 0
    guarded.write("after.yaml", GUARDED.replace("lowercase", "lowercase, digits"))
    [scope] = guarded("config", "plan", "--config", "after.yaml", "--json").json()["scopes"]
    assert [each["extension"] for each in scope["extensions"]] == ["normalize"]
    assert scope["kept_out"]["blocked"]["identifiers"] == 0
    assert scope["kept_out"]["reshaped"]["identifiers"] == 0  # A@X was none before
    guarded.write("after.yaml", GUARDED.replace("test@example.com", "other@x, a@x"))
    [scope] = guarded("config", "plan", "--config", "after.yaml", "--json").json()["scopes"]
    assert [each["value"] for each in scope["kept_out"]["blocked"]["most_held"]] == [
        "A@X",
        "other@x",
    ]


def test_a_plan_lists_so_many_and_counts_all(idsync: Program) -> None:
    idsync.write("idsync.yaml", PLAIN)
    requests = [identify(email=f"E{number}", ios_idfv=f"d{number}") for number in range(25)]
    assert idsync.replay(*requests).status == 0
    idsync.write("after.yaml", PLAIN + "    extensions: {normalize: {email: [lowercase]}}\n")
    told_ = idsync("config", "plan", "--config", "after.yaml").stdout
    assert "25 identifiers of another form" in told_
    assert "  and 5 more" in told_
    [scope] = idsync("config", "plan", "--config", "after.yaml", "--json").json()["scopes"]
    assert len(scope["kept_out"]["reshaped"]["most_held"]) == 25


# ---- What placeholders decided


def test_the_summary_and_stats_name_placeholders_whatever_is_configured(idsync: Program) -> None:
    idsync.write("idsync.yaml", PLAIN)
    idsync.make_store()
    requests = [identify(ios_idfa=ZEROS, ios_idfv=f"phone-{number}") for number in range(5)]
    requests += [identify(email="Guest", ios_idfv="a"), identify(email="Guest", ios_idfv="b")]
    requests += [identify(email="Guest"), identify(ios_idfv="b"), identify(push_token="null")]
    idsync.write("r.jsonl", "".join(json.dumps(each) + "\n" for each in requests))
    summary = idsync("replay", "r.jsonl", "--json").json()
    assert summary["placeholders"] == {
        "requests": 6,
        "values": [
            {"identity_type": "ios_idfa", "value": ZEROS, "requests": 4},
            {"identity_type": "email", "value": "Guest", "requests": 2},
        ],
    }
    text = told(idsync("replay", "r.jsonl", "--again").stdout)
    assert "requests were resolved by a value that looks like a placeholder" in text
    assert f"ios_idfa {ZEROS}" in text
    counted = idsync("stats", "--json").json()["placeholders"]
    assert counted == [
        {
            "scope": "shop",
            "identity_type": "ios_idfa",
            "value": ZEROS,
            "profiles": 1,
            "requests": 4,
        },
        {
            "scope": "shop",
            "identity_type": "email",
            "value": "Guest",
            "profiles": 1,
            "requests": 1,
        },
    ]
    shown = told(idsync("stats").stdout)
    assert "values that look like placeholders" in shown
    assert f"shop ios_idfa {ZEROS} 1 4" in shown


def test_where_nothing_was_resolved_by_a_placeholder_nothing_is_said(guarded: Program) -> None:
    requests = [identify(ios_idfa=ZEROS, ios_idfv="d"), identify(ios_idfv="d"), identify(email="x")]
    guarded.write("r.jsonl", "".join(json.dumps(each) + "\n" for each in requests))
    outcome = guarded("replay", "r.jsonl")
    assert "placeholder" not in outcome.stdout
    assert guarded("replay", "r.jsonl", "--again", "--json").json()["placeholders"] == {
        "requests": 0,
        "values": [],
    }
    assert "placeholder" not in guarded("stats").stdout
    assert guarded("stats", "--json").json()["placeholders"] == []


def test_a_tie_among_those_whom_a_placeholder_found_counts(idsync: Program) -> None:
    idsync.write("idsync.yaml", PLAIN)
    out = {"type": "logout", "known_identities": {"ios_idfa": ZEROS}}
    requests = [out, out, identify(ios_idfa=ZEROS)]
    idsync.write("r.jsonl", "".join(json.dumps(each) + "\n" for each in requests))
    summary = idsync("replay", "r.jsonl", "--json").json()
    assert summary["notes"] == {"tie": 1}
    assert summary["placeholders"]["requests"] == 1


def answer(value: str) -> Answer:
    matched = (Identifier(IdentityType.EMAIL, value),)
    by = DecidedBy(Rule.IDENTIFIER, 1, IdentityType.EMAIL)
    decision = Decision(Status.MATCHED, by, ProfileView(1, 1, None, False, 0), False, matched)
    return Answer(1, 1, RequestKind.IDENTIFY, "s", decision)


def test_a_tally_counts_as_many_placeholders_as_come_and_remembers_so_many() -> None:
    """A hostile file can have any number of them: eight of a digit in a new grouping each time."""
    whole, part = Tally(), Tally()
    values = [f"{'1' * 8}{'-' * number}" for number in range(PLACEHOLDERS_COUNTED + 50)]
    part.count_all([answer("null"), *map(answer, values), answer("null")], "f")
    for _ in range(2):
        whole.add(part)
    assert len(whole.placeholders) == PLACEHOLDERS_COUNTED
    summary = whole.summary(stopped=False, dry_run=False)
    assert summary.by_placeholders == 2 * (len(values) + 2)
    assert len(summary.placeholders) == PLACEHOLDERS_SHOWN
    assert summary.placeholders[0] == (Identifier(IdentityType.EMAIL, "null"), 4)


@pytest.mark.parametrize("quote", ["", "'", '"'])
def test_stats_find_whatever_the_core_takes_for_a_placeholder(idsync: Program, quote: str) -> None:
    """SQLite leaves out what cannot be one; what it lets through the core judges."""
    idsync.write("idsync.yaml", "scopes: {s: {strategy: best_match, priority: [other, email]}}\n")
    listed = [*WORDS, *(word.title() for word in WORDS), "0", "-", ZEROS]
    listed += ["1" * 8, "(999) 999-9999", "+5.55 5/5_5:55", "{33333333}", "7\t7777777"]
    others = ["anna", "12345678", "1111111", "0.0", "nullnull", "1111111é", "x" * 40, "é"]
    values = [f"{quote}{each}{quote}" for each in (*listed, *others)]
    requests = [
        identify(other=value, email=f"{number}@x")
        for number, value in enumerate(values)
        for _ in "12"
    ]
    changing = [
        each | {"known_identities": each["known_identities"] | {"email": f"{number}@y"}}
        for number, each in enumerate(requests)
    ]
    assert idsync.replay(*requests, *changing).status == 0
    found = {each["value"] for each in idsync("stats", "--json").json()["placeholders"]}
    assert found == {value for value in values if is_placeholder(value)}
    assert len(found) >= len(listed) - 3
