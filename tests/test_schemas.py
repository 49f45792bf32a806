"""The JSON Schemas of docs/schema say what the program takes and gives, neither more nor less."""

import copy
import json
import random
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import Enum
from functools import cache
from itertools import combinations
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
import yaml
from jsonschema import Draft7Validator, Draft202012Validator

from idsync_cli import wire
from idsync_cli.check import run as check
from idsync_cli.core import codes
from idsync_cli.core.config.rules import Organization, ScopeRules
from idsync_cli.core.config.strategy import PRESETS, Settings
from idsync_cli.core.decision import Answer, Refusal
from idsync_cli.core.erasure import ErasureCounts, KeptFile
from idsync_cli.core.identity import (
    DEVICE_TYPES,
    MPID_MAX,
    MPID_MIN,
    TYPES_BY_NAME,
    IdentityType,
    names_of,
)
from idsync_cli.core.request import BatchRequest
from idsync_cli.engine.engine import Engine
from idsync_cli.engine.labels import Labels
from idsync_cli.erasure.erase import erase as erase_one
from idsync_cli.file_faults import FileFault
from idsync_cli.files import config_file
from idsync_cli.files.scenario import Scenario
from idsync_cli.files.scenario_file import read_scenarios
from idsync_cli.files.yaml_parser import read_documents
from idsync_cli.files.yaml_tree import Faults
from idsync_cli.render.erasure import certificate_json, outcome_json
from idsync_cli.store import sqlite as store
from idsync_cli.store.file_values import Evidence
from idsync_cli.store.sqlite import SqliteStore
from idsync_cli.store.sqlite.erasing.kept_files import keep
from tests.comparison import exported, organization
from tests.world_batches import BAD_ATTRIBUTES, BAD_EVENTS, BAD_TIMES
from tests.worlds import (
    BAD_MEMBERS,
    BAD_MPIDS,
    FAULTS,
    NO_MPIDS,
    RESPONSES,
    World,
    config_yaml,
    random_world,
)

Json = dict[str, Any]
Keys = tuple[str | int, ...]

ROOT = Path(__file__).resolve().parent.parent
SCHEMAS = ROOT / "docs" / "schema"
NAMES = (
    *("request", "answer", "profile", "record", "certificate"),
    *("scenario", "configuration"),
)
FOR_EDITORS = ("scenario", "configuration")
SCENARIO_FILES = sorted(
    path
    for path in (ROOT / "fixtures" / "scenarios").rglob("*.yaml")
    if path.parent.name != "config"
)
CONFIGURATION_FILES = [
    ROOT / "sample_config.yaml",
    ROOT / "idsync_cli" / "starter.yaml",
    *sorted((ROOT / "fixtures" / "scenarios" / "config").glob("*.yaml")),
]


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@cache
def schema(name: str) -> Json:
    text = (SCHEMAS / f"{name}.schema.json").read_text(encoding="utf-8")
    found: Json = json.loads(text)
    return found


@cache
def validator(name: str) -> Draft202012Validator:
    return Draft202012Validator(schema(name))


@cache
def editors_validator(name: str) -> Draft7Validator:
    """Editors know draft 7 of JSON Schema, and not all of them a later one."""
    return Draft7Validator(schema(name))


def faults_of(name: str, document: object) -> list[str]:
    errors = validator(name).iter_errors(document)
    found = [f"{error.json_path}: {error.message}" for error in errors]
    if name in FOR_EDITORS:
        assert editors_validator(name).is_valid(document) == (not found), document
    return found


def is_valid(name: str, document: object) -> bool:
    return not faults_of(name, document)


def assert_valid(name: str, document: object) -> None:
    assert faults_of(name, document) == [], document


# ---- Documents as idsync reads them, and as an editor does


