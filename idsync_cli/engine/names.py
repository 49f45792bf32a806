"""What a request names: all that its look-ups can be about, and all that it can change."""

from collections.abc import Sequence
from typing import Final

from idsync_cli.core.config.guard_rails import NO_GUARD_RAILS, GuardRails
from idsync_cli.core.identity import Identifier, IdentityType
from idsync_cli.core.value import Value
from idsync_cli.wire import Reading


class Names(Value):
    """The identifiers, MPIDs and labels that a request names.

    Nothing of a store is asked for it but these, the profiles that they lead to, and what those
    hold; and nothing else is changed, but what the answered profile holds of the types named: a
    `modify` takes it away, and so does any request where one more replaces the oldest.
    """

    __match_args__ = ("identifiers", "mpids", "labels")
    __slots__ = __match_args__

    def __init__(
        self, identifiers: Sequence[Identifier], mpids: Sequence[int], labels: Sequence[str]
    ) -> None:
        self.identifiers: Final = identifiers
        self.mpids: Final = mpids
        self.labels: Final = labels


_NOTHING: Final = Names((), (), ())


def names_of(reading: Reading) -> Names:
    """What a request names, as far as it can be read; nothing where it is refused at once.

    One that is refused for its identifiers is so only if its labels are known: it names these. What
    the scope blocks is not named, and what it normalizes is named in both forms (section 11).
    """
    if reading.refusal:
        return _NOTHING
    if reading.late_refusal:
        return Names((), (), _mpids_and_labels(reading)[1])
    identifiers = reading.identifiers
    rails = NO_GUARD_RAILS if reading.rules is None else reading.rules.guard_rails
    if reading.identities or reading.changes:
        identifiers = _of_modify(reading, rails)
    elif rails.screens_values and not rails.leave(identifiers):
        identifiers = [form for each in identifiers for form in rails.forms(each)]
    if reading.mpid is None and reading.previous_mpid is None:
        return Names(identifiers, (), ())
    mpids, labels = _mpids_and_labels(reading)
    return Names(identifiers, mpids, labels)


def _mpids_and_labels(reading: Reading) -> tuple[list[int], list[str]]:
    """The MPIDs that a request names, by their numbers and by labels."""
    mpids: list[int] = []
    labels: list[str] = []
    for mpid in (reading.mpid, reading.previous_mpid):
        if isinstance(mpid, str):
            labels.append(mpid)
        elif mpid is not None:
            mpids.append(mpid)
    return mpids, labels


def _of_modify(reading: Reading, rails: GuardRails) -> list[Identifier]:
    """The identifiers that either form of a modify names, old and new."""
    new = list((reading.identities or {}).items())
    old: list[tuple[IdentityType, str | None]] = []
    for kind, before, after in reading.changes or ():
        new.append((kind, after))
        old.append((kind, before))
    named = [
        form
        for kind, value in new
        if value is not None
        for form in rails.forms(Identifier(kind, value))
    ]
    for kind, value in old:
        if value is not None:
            named += rails.forms(Identifier(kind, value), may_be_blocked=False)
    return named
