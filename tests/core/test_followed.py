"""Section 12, why not: how far one profile comes on its way through the tiers."""

import pytest

from idsync_cli.core.codes import Reason, RequestKind, Rule
from idsync_cli.core.config.guard_rails import GuardRails
from idsync_cli.core.decision import DecidedBy
from idsync_cli.core.identity import IdentityType
from idsync_cli.core.request import IdentityRequest
from idsync_cli.core.resolve.followed import Followed, follow
from tests.core.memory import Memory
from tests.core.shorthand import identifiers, profile, rules

SHOP = rules("customer_id:lu email ios_idfv")
FIXED = rules("customer_id:lui email ios_idfv")
GUARDED = rules(
    "email ios_idfv",
    "best_match",
    rails=GuardRails({IdentityType.EMAIL: ()}, {IdentityType.IOS_IDFV: ("0*",)}),
)
KNOWN, OTHER = profile(1, customer_id="a", email="e"), profile(2, customer_id="b", email="e")
OLD, NEW = profile(3, ios_idfv="d", email="f"), profile(4, ios_idfv="d")
WORLD = Memory(KNOWN, OTHER, OLD, NEW)


def tier(rank: int, name: str) -> DecidedBy:
    return DecidedBy(Rule.IDENTIFIER, rank, IdentityType(name))


def types(names: str) -> tuple[IdentityType, ...]:
    return tuple(map(IdentityType, names.split()))


PROTECTED = Reason.LOGIN_PROTECTION


@pytest.mark.parametrize(
    ("asked", "mpid", "kind", "expected"),
    [
        # the tier decides for another
        (
            {"customer_id": "b", "email": "e"}, 1, "login",
            Followed(types("email"), PROTECTED, tier(1, "customer_id"), False),
        ),
        # a tier decides for it, and none below is asked
        (
            {"customer_id": "a", "email": "e"}, 1, "login",
            Followed(types("customer_id email"), None, None, True),
        ),
        # several are left, and it is one of them
        ({"ios_idfv": "d"}, 3, "identify", Followed(types("ios_idfv"), None, None, True)),
        # it is lost where a tier narrows
        (
            {"email": "f", "ios_idfv": "d"}, 4, "identify",
            Followed(types("ios_idfv"), None, tier(2, "email"), False),
        ),
        # nobody is a candidate, and it is lost nowhere
        ({"email": "e"}, 1, "identify", Followed(types("email"), PROTECTED, None, False)),
        # what stands outside the priority finds nobody
        (
            {"ios_idfv": "d", "other": "o"}, 4, "identify",
            Followed(types("ios_idfv"), None, None, True),
        ),
        # no tier is consulted, or the request is refused
        ({"ios_idfv": "d"}, 4, "logout", Followed(types("ios_idfv"), None, None, False)),
        ({"other": "o"}, 4, "identify", Followed((), None, None, False)),
    ],
)  # fmt: skip
def test_how_far_it_comes(asked: dict[str, str], mpid: int, kind: str, expected: Followed) -> None:
    request = IdentityRequest(RequestKind(kind), identifiers(**asked))
    followed = follow(request, SHOP, WORLD.under(SHOP), WORLD.profiles[mpid])
    assert followed == expected


def test_what_is_blocked_finds_nobody() -> None:
    zeros = profile(5, email="e", ios_idfv="00")
    world = Memory(zeros)
    request = IdentityRequest(RequestKind.IDENTIFY, identifiers(email="e", ios_idfv="00"))
    followed = follow(request, GUARDED, world.under(GUARDED), zeros)
    assert followed == Followed(types("email"), None, None, True)


def test_a_search_without_its_immutable_id() -> None:
    request = IdentityRequest(RequestKind.SEARCH, identifiers(email="e"))
    followed = follow(request, FIXED, WORLD.under(FIXED), KNOWN)
    assert followed == Followed(types("email"), Reason.IMMUTABLE_SEARCH, None, False)