class EditorLoader(yaml.SafeLoader):
    """YAML 1.2 with its core schema: `00123` is a number, `no` is text."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012


for _tag, _pattern, _starts in (
    ("null", r"(?:~|null|Null|NULL|)", ["~", "n", "N", ""]),
    ("bool", r"(?:true|True|TRUE|false|False|FALSE)", list("tTfF")),
    ("int", r"[-+]?[0-9]+", list("-+0123456789")),
    ("float", r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?", list("-+.0123456789")),
):
    EditorLoader.add_implicit_resolver(
        f"tag:yaml.org,2002:{_tag}", re.compile(_pattern + r"\Z"), _starts
    )
EditorLoader.add_constructor("tag:yaml.org,2002:int", lambda _, node: int(node.value))


def as_idsync_reads(path: Path) -> list[Any]:
    faults = Faults(path)
    documents = [node.plain() for node in read_documents(path, faults)]
    faults.raise_any()
    return documents


def as_an_editor_reads(path: Path) -> list[Any]:
    text = path.read_text(encoding="utf-8")
    return [with_text_keys(each) for each in yaml.load_all(text, Loader=EditorLoader)]


def with_text_keys(value: Any) -> Any:
    """JSON has no other keys, and schemas see what JSON could hold."""
    if isinstance(value, dict):
        return {str(key): with_text_keys(each) for key, each in value.items()}
    return [with_text_keys(each) for each in value] if isinstance(value, list) else value


def as_yaml(document: object, folder: Path) -> Path:
    path = folder / "document.yaml"
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


def changed(document: Json, path: Keys, value: object) -> Json:
    """A copy with another value at a path; `DROP` removes what stands there."""
    copied = copy.deepcopy(document)
    place: Any = copied
    for key in path[:-1]:
        place = place[key]
    if value is DROP:
        del place[path[-1]]
    else:
        place[path[-1]] = value
    return copied


DROP = object()


# ---- The schemas themselves


@pytest.mark.parametrize("name", NAMES)
def test_a_schema_is_one_and_names_no_address_but_that_of_its_draft(name: str) -> None:
    Draft202012Validator.check_schema(schema(name))
    assert schema(name)["$id"] == f"{name}.schema.json"
    text = json.dumps(schema(name))
    assert re.findall(r"\w+://[^\"]*", text) == [Draft202012Validator.META_SCHEMA["$id"]]


@pytest.mark.parametrize("name", FOR_EDITORS)
def test_a_schema_for_editors_is_one_to_those_that_know_draft_7_alone(name: str) -> None:
    Draft7Validator.check_schema(schema(name))
    unknown = {"minContains", "maxContains", "prefixItems", "dependentSchemas", "dependentRequired"}
    unknown |= {"unevaluatedProperties", "unevaluatedItems", "$dynamicRef", "$anchor"}
    assert not unknown & set(keywords(schema(name)))


@pytest.mark.parametrize("name", FOR_EDITORS)
def test_an_editor_has_something_to_say_about_every_key(name: str) -> None:
    for each in subschemas(schema(name)):
        if each.get("additionalProperties") is False:
            for key, member in each["properties"].items():
                assert "description" in followed(member, name), key


def test_what_several_schemas_define_they_define_alike() -> None:
    for one, other in combinations(NAMES, 2):
        ours, theirs = schema(one).get("$defs", {}), schema(other).get("$defs", {})
        for key in ours.keys() & theirs.keys():
            assert ours[key] == theirs[key], (one, other, key)


def subschemas(place: Any) -> Iterator[Json]:
    if isinstance(place, dict):
        yield place
        for each in place.values():
            yield from subschemas(each)
    elif isinstance(place, list):
        for each in place:
            yield from subschemas(each)


def keywords(place: Any) -> Iterator[str]:
    for each in subschemas(place):
        yield from each


def followed(member: Json, name: str) -> Json:
    """A member together with the definition that it refers to."""
    if "$ref" not in member:
        return member
    definition: Json = schema(name)["$defs"][member["$ref"].rpartition("/")[2]]
    return definition | member


# ---- The words of the code


def words(known: Iterable[Any]) -> list[str]:
    return [str(each) for each in known]


DEVICE_NAMES = [name for name, kind in TYPES_BY_NAME.items() if kind in DEVICE_TYPES]
ENUMERATIONS: Mapping[str, Sequence[tuple[str, Iterable[Any]]]] = {
    "request": [
        ("/properties/type/enum", codes.RequestKind),
        ("/$defs/identity_type_name/enum", TYPES_BY_NAME),
    ],
    "answer": [
        ("/$defs/decision/properties/type/enum", codes.RequestKind),
        ("/$defs/refusal/properties/type/enum", [*codes.RequestKind, None]),
        ("/$defs/error/properties/code/enum", codes.ErrorCode),
        ("/$defs/change/properties/op/enum", codes.Op),
        ("/$defs/note/properties/code/enum", codes.NoteCode),
        ("/$defs/tier/properties/settings/items/enum", Settings(True, True, True).names()),
        ("/$defs/reason/enum", codes.Reason),
        ("/$defs/note/properties/reason/anyOf/1/enum", codes.KeptBy),
        ("/$defs/tier/properties/outcome/enum", codes.TierOutcome),
        ("/$defs/identity_type/enum", IdentityType),
        ("/$defs/erased/properties/files/items/properties/kind/enum", codes.FileKind),
        ("/$defs/erased_counts/required", ErasureCounts._fields),
        ("/$defs/shown_by/required", Evidence._fields),
    ],
    "profile": [("/$defs/identity_type/enum", IdentityType)],
    "scenario": [
        ("/$defs/calculated_attribute/properties/calculation/enum", codes.Calculation),
        ("/$defs/comparison/properties/operator/enum", codes.Operator),
        ("/$defs/expect/properties/status/enum", codes.Status),
        ("/$defs/expect/properties/decided_by/anyOf/0/enum", codes.Rule),
        ("/$defs/expect/properties/notes/items/enum", codes.NoteCode),
        ("/$defs/expect/properties/error/enum", codes.ErrorCode),
        ("/$defs/expect/properties/changes/items/properties/op/enum", codes.Op),
        ("/$defs/expect/properties/tiers/additionalProperties/enum", codes.TierOutcome),
        ("/$defs/identity_type_name/enum", TYPES_BY_NAME),
    ],
    "configuration": [
        ("/$defs/scope/properties/on_conflicting_login/enum", [*codes.OnConflictingLogin, None]),
        ("/$defs/scope/properties/on_unique_held/enum", [*codes.OnUniqueHeld, None]),
        ("/$defs/strategy_rules/properties/on_new_known_user/enum", codes.OnNewKnownUser),
        ("/$defs/strategy_rules/properties/on_logout/enum", [*codes.OnLogout, None]),
        ("/$defs/extensions/properties", codes.Extension),
        (
            "/$defs/extensions/properties/normalize/additionalProperties/items/enum",
            codes.Normalizer,
        ),
        ("/$defs/limit_and_beyond/properties/beyond/enum", [*codes.Beyond, None]),
        ("/$defs/identity_type_name/enum", TYPES_BY_NAME),
        ("/$defs/device_type_name/enum", DEVICE_NAMES),
        ("/$defs/calculated_attribute/properties/calculation/enum", codes.Calculation),
        ("/$defs/comparison/properties/operator/enum", codes.Operator),
    ],
}
"""Where each list of the code stands in the schemas: the same words, in the same order."""


@pytest.mark.parametrize(
    ("name", "pointer", "known"),
    [(name, pointer, known) for name, all_ in ENUMERATIONS.items() for pointer, known in all_],
)
def test_an_enumeration_is_that_of_the_code(name: str, pointer: str, known: Iterable[Any]) -> None:
    assert words(at(schema(name), pointer)) == words(known)


def test_every_code_of_an_answer_is_in_the_schema() -> None:
    decision = schema("answer")["$defs"]["decision"]
    statuses = decision["properties"]["status"]["enum"]
    assert set(statuses) | {"error", "duplicate", "aliased", "erased"} == set(codes.Status)
    told = [each["if"]["properties"]["status"]["const"] for each in decision["allOf"][:4]]
    assert set(told) == set(statuses), "each status has a clause of its own"
    with_tier, without = schema("answer")["$defs"]["decided_by"]["oneOf"]
    rule = with_tier["properties"]["rule"]["const"]
    assert {rule, *without["properties"]["rule"]["enum"]} == set(codes.Rule)


def test_every_preset_is_in_the_schema() -> None:
    alternatives = schema("configuration")["$defs"]["strategy"]["anyOf"]
    assert [each["const"] for each in alternatives if "const" in each] == list(PRESETS)
    takes_no_identities = schema("configuration")["$defs"]["scope"]["allOf"][1]["if"]
    fixed = takes_no_identities["properties"]["strategy"]["enum"]
    assert fixed == [name for name, preset in PRESETS.items() if preset.fixed]


@pytest.mark.parametrize("name", ["request", "scenario", "configuration"])
def test_every_pair_of_names_of_one_type_is_in_the_schema(name: str) -> None:
    pairs = [list(pair) for kind in IdentityType for pair in combinations(names_of(kind), 2)]
    definitions = schema(name)["$defs"]
    stated = definitions["two_names_of_one_type"]["anyOf"]
    assert [each["required"] for each in stated] == pairs
    if "two_names_in_a_list" in definitions:
        stated = definitions["two_names_in_a_list"]["anyOf"]
        assert [[each["contains"]["const"] for each in pair["allOf"]] for pair in stated] == pairs


def at(document: Any, pointer: str) -> Any:
    for key in pointer.split("/")[1:]:
        document = document[int(key) if isinstance(document, list) else key]
    return document


@pytest.mark.parametrize("mpid", [1, -1, 10**18, -(10**18), MPID_MAX, MPID_MIN])
def test_an_mpid_is_a_64_bit_number(mpid: int) -> None:
    text = validator("profile").evolve(schema=schema("profile")["$defs"]["mpid"])
    assert text.is_valid(str(mpid))
    digits = str(abs(mpid))
    for place, digit in enumerate(digits):
        for other in "0123456789":
            near = str(mpid).replace(digits, digits[:place] + other + digits[place + 1 :])
            in_range = MPID_MIN <= int(near) <= MPID_MAX and str(int(near)) == near != "0"
            assert text.is_valid(near) == in_range, (near, digit)
    for wrong in (0, -0.0, "0", "-0", "+1", "01", "1_0", " 1", "1\n", "٣", "", MPID_MAX + 1):
        assert not text.is_valid(wrong)


# ---- Configurations


@pytest.mark.parametrize("path", CONFIGURATION_FILES, ids=relative)
def test_a_configuration_is_valid(path: Path) -> None:
    for documents in (as_idsync_reads(path), as_an_editor_reads(path)):
        assert len(documents) == 1
        assert_valid("configuration", documents[0])


@pytest.mark.parametrize("seed", range(30))
def test_the_configuration_of_a_random_world_is_valid(seed: int, tmp_path: Path) -> None:
    world = random_world(random.Random(seed))
    for scopes in (world.scopes, world.later_scopes or world.scopes):
        path = tmp_path / "idsync.yaml"
        path.write_text(config_yaml(scopes, world.workspaces), encoding="utf-8")
        assert_valid("configuration", *as_idsync_reads(path))
        assert_valid("configuration", *as_an_editor_reads(path))


ALL_RULES = {
    "on_new_known_user": "create",
    "on_logout": "create",
    "logins": True,
    "login_needs_login_id": False,
    "links": True,
    "aliasing": True,
}
WITHOUT_LOGINS = {"on_new_known_user": "keep", "logins": False, "links": False, "aliasing": False}
CONFIGURATION: Json = {
    "version": 1,
    "organization": "example-org",
    "scopes": {
        "s": {
            "strategy": "profile_conversion",
            "priority": ["customer_id", "email", "idfv"],
            "identities": {"customerid": {"login": True, "unique": True, "immutable": True}},
            "on_conflicting_login": "join",
            "on_unique_held": "keep",
            "extensions": {
                "normalize": {"email": ["trim", "lowercase"]},
                "blocked": {"*": ["placeholders"], "email": ["*@example.com"]},
                "max_values": {"email": 3, "idfv": {"limit": 1, "beyond": "replace_oldest"}},
            },
        }
    },
    "accounts": {"a": {"workspaces": {"w": "s"}}},
}
FLAGS = ("scopes", "s", "identities", "customerid")
EXTENSIONS = ("scopes", "s", "extensions")

RIGHT_CONFIGURATIONS: list[tuple[Keys, object]] = [
    (("version",), DROP),
    (("version",), "1"),
    (("version",), None),
    (("organization",), None),
    (("organization",), 7),
    (("accounts",), None),
    (("accounts", "a"), {}),
    (("accounts", "a", "workspaces"), None),
    (("accounts", "a", "workspaces", "w"), {"scope": "s"}),
    (
        ("accounts", "a", "workspaces", "w"),
        {
            "scope": "s",
            "api_key": "us1-0af",
            "api_secret": ["one", "two"],
            "key_only": True,
            "admin_key": "k",
            "admin_secret_env": "SECRET",
            "rate": 50,
            "audiences": False,
            "modify_takes": None,
        },
    ),
    (("scopes", "s", "identities"), None),
    (("scopes", "s", "on_conflicting_login"), None),
    (("scopes", "s", "on_unique_held"), None),
    (("scopes", "s", "on_unique_held"), "take"),
    (("scopes", "s", "strategy"), ALL_RULES),
    (("scopes", "s", "strategy"), WITHOUT_LOGINS),
    (("scopes", "s", "strategy"), WITHOUT_LOGINS | {"on_logout": None}),
    (("scopes", "s"), {"strategy": "default"}),
    (("scopes", "s"), {"strategy": "default", "priority": None, "identities": None}),
    (("scopes", "s"), {"strategy": "default", "priority": ["customerid", "email"]}),
    (("scopes", "s"), {"strategy": "best_match", "priority": ["das"]}),
    (FLAGS, {}),
    (FLAGS, {"login": None, "unique": False}),
    (EXTENSIONS, None),
    (EXTENSIONS, {}),
    (EXTENSIONS, dict.fromkeys(codes.Extension)),
    ((*EXTENSIONS, "normalize"), {"idfv": [], "mobile_number": ["digits", "trim", "lowercase"]}),
    ((*EXTENSIONS, "blocked"), {"idfv": [], "*": ["*", "?", "5", "placeholders"]}),
    ((*EXTENSIONS, "blocked"), {"email": [5, 5.5]}),
    ((*EXTENSIONS, "max_values"), {"yahoo": 5, "idfv": "7", "other": {"limit": "8"}}),
    ((*EXTENSIONS, "max_values"), {"email": {"limit": 5, "beyond": None}}),
    ((*EXTENSIONS, "moving"), []),
]

WRONG_CONFIGURATIONS: list[tuple[Keys, object]] = [
    (("scope",), {}),
    (("version",), 2),
    (("version",), "01"),
    (("version",), True),
    (("organization",), True),
    (("organization",), ["example-org"]),
    (("scopes",), DROP),
    (("scopes",), None),
    (("scopes",), {}),
    (("scopes",), ["s"]),
    (("scopes", "s"), None),
    (("scopes", "s", "strategy"), DROP),
    (("scopes", "s", "strategy"), None),
    (("scopes", "s", "strategy"), "Default"),
    (("scopes", "s", "strategy"), ["default"]),
    (("scopes", "s", "strategy"), True),
    (("scopes", "s", "strategy"), ALL_RULES | {"on_logout": "keep"}),
    (("scopes", "s", "strategy"), ALL_RULES | {"on_logout": None}),
    (("scopes", "s", "strategy"), ALL_RULES | {"on_new_known_user": "keep"}),
    (("scopes", "s", "strategy"), ALL_RULES | {"on_new_known_user": None}),
    (("scopes", "s", "strategy"), ALL_RULES | {"logins": "true"}),
    (("scopes", "s", "strategy"), ALL_RULES | {"logins": None}),
    (("scopes", "s", "strategy"), ALL_RULES | {"login_needs_login_id": None}),
    (("scopes", "s", "strategy"), ALL_RULES | {"aliases": True}),
    (("scopes", "s", "strategy"), WITHOUT_LOGINS | {"on_logout": "create"}),
    (("scopes", "s", "strategy"), WITHOUT_LOGINS | {"login_needs_login_id": False}),
    *(
        (("scopes", "s", "strategy"), {key: each for key, each in ALL_RULES.items() if key != rule})
        for rule in ALL_RULES
    ),
    (("scopes", "s", "priority"), DROP),
    (("scopes", "s", "priority"), None),
    (("scopes", "s", "priority"), []),
    (("scopes", "s", "priority"), "customer_id"),
    (("scopes", "s", "priority"), ["customer_id", "emial"]),
    (("scopes", "s", "priority"), ["customer_id", None]),
    (("scopes", "s", "priority"), ["customer_id", 5]),
    (("scopes", "s", "priority"), ["customer_id", "email", "email"]),
    (("scopes", "s", "priority"), ["customer_id", "idfv", "ios_vendor_id"]),
    (("scopes", "s", "identities"), ["customer_id"]),
    (("scopes", "s", "identities"), {"emial": {}}),
    (("scopes", "s", "identities"), {"email": None}),
    (("scopes", "s", "identities"), {"email": True}),
    (("scopes", "s", "identities"), {"customer_id": {}, "customerid": {}}),
    ((*FLAGS, "protected"), True),
    ((*FLAGS, "login"), "yes"),
    ((*FLAGS, "login"), 1),
    ((*FLAGS, "login"), False),
    ((*FLAGS, "unique"), DROP),
    (("scopes", "s", "on_conflicting_login"), "joins"),
    (("scopes", "s", "on_conflicting_login"), True),
    (("scopes", "s", "on_unique_held"), "held"),
    (("scopes", "s", "on_unique_held"), True),
    (EXTENSIONS, ["blocked"]),
    (EXTENSIONS, {"limits": {}}),
    ((*EXTENSIONS, "normalize"), ["email"]),
    ((*EXTENSIONS, "normalize"), {"*": ["trim"]}),
    ((*EXTENSIONS, "normalize"), {"email": "trim"}),
    ((*EXTENSIONS, "normalize"), {"email": None}),
    ((*EXTENSIONS, "normalize"), {"email": ["upper"]}),
    ((*EXTENSIONS, "normalize"), {"email": ["trim", "trim"]}),
    ((*EXTENSIONS, "normalize"), {"idfv": ["trim"], "ios_idfv": ["trim"]}),
    ((*EXTENSIONS, "blocked"), {"emial": ["x"]}),
    ((*EXTENSIONS, "blocked"), {"*": "placeholders"}),
    ((*EXTENSIONS, "blocked"), {"email": ["x", "x"]}),
    ((*EXTENSIONS, "blocked"), {"email": [""]}),
    ((*EXTENSIONS, "blocked"), {"email": [True]}),
    ((*EXTENSIONS, "blocked"), {"email": [None]}),
    ((*EXTENSIONS, "blocked"), {"email": [["x"]]}),
    ((*EXTENSIONS, "max_values"), {"email": 0}),
    ((*EXTENSIONS, "max_values"), {"email": "03"}),
    ((*EXTENSIONS, "max_values"), {"email": 1.5}),
    ((*EXTENSIONS, "max_values"), {"email": True}),
    ((*EXTENSIONS, "max_values"), {"email": None}),
    ((*EXTENSIONS, "max_values"), {"email": {}}),
    ((*EXTENSIONS, "max_values"), {"email": {"limit": 1, "beyond": "replace"}}),
    ((*EXTENSIONS, "max_values"), {"email": {"limit": 1, "more": 1}}),
    ((*EXTENSIONS, "moving"), "idfv"),
    ((*EXTENSIONS, "moving"), ["email"]),
    ((*EXTENSIONS, "moving"), ["idfv", "ios_idfv"]),
    ((*EXTENSIONS, "moving"), [None]),
    (("scopes", "s", "extra"), None),
    (("scopes", "s", "extra"), "x"),
    (("scopes", "s"), {"strategy": "default", "priority": ["email"]}),
    (("scopes", "s"), {"strategy": "default", "identities": {"customer_id": {}}}),
    (("scopes", "s"), {"strategy": "best_match", "priority": ["email"], "identities": {}}),
    (("accounts",), ["a"]),
    (("accounts", "a"), None),
    (("accounts", "a"), "w"),
    (("accounts", "a", "workspace"), {}),
    (("accounts", "a", "workspaces"), ["w"]),
    (("accounts", "a", "workspaces", "w"), None),
    (("accounts", "a", "workspaces", "w"), True),
    (("accounts", "a", "workspaces", "w"), {}),
    (("accounts", "a", "workspaces", "w"), {"scope": "s", "api_keys": "k"}),
    (("accounts", "a", "workspaces", "w"), {"scope": "s", "api_key": "a b"}),
    (("accounts", "a", "workspaces", "w"), {"scope": "s", "api_key": "a/b"}),
    (("accounts", "a", "workspaces", "w"), {"scope": "s", "api_secret": "x"}),
    (("accounts", "a", "workspaces", "w"), {"scope": "s", "api_key": "k", "api_secret": ""}),
    (("accounts", "a", "workspaces", "w"), {"scope": "s", "api_key": "k", "api_secret": []}),
    (("accounts", "a", "workspaces", "w"), {"scope": "s", "key_only": "yes"}),
    (("accounts", "a", "workspaces", "w"), {"scope": "s", "key_only": True}),
    (("accounts", "a", "workspaces", "w"), {"scope": "s", "rate": 0}),
]

ONLY_THE_PROGRAM_REFUSES: list[tuple[Keys, object]] = [
    (("scopes", "s", "priority"), ["email", "idfv"]),  # a setting on a type that is not in it
    (("scopes", "s", "priority"), ["email", "customer_id"]),  # an immutable type below another
    (("scopes", "s"), {"strategy": "default", "priority": ["email", "customer_id"]}),
    (("accounts", "a", "workspaces", "w"), "t"),  # an unknown scope
    (("accounts", "b"), {"workspaces": {"w": "s"}}),  # a workspace twice
    ((*EXTENSIONS, "max_values"), {"customer_id": 1}),  # which is immutable
    ((*EXTENSIONS, "moving"), ["idfv"]),  # which is not unique
]
"""What the configuration schema names as beyond it."""


def test_the_configuration_that_the_wrong_ones_are_made_from_is_right(tmp_path: Path) -> None:
    assert_valid("configuration", CONFIGURATION)
    config_file.load(as_yaml(CONFIGURATION, tmp_path))


@pytest.mark.parametrize(("path", "value"), RIGHT_CONFIGURATIONS)
def test_a_right_configuration_is_taken(path: Keys, value: object, tmp_path: Path) -> None:
    document = changed(CONFIGURATION, path, value)
    assert_valid("configuration", document)
    file = as_yaml(document, tmp_path)
    assert_valid("configuration", *as_idsync_reads(file))
    config_file.load(file)


@pytest.mark.parametrize(("path", "value"), WRONG_CONFIGURATIONS)
def test_a_wrong_configuration_is_refused(path: Keys, value: object, tmp_path: Path) -> None:
    document = changed(CONFIGURATION, path, value)
    assert not is_valid("configuration", document)
    file = as_yaml(document, tmp_path)
    assert not is_valid("configuration", *as_idsync_reads(file))
    with pytest.raises(FileFault):
        config_file.load(file)


@pytest.mark.parametrize(("path", "value"), ONLY_THE_PROGRAM_REFUSES)
def test_what_the_configuration_schema_cannot_tell_the_program_does(
    path: Keys, value: object, tmp_path: Path
) -> None:
    document = changed(CONFIGURATION, path, value)
    assert_valid("configuration", document)
    with pytest.raises(FileFault):
        config_file.load(as_yaml(document, tmp_path))


# ---- Scenarios


@pytest.mark.parametrize("path", SCENARIO_FILES, ids=relative)
def test_a_scenario_is_valid(path: Path) -> None:
    for documents in (as_idsync_reads(path), as_an_editor_reads(path)):
        assert documents
        for document in documents:
            assert_valid("scenario", document)


PURCHASE: Json = {
    "event_type": "commerce_event",
    "data": {"timestamp_unixtime_ms": 1_700_000_000_000},
}
PURCHASE["data"]["product_action"] = {"action": "purchase", "total_amount": 12.5}
SCENARIO: Json = {
    "name": "a story",
    "scope": CONFIGURATION["scopes"]["s"],
    "given": [{"mpid": 1, "customer_id": "A-1", "email": ["a", "b"]}, {"idfv": "phone"}],
    "steps": [
        {
            "identify": {"email": "a", "customer_id": None, "idfv": ""},
            "as": "first",
            "previous_mpid": -5412,
            "expect": {
                "mpid": "@first",
                "status": "matched",
                "decided_by": "email",
                "matched": ["email"],
                "orphaned": [],
                "source_mpid": None,
                "is_logged_in": True,
                "notes": ["tie"],
                "changes": [{"op": "add", "mpid": 1, "identity_type": "idfv", "value": "x"}],
                "tiers": {"email": "decided"},
            },
        },
        {"modify": {"mpid": "@first", "email": "b", "idfv": None}},
        {
            "modify": {
                "mpid": 1,
                "identity_changes": [{"identity_type": "email", "old_value": "b"}],
            },
        },
        {"login": {"emial": 5, "mpid": True}, "expect": {"error": "UNKNOWN_IDENTITY_TYPE"}},
        {
            "batch": {"mpid": "@first", "user_attributes": {"a": 1.5}, "events": [PURCHASE]},
            "expect": {"events": 1, "attributes_set": ["a"], "attributes_deleted": []},
        },
        {"track": {"email": "a", "event": "purchase", "attributes": {"b": None}}},
        {"erase": {"email": "a"}, "expect": {"status": "erased", "mpid": "@first"}},
        {"erase": {"mpid": "@first"}, "expect": {"status": "not_found"}},
    ],
    "profiles": {
        "1": {"email": ["a", "b"]},
        "@first": {},
        "@second": {"identities": {"email": "a"}, "attributes": {"a": 1}, "events": [None, "b"]},
    },
}
STEP = ("steps", 0)
EXPECT = (*STEP, "expect")
BATCH_STEP = ("steps", 4)
TRACK_STEP = ("steps", 5)
ERASE_STEP, ERASE_MPID_STEP = ("steps", 6), ("steps", 7)
MORE = ("profiles", "@second")

RIGHT_SCENARIOS: list[tuple[Keys, object]] = [
    (("name",), None),
    (("name",), 5),
    (("config",), None),
    (("given",), None),
    (("given",), []),
    (("given", 0, "mpid"), DROP),
    (("given", 0, "mpid"), "-9223372036854775808"),
    (("given", 0, "email"), 5),
    (("given", 0, "email"), []),
    (("profiles",), None),
    (("steps",), [{"identify": None, "expect": {"status": "error"}}]),
    (("steps",), [{"identify": {"customer_id": 123}}]),
    ((*STEP, "expect"), None),
    ((*STEP, "as"), 5),
    ((*STEP, "previous_mpid"), None),
    (("steps", 1, "previous_mpid"), {"not": "read"}),
    ((*EXPECT, "mpid"), None),
    ((*EXPECT, "decided_by"), "newest"),
    ((*EXPECT, "decided_by"), "ios_vendor_id"),
    ((*STEP, "identify", "scope"), "scope"),
    (("now",), 1_772_366_400_000),
    (("now",), "2026-03-01T12:00:00+01:00"),
    (("now",), "2026-03-01"),
    (("now",), None),
    ((*BATCH_STEP, "batch"), {"user_identities": {"email": "a"}, "anything": {"else": []}}),
    ((*BATCH_STEP, "previous_mpid"), {"not": "read"}),
    ((*BATCH_STEP, "expect", "events"), "12"),
    ((*BATCH_STEP, "expect", "status"), "duplicate"),
    ((*TRACK_STEP, "track", "delete_attributes"), ["a"]),
    ((*TRACK_STEP, "track"), {"mpid": "@first", "event": None, "event_type": "session_start"}),
    ((*MORE, "identities"), None),
    ((*MORE, "status_messages"), ["x"]),
    ((*MORE, "audiences"), []),
    (MORE, {"events": []}),
    ((*ERASE_STEP, "erase"), {"mpid": None, "email": "a", "idfv": "", "scope": "scope"}),
    ((*ERASE_STEP, "previous_mpid"), None),
    ((*ERASE_MPID_STEP, "erase"), {"mpid": -5, "workspace": None}),
]

WRONG_SCENARIOS: list[tuple[Keys, object]] = [
    (("title",), "x"),
    (("scope",), DROP),
    (("scope",), None),
    (("scope",), "s"),
    (("scope", "strategy"), "profile_conversation"),
    (("config",), "idsync.yaml"),
    (("given",), {}),
    (("given", 0), None),
    (("given", 0, "emial"), "a"),
    (("given", 0, "mpid"), None),
    (("given", 0, "mpid"), 0),
    (("given", 0, "mpid"), "01"),
    (("given", 0, "mpid"), "@first"),
    (("given", 0, "scope"), None),
    (("given", 0, "email"), None),
    (("given", 0, "email"), True),
    (("given", 0, "email"), ""),
    (("given", 0, "email"), ["a", ""]),
    (("given", 0, "email"), {"a": "b"}),
    (("given", 0, "email"), "x" * 4097),
    (("given", 0, "email"), "a\0b"),
    (("steps",), DROP),
    (("steps",), None),
    (("steps",), []),
    (("steps",), {}),
    (("steps", 0), None),
    (("steps", 0), {}),
    (("steps", 0), {"expect": {}}),
    (("steps", 0), {"identify": {"email": "a"}, "login": {"email": "a"}}),
    (("steps", 0), {"identify": {"email": "a"}, "search": None}),
    (("steps", 0), {"indentify": {"email": "a"}}),
    ((*STEP, "identify"), ["email"]),
    ((*STEP, "identify", "as"), "x"),
    ((*STEP, "identify", "expect"), {"status": "created"}),
    ((*STEP, "identify", "previous_mpid"), "5"),
    ((*BATCH_STEP, "batch", "as"), "x"),
    ((*STEP, "label"), "x"),
    ((*STEP, "as"), {}),
    ((*STEP, "expect"), []),
    ((*EXPECT, "answer"), 1),
    ((*EXPECT, "mpid"), 0),
    ((*EXPECT, "mpid"), "first"),
    ((*EXPECT, "status"), "found"),
    ((*EXPECT, "status"), None),
    ((*EXPECT, "decided_by"), "emial"),
    ((*EXPECT, "decided_by"), None),
    ((*EXPECT, "matched"), "email"),
    ((*EXPECT, "matched"), ["emial"]),
    ((*EXPECT, "orphaned"), ["first"]),
    ((*EXPECT, "orphaned"), None),
    ((*EXPECT, "is_logged_in"), "yes"),
    ((*EXPECT, "is_logged_in"), None),
    ((*EXPECT, "notes"), ["ties"]),
    ((*EXPECT, "error"), "no_identities"),
    ((*EXPECT, "changes", 0, "op"), "plus"),
    ((*EXPECT, "changes", 0, "value"), DROP),
    ((*EXPECT, "changes", 0, "at"), 5),
    ((*EXPECT, "tiers"), {"emial": "decided"}),
    ((*EXPECT, "tiers"), {"email": "chosen"}),
    (("profiles",), []),
    (("profiles", "first"), {}),
    (("profiles", "0"), {}),
    (("profiles", "1"), None),
    (("profiles", "1"), {"emial": "a"}),
    (("profiles", "1"), {"email": ""}),
    (("now",), True),
    (("now",), {}),
    ((*BATCH_STEP, "batch"), ["email"]),
    ((*BATCH_STEP, "expect", "events"), "one"),
    ((*BATCH_STEP, "expect", "events"), -1),
    ((*BATCH_STEP, "expect", "events"), []),
    ((*BATCH_STEP, "expect", "attributes_set"), "a"),
    ((*BATCH_STEP, "expect", "attributes_set"), [None]),
    ((*BATCH_STEP, "expect", "attributes_deleted"), [{}]),
    ((*TRACK_STEP, "track"), ["email"]),
    ((*TRACK_STEP, "track", "data"), "x"),
    ((*TRACK_STEP, "track", "attributes"), ["a"]),
    ((*TRACK_STEP, "track", "delete_attributes"), "a"),
    ((*TRACK_STEP, "track", "event"), {}),
    ((*TRACK_STEP, "identify"), {"email": "a"}),
    ((*ERASE_STEP, "erase"), ["email"]),
    ((*ERASE_STEP, "search"), {"email": "a"}),
    ((*ERASE_STEP, "expect", "status"), "forgotten"),
    ((*MORE, "email"), "a"),
    ((*MORE, "identities"), {"emial": "a"}),
    ((*MORE, "attributes"), ["a"]),
    ((*MORE, "events"), "a"),
    ((*MORE, "events"), [True]),
    ((*MORE, "status_messages"), [None]),
    ((*MORE, "audiences"), [None]),
    ((*MORE, "audiences"), "x"),
]

ONLY_THE_SCHEMA_REFUSES: list[tuple[Keys, object]] = [
    ((*STEP, "identify"), None),
    ((*STEP, "identify"), {"email": None, "scope": "scope"}),
    ((*STEP, "identify"), {"emial": "a"}),
    ((*STEP, "identify"), {"email": ["a"]}),
    ((*STEP, "identify"), {"idfv": "a", "ios_idfv": "b"}),
    ((*STEP, "identify"), {"email": "a", "mpid": 1}),
    ((*STEP, "previous_mpid"), "first"),
    (("steps", 1, "modify"), {"email": "a"}),
    (("steps", 1, "modify"), {"mpid": 1}),
    (("steps", 1, "modify"), {"mpid": 1, "email": ""}),
    (("steps", 2, "modify", "email"), "a"),
    (("steps", 2, "modify", "identity_changes"), []),
    (("steps", 2, "modify", "identity_changes"), [{"new_value": "a"}]),
    ((*ERASE_STEP, "erase"), None),
    ((*ERASE_STEP, "erase"), {"mpid": None, "email": ""}),
    ((*ERASE_STEP, "erase"), {"mpid": None, "idfv": "a", "ios_idfv": "b"}),
    ((*ERASE_STEP, "erase"), {"emial": "a"}),
    ((*ERASE_STEP, "previous_mpid"), "@first"),
    ((*ERASE_MPID_STEP, "erase"), {"mpid": 5, "email": "a"}),
    ((*ERASE_MPID_STEP, "erase"), {"mpid": 5, "emial": "a"}),
    ((*ERASE_MPID_STEP, "erase"), {"mpid": "first"}),
]
"""Requests that are refused when they are run, and whose steps do not expect it."""


def test_the_scenario_that_the_wrong_ones_are_made_from_is_right(tmp_path: Path) -> None:
    assert_valid("scenario", SCENARIO)
    read_scenarios(as_yaml(SCENARIO, tmp_path))


@pytest.mark.parametrize(("path", "value"), RIGHT_SCENARIOS)
def test_a_right_scenario_is_taken(path: Keys, value: object, tmp_path: Path) -> None:
    document = changed(SCENARIO, path, value)
    assert_valid("scenario", document)
    file = as_yaml(document, tmp_path)
    assert_valid("scenario", *as_idsync_reads(file))
    read_scenarios(file)


@pytest.mark.parametrize(("path", "value"), WRONG_SCENARIOS)
def test_a_wrong_scenario_is_refused(path: Keys, value: object, tmp_path: Path) -> None:
    document = changed(SCENARIO, path, value)
    assert not is_valid("scenario", document)
    file = as_yaml(document, tmp_path)
    assert not is_valid("scenario", *as_idsync_reads(file))
    with pytest.raises(FileFault):
        read_scenarios(file)


@pytest.mark.parametrize(("path", "value"), ONLY_THE_SCHEMA_REFUSES)
def test_a_request_is_held_to_its_form_unless_it_is_expected_to_be_refused(
    path: Keys, value: object, tmp_path: Path
) -> None:
    document = changed(SCENARIO, path, value)
    assert not is_valid("scenario", document)
    [scenario] = read_scenarios(as_yaml(document, tmp_path))
    place = path[1]
    assert isinstance(place, int)
    assert form_refusal(scenario.steps[place].request) is not None
    assert_valid("scenario", changed(document, ("steps", place, "expect"), {"status": "error"}))


# ---- Requests


class AnyLabel(dict[str, int]):
    """Labels among which every one is found: whether one is set, a schema cannot tell."""

    def get(self, label: str, default: object = None) -> int:
        return 1


ONE_SCOPE = Organization(None, {"s": ScopeRules(PRESETS["best_match"].strategy, ())}, {})


def form_refusal(request: object) -> codes.ErrorCode | None:
    """What the program finds wrong with a request before it looks at scopes and rules.

    So any scope or workspace will do, if only it is a text.
    """
    if isinstance(request, dict):
        named = [name for name in ("scope", "workspace") if wire.is_text(request.get(name))]
        request = {name: value for name, value in request.items() if name not in named}
    try:
        read = wire.request_of(wire.Reader(ONE_SCOPE).read(request), AnyLabel())
        if isinstance(read, BatchRequest) and read.fault:
            raise read.fault
    except Refusal as refusal:
        return refusal.code
    return None


def is_beyond_a_schema(value: object) -> bool:
    """To a schema 5.0 is the integer 5, half a character is one, and no integer too long."""
    if isinstance(value, dict):
        return any(map(is_beyond_a_schema, [*value, *value.values()]))
    if isinstance(value, list):
        return any(map(is_beyond_a_schema, value))
    if isinstance(value, str):
        return any("\ud800" <= character <= "\udfff" for character in value)
    if isinstance(value, int):
        return abs(value) >= 10**4096
    return isinstance(value, float) and value.is_integer()


def assert_both_agree(line: bytes) -> codes.ErrorCode | None:
    """Program and schema take the same requests; gives the program's verdict."""
    request = wire.decode(line)
    refused, document = form_refusal(request), json.loads(line)
    if refused is None:
        assert_valid("request", document)
    elif not (is_beyond_a_schema(request) or is_for_the_program(request, refused)):
        assert not validator("request").is_valid(document), request
    return refused


