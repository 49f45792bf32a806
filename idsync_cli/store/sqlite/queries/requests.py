"""The requests and imports that changed a store, whatever each of them did."""

from collections.abc import Iterator

from idsync_cli.store.causes import Cause, KeptRequest
from idsync_cli.store.sqlite.connected import Connected
from idsync_cli.store.sqlite.queries.codes import deciding_type, entry_kind, entry_rule

_REQUESTS = """
    SELECT seq, scopes.name, mpid,
        time_ms, type, rule, identity_type, request_id, request_timestamp_ms
    FROM requests
    CROSS JOIN outcomes USING (outcome_id)
    JOIN scopes USING (scope_id)
    LEFT JOIN profiles ON profiles.created_seq = requests.created_seq
    WHERE {} ORDER BY seq
"""


def requests(transaction: Connected, seq: int | None = None) -> Iterator[KeptRequest]:
    """All of them by number, read as they are taken; or that of one number."""
    condition = "TRUE" if seq is None else f"seq = {seq}"
    for number, scope, answer, *cause in transaction.connection.execute(
        _REQUESTS.format(condition)
    ):
        yield KeptRequest(number, scope, cause_of(*cause), answer)


def cause_of(
    time_ms: int,
    kind: str,
    rule: str,
    decider: str | None,
    request_id: str | None,
    request_timestamp_ms: int | None,
) -> Cause:
    """A cause, of the columns of `requests` and `outcomes` that tell it."""
    return Cause(
        time_ms,
        entry_kind(kind),
        entry_rule(rule),
        deciding_type(decider),
        request_id,
        request_timestamp_ms,
    )
