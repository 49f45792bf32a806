"""`idsync convert`: requests of what people have, and what cannot be used of it (section 12)."""

import base64
import bz2
import gzip
import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.program import (  # noqa: F401 - the fixture
    Outcome,
    Program,
    assert_refused,
    program_in_a_fresh_folder,
)


@pytest.fixture(name="wide")
def program_of_many_columns(idsync: Program) -> Program:
    return Program(idsync.folder, columns=1000)


def converted(idsync: Program, data: str | bytes, *arguments: str, name: str = "a") -> Outcome:
    idsync.write(name, data)
    return idsync("convert", name, *arguments)


def identify(**identities: str) -> dict[str, Any]:
    return {"type": "identify", "known_identities": identities}


A, B = identify(email="a@example.com"), identify(email="b@example.com")


# Tables

TABLE = "Customer ID,email,idfv\nC-1,a@example.com,\nC-2,,9876\n"
CUSTOMER = ("--map", "Customer ID=customer_id")


def test_a_column_is_the_type_that_it_is_called_or_said_to_be(idsync: Program) -> None:
    outcome = converted(idsync, TABLE, *CUSTOMER, "--type", "login")
    assert outcome.status == 0
    assert outcome.lines() == [
        {
            "type": "login",
            "known_identities": {"customer_id": "C-1", "email": "a@example.com"},
        },
        {"type": "login", "known_identities": {"customer_id": "C-2", "ios_idfv": "9876"}},
    ]
    answers = idsync("replay", "-", "--output", "-", stdin=outcome.stdout.encode()).lines()
    assert [each["status"] for each in answers] == ["created", "created"]


@pytest.mark.parametrize("name", ["Email", "E-Mail", "EMAIL", "e mail", "eMail", "emial"])
def test_a_column_that_is_only_near_is_suggested_and_not_taken(wide: Program, name: str) -> None:
    outcome = converted(wide, f"customer_id,{name}\nC,a@example.com\n")
    assert outcome.lines() == [identify(customer_id="C")]
    assert f"the column '{name}' is not used; use --map '{name}=email'" in outcome.stderr
    assert outcome.status == 1


@pytest.mark.parametrize(
    ("name", "nearest"),
    [("Customer ID", "customer_id"), ("customerId", "customer_id"), ("IDFV", "idfv")],
)
def test_a_table_of_which_no_column_is_a_type_is_refused_with_what_may_be_meant(
    wide: Program, name: str, nearest: str
) -> None:
    wide.write("a.csv", f"name,{name}\nAna,C\n")
    outcome = wide("convert", "a.csv", "--output", "b.jsonl")
    assert_refused(outcome, 2, f"'{name}' may be {nearest}")
    assert not (wide.folder / "b.jsonl").exists()


def test_a_column_that_is_left_out_on_purpose_is_not_missed(idsync: Program) -> None:
    table = "email,Notes\na@example.com,likes tea\n"
    assert converted(idsync, table).status == 1
    outcome = converted(idsync, table, "--map", "Notes=")
    assert (outcome.status, outcome.lines()) == (0, [A])


def test_a_column_that_is_empty_is_not_missed(idsync: Program) -> None:
    outcome = converted(idsync, "email,Notes,\na@example.com,,\nb@example.com,,\n")
    assert (outcome.status, outcome.lines()) == (0, [A, B])


@pytest.mark.parametrize(
    ("option", "words"),
    [
        ("Customer=customer_id", ["no column is called 'Customer'", "'Customer ID'"]),
        ("Customer ID=customer", ["unknown identity type 'customer'", "did you mean"]),
        ("Customer ID", ["'Customer ID' is not COLUMN=TYPE"]),
        ("=email", ["'=email' is not COLUMN=TYPE"]),
        ("Customer ID=email", ["'Customer ID' and 'email' are both email"]),
    ],
)
def test_what_cannot_be_said_of_a_column_is_refused(
    wide: Program, option: str, words: list[str]
) -> None:
    wide.write("a.csv", TABLE)
    assert_refused(wide("convert", "a.csv", "--map", option), 2, *words)


def test_two_columns_of_one_name_are_refused(wide: Program) -> None:
    wide.write("a.csv", "email,email\na,b\n")
    assert_refused(wide("convert", "a.csv"), 2, "two columns are called 'email'", "in the file")
    outcome = wide("convert", "a.csv", "--map", "email=")
    assert_refused(outcome, 2, "no column of 'a.csv' is an identity type")
    assert "may be email" not in outcome.stderr


def test_of_two_columns_of_a_type_it_is_said_how_to_leave_one_out(wide: Program) -> None:
    wide.write("a.csv", "email,E Mail\na,b\n")
    outcome = wide("convert", "a.csv", "--map", "E Mail=email")
    assert_refused(outcome, 2, "'email' and 'E Mail' are both email", "with: --map 'E Mail='")
    assert wide("convert", "a.csv", "--map", "E Mail=").status == 0


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ("name,age\nAna,5\n", ["first line names 'name', 'age'", "--map name=TYPE"]),
        ("C1,a@x.com\nC2,b@x.com\n", ["first line names 'C1', 'a@x.com'"]),
        ("Customer ID,x\nC,1\n", ["'a'", "--map 'Customer ID=customer_id'"]),
    ],
)
def test_a_header_without_a_type_is_shown(wide: Program, table: str, words: list[str]) -> None:
    wide.write("a", table)
    assert_refused(wide("convert", "a"), 2, "no column of 'a' is an identity type", *words)


@pytest.mark.parametrize(
    "before", ["sep=;\n", '"sep=;"\r\n', "# people\n", "# one\n\n#two\n", "# a; b\nsep=;\n"]
)
def test_what_stands_before_a_header_is_passed_over(wide: Program, before: str) -> None:
    table = f"{before}customer_id;email\nC1;a@x.com\n;\n"
    outcome = converted(wide, table)
    assert outcome.lines() == [identify(customer_id="C1", email="a@x.com")]
    assert f"a:{before.count(chr(10)) + 3}: no identifier" in outcome.stderr