def is_for_the_program(request: object, refused: codes.ErrorCode) -> bool:
    """Whether it is a batch that names nobody, or a type with two values, and else is right."""
    if not isinstance(request, dict) or request.get("type") != "batch":
        return False
    codes_of_it = (codes.ErrorCode.NO_IDENTITIES, codes.ErrorCode.INVALID_REQUEST)
    return refused in codes_of_it and form_refusal(request | {"mpid": 5}) is None


PARTS = 8


@pytest.mark.parametrize("part", range(PARTS))
def test_the_requests_of_the_fixture_are_valid_but_those_refused_for_their_form(part: int) -> None:
    lines = (ROOT / "fixtures" / "requests.jsonl").read_bytes().split(b"\n")[part::PARTS]
    lines = [line for line in lines if line.strip()]
    refused = [line for line in lines if not is_json(line) or assert_both_agree(line)]
    assert len(refused) < len(lines) / 20, "most lines of a believable day are requests"


def is_json(line: bytes) -> bool:
    try:
        wire.decode(line)
    except Refusal:
        return False
    return True


@pytest.mark.parametrize("seed", range(30))
def test_program_and_schema_take_the_same_requests_of_a_random_world(seed: int) -> None:
    for request in random_world(random.Random(seed)).requests:
        line = json.dumps(request).encode()
        if is_json(line):
            assert_both_agree(line)


