"""What an import may not bring once more: the value is named, and who has it already (issue 15)."""

import json

import pytest

from idsync_cli.transfer import twins
from tests.program import (  # noqa: F401 - the fixture
    Program,
    program_in_a_fresh_folder,
)

CONFIG = """\
version: 1
scopes:
  main:
    strategy: profile_conversion
    priority: [customer_id, email, ios_idfv]
    identities: {customer_id: {login: true, unique: true}, email: {unique: true}}
"""


@pytest.fixture(name="unique")
def program_with_unique_types(idsync: Program) -> Program:
    idsync.write("idsync.yaml", CONFIG)
    return idsync


def lines(*profiles: tuple[int, dict[str, list[str]]], **members: object) -> str:
    return "".join(
        json.dumps({"mpid": str(mpid), "identities": held, **members}) + "\n"
        for mpid, held in profiles
    )


def told(idsync: Program, name: str, text: str) -> list[str]:
    idsync.write(name, text)
    outcome = idsync("import", name)
    assert (outcome.status, outcome.stdout) == (2, "")
    said = outcome.stderr.splitlines()
    assert said[-1] == "idsync: nothing was imported"
    return [line.removeprefix("idsync: ") for line in said if line.startswith(f"idsync: {name}")]


def test_of_two_rows_the_second_is_named_with_the_line_of_the_first(unique: Program) -> None:
    table = "mpid,customer_id\n1,C-1\n2,C-2\n3,C-1\n"
    assert told(unique, "twins.csv", table) == [
        (
            "twins.csv:4: customer_id is unique, but another profile holds 'C-1': "
            "the profile 1 of line 2"
        )
    ]
    assert not (unique.folder / "idsync.db").exists()


def test_a_value_that_is_normalized_is_named_as_it_stands(unique: Program) -> None:
    unique.write(
        "idsync.yaml", CONFIG + "    extensions: {normalize: {email: [trim, lowercase]}}\n"
    )
    text = lines((1, {"email": ["A@b.c"]}), (2, {"email": ["x", " a@B.c"]}), (3, {"email": ["x"]}))
    holds = "email is unique, but another profile holds"
    assert told(unique, "p.jsonl", text) == [
        f"p.jsonl:2: {holds} ' a@B.c' (normalized: 'a@b.c'): the profile 1 of line 1",
    ]
    text = lines((1, {"email": ["A@b.c"]}), (3, {"email": ["a@b.c"]}))
    assert told(unique, "p.jsonl", text) == [f"p.jsonl:2: {holds} 'a@b.c': the profile 1 of line 1"]


def test_of_two_lines_too(unique: Program) -> None:
    text = "\n" + lines((1, {"email": ["a", "b"]}), (2, {"email": ["c", "b"]}))
    assert told(unique, "p.jsonl", text) == [
        "p.jsonl:3: email is unique, but another profile holds 'b': the profile 1 of line 2"
    ]


def test_one_in_the_store_is_named_by_its_mpid(unique: Program) -> None:
    unique.write("there.jsonl", lines((7, {"customer_id": ["C"]}), (8, {"email": ["e"]})))
    assert unique("import", "there.jsonl").status == 0
    text = lines((1, {"customer_id": ["C"]}), (2, {"email": ["e"]}), (7, {}))
    assert told(unique, "p.jsonl", text) == [
        (
            "p.jsonl:1: customer_id is unique, but another profile holds 'C': "
            "the profile 7 in the store"
        ),
        "p.jsonl:2: email is unique, but another profile holds 'e': the profile 8 in the store",
        "p.jsonl:3: the MPID 7 is already in use in the store",
    ]


def test_a_line_that_was_rejected_has_nothing(unique: Program) -> None:
    unique.write("there.jsonl", lines((7, {"customer_id": ["C"]})))
    assert unique("import", "there.jsonl").status == 0
    text = lines((7, {"email": ["e"]}), (2, {"customer_id": ["C"]}), (3, {"email": ["e"]}))
    assert told(unique, "p.jsonl", text) == [
        "p.jsonl:1: the MPID 7 is already in use in the store",
        (
            "p.jsonl:2: customer_id is unique, but another profile holds 'C': "
            "the profile 7 in the store"
        ),
    ]


def test_a_profile_or_a_number_that_comes_twice_is_named_with_the_line(unique: Program) -> None:
    text = (
        lines((1, {}), created_seq=5)
        + lines((1, {}))
        + lines((1, {}), created_seq=5)
        + lines((2, {}), created_seq=5)
        + lines((3, {}), created_seq=6)
    )
    assert told(unique, "p.jsonl", text) == [
        "p.jsonl:2: the MPID 1 is already in use by line 1",
        "p.jsonl:3: the profile 1 is already in line 1; remove the line",
        (
            "p.jsonl:4: created_seq 5 is already in use by line 1; "
            "omit created_seq to take the next number"
        ),
    ]


