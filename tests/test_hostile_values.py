"""Values that want to be more than values: in no output of any command do they have an effect.

Two worlds are made that differ in nothing but their values: in one they are hostile, in the other
they are harmless and as wide. Every command is run in both. Whatever it says in the hostile world
must be printable, and must have as many lines as in the harmless one.
"""

import csv
import io
import json
import os
import pty
import re
import subprocess
import sys
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import yaml

from idsync_cli.core.identity import TYPES_BY_NAME
from idsync_cli.errors import printable
from idsync_cli.files import config_file
from idsync_cli.files.profile_csv import COLUMNS
from idsync_cli.render.html.styles import built, resource
from idsync_cli.visible import visible
from tests.program import Outcome, Program, all_commands

FORMULAS = (
    *("=cmd|' /C calc'!A0", "+1", "-1", "@SUM(1+1)", " =1+1", "＝1+1", "＋1", "－1", "＠SUM(1)"),
    *("a;=1+1", "a; '\"=1+1", "a|+1", "a,=1+1", "'=1+1", "\t=1+1", "\r=1+1", "\n=1+1"),
)

PLAIN_HOSTILE = (
    # SQL, shells, templates, patterns
    *("'; DROP TABLE profiles; --", "\" OR 1=1 --", "$(touch owned)", "`touch owned`"),
    *("{0}{seq}%s%n", "${{ github.token }}", "%", "_", "*", "\\", "\\n\\x1b", "null", "~", "true"),
    # Rich's markup, and emoji
    *("[bold]", "[/oops]", "[link=https://example.com]x[/link]", "[red on blue]"),
    *(":smile:", "[[", "[]"),
    # ANSI, OSC, C1, and other controls
    *("\x1b[38;5;213mred\x1b[2J\x1b[H", "\x1b]0;title\x07", "\x1b", "\x07"),
    *("\x1b]8;;http://x\x1b\\x\x1b]8;;\x1b\\", "\x9b38;5;213m", "\x9d0;title\x9c"),
    *("\x90q\x9c", "a\x08\x08b", "\x7f", "\x0b\x0c"),
    # Lines, in every way that one can end
    *("a\nb", "a\rb", "a\r\nb", "a\x85b", "a\u2028b", "a\u2029b", "a\tb", "\n", "\x1c\x1d\x1e"),
    # Characters that turn text around, or are not seen
    *("\u202egnp.exe\u202c", "\u2066a\u2069", "\u200f\u061c", "a\u200bb\u200dc\u2060d\ufeffe"),
    *("\U000e0041\U000e0042", "\ue000", "\uffff", "\u00adsoft", "\u00a0\u3000"),
    *("e\u0301", "🙂", "字"),
    # The formats of CI
    *("::error::x", " ::error file=a,line=1::x", "##[error]x", "\n::set-output name=a::b"),
    *("# SKIP", "x # TODO y", "\nnot ok 99 - x", "\nBail out!", "\n1..0", "a%0A::b", "..."),
    *("]]><x a='\"'>&lt;&amp;", "<!--", "<![CDATA[", "&#0;", "--- a", "*a"),
    # Paths, and very much of anything
    *("../../etc/passwd", "/etc/passwd", "..", ".", "~/x", "C:\\x", "-x", "--json"),
    *("x" * 2000, "🙂" * 200, "\u202e" * 100, "\n" * 100),
)  # fmt: skip

HOSTILE = [f"{each}~{n:02}" for n, each in enumerate((*FORMULAS, *PLAIN_HOSTILE))]
"""With a number behind each, that no two become one in the harmless world."""


SMALL = "=[bold]\x1b[38;5;213m\u202e\r\u2028\x85~0"
"""The name of the one scope of a small world."""

AT_ONCE = (
    "\x1b[38;5;213m\x9b2J\x07[/oops]\u202e\u2066\u200b::error::x\r\n"
    "not ok\u2028\x85\t\x7f\x08\ufeffx~1"
)
AT_ONCE_BEHIND_A_LINE_FEED = f"\n##[error]{AT_ONCE}"


def shown(text: str) -> str:
    """A value as it is shown: whatever could have an effect, or be overlooked, as an escape."""
    told = visible(text)
    assert all(map(is_harmless, told))
    return told


def is_harmless(character: str) -> bool:
    """Whether a terminal shows it, and does nothing else."""
    category = unicodedata.category(character)
    return character == " " or category[0] not in ("C", "Z")


def harmless(text: str) -> str:
    """A value that is shown as wide, and may be broken at the same places."""
    body, _, number = shown(text).rpartition("~")
    wide = "".join(
        " "
        if each == " "
        else "字"
        if unicodedata.east_asian_width(each) in ("W", "F")
        else ""
        if unicodedata.combining(each)
        else "x"
        for each in body
    )
    return f"{wide}~{number}"


def as_name(value: str) -> str:
    """A value as short as a key of YAML must be."""
    return value if len(value) < 80 else value[:60] + value[-4:]


_HARMLESS = list(map(harmless, HOSTILE))
_HOSTILE_NAMES = list(map(as_name, HOSTILE))
_HARMLESS_NAMES = list(map(harmless, _HOSTILE_NAMES))


@cache
def file_names() -> list[str]:
    """What a file can be called: several values one behind the other, without a slash."""
    names: list[list[str]] = [[]]
    for value in HOSTILE:
        part = value.replace("/", "")
        if len(shown("".join([*names[-1], part]))) > 150:
            names.append([])
        if len(shown(part)) <= 150:
            names[-1].append(part)
    return [f"f{''.join(each)}" for each in names if each]


@cache
def harmless_file_names() -> list[str]:
    return [harmless(f"{each}~") for each in file_names()]


def in_yaml(text: str) -> str:
    """A value between double quotes."""
    return "".join(
        each if each.isascii() and each.isalnum() else f"\\U{ord(each):08x}" for each in text
    ).join('""')


# The output

OUR_COLOURS = re.compile(r"\x1b\[(?!38;5;213m)[0-9;]*m")
"""What draws our own tables on a terminal; the colour of hostile values is none of ours."""

OUR_PROGRESS = re.compile(r"\x1b\[\?25[lh]|\x1b\[2K|\x1b\[1A|\r")


def assert_harmless(text: str) -> None:
    """Nothing but characters that are seen, and line feeds."""
    bad = {each for each in {*text} - {"\n", "\u3000"} if not is_harmless(each)}
    assert not bad, [line for line in text.split("\n") if bad & set(line)]


_read = lru_cache(config_file.read)
"""Configurations are as large as the values are many, and every command reads one."""


class _Terminal(io.TextIOWrapper):
    def isatty(self) -> bool:
        return True


