"""Looking into a store: profiles, whois, profile show, history and stats."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.program import CONFIG, TWO_SCOPES, Outcome, Program, program_in_a_fresh_folder

__all__ = ["program_in_a_fresh_folder"]

HOSTILE = "[bold]\x1b[2J\u202e[/oops]\n=1+1"

COMMANDS = (
    ("profiles",),
    ("whois", "email=a@example.com"),
    ("profile", "show", "--mpid", "5"),
    ("history", "--mpid", "5"),
    ("history", "email=a@example.com"),
    ("stats",),
)


def _line(mpid: int, scope: str = "consumers", **identities: str | list[str]) -> dict[str, Any]:
    listed = {kind: [each] if isinstance(each, str) else each for kind, each in identities.items()}
    return {"mpid": str(mpid), "scope": scope, "identities": listed}


def _mpid(outcome: Outcome) -> str:
    return str(outcome.json()["mpid"])


@pytest.fixture(name="story")
def a_user_who_signs_in(idsync: Program) -> dict[str, str]:
    """A visitor who becomes known, a logout on the same device, and a changed email."""
    visitor = _mpid(idsync("identify", "--idfv", "9", "--email", "a@example.com", "--json"))
    login = _mpid(idsync("login", "--customer-id", "C1", "--idfv", "9", "--json"))
    after = _mpid(idsync("logout", "--idfv", "9", "--das", "d", "--json"))
    changed = idsync("modify", "--mpid", login, "--email", "b@example.com", "--json")
    assert changed.status == 0
    assert visitor == login != after
    return {"known": login, "anonymous": after}


@pytest.mark.parametrize("command", COMMANDS)
def test_without_a_store_there_is_nothing_to_look_into(
    idsync: Program, command: tuple[str, ...]
) -> None:
    before = idsync.files()
    outcome = idsync(*command)
    assert (outcome.status, outcome.stdout) == (3, "")
    assert "there is no store at idsync.db; create one with: idsync init" in outcome.stderr
    assert idsync.files() == before


@pytest.mark.parametrize("command", COMMANDS)
def test_looking_changes_nothing(
    idsync: Program, story: dict[str, str], command: tuple[str, ...]
) -> None:
    before = idsync("export").stdout, Path(idsync.folder, "idsync.db").read_bytes()
    assert idsync(*command).status in (0, 1)
    assert (idsync("export").stdout, Path(idsync.folder, "idsync.db").read_bytes()) == before


class TestProfiles:
    def test_json_has_the_lines_of_an_export(self, idsync: Program, story: dict[str, str]) -> None:
        assert idsync("profiles", "--json").stdout == idsync("export").stdout

    def test_the_table_shows_state_and_first_identifiers(
        self, idsync: Program, story: dict[str, str]
    ) -> None:
        idsync("modify", "--mpid", story["known"], "--other", "o", "--google", "g")
        shown = idsync("profiles").stdout
        assert "customer_id C1" in shown
        assert "google g" not in shown, "only the first three"
        [known] = [line for line in shown.splitlines() if line.startswith(story["known"])]
        assert known.split()[1:5] == ["consumers", "known", "1", "5"]

    def test_filters(self, idsync: Program, story: dict[str, str]) -> None:
        def found(*options: str) -> list[str]:
            return [line["mpid"] for line in idsync("profiles", "--json", *options).lines()]

        known, anonymous = story["known"], story["anonymous"]
        assert found() == [known, anonymous]
        assert found("--known") == [known]
        assert found("--anonymous") == [anonymous]
        assert found("--orphaned") == []
        assert found("--with", "das") == [anonymous]
        assert found("--with", "ios_idfv", "--anonymous") == [anonymous]
        assert found("--scope", "consumers", "--limit", "1") == [known]
        idsync("modify", "--mpid", anonymous, "--remove", "ios_idfv", "--remove", "das")
        assert found("--orphaned") == [anonymous]

    def test_the_last_line_says_how_many_more(self, idsync: Program, story: dict[str, str]) -> None:
        idsync("identify", "--idfv", "another")
        shown = idsync("profiles", "--anonymous", "--limit", "1").stdout
        assert shown.endswith("the first 1 of 2 profiles; use --limit 2 to show the other 1\n")
        assert "the first" not in idsync("profiles", "--limit", "3").stdout

    def test_a_table_has_fifty_rows_and_json_every_line(self, idsync: Program) -> None:
        lines = "\n".join(
            f'{{"mpid": {n}, "identities": {{"idfv": ["{n}"]}}}}' for n in range(1, 61)
        )
        assert idsync("import", "-", stdin=lines.encode()).status == 0
        assert "the first 50 of 60 profiles" in idsync("profiles").stdout
        assert len(idsync("profiles", "--json").lines()) == 60

    def test_known_follows_the_rules_of_today(self, idsync: Program) -> None:
        idsync("identify", "--email", "a@example.com")
        assert idsync("profiles", "--known").stdout == "no matching profiles\n"
        config = Path(idsync.folder, "idsync.yaml")
        config.write_text(
            config.read_text().replace("login: true,", "login: true}\n      email: {login: true,")
        )
        assert len(idsync("profiles", "--known", "--json").lines()) == 1
        assert idsync("stats", "--json").json()["scopes"]["consumers"]["known"] == 1

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            (("--known", "--anonymous"), "no profile is both known and anonymous"),
            (("--with", "emial"), "did you mean 'email'?"),
            (("--scope", "consumer"), "unknown scope 'consumer'; did you mean 'consumers'?"),
            (("--scope", "x"), "the scopes are: consumers"),
            (("--limit", "0"), "--limit"),
        ],
    )
    def test_bad_options(
        self, idsync: Program, story: dict[str, str], options: tuple[str, ...], message: str
    ) -> None:
        outcome = idsync("profiles", *options)
        assert (outcome.status, outcome.stdout) == (2, "")
        assert message in outcome.stderr

    def test_a_scope_that_is_no_longer_named(self, idsync: Program) -> None:
        idsync.write("idsync.yaml", TWO_SCOPES)
        idsync("identify", "--scope", "couriers", "--email", "a@example.com")
        idsync.write("idsync.yaml", TWO_SCOPES.replace("couriers", "riders"))
        outcome = idsync("profiles", "--scope", "couriers", "--json")
        assert [line["known"] for line in outcome.lines()] == [True]
        assert "no longer in the configuration" in outcome.stderr
        found = idsync("whois", "email=a@example.com", "--json").json()
        assert [each["why_not"] for each in found["profiles"]] == ["UNKNOWN_SCOPE"]
        assert found["searches"] == []


class TestWhois:
    def test_every_holder_and_what_a_search_with_it_comes_to(
        self, idsync: Program, story: dict[str, str]
    ) -> None:
        found = idsync("whois", "idfv=9", "--json").json()
        assert (found["identity_type"], found["value"]) == ("ios_idfv", "9")
        assert [
            (each["mpid"], each["returned"], each["why_not"]) for each in found["profiles"]
        ] == [
            (story["known"], False, "login_protection"),
            (story["anonymous"], True, None),
        ]
        [search] = found["searches"]
        answer = idsync("search", "--idfv", "9", "--json", "--explain").json()
        assert search == answer

    def test_a_tie_goes_to_the_newest(self, idsync: Program) -> None:
        idsync("logout", "--idfv", "9")
        idsync("logout", "--idfv", "9")
        found = idsync("whois", "ios_idfv=9", "--json").json()
        assert [each["why_not"] for each in found["profiles"]] == ["tie", None]

    def test_a_type_outside_the_priority_is_never_looked_up(self, idsync: Program) -> None:
        idsync("identify", "--idfv", "9", "--push-token", "p")
        found = idsync("whois", "push_token=p", "--json").json()
        assert [each["why_not"] for each in found["profiles"]] == ["NO_LOOKUP_IDENTITY"]
        assert found["searches"][0]["status"] == "not_found"

    def test_all_scopes_or_one(self, idsync: Program) -> None:
        idsync.write("idsync.yaml", TWO_SCOPES)
        for scope in ("consumers", "couriers"):
            idsync("identify", "--scope", scope, "--email", "a@example.com")
        found = idsync("whois", "email=a@example.com", "--json").json()
        assert [each["scope"] for each in found["profiles"]] == ["consumers", "couriers"]
        assert [each["scope"] for each in found["searches"]] == ["consumers", "couriers"]
        one = idsync("whois", "email=a@example.com", "--scope", "couriers", "--json").json()
        assert [each["scope"] for each in one["profiles"]] == ["couriers"]

    def test_the_table_explains_the_reasons(self, idsync: Program, story: dict[str, str]) -> None:
        shown = idsync("whois", "idfv=9").stdout
        assert "finds it" in shown
        assert "login_protection: known, and the request has none of its login IDs" in shown

    @pytest.mark.parametrize("columns", [60, 70, 80])
    def test_the_table_is_no_wider_than_the_terminal(self, idsync: Program, columns: int) -> None:
        fixed = CONFIG.replace("unique: true", "unique: true, immutable: true")
        idsync.write("idsync.yaml", fixed)
        lines = [
            {"mpid": str(-(9 * 10**18) - n), "created_seq": 10**6 + n, "identities": each}
            for n, each in enumerate(
                ({"ios_idfv": ["d"]}, {"customer_id": ["c"], "ios_idfv": ["d"]}, {"other": ["o"]})
            )
        ]
        stdin = "\n".join(map(json.dumps, lines)).encode()
        assert idsync("import", "-", stdin=stdin).status == 0
        shown = Program(idsync.folder, columns)("whois", "idfv=d").stdout.splitlines()
        assert max(map(len, shown)) <= columns
        assert any(line.endswith("immutable_search") for line in shown), "a code is never broken"
        assert all(line.split()[0].startswith("-90000") for line in shown if line[:1] == "-")

    def test_nobody(self, idsync: Program, story: dict[str, str]) -> None:
        outcome = idsync("whois", "email=nobody")
        assert (outcome.status, outcome.stdout) == (1, "")
        assert outcome.stderr == "idsync: no profile holds email 'nobody'\n"
        asked = idsync("whois", "email=nobody", "--json")
        assert (asked.status, asked.json()["profiles"]) == (1, [])

    @pytest.mark.parametrize(
        ("identifier", "message"),
        [
            ("email", "'email' is not TYPE=VALUE"),
            ("email=", "the value of 'email' is empty"),
            ("emial=a", "did you mean 'email'?"),
            ("email=" + "a" * 4097, "at most 4,096"),
        ],
    )
    def test_bad_identifiers(
        self, idsync: Program, story: dict[str, str], identifier: str, message: str
    ) -> None:
        for command in ("whois", "history"):
            outcome = idsync(command, identifier)
            assert (outcome.status, outcome.stdout) == (2, "")
            assert message in outcome.stderr


BY_DEVICE = {"rule": "identifier", "identity_type": "ios_idfv"}


class TestProfileShow:
    def test_which_request_brought_each_identifier(self, idsync: Program) -> None:
        first = {"type": "identify", "known_identities": {"idfv": "9"}, "request_id": "r-1"}
        second = {"type": "login", "known_identities": {"customerid": "C1", "idfv": "9"}}
        mpid = str(idsync.replay(first, second).lines()[0]["mpid"])
        shown = idsync("profile", "show", "--mpid", mpid, "--json").json()
        assert [
            (each["identity_type"], each["value"], each["seq"], each["type"], each["request_id"])
            for each in shown["identifiers"]
        ] == [("ios_idfv", "9", 1, "identify", "r-1"), ("customer_id", "C1", 2, "login", None)]
        assert all(each["time"].endswith("Z") for each in shown["identifiers"])
        made_by = shown["made_by"]
        assert (made_by["seq"], made_by["type"]) == (1, "identify")
        assert made_by["decided_by"] == {"rule": "no_match"}
        assert shown["identifiers"][1]["decided_by"] == BY_DEVICE
        line = idsync("export").json()
        assert {name: shown[name] for name in line} == line

    def test_the_source(self, idsync: Program) -> None:
        idsync.write("idsync.yaml", TWO_SCOPES.replace("profile_isolation", "profile_link"))
        visitor = _mpid(idsync("identify", "--scope", "couriers", "--idfv", "9", "--json"))
        courier = idsync("login", "--scope", "couriers", "--email", "a@b", "--idfv", "9", "--json")
        shown = idsync("profile", "show", "--mpid", _mpid(courier)).stdout
        assert f"source: the anonymous profile {visitor}" in shown

    def test_an_identifier_that_came_back_came_with_the_later_request(
        self, idsync: Program, story: dict[str, str]
    ) -> None:
        for value in ("c@example.com", "b@example.com"):
            idsync("modify", "--mpid", story["known"], "--email", value)
        shown = idsync("profile", "show", "--mpid", story["known"], "--json").json()
        assert [
            each["seq"] for each in shown["identifiers"] if each["identity_type"] == "email"
        ] == [6]

    def test_nobody_and_no_mpid(self, idsync: Program, story: dict[str, str]) -> None:
        assert idsync("profile", "show", "--mpid", "5").status == 1
        assert idsync("profile", "show", "--mpid", "05").status == 2


class TestHistory:
    def test_of_a_profile(self, idsync: Program, story: dict[str, str]) -> None:
        entries = idsync("history", "--mpid", story["known"], "--json").lines()
        assert [
            (each["seq"], each["type"], each["op"], each["identity_type"], each["value"])
            for each in entries
        ] == [
            (1, "identify", "add", "email", "a@example.com"),
            (1, "identify", "add", "ios_idfv", "9"),
            (2, "login", "add", "customer_id", "C1"),
            (4, "modify", "remove", "email", "a@example.com"),
            (4, "modify", "add", "email", "b@example.com"),
        ]
        assert list(entries[0]) == [
            "seq", "time", "type", "decided_by", "request_id", "request_timestamp_ms", "op", "mpid",
            "identity_type", "value",
        ]  # fmt: skip

    def test_of_an_identifier_by_any_name(self, idsync: Program, story: dict[str, str]) -> None:
        entries = idsync("history", "idfv=9", "--json").lines()
        assert [(each["seq"], each["mpid"]) for each in entries] == [
            (1, story["known"]),
            (3, story["anonymous"]),
        ]
        both = idsync("history", "idfv=9", "--mpid", story["anonymous"], "--json").lines()
        assert both == entries[1:]

    def test_limits(self, idsync: Program, story: dict[str, str]) -> None:
        limited = ("history", "--mpid", story["known"], "--limit", "2")
        assert [each["seq"] for each in idsync(*limited, "--json").lines()] == [1, 1]
        shown = idsync(*limited).stdout
        assert "customer_id" not in shown
        assert shown.endswith("the first 2 of 5 changes; use --limit 5 to show the other 3\n")

    def test_nothing_is_known(self, idsync: Program, story: dict[str, str]) -> None:
        for asked in (("--mpid", "5"), ("email=x",), ("email=x", "--json")):
            outcome = idsync("history", *asked)
            assert (outcome.status, outcome.stdout) == (1, "")
            assert "no history for" in outcome.stderr

    def test_something_must_be_asked_for(self, idsync: Program, story: dict[str, str]) -> None:
        outcome = idsync("history")
        assert outcome.status == 2
        assert "name a profile with --mpid, or an identifier" in outcome.stderr


class TestEveryTableHasAnEnd:
    @pytest.fixture(name="crowd")
    def sixty_at_a_kiosk(self, idsync: Program) -> Program:
        lines = [_line(n, customer_id=f"c{n}", ios_idfv="kiosk") for n in range(1, 61)]
        lines.append(_line(99, ios_idfv=[f"d{n}" for n in range(70)]))
        stdin = "\n".join(map(json.dumps, lines)).encode()
        assert idsync("import", "-", stdin=stdin).status == 0
        assert idsync("logout", "--idfv", "kiosk").status == 0
        return idsync

    @pytest.mark.parametrize(
        ("command", "of", "what"),
        [
            (("whois", "idfv=kiosk"), 61, "holders"),
            (("history", "idfv=kiosk"), 61, "changes"),
            (("profile", "show", "--mpid", "99"), 70, "identifiers"),
            (("history", "--mpid", "99"), 70, "changes"),
        ],
    )
    def test_fifty_rows_unless_told_otherwise(
        self, crowd: Program, command: tuple[str, ...], of: int, what: str
    ) -> None:
        shown = crowd(*command).stdout
        assert shown.endswith(
            f"\nthe first 50 of {of} {what}; use --limit {of} to show the other {of - 50}\n"
        )
        assert f"the first 7 of {of} {what}" in crowd(*command, "--limit", "7").stdout
        whole = crowd(*command, "--limit", str(of)).stdout
        assert "the first" not in whole
        assert len(whole.splitlines()) > of

    def test_who_is_found_is_said_even_if_it_is_not_in_the_table(self, crowd: Program) -> None:
        found = crowd("search", "--idfv", "kiosk", "--json").json()["mpid"]
        told = crowd("whois", "idfv=kiosk").stdout.splitlines()
        assert told[1] == f"a search by it alone finds {found} in scope consumers"
        assert not any("a search by it alone" in line for line in told[2:])
        whole = crowd("whois", "idfv=kiosk", "--limit", "61").stdout
        assert "a search by it alone" not in whole
        assert [line.split()[0] for line in whole.splitlines() if "finds it" in line] == [found]

    def test_json_is_whole_unless_told_otherwise(self, crowd: Program) -> None:
        whois = crowd("whois", "idfv=kiosk", "--json").json()
        assert (len(whois["profiles"]), whois["left_out"]) == (61, 0)
        whois = crowd("whois", "idfv=kiosk", "--json", "--limit", "7").json()
        assert ([each["mpid"] for each in whois["profiles"]], whois["left_out"]) == (
            [str(n) for n in range(1, 8)],
            54,
        )
        show = ("profile", "show", "--mpid", "99", "--json")
        assert [len(crowd(*show).json()["identifiers"]), crowd(*show).json()["left_out"]] == [70, 0]
        some = crowd(*show, "--limit", "7").json()
        assert (len(some["identifiers"]), some["left_out"]) == (7, 63)
        assert len(some["identities"]["ios_idfv"]) == 70, "the profile is never a part of itself"
        assert len(crowd("history", "--mpid", "99", "--json").lines()) == 70

    def test_several_scopes_share_the_rows(self, idsync: Program) -> None:
        idsync.write("idsync.yaml", TWO_SCOPES)
        lines = [
            _line(n, scope=scope, ios_idfv="d")
            for n, scope in enumerate(["consumers", "couriers"] * 3, start=1)
        ]
        stdin = "\n".join(map(json.dumps, lines)).encode()
        assert idsync("import", "-", stdin=stdin).status == 0
        found = idsync("whois", "idfv=d", "--limit", "4", "--json").json()
        assert [each["scope"] for each in found["profiles"]] == ["consumers"] * 3 + ["couriers"]
        assert (found["left_out"], len(found["searches"])) == (2, 2)

    def test_a_story_has_an_end_too(self, crowd: Program) -> None:
        for n in range(60):
            assert crowd("modify", "--mpid", "99", "--email", f"e{n}").status == 0
        story = ("profile", "show", "--mpid", "99", "--story")
        told = crowd(*story).stdout
        assert told.endswith("the first 50 of 61 requests; use --limit 61 to show the other 11\n")
        some = crowd(*story, "--limit", "2").stdout
        assert "  and 68 more changes" in some
        assert "the first 2 of 61 requests" in some
        as_json = crowd(*story, "--json", "--limit", "2").json()
        assert (len(as_json["story"]), as_json["left_out"]) == (2, 59)
        assert len(crowd(*story, "--json").json()["story"]) == 61
        assert "e59" in crowd(*story, "--markdown").stdout


def test_stats(idsync: Program, story: dict[str, str]) -> None:
    idsync("logout", "--idfv", "9")
    idsync("identify", "--idfv", "9", "--email", "c@example.com")
    assert idsync("stats", "--json").json() == {
        "last_seq": 6,
        "scopes": {
            "consumers": {
                "profiles": 3,
                "known": 1,
                "anonymous": 2,
                "orphaned": 0,
                "identifiers": 7,
                "most_identifiers": 3,
                "mean_identifiers": 2.33,
                "types": {
                    "customer_id": 1,
                    "email": 2,
                    "ios_idfv": 3,
                    "device_application_stamp": 1,
                },
                "requests": 6,
                "requests_per_profile": 2.0,
                "several_logins": None,
            }
        },
        "requests": 6,
        "requests_per_profile": 2.0,
        "ties": 1,
        "deciders": [
            {"decided_by": {"rule": "logout"}, "requests": 2},
            {"decided_by": BY_DEVICE, "requests": 1},
            {"decided_by": {"rule": "mpid"}, "requests": 1},
            {"decided_by": {"rule": "newest"}, "requests": 1},
            {"decided_by": {"rule": "no_match"}, "requests": 1},
        ],
        "placeholders": [],
        "largest": None,
    }
    shown = idsync("stats").stdout
    assert "1 of them ties" in shown
    assert "2.33" in shown


def test_stats_of_an_empty_store(idsync: Program) -> None:
    idsync("init")
    assert idsync("stats", "--json").json()["scopes"] == {}
    assert idsync("stats").status == 0
    assert idsync("profiles").stdout == "no matching profiles\n"


def test_hostile_values_have_no_effect(idsync: Program) -> None:
    request = {"type": "login", "known_identities": {"email": HOSTILE}, "request_id": HOSTILE}
    [answer] = idsync.replay(request).lines()
    asked = f"email={HOSTILE}"
    for command in (
        ("profiles",),
        ("whois", asked),
        ("profile", "show", "--mpid", answer["mpid"]),
        ("profile", "show", "--story", "--mpid", answer["mpid"]),
        ("history", asked),
        ("history", "--mpid", answer["mpid"]),
    ):
        for more in ((), ("--json",)):
            outcome = idsync(*command, *more)
            assert outcome.status == 0
            assert outcome.stdout.replace("\n", "").replace("─", "").isascii()
            assert "\x1b" not in outcome.stdout
        wide = idsync(*command, environment={"COLUMNS": "200"}).stdout
        assert r"[bold]\x1b[2J\u202e[/oops]\n=1+1" in wide
    assert "\x1b" not in idsync("whois", f"email={HOSTILE}!").stderr


def test_a_narrow_terminal_cuts_nothing(idsync: Program, story: dict[str, str]) -> None:
    shown = idsync("profiles", environment={"COLUMNS": "40"}).stdout.splitlines()
    first_column = "".join(line.split()[0] for line in shown if line[:1].strip())
    assert all(mpid in first_column for mpid in story.values())
    whole = idsync("profiles").stdout
    assert all(mpid in whole for mpid in story.values())
