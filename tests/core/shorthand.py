"""Short ways to say rules, profiles, requests and decisions, so that a test fits in a table."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import pytest

from idsync_cli.core.codes import (
    ErrorCode,
    NoteCode,
    OnConflictingLogin,
    OnUniqueHeld,
    Op,
    RequestKind,
)
from idsync_cli.core.config.guard_rails import NO_GUARD_RAILS, GuardRails
from idsync_cli.core.config.rules import ScopeRules
from idsync_cli.core.config.strategy import PRESETS, Settings
from idsync_cli.core.decide import decide
from idsync_cli.core.decision import Decision, Refusal
from idsync_cli.core.identity import Identifier, IdentityType
from idsync_cli.core.profile import Profile, types_of
from idsync_cli.core.request import IdentityChange, IdentityRequest, ModifyRequest
from idsync_cli.core.resolve.matcher import Matcher
from idsync_cli.core.resolve.request_shape import shape_of
from idsync_cli.core.value import Value
from tests.core.memory import Memory

AnyValue = TypeVar("AnyValue", bound=Value)

NEW = 1_000_000
"""The number of every request, and so of the profile that it makes."""


def rules(
    types: str,
    strategy: str = "profile_conversion",
    *,
    join: bool = False,
    keep: bool = False,
    rails: GuardRails = NO_GUARD_RAILS,
    **changed: Any,
) -> ScopeRules:
    """Rules from a priority such as `customer_id:lui email:lu other:u ios_idfv`.

    The letters stand for login, unique and immutable; `changed` are members of the strategy.
    """
    settings = {}
    for word in types.split():
        name, _, letters = word.partition(":")
        settings[IdentityType(name)] = Settings("l" in letters, "u" in letters, "i" in letters)
    return ScopeRules(
        PRESETS[strategy].strategy._replace(**changed),
        tuple(settings),
        {kind: each for kind, each in settings.items() if each.names()},
        OnConflictingLogin.JOIN if join else OnConflictingLogin.SEPARATE,
        OnUniqueHeld.KEEP if keep else OnUniqueHeld.TAKE,
        guard_rails=rails,
    )


def identifiers(**identities: str | list[str]) -> tuple[Identifier, ...]:
    """Identifiers from `email="e"` or, several of one type, `email=["e", "f"]`."""
    return tuple(
        Identifier(IdentityType(name), value)
        for name, values in identities.items()
        for value in ([values] if isinstance(values, str) else values)
    )


def profile(
    mpid: int,
    holds: Mapping[str, str | list[str]] | None = None,
    /,
    *,
    seq: int | None = None,
    source: int | None = None,
    was_known: bool = False,
    **identities: str | list[str],
) -> Profile:
    """A profile; where nothing else is said, its MPID also tells when it was made.

    What it holds is named, or given as a mapping.
    """
    created_seq = mpid if seq is None else seq
    return Profile(mpid, created_seq, source, was_known, identifiers(**holds or {}, **identities))


def altered(value: AnyValue, /, **members: Any) -> AnyValue:
    """The value with other members, and else as it is."""
    kept = {name: getattr(value, name) for name in value.__match_args__}
    return type(value)(**kept | members)


def matcher(kind: str, asked: Mapping[str, str], scope: ScopeRules, known: Memory) -> Matcher:
    """A request set against what is known."""
    given = identifiers(**asked)
    return Matcher(shape_of(RequestKind(kind), types_of(given), scope), given, known.under(scope))


def ask(
    kind: str, scope: ScopeRules, known: Memory, previous: int | None = None, /, **identities: str
) -> Decision:
    """Decide an identify, login, logout or search by the seed 7 and the number NEW.

    The account of the tiers comes with it, and with that who is near and who keeps what: all else
    is the same without. The identifiers `sought` are those of the request alone.
    """
    request = IdentityRequest(RequestKind(kind), identifiers(**identities), previous)
    decision = decide(request, scope, known.under(scope), NEW, 7, explain=True, near=True)
    told = tuple(
        each._replace(mpid=None, reason=None) if each.reason else each for each in decision.notes
    )
    answer = altered(decision, tiers=(), notes=told)
    assert decide(request, scope, known.under(scope), NEW, 7, near=True) == answer
    known.sought.clear()
    plain = decide(request, scope, known.under(scope), NEW, 7)
    assert plain == altered(answer, near=())
    return decision


def set_form(scope: ScopeRules, known: Memory, mpid: int, /, **identities: str | None) -> Decision:
    """Decide a modify in its set form."""
    wanted = {IdentityType(name): value for name, value in identities.items()}
    return _modify(ModifyRequest(mpid, known_identities=wanted), scope, known)


def change_form(
    scope: ScopeRules, known: Memory, mpid: int, /, *entries: tuple[str, str | None, str | None]
) -> Decision:
    """Decide a modify by entries of type, old value and new value."""
    read = tuple(IdentityChange(IdentityType(name), old, new) for name, old, new in entries)
    return _modify(ModifyRequest(mpid, identity_changes=read), scope, known)


def _modify(request: ModifyRequest, scope: ScopeRules, known: Memory) -> Decision:
    decision = decide(request, scope, known.under(scope), NEW, 7, explain=True)
    assert decide(request, scope, known.under(scope), NEW, 7) == altered(decision, tiers=())
    return decision


def after(known: Memory, decision: Decision) -> Profile:
    """The answered profile as the request leaves it."""
    assert decision.profile is not None
    copy = Memory(*known.profiles.values())
    copy.apply(decision)
    return copy.profiles[decision.profile.mpid]


def became_known(decision: Decision) -> tuple[int, ...]:
    """Whom the request found or left holding a login ID for the first time, in the order told."""
    return tuple(
        update.profile.mpid
        for update in decision.updates
        if update.was_known and not update.profile.was_known
    )


def changes(decision: Decision) -> list[str]:
    """What changed, in order, as in `-2 email e` and `+1 email e`; a new profile is `new`."""
    created = decision.created and decision.profile and decision.profile.mpid
    return [
        f"{'+' if each.op is Op.ADD else '-'}"
        f"{'new' if each.mpid == created else each.mpid} {held([each.identifier])}".replace(
            ":", " ", 1
        )
        for each in decision.changes
    ]


def notes(decision: Decision) -> list[str]:
    """The notes, in order, as in `tie` and `held_elsewhere email`; see also `takings`."""
    return [
        each.code if each.identity_type is None else f"{each.code} {each.identity_type}"
        for each in decision.notes
    ]


def takings(decision: Decision) -> list[str]:
    """The notes on what moved, as in `push_token from 1`."""
    moved = [each for each in decision.notes if each.code is NoteCode.MOVED]
    return [f"{each.identity_type} from {each.mpid}" for each in moved]


def held(of: Profile | Sequence[Identifier] | None) -> str:
    """Identifiers as in `email:e email:f ios_idfv:d`."""
    assert of is not None
    found = of.identifiers if isinstance(of, Profile) else of
    return " ".join(f"{each.type}:{each.value}" for each in found)


def tiers(decision: Decision) -> list[str]:
    """The tiers as in `email narrowed 3/2>2 login_protection=1`: held by, eligible, left."""
    said = []
    for tier in decision.tiers:
        text = f"{tier.identity_type} {tier.outcome}"
        if tier.held_by is not None:
            text += f" {tier.held_by}/{tier.eligible}>{tier.candidates}"
        said.append(
            text + "".join(f" {reason}={count}" for reason, count in tier.ineligible.items())
        )
    return said


def refused(code: ErrorCode, *words: str) -> Any:
    """A refusal by a code, whose message names all of the words."""
    return pytest.raises(Refusal, check=lambda refusal: _is(refusal, code, words))


def _is(refusal: Refusal, code: ErrorCode, words: tuple[str, ...]) -> bool:
    assert refusal.code is code
    assert str(refusal) == refusal.message
    check_message(refusal.message, *words)
    return True


def check_message(message: str, *words: str) -> None:
    """A message names the words, and is in lower case: it stands behind others in one line."""
    assert [word for word in words if word not in message] == []
    assert set(re.findall("[A-Z]{2,}", message)) <= {"ID", "MPID", "NUL"}
    assert not message.endswith(".")