def test_a_column_of_numbers_may_be_called_by_their_sign(wide: Program) -> None:
    assert converted(wide, "#,email\n1,a@example.com\n", "--map", "#=").lines() == [A]


@pytest.mark.parametrize(
    "data",
    [
        TABLE.encode(),
        TABLE.replace(",", ";").encode(),
        TABLE.replace(",", "\t").encode(),
        TABLE.replace(",", "|").encode(),
        TABLE.replace("\n", "\r\n").encode(),
        TABLE.replace("\n", "\r").encode(),
        b"\xef\xbb\xbf" + TABLE.encode(),
        b"\n\n" + TABLE.encode(),
        TABLE.encode("utf-16"),
        TABLE.encode("utf-16-le"),
        TABLE.encode("utf-16-be"),
        TABLE.encode("utf-32"),
        TABLE.replace("C-1", '"C-1"').encode(),
        gzip.compress(TABLE.encode(), mtime=0),
        gzip.compress(TABLE.encode("utf-16"), mtime=0),
    ],
)
@pytest.mark.parametrize("name", ["a.csv", "-"])
def test_a_table_may_be_separated_and_written_in_any_way(
    idsync: Program, data: bytes, name: str
) -> None:
    wanted = converted(idsync, TABLE, *CUSTOMER).stdout
    idsync.write("a.csv", data)
    assert idsync("convert", name, *CUSTOMER, stdin=data).stdout == wanted


def test_cells_are_kept_as_they_stand(idsync: Program) -> None:
    table = 'email,other\n" a,""b"" ","two\nlines"\r\n007,\'=1\n[1],é😀\u202e\n'
    found = [each["known_identities"] for each in converted(idsync, table).lines()]
    assert found == [
        {"email": ' a,"b" ', "other": "two\nlines"},
        {"email": "007", "other": "'=1"},
        {"email": "[1]", "other": "é😀\u202e"},
    ]
    assert converted(idsync, table).stdout.isascii()


def test_other_members_may_be_columns(idsync: Program) -> None:
    table = (
        "type,scope,label,mpid,previous_mpid,request_id,request_timestamp_ms,email\n"
        "login,consumers,x,123,-5,r,1700000000000,a\n"
        "modify,,,456,,,,b\n"
        ",,,0,0,,,c\n"
    )
    first, second, third = converted(idsync, table).lines()
    assert first == {
        "type": "login",
        "scope": "consumers",
        "label": "x",
        "request_id": "r",
        "request_timestamp_ms": 1_700_000_000_000,
        "response": {"mpid": "123"},
        "previous_mpid": "-5",
        "known_identities": {"email": "a"},
    }
    assert second == {"type": "modify", "mpid": "456", "known_identities": {"email": "b"}}
    assert third == identify(email="c")


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ("a,b,c", "3 cells, but the header has 2"),
        ("a", "1 cell, but the header has 2"),
        (",", "no identifier"),
        (f"{'x' * 4097},b", "has 4,097 characters"),
        ("a\0b,c", "contains a NUL character"),
    ],
)
def test_a_row_that_cannot_be_used_is_counted_and_named(wide: Program, row: str, why: str) -> None:
    outcome = converted(wide, f"email,idfv\na,b\n{row}\nc,d\n")
    assert [each["known_identities"]["email"] for each in outcome.lines()] == ["a", "c"]
    assert "1 not usable" in outcome.stderr
    assert f"a:3: {why}" in outcome.stderr or "a:3: the value" in outcome.stderr
    assert outcome.status == 1


def test_a_row_that_is_not_utf_8_is_counted_and_named(wide: Program) -> None:
    outcome = converted(wide, b"email,idfv\na,b\ncaf\xe9,c\nd,e\n")
    assert len(outcome.lines()) == 2
    assert "a:3: not UTF-8, in the column 'email'" in outcome.stderr


def test_a_column_without_a_name_that_holds_something_is_told_once(wide: Program) -> None:
    outcome = converted(wide, "email,,idfv\na,,\nb,x,\nc,y,\n")
    assert len(outcome.lines()) == 3
    assert "1 not usable" in outcome.stderr
    assert "a:3: column 2 has no name, and holds 'x'; name it in the header" in outcome.stderr
    assert outcome.status == 1


@pytest.mark.parametrize(
    ("word", "near"),
    [("phone", "'mobile_number'"), ("cell", "'mobile_number'"), ("user_id", "'customer_id'")],
)
def test_what_people_call_a_type_is_suggested_first(wide: Program, word: str, near: str) -> None:
    wide.write("a", TABLE)
    assert_refused(wide("convert", "a", "--map", f"email={word}"), 2, f"did you mean {near}")


MAY_BE_INTERRUPTED = """
import signal, sys
from idsync_cli.__main__ import main
signal.signal(signal.SIGINT, signal.default_int_handler)
main()
"""
"""A process in the background of a shell passes SIGINT over."""


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
@pytest.mark.parametrize(
    ("arguments", "rows", "told"),
    [
        (("convert", "p", "--output", "b"), 100_000, "nothing was written"),
        (("convert", "p"), 10, "nothing was written"),
        (("convert", "p"), 100_000, "only a part was written"),
        (("convert", "p", "--output", "/dev/stdout"), 10, "nothing was written"),
        (("convert", "p", "--output", "/dev/stdout"), 100_000, "only a part was written"),
        (("import", "p"), 10, "nothing was imported"),
    ],
)
def test_who_ends_it_is_told_what_was_done(
    idsync: Program, arguments: tuple[str, ...], rows: int, told: str, name: str
) -> None:
    os.mkfifo(idsync.folder / "p")
    how = signal.Signals[name]
    with (idsync.folder / "out").open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-c", MAY_BE_INTERRUPTED, *arguments],
            cwd=idsync.folder,
            stdout=out,
            stderr=subprocess.PIPE,
        )
    with (idsync.folder / "p").open("wb") as pipe:  # opened when the command does so
        pipe.write(b"email\n" + b"a\n" * rows)
        pipe.flush()
        time.sleep(0.2)
        process.send_signal(how)
        _, stderr = process.communicate()
    word = "interrupted" if name == "SIGINT" else "terminated"
    assert stderr.decode().splitlines()[-1] == f"idsync: {word}; {told}"
    assert stderr.count(word.encode()) == 1
    assert process.returncode == 128 + how
    assert not (idsync.folder / "b").exists()


