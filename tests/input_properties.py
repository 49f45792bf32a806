"""What must hold of every input, whatever bytes it is: the targets of the fuzzer, and of a test.

Each target takes bytes, and raises where something does not hold. `scripts/fuzz.py` feeds them with
a coverage-guided fuzzer, `tests/test_fuzz.py` with changed fixtures and with what was found.
"""

import gzip
import json
import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from hashlib import blake2b
from io import BytesIO
from math import inf
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from idsync_cli import wire
from idsync_cli.check.run import check
from idsync_cli.core.codes import ErrorCode
from idsync_cli.core.config.rules import Organization
from idsync_cli.core.decision import Refusal
from idsync_cli.core.identity import MPID_MAX, MPID_MIN
from idsync_cli.errors import UsageFault
from idsync_cli.file_faults import FileFault
from idsync_cli.files import config_file, request_file, yaml_parser, yaml_tree
from idsync_cli.files.data_lines import DataLine, DigestKeyLine
from idsync_cli.files.profile_lines import AnyLine, BadLine, ProfileFile, ProfileLine, read_jsonl
from idsync_cli.files.record_lines import ErasureLine
from idsync_cli.files.request_file import RequestFile, Source
from idsync_cli.files.scenario_file import read_scenarios
from idsync_cli.wire import decoding, lines
from tests.comparison import json_of, organization
from tests.reference_model import CANONICAL, Model, Rules, is_value
from tests.worlds import config_yaml

ROOT = Path(__file__).resolve().parent.parent
FIXTURES = ROOT / "fixtures"
FOUND = FIXTURES / "fuzz"
BYTE_ORDER_MARK = b"\xef\xbb\xbf"

MOST_LINES = 25
"""How many lines of an input are read in all the ways that there are."""

SECONDS_AT_LEAST, BYTES_A_SECOND = 1.0, 30_000
"""How much of the processor an input may take: so long, and as much more as it is large."""

SCOPES: dict[str, Any] = {
    "consumers": {
        "strategy": "profile_conversion",
        "priority": ["customer_id", "email", "ios_idfv"],
        "identities": {"customer_id": {"login": True, "unique": True, "immutable": True}},
    },
    "couriers": {"strategy": "best_match", "priority": ["email", "other"]},
}
WORKSPACES = {"app": "consumers", "courier-app": "couriers"}


@cache
def _organizations() -> tuple[Organization, Organization]:
    """One with a single scope, and one with two."""
    one = {"consumers": SCOPES["consumers"]}
    return organization(one, {"app": "consumers"}), organization(SCOPES, WORKSPACES)


LABELS = {"first": 5, "l1": -7, "": 9}


# ---- Request files


def requests(data: bytes) -> None:
    """Lines end at line feeds, wherever the pieces end; and each means one thing."""
    _splits_like_the_reference(data)
    with _short_lines():
        _splits_like_the_reference(data)
    for line in sorted({*data.split(b"\n", MOST_LINES)[:MOST_LINES]}):
        _means_one_thing(line)


def _reference_lines(data: bytes, too_long: float = inf) -> list[tuple[int, bytes, int]]:
    """The lines that are not blank: number, content, and where the next one begins.

    White space that is too long for a line is no blank line.
    """
    found = []
    begin = len(BYTE_ORDER_MARK) if data.startswith(BYTE_ORDER_MARK) else 0
    number = 0
    while begin < len(data):
        number += 1
        end = data.find(b"\n", begin)
        line = data[begin:] if end < 0 else data[begin:end]
        begin = len(data) if end < 0 else end + 1
        if line.strip() or len(line) >= too_long:
            found.append((number, line, begin))
    return found


def _splits_like_the_reference(data: bytes) -> None:
    expected = _reference_lines(data, request_file._LONGEST)
    rng = random.Random(data[:64])
    file = RequestFile(_source(data, rng))
    position = 0
    half = None
    while taken := file.next_lines(rng.choice([1, 1, 2, 5, 1000])):
        for found_number, found in taken:
            number, line, _ = expected[position]
            position += 1
            assert found_number == number, "the number of a line"
            _same_request(lines.LineReader().request(found), line)
        where = file.position
        assert where.digest == blake2b(data[: where.bytes], digest_size=16).hexdigest()
        assert where.bytes >= expected[position - 1][2], "the position is before the line's end"
        if position < len(expected):
            assert where.lines < expected[position][0], "the position is behind the next line"
            assert where.bytes < expected[position][2]
        if half is None or rng.random() < 0.5:
            half = where, position
    assert position == len(expected), "lines are missing"
    assert file.next_lines(1) == []
    if half:
        again = RequestFile(_source(data, rng))
        assert again.pass_over(half[0]), "what was read is not found again"
        rest = again.next_lines(len(data) + 1)
        numbers = [each[0] for each in expected[half[1] :]]
        assert [each for each, _ in rest] == numbers, "the lines behind a position"


