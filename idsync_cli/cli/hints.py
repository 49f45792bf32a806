"""What the command line says about the way out of a fault: its commands and options are named here.

Sentences follow an error's message. Facts of the error fill the braces.
"""

import shlex
from collections.abc import Mapping

from idsync_cli.cli.parsing import USUAL_CONFIG, USUAL_STORE
from idsync_cli.core.decision import Refusal
from idsync_cli.errors import Hint, IdsyncError, printable
from idsync_cli.file_faults import Fault, FileFault

_SENTENCES = {
    Hint.TRY_AGAIN: "try again",
    Hint.WAIT_AND_TRY_AGAIN: "another process is using it; try again",
    Hint.LOOK_AND_TRY_AGAIN: "check it, then try again",
    Hint.MAKE_ROOM: "free some space, then try again",
    Hint.MAKE_ROOM_FOR_TEMPORARY_FILES: "free some space, or name a folder for temporary files in "
    "TMPDIR",
    Hint.SAVE_TO_A_FILE: "save it to a file, and name that",
    Hint.RESUME_BY_TIME: "to continue, name the same files in the same order with "
    "--resume{also} and --sort-by-time",
    Hint.RESUME_NOT_BY_TIME: "to continue it, use --resume without --sort-by-time",
    Hint.MAKE_ROOM_AND_RESUME: "free some space, then continue with --resume{also}",
    Hint.ALLOW_WRITING: "the file or its folder is not writable; check the permissions",
    Hint.REPLACE_FILE: "use --force to replace it",
    Hint.MAKE_CONFIGURATION: "create one with: idsync init{config_option}",
    Hint.MAKE_CONFIGURATION_ANEW: "remove it, then create one with: idsync init{config_option}",
    Hint.MAKE_STORE: "create one with: idsync init{store_option}",
    Hint.NAME_STORE: "name a file with --store",
    Hint.NAME_ANOTHER_STORE: "name another with --store",
    Hint.NAME_BACKUP: "name a FILE that idsync backup has written",
    Hint.NAME_STORE_OR_TRY_DRY: "name a file, or use --dry-run",
    Hint.UPDATE_STORE: "upgrade it with: idsync init --store {store}; "
    "the original is kept beside it",
    Hint.RUN_DOCTOR: "to see what is wrong, run: idsync doctor --store {store}",
    Hint.RESUME: "use --resume{also} to continue after it",
    Hint.RESUME_REPLAY: "use --resume{also} to continue",
    Hint.REPLAY_AGAIN: "use --again to repeat it",
    Hint.PASS_OVER_OR_REPLAY_AGAIN: "use --resume to skip it, or --again to repeat all",
    Hint.PASS_OVER_REPLAYED: "use --resume to skip what is done",
    Hint.MEND_FILE_AND_RESUME: "get a whole copy of it, then use --resume{also} to continue",
    Hint.RESTORE_FILE_AND_RESUME: "restore the file, then use --resume{also} to continue",
    Hint.NAME_FILE_ONCE: "name it once, or use --resume to skip the second",
    Hint.RESUME_OR_REPLAY_AGAIN: "restore the file and use --resume, or replay all of it "
    "with --again",
    Hint.RESUME_WITH_OUTPUT: "continue the same way, with --output to a file",
    Hint.RESUME_WITHOUT_OUTPUT: "continue the same way, without --output to a file",
    Hint.RESUME_WITH_MAP: "continue the same way, with --map-mpids",
    Hint.RESUME_WITHOUT_MAP: "continue the same way, without --map-mpids",
    Hint.RESUME_WITH_ENRICH: "continue the same way, with --enrich and the same file",
    Hint.RESUME_WITHOUT_ENRICH: "continue the same way, without --enrich",
    Hint.REPLAY_FILE: "to answer them, run: idsync replay {path}",
    Hint.IMPORT_FILE: "to import them, run: idsync import {path}",
    Hint.CONVERT_RECORDED: "to get requests with responses from a browser's recording, use: "
    "idsync convert",
    Hint.CONVERT_FILE: "convert it to requests with: idsync convert {path}",
    Hint.CONVERT_ARRAY: "convert it to requests with: idsync convert {path}, or lines with: "
    "jq -c '.[]'{after_path}",
    Hint.CONVERT_WRAPPED: "convert what it holds to requests with: idsync convert {path}",
    Hint.CONVERT_OBJECTS: "convert it to requests with: idsync convert {path}, or lines with: "
    "jq -c .{after_path}",
    Hint.CONVERT_ROWS: "to convert rows without one to requests, use: idsync convert",
    Hint.NAME_WHAT_WAS_ANSWERED: "name the file of requests that was answered",
    Hint.UNQUOTE_OBJECTS: "take them out with: jq -r .{after_path}",
    Hint.CUT_PREFIXES: "cut it off with: idsync convert {path}",
    Hint.MAKE_LINE_FEEDS: "convert them to line feeds with: tr '\\r' '\\n'{redirected}",
    Hint.RECODE_UTF_16: "convert it with: iconv -f UTF-16 -t UTF-8 {path}",
    Hint.RECODE_UTF_32: "convert it with: iconv -f UTF-32 -t UTF-8 {path}",
    Hint.GET_WHOLE_COPY: "the archive is damaged; get a whole copy of it",
    Hint.GET_FILE_ANEW: "look at it, then get the file again",
    Hint.GET_BY_GIT_LFS: "get the file with: git lfs pull",
    Hint.UNPACK_GZIP: "decompress it once with: gzip -dc {path}",
    Hint.UNPACK_BZIP2: "decompress it with: bzip2 -dc {path}",
    Hint.UNPACK_XZ: "decompress it with: xz -dc {path}",
    Hint.UNPACK_ZSTD: "decompress it with: zstd -dc {path}",
    Hint.UNPACK_7Z: "unpack it with: 7z x {path}",
    Hint.UNPACK_ZIP: "unpack it with: unzip -p {path}; for a spreadsheet, save a sheet as CSV",
    Hint.UNPACK_TAR: "unpack it with: tar -xf {path}",
    Hint.WRITE_AS_TEXT: "write what is in it as JSON lines or CSV",
    Hint.BRING_BACK: "use --again --force to do so",
    Hint.FINISH_LATER: "end that program; the next command that writes to the store then finishes "
    "the erasure",
    Hint.SHOW_PROFILE: "to see it, run: idsync profile show --mpid {mpid}",
    Hint.MAP_COLUMN: "set the type of a column with: --map {argument}",
    Hint.LEAVE_OUT_COLUMN: "ignore one of them with: --map {argument}",
    Hint.LIST_TYPES: "for all types, run: idsync help types",
    Hint.NAME_ANOTHER_OUTPUT: "name another folder with --output",
    Hint.NAME_OUTPUT_OF_JOB: "name the folder that was given as --output",
    Hint.NAME_EXPORT: "name that file with --state",
    Hint.ERASE_WHEN_LOADED: "remove it, and erase in the store that idsync load creates",
    Hint.RUN_AGAIN: "run the same command again",
    Hint.GIVE_WINDOW: "give --window at least 1, or omit it",
    Hint.GIVE_MAX_SHARE: "give --max-share such as 0.25, or omit it",
    Hint.GIVE_SEED: "give one with --seed",
    Hint.LEAVE_SEED_OUT: "omit --seed to continue with it",
    Hint.LISTEN_ELSEWHERE: "name another with --host and --port (--port 0 picks a free one)",
    Hint.GIVE_CERTIFICATE_WITH_KEY: "give --tls-cert and --tls-key a pair, or use --tls",
}
"""Every hint in the words of the command line."""

