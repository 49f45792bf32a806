"""The promises to users, kept by the engine over a real store in every random world.

Hypothesis picks the worlds. One that breaks a promise is made small and written down, as in
`test_against_model.py`. Rules are read by the reference model here, not by the program.
"""

import json
import os
import random
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from idsync_cli import wire
from idsync_cli.engine.engine import Engine
from idsync_cli.engine.labels import Labels
from idsync_cli.store import sqlite as store
from idsync_cli.store.sqlite import SqliteStore
from tests.comparison import Json, exported, json_of, parts, program_answers
from tests.reference_model import CANONICAL, Rules
from tests.shrinking import Fault, report
from tests.worlds import World, random_world

EXAMPLES = max(50, int(os.environ.get("IDSYNC_WORLDS", "4000")) // 40)
"""How many worlds a promise is asked of: a fortieth of those of `test_against_model.py`."""

Profiles = dict[str, Json]
"""Profile lines by MPID."""


@dataclass(frozen=True, repr=False)
class Moment:
    """One request and its answer, with the profiles of all scopes before and after it.

    `asked` has the identifiers as step 1 leaves them; it is empty where the request is refused.
    """

    kind: str | None
    rules: Rules | None
    asked: dict[str, str]
    answer: Json
    before: Profiles
    after: Profiles

    def __repr__(self) -> str:
        return f"{self.kind} {self.asked}: {json.dumps(self.answer)}"

    @property
    def refused(self) -> bool:
        return bool(self.answer["status"] == "error")

    def found(self) -> Json | None:
        """The profile that was answered, as it was before, by a request that looked for one."""
        if self.refused or self.kind == "modify":
            return None
        return self.before.get(self.answer["mpid"])

    def others(self) -> Iterator[Json]:
        """The profiles of the scope, as they were before, that were not the answer."""
        for mpid, profile in self.before.items():
            if profile["scope"] == self.answer["scope"] and mpid != self.answer.get("mpid"):
                yield profile

    def names(self, profile: Json, types: list[str]) -> bool:
        """Whether one of the profile's identifiers of the types is among the request's."""
        return any(self.asked.get(type_) in held(profile, type_) for type_ in types)

    def disagrees(self, profile: Json) -> bool:
        """Whether the highest login type that both carry has another value in the request."""
        assert self.rules is not None
        both = [t for t in self.rules.login if t in self.asked and held(profile, t)]
        return bool(both) and self.asked[both[0]] not in held(profile, both[0])


def held(profile: Json, type_: str) -> list[str]:
    return list(profile["identities"].get(type_, []))


OF_DATA = ("batch", "alias", "erase")
"""What brings or takes away data: the promises are about identity requests."""


def walk(world: World) -> Iterator[Moment]:
    """What happens in a world, request by request."""
    scopes, later = world.scopes, world.later_scopes
    with store.temporary(world.seed) as storage:
        labels = Labels()
        for organization, requests in parts(world):
            engine = Engine(organization, storage, now=lambda: 0)
            before = by_mpid(exported(storage, organization))
            rules = {name: Rules(scope) for name, scope in scopes.items()}
            for request in requests:
                [answered] = engine.batch([request], labels)
                answer = wire.answer_json(answered, explain=False)
                after = by_mpid(exported(storage, organization))
                if answer["type"] not in OF_DATA:
                    yield moment(json_of(request.request), rules, answer, before, after)
                before = after
            scopes = later or scopes


def by_mpid(profiles: list[Json]) -> Profiles:
    return {profile["mpid"]: profile for profile in profiles}


def moment(
    request: object, rules: dict[str, Rules], answer: Json, before: Profiles, after: Profiles
) -> Moment:
    asked: dict[str, str] = {}
    of = rules.get(answer["scope"])
    if answer["status"] != "error" and answer["type"] != "modify" and isinstance(request, dict):
        assert of is not None
        given = (request["known_identities"]).items()
        asked = {CANONICAL[name]: value for name, value in given if value}
        if answer["type"] == "logout":
            asked = {type_: value for type_, value in asked.items() if type_ not in of.login}
    return Moment(answer["type"], of, asked, answer, before, after)


# ---- Asking Hypothesis for worlds

Promise = Callable[[Moment], bool]
"""Asserts what is promised; whether the moment could have broken it."""


@lru_cache(maxsize=200)
def moments(seed: int) -> list[Moment]:
    return list(walk(random_world(random.Random(seed))))


def broken(promise: Promise) -> Fault:
    """What is wrong with a world in which the promise is not kept."""

    def fault(world: World) -> str | None:
        try:
            for each in walk(world):
                promise(each)
        except AssertionError as error:
            return str(error)
        return None

    return fault


def for_all_worlds(test: Callable[[int], None]) -> None:
    """Ask Hypothesis for the seeds of worlds, always the same ones."""
    profile = settings(
        max_examples=EXAMPLES,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],  # worlds are made small by leaving requests out, not by the seed
        suppress_health_check=[HealthCheck.too_slow],
    )
    profile(given(seed=st.integers(0, 2**32 - 1))(test))()