class _Pieces(BytesIO):
    """Gives its bytes in pieces of any size, as a pipe does."""

    def __init__(self, data: bytes, rng: random.Random) -> None:
        super().__init__(data)
        self._rng = rng
        self._most = rng.choice([1, 3, 16, 70, 2**20]) if len(data) < 5000 else 2**20

    def read1(self, size: int | None = -1, /) -> bytes:
        assert size is not None
        most = self._rng.randint(1, self._most)
        return super().read1(most if size < 0 else min(size, most))


def _source(data: bytes, rng: random.Random) -> Source:
    return Source("fuzz", _Pieces(data, rng))


@contextmanager
def _short_lines() -> Iterator[None]:
    """Let 64 bytes be the most that a line has, so that small inputs reach beyond."""
    places: list[tuple[Any, str, int]] = [
        (request_file, "_PIECE", 16),
        (request_file, "_LONGEST", 66),
        (lines, "MAX_LINE_BYTES", 64),
        (lines, "LONGEST_LINE", 66),
        (decoding, "MAX_LINE_BYTES", 64),
    ]
    before = [getattr(module, name) for module, name, _ in places]
    try:
        for module, name, value in places:
            setattr(module, name, value)
        yield
    finally:
        for (module, name, _), value in zip(places, before, strict=True):
            setattr(module, name, value)


def _strictly(line: bytes) -> object:
    """What a line holds, read as any JSON is."""
    try:
        return decoding.decode(line.removesuffix(b"\r"))
    except Refusal as refusal:
        return refusal


def _same_request(found: object, line: bytes) -> None:
    """A line came out of the file as it stands there."""
    plain = lines.LineReader().request(line)
    if isinstance(found, Refusal) or isinstance(plain, Refusal):
        assert isinstance(found, Refusal), "a line was taken that is refused"
        assert isinstance(plain, Refusal), "a line was refused that is taken"
        assert found.code == plain.code
        long = "longer" in found.message
        assert long == ("longer" in plain.message), f"{found.message} | {plain.message}"
        assert long or found.message == plain.message
    else:
        assert _written(found) == _written(plain), "another request than the line holds"


def _written(request: object) -> str:
    """All that was read of a request."""
    environment = getattr(request, "environment", None)
    return repr((type(request), json_of(request), environment))


def _means_one_thing(line: bytes) -> None:
    """Read fast and strictly, by rules and for a target that follow from the line."""
    fast, strict = lines.LineReader().request(line), _strictly(line)
    way = sum(line)
    several, labels = way & 1, LABELS if way & 2 else {}
    target = wire.Target("consumers") if way & 12 == 4 else None
    rules = _organizations()[several]
    readings = [wire.Reader(rules, target).read(each) for each in (fast, strict)]
    told = [_told(reading) for reading in readings]
    assert told[0] == told[1], f"read fast  {told[0]}\nstrictly   {told[1]}"
    reader = wire.Reader(rules, target)
    reader.read({"type": "search", "scope": "consumers"})  # fills what it remembers
    reader.read({"type": "search", "workspace": "app"})
    assert _told(reader.read(fast)) == told[0], "what was read before counts"
    asked = [_asked(reading, labels) for reading in readings]
    assert asked[0] == asked[1], f"asked {asked[0]}\nnot   {asked[1]}"
    if target is None:
        _as_the_model_says(strict, asked[1], labels, several=bool(several))


def _told(reading: wire.Reading) -> str:
    """All of a reading, in the order in which it was read."""
    members = {name: getattr(reading, name) for name in wire.Reading.__slots__ if name != "rules"}
    for name in ("refusal", "late_refusal"):
        refusal = members[name]
        members[name] = refusal and (refusal.code, refusal.message)
    assert all(text is None or text[1].isprintable() for text in (members["refusal"],) if text)
    return repr(members)


def _asked(reading: wire.Reading, labels: dict[str, int]) -> str:
    try:
        return repr(wire.request_of(reading, labels))
    except Refusal as refusal:
        refused = refusal
    assert len(refused.message) < 3000
    assert refused.message.isprintable(), "a message that could act on a terminal"
    return f"{refused.code}: {refused.message}"


