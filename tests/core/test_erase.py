"""Erase: whose profile is meant, decided by no chance (section 9)."""

from typing import Any

import pytest

from idsync_cli.core.codes import ErrorCode, RequestKind, Rule, Status
from idsync_cli.core.config.rules import ScopeRules
from idsync_cli.core.decide import decide
from idsync_cli.core.decision import Decision
from idsync_cli.core.erasure import Erasure, ErasureCounts, ErasureReport
from idsync_cli.core.request import EraseRequest
from tests.core.memory import Memory
from tests.core.shorthand import altered, ask, identifiers, profile, refused, rules, tiers

SCOPE = rules("customer_id:lui email:lu other:u ios_idfv")
PLAIN = rules("customer_id:lu email ios_idfv")


def erase(scope: ScopeRules, known: Memory, mpid: int | None = None, /, **asked: Any) -> Decision:
    """Decide an erase; the account of the tiers changes nothing else."""
    request = EraseRequest(mpid, identifiers(**asked))
    found = decide(request, scope, known.under(scope), 9, 7)
    explained = decide(request, scope, known.under(scope), 9, 7, explain=True)
    assert (explained.status, explained.profile) == (found.status, found.profile)
    assert explained.decided_by == found.decided_by
    return found


def erased(decision: Decision) -> int | None:
    """Whom it erases."""
    if decision.status is not Status.ERASED:
        assert not decision.changes_the_store
        return None
    assert decision.changes_the_store
    assert (decision.changes, decision.updates, decision.orphaned) == ((), (), ())
    assert not decision.created
    assert decision.profile is not None
    return decision.profile.mpid


def test_an_mpid_is_erased_whatever_the_profile_holds() -> None:
    known = Memory(profile(1, customer_id="c"), profile(2), profile(3, ios_idfv="d"))
    for mpid in (1, 2, 3):
        decision = erase(SCOPE, known, mpid)
        assert erased(decision) == mpid
        assert decision.decided_by.rule is Rule.MPID


def test_an_mpid_that_no_profile_of_the_scope_has_is_refused() -> None:
    with refused(ErrorCode.MPID_NOT_FOUND, "99"):
        erase(SCOPE, Memory(profile(1, email="e")), 99)


def test_a_known_profile_is_found_by_one_of_its_login_ids_alone() -> None:
    known = Memory(profile(1, email="e", ios_idfv="d"))
    assert erased(erase(SCOPE, known, email="e")) == 1
    assert erased(erase(SCOPE, known, email="e", ios_idfv="x")) == 1
    assert erased(erase(SCOPE, known, ios_idfv="d")) is None
    assert erased(erase(SCOPE, known, email="x", ios_idfv="d")) is None


def test_the_rule_immutable_search_does_not_hold_but_its_protection_does() -> None:
    known = Memory(profile(1, email="e"), profile(2, customer_id="c", email="f"))
    assert ask("search", SCOPE, known, email="e").profile is None
    assert erased(erase(SCOPE, known, email="e")) == 1
    assert erased(erase(SCOPE, known, email="f")) is None
    assert erased(erase(SCOPE, known, customer_id="c")) == 2


def test_an_anonymous_profile_is_found_by_its_device() -> None:
    known = Memory(profile(1, ios_idfv="d"))
    assert erased(erase(SCOPE, known, ios_idfv="d")) == 1


def test_where_new_known_users_get_a_new_record_a_login_id_finds_no_anonymous_profile() -> None:
    scope = rules("email:lu ios_idfv", "profile_link")
    assert erased(erase(scope, Memory(profile(1, ios_idfv="d")), email="e", ios_idfv="d")) is None


def test_a_login_id_that_disagrees_leads_to_nobody() -> None:
    known = Memory(profile(1, customer_id="c", email="e"))
    assert erased(erase(PLAIN, known, customer_id="x", email="e")) is None


def test_where_several_are_left_nobody_is_erased() -> None:
    known = Memory(profile(1, ios_idfv="d"), profile(2, ios_idfv="d"), profile(3, ios_idfv="d"))
    with refused(ErrorCode.AMBIGUOUS, "several"):
        erase(SCOPE, known, ios_idfv="d")


def test_a_lower_tier_tells_several_apart() -> None:
    known = Memory(profile(1, email="e", ios_idfv="d"), profile(2, email="e"))
    with refused(ErrorCode.AMBIGUOUS):
        erase(PLAIN, known, email="e")
    decision = erase(PLAIN, known, email="e", ios_idfv="d")
    assert erased(decision) == 1
    by = decision.decided_by
    assert (by.rule, by.rank, by.identity_type) == (Rule.IDENTIFIER, 3, "ios_idfv")


def test_nobody_is_found_by_what_is_outside_the_priority() -> None:
    decision = erase(SCOPE, Memory(profile(1, push_token="p")), push_token="p")
    assert decision.status is Status.NOT_FOUND
    assert decision.decided_by.rule is Rule.NO_MATCH


def test_one_that_finds_nobody_says_who_is_near_and_what_each_tier_did() -> None:
    known = Memory(profile(1, email="e", ios_idfv="d")).under(SCOPE)
    request = EraseRequest(None, identifiers(ios_idfv="d"))
    decision = decide(request, SCOPE, known, 9, 7, explain=True)
    assert decision.status is Status.NOT_FOUND
    assert [(each.identifier.value, each.held_by) for each in decision.near] == [("d", 1)]
    assert tiers(decision)[-1] == "ios_idfv no_candidates 1/0>0 login_protection=1"
    assert decide(request, SCOPE, known, 9, 7, near=True).near == decision.near
    assert decide(request, SCOPE, known, 9, 7).near == ()


@pytest.mark.parametrize("strategy", ["best_match", "default", "profile_isolation"])
def test_no_strategy_refuses_an_erase(strategy: str) -> None:
    scope = rules("customer_id ios_idfv", strategy)
    assert erased(erase(scope, Memory(profile(1, ios_idfv="d")), ios_idfv="d")) == 1
    assert RequestKind.ERASE in RequestKind


def test_what_an_erasure_takes_away_is_said_by_a_store_and_changes_nothing_else() -> None:
    decision = erase(SCOPE, Memory(profile(1, email="e")), 1)
    report = ErasureReport(Erasure(1, 9, "s", 0), ErasureCounts(identifiers=1))
    assert decision.report is None
    assert decision.reported(report) == altered(decision, report=report)
