"""`idsync audience`: counts, members, exports, and why a profile is a member or not."""

import csv
import io
import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from idsync_cli.core.config.definitions import Definitions
from idsync_cli.core.config.rules import Organization
from idsync_cli.render.config import organization_json
from tests.audience_worlds import definitions
from tests.core.shorthand import rules
from tests.program import Program, assert_refused, mpid_of, program_in_a_fresh_folder
from tests.test_output_schemas import assert_valid, validator

__all__ = ["program_in_a_fresh_folder"]

CONFIG = """\
scopes:
  consumers:
    strategy: profile_conversion
    priority: [customer_id, email, ios_idfv]
    identities: {customer_id: {login: true, unique: true}}
    calculated_attributes:
      lifetime_value: {calculation: sum, event_type: commerce_event, attribute: total_amount}
      orders: {calculation: count, event: purchase, where: [{attribute: currency_code, operator: equals, value: EUR}]}
    audiences:
      lapsed_buyers:
        id: 13775
        all:
          - {attribute: lifetime_value, operator: greater_than, value: 100}
          - not: {event: purchase, within: 90 days}
          - any: [{identity: email, operator: exists}, {identity: push_token, operator: exists}]
      others: {id: 2, not: {audience: lapsed_buyers}}
      everybody: {id: 3, any: [{known: true}, {known: false}]}
  couriers:
    strategy: best_match
    priority: [email]
    audiences:
      everybody: {id: 4, first_seen: {operator: after, value: 2020-01-01}}
      nobody: {id: 5, known: true}
"""  # noqa: E501
NOW = "2024-06-01"
JUNE_1 = 1_717_200_000_000
DAY = 86_400_000


def purchase(days_ago: float, amount: float, currency: str = "EUR") -> dict[str, Any]:
    data = {
        "timestamp_unixtime_ms": JUNE_1 - int(days_ago * DAY),
        "product_action": {"action": "purchase", "total_amount": amount},
        "currency_code": currency,
    }
    return {"event_type": "commerce_event", "data": data}


def person(label: str, *events: dict[str, Any], **attributes: Any) -> list[dict[str, Any]]:
    identities = {"email": f"{label}@example.com", "customerid": label}
    return [
        {"type": "login", "scope": "consumers", "known_identities": identities, "label": label},
        {"type": "batch", "scope": "consumers", "mpid": f"@{label}", "events": list(events),
         "user_attributes": attributes},
    ]  # fmt: skip


REQUESTS = [
    *person("lapsed", purchase(100, 70.5), purchase(200, 30, "USD")),
    *person("loyal", purchase(100, 500), purchase(10, 1)),
    *person("mean", purchase(100, 5)),
    *person("gone", purchase(100, 500), {"event_type": "opt_out", "data": {"is_opted_out": True}}),
    {"type": "identify", "scope": "couriers", "known_identities": {"email": "c@example.com"}},
]
LAPSED, LOYAL, GONE, COURIER = (mpid_of(1, seq) for seq in (1, 3, 7, 9))


@pytest.fixture(name="sold")
def store_with_purchases(idsync: Program) -> Program:
    idsync.write("idsync.yaml", CONFIG)
    outcome = idsync.replay(*REQUESTS, arguments=["--seed", "1"])
    assert outcome.status == 0, outcome.stdout
    return idsync


# How many


def test_without_a_name_all_are_counted_in_the_order_of_the_configuration(sold: Program) -> None:
    outcome = sold("audience", "--now", NOW)
    assert outcome.status == 0
    assert outcome.stdout.splitlines() == [
        "Audience      Id    Scope     Members Opted out",
        "───────────────────────────────────────────────",
        "lapsed_buyers 13775 consumers       2         1",
        "others        2     consumers       2         0",
        "everybody     3     consumers       4         1",
        "everybody     4     couriers        1         0",
        "nobody        5     couriers        0         0",
    ]


def test_counts_for_machines(sold: Program) -> None:
    counts = sold("audience", "--now", NOW, "--json").lines()
    assert counts[0] == {
        "audience_id": 13775,
        "audience_name": "lapsed_buyers",
        "scope": "consumers",
        "members": 2,
        "opted_out": 1,
    }
    assert [each["audience_id"] for each in counts] == [13775, 2, 3, 4, 5]


def test_the_audiences_of_one_scope(sold: Program) -> None:
    counts = sold("audience", "--scope", "couriers", "--now", NOW, "--json").lines()
    assert [(each["audience_name"], each["members"]) for each in counts] == [
        ("everybody", 1),
        ("nobody", 0),
    ]
    assert_refused(sold("audience", "--scope", "courier"), 2, "unknown scope 'courier'", "couriers")