def assert_kept(promise: Promise, folder: Path) -> None:
    met = 0

    def in_a_world(seed: int) -> None:
        nonlocal met
        try:
            met += sum(promise(each) for each in moments(seed))
        except AssertionError as error:
            report(random_world(random.Random(seed)), broken(promise), str(error), folder, "world")

    for_all_worlds(in_a_world)
    assert met > EXAMPLES // 10, "hardly any request puts this promise to the test"


def in_every_world(promise: Promise) -> Callable[[Path], None]:
    """Make a test of a promise."""

    def test(tmp_path: Path) -> None:
        assert_kept(promise, tmp_path)

    return test


# ---- Who is answered


@in_every_world
def test_a_known_profile_is_never_returned_without_one_of_its_login_ids(now: Moment) -> bool:
    found = now.found()
    if found is None or now.rules is None or not found["known"]:
        return False
    assert now.names(found, now.rules.login), now
    return True


@in_every_world
def test_a_known_profile_is_never_returned_to_a_request_that_contradicts_a_higher_login_id(
    now: Moment,
) -> bool:
    """Unless the scope joins."""
    found = now.found()
    if found is None or now.rules is None or not found["known"] or now.rules.joins:
        return False
    assert not now.disagrees(found), now
    return sum(type_ in now.asked for type_ in now.rules.login) > 1


@in_every_world
def test_a_profile_with_an_immutable_id_is_never_returned_without_one_of_them(now: Moment) -> bool:
    found = now.found()
    if found is None or now.rules is None:
        return False
    immutable = [type_ for type_ in now.rules.immutable if held(found, type_)]
    assert not immutable or now.names(found, immutable), now
    return bool(immutable)


@in_every_world
def test_an_orphan_is_never_returned(now: Moment) -> bool:
    found = now.found()
    assert found is None or not found["orphaned"], now
    return any(profile["orphaned"] for profile in now.before.values())


@in_every_world
def test_a_logout_is_always_answered_with_an_anonymous_profile(now: Moment) -> bool:
    if now.kind != "logout" or now.refused:
        return False
    assert now.answer["is_logged_in"] is False, now
    assert now.after[now.answer["mpid"]]["known"] is False, now
    return True


# ---- What changes


@in_every_world
def test_a_search_changes_nothing(now: Moment) -> bool:
    if now.kind != "search":
        return False
    assert now.before == now.after, now
    return now.found() is not None


@in_every_world
def test_a_refused_request_changes_nothing(now: Moment) -> bool:
    if now.refused:
        assert now.before == now.after, now
    return now.refused


@in_every_world
def test_what_a_request_may_not_see_it_does_not_take(now: Moment) -> bool:
    """Nobody but a `modify` takes anything from a protected profile that is not its answer."""
    if now.refused or now.kind == "modify":
        return False
    assert now.rules is not None
    met = False
    for other in now.others():
        immutable = [type_ for type_ in now.rules.immutable if held(other, type_)]
        if (
            (immutable and not now.names(other, immutable))
            or (other["known"] and not now.names(other, now.rules.login))
            or (other["known"] and now.disagrees(other) and not now.rules.joins)
        ):
            assert now.after[other["mpid"]] == other, now
            met = met or now.names(other, now.rules.unique)
    return met


@in_every_world
def test_only_the_answer_gains_and_all_others_lose_unique_identifiers_at_most(now: Moment) -> bool:
    gained = {c["mpid"] for c in now.answer.get("changes", ()) if c["op"] == "add"}
    assert gained <= {now.answer.get("mpid")}, now
    for other in now.others():
        after = now.after[other["mpid"]]["identities"]
        for type_, values in other["identities"].items():
            assert now.rules is not None
            if type_ not in now.rules.unique:
                assert after.get(type_) == values, now
            assert set(after.get(type_, ())) <= set(values), now
    return bool(gained)


@in_every_world
def test_nothing_but_a_modify_takes_anything_from_its_own_answer(now: Moment) -> bool:
    found = now.found()
    if found is None:
        return False
    after = now.after[found["mpid"]]["identities"]
    for type_, values in found["identities"].items():
        assert after[type_][: len(values)] == values, now
    return True


