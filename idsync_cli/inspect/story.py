"""A profile's life in order: what created it and why, what joined it, and what was taken."""

from dataclasses import dataclass

from idsync_cli.core.codes import Op
from idsync_cli.core.config.rules import Organization
from idsync_cli.core.data.values import Alias, AttributeChange
from idsync_cli.core.decision import Change
from idsync_cli.core.erasure import Erasure
from idsync_cli.core.identity import Identifier
from idsync_cli.core.scoped_profile import ScopedProfile, ScopedView, scoped, scoped_view
from idsync_cli.store.api import Transaction
from idsync_cli.store.causes import Act, Cause


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
    transaction: Transaction,
    organization: Organization,
    mpid: int,
    limit: int | None = None,
    *,
    whole: bool = True,
) -> Story:
    """Tell the life of a profile from the history, or what its first `limit` requests did.

    Without `whole` no identifier is read but those that come in it.
    """
    inspection = transaction.inspection()
    found = inspection.view(mpid)
    if found is None:
        return Story(mpid, None, erasure=next(transaction.erasures(mpid), None))
    scope, view = found
    rules = organization.scopes.get(scope)
    acts = inspection.life(view, limit)
    chapters = tuple(_chapter(mpid, view.created_seq, act) for act in acts)
    everything = transaction.find(mpid) if whole else None
    return Story(
        mpid,
        scoped_view(view, scope, rules),
        chapters,
        inspection.life_length(view),
        None if everything is None else scoped(everything[1], scope, rules),
    )


def _chapter(mpid: int, created_seq: int, act: Act) -> Chapter:
    changes: list[ChapterChange] = []
    lost: dict[Identifier, list[int]] = {}
    for change in act.changes:
        if isinstance(change, (AttributeChange, Alias)):
            changes.append(change)
        elif not isinstance(change, Change):
            continue  # of a profile that is there none was erased
        elif change.mpid != mpid:
            if change.op is Op.REMOVE:
                lost.setdefault(change.identifier, []).append(change.mpid)
        elif change.op is Op.ADD:
            changes.append(Gain(change.identifier, tuple(lost.pop(change.identifier, ()))))
        else:
            taker = None if act.answer == mpid else act.answer
            changes.append(Loss(change.identifier, taker, by_erased=act.answer is None))
    return Chapter(act.seq, act.cause, act.answer, act.seq == created_seq, tuple(changes))
