"""What the rules of a scope say of a request by its kind and its types alone (section 4).

Most requests to a scope have one of a few forms, so that all this is asked once for each.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from idsync_cli.core.codes import ErrorCode, NoteCode, OnLogout, Reason, RequestKind, Rule
from idsync_cli.core.decision import DecidedBy, Note
from idsync_cli.core.identity import TYPE_BITS, Identifier, IdentityType
from idsync_cli.core.rules import Rules
from idsync_cli.core.strategy import Settings

_new = tuple.__new__  # makes a named tuple in a third of the time; used where every request does


class Place(NamedTuple):
    """One type of a request: its rank, None outside the priority, and its settings."""

    identity_type: IdentityType
    rank: int | None
    bit: int
    settings: Settings
    decided_by: DecidedBy


class Form(NamedTuple):
    """A kind of request with certain types, under certain rules.

    `places` are its types as step 1 leaves them, in the order of step 5. `refusal` says why every
    such request is refused, and `reason_of_the_anonymous` why none of them may be answered with an
    anonymous profile, if there is a reason.
    """

    kind: RequestKind
    rules: Rules
    places: tuple[Place, ...]
    login_types: tuple[IdentityType, ...]
    immutable_types: tuple[IdentityType, ...]
    set_aside: tuple[Note, ...]
    refusal: tuple[ErrorCode, str] | None
    has_lookup: bool
    makes_new_at_once: bool
    wants_immutable_id: bool
    reason_of_the_anonymous: Reason | None

    def identifiers(self, values: Mapping[IdentityType, str]) -> list[Identifier]:
        """The identifiers of a request of this form, in the order of step 5."""
        return [_new(Identifier, (place[0], values[place[0]])) for place in self.places]


def form_of(kind: RequestKind, types: Iterable[IdentityType], rules: Rules) -> Form:
    """The form of a request that carries these types."""
    carried = tuple(types)
    form = rules.forms.get((kind, carried))
    if not isinstance(form, Form):
        form = rules.forms[kind, carried] = _form(kind, carried, rules)
    return form


def _form(kind: RequestKind, types: Iterable[IdentityType], rules: Rules) -> Form:
    """Step 1: what the strategy does not allow; a logout's login IDs are set aside."""
    given = rules.in_order(types)
    login_types = [each for each in given if each in rules.login_types]
    left = given
    set_aside: tuple[Note, ...] = ()
    if kind is RequestKind.LOGOUT:
        left = [each for each in given if each not in login_types]
        set_aside = tuple(Note(NoteCode.SET_ASIDE_ON_LOGOUT, each) for each in login_types)
    has_lookup = any(map(rules.is_lookup, left))
    asked_logins = tuple(each for each in left if each in login_types)
    wants_immutable_id = kind is RequestKind.SEARCH and bool(rules.immutable_types)
    return Form(
        kind=kind,
        rules=rules,
        places=tuple(
            Place(
                each,
                rank := rules.rank_of(each),
                TYPE_BITS[each],
                rules.settings_of(each),
                DecidedBy(Rule.IDENTIFIER, rank, each),
            )
            for each in left
        ),
        login_types=asked_logins,
        immutable_types=tuple(each for each in left if each in rules.immutable_types),
        set_aside=set_aside,
        refusal=_refusal(kind, login_types, rules, has_lookup=has_lookup),
        has_lookup=has_lookup,
        makes_new_at_once=kind is RequestKind.LOGOUT
        and rules.strategy.on_logout is OnLogout.CREATE,
        wants_immutable_id=wants_immutable_id,
        reason_of_the_anonymous=_reason(
            rules, wants_immutable_id, carries_login_id=bool(asked_logins)
        ),
    )


def _refusal(
    kind: RequestKind, login_types: list[IdentityType], rules: Rules, *, has_lookup: bool
) -> tuple[ErrorCode, str] | None:
    strategy = rules.strategy
    if kind in (RequestKind.LOGIN, RequestKind.LOGOUT) and not strategy.logins:
        return (
            ErrorCode.UNSUPPORTED_BY_STRATEGY,
            f"the strategy {strategy.name} knows no {kind}; send an identify instead",
        )
    if kind is RequestKind.LOGIN and strategy.login_needs_login_id and not login_types:
        return (
            ErrorCode.LOGIN_ID_REQUIRED,
            (
                f"the strategy {strategy.name} wants a login ID in a login; "
                f"give one of: {', '.join(rules.login_types) or '(the scope has no login type)'}"
            ),
        )
    if has_lookup or kind is RequestKind.SEARCH:
        return None
    set_aside, usable = "", rules.priority
    if kind is RequestKind.LOGOUT:
        set_aside = ", for the login IDs of a logout are set aside" if login_types else ""
        usable = tuple(each for each in usable if each not in rules.login_types)
    return (
        ErrorCode.NO_LOOKUP_IDENTITY,
        (
            f"no identifier is left that is in the scope's priority{set_aside}; "
            f"give one of: {', '.join(usable) or '(the scope has none)'}"
        ),
    )


def _reason(rules: Rules, wants_immutable_id: bool, *, carries_login_id: bool) -> Reason | None:
    """Why no anonymous profile may be the answer: they hold no login ID, nor an immutable one."""
    if wants_immutable_id:
        return Reason.IMMUTABLE_SEARCH
    if carries_login_id and rules.new_known_users_get_a_new_record:
        return Reason.NEW_KNOWN_USER_ONLY
    return None
