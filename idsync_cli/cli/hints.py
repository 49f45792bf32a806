"""What the command line says of the way out of a fault: its commands and options are named here.

Sentences go behind an error's message. Facts of the error fill what stands in braces.
"""

from collections.abc import Mapping

from idsync_cli.core.decision import Refusal
from idsync_cli.errors import Fault, FileFault, Hint, IdsyncError

_SENTENCES = {
    Hint.TRY_AGAIN: "try again",
    Hint.WAIT_AND_TRY_AGAIN: "another process holds it, try again",
    Hint.LOOK_AND_TRY_AGAIN: "look at it, then try again",
    Hint.MAKE_ROOM: "make room, then try again",
    Hint.MAKE_ROOM_AND_RESUME: "make room, then go on with --resume",
    Hint.ALLOW_WRITING: "the file or its folder may not be written",
    Hint.REPLACE_FILE: "--force replaces it",
    Hint.MAKE_CONFIGURATION: "make one with: idsync init",
    Hint.MAKE_CONFIGURATION_ANEW: "remove it, and make one with: idsync init",
    Hint.MAKE_STORE: "make one with: idsync init",
    Hint.NAME_STORE: "name a file with --store",
    Hint.NAME_ANOTHER_STORE: "name another with --store",
    Hint.NAME_STORE_OR_TRY_DRY: "name a file, or use --dry-run",
    Hint.UPDATE_STORE: "bring it up to date with: idsync init --store {store}; "
    "what it was is kept beside it",
    Hint.RUN_DOCTOR: "see what is wrong with: idsync doctor --store {store}",
    Hint.RESUME: "--resume goes on behind it",
    Hint.RESUME_REPLAY: "--resume goes on",
    Hint.REPLAY_AGAIN: "--again replays it once more",
    Hint.RESUME_OR_REPLAY_AGAIN: "bring back what it was and --resume, or replay it from its "
    "beginning with --again",
    Hint.RESUME_WITH_OUTPUT: "go on in the same way, with --output to a file",
    Hint.RESUME_WITHOUT_OUTPUT: "go on in the same way, without --output to a file",
    Hint.SHOW_PROFILE: "look at it with: idsync profile show",
    Hint.LIST_TYPES: "the types are options of: idsync identify --help",
}
"""Every hint in the words of the command line."""

MEND_AND_RESUME = "mend it, and go on with --resume"
MEND_AND_TRY_AGAIN = "mend it, then try again"
SHOW_MORE = "--limit {} shows the other {:,}"


def sentence(hint: Hint) -> str:
    """A hint that needs no facts."""
    return _SENTENCES[hint]


def lines(error: IdsyncError) -> list[str]:
    """An error as it is told to people, a line for each fault of a file."""
    if isinstance(error, FileFault):
        return list(with_hints(error).faults)
    return _with(str(error), error.hint, error.facts).split("\n")


def with_hints(fault: FileFault) -> FileFault:
    """The faults of a file with their hints in their messages, for whoever draws them."""
    return FileFault(
        each._replace(message=_with(each.message, each.hint, {}), hint=None)
        if isinstance(each, Fault)
        else each
        for each in fault.found
    )


def told(refusal: Refusal) -> Refusal:
    """A refusal with its hint in its message, for whoever draws it."""
    message = _with(refusal.message, refusal.hint, {})
    return Refusal(refusal.code, message, word=refusal.word)


def _with(message: str, hint: Hint | None, facts: Mapping[str, str | int]) -> str:
    return message if hint is None else f"{message}; {_SENTENCES[hint].format_map(facts)}"
