"""What a request names: everything that it can look up or change."""

from collections.abc import Sequence
from typing import Final

from idsync_cli.core.identity import Identifier
from idsync_cli.core.value import Value
from idsync_cli.wire import Reading


class Names(Value):
    """The identifiers, MPIDs, labels and digests of batches' ids that a request names.

    Answering it looks up nothing but these, the profiles that they lead to, and what those hold.
    It changes nothing else, except that a `modify` may also remove other values of the types that
    it names.
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
    first.
    """
    if reading.refusal:
        return _NOTHING
    if reading.late_refusal:
        return Names((), (), _mpids_and_labels(reading)[1])
    identifiers = reading.identifiers
    if reading.identities or reading.changes:
        identifiers = [*identifiers, *_of_modify(reading)]
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


def _of_modify(reading: Reading) -> list[Identifier]:
    """The identifiers that either form of a modify names, old and new."""
    named = list((reading.identities or {}).items())
    for kind, old, new in reading.changes or ():
        named += ((kind, old), (kind, new))
    return [Identifier(kind, value) for kind, value in named if value is not None]