@dataclass(frozen=True)
class World:
    """A folder with a configuration and a store, whose names and values are all alike."""

    idsync: Program
    hostile: bool
    is_small: bool = False

    @property
    def values(self) -> list[str]:
        """What stands in identifiers, labels and request IDs."""
        return list(HOSTILE if self.hostile else _HARMLESS)

    @property
    def scopes(self) -> list[str]:
        """What scopes, workspaces and accounts are called; one for each value."""
        if self.is_small:
            return [SMALL if self.hostile else harmless(SMALL)] * len(HOSTILE)
        return list(_HOSTILE_NAMES if self.hostile else _HARMLESS_NAMES)

    @property
    def names(self) -> list[str]:
        """What files are called."""
        return list(file_names() if self.hostile else harmless_file_names())

    def run(self, *arguments: str, stdin: bytes = b"", terminal: bool = False) -> Outcome:
        """Run a command, and see that all that it says is harmless."""
        with pytest.MonkeyPatch.context() as here:
            here.setattr(config_file, "read", _read)
            if terminal:
                here.setattr(
                    "tests.program._captured", lambda: _Terminal(io.BytesIO(), encoding="utf-8")
                )
            outcome = self.idsync(*arguments, stdin=stdin)
        stdout, stderr = outcome.stdout, outcome.stderr
        for library in built("dagre.js"):  # which holds what it likes, where the build had it
            stdout = stdout.replace(resource(library), "")
        if terminal:
            stdout = OUR_COLOURS.sub("", stdout)
            stderr = OUR_PROGRESS.sub("", OUR_COLOURS.sub("", stderr))
        for text in (stdout, stderr):
            assert_harmless(text)
            assert "Traceback" not in text
            assert "fault of idsync" not in text
        return Outcome(stdout, stderr, outcome.status)


def configuration(names: Sequence[str], *, settings: str = "") -> str:
    """Scopes, workspaces, accounts and an organization, all with such names."""
    values = list(dict.fromkeys(names))
    scopes = "".join(
        f"  {in_yaml(value)}:\n    strategy: profile_conversion\n"
        f"    priority: [customer_id, email, ios_idfv]\n"
        f"    identities: {{customer_id: {{login: true, unique: true}}{settings}}}\n"
        f"{definitions(values[n : n + IN_A_SCOPE], n + 1) if n % IN_A_SCOPE == 0 else ''}"
        for n, value in enumerate(values)
    )
    accounts = "".join(
        f"  {in_yaml(value)}: {{workspaces: {{{in_yaml(value)}: {in_yaml(value)}}}}}\n"
        for value in values
    )
    organization = in_yaml("".join(values)[:4000])
    return f"version: 1\norganization: {organization}\nscopes:\n{scopes}accounts:\n{accounts}"


IN_A_SCOPE = 8
"""Every so many scopes, one has definitions, with as many of the values."""


def definitions(names: Sequence[str], number: int) -> str:
    """A calculated attribute and two audiences, with names wherever a text can stand."""
    fitting = [in_yaml(name) for name in names if len(shown(name)) <= 256]
    a, b, c, d, e, f, g, *_ = fitting * IN_A_SCOPE
    far = in_yaml(f"{names[0][:99]} is no calculated attribute")  # no name that is near
    compared = f"attribute: {far}, operator: in_list, values: [{a}, {b}, x, {c}]"
    events = f"event: {d}, event_type: {e}, where: [{{{compared}}}]"
    calculated = f"calculation: sum, attribute: {f}, {events}"
    return (
        f"    calculated_attributes: {{{g}: {{{calculated}}}}}\n"
        f"    audiences:\n"
        f"      {in_yaml(names[0])}:\n        id: {number}\n        all:\n"
        f"          - not: {{{events}}}\n          - not: {{{compared}}}\n"
        f"          - not: {{attribute: {g}, operator: greater_than, value: 0}}\n"
        f"          - {{identity: email, operator: not_contains, value: {b}}}\n"
        f"      other: {{id: {1000 + number}, not: {{audience: {in_yaml(names[0])}}}}}\n"
    )


def requests(world: World) -> list[dict[str, Any]]:
    """What fills a store with the values: in identifiers, scopes, labels and request IDs."""
    found: list[dict[str, Any]] = []
    for value, scope in zip(world.values, world.scopes, strict=True):
        each: dict[str, Any] = {"scope": scope, "request_id": value}
        identities = {"customer_id": value, "email": value, "ios_idfv": value}
        found += [
            {**each, "type": "login", "label": value, "known_identities": identities},
            {
                **each,
                "type": "login",
                "known_identities": {"customer_id": f"2{value}", "email": value},
            },
            {
                "type": "modify",
                "workspace": scope,
                "mpid": f"@{value}",
                "identity_changes": [
                    {"identity_type": "other", "new_value": value},
                    {"identity_type": "email", "new_value": f"2{value}"},
                    {"identity_type": "ios_idfv", "old_value": value},
                ],
            },
            {**each, "type": "batch", "mpid": f"@{value}", **brought(value)},
        ]
    changes = [{"identity_type": "other_id_2", "new_value": value} for value in world.values]
    crowded = {"type": "modify", "scope": world.scopes[0], "mpid": f"@{world.values[0]}"}
    return [*found, {**crowded, "identity_changes": changes}]


def brought(value: str) -> dict[str, Any]:
    """What a batch brings, with a value wherever one can stand; names are not that long."""
    name = as_name(value)
    data = {"event_name": name, value: value, "custom_attributes": {name: value}}
    return {
        "user_attributes": {name: value, f"list {name[:50]}": [value[:500]]},
        "deleted_user_attributes": [f"none {name}"],
        "events": [
            {"event_type": name, "data": data},
            {"event_type": "screen_view", "data": {"screen_name": name}},
        ],
        "device_info": {"device_application_stamp": value, value: value},
        "ip": value,
        "consent_state": {value: value},
        "attribution_info": {"publisher": value},
        "source_request_id": name,
    }


def refused(world: World, most: int | None = None) -> list[dict[str, Any]]:
    """What is refused with a value in the message."""
    found: list[dict[str, Any]] = []
    for value, name in list(zip(world.values, world.scopes, strict=True))[:most]:
        email = {"email": value}
        scope: dict[str, Any] = {"scope": name, "type": "identify"}
        modify: dict[str, Any] = {"scope": name, "type": "modify"}
        change = {"identity_type": "email", "old_value": value, "new_value": "x"}
        batch: dict[str, Any] = {"scope": name, "type": "batch", "user_identities": email}
        found += [
            {**batch, "user_identities": {value: "x"}},
            {**batch, "user_identities": {"email": f"{value}\0"}},
            {**batch, "mpid": value},
            {**batch, "events": value},
            {**batch, "events": [value]},
            {**batch, "events": [{"event_type": [value]}]},
            {**batch, "events": [{"event_type": f"{value}\0"}]},
            {**batch, "events": [{"event_type": "x", "data": {"timestamp_unixtime_ms": value}}]},
            {**batch, "user_attributes": {value: {}}},
            {**batch, "user_attributes": {"a": f"{value}\ud800"}},
            {**batch, "deleted_user_attributes": [{value: 1}]},
            {**batch, "source_request_id": value * 300},
            {"type": "identify", "scope": near(value), "known_identities": email},
            {"type": "identify", "workspace": f"{value}?", "known_identities": email},
            {**scope, "workspace": world.scopes[-1], "known_identities": email},
            {**scope, "type": value, "known_identities": email},
            {**scope, value: 1, "known_identities": email},
            {**scope, "known_identities": {value: "x"}},
            {**scope, "known_identities": {"email": f"{value}\0"}},
            {**scope, "known_identities": email, "previous_mpid": value},
            {**scope, "known_identities": email, "previous_mpid": f"@{value}?"},
            {**scope, "known_identities": email, "context": {value: 1}, "label": [value]},
            {**scope, "known_identities": email, "request_timestamp_ms": value},
            {**scope, "known_identities": value},
            {**modify, "mpid": value, "known_identities": email},
            {**modify, "mpid": "1", "identity_changes": [change]},
            {**modify, "mpid": "1", "identity_changes": [change | {value: 1}]},
            {**modify, "mpid": "1", "identity_changes": [change | {"identity_type": value}]},
        ]
    return found