LOGIN: Json = {"type": "login", "scope": "s", "label": "l"}
LOGIN["known_identities"] = {"email": "a", "idfv": "9"}
SET: Json = {"type": "modify", "mpid": "@l", "known_identities": {"email": "a", "das": None}}
CHANGES: Json = {"type": "modify", "mpid": 5}
CHANGES["identity_changes"] = [{"identity_type": "email", "old_value": "a"}]
SEARCH: Json = {"type": "search", "workspace": "w", "previous_mpid": "-5412"}
SEARCH["known_identities"] = {"das": "9"}
ERASE: Json = {"type": "erase", "scope": "s", "label": "l", "request_id": "r"}
ERASE_MPID: Json = ERASE | {"mpid": "@l"}
ERASE["known_identities"] = {"email": "a", "idfv": "9"}
BATCH: Json = {"type": "batch", "scope": "s", "label": "l", "source_request_id": "s-1"}
BATCH |= {"user_identities": {"email": "a"}, "device_info": {"idfv": "9", "platform": "iOS"}}
BATCH |= {
    "user_attributes": {"city": "Bern", "tag": None, "l": ["x", 1, None]},
    "events": [PURCHASE],
}


@pytest.mark.parametrize(
    "request_", [LOGIN, SET, CHANGES, SEARCH, BATCH, ERASE, ERASE_MPID], ids=json.dumps
)
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
def test_program_and_schema_refuse_the_same_requests(fault: Any, request_: Json) -> None:
    assert form_refusal(request_) is None
    assert_valid("request", request_)
    for seed in range(30):
        line = json.dumps(fault(random.Random(seed), copy.deepcopy(request_))).encode()
        if is_json(line):
            assert_both_agree(line)


