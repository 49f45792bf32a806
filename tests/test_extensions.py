"""Guard rails as commands act by them: requests, whois, imports and scenarios (section 11)."""

import gzip
import json

import pytest

from tests.guarded import GUARDED, PLAIN, ZEROS, identify, program_with_guard_rails, told
from tests.program import Program, program_in_a_fresh_folder

__all__ = ["program_in_a_fresh_folder", "program_with_guard_rails"]


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
    counts = {"profiles": 2, "records": 0, "erasures": 0, "blocked": 4, "never_found": 1}
    assert dry == counts | {"dry_run": True}
    outcome = guarded("import", "p.jsonl.gz")
    assert outcome.stdout == (
        "imported 2 profiles, without 4 values that extensions block; 1 of the profiles can never "
        "be found, for lack of a login ID or of an identifier in the priority\n"
    )
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
    what = (
        "p.jsonl:2: customer_id is unique, but another profile holds 'a': the profile 1 of line 1"
    )
    assert what in outcome.stderr


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