def lines(items: Sequence[object]) -> str:
    return "".join(json.dumps(each) + "\n" for each in items)


def made_in(folder: Path, *, hostile: bool, is_small: bool) -> World:
    """A world, its store filled."""
    folder.mkdir()
    made = World(Program(folder, columns=8_000), hostile, is_small)
    made.idsync.write("idsync.yaml", configuration(made.scopes))
    made.idsync.write("requests.jsonl", lines(requests(made)))
    made.idsync.write("refused.jsonl", lines(refused(made)))
    outcome = made.run("replay", "requests.jsonl", "--seed", "1")
    assert outcome.status == 0, outcome.stdout
    return made


Worlds = tuple[World, World]


def both(folder: Path, *, is_small: bool = False) -> Worlds:
    """The hostile world, and the harmless one."""
    made = (
        made_in(folder / "hostile", hostile=True, is_small=is_small),
        made_in(folder / "harmless", hostile=False, is_small=is_small),
    )
    for each in made:
        assert len(set(each.values)) == len(HOSTILE)
        assert len(set(each.scopes)) == (1 if is_small else len(HOSTILE))
        assert len(set(each.names)) == len(file_names()) > 5
    return made


@pytest.fixture(scope="module")
def worlds(tmp_path_factory: pytest.TempPathFactory) -> Worlds:
    """Two worlds with a scope for each value."""
    return both(tmp_path_factory.mktemp("worlds"))


@pytest.fixture(scope="module")
def small_worlds(tmp_path_factory: pytest.TempPathFactory) -> Worlds:
    """Two worlds with all values in one scope, which are sooner read."""
    return both(tmp_path_factory.mktemp("small"), is_small=True)


# All commands, each with all values

Scene = Callable[[World], Iterator[Sequence[str]]]


def asking(kind: str, first: int, *more: str) -> Scene:
    """Requests with three of the values at once, explained, in words and in JSON.

    Each of the four kinds takes a quarter of them; the shortest way to all would be one for each.
    """

    def scene(world: World) -> Iterator[Sequence[str]]:
        values, scopes = world.values, world.scopes
        for n in range(first * 3, len(values), 12):
            three = zip(("customer_id", "email", "ios_idfv"), values[n : n + 3], strict=False)
            given = [word for name, value in three for word in ("--identity", f"{name}={value}")]
            asked = (kind, *given, "--scope", scopes[n], *more)
            yield (*asked, "--explain")
            yield asked
            yield (*asked, "--json", "--explain")

    return scene


def modifying(world: World) -> Iterator[Sequence[str]]:
    mpids = mpids_of(world)
    for n, value in enumerate(world.values):
        asked = ("modify", "--mpid", mpids[n], "--workspace", world.scopes[n], "--dry-run")
        escaped = value.replace("\\", "\\\\").replace(":", "\\:")
        if n % 3 == 0:
            yield (*asked, "--change", f"email:2{escaped}:3{escaped}")
        elif n % 3 == 1:
            yield (*asked, "--identity", f"email={value}", "--explain")
        else:
            yield (*asked, "--identity", f"email={value}", "--json")


def tracking(world: World) -> Iterator[Sequence[str]]:
    mpids = mpids_of(world)
    for n, value in enumerate(world.values):
        name = as_name(value)
        asked = ("track", "--dry-run", "--event", name, "--attribute", f"{name}={value}")
        if n % 3 == 0:
            more = ("--data", json.dumps({value: value}), "--delete-attribute", name)
            yield (*asked, "--mpid", mpids[n], "--scope", world.scopes[n], *more)
        elif n % 3 == 1:
            yield (*asked, "--identity", f"email={value}", "--scope", world.scopes[n], "--explain")
        else:
            yield (*asked, "--event-type", value, "--mpid", value, "--json")
            yield ("track", "--data", value, "--mpid", mpids[n])


def erasing(world: World) -> Iterator[Sequence[str]]:
    mpids = mpids_of(world)
    asked: tuple[str, ...]
    for n, value in enumerate(world.values):
        asked = ("erase", "--scope", world.scopes[n], "--request-id", value, "--dry-run")
        if n % 3 == 0:
            yield (*asked, "--mpid", mpids[n])
        elif n % 3 == 1:
            yield (*asked, "--identity", f"email={value}", "--identity", f"customer_id={value}")
        else:
            yield (*asked, "--identity", f"other={value}", "--json")
            yield ("erase", "--dry-run", "--mpid", value)
    for n, (value, name) in enumerate(zip(world.values, world.names, strict=False)):
        request = subject_request(n, value)
        world.idsync.write(f"{name}.json", json.dumps(request))
        asked = ("erase", "--dsr", f"{name}.json", "--scope", world.scopes[n])
        yield (*asked, "--output", f"{name}.data")
        yield (*asked, "--output", f"{name}.data")  # used before, and not empty
        yield (*asked, "--output", f"{name}.gone/x", "--json")
        identities = {value: {}, "email": {"value": value, "encoding": value}, "google": value}
        wrong = dict.fromkeys(request, value) | {"subject_identities": identities}
        world.idsync.write("wrong.json", json.dumps(wrong))
        yield ("erase", "--dsr", "wrong.json")
    world.run("backup", "erasing.db", "--force")
    for n, (mpid, name) in enumerate(zip(mpids, world.names, strict=False)):
        asked = ("erase", "--mpid", mpid, "--scope", world.scopes[n], "--store", "erasing.db")
        yield (*asked, "--certificate", f"{name}.sheet")
        yield ("profile", "show", "--mpid", mpid, "--store", "erasing.db")
        yield ("erase", "--mpid", mpid, "--certificate", f"{name}/none")


def aliasing(world: World) -> Iterator[Sequence[str]]:
    mpids = mpids_of(world)
    for n, value in enumerate(world.values):
        asked = ("alias", "--source", mpids[n], "--scope", world.scopes[n], "--dry-run")
        yield (*asked, "--destination", mpids[n - 1])
        yield (*asked, "--destination", value)
        yield (*asked, "--destination", mpids[n], "--start", value)


def querying(world: World) -> Iterator[Sequence[str]]:
    mpids = mpids_of(world)
    for n, value in enumerate(world.values):
        asked = ("profile", "query", "--scope", world.scopes[n])
        yield (*asked, "--mpid", mpids[n])
        yield (*asked, "--identity", f"customer_id={value}", "--json")
        yield (*asked, "--mpid", mpids[n], "--fields", value)


def translating(world: World) -> Iterator[Sequence[str]]:
    for n, (value, name) in enumerate(zip(world.values, world.names, strict=False)):
        world.idsync.write(f"{name}.txt", json.dumps({"email": value}) + "\n")
        asked = ("translate", f"{name}.txt", "--scope", world.scopes[n], "--to")
        yield (*asked, "email", "--json")
        yield (*asked, value)


def subject_request(number: int, value: str) -> dict[str, Any]:
    """A request of a data subject who is known by the value, for all that there is."""
    return {
        "regulation": "gdpr",
        "subject_request_id": f"00000000-0000-4000-8000-{number:012}",
        "subject_request_type": "access",
        "submitted_time": "2026-03-01T12:00:00Z",
        "subject_identities": {"controller_customer_id": {"value": value, "encoding": "raw"}},
        "api_version": "3.0",
    }


