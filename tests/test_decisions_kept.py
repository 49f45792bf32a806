"""A decision is a value: it stays as it was made, and leads to no store.

Whole worlds are answered over every kind of store, crowds among them, and every answer is kept.
"""

import copy
import gc
import pickle
import random
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from enum import Enum
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from idsync_cli import wire
from idsync_cli.core.audiences import calculation, fold
from idsync_cli.core.codes import (
    AttributeOp,
    Calculation,
    ErrorCode,
    Extension,
    FileKind,
    NoteCode,
    Op,
    Operator,
    Reason,
    RequestKind,
    Rule,
    Status,
    TierOutcome,
)
from idsync_cli.core.config import definitions
from idsync_cli.core.config.access import Access, Secrets
from idsync_cli.core.config.guard_rails import GuardRail, GuardRails, ValueLimit
from idsync_cli.core.config.strategy import NO_SETTINGS, Settings
from idsync_cli.core.data.values import (
    Alias,
    AttributeChange,
    BatchData,
    BatchDevice,
    Device,
    Event,
    NewEvent,
    ProfileData,
)
from idsync_cli.core.decision import (
    Answer,
    Change,
    DecidedBy,
    Decision,
    Note,
    ProfileUpdate,
    Refusal,
)
from idsync_cli.core.erasure import Erasure, ErasureCounts, ErasureReport, KeptFile
from idsync_cli.core.identity import Identifier, IdentityType
from idsync_cli.core.lookup import CarriedOut
from idsync_cli.core.profile import Profile, ProfileView
from idsync_cli.core.request import (
    AliasRequest,
    BatchRequest,
    EraseRequest,
    IdentityChange,
    IdentityRequest,
    ModifyRequest,
)
from idsync_cli.core.resolve import change_set, matcher
from idsync_cli.core.scoped_profile import ScopedProfile, ScopedView
from idsync_cli.core.screening import Screened, ScreenedModify
from idsync_cli.core.tiers import NearMiss, Tier
from idsync_cli.core.value import Value
from idsync_cli.engine.engine import Engine
from idsync_cli.engine.names import Names
from idsync_cli.replay.labels import ReplayLabels
from idsync_cli.store.api import Store, Transaction
from idsync_cli.store.values import (
    AudienceMember,
    HistoryEntry,
    MemberCount,
    ProfileFilter,
    RequestEntry,
)
from tests.comparison import parts
from tests.compiled import modules
from tests.many import many
from tests.stores import KINDS, Make, every_kind
from tests.worlds import World, random_world

WORLDS = range(12)
WITHOUT_NEAR_MISSES = 10  # of these
A_BATCH = 17

loaded: Callable[[bytes], Any] = pickle.loads  # of nothing but what is pickled here


@lru_cache
def of_world(number: int) -> World:
    """Every third has a crowd, larger than what a store reads of one beforehand."""
    return random_world(random.Random(f"kept {number}"), crowd=number % 3 == 0)


Kept = list[tuple[Answer, bytes, Answer]]
"""Answers, with what each was when it was made: as bytes, and as a copy."""


def kept_answers(world: World, store: Store, *, explain: bool) -> Kept:
    """What a replay of a world answers: batches, each read a line at a time."""
    kept: Kept = []
    labels = ReplayLabels()

    def take(answers: list[Answer]) -> None:
        kept.extend((each, pickle.dumps(each), copy.deepcopy(each)) for each in answers)

    def nothing_more(_transaction: Transaction) -> None:
        pass

    for rules, requests in parts(world):
        engine = Engine(rules, store, now=lambda: 0, explain=explain)
        for first in range(0, len(requests), A_BATCH):
            batch = requests[first : first + A_BATCH]
            with engine.writing() as transaction:
                engine.answer_blocks([[each] for each in batch], labels, transaction, take)
    return kept


def told(answer: Answer) -> bytes:
    """All that can be read off an answer."""
    return wire.answer_line(answer, explain=True)


def same(one: Answer, other: Answer) -> bool:
    """Whether two answers are the same, also where they are refusals, which are no values."""
    if isinstance(one.outcome, Refusal):
        assert isinstance(other.outcome, Refusal)
        return (one.seq, one.line, one.kind, one.scope, one.outcome.__reduce__()) == (
            *(other.seq, other.line, other.kind, other.scope, other.outcome.__reduce__()),
        )
    return one == other


@every_kind
@pytest.mark.parametrize("number", many(WORLDS, share=3))
def test_every_answer_of_a_replay_stays_as_it_was_made(
    make: Make, tmp_path: Path, number: int
) -> None:
    world = of_world(number)
    with make(tmp_path, world.seed) as store:
        kept = kept_answers(world, store, explain=number % 2 == 0)
        assert len(kept) == len(world.requests)
        for answer, was, copied in kept:
            assert same(answer, copied)
            assert pickle.dumps(answer) == was
            assert same(loaded(was), answer)
    with ThreadPoolExecutor(1) as elsewhere:
        lines = elsewhere.submit(lambda: [told(answer) for answer, _, _ in kept]).result()
    assert lines == [told(copied) for _, _, copied in kept]
    assert lines == [told(loaded(was)) for _, was, _ in kept]


