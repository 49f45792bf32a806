"""Access and portability: all that a store has of one profile, as files (section 9)."""

from collections.abc import Callable, Iterator
from itertools import groupby
from operator import attrgetter
from typing import NamedTuple

from idsync_cli.core.codes import FileKind, Status
from idsync_cli.core.config.rules import Organization
from idsync_cli.core.data.values import Event, ProfileData
from idsync_cli.core.decision import Answer, Decision
from idsync_cli.core.erasure import KeptFile
from idsync_cli.core.scoped_profile import ScopedProfile, scoped
from idsync_cli.engine.engine import Engine
from idsync_cli.engine.labels import Labels
from idsync_cli.erasure.subject_ids import check_unused, use
from idsync_cli.files.subject_request import SubjectRequest
from idsync_cli.one_shot import Reply
from idsync_cli.store.api import Transaction
from idsync_cli.store.sqlite import SqliteTransaction
from idsync_cli.store.sqlite.erasing.kept_files import keep, text_of
from idsync_cli.wire import Json


class SubjectProfile(NamedTuple):
    """All that a store has of one profile."""

    profile: ScopedProfile
    data: ProfileData

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing but an MPID."""
        data = self.data
        held = self.profile.profile.identifiers or data.attributes or data.events or data.devices
        return not (held or data.consent_state or data.attribution)

    def batches(self) -> Iterator[tuple[int, list[Event]]]:
        """Its events by the requests that brought them, oldest first."""
        events = sorted(self.data.events, key=attrgetter("seq", "place"))
        for seq, of_one in groupby(events, key=attrgetter("seq")):
            yield seq, list(of_one)


class AccessOutcome(NamedTuple):
    """Whose data was asked for; `subject` is None where nobody is meant."""

    answer: Answer
    subject: SubjectProfile | None

    @property
    def reply(self) -> Reply:
        """The answer alone."""
        return Reply(self.answer, dry_run=False)

    @property
    def exit_status(self) -> int:
        """1 if nobody is meant, 2 if the request was refused for another reason."""
        return self.reply.exit_status


def access(
    engine: Engine,
    organization: Organization,
    request: Json,
    subject: SubjectRequest,
    folder: str,
    *,
    dry_run: bool = False,
    now: Callable[[], int],
) -> AccessOutcome:
    """Find the profile as an erase does, and give all that is known of it.

    Its id is used from then on, and the path of the folder is kept: before anything is written
    there.

    Raises:
        UsageFault: the id was used before.
        StoreFault: the store cannot be used; nothing was changed.
    """
    reading = engine.read(request)
    with engine.reading() if dry_run else engine.writing() as transaction:
        check_unused(transaction, subject)
        answer = engine.answer(reading, transaction, Labels(), decide_only=True, near=True)
        if not isinstance(answer.outcome, Decision) or answer.status is not Status.ERASED:
            return AccessOutcome(answer, None)
        assert answer.mpid is not None
        if not dry_run:
            assert isinstance(transaction, SqliteTransaction)
            use(transaction, subject, answer.mpid, now())
            keep(transaction, KeptFile(FileKind.RESULTS, text_of(folder)))
        return AccessOutcome(answer, subject_of(transaction, organization, answer.mpid))


def subject_of(transaction: Transaction, organization: Organization, mpid: int) -> SubjectProfile:
    """All that a store has of a profile that is there."""
    found, data = transaction.find(mpid), transaction.data_of(mpid)
    assert found is not None
    assert data is not None
    scope, profile = found
    return SubjectProfile(scoped(profile, scope, organization.scopes.get(scope)), data)
