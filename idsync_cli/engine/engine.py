"""Read, decide, write: the one caller of both the rules and the store.

A one-shot request, a line of a replay and a step of a scenario all pass through `_answer`.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager

from idsync_cli import wire
from idsync_cli.core.codes import RequestKind
from idsync_cli.core.config.rules import Organization, Rules
from idsync_cli.core.decision import Answer, Decision, Refusal
from idsync_cli.core.identity import Identifier, IdentityType
from idsync_cli.core.request import ModifyRequest, Request
from idsync_cli.core.resolve.matcher import Knowledge
from idsync_cli.core.resolve.modify import modify
from idsync_cli.core.resolve.resolution import Turn, resolve
from idsync_cli.engine.labels import Labels
from idsync_cli.files import rules_json
from idsync_cli.store.sqlite import Batch, Entry, MpidTaken, Session, Store
from idsync_cli.store.sqlite.queries.rules import remember_rules


class _Named:
    """What some requests name in one scope."""

    __slots__ = ("identifiers", "mpids", "rules")

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self.identifiers: list[Identifier] = []
        self.mpids: list[int] = []

    def name(self, kind: IdentityType, value: str | None) -> None:
        """Take in a value that is named, if it is one."""
        if value is not None:
            self.identifiers.append(Identifier(kind, value))


TakeAnswers = Callable[[list[Answer]], None]
"""What takes the answers of a block of requests."""

BeforeCommit = Callable[[Session], None]
"""What is done in the transaction of a batch once it is answered: it is kept with the batch."""


def _nothing_more(_session: Session) -> None:
    """Nothing is kept with the batch."""


class Engine:
    """Answers requests over one store under one configuration.

    `now` gives milliseconds since 1970, UTC, for the history. `labels` names the answers so far.
    With `explain`, answers have the account of every tier. `on_agreed` is told of each scope for
    which the store had to be brought up to date, because other types are login types in it now.
    """

    def __init__(
        self,
        organization: Organization,
        store: Store,
        *,
        now: Callable[[], int],
        target: wire.Target | None = None,
        explain: bool = False,
        on_agreed: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._organization = organization
        self._store = store
        self._now = now
        self._reader = wire.Reader(organization, target)
        self._explain = explain
        self._on_agreed = on_agreed
        self._rules_are_remembered = False
        self.labels = Labels()

    def one_shot(self, request: object | Refusal, *, dry_run: bool = False) -> Answer:
        """Answer one request in a transaction of its own.

        It takes a sequence number only if it changes the store (section 7). A search, which
        never does, reads without holding up anybody; so does a dry run, which only decides.

        Raises:
            StoreFault: the store cannot be used; nothing was changed.
        """
        reading = self._reader.read(request)
        if dry_run or reading.kind is RequestKind.SEARCH:
            with self._store.reading() as session:
                return self._answer(reading, None, session, None)
        with self._writing() as session:
            answer = self._answer(reading, None, session, self._now())
            if isinstance(answer.outcome, Decision) and answer.outcome.changes_the_store:
                session.last_seq = answer.seq
            return answer

    def batch(
        self,
        requests: Iterable[wire.Incoming],
        before_commit: BeforeCommit = _nothing_more,
    ) -> list[Answer]:
        """Answer requests one after another in one transaction; each takes a sequence number.

        Raises:
            StoreFault: the store cannot be used; nothing of the batch was changed.
        """
        whole = list(requests)
        answers: list[Answer] = []

        def again() -> TakeAnswers:
            answers.clear()
            return answers.extend

        self.blocks([whole], again, before_commit)
        return answers

    def blocks(
        self,
        blocks: Iterable[Sequence[wire.Incoming]],
        begin: Callable[[], TakeAnswers],
        before_commit: BeforeCommit,
    ) -> None:
        """Answer requests as `batch` does, a block after another, so that few are in memory.

        `blocks` may have to be gone through twice. `begin` is called before each time, and gives
        what takes the answers of every block.

        Raises:
            StoreFault: the store cannot be used; nothing of the batch was changed.
        """
        try:
            self._answer_all(blocks, begin(), before_commit, new_mpids_are_free=True)
        except MpidTaken:
            self._answer_all(blocks, begin(), before_commit, new_mpids_are_free=False)

    def _answer_all(
        self,
        blocks: Iterable[Sequence[wire.Incoming]],
        take: TakeAnswers,
        before_commit: BeforeCommit,
        *,
        new_mpids_are_free: bool,
    ) -> None:
        self.labels.touched = {}
        try:
            with self._writing() as session:
                session.new_mpids_are_free = new_mpids_are_free
                for block in blocks:
                    take(self._answers(block, session))
                session.write()
                before_commit(session)
        except BaseException:
            self.labels.undo()
            raise

    @property
    def can_go_ahead(self) -> bool:
        """Whether `ahead` may be called: the store knows the rules, and nobody else wrote."""
        return self._rules_are_remembered and self._store.is_current

    def ahead(self, blocks: Iterable[Sequence[wire.Incoming]], take: TakeAnswers) -> Batch:
        """Answer requests as `blocks` does, but leave it to the caller to have it written.

        Raises:
            TablesBehind: what was handed out before must be in the store first.
            StoreFault: the store cannot be used.
        """
        self.labels.touched = {}
        try:
            with self._store.reading_ahead() as session:
                session.new_mpids_are_free = True
                session.go_ahead()
                for block in blocks:
                    take(self._answers(block, session))
                return session.take()
        except BaseException:
            self.labels.undo()
            raise

    def _answers(self, block: Sequence[wire.Incoming], session: Session) -> list[Answer]:
        readings = [self._reader.read(each.request) for each in block]
        self._look_up(readings, session)
        now = self._now()
        answers: list[Answer] = []
        for place, reading in enumerate(readings):
            answers.append(self._answer(reading, block[place].line, session, now))
            session.last_seq += 1
        return answers

    @contextmanager
    def _writing(self) -> Iterator[Session]:
        with self._store.writing() as session:
            agreed = session.agree(self._organization.scopes)
            yield session
        self._rules_are_remembered |= session.remembers_rules
        for scope in agreed:
            self._on_agreed(scope)

    def _look_up(self, readings: Sequence[wire.Reading], session: Session) -> None:
        """Let the store read at once all that some requests name."""
        named: dict[str, _Named] = {}
        for reading in readings:
            scope, rules = reading.scope, reading.rules
            if scope is None or rules is None or reading.late_refusal:
                continue
            its = named.get(scope)
            if its is None:
                its = named[scope] = _Named(rules)
            its.identifiers += reading.identifiers
            if reading.identities:
                for kind, value in reading.identities.items():
                    its.name(kind, value)
            if reading.changes:
                for kind, old, new in reading.changes:
                    its.name(kind, old)
                    its.name(kind, new)
            for mpid in (reading.mpid, reading.previous_mpid):
                found = self.labels.get(mpid) if isinstance(mpid, str) else mpid
                if found is not None:
                    its.mpids.append(found)
        for scope, its in named.items():
            session.look_up(scope, its.rules, its.identifiers, its.mpids)

    def _answer(
        self, reading: wire.Reading, line: int | None, session: Session, now: int | None
    ) -> Answer:
        """Answer a request by the next sequence number.

        What was decided is done, too, unless there is no time to enter it at.
        """
        seq = session.last_seq + 1
        scope, rules = reading.scope, reading.rules
        outcome: Decision | Refusal
        try:
            asked = wire.request_of(reading, self.labels)
            assert scope is not None
            assert rules is not None
            turn = Turn(seq, self._store.seed)
            outcome = decide(asked, rules, session.scope(scope), turn, explain=self._explain)
            if now is not None and outcome.changes_the_store:
                assert reading.kind is not None
                its_id, its_time = reading.request_id, reading.request_timestamp_ms
                entry = Entry(seq, now, reading.kind, its_id, its_time)
                session.apply(outcome, scope, rules, entry)
                self._remember_rules(session)
        except Refusal as refusal:
            outcome = refusal.with_traceback(None)  # which would keep all that is around here
        answer = Answer(seq, line, reading.kind, scope, rules, outcome)
        if reading.label is not None:  # an answer without an MPID unsets it (section 8)
            self.labels.name(reading.label, answer.mpid)
        return answer

    def _remember_rules(self, session: Session) -> None:
        """Let the store remember the rules it changes under; looked at once, not every time."""
        if not (self._rules_are_remembered or session.remembers_rules):
            remember_rules(session, rules_json.remembered(self._organization))


def decide(
    request: Request, rules: Rules, knowledge: Knowledge, turn: Turn, *, explain: bool = False
) -> Decision:
    """Decide any request by the rules of its scope; `explain` adds the account of every tier.

    Raises:
        Refusal: the request is refused, and nothing changes.
    """
    if isinstance(request, ModifyRequest):
        return modify(request, rules, knowledge, explain=explain)
    return resolve(request, rules, knowledge, turn, explain=explain)
