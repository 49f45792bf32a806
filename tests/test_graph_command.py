"""`idsync graph`: what belongs together, bounded and counted, in every format (section 12)."""

import json
import re
import shlex
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest

from tests.pages import Reader, assert_own
from tests.program import (  # noqa: F401 - the fixture
    CONFIG,
    TWO_SCOPES,
    Outcome,
    Program,
    assert_refused,
    mpid_of,
    program_in_a_fresh_folder,
)
from tests.test_hostile_values import HOSTILE, shown
from tests.test_output_schemas import assert_valid


def login(customer: str, **others: str) -> dict[str, Any]:
    return {"type": "login", "known_identities": {"customer_id": customer, **others}}


def identify(**identities: str) -> dict[str, Any]:
    return {"type": "identify", "known_identities": identities}


def modify(seq: int, kind: str, old: str | None, new: str | None) -> dict[str, Any]:
    change = {"identity_type": kind, "old_value": old, "new_value": new}
    return {"type": "modify", "mpid": mpid_of(1, seq), "identity_changes": [change]}


def graph(idsync: Program, *arguments: str) -> Any:
    outcome = idsync("graph", *arguments, "--json")
    assert outcome.stderr == ""
    found = outcome.json()
    assert_valid("graph", found)
    return found


def links(found: Any) -> list[tuple[str, str | None, int, int | None]]:
    """Links with an identifier's value in place of its id."""
    values = {each["id"]: each["value"] for each in found["nodes"] if each["kind"] == "identifier"}
    return [
        (each["profile"], values[each["identifier"]], each["added_seq"], each["removed_seq"])
        for each in found["links"]
    ]


def ids(found: Any, kind: str) -> list[str]:
    name = {"profile": "mpid", "identifier": "value"}[kind]
    return [each[name] for each in found["nodes"] if each["kind"] == kind]


@pytest.fixture(name="family")
def program_with_a_family(idsync: Program) -> Program:
    """Profiles 1, 2 and 3, tied by an email and a phone; 1 once held another phone."""
    idsync.write("idsync.yaml", CONFIG)
    idsync.make_store()
    idsync.replay(
        login("1", email="a@x", ios_idfv="phone"),
        login("2", email="b@x", ios_idfv="phone"),
        login("3", email="b@x", ios_idfv="other"),
        modify(1, "ios_idfv", "phone", "new"),
        arguments=("--seed", "1"),
    )
    return idsync


A, B, C = (mpid_of(1, seq) for seq in (1, 2, 3))


def test_a_profile_with_its_neighbours(family: Program) -> None:
    found = graph(family, A)
    assert ids(found, "profile") == [A, B]
    assert ids(found, "identifier") == ["1", "a@x", "new", "phone"]
    assert links(found) == [
        (A, "1", 1, None), (A, "a@x", 1, None), (A, "phone", 1, 4), (B, "phone", 2, None),
        (A, "new", 4, None),
    ]  # fmt: skip
    assert found["left_out"] == {"profiles": 0, "identifiers": 0}
    assert [each["seq"] for each in found["requests"]] == [1, 2, 4]
    assert [each["asked"] for each in found["nodes"]] == [True] + [False] * 5


def test_who_holds_an_identifier_or_once_held_it(family: Program) -> None:
    found = graph(family, "idfv=phone")
    assert ids(found, "profile") == [A, B]
    assert (A, "phone", 1, 4) in links(found)
    assert ids(found, "identifier") == ["1", "2", "a@x", "b@x", "new", "phone"]


def test_what_ties_two_identifiers_is_the_shortest_way_and_no_more(family: Program) -> None:
    found = graph(family, "email=a@x", "idfv=other")
    assert found["tie"] == "found"
    assert ids(found, "profile") == [A, B, C]
    assert ids(found, "identifier") == ["a@x", "b@x", "other", "phone"]
    direct = graph(family, "customer_id=1", "email=a@x")
    assert links(direct) == [(A, "1", 1, None), (A, "a@x", 1, None)]


def test_every_shortest_way_is_drawn(idsync: Program) -> None:
    idsync.write("idsync.yaml", CONFIG)
    idsync.make_store()
    idsync.replay(*(login(each, email="shared", ios_idfv="phone") for each in "123"))
    found = graph(idsync, "email=shared", "idfv=phone")
    assert len(ids(found, "profile")) == 3
    assert graph(idsync, "email=shared", "idfv=phone", "--limit", "2")["left_out"]["profiles"] == 1


