"""Section 4, steps 2 and 3: who is eligible, and what each tier does to the candidates."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import pytest

from idsync_cli.core.codes import Reason, Rule, Status, TierOutcome
from idsync_cli.core.config.rules import ScopeRules
from idsync_cli.core.decision import DecidedBy, Decision
from idsync_cli.core.identity import Identifier, IdentityType
from idsync_cli.core.lookup import holders
from idsync_cli.core.profile import Profile
from idsync_cli.core.resolve.matcher import Match, Matcher
from tests.core.memory import Memory
from tests.core.shorthand import altered, matcher, profile, rules, tiers

FIXED = rules("customer_id:lui email:lu other ios_idfv")
LOGINS = rules("customer_id:lu email:lu other ios_idfv")
JOINING = rules("customer_id:lu email:lu other ios_idfv", join=True)
CREATING = rules("customer_id:lu email:lu other ios_idfv", "profile_link")
NO_LOGINS = rules("customer_id email other:u ios_idfv", "best_match")
LOW_LOGINS = rules("ios_idfv email:l customer_id:l")


@dataclass
class Case:
    """A request, a profile and the reason why it is not eligible for it, if any."""

    why: str
    rules: ScopeRules
    asked: dict[str, str]
    holds: Mapping[str, str | list[str]]
    reason: str | None
    kind: str = "identify"
    was_known: bool = False

    def found(self) -> Reason | None:
        of = profile(1, self.holds, was_known=self.was_known)
        asking = matcher(self.kind, self.asked, self.rules, Memory(of))
        return asking.ineligibility(of)


A, B = {"customer_id": "a"}, {"customer_id": "b"}
E, F = {"email": "e"}, {"email": "f"}
AB: dict[str, str | list[str]] = {"customer_id": ["a", "b"]}
EF: dict[str, str | list[str]] = {"email": ["e", "f"]}
O, D = {"other": "o"}, {"ios_idfv": "d"}  # noqa: E741 - as the identifiers are called
SEARCHED, FIXED_ID, PROTECTED, CONFLICT, NEW_ONLY = Reason

CASES = [
    # immutable_search
    Case("a search must name an immutable ID", FIXED, E, E, SEARCHED, "search"),
    Case("even of an anonymous profile", FIXED, D, D, SEARCHED, "search"),
    Case("and of a protected one that holds another", FIXED, B | E, A | E, SEARCHED, "search"),
    Case("a search that names it finds the profile", FIXED, A, A | E, None, "search"),
    Case("without immutable types a search is free", LOGINS, E, E, None, "search"),
    Case("an identify need not name what is not held", FIXED, E, E, None),
    Case("a login need not either", FIXED, E, E, None, "login"),
    Case("a logout need not either", FIXED, D, D, None, "logout"),
    # immutable_protection
    Case("who holds an immutable ID wants it named", FIXED, E, A | E, FIXED_ID),
    Case("another value of it is not it", FIXED, B | E, A | E, FIXED_ID),
    Case("it is enough to name it", FIXED, A | {"email": "f"}, A | E, None),
    Case("a value of another type is not it", FIXED, {"other": "a"} | E, A | E, FIXED_ID),
    Case("one of several is enough", FIXED, A, {"customer_id": ["b", "a"]}, None),
    # login_protection
    Case("who is known wants a login ID named", LOGINS, D, E | D, PROTECTED),
    Case("another value of it is not it", LOGINS, F | D, E | D, PROTECTED),
    Case("one of its login IDs is enough", LOGINS, E, A | E, None),
    Case("one of several values is enough", LOGINS, F, EF | D, None),
    Case("what else it holds is no login ID", LOGINS, O, O | E, PROTECTED),
    Case("who was known is closed without one", LOGINS, D, D, PROTECTED, was_known=True),
    Case("and to login IDs of others", LOGINS, E | D, D, PROTECTED, was_known=True),
    Case("even where there are no logins any more", NO_LOGINS, E, E, PROTECTED, was_known=True),
    Case("who is anonymous is open", LOGINS, D, D, None),
    Case("also to a login ID", LOGINS, E | D, D, None),
    Case("without logins nobody is known", NO_LOGINS, D, A | E | D, None),
    # conflicting_login
    Case("the higher login ID counts", LOGINS, B | E, A | E, CONFLICT),
    Case("the lower does not", LOGINS, A | F, A | E, None),
    Case("a type that the profile lacks does not count", LOGINS, B | E, E, None),
    Case("a type that the request lacks does not count", LOGINS, E, A | E, None),
    Case("one of several values agrees", LOGINS, B | E, AB | E, None),
    Case("rank counts, not the order of section 2", LOW_LOGINS, A | F, A | E, CONFLICT),
    Case("and so the lower one does not", LOW_LOGINS, B | E, A | E, None),
    Case("where the scope joins, nothing conflicts", JOINING, B | E, A | E, None),
    Case("but what is protected stays so", JOINING, B | F, A | E, PROTECTED),
    # new_known_user_only
    Case("a login ID never leads to an anonymous profile", CREATING, E | D, D, NEW_ONLY),
    Case("in a search neither", CREATING, E | D, D, NEW_ONLY, "search"),
    Case("in a login neither", CREATING, A | D, D, NEW_ONLY, "login"),
    Case("without a login ID it is open", CREATING, D | O, D, None),
    Case("who is known is not anonymous", CREATING, E | D, E, None),
    Case("who was known is protected first", CREATING, E | D, D, PROTECTED, was_known=True),
]


@pytest.mark.parametrize("case", CASES, ids=[f"{i}-{case.why}" for i, case in enumerate(CASES)])
def test_the_first_reason_of_step_2_that_holds_is_the_reason(case: Case) -> None:
    assert case.found() == case.reason


@pytest.mark.parametrize(
    ("scope", "asked", "holds", "conflict"),
    [
        (LOGINS, B | E, A | E, "customer_id"),
        (LOGINS, A | F, A | E, None),
        (LOGINS, F, A | E, "email"),
        (LOGINS, D, A | E, None),
        (LOGINS, B | F, D, None),
        (LOGINS, B, {"customer_id": ["a", "b"]}, None),
        (LOGINS, {"other": "p"}, {"other": "o"}, None),
    ],
)
def test_the_highest_login_type_that_both_carry_is_the_one_that_may_disagree(
    scope: ScopeRules,
    asked: dict[str, str],
    holds: Mapping[str, str | list[str]],
    conflict: str | None,
) -> None:
    asking = matcher("identify", asked, scope, Memory(profile(1, holds)))
    assert asking.conflicting_login(profile(1, holds)) == conflict


@pytest.mark.parametrize(
    ("asked", "carries"), [(E | D, True), (D | B, True), (D, False), ({"other": "e"}, False)]
)
def test_a_request_carries_a_login_id_if_one_of_its_types_is_a_login_type(
    asked: dict[str, str], carries: bool
) -> None:
    asking = matcher("identify", asked, LOGINS, Memory())
    assert bool(asking.shape.login_types) is carries


@dataclass
class Walk:
    """A request over a priority, the profiles there, and what each tier does.

    A tier is told as `type outcome held/eligible>left reason=count`.
    """

    why: str
    asked: str
    profiles: tuple[Profile, ...]
    tiers: list[str]
    candidates: list[int]
    rules: ScopeRules = field(default_factory=lambda: rules("email other ios_idfv", "best_match"))
    kind: str = "identify"

    def matcher(self) -> Matcher:
        asked = {each.type.value: each.value for each in map(identifier, self.asked.split())}
        return matcher(self.kind, asked, self.rules, Memory(*self.profiles))


def people(*holdings: str) -> tuple[Profile, ...]:
    """Profiles 1, 2, … that hold what is listed."""
    return tuple(
        Profile(mpid, mpid, None, False, tuple(map(identifier, holding.split())))
        for mpid, holding in enumerate(holdings, start=1)
    )


def identifier(word: str) -> Identifier:
    name, value = word.split(":")
    return Identifier(IdentityType(name), value)


WALKS = [
    Walk(
        "exactly one decides, and tiers below are not consulted",
        "email:e other:o",
        people("email:e", "other:o"),
        ["email decided 1/1>1", "other not_consulted", "ios_idfv not_in_request"],
        [1],
    ),
    Walk(
        "a tier that finds nobody leaves it to the next",
        "email:e ios_idfv:d",
        people("ios_idfv:d"),
        ["email no_candidates 0/0>0", "other not_in_request", "ios_idfv decided 1/1>1"],
        [1],
    ),
    Walk(
        "nobody anywhere",
        "email:e ios_idfv:d",
        people("email:x", "other:d"),
        ["email no_candidates 0/0>0", "other not_in_request", "ios_idfv no_candidates 0/0>0"],
        [],
    ),
    Walk(
        "several become the candidates, and a lower tier narrows them",
        "email:e other:o ios_idfv:d",
        people("email:e other:o", "email:e other:o", "email:e"),
        ["email narrowed 3/3>3", "other narrowed 2/2>2", "ios_idfv no_effect 0/0>2"],
        [1, 2],
    ),
    Walk(
        "one that is left decides",
        "email:e other:o ios_idfv:d",
        people("email:e", "email:e ios_idfv:d", "email:e other:x"),
        ["email narrowed 3/3>3", "other no_effect 0/0>3", "ios_idfv decided 1/1>1"],
        [2],
    ),
    Walk(
        "a tier that finds all candidates again has no effect",
        "email:e other:o ios_idfv:d",
        people("email:e other:o", "email:e other:o"),
        ["email narrowed 2/2>2", "other no_effect 2/2>2", "ios_idfv no_effect 0/0>2"],
        [1, 2],
    ),
    Walk(
        "a tier that finds other profiles only has no effect",
        "email:e other:o",
        people("email:e", "email:e", "other:o"),
        ["email narrowed 2/2>2", "other no_effect 1/1>2", "ios_idfv not_in_request"],
        [1, 2],
    ),
    Walk(
        "a tier brings no new candidates in",
        "email:e other:o",
        people("email:e other:o", "email:e other:o", "email:e", "other:o", "other:o"),
        ["email narrowed 3/3>3", "other narrowed 4/4>2", "ios_idfv not_in_request"],
        [1, 2],
    ),
    Walk(
        "who is not eligible is counted, and is no candidate",
        "email:f other:o ios_idfv:d",
        people("other:o email:x", "other:o ios_idfv:d", "other:o", "ios_idfv:d email:y"),
        [
            "email no_candidates 0/0>0",
            "other narrowed 3/2>2 login_protection=1",
            "ios_idfv decided 2/1>1 login_protection=1",
        ],
        [2],
        rules("email:lu other ios_idfv"),
    ),
    Walk(
        "if none that holds it is eligible there are no candidates",
        "ios_idfv:d",
        people("ios_idfv:d email:x", "ios_idfv:d email:y"),
        [
            "email not_in_request",
            "other not_in_request",
            "ios_idfv no_candidates 2/0>0 login_protection=2",
        ],
        [],
        rules("email:lu other ios_idfv"),
    ),
    Walk(
        "an only eligible one decides among many that are not",
        "ios_idfv:d",
        people("ios_idfv:d email:x", "ios_idfv:d", "ios_idfv:d email:y"),
        [
            "email not_in_request",
            "other not_in_request",
            "ios_idfv decided 3/1>1 login_protection=2",
        ],
        [2],
        rules("email:lu other ios_idfv"),
    ),
    Walk(
        "known candidates that a lower tier finds again stay, and one that it does not find goes",
        "email:e other:o ios_idfv:d",
        people(
            "email:e other:o ios_idfv:d",
            "email:e other:o ios_idfv:d",
            "email:e other:o",
            "other:o ios_idfv:d",
        ),
        ["email narrowed 3/3>3", "other no_effect 4/4>3", "ios_idfv narrowed 3/3>2"],
        [1, 2],
        rules("email:l other ios_idfv"),
    ),
    Walk(
        "reasons are counted in the order of step 2",
        "customer_id:b email:e ios_idfv:d",
        people(
            "ios_idfv:d",
            "customer_id:c ios_idfv:d",
            "customer_id:a email:e ios_idfv:d",
            "other:o ios_idfv:d",
            "ios_idfv:d push_token:t",
            "other:p ios_idfv:d",
        ),
        [
            "other not_in_request",
            "customer_id no_candidates 0/0>0",
            "email no_candidates 1/0>0 conflicting_login=1",
            (
                "ios_idfv no_candidates 6/0>0 immutable_protection=2 login_protection=1 "
                "conflicting_login=1 new_known_user_only=2"
            ),
        ],
        [],
        rules("other:lui customer_id:lu email:lu ios_idfv", "profile_link"),
    ),
]


@pytest.mark.parametrize("walk", WALKS, ids=[walk.why for walk in WALKS])
def test_the_tiers_are_asked_in_order_until_one_candidate_is_left(walk: Walk) -> None:
    match = walk.matcher().consult(explain=True)
    assert tiers_of(match) == walk.tiers
    assert candidates(walk.matcher(), match, walk.profiles) == walk.candidates
    assert not any(tier.stopped_counting for tier in match.tiers)
    assert walk.matcher().consult() == altered(match, tiers=())


@pytest.mark.parametrize("walk", WALKS, ids=[walk.why for walk in WALKS])
def test_the_tier_that_left_exactly_one_decided_and_of_several_the_newest_is_known(
    walk: Walk,
) -> None:
    match = walk.matcher().consult(explain=True)
    deciding = [tier for tier in match.tiers if tier.outcome is TierOutcome.DECIDED]
    assert [match.decided_by] * bool(match.decided_by) == [
        DecidedBy(Rule.IDENTIFIER, each.rank, each.identity_type) for each in deciding
    ]
    assert bool(match.decided_by) is (len(walk.candidates) == 1)
    newest = match.newest and match.newest.mpid
    assert newest == (walk.candidates[-1] if walk.candidates else None)


def tiers_of(match: Match) -> list[str]:
    return tiers(Decision(Status.MATCHED, DecidedBy(Rule.NO_MATCH), tiers=match.tiers))


def candidates(asking: Matcher, match: Match, profiles: Iterable[Profile]) -> list[int]:
    """Who is a candidate, oldest first."""
    oldest_first = sorted(profiles, key=lambda each: each.created_seq)
    return [each.mpid for each in oldest_first if asking.is_candidate(match, each)]


def test_the_newest_candidate_is_so_by_its_number_not_by_its_mpid() -> None:
    of = [profile(mpid, seq=seq, email="e") for mpid, seq in ((5, 2), (-9, 3), (7, 1))]
    for scope in (rules("email"), rules("email:l")):
        asking = matcher("identify", E, scope, Memory(*of))
        match = asking.consult()
        assert match.newest == of[1]
        assert candidates(asking, match, of) == [7, 5, -9]


@pytest.mark.parametrize("seqs", [(1, 2, 3), (1, 3, 2), (3, 2, 1), (2, 1, 3)])
def test_known_and_anonymous_profiles_are_candidates_side_by_side(
    seqs: tuple[int, int, int],
) -> None:
    """The newest is the newest of those that the last tier left."""
    one, two, three = seqs
    of = [profile(1, E | D, seq=one), profile(2, E | D, seq=two), profile(3, D, seq=three)]
    asking = matcher("identify", D | E, rules("ios_idfv email:l"), Memory(*of))
    match = asking.consult(explain=True)
    assert tiers_of(match) == ["ios_idfv narrowed 3/3>3", "email narrowed 2/2>2"]
    assert match.newest == of[0 if one > two else 1]
    assert {*candidates(asking, match, of)} == {1, 2}


def test_a_candidate_is_who_the_tiers_left_and_nobody_who_would_be_eligible_beside() -> None:
    left = (profile(1, O | D), profile(2, O | D))
    out = (
        profile(3, D),  # holds too little
        profile(4, O),
        profile(5, O | D | E),  # is known
        profile(6, O | D, was_known=True),
        profile(7, {"other": "p", "ios_idfv": "d"}),
    )
    asking = matcher("identify", O | D, LOGINS, Memory(*left, *out))
    match = asking.consult()
    assert candidates(asking, match, left + out) == [1, 2]


def test_a_profile_that_is_known_is_a_candidate_by_its_login_id_alone() -> None:
    left = (profile(1, E | D), profile(2, E | D, was_known=True))
    out = (profile(3, D), profile(4, F | D), profile(5, D, was_known=True))
    scope = rules("email:l ios_idfv")
    asking = matcher("identify", E | D, scope, Memory(*left, *out))
    match = asking.consult()
    assert candidates(asking, match, left + out) == [1, 2]


def test_without_candidates_nobody_is_one() -> None:
    of = (profile(1, F | D), profile(2, O))
    for scope in (LOGINS, NO_LOGINS):
        asking = matcher("identify", E, scope, Memory(*of))
        assert asking.consult().newest is None
        assert asking.consult().decided_by is None
        assert candidates(asking, Match(), of) == []
        assert candidates(asking, asking.consult(), of) == []


def test_each_tier_tells_its_rank_type_value_and_settings() -> None:
    asking = matcher("identify", A | D, FIXED, Memory(profile(1, A)))
    told = [
        (tier.rank, tier.identity_type.value, tier.value, " ".join(tier.settings.names()))
        for tier in asking.consult(explain=True).tiers
    ]
    assert told == [
        (1, "customer_id", "a", "login unique immutable"),
        (2, "email", None, "login unique"),
        (3, "other", None, ""),
        (4, "ios_idfv", "d", ""),
    ]


def test_of_each_profile_that_a_tier_finds_it_can_be_asked_why_it_is_not_eligible() -> None:
    of = (profile(1, E | D), profile(2, D), profile(3, D), profile(4, F | D))
    named = matcher("identify", E | D, LOGINS, Memory(*of))
    assert [*map(named.ineligibility, of)] == [None, None, None, PROTECTED]
    unnamed = matcher("identify", D, LOGINS, Memory(*of))
    assert [*map(unnamed.ineligibility, of)] == [PROTECTED, None, None, PROTECTED]


@pytest.mark.parametrize(
    ("scope", "asked", "kind", "reason"),
    [
        (LOGINS, E | D, "identify", None),
        (FIXED, D, "search", SEARCHED),
        (CREATING, E | D, "identify", NEW_ONLY),
        (CREATING, D, "identify", None),
        (NO_LOGINS, E, "search", None),
    ],
)
def test_all_who_are_anonymous_are_judged_alike(
    scope: ScopeRules, asked: dict[str, str], kind: str, reason: Reason | None
) -> None:
    asking = matcher(kind, asked, scope, Memory())
    assert asking.shape.reason_of_the_anonymous is reason
    for held in (D, O, D | O, {"push_token": "t"}, {}):
        assert asking.ineligibility(profile(1, held)) is reason


def test_where_no_tier_is_consulted_each_one_says_so() -> None:
    asking = matcher("logout", D, FIXED, Memory(profile(1, D)))
    match = asking.consult_none(explain=True)
    assert asking.consult_none() == Match() == altered(match, tiers=())
    assert (match.newest, match.decided_by, match.known, match.anonymous_with) == (
        None,
        None,
        (),
        None,
    )
    assert [(tier.rank, tier.outcome, tier.value) for tier in match.tiers] == [
        (1, TierOutcome.NOT_IN_REQUEST, None),
        (2, TierOutcome.NOT_IN_REQUEST, None),
        (3, TierOutcome.NOT_IN_REQUEST, None),
        (4, TierOutcome.NOT_CONSULTED, "d"),
    ]
    assert {(tier.held_by, tier.eligible, tier.candidates) for tier in match.tiers} == {(None,) * 3}
    assert not any(tier.stopped_counting for tier in match.tiers)
    assert match.tiers[0].settings == FIXED.settings_of(IdentityType.CUSTOMER_ID)


def test_the_tier_that_decided_is_named_by_its_rank_and_type() -> None:
    of = Memory(profile(1, email="e", ios_idfv="d"), profile(2, email="e"))
    one = matcher("identify", E | D, rules("email ios_idfv"), of).consult()
    assert one.decided_by == DecidedBy(Rule.IDENTIFIER, 2, IdentityType.IOS_IDFV)
    two = matcher("identify", E, rules("email ios_idfv"), of).consult()
    assert two.decided_by is None


@pytest.mark.parametrize("explain", [False, True])
def test_what_is_below_the_decision_is_never_looked_up(explain: bool) -> None:
    known = Memory(profile(1, email="e"))
    matcher("identify", E | O | D, LOGINS, known).consult(explain=explain)
    assert {*known.sought} == {Identifier(IdentityType.EMAIL, "e")}


def test_only_the_profiles_of_the_very_identifier_are_its_holders_known_or_not() -> None:
    known = Memory(*people("email:e", "email:E", "other:e", "email:x email:e"))
    email = Identifier(IdentityType.EMAIL, "e")
    for scope in (LOGINS, NO_LOGINS, rules("other:l email")):
        assert sorted(each.mpid for each in holders(known.under(scope), email)) == [1, 4]
