"""The small values: profiles, requests, decisions and answers."""

import pickle

import pytest

from idsync_cli.core.codes import ErrorCode, Op, RequestKind, Rule, Status
from idsync_cli.core.decision import Answer, Change, DecidedBy, Decision, Refusal
from idsync_cli.core.identity import TYPE_BITS, Identifier, IdentityType
from idsync_cli.core.request import IdentityRequest, ModifyRequest
from idsync_cli.errors import Hint
from tests.core.shorthand import identifiers, profile

FOUND = DecidedBy(Rule.IDENTIFIER, 1, IdentityType.EMAIL)
EMAIL = Identifier(IdentityType.EMAIL, "e")


def test_the_values_of_a_type_stand_in_the_order_in_which_they_were_added() -> None:
    of = profile(1, email=["b", "a"], other="b")
    assert of.values_of(IdentityType.EMAIL) == ("b", "a")
    assert of.values_of(IdentityType.OTHER) == ("b",)
    assert of.values_of(IdentityType.YAHOO) == ()


def test_profiles_are_equal_if_all_of_them_is() -> None:
    of = profile(1, email="e")
    assert (of, hash(of)) == (profile(1, email="e"), hash(profile(1, email="e")))
    assert of not in (profile(1, email="f"), profile(2, seq=1, email="e"), 1)


def test_a_profile_holds_exactly_its_identifiers_and_a_bit_for_each_of_their_types() -> None:
    of = profile(1, email=["b", "a"], other="b")
    assert [each in of.identifiers for each in identifiers(email=["a", "A"], other=["b", "a"])] == [
        *(True, False),
        *(True, False),
    ]
    assert of.types == TYPE_BITS[IdentityType.EMAIL] | TYPE_BITS[IdentityType.OTHER]
    assert profile(1).types == 0


def test_an_identifier_is_another_one_if_its_type_or_any_character_differs() -> None:
    others = identifiers(email=["E", "e ", "e\u0301"], other="e")
    assert EMAIL not in others
    assert identifiers(email="e") == (EMAIL,)


def test_a_request_names_no_profile_and_no_change_unless_it_says_so() -> None:
    assert IdentityRequest(RequestKind.IDENTIFY, ()).previous_mpid is None
    assert ModifyRequest(1).known_identities is None
    assert ModifyRequest(1).identity_changes == ()


@pytest.mark.parametrize(
    ("decision", "changes"),
    [
        (Decision(Status.MATCHED, FOUND, profile(1)), False),
        (Decision(Status.MATCHED, FOUND, profile(1), identifiers=(EMAIL,)), False),
        (Decision(Status.MATCHED, FOUND, profile(1), changes=(Change(Op.ADD, 1, EMAIL),)), True),
        (Decision(Status.CREATED, FOUND, profile(1), created=True), True),
    ],
)
def test_a_decision_changes_the_store_if_it_makes_or_changes_a_profile(
    decision: Decision, changes: bool
) -> None:
    assert decision.changes_the_store is changes


@pytest.mark.parametrize(
    ("outcome", "status", "mpid"),
    [
        (Decision(Status.MATCHED, FOUND, profile(-3)), "matched", -3),
        (Decision(Status.CREATED, DecidedBy(Rule.LOGOUT), profile(5)), "created", 5),
        (Decision(Status.NOT_FOUND, DecidedBy(Rule.NO_MATCH)), "not_found", None),
        (Refusal(ErrorCode.NO_IDENTITIES, "none"), "error", None),
    ],
)
def test_an_answer_has_the_status_and_the_mpid_of_what_was_decided(
    outcome: Decision | Refusal, status: str, mpid: int | None
) -> None:
    answer = Answer(1, None, RequestKind.IDENTIFY, "s", outcome)
    assert (answer.status, answer.mpid) == (status, mpid)


def test_a_refusal_carries_its_code_and_says_what_is_wrong() -> None:
    refusal = Refusal(ErrorCode.UNKNOWN_LABEL, "no such label")
    assert (refusal.code, refusal.message) == (ErrorCode.UNKNOWN_LABEL, "no such label")
    assert str(refusal) == "no such label"


def test_a_refusal_comes_back_whole_from_another_process() -> None:
    refusal = Refusal(ErrorCode.OLD_VALUE_MISMATCH, "no such value", Hint.SHOW_PROFILE)
    again = pickle.loads(pickle.dumps(refusal))  # noqa: S301 - our own
    assert (again.code, again.message, again.hint) == (
        refusal.code,
        refusal.message,
        refusal.hint,
    )
