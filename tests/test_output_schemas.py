"""What every command prints with `--json` is as its schema in docs/schema says, and no more."""

import gzip
import json
import os
from collections.abc import Iterator, Sequence
from enum import Enum
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from referencing import Registry, Resource

from idsync_cli.core import codes
from idsync_cli.core.config.diff import Shift
from idsync_cli.core.config.strategy import Settings
from idsync_cli.foresight.flips import SETTINGS, STRATEGY_RULES
from idsync_cli.foresight.linting.findings import LintFinding, Weight
from idsync_cli.inspect.doctor import Level
from idsync_cli.inspect.plan import Fate
from idsync_cli.inspect.translation import LineOutcome
from idsync_cli.store.file_values import FindingCode
from tests.program import Program, program_in_a_fresh_folder
from tests.test_help import commands
from tests.test_schemas import NAMES as FORMATS

__all__ = ["program_in_a_fresh_folder"]

ROOT = Path(__file__).resolve().parent.parent
SCHEMAS = ROOT / "docs" / "schema"

REQUESTS = ("identify", "login", "logout", "search", "modify")
BY_COMMAND = {
    **dict.fromkeys((*REQUESTS, "track", "alias", "erase"), "answer"),
    "profiles": "profile",
    "replay": "replay",
    "replay --enrich": "enriched",
    "whois": "whois",
    "why-not": "why-not",
    "compare": "compare",
    "lint": "lint",
    "history": "history",
    "graph": "graph",
    "stats": "stats",
    "import": "import",
    "convert": "convert",
    "backup": "backup",
    "restore": "restore",
    "doctor": "doctor",
    "translate": "translate",
    "profile query": "profile-query",
    "profile show": "profile-show",
    "profile show --story": "profile-story",
    "config show": "config-show",
    "config plan": "config-plan",
    "audience": "audience",
    "audience --of-a-name": "audience-member",
    "audience --explain": "audience-explain",
}
"""The schema of what each command prints with `--json`."""

OUTPUTS = sorted({*BY_COMMAND.values()} - {"answer", "profile"})


