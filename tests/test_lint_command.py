"""`idsync lint`: what real requests contradict, each with its evidence; a clean day nothing."""

import hashlib
import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.program import Outcome, Program, assert_refused, program_in_a_fresh_folder
from tests.test_output_schemas import assert_valid

__all__ = ["program_in_a_fresh_folder"]

ROOT = Path(__file__).resolve().parent.parent
Json = dict[str, Any]
SHOP = """\
version: 1
scopes:
  shop:
    strategy: profile_conversion
    priority: [customer_id, email, ios_idfv]
    identities: {customer_id: {login: true, unique: true}, email: {login: true}}
"""
PEOPLE = 150


class Day:
    """A day of a shop in which everybody has a device, an account and an address of their own."""

    def __init__(self) -> None:
        self.rng = random.Random(1)
        self.requests: list[Json] = []

    def person(self, number: int) -> dict[str, str]:
        return {
            "customer_id": f"C-{number:05}",
            "email": f"p{number}@example.com",
            "mobile_number": f"+4930{number:06}",
            "other": f"loyalty-{number}",
            "ios_idfv": f"{hashlib.md5(str(number).encode()).hexdigest()[:12]}-device",
        }

    def visit(self, of: dict[str, str], *types: str, kind: str = "identify") -> None:
        carried = {each: of[each] for each in types}
        self.requests.append({"type": kind, "known_identities": carried})

    def all_people(self) -> None:
        for number in range(PEOPLE):
            of = self.person(number)
            self.visit(of, "ios_idfv")
            self.visit(of, "customer_id", "email", "ios_idfv", kind="login")
            self.visit(of, "email")
            self.visit(of, "customer_id", "mobile_number", "other")
            self.visit(of, "customer_id", "mobile_number")
            self.visit(of, "customer_id", "email", "mobile_number", "other", "ios_idfv")


def clean() -> Day:
    day = Day()
    day.all_people()
    return day


def placeholder_email(day: Day) -> None:
    for number in range(20):
        of = day.person(number) | {"email": "Test@example.com" if number % 2 else "null"}
        day.visit(of, "customer_id", "email", kind="login")


def kiosk(day: Day) -> None:
    """People who sign in with one address, which the clerk types in for all of them."""
    for number in range(30):
        of = day.person(1000 + number) | {"email": "kiosk@example.com"}
        day.visit(of, "customer_id", "email", kind="login")


def hashes(day: Day) -> None:
    for number in range(40):
        of = day.person(number)
        of["other"] = hashlib.sha256(of["email"].encode()).hexdigest()
        day.visit(of, "customer_id", "other")


def phones(day: Day) -> None:
    for number in range(20):
        of = day.person(number)
        digits = of["mobile_number"].removeprefix("+")
        for form in (f"+{digits}", digits, f"+{digits[:2]} {digits[2:4]} {digits[4:]}",
                     f"({digits[:4]}) {digits[4:7]}-{digits[7:]}"):  # fmt: skip
            day.visit(of | {"mobile_number": form}, "customer_id", "mobile_number")


def upper_case(day: Day) -> None:
    for number in range(20):
        of = day.person(number)
        day.visit(of | {"email": of["email"].upper()}, "customer_id", "email")


def spaces(day: Day) -> None:
    for number in range(5):
        of = day.person(number)
        day.visit(of | {"other": f" {of['other']}"}, "customer_id", "other")


@pytest.fixture(name="shop")
def program_of_a_shop(idsync: Program) -> Program:
    idsync.write("idsync.yaml", SHOP)
    return idsync


def lint(program: Program, day: Day, *more: str) -> Outcome:
    lines = "".join(json.dumps(each) + "\n" for each in day.requests)
    program.write("day.jsonl", lines)
    return program("lint", "day.jsonl", *more)


def found_in(outcome: Outcome, scope: str = "shop") -> list[tuple[str, str, str]]:
    document = outcome.json()
    assert_valid("lint", document)
    findings = document["scopes"][scope]["findings"]
    return [(each["weight"], each["code"], each["identity_type"]) for each in findings]


