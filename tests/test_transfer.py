"""Import and export: whole files or nothing, the same lines again, and spreadsheets."""

import csv
import gzip
import io
import json
import re
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idsync_cli.core.config.rules import Organization, ScopeRules
from idsync_cli.core.config.strategy import PRESETS
from idsync_cli.core.identity import IdentityType
from idsync_cli.files import profile_csv
from idsync_cli.files.profile_lines import ProfileFile, ProfileLine
from tests.program import TWO_SCOPES, Outcome, Program, program_in_a_fresh_folder, without_excerpts

__all__ = ["program_in_a_fresh_folder"]

UNIQUE = """\
version: 1
scopes:
  consumers:
    strategy: profile_conversion
    priority: [customer_id, email, ios_idfv]
    identities:
      customer_id: {login: true, unique: true, immutable: true}
      email: {unique: true}
"""

AWKWARD = (
    "=1+1", "+1", "-1", "@x", "'", "''=", "'=1", "[", '["a"]', "[]", "a,b", 'say "hi"', "a\nb",
    "\r\n", "\r", "\t=1", " spaced ", "é", "\u202e", "\x1b[2J", "\u00a0", "🙂", "00123", "null",
)  # fmt: skip


def _import(idsync: Program, *lines: object, arguments: tuple[str, ...] = ()) -> Outcome:
    stdin = "".join(f"{each if isinstance(each, str) else json.dumps(each)}\n" for each in lines)
    return idsync("import", "-", *arguments, stdin=stdin.encode())


def _line(mpid: int | str, **more: Any) -> dict[str, Any]:
    return {"mpid": str(mpid), "identities": {"ios_idfv": [str(mpid)]}, **more}


@pytest.fixture(name="filled")
def a_store_with_a_past(idsync: Program) -> Program:
    """Two scopes, a known profile, one that was, an orphan, a source, and awkward values."""
    idsync.write("idsync.yaml", TWO_SCOPES.replace("profile_isolation", "profile_link"))
    requests: list[object] = [
        {"type": "login", "scope": "consumers", "known_identities": {"email": each, "idfv": str(n)}}
        for n, each in enumerate(AWKWARD)
    ]
    shop: dict[str, Any] = {"scope": "consumers"}
    courier: dict[str, Any] = {"scope": "couriers"}
    requests += [
        {
            "type": "login",
            **shop,
            "known_identities": {"customerid": "C", "idfv": "x"},
            "label": "c",
        },
        {"type": "modify", **shop, "mpid": "@c", "known_identities": {"customer_id": None}},
        {"type": "identify", **shop, "known_identities": {"email": "=1+1", "idfv": "second"}},
        {"type": "identify", **courier, "known_identities": {"idfv": "1"}, "label": "v"},
        {"type": "login", **courier, "known_identities": {"email": "k", "idfv": "1"}},
        {"type": "modify", **courier, "mpid": "@v", "known_identities": {"idfv": None}},
    ]
    assert idsync.replay(*requests).status == 0
    return idsync