@pytest.mark.parametrize("mpid", BAD_MPIDS, ids=lambda mpid: repr(mpid)[:24])
@pytest.mark.parametrize(("request_", "name"), [(SET, "mpid"), (SEARCH, "previous_mpid")])
def test_program_and_schema_refuse_the_same_mpids(request_: Json, name: str, mpid: object) -> None:
    is_absent = name == "previous_mpid" and any(mpid is each for each in NO_MPIDS)
    assert bool(assert_both_agree(json.dumps(request_ | {name: mpid}).encode())) is not is_absent


def with_each(request: Json, name: str, *values: object) -> list[Json]:
    return [request | {name: value} for value in values]


def with_each_value(request: Json, *values: object) -> list[Json]:
    return [request | {"known_identities": {"email": value}} for value in values]


WRONG_REQUESTS: list[object] = [
    *(None, [], "login", 5, {}),
    *with_each(LOGIN, "type", None, "Login", 5),
    *with_each(LOGIN, "typ", None, "login"),
    *with_each(LOGIN, "email", "a"),
    *(LOGIN | {name: 5} for name in ("scope", "workspace", "label", "request_id", "environment")),
    *with_each(LOGIN, "client_sdk", "5", []),
    *with_each(LOGIN, "request_timestamp_ms", "5", True, 1.5, 2**63),
    *with_each(LOGIN, "mpid", "5"),
    *with_each(LOGIN, "identity_changes", []),
    *with_each(LOGIN, "known_identities", None, {}, [], "email", {"email": "a", "emial": None}),
    *with_each(LOGIN, "known_identities", {"idfv": "a", "ios_vendor_id": None}),
    *with_each_value(LOGIN, None, "", 5, True, [], "x" * 4097, "\0"),
    *with_each(SET, "mpid", None, 0, "0", "5\n", True),
    *with_each(SET, "known_identities", None, {}, {"idfv": "a", "ios_vendor_id": None}),
    *with_each_value(SET, "", 5),
    *with_each(SET, "identity_changes", CHANGES["identity_changes"]),
    *with_each(CHANGES, "identity_changes", None, [], {}, "email", [None], [{}], ["email"]),
    *with_each(CHANGES, "identity_changes", [{"new_value": "a"}]),
    *with_each(CHANGES, "identity_changes", [{"identity_type": "email", "new_value": ""}]),
    *with_each(CHANGES, "identity_changes", [{"identity_type": "emial", "new_value": "a"}]),
    *with_each(CHANGES, "identity_changes", [{"identity_type": "email", "old": "a"}]),
    *with_each(SEARCH, "previous_mpid", "x", "00", True),
    *with_each(SEARCH, "response", *BAD_MEMBERS["response"]),
    *with_each(SEARCH, "source_request_id", 5, []),
    *with_each(BATCH, "mpid", "x", "01", True, [], 2**63),
    *with_each(BATCH, "user_identities", [], "email", {"emial": "a"}, {"email": "x" * 4097}),
    *with_each(BATCH, "device_info", [], "iOS", {"idfv": "\0"}, {"idfv": {}}),
    *with_each(BATCH, "mp_deviceid", [], {}, "\0"),
    *with_each(BATCH, "user_attributes", [], "city", *({"a": bad} for bad in BAD_ATTRIBUTES[:7])),
    *with_each(BATCH, "user_attributes", {str(n): 1 for n in range(101)}, {"x" * 257: 1}),
    *with_each(BATCH, "deleted_user_attributes", {}, "city", [5], ["x" * 257]),
    *with_each(
        BATCH, "events", {}, "hello", *([bad] for bad in BAD_EVENTS if not is_beyond_a_schema(bad))
    ),
    *with_each(BATCH, "timestamp_unixtime_ms", *BAD_TIMES),
    *with_each(BATCH, "request_timestamp_ms", 5, 1.5, -1),
    *with_each(BATCH, "source_request_id", 5, "x" * 257),
    *with_each(BATCH, "consent_state", [], "yes"),
    *with_each(BATCH, "attribution_info", [], "p"),
    *(BATCH | {name: 5} for name in ("scope", "workspace", "label")),
    *with_each(ERASE, "known_identities", None, {}, [], {"email": ""}, {"emial": "a"}),
    *with_each(ERASE, "mpid", 5, "@l", 0, "x"),
    *with_each(ERASE, "previous_mpid", 5, "@l"),
    *with_each(ERASE, "identity_changes", [], CHANGES["identity_changes"]),
    *with_each(ERASE_MPID, "mpid", None, 0, "", "x"),
    *with_each(ERASE_MPID, "known_identities", {"email": "a"}),
    *with_each(ERASE_MPID, "response", *BAD_MEMBERS["response"]),
]


