"""The configuration and the store of a command: reading the one, opening the other.

Both are imported where they are used: the store and the files would more than double the time that
the help takes.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from idsync_cli.cli.environment import say
from idsync_cli.errors import FaultCode, Hint, StoreFault, UsageFault, nearest, printable, quoted

if TYPE_CHECKING:
    from idsync_cli.core.config.rules import Organization
    from idsync_cli.files.config_file import Configuration
    from idsync_cli.store.api import Transaction
    from idsync_cli.store.sqlite import SqliteStore


def load_configuration(path: str, *, no_extensions: bool = False) -> "Configuration":
    """The configuration file, and what there is to say of it; guard rails may be passed over.

    Raises:
        FileFault: it is not there, or every fault of it.
    """
    if not path:
        raise UsageFault("the path of the configuration is empty; name a file with --config")
    if "\0" in path:
        raise UsageFault("the path of the configuration contains a NUL character; name a file")
    from idsync_cli.files.config_file import load

    loaded = load(Path(path))
    if no_extensions:
        return loaded.without_extensions()
    return loaded


def open_store(path: str, organization: "Organization", *, write: bool) -> "SqliteStore | None":
    """Open a store that is there; None where there is none.

    Says so where it has profiles of a scope that the configuration no longer names (section 3).
    """
    from idsync_cli.store import sqlite as store

    opened = store.open_store(path, write=write)
    if opened is not None:
        say_upgraded(opened, path)
        if write and opened.erased_bytes.may_be_left:
            say(
                f"note: the files of the store {printable(path)} still hold bytes of what was "
                "erased: another program is reading it; end that program; the next command that "
                "writes to the store then finishes the erasure"
            )
        with opened.reading() as transaction:
            unnamed = [name for name in transaction.scopes() if name not in organization.scopes]
        for name in unnamed:
            say(
                f"note: the store has profiles in the scope {quoted(name)}, which is no longer in "
                "the configuration; they are kept, but no request can reach them"
            )
    return opened


def say_upgraded(opened: "SqliteStore", path: str) -> None:
    """Say that a store of an earlier version was brought up to date as it was opened."""
    if opened.old_one_kept_as is not None:
        say(
            f"note: the store {printable(path)} was upgraded to this version of idsync; the "
            f"original is kept as {printable(str(opened.old_one_kept_as))}"
        )


def unfinished_erasure(path: str) -> StoreFault:
    """What is said where something was erased, and somebody keeps its bytes from being removed."""
    return StoreFault(
        "not finished: another program is reading the store, and until it ends, the files of the "
        "store still hold bytes of what was erased",
        FaultCode.ERASURE_UNFINISHED,
        hint=Hint.FINISH_LATER,
        store=path,
    )


def say_agreed(scope: str) -> None:
    """Say that the store had to be brought up to date for a scope (section 3)."""
    say(f"note: the login types of scope {quoted(scope)} have changed; the store was reindexed")


@contextmanager
def store_at_work(
    opened: "SqliteStore", path: str, seed: int | None, *, dry_run: bool
) -> Iterator["SqliteStore"]:
    """An open store of the right seed to work on; for a dry run, a copy that is thrown away."""
    from idsync_cli.store import sqlite as store

    with opened:
        check_seed(opened, path, seed)
        if dry_run:
            with store.copy_of(opened) as copy:
                yield copy
        else:
            yield opened


@contextmanager
def existing_store(path: str, organization: "Organization") -> Iterator["SqliteStore"]:
    """Open a store for looking into it.

    Raises:
        StoreFault: there is none.
    """
    opened = open_store(path, organization, write=False)
    if opened is None:
        raise StoreFault(
            f"there is no store at {printable(path)}",
            FaultCode.NO_STORE,
            hint=Hint.MAKE_STORE,
            store=path,
        )
    with opened:
        yield opened


def check_scope(
    scope: str | None, organization: "Organization", transaction: "Transaction"
) -> None:
    """Check that a scope that limits what is shown has rules, or at least profiles.

    Raises:
        UsageFault: nobody knows it.
    """
    names = {*organization.scopes, *transaction.scopes()}
    if scope is not None and scope not in names:
        hint = nearest(scope, names)
        hint = hint or f"; the scopes are: {', '.join(map(printable, sorted(names)))}"
        raise UsageFault(f"unknown scope {quoted(scope)}{hint}")


def check_seed(opened: "SqliteStore", path: str, seed: int | None) -> None:
    """Check that a store that is there has the seed that is asked for.

    Raises:
        UsageFault: it was created with another.
    """
    if seed is not None and opened.seed != seed:
        raise UsageFault(
            f"the store {printable(path)} was created with another seed; omit --seed, "
            "or name a new store"
        )
