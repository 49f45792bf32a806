"""`idsync compare`: exact counts, telling examples, and what it refuses."""

import gzip
import json
import random
from pathlib import Path
from typing import Any

import pytest

from idsync_cli import wire
from idsync_cli.errors import StoreFault
from idsync_cli.files.config_file import load
from idsync_cli.foresight.comparing.process import SideProcess, results
from idsync_cli.foresight.comparing.work import File, SideJob
from tests.brute_comparison import compared, parted_at
from tests.many import many
from tests.program import (
    CONFIG,
    TWO_SCOPES,
    Outcome,
    Program,
    assert_refused,
    program_in_a_fresh_folder,
)
from tests.test_output_schemas import assert_valid
from tests.worlds import World, answered_world, config_yaml, random_scope

__all__ = ["program_in_a_fresh_folder"]

ROOT = Path(__file__).resolve().parent.parent
LINK = CONFIG.replace("profile_conversion", "profile_link")
Json = dict[str, Any]


def told(text: str) -> str:
    return " ".join(text.split())


def lines(*requests: Any) -> str:
    return "".join((json.dumps(each) if each else "") + "\n" for each in requests)


def identify(**identities: str) -> Json:
    return {"type": "identify", "known_identities": identities}


def login(**identities: str) -> Json:
    return {"type": "login", "known_identities": identities}


KIOSK = (
    identify(idfv="k"),
    login(customer_id="A", idfv="k"),
    None,
    identify(idfv="k"),
    login(customer_id="B", idfv="k"),
    login(customer_id="A", idfv="k"),
    {"type": "search", "known_identities": {"customer_id": "A"}},
    {"type": "search", "known_identities": {"idfv": "k"}},
)


@pytest.fixture(name="shop")
def program_with_two_configurations(idsync: Program) -> Program:
    idsync.write("link.yaml", LINK)
    idsync.write("day.jsonl", lines(*KIOSK))
    return idsync


def compare(program: Program, *more: str, other: str = "link.yaml") -> Outcome:
    return program("compare", "--with", other, *more)


def brute(program: Program, files: list[str], b: str, number: int = 0) -> tuple[Json, Any]:
    """The counts by brute force, over the answers and the profiles of two replays."""
    answers, known, profiles = [], [], []
    for side, config in (("a", "idsync.yaml"), ("b", b)):
        store = f"{side}{number}.db"
        where = ("--config", config, "--store", store)
        done = program("replay", *files, "--seed", "5", *where, "--explain", "--output", "-")
        answers.append(done.lines())
        profiles.append(program("profiles", "--json", *where).lines())
        known.append({each["mpid"] for each in profiles[-1] if each["known"]})
    a, b_answers = answers
    expected = compared(a, b_answers, (known[0], known[1]))
    for name, is_so in (
        ("profiles", lambda _: True),
        ("known", lambda each: each["known"]),
        ("orphaned", lambda each: each["orphaned"]),
    ):
        counts = [sum(map(is_so, its)) for its in profiles]
        expected[name] = dict(zip("ab", counts, strict=True))
    return expected, (a, b_answers, known)


def check_against_brute_force(program: Program, files: list[str], b: str, number: int) -> Json:
    found: Json = compare(program, *files, "--seed", "5", "--json", other=b).json()
    assert_valid("compare", found)
    expected, (a, b_answers, known) = brute(program, files, b, number)
    first = expected.pop("first")
    assert {name: found[name] for name in expected} == expected
    at = found["first_difference"]
    assert (first is None) == (at is None)
    if at is not None:
        assert (at["file"], at["line"]) == (a[first].get("file", files[0]), a[first]["line"])
        for side, answers in (("a", a), ("b", b_answers)):
            assert at[side] == answers[first]
    check_examples(found, a, b_answers, known, files[0])
    return found


