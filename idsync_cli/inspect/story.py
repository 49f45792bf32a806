"""A profile's life in order: what created it and why, what joined it, and what was taken."""

from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter

from idsync_cli.core.codes import Op
from idsync_cli.core.config.rules import Organization
from idsync_cli.core.erasure import Erasure
from idsync_cli.core.identity import Identifier
from idsync_cli.core.scoped_profile import ScopedProfile, scoped
from idsync_cli.store.sqlite import SqliteTransaction
from idsync_cli.store.sqlite.queries.history import Act, Cause, life


@dataclass(frozen=True, slots=True)
class Gain:
    """An identifier that joined the profile, and from which profiles it was taken."""

    identifier: Identifier
    taken_from: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Loss:
    """An identifier that left the profile, and whose request took it if not the profile's own.

    Whose it was is not known either where `by_erased`: it took it, and was erased.
    """

    identifier: Identifier
    taken_by: int | None
    by_erased: bool = False


@dataclass(frozen=True, slots=True)
class Chapter:
    """What one request, or an import, did to the profile, in the order in which it was done.

    `answer` is the MPID that the request was answered with, which may be another profile's; None
    where that was erased.
    """

    seq: int
    cause: Cause
    answer: int | None
    is_making: bool
    changes: tuple[Gain | Loss, ...]


@dataclass(frozen=True, slots=True)
class Story:
    """A profile and all that became of it, oldest first; `profile` is None where there is none.

    Of one that was erased there is the erasure.
    """

    mpid: int
    profile: ScopedProfile | None
    chapters: tuple[Chapter, ...] = ()
    erasure: Erasure | None = None

    @property
    def exit_status(self) -> int:
        """1 if there is no such profile."""
        return int(self.profile is None)


def story(transaction: SqliteTransaction, organization: Organization, mpid: int) -> Story:
    """Tell the life of a profile from the history."""
    found = transaction.find(mpid)
    if found is None:
        return Story(mpid, None, erasure=next(transaction.erasures(mpid), None))
    scope, profile = found
    acts = life(transaction, profile.created_seq)
    chapters = tuple(
        _chapter(mpid, profile.created_seq, list(of_one)) for _, of_one in groupby(acts, _seq)
    )
    return Story(mpid, scoped(profile, scope, organization.scopes.get(scope)), chapters)


_seq = attrgetter("seq")


def _chapter(mpid: int, created_seq: int, acts: list[Act]) -> Chapter:
    first = acts[0]
    changes: list[Gain | Loss] = []
    taken: dict[Identifier, list[int]] = {}
    for change in [act.change for act in acts if act.change is not None]:
        identifier = change.identifier
        if change.mpid != mpid:
            if change.op is Op.REMOVE:
                taken.setdefault(identifier, []).append(change.mpid)
        elif change.op is Op.ADD:
            changes.append(Gain(identifier, tuple(taken.pop(identifier, ()))))
        else:
            taker = None if first.answer == mpid else first.answer
            changes.append(Loss(identifier, taker, by_erased=first.answer is None))
    return Chapter(first.seq, first.cause, first.answer, first.seq == created_seq, tuple(changes))