def test_a_damaged_archive_is_told_with_the_way_out(wide: Program) -> None:
    told = "cannot be read", "the archive is damaged; get a whole copy of it"
    rng = random.Random(1)
    people = (f"{rng.getrandbits(64)},{rng.getrandbits(64)}\n" for _ in range(2**12))
    requests = (f"{json.dumps(identify(email=str(rng.getrandbits(64))))}\n" for _ in range(2**12))
    wide.write("a", gzip.compress(("mpid,email\n" + "".join(people)).encode())[:-9])
    wide.write("b", gzip.compress("".join(requests).encode())[:-9])
    assert_refused(wide("convert", "a", "--output", "c"), 2, *told)
    assert_refused(wide("import", "a"), 2, *told)
    assert_refused(wide("replay", "b", "--sort-by-time"), 2, *told)


@pytest.mark.parametrize(
    ("rows", "error"),
    [
        ('C2,"b@x.com\nC3,c@x.com\nC4,d@x.com\n', "unexpected end of data"),
        ('C2,"b@x.com\nC3,c@x.com\nC4,"d@x.com\n', "',' expected after '\"'"),
        ('C2,"b"c@x.com\n\nC3,c@x.com\n\nC4,d@x.com\n', "',' expected after '\"'"),
        ('C2,"b" \nC3,c@x.com\nC4,d@x.com', "',' expected after '\"'"),
    ],
)
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_a_quotation_mark_at_a_wrong_place_ends_the_table_as_an_import(
    wide: Program, rows: str, error: str, separator: str
) -> None:
    """What stands behind it may be rows, or the inside of a cell: nothing is made up of it."""
    table = f"customer_id,email\nC1,a@x.com\n{rows}".replace(",", separator)
    outcome = converted(wide, table)
    assert outcome.lines() == [identify(customer_id="C1", email="a@x.com")]
    error = error.replace(",", separator.replace("\t", "\\t"))
    told = f"a:3: not CSV: {error}; look for an unclosed quotation mark"
    assert f"{told}; 3 lines from here on are not used" in outcome.stderr
    assert "1 request from a, which is CSV, 3 not usable" in outcome.stderr
    assert outcome.status == 1
    summary = converted(wide, table, "--output", "b", "--json").json()
    assert (summary["unusable"], len(summary["first_unusable"])) == (3, 1)
    assert summary["first_unusable"][0]["lines"] == 3


def test_a_quotation_mark_within_a_cell_is_one(wide: Program) -> None:
    outcome = converted(wide, 'email,other\n5" screen,x"y"\n')
    assert (outcome.status, outcome.lines()) == (0, [identify(email='5" screen', other='x"y"')])


def test_a_quotation_mark_that_is_never_closed_ends_the_table(wide: Program) -> None:
    outcome = converted(wide, 'email\na\n"' + "b" * 2**24 + "\nc\n")
    assert len(outcome.lines()) == 1
    assert "a:3: not CSV" in outcome.stderr
    assert "2 not usable" in outcome.stderr


def test_a_header_with_a_quotation_mark_that_is_never_closed_is_refused(wide: Program) -> None:
    wide.write("a", 'email,"idfv\na,b\n')
    assert_refused(wide("convert", "a"), 2, "'a' is not CSV", "unclosed quotation mark")


def test_values_with_line_ends_are_warned_of(wide: Program) -> None:
    """Two stray quotation marks can make one cell of many rows, and it is CSV all the same."""
    table = 'customer_id,email\nC1,a\nC2,"b\nC3,c\nC4,d"\nC5,"e\r\nC6"\n'
    outcome = converted(wide, table)
    assert (outcome.status, len(outcome.lines())) == (0, 3)
    assert "2 values have line ends in them; look for a misplaced quotation mark" in outcome.stderr
    assert "a:3: email 'b\\nC3,c\\nC4,d'" in outcome.stderr
    summary = converted(wide, table, "--output", "b", "--json").json()
    assert summary["line_ends"] == 2
    first, _ = summary["first_line_ends"]
    assert first == {"line": 3, "identity_type": "email", "value": "b\nC3,c\nC4,d"}


def test_rows_are_named_by_their_first_lines(wide: Program) -> None:
    outcome = converted(wide, '\nemail,idfv\n"a\nb",c\n,\n')
    assert "a:5: no identifier" in outcome.stderr


@pytest.mark.parametrize(
    ("column", "value", "why"),
    [
        ("type", "signup", "type is 'signup', but must be one of identify"),
        ("mpid", "x", "mpid is 'x', but must be an MPID"),
        ("previous_mpid", "01", "previous_mpid is '01'"),
        ("request_timestamp_ms", "2026-05-01", "request_timestamp_ms is '2026-05-01'"),
    ],
)
def test_a_member_that_cannot_be_used_is_named(
    wide: Program, column: str, value: str, why: str
) -> None:
    outcome = converted(wide, f"email,{column}\na,{value}\n")
    assert (outcome.status, outcome.stdout) == (1, "")
    assert why in outcome.stderr


# Values that differ only in case or spaces