class TestRoundTrip:
    @pytest.mark.parametrize("form", ["jsonl", "csv"])
    @pytest.mark.parametrize("packed", [False, True])
    def test_the_same_lines_again(self, filled: Program, form: str, packed: bool) -> None:
        name = f"profiles.{form}"
        outcome = filled("export", "--output", name)
        assert outcome.stdout == ""
        assert re.fullmatch(
            r"exported \d+ profiles(, \d+ records? of their data and of erasures)?\n",
            outcome.stderr,
        )
        if packed:
            content = Path(filled.folder, name).read_bytes()
            name = f"{name}.gz"
            filled.write(name, gzip.compress(content))
        assert filled("import", name, "--store", "new.db").status == 0
        exported = filled("export").stdout
        assert filled("export", "--store", "new.db").stdout == exported
        assert filled("export", "--store", "new.db", "--format", form).stdout == (
            filled("export", "--format", form).stdout
        )

    def test_scopes_one_after_the_other(self, filled: Program) -> None:
        for scope in ("couriers", "consumers"):
            part = filled("export", "--scope", scope).stdout.encode()
            assert filled("import", "-", "--store", "new.db", stdin=part).status == 0
        assert filled("export", "--store", "new.db").stdout == filled("export").stdout

    def test_history_adds_up_to_what_is_there(self, filled: Program) -> None:
        exported = filled("export").stdout
        filled("import", "-", "--store", "new.db", stdin=exported.encode())
        for line in map(json.loads, exported.splitlines()):
            asked = ("history", "--store", "new.db", "--mpid", line["mpid"], "--json")
            held = defaultdict(list)
            for entry in filled(*asked).lines():
                assert (entry["type"], entry["op"]) == ("import", "add")
                assert entry["decided_by"] == {"rule": "import"}
                assert entry["seq"] == line["created_seq"]
                held[entry["identity_type"]].append(entry["value"])
            assert held == line["identities"]

    def test_requests_go_on_from_the_highest_number(self, filled: Program) -> None:
        highest = max(line["created_seq"] for line in filled("export").lines())
        filled("import", "-", "--store", "new.db", stdin=filled("export").stdout.encode())
        asked = ("identify", "--store", "new.db", "--scope", "couriers", "--email", "n", "--json")
        assert filled(*asked).json()["seq"] == highest + 1

    def test_a_seed_makes_the_same_mpids_from_then_on(self, idsync: Program) -> None:
        mpids = []
        for store in ("a.db", "b.db"):
            _import(idsync, _line(5), arguments=("--store", store, "--seed", "7"))
            asked = idsync("identify", "--email", "a", "--store", store, "--json")
            mpids.append(asked.json()["mpid"])
        assert mpids[0] == mpids[1]


