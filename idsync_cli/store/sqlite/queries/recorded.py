"""The MPIDs that another system recorded, and what they stand for here (section 12)."""

from collections.abc import Iterator, Mapping

from idsync_cli.store.sqlite.connected import Connected
from idsync_cli.store.sqlite.rows.checksums import checksum


def mpid_of(transaction: Connected, recorded: int) -> int | None:
    """The MPID that a recorded one stands for; None where it stands for none."""
    row = transaction.connection.execute(
        "SELECT mpid FROM recorded_mpids WHERE recorded = ?", (recorded,)
    ).fetchone()
    return None if row is None else int(row[0])


def recorded_as(transaction: Connected, mpid: int) -> Iterator[int]:
    """The recorded MPIDs that stand for one, ascending; they are read as they are asked for."""
    rows = transaction.connection.execute(
        "SELECT recorded FROM recorded_mpids WHERE mpid = ? ORDER BY recorded", (mpid,)
    )
    return (int(recorded) for (recorded,) in rows)


def keep_recorded(transaction: Connected, pairs: Mapping[int, int | None], *, anew: bool) -> None:
    """Keep what recorded MPIDs stand for by now; with `anew`, drop what was kept before.

    One that stands for None is not kept any more.
    """
    if anew:
        transaction.connection.execute("DELETE FROM recorded_mpids")
    transaction.connection.executemany(
        "DELETE FROM recorded_mpids WHERE recorded = ?",
        [(recorded,) for recorded, mpid in pairs.items() if mpid is None],
    )
    transaction.connection.executemany(
        "INSERT OR REPLACE INTO recorded_mpids VALUES (?, ?, ?)",
        [
            (recorded, mpid, checksum(recorded, mpid))
            for recorded, mpid in sorted(pairs.items())
            if mpid is not None
        ],
    )