def test_values_that_differ_only_in_case_or_spaces_are_warned_of(wide: Program) -> None:
    table = "email,customer_id\nAna@x,C\nb@x,c\nana@x ,D\nana@x,C\nana@x,D\n"
    outcome = converted(wide, table)
    assert outcome.status == 0
    assert "3 values differ from an earlier one only in case or spaces" in outcome.stderr
    assert "a:3: customer_id 'c', but 'C' in line 2" in outcome.stderr
    assert "a:4: email 'ana@x ', but 'Ana@x' in line 2" in outcome.stderr
    assert "a:5: email 'ana@x', but 'Ana@x' in line 2" in outcome.stderr
    summary = converted(wide, table, "--output", "b.jsonl", "--json").json()
    assert summary["variants"] == 3
    assert summary["first_variants"][0] == {
        "line": 3,
        "identity_type": "customer_id",
        "value": "c",
        "first_line": 2,
        "first_value": "C",
    }


def test_the_first_twenty_are_named_by_their_lines(wide: Program) -> None:
    rows = [f"user{number}@x" for number in range(60)]
    table = "\n".join(["email", *rows, *(each.upper() for each in rows)])
    outcome = converted(wide, table)
    assert "60 values differ" in outcome.stderr
    assert "and 40 more values" in outcome.stderr
    assert [f"a:{line}: email" in outcome.stderr for line in (62, 81, 82)] == [True, True, False]


# JSON

LAYOUTS = {
    "array": json.dumps([A, B]),
    "array, laid out": json.dumps([A, B], indent=2),
    "array, a line each": f"[\n{json.dumps(A)},\n{json.dumps(B)}\n]\n",
    "array without commas": f"[\n{json.dumps(A)}\n{json.dumps(B)}\n]\n",
    "laid out": json.dumps(A, indent=2) + "\n" + json.dumps(B, indent=2),
    "lines": f"{json.dumps(A)}\n\n{json.dumps(B)}",
    "carriage returns": f"{json.dumps(A)}\r{json.dumps(B)}\r",
    "commas": f"{json.dumps(A)},\n{json.dumps(B)}",
    "one line": f"{json.dumps(A)} {json.dumps(B)}",
    "array with a comma behind": f"[{json.dumps(A)},{json.dumps(B)},]",
    "log with times between brackets": f"[10:00] {json.dumps(A)}\n[10:01] {json.dumps(B)}\n",
    "log": f"10:00 INFO [main] {json.dumps(A)}\n10:01 started\n10:02 {json.dumps(B)}\n",
}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32-be"])
@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "packed"])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_requests_come_of_json_of_any_layout(
    idsync: Program, layout: str, encoding: str, pack: Any
) -> None:
    data = pack(LAYOUTS[layout].encode(encoding))
    outcome = converted(idsync, data)
    assert (outcome.status, outcome.lines()) == (0, [A, B])
    assert idsync("convert", "-", stdin=data).stdout == outcome.stdout


def test_from_a_pipe_too(idsync: Program) -> None:
    for layout in LAYOUTS.values():
        outcome = idsync.process("convert", "-", stdin=layout.encode("utf-16"))
        assert (outcome.status, outcome.lines()) == (0, [A, B])


def test_what_stands_in_a_value_goes_over_as_it_stands(idsync: Program) -> None:
    text = (
        '[{"type": "identify", "context": [1e3, 123456789012345678901234, "\\u00e9"],\n'
        ' "known_identities": {"email": "é", "email": "twice"}},\n'
        '{"type": "identify", "context": [1e3, 123456789012345678901234, "\\u00e9é"],\r\n'
        ' "known_identities": {"email": "é😀\\n"}}]'
    )
    outcome = converted(idsync, text)
    assert outcome.stdout == (
        '{"type": "identify", "context": [1e3, 123456789012345678901234, "\\u00e9\\u00e9"], '
        ' "known_identities": {"email": "\\u00e9\\ud83d\\ude00\\n"}}\n'
    )
    assert "the key 'email' appears twice" in outcome.stderr


def test_bodies_without_a_type_get_one(idsync: Program) -> None:
    change = {"identity_type": "email", "old_value": "a", "new_value": "b"}
    bodies: list[dict[str, Any]] = [
        {"known_identities": {"email": "a"}, "environment": "production"},
        {"mpid": "5", "identity_changes": [change]},
        {"type": "logout", "known_identities": {"email": "a"}},
    ]
    outcome = converted(idsync, json.dumps(bodies), "--type", "login")
    assert outcome.lines() == [
        {"type": "login", **bodies[0]},
        {"type": "modify", **bodies[1]},
        bodies[2],
    ]


def test_objects_like_rows_are_read_as_rows(wide: Program) -> None:
    people = [
        {"customer_id": "C", "Email": "a", "first_name": "Ana"},
        {"customer_id": "D", "email": None, "Email": ""},
        {"customer_id": 5},
    ]
    outcome = converted(wide, json.dumps(people), "--map", "Email=email")
    assert outcome.lines() == [identify(customer_id="C", email="a"), identify(customer_id="D")]
    assert "the column 'first_name' is not used" in outcome.stderr
    assert "customer_id is '5', but must be text" in outcome.stderr


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('{"mpid": "1", "identities": {}}', "a profile"),
        ('{"seq": 1, "status": "created", "mpid": "5"}', "an answer"),
        ('{"a": NaN}', "NaN is not a JSON number"),
        ("[1]", "not a JSON object"),
        ('{"known_identities": {"email": "' + "x" * 2**20 + '"}}', "longer than 1 MiB"),
        ('{"known_identities": {"email": "' + "é" * 2**18 + '"}}', "longer than 1 MiB"),
    ],
)
def test_what_makes_no_request_is_counted_and_named(wide: Program, text: str, why: str) -> None:
    outcome = converted(wide, f"[{json.dumps(A)},\n{text},\n{json.dumps(B)}]")
    assert outcome.lines() == [A, B]
    assert f"a:2: {why}" in outcome.stderr
    assert outcome.status == 1


