"""Looking after a store: whole copies, and putting one back."""

from typing import Annotated

import typer

from idsync_cli.cli.environment import say, write, write_json
from idsync_cli.cli.options import DEFAULT_STORE, AsJson, Force, StorePath, present_config
from idsync_cli.errors import number_of, printable
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
    restored = put_back(store, file, keep=not discard)
    kept, erased = restored.kept, restored.erased_again
    if not restored.knew_erasures:
        say(
            "note: the old store is damaged and cannot be asked whom it has erased: whoever was "
            "erased since the backup is back"
        )
    if as_json:
        write_json(
            {"store": store, "file": file, "kept": kept and str(kept), "erased_again": erased}
        )
    else:
        write(f"restored the store {printable(store)} from {printable(file)}")
        if erased:
            write(f"erased {number_of(erased, 'profile')} again that the old store had erased")
        if kept:
            write(f"kept the old store as {printable(str(kept))}")
    return 0
