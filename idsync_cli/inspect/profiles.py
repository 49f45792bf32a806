"""Looking into a store: its profiles, how what they hold came to them, and what is there.

What is known, protected or found is said by the rules and by the core's own search; nothing here
knows a rule. Results are values, which `render.store` draws and `render.store_json` writes; each
has the exit status that its command ends with (section 8).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from idsync_cli.core.config.rules import Organization
from idsync_cli.core.data.values import ProfileData
from idsync_cli.core.erasure import Erasure
from idsync_cli.core.identity import Identifier
from idsync_cli.core.profile import Profile
from idsync_cli.core.scoped_profile import ScopedProfile, ScopedView, scoped, scoped_view
from idsync_cli.store.api import Transaction
from idsync_cli.store.causes import Arrival, Cause
from idsync_cli.store.values import HistoryEntry, ProfileFilter

LATEST_EVENTS = 10
"""How many events of a profile are told with it."""


@dataclass(frozen=True, slots=True)
class ProfileListing:
    """The first of the profiles that are asked for, and how many there are in all."""

    profiles: tuple[ScopedProfile, ...]
    total: int

    @property
    def exit_status(self) -> int:
        """0: that there is none is an answer, too."""
        return 0


@dataclass(frozen=True, slots=True)
class ProfileDetails:
    """A profile, what created it, what added its identifiers, and what else it has.

    `seen` is None where none has the MPID, and `made_by` where no request or import created it. For
    one that was erased there is the erasure; if the transaction looks back to when it was not there
    yet, `created_later` is the request that created it. Of `held` identifiers `arrivals` has the
    first, or all; `profile` has all of them, if that was asked for.
    """

    mpid: int
    seen: ScopedView | None
    profile: ScopedProfile | None = None
    made_by: Cause | None = None
    arrivals: tuple[Arrival, ...] = ()
    held: int = 0
    data: ProfileData | None = None
    erasure: Erasure | None = None
    created_later: int | None = None

    @property
    def exit_status(self) -> int:
        """1 if there is no such profile."""
        return int(self.seen is None)


@dataclass(frozen=True, slots=True)
class History:
    """Changes of a profile, of an identifier, or of both, oldest first; `total` counts all of them.

    `entries` are read from the store as they are taken, and no more often than once. Of a profile
    that was erased the erasure is all that there is.
    """

    entries: Iterator[HistoryEntry]
    total: int

    @property
    def exit_status(self) -> int:
        """1 if there is no such change."""
        return int(not self.total)


@dataclass(frozen=True, slots=True)
class NewProfile:
    """One of the newest profiles: the first of what it holds, and how much that is in all."""

    seen: ScopedView
    first: tuple[Identifier, ...]
    held: int


def newest(
    transaction: Transaction, organization: Organization, limit: int, first: int
) -> list[NewProfile]:
    """The newest profiles, the last first, with the `first` identifiers of each.

    It reads no more than that, however many profiles there are.
    """
    inspection = transaction.inspection()
    return [
        NewProfile(
            scoped_view(view, scope, organization.scopes.get(scope)),
            tuple(each.identifier for each in inspection.arrivals(view, first)),
            inspection.count_held(view),
        )
        for scope, view in inspection.newest(limit)
    ]


def profiles(
    transaction: Transaction, organization: Organization, asked: ProfileFilter
) -> Iterator[ScopedProfile]:
    """The profiles that are asked for, in the order of creation, read as they are taken."""
    for scope, profile in transaction.profiles(organization.scopes, asked):
        yield _scoped(profile, scope, organization)


def first_profiles(
    transaction: Transaction, organization: Organization, asked: ProfileFilter, limit: int
) -> ProfileListing:
    """The first profiles that are asked for, at most `limit`."""
    first = tuple(islice(profiles(transaction, organization, asked), limit))
    total = len(first)
    if total == limit:  # else that is all there is
        total = transaction.count_profiles(organization.scopes, asked)
    return ProfileListing(first, total)


def profile(
    transaction: Transaction,
    organization: Organization,
    mpid: int,
    limit: int | None = None,
    *,
    whole: bool = True,
) -> ProfileDetails:
    """A profile, with what created it, what added each identifier, and what else it has.

    Of identifiers the first `limit`; without `whole` no other is read.
    """
    inspection = transaction.inspection()
    found = inspection.view(mpid)
    if found is None:
        erasure = next(transaction.erasures(mpid), None)
        return ProfileDetails(
            mpid, None, erasure=erasure, created_later=inspection.created_later(mpid)
        )
    scope, view = found
    rules = organization.scopes.get(scope)
    everything = transaction.find(mpid) if whole else None
    made_by = transaction.request(view.created_seq)
    return ProfileDetails(
        mpid,
        scoped_view(view, scope, rules),
        None if everything is None else _scoped(everything[1], scope, organization),
        None if made_by is None else made_by.cause,
        tuple(inspection.arrivals(view, limit)),
        inspection.count_held(view),
        transaction.data_of(mpid, LATEST_EVENTS),
    )


def history(
    transaction: Transaction,
    *,
    mpid: int | None,
    identifier: Identifier | None,
    limit: int | None,
) -> History:
    """The changes of a profile, of an identifier, or of both; at most `limit` of them."""
    return History(
        transaction.history(mpid=mpid, identifier=identifier, limit=limit),
        transaction.inspection().history_length(mpid, identifier),
    )


def _scoped(its_profile: Profile, scope: str, organization: Organization) -> ScopedProfile:
    return scoped(its_profile, scope, organization.scopes.get(scope))