REFUSED_BY_A_REPLAY = (
    ({"type": "signin", "known_identities": {"email": "a"}}, "unknown type 'signin'"),
    ({"known_identities": {"email": 12}}, "the value '12' of email is not text"),
    ({"known_identities": {"emial": "a"}}, "unknown identity type 'emial'; did you mean 'email'?"),
    ({**identify(email="a"), "answer": 1}, "unknown member 'answer'"),
    ({**identify(email="a"), "mpid": "77"}, "mpid is only for modify"),
    ({"type": "modify", "known_identities": {"email": "a"}}, "no mpid"),
    ({"mpid": "0", "identity_changes": []}, "mpid is '0', but must be an MPID; 0 is none"),
    ({"mpid": "1", "identity_changes": [{"identity_type": "x"}]}, "unknown identity type 'x'"),
    ({**identify(email="a"), "previous_mpid": "x"}, "previous_mpid is 'x'"),
    ({**identify(email="a"), "response": {}}, "response"),
    ({**identify(email="a"), "scope": 5}, "scope is '5', but must be text"),
    ({"type": "erase", "mpid": "5", "known_identities": {"email": "a"}}, "either mpid or"),
)


@pytest.mark.parametrize("layout", ["array", "lines"])
def test_what_a_replay_would_refuse_whatever_the_scope_is_counted_and_named(
    wide: Program, layout: str
) -> None:
    wide = Program(wide.folder, columns=5000)
    for request, why in REFUSED_BY_A_REPLAY:
        values = [A, request, B]
        text = json.dumps(values) if layout == "array" else "\n".join(map(json.dumps, values))
        outcome = converted(wide, text)
        assert outcome.lines() == [A, B], why
        assert "1 not usable" in outcome.stderr
        assert why in outcome.stderr
        assert ("(value 2 of the file)" in outcome.stderr) is (layout == "array")
        assert outcome.status == 1
        line = {"type": "identify", **request}
        if "type" not in request and "identity_changes" in request:
            line["type"] = "modify"
        answers = wide("replay", "-", "--output", "-", stdin=json.dumps(line).encode() + b"\n{}")
        assert answers.lines()[0]["status"] == "error"


def test_what_may_be_right_somewhere_is_kept(wide: Program) -> None:
    requests = [
        {**identify(email="a"), "scope": "consumers", "workspace": "nowhere", "label": "x"},
        {"type": "login", "known_identities": {}},
        {"type": "modify", "mpid": "@x", "known_identities": {"email": None}},
        {**identify(email="a"), "previous_mpid": 0},
    ]
    outcome = converted(wide, json.dumps(requests))
    assert (outcome.status, outcome.lines()) == (0, requests)


def test_values_that_are_no_objects_count_each(wide: Program) -> None:
    outcome = converted(wide, f'[{json.dumps(A)},5,null,\n[1],{json.dumps(B)},"x"]')
    assert outcome.lines() == [A, B]
    assert "4 not usable" in outcome.stderr
    assert "a:1: '5' is not an object (value 2 of the file)" in outcome.stderr
    assert "a:1: 'null' is not an object (value 3 of the file)" in outcome.stderr
    assert "a:2: not a JSON object (value 4 of the file)" in outcome.stderr
    assert "a:2: '\"x\"' is not an object (value 6 of the file)" in outcome.stderr


@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize("path", [("requests",), ("data", "users")])
def test_the_list_in_an_object_is_what_is_converted(
    wide: Program, path: tuple[str, ...], indent: int | None
) -> None:
    value: Any = [A, {"x": 5}, 7, "]", B]
    for name in reversed(path):
        value = {name: value, "next": {"cursor": [A]}}
    text = json.dumps(value, indent=indent)
    outcome = converted(wide, text)
    assert outcome.lines() == [A, B]
    assert "one JSON object around a list, 3 not usable" in outcome.stderr
    assert "'7' is not an object (value 3 of the file)" in outcome.stderr
    refused = wide("replay", "a")
    assert_refused(refused, 2, "is one JSON object around a list", "with: idsync convert a")


def test_a_map_of_what_no_row_has_is_refused(wide: Program) -> None:
    wide.write("a", json.dumps(A) + "\n" + json.dumps(B))
    mapped = ("convert", "a", "--output", "b", "--map", "email=customer_id")
    assert_refused(wide(*mapped), 2, "no row has a member 'email', so mapping it has no effect")
    assert not (wide.folder / "b").exists()
    wide.write("a", json.dumps([A, {"email": None, "customer_id": "C"}]))
    assert wide(*mapped).status == 0


def test_a_file_that_was_cut_gives_what_is_whole(wide: Program) -> None:
    outcome = converted(wide, json.dumps([A, B], indent=1)[:-12])
    assert outcome.lines() == [A]
    assert "the file ends within it" in outcome.stderr


def test_a_broken_line_takes_no_other_with_it(wide: Program) -> None:
    outcome = converted(wide, f'{json.dumps(A)}\n{{"a": [\n{json.dumps(B)}\n')
    assert outcome.lines() == [A, B]
    assert "a:2: not JSON" in outcome.stderr


@pytest.mark.parametrize("first", ["# exported on Monday", "// requests", "exported"])
def test_a_first_line_that_is_no_object_takes_no_other_with_it(wide: Program, first: str) -> None:
    outcome = converted(wide, f"{first}\n{json.dumps(A)}\n{json.dumps(B)}\n")
    assert outcome.lines() == [A, B]
    assert outcome.status == 1
    assert "a:1: not JSON" in outcome.stderr


def test_of_a_log_nothing_is_made_up(wide: Program) -> None:
    """What is broken is named, and no part of it is taken for a row."""
    log = [
        f"10:00 {{worker-1}} {json.dumps(A)}",
        '10:01 {"type": "logout", "known_identities": {"email": "b"}',
        "10:02 {worker-2} ready",
    ]
    outcome = converted(wide, "\n".join(log))
    assert outcome.lines() == [A]
    assert "a:2: not JSON" in outcome.stderr
    assert "1 other passed over" in outcome.stderr


