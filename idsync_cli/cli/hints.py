"""What the command line says about the way out of a fault: its commands and options are named here.

Sentences follow an error's message. Facts of the error fill the braces.
"""

from collections.abc import Mapping

from idsync_cli.core.decision import Refusal
from idsync_cli.errors import Fault, FileFault, Hint, IdsyncError

_SENTENCES = {
    Hint.TRY_AGAIN: "try again",
    Hint.WAIT_AND_TRY_AGAIN: "another process is using it; try again",
    Hint.LOOK_AND_TRY_AGAIN: "check it, then try again",
    Hint.MAKE_ROOM: "free some space, then try again",
    Hint.MAKE_ROOM_AND_RESUME: "free some space, then continue with --resume",
    Hint.ALLOW_WRITING: "the file or its folder is not writable; check the permissions",
    Hint.REPLACE_FILE: "use --force to replace it",
    Hint.MAKE_CONFIGURATION: "create one with: idsync init",
    Hint.MAKE_CONFIGURATION_ANEW: "remove it, then create one with: idsync init",
    Hint.MAKE_STORE: "create one with: idsync init",
    Hint.NAME_STORE: "name a file with --store",
    Hint.NAME_ANOTHER_STORE: "name another with --store",
    Hint.NAME_BACKUP: "name a FILE that idsync backup has written",
    Hint.NAME_STORE_OR_TRY_DRY: "name a file, or use --dry-run",
    Hint.UPDATE_STORE: "upgrade it with: idsync init --store {store}; "
    "the original is kept beside it",
    Hint.RUN_DOCTOR: "to see what is wrong, run: idsync doctor --store {store}",
    Hint.RESUME: "use --resume to continue after it",
    Hint.RESUME_REPLAY: "use --resume to continue",
    Hint.REPLAY_AGAIN: "use --again to repeat it",
    Hint.RESUME_OR_REPLAY_AGAIN: "restore the file and use --resume, or replay all of it "
    "with --again",
    Hint.RESUME_WITH_OUTPUT: "continue the same way, with --output to a file",
    Hint.RESUME_WITHOUT_OUTPUT: "continue the same way, without --output to a file",
    Hint.BRING_BACK: "use --again --force to do so",
    Hint.FINISH_LATER: "end it; the next command that writes to the store finishes",
    Hint.SHOW_PROFILE: "to see it, run: idsync profile show",
    Hint.LIST_TYPES: "for all types, run: idsync help types",
}
"""Every hint in the words of the command line."""

MEND_AND_RESUME = "fix it and continue with --resume"
MEND_AND_TRY_AGAIN = "fix it, then try again"
SHOW_MORE = "use --limit {} to show the other {:,}"


def sentence(hint: Hint) -> str:
    """A hint that needs no facts."""
    return _SENTENCES[hint]


def lines(error: IdsyncError) -> list[str]:
    """An error as it is shown to people, a line for each fault of a file."""
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