def check_examples(found: Json, a: list[Json], b: list[Json], known: Any, file: str) -> None:
    """The most telling groups, by brute force; no three of one cause."""
    groups = [
        (mpid not in known[is_b], -size, first, is_b, at)
        for mpid, is_b, size, first, at in parted_at(a, b)
    ]
    wanted: list[tuple[str, int, str, int]] = []
    causes: list[Any] = []
    for _, size, _, is_b, at in sorted(groups):
        cause = (a[at].get("decided_by"), b[at].get("decided_by"))
        if len(wanted) < 10 and causes.count(cause) < 2:
            causes.append(cause)
            wanted.append(("merged" if is_b else "split", -size, a[at].get("file", file), at))
    shown = [(each["difference"], each["requests"], each["file"]) for each in found["examples"]]
    assert shown == [each[:3] for each in wanted]
    for example, (*_, at) in zip(found["examples"], wanted, strict=True):
        assert example["line"] == a[at]["line"]
        assert timeless(example["a"]) == timeless(a[at])
        assert timeless(example["b"]) == timeless(b[at])


def timeless(answer: Json) -> Json:
    """An answer, but for what an erasure says of its time and of files."""
    return {name: each for name, each in answer.items() if name not in ("time", "files")}


def changed(rng: random.Random, scope: Json) -> Json:
    """A scope with other rules over the same types."""
    other = random_scope(rng, scope.get("priority"))
    return other if rng.random() < 0.7 else scope


@pytest.mark.parametrize("seed", many(range(24), share=5))
def test_the_counts_are_those_of_brute_force(idsync: Program, seed: int) -> None:
    """Two configurations over a random world, from the answer files of two replays."""
    rng = random.Random(seed)
    world: World = answered_world(rng, False)[0]
    b = {name: changed(rng, scope) for name, scope in world.scopes.items()}
    idsync.write("idsync.yaml", config_yaml(world.scopes, world.workspaces))
    idsync.write("b.yaml", config_yaml(b, world.workspaces))
    half = len(world.requests) // 2
    files = ["one.jsonl", "two.jsonl"] if seed % 2 else ["one.jsonl"]
    idsync.write("one.jsonl", lines(*world.requests[: half if seed % 2 else None]))
    idsync.write("two.jsonl", lines(*world.requests[half:]))
    check_against_brute_force(idsync, files, "b.yaml", seed)


def test_a_day_of_the_shop(idsync: Program) -> None:
    config = (ROOT / "sample_config.yaml").read_text("utf-8")
    idsync.write("idsync.yaml", config)
    idsync.write("b.yaml", config.replace("profile_conversion", "profile_link"))
    day = (ROOT / "fixtures" / "requests.jsonl").read_bytes().split(b"\n")[:1200]
    idsync.write("day.jsonl", b"\n".join(day))
    found = check_against_brute_force(idsync, ["day.jsonl"], "b.yaml", 0)
    assert found["split"]["groups"] > 10
    assert len(found["examples"]) > 2


@pytest.mark.parametrize("seed", [None, "1", "-99999999999999999999"])
def test_a_configuration_compared_with_itself(shop: Program, seed: str | None) -> None:
    more = () if seed is None else ("--seed", seed)
    before = shop.files()
    outcome = compare(shop, "day.jsonl", *more, other="idsync.yaml")
    assert (outcome.status, outcome.stderr) == (0, "")
    assert outcome.stdout.startswith("Nothing differs.\n7 requests, 6 answered by both\n")
    found = compare(shop, "day.jsonl", *more, "--json", other="idsync.yaml").json()
    assert found["first_difference"] is None
    assert found["pairs"]["only_a"] == found["pairs"]["only_b"] == 0
    assert_valid("compare", found)
    assert shop.files() == before


def test_what_is_shown(shop: Program) -> None:
    narrow = compare(shop, "day.jsonl", "--examples", "1")
    assert narrow.status == 1
    said = told(narrow.stdout)
    assert said.startswith("The two sides differ: 2 profiles of A split, 1 profile of B merged")
    assert "first difference: day.jsonl:2" in said
    assert (
        "1. split 4 requests of a known profile of A belong to several on B, from day.jsonl:2 on"
        in said
    )
    assert "≠ the first tier that differs" in said
    assert narrow.stdout.index("\nA\n") < narrow.stdout.index("\nB\n")
    wide = Program(shop.folder, columns=160)("compare", "--with", "link.yaml", "day.jsonl")
    assert any(line.startswith("A  ") and line.endswith("B") for line in
               map(str.rstrip, wide.stdout.split("\n")))  # fmt: skip
    assert max(map(len, wide.stdout.split("\n"))) <= 160
    none = compare(shop, "day.jsonl", "--examples", "0")
    assert "1. split" not in none.stdout
    assert "first difference: day.jsonl:2" in none.stdout