@in_every_world
def test_a_unique_identifier_comes_to_no_second_holder(now: Moment) -> bool:
    """It has at most one, unless it had more before its type became unique."""
    if now.refused or now.rules is None:
        return False
    before, after = (holders(each, now) for each in (now.before, now.after))
    for identifier, many in after.items():
        assert many <= max(1, before[identifier]), now
    return bool(after)


def holders(profiles: Profiles, now: Moment) -> Counter[tuple[str, str]]:
    """How many profiles of the scope hold each unique identifier."""
    assert now.rules is not None
    return Counter(
        (type_, value)
        for profile in profiles.values()
        if profile["scope"] == now.answer["scope"]
        for type_ in now.rules.unique
        for value in held(profile, type_)
    )


@in_every_world
def test_an_immutable_value_never_changes(now: Moment) -> bool:
    """Under the rules of the moment: a type that had several values before keeps them all."""
    if now.rules is None:
        return False
    met = False
    for mpid, profile in now.before.items():
        if profile["scope"] == now.answer["scope"]:
            for type_ in now.rules.immutable:
                if held(profile, type_):
                    assert held(now.after[mpid], type_) == held(profile, type_), now
                    met = True
    return met


@in_every_world
def test_where_new_known_users_get_a_record_only_a_modify_makes_an_anonymous_profile_known(
    now: Moment,
) -> bool:
    if now.rules is None or not now.rules.creates or now.kind == "modify":
        return False
    anonymous = [mpid for mpid, profile in now.before.items() if not profile["known"]]
    for mpid in anonymous:
        assert not now.after[mpid]["known"], now
    return bool(anonymous) and any(type_ in now.asked for type_ in now.rules.login)


@in_every_world
def test_who_is_known_stays_known(now: Moment) -> bool:
    known = [mpid for mpid, profile in now.before.items() if profile["known"]]
    for mpid in known:
        assert now.after[mpid]["known"], now
    return bool(known) and bool(now.answer.get("changes"))


@in_every_world
def test_a_scope_is_closed_to_requests_of_another(now: Moment) -> bool:
    elsewhere = [m for m, p in now.before.items() if p["scope"] != now.answer["scope"]]
    for mpid in elsewhere:
        assert now.before[mpid] == now.after[mpid], now
    return bool(elsewhere) and bool(now.answer.get("changes"))


@in_every_world
def test_a_profile_is_never_lost_and_keeps_its_number_and_source(now: Moment) -> bool:
    for mpid, profile in now.before.items():
        for member in ("scope", "created_seq", "source_mpid"):
            assert now.after[mpid][member] == profile[member], now
    made = now.after.keys() - now.before.keys()
    assert made == ({now.answer["mpid"]} if now.answer["status"] == "created" else set()), now
    return bool(now.before)


# ---- Asking twice, not at all, and in pieces


def contents(storage: SqliteStore) -> str:
    """Everything that a store holds, as SQL."""
    return "\n".join(storage.connection.iterdump())


Asked = Callable[[Engine, SqliteStore, wire.Incoming, Labels], bool]
"""Asks one request in its own way, asserts what is promised, and says whether that meant much."""


def with_every_request(ask: Asked) -> Callable[[Path], None]:
    """Make a test that puts every request of every world in a way of its own."""

    def fault(world: World) -> str | None:
        try:
            ask_all(world, ask)
        except AssertionError as error:
            return str(error)
        return None

    def test(tmp_path: Path) -> None:
        met = 0

        def in_a_world(seed: int) -> None:
            nonlocal met
            world = random_world(random.Random(seed))
            try:
                met += ask_all(world, ask)
            except AssertionError as error:
                report(world, fault, str(error), tmp_path, "world")

        for_all_worlds(in_a_world)
        assert met > EXAMPLES // 10, "hardly any request puts this promise to the test"

    return test


def ask_all(world: World, ask: Asked) -> int:
    met = 0
    with store.temporary(world.seed) as storage:
        labels = Labels()
        for organization, requests in parts(world):
            engine = Engine(organization, storage, now=lambda: 0, explain=True)
            met += sum(ask(engine, storage, request, labels) for request in requests)
    return met


