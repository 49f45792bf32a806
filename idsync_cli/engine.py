"""Read, decide, write: the one caller of both the rules and the store.

A one-shot request, a line of a replay and a step of a scenario all pass through `_answer`.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager

from idsync_cli import wire
from idsync_cli.core.codes import RequestKind
from idsync_cli.core.decision import Answer, Decision, Refusal
from idsync_cli.core.match import Knowledge
from idsync_cli.core.modify import modify
from idsync_cli.core.request import ModifyRequest, Request
from idsync_cli.core.resolve import Turn, resolve
from idsync_cli.core.rules import Organization, Rules
from idsync_cli.files import rules_json
from idsync_cli.store import Entry, Session, Store
from idsync_cli.store.rules import remember_rules


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


BeforeCommit = Callable[[Session, list[Answer]], None]
"""What is done in the transaction of a batch once it is answered: it is kept with the batch."""


class Engine:
    """Answers requests over one store under one configuration.

    `now` gives milliseconds since 1970, UTC, for the history. `labels` names the answers so far.
    """

    def __init__(
        self,
        organization: Organization,
        store: Store,
        *,
        now: Callable[[], int],
        target: wire.Target | None = None,
    ) -> None:
        self._organization = organization
        self._store = store
        self._now = now
        self._target = target or wire.Target()
        self._rules_are_remembered = False
        self.labels = Labels()

    def one_shot(self, request: object | Refusal, *, dry_run: bool = False) -> Answer:
        """Answer one request in a transaction of its own.

        It takes a sequence number only if it changes the store (section 7). A search, which
        never does, reads without holding up anybody; so does a dry run, which only decides.

        Raises:
            StoreFault: the store cannot be used; nothing was changed.
        """
        incoming = wire.Incoming(request)
        if dry_run or wire.kind_of(request) is RequestKind.SEARCH:
            with self._store.reading() as session:
                return self._answer(incoming, session, write=False)
        with self._writing() as session:
            answer = self._answer(incoming, session, write=True)
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
        answers = []
        self.labels.touched.clear()
        try:
            with self._writing() as session:
                for incoming in requests:
                    answers.append(self._answer(incoming, session, write=True))
                    session.last_seq += 1
                if before_commit is not None:
                    before_commit(session, answers)
        except BaseException:
            self.labels.undo()
            raise
        return answers

    @contextmanager
    def _writing(self) -> Iterator[Session]:
        with self._store.writing() as session:
            yield session
        self._rules_are_remembered |= session.remembers_rules

    def _answer(self, incoming: wire.Incoming, session: Session, *, write: bool) -> Answer:
        """Answer a request by the next sequence number and, with `write`, do what was decided."""
        request = incoming.request
        seq = session.last_seq + 1
        kind, scope, rules = wire.kind_of(request), None, None
        outcome: Decision | Refusal
        try:
            if isinstance(request, Refusal):
                raise request
            given = wire.check_shape(request)
            scope = wire.scope_of(given, self._organization, self._target)
            rules = self._organization.scopes[scope]
            asked = wire.request_of(given, self.labels)
            turn = Turn(seq, self._store.seed)
            outcome = decide(asked, rules, session.scope(scope), turn)
            if write:
                session.apply(outcome, scope, self._entry(seq, given))
                if outcome.changes_the_store:
                    self._remember_rules(session)
        except Refusal as refusal:
            outcome = refusal
        answer = Answer(seq, incoming.line, kind, scope, rules, outcome)
        self._set_label(request, answer)
        return answer

    def _remember_rules(self, session: Session) -> None:
        """Let the store remember the rules it changes under; looked at once, not every time."""
        if not (self._rules_are_remembered or session.remembers_rules):
            remember_rules(session, rules_json.remembered(self._organization))

    def _entry(self, seq: int, given: wire.Json) -> Entry:
        return Entry(
            seq=seq,
            time_ms=self._now(),
            kind=RequestKind(given["type"]),
            request_id=given.get("request_id"),
            request_timestamp_ms=given.get("request_timestamp_ms"),
        )

    def _set_label(self, request: object, answer: Answer) -> None:
        """Let a label name the answer's MPID; an answer without one unsets it (section 8)."""
        label = request.get("label") if isinstance(request, dict) else None
        if isinstance(label, str) and wire.is_text(label):
            self.labels.name(label, answer.mpid)


def decide(request: Request, rules: Rules, knowledge: Knowledge, turn: Turn) -> Decision:
    """Decide any request by the rules of its scope.

    Raises:
        Refusal: the request is refused, and nothing changes.
    """
    if isinstance(request, ModifyRequest):
        return modify(request, rules, knowledge)
    return resolve(request, rules, knowledge, turn)
