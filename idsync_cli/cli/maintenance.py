"""Maintenance of a store: whole copies, and restoring one."""

from typing import Annotated

import typer

from idsync_cli.cli.environment import write, write_json
from idsync_cli.cli.options import DEFAULT_STORE, AsJson, Force, StorePath, present_config
from idsync_cli.errors import printable
from idsync_cli.files.outputs import Outputs, is_path
from idsync_cli.store.sqlite.lifecycle.backup import back_up
from idsync_cli.store.sqlite.lifecycle.backup import restore as put_back


def backup(
    file: Annotated[str, typer.Argument(metavar="FILE", help="The file to write.")],
    store: StorePath = DEFAULT_STORE,
    force: Force = False,
    as_json: AsJson = False,
) -> int:
    """Copy the store to a file that is itself a store.

    Others can keep using the store. The copy gets its name once it is complete and checked.

    Example: idsync backup idsync-monday.db
    """
    outputs = Outputs(store=store, configuration=present_config())
    outputs.check("the backup", file, may_replace_store=True)
    size = back_up(store, file, replace=force)
    if as_json:
        write_json({"store": store, "file": file, "bytes": size})
    else:
        write(f"backed up the store {printable(store)} to {printable(file)}, {size:,} bytes")
    return 0


def restore(
    file: Annotated[str, typer.Argument(metavar="FILE", help="A file written by backup.")],
    store: StorePath = DEFAULT_STORE,
    discard: Annotated[bool, typer.Option("--discard", help="Do not keep the old store.")] = False,
    as_json: AsJson = False,
) -> int:
    """Replace the store with a backup, after checking it.

    The old store is kept in a file beside it. Readers see all of the old store or all of the new
    one; a replay that is running ends with the exit status 3.

    Example: idsync restore idsync-monday.db
    """
    if is_path(store):  # of one that is none, the store itself tells
        outputs = Outputs(configuration=present_config(), inputs=[file])
        outputs.check("--store", store, may_replace_store=True)
    kept = put_back(store, file, keep=not discard)
    if as_json:
        write_json({"store": store, "file": file, "kept": kept and str(kept)})
    else:
        write(f"restored the store {printable(store)} from {printable(file)}")
        if kept:
            write(f"kept the old store as {printable(str(kept))}")
    return 0