def test_a_number_that_a_record_has_is_named_with_its_line(unique: Program) -> None:
    text = lines((1, {"email": ["a"]}), created_seq=1)
    alone = {"record": "attribute", "mpid": "1", "seq": 4, "name": "city", "value": "Bern"}
    text += json.dumps(alone) + "\n" + lines((2, {"email": ["b"]}), created_seq=4)
    assert told(unique, "p.jsonl", text) == [
        (
            "p.jsonl:3: created_seq 4 is already in use by line 2; "
            "omit created_seq to take the next number"
        )
    ]


def test_what_a_rejected_profile_has_is_passed_over(unique: Program) -> None:
    its = {"record": "attribute", "mpid": "2", "seq": 4, "name": "city", "value": "Bern"}
    text = lines((1, {"email": ["a"]}), (2, {"email": ["a"]})) + json.dumps(its) + "\n"
    assert told(unique, "p.jsonl", text) == [
        "p.jsonl:2: email is unique, but another profile holds 'a': the profile 1 of line 1"
    ]


def test_the_place_of_a_value_is_that_in_the_file_whatever_a_scope_blocks(idsync: Program) -> None:
    idsync.write("idsync.yaml", f"{CONFIG}    extensions: {{blocked: {{email: [x]}}}}\n")
    text = lines((1, {"email": ["a"]}), (2, {"email": ["x", "a"]}))
    assert told(idsync, "p.jsonl", text) == [
        "p.jsonl:2: email is unique, but another profile holds 'a': the profile 1 of line 1"
    ]
    _, line, caret, _ = idsync("import", "p.jsonl").stderr.splitlines()
    assert line[caret.index("^") :].startswith('"a"')


def test_a_file_that_is_imported_twice_is_in_the_store(unique: Program) -> None:
    unique.write("p.jsonl", lines((1, {"email": ["e"]}), (2, {})))
    assert unique("import", "p.jsonl").status == 0
    unique.write("again.jsonl", unique("export").stdout)
    assert told(unique, "again.jsonl", unique("export").stdout) == [
        "again.jsonl:1: the profile 1 is already in the store; remove the line",
        "again.jsonl:2: the profile 2 is already in the store; remove the line",
    ]


def test_a_value_is_shown_as_text_and_never_acts(unique: Program) -> None:
    value = "\x1b[2J{0}{}"
    text = lines((1, {"email": [value]}), (2, {"email": [value]}))
    [line] = told(unique, "p.jsonl", text)
    assert "holds '\\x1b[2J{0}{}': the profile 1 of line 1" in line


def test_the_file_is_read_again_only_for_what_is_there_already(
    unique: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[int] = []
    find = twins.TwinLines.find

    def watched(self: twins.TwinLines, lines_of: object, last: int) -> None:
        def counted() -> twins.Lines:
            for line in lines_of():  # type: ignore[operator]
                read.append(line.line)
                yield line

        find(self, counted, last)

    monkeypatch.setattr(twins.TwinLines, "find", watched)
    assert len(told(unique, "p.jsonl", "{\n" * 30)) == 20
    assert read == []
    text = lines((1, {"email": ["e"]}), (2, {"email": ["e"]}), *((n, {}) for n in range(3, 50)))
    assert len(told(unique, "p.jsonl", text)) == 1
    assert read == [1, 2]


# Profiles that can never be found again


@pytest.mark.parametrize(
    ("profile", "is_found"),
    [
        ({"identities": {}}, False),
        ({"identities": {"push_token": ["t"]}}, False),
        ({"identities": {"ios_idfv": ["d"]}}, True),
        ({"identities": {"ios_idfv": ["d"]}, "known": True}, False),
        ({"identities": {"customer_id": ["C"]}, "known": True}, True),
        ({"identities": {"customer_id": ["C"]}}, True),
    ],
)
def test_what_can_never_be_found_is_counted(
    unique: Program, profile: dict[str, object], is_found: bool
) -> None:
    text = json.dumps({"mpid": "1", **profile}) + "\n" + lines((2, {"email": ["e"]}))
    unique.write("p.jsonl", text)
    told_of = unique("import", "p.jsonl", "--dry-run")
    assert told_of.status == 0
    assert told_of.stdout.startswith("would import 2 profiles")
    assert ("1 of the profiles can never be found" in told_of.stdout) is not is_found
    summary = unique("import", "p.jsonl", "--json").json()
    assert summary.get("never_found", 0) == int(not is_found)
    for kind, values in dict(profile["identities"]).items():  # type: ignore[call-overload]
        asked = unique("search", "--identity", f"{kind}={values[0]}")
        assert (asked.status == 0) is is_found


def test_values_with_line_ends_are_counted(unique: Program) -> None:
    """A misplaced quotation mark glues rows together, and it is CSV all the same."""
    table = 'mpid,email\n1,a\n2,"b\n3,c\n4,d"\n5,e\n'
    unique.write("p.csv", table)
    told = unique("import", "p.csv", "--dry-run").stdout
    assert told == ("would import 3 profiles; 1 value has a line end in it, the first in line 3\n")
    summary = unique("import", "p.csv", "--json").json()
    assert (summary["line_ends"], summary["first_line_end"]) == (1, 3)