# Event batches

FORWARDED = {
    "events": [{"event_type": "custom_event", "data": {"amount": 1e3, "id": 12345678901234567890}}],
    "source_request_id": "s",
    "environment": "production",
    "mpid": 6504934091054997508,
    "batch_id": -7,
    "user_attributes": {"$age": "5"},
    "user_identities": [
        {"identity_type": "email", "identity": "old@x", "timestamp_unixtime_ms": 5},
        {"identity_type": "customer_id", "identity": "C", "timestamp_unixtime_ms": 7},
        {"identity_type": "email", "identity": "new@x", "timestamp_unixtime_ms": 6},
        {"identity_type": "other", "identity": None},
    ],
}


@pytest.mark.parametrize("layout", ["line", "array", "laid out"])
def test_a_forwarded_batch_stays_one_and_its_mpid_is_a_response(wide: Program, layout: str) -> None:
    text = json.dumps([FORWARDED] if layout == "array" else FORWARDED)
    text = json.dumps(FORWARDED, indent=2) if layout == "laid out" else text
    outcome = converted(wide, text)
    [batch] = outcome.lines()
    wanted = {name: each for name, each in FORWARDED.items() if name != "mpid"}
    wanted["user_identities"] = {"email": "new@x", "customer_id": "C"}
    assert batch == {"type": "batch", **wanted, "response": {"mpid": "6504934091054997508"}}
    assert '"id": 12345678901234567890' in outcome.stdout
    assert "email 'old@x' is overridden by a later one" in outcome.stderr
    assert outcome.status == 1


@pytest.mark.parametrize(
    ("change", "response"),
    [
        ({"mpid": "123"}, {"mpid": "123"}),
        ({"mpid": -5}, {"mpid": "-5"}),
        ({"mpid": 0}, None),
        ({"mpid": ""}, None),
        ({"mpid": None}, None),
    ],
)
def test_an_mpid_of_a_batch_is_text_and_none_is_none(
    idsync: Program, change: dict[str, Any], response: Any
) -> None:
    batch = {"events": [], "user_identities": {"email": "a"}, **change}
    outcome = converted(idsync, json.dumps(batch))
    [line] = outcome.lines()
    assert (line["type"], line.get("response"), "mpid" in line) == ("batch", response, False)
    assert outcome.status == 0


def test_a_batch_that_is_known_by_its_device_alone_is_one(idsync: Program) -> None:
    batches = [
        {"events": [], "mp_deviceid": "d"},
        {"events": [], "device_info": {"ios_idfv": "d"}},
        {"events": [], "user_identities": None, "device_info": {"platform": "web"}, "mpid": 5},
        {"events": [], "user_identities": {}, "mpid": "x"},
    ]
    outcome = converted(idsync, "\n".join(map(json.dumps, batches)))
    assert len(outcome.lines()) == 2
    assert "a:3: no identifier besides its MPID" in outcome.stderr
    assert "a:4: mpid is" in outcome.stderr


# A browser's recording


def entry(
    path: str,
    body: Any,
    status: int = 200,
    answer: Any = None,
    method: str = "POST",
    host: str = "https://identity.mparticle.com",
    **more: Any,
) -> dict[str, Any]:
    request: dict[str, Any] = {
        "method": method,
        "url": host + path,
        "headers": [{"name": "X-MP-Key", "value": "us1-secret"}],
        "cookies": [{"name": "session", "value": "secret"}],
    }
    if body is not None:
        text = body if isinstance(body, str) else json.dumps(body)
        request["postData"] = {"mimeType": "application/json", "text": text}
    content = {} if answer is None else {"text": json.dumps(answer)}
    return {
        "startedDateTime": "2026-05-01T10:00:00.500Z",
        "request": request,
        "response": {"status": status, "content": content},
        **more,
    }


def har(*entries: dict[str, Any]) -> dict[str, Any]:
    return {"log": {"version": "1.2", "pages": [{"id": "p"}], "entries": list(entries)}}


BODY = {
    "client_sdk": {"platform": "web", "sdk_vendor": "mparticle", "sdk_version": "2.68.0"},
    "context": None,
    "environment": "production",
    "request_id": "r",
    "request_timestamp_ms": 1_777_000_000_000,
    "previous_mpid": None,
    "known_identities": {"customerid": "C", "device_application_stamp": "d"},
}
MPID = "6504934091054997508"
ANSWER = {"context": None, "mpid": MPID, "is_ephemeral": False, "is_logged_in": True}


@pytest.mark.parametrize("layout", [None, 2])
def test_calls_of_the_web_sdk_come_with_their_answers(idsync: Program, layout: int | None) -> None:
    refused = {"Errors": [{"code": "LOOKUP_ERROR", "message": "m"}], "StatusCode": 400}
    search = {"environment": "production", "known_identities": {"email": "a"}}
    calls = har(
        entry("/v1/identify", BODY, 200, ANSWER),
        entry("/v1/login", BODY, 400, refused),
        entry("/v1/logout", BODY, 0),
        entry("/v1/search?cb=1", search, 404, {"Errors": [{"code": "NOT_FOUND_ERROR"}]}),
        entry("/v1/identify", BODY, 500, None),
        entry("/v1/identify", None, 200, None, "OPTIONS"),
        entry("/styles.css", None, 200, None, "GET"),
    )
    outcome = converted(idsync, json.dumps(calls, indent=layout))
    lines = outcome.lines()
    assert (outcome.status, len(lines)) == (0, 5)
    assert lines[0] == {"type": "identify", **BODY, "response": {"mpid": MPID}}
    assert [each["type"] for each in lines] == ["identify", "login", "logout", "search", "identify"]
    assert [each.get("response") for each in lines[1:]] == [
        {"error": "LOOKUP_ERROR"},
        None,
        {"mpid": None},
        {"error": "HTTP 500"},
    ]
    assert lines[3]["request_timestamp_ms"] == 1_777_629_600_500
    assert "2 others passed over" in outcome.stderr
    assert "secret" not in outcome.stdout + outcome.stderr
    replayed = idsync("replay", "-", "--output", "-", stdin=outcome.stdout.encode())
    assert replayed.lines()[0]["status"] == "created"