@every_kind
@pytest.mark.parametrize("number", many(WORLDS, share=3))
def test_an_answer_leads_to_nothing_but_values(make: Make, tmp_path: Path, number: int) -> None:
    world = of_world(number)
    with make(tmp_path, world.seed) as store:
        for answer, _, _ in kept_answers(world, store, explain=True):
            assert_leads_to_values(answer)


@every_kind
@pytest.mark.parametrize("number", many(WORLDS, share=3))
def test_so_does_one_that_is_answered_by_itself_with_near_misses(
    make: Make, tmp_path: Path, number: int
) -> None:
    world = of_world(number)
    near = 0
    with make(tmp_path, world.seed) as store:
        for rules, requests in parts(world):
            engine, labels = Engine(rules, store, now=lambda: 0, explain=True), ReplayLabels()
            for position, each in enumerate(requests):
                answer = engine.one_shot(each.request, labels, dry_run=position % 5 == 0, near=True)
                assert_leads_to_values(answer)
                assert same(loaded(pickle.dumps(answer)), answer)
                near += isinstance(answer.outcome, Decision) and len(answer.outcome.near)
    assert near > 0 or number == WITHOUT_NEAR_MISSES


PLAIN = (str, bytes, int, bool, type(None), Enum)
OF_VALUES = (tuple, dict, MappingProxyType, Mapping, Value, Refusal)


def assert_leads_to_values(answer: Answer) -> None:
    """Walk through all that an object refers to, however it is hidden."""
    seen: set[int] = set()
    rest: list[tuple[object, ...]] = [(answer,)]
    while rest:
        path = rest.pop()
        each = path[-1]
        if id(each) in seen or isinstance(each, (*PLAIN, type)):
            continue
        seen.add(id(each))
        assert isinstance(each, OF_VALUES), f"an answer leads to {each!r} by {path[:-1]!r}"
        rest += [(*path, its) for its in gc.get_referents(each)]


def test_the_walk_finds_what_is_hidden() -> None:
    refusal = Refusal(ErrorCode.NO_IDENTITIES, "none")
    assert_leads_to_values(Answer(1, None, None, None, refusal))
    try:
        raise refusal
    except Refusal:
        with pytest.raises(AssertionError, match="leads to <traceback"):
            assert_leads_to_values(Answer(1, None, None, None, refusal))


# ---- Every class of values comes back from another process