@cache
def schema(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((SCHEMAS / f"{name}.schema.json").read_text("utf-8"))
    return found


@cache
def registry() -> Registry[Any]:
    names = [each.name.removesuffix(".schema.json") for each in SCHEMAS.iterdir()]
    resources = [(f"{name}.schema.json", Resource.from_contents(schema(name))) for name in names]
    return Registry().with_resources(resources)


def validator(name: str) -> Draft202012Validator:
    return Draft202012Validator(schema(name), registry=registry())


def assert_valid(name: str, *documents: object) -> None:
    for document in documents:
        errors = validator(name).iter_errors(document)
        assert [f"{each.json_path}: {each.message}" for each in errors] == [], document


def test_every_schema_is_of_a_format_or_of_an_output() -> None:
    there = {each.name for each in SCHEMAS.iterdir()}
    assert there == {f"{name}.schema.json" for name in (*FORMATS, *OUTPUTS)}


@pytest.mark.parametrize("name", OUTPUTS)
def test_the_schema_of_an_output_is_one(name: str) -> None:
    Draft202012Validator.check_schema(schema(name))
    assert schema(name)["$id"] == f"{name}.schema.json"
    for key, member in schema(name)["properties"].items():
        assert "description" in member or "$ref" in member, key


def test_every_command_with_json_has_its_schema(idsync: Program) -> None:
    with_json = {
        " ".join(words) for words in commands() if "--json " in idsync(*words, "--help").stdout
    }
    assert with_json == {each.partition(" --")[0] for each in BY_COMMAND}


@pytest.mark.parametrize("name", OUTPUTS)
def test_the_formats_page_names_the_schema(name: str) -> None:
    assert f"](schema/{name}.schema.json)" in (ROOT / "docs" / "formats.md").read_text("utf-8")


SCOPE_OF_A_PLAN = "/properties/scopes/items/properties"
SCOPE_OF_A_CONFIGURATION = "/properties/scopes/additionalProperties/properties"


def values(known: type[Enum]) -> list[str]:
    return [str(each.value) for each in known]


@pytest.mark.parametrize(
    ("name", "pointer", "words"),
    [
        ("history", "/$defs/kind/enum", [*values(codes.RequestKind), codes.Import.IMPORT]),
        ("replay", "/properties/types/propertyNames/enum", [*values(codes.RequestKind), "none"]),
        ("doctor", "/properties/findings/items/properties/code/enum", values(FindingCode)),
        ("doctor", "/properties/findings/items/properties/level/enum", values(Level)),
        ("config-plan", f"{SCOPE_OF_A_PLAN}/fate/enum", values(Fate)),
        (
            "config-plan",
            f"{SCOPE_OF_A_PLAN}/become/propertyNames/enum",
            values(Shift),
        ),
        (
            "config-show",
            f"{SCOPE_OF_A_CONFIGURATION}/identities/additionalProperties/items/enum",
            Settings(True, True, True).names(),
        ),
        (
            "config-show",
            "/$defs/calculated_attribute/properties/calculation/enum",
            values(codes.Calculation),
        ),
        ("config-show", "/$defs/attribute/properties/operator/enum", values(codes.Operator)),
        ("why-not", "/$defs/setting/enum", list(SETTINGS)),
        ("lint", "/$defs/weight/enum", values(Weight)),
        ("lint", "/$defs/code/enum", values(LintFinding)),
        (
            "why-not",
            "/$defs/key/enum",
            [*STRATEGY_RULES, "on_conflicting_login", "on_unique_held"],
        ),
        ("audience-explain", "/$defs/attribute/properties/operator/enum", values(codes.Operator)),
    ],
)
def test_an_enumeration_is_that_of_the_code(name: str, pointer: str, words: Sequence[str]) -> None:
    found: Any = schema(name)
    for key in pointer.split("/")[1:]:
        found = found[key]
    assert found == list(words)


def test_what_decided_is_any_rule_of_the_code() -> None:
    with_type, without = schema("history")["$defs"]["decided_by"]["oneOf"]
    rules = {with_type["properties"]["rule"]["const"], *without["properties"]["rule"]["enum"]}
    assert rules == {*values(codes.Rule), codes.Import.IMPORT}
    assert set(schema("translate")["properties"]["status"]["enum"]) == set(values(LineOutcome))
    statuses = schema("replay")["properties"]["types"]["additionalProperties"]["propertyNames"]
    assert set(statuses["enum"]) == set(values(codes.Status))


# What a day of commands prints


@pytest.fixture(name="day", scope="module")
def store_of_a_day(tmp_path_factory: pytest.TempPathFactory) -> Program:
    idsync = Program(tmp_path_factory.mktemp("day"))
    (idsync.folder / "idsync.yaml").write_bytes((ROOT / "sample_config.yaml").read_bytes())
    imported = '{"mpid": "77", "scope": "consumers", "identities": {"email": ["imported"]}}\n'
    summary = idsync("import", "-", "--json", stdin=imported.encode())
    assert_valid("import", *summary.lines())
    return idsync


def test_a_replay_and_all_questions_to_its_store(day: Program) -> None:
    requests = (ROOT / "fixtures" / "requests.jsonl").read_bytes()
    (day.folder / "day.jsonl").write_bytes(requests)
    [summary] = day("replay", "day.jsonl", "--json").lines()
    assert summary["refused"] > 0 < summary["requests"]
    assert_valid("replay", summary)
    profiles = day("profiles", "--json").lines()
    assert_valid("profile", *profiles)
    for each in [*profiles[:80], *(each for each in profiles if each["source_mpid"])]:
        mpid = f"--mpid={each['mpid']}"
        assert_valid("history", *day("history", mpid, "--json").lines())
        assert_valid("profile-show", day("profile", "show", mpid, "--json").json())
        assert_valid("profile-story", day("profile", "show", mpid, "--story", "--json").json())
    for each in profiles[:20]:
        for name, held in each["identities"].items():
            assert_valid("whois", day("whois", f"{name}={held[0]}", "--json").json())
            assert_valid("graph", day("graph", f"{name}={held[0]}", "--json").json())
    for each in profiles[:20]:
        assert_valid("graph", day("graph", each["mpid"], "--json").json())
    [scope] = {each["scope"] for each in profiles} - {"couriers"}
    assert_valid("graph", day("graph", "--scope", scope, "--json").json())
    assert_valid("whois", day("whois", "email=nobody", "--json").json())
    assert_valid("stats", day("stats", "--json").json())
    assert_valid("stats", day("stats", "--json", "--deep").json())
    assert_valid("doctor", day("doctor", "--json").json())
    assert_valid("config-show", day("config", "show", "--json").json())


def test_a_replay_that_ended_early_and_one_that_maps_mpids(idsync: Program) -> None:
    asked = '{"type": "identify", "known_identities": {"email": "%s"}, "response": {"mpid": "5"}}\n'
    idsync.write("a.jsonl", "".join(asked % name for name in ("a", "b")))
    idsync.write("cut.gz", gzip.compress((asked % "c").encode() * 999)[:-9])
    summary = idsync("replay", "a.jsonl", "--map-mpids", "--json").json()
    assert summary["met_twice"] == 1
    assert_valid("replay", summary)
    summary = idsync("replay", "a.jsonl", "cut.gz", "--again", "--json").json()
    assert summary["ended_by"]["code"] == "FILE_UNREADABLE"
    assert_valid("replay", summary)


def test_an_import_of_what_can_never_be_found(idsync: Program) -> None:
    summary = idsync("import", "-", "--json", stdin=b'{"mpid": "1", "identities": {}}').json()
    assert summary["never_found"] == 1
    assert_valid("import", summary)
    summary = idsync("import", "-", "--json", stdin=b'mpid,email\n2,"a\nb"\n').json()
    assert summary["line_ends"] == 1
    assert_valid("import", summary)


def test_a_conversion(idsync: Program) -> None:
    table = "email,Name\na@x,Ana\nA@x,\n,Bob\n"
    log = '10:00 {"type": "identify", "known_identities": {"email": "a"}}\n10:01 ready\n'
    har = {"log": {"entries": [{"request": {"method": "GET", "url": "x"}}]}}
    for number, text in enumerate((table, log, json.dumps(har), json.dumps([{}]))):
        name = f"{number}"
        idsync.write(name, text)
        assert_valid("convert", idsync("convert", name, "--output", os.devnull, "--json").json())


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("", ""),
        ("profile_conversion", "profile_link"),
        ("      - device_application_stamp   #", "      #"),
        ("couriers", "riders"),
    ],
)
def test_a_plan(day: Program, old: str, new: str) -> None:
    text = (ROOT / "sample_config.yaml").read_text("utf-8")
    day.write("new.yaml", text.replace(old, new) if old else text)
    outcome = day("config", "plan", "--json", "--config", "new.yaml")
    assert outcome.status == int(bool(old)), outcome.stderr
    assert_valid("config-plan", outcome.json())