@pytest.mark.parametrize("request_", WRONG_REQUESTS, ids=lambda each: json.dumps(each)[:72])
def test_a_wrong_request_is_refused(request_: object) -> None:
    assert not is_valid("request", request_)
    assert form_refusal(request_) is not None


@pytest.mark.parametrize(
    "request_",
    [
        LOGIN | {"mpid": None, "identity_changes": None, "previous_mpid": None, "context": 5},
        LOGIN | {"scope": None, "workspace": None, "label": None, "request_timestamp_ms": -1},
        LOGIN | {"known_identities": {"email": "a", "idfv": "", "customer_id": None}},
        LOGIN | {"known_identities": {"email": "x" * 4096}},
        LOGIN | {"known_identities": {"email": "😀" * 4096}},
        SET | {"previous_mpid": {"not": "read"}, "identity_changes": None},
        CHANGES | {"known_identities": None},
        CHANGES | {"identity_changes": [{"identity_type": "email", "old_value": None}]},
        SEARCH | {"previous_mpid": "@"},
        *with_each(SEARCH, "previous_mpid", *NO_MPIDS),
        *with_each(SEARCH, "response", *RESPONSES),
        SEARCH | {"source_request_id": "s"},
        BATCH | {"events": None, "user_attributes": None, "device_info": None, "mpid": None},
        BATCH | {"events": [None], "deleted_user_attributes": ["a", None], "known_identities": 5},
        BATCH | {"events": [{"event_type": "x"}, {"event_type": "y", "data": None, "more": 1}]},
        BATCH | {"user_identities": {"email": 5, "customerid": 0, "other": True, "google": ""}},
        BATCH | {"mpid": "@l", "user_identities": {"emial": []}, "device_info": {"idfv": []}},
        BATCH | {"request_timestamp_ms": "x", "request_id": 5, "ip": 5, "environment": []},
        *with_each(BATCH, "mpid", *NO_MPIDS, 5, "-5"),
        *with_each(ERASE, "mpid", None),
        *with_each(ERASE_MPID, "mpid", 5, "-5"),
        ERASE_MPID | {"known_identities": None, "previous_mpid": None, "identity_changes": None},
        *with_each(BATCH, "source_request_id", "", "x" * 256),
        *with_each(BATCH, "timestamp_unixtime_ms", 946_684_800_000, 4_102_444_799_999, None),
        *with_each(
            BATCH, "user_attributes", {}, {"x" * 256: "y" * 4096}, {"a": ["x" * 512] * 1000}
        ),
    ],
    ids=lambda each: json.dumps(each)[:72],
)
def test_a_request_may_be_odd(request_: Json) -> None:
    assert_valid("request", request_)
    assert form_refusal(request_) is None


