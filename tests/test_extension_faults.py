"""What is wrong with the `extensions` of a scope is told with its place and the way out."""

from pathlib import Path

import pytest

from idsync_cli.core.codes import Normalizer
from idsync_cli.core.config.guard_rails import GuardRails, ValueLimit
from idsync_cli.core.identity import IdentityType
from idsync_cli.files import config_file, rules_json
from tests.program import Program, program_in_a_fresh_folder

__all__ = ["program_in_a_fresh_folder"]

SCOPE = """\
scopes:
  c:
    strategy: profile_conversion
    priority: [customer_id, email, push_token, ios_idfv]
    identities:
      customer_id: {login: true, unique: true, immutable: true}
      email: {login: true, unique: true}
      push_token: {unique: true}
    extensions: %s
"""
"""A configuration whose extensions stand in line 9, from column 17 on."""

GOOD = """\
{
      normalize: {email: [trim, lowercase], mobile_number: [digits], idfv: []},
      blocked: {"*": [placeholders], email: ["*@example.com", test, "Null"], other: []},
      max_values: {email: 3, push_token: {limit: 1, beyond: replace_oldest}, yahoo: {limit: 12}},
      moving: [push_token]}"""

EMAIL, TOKEN, IDFV = IdentityType.EMAIL, IdentityType.PUSH_TOKEN, IdentityType.IOS_IDFV


def loaded(folder: Path, extensions: str) -> GuardRails:
    path = folder / "idsync.yaml"
    path.write_text(SCOPE % extensions, encoding="utf-8")
    return config_file.load(path).organization.scopes["c"].guard_rails


def test_extensions_are_read_as_they_are_written(tmp_path: Path) -> None:
    trim, lowercase = Normalizer.TRIM, Normalizer.LOWERCASE
    assert loaded(tmp_path, GOOD) == GuardRails(
        {EMAIL: (trim, lowercase), IdentityType.MOBILE_NUMBER: (Normalizer.DIGITS,), IDFV: ()},
        {None: ("placeholders",), EMAIL: ("*@example.com", "test", "Null"), IdentityType.OTHER: ()},
        {
            EMAIL: ValueLimit(3),
            TOKEN: ValueLimit(1, replaces_oldest=True),
            IdentityType.YAHOO: ValueLimit(12),
        },
        (TOKEN,),
    )


@pytest.mark.parametrize("text", ["", "~", "{}", "{normalize: {}, blocked: {}, moving: []}"])
def test_extensions_without_anything_in_them_are_none(tmp_path: Path, text: str) -> None:
    assert loaded(tmp_path, text) == GuardRails()


def test_a_store_remembers_extensions(tmp_path: Path) -> None:
    loaded(tmp_path, GOOD)
    [rules] = config_file.load(tmp_path / "idsync.yaml").organization.scopes.values()
    again = rules_json.decode(rules_json.encode(rules))
    assert rules_json.encode(again) == rules_json.encode(rules)
    assert again.guard_rails.entries() == rules.guard_rails.entries()
    assert len(again.guard_rails.entries()) == 8
    loaded(tmp_path, "{}")
    [plain] = config_file.load(tmp_path / "idsync.yaml").organization.scopes.values()
    assert "extensions" not in rules_json.encode(plain)
    assert rules_json.decode(rules_json.encode(plain)).guard_rails == GuardRails()


