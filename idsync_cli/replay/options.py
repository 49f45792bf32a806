"""What a replay is started with and has to go on with: it decides what lines come to."""

from collections.abc import Mapping

from idsync_cli.errors import FaultCode, Hint, UsageFault
from idsync_cli.store.sqlite.queries.replays import ENRICH, MAP_MPIDS, ReplayRow

Options = tuple[str, ...]

_WORDS = {ENRICH: "a file for enriched batches", MAP_MPIDS: "a map of recorded MPIDs"}
_WITH: Mapping[str, Hint] = {ENRICH: Hint.RESUME_WITH_ENRICH, MAP_MPIDS: Hint.RESUME_WITH_MAP}
_WITHOUT: Mapping[str, Hint] = {
    ENRICH: Hint.RESUME_WITHOUT_ENRICH,
    MAP_MPIDS: Hint.RESUME_WITHOUT_MAP,
}


def options_of(*, maps_mpids: bool, enriches: bool) -> Options:
    """The options of a replay, as the store keeps them."""
    return (ENRICH,) * enriches + (MAP_MPIDS,) * maps_mpids


def check_options(shown: str, found: ReplayRow, options: Options) -> None:
    """See whether a replay goes on with what it was started with.

    The files that follow one that is done belong to the same call, and go on with it as well.

    Raises:
        UsageFault: it was started with one of these options, and goes on without, or the other way
            round.
    """
    for name, words in _WORDS.items():
        was_given = name in found.options
        if was_given == (name in options) or (found.finished and not was_given):
            continue
        raise UsageFault(
            f"the replay of {shown} was started {'with' if was_given else 'without'} {words}",
            FaultCode.OPTIONS_CHANGED,
            hint=(_WITH if was_given else _WITHOUT)[name],
        )
