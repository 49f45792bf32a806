"""`idsync profile query` and `idsync translate` (section 9)."""

import json
from pathlib import Path

import pytest

from tests.program import Program, assert_refused

CONFIG = """\
scopes:
  consumers:
    strategy: profile_conversion
    priority: [customer_id, email, device_application_stamp]
    identities: {customer_id: {login: true, unique: true, immutable: true}}
    calculated_attributes: {visits: {calculation: count, event: visit}}
    audiences: {loyal: {id: 7, attribute: visits, operator: greater_or_equal, value: 2}}
"""
OPEN = """\
scopes:
  consumers:
    strategy: profile_conversion
    priority: [customer_id, email, device_application_stamp]
    identities: {customer_id: {login: true, unique: true}}
"""
NOW = 1_767_225_600_000


def visit(**more: object) -> dict[str, object]:
    data = {"event_name": "visit", "custom_event_type": "other", "timestamp_unixtime_ms": NOW}
    return {"type": "batch", "events": [{"event_type": "custom_event", "data": data}], **more}


@pytest.fixture(name="idsync")
def a_store_with_a_customer(tmp_path: Path) -> Program:
    made = Program(tmp_path)
    made.write("idsync.yaml", CONFIG)
    made.make_store()
    lines: list[object] = [
        {"type": "login",
         "known_identities": {"customerid": "c1", "email": "old@x.org", "das": "d1"}},
        visit(user_identities={"customer_id": "c1", "email": "new@x.org"}, mp_deviceid="d1",
              user_attributes={"city": "Bern", "vip": None}, timestamp_unixtime_ms=NOW),
        visit(user_identities={"customer_id": "c1"}, timestamp_unixtime_ms=NOW + 5),
        {"type": "login", "known_identities": {"customerid": "c2", "push_token": "t2"}},
        {"type": "batch", "user_identities": {"customer_id": "c2"}, "timestamp_unixtime_ms": NOW,
         "events": [{"event_type": "opt_out", "data": {"is_opted_out": True}}]},
    ]  # fmt: skip
    assert {each["status"] for each in made.answers(*lines)} <= {"created", "matched"}
    return made


def test_a_query_gives_the_json_of_the_profile_api(idsync: Program) -> None:
    found = idsync("profile", "query", "--customer-id", "c1", "--json").json()
    assert found == {
        "mpid": found["mpid"],
        "created_timestamp_ms": NOW,
        "last_stored_timestamp_ms": found["last_stored_timestamp_ms"],
        "is_opted_out": False,
        "user_identities": [
            {"type": "customer_id", "encoding": "none", "value": "c1"},
            {"type": "email", "encoding": "none", "value": "new@x.org"},
            {"type": "email", "encoding": "none", "value": "old@x.org"},
        ],
        "device_identities": [
            {"type": "device_application_stamp", "encoding": "none", "value": "d1"}
        ],
        "user_attributes": {"city": "Bern", "vip": None, "visits": 2},
        "audience_memberships": [{"audience_id": 7, "audience_name": "loyal"}],
        "attribution": None,
        "consent_state": None,
        "status_messages": [],
    }
    again = idsync("profile", "query", "--mpid", found["mpid"], "--json").json()
    assert again == found


def test_only_the_fields_that_are_asked_for_are_told(idsync: Program) -> None:
    asked = ("profile", "query", "--customer-id", "c1", "--json", "--fields")
    told = idsync(*asked, "events,attribution").json()
    assert {"events", "attribution"} < set(told)
    assert not {"user_identities", "user_attributes"} & set(told)
    assert [each["name"] for each in told["events"]] == ["visit", "visit"]
    assert_refused(idsync(*asked, "event"), 2, "'event'", "did you mean 'events'")


def test_a_page_for_people(idsync: Program) -> None:
    page = idsync("profile", "query", "--customer-id", "c1").stdout
    for word in ("known", "new@x.org", "city", "Bern", "visits", "loyal", "d1"):
        assert word in page


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        ((), 2, ("--mpid",)),
        (("--mpid", "5", "--email", "a"), 2, ("--mpid",)),
        (("--customer-id", "c1", "--email", "a"), 2, ("exactly one",)),
        (("--mpid", "x"), 2, ("'x' is not an MPID",)),
        (("--email", "new@x.org"), 2, ("NOT_IMMUTABLE", "email", "customer_id")),
        (("--customer-id", "c9"), 1, ("no profile has that customer_id",)),
        (("--mpid", "5"), 1, ("no profile has the MPID 5",)),
        (("--customer-id", "c1", "--now", "soon"), 2, ("'soon' is not a time",)),
    ],
)
def test_what_cannot_be_queried(
    idsync: Program, arguments: tuple[str, ...], status: int, words: tuple[str, ...]
) -> None:
    assert_refused(idsync("profile", "query", *arguments), status, *words)


