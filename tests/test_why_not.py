"""Why a profile was not the answer: every flip is tried, and brute force finds no other.

The brute force makes its changes in JSON, as a user would write them, and asks the reference model.
"""

import copy
import random
from collections.abc import Iterator
from itertools import combinations
from typing import Any

import pytest

from idsync_cli import wire
from idsync_cli.core.config.rules import Organization
from idsync_cli.core.identity import IdentityType
from idsync_cli.core.request import IdentityRequest
from idsync_cli.engine.engine import Engine
from idsync_cli.engine.labels import Labels
from idsync_cli.file_faults import FileFault
from idsync_cli.foresight.flips import Add, Case, CaseChange, Drop, Move, PreviousMpid, SetSetting
from idsync_cli.foresight.why_not import MOST_FLIPS, Asked, answer_to, made, why_not
from idsync_cli.store.memory import MemoryStore
from tests.comparison import organization as organization_of
from tests.many import many
from tests.reference_model import Model, Rules
from tests.worlds import random_scope

Json = dict[str, Any]
Told = frozenset[tuple[str, ...]]
SEED = 5
KINDS = ("identify", "identify", "login", "logout", "search")
STRATEGIES = {
    "default": ("keep", "create", True, False, False, True),
    "profile_conversion": ("keep", "create", True, False, False, True),
    "profile_link": ("create", "create", True, False, True, True),
    "profile_isolation": ("create", "return_anonymous", True, True, False, False),
    "best_match": ("keep", None, False, False, False, False),
}
KEYS = ("on_new_known_user", "on_logout", "logins", "login_needs_login_id", "links", "aliasing")
VALUES: dict[str, tuple[Any, ...]] = {
    "on_new_known_user": ("keep", "create"),
    "on_logout": ("create", "return_anonymous"),
}


def random_request(rng: random.Random, rules: Rules) -> Json:
    types = rng.sample(rules.priority, rng.randint(1, len(rules.priority)))
    request: Json = {
        "type": rng.choice(KINDS),
        "known_identities": {each: rng.choice("abc") for each in types},
    }
    if rng.random() < 0.1:
        request["known_identities"]["yahoo"] = rng.choice("ab")
    return request


def changed_requests(request: Json, held: list[tuple[str, str]], mpid: str) -> Iterator[
    tuple[tuple[str, ...], Json]
]:  # fmt: skip
    """Each single change of a request, under what it is called here."""
    identities = request["known_identities"]
    for type_ in identities:
        left = {each: value for each, value in identities.items() if each != type_}
        yield ("drop", type_), {**request, "known_identities": left}
    for type_, value in dict(held).items():
        if identities.get(type_) != value:
            added = {**identities, type_: value}
            yield ("add", type_, value), {**request, "known_identities": added}
    if request.get("previous_mpid") != mpid:
        yield ("previous_mpid",), {**request, "previous_mpid": mpid}


def spelled(scope: Json) -> Json:
    """A scope with its strategy as a mapping, and all settings as they come out."""
    rules = Rules(scope)
    strategy = scope["strategy"]
    if isinstance(strategy, str):
        strategy = dict(zip(KEYS, STRATEGIES[strategy], strict=True))
        if not strategy["logins"]:
            strategy = {
                key: value
                for key, value in strategy.items()
                if key not in ("on_logout", "login_needs_login_id")
            }
    return {**scope, "strategy": strategy, "priority": rules.priority, "identities": {
        type_: {
            name: True
            for name, types in (
                ("login", rules.login), ("unique", rules.unique), ("immutable", rules.immutable)
            )
            if type_ in types
        }
        for type_ in rules.priority
    }}  # fmt: skip


def changed_scopes(scope: Json, request: Json) -> Iterator[tuple[tuple[str, ...], Json]]:
    """Each single change of the rules; some of them no configuration may have."""
    whole = spelled(scope)
    priority, strategy = whole["priority"], whole["strategy"]
    is_fixed = scope["strategy"] in ("default", "best_match")
    for type_ in request["known_identities"]:
        others = [each for each in priority if each != type_]
        for place in range(len(others) + 1):
            moved = [*others[:place], type_, *others[place:]]
            if moved != priority:
                base = {k: v for k, v in whole.items() if not (is_fixed and k == "identities")}
                kept = scope["strategy"] if is_fixed else strategy
                yield ("move", type_, str(place + 1)), {
                    **base, "priority": moved, "strategy": kept
                }  # fmt: skip
    for type_ in priority if not is_fixed else ():
        for name in ("login", "unique", "immutable"):
            value = not whole["identities"][type_].get(name, False)
            settings = {**whole["identities"][type_], name: value}
            identities = {**whole["identities"], type_: settings}
            yield ("setting", type_, name, str(value)), {**whole, "identities": identities}
    for key in KEYS:
        if key not in strategy:
            continue
        for value in VALUES.get(key, (False, True)):
            if value != strategy[key]:
                made_of = {**strategy, key: value}
                if key == "logins" and value:
                    made_of |= {"on_logout": "create", "login_needs_login_id": False}
                if key == "logins" and not value:
                    del made_of["on_logout"], made_of["login_needs_login_id"]
                yield ("rule", key, str(value)), {**whole, "strategy": made_of}
    for key, usual, other in (
        ("on_conflicting_login", "separate", "join"), ("on_unique_held", "take", "keep"),
    ):  # fmt: skip
        opposite = other if scope.get(key, usual) == usual else usual
        yield ("rule", key, opposite), {**whole, key: opposite}