def test_no_difference_in_rules_notes_and_logins_counts(idsync: Program) -> None:
    """Only who is answered: one that decides by another tier answers with the same."""
    idsync.write("b.yaml", CONFIG.replace("customer_id, email,", "email, customer_id,"))
    idsync.write("day.jsonl", lines(*[login(customer_id="A", email="a")] * 3))
    assert compare(idsync, "day.jsonl", other="b.yaml").status == 0


@pytest.mark.parametrize(
    ("more", "status"),
    [
        ((), 1),
        (("--max-splits", "0"), 1),
        (("--max-splits", "1"), 1),
        (("--max-splits", "2"), 0),
        (("--max-merges", "0"), 1),
        (("--max-merges", "1"), 0),
        (("--max-refused", "0"), 0),
        (("--max-splits", "2", "--max-merges", "1"), 0),
        (("--max-splits", "2", "--max-merges", "0"), 1),
    ],
)
def test_limits_decide_the_exit_status(shop: Program, more: tuple[str, ...], status: int) -> None:
    assert compare(shop, "day.jsonl", "--examples", "0", *more).status == status


def test_every_differing_line_is_written(shop: Program) -> None:
    assert compare(shop, "day.jsonl", "--output", "differs.jsonl").status == 1
    found = [json.loads(line) for line in (shop.folder / "differs.jsonl").read_text().splitlines()]
    assert [each["line"] for each in found] == [2, 4, 5, 6, 7, 8]
    first = found[0]
    assert first["file"] == "day.jsonl"
    assert first["a"]["decided_by"]["rule"] == "identifier"
    assert first["b"]["decided_by"] == {"rule": "new_known_user"}
    again = compare(shop, "day.jsonl", "--output", "differs.jsonl")
    assert_refused(again, 2, "already exists", "--force")
    assert compare(shop, "day.jsonl", "--output", "differs.jsonl", "--force").status == 1


def test_refused_and_found_on_one_side_alone(idsync: Program) -> None:
    idsync.write("b.yaml", CONFIG.replace("profile_conversion", "best_match").replace(
        "    identities:\n      customer_id: {login: true, unique: true}\n", ""))  # fmt: skip
    idsync.write("day.jsonl", lines(*KIOSK))
    found = compare(idsync, "day.jsonl", "--json", "--output", "d.jsonl", other="b.yaml").json()
    assert found["refused"] == {"only_a": 0, "only_b": 3}
    differs = (idsync.folder / "d.jsonl").read_text().splitlines()
    assert {"error": "UNSUPPORTED_BY_STRATEGY"} in [json.loads(line)["b"] for line in differs]
    assert_valid("compare", found)
    text = compare(idsync, "day.jsonl", other="b.yaml").stdout
    assert "3 requests rejected on one side only" in told(text)


def test_stdin_a_pipe_and_an_archive(shop: Program) -> None:
    stdin = lines(*KIOSK).encode()
    shop.write("day.jsonl.gz", gzip.compress(stdin))
    from_file = compare(shop, "day.jsonl", "--json").json()
    of_stdin = shop("compare", "--with", "link.yaml", "-", "--json", stdin=stdin).json()
    of_archive = compare(shop, "day.jsonl.gz", "--json").json()
    for each in (of_stdin, of_archive):
        assert each["split"] == from_file["split"]
        assert each["first_difference"]["line"] == 2
    assert of_stdin["first_difference"]["file"] == "-"


def test_both_begin_with_a_copy_of_a_store(shop: Program) -> None:
    shop.make_store()
    assert shop("login", "--customer-id", "A", "--idfv", "k").status == 0
    before = shop.files()
    found = compare(shop, "day.jsonl", "--store", "idsync.db", "--json").json()
    assert found["profiles"]["a"] > 1
    assert shop.files() == before
    assert_refused(
        compare(shop, "day.jsonl", "--store", "idsync.db", "--seed", "7"), 2, "another seed"
    )
    assert compare(shop, "day.jsonl", "--store", "idsync.db", other="idsync.yaml").status == 0
    again = shop("replay", "day.jsonl")
    assert again.status == 0
    assert compare(shop, "day.jsonl", "--store", "idsync.db", other="idsync.yaml").status == 0