E = Identifier(IdentityType.EMAIL, "e")
VIEW = ProfileView(1, 2, None, True, 3)
TIER = Tier(1, E.type, NO_SETTINGS, TierOutcome.DECIDED, "e", 1, 1, {Reason.LOGIN_PROTECTION: 1}, 1)
NEAR = NearMiss(E, 1, {Reason.LOGIN_PROTECTION: 1})
LEFT, CHANGE = ProfileUpdate(VIEW, 3, True), Change(Op.ADD, 1, E)
BY = DecidedBy(Rule.IDENTIFIER, 1, E.type)
EVENT = Event(1, 2, 3, "custom_event", None, {"event_name": "e"}, "{}")
DATA = BatchData([NewEvent(1, "custom_event", None, "{}")], {"city": '"Bern"'}, ("old",))
DECISION = Decision(
    Status.CREATED, BY, VIEW, True, (E,), True, (CHANGE,), (1,), (LEFT,), (Note(NoteCode.TIE),),
    (E,), (E.type,), (TIER,), (NEAR,), DATA, b"digest",
)  # fmt: skip
ERASURE, BACKUP = Erasure(1, 2, "s", 3, "r"), KeptFile(FileKind.BACKUP, "b.db")
IS = definitions.ValueComparison(Operator.EQUALS, ("Bern",))
HAS = definitions.AttributeCondition("city", IS)
ALL = definitions.AllOf((HAS,))
EVENTS = definitions.EventFilter("buy", None, 5, (HAS,))
COUNT = definitions.CalculatedAttribute(Calculation.COUNT, EVENTS)
VALUES: list[object] = [
    *(Secrets(("hush",)), Access("key", Secrets(variable="HUSH"), key_only=True, rate=5)),
    *(E, VIEW, Profile(1, 2, None, True, (E,)), TIER, NEAR, LEFT, CHANGE, BY, DECISION),
    *(Note(NoteCode.TIE, E.type), Settings(login=True)),
    ScopedProfile("s", Profile(1, 2, None, True, (E,)), True, False, (E.type,)),
    ScopedView("s", ProfileView(1, 2, None, True, 1), True, False),
    Answer(1, 2, RequestKind.LOGIN, "s", DECISION),
    IdentityRequest(RequestKind.LOGIN, (E,), 5),
    ModifyRequest(5, {E.type: None}, (IdentityChange(E.type, "o", "n"),)),
    IdentityChange(E.type, None, "n"),
    BatchRequest(DATA, IdentityRequest(RequestKind.IDENTIFY, (E,)), None, b"d", (E.type,)),
    CarriedOut(VIEW),
    *(EVENT, DATA, NewEvent(1, "custom_event", None, "{}"), BatchDevice(E, "{}")),
    *(Device(E, {"ip": "::1"}, 1), ProfileData({"city": "Bern"}, [EVENT], 1)),
    change_set.Consequences((LEFT,), (1,)),
    matcher.Match(VIEW, BY, (VIEW,), (E,), (TIER,)),
    Names((E,), (1,), ("l",)),
    RequestEntry(1, 2, RequestKind.LOGIN, "r", 3),
    HistoryEntry(1, 2, RequestKind.LOGIN, "r", 3, CHANGE, Rule.IDENTIFIER, E.type),
    ProfileFilter("s", E.type, True, False),
    wire.LineReader().request(b'{"type": "login", "known_identities": {"email": "e"}}'),
    wire.Target("s", "w"),
    wire.Incoming({"type": "login"}, 1),
    *(
        Alias(1, 2, 3, 4, 5),
        AliasRequest(1, 2, 3, 4, 5),
        AttributeChange(AttributeOp.SET, 1, "city"),
    ),
    *(EraseRequest(1), ERASURE, ErasureCounts(1), KeptFile(FileKind.BACKUP, "b.db")),
    ErasureReport(
        ERASURE, ErasureCounts(1), (2,), (3,), (KeptFile(FileKind.BACKUP, "b.db"),), (4,)
    ),
    AudienceMember(Profile(1, 2, None, True, (E,)), False),
    *(MemberCount(2, 1), GuardRail(Extension.NORMALIZE, E.type, ("trim",)), ValueLimit(2, True)),
    *(
        GuardRails({E.type: ()}),
        Screened((E,), (E.type,)),
        ScreenedModify(ModifyRequest(5), [0], []),
    ),
    *(HAS, ALL, definitions.AnyOf((HAS,)), definitions.Not(HAS), definitions.KnownCondition(True)),
    *(EVENTS, definitions.EventCondition(EVENTS), definitions.AudienceCondition("a"), IS),
    *(definitions.IdentityCondition(E.type, IS), definitions.FirstSeenCondition(5, None)),
    *(COUNT, definitions.Audience(1, ALL), definitions.Definitions({"n": COUNT}, {})),
    *(
        calculation.Occurred(1, 2, 3),
        fold.EventsSeen(1, 2),
        fold.ConditionResult(HAS, True, "Bern"),
    ),
    *(fold.Folded({"n": 1}, {}), fold.Subject(ProfileData({}, [EVENT], 1), (E,), True, 5)),
]

PASSED_OVER = {
    *("_Candidates", "MemberKind", "Member", "_Decoder"),  # tables of functions
    *("Condition", "ConditionGroup"),  # what several classes are
}
"""Classes of which nobody is given one."""


def is_of_values(kind: object) -> bool:
    if not isinstance(kind, type):
        return False
    return issubclass(kind, Value) or (issubclass(kind, tuple) and hasattr(kind, "_fields"))


def classes_of_values() -> set[type]:
    """All classes of values that are asked, decided or kept: `Value`s and named tuples.

    Those of the modules that are not compiled are made by Python itself.
    """
    found: set[type] = set()
    of = ("idsync_cli.core.", "idsync_cli.engine.", "idsync_cli.store.values")
    for name in filter(lambda each: each.startswith(of), modules()):
        module = import_module(name)
        found |= {
            each
            for each in vars(module).values()
            if is_of_values(each) and each.__module__ == name and each is not Value
        }
    return {each for each in found if each.__name__ not in PASSED_OVER}


def test_there_is_one_of_every_class_of_values() -> None:
    assert classes_of_values() - {type(each) for each in VALUES} == set()


@pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)
@pytest.mark.parametrize("carried", [lambda it: loaded(pickle.dumps(it)), copy.copy, copy.deepcopy])
def test_a_value_is_the_same_after_a_journey(value: object, carried: Callable[[Any], Any]) -> None:
    arrived = carried(value)
    assert type(arrived) is type(value)
    assert arrived == value


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_a_refusal_is_the_same_after_a_journey(protocol: int) -> None:
    refusal = Refusal(ErrorCode.UNKNOWN_LABEL, "no such label")
    arrived = loaded(pickle.dumps(refusal, protocol))
    assert type(arrived) is Refusal
    assert (arrived.code, arrived.message, str(arrived)) == (
        *(ErrorCode.UNKNOWN_LABEL, "no such label", "no such label"),
    )


@pytest.mark.parametrize("number", many(WORLDS, share=3))
def test_every_kind_of_store_gives_the_same_answers(tmp_path: Path, number: int) -> None:
    world = of_world(number)
    found = {}
    for kind, make in KINDS.items():
        with make(tmp_path, world.seed) as store:
            kept = kept_answers(world, store, explain=True)
            found[kind] = [told(answer) for answer, _, _ in kept]
    assert found == dict.fromkeys(KINDS, found["memory"])