def mpids_of(world: World) -> list[str]:
    """The profile that was made first for each value."""
    profiles = [each for each in exported(world) if "identities" in each]
    made = {tuple(each["identities"].get("customer_id", ())): each["mpid"] for each in profiles}
    return [made[value,] for value in world.values]


def exported(world: World) -> list[Any]:
    return world.idsync("export").profiles()


def near(name: str) -> str:
    """A name that is not there, and is nearly one that is; hints are looked at below."""
    return "nowhere" if "\n" in name else f"{name}?"


def replaying(world: World) -> Iterator[Sequence[str]]:
    yield ("replay", "requests.jsonl", "--store", "new.db", "--seed", "1", "--explain")
    yield ("replay", "refused.jsonl", "--explain", "--again")
    yield ("replay", "refused.jsonl", "--again", "--output", "-", "--explain", "--json")
    yield ("replay", "refused.jsonl", "--again", "--json")
    for name in world.names[::3]:
        world.idsync.write(f"{name}.jsonl", lines(refused(world, 2)))
        yield ("replay", f"{name}.jsonl", "--output", f"{name}.out")
        yield ("replay", f"{name}.jsonl", "--output", f"{name}.out")  # done before
        yield ("replay", f"{name}.gone", "--output", f"{name}/none")
        yield ("replay", "requests.jsonl", "--again", "--dry-run", "--scope", near(name))


def checking(world: World) -> Iterator[Sequence[str]]:
    write_scenarios(world)
    yield ("check", "scenarios", "--config", "idsync.yaml")
    yield ("check", "scenarios")  # the other formats are read below
    for form in ("text", "github", "tap"):
        yield ("check", "unreadable", "--format", form, "--junit", "report.xml")
    for value in world.values[::3]:
        if value.strip():
            yield ("check", "nowhere", "-k", value)
    for name in world.names:
        yield ("check", name, f"{name}/x", "--junit", f"{name}/none")
        yield ("check", "--init", f"{name}", f"{name}")
    yield ("check", "scenarios", "--update")


def initializing(world: World) -> Iterator[Sequence[str]]:
    for name in world.names:
        yield ("init", "--config", f"{name}.new.yaml", "--store", f"{name}.db", "--seed", "1")
        yield ("init", "--config", f"{name}.new.yaml", "--store", f"{name}.db", "--seed", "2")
        yield ("init", "--config", f"{name}.new.yaml", "--store", f"{name}/none.db")
        yield ("init", "--config", f"{name}/none.yaml")


def listing(world: World) -> Iterator[Sequence[str]]:
    yield ("profiles", "--limit", "1000")
    yield ("profiles", "--json")
    for value in world.scopes[::8]:
        yield ("profiles", "--scope", value)
        yield ("profiles", "--scope", near(value))
        yield ("profiles", "--with", value)


def asking_who(world: World) -> Iterator[Sequence[str]]:
    for n, value in enumerate(world.values):
        yield ("whois", f"email={value}")
        if n % 12 == 0:
            yield ("whois", f"customer_id={value}", "--scope", world.scopes[n], "--json")
            yield ("whois", f"email={value}?")
            yield ("whois", f"{value}=x")


def drawing(world: World) -> Iterator[Sequence[str]]:
    mpids = mpids_of(world)
    for n, value in enumerate(world.values):
        form = ("mermaid", "dot", "html", "json")[n % 4]
        yield ("graph", f"email={value}", f"customer_id=2{value}", "--format", form)
        if n % 12 == 0:
            yield ("graph", mpids[n], "--format", form)
            yield ("graph", f"email={value}?")
            yield ("graph", f"{value}=x", "--scope", near(value))
            yield ("graph", "--scope", world.scopes[n], "--limit", "3", "--format", "html")


def asking_why_not(world: World) -> Iterator[Sequence[str]]:
    mpids = mpids_of(world)
    for n, value in enumerate(world.values):
        asked = ("--identity", f"email={value}", "--scope", world.scopes[n])
        if n % 3 == 0:
            yield ("why-not", mpids[n], *asked)
        elif n % 3 == 1:
            yield ("why-not", mpids[n], *asked, "--identity", f"customer_id=2{value}", "--json")
        else:
            yield ("why-not", f"@{value}", "--line", str(4 * n + 3), "requests.jsonl")
            yield ("why-not", f"@{value}?", "--line", "1", "requests.jsonl")
            yield ("why-not", f"x{value}", *asked, "--type", value)


def remembering(world: World) -> Iterator[Sequence[str]]:
    for n, (value, mpid) in enumerate(zip(world.values, mpids_of(world), strict=True)):
        if n % 4 == 0:  # the first has had all values
            yield ("history", "--mpid", mpid)
            yield ("history", f"email={value}")
        if n % 12 == 0:
            yield ("history", f"email={value}", "--json")
            yield ("history", f"email={value}", "--mpid", mpid)
            yield ("history", f"email={value}?")


def showing(world: World) -> Iterator[Sequence[str]]:
    for n, mpid in enumerate(mpids_of(world)):
        if n % 4 == 0:  # the first holds all values
            yield ("profile", "show", "--mpid", mpid, "--limit", "1000")
        if n % 12 == 0:
            yield ("profile", "show", "--mpid", mpid, "--json")


def exporting(world: World) -> Iterator[Sequence[str]]:
    yield ("export",)
    for value in world.scopes[::8]:
        yield ("export", "--format", "csv", "--scope", value)
        yield ("export", "--scope", near(value))
    for name in world.names[::3]:
        yield ("export", "--output", f"{name}.csv")
        yield ("export", "--output", f"{name}/none")


def importing(world: World) -> Iterator[Sequence[str]]:
    name = world.names[0]
    good = {"mpid": "1", "scope": world.scopes[0], "identities": {"email": ["a"]}}
    bad: list[dict[str, Any]] = []
    for value in world.values:
        bad += [
            {**good, "scope": near(value)},
            {**good, value: 1},
            {**good, "mpid": value},
            {**good, "known": value},
            {**good, "identities": {value: ["a"]}},
            {**good, "identities": {"email": value}},
            {**good, "identities": {"email": [f"{value}\0"]}},
        ]
    for n in range(0, len(bad), 20):
        world.idsync.write(f"{name}.jsonl", lines(bad[n : n + 20]))
        yield ("import", f"{name}.jsonl", "--store", "none.db")
    for value in world.values[::4]:
        cells = io.StringIO()
        csv.writer(cells).writerows([["mpid", "email", value], ["1", "a", "b"]])
        world.idsync.write("bad.csv", cells.getvalue())
        yield ("import", "bad.csv", "--store", "none.db")
    for name in world.names:
        yield ("import", f"{name}.gone")


def converting(world: World) -> Iterator[Sequence[str]]:
    """Values in headers, cells, keys, and in what is not usable; never what separates cells."""
    for n, value in enumerate(world.values):
        cells = io.StringIO()
        rows = [["email", "other", value], [value, f"{value} ", value], [value, value, ""], [""]]
        csv.writer(cells).writerows([*rows, [f"{value}\0", value, value]])
        world.idsync.write("table.csv", cells.getvalue())
        quiet = ("--quiet",) if {*HOSTILE[n]} & {*"\r\n"} else ()  # else it warns of line ends
        yield ("convert", "table.csv", *(("--json",) if n % 2 else quiet))
        people = [{"email": value, value: value}, {"email": [value]}, {"known_identities": value}]
        world.idsync.write("people.json", json.dumps(people, ensure_ascii=False, indent=1))
        yield ("convert", "people.json", "--output", os.devnull, *quiet)
        yield ("convert", "table.csv", "--map", f"{value}={value}", *quiet)
    for name in world.names:
        yield ("convert", f"{name}.gone")


