"""Maintenance of a store: whole copies, and restoring one."""

from typing import Annotated

import typer

from idsync_cli.cli.environment import say, write_json, write_lines
from idsync_cli.cli.options import DEFAULT_STORE, AsJson, Force, StorePath, present_config
from idsync_cli.errors import UsageFault, quoted
from idsync_cli.files.outputs import Outputs, ensure_writable, is_path
from idsync_cli.files.packed import is_to_be_packed
from idsync_cli.files.source import STANDARD_STREAM
from idsync_cli.maintenance import copies


def backup(
    file: Annotated[str, typer.Argument(metavar="FILE", help="The file to write.")],
    store: StorePath = DEFAULT_STORE,
    force: Force = False,
    as_json: AsJson = False,
) -> int:
    """Copy the store to a file that is itself a store.

    Others can keep using the store. The copy gets its name once it is complete and has passed the
    checks of idsync doctor, which take most of the time. A damaged store is not copied.

    Example: idsync backup idsync-monday.db
    """
    outputs = Outputs(store=store, configuration=present_config())
    if is_to_be_packed(file):
        raise UsageFault(
            f"a backup is a store, which cannot be compressed: {quoted(file)}; omit .gz, and "
            "compress it afterwards with: gzip"
        )
    outputs.check("the backup", file, may_replace_store=True)
    ensure_writable("the backup", file)
    made = copies.back_up(store, file, replace=force)
    from idsync_cli.render import maintenance as render

    if as_json:
        write_json(render.backup_json(made))
    else:
        write_lines([[line] for line in render.backup_lines(made)])
    return made.exit_status


def restore(
    file: Annotated[str, typer.Argument(metavar="FILE", help="A file written by backup.")],
    store: StorePath = DEFAULT_STORE,
    discard: Annotated[bool, typer.Option("--discard", help="Do not keep the old store.")] = False,
    as_json: AsJson = False,
) -> int:
    """Replace the store with a backup, after checking it.

    A backup that does not pass the checks of idsync doctor replaces nothing. The old store is kept
    in a file beside it. Readers see all of the old store or all of the new one; a replay that is
    running ends with the exit status 3.

    Example: idsync restore idsync-monday.db
    """
    if is_path(store) and store != STANDARD_STREAM:  # of one that is none, the store itself tells
        outputs = Outputs(configuration=present_config(), inputs=[file])
        outputs.check("--store", store, may_replace_store=True)
    done = copies.restore(store, file, keep=not discard)
    if not done.knew_erasures:
        say(
            "note: the old store is damaged, so its erasures are not known: a profile that was "
            "erased since the backup may be back"
        )
    from idsync_cli.render import maintenance as render

    if as_json:
        write_json(render.restoration_json(done))
    else:
        write_lines([[line] for line in render.restoration_lines(done)])
    return done.exit_status
