"""Crowds in the store: what it reads in part, and changes in memory, is told as if it read all.

Whole stories are asked of the program, in batches of several sizes and one by one, and of the
reference model. The crowds are larger than what a batch reads of one beforehand.
"""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import cache, partial, reduce
from operator import or_
from typing import Any

import pytest

from idsync_cli import wire
from idsync_cli.core.codes import RequestKind
from idsync_cli.core.config.rules import Organization, ScopeRules
from idsync_cli.core.decide import decide
from idsync_cli.core.identity import TYPE_BITS, Identifier, IdentityType
from idsync_cli.core.lookup import Lookup
from idsync_cli.core.profile import Profile
from idsync_cli.core.request import IdentityRequest
from idsync_cli.engine.engine import Engine
from idsync_cli.engine.labels import Labels
from idsync_cli.store import sqlite as store
from idsync_cli.store.sqlite import SqliteStore
from idsync_cli.store.sqlite.cache import prefetch, working_set
from idsync_cli.store.sqlite.cache import tables as cached_tables
from tests.comparison import (
    Run,
    answers_in,
    data_in,
    erasures_in,
    exported,
    first_difference,
    model_answers,
    organization,
    plain,
)
from tests.core.memory import Memory
from tests.core.shorthand import altered
from tests.many import many
from tests.program import Program
from tests.worlds import World, answered_world, random_world

Json = dict[str, Any]

SIZES = (70, 210)
"""Of crowds: more than is read beforehand of one, and more than three times as many."""

UNIQUE, LOGIN = {"unique": True}, {"login": True, "unique": True}
PRIORITY = ["customer_id", "email", "other", "mobile_number", "ios_idfv", "android_aaid"]
SCOPE: Json = {
    "strategy": "profile_conversion",
    "priority": PRIORITY,
    "identities": {"customer_id": LOGIN, "email": LOGIN, "other": UNIQUE},
}
BY_DEVICE = SCOPE | {"identities": {"android_aaid": {"login": True}, "other": UNIQUE}}
DEVICES_FIRST = SCOPE | {"priority": ["android_aaid", "ios_idfv", *PRIORITY[:4]]}


@dataclass
class Story:
    """Requests that gather crowds, and then do something with them.

    A profile is named by the label of the request that made it.
    """

    scope: Json = field(default_factory=lambda: SCOPE)
    requests: list[Json] = field(default_factory=list)
    begins: int = 0

    def ask(self, kind: str, label: str = "", previous: str = "", /, **identities: str) -> None:
        request: Json = {"type": kind, "known_identities": identities}
        if label:
            request["label"] = label
        if previous:
            request["previous_mpid"] = f"@{previous}"
        self.requests.append(request)

    def set(self, label: str, /, **identities: str | None) -> None:
        self.requests.append(
            {"type": "modify", "mpid": f"@{label}", "known_identities": identities}
        )

    def change(self, label: str, *entries: tuple[str, str | None, str | None]) -> None:
        names = ("identity_type", "old_value", "new_value")
        changes = [dict(zip(names, entry, strict=True)) for entry in entries]
        self.requests.append({"type": "modify", "mpid": f"@{label}", "identity_changes": changes})

    def anonymous(self, label: str, /, **identities: str) -> None:
        """A new anonymous profile, whoever holds the same."""
        self.ask("logout", label, **identities)

    def known(self, label: str, /, **identities: str) -> None:
        """A new known profile, whoever holds the same."""
        self.ask("login", label, email=f"{label}@example.com")
        self.change(label, *((kind, None, value) for kind, value in identities.items()))

    def begin(self) -> None:
        """The crowds are there."""
        self.begins = len(self.requests)

    def world(self, later: Json | None = None, at: int | None = None) -> World:
        world = World({"s": self.scope}, {}, list(self.requests), seed=7)
        if later is not None:
            world = replace(world, later_scopes={"s": later}, change_at=at or self.begins)
        return world


def sound_answers(
    world: World, *, chunk_size: int = 7, one_shot: bool = False, explain: bool = True
) -> Run:
    """The answers and the export of the program, whose store is looked at."""
    with store.temporary(world.seed) as storage:
        told = list(answers_in(world, storage, chunk_size, one_shot=one_shot, explain=explain))
        rules = organization(world.later_scopes or world.scopes, world.workspaces)
        assert_sound(storage, rules)
        answers = [plain(wire.answer_json(answer, explain=explain)) for answer in told]
        return answers, exported(storage, rules) + data_in(storage) + erasures_in(storage)


