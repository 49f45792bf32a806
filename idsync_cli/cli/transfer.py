"""Profiles out of a store and into one, as JSON lines or for spreadsheets."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from functools import partial
from typing import Annotated

import typer

from idsync_cli import wire
from idsync_cli.cli import completion
from idsync_cli.cli.environment import (
    new_seed,
    now_ms,
    parse_seed,
    say,
    told_if_interrupted,
    write_json,
    write_lines,
)
from idsync_cli.cli.opening import (
    check_scope,
    existing_store,
    load_configuration,
    open_store,
    store_at_work,
)
from idsync_cli.cli.options import (
    DEFAULT_CONFIG,
    DEFAULT_STORE,
    Config,
    Force,
    NoExtensions,
    Seed,
    StorePath,
)
from idsync_cli.cli.output import check_output, writing_to
from idsync_cli.cli.progress import progress
from idsync_cli.cli.questions import AsOf, look_back
from idsync_cli.core.codes import FileKind
from idsync_cli.core.config.rules import Organization
from idsync_cli.core.scoped_profile import ScopedProfile
from idsync_cli.errors import StoreFault, printable
from idsync_cli.files import profile_csv, profile_lines
from idsync_cli.files.contents import Contents, refusal
from idsync_cli.files.packed import without_suffix
from idsync_cli.files.profile_lines import AnyLine, ProfileFile
from idsync_cli.files.source import STANDARD_STREAM
from idsync_cli.store import sqlite as stores
from idsync_cli.store.api import Transaction
from idsync_cli.store.sqlite import SqliteStore
from idsync_cli.store.sqlite.lifecycle.keeping import keep_path
from idsync_cli.transfer.profile_export import LINES_AT_ONCE, RecordLines, export_profiles
from idsync_cli.transfer.profile_import import Imported, import_profiles


class ExportFormat(StrEnum):
    """How profiles are written."""

    JSONL = "jsonl"
    CSV = "csv"


FormOption = Annotated[
    ExportFormat | None,
    typer.Option(
        "--format",
        help="Default: by a file's contents or name. In CSV, a cell that begins with [ is a "
        "JSON list, and a leading apostrophe is ignored. Let spreadsheets read all columns as "
        "text, or they round MPIDs.",
    ),
]


def export(
    output: Annotated[
        str,
        typer.Option("--output", metavar="FILE", help="The file to write; - for stdout."),
    ] = STANDARD_STREAM,
    force: Force = False,
    form: FormOption = None,
    scope: Annotated[
        str | None,
        typer.Option(
            "--scope",
            metavar="NAME",
            help="Only this scope.",
            autocompletion=completion.scopes,
        ),
    ] = None,
    at: AsOf = None,
    config: Config = DEFAULT_CONFIG,
    store: StorePath = DEFAULT_STORE,
) -> int:
    """Write every profile, one per line, and its data.

    The oldest profile comes first. As JSON, a line for each attribute, device, event, alias, batch
    ID and erasure follows, so that an import of the file restores all of it. With --at, erasures by
    later requests are written, too.

    Example: idsync export --output profiles.jsonl
    """
    organization = load_configuration(config).organization
    if check_output(output, store, config, force=force):
        keep_path(store, FileKind.OUTPUT, output)
    with existing_store(store, organization) as opened, opened.reading() as transaction:
        check_scope(scope, organization, transaction)
        look_back(transaction, at)
        its_form = form or form_of(output)
        header, line_of = written_as(its_form, transaction, scope)
        is_whole = its_form is ExportFormat.JSONL
        records = RecordLines(wire.record_line, wire.digest_key_line) if is_whole else None
        with writing_to(output, force=force) as give_out:
            exported = export_profiles(
                transaction,
                organization,
                scope,
                give_out,
                header=header,
                line_of=line_of,
                record_lines=records,
            )
    if output != STANDARD_STREAM:
        from idsync_cli.render.transfer import export_line

        say(export_line(exported))  # the file may be /dev/stdout
    return exported.exit_status


def written_as(
    form: ExportFormat, transaction: Transaction, scope: str | None
) -> tuple[list[str], Callable[[ScopedProfile], str]]:
    """The header of a file of the form, and how each profile is written."""
    if form is ExportFormat.JSONL:
        return [], lambda profile: wire.encode(wire.profile_json(profile))
    types = transaction.counting().types_held(scope)
    return [profile_csv.header(types)], lambda profile: profile_csv.row(
        wire.profile_json(profile), types
    )


def form_of(name: str) -> ExportFormat:
    """How profiles are written to a file, unless it is said."""
    return ExportFormat.CSV if without_suffix(name).endswith(".csv") else ExportFormat.JSONL


def _form_in(source: ProfileFile, name: str, wanted: ExportFormat | None) -> ExportFormat:
    """How the profiles of a file are written: as it shows; where it does not, as its name says.

    Raises:
        UsageFault: it is to be read in a form that it has not.
    """
    if source.holds is Contents.CSV:
        found = ExportFormat.CSV
    elif source.holds in (Contents.OBJECTS, Contents.PROFILES):
        found = ExportFormat.JSONL
    else:
        return wanted or form_of(name)
    if wanted not in (None, found):
        raise refusal(name, source.holds, f"--format {wanted} was given; omit it")
    return found


def import_(
    file: Annotated[
        str,
        typer.Argument(
            metavar="FILE",
            help="Profiles as written by export, compressed or not; - for stdin.",
        ),
    ],
    form: FormOption = None,
    config: Config = DEFAULT_CONFIG,
    store: StorePath = DEFAULT_STORE,
    no_extensions: NoExtensions = False,
    seed: Seed = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Check the file without importing it.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the summary as JSON.")] = False,
) -> int:
    """Import whole profiles and their data: all or nothing.

    The store is created if there is none. A profile without created_seq takes the next number. If
    any line breaks a rule of its scope, or uses an MPID or a number already in use, or the MPID of
    a profile that was erased, the whole file is rejected with the exit status 2.

    Example: idsync import profiles.jsonl
    """
    organization = load_configuration(config, no_extensions=no_extensions).organization
    number = parse_seed(seed)
    imported: Imported | None = None

    def what_is_done() -> str:
        if imported is None or dry_run:
            return "nothing was imported"
        return "all profiles were imported, or none; to see which, run: idsync stats"

    with (
        told_if_interrupted(what_is_done),
        profile_lines.open_profiles(file) as source,
        _store(store, organization, number, dry_run=dry_run) as opened,
        opened.writing() as transaction,
        _progress(source) as seen,
    ):
        read = partial(_READERS[_form_in(source, file, form)], source, organization)
        imported = import_profiles(
            source.name,
            lambda: seen(read()),
            organization,
            transaction,
            now_ms=now_ms(),
            dry_run=dry_run,
        )
    from idsync_cli.render.transfer import import_json, import_line

    if as_json:
        write_json(import_json(imported))
    else:
        write_lines([[import_line(imported)]])
    return imported.exit_status


_READERS = {ExportFormat.JSONL: profile_lines.read_jsonl, ExportFormat.CSV: profile_csv.read_csv}


@contextmanager
def _store(
    path: str, organization: Organization, seed: int | None, *, dry_run: bool
) -> Iterator[SqliteStore]:
    """The store, or for a dry run a copy; a new one is created when all went well."""
    found = open_store(path, organization, write=not dry_run)
    if found is None:
        with stores.temporary(new_seed() if seed is None else seed) as made:
            yield made
            if not dry_run and not stores.save(made, path):
                raise StoreFault(
                    f"another process has just created the store {printable(path)}; nothing was "
                    "imported; try again"
                )
        return
    with store_at_work(found, path, seed, dry_run=dry_run) as storage:
        yield storage


Lines = Iterable[AnyLine]


@contextmanager
def _progress(source: ProfileFile) -> Iterator[Callable[[Lines], Lines]]:
    """What lets the lines of a file through and shows how far they are."""
    with progress("lines", source.size) as advance:

        def seen(lines: Lines) -> Lines:
            for number, line in enumerate(lines, start=1):
                yield line
                if number % LINES_AT_ONCE == 0:
                    advance(source.position, number)

        yield seen
