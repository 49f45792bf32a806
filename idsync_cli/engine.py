"""Read, decide, write: the one caller of both the rules and the store.

A one-shot request, a line of a replay and a step of a scenario all pass through `_answer`.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from idsync_cli import wire
from idsync_cli.core.codes import RequestKind
from idsync_cli.core.decision import Answer, Decision, Refusal
from idsync_cli.core.identity import IdentityType
from idsync_cli.core.match import Knowledge
from idsync_cli.core.modify import modify
from idsync_cli.core.request import ModifyRequest, Request
from idsync_cli.core.resolve import Turn, resolve
from idsync_cli.core.rules import Organization, Rules
from idsync_cli.files import rules_json
from idsync_cli.store import Entry, MpidTaken, Session, Store
from idsync_cli.store.rules import remember_rules

_new = tuple.__new__


class Labels(dict[str, int]):
    """The MPIDs that labels stand for; `touched` has what this batch found in their place."""

    def __init__(self, known: Mapping[str, int] | None = None) -> None:
        super().__init__(known or {})
        self.touched: dict[str, int | None] = {}

    def name(self, label: str, mpid: int | None) -> None:
        """Let the label stand for an MPID, or for none."""
        self.touched.setdefault(label, self.get(label))
        self._put(label, mpid)

    def undo(self) -> None:
        """Go back to how it was before the batch."""
        for label, mpid in self.touched.items():
            self._put(label, mpid)
        self.touched.clear()

    def _put(self, label: str, mpid: int | None) -> None:
        if mpid is None:
            self.pop(label, None)
        else:
            self[label] = mpid


class _Named:
    """What the requests of a batch name in one scope."""

    __slots__ = ("identities", "mpids", "rules")

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self.identities: list[Mapping[IdentityType, str | None]] = []
        self.mpids: list[int] = []


BeforeCommit = Callable[[Session, list[Answer]], None]
"""What is done in the transaction of a batch once it is answered: it is kept with the batch."""


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
                return self._answer(reading, None, session, write=False)
        with self._writing() as session:
            answer = self._answer(reading, None, session, write=True)
            if isinstance(answer.outcome, Decision) and answer.outcome.changes_the_store:
                session.last_seq = answer.seq
            return answer

    def batch(
        self, requests: Iterable[wire.Incoming], before_commit: BeforeCommit | None = None
    ) -> list[Answer]:
        """Answer requests one after another in one transaction; each takes a sequence number.

        Raises:
            StoreFault: the store cannot be used; nothing of the batch was changed.
        """
        read = self._reader.read
        readings = [(read(request), line) for request, line in requests]
        try:
            return self._answer_all(readings, before_commit, new_mpids_are_free=True)
        except MpidTaken:
            return self._answer_all(readings, before_commit, new_mpids_are_free=False)

    def _answer_all(
        self,
        readings: Sequence[tuple[wire.Reading, int | None]],
        before_commit: BeforeCommit | None,
        *,
        new_mpids_are_free: bool,
    ) -> list[Answer]:
        answers = []
        self.labels.touched.clear()
        try:
            with self._writing() as session:
                session.new_mpids_are_free = new_mpids_are_free
                self._look_up(readings, session)
                for reading, line in readings:
                    answers.append(self._answer(reading, line, session, write=True))
                    session.last_seq += 1
                session.write()
                if before_commit is not None:
                    before_commit(session, answers)
        except BaseException:
            self.labels.undo()
            raise
        return answers

    @contextmanager
    def _writing(self) -> Iterator[Session]:
        with self._store.writing() as session:
            agreed = session.agree(self._organization.scopes)
            yield session
        self._rules_are_remembered |= session.remembers_rules
        for scope in agreed:
            self._on_agreed(scope)

    def _look_up(
        self, readings: Sequence[tuple[wire.Reading, int | None]], session: Session
    ) -> None:
        """Let the store read at once all that the requests of a batch name."""
        named: dict[str, _Named] = {}
        for reading, _ in readings:
            scope, rules = reading.scope, reading.rules
            if scope is None or rules is None or reading.late_refusal:
                continue
            its = named.get(scope)
            if its is None:
                its = named[scope] = _Named(rules)
            if reading.identities:
                its.identities.append(reading.identities)
            if reading.changes:
                for kind, old, new in reading.changes:
                    its.identities += {kind: old}, {kind: new}
            for mpid in (reading.mpid, reading.previous_mpid):
                found = self.labels.get(mpid) if isinstance(mpid, str) else mpid
                if found is not None:
                    its.mpids.append(found)
        for scope, its in named.items():
            session.look_up(scope, its.rules, its.identities, its.mpids)

    def _answer(
        self, reading: wire.Reading, line: int | None, session: Session, *, write: bool
    ) -> Answer:
        """Answer a request by the next sequence number and, with `write`, do what was decided."""
        seq = session.last_seq + 1
        scope, rules = reading.scope, reading.rules
        outcome: Decision | Refusal
        try:
            asked = wire.request_of(reading, self.labels)
            assert scope is not None
            assert rules is not None
            turn = _new(Turn, (seq, self._store.seed))
            outcome = decide(asked, rules, session.scope(scope), turn, explain=self._explain)
            if write and (outcome.changes or outcome.created):
                session.apply(outcome, scope, rules, self._entry(seq, reading))
                self._remember_rules(session)
        except Refusal as refusal:
            outcome = refusal.with_traceback(None)  # which would keep all that is around here
        answer = _new(Answer, (seq, line, reading.kind, scope, rules, outcome))
        if reading.label is not None:  # an answer without an MPID unsets it (section 8)
            self.labels.name(reading.label, answer.mpid)
        return answer

    def _remember_rules(self, session: Session) -> None:
        """Let the store remember the rules it changes under; looked at once, not every time."""
        if not (self._rules_are_remembered or session.remembers_rules):
            remember_rules(session, rules_json.remembered(self._organization))

    def _entry(self, seq: int, reading: wire.Reading) -> Entry:
        assert reading.kind is not None
        texts = reading.request_id, reading.request_timestamp_ms
        return _new(Entry, (seq, self._now(), reading.kind, *texts))


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
