"""What people read: whole outputs, what each line says, and values that try to be more than text.

The outputs in `tests/golden/` are compared as they are. After a change of wording or layout write
them anew, and look at what has become of them:

    IDSYNC_WRITE_GOLDEN=1 python -m pytest tests/test_explanation.py && git diff tests/golden
"""

import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rich.cells import cell_len

from tests.program import (  # noqa: F401 - the fixture
    Outcome,
    Program,
    mpid_of,
    program_in_a_fresh_folder,
)

GOLDEN = Path(__file__).parent / "golden"

RULES = """\
version: 1
organization: example-org
scopes:
  consumers:
    strategy: profile_conversion
    priority: [customer_id, email, mobile_number, ios_idfv, device_application_stamp]
    identities: {customer_id: {login: true, unique: true, immutable: true}, email: {unique: true}}
  couriers:
    strategy: profile_isolation
    priority: [customer_id, email, ios_idfv]
accounts:
  shops: {workspaces: {shop-ios: consumers, shop-web: consumers}}
  fleet: {workspaces: {courier-app: couriers}}
"""


@pytest.fixture(name="shop")
def program_with_users_and_visitors(idsync: Program) -> Program:
    """A known user (request 1) and two visitors (2 and 3) of one phone, and a courier (4)."""
    idsync.write("idsync.yaml", RULES)
    idsync.make_store()
    jekyll = {"customer_id": "h.jekyll.85", "email": "jekyll@example.com", "idfv": "phone-1"}
    hyde = {"customer_id": "7", "email": "hyde@example.com"}
    answers = idsync.answers(
        {"type": "login", "scope": "consumers", "known_identities": jekyll},
        {"type": "logout", "scope": "consumers", "known_identities": {"idfv": "phone-1"}},
        {"type": "logout", "scope": "consumers", "known_identities": {"idfv": "phone-1"}},
        {"type": "login", "scope": "couriers", "known_identities": hyde},
    )
    assert [answer["status"] for answer in answers] == ["created"] * 4
    return idsync


CONSUMERS = ("--scope", "consumers")
EXPLAINED: dict[str, tuple[str, ...]] = {
    "login_matched": (
        *("login", *CONSUMERS, "--customer-id", "h.jekyll.85", "--idfv", "phone-2"),
        *("--das", "a-very-long-stamp-of-an-application-on-a-device-0123456789", "--other", "o"),
    ),
    "identify_tie": ("identify", *CONSUMERS, "--idfv", "phone-1", "--das", "new"),
    "identify_protected": (
        *("identify", *CONSUMERS, "--email", "jekyll@example.com", "--idfv", "phone-1"),
        *("--mobile-number", "+15550100"),
    ),
    "logout": ("logout", *CONSUMERS, "--customer-id", "h.jekyll.85", "--idfv", "phone-1"),
    "search_not_found": ("search", *CONSUMERS, "--email", "jekyll@example.com"),
    "modify": (
        *("modify", *CONSUMERS, "--mpid", mpid_of(1, 2), "--email", "jekyll@example.com"),
        *("--remove", "idfv"),
    ),
    "login_new_known_user": (
        *("login", "--workspace", "courier-app", "--customer-id", "8", "--idfv", "phone-1"),
        *("--email", "hyde@example.com"),
    ),
}

REQUESTS: list[object] = [
    {"type": "identify", "scope": "consumers", "known_identities": {"idfv": "phone-1"}},
    {"type": "login", "scope": "consumers", "known_identities": {"customer_id": "h.jekyll.85"}},
    {"type": "identify", "scope": "consumers", "known_identities": {"emial": "x"}},
    {"type": "search", "workspace": "shop-ios", "known_identities": {"email": "nobody"}},
    {"type": "login", "scope": "couriers", "known_identities": {"idfv": "phone-1"}},
    {
        "type": "modify",
        "scope": "consumers",
        "mpid": mpid_of(1, 2),
        "known_identities": {"idfv": None},
    },
    {"type": "logout", "scope": "consumers", "known_identities": {"customer_id": "x", "das": "d"}},
    ["no request"],
]
STORY = """\
name: a story that ends otherwise
config: idsync.yaml
given:
  - {scope: consumers, mpid: 1, customer_id: A, email: a@example.com}
  - {scope: consumers, mpid: 2, email: a@example.com, ios_idfv: phone}
steps:
  - identify: {scope: consumers, email: a@example.com, ios_idfv: phone}
    expect: {mpid: 1, decided_by: email, notes: [tie]}
  - modify: {scope: consumers, mpid: 9, email: b@example.com}
    expect: {status: modified}
profiles:
  2: {email: b@example.com, ios_idfv: phone}
"""