def test_a_clean_day_finds_nothing(shop: Program) -> None:
    before = set(shop.files())
    outcome = lint(shop, clean(), "--json", "--fail-on", "medium")
    outside = [("low", "outside_priority", kind) for kind in ("other", "mobile_number")]
    assert (outcome.status, found_in(outcome)) == (0, outside)
    text = lint(shop, clean())
    assert (text.status, text.stderr) == (0, "")
    assert text.stdout.startswith("2 findings: 2 low.\n900 requests, 900 answered with a profile\n")
    assert set(shop.files()) == {*before, "day.jsonl"}


DIRTY: dict[str, tuple[Callable[[Day], None], tuple[str, str, str], Json | None]] = {
    "placeholder": (
        placeholder_email,
        ("high", "placeholder", "email"),
        {"blocked": {"*": ["placeholders"], "email": ["Test@*", "test@*"]}},
    ),
    "kiosk": (kiosk, ("high", "shared_login", "email"), None),
    "hashes": (hashes, ("medium", "mixed_hashes", "other"), None),
    "phones": (
        phones,
        ("medium", "format_variants", "mobile_number"),
        {"normalize": {"mobile_number": ["digits"]}},
    ),
    "upper case": (
        upper_case,
        ("medium", "case_variants", "email"),
        {"normalize": {"email": ["lowercase"]}},
    ),
    "spaces": (
        spaces, ("medium", "format_variants", "other"), {"normalize": {"other": ["trim"]}}
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", DIRTY)
def test_each_dirt_is_found_with_what_helps(shop: Program, name: str) -> None:
    make, finding, remedy = DIRTY[name]
    day = clean()
    make(day)
    outcome = lint(shop, day, "--json")
    assert outcome.status == 0
    assert finding in found_in(outcome)
    document = outcome.json()["scopes"]["shop"]
    [told] = [each for each in document["findings"] if each["code"] == finding[1]]
    assert told["values"] >= 1 <= told["requests"]
    for example in told["examples"]:
        line = day.requests[example["line"] - 1]["known_identities"]
        assert line[finding[2]] == example["value"]
        assert example["file"] == "day.jsonl"
    assert (told["yaml"] and yaml.safe_load(told["yaml"])["extensions"]) == remedy
    if remedy is None:
        return
    scope = yaml.safe_load(SHOP)
    scope["scopes"]["shop"] |= yaml.safe_load(document["yaml"])
    shop.write("idsync.yaml", json.dumps(scope))
    outcome = lint(shop, day, "--json")
    if name != "phones":
        assert finding not in found_in(outcome)
        return
    findings = outcome.json()["scopes"]["shop"]["findings"]
    [left] = [each for each in findings if each["code"] == finding[1]]
    assert (left["values"], left["yaml"]) == (40, None)  # one with a plus, and one without


def test_a_priority_that_the_data_contradict(shop: Program) -> None:
    """A device that many share ranks above an address that nobody shares."""
    shop.write("idsync.yaml", SHOP.replace("email, ios_idfv]", "ios_idfv, email]"))
    day = clean()
    for number in range(60):
        day.visit(
            day.person(number) | {"ios_idfv": f"kiosk-{number % 4}"}, "customer_id", "ios_idfv"
        )
    outcome = lint(shop, day, "--json", "--try", "--fail-on", "high")
    assert outcome.status == 1
    document = outcome.json()
    assert_valid("lint", document)
    [told] = [
        each
        for each in document["scopes"]["shop"]["findings"]
        if each["code"] == "priority_contradicted"
    ]
    assert (told["identity_type"], told["values"], told["profiles"]) == ("ios_idfv", 4, 60)
    better = ["customer_id", "email", "ios_idfv"]
    assert yaml.safe_load(told["yaml"]) == {"priority": better}
    shop.write("better.yaml", SHOP)
    by_hand = shop("compare", "--with", "better.yaml", "day.jsonl", "--json", "--examples", "0")
    assert told["tried"] == by_hand.json()
    text = lint(shop, day, "--try").stdout
    assert "+ priority: [customer_id, email, ios_idfv]" in text
    assert "tried: " in text


def test_no_order_is_proposed_that_cannot_be_configured(shop: Program) -> None:
    shop.write("idsync.yaml", "scopes: {shop: {strategy: default}}\n")
    day = clean()
    day.requests = []
    for number in range(50):
        of = {"customer_id": f"C{number % 5}", "email": f"{number}@x.org"}
        day.visit(of, *of)
    document = lint(shop, day, "--json").json()
    assert_valid("lint", document)
    for each in document["scopes"]["shop"]["findings"]:
        if each["code"] == "priority_contradicted":
            assert each["identity_type"] != "customer_id" or each["yaml"] is None


def test_low_findings(shop: Program) -> None:
    shop.write("idsync.yaml", SHOP.replace("email, ios_idfv", "email, android_aaid, ios_idfv"))
    found = found_in(lint(shop, clean(), "--json", "--fail-on", "high"))
    assert ("low", "unused", "android_aaid") in found
    assert ("low", "outside_priority", "other") in found


@pytest.mark.parametrize(
    ("weight", "status"), [("high", 0), ("medium", 1), ("low", 1)]
)  # fmt: skip
def test_the_exit_status(shop: Program, weight: str, status: int) -> None:
    day = clean()
    upper_case(day)
    assert lint(shop, day, "--fail-on", weight).status == status


def test_values_are_hidden_on_request(shop: Program) -> None:
    day = clean()
    for make, *_ in DIRTY.values():
        make(day)
    values = {
        value
        for each in day.requests
        for value in each["known_identities"].values()
        if value != "null"
    }
    for form in ((), ("--json",), ("--format", "github")):
        shown = lint(shop, day, *form).stdout
        hidden = lint(shop, day, "--redact", *form).stdout
        assert any(value in shown for value in values)
        assert [value for value in values if value in hidden] == []


def test_annotations_of_github(shop: Program) -> None:
    day = clean()
    placeholder_email(day)
    lines = lint(shop, day, "--format", "github").stdout.splitlines()
    assert any(
        line.startswith(
            "::error file=day.jsonl,line=901,title=idsync lint%3A high placeholder::email"
        )
        for line in lines
    )
    assert all(line.startswith("::") for line in lines)


def test_a_store_is_as_requests_that_carry_all_of_a_profile(shop: Program) -> None:
    day = clean()
    placeholder_email(day)
    kiosk(day)
    lint(shop, day)
    assert shop("replay", "day.jsonl", "--seed", "1").status == 0
    before = shop.files()
    outcome = shop("lint", "--json")
    found = found_in(outcome)
    assert ("high", "placeholder", "email") in found
    assert ("high", "shared_login", "email") in found
    document = outcome.json()
    assert document["requests"] is None
    emails = document["scopes"]["shop"]["types"]["email"]
    assert (emails["coverage"], emails["decided"]) == (None, None)
    held = [each["identities"].get("email", []) for each in shop("profiles", "--json").lines()]
    assert emails["values"] == len({value for each in held for value in each})
    shared = emails["most_shared"][0]
    assert shared["profiles"] == sum(shared["value"] in each for each in held)
    text = shop("lint")
    assert "kiosk@example.com" in text.stdout
    assert shop.files() == before


def measured(answers: list[Json], requests: list[Json]) -> dict[str, Json]:
    """The measures by brute force."""
    answered = [
        (request["known_identities"], answer)
        for request, answer in zip(requests, answers, strict=True)
        if answer.get("mpid")
    ]
    found = {}
    for kind in dict.fromkeys(kind for carried, _ in answered for kind in carried):
        pairs = {(carried[kind], a["mpid"]) for carried, a in answered if kind in carried}
        values = [value for value, _ in pairs]
        profiles = [mpid for _, mpid in pairs]
        found[kind] = {
            "coverage": round(sum(kind in each for each, _ in answered) / len(answered), 4),
            "values": len(set(values)),
            "profiles_per_value": spread([values.count(each) for each in set(values)]),
            "values_per_profile": spread([profiles.count(each) for each in set(profiles)]),
            "decided": round(
                sum(a["decided_by"].get("identity_type") == kind for _, a in answered)
                / len(answered),
                4,
            ),
        }
    return found


def spread(counts: list[int]) -> Json:
    ranked = sorted(counts)
    at = [ranked[-(-len(ranked) * share // 100) - 1] for share in (50, 99)]
    return {"median": at[0], "p99": at[1], "max": ranked[-1]}


@pytest.mark.parametrize("seed", range(3))
def test_the_measures_are_those_of_brute_force(shop: Program, seed: int) -> None:
    rng = random.Random(seed)
    day = clean()
    day.requests = []
    for _ in range(400):
        of = {kind: f"v{rng.randint(1, 40)}" for kind in day.person(0)}
        types = rng.sample(list(of), rng.randint(1, 4))
        day.visit(of, *types, kind=rng.choice(["identify", "login", "search"]))
    found = lint(shop, day, "--json").json()["scopes"]["shop"]
    assert_valid("lint", {"requests": 400, "scopes": {"shop": found}})
    answers = shop("replay", "day.jsonl", "--dry-run", "--seed", "0", "--output", "-").lines()
    expected = measured(answers, day.requests)
    assert list(found["types"]) == ["customer_id", "email", "ios_idfv", "other", "mobile_number"]
    for kind, measures in expected.items():
        told = found["types"][kind]
        assert {name: told[name] for name in measures} == measures
        first = told["most_shared"][0]
        lines = [
            answer["mpid"]
            for request, answer in zip(day.requests, answers, strict=True)
            if answer.get("mpid") and request["known_identities"].get(kind) == first["value"]
        ]
        assert (first["profiles"], first["requests"]) == (len(set(lines)), len(lines))
        assert first["profiles"] == measures["profiles_per_value"]["max"]


def test_a_login_id_that_a_logout_ignores_does_not_count(shop: Program) -> None:
    day = clean()
    for number in range(PEOPLE):
        day.visit(day.person(number), "customer_id", "ios_idfv", kind="logout")
    types = lint(shop, day, "--json").json()["scopes"]["shop"]["types"]
    assert types["customer_id"]["profiles_per_value"]["max"] == 1


def test_what_a_modify_sets_counts(shop: Program) -> None:
    day = clean()
    day.requests[0]["label"] = "first"
    set_form = {"type": "modify", "mpid": "@first", "known_identities": {"email": "null"}}
    change = {"identity_type": "other", "new_value": "undefined"}
    day.requests += [set_form, {"type": "modify", "mpid": "@first", "identity_changes": [change]}]
    found = found_in(lint(shop, day, "--json"))
    assert ("high", "placeholder", "email") in found
    assert ("high", "placeholder", "other") in found


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (("none.jsonl",), 2, ["'none.jsonl' cannot be read"]),
        (("--try",), 2, ["--try needs requests"]),
        (("--scope", "shop"), 2, ["--scope and --workspace are for requests"]),
        ((), 3, ["no store at idsync.db"]),
        (("day.jsonl", "--fail-on", "none"), 2, ["--fail-on"]),
        (("day.jsonl", "--json", "--format", "github"), 2, ["cannot be combined"]),
        (("day.jsonl", "--scope", "shops"), 2, ["did you mean 'shop'?"]),
    ],
)
def test_bad_input_is_told_the_way_out(
    shop: Program, arguments: tuple[str, ...], status: int, words: list[str]
) -> None:
    shop.write("day.jsonl", "")
    assert_refused(shop("lint", *arguments), status, *words)


def test_a_file_without_requests(shop: Program) -> None:
    shop.write("day.jsonl", "\n\n")
    outcome = shop("lint", "day.jsonl")
    assert (outcome.status, outcome.stdout) == (
        0,
        "No findings.\n0 requests, 0 answered with a profile\n",
    )
    assert "the files contain no requests" in outcome.stderr


def test_lines_that_are_refused_do_not_count(shop: Program) -> None:
    day = clean()
    day.requests[5:5] = [{"type": "nonsense"}, {"type": "identify", "known_identities": {}}]
    document = lint(shop, day, "--json").json()
    assert (document["requests"], document["scopes"]["shop"]["answered"]) == (902, 900)
