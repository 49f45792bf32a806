"""Identifiers that many hold: what is asked about them, and where counting them stops."""

from collections.abc import Iterable, Sequence

import pytest

from idsync_cli.core.codes import ErrorCode, Reason, RequestKind, Rule, TierOutcome
from idsync_cli.core.config.rules import ScopeRules
from idsync_cli.core.decision import DecidedBy
from idsync_cli.core.identity import Identifier, IdentityType
from idsync_cli.core.profile import Profile
from idsync_cli.core.request import IdentityRequest
from idsync_cli.core.resolve.resolution import resolve
from idsync_cli.core.tiers import COUNTED_TO, Tier
from tests.core.memory import Memory, MemoryLookup
from tests.core.shorthand import (
    altered,
    ask,
    became_known,
    changes,
    identifiers,
    matcher,
    notes,
    profile,
    refused,
    rules,
    set_form,
    tiers,
)

PLAIN = rules("email other ios_idfv", "best_match")
LOGINS = rules("customer_id:lui email:lu other ios_idfv")
D, O = {"ios_idfv": "d"}, {"other": "o"}  # noqa: E741 - as the identifiers are called
E = {"email": "e"}
[DEVICE] = [Identifier(IdentityType.IOS_IDFV, "d")]


def crowd(numbers: Iterable[int], /, **held: str) -> list[Profile]:
    """A profile for each number; `#` in a value stands for its number."""
    return [
        profile(number, {name: value.replace("#", str(number)) for name, value in held.items()})
        for number in numbers
    ]


def told(
    scope: ScopeRules, of: Sequence[Profile], kind: str = "identify", /, **asked: str
) -> list[Tier]:
    """The tiers of a request that name something of it."""
    match = matcher(kind, asked, scope, Memory(*of)).consult(explain=True)
    return [tier for tier in match.tiers if tier.value is not None]


def counts(tier: Tier) -> tuple[int | None, int | None, int | None, bool]:
    return tier.held_by, tier.eligible, tier.candidates, tier.stopped_counting


# ---- What is asked


class Reluctant(MemoryLookup):
    """A store that lists no crowd, but the holders of an identifier that is to move."""

    def known(self, identifier: Identifier, limit: int | None = None) -> Sequence[Profile]:
        assert self.rules.settings_of(identifier.type).login
        return super().known(identifier, limit)

    def anonymous(
        self,
        identifiers: Sequence[Identifier],
        limit: int | None = None,
        lacking: Identifier | None = None,
    ) -> Sequence[Profile]:
        unique = [self.rules.settings_of(each.type).unique for each in identifiers]
        to_be_moved = unique == [True]
        assert to_be_moved or (limit is not None and limit <= 2)
        assert lacking is None
        return super().anonymous(identifiers, limit)


@pytest.mark.parametrize("kind", ["identify", "login", "search"])
@pytest.mark.parametrize("asked", [D, D | O, D | E, D | O | E, D | {"email": "x"}])
@pytest.mark.parametrize("previous", [None, 150, 50, 250])
def test_no_request_lists_a_crowd_unless_an_account_of_it_is_asked_for(
    kind: str, asked: dict[str, str], previous: int | None
) -> None:
    of = [
        *crowd(range(1, 101), ios_idfv="d"),
        *crowd(range(101, 201), ios_idfv="d", other="o"),
        *crowd(range(201, 301), ios_idfv="d", email="e#"),
        profile(301, E | D),
    ]
    scope = rules("customer_id:lu email:lu other ios_idfv")
    request = IdentityRequest(RequestKind(kind), identifiers(**asked), previous)
    plain = resolve(request, scope, Reluctant(Memory(*of), scope), 1000, 7)
    assert plain == ask_in_full(request, scope, Memory(*of))


def ask_in_full(request: IdentityRequest, scope: ScopeRules, known: Memory) -> object:
    return altered(resolve(request, scope, known.under(scope), 1000, 7, explain=True), tiers=())