MEND_AND_RESUME = "fix it and continue with --resume"
MEND_AND_TRY_AGAIN = "fix it, then try again"
SHOW_MORE = "use --limit {} to show the other {:,}"


def sentence(hint: Hint, also: str = "") -> str:
    """A hint that needs no facts, but the options that a replay goes on with beside --resume."""
    return _filled(hint, {"also": also})


def going_on_with(error: IdsyncError, also: str) -> None:
    """Let the way out of a fault name the options that a replay has to go on with."""
    error.facts = {**error.facts, "also": also}


def way_out(error: IdsyncError) -> str | None:
    """The way out of a fault by itself; None if there is none to name."""
    return None if error.hint is None else _filled(error.hint, error.facts)


def lines(error: IdsyncError) -> list[str]:
    """An error as it is shown to people, a line for each fault of a file."""
    if isinstance(error, FileFault):
        return list(with_hints(error).faults)
    return _with(str(error), error.hint, error.facts).split("\n")


def _facts_of(fault: Fault) -> Mapping[str, str]:
    """What a hint needs to know of a fault: the configuration, if the fault is its own."""
    is_own = not fault.message.startswith("the configuration: ")  # and not told by a scenario
    return {"config": fault.path} if is_own else {}


def with_hints(fault: FileFault) -> FileFault:
    """The faults of a file with their hints in their messages, for whoever draws them."""
    return FileFault(
        each._replace(message=_with(each.message, each.hint, _facts_of(each)), hint=None)
        if isinstance(each, Fault)
        else each
        for each in fault.found
    )


def told(refusal: Refusal, mpid: str | None = None) -> Refusal:
    """A refusal with its hint in its message, for whoever draws it; of a request with an MPID."""
    message = _with(refusal.message, refusal.hint, {} if mpid is None else {"mpid": mpid})
    return Refusal(refusal.code, message, word=refusal.word)


def _with(message: str, hint: Hint | None, facts: Mapping[str, str | int]) -> str:
    return message if hint is None else f"{message}; {_filled(hint, facts)}"


def _filled(hint: Hint, facts: Mapping[str, str | int]) -> str:
    words = {"path": "FILE", "argument": "COLUMN=TYPE", "also": "", "mpid": "MPID"} | {
        name: _as_word(name, each) for name, each in facts.items()
    }
    path = words["path"]
    of_a_pipe = path == "-"  # which these read by themselves, and know no `-` for it
    for option, default in (("config", USUAL_CONFIG), ("store", USUAL_STORE)):
        is_named = facts.get(option, default) != default
        words[f"{option}_option"] = f" --{option} {words[option]}" if is_named else ""
    words["after_path"], words["redirected"] = ("", "") if of_a_pipe else (f" {path}", f" < {path}")
    return _SENTENCES[hint].format_map(words)


def _as_word(name: str, fact: str | int) -> str | int:
    """A path or an argument as a shell takes it for one word; any other fact as it is."""
    is_one = name in ("path", "argument", "mpid", "config", "store") and isinstance(fact, str)
    return shlex.quote(printable(str(fact))) if is_one else fact
