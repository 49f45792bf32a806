"""Files are what they hold: told by their first bytes, whatever they are called (section 8)."""

import bz2
import gzip
import io
import json
import lzma
import sqlite3
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from idsync_cli.files.contents import Contents
from idsync_cli.files.looks import is_enough, look
from tests.program import (  # noqa: F401 - the fixture
    CONFIG,
    Program,
    program_in_a_fresh_folder,
)

A = '{"type": "identify", "known_identities": {"email": "a@example.com"}}'
B = '{"type": "identify", "known_identities": {"email": "b@example.com"}}'
LINES = f"{A}\n{B}\n".encode()
PROFILES = (
    b'{"mpid": "1", "identities": {"email": ["a@example.com"]}}\n'
    b'{"mpid": "2", "identities": {"email": ["b@example.com"]}}\n'
)
TABLE = b"mpid,email\n1,a@example.com\n2,b@example.com\n"
BATCH = {"events": [], "mpid": 5, "user_identities": {"email": "a@example.com"}}
HAR = {"log": {"version": "1.2", "entries": []}}


def indented(*values: Any) -> bytes:
    return "\n".join(json.dumps(value, indent=2) for value in values).encode()


def tar(name: str, data: bytes) -> bytes:
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as file:
        entry = tarfile.TarInfo(name)
        entry.size = len(data)
        file.addfile(entry, io.BytesIO(data))
    return archive.getvalue()


def zipped(name: str, data: bytes) -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr(name, data)
    return archive.getvalue()