def test_scopes_that_only_one_has_are_said_and_left_out(idsync: Program) -> None:
    idsync.write("idsync.yaml", TWO_SCOPES)
    idsync.write("b.yaml", TWO_SCOPES.replace("couriers", "riders"))
    both = [
        {"scope": name, **identify(idfv="1")} for name in ("consumers", "couriers", "consumers")
    ]
    idsync.write("day.jsonl", lines(*both))
    outcome = compare(idsync, "day.jsonl", other="b.yaml")
    assert outcome.status == 0
    assert "the scope 'couriers' is only in A" in outcome.stderr
    assert "the scope 'riders' is only in B" in outcome.stderr
    assert "3 requests, 2 answered by both, 1 of scopes that only one side has" in outcome.stdout
    idsync.write("c.yaml", CONFIG.replace("consumers", "nobody"))
    assert_refused(compare(idsync, "day.jsonl", other="c.yaml"), 2, "no scope in common")


def test_where_one_side_alone_needs_a_scope_the_option_is_named(idsync: Program) -> None:
    idsync.write("idsync.yaml", TWO_SCOPES)
    idsync.write("b.yaml", CONFIG)
    idsync.write("day.jsonl", lines(identify(idfv="1"), identify(idfv="1")))
    outcome = compare(idsync, "day.jsonl", other="b.yaml")
    assert outcome.status == 1
    assert "note: A rejects requests that name no scope" in outcome.stderr
    assert "use --scope consumers to name one for them\n" in outcome.stderr
    named = compare(idsync, "day.jsonl", "--scope", "consumers", other="b.yaml")
    assert "name no scope" not in named.stderr
    assert "2 answered by both" in named.stdout


def test_files_in_the_wrong_order_are_pointed_out(shop: Program) -> None:
    for day, name in enumerate(("monday.jsonl", "tuesday.jsonl"), start=1):
        shop.write(name, lines({**identify(idfv="1"), "request_timestamp_ms": day * 86_400_000}))
    wrong = compare(shop, "tuesday.jsonl", "monday.jsonl")
    assert "'monday.jsonl' begins earlier than 'tuesday.jsonl'" in wrong.stderr
    assert compare(shop, "monday.jsonl", "tuesday.jsonl").stderr == ""


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--with", "link.yaml", "none.jsonl"), ["'none.jsonl' cannot be read"]),
        (("--with", "none.yaml", "day.jsonl"), ["none.yaml"]),
        (("day.jsonl",), ["--with"]),
        (("--with", "link.yaml", "day.jsonl", "--max-splits", "-1"), ["--max-splits", "-1"]),
        (("--with", "link.yaml", "day.jsonl", "--seed", "x"), ["--seed 'x'"]),
        (("--with", "link.yaml", "day.jsonl", "--output", "day.jsonl"), ["the input 'day.jsonl'"]),
        (("--with", "link.yaml", "day.jsonl", "--output", "link.yaml"), ["the input 'link.yaml'"]),
        (("--with", "link.yaml", "day.jsonl", "--scope", "nowhere"), ["'nowhere'"]),
        (("--with", "link.yaml", "bad.jsonl.gz"), ["'bad.jsonl.gz' cannot be read"]),
        (("--with", "bad.yaml", "day.jsonl"), ["bad.yaml:1"]),
    ],
)
def test_bad_input_is_told_the_way_out(
    shop: Program, arguments: tuple[str, ...], words: list[str]
) -> None:
    shop.write("bad.jsonl.gz", gzip.compress(lines(*KIOSK).encode())[:-9])
    shop.write("bad.yaml", "nonsense: 1\n")
    assert_refused(shop("compare", *arguments), 2, *words)


def test_a_store_that_is_not_there(shop: Program) -> None:
    assert_refused(compare(shop, "day.jsonl", "--store", "none.db"), 3, "no store at none.db")


def side_job(**changed: Any) -> SideJob:
    rules = load(ROOT / "sample_config.yaml").organization
    file = File("day", str(ROOT / "fixtures" / "requests.jsonl"))
    job = SideJob(rules, wire.Target(), (file,), tuple(rules.scopes), 0, None, 0, "")
    return job._replace(**changed)