def test_where_nothing_ties_two_identifiers_both_are_drawn_and_the_status_says_so(
    family: Program,
) -> None:
    family.replay(login("9", email="far@x"))
    outcome = family("graph", "email=far@x", "email=a@x", "--json")
    assert outcome.status == 1
    assert "nothing ties email 'far@x' and email 'a@x'" in outcome.stderr
    assert outcome.json()["tie"] == "none"
    assert len(outcome.json()["nodes"]) == 2


def test_a_tie_that_is_too_far_away_is_not_denied(
    idsync: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    idsync.write("idsync.yaml", CONFIG)
    idsync.make_store()
    chain = [login(str(n), email=f"{n // 2}@x", ios_idfv=f"{(n + 1) // 2}") for n in range(12)]
    idsync.replay(*chain)
    assert graph(idsync, "customer_id=0", "customer_id=11")["tie"] == "found"
    monkeypatch.setattr("idsync_cli.graph.ties.MOST_LOOKED_AT", 6)
    outcome = idsync("graph", "customer_id=0", "customer_id=11", "--json")
    assert (outcome.status, outcome.json()["tie"]) == (1, "not_found")
    assert "there may be one further away" in outcome.stderr


@pytest.fixture(name="crowd", scope="module")
def program_with_a_crowd(tmp_path_factory: pytest.TempPathFactory) -> Program:
    idsync = Program(tmp_path_factory.mktemp("crowd"))
    idsync.write("idsync.yaml", CONFIG)
    idsync.make_store()
    many = [login(f"c{n}", ios_idfv="kiosk", email=f"{n}@x") for n in range(300)]
    own = [login("big", email=f"big{n}@x", other=f"{n}") for n in range(140)]
    idsync.replay(*many, *own)
    return idsync


def test_of_a_device_that_many_share_the_newest_are_drawn_and_the_rest_counted(
    crowd: Program,
) -> None:
    found = graph(crowd, "idfv=kiosk", "--limit", "5")
    assert ids(found, "profile") == [mpid_of(1, seq) for seq in range(296, 301)]
    assert found["left_out"] == {"profiles": 295, "identifiers": 0}
    of_one = graph(crowd, mpid_of(1, 7), "--limit", "5")
    assert ids(of_one, "profile") == [mpid_of(1, seq) for seq in (7, *range(296, 301))]
    assert of_one["left_out"]["profiles"] == 294


def test_of_a_profile_that_holds_very_much_the_newest_is_drawn_and_the_rest_counted(
    crowd: Program,
) -> None:
    found = graph(crowd, mpid_of(1, 301))
    assert len(ids(found, "identifier")) == 200
    assert found["left_out"] == {"profiles": 0, "identifiers": 81}
    assert "big139@x" in ids(found, "identifier")
    assert "big0@x" not in ids(found, "identifier")


def test_a_scope_up_to_a_limit(crowd: Program) -> None:
    found = graph(crowd, "--scope", "consumers", "--limit", "3")
    assert ids(found, "profile") == [mpid_of(1, seq) for seq in (299, 300, 301)]
    assert found["left_out"] == {"profiles": 298, "identifiers": 281 - 12}
    assert len(ids(graph(crowd, "--scope", "consumers"), "profile")) == 200


def test_a_scope_in_which_everything_hangs_together_is_drawn(idsync: Program) -> None:
    idsync.write("idsync.yaml", CONFIG)
    idsync.make_store()
    idsync.replay(
        *(
            login(f"c{n}", ios_idfv=f"{n}-{k}", device_application_stamp=f"d{(n + k * k) // 9}")
            for n in range(60)
            for k in range(4)
        )
    )
    page = idsync("graph", "--scope", "consumers", "--format", "html").stdout
    assert len(Reader(page).named("svg")) == 1
    assert page.count('class="node profile') == 60


def test_the_same_store_gives_the_same_picture(crowd: Program) -> None:
    for form in ("html", "mermaid", "dot", "json"):
        asked = ("graph", "--scope", "consumers", "--limit", "20", "--format", form)
        assert crowd(*asked).stdout == crowd(*asked).stdout


def test_an_identifier_of_two_scopes_stands_in_each(idsync: Program) -> None:
    idsync.write("idsync.yaml", TWO_SCOPES)
    idsync.make_store()
    idsync.replay(*({**identify(email="a"), "scope": each} for each in ("consumers", "couriers")))
    found = graph(idsync, "email=a")
    assert [each["scope"] for each in found["nodes"]] == ["consumers", "couriers"] * 2
    assert len(graph(idsync, "email=a", "--scope", "couriers")["links"]) == 1


def test_links_are_what_the_history_tells(family: Program) -> None:
    """For every profile: its intervals, made of the additions and removals of its history."""
    family.replay(
        modify(1, "ios_idfv", "new", "phone"),
        modify(2, "email", "b@x", None),
        login("2", email="a@x", device_application_stamp="d"),
        modify(3, "customer_id", "3", "33"),
    )
    for mpid in (A, B, C):
        expected: Counter[tuple[str, int, int | None]] = Counter()
        begun: dict[tuple[str, str], int] = {}
        for each in family("history", "--mpid", mpid, "--json").lines():
            key = each["identity_type"], each["value"]
            if each["op"] == "add":
                begun[key] = each["seq"]
            else:
                expected[key[1], begun.pop(key), each["seq"]] += 1
        expected.update((value, seq, None) for (_, value), seq in begun.items())
        found = graph(family, mpid)
        assert Counter(each[1:] for each in links(found) if each[0] == mpid) == expected


def test_a_profile_that_was_erased_is_said_to_be(family: Program) -> None:
    assert family("erase", "--mpid", B).status == 0
    outcome = family("graph", B)
    assert_refused(outcome, 1, f"there is no profile {B}; it was erased by request 5")
    assert ids(graph(family, A), "profile") == [A]


def test_a_value_that_was_erased_is_said_to_be(family: Program) -> None:
    family.replay(modify(3, "ios_idfv", "other", None), login("7", ios_idfv="other"))
    family.replay(login("7", ios_idfv="last"))
    holder = family("search", "--customer-id", "7", "--json").json()["mpid"]
    assert family("erase", "--mpid", holder).status == 0
    found = graph(family, C)
    [gone] = [each for each in found["nodes"] if each.get("value", "") is None]
    [past] = [each for each in found["links"] if each["identifier"] == gone["id"]]
    assert (past["added_seq"], past["removed_seq"]) == (3, 5)
    assert gone["identity_type"] == "ios_idfv"
    for form in ("mermaid", "dot", "html"):
        assert "(erased)" in family("graph", C, "--format", form).stdout


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        ((), 2, ("name what to draw", "--scope")),
        (("77",), 1, ("there is no profile 77",)),
        (("email=nobody",), 1, ("no profile ever held email 'nobody'",)),
        (("email=a@x", "idfv=nothing"), 1, ("no profile ever held ios_idfv 'nothing'",)),
        (("email=A@x",), 1, ("'a@x' is held, which differs only in letter case",)),
        (("email",), 2, ("'email' is not TYPE=VALUE",)),
        (("mail=a",), 2, ("mail",)),
        (("email=",), 2, ("the value of 'email' is empty",)),
        (("email=a@x", "email=a@x"), 2, ("both identifiers are the same",)),
        (("email=a@x", "email=b@x", "idfv=1"), 2, ("at most two identifiers", "'idfv=1'")),
        (("77", "email=a@x"), 2, ("omit 'email=a@x'",)),
        (("77", "--scope", "consumers"), 2, ("omit it",)),
        (("--scope", "consumer"), 2, ("unknown scope 'consumer'", "consumers")),
        (("email=a@x", "--json", "--format", "dot"), 2, ("two formats",)),
        (("email=a@x", "--limit", "0"), 2, ("--limit",)),
        (("email=a@x", "--force"), 2, ("--force has no effect without --output",)),
        (("email=a@x", "--output", "idsync.yaml"), 2, ("is the configuration",)),
        (("email=a@x", "--output", "idsync.db"), 2, ("idsync.db",)),
        (("--compare", "idsync.yaml", "idsync.yaml"), 2, ("needs a file of requests",)),
    ],
)
def test_what_is_wrong_is_said_with_the_way_out(
    family: Program, arguments: tuple[str, ...], status: int, words: tuple[str, ...]
) -> None:
    before = family.files()
    assert_refused(family("graph", *arguments), status, *words)
    assert family.files() == before