def assert_sound(storage: SqliteStore, rules: Organization) -> None:
    """What the tables say twice, they say alike: types, who is known, the history."""
    query = storage.connection.execute
    for seq, scope_bits, was_known, types in query(
        "SELECT created_seq, login_types, known_seq != 0, types FROM profiles JOIN scopes"
        " USING (scope_id)"
    ).fetchall():
        held = query(
            "SELECT h.known, h.identity_type_id, i.identity_type_id, i.scope_id = p.scope_id"
            " FROM holders AS h JOIN identifiers AS i USING (identifier_id)"
            " JOIN profiles AS p USING (created_seq) WHERE created_seq = ?",
            (seq,),
        ).fetchall()
        assert types == reduce(or_, (1 << kind for _, kind, _, _ in held), 0)
        assert {known for known, *_ in held} <= {int(was_known or types & scope_bits != 0)}
        assert all(kind == its_kind and at_home for _, kind, its_kind, at_home in held)
    present = query("SELECT identifier_id, created_seq FROM holders ORDER BY 1, 2").fetchall()
    told = query(
        "SELECT identifier_id, created_seq FROM changes GROUP BY 1, 2 HAVING sum(op) > 0"
        " ORDER BY 1, 2"
    ).fetchall()
    assert present == told
    assert query("PRAGMA foreign_key_check").fetchall() == []
    [[twice]] = query(
        "SELECT count(*) FROM (SELECT 1 FROM identifiers WHERE value != ''"
        " GROUP BY scope_id, identity_type_id, value HAVING count(*) > 1)"
    )
    assert twice == 0
    for name, its_rules in rules.scopes.items():
        expected = sum(TYPE_BITS[kind] for kind in its_rules.login_types)
        for [bits] in query("SELECT login_types FROM scopes WHERE name = ?", (name,)):
            assert bits == expected


def assert_agree(world: World, *chunk_sizes: int) -> list[Json]:
    """Program and model agree, in batches of several sizes and one by one; gives the answers.

    An explanation counts a crowd, and then the store has read all of it. So none is asked for where
    the store is to know a part only.
    """
    replayed, one_by_one = model_answers(world), model_answers(world, one_shot=True)
    sizes = (1, 7, 1000, *chunk_sizes)
    runs = [(size, False, False) for size in sizes] + [(size, False, True) for size in sizes[2:]]
    for size, one_shot, explain in [*runs, (1, True, False), (1, True, True)]:
        found = first_difference(
            world,
            program=sound_answers,
            chunk_size=size,
            one_shot=one_shot,
            explain=explain,
            model=one_by_one if one_shot else replayed,
        )
        how = "one by one" if one_shot else f"in chunks of {size}"
        assert found is None, f"{how}, {'explained' if explain else 'unexplained'}: {found}"
    return replayed[0]


def assert_told(story: Story, later: Json | None = None, at: int | None = None) -> list[Json]:
    """Program and model agree about a story; gives the answers behind its beginning.

    In one of the runs the crowds are there when a batch begins that has all the rest.
    """
    answers = assert_agree(story.world(later, at), max(1, story.begins))
    return answers[story.begins :]


# ---- One crowd


@pytest.mark.parametrize("size", many(SIZES))
def test_the_newest_of_an_anonymous_crowd_leave_it_one_after_another(size: int) -> None:
    story = Story()
    for number in range(size):
        story.anonymous(f"m{number}", ios_idfv="d", mobile_number=f"{number}")
    story.begin()
    left = size
    for step in range(15):
        story.ask("identify", ios_idfv="d")
        left -= 1
        if step % 3 == 0:
            story.set(f"m{left}", ios_idfv=None)
        elif step % 3 == 1:
            story.ask("login", "", f"m{left}", email=f"e{step}", ios_idfv="d")
        else:
            story.change(f"m{left}", ("ios_idfv", "d", "x"))
        story.ask("search", ios_idfv="d")
    story.ask("identify", "", "m0", ios_idfv="d")
    story.ask("identify", "", "m1", ios_idfv="d", android_aaid="g")
    story.ask("search", android_aaid="g")
    answers = assert_told(story)
    assert answers[0]["tiers"][4]["held_by"] == size
    assert answers[-3]["decided_by"] == {"rule": "previous_mpid"}


@pytest.mark.parametrize("size", many(SIZES))
def test_a_whole_crowd_becomes_known_and_then_anonymous_ones_come(size: int) -> None:
    story = Story()
    for number in range(size):
        story.anonymous(f"m{number}", ios_idfv="d", mobile_number=f"{number}")
    story.begin()
    for number in range(size - 1, 0, -1):
        story.ask("login", "", f"m{number}", email=f"e{number}", ios_idfv="d")
    story.ask("identify", ios_idfv="d")
    story.ask("login", "last", email="e0", ios_idfv="d")
    story.ask("identify", "new", ios_idfv="d")
    story.ask("identify", ios_idfv="d", mobile_number="3")
    story.ask("login", email="e5", ios_idfv="d", android_aaid="g")
    story.set("new", ios_idfv=None)
    story.ask("search", ios_idfv="d")
    answers = assert_told(story)
    assert answers[-1]["tiers"][4]["ineligible"] == {"login_protection": size}