@pytest.mark.parametrize("entries", [[], [entry("/styles.css", None, 200, None, "GET")]])
def test_a_recording_without_a_call_says_how_to_get_one(
    idsync: Program, entries: list[dict[str, Any]]
) -> None:
    outcome = converted(idsync, json.dumps(har(*entries)))
    assert (outcome.status, outcome.stdout) == (1, "")
    told = " ".join(outcome.stderr.split())
    assert "a: no call of mParticle's web SDK; open the network tab of the browser" in told


def test_a_modify_names_the_mpid_of_its_path_and_maps_it(idsync: Program) -> None:
    change = {"identity_type": "email", "old_value": "", "new_value": "b"}
    none = {"identity_type": "email", "old_value": "b", "new_value": ""}
    body = {"environment": "production", "identity_changes": [change, none]}
    answer = {"change_results": [{"identity_type": "email", "modified_mpid": MPID}]}
    calls = har(
        entry("/v1/identify", BODY, 200, ANSWER),
        entry(f"/v1/{MPID}/modify", body, 200, answer),
        entry(f"/v1/{MPID}/modify", body | {"identity_changes": [none]}, 200, answer),
    )
    outcome = converted(idsync, json.dumps(calls))
    _, modify = outcome.lines()
    assert modify["mpid"] == MPID
    assert modify["identity_changes"] == [change | {"old_value": None}]
    assert modify["response"] == {"mpid": MPID}
    assert "the modify changes nothing" in outcome.stderr
    answers = idsync(
        "replay", "-", "--map-mpids", "--output", "-", stdin=outcome.stdout.encode()
    ).lines()
    assert [each["status"] for each in answers] == ["created", "modified"]


@pytest.mark.parametrize(
    ("host", "prefix"),
    [
        ("https://identity.mparticle.com", ""),
        ("https://mp.shop.example", "/identity"),
        ("http://localhost:8787", "/identity"),
        ("https://shop.example", "/proxy/identity"),
    ],
)
def test_calls_are_known_by_their_paths_wherever_they_go(
    idsync: Program, host: str, prefix: str
) -> None:
    calls = har(entry(f"{prefix}/v1/identify", BODY, 200, ANSWER, host=host))
    assert len(converted(idsync, json.dumps(calls)).lines()) == 1


def test_batches_and_aliases_of_the_web_sdk(idsync: Program) -> None:
    batch: dict[str, Any] = {
        "events": [],
        "mpid": MPID,
        "mp_deviceid": "d",
        "user_identities": None,
    }
    alias = {
        "request_id": "r",
        "request_type": "alias",
        "api_key": "us1-secret",
        "data": {
            "source_mpid": "1",
            "destination_mpid": "2",
            "start_unixtime_ms": 5,
            "end_unixtime_ms": 6,
            "scope": "device",
        },
    }
    calls = har(
        entry("/v3/JS/us1-secret/events", batch, 202),
        entry("/webevents/v3/JS/us1-secret/events", batch, 202),
        entry("/v1/identity/us1-secret/Alias", alias, 202),
    )
    outcome = converted(idsync, json.dumps(calls))
    first, second, third = outcome.lines()
    assert first == second
    assert (first["type"], first["response"]) == ("batch", {"mpid": MPID})
    assert third == {
        "type": "alias",
        "source_mpid": "1",
        "destination_mpid": "2",
        "start_unixtime_ms": 5,
        "end_unixtime_ms": 6,
        "request_timestamp_ms": 1_777_629_600_500,
    }
    assert "secret" not in outcome.stdout


def test_somebody_elses_login_is_no_request_and_shows_no_password(idsync: Program) -> None:
    call = entry("/v1/login", {"user": "ana", "password": "hunter2"})
    call["request"]["headers"] = []
    outcome = converted(idsync, json.dumps(har(call, entry("/v1/identify", BODY))))
    assert [each["type"] for each in outcome.lines()] == ["identify"]
    assert outcome.status == 0
    assert "hunter2" not in outcome.stdout + outcome.stderr


def test_what_was_recorded_as_base64_is_unpacked(idsync: Program) -> None:
    call = entry("/v1/identify", BODY)
    text = base64.b64encode(json.dumps(ANSWER).encode()).decode()
    call["response"]["content"] = {"text": text, "encoding": "base64"}
    [line] = converted(idsync, json.dumps(har(call))).lines()
    assert line["response"] == {"mpid": MPID}


@pytest.mark.parametrize(
    ("call", "why"),
    [
        (entry("/v1/identify", None), "recorded without its body"),
        (entry("/v1/identify", "{"), "not JSON"),
        (entry("/v1/identify", "[]"), "not a JSON object"),
        (entry("/v1/identify", {}), "names no identities"),
        (entry("/v1/identify?read_only=true", BODY), "read_only"),
        (entry("/v3/JS/k/events", None), "recorded without its body"),
        (entry("/v1/identity/k/alias", {}), "the alias has no data"),
    ],
)
def test_a_call_that_makes_no_request_is_counted_and_named(
    wide: Program, call: dict[str, Any], why: str
) -> None:
    outcome = converted(wide, json.dumps(har(call, entry("/v1/identify", BODY))))
    assert len(outcome.lines()) == 1
    assert "1 not usable" in outcome.stderr
    assert why in outcome.stderr
    assert outcome.status == 1