@with_every_request
def test_a_dry_run_changes_nothing_and_answers_as_the_run(
    engine: Engine, storage: SqliteStore, request: wire.Incoming, labels: Labels
) -> bool:
    before, unset = contents(storage), Labels(labels)
    dry = wire.answer_json(engine.one_shot(request.request, unset, dry_run=True), explain=True)
    assert contents(storage) == before
    with storage.writing() as session:  # what any request does that is no dry run, if need be
        session.align(engine._organization.scopes)
    before = contents(storage)
    wet = wire.answer_json(engine.one_shot(request.request, labels), explain=True)
    assert json.dumps(dry) == json.dumps(wet)
    if wet["type"] not in OF_DATA:
        assert (contents(storage) != before) is bool(wet.get("changes"))
    return bool(wet.get("changes"))


@with_every_request
def test_a_dry_run_on_a_copy_changes_nothing_and_answers_as_the_run(
    engine: Engine, storage: SqliteStore, request: wire.Incoming, labels: Labels
) -> bool:
    before, unset = contents(storage), Labels(labels)
    with store.copy_of(storage) as copy:
        engine._store = copy
        [dry] = engine.batch([request], unset)
        changed = contents(copy) != before
    assert contents(storage) == before
    engine._store = storage
    [wet] = engine.batch([request], labels)
    assert wire.answer_json(dry, explain=True) == wire.answer_json(wet, explain=True)
    return changed


@with_every_request
def test_the_same_identify_or_login_twice_changes_nothing_the_second_time(
    engine: Engine, storage: SqliteStore, request: wire.Incoming, labels: Labels
) -> bool:
    """But where a new known user's record got none of its login IDs, for all are held elsewhere.

    It is anonymous, but the request has a login ID: the same request makes
    another one (section 4, `new_known_user_only`).
    """
    asked = json_of(request.request)
    again = dict(asked) if isinstance(asked, dict) else {}
    again.pop("label", None)  # what it stands for is another matter
    previous = again.get("previous_mpid")
    if isinstance(previous, str) and previous[1:] in labels:
        again["previous_mpid"] = str(labels[previous[1:]])
    [once] = engine.batch([request], labels)
    first = wire.answer_json(once, explain=False)
    if first["type"] not in ("identify", "login") or first["status"] == "error":
        return False
    if first["decided_by"]["rule"] == "new_known_user" and not first["is_logged_in"]:
        return False
    before = contents(storage)
    second = wire.answer_json(engine.one_shot(again, labels), explain=False)
    assert contents(storage) == before
    assert (second["mpid"], second["changes"]) == (first["mpid"], []), again
    return bool(first["changes"])


def test_a_new_known_user_whose_login_ids_are_all_held_elsewhere_is_made_every_time() -> None:
    """The one corner of the promise above."""
    scope: Json = {"strategy": "profile_link", "priority": ["customer_id", "email", "ios_idfv"]}
    scope["identities"] = {"customer_id": {"login": True, "unique": True, "immutable": True}}
    logins: list[object] = [
        {"type": "login", "known_identities": {"customer_id": "a", "email": "e"}},
        {"type": "login", "known_identities": {"email": "e", "ios_idfv": "d"}},
        {"type": "login", "known_identities": {"email": "e", "ios_idfv": "d"}},
    ]
    answers, profiles = program_answers(World({"s": scope}, {}, logins, seed=0))
    assert [answer["decided_by"]["rule"] for answer in answers] == ["new_known_user"] * 3
    assert [profile["known"] for profile in profiles] == [True, False, False]


def pieces_differ(world: World) -> str | None:
    whole = program_answers(world, chunk_size=1000)
    for size in (1, 2, 7):
        if json.dumps(program_answers(world, chunk_size=size)) != json.dumps(whole):
            return f"in chunks of {size} the answers or profiles are others"
    return None


def test_replays_in_chunks_and_one_by_one_are_equal(tmp_path: Path) -> None:
    def in_a_world(seed: int) -> None:
        world = random_world(random.Random(seed))
        found = pieces_differ(world)
        if found:
            report(world, pieces_differ, found, tmp_path, "world")

    for_all_worlds(in_a_world)


# ---- The tests themselves


def test_a_broken_promise_is_found_and_told_with_a_small_world(tmp_path: Path) -> None:
    def nobody_is_ever_matched(now: Moment) -> bool:
        assert now.answer["status"] != "matched"
        return True

    with pytest.raises(pytest.fail.Exception, match=r"[1-9] of \d+ requests are left") as failure:
        assert_kept(nobody_is_ever_matched, tmp_path)
    assert str(tmp_path) in str(failure.value)


def test_a_promise_that_nothing_puts_to_the_test_is_none(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="puts this promise to the test"):
        assert_kept(lambda _: False, tmp_path)