WRONG: dict[str, tuple[bytes, Contents, tuple[str, ...]]] = {
    "array": (f"[\n{A},\n{B}\n]\n".encode(), Contents.ARRAY, ("idsync convert", "jq -c '.[]'")),
    "array on a line": (f"[{A}, {B}]".encode(), Contents.ARRAY, ("idsync convert",)),
    "array on a line, ended": (f"[{A}]\n".encode(), Contents.ARRAY, ("idsync convert",)),
    "empty array": (b"[\n]\n", Contents.ARRAY, ("idsync convert",)),
    "array without commas": (f"[\n{A}\n{B}\n]\n".encode(), Contents.ARRAY, ("idsync convert",)),
    "array indented": (indented([BATCH, BATCH]), Contents.ARRAY, ("idsync convert",)),
    "array of a long line": (
        f"[{','.join([A] * 20_000)}]".encode(),
        Contents.ARRAY,
        ("idsync convert",),
    ),
    "array behind blank lines": (f"\n\n  [\n{A}]".encode(), Contents.ARRAY, ("idsync convert",)),
    "laid out": (indented(json.loads(A)), Contents.LAID_OUT, ("idsync convert", "jq -c .")),
    "laid out, two": (
        indented(json.loads(A), json.loads(B)),
        Contents.LAID_OUT,
        ("idsync convert",),
    ),
    "laid out, CRLF": (
        indented(json.loads(A)).replace(b"\n", b"\r\n"),
        Contents.LAID_OUT,
        ("idsync convert",),
    ),
    "laid out, first member beside": (
        b'{"type": "identify",\n "known_identities": {"email": "a"}}\n',
        Contents.LAID_OUT,
        ("idsync convert",),
    ),
    "array on a line, empty": (b"[]\n", Contents.ARRAY, ("idsync convert",)),
    "array on a line, comma behind": (f"[{A}, {B},]".encode(), Contents.ARRAY, ("jq -c '.[]'",)),
    "array on a line, no comma": (f"[{A} {B}]\n".encode(), Contents.ARRAY, ("idsync convert",)),
    "array on a line, bad value": (f"[{A}, {{x}}, {B}]".encode(), Contents.ARRAY, ("convert",)),
    "array on a line, no object": (b"[5, null, x]", Contents.ARRAY, ("idsync convert",)),
    "array, bad value first": (f"[{{x}},\n{A},\n{B}]".encode(), Contents.ARRAY, ("convert",)),
    "array of a long line, bad value": (
        f"[{{x}},{','.join([A] * 20_000)}]".encode(),
        Contents.ARRAY,
        ("idsync convert",),
    ),
    "commas": (f"{A},\n{B}\n".encode(), Contents.COMMAS, ("idsync convert",)),
    "commas, CRLF, one behind": (f"{A} ,\r\n{B},\r\n".encode(), Contents.COMMAS, ("convert",)),
    "commas on a line": (f"{A},{B},{A}".encode(), Contents.COMMAS, ("idsync convert",)),
    "objects on a line": (f"{A}{B} {A}\n".encode(), Contents.ON_ONE_LINE, ("jq -c .",)),
    "log with times between brackets": (
        f"[2026-05-01 10:00:00] {A}\n[2026-05-01 10:00:01] {B}\n".encode(),
        Contents.PREFIXED,
        ("idsync convert",),
    ),
    "log with levels and times between brackets": (
        f"[info] started\n[1777629600] [info] {B}\n".encode(),
        Contents.PREFIXED,
        ("idsync convert",),
    ),
    "HAR": (json.dumps(HAR).encode(), Contents.HAR, ("idsync convert",)),
    "HAR indented": (indented(HAR), Contents.HAR, ("idsync convert",)),
    "batches": (json.dumps(BATCH).encode() + b"\n", Contents.BATCHES, ("idsync convert",)),
    "log": (
        f"2026-05-01 10:00:00 INFO request={A}\n2026-05-01 10:00:01 INFO request={B}\n".encode(),
        Contents.PREFIXED,
        ("idsync convert",),
    ),
    "log that begins without": (
        f"2026-05-01 started\n2026-05-01 {A}\n".encode(),
        Contents.PREFIXED,
        ("idsync convert",),
    ),
    "carriage returns": (f"{A}\r{B}\r".encode(), Contents.CARRIAGE_RETURNS, ("tr '\\r' '\\n'",)),
    "CSV, carriage returns": (
        TABLE.replace(b"\n", b"\r"),
        Contents.CARRIAGE_RETURNS,
        ("tr '\\r' '\\n'",),
    ),
    "UTF-16": (LINES.decode().encode("utf-16"), Contents.UTF_16, ("iconv -f UTF-16",)),
    "UTF-16-LE": (LINES.decode().encode("utf-16-le"), Contents.UTF_16, ("iconv -f UTF-16",)),
    "UTF-16-BE": (LINES.decode().encode("utf-16-be"), Contents.UTF_16, ("iconv -f UTF-16",)),
    "UTF-32": (LINES.decode().encode("utf-32"), Contents.UTF_32, ("iconv -f UTF-32",)),
    "UTF-32-BE": (LINES.decode().encode("utf-32-be"), Contents.UTF_32, ("iconv -f UTF-32",)),
    "bzip2": (bz2.compress(LINES), Contents.BZIP2, ("bzip2 -dc",)),
    "xz": (lzma.compress(LINES), Contents.XZ, ("xz -dc",)),
    "zstd": (b"\x28\xb5\x2f\xfd\x04\x00", Contents.ZSTD, ("zstd -dc",)),
    "zip": (zipped("a.jsonl", LINES), Contents.ZIP, ("unzip -p",)),
    "tar": (tar("a.jsonl", LINES), Contents.TAR, ("tar -xf",)),
    "gzip twice": (
        gzip.compress(gzip.compress(LINES, mtime=0), mtime=0),
        Contents.PACKED_TWICE,
        ("gzip -dc",),
    ),
    "tar.gz": (gzip.compress(tar("a.jsonl", LINES), mtime=0), Contents.TAR, ("tar -xf",)),
    "7z": (b"7z\xbc\xaf\x27\x1c\0\x04" + bytes(30), Contents.SEVEN_ZIP, ("7z x",)),
    "PDF": (b"%PDF-1.7\n%\xe2\xe3\n", Contents.PDF, ("CSV",)),
    "PNG": (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", Contents.PICTURE, ("again",)),
    "JPEG": (b"\xff\xd8\xff\xe0\0\x10JFIF\0", Contents.PICTURE, ("again",)),
    "NUL": (bytes(100), Contents.NULS, ("again",)),
    "Git LFS": (
        b"version https://git-lfs.github.com/spec/v1\noid sha256:abc\nsize 12\n",
        Contents.POINTER,
        ("git lfs pull",),
    ),
    "YAML": (b"type: identify\nknown_identities:\n  email: x\n", Contents.YAML, ("JSON",)),
    "YAML, a list": (b"- type: identify\n  mpid: 5\n", Contents.YAML, ("JSON lines",)),
    "HTML": (b"<!DOCTYPE html>\n<html>Sign in</html>\n", Contents.MARKUP, ("again",)),
    "Parquet": (b"PAR1\x15\x04", Contents.PARQUET, ("CSV",)),
    "Avro": (b"Obj\x01\x04\x14avro.codec\x08null\0", Contents.BINARY, ("JSON lines or CSV",)),
    "lz4": (b'\x04"M\x18\x64\x40\xa7' + LINES[:40], Contents.BINARY, ("JSON lines or CSV",)),
    "zlib": (zlib.compress(LINES), Contents.BINARY, ("JSON lines or CSV",)),
    "lzma": (lzma.compress(LINES, lzma.FORMAT_ALONE), Contents.BINARY, ("JSON lines or CSV",)),
    "objects as text": (
        f"{json.dumps(A)}\n{json.dumps(B)}\n".encode(),
        Contents.QUOTED,
        ("jq -r .",),
    ),
}
"""What neither a replay nor an import takes, and words of the way out."""

TO_REPLAY = {
    "CSV": (TABLE, Contents.CSV, ("idsync convert",)),
    "CSV with semicolons": (TABLE.replace(b",", b";"), Contents.CSV, ("idsync convert",)),
    "CSV with a mark": (b"\xef\xbb\xbf" + TABLE, Contents.CSV, ("idsync convert",)),
    "CSV of one column": (b"Email\na@example.com\n", Contents.CSV, ("idsync convert",)),
    "CSV of unknown columns": (b"name,city\nAna,Rome\n", Contents.CSV, ("idsync convert",)),
    "CSV between quotes": (b'"Name","City"\r\n"Ana","Rome"\r\n', Contents.CSV, ("convert",)),
    "profiles": (PROFILES, Contents.PROFILES, ("idsync import",)),
    "answers": (b'{"seq": 1, "line": 1, "status": "created"}\n', Contents.ANSWERS, ("answered",)),
}
TO_IMPORT = {
    "requests": (LINES, Contents.REQUESTS, ("idsync replay",)),
    "bodies": (b'{"known_identities": {"email": "a"}}\n', Contents.REQUESTS, ("idsync replay",)),
}


def is_one_sentence(told: str) -> bool:
    return told.count("\n") == 1 and told.startswith("idsync: '")


def test_what_reads_a_pipe_by_itself_is_given_no_dash(idsync: Program) -> None:
    for data, words, way_out in (
        (f"[{A}]".encode(), ("replay", "-"), "jq -c '.[]'\n"),
        (f"{A}{B}".encode(), ("replay", "-"), "jq -c .\n"),
        (f"{A}\r{B}\r".encode(), ("replay", "-"), "tr '\\r' '\\n'\n"),
        (f"{A}\r{B}\r".encode(), ("replay", "a b"), "tr '\\r' '\\n' < 'a b'\n"),
    ):
        idsync.write("a b", data)
        assert idsync(*words, stdin=data).stderr.endswith(way_out)


@pytest.mark.parametrize("name", ["requests.jsonl", "requests.jsonl.gz", "-"])
@pytest.mark.parametrize("kind", [*WRONG, *TO_REPLAY])
def test_what_holds_no_requests_is_refused_in_one_sentence(
    idsync: Program, kind: str, name: str
) -> None:
    data, contents, words = (WRONG | TO_REPLAY)[kind]
    if name != "-":
        idsync.write(name, data)
    before = idsync.files()
    outcome = idsync("replay", name, stdin=data)
    assert is_one_sentence(outcome.stderr), outcome.stderr
    assert f"'{name}' {contents}, but " in outcome.stderr
    for word in words:
        assert word in outcome.stderr
    assert (outcome.status, outcome.stdout) == (2, "")
    assert idsync.files() == before


@pytest.mark.parametrize("name", ["profiles.csv", "profiles.jsonl", "-"])
@pytest.mark.parametrize("kind", [*WRONG, *TO_IMPORT])
def test_what_holds_no_profiles_is_refused_in_one_sentence(
    idsync: Program, kind: str, name: str
) -> None:
    data, contents, words = (WRONG | TO_IMPORT)[kind]
    if name != "-":
        idsync.write(name, data)
    before = idsync.files()
    outcome = idsync("import", name, stdin=data)
    assert is_one_sentence(outcome.stderr), outcome.stderr
    assert f"'{name}' {contents}, but " in outcome.stderr
    for word in words:
        assert word in outcome.stderr
    assert (outcome.status, outcome.stdout) == (2, "")
    assert idsync.files() == before


@pytest.mark.parametrize("kind", [*WRONG, *TO_REPLAY])
def test_of_several_files_none_is_begun_where_one_holds_no_requests(
    idsync: Program, kind: str
) -> None:
    idsync.write("good.jsonl", LINES)
    idsync.write("other", (WRONG | TO_REPLAY)[kind][0])
    before = idsync.files()
    outcome = idsync("replay", "good.jsonl", "other")
    assert is_one_sentence(outcome.stderr)
    assert outcome.status == 2
    assert idsync.files() == before


PACKED: dict[str, Callable[[bytes], bytes]] = {
    "packed": gzip.compress,
    "in two members": lambda data: gzip.compress(data[:70]) + gzip.compress(data[70:]),
    "plain": bytes,
}


@pytest.mark.parametrize("pack", PACKED.values(), ids=PACKED)
@pytest.mark.parametrize("name", ["a.jsonl", "a.JSONL.GZ", "a.gz", "a", "-"])
def test_requests_are_read_packed_or_not_whatever_their_name(
    idsync: Program, name: str, pack: Callable[[bytes], bytes]
) -> None:
    if name != "-":
        idsync.write(name, pack(LINES))
    outcome = idsync("replay", name, "--output", "-", stdin=pack(LINES))
    assert [answer["status"] for answer in outcome.lines()] == ["created", "created"]
    again = idsync("replay", name, stdin=LINES)  # by its bytes it is the same file
    assert (again.status, "already been replayed" in again.stderr) == (2, True)


def test_requests_are_read_packed_from_a_pipe(idsync: Program) -> None:
    outcome = idsync.process("replay", "-", "--output", "-", stdin=gzip.compress(LINES * 3000))
    assert len(outcome.lines()) == 6000
    assert outcome.status == 0
    again = idsync.process("replay", "-", stdin=LINES * 3000)
    assert (again.status, "already been replayed" in again.stderr) == (2, True)


@pytest.mark.parametrize("pack", PACKED.values(), ids=PACKED)
@pytest.mark.parametrize("data", [PROFILES, TABLE], ids=["lines", "table"])
@pytest.mark.parametrize("name", ["p.csv", "p.jsonl", "P.CSV.GZ", "p", "-"])
def test_profiles_are_read_packed_or_not_as_lines_or_a_table_whatever_their_name(
    idsync: Program, name: str, data: bytes, pack: Callable[[bytes], bytes]
) -> None:
    if name != "-":
        idsync.write(name, pack(data))
    outcome = idsync("import", name, stdin=pack(data))
    assert (outcome.status, outcome.stderr) == (0, "")
    assert [line["mpid"] for line in idsync("export").lines()] == ["1", "2"]


def test_a_form_that_the_file_has_not_is_refused(idsync: Program) -> None:
    idsync.write("a", PROFILES)
    idsync.write("b", TABLE)
    for name, form in (("a", "csv"), ("b", "jsonl")):
        outcome = idsync("import", name, "--format", form)
        assert is_one_sentence(outcome.stderr)
        assert f"--format {form}" in outcome.stderr
        assert outcome.status == 2
    assert not (idsync.folder / "idsync.db").exists()


@pytest.mark.parametrize("name", ["idsync.yaml.gz", "rules"])
def test_a_configuration_and_scenarios_may_be_packed(idsync: Program, name: str) -> None:
    idsync.write(name, gzip.compress(CONFIG.encode()))
    assert idsync("config", "lint", "--config", name).status == 0
    story = (
        "scope: {strategy: best_match, priority: [email]}\n"
        "steps:\n  - identify: {email: a@example.com}\n    expect: {status: matched}\n"
    )
    for file in ("stories/one.yaml", "stories/TWO.YAML", "stories/Three.Yml"):
        idsync.write(file, story)
    idsync.write("stories/four.YAML.gz", gzip.compress(story.encode()))
    checked = idsync("check", "stories")
    assert "4 failed" in checked.stdout
    updated = idsync("check", "stories", "--update")
    assert updated.status == 0, updated.stderr
    assert "created" in gzip.decompress(
        (idsync.folder / "stories/four.YAML.gz").read_bytes()
    ).decode("utf-8")
    assert idsync("check", "stories").status == 0


@pytest.mark.parametrize("pack", [bz2.compress, lzma.compress, lambda d: zipped("a", d)])
def test_a_configuration_in_another_archive_is_named(
    idsync: Program, pack: Callable[[bytes], bytes]
) -> None:
    idsync.write("idsync.yaml", pack(CONFIG.encode()))
    outcome = idsync("config", "lint")
    assert outcome.status == 2
    assert "decompress or unpack it first" in outcome.stderr


def test_a_configuration_that_is_a_document_is_named(idsync: Program) -> None:
    idsync.make_store()
    assert idsync("login", "--customer-id", "C-1", "--email", "a@example.com").status == 0
    outcome = idsync("config", "lint", "--config", "idsync.db")
    assert outcome.status == 2
    assert outcome.stderr == "idsync: idsync.db: is an SQLite database, not YAML\n"


def test_a_database_is_named(idsync: Program) -> None:
    with closing(sqlite3.connect(idsync.folder / "x.db")) as other, other:
        other.execute("CREATE TABLE theirs (kept)")
    outcome = idsync("replay", "x.db")
    assert f"'x.db' {Contents.SQLITE}, but " in outcome.stderr
    assert outcome.status == 2


# What is only a bad line stays one

BAD_LINES = (
    "{",
    '{"type": "identify",',
    '{"type": "identify", "known_identities": {"email": "a"}',
    '{"type": "iden',
    "not JSON",
    "# requests of today",
    "null",
    "1",
    '"identify"',
    "[]",
    '["identify", "a@example.com"]',
    "{} x",
    "{'type': 'identify'}",
    "\0",
    "a,b",
)


@pytest.mark.parametrize("line", BAD_LINES)
def test_a_first_line_that_is_wrong_is_refused_alone(idsync: Program, line: str) -> None:
    outcome = idsync("replay", "-", "--output", "-", stdin=f"{line}\n{A}\n".encode())
    refused, done = outcome.lines()
    assert (refused["status"], done["status"], outcome.status) == ("error", "created", 1)


@pytest.mark.parametrize("line", BAD_LINES)
def test_the_same_wrong_line_again_and_again_is_refused_each_time(
    idsync: Program, line: str
) -> None:
    if line in ("a,b", "\0"):
        pytest.skip("twice, it is a table, or nothing that is text")
    outcome = idsync("replay", "-", "--output", "-", stdin=f"{line}\n{line}\n{line}\n".encode())
    assert [answer["status"] for answer in outcome.lines()] == ["error"] * 3


def test_no_more_of_a_pipe_is_waited_for_than_tells() -> None:
    assert is_enough(f"{A}\n".encode())
    assert is_enough(b"\n\n" + f"{A}\n".encode())
    assert not is_enough(A.encode())
    assert not is_enough(b"{\n")
    assert is_enough(b"{\n  1\n")
    assert is_enough(b"x" * 2**20)


@pytest.mark.parametrize("size", [1, 7, 64, 1000])
def test_whatever_is_seen_of_a_file_first_it_is_what_it_is(size: int, tmp_path: Path) -> None:
    """Read in pieces of any size, as pipes give them."""
    for data, contents, _ in (WRONG | TO_REPLAY | TO_IMPORT).values():
        if data.startswith(b"\x1f\x8b") or len(data) > 10_000:
            continue
        head = b""
        while not is_enough(head) and len(head) < len(data):
            head = data[: len(head) + size]
        assert look(head, is_all=len(head) == len(data)) == contents