def test_a_recording_without_a_call_of_the_sdk_is_a_negative_answer(idsync: Program) -> None:
    outcome = converted(idsync, json.dumps(har(entry("/x.css", None, method="GET"))))
    assert (outcome.status, outcome.stdout) == (1, "")
    assert "0 requests" in outcome.stderr


# What is no source of requests


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"just some words\n", "holds text"),
        (b"<html></html>", "is HTML or XML"),
        (bz2.compress(TABLE.encode()), "is compressed with bzip2"),
        (b'{"mpid": "1", "identities": {}}\n', "holds profiles"),
        (b'{"seq": 1, "status": "created"}\n', "holds answers"),
    ],
)
def test_what_is_no_source_of_requests_is_refused_in_one_sentence(
    idsync: Program, data: bytes, words: str
) -> None:
    idsync.write("a", data)
    before = idsync.files()
    outcome = idsync("convert", "a", "--output", "b")
    assert_refused(outcome, 2, words)
    assert outcome.stderr.count("\n") == 1
    assert idsync.files() == before


# Outputs


def test_it_writes_to_a_file_and_shows_what_came_of_it(idsync: Program) -> None:
    idsync.write("a.csv", "email\na@example.com\n")
    outcome = idsync("convert", "a.csv", "--output", "b.jsonl")
    assert (outcome.status, outcome.stderr) == (0, "")
    assert outcome.stdout == "1 request from a.csv, which is CSV, 0 not usable\n"
    assert json.loads((idsync.folder / "b.jsonl").read_text()) == A
    again = idsync("convert", "a.csv", "--output", "b.jsonl")
    assert_refused(again, 2, "already exists")
    assert idsync("convert", "a.csv", "--output", "b.jsonl", "--force", "--quiet").stdout == ""


def test_it_writes_packed(idsync: Program) -> None:
    idsync.write("a.csv", "email\na@example.com\n")
    assert idsync("convert", "a.csv", "--output", "b.jsonl.gz").status == 0
    assert json.loads(gzip.decompress((idsync.folder / "b.jsonl.gz").read_bytes())) == A
    assert idsync("replay", "b.jsonl.gz").status == 0


@pytest.mark.parametrize("output", ["a.csv", "idsync.yaml", "idsync.db", "idsync.db-wal"])
def test_it_never_writes_over_what_is_read_or_a_store(idsync: Program, output: str) -> None:
    idsync.write("a.csv", "email\na@example.com\n")
    idsync.make_store()
    before = idsync.files()
    outcome = idsync("convert", "a.csv", "--output", output, "--force")
    assert_refused(outcome, 2, f"--output '{output}' is ")
    assert idsync.files() == before


def test_the_summary_is_data_unless_the_requests_are(idsync: Program) -> None:
    idsync.write("a.csv", "email,x\na@example.com,1\n,\n")
    shown = idsync("convert", "a.csv", "--json")
    assert json.loads(shown.stderr) == {
        "contents": "csv",
        "requests": 1,
        "passed_over": 0,
        "unusable": 1,
        "first_unusable": [{"line": 3, "why": "no identifier", "lines": 1}],
        "unused_columns": [{"name": "x", "nearest": None}],
        "variants": 0,
        "first_variants": [],
        "line_ends": 0,
        "first_line_ends": [],
    }
    filed = idsync("convert", "a.csv", "--json", "--output", "b")
    assert (filed.json(), filed.stderr) == (json.loads(shown.stderr), "")


def test_the_first_twenty_that_cannot_be_used_are_named(wide: Program) -> None:
    outcome = converted(wide, "email,idfv\n" + ",\n" * 25)
    assert outcome.stderr.count("no identifier") == 20
    assert "and 5 more not usable" in outcome.stderr


def test_an_empty_file_makes_no_request(idsync: Program) -> None:
    outcome = converted(idsync, "\n", "--output", "b")
    assert (outcome.status, (idsync.folder / "b").read_bytes()) == (1, b"")
    assert "0 requests" in outcome.stdout


def test_values_of_a_file_never_act(idsync: Program) -> None:
    hostile = "\x1b[2J\u202e[red]"
    table = f"email,{hostile}\n{hostile},x\n{hostile.upper()},\n"
    outcome = converted(idsync, table)
    for text in (outcome.stdout, outcome.stderr):
        assert all(line.isprintable() for line in text.split("\n"))


# However large


_MEASURED = """
import resource, subprocess, sys
done = subprocess.run([sys.executable, "-m", "idsync_cli", *sys.argv[1:]])
unit = 1 if sys.platform == "darwin" else 1024
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * unit, file=sys.stderr)
"""


@pytest.mark.parametrize("kind", ["array", "table", "har"])
def test_a_large_file_takes_no_more_memory_than_a_small_one(idsync: Program, kind: str) -> None:
    count = 120_000
    filler = "x" * 300
    with (idsync.folder / "large").open("w") as file:
        if kind == "table":
            file.write("email,Notes\n")
            file.writelines(f"{n}@x,{filler}\n" for n in range(count))
        elif kind == "array":
            line = json.dumps(A | {"context": filler})
            file.write("[\n" + f"{line},\n" * count + line + "]")
        else:
            calls = har(entry("/x.css", None, method="GET", note=filler))
            head, tail = json.dumps(calls).split('"note"')
            file.write(head + '"note": 1}, ')
            other = json.dumps(entry("/x.css", None, method="GET", note=filler))
            file.write(f"{other},\n" * (count // 2) + '{"request": {}, "note"' + tail)
    size = (idsync.folder / "large").stat().st_size
    assert size > 2 * 10**7
    command = [sys.executable, "-c", _MEASURED, "convert", "large", "--output", os.devnull]
    done = subprocess.run(
        [*command, "--quiet", "--map", "Notes="] if kind == "table" else [*command, "--quiet"],
        cwd=idsync.folder,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parent.parent)},
        capture_output=True,
        check=True,
    )
    assert int(done.stderr.split()[-1]) < 150 * 2**20
