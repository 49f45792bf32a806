"""Enriching: each batch of a replay, with what its profile knows by then (section 9)."""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from idsync_cli import wire
from idsync_cli.core.audiences.fold import Fold, Subject
from idsync_cli.core.codes import FileKind, RequestKind, Status
from idsync_cli.core.config.definitions import EventCondition, within
from idsync_cli.core.config.rules import Organization, ScopeRules
from idsync_cli.core.decision import Answer, Decision
from idsync_cli.core.erasure import KeptFile
from idsync_cli.engine.engine import Companion
from idsync_cli.errors import FaultCode, UsageFault, quoted
from idsync_cli.files.enriched_file import EnrichedFile
from idsync_cli.replay.gathering import Gathering
from idsync_cli.replay.summary import Enriched
from idsync_cli.store.api import Transaction
from idsync_cli.store.sqlite import SqliteStore, SqliteTransaction
from idsync_cli.store.sqlite.erasing.kept_files import keep, may_hold_data, text_of
from idsync_cli.store.sqlite.queries.data import data_of
from idsync_cli.store.sqlite.queries.replays import ENRICH, replays


class Enrichment(Companion):
    """Writes each batch to a file as it is answered, in the transaction of its answer.

    Of audiences the moment is the batch's own time, or else `now`. Batches of profiles that have
    opted out are left out, as translation leaves those profiles out.
    """

    def __init__(
        self, organization: Organization, file: EnrichedFile, *, now: Callable[[], int]
    ) -> None:
        self._organization = organization
        self._file = file
        self._now = now
        self._folds = {name: Fold(rules.definitions) for name, rules in organization.scopes.items()}
        self._lines: list[bytes] = []
        self._last_seq = 0
        self._counted = self.counted = Enriched()
        self._is_named = False
        self._gathering = Gathering()

    def begin(self, transaction: Transaction) -> None:
        """Forget what was not kept; keep the file's path, before any erasure has to name it."""
        self._last_seq = transaction.last_seq
        self._lines, self._counted = [], self.counted
        assert isinstance(transaction, SqliteTransaction)
        self._gathering.begin(transaction)
        if not self._is_named and may_hold_data(self._file.path):
            keep(transaction, KeptFile(FileKind.OUTPUT, text_of(self._file.path)))

    def add(self, request: wire.Incoming, answer: Answer, transaction: Transaction) -> None:
        """Enrich a batch that was answered, and pass over all other requests."""
        assert isinstance(transaction, SqliteTransaction)
        if answer.kind is RequestKind.ERASE:
            self._gathering.forget(transaction)
        if answer.kind is not RequestKind.BATCH:
            return
        counted, mpid, decision = self._counted, answer.mpid, answer.outcome
        is_new = isinstance(decision, Decision) and decision.status is not Status.DUPLICATE
        if mpid is None or not is_new:
            self._counted = counted._replace(without_profile=counted.without_profile + 1)
            return
        assert isinstance(decision, Decision)
        line = self._line(answer.seq, mpid, request, decision, transaction)
        if line is None:
            self._counted = counted._replace(opted_out=counted.opted_out + 1)
            return
        self._counted = counted._replace(written=counted.written + 1)
        self._lines.append(line)

    def _line(
        self,
        seq: int,
        mpid: int,
        request: wire.Incoming,
        decision: Decision,
        transaction: SqliteTransaction,
    ) -> bytes | None:
        """The batch with what its profile knows; None if that has opted out."""
        found = transaction.find(mpid)
        assert found is not None
        scope, profile = found
        rules = self._organization.scopes[scope]
        data = data_of(transaction, mpid, 0, is_counted=False)
        assert data is not None
        if data.is_opted_out:
            return None
        batch = request.request
        batch = batch.as_json() if isinstance(batch, wire.BatchLine) else batch
        assert isinstance(batch, dict)
        own_time = wire.moment_of_batch(batch)
        now = self._now() if own_time is None else own_time
        subject = Subject(data, profile.identifiers, rules.is_known(profile), now)
        fold, events_asked = self._folds[scope], None
        if _asks_of_events(rules):
            events_asked = self._gathering.of(transaction, mpid, profile.created_seq, fold)
            events_asked.now_ms = now
        folded = fold.of(subject, events_asked)
        ids = [(rules.definitions.audiences[each].id, each) for each in folded.memberships]
        events = [] if decision.data is None else [each.text for each in decision.data.events]
        return wire.enriched_line(
            seq, mpid, batch, events, profile.identifiers, folded.attributes, sorted(ids)
        )

    def before_commit(self) -> None:
        """Write the batches, whose answers are about to be kept."""
        self._file.write(b"".join(self._lines), self._last_seq)

    def kept(self) -> None:
        """Take note that the answers were kept."""
        self._is_named = True
        self._gathering.committed()
        self._file.keep()
        self.counted = self._counted


@contextmanager
def enriching(
    path: str | None,
    organization: Organization,
    store: SqliteStore,
    *,
    named: str,
    now: Callable[[], int],
    resume: bool,
    may_replace: bool,
) -> Iterator[Enrichment | None]:
    """What enriches the batches of a replay into one store, if there is a file for them.

    `named` is what messages call it.

    Raises:
        UsageFault: the file cannot be written, or the replay continues and the file is not there.
    """
    if path is None:
        yield None
        return
    file = EnrichedFile(path, named, resumed=resume, may_replace=may_replace)
    file.check()
    if resume and not Path(path).exists():
        with store.reading() as transaction:
            is_unfinished = any(
                ENRICH in each.options and not each.finished for each in replays(transaction)
            )
        if is_unfinished:
            raise UsageFault(
                f"{named} {quoted(path)} does not exist, and a replay that continues adds only "
                "what is left; name the file that it was started with",
                FaultCode.OUTPUT_CHANGED,
                path=path,
            )
    with closing(file):
        yield Enrichment(organization, file, now=now)


def _asks_of_events(rules: ScopeRules) -> bool:
    """Whether the rules need all events of a profile to say what it comes to."""
    definitions = rules.definitions
    return bool(definitions.calculated_attributes) or any(
        isinstance(each, EventCondition)
        for audience in definitions.audiences.values()
        for each in within(audience.condition)
    )
