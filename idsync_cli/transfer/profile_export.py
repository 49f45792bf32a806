"""Export: every profile of a store, one per line (section 8)."""

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import NamedTuple

from idsync_cli.core.config.rules import Organization
from idsync_cli.core.erasure import Erasure
from idsync_cli.core.scoped_profile import ScopedProfile, scoped
from idsync_cli.store.api import ProfileFilter
from idsync_cli.store.sqlite import SqliteTransaction

LINES_AT_ONCE = 1000
"""How many lines are written in one go."""


class Exported(NamedTuple):
    """How many profiles and erasures were written."""

    profiles: int
    erasures: int = 0

    @property
    def exit_status(self) -> int:
        """0: that there is none is an answer, too."""
        return 0


def export_profiles(
    transaction: SqliteTransaction,
    organization: Organization,
    scope: str | None,
    give_out: Callable[[str], object],
    *,
    header: Iterable[str],
    line_of: Callable[[ScopedProfile], str],
    erasure_line: Callable[[Erasure], str] | None = None,
) -> Exported:
    """Write the profiles of one scope, or of all, in the order of creation, then the erasures.

    `give_out` takes some lines at once, with line feeds between them and none at the end. Without
    an `erasure_line` there are no lines for erasures.
    """
    found = transaction.profiles(organization.scopes, ProfileFilter(scope))
    profiles = (scoped(each, name, organization.scopes.get(name)) for name, each in found)
    records: Iterable[str] = ()
    if erasure_line is not None:
        records = (
            erasure_line(each) for each in transaction.erasures() if scope in (None, each.scope)
        )
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
    written = erasures = 0

    def lines() -> Iterator[str]:
        nonlocal written, erasures
        yield from header
        for profile in profiles:
            yield line_of(profile)
            written += 1
        for record in records:
            yield record
            erasures += 1

    of_file = lines()
    while piece := list(islice(of_file, LINES_AT_ONCE)):
        give_out("\n".join(piece))
    return Exported(written, erasures)