class TestLines:
    def test_numbers_are_kept_or_the_next(self, idsync: Program) -> None:
        lines = [_line(1), _line(2, created_seq=9), _line(-3), _line(4, created_seq=5)]
        assert _import(idsync, *lines).stdout == "imported 4 profiles\n"
        numbers = {each["mpid"]: each["created_seq"] for each in idsync("export").lines()}
        assert numbers == {"1": 1, "4": 5, "2": 9, "-3": 10}

    def test_known_may_be_said_and_is_never_unsaid(self, idsync: Program) -> None:
        login = {"customer_id": ["C"]}
        lines = [_line(1, known=True), _line(2), _line(3, identities=login, known=False)]
        assert _import(idsync, *lines).status == 0
        assert [each["known"] for each in idsync("export").lines()] == [True, False, True]

    def test_what_may_be_left_out_and_how_it_may_be_written(self, idsync: Program) -> None:
        lines = [
            "\ufeff"
            + json.dumps({"mpid": 5, "identities": {"idfv": ["a"], "other2": ["o"]}})
            + "\r",
            "  ",
            json.dumps(_line(6, scope=None, source_mpid="-7", orphaned="passed over")),
            json.dumps({"mpid": "7", "identities": {}}),
        ]
        assert _import(idsync, *lines).status == 0
        exported = idsync("export").lines()
        assert [each["scope"] for each in exported] == ["consumers"] * 3
        assert exported[0]["identities"] == {"ios_idfv": ["a"], "other_id_2": ["o"]}
        assert exported[1]["source_mpid"] == "-7"
        assert exported[2]["orphaned"] is True

    @pytest.mark.parametrize(
        ("line", "what"),
        [
            ("{", "not JSON at character 2"),
            ('{"mpid": "1", "mpid": "2"}', "the key 'mpid' appears twice"),
            ("[]", "a profile is a JSON object"),
            ('{"mpid": ' + "[" * 150_000 + "]" * 150_000 + "}", "nested too deeply to read"),
            (_line(1, mpd="2"), "unknown member 'mpd'; did you mean 'mpid'?"),
            ({"identities": {}}, "no mpid"),
            ({"mpid": "1"}, "no identities"),
            (_line(0), "mpid is '0', but must be an MPID"),
            (_line("01"), "mpid is '01', but must be an MPID"),
            (_line(1, source_mpid="x"), "source_mpid is 'x'"),
            (_line(1, scope="consumer"), "unknown scope 'consumer'; did you mean 'consumers'?"),
            (_line(1, scope=3), "scope is '3', but must be text"),
            (_line(1, created_seq=0), "created_seq is '0', but must be a number from 1"),
            (_line(1, created_seq=True), "created_seq is 'true'"),
            (_line(1, created_seq="1"), "created_seq is '1'"),
            (_line(1, created_seq=2**62 + 1), "but must be a number from 1 to 4611686018427387904"),
            (_line(1, known="true"), "known is 'true', but must be true or false"),
            (_line(1, identities=[]), "identities is '[]', but must be an object"),
            (_line(1, identities={"emial": ["a"]}), "unknown identity type 'emial'"),
            (_line(1, identities={"idfv": ["a"], "ios_idfv": ["b"]}), "are the same type"),
            (_line(1, identities={"email": "a"}), "email is 'a', but must be a list of values"),
            (_line(1, identities={"email": [""]}), "the value '' of email is empty"),
            (_line(1, identities={"email": [1]}), "the value '1' of email is not text"),
            (_line(1, identities={"email": ["\0"]}), "contains a NUL character"),
            (_line(1, identities={"email": ["\ud800"]}), "lone surrogate"),
            (_line(1, identities={"email": ["a" * 4097]}), "has 4,097 characters"),
            (_line(1, identities={"email": ["a", "a"]}), "a value of email appears twice"),
            (_line(1, identities={"customer_id": ["a", "b"]}), "customer_id is immutable, but has"),
            (_line(1, identities={"customer_id": ["taken"]}), "customer_id is unique, but another"),
            (_line(1, identities={"email": ["taken"]}), "email is unique, but another profile"),
            (_line(99), "the MPID 99 is already in use"),
            (_line(1, created_seq=1), "created_seq 1 is already in use"),
            (_line(1, created_seq=2), "created_seq 2 is already in use"),
        ],
    )
    @pytest.mark.parametrize("dry_run", [False, True])
    def test_a_bad_line_refuses_the_file(
        self, idsync: Program, line: object, what: str, dry_run: bool
    ) -> None:
        idsync.write("idsync.yaml", UNIQUE)
        taken = {"customer_id": ["taken"], "email": ["taken"]}
        assert _import(idsync, _line(99, identities=taken)).status == 0
        idsync("modify", "--mpid", "99", "--idfv", "z")  # takes the number 2
        before = idsync("export").stdout
        options = ("--dry-run",) if dry_run else ()
        outcome = _import(idsync, _line(7), "", line, _line(8), arguments=options)
        assert (outcome.status, outcome.stdout) == (2, "")
        said = outcome.stderr.splitlines()
        assert said[0].startswith("idsync: standard input:3: ")
        assert what in said[0]
        assert [*without_excerpts(said)][1:] == ["idsync: nothing was imported"]
        assert idsync("export").stdout == before
        assert _import(idsync, _line(7)).status == 0, "and the store takes the rest of it"

    def test_lines_of_one_file_are_set_against_each_other(self, idsync: Program) -> None:
        idsync.write("idsync.yaml", UNIQUE)
        lines = [
            _line(1, identities={"customer_id": ["C"]}),
            _line(2, identities={"customer_id": ["C"]}),
            _line(1, identities={"customer_id": ["D"]}),
            _line(3, created_seq=1),
        ]
        outcome = _import(idsync, *lines)
        assert [
            line.split(": ")[1] for line in [*without_excerpts(outcome.stderr.splitlines())][:3]
        ] == [f"standard input:{n}" for n in (2, 3, 4)]
        assert not Path(idsync.folder, "idsync.db").exists()

    def test_the_first_twenty_bad_lines_and_how_many_more(self, idsync: Program) -> None:
        idsync.write("bad.jsonl", "{\n" * 25)
        said = [*without_excerpts(idsync("import", "bad.jsonl").stderr.splitlines())]
        assert said[19].startswith("idsync: bad.jsonl:20: not JSON")
        assert said[20:] == ["idsync: and 5 more bad lines", "idsync: nothing was imported"]

    def test_several_scopes_must_be_named(self, idsync: Program) -> None:
        idsync.write("idsync.yaml", TWO_SCOPES)
        assert "no scope; the configuration has several" in _import(idsync, _line(1)).stderr

    def test_a_profile_of_a_megabyte_comes_back(self, idsync: Program) -> None:
        values = [f"{n:03}" + "é" * 4093 for n in range(300)]
        assert _import(idsync, _line(1, identities={"email": values})).status == 0
        exported = idsync("export").stdout
        assert len(exported) > 2**20
        assert idsync("import", "-", "--store", "b.db", stdin=exported.encode()).status == 0