def test_a_configuration_without_audiences_says_so(idsync: Program) -> None:
    idsync.make_store()
    assert idsync("audience").stdout == "the configuration defines no audiences\n"
    assert idsync("audience", "--json").stdout == ""


def test_without_a_store_nothing_is_counted(idsync: Program) -> None:
    idsync.write("idsync.yaml", CONFIG)
    assert_refused(idsync("audience"), 3, "there is no store at idsync.db", "idsync init")


# Who


def test_the_members_are_listed_oldest_first_and_who_opted_out_is_told(sold: Program) -> None:
    outcome = sold("audience", "lapsed_buyers", "--now", NOW)
    assert outcome.status == 0
    heading, _, _, *rows = outcome.stdout.splitlines()
    assert heading == "audience lapsed_buyers, id 13775: 2 members, 1 of them opted out"
    assert rows[0].split()[:3] == [LAPSED, "consumers", "known"]
    assert "known, opted out" in rows[2]
    assert GONE in rows[2]


def test_a_table_shows_no_more_than_it_may_and_says_how_many_there_are(sold: Program) -> None:
    outcome = sold("audience", "everybody", "--scope", "consumers", "--limit", "3")
    assert outcome.stdout.startswith("audience everybody, id 3: 4 members, 1 of them opted out")
    assert "the first 3 of 4 members; use --limit 4 to show the other 1" in outcome.stdout
    assert GONE not in outcome.stdout
    exactly = sold("audience", "everybody", "--scope", "consumers", "--limit", "4")
    assert "the first" not in exactly.stdout


def test_members_for_machines_are_lines_as_export_writes_them(sold: Program) -> None:
    exported = {each["mpid"]: each for each in sold("export").lines() if "identities" in each}
    members = sold("audience", "lapsed_buyers", "--now", NOW, "--json").lines()
    assert members == [
        {**exported[LAPSED], "is_opted_out": False},
        {**exported[GONE], "is_opted_out": True},
    ]
    limited = sold("audience", "lapsed_buyers", "--now", NOW, "--json", "--limit", "1")
    assert limited.lines() == members[:1]


def test_an_audience_without_members_is_an_answer(sold: Program) -> None:
    outcome = sold("audience", "nobody")
    assert (outcome.status, outcome.stdout) == (0, "audience nobody, id 5: 0 members\n")
    assert sold("audience", "nobody", "--json").stdout == ""


def test_an_audience_is_that_of_the_moment(sold: Program) -> None:
    def members(now: str) -> list[str]:
        lines = sold("audience", "lapsed_buyers", "--now", now, "--json").lines()
        return [each["mpid"] for each in lines]

    assert members(NOW) == [LAPSED, GONE]
    assert members("2024-10-01") == [LAPSED, LOYAL, GONE]
    assert members("2024-03-01") == []
    assert members(str(JUNE_1)) == members("2024-06-01T02:00:00+02:00") == [LAPSED, GONE]
    today = sold("audience", "lapsed_buyers", "--json").lines()
    assert [each["mpid"] for each in today] == [LAPSED, LOYAL, GONE]


# Out of the store


def test_an_export_leaves_out_who_opted_out_and_says_how_many(sold: Program) -> None:
    outcome = sold("audience", "lapsed_buyers", "--now", NOW, "--output", "members.jsonl")
    assert outcome.status == 0
    assert outcome.stdout == "wrote 1 member of lapsed_buyers; omitted 1 that opted out\n"
    written = (sold.folder / "members.jsonl").read_text("utf-8").splitlines()
    assert [json.loads(line)["mpid"] for line in written] == [LAPSED]


def test_an_export_to_standard_output_talks_elsewhere(sold: Program) -> None:
    outcome = sold("audience", "lapsed_buyers", "--now", NOW, "--output", "-")
    assert [each["mpid"] for each in outcome.lines()] == [LAPSED]
    assert outcome.stderr == ("note: wrote 1 member of lapsed_buyers; omitted 1 that opted out\n")


def test_an_export_to_standard_output_by_another_name_talks_elsewhere_as_well(
    sold: Program,
) -> None:
    process = sold.start("audience", "lapsed_buyers", "--now", NOW, "--output", "/dev/stdout")
    stdout, stderr = process.communicate(timeout=60)
    assert [json.loads(line)["mpid"] for line in stdout.splitlines()] == [LAPSED]
    assert stderr == b"note: wrote 1 member of lapsed_buyers; omitted 1 that opted out\n"


