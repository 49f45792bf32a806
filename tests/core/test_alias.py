"""Section 9: who may be aliased to whom, and within which window."""

import pytest

from idsync_cli.core.codes import AliasFault, ErrorCode, Rule, Status
from idsync_cli.core.config.rules import ScopeRules
from idsync_cli.core.data.values import Alias, status_message
from idsync_cli.core.decide import decide
from idsync_cli.core.decision import Decision, Refusal
from idsync_cli.core.request import AliasRequest
from idsync_cli.core.resolve.alias import LONGEST_WINDOW_MS
from tests.core.memory import Memory
from tests.core.shorthand import NEW, profile, rules

SCOPE = rules("customer_id:lu email ios_idfv", "profile_link")
NOW = 1_800_000_000_000


def people() -> Memory:
    """Two who are known, 1 and 2, and two visitors, 3 and 4."""
    return Memory(
        profile(1, customer_id="a"),
        profile(2, customer_id="b"),
        profile(3, ios_idfv="d"),
        profile(4, ios_idfv="e"),
    )


def alias(
    source: int,
    destination: int,
    start_ms: int | None = None,
    end_ms: int | None = None,
    *,
    known: Memory | None = None,
    scope: ScopeRules = SCOPE,
) -> Decision:
    known = known or people()
    request = AliasRequest(source, destination, start_ms, end_ms, NOW)
    return decide(request, scope, known.under(scope), NEW, 7)


def fault(
    source: int,
    destination: int,
    start_ms: int | None = None,
    end_ms: int | None = None,
    *,
    known: Memory | None = None,
    scope: ScopeRules = SCOPE,
) -> AliasFault | None:
    """Why an alias is refused."""
    with pytest.raises(Refusal) as raised:
        alias(source, destination, start_ms, end_ms, known=known, scope=scope)
    assert raised.value.code is ErrorCode.INVALID_ALIAS
    return raised.value.fault


def test_an_alias_is_of_the_ninety_days_before_the_request() -> None:
    decision = alias(3, 1)
    assert decision.status is Status.ALIASED
    assert decision.decided_by.rule is Rule.MPID
    assert decision.profile is not None
    assert (decision.profile.mpid, decision.is_logged_in) == (1, True)
    assert decision.alias == Alias(NEW, 3, 1, NOW - LONGEST_WINDOW_MS, NOW)
    assert decision.changes_the_store
    assert (decision.changes, decision.updates, decision.orphaned) == ((), (), ())


def test_the_events_of_the_window_are_counted_with_both_its_ends() -> None:
    known = people()
    known.events += [(3, each) for each in (99, 100, 150, 200, 201)] + [(4, 150)]
    assert alias(3, 1, 100, 200, known=known).copied == 3
    assert alias(3, 1, end_ms=200, known=known).copied == 4


@pytest.mark.parametrize(("source", "destination"), [(3, 1), (3, 4), (1, 2)])
def test_a_visitor_is_aliased_to_anybody_and_known_users_to_known_ones(
    source: int, destination: int
) -> None:
    assert alias(source, destination).status is Status.ALIASED


def test_what_a_known_user_did_is_not_given_to_somebody_unknown() -> None:
    assert fault(1, 3) is AliasFault.KNOWN_SOURCE


def test_a_profile_is_not_aliased_to_itself_nor_one_that_is_not_there() -> None:
    assert fault(3, 3) is AliasFault.SAME_PROFILE
    assert fault(9, 1) is AliasFault.UNKNOWN_PROFILE
    assert fault(3, 9) is AliasFault.UNKNOWN_PROFILE


def test_a_strategy_without_aliasing_refuses_all() -> None:
    without = rules("customer_id:lu ios_idfv", "profile_link", aliasing=False)
    assert fault(3, 1, scope=without) is AliasFault.NO_ALIASING
    assert fault(9, 9, scope=without) is AliasFault.NO_ALIASING


def test_a_window_begins_before_it_ends_and_has_at_most_ninety_days() -> None:
    assert alias(3, 1, 100, 100).status is Status.ALIASED
    assert fault(3, 1, 101, 100) is AliasFault.INVALID_WINDOW
    assert fault(3, 1, NOW + 1) is AliasFault.INVALID_WINDOW
    assert alias(3, 1, 100, 100 + LONGEST_WINDOW_MS).status is Status.ALIASED
    assert fault(3, 1, 99, 100 + LONGEST_WINDOW_MS) is AliasFault.INVALID_WINDOW


def test_a_window_that_is_refused_is_told_in_both_spellings() -> None:
    with pytest.raises(Refusal) as ends_early:
        alias(3, 1, 1706745600000, 1704067200000)
    assert "ends at 1704067200000 (2024-01-01T00:00:00.000Z), " in ends_early.value.message
    with pytest.raises(Refusal) as too_long:
        alias(3, 1, 1580515200000, 1704067200000)
    assert "start at 1696291200000 (2023-10-03T00:00:00.000Z) or" in too_long.value.message


def test_a_source_is_one_again_in_a_window_that_shares_no_moment() -> None:
    known = people()
    known.aliases.append(Alias(5, 3, 1, 100, 200))
    for start, end in ((1, 100), (200, 300), (150, 160), (1, 300)):
        assert fault(3, 2, start, end, known=known) is AliasFault.ALIASED_BEFORE
    for start, end in ((1, 99), (201, 300)):
        assert alias(3, 2, start, end, known=known).status is Status.ALIASED


def test_aliases_make_no_chains() -> None:
    known = people()
    known.aliases.append(Alias(5, 3, 1, 100, 200))
    assert fault(1, 2, 300, 400, known=known) is AliasFault.ALIASED_BEFORE
    assert fault(4, 3, 300, 400, known=known) is AliasFault.ALIASED_BEFORE
    assert alias(4, 1, 300, 400, known=known).status is Status.ALIASED


def test_an_event_is_in_the_window_with_both_its_ends() -> None:
    window = Alias(5, 3, 1, 100, 200)
    assert [each for each in (99, 100, 200, 201) if window.covers(each)] == [100, 200]


def test_either_profile_names_the_other() -> None:
    made = Alias(5, 3, 1, 100, 200)
    assert status_message(made, 3) == "request 5: aliased to profile 1"
    assert status_message(made, 1) == "request 5: aliased from profile 3"