def test_of_a_new_store_a_plan_says_that_it_is_unused(idsync: Program) -> None:
    idsync.make_store()
    assert_valid("config-plan", idsync("config", "plan", "--json").json())
    assert_valid("stats", idsync("stats", "--json").json())


def test_a_copy_and_its_return(day: Program) -> None:
    assert_valid("backup", day("backup", "copy.db", "--json", "--force").json())
    assert_valid("restore", day("restore", "copy.db", "--json").json())
    assert_valid("restore", day("restore", "copy.db", "--json", "--discard").json())


def test_an_unsound_store(day: Program) -> None:
    path = day.folder / "damaged.db"
    data = bytearray((day.folder / "idsync.db").read_bytes())
    data[len(data) // 2 : len(data) // 2 + 4000] = bytes(4000)
    path.write_bytes(data)
    path.chmod(0o644)
    report = day("doctor", "--store", "damaged.db", "--json").json()
    assert report["sound"] is False
    assert_valid("doctor", report)


# And no more


def places(document: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of every object in a document."""
    if isinstance(document, dict):
        yield path
    items = document.items() if isinstance(document, dict) else enumerate(document)
    for key, each in items:
        if isinstance(each, dict | list):
            yield from places(each, (*path, key))


MAPS = {"scopes", "identities", "checked", "workspaces", "rules", "become"}
MAPS |= {"calculated_attributes", "audiences", "attributes", "extensions", "read_as"}
MAPS |= {"normalize", "blocked", "max_values", "types", "several_logins"}


def test_an_output_with_another_member_or_without_one_is_refused(day: Program) -> None:
    mpid = "--mpid=77"
    documents = {
        "stats": day("stats", "--json").json(),
        "history": day("history", mpid, "--json").lines()[0],
        "profile-show": day("profile", "show", mpid, "--json").json(),
        "profile-story": day("profile", "show", mpid, "--story", "--json").json(),
        "whois": day("whois", "email=imported", "--json").json(),
        "graph": day("graph", "email=imported", "--json").json(),
        "config-show": day("config", "show", "--json").json(),
        "config-plan": day("config", "plan", "--json").json(),
        "doctor": day("doctor", "--json").json(),
    }
    for name, document in documents.items():
        assert_valid(name, document)
        for path in places(document):
            if path and path[-1] in MAPS and isinstance(path[-1], str):
                continue
            if "searches" in path:  # an answer has its own schema
                continue
            for change in ("extra", "less"):
                changed = json.loads(json.dumps(document))
                place = changed
                for key in path:
                    place = place[key]
                if change == "extra":
                    place["no such member"] = 1
                elif place:
                    del place[next(iter(place))]
                if changed != document:
                    assert not validator(name).is_valid(changed), (name, path, change)