# ---- Answers and profiles


def assert_answer_valid(answer: Answer) -> None:
    for explain in (False, True):
        line = wire.encode(wire.answer_json(answer, explain=explain))
        assert_valid("answer", json.loads(line))


def assert_profiles_valid(storage: SqliteStore, rules: Organization) -> None:
    for profile in exported(storage, rules):
        assert_valid("profile", json.loads(wire.encode(profile)))


@pytest.mark.parametrize("seed", range(30))
def test_the_answers_and_profiles_of_a_random_world_are_valid(seed: int) -> None:
    world = random_world(random.Random(seed))
    rules = organization(world.scopes, world.workspaces)
    with store.temporary(world.seed) as storage:
        engine, labels = Engine(rules, storage, now=lambda: 0, explain=True), Labels()
        for index, incoming in enumerate(incoming_of(world)):
            if world.later_scopes and index == world.change_at:
                rules = organization(world.later_scopes, world.workspaces)
                engine = Engine(rules, storage, now=lambda: 0, explain=True)
            one_shot = engine.one_shot(incoming.request, Labels(labels), dry_run=True)
            assert_valid("answer", wire.answer_json(one_shot, explain=False))
            for answer in engine.batch([incoming], labels):
                assert_answer_valid(answer)
        assert_profiles_valid(storage, rules)
        assert_profiles_valid(storage, Organization(None, {}, {}))


def incoming_of(world: World) -> Iterator[wire.Incoming]:
    for line, request in enumerate(world.requests, start=1):
        try:
            yield wire.Incoming(wire.decode(json.dumps(request).encode()), line)
        except Refusal as refusal:
            yield wire.Incoming(refusal, line)


@pytest.mark.parametrize("path", SCENARIO_FILES, ids=relative)
def test_the_answers_and_profiles_of_a_scenario_are_valid(path: Path) -> None:
    for scenario in read_scenarios(path):
        with store.temporary(check.SEED) as storage:
            for answer in answers_of(scenario, storage):
                assert_answer_valid(answer)
            assert_profiles_valid(storage, scenario.organization)
        for step in scenario.steps:
            assert_both_agree(json.dumps(step.request).encode())


def answers_of(scenario: Scenario, storage: SqliteStore) -> Iterator[Answer]:
    with storage.writing() as session:
        for given in scenario.given:
            check._give(scenario, given, session, storage.seed)
    engine, labels = Engine(scenario.organization, storage, now=lambda: 0, explain=True), Labels()
    for step in scenario.steps:
        yield from engine.batch([wire.Incoming(step.request, step.line)], labels)


@cache
def examples() -> Mapping[str, Json]:
    """A real answer of each status, with its tiers; and a profile."""
    scope = CONFIGURATION["scopes"]["s"]
    requests: dict[str, Json] = {
        "created": {"type": "login", "known_identities": {"customer_id": "A-1", "email": "a"}},
        "matched": {"type": "search", "known_identities": {"customer_id": "A-1", "email": "b"}},
        "not_found": {"type": "search", "known_identities": {"email": "a"}},
        "modified": {"type": "modify", "mpid": "@l", "known_identities": {"email": "b"}},
        "error": {"type": "search", "known_identities": {}},
        "noted": {"type": "login", "known_identities": {"customer_id": "A-1", "email": "c"}},
        "brought": BATCH | {"scope": None, "user_identities": {"customer_id": "A-1", "email": 0}},
        "duplicate": BATCH | {"scope": None},
        "named": BATCH | {"scope": None, "mpid": "@l", "source_request_id": None},
    }
    requests["visitor"] = {"type": "identify", "known_identities": {"idfv": "77"}, "label": "v"}
    requests["aliased"] = {"type": "alias", "source_mpid": "@v", "destination_mpid": "@l"}
    erase = ERASE | {"scope": None, "known_identities": {"customer_id": "A-1"}}
    erasures = {"erased": erase, "nobody": erase}
    requests["created"]["label"] = "l"
    rules = organization({"s": scope}, {})
    with TemporaryDirectory() as folder, store.create(f"{folder}/idsync.db", 0) as storage:
        engine = Engine(rules, storage, now=lambda: 0, explain=True)
        incoming = [wire.Incoming(each, line) for line, each in enumerate(requests.values(), 1)]
        answers = [wire.answer_json(each, explain=True) for each in engine.batch(incoming)]
        profile, _visitor = exported(storage, rules)
        with storage.writing() as transaction:
            keep(transaction, KeptFile(codes.FileKind.BACKUP, "backup.db"))
        outcomes = [erase_one(engine, storage, each, now=lambda: 5) for each in erasures.values()]
        with storage.reading() as transaction:
            [erasure] = transaction.erasures()
    given, evidence = outcomes[0].report, outcomes[0].evidence
    assert given is not None
    assert evidence is not None
    found = dict(zip(requests, answers, strict=True)) | {"profile": profile}
    found |= dict(zip(erasures, map(outcome_json, outcomes), strict=True))
    found["certificate"] = certificate_json(given, evidence)
    return found | {"record": wire.erasure_record_json(erasure)}


@pytest.mark.parametrize("status", codes.Status)
def test_there_is_an_example_of_every_status(status: str) -> None:
    assert examples()[status]["status"] == status
    assert_valid("answer", examples()[status])


@pytest.mark.parametrize(("size", "stops"), [(1000, False), (1001, True)])
def test_counts_that_stop_are_valid_and_say_so(size: int, stops: bool) -> None:
    scope = CONFIGURATION["scopes"]["s"]
    held = dict.fromkeys(scope["priority"][-1:], "d")
    visitor = wire.Incoming({"type": "logout", "known_identities": held})
    with store.temporary(0) as storage:
        engine = Engine(organization({"s": scope}, {}), storage, now=lambda: 0, explain=True)
        engine.batch([visitor] * size)
        answers = [
            engine.one_shot({"type": kind, "known_identities": held}, dry_run=True)
            for kind in ("search", "identify")
        ]
    for answer in answers:
        assert_answer_valid(answer)
        tier = wire.answer_json(answer, explain=True)["tiers"][-1]
        assert tier["held_by"] == 1000
        assert ("counted_to" in tier) is stops