def test_a_known_profile_is_found_in_a_crowd_by_its_login_id() -> None:
    of = [*crowd(range(1, 200), ios_idfv="d", email="e#"), *crowd(range(200, 400), ios_idfv="d")]
    scope = rules("ios_idfv email:lu")
    decision = ask("identify", scope, Memory(*of), ios_idfv="d", email="e7")
    assert decision.profile == of[6]
    assert tiers(decision) == [
        "ios_idfv narrowed 399/201>201 login_protection=198",
        "email decided 1/1>1",
    ]


def test_of_an_anonymous_crowd_the_newest_or_the_one_that_is_named_is_the_answer() -> None:
    known = Memory(*crowd(range(1, 300), ios_idfv="d"), profile(300, E | D), profile(301, O))
    newest = ask("identify", LOGINS, known, ios_idfv="d")
    assert newest.profile == known.profiles[299]
    assert (newest.decided_by, notes(newest)) == (DecidedBy(Rule.NEWEST), ["tie"])
    named = ask("identify", LOGINS, known, 7, ios_idfv="d")
    assert named.profile == known.profiles[7]
    assert named.decided_by == DecidedBy(Rule.PREVIOUS_MPID)
    for previous in (300, 301, 999):
        assert ask("identify", LOGINS, known, previous, ios_idfv="d") == newest


def test_a_unique_identifier_is_taken_from_the_whole_crowd() -> None:
    scope = rules("email:lu ios_idfv:u")
    known = Memory(*crowd(range(1, 101), ios_idfv="d", push_token="t#"), profile(500, E))
    decision = ask("login", scope, known, email="e", ios_idfv="d")
    assert changes(decision) == [f"-{mpid} ios_idfv d" for mpid in range(1, 101)] + [
        "+500 ios_idfv d"
    ]
    assert decision.orphaned == tuple(range(1, 101))
    assert [update.profile.mpid for update in decision.updates] == [*range(1, 101), 500]
    assert became_known(decision) == (500,)


def test_one_in_the_crowd_that_is_protected_is_enough_to_keep_a_unique_identifier() -> None:
    scope = rules("email:lu ios_idfv:u")
    of = [*crowd(range(1, 101), ios_idfv="d"), profile(50, D | {"email": "x"}), profile(500, E)]
    decision = ask("login", scope, Memory(*of), email="e", ios_idfv="d")
    assert (changes(decision), notes(decision)) == ([], ["held_elsewhere ios_idfv"])


def test_a_modify_takes_a_unique_identifier_from_protected_and_anonymous_profiles() -> None:
    scope = rules("email:lu ios_idfv:u")
    of = [*crowd(range(1, 51), ios_idfv="d"), *crowd(range(51, 101), ios_idfv="d", email="e#")]
    decision = set_form(scope, Memory(*of, profile(-1, seq=900, email="e")), -1, ios_idfv="d")
    assert changes(decision) == [f"-{mpid} ios_idfv d" for mpid in range(1, 101)] + [
        "+-1 ios_idfv d"
    ]
    assert decision.orphaned == tuple(range(1, 51))


def test_an_immutable_identifier_stays_where_it_is_and_what_a_crowd_holds_is_refused() -> None:
    known = Memory(profile(1, {"customer_id": "a"}), profile(2, E), *crowd(range(3, 99), other="o"))
    with refused(ErrorCode.IMMUTABLE_IDENTITY, "another profile holds 'a'"):
        set_form(LOGINS, known, 2, customer_id="a")


# ---- Where counting stops

STOP = COUNTED_TO


def test_counts_stop_at_1000() -> None:
    assert COUNTED_TO == 1000


@pytest.mark.parametrize(
    ("size", "counted"),
    [
        (STOP - 1, (STOP - 1, STOP - 1, STOP - 1, False)),
        (STOP, (STOP, STOP, STOP, False)),
        (STOP + 1, (STOP, STOP, STOP, True)),
        (STOP + 200, (STOP, STOP, STOP, True)),
    ],
)
def test_an_anonymous_crowd_is_counted_to_1000_and_only_a_larger_one_says_so(
    size: int, counted: tuple[int, int, int, bool]
) -> None:
    [tier] = told(PLAIN, crowd(range(1, size + 1), ios_idfv="d"), **D)
    assert counts(tier) == counted
    assert (tier.outcome, tier.ineligible) == (TierOutcome.NARROWED, {})


