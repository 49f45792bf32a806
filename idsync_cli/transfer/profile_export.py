"""Export: every profile of a store, one per line (section 8)."""

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import NamedTuple

from idsync_cli.core.config.rules import Organization
from idsync_cli.core.records import DigestRecord, Record
from idsync_cli.core.scoped_profile import ScopedProfile, scoped
from idsync_cli.store.api import Transaction
from idsync_cli.store.values import ProfileFilter

LINES_AT_ONCE = 1000
"""How many lines are written in one go."""


class Exported(NamedTuple):
    """How many profiles were written, and lines of what they have beside, and of erasures."""

    profiles: int
    records: int = 0

    @property
    def exit_status(self) -> int:
        """0: that there is none is an answer, too."""
        return 0


class RecordLines(NamedTuple):
    """How records are written, and what stands before digests of another key."""

    line_of: Callable[[Record], str]
    key_line_of: Callable[[bytes], str]

    def of(self, records: Iterable[Record]) -> Iterator[str]:
        """The lines of records, in their order."""
        key = None
        for record in records:
            if isinstance(record, DigestRecord) and record.key != key:
                key = record.key
                yield self.key_line_of(key)
            yield self.line_of(record)


def export_profiles(
    transaction: Transaction,
    organization: Organization,
    scope: str | None,
    give_out: Callable[[str], object],
    *,
    header: Iterable[str],
    line_of: Callable[[ScopedProfile], str],
    record_lines: RecordLines | None = None,
) -> Exported:
    """Write the profiles of one scope, or of all, in the order of creation, then all they have.

    `give_out` takes some lines at once, with line feeds between them and none at the end. Without
    `record_lines` only profiles are written.
    """
    found = transaction.profiles(organization.scopes, ProfileFilter(scope))
    profiles = (scoped(each, name, organization.scopes.get(name)) for name, each in found)
    records: Iterable[str] = ()
    if record_lines is not None:
        records = record_lines.of(transaction.records(scope))
    return give_out_profiles(profiles, give_out, header=header, line_of=line_of, records=records)


def give_out_profiles(
    profiles: Iterable[ScopedProfile],
    give_out: Callable[[str], object],
    *,
    header: Iterable[str],
    line_of: Callable[[ScopedProfile], str],
    records: Iterable[str] = (),
) -> Exported:
    """Give out profiles as they come, below what heads a file, and then the lines of records."""
    written = others = 0

    def lines() -> Iterator[str]:
        nonlocal written, others
        yield from header
        for profile in profiles:
            yield line_of(profile)
            written += 1
        for record in records:
            yield record
            others += 1

    of_file = lines()
    while piece := list(islice(of_file, LINES_AT_ONCE)):
        give_out("\n".join(piece))
    return Exported(written, others)