def test_a_scope_without_an_immutable_type_is_queried_by_mpid(idsync: Program) -> None:
    idsync.write(
        "other.yaml",
        "scopes: {a: {strategy: profile_link, priority: [customer_id, email], "
        "identities: {customer_id: {login: true}}}}",
    )
    outcome = idsync("profile", "query", "--customer-id", "c1", "--config", "other.yaml")
    assert_refused(outcome, 2, "query by an MPID; the scope has no immutable type")


def test_lines_are_translated_in_their_order(idsync: Program) -> None:
    mpid = idsync("search", "--customer-id", "c1", "--json").json()["mpid"]
    given = f'{mpid}\ncustomer_id=c1\n{{"customerid": "c1"}}\n\n'.encode()
    outcome = idsync("translate", "--to", "email", stdin=given)
    assert (outcome.status, outcome.stdout) == (0, "new@x.org\n" * 3)
    assert outcome.stderr == "3 lines translated\n"
    every = idsync("translate", "--to", "email", "--all", stdin=given)
    assert every.stdout == "new@x.org\nold@x.org\n" * 3


def test_a_csv_file_has_a_column_a_type(idsync: Program) -> None:
    idsync.write("people.csv", "customer_id,mpid\nc1,\nc9,\n,5\n,\n")
    outcome = idsync("translate", "--to", "das", "--json", "people.csv")
    assert [(each["line"], each["status"]) for each in outcome.lines()] == [
        (2, "translated"), (3, "not_found"), (4, "not_found"),
    ]  # fmt: skip
    assert outcome.lines()[0]["device_application_stamp"] == "d1"
    assert outcome.status == 1
    assert "line 5: names nobody; give one MPID or one identifier" in outcome.stderr


@pytest.mark.parametrize("file_name", ["members.jsonl", "members.csv"])
@pytest.mark.parametrize("made_by", [("audience", "loyal"), ("export",)])
def test_a_profile_that_was_written_to_a_file_names_itself(
    idsync: Program, file_name: str, made_by: tuple[str, ...]
) -> None:
    assert idsync(*made_by, "--output", file_name).status == 0
    outcome = idsync("translate", "--to", "email", file_name)
    assert (outcome.status, outcome.stdout) == (0, "new@x.org\n")
    assert "could not be read" not in outcome.stderr


TWO = """\
version: 1
scopes:
  one: {strategy: best_match, priority: [email, other]}
  two: {strategy: best_match, priority: [email, other]}
accounts: {a: {workspaces: {first: one, second: two}}}
"""


def test_a_line_may_name_its_scope_as_a_request_does(tmp_path: Path) -> None:
    made = Program(tmp_path)
    made.write("idsync.yaml", TWO)
    made.make_store()
    [one, two] = made.answers(
        *(
            {"type": "identify", "scope": scope, "known_identities": {"email": "a", "other": scope}}
            for scope in ("one", "two")
        )
    )
    lines = [
        {"email": "a", "scope": "one"},
        {"scope": "two", "email": "a"},
        {"email": "a", "workspace": "second"},
        {"type": "search", "workspace": "first", "known_identities": {"email": "a"}},
        {"mpid": two["mpid"], "scope": "two"},
        {"mpid": one["mpid"], "scope": "two"},
        {"email": "a", "scope": "one", "workspace": "second"},
        {"email": "a", "scope": "on"},
        {"email": "a", "scope": 5},
        {"email": "a"},
        {"scope": "one"},
    ]
    text = "".join(json.dumps(line) + "\n" for line in lines).encode()
    outcome = made("translate", "--to", "other", stdin=text)
    assert (outcome.status, outcome.stdout.split()) == (1, ["one", "two", "two", "one", "two"])
    for told in (
        "line 7: the workspace 'second' belongs to the scope 'two', not to 'one'",
        "line 8: unknown scope 'on'; did you mean 'one'?", "line 9: scope is '5'",
        "line 10: no scope; name a scope or a workspace", "line 11: names nobody",
        "5 lines translated, 1 found no profile, 5 could not be read",
    ):  # fmt: skip
        assert told in outcome.stderr
    outcome = made("translate", "--to", "other", "--scope", "two", stdin=text)
    assert outcome.stdout.split() == ["one", "two", "two", "one", "two", "two"]
    table = b"email,scope\na,one\na,two\na,\n"
    outcome = made("translate", "--to", "other", "--workspace", "second", stdin=table)
    assert (outcome.status, outcome.stdout.split()) == (0, ["one", "two", "two"])
    assert made("export", "--output", "all.csv").status == 0
    outcome = made("translate", "--to", "other", "all.csv")
    assert (outcome.status, outcome.stdout.split()) == (0, ["one", "two"])
    assert_refused(made("translate", "--to", "other", "--scope", "no", stdin=text), 2, "'no'")


def test_who_opted_out_and_who_has_none_are_left_out_and_counted(idsync: Program) -> None:
    given = b"customer_id=c2\ncustomer_id=c1\n"
    outcome = idsync("translate", "--to", "push_token", stdin=given)
    assert (outcome.status, outcome.stdout) == (1, "")
    assert outcome.stderr == "0 lines translated, 1 had none, 1 opted out\n"