@pytest.mark.parametrize(
    ("size", "counted", "stopped"), [(STOP, STOP, False), (STOP + 1, STOP, True)]
)
def test_a_protected_crowd_is_counted_to_1000_and_only_a_larger_one_says_so(
    size: int, counted: int, stopped: bool
) -> None:
    [tier] = told(LOGINS, crowd(range(1, size + 1), ios_idfv="d", email="e#"), **D)
    assert counts(tier) == (counted, 0, 0, stopped)
    assert tier.ineligible == {Reason.LOGIN_PROTECTION: counted}
    assert tier.outcome is TierOutcome.NO_CANDIDATES


@pytest.mark.parametrize(("half", "stopped"), [(STOP // 2, False), (STOP // 2 + 1, True)])
def test_known_and_anonymous_holders_are_counted_together(half: int, stopped: bool) -> None:
    of = [
        *crowd(range(1, half + 1), ios_idfv="d", email="e#"),
        *crowd(range(half + 1, 2 * half + 1), ios_idfv="d"),
    ]
    [tier] = told(LOGINS, of, **D)
    assert counts(tier) == (STOP, half, half, stopped)
    assert tier.ineligible == {Reason.LOGIN_PROTECTION: half}


def test_the_anonymous_of_a_crowd_are_counted_behind_any_number_of_protected_ones() -> None:
    of = [*crowd(range(1, 6), ios_idfv="d"), *crowd(range(6, 1500), ios_idfv="d", email="e#")]
    [tier] = told(LOGINS, of, **D)
    assert counts(tier) == (STOP, 5, 5, True)
    assert tier.ineligible == {Reason.LOGIN_PROTECTION: STOP}
    [tier] = told(LOGINS, of, "search", **D)
    assert counts(tier) == (STOP, 0, 0, True)
    assert tier.ineligible == {Reason.IMMUTABLE_SEARCH: STOP}


def test_known_candidates_are_counted_to_1000_too() -> None:
    of = crowd(range(1, STOP + 1), ios_idfv="d", email="e")
    scope = rules("email:l ios_idfv")
    assert [*map(counts, told(scope, of, **E))] == [(STOP, STOP, STOP, False)]
    more = [*of, profile(STOP + 1, E)]
    email, device = told(scope, more, **E, **D)
    assert counts(email) == (STOP, STOP, STOP, True)
    assert counts(device) == (STOP, STOP, STOP, False)
    assert (email.outcome, device.outcome) == (TierOutcome.NARROWED, TierOutcome.NARROWED)


@pytest.mark.parametrize(
    ("lower", "outcome", "counted"),
    [
        (range(1, 1201), TierOutcome.NO_EFFECT, (STOP, STOP, STOP, True)),
        (range(1, 1301), TierOutcome.NO_EFFECT, (STOP, STOP, STOP, True)),
        (range(2, 1301), TierOutcome.NARROWED, (STOP, STOP, STOP, True)),
        (range(1, 1200), TierOutcome.NARROWED, (STOP, STOP, STOP, True)),
        (range(201, 1400), TierOutcome.NARROWED, (STOP, STOP, STOP, True)),
        (range(200, 1400), TierOutcome.NARROWED, (STOP, STOP, STOP, True)),
        (range(1, 1001), TierOutcome.NARROWED, (STOP, STOP, STOP, False)),
        (range(201, 2301), TierOutcome.NARROWED, (STOP, STOP, STOP, True)),
        (range(202, 2301), TierOutcome.NARROWED, (STOP, STOP, 999, True)),
        (range(1199, 2301), TierOutcome.NARROWED, (STOP, STOP, 2, True)),
        (range(1200, 2301), TierOutcome.DECIDED, (STOP, STOP, 1, True)),
        (range(1201, 2301), TierOutcome.NO_EFFECT, (STOP, STOP, STOP, True)),
        (range(1201, 1204), TierOutcome.NO_EFFECT, (3, 3, STOP, True)),
        (range(1199, 1204), TierOutcome.NARROWED, (5, 5, 2, False)),
        ((), TierOutcome.NO_EFFECT, (0, 0, STOP, True)),
    ],
)
def test_of_two_crowds_the_lower_narrows_the_higher_unless_it_holds_all_or_none_of_it(
    lower: Iterable[int], outcome: TierOutcome, counted: tuple[int, int, int, bool]
) -> None:
    higher = range(1, 1201)
    of = [
        profile(number, {**(O if number in higher else {}), **(D if number in {*lower} else {})})
        for number in sorted({*higher, *lower})
    ]
    other, device = told(PLAIN, of, **O, **D)
    assert (other.outcome, counts(other)) == (TierOutcome.NARROWED, (STOP, STOP, STOP, True))
    assert (device.outcome, counts(device)) == (outcome, counted)


def test_a_third_tier_may_have_no_effect_on_what_the_second_left_of_a_crowd() -> None:
    of = [
        *crowd(range(1, 1101), email="e", other="o", ios_idfv="d"),
        *crowd(range(1101, 1151), email="e", other="o"),
        *crowd(range(1151, 2301), email="e", ios_idfv="d"),
    ]
    email, other, device = told(PLAIN, of, **E, **O, **D)
    assert [email.outcome, other.outcome] == [TierOutcome.NARROWED] * 2
    assert (device.outcome, counts(device)) == (TierOutcome.NARROWED, (STOP, STOP, STOP, True))
    without = [each for each in of if each.mpid not in range(1101, 1151)]
    email, other, device = told(PLAIN, without, **E, **O, **D)
    assert (device.outcome, counts(device)) == (TierOutcome.NO_EFFECT, (STOP, STOP, STOP, True))


def test_the_first_tier_that_finds_a_crowd_narrows_however_many_there_are_beside() -> None:
    other, device = told(PLAIN, crowd(range(1, 1101), ios_idfv="d"), **O, **D)
    assert (other.outcome, counts(other)) == (TierOutcome.NO_CANDIDATES, (0, 0, 0, False))
    assert (device.outcome, counts(device)) == (TierOutcome.NARROWED, (STOP, STOP, STOP, True))


def test_a_crowd_of_known_and_anonymous_is_narrowed_if_it_loses_one_of_either() -> None:
    """Known candidates are few: each is reached through its login ID."""
    scope = rules("ios_idfv email:l other")
    known = crowd((1, 2), ios_idfv="d", email="e")
    unnamed = crowd(range(3, 1203), ios_idfv="d")
    device, email, other = told(scope, [*known, *unnamed], **D, **E, **O)
    assert counts(device) == (STOP, STOP, STOP, True)
    assert (email.outcome, counts(email)) == (TierOutcome.NARROWED, (2, 2, 2, False))
    assert (other.outcome, counts(other)) == (TierOutcome.NO_EFFECT, (0, 0, 2, False))


def test_who_is_eligible_of_a_crowd_is_counted_even_where_it_is_older_than_1000_others() -> None:
    scope = rules("ios_idfv email:lu")
    of = [profile(1, E | D), *crowd(range(2, 1503), ios_idfv="d", email="x#")]
    [device, email] = told(scope, of, **D, **E)
    assert (device.outcome, counts(device)) == (TierOutcome.DECIDED, (STOP, 1, 1, True))
    assert email.outcome is TierOutcome.NOT_CONSULTED


FIXED = rules("customer_id:lui email:lu other ios_idfv")
"""Whoever holds a customer_id is protected by it, the others that are known by their email."""


def test_of_a_protected_crowd_everyone_is_counted_by_his_own_reason() -> None:
    of = [
        *crowd(range(1, 11), ios_idfv="d", customer_id="c#", email="e#"),
        *crowd(range(11, 31), ios_idfv="d", email="e#"),
        *crowd(range(31, 36), ios_idfv="d"),
    ]
    [device] = told(FIXED, of, **D)
    assert device.ineligible == {Reason.IMMUTABLE_PROTECTION: 10, Reason.LOGIN_PROTECTION: 20}
    assert counts(device) == (35, 5, 5, False)
    customer, email, device = told(FIXED, of, customer_id="x", email="e12", ios_idfv="d")
    assert (customer.outcome, counts(customer)) == (TierOutcome.NO_CANDIDATES, (0, 0, 0, False))
    assert (email.outcome, counts(email)) == (TierOutcome.DECIDED, (1, 1, 1, False))
    customer, email, device = told(FIXED, of, customer_id="x", email="e2", ios_idfv="d")
    assert email.ineligible == {Reason.IMMUTABLE_PROTECTION: 1}
    assert device.ineligible == {Reason.IMMUTABLE_PROTECTION: 10, Reason.LOGIN_PROTECTION: 20}
    assert counts(device) == (35, 5, 5, False)
    [device] = told(FIXED, of, "search", **D)
    assert device.ineligible == {Reason.IMMUTABLE_SEARCH: 35}


def test_those_that_a_login_id_leads_to_are_counted_beside_the_others_of_a_crowd() -> None:
    scope = rules("other email:l customer_id:lu ios_idfv")
    of = [
        *crowd(range(1, 4), other="o", email="e", customer_id="c#"),
        *crowd(range(4, 6), other="o", email="e"),
        *crowd(range(6, 13), other="o", email="x#"),
        profile(13, {"email": "e"}),
    ]
    other, email = told(scope, of, **O, **E)
    assert counts(other) == (12, 5, 5, False)
    assert other.ineligible == {Reason.LOGIN_PROTECTION: 7}
    assert (email.outcome, counts(email)) == (TierOutcome.NO_EFFECT, (6, 6, 5, False))
    other, email, customer = told(scope, of, **O, **E, customer_id="z")
    assert counts(other) == (12, 5, 5, False)
    assert counts(customer) == (0, 0, 5, False)
    scope = rules("customer_id:lu email:l other ios_idfv")
    customer, email, other = told(scope, of, **O, **E, customer_id="z")
    assert other.ineligible == {Reason.LOGIN_PROTECTION: 7, Reason.CONFLICTING_LOGIN: 3}
    assert counts(other) == (12, 2, 2, False)


def test_a_crowd_with_immutable_ids_of_more_than_1000_says_that_counting_stopped() -> None:
    of = [
        *crowd(range(1, 8), ios_idfv="d", email="e#"),
        profile(8, D | {"customer_id": "a"}),
        *crowd(range(9, 1300), ios_idfv="d", customer_id="c#"),
    ]
    [customer, device] = told(FIXED, of, customer_id="a", **D)
    assert customer.outcome is TierOutcome.DECIDED
    assert device.outcome is TierOutcome.NOT_CONSULTED
    scope = rules("ios_idfv customer_id:lu email:lu")
    device, customer = told(scope, of, customer_id="a", **D)
    assert (device.outcome, counts(device)) == (TierOutcome.DECIDED, (STOP, 1, 1, True))
    assert device.ineligible == {Reason.LOGIN_PROTECTION: STOP}
    device = told(FIXED, of, customer_id="unknown", **D)[1]
    assert (device.outcome, counts(device)) == (TierOutcome.NO_CANDIDATES, (STOP, 0, 0, True))
    assert device.ineligible == {Reason.IMMUTABLE_PROTECTION: STOP}


def test_a_profile_that_two_login_ids_lead_to_is_counted_once() -> None:
    scope = rules("email:lu customer_id:lu ios_idfv")
    of = [profile(1, E | D | {"customer_id": "a"}), profile(2, D)]
    email = told(scope, of, **E, **D, customer_id="a")[0]
    assert (email.outcome, counts(email)) == (TierOutcome.DECIDED, (1, 1, 1, False))
    by_device = rules("ios_idfv email:lu customer_id:lu")
    device = told(by_device, of, **E, **D, customer_id="a")[0]
    assert counts(device) == (2, 2, 2, False)