class TestImport:
    def test_a_dry_run_writes_nothing(self, idsync: Program) -> None:
        before = idsync.files()
        outcome = _import(idsync, _line(1), arguments=("--dry-run",))
        assert (outcome.status, outcome.stdout) == (0, "would import 1 profile\n")
        assert idsync.files() == before
        _import(idsync, _line(1))
        before = idsync.files()
        assert _import(idsync, _line(2), arguments=("--dry-run",)).status == 0
        assert idsync.files() == before

    def test_json(self, idsync: Program) -> None:
        outcome = _import(idsync, _line(1), arguments=("--json",))
        expected = {"profiles": 1, "records": 0, "erasures": 0, "blocked": 0, "dry_run": False}
        assert outcome.json() == expected

    def test_a_store_is_made_for_its_owner_alone(self, idsync: Program) -> None:
        _import(idsync, _line(1))
        assert Path(idsync.folder, "idsync.db").stat().st_mode & 0o777 == 0o600

    @pytest.mark.parametrize(
        ("arguments", "status", "message"),
        [
            (("nowhere.jsonl",), 2, "the profiles 'nowhere.jsonl' cannot be read: No such file"),
            ((".",), 2, "cannot be read: Is a directory"),
            (("a\0b",), 2, "cannot be read"),
            (("cut.gz",), 2, "cannot be read"),
            (("good.jsonl", "--store", ""), 3, "the path of the store is empty"),
            (("good.jsonl", "--store", "idsync.yaml"), 3, "is not an idsync store"),
            (("good.jsonl", "--store", "no/where.db"), 3, "its folder does not exist"),
            (("good.jsonl", "--seed", "x"), 2, "--seed 'x' is not an integer"),
            (("good.jsonl", "--format", "xml"), 2, "--format"),
            (("good.jsonl", "--format", "csv"), 2, "'good.jsonl' holds profiles, but --format csv"),
        ],
    )
    def test_bad_input(
        self, idsync: Program, arguments: tuple[str, ...], status: int, message: str
    ) -> None:
        idsync.write("good.jsonl", json.dumps(_line(1)))
        idsync.write("cut.gz", gzip.compress(json.dumps(_line(1)).encode())[:-4])
        before = idsync.files()
        outcome = idsync("import", *arguments)
        assert (outcome.status, outcome.stdout) == (status, "")
        assert message in outcome.stderr
        assert idsync.files() == before

    def test_another_seed_than_the_store_has(self, idsync: Program) -> None:
        _import(idsync, _line(1), arguments=("--seed", "1"))
        outcome = _import(idsync, _line(2), arguments=("--seed", "2"))
        assert outcome.status == 2
        assert "was created with another seed" in outcome.stderr
        assert _import(idsync, _line(2), arguments=("--seed", "1")).status == 0

    def test_scopes_without_rules_take_no_profiles(self, filled: Program) -> None:
        exported = filled("export").stdout
        filled.write("idsync.yaml", TWO_SCOPES.replace("couriers", "riders"))
        outcome = filled("import", "-", "--store", "new.db", stdin=exported.encode())
        assert outcome.status == 2
        assert "unknown scope 'couriers'" in outcome.stderr