def test_an_export_for_spreadsheets(sold: Program) -> None:
    sold("audience", "others", "--now", NOW, "--output", "others.csv")
    rows = [*csv.DictReader(io.StringIO((sold.folder / "others.csv").read_text("utf-8")))]
    assert [row["customer_id"] for row in rows] == ["loyal", "mean"]
    outcome = sold("audience", "nobody", "--output", "-", "--format", "csv")
    assert outcome.stdout.startswith("mpid,scope,")


def test_an_export_comes_in_again(sold: Program) -> None:
    sold("audience", "others", "--now", NOW, "--output", "others.jsonl")
    outcome = sold("import", "others.jsonl", "--store", "new.db")
    assert (outcome.status, outcome.stdout) == (0, "imported 2 profiles\n")


def test_an_erasure_names_the_files_that_members_were_written_to(sold: Program) -> None:
    sold("audience", "lapsed_buyers", "--output", "members.jsonl")
    asked = ("--mpid", LAPSED, "--scope", "consumers", "--dry-run", "--json")
    erased = sold("erase", *asked).json()
    assert [each["path"].rpartition("/")[2] for each in erased["files"]][-1] == "members.jsonl"


def test_an_export_writes_over_nothing(sold: Program) -> None:
    before = sold.write("there.jsonl", "mine").read_bytes()
    for output in ("there.jsonl", "idsync.db", "idsync.yaml"):
        outcome = sold("audience", "others", "--output", output)
        assert outcome.status == 2
    assert (sold.folder / "there.jsonl").read_bytes() == before
    assert sold("audience", "others", "--output", "there.jsonl", "--force").status == 0
    assert (sold.folder / "there.jsonl").read_bytes() != before


# Why


def test_a_member_is_explained_as_a_tree(sold: Program) -> None:
    outcome = sold("audience", "lapsed_buyers", "--explain", LAPSED, "--now", NOW)
    assert outcome.status == 0
    assert outcome.stdout.splitlines() == [
        f"profile {LAPSED} is in the audience lapsed_buyers, as of 2024-06-01",
        "  00:00:00 UTC",
        "  ✓ all of these",
        "  ├─ ✓ lifetime_value is greater than 100: it is 100.5",
        "  │       the sum of total_amount in events of the type commerce_event",
        "  ├─ ✓ not: there is an event 'purchase' within the last 90 days: there is none",
        "  └─ ✓ at least one of these",
        "     ├─ ✓ the identity email exists: 'lapsed@example.com'",
        "     └─ ✗ the identity push_token exists: it holds none",
    ]


def test_who_is_not_a_member_is_told_why_with_the_status_1(sold: Program) -> None:
    outcome = sold("audience", "lapsed_buyers", "--explain", LOYAL, "--now", NOW)
    assert outcome.status == 1
    assert "is not in the audience lapsed_buyers" in outcome.stdout
    assert "✗ all of these" in outcome.stdout
    assert "✗ not: there is an event 'purchase' within the last 90 days: 1 event, at" in (
        outcome.stdout
    )
    assert "2024-05-22 00:00:00" in outcome.stdout


def test_what_another_audience_came_to_is_part_of_the_tree(sold: Program) -> None:
    outcome = sold("audience", "others", "--explain", LAPSED, "--now", NOW)
    assert outcome.status == 1
    assert outcome.stdout.splitlines()[2:5] == [
        "  ✗ not: it is in the audience lapsed_buyers",
        "  └─ ✓ all of these",
        "     ├─ ✓ lifetime_value is greater than 100: it is 100.5",
    ]


def test_a_finding_for_machines(sold: Program) -> None:
    outcome = sold("audience", "lapsed_buyers", "--explain", LOYAL, "--now", NOW, "--json")
    assert outcome.status == 1
    assert outcome.json() == {
        "audience_id": 13775,
        "audience_name": "lapsed_buyers",
        "scope": "consumers",
        "mpid": LOYAL,
        "profile_scope": "consumers",
        "now": "2024-06-01T00:00:00.000Z",
        "member": False,
        "condition": {
            "all": [
                {"attribute": "lifetime_value", "operator": "greater_than", "values": ["100"],
                 "saw": {"value": 501}, "holds": True},
                {"not": {"event": "purchase", "within_ms": 90 * DAY, "operator": "exists",
                         "saw": {"events": 1, "last": "2024-05-22T00:00:00.000Z"}, "holds": True},
                 "holds": False},
                {"any": [
                    {"identity": "email", "operator": "exists",
                     "saw": {"values": ["loyal@example.com"]}, "holds": True},
                    {"identity": "push_token", "operator": "exists", "saw": {"values": []},
                     "holds": False}],
                 "holds": True},
            ],
            "holds": False,
        },
    }  # fmt: skip
    other = sold("audience", "others", "--explain", LOYAL, "--now", NOW, "--json").json()
    assert other["condition"]["not"]["audience"] == "lapsed_buyers"
    assert other["condition"]["not"]["condition"]["holds"] is False
    for name in ("everybody", "nobody"):
        found = sold("audience", name, "--explain", COURIER, "--json").json()["condition"]
        assert set(found["saw"]) <= {"first_seen", "known"}


