"""Single changes of a request, or of its rules, that may flip its answer (section 12)."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from idsync_cli.core.codes import OnConflictingLogin, OnLogout, OnNewKnownUser, OnUniqueHeld
from idsync_cli.core.config.lint import contradictions
from idsync_cli.core.config.rules import ScopeRules
from idsync_cli.core.config.strategy import PRESETS, Strategy
from idsync_cli.core.identity import Identifier, IdentityType
from idsync_cli.core.request import IdentityRequest

SETTINGS = ("login", "unique", "immutable")
STRATEGY_RULES = (
    "on_new_known_user", "on_logout", "logins", "login_needs_login_id", "links", "aliasing",
)  # fmt: skip
_ONLY_WITH_LOGINS = ("on_logout", "login_needs_login_id")


class Case(NamedTuple):
    """A request, and the rules that it is decided by."""

    request: IdentityRequest
    rules: ScopeRules


class Drop(NamedTuple):
    """The request does not carry a type."""

    identity_type: IdentityType

    def made(self, case: Case) -> Case | None:
        """The case with this change; nothing may be left of the request."""
        left = [each for each in case.request.identifiers if each.type != self.identity_type]
        return _asking(case, left)


class Add(NamedTuple):
    """The request carries an identifier, in place of another of its type."""

    identifier: Identifier

    def made(self, case: Case) -> Case | None:
        """The case with this change."""
        added = self.identifier
        others = [each for each in case.request.identifiers if each.type != added.type]
        return _asking(case, [*others, added])


class PreviousMpid(NamedTuple):
    """The request names the profile as its previous one."""

    mpid: int

    def made(self, case: Case) -> Case | None:
        """The case with this change."""
        request = case.request
        return case._replace(request=IdentityRequest(request.kind, request.identifiers, self.mpid))


class Move(NamedTuple):
    """A type has another rank in the priority, or comes into it."""

    identity_type: IdentityType
    rank: int

    def made(self, case: Case) -> Case | None:
        """The case with this change; None where the rules would refuse it."""
        priority = [each for each in case.rules.priority if each != self.identity_type]
        priority.insert(self.rank - 1, self.identity_type)
        return _under(case, case.rules._replace(priority=tuple(priority)))


class SetSetting(NamedTuple):
    """A type of the priority has a setting, or has it no longer."""

    identity_type: IdentityType
    setting: str
    value: bool

    def made(self, case: Case) -> Case | None:
        """The case with this change; None where the rules would refuse it."""
        rules, kind = case.rules, self.identity_type
        preset = PRESETS.get(rules.strategy.name)
        if preset is not None and preset.fixed:
            return None
        changed = rules.settings_of(kind)._replace(**{self.setting: self.value})
        return _under(case, rules._replace(settings={**rules.settings, kind: changed}))


class SetRule(NamedTuple):
    """A rule of the scope, or of its strategy, has another value."""

    key: str
    value: str | bool

    def made(self, case: Case) -> Case | None:
        """The case with this change; None where the rules would refuse it."""
        rules, key, value = case.rules, self.key, self.value
        if key == "on_conflicting_login":
            return _under(case, rules._replace(on_conflicting_login=OnConflictingLogin(str(value))))
        if key == "on_unique_held":
            return _under(case, rules._replace(on_unique_held=OnUniqueHeld(str(value))))
        strategy = _with(rules.strategy, key, value)
        return None if strategy is None else _under(case, rules._replace(strategy=strategy))


CaseChange = Drop | Add | PreviousMpid | Move | SetSetting | SetRule
"""One change."""


def changes_of_request(
    case: Case, held: Sequence[Identifier], mpid: int
) -> Iterator[Drop | Add | PreviousMpid]:
    """Every single change of the request: `held` is what the profile `mpid` holds, oldest first."""
    request = case.request
    for each in request.identifiers:
        yield Drop(each.type)
    last = {each.type: each for each in held}
    for identity_type in case.rules.in_order(last):
        if last[identity_type] not in request.identifiers:
            yield Add(last[identity_type])
    if request.previous_mpid != mpid:
        yield PreviousMpid(mpid)


def changes_of_rules(case: Case) -> Iterator[Move | SetSetting | SetRule]:
    """Every single change of the rules that section 12 lists."""
    rules = case.rules
    for each in case.request.identifiers:
        rank = rules.rank_of(each.type)
        ranks = len(rules.priority) + (rank is None)
        yield from (Move(each.type, to) for to in range(1, ranks + 1) if to != rank)
    for identity_type in rules.priority:
        settings = rules.settings_of(identity_type)
        yield from (
            SetSetting(identity_type, setting, not getattr(settings, setting))
            for setting in SETTINGS
        )
    yield from _other_rules(rules)


def _other_rules(rules: ScopeRules) -> Iterator[SetRule]:
    strategy = rules.strategy
    for key in STRATEGY_RULES:
        now = getattr(strategy, key)
        if key in _ONLY_WITH_LOGINS and not strategy.logins:
            continue
        values: Sequence[str | bool] = (False, True)
        if key == "on_new_known_user":
            values = [each.value for each in OnNewKnownUser]
        elif key == "on_logout":
            values = [each.value for each in OnLogout]
        yield from (SetRule(key, value) for value in values if value != now)
    for key, codes in (
        ("on_conflicting_login", OnConflictingLogin), ("on_unique_held", OnUniqueHeld),
    ):  # fmt: skip
        now = getattr(rules, key)
        yield from (SetRule(key, each.value) for each in codes if each != now)


def _with(strategy: Strategy, key: str, value: str | bool) -> Strategy | None:
    """The strategy with another value of a key, as a mapping of all the rules would say it."""
    if key == "on_new_known_user":
        return strategy._replace(name="custom", on_new_known_user=OnNewKnownUser(str(value)))
    if key == "on_logout":
        return strategy._replace(name="custom", on_logout=OnLogout(str(value)))
    if key == "logins":
        on_logout = OnLogout.CREATE if value else None
        return strategy._replace(
            name="custom",
            logins=bool(value),
            on_logout=on_logout,
            login_needs_login_id=False,
        )
    others: dict[str, Any] = {key: value}
    return strategy._replace(name="custom", **others)


def _asking(case: Case, identifiers: Sequence[Identifier]) -> Case:
    request = case.request
    return case._replace(
        request=IdentityRequest(request.kind, tuple(identifiers), request.previous_mpid)
    )


def _under(case: Case, rules: ScopeRules) -> Case | None:
    return None if any(contradictions(rules)) else case._replace(rules=rules)