WRONG_ANSWERS: list[tuple[str, Keys, object]] = [
    *(
        (example, (member,), DROP)
        for example in ("created", "matched", "not_found", "modified", "error")
        for member in ("seq", "type", "scope", "status")
    ),
    *(
        ("created", (member,), DROP)
        for member in (
            *("mpid", "is_logged_in", "matched_identities", "decided_by", "changes", "orphaned"),
            *("source_mpid", "notes"),
        )
    ),
    ("error", ("errors",), DROP),
    ("error", ("errors",), []),
    ("error", ("errors", 0, "code"), "NO_IDENTITY"),
    ("error", ("errors", 0, "message"), DROP),
    ("error", ("errors", 0, "at"), 1),
    ("error", ("mpid",), None),
    ("error", ("status",), "matched"),
    ("matched", ("status",), "error"),
    ("matched", ("status",), "created"),
    ("matched", ("status",), "found"),
    ("matched", ("identities",), DROP),
    ("matched", ("identities", "email"), []),
    ("matched", ("identities", "email"), ["a", "a"]),
    ("matched", ("identities", "email"), "a"),
    ("matched", ("matched_identities",), {}),
    ("matched", ("matched_identities",), {"customerid": "A-1"}),
    ("matched", ("matched_identities",), {"customer_id": ["A-1"]}),
    ("matched", ("mpid",), None),
    ("matched", ("mpid",), 5),
    ("matched", ("mpid",), "05"),
    ("matched", ("seq",), 0),
    ("matched", ("seq",), "1"),
    ("matched", ("line",), 0),
    ("matched", ("line",), None),
    ("matched", ("type",), None),
    ("matched", ("type",), "modify"),
    ("matched", ("scope",), None),
    ("matched", ("is_logged_in",), None),
    ("matched", ("decided_by", "rank"), DROP),
    ("matched", ("decided_by", "rank"), 0),
    ("matched", ("decided_by", "identity_type"), "idfv"),
    ("matched", ("decided_by", "rule"), "newest"),
    ("matched", ("decided_by",), {"rule": "no_match"}),
    ("matched", ("extra",), None),
    ("matched", ("changes",), [{"op": "add"}]),
    ("matched", ("tiers",), []),
    ("matched", ("tiers", 0, "left"), 2),
    ("matched", ("tiers", 0, "held_by"), None),
    ("matched", ("tiers", 0, "outcome"), "not_consulted"),
    ("matched", ("tiers", 0, "ineligible"), {"protected": 1}),
    ("matched", ("tiers", 0, "ineligible"), {"login_protection": 0}),
    ("matched", ("tiers", 0, "settings"), ["known"]),
    ("matched", ("tiers", 2, "value"), "9"),
    ("matched", ("tiers", 2, "left"), 0),
    ("matched", ("tiers", 2, "reason"), "x"),
    ("matched", ("tiers", 0, "held_by"), 1001),
    ("matched", ("tiers", 0, "counted_to"), 1000),  # but nothing of it is as many
    ("matched", ("tiers", 2, "counted_to"), 1000),  # though nothing was looked up
    ("created", ("identities",), {"email": ["a"]}),
    ("created", ("matched_identities",), {"email": "a"}),
    ("created", ("changes",), []),
    ("created", ("changes", 0, "op"), "set"),
    ("created", ("changes", 0, "mpid"), 5),
    ("created", ("changes", 0, "identity_type"), "customerid"),
    ("created", ("changes", 0, "value"), None),
    ("created", ("orphaned",), [5]),
    ("created", ("source_mpid",), "0"),
    ("not_found", ("mpid",), "5"),
    ("not_found", ("is_logged_in",), True),
    ("not_found", ("type",), "identify"),
    ("not_found", ("tiers", 1, "left"), 1),
    ("modified", ("type",), "login"),
    ("modified", ("status",), "matched"),
    ("modified", ("decided_by",), {"rule": "identifier", "rank": 1, "identity_type": "email"}),
    ("noted", ("notes",), [{"code": "tie", "identity_type": "email", "message": "x"}]),
    ("noted", ("notes",), [{"code": "held_elsewhere", "identity_type": None, "message": "x"}]),
    ("noted", ("notes",), [{"code": "held", "identity_type": "email", "message": "x"}]),
    ("noted", ("notes",), [{"code": "tie", "identity_type": None}]),
    ("noted", ("notes",), [{"code": "moved", "identity_type": "push_token", "message": "x"}]),
    ("noted", ("notes",), [{"code": "blocked", "identity_type": None, "message": "x"}]),
    ("noted", ("notes",), [{"code": "tie", "identity_type": None, "message": "x", "mpid": "5"}]),
    *(
        (example, (member,), DROP)
        for example in ("brought", "named")
        for member in ("events", "attributes_set", "attributes_deleted")
    ),
    ("brought", ("events",), -1),
    ("brought", ("events",), []),
    ("brought", ("attributes_set",), [5]),
    ("brought", ("attributes_set",), ["a", "a"]),
    ("brought", ("type",), "identify"),
    ("brought", ("matched_identities",), {}),
    ("named", ("matched_identities",), {"email": "a"}),
    ("named", ("type",), "identify"),
    ("matched", ("events",), 0),
    *(
        ("erased", (member,), DROP)
        for member in (
            *("seq", "type", "scope", "status", "mpid", "request_id", "time", "counts"),
            *("made_from_it", "taken_from", "files"),
        )
    ),
    ("erased", ("mpid",), None),
    ("erased", ("type",), "identify"),
    ("erased", ("time",), 5),
    ("erased", ("time",), "1970-01-01T00:00:00.005"),
    ("erased", ("counts", "identifiers"), DROP),
    ("erased", ("counts", "values"), -1),
    ("erased", ("counts", "digest"), 1),
    ("erased", ("made_from_it",), [5]),
    ("erased", ("files",), ["backup.db"]),
    ("erased", ("files", 0, "kind"), "copy"),
    ("erased", ("files", 0, "path"), DROP),
    ("erased", ("shown_by", "free_pages"), 1),
    ("erased", ("shown_by", "pages"), DROP),
    ("erased", ("notes",), []),
    ("erased", ("tiers",), []),
    ("erased", ("matched_identities",), {}),
    ("nobody", ("mpid",), "5"),
    ("nobody", ("status",), "matched"),
    ("nobody", ("identities",), {}),
    ("nobody", ("shown_by",), None),
    ("duplicate", ("mpid",), DROP),
    ("duplicate", ("mpid",), 5),
    ("duplicate", ("type",), "identify"),
    ("duplicate", ("events",), 0),
    ("duplicate", ("notes",), []),
]


@pytest.mark.parametrize(("example", "path", "value"), WRONG_ANSWERS)
def test_a_wrong_answer_is_refused(example: str, path: Keys, value: object) -> None:
    assert not is_valid("answer", changed(dict(examples()[example]), path, value))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        *(((member,), DROP) for member in ("mpid", "scope", "created_seq", "source_mpid")),
        *(((member,), DROP) for member in ("known", "orphaned", "identities")),
        (("mpid",), 1234),
        (("mpid",), "0"),
        (("mpid",), None),
        (("scope",), None),
        (("created_seq",), 0),
        (("created_seq",), "1"),
        (("source_mpid",), 5),
        (("known",), "true"),
        (("orphaned",), None),
        (("identities",), {"customerid": ["A-1"]}),
        (("identities",), {"customer_id": "A-1"}),
        (("identities",), {"customer_id": []}),
        (("identities",), {"customer_id": ["A-1", "A-1"]}),
        (("identities",), {"customer_id": [""]}),
        (("attributes",), {}),
    ],
)
def test_a_wrong_profile_is_refused(path: Keys, value: object) -> None:
    assert_valid("profile", examples()["profile"])
    assert not is_valid("profile", changed(dict(examples()["profile"]), path, value))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        *(((member,), DROP) for member in ("record", "mpid", "seq", "scope", "time_ms")),
        (("record",), "erasures"),
        (("mpid",), 5),
        (("seq",), 0),
        (("time_ms",), -1),
        (("time_ms",), "1970-01-01T00:00:00.005Z"),
        (("request_id",), 5),
        (("identities",), {}),
    ],
)
def test_a_wrong_record_is_refused(path: Keys, value: object) -> None:
    assert_valid("record", examples()["record"])
    assert not is_valid("record", changed(dict(examples()["record"]), path, value))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        *(((member,), DROP) for member in ("mpid", "seq", "request_id", "time", "counts")),
        (("shown_by",), DROP),
        (("shown_by",), None),
        (("shown_by", "log_bytes"), 1),
        (("digest",), "x"),
        (("files",), []),
    ],
)
def test_a_wrong_certificate_is_refused(path: Keys, value: object) -> None:
    assert_valid("certificate", examples()["certificate"])
    assert not is_valid("certificate", changed(dict(examples()["certificate"]), path, value))


def test_every_enumeration_of_the_code_is_compared() -> None:
    compared = [known for listed in ENUMERATIONS.values() for _, known in listed]
    elsewhere = (
        codes.Status, codes.Rule,  # partly in other places of the answer, see above
        codes.Import,  # in the history, which has no schema
        codes.AliasFault,  # told in words
        codes.AttributeOp,  # among what the history says of each change, see above
        codes.SubjectRequestState,  # told in the words of OpenDSR
    )  # fmt: skip
    for each in vars(codes).values():
        if isinstance(each, type) and issubclass(each, Enum) and each.__module__ == codes.__name__:
            found = each in elsewhere or any(set(words(each)) <= set(words(k)) for k in compared)
            assert found, each.__name__