class TestExport:
    @pytest.mark.parametrize("name", ["idsync.db", "./idsync.yaml", "", "a\0b", "no/where"])
    def test_output_overwrites_nothing_in_use(self, filled: Program, name: str) -> None:
        before = filled.files()
        outcome = filled("export", "--output", name)
        assert (outcome.status, outcome.stdout) == (2, "")
        assert "--output" in outcome.stderr
        assert filled.files() == before

    def test_an_unknown_scope_leaves_the_output_alone(self, filled: Program) -> None:
        filled.write("out.jsonl", "kept")
        assert filled("export", "--scope", "x", "--output", "out.jsonl").status == 2
        assert Path(filled.folder, "out.jsonl").read_text() == "kept"

    def test_csv_is_utf_8_whatever_the_terminal_is(self, idsync: Program) -> None:
        idsync("identify", "--email", "é")
        latin = {"PYTHONIOENCODING": "latin-1"}
        outcome = idsync.process("export", "--format", "csv", environment=latin)
        assert "é" in outcome.stdout

    def test_an_empty_store(self, idsync: Program) -> None:
        idsync("init")
        assert idsync("export").stdout == ""
        header = idsync("export", "--format", "csv").stdout
        assert header == "mpid,scope,created_seq,source_mpid,known,orphaned\n"
        assert idsync("import", "-", "--format", "csv", stdin=header.encode()).status == 0


class TestCsv:
    def test_one_row_a_profile(self, idsync: Program) -> None:
        _import(
            idsync,
            _line(-5, identities={"email": ["a", "b"], "push_token": ["=1"]}, source_mpid="7"),
            _line(6, known=True),
        )
        rows = list(csv.DictReader(io.StringIO(idsync("export", "--format", "csv").stdout)))
        assert rows == [
            {
                "mpid": "-5", "scope": "consumers", "created_seq": "1", "source_mpid": "7",
                "known": "false", "orphaned": "false",
                "email": '["a", "b"]', "ios_idfv": "", "push_token": "'=1",
            },
            {
                "mpid": "6", "scope": "consumers", "created_seq": "2", "source_mpid": "",
                "known": "true", "orphaned": "false",
                "email": "", "ios_idfv": "6", "push_token": "",
            },
        ]  # fmt: skip

    def test_no_value_is_taken_for_a_formula_or_acts_on_a_terminal(self, filled: Program) -> None:
        text = filled("export", "--format", "csv").stdout
        assert all(character.isprintable() or character == "\n" for character in text)
        for row in csv.DictReader(io.StringIO(text)):
            assert not (row["email"] or "").startswith(("=", "+", "-", "@", "\t", "\r"))

    def test_what_a_spreadsheet_makes_of_it_is_read(self, idsync: Program) -> None:
        table = "\ufeffmpid,email,known,idfv\r\n5,\"two\r\nlines\",TRUE,\r\n\r\n'-6,,FALSE,'=1\r\n"
        idsync.write("people.csv", table)
        assert idsync("import", "people.csv").status == 0
        first, second = idsync("export").lines()
        assert (first["identities"], first["known"]) == ({"email": ["two\r\nlines"]}, True)
        assert (second["mpid"], second["identities"]) == ("-6", {"ios_idfv": ["=1"]})

    @pytest.mark.parametrize(
        ("table", "what"),
        [
            ("", ":1: no header; the first line names the columns: mpid,"),
            ("mpid,emial\n", ":1: unknown column 'emial'; did you mean 'email'?"),
            ("mpid;email\n", ":1: columns are separated by commas, not by semicolons"),
            ("mpid,email,email\n", ":1: the column email appears twice"),
            ("scope\n", ":1: no column mpid"),
            ("mpid,email\n5\n", ":2: 1 cell, but the header has 2"),
            ("mpid,email\n\n5,a,b\n", ":3: 3 cells, but the header has 2"),
            ('mpid,email\n5,"a\nb"\n7.7E+18,c\n', ":4: mpid is '7.7E+18', but must be an MPID"),
            ("mpid,created_seq\n5,1.0\n", ":2: created_seq is '1.0'"),
            ("mpid,known\n5,yes\n", ":2: known is 'yes', but must be true or false"),
            ("mpid,email\n5,[a\n", ":2: column email: a list of values is not JSON"),
            ("mpid,email\n5,[1]\n", ":2: the value '1' of email is not text"),
            ("mpid,email\n5,'\n", ":2: the value '' of email is empty"),
            ("mpid,idfv,ios_idfv\n5,a,b\n", ":2: idfv and ios_idfv are the same type"),
            ('mpid,email\n5,"a\n', ":2: not CSV: unexpected end of data"),
            ('mpid,email\n5,"a"b\n', ":2: not CSV"),
            (b"mpid,email\n5,a\n6,\xff\n", ":3: not UTF-8"),
        ],
    )
    def test_a_bad_table_is_refused(self, idsync: Program, table: str | bytes, what: str) -> None:
        idsync.write("people.csv", table)
        outcome = idsync("import", "people.csv")
        assert (outcome.status, outcome.stdout) == (2, "")
        assert f"idsync: people.csv{what}" in outcome.stderr
        assert not Path(idsync.folder, "idsync.db").exists()


