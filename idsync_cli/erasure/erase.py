"""One erasure, from the request to the proof that no byte is left (section 9)."""

from collections.abc import Callable
from typing import NamedTuple

from idsync_cli.core.codes import Status
from idsync_cli.core.decision import Answer, Decision, Refusal
from idsync_cli.core.erasure import ErasureReport
from idsync_cli.engine.engine import Engine
from idsync_cli.engine.labels import Labels
from idsync_cli.erasure.subject_ids import check_unused, use
from idsync_cli.files.subject_request import SubjectRequest
from idsync_cli.one_shot import Reply
from idsync_cli.store.file_values import Evidence
from idsync_cli.store.sqlite import SqliteStore, SqliteTransaction
from idsync_cli.wire import Json

Note = Callable[[SqliteTransaction, Answer], None]
"""Is called in the transaction of an erasure."""


class ErasureOutcome(NamedTuple):
    """The answer, and what shows that no byte is left: None where that is not so, or not yet.

    `is_unfinished` says that the profile is gone, and that somebody reads what was. With `dry_run`
    nothing of it was written.
    """

    answer: Answer
    dry_run: bool = False
    evidence: Evidence | None = None
    is_unfinished: bool = False

    @property
    def reply(self) -> Reply:
        """The answer alone."""
        return Reply(self.answer, self.dry_run)

    @property
    def exit_status(self) -> int:
        """1 if nobody is meant, 2 if the request was refused for another reason."""
        return self.reply.exit_status

    @property
    def report(self) -> ErasureReport | None:
        """What was taken away; None where nobody was erased."""
        outcome = self.answer.outcome
        return outcome.report if isinstance(outcome, Decision) else None


def erase(
    engine: Engine,
    store: SqliteStore,
    request: Json,
    *,
    subject: SubjectRequest | None = None,
    note: Note | None = None,
    dry_run: bool = False,
    now: Callable[[], int],
) -> ErasureOutcome:
    """Answer an erase, and let no byte be left; a dry run only says what it would take away.

    `note` is called with the answer, in the transaction that carries it out.

    Raises:
        UsageFault: the id of the subject's request was used before; nothing was changed.
        StoreFault: the store cannot be used, or the file not be rewritten.
    """
    reading = engine.read(request)
    if dry_run:
        with engine.reading() as transaction:
            if subject is not None:
                check_unused(transaction, subject)
            answer = engine.answer(reading, transaction, Labels(), decide_only=True, near=True)
            return ErasureOutcome(answer, dry_run=True)
    with engine.writing() as transaction:
        assert isinstance(transaction, SqliteTransaction)
        if subject is not None:
            check_unused(transaction, subject)
        answer = engine.answer(reading, transaction, Labels(), near=True)
        if subject is not None and answer.status is Status.ERASED:
            use(transaction, subject, answer.mpid, now())
        if note is not None:
            note(transaction, answer)
    if isinstance(answer.outcome, Refusal) or answer.status is not Status.ERASED:
        return ErasureOutcome(answer)
    if not store.finish_erasures():
        return ErasureOutcome(answer, is_unfinished=True)
    return ErasureOutcome(answer, evidence=store.erased_bytes.evidence())