def test_a_fault_of_a_side_is_told_as_it_is(tmp_path: Path) -> None:
    gone = side_job(store=str(tmp_path / "gone.db"), folder=str(tmp_path))
    with SideProcess(gone) as side, pytest.raises(StoreFault, match="no longer exists"):
        results([side], lambda _bytes, _requests: None)


def test_a_side_that_is_killed_ends_the_comparison(tmp_path: Path) -> None:
    with SideProcess(side_job(folder=str(tmp_path))) as side:
        side.kill()
        with pytest.raises(StoreFault, match="ended unexpectedly; nothing was changed"):
            results([side], lambda _bytes, _requests: None)


def test_a_bug_in_a_side_is_one_here(tmp_path: Path) -> None:
    nowhere = side_job(folder=str(tmp_path / "nowhere"))
    with SideProcess(nowhere) as side, pytest.raises(RuntimeError, match="FileNotFoundError at "):
        results([side], lambda _bytes, _requests: None)


# What production answered


def answered_by(mpids: dict[str, str], request: Json, answer: Json) -> Json:
    """A request with what another system answered, which has MPIDs of its own."""
    if "errors" in answer:
        return {**request, "response": {"error": answer["errors"][0]["code"]}}
    mpid = answer.get("mpid")
    theirs = None if mpid is None else mpids.setdefault(mpid, str(10_000 + len(mpids)))
    return {**request, "response": {"mpid": theirs}}


def recorded_day(program: Program, config: str) -> list[Json]:
    """A day as a system answered it that works by a configuration, and gives out other MPIDs."""
    requests = [each for each in KIOSK if each]
    program.write("plain.jsonl", lines(*requests))
    done = program("replay", "plain.jsonl", "--config", config, "--dry-run", "--output", "-")
    mpids: dict[str, str] = {}
    day = [
        answered_by(mpids, each, answer)
        for each, answer in zip(requests, done.lines(), strict=True)
    ]
    theirs = day[1]["response"]["mpid"]
    modify = {"type": "modify", "mpid": theirs, "known_identities": {"email": "e"}}
    search = {"type": "search", "known_identities": {"customer_id": "A", "email": "e"}}
    found = {**search, "response": {"mpid": theirs}}
    return [*day, {**modify, "response": {"mpid": theirs}}, found]


def test_production_that_works_by_the_configuration(shop: Program) -> None:
    shop.write("recorded.jsonl", lines(*recorded_day(shop, "idsync.yaml")))
    before = shop.files()
    outcome = shop("compare", "--recorded", "recorded.jsonl")
    assert (outcome.status, outcome.stderr) == (0, "")
    assert outcome.stdout.startswith("Nothing differs.\n9 requests, 8 answered by both\n")
    assert shop.files() == before
    found = shop("compare", "--recorded", "recorded.jsonl", "--json").json()
    assert_valid("compare", found)
    for name in ("profiles", "known", "orphaned"):
        assert found[name]["a"] >= 0
        assert found[name]["b"] is None
    assert found["merged"]["known"] is None


def test_production_that_works_otherwise(shop: Program) -> None:
    """The counts are those of brute force over our answers and the recorded ones."""
    day = recorded_day(shop, "link.yaml")
    day[3:3] = [identify(email="nobody recorded this")]
    shop.write("recorded.jsonl", lines(*day))
    outcome = shop("compare", "--recorded", "recorded.jsonl", "--json", "--output", "d.jsonl")
    assert outcome.status == 1
    found = outcome.json()
    assert_valid("compare", found)
    answers = shop(
        "replay", "recorded.jsonl", "--map-mpids", "--seed", "0", "--explain", "--output", "-"
    ).lines()
    ours = [each for each, request in zip(answers, day, strict=True) if "response" in request]
    theirs = [
        {"errors": []} if "error" in each["response"] else each["response"]
        for each in day
        if "response" in each
    ]
    profiles = shop("profiles", "--json").lines()
    known = {each["mpid"] for each in profiles if each["known"]}
    expected = compared(ours, theirs, (known, set()))
    first = expected.pop("first")
    expected["requests"], expected["merged"]["known"] = len(day), None
    assert {name: found[name] for name in expected} == expected
    at = found["first_difference"]
    assert at["line"] == ours[first]["line"]
    assert (at["a"], at["b"]) == (ours[first], theirs[first])
    differs = [json.loads(line) for line in (shop.folder / "d.jsonl").read_text().splitlines()]
    assert differs[0]["b"] == theirs[first]
    text = told(shop("compare", "--recorded", "recorded.jsonl").stdout)
    assert "1 without a response" in text
    assert f"Recorded: profile {theirs[first]['mpid']}" in text