def test_a_scope_without_profiles_has_nothing_to_draw(idsync: Program) -> None:
    idsync.write("idsync.yaml", TWO_SCOPES)
    idsync.make_store()
    outcome = idsync("graph", "--scope", "couriers")
    assert_refused(outcome, 1, "there is no profile in the scope 'couriers'")


def test_without_a_store_it_is_said_how_to_make_one(idsync: Program) -> None:
    idsync.write("idsync.yaml", CONFIG)
    assert_refused(idsync("graph", "email=a"), 3, "there is no store at idsync.db", "idsync init")


@pytest.mark.parametrize(
    ("name", "begin"),
    [
        ("g.html", "<!DOCTYPE html>"), ("G.HTM", "<!DOCTYPE html>"), ("g.mmd", "flowchart LR"),
        ("g.dot", "graph idsync {"), ("g.gv", "graph idsync {"), ("g.json", '{"nodes": '),
        ("g.txt", "flowchart LR"),
    ],
)  # fmt: skip
def test_the_format_follows_from_the_name_of_the_output(
    family: Program, name: str, begin: str
) -> None:
    outcome = family("graph", A, "--output", name)
    assert (outcome.stdout, outcome.stderr, outcome.status) == ("", "", 0)
    text = (family.folder / name).read_text("utf-8")
    assert text.startswith(begin)
    assert_refused(family("graph", B, "--output", name), 2, "already exists", "--force")
    assert (family.folder / name).read_text("utf-8") == text
    assert family("graph", B, "--output", name, "--force").status == 0
    assert (family.folder / name).read_text("utf-8") != text