VALUES = st.one_of(
    st.sampled_from(AWKWARD),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1),
    st.text("='[]\"\\,\n\r\t@+- a", min_size=1),
)


@given(values=st.lists(VALUES, min_size=1, max_size=3, unique=True))
def test_every_value_comes_back_from_a_table(values: list[str]) -> None:
    profile = {
        "mpid": "5", "scope": "=s", "created_seq": 1, "source_mpid": None,
        "known": False, "orphaned": False, "identities": {"email": values},
    }  # fmt: skip
    types = [IdentityType.EMAIL]
    table = f"{profile_csv.header(types)}\n{profile_csv.row(profile, types)}\n"
    rules = ScopeRules(PRESETS["best_match"].strategy, (IdentityType.EMAIL,))
    source = ProfileFile("table", io.BytesIO(table.encode()))
    [line] = profile_csv.read_csv(source, Organization(None, {"=s": rules}, {}))
    assert isinstance(line, ProfileLine)
    assert [held.value for held in line.identifiers] == values


ONE_SCOPE = """\
version: 1
scopes:
  main: {strategy: best_match, priority: [email, other]}
"""


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_cells_over_several_lines_come_whole(idsync: Program, end: str) -> None:
    """Also beside a quotation mark that only stands in a cell, and behind a very long line."""
    idsync.write("idsync.yaml", ONE_SCOPE)
    long = "x" * 4_000
    rows = [
        "mpid,email,other", f'1,"[""a{long}"",{end} ""b""]",c"d', '2,e"f,g', f'3,"h""{end}""i",j',
        "4,k,l",
    ]  # fmt: skip
    idsync.write("p.csv", end.join([*rows, ""]).encode())
    outcome = idsync("import", "p.csv")
    assert outcome.status == 0
    found = {each["mpid"]: each["identities"] for each in idsync("export").lines()}
    assert found["1"] == {"email": [f"a{long}", "b"], "other": ['c"d']}
    assert found["2"] == {"email": ['e"f'], "other": ["g"]}
    assert found["3"] == {"email": [f'h"{end}"i'], "other": ["j"]}
    assert len(found) == 4


def test_a_faulty_row_over_several_lines_is_shown_at_its_quotation_mark(idsync: Program) -> None:
    idsync.write("idsync.yaml", ONE_SCOPE)
    idsync.write("p.csv", 'mpid,email,other\n1,"a\nb","c\nd\n2,e,f\n')
    outcome = idsync("import", "p.csv")
    assert outcome.status == 2
    assert "p.csv:2: not CSV: unexpected end of data; look for an unclosed" in outcome.stderr
    assert '   3 | b","c\n     |    ^\n' in outcome.stderr
    idsync.write("p.csv", "\n".join(["mpid,email,other", '1,"a"b,c', *['2,e,"f'] * 3]))
    outcome = idsync("import", "p.csv")
    assert "p.csv:2: not CSV: ',' expected after '\"'" in outcome.stderr
