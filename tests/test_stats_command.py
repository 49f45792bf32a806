"""`idsync stats`: health of a store, assertions about it, and the text format of Prometheus."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.program import TWO_SCOPES, Program, assert_refused, program_in_a_fresh_folder
from tests.test_output_schemas import assert_valid

__all__ = ["program_in_a_fresh_folder"]

Json = dict[str, Any]
ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(name="shop", scope="module")
def store_of_a_day(tmp_path_factory: pytest.TempPathFactory) -> Program:
    idsync = Program(tmp_path_factory.mktemp("day"))
    idsync.write("idsync.yaml", (ROOT / "sample_config.yaml").read_bytes())
    lines = (ROOT / "fixtures" / "requests.jsonl").read_bytes().split(b"\n")[:300]
    identities = {"customerid": "C-second", "email": "second"}
    login = {"scope": "couriers", "label": "two", "type": "login", "known_identities": identities}
    changes = [{"identity_type": "email", "new_value": "third"}]
    modify = {"scope": "couriers", "type": "modify", "mpid": "@two", "identity_changes": changes}
    lines += [json.dumps(each).encode() for each in (login, modify)]
    idsync.write("day.jsonl", b"\n".join(lines))
    assert idsync("replay", "day.jsonl", "--seed", "1", "--quiet").status in (0, 1)
    return idsync


def profiles_of(shop: Program) -> list[Json]:
    return list(shop("profiles", "--json").lines())


def test_what_all_profiles_say(shop: Program) -> None:
    """Every number by brute force, over the profiles and their history."""
    counted = shop("stats", "--json", "--deep").json()
    assert_valid("stats", counted)
    profiles = profiles_of(shop)
    changed = {
        each["seq"]: each
        for profile in profiles
        for each in shop("history", f"--mpid={profile['mpid']}", "--json").lines()
    }
    assert counted["requests"] == len(changed)
    assert counted["requests_per_profile"] == round(len(changed) / len(profiles), 2)
    logins = {"consumers": ["customer_id"], "couriers": ["customer_id", "email"]}
    for name, scope in counted["scopes"].items():
        mine = [each for each in profiles if each["scope"] == name]
        types = Counter[str]()
        for each in mine:
            types.update({kind: len(values) for kind, values in each["identities"].items()})
        assert scope["types"] == dict(types)
        assert scope["identifiers"] == sum(types.values())
        assert scope["requests_per_profile"] == round(scope["requests"] / len(mine), 2)
        assert scope["several_logins"] == {
            kind: sum(len(each["identities"].get(kind, ())) > 1 for each in mine)
            for kind in logins[name]
        }
    assert counted["scopes"]["couriers"]["several_logins"]["email"] > 0
    sizes = sorted(
        (-sum(map(len, each["identities"].values())), each["created_seq"], each["mpid"])
        for each in profiles
    )
    assert [(each["mpid"], each["identifiers"]) for each in counted["largest"]] == [
        (mpid, -size) for size, _, mpid in sizes[:10]
    ]
    assert sum(each["requests"] for each in counted["scopes"].values()) == counted["requests"]


def test_what_is_shown(shop: Program) -> None:
    plain, deep = shop("stats"), shop("stats", "--deep")
    assert "per profile" in plain.stdout
    assert "the largest profiles:" not in plain.stdout
    assert "profiles with several values of a login type:" in deep.stdout
    assert "the largest profiles:" in deep.stdout
    assert shop("stats", "--json").json()["largest"] is None


def test_prometheus_reads_it(shop: Program) -> None:
    outcome = shop("stats", "--format", "prometheus")
    assert (outcome.status, outcome.stderr) == (0, "")
    families = {each.name: each for each in text_string_to_metric_families(outcome.stdout)}
    assert {name: each.type for name, each in families.items()} == {
        "idsync_profiles": "gauge",
        "idsync_identifiers": "gauge",
        "idsync_decided": "counter",
        "idsync_requests": "counter",
    }
    counted = shop("stats", "--json").json()
    read = {
        (sample.name, *sample.labels.values()): sample.value
        for family in families.values()
        for sample in family.samples
    }
    for scope, each in counted["scopes"].items():
        for state in ("known", "anonymous", "orphaned"):
            assert read["idsync_profiles", scope, state] == each[state]
        for kind, number in each["types"].items():
            assert read["idsync_identifiers", scope, kind] == number
    assert read["idsync_requests_total",] == counted["requests"]
    for each in counted["deciders"]:
        by = each["decided_by"]
        numbers = [
            number
            for (name, *labels), number in read.items()
            if name == "idsync_decided_total"
            and labels[1:] == [by["rule"], by.get("identity_type", "")]
        ]
        assert sum(numbers) == each["requests"]
    decided = [each for each in read if each[0] == "idsync_decided_total"]
    assert sum(read[each] for each in decided) == counted["requests"]


def test_names_of_scopes_are_labels_whatever_they_are(idsync: Program) -> None:
    name = 'a "b" \\ c\n\x1b[2J,d="e"}'
    rules = {"strategy": "best_match", "priority": ["email"]}
    idsync.write("idsync.yaml", json.dumps({"scopes": {name: rules}}))
    idsync.make_store()
    assert idsync("identify", "--email", "e").status == 0
    text = idsync("stats", "--format", "prometheus").stdout
    scopes = {
        sample.labels["scope"]
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.labels
    }
    assert scopes == {'a "b" \\ c\\n\\x1b[2J,d="e"}'}
    assert "\x1b" not in text


@pytest.fixture(name="small")
def store_of_two_profiles(idsync: Program) -> Program:
    idsync.write("idsync.yaml", TWO_SCOPES.replace("couriers", "cou.riers"))
    idsync.make_store()
    for scope in ("consumers", "cou.riers"):
        assert idsync("identify", "--scope", scope, "--email", "null").status == 0
    return idsync


@pytest.mark.parametrize(
    ("asserted", "is_so"),
    [
        ("orphaned == 0", True),
        ("orphaned==0", True),
        ("  profiles   >=  2 ", True),
        ("profiles > 2", False),
        ("profiles != 2", False),
        ("profiles < 2.5", True),
        ("profiles <= 1", False),
        ("last_seq >= -1", True),
        ("scopes.consumers.anonymous == 1", True),
        ("scopes.cou.riers.known == 1", True),
        ("scopes.consumers.mean_identifiers == 1.00", True),
        ("scopes.consumers.types.email == 1", True),
        ("types.email == 2", True),
        ("requests_per_profile == 1", True),
        ("placeholders == 0", True),
        ("deciders > 3", False),
    ],
)
def test_what_is_asserted_decides_the_exit_status(
    small: Program, asserted: str, is_so: bool
) -> None:
    outcome = small("stats", "--json", "--assert", asserted)
    assert outcome.status == (0 if is_so else 1)
    assert outcome.json()["last_seq"] == 2
    assert outcome.stderr.startswith(
        "" if is_so else f"idsync: assertion failed: '{asserted}', but it is "
    )
    assert bool(outcome.stderr) is not is_so


def test_all_assertions_are_looked_at(small: Program) -> None:
    three = ("profiles == 2", "profiles > 2", "orphaned > 0")
    words = [word for each in three for word in ("--assert", each)]
    outcome = small("stats", *words)
    assert outcome.status == 1
    assert outcome.stderr.splitlines() == [
        "idsync: assertion failed: 'profiles > 2', but it is 2",
        "idsync: assertion failed: 'orphaned > 0', but it is 0",
    ]
    deep = small("stats", "--deep", "--assert", "several_logins.customer_id == 0")
    assert (deep.status, deep.stderr) == (0, "")


@pytest.mark.parametrize(
    ("asserted", "words"),
    [
        ("orphaned", ["'orphaned' is not NAME OP N", "< <= > >= == !="]),
        ("orphaned = 0", ["is not NAME OP N"]),
        ("orphaned == zero", ["is not NAME OP N"]),
        ("", ["'' is not NAME OP N"]),
        ("orphans == 0", ["no 'orphans' in the statistics", "did you mean 'orphaned'?"]),
        ("scopes.nowhere.orphaned == 0", ["no 'scopes.nowhere.orphaned'"]),
        ("scopes.consumers == 1", ["'scopes.consumers' is not a number"]),
        ("types.twitter == 0", ["no 'types.twitter'"]),
        ("mean_identifiers > 1", ["no 'mean_identifiers'", "scopes.consumers.mean_identifiers"]),
        ("several_logins.email == 0", ["'several_logins.email' needs --deep"]),
        ("several_logins == 0", ["'several_logins' needs --deep"]),
        ("largest < 3", ["'largest' needs --deep"]),
    ],
)
def test_an_assertion_that_does_not_parse_or_names_nothing(
    small: Program, asserted: str, words: list[str]
) -> None:
    assert_refused(small("stats", "--assert", asserted), 2, "--assert", *words)


def test_of_an_empty_store_all_sums_are_zero(idsync: Program) -> None:
    idsync.make_store()
    assert idsync("stats", "--assert", "orphaned == 0", "--assert", "profiles == 0").status == 0
    text = idsync("stats", "--format", "prometheus").stdout
    assert "idsync_requests_total 0\n" in text
    assert list(text_string_to_metric_families(text))


def test_two_forms_at_once_are_refused(small: Program) -> None:
    assert_refused(small("stats", "--json", "--format", "prometheus"), 2, "cannot be combined")