def test_recorded_errors_and_nobody(shop: Program) -> None:
    wanted = [
        {**identify(idfv="1"), "response": {"error": "LOOKUP_ERROR"}},
        {**identify(idfv="2"), "response": {"mpid": None}},
        {"type": "login", "known_identities": {}, "response": {"error": "BAD_REQUEST"}},
        {"type": "search", "known_identities": {"idfv": "9"}, "response": {"mpid": None}},
        {**identify(idfv="3"), "response": {"neither": 1}},
    ]
    shop.write("recorded.jsonl", lines(*wanted))
    found = shop("compare", "--recorded", "recorded.jsonl", "--json").json()
    assert found["refused"] == {"only_a": 0, "only_b": 1}
    assert found["found"] == {"only_a": 1, "only_b": 0}
    assert found["first_difference"]["b"] == {"error": "LOOKUP_ERROR"}
    assert_valid("compare", found)
    assert "Recorded: LOOKUP_ERROR" in shop("compare", "--recorded", "recorded.jsonl").stdout


def test_a_recorded_response_that_is_none_is_told_with_its_place(shop: Program) -> None:
    responses: list[object] = [{"mpid": "5"}, {"x": 1}, "x", {"mpid": "q"}, None, {"error": 5}]
    wanted = [{**identify(idfv="1"), "response": each} for each in responses]
    batch = {"type": "batch", "user_identities": {"email": "a"}, "response": []}
    shop.write("w.jsonl", lines(*wanted, batch))
    outcome = shop("compare", "--recorded", "w.jsonl", "--max-splits", "9")
    assert outcome.status == 1
    told_of = outcome.stderr.splitlines()
    replayed = shop("replay", "w.jsonl", "--map-mpids", "--dry-run", "--json").json()
    wrong = [each["line"] for each in replayed["first_refused"]]
    assert [each.split(" ")[0] for each in told_of] == [f"w.jsonl:{each}:" for each in wrong]
    assert len(wrong) == 5
    neither = "the response has neither an mpid nor an error; give one of them"
    assert told_of[0] == f"w.jsonl:2: INVALID_REQUEST: {neither}"
    shop.write("w.jsonl", lines(*wanted[1:2] * 25))
    outcome = shop("compare", "--recorded", "w.jsonl")
    assert outcome.status == 1
    assert outcome.stderr.splitlines()[-1] == "and 5 more invalid responses"


def test_recorded_mpids_stand_for_ours_on_both_sides(shop: Program) -> None:
    shop.write("recorded.jsonl", lines(*recorded_day(shop, "idsync.yaml")))
    refused = compare(shop, "recorded.jsonl", "--json", other="idsync.yaml").json()
    mapped = compare(shop, "recorded.jsonl", "--json", "--map-mpids", other="idsync.yaml").json()
    assert (refused["compared"], mapped["compared"]) == (7, 8)  # the modify names one


def test_what_is_compared_is_named_once(shop: Program) -> None:
    assert_refused(
        shop("compare", "--recorded", "--with", "link.yaml", "day.jsonl"),
        2,
        "name one thing to compare with",
    )
    assert_refused(shop("compare", "--recorded", "day.jsonl"), 2, "no line has a response")


@pytest.mark.parametrize("option", ["--output", "--html"])
def test_a_result_is_shown_though_a_file_cannot_be_written(shop: Program, option: str) -> None:
    shown = compare(shop, "day.jsonl")
    assert shown.status == 1
    outcome = compare(shop, "day.jsonl", option, "/dev/full")
    assert (outcome.stdout, outcome.status) == (shown.stdout, 3)
    assert (
        outcome.stderr
        == f"idsync: {option} '/dev/full' cannot be written: No space left on device\n"
    )
