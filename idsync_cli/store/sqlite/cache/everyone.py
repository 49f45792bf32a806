"""All profiles of a store that is in memory: nothing is written to be read again."""

from collections.abc import Iterator

from idsync_cli.core.profile import Profile
from idsync_cli.core.records import TimesRecord
from idsync_cli.store.sqlite.cache.cached_profiles import CachedProfile
from idsync_cli.store.sqlite.cache.profile_cache import ProfileCache
from idsync_cli.store.sqlite.cache.scopes import Scopes
from idsync_cli.store.sqlite.cache.working_set import WorkingSet
from idsync_cli.store.sqlite.rows.checksums import NO_TIME

ProfileWithTimes = tuple[str, Profile, TimesRecord | None]
"""The name of a scope, a profile of it, and when that was seen and stored, if it ever was."""


def everyone(memory: WorkingSet, cache: ProfileCache, scopes: Scopes) -> Iterator[ProfileWithTimes]:
    """The profiles, oldest first."""
    for _, its in sorted(memory.profiles.items()):
        profile = Profile(
            its.mpid, its.created_seq, its.source_mpid, its.known_seq != 0,
            cache.identifiers_of(its),
        )  # fmt: skip
        yield scopes.name_of(its.scope), profile, _times_of(its)


def _times_of(profile: CachedProfile) -> TimesRecord | None:
    first, last = profile.first_seen_ms, profile.last_stored_ms
    return None if first == NO_TIME else TimesRecord(profile.mpid, first, last)
