"""The rows of section 9 that belong to one profile: what batches brought to it."""

from sqlite3 import Connection

from idsync_cli.store.sqlite.erasing.traces import Trace
from idsync_cli.store.sqlite.rows.data import checksum_of_batch_id

_ITS_OWN = ("events", "attributes", "devices", "profile_states")
"""Tables whose rows are found by the profile."""


class DataCounts:
    """How many attributes, devices and events a profile has."""

    __slots__ = ("attributes", "devices", "events")

    def __init__(self, connection: Connection, created_seq: int) -> None:
        def count(what: str, table: str) -> int:
            query = f"SELECT count({what}) FROM {table} WHERE created_seq = ?"
            return int(connection.execute(query, (created_seq,)).fetchone()[0])

        self.attributes = count("*", "attributes")
        self.devices = count("DISTINCT identity_type || ' ' || value", "devices")
        self.events = count("*", "events")


def aliased_with(connection: Connection, created_seq: int) -> tuple[int, ...]:
    """The profiles that were aliased with a profile, either way, by ascending MPID."""
    found = connection.execute(
        "SELECT mpid FROM aliases JOIN profiles ON created_seq = source_seq + destination_seq - ?1"
        " WHERE source_seq = ?1 OR destination_seq = ?1 ORDER BY mpid",
        (created_seq,),
    )
    return tuple(dict.fromkeys(mpid for (mpid,) in found))


def remove_data(connection: Connection, created_seq: int, trace: Trace) -> None:
    """Remove them all; an id of a batch stays used, and tells no more whose it was."""
    for table in _ITS_OWN:
        connection.execute(f"DELETE FROM {table} WHERE created_seq = ?", (created_seq,))
    connection.execute(
        "DELETE FROM aliases WHERE source_seq = ?1 OR destination_seq = ?1", (created_seq,)
    )
    connection.executemany(
        "DELETE FROM attribute_changes WHERE seq = ? AND place = ?", trace.attribute_changes
    )
    connection.executemany(
        "UPDATE batch_ids SET created_seq = NULL, checksum = ?2 WHERE digest = ?1",
        [(digest, checksum_of_batch_id(digest, seq, None)) for digest, seq in trace.batch_ids],
    )