@pytest.mark.parametrize("size", many(SIZES))
def test_a_known_crowd_is_joined_left_and_searched(size: int) -> None:
    story = Story()
    for number in range(size):
        story.known(f"k{number}", ios_idfv="d")
    story.begin()
    story.ask("search", ios_idfv="d")
    story.ask("login", email="k3@example.com", ios_idfv="d", mobile_number="1")
    story.ask("identify", "visitor", ios_idfv="d")
    story.ask("login", email="new@example.com", ios_idfv="d")
    for number in (size - 1, size - 2, 0, 1, size // 2):
        story.set(f"k{number}", ios_idfv=None)
        story.ask("search", email=f"k{number}@example.com", ios_idfv="d")
    story.set("k5", email=None)  # stays known, without a login ID
    story.ask("login", email="k5@example.com", ios_idfv="d")
    story.set("k0", ios_idfv="d")
    story.ask("logout", "out", ios_idfv="d")
    story.ask("identify", ios_idfv="d")
    assert_told(story)


@pytest.mark.parametrize("size", many(SIZES))
def test_known_and_anonymous_members_take_turns(size: int) -> None:
    story = Story(DEVICES_FIRST)
    for number in range(size):
        make = story.known if number % 3 else story.anonymous
        make(f"m{number}", ios_idfv="d")
    story.begin()
    for number in range(0, 30, 3):
        story.ask("identify", "", f"m{number}", ios_idfv="d")
        story.ask("login", "", f"m{number}", ios_idfv="d", email=f"m{number + 1}@example.com")
        story.ask("login", "", f"m{number}", ios_idfv="d", email=f"new {number}")
        story.set(f"m{number + 2}", ios_idfv="x")
        story.ask("search", ios_idfv="d")
    answers = assert_told(story)
    assert answers[0]["tiers"][1]["held_by"] == size


@pytest.mark.parametrize("size", many(SIZES))
def test_an_older_member_comes_back_below_what_was_read(size: int) -> None:
    """Of the oldest of a crowd nothing is in memory; they come and go all the same."""
    story = Story()
    for number in range(size):
        story.anonymous(f"m{number}", ios_idfv="d", mobile_number=f"{number}")
    story.begin()
    for number in (0, 1, 2):
        story.set(f"m{number}", ios_idfv=None)
        story.ask("identify", mobile_number=f"{number}", ios_idfv="d")
        story.change(f"m{number}", ("ios_idfv", "d", None), ("ios_idfv", None, "d"))
    for number in range(size - 1, 1, -1):
        story.change(f"m{number}", ("ios_idfv", "d", None))
        if number < 6:
            story.ask("identify", ios_idfv="d")
        elif number % 10 == 0:
            story.ask("search", ios_idfv="d")
    story.ask("search", ios_idfv="d")
    story.ask("login", ios_idfv="d", email="e")
    story.ask("login", "", "m0", ios_idfv="d", email="f")
    assert_told(story)


# ---- Identifiers that move


@pytest.mark.parametrize("size", many(SIZES))
def test_a_crowd_loses_what_has_become_unique_to_one_profile(size: int) -> None:
    shared = SCOPE | {"identities": {"customer_id": LOGIN, "email": LOGIN}}
    story = Story(shared)
    for number in range(size):
        story.anonymous(f"m{number}", other="o", ios_idfv=f"{number}", mobile_number="1")
    story.known("k", ios_idfv="k")
    story.begin()
    story.ask("search", other="o")
    story.ask("login", email="k@example.com", other="o")  # takes it from all of them
    story.ask("search", other="o")
    story.ask("identify", other="o", ios_idfv="0")
    story.set("m5", other="o")
    story.ask("search", other="o", mobile_number="1")
    answers = assert_told(story, SCOPE)
    assert len(answers[1]["changes"]) == size + 1


@pytest.mark.parametrize("size", many(SIZES))
@pytest.mark.parametrize("protected_first", [False, True])
def test_one_protected_holder_keeps_it_from_moving_but_not_from_a_modify(
    size: int, protected_first: bool
) -> None:
    shared = SCOPE | {"identities": {"customer_id": LOGIN, "email": LOGIN}}
    story = Story(shared)
    if protected_first:
        story.known("k", other="o")
    for number in range(size):
        story.anonymous(f"m{number}", other="o", ios_idfv=f"{number}")
    if not protected_first:
        story.known("k", other="o")
    story.ask("login", "user", email="e")
    story.begin()
    story.ask("login", email="e", other="o")
    story.ask("identify", other="o")
    story.set("user", other="o")
    story.ask("search", other="o")
    story.ask("identify", ios_idfv="3")
    answers = assert_told(story, SCOPE)
    assert [note["code"] for note in answers[0]["notes"]] == ["held_elsewhere"]
    assert len(answers[2]["changes"]) == size + 2


def test_a_unique_identifier_wanders_through_one_batch() -> None:
    story = Story()
    for number in range(80):
        story.anonymous(f"m{number}", ios_idfv="d", mobile_number=f"{number}")
    story.anonymous("first", other="o")
    story.begin()
    for number in range(0, 80, 5):
        story.set(f"m{number}", other="o")
        story.ask("search", other="o", ios_idfv="d")
        story.ask("identify", "", f"m{number + 1}", mobile_number=f"{number + 1}", other="o")
        story.ask("search", other="o")
        story.set(f"m{number + 2}", other="o", email=f"e{number}")
        story.ask("login", email=f"e{number}", customer_id="c", other="o")
        story.change(f"m{number + 3}", ("email", None, f"e{number}"), ("customer_id", None, "c"))
    assert_told(story)


# ---- Two crowds in one request


def both(number: int, size: int) -> dict[str, str]:
    return {"ios_idfv": "d", "android_aaid": "g"}


def disjoint(number: int, size: int) -> dict[str, str]:
    return {"ios_idfv": "d"} if number < size // 2 else {"android_aaid": "g"}


def turned_around(number: int, size: int) -> dict[str, str]:
    return {"android_aaid": "g"} if number < size // 2 else {"ios_idfv": "d"}


def by_turns(number: int, size: int) -> dict[str, str]:
    return {"ios_idfv": "d"} if number % 2 else {"android_aaid": "g"}


def by_turns_but_one(number: int, size: int) -> dict[str, str]:
    return both(number, size) if number == 3 else by_turns(number, size)


def by_turns_but_two(number: int, size: int) -> dict[str, str]:
    return both(number, size) if number in (3, size // 2) else by_turns(number, size)


def some_in_common(number: int, size: int) -> dict[str, str]:
    held = by_turns(number, size)
    return both(number, size) if number % 7 == 0 else held


def one_within_the_other(number: int, size: int) -> dict[str, str]:
    return {"ios_idfv": "d"} | ({"android_aaid": "g"} if number % 3 == 0 else {})


Holds = Callable[[int, int], dict[str, str]]
"""What the member with a number holds, of a crowd of a size."""

CROWDS: list[Holds] = [
    *(both, disjoint, turned_around, by_turns, by_turns_but_one, by_turns_but_two),
    *(some_in_common, one_within_the_other),
]


@pytest.mark.parametrize("size", many(SIZES))
@pytest.mark.parametrize("holds", many(CROWDS, 3), ids=lambda each: each.__name__)
@pytest.mark.parametrize("scope", [SCOPE, DEVICES_FIRST], ids=["d before g", "g before d"])
def test_two_crowds_in_one_request(
    scope: Json, holds: Callable[[int, int], dict[str, str]], size: int
) -> None:
    story = Story(scope)
    for number in range(size):
        story.anonymous(f"m{number}", mobile_number=f"{number}", **holds(number, size))
    two = {"ios_idfv": "d", "android_aaid": "g"}
    story.begin()
    for kind in ("search", "identify"):
        story.ask(kind, **two)
        story.ask(kind, "", "m3", **two)
        story.ask(kind, "", "m2", **two)
    story.ask("search", **two)
    in_common = [number for number in range(size) if len(holds(number, size)) == 2][-3:]
    for number in in_common:
        story.set(f"m{number}", android_aaid=None)
        story.ask("search", **two)
    story.ask("login", "", "m3", email="e", **two)
    story.ask("search", **two)
    story.ask("search", "", "m2", ios_idfv="d", android_aaid="g", mobile_number="5")
    story.ask("identify", **two)
    for number in in_common:
        story.set(f"m{number}", android_aaid="g", ios_idfv="d")
    story.ask("identify", "", "m1", **two)
    assert_told(story)


@pytest.mark.parametrize("size", many(SIZES))
def test_three_crowds_in_one_request(size: int) -> None:
    story = Story()
    for number in range(size):
        held = {
            kind: value
            for place, (kind, value) in enumerate(
                {"mobile_number": "1", "ios_idfv": "d", "android_aaid": "g"}.items(), start=2
            )
            if number % place
        }
        story.anonymous(f"m{number}", **held or {"ios_idfv": "nobody's"})
    three = {"mobile_number": "1", "ios_idfv": "d", "android_aaid": "g"}
    story.begin()
    story.ask("search", **three)
    story.ask("identify", "", "m1", **three)
    for number in range(size - 1, size - 12, -1):
        story.set(f"m{number}", android_aaid=None)
        story.ask("search", **three)
    assert_told(story)


def test_two_crowds_of_which_one_is_made_in_the_same_batch() -> None:
    story = Story()
    for number in range(210):
        story.anonymous(f"m{number}", ios_idfv="d")
    story.begin()
    for number in range(0, 210, 2):
        story.set(f"m{number}", android_aaid="g")
    story.ask("search", ios_idfv="d", android_aaid="g")
    story.ask("identify", "", "m4", ios_idfv="d", android_aaid="g")
    for number in range(209, 0, -2):
        story.ask("logout", f"n{number}", android_aaid="g", mobile_number="1")
    story.ask("search", mobile_number="1", ios_idfv="d", android_aaid="g")
    story.ask("identify", ios_idfv="d", android_aaid="g", mobile_number="1")
    assert_told(story)


# ---- Much in one batch


def test_a_set_form_takes_what_the_batch_added_and_removed() -> None:
    story = Story()
    story.ask("login", "u", email="e", ios_idfv="d", mobile_number="0")
    story.ask("login", "v", email="f", mobile_number="x")
    story.begin()
    for number in range(1, 6):
        story.ask("login", email="e", mobile_number=f"{number}")
    story.change("u", ("mobile_number", "2", None), ("mobile_number", "4", "6"))
    story.set("u", mobile_number="3", android_aaid=None)
    story.ask("search", email="e")
    story.set("u", mobile_number=None, email="g")
    story.ask("search", email="e")
    story.ask("login", "w", email="e", mobile_number="3")
    story.set("u", email="e", mobile_number="3")
    story.ask("search", email="e")
    story.set("v", email="e", mobile_number="3", ios_idfv="d")
    story.ask("search", email="e", mobile_number="3")
    assert_told(story)


def test_a_search_sees_what_the_same_batch_did() -> None:
    story = Story()
    for number in range(100):
        story.anonymous(f"m{number}", ios_idfv="d", mobile_number=f"{number}")
    story.begin()
    for number in (99, 50, 98, 0, 97):
        story.ask("search", ios_idfv="d", mobile_number=f"{number}")
        story.set(f"m{number}", push_token=f"t{number}", mobile_number="same")
        story.ask("search", mobile_number="same")
        story.ask("search", mobile_number=f"{number}")
        story.ask("identify", mobile_number="same", ios_idfv="d")
        story.ask("search", "", f"m{number}", mobile_number="same", ios_idfv="d")
    story.ask("login", "", "m50", mobile_number="same", email="e")
    story.ask("search", email="e")
    assert_told(story)


def test_a_profile_gathers_three_hundred_identifiers() -> None:
    story = Story()
    story.ask("login", "u", email="e")
    story.ask("login", "v", email="f")
    for number in range(150):
        story.ask("login", email="e", ios_idfv=f"{number}", push_token=f"t{number}")
    story.begin()
    story.ask("search", email="e")
    story.ask("identify", ios_idfv="7", email="e")
    story.change("u", *(("ios_idfv", f"{number}", None) for number in range(0, 150, 2)))
    story.ask("search", email="e", ios_idfv="4")
    story.ask("logout", "anonymous", ios_idfv="9")
    story.ask("login", email="e", ios_idfv="4", push_token="t4")
    story.set("v", email="e", ios_idfv="9", push_token="t9")
    story.ask("search", email="e")
    story.set("u", ios_idfv="9", push_token=None)
    story.ask("search", ios_idfv="9")
    story.set("u", ios_idfv=None, yahoo="y")
    answers = assert_told(story)
    assert sum(map(len, answers[0]["identities"].values())) == 301
    assert len(answers[-1]["changes"]) == 2


def test_an_anonymous_profile_of_three_hundred_identifiers_becomes_known() -> None:
    story = Story()
    story.anonymous("u", ios_idfv="d")
    entries = [("mobile_number", None, f"{number}") for number in range(300)]
    story.change("u", *entries)
    for number in range(100):
        story.anonymous(f"m{number}", mobile_number="5", ios_idfv="d")
    story.begin()
    story.ask("identify", "", "u", mobile_number="5")
    story.ask("identify", mobile_number="6", ios_idfv="d")
    story.ask("login", "", "u", mobile_number="7", email="e")
    story.ask("identify", "", "u", mobile_number="5")
    story.ask("identify", mobile_number="6")
    story.set("u", email=None)
    story.ask("search", mobile_number="8")
    story.set("u", mobile_number="5")
    story.ask("search", mobile_number="5", ios_idfv="d")
    assert_told(story)


def test_a_profile_is_made_changed_and_emptied_in_one_batch() -> None:
    story = Story()
    for _ in range(5):
        story.anonymous("u", ios_idfv="d", mobile_number="1")
        story.set("u", ios_idfv=None, mobile_number=None)
        story.ask("search", ios_idfv="d")
        story.set("u", push_token="t")
        story.change("u", ("push_token", "t", None), ("ios_idfv", None, "d"))
        story.ask("login", email="e", ios_idfv="d")
        story.set("u", email=None, ios_idfv=None)
        story.ask("search", email="e", ios_idfv="d")
    assert_told(story)


# ---- Chance


def random_story(rng: random.Random, strategy: str, size: int) -> Story:
    """Crowds of a kind that chance picks, and a hundred requests that chance picks."""
    scope = rng.choice([SCOPE, DEVICES_FIRST]) | {"strategy": strategy}
    if strategy == "best_match":
        scope = {"strategy": strategy, "priority": scope["priority"]}
    story = Story(scope)
    kinds = ["search", "identify", "identify"]
    if strategy != "best_match":
        kinds += ["login", "login", "logout"]
    devices = {"ios_idfv": ["d", "d", "d", "x"], "android_aaid": ["g", "g", "g", "y"]}
    chances = {kind: rng.choice([0.1, 0.5, 0.9, 1]) for kind in devices}
    for number in range(size):
        story.ask("identify", f"m{number}", mobile_number=f"{number}")
        held = {kind: devices[kind][0] for kind in devices if rng.random() < chances[kind]}
        if rng.random() < 0.3:
            held["email"] = f"e{number}"
        story.change(f"m{number}", *((kind, None, value) for kind, value in held.items()))
        if not held:
            story.requests.pop()
    story.begin()
    labels = [f"m{number}" for number in range(size)]
    for _ in range(100):
        some = rng.choice([labels, labels[-5:], labels[:5]])
        identities = {kind: rng.choice(values) for kind, values in devices.items()}
        identities |= {"email": rng.choice(["e1", "e5", "new"]), "other": "o"}
        identities |= {"mobile_number": rng.choice(some)[1:], "push_token": "t"}
        chosen = rng.sample(sorted(identities), rng.choice([1, 2, 2, 3]))
        asked = {kind: identities[kind] for kind in chosen}
        move = rng.random()
        if move < 0.25:
            wanted = {kind: rng.choice([None, value]) for kind, value in asked.items()}
            story.set(rng.choice(some), **wanted)
        elif move < 0.35:
            story.change(rng.choice(some), *((kind, None, value) for kind, value in asked.items()))
        else:
            previous = rng.choice(["", "", rng.choice(some)])
            story.ask(rng.choice(kinds), "", previous, **asked)
    return story


STRATEGIES = ["profile_conversion", "profile_link", "profile_isolation", "best_match"]


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("seed", many(range(4)))
def test_random_stories_of_crowds(strategy: str, seed: int) -> None:
    rng = random.Random(f"{strategy} {seed}")
    assert_told(random_story(rng, strategy, SIZES[seed % 2] + seed))


@pytest.mark.parametrize("seed", many(range(6)))
def test_random_worlds_with_larger_crowds(seed: int) -> None:
    assert_agree(random_world(random.Random(seed), crowd=True, sizes=(205, 240)), 300)


# ---- The same where next to nothing is kept in memory


@cache
def small_world(number: int) -> tuple[World, Run]:
    """A world without a crowd, and what the model says of it; asked for each kind of store."""
    world, answers, profiles = answered_world(random.Random(number))
    return world, ([plain(answer) for answer in answers], profiles)


@pytest.fixture(name="forgetful", params=[(2, 2, 30), (3, 1, 3), (5, 64, 100_000)], ids=str)
def store_that_keeps_little(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It reads few holders beforehand, takes few steps, and forgets what it knows soon."""
    newest, steps, remembered = request.param
    before = f"OFFSET {cached_tables.NEWEST - 1}"
    assert before in cached_tables._HOLDERS_OF_EACH
    query = cached_tables._HOLDERS_OF_EACH.replace(before, f"OFFSET {newest - 1}")
    monkeypatch.setattr(cached_tables, "_HOLDERS_OF_EACH", query)
    monkeypatch.setattr(cached_tables, "NEWEST", newest)
    monkeypatch.setattr(prefetch, "NEWEST", newest)
    monkeypatch.setattr(cached_tables, "_STEPS", steps)
    monkeypatch.setattr(working_set, "_REMEMBERED", remembered)


@pytest.mark.usefixtures("forgetful")
@pytest.mark.parametrize("part", many(range(4)))
def test_random_worlds_are_crowds_to_a_store_that_reads_little(part: int) -> None:
    for number in range(part, 200, 4):
        world, model = small_world(number)
        for size, explain in ((7, False), (1000, True), (1000, False)):
            found = first_difference(
                world, program=sound_answers, chunk_size=size, explain=explain, model=model
            )
            assert found is None, f"world {number} in chunks of {size}: {found}"


@pytest.mark.usefixtures("forgetful")
@pytest.mark.parametrize("strategy", many(STRATEGIES))
def test_random_stories_are_told_by_a_store_that_reads_little(strategy: str) -> None:
    for seed in range(3):
        assert_told(random_story(random.Random(f"{strategy} {seed}"), strategy, 20))


# ---- Crowds that are not counted to their end


def member(number: int, held: dict[str, str]) -> Profile:
    """Every fifth is known by its email, every seventh has been known."""
    if number % 5 == 0:
        held = held | {"email": f"e{number}"}
    identifiers = tuple(Identifier(IdentityType(kind), value) for kind, value in held.items())
    return Profile(-number, number, None, number % 35 == 0, identifiers)


def decided(lookup: Lookup, rules: ScopeRules, kind: str, asked: dict[str, str]) -> object:
    """What is decided, with its tiers, and profiles by their MPIDs."""
    request = IdentityRequest(
        RequestKind(kind),
        [Identifier(IdentityType(name), value) for name, value in asked.items()],
    )
    decision = decide(request, rules, lookup, 10_000, 7, explain=True)
    left = [(update.profile.mpid, update.types, update.was_known) for update in decision.updates]
    plain = altered(decision, profile=None, updates=())
    of = decision.profile
    return plain, of and (of.mpid, of.created_seq, of.source_mpid), left


CROWD = 2600

Told = dict[tuple[str, str, int], object]
"""What is decided of a crowd, by the name of the scope, the kind of request, and what it names."""


@cache
def told_by_looking_at_every_profile(holds: Holds) -> Told:
    """Slow, and asked for several times."""
    return told_of(Memory(*everybody(holds)).under)


def everybody(holds: Holds) -> list[Profile]:
    return [member(number, holds(number, CROWD)) for number in range(1, CROWD)]


def told_of(lookup: Callable[[ScopeRules], Lookup]) -> Told:
    asked = [{"ios_idfv": "d"}, {"android_aaid": "g"}, {"ios_idfv": "d", "android_aaid": "g"}]
    asked += [each | {"email": "e5"} for each in asked]
    scopes = organization({"s": SCOPE, "later": BY_DEVICE, "devices first": DEVICES_FIRST}, {})
    return {
        (name, kind, place): decided(lookup(rules), rules, kind, each)
        for name, rules in scopes.scopes.items()
        for kind in ("search", "identify")
        for place, each in enumerate(asked)
    }


@pytest.mark.parametrize("holds", many(CROWDS, 3), ids=lambda each: each.__name__)
@pytest.mark.parametrize("written", [True, False], ids=["written", "in memory"])
def test_a_crowd_of_thousands_is_accounted_for_as_by_looking_at_every_profile(
    holds: Holds, written: bool
) -> None:
    expected = told_by_looking_at_every_profile(holds)
    rules = organization({"s": SCOPE}, {}).scopes["s"]
    both_devices = [
        Identifier(IdentityType.IOS_IDFV, "d"),
        Identifier(IdentityType.ANDROID_AAID, "g"),
    ]
    with store.temporary(7) as storage:
        with storage.writing() as session:
            for each in everybody(holds):
                session.insert("s", each, rules, None)
            if not written:
                assert told_of(partial(session.lookup, "s")) == expected
        with storage.reading() as session:
            assert told_of(partial(session.lookup, "s")) == expected
        with storage.writing() as session:
            session.prefetch("s", rules, both_devices, ())
            assert told_of(partial(session.lookup, "s")) == expected


# ---- Another configuration

BY_PHONE = SCOPE | {"identities": {"mobile_number": LOGIN, "other": UNIQUE}}
"""Now who holds a phone number is known, and who holds an email only if it ever was found to."""


def crowd_of_all_kinds(size: int) -> Story:
    story = Story()
    for number in range(size):
        if number % 3 == 0:
            story.known(f"m{number}", ios_idfv="d")
        elif number % 3 == 1:
            story.anonymous(f"m{number}", ios_idfv="d", mobile_number=f"{number}")
        else:
            story.anonymous(f"m{number}", ios_idfv="d")
    story.begin()
    return story


def and_then(story: Story) -> Story:
    size = story.begins
    story.ask("search", ios_idfv="d")
    story.ask("identify", ios_idfv="d")
    story.ask("search", ios_idfv="d", mobile_number="1")
    story.ask("identify", "", "m4", ios_idfv="d")
    story.ask("login", "", "m2", ios_idfv="d", mobile_number="new")
    story.ask("login", ios_idfv="d", email="m0@example.com")
    story.ask("login", ios_idfv="d", mobile_number="4")
    story.set("m4", mobile_number=None)
    story.set("m0", email="a")
    story.ask("search", ios_idfv="d")
    story.ask("search", ios_idfv="d", email="a")
    assert size
    return story


@pytest.mark.parametrize("size", many([9, *SIZES], 2))
@pytest.mark.parametrize("turned", [False, True])
def test_other_login_types_hold_from_the_next_request_on(size: int, turned: bool) -> None:
    story = and_then(crowd_of_all_kinds(size))
    first, later = (BY_PHONE, SCOPE) if turned else (SCOPE, BY_PHONE)
    story.scope = first
    answers = assert_told(story, later)
    assert answers[0]["tiers"][4]["held_by"] == size


@pytest.mark.parametrize(
    "later",
    [
        {"strategy": "best_match", "priority": PRIORITY[::-1]},
        SCOPE | {"priority": ["ios_idfv"], "identities": {"ios_idfv": LOGIN}},
        SCOPE | {"strategy": "profile_link"},
        SCOPE | {"identities": {"ios_idfv": {"login": True}}},
        SCOPE | {"identities": {}},
    ],
    ids=["best_match", "only the device", "profile_link", "the device", "none"],
)
def test_any_other_configuration_holds_from_the_next_request_on(later: Json) -> None:
    assert_told(and_then(crowd_of_all_kinds(100)), later)


def engines(story: Story, storage: SqliteStore, said: list[str]) -> Iterator[Engine]:
    """An engine by the first configuration, and one by the other."""
    for scope in (story.scope, BY_PHONE):
        rules = organization({"s": scope, "other": SCOPE}, {})
        target = wire.Target(scope="s")
        yield Engine(
            *(rules, storage), now=lambda: 0, target=target, explain=True, on_aligned=said.append
        )


def login_types(storage: SqliteStore) -> list[str]:
    [[bits]] = storage.connection.execute("SELECT login_types FROM scopes WHERE name = 's'")
    return [kind.value for kind in IdentityType if bits & TYPE_BITS[kind]]


def test_a_store_is_brought_up_to_date_once_and_says_so() -> None:
    story = crowd_of_all_kinds(100)
    said: list[str] = []
    with store.temporary(7) as storage:
        first, later = engines(story, storage, said)
        first.batch(map(wire.Incoming, story.requests))
        first.batch([wire.Incoming({"type": "search", "known_identities": {"ios_idfv": "d"}})])
        assert said == []
        assert login_types(storage) == ["customer_id", "email"]
        later.batch([wire.Incoming({"type": "search", "known_identities": {"ios_idfv": "d"}})])
        assert said == ["s"]
        assert login_types(storage) == ["mobile_number"]
        later.batch([wire.Incoming({"type": "identify", "known_identities": {"ios_idfv": "d"}})])
        later.one_shot({"type": "identify", "known_identities": {"ios_idfv": "d"}})
        assert said == ["s"]
        assert_sound(storage, organization({"s": BY_PHONE}, {}))
        first.one_shot({"type": "identify", "known_identities": {"ios_idfv": "d"}})
        assert said == ["s", "s"]
        assert_sound(storage, organization({"s": SCOPE}, {}))


@pytest.mark.parametrize("size", many([9, *SIZES], 2))
def test_what_only_reads_answers_right_over_a_store_that_was_not_brought_up_to_date(
    size: int,
) -> None:
    story = crowd_of_all_kinds(size)
    gathered = len(story.requests)
    two = {"ios_idfv": "d", "mobile_number": "4"}
    for asked in ({"ios_idfv": "d"}, two, two | {"email": "m0@example.com"}):
        story.ask("search", **asked)
        story.ask("search", "", "m5", **asked)
    world = story.world(BY_PHONE)
    expected, _ = model_answers(world, one_shot=True)
    said: list[str] = []
    with store.temporary(7) as storage:
        first, later = engines(story, storage, said)
        labels = Labels()
        first.batch(map(wire.Incoming, story.requests[:gathered]), labels)
        before = list(storage.connection.iterdump())
        for request, model in zip(story.requests[gathered:], expected[gathered:], strict=True):
            for dry_run in (False, True):
                answer = later.one_shot(request, labels, dry_run=dry_run, near=True)
                told = plain(wire.answer_json(answer, explain=True)) | {"seq": model["seq"]}
                assert told == model | {"scope": "s"}
        assert said == []
        assert list(storage.connection.iterdump()) == before


def test_the_commands_say_that_the_store_was_brought_up_to_date(tmp_path: Program) -> None:
    idsync = Program(tmp_path)  # type: ignore[arg-type]
    config = """\
version: 1
scopes:
  s: {strategy: profile_conversion, priority: [email, ios_idfv], identities: {%s: {login: true}}}
"""
    idsync.write("idsync.yaml", config % "email")
    login = ("login", "--email", "e", "--idfv", "d")
    assert idsync(*login).stderr.count("reindexed") == 0
    idsync.write("idsync.yaml", config % "ios_idfv")
    for quiet in (("search", "--idfv", "d"), (*login, "--android-aaid", "g", "--dry-run")):
        assert "reindexed" not in idsync(*quiet).stderr
    said = idsync(*login)
    assert (said.status, said.stderr.count("reindexed"), "'s'" in said.stderr) == (0, 1, True)
    assert "reindexed" not in idsync(*login).stderr
    idsync.write("idsync.yaml", config % "email")
    line = b'{"type": "identify", "known_identities": {"email": "e"}}\n'
    said = idsync("replay", "-", "--output", "-", stdin=line * 3)
    assert (said.status, said.stderr.count("reindexed")) == (0, 1)