def _explained(arguments: tuple[str, ...]) -> Callable[[Program], Outcome]:
    return lambda shop: shop(*arguments, "--explain")


def _summary(shop: Program) -> Outcome:
    lines = "".join(json.dumps(request) + "\n" for request in REQUESTS)
    return shop("replay", "-", stdin=lines.encode())


def _failing_check(shop: Program) -> Outcome:
    shop.write("story.yaml", STORY.replace("mpid: 2, email: a@", "mpid: 2, email: b@"))
    return shop("check", "story.yaml")


WHOLE: dict[str, Callable[[Program], Outcome]] = {
    **{name: _explained(arguments) for name, arguments in EXPLAINED.items()},
    "config_show": lambda shop: shop("config", "show"),
    "replay_summary": _summary,
    "check_failed": _failing_check,
}


@pytest.mark.parametrize("name", WHOLE)
def test_whole_outputs_are_as_they_were(shop: Program, name: str) -> None:
    shown = WHOLE[name](shop).stdout
    path = GOLDEN / f"{name}.txt"
    if os.environ.get("IDSYNC_WRITE_GOLDEN"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(shown, "utf-8")
    assert shown == path.read_text("utf-8")


def test_every_golden_file_is_of_an_output() -> None:
    assert {path.stem for path in GOLDEN.glob("*")} == set(WHOLE)


@pytest.mark.parametrize("columns", [80, 100, 200])
@pytest.mark.parametrize("name", WHOLE)
def test_no_line_is_wider_than_the_terminal(shop: Program, name: str, columns: int) -> None:
    lines = WHOLE[name](Program(shop.folder, columns)).stdout.splitlines()
    assert max(map(cell_len, lines)) <= columns
    assert lines == [line.rstrip() for line in lines]


# The explanation


def rows(text: str) -> list[dict[str, Any]]:
    """The table of the tiers, read back: wide enough that nothing is folded."""
    lines = text.splitlines()
    headings = [line for line in lines if "# Type" in line]
    if not headings:
        return []
    [heading] = headings
    names = ("Type", "Value", "Settings", "Held by", "Eligible", "Outcome")
    start = {name: heading.index(name) for name in names}
    left = heading.index("Left"), heading.index("Left") + len("Left")
    found: list[dict[str, Any]] = []
    for line in lines[lines.index(heading) + 2 :]:
        rank = re.match(r"(?:▶ | *)(\d)", line[: start["Type"]])
        eligible = line[start["Eligible"] : left[0]].strip()
        if rank:
            found.append(
                {
                    "rank": int(rank[1]),
                    "identity_type": line[start["Type"] : start["Value"]].strip(),
                    "value": line[start["Value"] : start["Settings"]].strip(),
                    "settings": line[start["Settings"] : start["Held by"]].split(),
                    "held_by": line[start["Held by"] : start["Eligible"]].strip(),
                    "eligible": eligible,
                    "ineligible": {},
                    "left": line[slice(*left)].strip(),
                    "outcome": line[start["Outcome"] :],
                }
            )
            assert line.startswith("▶") == (found[-1]["outcome"] == "decided")
        elif eligible.startswith("kept by "):
            assert found[-1]["ineligible"]
        elif not line[: start["Eligible"]].strip() and eligible:
            count, reason = eligible.split()
            found[-1]["ineligible"][reason] = int(count)
        else:
            break
    return found


def shown(tier: dict[str, Any]) -> dict[str, Any]:
    """A tier of the JSON form as the table shows it."""

    def number(value: int | None) -> str:
        return "-" if value is None else str(value)

    return tier | {
        "value": tier["value"] or "-",
        "settings": tier["settings"] or ["-"],
        "held_by": number(tier["held_by"]),
        "eligible": number(tier["eligible"]),
        "left": number(tier["left"]),
        "outcome": tier["outcome"].replace("_", " "),
    }


def absent(text: str) -> list[str]:
    """The types of the line that says what the request does not carry."""
    [*listed] = re.findall(r"^not in request: (.*)$", text, re.MULTILINE)
    return listed[0].split(", ") if listed else []


@pytest.mark.parametrize("name", EXPLAINED)
def test_the_table_and_the_json_form_carry_the_same_facts(shop: Program, name: str) -> None:
    dry = (*EXPLAINED[name], "--explain", "--dry-run")
    answer = shop(*dry, "--json").json()
    text = Program(shop.folder, 250)(*dry).stdout
    if answer["type"] == "modify":  # asks no tier
        assert not rows(text)
        assert not absent(text)
        return
    carried = [tier for tier in answer["tiers"] if tier["outcome"] != "not_in_request"]
    assert rows(text) == [shown(tier) for tier in carried]
    left_out = [each["identity_type"] for each in answer["tiers"] if each not in carried]
    assert absent(text) == left_out


def test_counts_that_stop_at_a_thousand_say_so_in_the_table_and_in_json(shop: Program) -> None:
    visitor = {"type": "logout", "scope": "consumers", "known_identities": {"das": "stand"}}
    search = ("search", *CONSUMERS, "--das", "stand", "--idfv", "phone-1", "--explain")
    shop.replay(*[visitor] * 1000)
    tier = shop(*search, "--json").json()["tiers"][4]
    assert "counted_to" not in tier
    assert (tier["held_by"], tier["ineligible"]) == (1000, {"immutable_search": 1000})
    assert "1000+" not in shop(*search).stdout
    shop.replay(visitor)
    device, stamp = shop(*search, "--json").json()["tiers"][3:]
    assert "counted_to" not in device
    assert list(stamp)[-1] == "counted_to"
    assert stamp == tier | {"counted_to": 1000}
    table = shop(*search).stdout
    assert re.search(r"stand .* 1000\+ .* 0", table)
    assert re.search(r"1000\+ *immutable", table)


@pytest.mark.parametrize("name", EXPLAINED)
def test_under_the_table_stands_what_the_json_form_says(shop: Program, name: str) -> None:
    dry = (*EXPLAINED[name], "--explain", "--dry-run")
    answer = shop(*dry, "--json").json()
    text = Program(shop.folder, 250)(*dry).stdout
    for tier in answer["tiers"]:
        for reason in tier["ineligible"]:
            assert f"{reason}: " in text
    for change in answer["changes"]:
        sign = "+" if change["op"] == "add" else "-"
        [line] = re.findall(
            rf"^{re.escape(sign)} {change['identity_type']} {re.escape(change['value'])}.*$",
            text,
            re.MULTILINE,
        )
        assert (change["mpid"] in line) == (change["mpid"] != answer["mpid"])
    for mpid in answer["orphaned"]:
        assert f"orphaned: {mpid}" in text
    for note in answer["notes"]:
        assert f"note {note['code']}: {note['message']}" in text
    if answer["mpid"]:
        assert f"Profile {answer['mpid']} " in text
    else:
        assert "No profile " in text


def test_every_outcome_and_several_reasons_are_among_the_explained(shop: Program) -> None:
    tiers: list[dict[str, Any]] = []
    for arguments in EXPLAINED.values():
        tiers += shop(*arguments, "--explain", "--dry-run", "--json").json()["tiers"]
    assert {tier["outcome"] for tier in tiers} == {
        *("decided", "narrowed", "no_candidates", "no_effect", "not_in_request", "not_consulted"),
    }
    assert {reason for tier in tiers for reason in tier["ineligible"]} >= {
        *("immutable_search", "immutable_protection", "conflicting_login"),
    }


def test_counts_and_reasons_of_every_tier_add_up(shop: Program) -> None:
    for arguments in EXPLAINED.values():
        for tier in shop(*arguments, "--explain", "--dry-run", "--json").json()["tiers"]:
            if tier["outcome"] in ("not_in_request", "not_consulted"):
                assert (tier["held_by"], tier["eligible"], tier["left"]) == (None, None, None)
            else:
                assert tier["held_by"] == tier["eligible"] + sum(tier["ineligible"].values())


@pytest.mark.parametrize("name", EXPLAINED)
def test_without_explain_one_line_says_what_decided(shop: Program, name: str) -> None:
    answer = shop(*EXPLAINED[name], "--dry-run", "--json").json()
    text = shop(*EXPLAINED[name], "--dry-run").stdout
    [line] = [line for line in text.splitlines() if "decided by" in line]
    decided_by = answer["decided_by"]
    if decided_by["rule"] == "identifier":
        assert f"tier {decided_by['rank']}, {decided_by['identity_type']}" in line
    else:
        assert decided_by["rule"] in line
    assert "Eligible" not in text
    assert answer.keys().isdisjoint({"tiers"})


def test_nothing_is_coloured_where_nobody_can_see_it(shop: Program) -> None:
    for environment in ({"NO_COLOR": "1"}, {"TERM": "xterm-256color"}, {"TERM": "dumb"}):
        for arguments in (("config", "show"), (*EXPLAINED["logout"], "--explain", "--dry-run")):
            assert "\x1b" not in shop(*arguments, environment=environment).stdout


def test_an_explanation_begins_with_its_result(shop: Program) -> None:
    for arguments in EXPLAINED.values():
        first = shop(*arguments, "--explain", "--dry-run").stdout.splitlines()[0]
        assert re.match(r"Profile -?\d+ |No profile found: ", first)


@pytest.mark.parametrize("columns", [80, 100, 200])
def test_a_type_that_fits_beside_the_other_columns_is_not_folded(
    shop: Program, columns: int
) -> None:
    arguments = ("identify", *CONSUMERS, "--das", "123456789", "--explain", "--dry-run")
    assert " device_application_stamp " in Program(shop.folder, columns)(*arguments).stdout


@pytest.mark.parametrize("columns", [60, 70, 80])
def test_words_break_where_they_have_a_joint(shop: Program, columns: int) -> None:
    arguments = ("identify", *CONSUMERS, "--das", "stamp-of-a-device@example.com", "--dry-run")
    text = Program(shop.folder, columns)(*arguments, "--explain").stdout
    whole = {"stamp-of-a-device@example.com", "device_application_stamp"}
    for line in text.splitlines():
        for word in re.findall(r"[a-z@._-]*(?:stamp|device|appl|exam)[a-z@._-]*", line):
            assert any(re.search(rf"(?:^|[-_@.]){re.escape(word)}", each) for each in whole), word
            assert word[-1] in "-_@." or any(each.endswith(word) for each in whole), word


def test_a_wide_character_takes_the_room_of_two(shop: Program) -> None:
    value = "\u65e5\u672c\u8a9e" * 4
    arguments = ("identify", *CONSUMERS, "--email", value, "--explain", "--dry-run")
    lines = Program(shop.folder, 120)(*arguments).stdout.splitlines()
    assert any(value in line for line in lines if line.startswith("2 email"))


@pytest.mark.parametrize("columns", [60, 72])
@pytest.mark.parametrize("name", EXPLAINED)
def test_on_a_narrow_terminal_no_rank_reason_or_count_is_lost(
    shop: Program, name: str, columns: int
) -> None:
    dry = (*EXPLAINED[name], "--explain", "--dry-run")
    answer = shop(*dry, "--json").json()
    text = Program(shop.folder, columns)(*dry).stdout
    for tier in answer["tiers"]:
        if tier["outcome"] == "not_in_request" or answer["type"] == "modify":
            continue
        assert re.search(rf"^(▶ | *){tier['rank']} ", text, re.MULTILINE), text
        for reason, count in tier["ineligible"].items():
            assert f"{count} {reason}" in text
    assert answer["type"] == "modify" or re.search(r"\bEligible\b.*\bLeft\b", text)


# Values that try to be more than text

HOSTILE = (
    "[bold red]x[/bold red] [/oops] :smile: [link=http://x]y[/link] \\[z] "
    "\x1b[31mred\x1b]8;;http://x\x07 \x07\x08\x7f \x9b31m\x90\x9d \x85 "
    "\u202egnp\u2066\u2069 \u200b\ufeff \r\n\t \u2028\u2029 \U000e0041 |"
)
MARKUP = "[bold red]x[/bold red] [/oops] :smile: [link=http://x]y[/link]"


def assert_inert(outcome: Outcome, *, markup: bool = True) -> None:
    """Nothing in it moves a cursor or turns text around, and markup stands there as text."""
    for text in (outcome.stdout, outcome.stderr):
        assert {each for each in text if not each.isprintable()} <= {"\n"}
    assert "fault of idsync" not in outcome.stderr
    assert not markup or MARKUP in outcome.stdout + outcome.stderr


@pytest.fixture(name="hostile")
def program_with_a_hostile_profile(idsync: Program) -> Program:
    """A store whose profile of request 1 holds a hostile email, on a terminal without limits."""
    idsync.make_store()
    assert idsync("identify", "--email", HOSTILE, "--idfv", "phone").status == 0
    return Program(idsync.folder, columns=2000)


MPID = ("--mpid", mpid_of(1, 1))


@pytest.mark.parametrize(
    "arguments",
    [
        ("identify", "--email", HOSTILE, "--das", "new"),
        ("identify", "--das", HOSTILE, "--customer-id", HOSTILE),
        ("login", "--customer-id", HOSTILE, "--email", HOSTILE),
        ("logout", "--das", HOSTILE),
        ("search", "--email", HOSTILE),
        ("search", "--das", HOSTILE),
        ("modify", *MPID, "--email", HOSTILE + "!"),
        ("modify", *MPID, "--customer-id", HOSTILE, "--remove", "email"),
    ],
)
def test_a_hostile_value_is_shown_as_text_and_kept_as_it_is(
    hostile: Program, arguments: tuple[str, ...]
) -> None:
    dry = (*arguments, "--dry-run")
    assert_inert(hostile(*dry), markup=False)
    assert_inert(hostile(*dry, "--explain"))
    as_json = hostile(*dry, "--json", "--explain")
    assert as_json.stdout.isascii()
    values = {tier["value"] for tier in as_json.json()["tiers"]}
    values |= {change["value"] for change in as_json.json()["changes"]}
    assert {HOSTILE, HOSTILE + "!"} & values


def test_a_hostile_value_makes_no_line_more_than_a_harmless_one(hostile: Program) -> None:
    for arguments in (("identify",), ("identify", "--explain"), ("identify", "--das", HOSTILE)):
        texts = [
            hostile(*arguments, "--customer-id", value, "--dry-run").stdout
            for value in (HOSTILE, "harmless")
        ]
        assert len({text.count("\n") for text in texts}) == 1


@pytest.mark.parametrize("columns", [40, 80, 120])
def test_a_hostile_value_is_inert_however_it_is_folded(hostile: Program, columns: int) -> None:
    narrow = Program(hostile.folder, columns)
    for arguments in (
        ("identify", "--email", HOSTILE, "--das", HOSTILE, "--explain", "--dry-run"),
        ("profile", "show", *MPID),
    ):
        outcome = narrow(*arguments)
        assert outcome.status == 0
        assert_inert(outcome, markup=False)


@pytest.mark.parametrize(
    "arguments",
    [
        ("profile", "show", *MPID),
        ("profiles",),
        ("whois", f"email={HOSTILE}"),
        ("history", *MPID),
        ("stats",),
    ],
    ids=lambda arguments: arguments[0],
)
def test_looking_into_a_store_shows_a_hostile_value_as_text(
    hostile: Program, arguments: tuple[str, ...]
) -> None:
    outcome = hostile(*arguments)
    assert outcome.status == 0
    assert_inert(outcome, markup=arguments[0] in ("profile", "whois", "history"))
    assert hostile(*arguments, "--json").stdout.isascii()


def test_json_and_export_keep_a_hostile_value_exactly(hostile: Program) -> None:
    assert hostile("export").json()["identities"]["email"] == [HOSTILE]
    found = hostile("search", "--email", HOSTILE, "--json").json()
    assert found["matched_identities"] == {"email": HOSTILE}
    assert found["identities"]["email"] == [HOSTILE]
    assert hostile("export").stdout.isascii()


@pytest.mark.parametrize(
    "arguments",
    [
        (HOSTILE,),
        ("identify", f"--{HOSTILE}"),
        ("identify", HOSTILE),
        ("identify", "--email", "a", HOSTILE),
        ("identify", "--identity", HOSTILE),
        ("identify", "--identity", f"{HOSTILE}=x"),
        ("identify", "--email", "a", "--identity", f"email={HOSTILE}"),
        ("identify", "--email", HOSTILE * 100),
        ("identify", "--email", "a", "--scope", HOSTILE),
        ("identify", "--email", "a", "--workspace", HOSTILE),
        ("identify", "--email", "a", "--previous-mpid", HOSTILE),
        ("identify", "--email", "a", "--previous-mpid", f"@{HOSTILE}"),
        ("identify", "--email", "a", "--config", HOSTILE),
        ("identify", "--email", "a", "--store", f"{HOSTILE}/{HOSTILE}"),
        ("modify", "--email", "a", "--mpid", HOSTILE),
        ("modify", *MPID, "--remove", HOSTILE),
        ("modify", *MPID, "--change", HOSTILE),
        ("modify", *MPID, "--change", f"email:{HOSTILE.replace(':', '')}:x"),
        ("replay", HOSTILE),
        ("replay", "-", "--seed", HOSTILE),
        ("replay", "-", "--chunk-size", HOSTILE),
        ("replay", "-", "--output", f"{HOSTILE}/{HOSTILE}"),
        ("replay", "-", "--scope", HOSTILE),
        ("check", HOSTILE),
        ("export", "--scope", HOSTILE),
        ("export", "--store", HOSTILE),
        ("profile", "show", "--mpid", HOSTILE),
        ("config", "show", "--config", HOSTILE),
        ("init", "--seed", HOSTILE),
        ("init", "--config", f"{HOSTILE}/{HOSTILE}"),
    ],
    ids=lambda arguments: " ".join(arguments).replace(HOSTILE, "X")[:40],
)
def test_an_error_shows_a_hostile_argument_as_text(
    hostile: Program, arguments: tuple[str, ...]
) -> None:
    outcome = hostile(*arguments)
    assert outcome.status in (2, 3)
    assert_inert(outcome, markup=False)
    assert "\n" not in outcome.stderr.rstrip("\n").replace("\ntry: ", " ")


def test_a_replay_of_hostile_requests_shows_them_as_text(hostile: Program) -> None:
    requests: list[dict[str, Any]] = [
        {"type": "identify", "label": HOSTILE, "known_identities": {"email": HOSTILE}},
        {"type": "identify", "known_identities": {HOSTILE: "x"}},
        {"type": "identify", HOSTILE: "x"},
        {"type": HOSTILE, "known_identities": {"email": HOSTILE}},
        {"type": "identify", "scope": HOSTILE, "known_identities": {"email": HOSTILE}},
        {"type": "modify", "mpid": HOSTILE, "known_identities": {"email": HOSTILE}},
        {"type": "modify", "mpid": f"@{HOSTILE}!", "known_identities": {"email": HOSTILE}},
        {"type": "identify", "known_identities": {"email": [HOSTILE]}},
        {"type": "identify", "known_identities": {"email": HOSTILE * 100}},
    ]
    lines = "".join(json.dumps(request) + "\n" for request in requests)
    hostile.write("requests.jsonl", lines + HOSTILE.replace("\n", "") + "\n")
    replay = ("replay", "requests.jsonl", "--dry-run")
    for for_people in (hostile(*replay), hostile(*replay, "--explain")):
        assert for_people.status == 1
        assert_inert(for_people)
    for outcome in (hostile(*replay, "--json"), hostile(*replay, "--output", "-")):
        assert outcome.stdout.isascii()
        assert_inert(outcome, markup=False)


def in_yaml(text: str) -> str:
    """The text as a quoted YAML scalar, in which all but letters and digits is escaped."""
    return '"' + "".join(map(_escaped, text)) + '"'


def _escaped(character: str) -> str:
    if character.isascii() and character.isalnum():
        return character
    return f"\\x{ord(character):02x}" if character < "\u0100" else f"\\U{ord(character):08x}"


def test_a_hostile_configuration_is_shown_as_text(hostile: Program) -> None:
    name = in_yaml(HOSTILE)
    rules = "{strategy: profile_conversion, priority: [email]}"
    text = (
        f"version: 1\norganization: {name}\nscopes: {{{name}: {rules}}}\n"
        f"accounts: {{{name}: {{workspaces: {{{name}: {name}}}}}}}\n"
    )
    hostile.write("idsync.yaml", text)
    assert_inert(hostile("config", "show"))
    assert_inert(hostile("config", "lint"))
    assert hostile("config", "show", "--json").json()["organization"] == HOSTILE
    assert_inert(hostile("identify", "--email", "a", "--explain", "--dry-run"))
    assert_inert(hostile("search", "--email", "a", "--scope", HOSTILE), markup=False)
    assert_inert(hostile("identify", "--email", "a", "--scope", "b"))
    for fault in (
        text.replace("priority", in_yaml(HOSTILE + "priority")),
        text.replace("[email]", f"[{name}]"),
        text.replace("profile_conversion", name),
        text.replace(f": {name}}}", ": nowhere}"),
        text + f"{name}: x\n",
        text + f"{name}: x\n{name}: x\n",
        text.replace("version: 1", f"version: {name}"),
    ):
        hostile.write("idsync.yaml", fault)
        outcome = hostile("config", "lint")
        assert outcome.status == 2
        assert_inert(outcome, markup=False)


def test_profiles_of_a_hostile_scope_that_is_gone_are_told_of_as_text(hostile: Program) -> None:
    rules = "{strategy: best_match, priority: [email]}"
    hostile.write("idsync.yaml", f"version: 1\nscopes: {{{in_yaml(HOSTILE)}: {rules}}}\n")
    hostile("identify", "--email", "a")
    hostile.write("idsync.yaml", f"version: 1\nscopes: {{b: {rules}}}\n")
    outcome = hostile("search", "--email", "a")
    told = [line for line in outcome.stderr.splitlines() if line.startswith("note: ")]
    assert len(told) == 2
    assert_inert(outcome, markup=False)
    assert_inert(hostile("profile", "show", "--mpid", mpid_of(1, 2)))


def test_a_hostile_scenario_is_shown_as_text(hostile: Program) -> None:
    name = in_yaml(HOSTILE)
    story = (
        f"name: {name}\nscope: {{strategy: best_match, priority: [email]}}\n"
        f"steps:\n  - identify: {{email: {name}}}\n    as: {name}\n"
        "    expect: {status: matched, matched: [email]}\n"
        f'profiles: {{"@x": {{email: {name}}}}}\n'
    )
    path = hostile.write("a[b]:smile:\x1b.yaml", story)
    outcome = hostile("check", path.name)
    assert outcome.status == 1
    assert_inert(outcome)
    for fault in (
        story.replace("status: matched", f"status: {name}"),
        story.replace("status: matched", f"{name}: x"),
        story.replace("identify", name),
        story.replace('"@x"', name),
    ):
        path.write_text(fault, "utf-8")
        outcome = hostile("check", path.name)
        assert outcome.status == 2
        assert_inert(outcome, markup=False)