def test_an_erasure_names_the_file_that_a_graph_was_written_to(family: Program) -> None:
    family("graph", A, "--output", "g.html")
    assert "g.html" in family("erase", "--mpid", A, "--dry-run").stdout


# A comparison


@pytest.fixture(name="parted")
def program_with_two_configurations(idsync: Program) -> Program:
    idsync.write("idsync.yaml", CONFIG)
    strict = CONFIG.replace("customer_id, email, ios_idfv", "customer_id, ios_idfv")
    idsync.write("new.yaml", strict.replace(", device_application_stamp", ""))
    requests = [identify(email="a", ios_idfv="1"), identify(email="a", ios_idfv="2")]
    requests += [identify(email="b", ios_idfv="3")]
    idsync.write("r.jsonl", "".join(f"{json.dumps(each)}\n" for each in requests))
    return idsync


def test_a_comparison_shows_what_was_split(parted: Program) -> None:
    found = graph(parted, "--compare", "idsync.yaml", "new.yaml", "r.jsonl")
    profiles = [each for each in found["nodes"] if each["kind"] == "profile"]
    assert [(each["side"], each["mpid"]) for each in profiles] == [
        ("a", mpid_of(0, 1)), ("b", mpid_of(0, 1)), ("b", mpid_of(0, 2)),
    ]  # fmt: skip
    assert ids(found, "identifier") == ["a", "1", "2"]
    one, two, three = (each["id"] for each in profiles)
    assert sorted(each[:2] for each in links(found)) == sorted(
        [(one, "a"), (one, "1"), (one, "2"), (two, "a"), (two, "1"), (three, "a"), (three, "2")]
    )
    assert {each["added_seq"] for each in found["links"]} == {None}


def test_a_comparison_the_other_way_round_shows_what_was_merged(parted: Program) -> None:
    found = graph(parted, "--compare", "new.yaml", "idsync.yaml", "r.jsonl")
    sides = Counter(each.get("side") for each in found["nodes"] if each["kind"] == "profile")
    assert sides == {"a": 2, "b": 1}
    page = parted("graph", "--compare", "new.yaml", "idsync.yaml", "r.jsonl", "--format", "html")
    assert "A: " + mpid_of(0, 1) in Reader(page.stdout).texts


def test_where_nothing_is_split_or_merged_there_is_nothing_to_draw(parted: Program) -> None:
    outcome = parted("graph", "--compare", "idsync.yaml", "idsync.yaml", "r.jsonl")
    assert_refused(outcome, 1, "nothing is split or merged")


def test_a_comparison_is_bounded_and_counts_the_rest(parted: Program) -> None:
    requests = [
        identify(email=f"{n}", ios_idfv=f"{n}-{phone}") for n in range(6) for phone in range(3)
    ]
    parted.write("r.jsonl", "".join(f"{json.dumps(each)}\n" for each in requests))
    found = graph(parted, "--compare", "idsync.yaml", "new.yaml", "r.jsonl", "--limit", "7")
    sides = Counter(each.get("side") for each in found["nodes"] if each["kind"] == "profile")
    assert sides == {"a": 2, "b": 6}
    assert found["left_out"]["profiles"] == 4


# The formats


@pytest.fixture(name="hostile", scope="module")
def program_with_hostile_values(tmp_path_factory: pytest.TempPathFactory) -> Program:
    idsync = Program(tmp_path_factory.mktemp("hostile"))
    idsync.write("idsync.yaml", CONFIG)
    idsync.make_store()
    idsync.replay(
        *(
            {**identify(email=each, ios_idfv="phone"), "request_id": each, "label": each}
            for each in (*HOSTILE, *MARKUP)
        )
    )
    return idsync


