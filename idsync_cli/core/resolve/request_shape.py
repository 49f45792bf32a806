"""What the rules of a scope say of a request by its kind and its types alone (section 4).

Most requests to a scope have one of a few forms, so that all this is asked once for each.
"""

from collections.abc import Sequence
from typing import Final

from idsync_cli.core.codes import ErrorCode, NoteCode, OnLogout, Reason, RequestKind, Rule
from idsync_cli.core.config.rules import ScopeRules
from idsync_cli.core.decision import DecidedBy, Note
from idsync_cli.core.identity import TYPE_BITS, Identifier, IdentityType

_MANY: Final = 1000


class RequestedType:
    """One type of a request: its rank, None outside the priority, its bit and its settings.

    `decided_by` is what decides if the tier of the type does. `limit` says how many values of it a
    profile may hold, and `moves` that it is taken from whoever holds it (section 11).
    """

    __slots__ = (
        "bit", "decided_by", "identity_type", "is_immutable", "is_login", "is_unique", "limit",
        "moves", "rank", "settings",
    )  # fmt: skip

    def __init__(self, identity_type: IdentityType, rules: ScopeRules) -> None:
        self.identity_type = identity_type
        self.rank = rules.rank_of(identity_type)
        self.bit = TYPE_BITS[identity_type]
        self.settings = rules.settings_of(identity_type)
        self.is_login = self.settings.login
        self.is_unique = self.settings.unique
        self.is_immutable = self.settings.immutable
        self.decided_by = DecidedBy(Rule.IDENTIFIER, self.rank, identity_type)
        self.limit = rules.guard_rails.limit_of(identity_type)
        self.moves = rules.guard_rails.moves(identity_type)


class RequestShape:
    """A kind of request with certain types, under certain rules.

    `requested_types` are its types as step 1 leaves them, in the order of step 5. `refusal` says
    why every such request is refused, and `reason_of_the_anonymous` why none of them may be
    answered with an anonymous profile, if there is a reason. What else is asked of the rules for
    every request stands here, too.
    """

    __slots__ = (
        "has_lookup",
        "immutable_bits",
        "immutable_types",
        "is_search",
        "kind",
        "login_bits",
        "login_types",
        "lookup_bits",
        "makes_new_at_once",
        "new_known_users_get_a_new_record",
        "reason_of_the_anonymous",
        "refusal",
        "requested_types",
        "rules",
        "separates_conflicting_logins",
        "set_aside",
        "takes_unique_ids",
        "wants_immutable_id",
    )  # fmt: skip

    def __init__(self, kind: RequestKind, types: int, rules: ScopeRules) -> None:
        """Step 1: what the strategy does not allow; a logout's login IDs are set aside."""
        given = rules.in_order([each for each, bit in TYPE_BITS.items() if types & bit])
        login_types = [each for each in given if each in rules.login_types]
        left = given
        set_aside: list[Note] = []
        if kind is RequestKind.LOGOUT:
            left = [each for each in given if each not in login_types]
            set_aside = [Note(NoteCode.SET_ASIDE_ON_LOGOUT, each) for each in login_types]
        asked_logins = [each for each in left if each in login_types]
        self.kind = kind
        self.rules = rules
        self.is_search = kind is RequestKind.SEARCH
        self.requested_types = tuple([RequestedType(each, rules) for each in left])
        self.login_types = tuple(asked_logins)
        self.immutable_types = tuple([each for each in left if each in rules.immutable_types])
        self.set_aside = tuple(set_aside)
        self.has_lookup = any(rules.is_lookup(each) for each in left)
        self.refusal = _refusal(kind, login_types, rules, has_lookup=self.has_lookup)
        self.makes_new_at_once = (
            kind is RequestKind.LOGOUT and rules.strategy.on_logout is OnLogout.CREATE
        )
        self.wants_immutable_id = self.is_search and bool(rules.immutable_types)
        self.reason_of_the_anonymous = _reason(
            rules, self.wants_immutable_id, carries_login_id=bool(asked_logins)
        )
        self.login_bits = rules.login_bits
        self.immutable_bits = rules.immutable_bits
        self.lookup_bits = rules.lookup_bits
        self.separates_conflicting_logins = rules.separates_conflicting_logins
        self.takes_unique_ids = rules.takes_unique_ids
        self.new_known_users_get_a_new_record = rules.new_known_users_get_a_new_record

    def arranged(self, identifiers: Sequence[Identifier]) -> list[Identifier]:
        """Those identifiers of a request of this form that step 1 leaves, in step 5's order."""
        return [
            identifier
            for requested in self.requested_types
            for identifier in identifiers
            if identifier.type is requested.identity_type
        ]


def shape_of(kind: RequestKind, types: int, rules: ScopeRules) -> RequestShape:
    """The form of a request that carries these types, a bit each."""
    shapes = rules.shapes.get(kind)
    if shapes is None:
        shapes = rules.shapes[kind] = {}
    shape = shapes.get(types)
    if not isinstance(shape, RequestShape):
        if len(shapes) >= _MANY:
            shapes.clear()  # of sets of types there are billions
        shape = shapes[types] = RequestShape(kind, types, rules)
    return shape


def _refusal(
    kind: RequestKind, login_types: list[IdentityType], rules: ScopeRules, *, has_lookup: bool
) -> tuple[ErrorCode, str] | None:
    strategy = rules.strategy
    if kind in (RequestKind.LOGIN, RequestKind.LOGOUT) and not strategy.logins:
        return (
            ErrorCode.UNSUPPORTED_BY_STRATEGY,
            f"the strategy {strategy.name} does not support {kind}; send an identify instead",
        )
    if kind is RequestKind.LOGIN and strategy.login_needs_login_id and not login_types:
        return (
            ErrorCode.LOGIN_ID_REQUIRED,
            (
                f"the strategy {strategy.name} needs a login ID in a login; "
                f"give one of: {', '.join(rules.login_types) or '(the scope has no login type)'}"
            ),
        )
    if has_lookup or kind is RequestKind.SEARCH:
        return None
    set_aside, usable = "", rules.priority
    if kind is RequestKind.LOGOUT:
        set_aside = " (a logout ignores login IDs)" if login_types else ""
        usable = tuple(each for each in usable if each not in rules.login_types)
    return (
        ErrorCode.NO_LOOKUP_IDENTITY,
        (
            f"no identifier of the request is in the scope's priority{set_aside}; "
            f"give one of: {', '.join(usable) or '(the scope has none)'}"
        ),
    )


def _reason(
    rules: ScopeRules, wants_immutable_id: bool, *, carries_login_id: bool
) -> Reason | None:
    """Why no anonymous profile may be the answer: they hold no login ID, nor an immutable one."""
    if wants_immutable_id:
        return Reason.IMMUTABLE_SEARCH
    if carries_login_id and rules.new_known_users_get_a_new_record:
        return Reason.NEW_KNOWN_USER_ONLY
    return None
