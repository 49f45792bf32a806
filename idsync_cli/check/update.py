"""Update: what was found is written into what a scenario expects, and nothing else is touched."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from idsync_cli.check.results import Mismatch, Result
from idsync_cli.check.run import check
from idsync_cli.core.decision import Refusal
from idsync_cli.core.identity import TYPES_BY_NAME
from idsync_cli.file_faults import Fault, FileFault
from idsync_cli.files.gzip_mark import GZIP, is_packed
from idsync_cli.files.scenario_file import Load, parse_scenarios
from idsync_cli.files.yaml_edit import Edit, rewritten
from idsync_cli.files.yaml_tree import Node, read_bytes

_MAY_BE_NULL = ("mpid", "source_mpid")
"""The keys of an `expect` that may say null."""


@dataclass(frozen=True, slots=True)
class Update:
    """A scenario file as it is, and as it would pass."""

    path: Path
    old: bytes
    new: bytes

    def apply(self) -> None:
        """Replace the file at once and whole.

        Raises:
            FileFault: it has changed meanwhile, or cannot be written.
        """
        from idsync_cli.files.whole_file import whole_file  # a check that writes nothing needs none

        if read_bytes(self.path) != self.old:
            raise FileFault(
                [
                    Fault(
                        self.path.as_posix(),
                        "the file has changed in the meantime; run the update again",
                    )
                ]
            )
        try:
            with self.path.open("rb") as there:
                packed = is_packed(there.read(len(GZIP)))
            with whole_file(str(self.path), packed=packed) as file:
                file.write(self.new)
        except OSError as error:
            fault = Fault(self.path.as_posix(), f"cannot be updated: {error.strerror}")
            raise FileFault([fault]) from None


def update_of(path: Path, results: Iterable[Result], load: Load) -> Update:
    """The update that makes failing scenarios of a file pass, tried out first.

    Raises:
        FileFault: why the file cannot be updated; it is left as it is.
    """
    failed = [result for result in results if not result.passed]
    mismatches = [each for result in failed for each in result.mismatches]
    faults = [fault for each in mismatches if (fault := _inexpressible(path, each))]
    if faults:
        raise FileFault(faults)
    old = read_bytes(path)
    edits = [Edit(each.node, _written(each)) for each in mismatches]
    update = Update(path, old, rewritten(path, old, edits))
    _try_out(update, failed, load)
    return update


def _try_out(update: Update, failed: Sequence[Result], load: Load) -> None:
    """Run the scenarios that failed as the update has them."""
    documents = {result.scenario.document for result in failed}
    for scenario in parse_scenarios(update.path, update.new, load):
        if scenario.document in documents and not check(scenario).passed:
            message = "the scenario would still fail after the update; rewrite it"
            raise FileFault([Fault(update.path.as_posix(), message, scenario.line)])


def _inexpressible(path: Path, mismatch: Mismatch) -> Fault | None:
    """Report what an `expect` cannot express: that something is missing altogether."""
    found = mismatch.found
    if isinstance(found, dict) and mismatch.part == "identities":
        missing = [str(key) for key, value in found.items() if value is None]
    else:
        missing = [] if found is not None or mismatch.what in _MAY_BE_NULL else [mismatch.what]
    if not missing:
        return None
    answer = mismatch.answer
    if answer is None:
        why = f"there is no {mismatch.what}"
    elif isinstance(answer.outcome, Refusal):
        why = f"the answer is the error {answer.outcome.code}, without {', '.join(missing)}"
    else:
        why = f"the answer has no {', '.join(missing)}"
    return Fault(path.as_posix(), f"{why}; remove the line or rewrite it", mismatch.line)


def _written(mismatch: Mismatch) -> Any:
    """What was found, with the author's names for MPIDs and types."""
    mpids = {str(mpid): f"@{label}" for label, mpid in reversed(list(mismatch.labels.items()))}
    found: Any = mismatch.found
    node = mismatch.node
    if mismatch.part == "status_messages":
        return [_message(each, mpids) for each in found]
    if mismatch.step is None:
        return _profile(found, node) if mismatch.part == "identities" else _as_text(found)
    match mismatch.what:
        case "mpid" | "source_mpid":
            return mpids.get(str(found), found)
        case "orphaned":
            return [mpids.get(mpid, mpid) for mpid in found]
        case "changes":
            named = ((each, mpids.get(each["mpid"], each["mpid"])) for each in found)
            return [{**each, "mpid": mpid} for each, mpid in named]
        case "matched":
            names = _names(each.value for each in node.sequence or ())
            return [names.get(kind, kind) for kind in found]
        case "tiers":
            names = _names(node.mapping or ())
            return {names.get(kind, kind): outcome for kind, outcome in found.items()}
    return _as_text(found)


def _message(text: str, mpids: Mapping[str, str]) -> str:
    """A status message, which ends with an MPID, with the author's name for that."""
    head, space, mpid = text.rpartition(" ")
    return f"{head}{space}{mpids.get(mpid, mpid)}"


def _as_text(value: Any) -> Any:
    """A value with its numbers as the text that stands for them in YAML."""
    if isinstance(value, dict):
        return {key: _as_text(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_as_text(each) for each in value]
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return json.dumps(value) if is_number else value


def _profile(held: Mapping[str, list[str]], node: Node) -> dict[str, Any]:
    """A profile's identifiers: the types that the author named first, and one value as itself."""
    names = _names(node.mapping or ())
    kept = [kind for kind in names if kind in held]
    ordered = [*kept, *(kind for kind in held if kind not in names)]
    return {
        names.get(kind, kind): held[kind][0] if len(held[kind]) == 1 else held[kind]
        for kind in ordered
    }


def _names(written: Iterable[object]) -> dict[str, str]:
    """The name that the author gave each type, by its canonical one."""
    return {
        TYPES_BY_NAME[name].value: name
        for name in written
        if isinstance(name, str) and name in TYPES_BY_NAME
    }
