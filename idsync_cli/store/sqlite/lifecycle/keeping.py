"""Keeping the paths of files that are written from a store, by commands that only read it."""

from pathlib import Path

from idsync_cli.core.codes import FileKind
from idsync_cli.core.erasure import KeptFile
from idsync_cli.errors import StoreFault
from idsync_cli.store.sqlite.erasing.kept_files import keep, kept_files, may_hold_data, text_of
from idsync_cli.store.sqlite.lifecycle.opening import open_store

_WAIT_SECONDS = 1.0
"""For so long whoever writes is waited for: reading waits for nobody longer."""


def keep_path(store: str, kind: FileKind, file: str) -> bool:
    """Keep the path of a file in an existing store, before the file is written.

    False if the store cannot be written, or somebody else holds it: then no erasure will name the
    file.
    """
    if not Path(file).parent.is_dir():  # where nothing can be written, there is nothing to name
        return True
    if not may_hold_data(file):
        return True
    kept = KeptFile(kind, text_of(file))
    try:
        opened = open_store(store, write=True, finish_owed=False)
        if opened is None:
            return True
        with opened:
            if kept in kept_files(opened.connection):
                return True
            assert opened.location is not None
            opened.location.lock.wait_seconds = _WAIT_SECONDS
            with opened.writing() as transaction:
                keep(transaction, kept)
    except StoreFault:
        return False
    return True