def backing_up(world: World) -> Iterator[Sequence[str]]:
    for name in world.names[::3]:
        yield ("backup", f"{name}.backup")
        yield ("backup", f"{name}.backup")  # already exists
        yield ("backup", f"{name}.json-backup", "--json")
        yield ("backup", f"{name}/none")
        yield ("backup", "none", "--store", f"{name}.gone")


def restoring(world: World) -> Iterator[Sequence[str]]:
    world.run("backup", "whole.db", "--force")
    for name in world.names[::3]:
        yield ("restore", "whole.db", "--store", f"{name}.restored")
        yield ("restore", "whole.db", "--store", f"{name}.restored")  # what was there is kept
        yield ("restore", "whole.db", "--store", f"{name}.restored", "--json", "--discard")
        yield ("restore", f"{name}.gone")
        yield ("restore", f"{name}.jsonl", "--store", f"{name}.restored")


def showing_rules(world: World) -> Iterator[Sequence[str]]:
    yield ("config", "show")
    yield ("config", "show", "--json")
    for name in world.names:
        yield ("config", "show", "--config", f"{name}.gone")


def asking_for_members(world: World) -> Iterator[Sequence[str]]:
    mpids = mpids_of(world)
    yield ("audience",)
    yield ("audience", "--json")
    for n in range(0, len(world.values), 2 * IN_A_SCOPE):
        name, mpid = world.scopes[n], mpids[n]
        yield ("audience", name, "--explain", mpid)
        yield ("audience", "other", "--explain", mpid, "--json")
        yield ("audience", name, "--scope", name)
        yield ("audience", name, "--scope", name, "--json")
        yield ("audience", near(name))
        yield ("audience", "other", "--now", f"{world.values[n]}?")
    yield ("audience", "other")  # of which there are many
    yield ("audience", world.scopes[0], "--output", f"{world.names[0]}.csv")
    yield ("audience", world.scopes[0], "--output", f"{world.names[0]}/none")


def write_faults(world: World) -> None:
    """A configuration with a fault in every place that a value can stand, for each value."""
    for n, value in enumerate(map(in_yaml, world.scopes)):
        text = (
            f"version: {value}\n{value}: x\nscopes:\n  {value}:\n    strategy: {value}\n"
            f"    priority: [{value}]\n    on_conflicting_login: {value}\n"
            f"    identities: {{{value}: {value}, email: {{{value}: 1}}}}\n    {value}: x\n"
            f"    calculated_attributes: {{{value}: {{calculation: {value}, within: {value}}}}}\n"
            f"    audiences: {{{value}: {{id: {value}, all: [{{audience: {value}}}, {value},"
            f" {{identity: {value}, operator: {value}}}, {{{value}: x}},"
            f" {{attribute: {value}, operator: before, value: {value}}},"
            f" {{known: {value}}}, {{event: {value}, operator: {value}, within: {value}}}]}}}}\n"
            f"accounts:\n  {value}: {{{value}: x, workspaces: {{{value}: {value}}}}}\n"
            f"  second: {{workspaces: {{{value}: [{value}]}}}}\n"
        )
        world.idsync.write(f"faults-{n}.yaml", text)


