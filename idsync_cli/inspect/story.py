"""A profile's life in order: what created it and why, what joined it, and what was taken."""

from dataclasses import dataclass

from idsync_cli.core.codes import Op
from idsync_cli.core.config.rules import Organization
from idsync_cli.core.data.values import Alias, AttributeChange
from idsync_cli.core.decision import Change
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


ChapterChange = Gain | Loss | AttributeChange | Alias
"""What a request may do to a profile: its attributes, and aliases of it, are changes, too."""


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
    changes: tuple[ChapterChange, ...]


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
    acts = life(transaction, mpid, profile.created_seq)
    chapters = tuple(_chapter(mpid, profile.created_seq, act) for act in acts)
    return Story(mpid, scoped(profile, scope, organization.scopes.get(scope)), chapters)


def _chapter(mpid: int, created_seq: int, act: Act) -> Chapter:
    changes: list[ChapterChange] = []
    taken: dict[Identifier, list[int]] = {}
    for change in act.changes:
        if isinstance(change, (AttributeChange, Alias)):
            changes.append(change)
        elif not isinstance(change, Change):
            continue  # of a profile that is there none was erased
        elif change.mpid != mpid:
            if change.op is Op.REMOVE:
                taken.setdefault(change.identifier, []).append(change.mpid)
        elif change.op is Op.ADD:
            changes.append(Gain(change.identifier, tuple(taken.pop(change.identifier, ()))))
        else:
            taker = None if act.answer == mpid else act.answer
            changes.append(Loss(change.identifier, taker, by_erased=act.answer is None))
    return Chapter(act.seq, act.cause, act.answer, act.seq == created_seq, tuple(changes))