_OF_THE_RULES = {
    "UNSUPPORTED_BY_STRATEGY",
    "LOGIN_ID_REQUIRED",
    "NO_LOOKUP_IDENTITY",
    "MPID_NOT_FOUND",
    "OLD_VALUE_MISMATCH",
    "IMMUTABLE_IDENTITY",
    "PROTECTED_IDENTITY",
}
"""Refusals of a request that could be read."""


def _as_the_model_says(value: object, asked: str, labels: dict[str, int], *, several: bool) -> None:
    """A request is refused with the code that the model gives, or read."""
    code = asked.partition(":")[0]
    found = code if code in set(ErrorCode) else None
    if isinstance(value, Refusal):
        assert found == "INVALID_JSON"
        return
    if _is_left_to_the_program(value):
        return
    scopes = SCOPES if several else {"consumers": SCOPES["consumers"]}
    model = Model(scopes, 0, WORKSPACES if several else {"app": "consumers"})
    model.labels = dict(labels)
    errors = model.answer(value, line=None).get("errors")
    expected = errors[0]["code"] if errors else None
    if expected in _OF_THE_RULES or (expected == "NO_IDENTITIES" and asked.startswith("Batch")):
        expected = None  # whether a batch is a duplicate comes first
    assert found == expected, f"the program says {found}, the model {expected}"


def _is_left_to_the_program(value: object) -> bool:
    """What the model has no opinion of: half characters, and integers that no store can hold."""
    if not isinstance(value, dict):
        return False
    time_ms = value.get("request_timestamp_ms")
    if isinstance(time_ms, int) and not MPID_MIN <= time_ms <= MPID_MAX:
        return True
    texts = [value.get(name) for name in ("scope", "workspace", "label", "type", "request_id")]
    texts.append(value.get("environment"))
    return any(isinstance(each, str) and not _is_utf_8(each) for each in texts)


