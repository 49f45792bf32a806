"""The history of a job: made of decisions as they are taken, and not read back (section 9)."""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import groupby
from json.encoder import encode_basestring_ascii as quoted

from idsync_cli import wire
from idsync_cli.render.store_json import entry_json
from idsync_cli.spark.decisions import Applied
from idsync_cli.store.sqlite import SqliteTransaction
from idsync_cli.store.sqlite.queries.other_changes import number_of, other_entries
from idsync_cli.store.values import HistoryEntry

time_text = lru_cache(maxsize=1)(wire.time_text)  # all lines of a job have one time


def entries_of(applied: Applied) -> list[str]:
    """The entries that tell of what a request did to identity records, in the order made."""
    decision, _, entry = applied
    by = decision.decided_by
    kind = "" if by.identity_type is None else f', "identity_type": "{by.identity_type}"'
    its_id = "null" if entry.request_id is None else quoted(entry.request_id)
    its_time = entry.request_timestamp_ms
    head = (
        f'{{"seq": {entry.seq}, "time": "{time_text(entry.time_ms)}", "type": '
        f'"{entry.kind}", "decided_by": {{"rule": "{by.rule}"{kind}}}, "request_id": '
        f'{its_id}, "request_timestamp_ms": {"null" if its_time is None else its_time}, "op": '
    )
    return [
        f'{head}"{change.op}", "mpid": "{change.mpid}", "identity_type": '
        f'"{change.identifier.type}", "value": {quoted(change.identifier.value)}}}'
        for change in decision.changes
    ]


def other_entries_of(
    some: Sequence[Applied], transaction: SqliteTransaction
) -> dict[int, list[str]]:
    """The entries that tell of anything else that requests did, by the numbers of those.

    Whether an attribute changed is known when it is written.
    """
    if not any(each.decision.data or each.decision.alias for each in some):
        return {}
    transaction.write()
    found = other_entries(transaction, first_seq=some[0].entry.seq)
    return {seq: list(map(_text, its)) for seq, its in groupby(found, number_of)}


def _text(entry: HistoryEntry) -> str:
    return wire.encode(entry_json(entry))


def lines_of(entries: Iterable[str]) -> bytes | None:
    """Entries as the lines that they are; None without any."""
    return "\n".join(entries).encode("ascii") or None