def test_an_identifier_leads_nowhere_that_a_search_would_not(idsync: Program) -> None:
    assert idsync("translate", "--to", "customer_id", stdin=b"email=new@x.org\n").stdout == ""
    idsync.write("open.yaml", OPEN)
    assert idsync("search", "--email", "new@x.org", "--config", "open.yaml").status == 1
    found = idsync("translate", "--to", "email", "--config", "open.yaml", stdin=b"customer_id=c1\n")
    assert found.stdout == "new@x.org\n"


def test_where_several_could_be_meant_nobody_is(tmp_path: Path) -> None:
    made = Program(tmp_path)
    made.write("idsync.yaml", OPEN)
    made.make_store()
    person = {"known_identities": {"das": "shared", "email": "a"}}
    made.answers(
        {"type": "identify", **person},
        {"type": "logout", "known_identities": {"das": "shared"}},
    )
    outcome = made("translate", "--to", "email", "--json", stdin=b"das=shared\n")
    assert outcome.lines()[0]["status"] == "ambiguous"


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (b"foo\n", ("'foo'", "identifier type")),
        (b"emial,mpid\n", ("'emial'", "did you mean 'email'")),
    ],
)
def test_a_first_line_that_says_nothing_is_refused(
    idsync: Program, given: bytes, words: tuple[str, ...]
) -> None:
    assert_refused(idsync("translate", "--to", "email", stdin=given), 2, *words)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("x y", "neither an MPID nor TYPE=VALUE"),
        ("emial=a", "did you mean 'email'"),
        ("email=", "is empty"),
        ('{"email": "a", "das": "b"}', "names 2 identifiers or MPIDs"),
        ('{"email": 5}', "is not text"),
        ('{"email"', "not JSON"),
    ],
)
def test_a_line_that_names_nobody_is_told_and_the_others_go_on(
    idsync: Program, line: str, words: str
) -> None:
    given = f"customer_id=c1\n{line}\ncustomer_id=c1\n".encode()
    outcome = idsync("translate", "--to", "email", stdin=given)
    assert (outcome.status, outcome.stdout) == (1, "new@x.org\n" * 2)
    assert outcome.stderr.startswith("line 2: ")
    assert words in outcome.stderr
    assert "2 lines translated, 1 could not be read" in outcome.stderr


def test_an_unknown_type_or_a_file_that_is_there_is_refused(idsync: Program) -> None:
    assert_refused(idsync("translate", "--to", "emial"), 2, "'emial'", "did you mean 'email'")
    idsync.write("out.txt", "mine")
    given = ("translate", "--to", "email", "--output", "out.txt")
    assert_refused(idsync(*given, stdin=b"customer_id=c1\n"), 2, "out.txt", "--force")
    assert idsync(*given, "--force", stdin=b"customer_id=c1\n").status == 0
    assert (idsync.folder / "out.txt").read_text() == "new@x.org\n"


def test_a_page_and_a_search_end_and_say_what_they_leave_out(idsync: Program) -> None:
    lines = [
        {"type": "login", "known_identities": {"customerid": "c1", "other": f"o{number}",
                                               "push_token": f"{number:04}" * 20}}
        for number in range(200)
    ]  # fmt: skip
    idsync.replay(*lines)
    page = idsync("profile", "query", "--customer-id", "c1")
    assert page.status == 0
    assert "the first 50 of 203 user identifiers" in page.stdout
    assert "the first 50 of 201 device identifiers" in page.stdout
    whole = idsync("profile", "query", "--customer-id", "c1", "--limit", "300")
    assert whole.stdout.count("push_token") == 200
    assert "the first" not in whole.stdout
    assert len(idsync("profile", "query", "--customer-id", "c1", "--json").json()[
        "user_identities"
    ]) == 203  # fmt: skip
    found = idsync("search", "--customer-id", "c1")
    mpid = idsync("search", "--customer-id", "c1", "--json").json()["mpid"]
    held = [line for line in found.stdout.splitlines() if line.startswith("holds ")]
    assert len(held) == 50
    assert f"the first 50 of 404 identifiers; for all, run: idsync profile show --mpid {mpid} " in (
        found.stdout
    )
    assert len(idsync("search", "--customer-id", "c1", "--json").json()["identities"]) == 5


def test_a_search_shows_a_long_push_token_on_one_line(idsync: Program) -> None:
    token = "0123456789" * 30
    idsync.replay({"type": "login", "known_identities": {"customerid": "c9", "push_token": token}})
    assert "holds push_token 0123456789…456789\n" in idsync("search", "--customer-id", "c9").stdout


def test_a_wanted_type_that_is_none_leads_to_the_list_of_types(idsync: Program) -> None:
    outcome = idsync("translate", "-", "--to", "foo", stdin=b"")
    assert outcome.status == 2
    assert outcome.stderr.endswith("type 'foo'; for all types, run: idsync help types\n")
