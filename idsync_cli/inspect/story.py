"""A profile's life in order: what created it and why, what joined it, and what was taken."""

from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter

from idsync_cli.core.codes import Op
from idsync_cli.core.config.rules import Organization
from idsync_cli.core.erasure import Erasure
from idsync_cli.core.identity import Identifier
from idsync_cli.core.scoped_profile import ScopedProfile, ScopedView, scoped, scoped_view
from idsync_cli.store.sqlite import SqliteTransaction
from idsync_cli.store.sqlite.queries.history import Act, Cause, life, life_length
from idsync_cli.store.sqlite.queries.profiles import view_of


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
    """A profile and what became of it, oldest first; `seen` is None where there is none.

    Of one that was erased there is the erasure. Of so many `requests` `chapters` has the first, or
    all; `profile` has all that it holds, if that was asked for.
    """

    mpid: int
    seen: ScopedView | None
    chapters: tuple[Chapter, ...] = ()
    requests: int = 0
    profile: ScopedProfile | None = None
    erasure: Erasure | None = None

    @property
    def exit_status(self) -> int:
        """1 if there is no such profile."""
        return int(self.seen is None)


def story(
    transaction: SqliteTransaction,
    organization: Organization,
    mpid: int,
    limit: int | None = None,
    *,
    whole: bool = True,
) -> Story:
    """Tell the life of a profile from the history, or what its first `limit` requests did.

    Without `whole` no identifier is read but those that come in it.
    """
    found = view_of(transaction, mpid)
    if found is None:
        return Story(mpid, None, erasure=next(transaction.erasures(mpid), None))
    scope, view = found
    rules = organization.scopes.get(scope)
    acts = life(transaction, view, limit)
    chapters = tuple(
        _chapter(mpid, view.created_seq, list(of_one)) for _, of_one in groupby(acts, _seq)
    )
    everything = transaction.find(mpid) if whole else None
    return Story(
        mpid,
        scoped_view(view, scope, rules),
        chapters,
        life_length(transaction, view),
        None if everything is None else scoped(everything[1], scope, rules),
    )


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