def linting(world: World) -> Iterator[Sequence[str]]:
    write_faults(world)
    yield ("config", "lint")
    yield ("config", "lint", "--format", "github")
    for n in range(0, len(world.values), 2):
        form = ("text", "github")[n // 2 % 2]
        yield ("config", "lint", "--config", f"faults-{n}.yaml", "--format", form)
    for name in world.names:
        world.idsync.write(f"{name}.yaml", configuration(world.scopes[:3]))
        yield ("config", "lint", "--config", f"{name}.yaml")
        yield ("config", "lint", "--config", f"{name}.yaml", "--format", "github")


def planning(world: World) -> Iterator[Sequence[str]]:
    world.idsync.write(
        "unique.yaml", configuration(world.scopes, settings=", email: {unique: true}")
    )
    world.idsync.write("gone.yaml", configuration([f"{value}?" for value in world.scopes]))
    for name in ("unique.yaml", "gone.yaml"):
        yield ("config", "plan", "--config", name)
        yield ("config", "plan", "--config", name, "--json")
    yield ("stats", "--config", "gone.yaml")  # which says what scopes are gone


def comparing(world: World) -> Iterator[Sequence[str]]:
    text = configuration(world.scopes, settings=", email: {login: true, unique: true}")
    world.idsync.write("two.yaml", text.replace("conversion", "link"))
    asked = ("compare", "--with", "two.yaml", "requests.jsonl", "refused.jsonl")
    yield (*asked, "--examples", "40")
    yield (*asked, "--examples", "40", "--json")
    for name in world.names[:2]:
        world.idsync.write(f"{name}.jsonl", lines(requests(world)[:40]))
        yield ("compare", "--with", "two.yaml", f"{name}.jsonl", "--output", f"{name}.differs")
    world.idsync.write("gone.yaml", configuration([f"{value}?" for value in world.scopes]))
    yield ("compare", "--with", "gone.yaml", "requests.jsonl")
    errors = [
        {**each, "response": {"error": value}}
        for each, value in zip(requests(world)[::4], world.values, strict=False)
    ]
    world.idsync.write("recorded.jsonl", lines(errors))
    yield ("compare", "--recorded", "recorded.jsonl")
    yield ("compare", "--recorded", "recorded.jsonl", "--json")


def linting_data(world: World) -> Iterator[Sequence[str]]:
    yield ("lint", "requests.jsonl", "refused.jsonl")
    yield ("lint", "requests.jsonl", "--json")
    yield ("lint", "requests.jsonl", "--format", "github")
    yield ("lint",)
    yield ("lint", "--json")
    for name in world.names[:2]:
        world.idsync.write(f"{name}.jsonl", lines(requests(world)[:40]))
        yield ("lint", f"{name}.jsonl", "--redact")
        yield ("lint", f"{name}.jsonl", "--format", "github")


def loading(world: World) -> Iterator[Sequence[str]]:
    for name in world.names[::3]:
        yield ("load", f"{name}.gone", "--store", "loaded.db")
        yield ("load", f"{name}.jsonl", "--state", f"{name}.jsonl", "--store", "loaded.db")


def replaying_on_spark(world: World) -> Iterator[Sequence[str]]:
    """What is refused before Spark is begun, which may not be there."""
    for name in world.names[::3]:
        yield ("spark-replay", f"{name}.gone", "--output", name)
        yield ("spark-replay", f"{name}.bz2", "--output", name)
        yield ("spark-replay", f"{name}.jsonl", f"{name}.jsonl", "--output", name)
        yield ("spark-replay", f"{name}.jsonl", "--output", name, "--window", "0")


SCENES: Mapping[str, Scene] = {
    "load": loading,
    "spark-replay": replaying_on_spark,
    "init": initializing,
    "identify": asking("identify", 0, "--dry-run"),
    "login": asking("login", 1, "--dry-run"),
    "logout": asking("logout", 2, "--dry-run"),
    "search": asking("search", 3),
    "modify": modifying,
    "track": tracking,
    "erase": erasing,
    "alias": aliasing,
    "profile query": querying,
    "translate": translating,
    "replay": replaying,
    "check": checking,
    "profiles": listing,
    "whois": asking_who,
    "why-not": asking_why_not,
    "graph": drawing,
    "compare": comparing,
    "lint": linting_data,
    "profile show": showing,
    "history": remembering,
    "audience": asking_for_members,
    "stats": lambda _: iter(
        [
            ("stats",),
            ("stats", "--json"),
            ("stats", "--deep"),
            ("stats", "--format", "prometheus"),
        ]
    ),
    "export": exporting,
    "import": importing,
    "convert": converting,
    "backup": backing_up,
    "restore": restoring,
    "doctor": lambda _: iter([("doctor",), ("doctor", "--json")]),
    "config show": showing_rules,
    "config lint": linting,
    "config plan": planning,
    "help": lambda world: (("help", f"x{value}") for value in world.values),
}
"""How each command is run with all values; a command that is not here fails its test."""


def commands(command: Any = None, path: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    """Every command of the program, as Typer knows it."""
    command = command or all_commands()
    if not hasattr(command, "commands"):
        yield " ".join(path), command
        return
    for name in command.commands:
        yield from commands(command.get_command(None, name), (*path, name))


COMMANDS = {name: each for name, each in commands() if name not in ("serve", "explore")}
"""All but the one that runs until it is stopped (tests/test_serve_command.py)."""


def test_every_command_is_walked() -> None:
    assert set(COMMANDS) - set(SCENES) == set(), "say how a new command is run with hostile values"
    assert set(COMMANDS) - set(LEAST) == set(), "say what a new command needs at least"


@pytest.mark.parametrize("command", COMMANDS)
def test_no_value_has_an_effect_on_what_a_command_says(
    worlds: Worlds, small_worlds: Worlds, command: str
) -> None:
    worlds = small_worlds if command in IN_THE_SMALL_WORLD else worlds
    hostile, other = worlds
    before = [owned(world) for world in worlds]
    said = ""
    for asked, harmlessly in zip(SCENES[command](hostile), SCENES[command](other), strict=True):
        for terminal in (False, True) if has_colour(asked) else (False,):
            outcome = hostile.run(*asked, terminal=terminal)
            expected = other.run(*harmlessly, terminal=terminal)
            assert outcome.status == expected.status, (asked, outcome)
            assert outcome.stdout.count("\n") == expected.stdout.count("\n"), (
                asked,
                outcome.stdout,
            )
            if not terminal:
                assert outcome.stderr.count("\n") == expected.stderr.count("\n"), outcome.stderr
            said += (outcome.stdout + outcome.stderr).replace("#\\x23[", "##[")  # for GitHub
    assert [owned(world) for world in worlds] == before
    if command in SHOWS_ALL:
        wanted = {*hostile.scopes, *(() if command in SHOWS_SCOPES else hostile.values)}
        assert [value for value in wanted if shown(value) not in said] == []


IN_THE_SMALL_WORLD = {
    *("backup", "restore", "doctor"),
    *("init", "identify", "login", "logout", "search", "modify", "track", "erase"),
    *("alias", "profile query", "translate"),
    *("whois", "why-not", "graph", "compare", "lint", "profile show", "history", "help"),
}
SHOWS_SCOPES = ("check", "stats", "config show")
SHOWS_ALL = {*SHOWS_SCOPES, "replay", "profiles", "whois", "profile show", "config plan"}
"""The commands that show every scope, and perhaps every value, whole; others show beginnings."""


def has_colour(asked: Sequence[str]) -> bool:
    """Whether it is asked twice, the second time on a terminal, where what is said has colours."""
    lasts = asked[0] in ("replay", "backup", "restore", "import", "export", "init")
    return "--json" not in asked and not lasts


def owned(world: World) -> set[str]:
    """What stands outside of the world, where no value may write."""
    return {path.name for path in world.idsync.folder.parent.iterdir()}


# Every option of every command

LEAST: Mapping[str, Sequence[str]] = {
    "init": ("--store", "least.db"),
    "modify": ("--mpid", "1", "--email", "a"),
    "track": ("--mpid", "1", "--event", "a"),
    "erase": ("--mpid", "1", "--dry-run"),
    "alias": ("--source", "1", "--destination", "2", "--dry-run"),
    "profile query": ("--mpid", "1"),
    "translate": ("nowhere", "--to", "email"),
    "replay": ("refused.jsonl", "--again", "--dry-run", "--quiet"),
    "check": ("nowhere",),
    "whois": ("email=a",),
    "why-not": ("1", "--email", "a"),
    "graph": ("email=a",),
    "compare": ("--with", "nowhere.yaml", "nowhere"),
    "lint": ("nowhere",),
    "profile show": ("--mpid", "1"),
    "history": ("--mpid", "1"),
    "import": ("nowhere",),
    "convert": ("nowhere",),
    "load": ("nowhere",),
    "spark-replay": ("nowhere", "--output", "nowhere"),
    "backup": ("least.backup",),
    "restore": ("nowhere",),
    "doctor": (),
    "audience": ("other",),
    **dict.fromkeys(("identify", "login", "logout", "search"), ("--idfa", "a")),
    **dict.fromkeys(("profiles", "stats", "export", "config show", "config lint"), ()),
    **dict.fromkeys(("config plan", "help"), ()),
}
"""What each command needs, so that it can be asked with one option more."""


def values_of(parameter: Any) -> bool:
    return not getattr(parameter, "is_flag", False)


@pytest.mark.parametrize("command", COMMANDS)
def test_no_value_of_any_option_has_an_effect(small_worlds: Worlds, command: str) -> None:
    hostile, other = small_worlds
    words = command.split()
    for parameter in filter(values_of, COMMANDS[command].params):
        name = max(parameter.opts, key=len)
        is_identity = name.removeprefix("--").replace("-", "_") in TYPES_BY_NAME
        for value in (AT_ONCE,) if is_identity else (AT_ONCE, AT_ONCE_BEHIND_A_LINE_FEED):
            for text in (value, f"email={value}", f"email:{value}:{value}"):
                outcomes = []
                for world, given in ((hostile, text), (other, shown(text).replace("\\", "x"))):
                    option = [given] if not name.startswith("-") else [name, given]
                    least = [each for each in LEAST[command] if each not in parameter.opts]
                    if len(least) < len(LEAST[command]):
                        least = []
                    outcomes.append(world.run(*words, *least, *option))
                outcome, expected = outcomes
                asked = (command, name, text, outcome)
                assert outcome.stdout.count("\n") == expected.stdout.count("\n"), asked
                assert outcome.stderr.count("\n") == expected.stderr.count("\n"), asked
                if text == value and name not in TAKES_WHAT_IS_WRITTEN:
                    break


TAKES_WHAT_IS_WRITTEN = {"--identity", "--change", "identifier"}


@pytest.mark.parametrize("command", COMMANDS)
def test_no_option_or_word_that_is_not_known_has_an_effect(
    small_worlds: Worlds, command: str
) -> None:
    hostile, _ = small_worlds
    for words in ([f"--{AT_ONCE}"], [AT_ONCE] * 3):
        if words[0].startswith("-") or command not in ("check", "replay"):  # which take any word
            outcome = hostile.run(*command.split(), *words)
            assert outcome.status == 2
            assert len(outcome.stderr.splitlines()) <= 2


def test_a_hint_stays_in_its_line(worlds: Worlds) -> None:
    """A name from the configuration, at which a message hints."""
    hostile, _ = worlds
    for scope in hostile.scopes:
        if "\n" in scope:
            outcome = hostile.run("profiles", "--scope", f"{scope}?")
            assert len(outcome.stderr.splitlines()) == 1


def test_no_command_that_is_not_known_has_an_effect(small_worlds: Worlds) -> None:
    for arguments in ([AT_ONCE], ["config", AT_ONCE], ["profile", AT_ONCE]):
        outcome = small_worlds[0].run(*arguments)
        assert outcome.status == 2
        assert len(outcome.stderr.splitlines()) == 2


# What programs read


def write_scenarios(world: World) -> None:
    """For each value a scenario that passes, one that fails, and a file that cannot be read."""
    for n, value in enumerate(map(in_yaml, world.scopes)):
        rules = "scope: {strategy: best_match, priority: [email, ios_idfv]}\n"
        passing = (
            f"name: {value}\n{rules}steps:\n  - identify: {{email: {value}}}\n    as: {value}\n"
        )
        failing = (
            f"{passing}    expect:\n      status: matched\n      changes:\n"
            f"        - {{op: add, mpid: 1, identity_type: ios_idfv, value: {value}}}\n"
            f'profiles:\n  "@{value[1:]}: {{email: {value}, ios_idfv: {value}}}\n'
        )
        world.idsync.write(f"scenarios/{n}.yaml", f"{passing}---\n{failing}")
        unreadable = (
            f"name: [{value}]\n{value}: x\nscope: {{strategy: {value}, priority: [{value}]}}\n"
            f"given:\n  - {{mpid: {value}, email: [[{value}]], {value}: x}}\n"
            f"steps:\n  - identify: {{email: x}}\n    expect: {{status: {value}, {value}: x}}\n"
            f"  - {value}: x\nprofiles: {{{value}: x}}\n---\nconfig: {value}\nsteps: []\n"
        )
        world.idsync.write(f"unreadable/{n}.yaml", unreadable)
    for n, name in enumerate(world.names):
        content = (world.idsync.folder / "scenarios/0.yaml").read_bytes()
        world.idsync.write(f"scenarios/{n:03}{name}.yaml", content)


@pytest.fixture(scope="module")
def scenarios(tmp_path_factory: pytest.TempPathFactory) -> Worlds:
    """The two worlds with scenarios that nothing has updated."""
    folder = tmp_path_factory.mktemp("scenarios")
    made = []
    for name in ("hostile", "harmless"):
        (folder / name).mkdir()
        made.append(World(Program(folder / name, columns=8_000), name == "hostile"))
        write_scenarios(made[-1])
    return made[0], made[1]


COMMAND_OF_GITHUB = re.compile(r"^\s*::([a-z-]+)(?: ([^:]*))?::(.*)$")


def github_commands(text: str) -> list[tuple[str, dict[str, str], str]]:
    """What GitHub would find in a log: at the start of a line, or behind `##[` anywhere."""
    found: list[tuple[str, dict[str, str], str]] = []
    for line in text.split("\n"):
        assert "##[" not in line
        if group := re.fullmatch(r"::(group|endgroup)::(.*)", line):
            found.append((group[1], {}, unescaped(group[2])))
        elif line.strip().startswith("::"):
            match = COMMAND_OF_GITHUB.match(line)
            assert match, line
            pairs = (each.split("=", 1) for each in match[2].split(","))
            properties = {name: unescaped(value) for name, value in pairs}
            found.append((match[1], properties, unescaped(match[3])))
    return found


def unescaped(text: str) -> str:
    for escape, character in (
        ("%3A", ":"),
        ("%2C", ","),
        ("%0A", "\n"),
        ("%0D", "\r"),
        ("%25", "%"),
    ):
        text = text.replace(escape, character)
    return text


@pytest.mark.parametrize("folder", ["scenarios", "unreadable"])
def test_annotations_of_github_are_ours_alone(scenarios: Worlds, folder: str) -> None:
    asked = ("check", folder, "--format", "github")
    hostile, other = (github_commands(world.run(*asked).stdout) for world in scenarios)
    levels = [level for level, _, _ in hostile]
    assert levels == [level for level, _, _ in other]
    groups = [level for level in levels if level != "error"]
    assert groups == ["group", "endgroup"] * (len(groups) // 2)
    assert bool(groups) == (folder == "scenarios")
    for level, _, title in hostile:
        assert level == "error" or title == "" or title.startswith("explained: ")
        assert_harmless(title)
    hostile, other = ([each for each in told if each[0] == "error"] for told in (hostile, other))
    assert {level for level, _, _ in hostile} == {"error"}
    assert len(hostile) == len(other) > len(HOSTILE)
    for _, properties, message in hostile:
        assert set(properties) <= {"file", "line", "col", "title"}
        assert_harmless(message + "".join(properties.values()))
    if folder == "scenarios":
        titles = {properties["title"] for _, properties, _ in hostile}
        wanted = {
            f"scenario failed: {value}".replace("##[", "#\\x23[")
            for value in map(printable, scenarios[0].scopes)
        }
        assert wanted <= titles


@pytest.mark.parametrize("folder", ["scenarios", "unreadable"])
def test_tap_has_our_points_alone_and_keeps_the_values(scenarios: Worlds, folder: str) -> None:
    text = scenarios[0].run("check", folder, "--format", "tap").stdout
    points: list[int] = []
    told: list[Any] = []
    diagnosis: list[str] | None = None
    head, *rest = text.rstrip("\n").split("\n")
    assert head == "TAP version 14"
    for line in rest:
        if diagnosis is not None and line != "  ...":
            assert line.startswith("  ")
            diagnosis.append(line)
        elif line == "  ...":
            assert diagnosis is not None
            told.append(yaml.safe_load("\n".join(diagnosis)))
            diagnosis = None
        elif line == "  ---":
            diagnosis = []
        elif match := re.fullmatch(r"(?:not )?ok (\d+) - (.*)", line):
            points.append(int(match[1]))
            assert not re.search(r"(?<!\\)(?:\\\\)*#", match[2])  # which would begin a directive
        else:
            assert re.fullmatch(r"1\.\.\d+|# \d+ passed, \d+ failed(, \d+ unreadable)?", line)
    assert points == list(range(1, len(points) + 1))
    assert f"1..{len(points)}" in rest
    assert diagnosis is None
    if folder == "scenarios":
        values = {
            change["value"]
            for each in told
            for mismatch in each["mismatches"]
            if mismatch["what"] == "changes"
            for change in mismatch["found"]
        }
        assert {value for value in scenarios[0].scopes if "##[" not in value} <= values


@pytest.mark.parametrize("folder", ["scenarios", "unreadable"])
def test_junit_stays_a_report_and_holds_the_names(scenarios: Worlds, folder: str) -> None:
    reports = []
    for world in scenarios:
        world.run("check", folder, "--junit", "report.xml")
        data = (world.idsync.folder / "report.xml").read_bytes()
        assert_harmless(data.decode("utf-8"))
        reports.append(ElementTree.fromstring(data))
    shapes = [[each.tag for each in report.iter()] for report in reports]
    assert shapes[0] == shapes[1]
    assert len(shapes[0]) > len(HOSTILE)
    for each in reports[0].iter():
        assert_harmless("".join(each.attrib.values()) + (each.text or ""))
    if folder == "scenarios":
        names = {each.attrib["name"] for each in reports[0].iter("testcase")}
        assert set(map(printable, scenarios[0].scopes)) <= names


def test_an_update_changes_what_was_expected_and_nothing_else(worlds: Worlds) -> None:
    """The values come back from what was written, exactly."""
    folder = worlds[0].idsync.folder.parent / "updated"
    folder.mkdir()
    world = World(Program(folder, columns=8_000), hostile=True)
    write_scenarios(world)
    assert world.run("check", "scenarios", "--update").status == 0
    assert world.run("check", "scenarios").status == 0
    for n, value in enumerate(world.scopes):
        documents = yaml.safe_load_all((folder / f"scenarios/{n}.yaml").read_bytes())
        [_, updated] = documents
        assert updated["profiles"] == {f"@{value}": {"email": value}}
        assert updated["name"] == value


STARTS_A_FORMULA = re.compile(r"[\s\"']*[=+\-@＝＋－＠]")


@pytest.mark.parametrize("separator", [",", ";", "|", "\t"])
def test_no_cell_is_a_formula_whatever_separates_cells(worlds: Worlds, separator: str) -> None:
    text = worlds[0].run("export", "--format", "csv").stdout
    rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=separator))
    assert len(rows) == len(text.rstrip("\n").split("\n"))  # nor does one break out of its line
    numbers = re.compile(r"-?[0-9]+")
    for row in rows:
        for cell in row:
            if cell.startswith("'") and separator == ",":
                continue  # an apostrophe says that it is text
            if not numbers.fullmatch(cell) and not re.match(r"-?[0-9]+,", cell):
                assert not STARTS_A_FORMULA.match(cell), cell


def test_csv_is_read_back_to_the_exact_values(worlds: Worlds) -> None:
    hostile, _ = worlds
    exported = hostile.run("export").profiles()
    table = hostile.run("export", "--format", "csv").stdout.encode()
    into = ("--store", "from-csv.db", "--seed", "1")
    assert hostile.run("import", "-", "--format", "csv", *into, stdin=table).status == 0
    assert hostile.run("export", "--store", "from-csv.db").profiles() == exported
    assert table.startswith(",".join(COLUMNS).encode())


def test_json_keeps_the_exact_values(worlds: Worlds) -> None:
    hostile, _ = worlds
    profiles = hostile.run("export").profiles()
    assert {line["scope"] for line in profiles} == set(hostile.scopes)
    held = {value for line in profiles for value in line["identities"].get("other", ())}
    assert held == set(HOSTILE)
    assert hostile.run("profiles", "--json").lines() == profiles
    for n, mpid in enumerate(mpids_of(hostile)):
        if n % 12 == 0:
            profile = hostile.run("profile", "show", "--mpid", mpid, "--json").json()
            assert profile["made_by"]["request_id"] == HOSTILE[n]
            assert profile["scope"] == hostile.scopes[n]
            assert {each["value"] for each in profile["identifiers"]} >= {HOSTILE[n]}
            entries = hostile.run("history", "--mpid", mpid, "--json").lines()
            assert {each["request_id"] for each in entries} <= {HOSTILE[n], None}
    rules = hostile.run("config", "show", "--json").json()
    assert list(rules["scopes"]) == hostile.scopes
    assert rules["workspaces"] == {scope: scope for scope in hostile.scopes}
    answers = hostile.run(
        "replay", "requests.jsonl", "--again", "--dry-run", "--output", "-"
    ).lines()
    assert [answer["scope"] for answer in answers[:-1:4]] == hostile.scopes


# Folders and files


def test_no_name_leads_out_of_the_folder(worlds: Worlds, tmp_path: Path) -> None:
    """A scope is never a file; and a path that is given leads where it says, or is refused."""
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    idsync = Program(inner)
    idsync.write("idsync.yaml", configuration(["../../etc/passwd", "/etc/passwd", "..", "."]))
    done = idsync("identify", "--email", "a", "--scope", "../../etc/passwd")
    assert done.status == 0
    for path in ("../../etc/passwd", "../../../../../../../../nowhere/passwd", "..", "."):
        for asked in (
            ("export", "--output", path),
            ("replay", "idsync.yaml", "--output", path),
            ("check", "idsync.yaml", "--junit", path),
            ("init", "--config", path, "--store", "x.db"),
            ("identify", "--email", "a", "--scope", "..", "--store", path),
        ):
            outcome = idsync(*asked)
            assert outcome.status in (2, 3), (asked, outcome)
            assert "Traceback" not in outcome.stderr
    outside = [path for path in tmp_path.rglob("*") if not path.is_relative_to(inner)]
    assert outside == [tmp_path / "a"]
    made = {path.name.removesuffix("-lock") for path in inner.iterdir()}
    assert made <= {"idsync.yaml", "idsync.db"}


def test_names_that_are_no_text_are_told_as_escapes(tmp_path: Path) -> None:
    idsync = Program(tmp_path)
    name = os.fsdecode(b"\x1b[2J\xff\n")
    idsync.write(f"{name}.yaml", "steps: [\n")
    outcome = idsync("check", f"{name}.yaml", "--format", "tap", "--junit", "report.xml")
    assert_harmless(outcome.stdout + outcome.stderr)
    assert "\\x1b[2J\\udcff\\n.yaml" in outcome.stdout.replace("\\\\", "\\")
    ElementTree.fromstring((tmp_path / "report.xml").read_bytes())


def test_the_workflow_of_init_names_no_folder_that_is_a_command(tmp_path: Path) -> None:
    root = tmp_path / "repository"
    (root / ".git").mkdir(parents=True)
    for name in ("a\nb", "${{ x }}", "\u202e", "\x1b[2J"):
        inner = root / name
        inner.mkdir()
        outcome = Program(inner)("check", "--init")
        assert_harmless(outcome.stderr)
        assert outcome.status == 2
        assert list(inner.iterdir()) == []
    inner = root / "-x; touch y"
    inner.mkdir()
    assert Program(inner)("check", "--init").status == 0
    workflow = yaml.safe_load((root / ".github/workflows/idsync-check.yml").read_bytes())
    run = workflow["jobs"]["check"]["steps"][-2]["run"]
    assert "'./-x; touch y/scenarios'" in run


# On a terminal


@pytest.mark.parametrize(
    "arguments",
    [
        ("profiles", "--limit", "1000"),
        ("replay", "refused.jsonl", "--explain", "--dry-run", "--again"),
        ("config", "show"),
    ],
    ids=" ".join,
)
def test_a_terminal_gets_our_colours_and_nothing_else(
    worlds: Worlds, arguments: tuple[str, ...]
) -> None:
    hostile, _ = worlds
    main, side = pty.openpty()
    environment = {"PYTHONPATH": str(Path(__file__).parent.parent), "TERM": "xterm-256color"}
    process = subprocess.Popen(
        [sys.executable, "-m", "idsync_cli", *arguments],
        cwd=hostile.idsync.folder,
        stdin=side,
        stdout=side,
        stderr=side,
        env=environment | {"COLUMNS": "100", "LANG": "C.UTF-8"},
    )
    os.close(side)
    data = b"".join(_read_all(main))
    process.wait(60)
    os.close(main)
    text = data.decode("utf-8").replace("\r\n", "\n")
    assert OUR_COLOURS.search(text)
    assert_harmless(OUR_PROGRESS.sub("", OUR_COLOURS.sub("", text)))


def _read_all(main: int) -> Iterator[bytes]:
    while True:
        try:
            piece = os.read(main, 2**16)
        except OSError:  # so does the system say that nobody writes any more
            return
        if not piece:
            return
        yield piece