@pytest.mark.parametrize(
    ("extensions", "column", "words"),
    [
        ("none", 17, "extensions is 'none' mapping"),
        ("[blocked]", 17, "extensions is a list mapping"),
        ("{blockd: {}}", 18, "unknown key 'blockd' did you mean 'blocked'"),
        ("{limits: {}}", 18, "unknown key 'limits' normalize, blocked, max_values, moving"),
        ("{normalize: trim}", 29, "normalize is 'trim' mapping"),
        ("{normalize: {emial: [trim]}}", 30, "unknown identity type 'emial' 'email'"),
        ("{normalize: {'*': [trim]}}", 30, "unknown identity type '*'"),
        ("{normalize: {email: trim}}", 37, "normalize of email is 'trim' must be a list"),
        ("{normalize: {email: }}", 37, "normalize of email is nothing must be a list"),
        ("{normalize: {email: [trm]}}", 38, "unknown normalizer 'trm' did you mean 'trim'"),
        ("{normalize: {email: [upper]}}", 38, "unknown normalizer 'upper' lowercase, digits"),
        ("{normalize: {email: [[trim]]}}", 38, "unknown normalizer a list lowercase, digits"),
        ("{normalize: {email: [trim, trim]}}", 44, "trim appears twice for email"),
        ("{normalize: {idfv: [], ios_idfv: []}}", 40, "ios_idfv appears twice under normalize"),
        ("{blocked: [placeholders]}", 27, "blocked is a list mapping"),
        ("{blocked: {'*': placeholders}}", 33, "for all types is 'placeholders' must be a list"),
        ("{blocked: {email: test}}", 35, "for email is 'test' must be a list"),
        ("{blocked: {all: [test]}}", 28, "unknown identity type 'all'"),
        ("{blocked: {das: [], device_application_stamp: []}}", 37, "appears twice under blocked"),
        ("{blocked: {email: [null]}}", 36, "nothing is not text put it between quotes"),
        ("{blocked: {email: [true]}}", 36, "'true' is not text put it between quotes"),
        ("{blocked: {email: [{a: b}]}}", 36, "a mapping is not text"),
        ("{blocked: {email: ['']}}", 36, "'' is empty remove it"),
        ("{blocked: {email: [a, a]}}", 39, "'a' appears twice"),
        ("{blocked: {'*': [placeholder]}}", 34, "nearly the word write placeholders"),
        ("{blocked: {'*': [Placeholders]}}", 34, "nearly the word write placeholders"),
        ("{blocked: {email: [\"a\\0*\"]}}", 36, "NUL"),
        (f"{{blocked: {{email: ['*{'x' * 4097}']}}}}", 36, "4,097 characters"),
        ("{max_values: [email]}", 30, "max_values is a list mapping"),
        ("{max_values: {emial: 3}}", 31, "unknown identity type 'emial' 'email'"),
        ("{max_values: {email: 0}}", 38, "limit of email is '0' positive integer"),
        ("{max_values: {email: -1}}", 38, "'-1' positive integer"),
        ("{max_values: {email: 03}}", 38, "'03' positive integer"),
        ("{max_values: {email: 1.5}}", 38, "'1.5' positive integer"),
        ("{max_values: {email: true}}", 38, "'true' positive integer"),
        ("{max_values: {email: }}", 38, "nothing positive integer"),
        ("{max_values: {email: [3]}}", 38, "a list positive integer"),
        ("{max_values: {email: ٣}}", 38, "positive integer"),
        (f"{{max_values: {{email: {'9' * 5000}}}}}", 38, "positive integer"),
        ("{max_values: {email: {limit: x}}}", 46, "'x' positive integer"),
        ("{max_values: {email: {beyond: x}}}", 38, "no limit of email limit: 3"),
        ("{max_values: {email: {limt: 3}}}", 39, "unknown key 'limt' did you mean 'limit'"),
        ("{max_values: {ios_idfv: {limit: 3, beyond: replace}}}", 60, "'replace' replace_oldest"),
        ("{max_values: {ios_idfv: {limit: 3, beyond: true}}}", 60, "'true' replace_oldest"),
        ("{max_values: {idfv: 1, ios_idfv: 1}}", 40, "ios_idfv appears twice under max_values"),
        ("{max_values: {customerid: 1}}", 31, "customer_id is immutable remove it"),
        ("{max_values: {email: {limit: 1, beyond: replace_oldest}}}", 31, "login type limit alone"),
        ("{moving: push_token}", 26, "moving is 'push_token' must be a list"),
        ("{moving: {push_token: true}}", 26, "moving is a mapping must be a list"),
        ("{moving: [push_tokn]}", 27, "unknown identity type 'push_tokn' 'push_token'"),
        ("{moving: [push_token, push_token]}", 39, "push_token appears twice under moving"),
        ("{moving: [email]}", 27, "email identifies a user device identity"),
        ("{moving: [customer_id]}", 27, "customer_id identifies a user"),
        ("{moving: [idfv]}", 27, "ios_idfv must be unique to move"),
        ("{moving: [amp_id]}", 27, "amp_id must be unique to move"),
    ],
)  # fmt: skip
def test_a_fault_of_the_extensions_is_told_with_its_place_and_the_way_out(
    idsync: Program, extensions: str, column: int, words: str
) -> None:
    idsync.write("idsync.yaml", SCOPE % extensions)
    before = idsync.files()
    outcome = idsync("identify", "--email", "a")
    assert (outcome.status, outcome.stdout, idsync.files()) == (2, "", before)
    lines = outcome.stderr.split("\n")
    [told] = [line for line in lines if line.startswith(f"idsync: idsync.yaml:9:{column}: ")]
    assert [word for word in words.split() if word not in told] == []
    assert any(line.strip().startswith("| ") and "^" in line for line in outcome.stderr.split("\n"))


def test_all_faults_of_the_extensions_are_told_at_once(idsync: Program) -> None:
    extensions = (
        "{normalize: {emial: [trim], email: [trm]}, blocked: {email: [''], yahoo: x}, "
        "max_values: {customer_id: 1, yahoo: 0}, moving: [email, nobody], more: {}}"
    )
    idsync.write("idsync.yaml", SCOPE.replace("strategy: profile", "strategy: profil") % extensions)
    outcome = idsync("config", "lint")
    assert outcome.status == 2
    told = [line for line in outcome.stderr.split("\n") if line.startswith("idsync: ")]
    columns = [line.split(": ")[1].removeprefix("idsync.yaml:") for line in told]
    assert columns == ["3:15", *(f"9:{column}" for column in COLUMNS)]


COLUMNS = (30, 53, 78, 90, 107, 130, 143, 150, 159)


def test_the_word_at_fault_has_a_caret_under_it(idsync: Program) -> None:
    idsync.write("idsync.yaml", SCOPE % "{normalize: {email: [trm]}}")
    told = idsync("config", "lint").stderr.split("\n")
    assert told[1:3] == [
        "   9 |     extensions: {normalize: {email: [trm]}}",
        "     |                                      ^^^",
    ]
