"""Ids of data subjects' requests: one that was used is refused ever after."""

from idsync_cli.core.codes import SubjectRequestState
from idsync_cli.errors import FaultCode, UsageFault
from idsync_cli.files.subject_request import SubjectRequest
from idsync_cli.store.api import Transaction
from idsync_cli.store.sqlite import SqliteTransaction
from idsync_cli.store.sqlite.erasing.subject_requests import (
    SubjectRequestRow,
    find,
    of_id,
    put,
)


def check_unused(
    transaction: Transaction, subject: SubjectRequest, workspace: str | None = None
) -> None:
    """See whether the id of a request was used before.

    By a request of the same workspace; of any where none is given, as on the command line, which
    sees the whole store. One workspace does not learn of another's.

    Raises:
        UsageFault: it was.
    """
    assert isinstance(transaction, SqliteTransaction)
    if workspace is None:
        before = next(iter(of_id(transaction, subject.id)), None)
    else:
        before = find(transaction, workspace, subject.id)
    if before is not None:
        raise UsageFault(
            f"the subject_request_id {subject.id} was already used, by a request of the type "
            f"{before.type}; give each request its own id",
            FaultCode.REQUEST_ID_USED,
        )


def use(
    transaction: SqliteTransaction, subject: SubjectRequest, mpid: int | None, time_ms: int
) -> None:
    """Enter a request that is carried out in the same transaction."""
    its_type, done = subject.type.value, SubjectRequestState.DONE.value
    put(transaction, SubjectRequestRow(subject.id, its_type, done, time_ms, time_ms, mpid))