def test_the_scope_of_the_profile_tells_which_of_two_audiences_is_meant(sold: Program) -> None:
    assert sold("audience", "everybody", "--explain", COURIER, "--json").json()["audience_id"] == 4
    assert sold("audience", "everybody", "--explain", LOYAL, "--json").json()["audience_id"] == 3


def test_a_profile_of_another_scope_is_no_member(sold: Program) -> None:
    outcome = sold("audience", "lapsed_buyers", "--explain", COURIER)
    assert outcome.status == 1
    assert "it is in the scope couriers, and the audience in consumers" in outcome.stdout
    told = sold("audience", "lapsed_buyers", "--explain", COURIER, "--json").json()
    assert (told["member"], told["condition"], told["profile_scope"]) == (False, None, "couriers")


def test_an_mpid_that_nobody_has(sold: Program) -> None:
    outcome = sold("audience", "lapsed_buyers", "--explain", "5")
    assert (outcome.status, outcome.stdout) == (1, "")
    assert outcome.stderr == "idsync: no profile has the MPID 5\n"
    told = sold("audience", "lapsed_buyers", "--explain", "5", "--json")
    assert (told.status, told.json()["profile_scope"], told.json()["member"]) == (1, None, False)


# What is wrong


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["lapsed"], ["unknown audience 'lapsed'", "did you mean 'lapsed_buyers'?"]),
        (["zzz"], ["unknown audience 'zzz'", "the audiences are: lapsed_buyers, others"]),
        (["lapsed_buyers", "--scope", "couriers"], ["unknown audience", "everybody, nobody"]),
        (["everybody"], ["several scopes have", "name one of the scopes consumers, couriers"]),
        (["everybody", "--explain", "5"], ["several scopes have"]),
        (["others", "--explain", "0"], ["--explain '0' is not an MPID"]),
        (["others", "--now", "yesterday"], ["--now 'yesterday' is not a time", "2024-03-01"]),
        (["others", "--now", "1717200000"], ["--now '1717200000' is not a time"]),
        (["--explain", "5"], ["name an audience"]),
        (["--output", "x"], ["name an audience"]),
        (["--limit", "3"], ["name an audience"]),
        (["others", "--explain", "5", "--limit", "3"], ["omit --output and --limit"]),
        (["others", "--output", "x", "--json"], ["omit --json and --limit"]),
        (["others", "--format", "csv"], ["--format is for --output"]),
        (["others", "--scope", "nowhere"], ["unknown audience 'others'"]),
    ],
)
def test_what_cannot_be_asked(sold: Program, arguments: list[str], words: list[str]) -> None:
    before = sold.files()
    assert_refused(sold("audience", *arguments), 2, *words)
    assert sold.files() == before


def test_nothing_is_changed_by_any_question(sold: Program) -> None:
    before = sold.files()
    for arguments in ([], ["others"], ["others", "--json"], ["others", "--explain", LOYAL]):
        sold("audience", *arguments)
    assert sold.files() == before


# What a configuration would change


def plans(sold: Program, *edits: tuple[str, str]) -> Iterator[Any]:
    after = CONFIG
    for old, new in edits:
        assert old in after
        after = after.replace(old, new)
    sold.write("after.yaml", after)
    yield from sold("config", "plan", "--config", "after.yaml", "--json").json()["scopes"]


def test_a_plan_counts_who_comes_and_who_goes(sold: Program) -> None:
    one, two = plans(
        sold,
        ("value: 100}", "value: 1}"),
        ("within: 90 days", "within: 36500 days"),
        ("everybody: {id: 3,", "all_of_them: {id: 3,"),
    )
    assert one["calculated_attributes"] == {"added": [], "removed": [], "changed": []}
    assert one["audiences"] == [
        {"name": "everybody", "before": 4, "after": None, "joining": 0, "leaving": 4},
        {"name": "lapsed_buyers", "before": 3, "after": 0, "joining": 0, "leaving": 3},
        {"name": "others", "before": 1, "after": 4, "joining": 3, "leaving": 0},
        {"name": "all_of_them", "before": None, "after": 4, "joining": 4, "leaving": 0},
    ]
    assert (two["changes"], two["audiences"]) == (False, [])


