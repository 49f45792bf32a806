"""Why a profile was not the answer to a request, and what would have made it so (section 12)."""

from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import NamedTuple

from idsync_cli.core.codes import Reason
from idsync_cli.core.config.rules import ScopeRules
from idsync_cli.core.decide import decide
from idsync_cli.core.decision import Answer, DecidedBy, Decision, Refusal
from idsync_cli.core.identity import IdentityType
from idsync_cli.core.lookup import holders as holders_of
from idsync_cli.core.profile import Profile, ProfileView
from idsync_cli.core.request import IdentityRequest
from idsync_cli.core.resolve.followed import follow
from idsync_cli.core.screening import screen
from idsync_cli.foresight.flips import (
    Add,
    Case,
    CaseChange,
    Drop,
    changes_of_request,
    changes_of_rules,
)
from idsync_cli.store.api import Transaction

MOST_FLIPS = 20
"""How many flips are told of one profile."""

Flip = tuple[CaseChange, ...]
"""Changes that, made together, make the profile the answer."""


class WhyNot(NamedTuple):
    """How far a profile came, and what would have made it the answer.

    `explained` is the answer to the request, with what every tier did. `lost_tie` says that the
    profile was among several candidates and another was taken. `left_out` counts flips that were
    found and are not told.
    """

    mpid: int
    explained: Answer
    found_by: tuple[IdentityType, ...]
    ineligible: Reason | None
    lost_at: DecidedBy | None
    lost_tie: bool
    flips: tuple[Flip, ...]
    left_out: int

    @property
    def answer(self) -> int | None:
        """The MPID that the request is answered with; None where it is with none."""
        return self.explained.mpid

    @property
    def error(self) -> Refusal | None:
        """Why the request is refused; None where it is not."""
        outcome = self.explained.outcome
        return outcome if isinstance(outcome, Refusal) else None

    @property
    def is_the_answer(self) -> bool:
        """Whether the profile is the answer as it is."""
        return self.answer == self.mpid

    @property
    def exit_status(self) -> int:
        """0 if it is the answer or something would make it so, else 1."""
        return 0 if self.is_the_answer or self.flips else 1


class Asked(NamedTuple):
    """A request in its scope, with the numbers that it would be answered by.

    `line` is its line in a file, None where it comes from none.
    """

    request: IdentityRequest
    scope: str
    rules: ScopeRules
    seq: int
    seed: int
    line: int | None = None


def why_not(asked: Asked, profile: Profile, transaction: Transaction) -> WhyNot:
    """Ask why a profile of the scope is not the answer, on the store as it stands.

    Every flip that is told was tried: changed rules hold for this request alone.
    """
    case = Case(asked.request, asked.rules)
    lookup = transaction.lookup(asked.scope, asked.rules)
    view = lookup.profile(profile.mpid)
    assert view is not None
    followed = follow(asked.request, asked.rules, lookup, view)
    outcome = answer_to(case, asked, transaction, explain=True)
    explained = Answer(asked.seq, asked.line, asked.request.kind, asked.scope, outcome)
    answer = explained.mpid
    flips: list[Flip] = []
    if answer != profile.mpid:
        flips = list(_flips(case, asked, profile, transaction))
    return WhyNot(
        mpid=profile.mpid,
        explained=explained,
        found_by=followed.found_by,
        ineligible=followed.ineligible,
        lost_at=followed.lost_at,
        lost_tie=followed.is_left and answer != profile.mpid,
        flips=tuple(flips[:MOST_FLIPS]),
        left_out=max(0, len(flips) - MOST_FLIPS),
    )


def holders(asked: Asked, transaction: Transaction) -> list[ProfileView]:
    """The profiles of the scope that hold an identifier of the request, newest first.

    An identifier is read as guard rails leave it, and counts outside the priority, too.
    """
    lookup = transaction.lookup(asked.scope, asked.rules)
    left = screen(asked.request.identifiers, asked.rules.guard_rails, lookup).identifiers
    found = {view.mpid: view for each in left for view in holders_of(lookup, each)}
    return sorted(found.values(), key=_age, reverse=True)


def _age(profile: ProfileView) -> int:
    return profile.created_seq


def answer_to(
    case: Case, asked: Asked, transaction: Transaction, *, explain: bool = False
) -> Decision | Refusal:
    """What a case comes to, decided only."""
    lookup = transaction.lookup(asked.scope, case.rules)
    try:
        return decide(case.request, case.rules, lookup, asked.seq, asked.seed, explain=explain)
    except Refusal as refusal:
        return refusal.with_traceback(None)


def made(flip: Sequence[CaseChange], case: Case) -> Case | None:
    """The case with all changes of a flip; None where they make no request, or no rules."""
    changed: Case | None = case
    for change in flip:
        changed = None if changed is None else change.made(changed)
    return changed if changed is not None and changed.request.identifiers else None


def _flips(case: Case, asked: Asked, profile: Profile, transaction: Transaction) -> Iterator[Flip]:
    def is_flip(flip: Flip) -> bool:
        changed = made(flip, case)
        if changed is None:
            return False
        return _mpid_of(answer_to(changed, asked, transaction)) == profile.mpid

    of_request = list(changes_of_request(case, profile.identifiers, profile.mpid))
    singles = [(each,) for each in (*of_request, *changes_of_rules(case))]
    found = [flip for flip in singles if is_flip(flip)]
    if found:
        yield from found
        return
    for pair in combinations(of_request, 2):
        if not _are_of_one_type(*pair) and is_flip(pair):
            yield pair


def _are_of_one_type(first: CaseChange, second: CaseChange) -> bool:
    """Whether two changes are of one type: to drop it and to add it is to add it."""
    types = []
    for each in (first, second):
        if isinstance(each, Drop):
            types.append(each.identity_type)
        elif isinstance(each, Add):
            types.append(each.identifier.type)
    return len(types) == 2 and types[0] == types[1]


def _mpid_of(outcome: Decision | Refusal) -> int | None:
    if isinstance(outcome, Refusal) or outcome.profile is None:
        return None
    return outcome.profile.mpid
