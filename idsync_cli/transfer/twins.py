"""Who has already what a profile of an import brings: a line of the same file, or the store."""

from collections.abc import Callable, Iterable
from typing import NamedTuple

from idsync_cli.core.admission import Violation
from idsync_cli.core.identity import Identifier, IdentityType
from idsync_cli.core.lookup import Lookup, holders
from idsync_cli.core.profile import Profile
from idsync_cli.core.records import TimesRecord
from idsync_cli.files.data_lines import DataLine
from idsync_cli.files.profile_lines import AnyLine, ProfileLine
from idsync_cli.files.record_lines import ErasureLine

Lines = Iterable[AnyLine]


class Twin(NamedTuple):
    """What is there already, by the MPID of who has it or by its number.

    `in_line` says so of a line of the file, `in_store` of the store.
    """

    in_line: str
    in_store: str
    mpid: int | None = None
    created_seq: int | None = None


def twin_of(profile: Profile, broken: Violation, lookup: Lookup) -> Twin | None:
    """Who has already what a profile may not bring once more; None if something else is wrong."""
    match broken.word:
        case ("mpid",):
            return Twin(" by line {}", " in the store", profile.mpid)
        case ("created_seq",):
            return Twin(" by line {}", " in the store", created_seq=profile.created_seq)
        case ("identities", str(kind), int(index)):
            its_type = IdentityType(kind)
            value = profile.values_of(its_type)[index]
            found = holders(lookup, Identifier(its_type, value))
            if found:
                mpid = found[0].mpid
                who = f": the profile {mpid}"
                return Twin(f"{who} of line {{}}", f"{who} in the store", mpid)
    return None


class TwinLines:
    """The lines of a file that have what others may not bring once more.

    It is read a second time for that, up to the last of them, and only if there are any. Lines that
    were rejected have nothing.
    """

    def __init__(self, twins: Iterable[Twin | None], rejected: Iterable[int]) -> None:
        wanted = [twin for twin in twins if twin is not None]
        self._mpids: dict[int, int | None] = dict.fromkeys(
            each.mpid for each in wanted if each.mpid is not None
        )
        self._seqs: dict[int, int | None] = dict.fromkeys(
            each.created_seq for each in wanted if each.created_seq is not None
        )
        self._rejected = frozenset(rejected)

    def find(self, read: Callable[[], Lines], last: int) -> None:
        """Look for them in the lines before the last."""
        if not (self._mpids or self._seqs):
            return
        for line in read():
            if line.line >= last:
                return
            if line.line in self._rejected:
                continue
            if isinstance(line, ProfileLine):
                if self._mpids.get(line.mpid, 0) is None:
                    self._mpids[line.mpid] = line.line
                self._note_seq(line.created_seq, line.line)
            elif isinstance(line, ErasureLine):
                self._note_seq(line.erasure.seq, line.line)
            elif isinstance(line, DataLine) and not isinstance(line.record, TimesRecord):
                self._note_seq(line.record.seq, line.line)

    def _note_seq(self, seq: int | None, line: int) -> None:
        if seq is not None and self._seqs.get(seq, 0) is None:
            self._seqs[seq] = line

    def told(self, twin: Twin, line: int) -> str:
        """Where it is, to be put behind what is wrong with a line."""
        if twin.created_seq is not None:
            found = self._seqs.get(twin.created_seq)
        else:
            found = None if twin.mpid is None else self._mpids.get(twin.mpid)
        return twin.in_store if found is None or found >= line else twin.in_line.format(found)
