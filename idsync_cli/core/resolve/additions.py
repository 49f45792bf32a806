"""Step 5: what a profile gets of a request that it is answered with (section 4)."""

from collections.abc import Sequence

from idsync_cli.core.codes import KeptBy, NoteCode, Reason
from idsync_cli.core.decision import Note
from idsync_cli.core.identity import Identifier
from idsync_cli.core.lookup import Lookup, holders
from idsync_cli.core.profile import ProfileView
from idsync_cli.core.resolve.change_set import ChangeSet
from idsync_cli.core.resolve.matcher import Matcher
from idsync_cli.core.resolve.request_shape import RequestedType
from idsync_cli.core.screening import oldest_beyond


def add_what_it_lacks(
    profile: ProfileView,
    held: list[bool],
    matcher: Matcher,
    lookup: Lookup,
    change_set: ChangeSet,
    notes: list[Note],
    explain: bool,
) -> None:
    """Add each identifier of a request that the profile lacks and may have.

    `held` says of each whether the profile has it. What is not added, or goes elsewhere, is noted;
    with `explain`, also who keeps it.
    """
    types, shape = profile.types, matcher.shape
    for number, identifier in enumerate(matcher.identifiers):
        if held[number]:
            continue
        requested = shape.requested_types[number]
        kind = requested.identity_type
        has_another = types & requested.bit != 0
        if requested.is_immutable and has_another:
            notes.append(Note(NoteCode.KEPT_IMMUTABLE, kind))
            continue
        beyond: Sequence[str] = ()
        if requested.limit is not None and has_another:
            beyond = oldest_beyond(requested.limit, lookup.values_of(profile, kind))
            if beyond and not requested.limit.replaces_oldest:
                notes.append(Note(NoteCode.LIMIT_REACHED, kind))
                continue
        others: Sequence[ProfileView] = ()
        if requested.is_unique:  # every immutable type is unique, too
            others = holders(lookup, identifier)
            stays = requested.is_immutable or not shape.takes_unique_ids
            if (
                others
                and not requested.moves
                and (stays or any(map(matcher.ineligibility, others)))
            ):
                notes.append(_held_elsewhere(requested, others, matcher, explain))
                continue
        for value in beyond:
            change_set.remove(profile, Identifier(kind, value))
        if others:
            change_set.take_away(identifier, others)
            if requested.moves:
                mpids = sorted([each.mpid for each in others])
                notes += [Note(NoteCode.MOVED, kind, mpid) for mpid in mpids]
        if beyond:
            notes.append(Note(NoteCode.REPLACED_OLDEST, kind))
        if requested.is_login and has_another:
            notes.append(Note(NoteCode.SECOND_LOGIN_ID, kind))
        change_set.add(profile, identifier)


def _held_elsewhere(
    requested: RequestedType, others: Sequence[ProfileView], matcher: Matcher, explain: bool
) -> Note:
    """The note for an identifier that was not added; an explanation says who keeps it."""
    code, kind = NoteCode.HELD_ELSEWHERE, requested.identity_type
    if not explain:
        return Note(code, kind)
    setting: KeptBy | None = None
    if requested.is_immutable:
        setting = KeptBy.IMMUTABLE
    elif not matcher.shape.takes_unique_ids:
        setting = KeptBy.ON_UNIQUE_HELD
    keepers = [(each.mpid, setting or matcher.ineligibility(each)) for each in others]
    mpid, reason = min([keeper for keeper in keepers if keeper[1] is not None], key=_mpid)
    return Note(code, kind, mpid, reason)


def _mpid(keeper: tuple[int, Reason | KeptBy | None]) -> int:
    return keeper[0]