def model_answer(model: Model, request: Json, scope: Json | None = None) -> str | None:
    asked = copy.deepcopy(model)
    if scope is not None:
        asked.reconfigure({"scope-0": scope})
    answer = asked.answer(request, line=1)
    mpid = answer.get("mpid")
    return None if mpid is None else str(mpid)


def is_accepted(scope: Json) -> bool:
    try:
        organization_of({"scope-0": scope}, {})
    except FileFault:
        return False
    return True


def brute_force(
    model: Model, scope: Json, request: Json, held: list[tuple[str, str]], mpid: str
) -> set[Told]:
    of_request = list(changed_requests(request, held, mpid))
    found = {frozenset([name]) for name, each in of_request if model_answer(model, each) == mpid}
    for name, each in changed_scopes(scope, request):
        if is_accepted(each) and model_answer(model, request, each) == mpid:
            found.add(frozenset([name]))
    if found:
        return found
    for (first, changed), (second, _) in combinations(of_request, 2):
        if first[1:2] == second[1:2] and first[1:]:
            continue  # to drop a type and to add it is to add it
        for name, both in changed_requests(changed, held, mpid):
            if name == second and model_answer(model, both) == mpid:
                found.add(frozenset([first, second]))
    return found


def told(change: CaseChange) -> tuple[str, ...]:
    match change:
        case Drop():
            return ("drop", change.identity_type.value)
        case Add():
            return ("add", change.identifier.type.value, change.identifier.value)
        case PreviousMpid():
            return ("previous_mpid",)
        case Move():
            return ("move", change.identity_type.value, str(change.rank))
        case SetSetting():
            return ("setting", change.identity_type.value, change.setting, str(change.value))
        case _:
            return ("rule", change.key, str(change.value))


def asked_by(organization: Organization, request: Json, seq: int) -> Asked:
    reading = wire.Reader(organization).read(request)
    read = wire.request_of(reading, Labels())
    assert isinstance(read, IdentityRequest)
    assert reading.scope is not None
    assert reading.rules is not None
    return Asked(read, reading.scope, reading.rules, seq, SEED)


@pytest.mark.parametrize("seed", many(range(60), share=6))
def test_every_flip_was_tried_and_brute_force_finds_no_other(seed: int) -> None:
    rng = random.Random(seed)
    scope = random_scope(rng)
    model = Model({"scope-0": scope}, SEED, {})
    organization = organization_of({"scope-0": scope}, {})
    with MemoryStore(SEED) as store:
        engine = Engine(organization, store, now=lambda: 0)
        for line in range(1, 13):
            request = random_request(rng, Rules(scope))
            model.answer(request, line=line)
            engine.batch([wire.Incoming(request, line)])
        with store.reading() as transaction:
            profiles = [found for _, found in transaction.profiles(organization.scopes)]
            for _ in range(2):
                request = random_request(rng, Rules(scope))
                asked = asked_by(organization, request, transaction.last_seq + 1)
                for profile in rng.sample(profiles, min(3, len(profiles))):
                    found = why_not(asked, profile, transaction)
                    expected = model_answer(model, request)
                    assert (None if found.answer is None else str(found.answer)) == expected
                    case = Case(asked.request, asked.rules)
                    for flip in found.flips:
                        changed = made(flip, case)
                        assert changed is not None
                        outcome = answer_to(changed, asked, transaction)
                        assert not isinstance(outcome, Exception)
                        assert outcome.profile is not None
                        assert outcome.profile.mpid == profile.mpid
                    if found.is_the_answer:
                        assert not found.flips
                        continue
                    held = [(each.type.value, each.value) for each in profile.identifiers]
                    wanted = brute_force(model, scope, request, held, str(profile.mpid))
                    ours = {frozenset(map(told, flip)) for flip in found.flips}
                    assert len(found.flips) + found.left_out == len(wanted)
                    assert ours <= wanted
                    assert len(ours) == min(MOST_FLIPS, len(wanted))


def test_a_value_that_is_blocked_or_normalised_is_what_the_rules_see() -> None:
    scope = {
        "strategy": "best_match",
        "priority": ["email", "mobile_number", "ios_idfv"],
        "extensions": {
            "normalize": {"email": ["lowercase"]}, "blocked": {"mobile_number": ["0*"]}
        },
    }  # fmt: skip
    organization = organization_of({"scope-0": scope}, {})
    guarded = organization_of({"scope-0": {**scope, "extensions": {}}}, {})
    with MemoryStore(SEED) as store:
        unguarded = Engine(guarded, store, now=lambda: 0)
        held = {"email": "a@x.org", "mobile_number": "000", "idfv": "9"}
        unguarded.batch([wire.Incoming({"type": "identify", "known_identities": held}, 1)])
        with store.reading() as transaction:
            ((_, profile),) = transaction.profiles(organization.scopes)
            asked = asked_by(
                organization,
                {"type": "search", "known_identities": {"email": "A@X.org", "mobile_number": "0"}},
                transaction.last_seq + 1,
            )
            found = why_not(asked, profile, transaction)
            assert found.is_the_answer
            assert found.found_by == (IdentityType.EMAIL,)
            blocked = asked_by(
                organization,
                {"type": "search", "known_identities": {"mobile_number": "000"}},
                transaction.last_seq + 1,
            )
            found = why_not(blocked, profile, transaction)
    assert found.answer is None
    assert found.error is not None
    assert found.found_by == ()
    assert found.lost_at is None
    told_of = {frozenset(map(told, flip)) for flip in found.flips}
    assert told_of == {
        frozenset([("add", "email", "a@x.org")]),
        frozenset([("add", "ios_idfv", "9")]),
    }