def test_a_plan_in_words(sold: Program) -> None:
    edits = [
        ("attribute: total_amount}", "attribute: total_amount, within: 1 day}"),
        ("      orders: {", "      orders_of_euros: {"),
        ("everybody: {id: 3,", "all_of_them: {id: 3,"),
    ]
    [*plans(sold, *edits)]
    outcome = sold("config", "plan", "--config", "after.yaml")
    assert outcome.status == 1
    assert outcome.stdout.splitlines()[2:] == [
        "scope consumers: 4 profiles",
        "  calculated attribute orders_of_euros is new",
        "  calculated attribute orders          is removed",
        "  calculated attribute lifetime_value  is defined differently",
        "  audience everybody                   is removed: 4 members",
        "  audience lapsed_buyers               3 become 0 members: +0, -3",
        "  audience others                      1 become 4 members: +3, -0",
        "  audience all_of_them                 is new: 4 members",
    ]


def test_a_plan_tells_of_audiences_that_keep_their_members_and_of_scopes_that_go(
    sold: Program,
) -> None:
    sold.write("after.yaml", CONFIG.replace("value: 100}", "value: 99}").partition("  couriers")[0])
    told = sold("config", "plan", "--config", "after.yaml").stdout
    assert "audience lapsed_buyers keeps its 3 members" in told
    assert "audience others        keeps its 1 member" in told
    assert "audience everybody is removed: 1 member" in told
    assert "audience nobody    is removed: 0 members" in told


def test_other_login_types_change_who_is_known_and_so_the_audiences_that_ask(
    sold: Program,
) -> None:
    one, _ = plans(sold, ("{customer_id: {login: true, unique: true}}", "{}"))
    assert [each["name"] for each in one["audiences"]] == ["everybody"]


def test_definitions_of_a_store_that_never_had_any_are_new(idsync: Program) -> None:
    idsync.write("idsync.yaml", CONFIG.partition("    calculated_attributes")[0])
    outcome = idsync.replay({"type": "identify", "known_identities": {"email": "a"}})
    assert outcome.status == 0
    idsync.write("after.yaml", CONFIG)
    told = idsync("config", "plan", "--config", "after.yaml", "--json").json()["scopes"]
    assert told[0]["calculated_attributes"]["added"] == ["lifetime_value", "orders"]
    assert [each["after"] for each in told[0]["audiences"]] == [0, 1, 1]
    assert [each["after"] for each in told[1]["audiences"]] == [0, 0]
    assert told[1]["fate"] == "new"


# What is printed for machines


KINDS = """\
      kinds:
        id: 6
        any:
          - {attribute: tier, operator: in_list, values: [gold]}
          - {attribute: orders, operator: equals, value: 0}
          - {event_type: commerce_event, operator: not_exists, where: [{attribute: a, operator: exists}]}
          - {identity: email, operator: contains, value: x}
          - {first_seen: {within: 30 days}}
          - {first_seen: {operator: before, value: 2024-01-01}}
          - {audience: others}
          - {all: [{known: false}, {not: {not: {known: true}}}]}
  couriers:
"""  # noqa: E501


def test_all_that_is_printed_for_machines_is_as_its_schema_says(sold: Program) -> None:
    sold.write("idsync.yaml", CONFIG.replace("  couriers:\n", KINDS))
    assert_valid("audience", *sold("audience", "--json").lines())
    assert_valid("config-show", sold("config", "show", "--json").json())
    assert_valid("config-plan", sold("config", "plan", "--json").json())
    for name in ("lapsed_buyers", "others", "kinds", "nobody"):
        assert_valid("audience-member", *sold("audience", name, "--json").lines())
        for mpid in (LAPSED, LOYAL, COURIER, "5"):
            explained = sold("audience", name, "--explain", mpid, "--json")
            assert_valid("audience-explain", explained.json())
    for change in ("saw", "holds"):
        told = sold("audience", "kinds", "--explain", LAPSED, "--json").json()
        del told["condition"]["any"][0][change]
        assert not validator("audience-explain").is_valid(told)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(definitions())
def test_whatever_is_defined_is_shown_as_the_schema_says(defined: Definitions) -> None:
    scope = rules("customer_id:lu email")._replace(definitions=defined)
    shown = organization_json(Organization(None, {"s": scope}, {}))
    assert_valid("config-show", json.loads(json.dumps(shown)))
