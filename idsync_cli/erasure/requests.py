"""Requests of data subjects that are accepted now and carried out later (section 10)."""

from collections.abc import Callable
from typing import Final, NamedTuple

from idsync_cli.core.codes import ErrorCode, Status, SubjectRequestState
from idsync_cli.core.config.rules import Organization
from idsync_cli.core.decision import Answer, Refusal
from idsync_cli.engine.engine import Engine
from idsync_cli.engine.labels import Labels
from idsync_cli.erasure.access import SubjectProfile, subject_of
from idsync_cli.erasure.erase import ErasureOutcome, erase
from idsync_cli.erasure.subject_ids import check_unused
from idsync_cli.files.subject_request import SubjectRequest, SubjectRequestType
from idsync_cli.store.api import Transaction
from idsync_cli.store.sqlite import SqliteStore, SqliteTransaction
from idsync_cli.store.sqlite.erasing import entries, subject_requests
from idsync_cli.store.sqlite.erasing.subject_requests import SubjectRequestRow
from idsync_cli.wire import Json

RESULTS_MS: Final = 7 * 24 * 60 * 60 * 1000
"""For how long the results of a request are given."""

PENDING: Final = "pending"
IN_PROGRESS: Final = "in_progress"
COMPLETED: Final = "completed"
CANCELLED: Final = "cancelled"


class UnderWay(Exception):
    """The same request, by another id, is still to be carried out."""


class NotPending(Exception):
    """A request that was carried out, or cancelled, cannot be cancelled."""


class SubjectRequestProgress(NamedTuple):
    """A request, and how far it has come in OpenDSR's words."""

    row: SubjectRequestRow
    status: str


def accept(
    engine: Engine,
    request: Json,
    subject: SubjectRequest,
    workspace: str,
    *,
    delay_ms: int,
    now: Callable[[], int],
) -> SubjectRequestRow | Refusal:
    """Find whose profile is meant, as an erase does, and enter the request as pending.

    Of whom it names only the MPID is kept.

    Raises:
        UsageFault: the workspace used the id before.
        UnderWay: a request of the same type for the same profile is pending.
        StoreFault: the store cannot be used; nothing was changed.
    """
    reading = engine.read(request)
    with engine.writing() as transaction:
        assert isinstance(transaction, SqliteTransaction)
        check_unused(transaction, subject, workspace)
        answer = engine.answer(reading, transaction, Labels(), decide_only=True)
        outcome = answer.outcome
        if isinstance(outcome, Refusal) and outcome.code is not ErrorCode.MPID_NOT_FOUND:
            return outcome
        mpid = answer.mpid if answer.status is Status.ERASED else None
        for row in subject_requests.pending(transaction):
            if (row.workspace, row.type, row.mpid) == (workspace, subject.type, mpid) and mpid:
                raise UnderWay
        came = now()
        row = SubjectRequestRow(
            subject.id,
            subject.type.value,
            SubjectRequestState.PENDING.value,
            came,
            came + delay_ms,
            mpid,
            int(mpid is not None),
            workspace,
            subject.group_id,
        )
        subject_requests.put(transaction, row)
        return row


def carry_out(
    engine: Engine, store: SqliteStore, workspace: str, its_id: str, *, now: Callable[[], int]
) -> ErasureOutcome | None:
    """Carry out a request that is due; an erasure as `erase` does, in the same transaction.

    None where there is nothing to erase. A request that cannot be carried out stays pending.

    Raises:
        StoreFault: the store cannot be used, or the file not be rewritten.
    """
    with engine.writing() as transaction:
        assert isinstance(transaction, SqliteTransaction)
        row = subject_requests.find(transaction, workspace, its_id)
        if row is None or row.state != SubjectRequestState.PENDING:
            return None
        found = None if row.mpid is None else transaction.find(row.mpid)
        if row.type != SubjectRequestType.ERASURE or found is None:
            _done(transaction, row, now())
            return None
    request = {"type": "erase", "scope": found[0], "mpid": str(row.mpid), "request_id": its_id}

    def note(transaction: SqliteTransaction, answer: Answer) -> None:
        if answer.status is Status.ERASED:
            _done(transaction, row, now())

    return erase(engine, store, request, note=note, now=now)


def _done(transaction: SqliteTransaction, row: SubjectRequestRow, now_ms: int) -> None:
    there = subject_requests.find(transaction, row.workspace, row.subject_request_id)
    mpid = None if there is None else there.mpid
    done = SubjectRequestState.DONE.value
    subject_requests.put(transaction, row._replace(state=done, due_ms=now_ms, mpid=mpid))


def cancel(engine: Engine, workspace: str, its_id: str) -> SubjectRequestRow | None:
    """Cancel a pending request; None where the workspace has none of the id.

    Raises:
        NotPending: it was carried out, or cancelled.
        StoreFault: the store cannot be used; nothing was changed.
    """
    with engine.writing() as transaction:
        assert isinstance(transaction, SqliteTransaction)
        row = subject_requests.find(transaction, workspace, its_id)
        if row is None:
            return None
        if row.state != SubjectRequestState.PENDING:
            raise NotPending
        row = row._replace(state=SubjectRequestState.CANCELLED.value)
        subject_requests.put(transaction, row)
        return row


def progress_of(
    transaction: Transaction, workspace: str, its_id: str
) -> SubjectRequestProgress | None:
    """How far a request has come; None where the workspace has none of the id."""
    assert isinstance(transaction, SqliteTransaction)
    row = subject_requests.find(transaction, workspace, its_id)
    return None if row is None else _progress(transaction, row)


def progress_of_group(
    transaction: Transaction, workspace: str, group_id: str
) -> list[SubjectRequestProgress]:
    """How far the requests of a group have come, those first that came first."""
    assert isinstance(transaction, SqliteTransaction)
    found = subject_requests.of_group(transaction, workspace, group_id)
    return [_progress(transaction, row) for row in found]


def _progress(transaction: SqliteTransaction, row: SubjectRequestRow) -> SubjectRequestProgress:
    if row.state == SubjectRequestState.PENDING:
        return SubjectRequestProgress(row, PENDING)
    if row.state == SubjectRequestState.CANCELLED:
        return SubjectRequestProgress(row, CANCELLED)
    is_owed = row.type == SubjectRequestType.ERASURE and entries.is_owed_for(
        transaction, row.subject_request_id
    )
    return SubjectRequestProgress(row, IN_PROGRESS if is_owed else COMPLETED)


def pending(transaction: Transaction) -> list[SubjectRequestRow]:
    """The requests that are to be carried out, those first that are due first."""
    assert isinstance(transaction, SqliteTransaction)
    return subject_requests.pending(transaction)


def is_over(row: SubjectRequestRow, now_ms: int) -> bool:
    """Whether the results of a request that was carried out are no longer given."""
    return now_ms >= row.due_ms + RESULTS_MS or (row.mpid is None and bool(row.is_of_somebody))


def results_of(
    transaction: Transaction, organization: Organization, row: SubjectRequestRow
) -> SubjectProfile | None:
    """All that the store has of the profile that a request is about; None where it has none."""
    if row.mpid is None or transaction.find(row.mpid) is None:
        return None
    return subject_of(transaction, organization, row.mpid)