MARKUP = (
    "<script>alert(1)</script>", '"]:::x; click i1 "javascript:alert(1)"', "</title><b>",
    '\\" -- owned; "', "&lt;b&gt;", "#quot;", "`**bold**`", "end", "\\N \\G \\l", "%%{init: {}}%%",
)  # fmt: skip


def of_everything(idsync: Program, form: str) -> Outcome:
    """The one profile that holds all of them."""
    return idsync("graph", mpid_of(1, 1), "--format", form)


def test_mermaid_has_nothing_but_its_own_words_and_codes(hostile: Program) -> None:
    text = of_everything(hostile, "mermaid").stdout
    quoted = re.compile(r'"((?:[\w .,:@+\-()/]|#\d+;|<br/>)*)"')
    for line in text.splitlines():
        assert re.fullmatch(
            r"(flowchart LR| *[\w]+[\[({>]+Q[\])}]+(:::\w+)?| *\w+ (---|-\.-)(\|Q\|)? \w+"
            r"| *\w+\(\(Q\)\) (---|-\.-)\|Q\| \w+\(\(Q\)\)"
            r"| *class \w+ asked| *subgraph legend\[Q\]| *end| *classDef [\w]+ [\w:#,\- ]+)",
            quoted.sub("Q", line),
        ), line
    for value in MARKUP[:4]:
        assert value not in text


def dot_tokens(text: str) -> Iterator[str]:
    """The tokens of Graphviz's grammar; anything else fails."""
    token = re.compile(r'\s*("(?:[^"\\]|\\n)*"|[A-Za-z_]\w*|\d+|--|[{}\[\]=,;]|#\w+)')
    place = 0
    text = text.rstrip()
    while place < len(text):
        found = token.match(text, place)
        assert found, text[place : place + 80]
        place = found.end()
        yield found[1]


def test_dot_is_tokens_of_its_grammar_and_a_value_is_one(hostile: Program) -> None:
    tokens = list(dot_tokens(of_everything(hostile, "dot").stdout))
    assert tokens[:3] == ["graph", "idsync", "{"]
    assert tokens[-1] == "}"
    assert "owned" not in tokens
    assert tokens.count("--") == len([*HOSTILE, *MARKUP]) + 2  # the phone, and the legend


def test_a_page_has_no_element_but_its_own_and_tells_every_value(hostile: Program) -> None:
    seen = assert_own(of_everything(hostile, "html").stdout, scripts=1)
    for value in (*HOSTILE, *MARKUP):
        assert shown(value) in seen.texts


def test_a_page_tells_of_each_link_and_offers_the_history(family: Program) -> None:
    seen = Reader(family("graph", A, "--format", "html").stdout)
    drawn = [each for each in seen.named("g") if "link" in str(each["class"]).split()]
    assert Counter(str(each["class"]) for each in drawn) == {"link": 4, "link past": 1}
    [past] = [each for each in drawn if each["class"] == "link past"]
    assert (past["data-from"], past["data-to"]) == ("1", "4")
    assert "removed by request 4" in str(past["data-about"])
    [slider] = seen.named("input")
    assert (slider["min"], slider["max"], slider["value"]) == ("0", "2", "2")
    steps = [each["data-seq"] for each in seen.named("li") if "data-seq" in each]
    assert steps == ["1", "2", "4"]


def test_the_numbers_of_what_was_added_again_stand_one_below_another(family: Program) -> None:
    family.replay(modify(1, "ios_idfv", "new", "phone"), modify(1, "ios_idfv", "phone", "new"))
    seen = Reader(family("graph", A, "--format", "html").stdout)
    drawn = pairwise(seen.elements)
    places = [
        (str(path["d"]).partition(" ")[0], label["y"], label["dy"])
        for (name, path), (after, label) in drawn
        if name == "path" and after == "text"
    ]
    assert len(places) == 7
    assert len(set(places)) == 7


def test_labels_that_would_look_alike_are_numbered(idsync: Program) -> None:
    idsync.write("idsync.yaml", CONFIG)
    idsync.make_store()
    long = ["x" * 60 + end + "y" * 60 for end in "ab"]
    idsync.replay(*(identify(email=each, ios_idfv="phone") for each in long))
    text = idsync("graph", "idfv=phone").stdout
    assert "(1)" in text
    assert "(2)" in text


def test_the_example_of_the_help_is_a_command_that_runs(family: Program) -> None:
    example = re.search(r"Example: idsync (.*)", family("graph", "--help").stdout)
    assert example
    words = shlex.split(example[1].replace("a@example.com", "a@x"))
    assert family(*words).status == 0
    assert (family.folder / "graph.html").exists()
