"""`idsync translate`: from one identifier of a user to another, for messaging lists (section 9)."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

from idsync_cli import wire
from idsync_cli.cli import completion
from idsync_cli.cli.environment import say
from idsync_cli.cli.opening import existing_store, load_configuration
from idsync_cli.cli.options import (
    DEFAULT_CONFIG,
    DEFAULT_STORE,
    Config,
    Force,
    NoExtensions,
    Scope,
    StorePath,
    Workspace,
)
from idsync_cli.cli.output import check_output, writing_to
from idsync_cli.core.codes import FileKind
from idsync_cli.core.decision import Refusal
from idsync_cli.errors import UsageFault, number_of
from idsync_cli.files.name_lines import NamedProfile, UnreadableName, open_names, read_names
from idsync_cli.files.source import STANDARD_STREAM
from idsync_cli.inspect.translation import (
    AT_ONCE,
    LineOutcome,
    Translation,
    TranslationTotals,
    translate,
)
from idsync_cli.store.sqlite.lifecycle.keeping import keep_path

_MOST_TOLD = 20
_IN_WORDS = {
    LineOutcome.NOT_FOUND: "found no profile",
    LineOutcome.AMBIGUOUS: "fit several profiles",
    LineOutcome.NO_VALUE: "had none",
    LineOutcome.OPTED_OUT: "opted out",
}


def translate_(
    to: Annotated[
        str,
        typer.Option(
            "--to", metavar="TYPE", help="The wanted type.", autocompletion=completion.types
        ),
    ],
    file: Annotated[
        str,
        typer.Argument(metavar="[FILE]", help="Lines to translate; - is standard input."),
    ] = STANDARD_STREAM,
    every: Annotated[
        bool, typer.Option("--all", help="All values of a profile, not only the last added.")
    ] = False,
    output: Annotated[
        str,
        typer.Option("--output", metavar="FILE", help="Write to a file (default: - for stdout)."),
    ] = STANDARD_STREAM,
    force: Force = False,
    scope: Scope = None,
    workspace: Workspace = None,
    config: Config = DEFAULT_CONFIG,
    store: StorePath = DEFAULT_STORE,
    no_extensions: NoExtensions = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Write a JSON object for every line.")
    ] = False,
) -> int:
    """Translate a list of identifiers into another type.

    A line is an MPID, TYPE=VALUE, a JSON object with one of them, a row of a CSV file with one
    column per type, or a profile as export and audience write it; it may name its scope or
    workspace, as a request does. An identifier is translated if a search for it finds one
    profile. Profiles that have opted out are omitted. Lines without a
    translation are counted.

    The exit status is 1 if nothing was translated, or a line could not be read.

    Example: idsync translate --to push_token emails.csv
    """
    organization = load_configuration(config, no_extensions=no_extensions).organization
    try:
        wanted = wire.identity_type_of(to)
        if scope is not None or workspace is not None:
            wire.scope_of(scope, workspace, organization, wire.Target())
    except Refusal as refusal:
        raise UsageFault(refusal.message, hint=refusal.hint) from None
    check_output(output, store, config, force=force, inputs=[file])
    unreadable = 0
    target = wire.Target(scope, workspace)

    def names(
        lines: Iterator[NamedProfile | UnreadableName],
    ) -> Iterator[tuple[NamedProfile, str]]:
        nonlocal unreadable
        for each in lines:
            try:
                if isinstance(each, NamedProfile):
                    yield each, wire.scope_of(*each.target, organization, target)
                    continue
                what = each.what
            except Refusal as refusal:
                what = refusal.message
            unreadable += 1
            if unreadable <= _MOST_TOLD:
                say(f"line {each.line}: {what}")

    counts: Counter[LineOutcome] = Counter()
    with (
        open_names(file) as source,
        _kept_in(store, output),
        existing_store(store, organization) as opened,
        opened.reading() as transaction,
        writing_to(output, force=force) as give_out,
    ):
        lines = names(read_names(source.lines()))
        found = translate(lines, wanted, organization, transaction)
        piece: list[str] = []
        for each in found:
            counts[each.outcome] += 1
            piece += _lines_of(each, wanted.value, every=every, as_json=as_json)
            if len(piece) >= AT_ONCE:
                give_out("\n".join(piece))
                piece = []
        if piece:
            give_out("\n".join(piece))
    totals = TranslationTotals({outcome: counts[outcome] for outcome in LineOutcome}, unreadable)
    say(_summary(totals))
    return totals.exit_status


@contextmanager
def _kept_in(store: str, output: str) -> Iterator[None]:
    """Keep the path of the file, for an erasure to name it, before the store is read for it."""
    if output != STANDARD_STREAM:
        keep_path(store, FileKind.OUTPUT, output)
    yield


def _lines_of(each: Translation, to: str, *, every: bool, as_json: bool) -> list[str]:
    values = list(each.values if every else each.values[:1])
    if not as_json:
        return values
    mpid = None if each.mpid is None else str(each.mpid)
    value: object = values if every else (values[0] if values else None)
    told = {"line": each.named.line, "status": each.outcome.value, "mpid": mpid, to: value}
    return [wire.encode(told)]


def _summary(totals: TranslationTotals) -> str:
    told = [f"{number_of(totals.counts[LineOutcome.TRANSLATED], 'line')} translated"]
    told += [
        f"{totals.counts[outcome]:,} {words}"
        for outcome, words in _IN_WORDS.items()
        if totals.counts[outcome]
    ]
    if totals.unreadable:
        told.append(f"{totals.unreadable:,} could not be read")
    return ", ".join(told)
