"""Aliases: what one profile did within a window is another's, too (section 9)."""

from typing import Final

from idsync_cli.core.audiences.times import time_text
from idsync_cli.core.codes import AliasFault, ErrorCode, Rule, Status
from idsync_cli.core.config.rules import ScopeRules
from idsync_cli.core.data.values import Alias
from idsync_cli.core.decision import WHOLE_REQUEST, DecidedBy, Decision, Refusal, Word
from idsync_cli.core.lookup import Lookup
from idsync_cli.core.profile import ProfileView
from idsync_cli.core.request import AliasRequest

LONGEST_WINDOW_MS: Final = 90 * 24 * 60 * 60 * 1000
"""How long a window may be: 90 days of 24 hours."""


def decide_alias(request: AliasRequest, rules: ScopeRules, lookup: Lookup, seq: int) -> Decision:
    """Decide an alias against the store as it stands before it.

    Raises:
        Refusal: INVALID_ALIAS, with its reason. Then nothing is copied.
    """
    source, destination = _profiles_of(request, rules, lookup)
    start, end = _window_of(request)
    _check_earlier(lookup, source, destination, start, end)
    return Decision(
        Status.ALIASED,
        DecidedBy(Rule.MPID),
        destination,
        rules.holds_login_id(destination.types),
        alias=Alias(seq, source.mpid, destination.mpid, start, end),
        copied=lookup.count_events(source, start, end),
    )


def _profiles_of(
    request: AliasRequest, rules: ScopeRules, lookup: Lookup
) -> tuple[ProfileView, ProfileView]:
    if not rules.strategy.aliasing:
        raise _refused(
            AliasFault.NO_ALIASING,
            f"the strategy {rules.strategy.name} does not allow aliases; "
            "set aliasing: true in a strategy of your own",
        )
    source_mpid, destination_mpid = request.source_mpid, request.destination_mpid
    if source_mpid == destination_mpid:
        raise _refused(
            AliasFault.SAME_PROFILE,
            "source and destination are the same profile; name two",
            ("destination_mpid",),
        )
    found = []
    for name, mpid in (("source", source_mpid), ("destination", destination_mpid)):
        profile = lookup.profile(mpid)
        if profile is None:
            raise _refused(
                AliasFault.UNKNOWN_PROFILE,
                f"no profile in the scope has the MPID {mpid}, which is the {name}",
                (f"{name}_mpid",),
            )
        found.append(profile)
    source, destination = found
    if rules.is_known(source) and not rules.is_known(destination):
        raise _refused(
            AliasFault.KNOWN_SOURCE,
            "the source is a known profile and the destination is anonymous; what a known user "
            "did is not given to somebody unknown",
            ("source_mpid",),
        )
    return source, destination


def _window_of(request: AliasRequest) -> tuple[int, int]:
    end = request.time_ms if request.end_ms is None else request.end_ms
    start = end - LONGEST_WINDOW_MS if request.start_ms is None else request.start_ms
    if start > end:
        raise _refused(
            AliasFault.INVALID_WINDOW,
            f"the window ends at {_told(end)}, before it starts at {_told(start)}; "
            "give the earlier time first",
            ("start_unixtime_ms",),
        )
    if end - start > LONGEST_WINDOW_MS:
        raise _refused(
            AliasFault.INVALID_WINDOW,
            f"the window from {_told(start)} to {_told(end)} is longer than 90 days; start at "
            f"{_told(end - LONGEST_WINDOW_MS)} or later",
            ("start_unixtime_ms",),
        )
    return start, end


def _told(time_ms: int) -> str:
    """A time as a file writes it and as people read it."""
    return f"{time_ms} ({time_text(time_ms)})"


def _check_earlier(
    lookup: Lookup, source: ProfileView, destination: ProfileView, start: int, end: int
) -> None:
    """See that no earlier alias is in the way.

    Raises:
        Refusal: INVALID_ALIAS.
    """
    for earlier in lookup.aliases_from(source):
        if earlier.overlaps(start, end):
            raise _refused(
                AliasFault.ALIASED_BEFORE,
                f"the source was a source before, in request {earlier.seq}, with a window that "
                f"overlaps: {earlier.start_ms} to {earlier.end_ms}",
                ("source_mpid",),
            )
    for earlier in lookup.aliases_to(source):
        raise _refused(
            AliasFault.ALIASED_BEFORE,
            f"the source was a destination before, in request {earlier.seq}",
            ("source_mpid",),
        )
    for earlier in lookup.aliases_from(destination):
        raise _refused(
            AliasFault.ALIASED_BEFORE,
            f"the destination was a source before, in request {earlier.seq}",
            ("destination_mpid",),
        )


def _refused(fault: AliasFault, message: str, word: Word = WHOLE_REQUEST) -> Refusal:
    return Refusal(ErrorCode.INVALID_ALIAS, message, word=word, fault=fault)
