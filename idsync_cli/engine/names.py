"""What a request names: everything that it can look up or change."""

from collections.abc import Sequence
from typing import Final

from idsync_cli.core.config.guard_rails import NO_GUARD_RAILS, GuardRails
from idsync_cli.core.identity import Identifier, IdentityType
from idsync_cli.core.value import Value
from idsync_cli.wire import Reading


class Names(Value):
    """The identifiers, MPIDs, labels and digests of batches' ids that a request names.

    Answering it looks up nothing but these, the profiles that they lead to, and what those hold.
    It changes nothing else, except that a `modify`, or a request whose value replaces the oldest,
    may also remove other values of the types that it names. A store to which digests came from
    another looks the same ids up under its key, too.
    """

    __match_args__ = ("identifiers", "mpids", "labels", "digests")
    __slots__ = __match_args__

    def __init__(
        self,
        identifiers: Sequence[Identifier],
        mpids: Sequence[int],
        labels: Sequence[str],
        digests: Sequence[bytes] = (),
    ) -> None:
        self.identifiers: Final = identifiers
        self.mpids: Final = mpids
        self.labels: Final = labels
        self.digests: Final = digests


_NOTHING: Final = Names((), (), ())


def names_of(reading: Reading) -> Names:
    """What a request names. It names nothing if it is refused before anything is looked up.

    A request whose identifiers are at fault still names its labels: unknown labels are checked
    first. What the scope blocks is not named, and what it normalizes is named in both forms.
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
    digests = () if reading.digest is None else (reading.digest,)
    if reading.mpid is None and reading.previous_mpid is None and reading.alias is None:
        return Names(identifiers, (), (), digests)
    mpids, labels = _mpids_and_labels(reading)
    return Names(identifiers, mpids, labels, digests)


def _mpids_and_labels(reading: Reading) -> tuple[list[int], list[str]]:
    """The MPIDs that a request names, by their numbers and by labels."""
    mpids: list[int] = []
    labels: list[str] = []
    alias = reading.alias
    named = (reading.mpid, reading.previous_mpid)
    for mpid in named if alias is None else (alias.source, alias.destination):
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