def _is_utf_8(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


# ---- Profile lines


def profiles(data: bytes) -> None:
    """Every line that is not blank is a profile or a fault; packed or not makes no difference."""
    for rules in _organizations():
        found = _profiles_in(data, rules)
        if data[:2] == b"\x1f\x8b":
            return
        assert found is not None
        assert [each.line for each in found] == [each[0] for each in _reference_lines(data)]
        assert _profiles_in(gzip.compress(data, 1), rules) == found
        for each in found:
            if isinstance(each, BadLine):
                assert each.what.isprintable()
                assert len(each.what) < 3000
            elif isinstance(each, ErasureLine):
                _is_an_erasure(each, rules)
            elif isinstance(each, DigestKeyLine):
                assert _written_again(wire.digest_key_line(each.key), rules) == each.key
            elif isinstance(each, DataLine):
                assert _written_again(wire.record_line(each.record), rules) == each.record
            else:
                _is_a_profile(each, rules)


def _is_an_erasure(line: ErasureLine, rules: Organization) -> None:
    written = wire.erasure_record_json(line.erasure)
    found = _profiles_in(json.dumps(written).encode(), rules)
    assert found == [ErasureLine(1, line.erasure, line.excerpt)]


def _written_again(line: str, rules: Organization) -> object:
    """What a line says that was written of something that was read."""
    found = _profiles_in(line.encode("ascii"), rules)
    assert found is not None
    [each] = found
    return each.key if isinstance(each, DigestKeyLine) else getattr(each, "record", each)


def _profiles_in(data: bytes, rules: Organization) -> list[AnyLine] | None:
    try:
        return list(read_jsonl(ProfileFile("-", BytesIO(data)), rules))
    except UsageFault:
        assert data[:2] == b"\x1f\x8b", "only an archive can be damaged"
        return None


def _is_a_profile(line: ProfileLine, rules: Organization) -> None:
    assert line.scope in rules.scopes
    assert MPID_MIN <= line.mpid <= MPID_MAX
    assert line.mpid != 0
    assert line.created_seq is None or 1 <= line.created_seq < 2**63
    identities: dict[str, list[str]] = {}
    for each in line.identifiers:
        assert CANONICAL[each.type.value] == each.type.value
        assert is_value(each.value)
        identities.setdefault(each.type.value, []).append(each.value)
    written: dict[str, Any] = {"mpid": str(line.mpid), "scope": line.scope}
    source = None if line.source_mpid is None else str(line.source_mpid)
    written |= {"created_seq": line.created_seq, "source_mpid": source}
    written |= {"known": line.known, "identities": identities}
    found = _profiles_in(json.dumps(written).encode(), rules)
    assert found
    [again] = found
    assert isinstance(again, ProfileLine)
    assert (again.mpid, again.identifiers) == (line.mpid, line.identifiers)
    assert (again.known, again.source_mpid) == (line.known, line.source_mpid)


# ---- YAML


@cache
def _folder() -> Path:
    return Path(mkdtemp(prefix="idsync-fuzz-"))


def configuration(data: bytes) -> None:
    """Every fault has its place; what is taken has the rules that the model reads in it."""
    path = _folder() / "idsync.yaml"
    path.write_bytes(data)
    try:
        loaded = config_file.load(path)
    except FileFault as fault:
        _faults_have_places(fault, data)
        return
    assert all(line.isprintable() for line in loaded.lint)
    faults = yaml_tree.Faults(path)
    [document] = yaml_parser.read_documents(path, faults)
    scopes = {
        name: {key: value for key, value in scope.items() if value is not None}
        for name, scope in document.plain()["scopes"].items()
    }
    for name, scope in scopes.items():
        _has_the_rules_of_the_model(loaded.organization, name, scope)
    workspaces = dict(loaded.organization.workspaces)
    if all(map(_is_utf_8, [*scopes, *workspaces])):
        again = organization(scopes, workspaces)
        assert again.scopes == loaded.organization.scopes, "written as JSON it says another thing"
        assert again.workspaces == loaded.organization.workspaces


def _has_the_rules_of_the_model(found: Organization, name: str, scope: dict[str, Any]) -> None:
    rules = found.scopes[name]
    strategy = scope["strategy"]
    if isinstance(strategy, dict):
        kept = {key: value for key, value in strategy.items() if value is not None}
        scope = scope | {"strategy": kept}
    settings = scope.get("identities") or {}
    scope = scope | {
        "identities": {
            key: {flag: on for flag, on in (value or {}).items() if on is not None}
            for key, value in settings.items()
        }
    }
    expected = Rules(scope)
    assert [kind.value for kind in rules.priority] == expected.priority
    for setting in ("login", "unique", "immutable"):
        carrying = [
            kind.value for kind in rules.priority if getattr(rules.settings_of(kind), setting)
        ]
        assert carrying == getattr(expected, setting), f"{setting} of {name}"


def _faults_have_places(fault: FileFault, data: bytes) -> None:
    assert fault.faults
    assert len(fault.faults) <= yaml_tree.MOST_FAULTS + 1
    last = len(data.splitlines()) + data.count(b"\n") + 2
    for each in fault.found:
        text = str(each)
        assert text.isprintable(), "a message that could act on a terminal"
        assert len(text) < 5000
        if not isinstance(each, str):
            assert each.line is None or 1 <= each.line <= last, "a line that is not there"
            assert each.column is None or each.column >= 1


def scenarios(data: bytes) -> None:
    """Every fault has its place; what is taken can be run."""
    path = _folder() / "scenario.yaml"
    path.write_bytes(data)
    (_folder() / "config.yaml").write_text(config_yaml(SCOPES, WORKSPACES), encoding="utf-8")
    try:
        found = read_scenarios(path)
    except FileFault as fault:
        _faults_have_places(fault, data)
        return
    for scenario in found[:3]:
        if len(scenario.steps) < 30 and len(scenario.given) < 30:
            try:
                report = check(scenario)
            except FileFault as fault:  # `given` profiles that cannot be together
                _faults_have_places(fault, data)
                continue
            assert report.passed or report.mismatches


Target = Callable[[bytes], None]
TARGETS: dict[str, Target] = {
    "requests": requests,
    "profiles": profiles,
    "configuration": configuration,
    "scenarios": scenarios,
}


def hold(target: str, data: bytes) -> None:
    """Try one input, and see how long that takes."""
    began = time.process_time()
    TARGETS[target](data)
    took = time.process_time() - began
    assert took < SECONDS_AT_LEAST + len(data) / BYTES_A_SECOND, f"took {took:.1f} s"


# ---- Inputs


@cache
def seeds(target: str) -> list[bytes]:
    """What is known to be interesting: fixtures, and what was found before."""
    folders = {
        "requests": ["input/requests", "requests.jsonl"],
        "profiles": ["input/profiles", "store-v1/export.jsonl"],
        "configuration": ["input/configurations", "scenarios/config", "store-v1/idsync.yaml"],
        "scenarios": ["input/scenarios", "scenarios"],
    }[target]
    paths = [FIXTURES / name for name in folders] + [FOUND / target]
    if target == "configuration":
        paths.append(ROOT / "sample_config.yaml")
    files = [
        file
        for path in paths
        for file in (sorted(path.rglob("*")) if path.is_dir() else [path])
        if file.is_file() and file.suffix not in {".csv", ".gz"}
    ]
    contents = [file.read_bytes()[:20_000] for file in files]
    contents += [b"".join(some) for some in _a_few(contents)] if "s" in target else []
    return sorted({each for each in contents if len(each) <= 20_000}, key=len)


def _a_few(contents: list[bytes]) -> Iterator[list[bytes]]:
    """Single lines of files that are long."""
    for content in contents:
        if len(content) > 2000:
            for line in content.splitlines(keepends=True)[:40]:
                yield [line]


_PIECES: tuple[bytes, ...] = (
    *(b'"', b"'", b"{", b"}", b"[", b"]", b":", b",", b"\\", b"\n", b"\r\n", b"\r", b"\t", b" "),
    *(b"\0", b"\x85", b"\xe2\x80\xa8", b"\xc2\x85", BYTE_ORDER_MARK, b"\xff", b"\xed\xa0\x80"),
    *(b"\\u0000", b"\\ud800", b"\\n", b"\\u0061", b"null", b"true", b"NaN", b"1e999", b"-0", b"~"),
    *(b"9223372036854775808", b"-9223372036854775808", b"1.0", b"0x1F", b"1:30", b"01", b"@first"),
    *(b"&a ", b"*a", b"!!str ", b"<<: ", b"---\n", b"...\n", b"- ", b"? ", b"| \n", b"> \n", b"#"),
    *(b'"type": ', b'"mpid": "5"', b'"scope": "consumers"', b'"known_identities": {"email": "a"}'),
    *(b'"identity_changes": []', b'"label": null', b'"previous_mpid": "@l1"', b"\xf0\x9f\x98\x80"),
    *(b"login", b"modify", b"search", b"identify", b"logout", b"best_match", b"default", b"x" * 70),
)


def changed(rng: random.Random, data: bytes, others: list[bytes]) -> bytes:
    """An input with a few things changed in it."""
    result = bytearray(data)
    for _ in range(rng.choice([1, 1, 2, 3, 8])):
        at = rng.randint(0, len(result))
        length = rng.choice([1, 1, 2, 4, 16, 64])
        match rng.randrange(8):
            case 0:
                del result[at : at + length]
            case 1:
                result[at:at] = rng.choice(_PIECES)
            case 2:
                result[at : at + length] = rng.choice(_PIECES)
            case 3 if at < len(result):
                result[at] ^= 1 << rng.randrange(8)
            case 4:
                result[at:at] = result[at : at + length] * rng.choice([1, 2, 20])
            case 5:
                other = rng.choice(others)
                begin = rng.randint(0, len(other))
                result[at : at + length] = other[begin : begin + 4 * length]
            case 6:
                result[at:at] = rng.randbytes(min(length, 4))
            case _:
                parts = bytes(result).split(b"\n")
                rng.shuffle(parts)
                result = bytearray(b"\n".join(parts))
    return bytes(result[:40_000])


def mutations(target: str, seed: str) -> Iterator[bytes]:
    """Changed seeds, without end; the short ones more often."""
    rng = random.Random(seed)
    known = seeds(target)
    while True:
        data = known[int(len(known) * rng.random() ** 2)]
        yield changed(rng, data, known)


def smallest(target: str, data: bytes, most: int = 3000) -> bytes:
    """An input of which nothing more can be left out without losing its fault."""
    fault = fault_of(target, data)
    size = len(data)
    while fault and (size := size // 2):
        start = 0
        while start < len(data) and most > 0:
            most -= 1
            shorter = data[:start] + data[start + size :]
            if _is_alike(fault_of(target, shorter), fault):
                data = shorter
            else:
                start += size
    return data


def fault_of(target: str, data: bytes) -> str | None:
    """What is wrong with how an input is taken, or None."""
    try:
        hold(target, data)
    except Exception as error:  # noqa: BLE001 - whatever it is, it must not be
        return f"{type(error).__name__}: {error}"
    return None


def _is_alike(found: str | None, fault: str) -> bool:
    return found is not None and found[:24] == fault[:24]
