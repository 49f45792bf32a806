"""Whole copies of a store, and a store put back from one (section 8)."""

from dataclasses import dataclass

from idsync_cli.store.sqlite import backup


@dataclass(frozen=True, slots=True)
class Backup:
    """A copy of a store that was made, and how many bytes it has."""

    store: str
    file: str
    bytes: int

    @property
    def exit_status(self) -> int:
        """0: what is no sound store is not copied."""
        return 0


@dataclass(frozen=True, slots=True)
class Restoration:
    """A store that was put back from a file; `kept` is where what was there before is now.

    `erased_again` is the number of profiles in the file that the old store had erased. If that was
    too damaged to say so, `knew_erasures` is false.
    """

    store: str
    file: str
    kept: str | None
    erased_again: int = 0
    knew_erasures: bool = True

    @property
    def exit_status(self) -> int:
        """0: what is no sound store is not put back."""
        return 0


def back_up(store: str, file: str, *, replace: bool) -> Backup:
    """Copy a store as it is at one moment, whoever goes on writing.

    Raises:
        UsageFault: there is something at the file's place already, and it is not to be replaced.
        StoreFault: there is no store, it is not sound, or the copy cannot be written.
    """
    return Backup(store, file, backup.back_up(store, file, replace=replace))


def restore(store: str, file: str, *, keep: bool) -> Restoration:
    """Put a copy of a store in its place; with `keep`, what was there is kept beside it.

    Raises:
        StoreFault: the copy is no sound store of this version, or the store cannot be written.
    """
    done = backup.restore(store, file, keep=keep)
    kept = None if done.kept is None else str(done.kept)
    return Restoration(store, file, kept, done.erased_again, done.knew_erasures)
