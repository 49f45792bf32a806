"""What the rules of a scope say of a request, by its kind and its types alone (section 4).

Most requests to a scope have one of a few shapes, so all of this is found out once for each.
"""

from collections.abc import Sequence
from typing import Final

from idsync_cli.core.codes import (
    ErrorCode,
    NoteCode,
    OnLogout,
    Reason,
    RequestKind,
    Rule,
    TierOutcome,
)
from idsync_cli.core.config.rules import ScopeRules
from idsync_cli.core.decision import DecidedBy, Note
from idsync_cli.core.identity import TYPE_BITS, Identifier, IdentityType
from idsync_cli.core.tiers import Tier

_MANY: Final = 1000


class RequestedType:
    """One type of a request, with its settings; its rank is None outside the priority.

    `decided_by` is what an answer says if the tier of this type decides. `limit` says how many
    values of it a profile may hold, and `moves` that it is taken from whoever holds it (section
    11).
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

    `requested_types` are the types that step 1 keeps, in the order of step 5, and `notes` are about
    the others. `refusal` says why every such request is refused, or is None.
    `reason_of_the_anonymous` says why no such request may be answered with an anonymous profile, or
    is None. The other members are copies of what each request asks of the rules.
    """

    __slots__ = (
        "_not_in_request",
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
        "notes",
        "reason_of_the_anonymous",
        "refusal",
        "requested_types",
        "rules",
        "separates_conflicting_logins",
        "takes_unique_ids",
        "wants_immutable_id",
    )  # fmt: skip

    def __init__(self, kind: RequestKind, types: int, rules: ScopeRules) -> None:
        """Step 1: refuse what the strategy does not allow, and ignore the login IDs of a logout."""
        given = rules.listed(types)
        login_types = [each for each in given if each in rules.login_types]
        used = list(given)
        notes: list[Note] = []
        if kind is RequestKind.LOGOUT:
            used = [each for each in given if each not in login_types]
            notes = [Note(NoteCode.SET_ASIDE_ON_LOGOUT, each) for each in login_types]
        used_logins = [each for each in used if each in login_types]
        self.kind = kind
        self.rules = rules
        self.is_search = kind is RequestKind.SEARCH
        self.requested_types = tuple([RequestedType(each, rules) for each in used])
        self.login_types = tuple(used_logins)
        self.immutable_types = tuple([each for each in used if each in rules.immutable_types])
        self.notes = tuple(notes)
        self.has_lookup = any(rules.is_lookup(each) for each in used)
        self.refusal = _refusal(kind, login_types, rules, has_lookup=self.has_lookup)
        self.makes_new_at_once = (
            kind is RequestKind.LOGOUT and rules.strategy.on_logout is OnLogout.CREATE
        )
        self.wants_immutable_id = self.is_search and bool(rules.immutable_types)
        self.reason_of_the_anonymous = _reason(
            rules, self.wants_immutable_id, carries_login_id=bool(used_logins)
        )
        self.login_bits = rules.login_bits
        self.immutable_bits = rules.immutable_bits
        self.lookup_bits = rules.lookup_bits
        self.separates_conflicting_logins = rules.separates_conflicting_logins
        self.takes_unique_ids = rules.takes_unique_ids
        self.new_known_users_get_a_new_record = rules.new_known_users_get_a_new_record
        self._not_in_request: list[Tier] | None = None

    def tiers_not_in_request(self) -> list[Tier]:
        """A tier of every type of the priority, as if the request had none of them."""
        tiers = self._not_in_request
        if tiers is None:
            outcome, settings = TierOutcome.NOT_IN_REQUEST, self.rules.settings_of
            tiers = self._not_in_request = [
                Tier(rank, kind, settings(kind), outcome)
                for rank, kind in enumerate(self.rules.priority, start=1)
            ]
        return tiers.copy()

    def arranged(self, identifiers: Sequence[Identifier]) -> list[Identifier]:
        """The identifiers that step 1 keeps of a request of this shape, in the order of step 5."""
        return [
            identifier
            for requested in self.requested_types
            for identifier in identifiers
            if identifier.type is requested.identity_type
        ]


def shape_of(kind: RequestKind, types: int, rules: ScopeRules) -> RequestShape:
    """The shape of a request that carries these types, one bit each."""
    shapes = rules.shapes.get(kind)
    if shapes is None:
        shapes = rules.shapes[kind] = {}
    shape = shapes.get(types)
    if not isinstance(shape, RequestShape):
        if len(shapes) >= _MANY:
            shapes.clear()  # there may be billions of sets of types
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
    if has_lookup or kind in (RequestKind.SEARCH, RequestKind.ERASE):
        return None
    ignored, usable = "", rules.priority
    if kind is RequestKind.LOGOUT:
        ignored = " (a logout ignores login IDs)" if login_types else ""
        usable = tuple(each for each in usable if each not in rules.login_types)
    return (
        ErrorCode.NO_LOOKUP_IDENTITY,
        (
            f"no identifier of the request is in the scope's priority{ignored}; "
            f"give one of: {', '.join(usable) or '(the scope has none)'}"
        ),
    )


def _reason(
    rules: ScopeRules, wants_immutable_id: bool, *, carries_login_id: bool
) -> Reason | None:
    """Why no anonymous profile may be the answer: such profiles hold no login or immutable ID."""
    if wants_immutable_id:
        return Reason.IMMUTABLE_SEARCH
    if carries_login_id and rules.new_known_users_get_a_new_record:
        return Reason.NEW_KNOWN_USER_ONLY
    return None
