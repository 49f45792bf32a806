"""Answering a request as it came, in a transaction of any store."""

from collections.abc import Callable, Sequence
from typing import Final

from idsync_cli import wire
from idsync_cli.core.codes import Status
from idsync_cli.core.config.rules import Organization, ScopeRules
from idsync_cli.core.data.batch_ids import BatchId, Digests, key_of
from idsync_cli.core.decide import decide
from idsync_cli.core.decision import Answer, Decision, Refusal
from idsync_cli.core.erasure import Erasure
from idsync_cli.core.identity import Identifier
from idsync_cli.core.request import BatchRequest
from idsync_cli.engine.labels import Labels, RecordedMpids
from idsync_cli.engine.names import names_of
from idsync_cli.files import rules_json
from idsync_cli.store.api import Transaction
from idsync_cli.store.values import RequestEntry

_ERASED: Final = Status.ERASED

OnApplied = Callable[[Decision, str, RequestEntry], None]
"""Is called with each decision that was applied, its scope, and its entry in the history."""


def _not_told(_decision: Decision, _scope: str, _entry: RequestEntry) -> None:
    """Do nothing: nobody wants to be told."""


class Answering:
    """Answers requests under one configuration, in the transactions that it is given.

    `now` gives milliseconds since 1970, UTC, for the history. With `explain`, answers have what
    every tier did. `on_applied` is told of every decision that changed the store.
    """

    def __init__(
        self,
        organization: Organization,
        seed: int,
        *,
        now: Callable[[], int],
        target: wire.Target | None = None,
        explain: bool = False,
        on_applied: OnApplied = _not_told,
    ) -> None:
        self._on_applied = on_applied
        self._organization = organization
        self._seed = seed
        self._now = now
        self._reader = wire.Reader(organization, target, key_of(seed))
        self._explain = explain
        self._explained_lines: frozenset[int] = frozenset()
        self._remembers_rules = False
        self._digests: dict[bytes, Digests] = {}  # by keys that are not the store's own

    def explain_lines(self, lines: frozenset[int]) -> None:
        """Give answers to these lines what every tier did, even if others do not have it."""
        self._explained_lines = lines

    def rules_are_kept(self) -> None:
        """Note that the store has the rules: the transaction that remembered them was committed."""
        self._remembers_rules = True

    def read(self, request: object | Refusal, *, from_app: bool = False) -> wire.Reading:
        """Read a request; what is wrong with it becomes part of the reading."""
        return self._reader.read(request, from_app=from_app)

    def answer_all(
        self,
        requests: Sequence[wire.Incoming],
        seqs: Sequence[int],
        transaction: Transaction,
        labels: Labels,
    ) -> list[Answer]:
        """Answer requests one after another, under these sequence numbers, and apply the decisions.

        Everything that they name is read from the store first. `labels` get the MPIDs of answers.
        """
        readings = [self._reader.read(each.request) for each in requests]
        self.prefetch(readings, transaction, labels)
        now, lines = self._now(), self._explained_lines
        numbers, its_lines = list(seqs), [each.line for each in requests]
        return [
            self._answer(
                reading,
                its_lines[index],
                numbers[index],
                transaction,
                labels,
                now,
                self._explain or its_lines[index] in lines,
                False,
            )
            for index, reading in enumerate(readings)
        ]

    def answer(
        self,
        reading: wire.Reading,
        seq: int,
        transaction: Transaction,
        labels: Labels,
        *,
        decide_only: bool = False,
        explain: bool = False,
        near: bool = False,
    ) -> Answer:
        """Answer one request under its sequence number; apply the decision unless `decide_only`.

        With `explain`, this answer has what every tier did, even if others do not. With `near`, it
        has the near misses, if no profile was the answer.
        """
        now, explain = self._now(), explain or self._explain
        return self._answer(
            reading, None, seq, transaction, labels, now, explain, near, keep=not decide_only
        )

    def prefetch(
        self, readings: Sequence[wire.Reading], transaction: Transaction, labels: Labels
    ) -> None:
        """Let the store read everything that some requests name, all at once."""
        by_scope: dict[str, tuple[ScopeRules, list[Identifier], list[int], list[bytes]]] = {}
        recorded = labels.recorded
        for reading in readings:
            scope, rules = reading.scope, reading.rules
            if scope is None or rules is None:
                continue
            names = names_of(reading)
            its = by_scope.get(scope)
            if its is None:
                its = by_scope[scope] = (rules, [], [], [])
            its[1].extend(names.identifiers)
            its[2].extend(_here(names.mpids, recorded))
            its[3].extend(names.digests)
            if reading.batch_id is not None and transaction.other_batch_keys:
                others = self._other_digests(reading.batch_id, transaction.other_batch_keys)
                its[3].extend(others)
            for label in names.labels:
                mpid = labels.get(label)
                if mpid is not None:
                    its[2].append(mpid)
        for scope, (rules, identifiers, mpids, digests) in by_scope.items():
            transaction.prefetch(scope, rules, identifiers, mpids, digests)

    def _other_digests(self, batch_id: BatchId, keys: Sequence[bytes]) -> list[bytes]:
        """What the id of a batch is under the keys of stores that were imported."""
        found = []
        for key in keys:
            digests = self._digests.get(key)
            if digests is None:
                digests = self._digests[key] = Digests(key)
            found.append(digests.of(*batch_id))
        return found

    def _answer(
        self,
        reading: wire.Reading,
        line: int | None,
        seq: int,
        transaction: Transaction,
        labels: Labels,
        now: int,
        explain: bool,
        near: bool,
        keep: bool = True,
    ) -> Answer:
        scope, rules, recorded = reading.scope, reading.rules, labels.recorded
        outcome: Decision | Refusal
        if recorded is not None:
            reading.translate(recorded.here)
        try:
            request = wire.request_of(reading, labels, now)
            if reading.batch_id is not None and transaction.other_batch_keys:
                assert isinstance(request, BatchRequest)
                others = self._other_digests(reading.batch_id, transaction.other_batch_keys)
                request = request.looked_up_as(tuple(others))
            assert scope is not None
            assert rules is not None
            lookup = transaction.lookup(scope, rules)
            outcome = decision = decide(
                request, rules, lookup, seq, self._seed, explain=explain, near=near
            )
            if decision.status is _ERASED:
                outcome = decision = _surveyed(decision, reading, scope, seq, transaction, now)
            if keep and decision.changes_the_store:
                assert reading.kind is not None
                its_id, its_time = reading.request_id, reading.request_timestamp_ms
                entry = RequestEntry(seq, now, reading.kind, its_id, its_time)
                transaction.apply(decision, scope, rules, entry)
                self._on_applied(decision, scope, entry)
                if not (self._remembers_rules or transaction.remembers_rules):
                    transaction.remember_rules(rules_json.remembered(self._organization))
        except Refusal as refusal:
            outcome = refusal.with_traceback(None)  # it would keep every local variable alive
        answer = Answer(seq, line, reading.kind, scope, outcome)
        mpid = answer.mpid
        if answer.status is _ERASED and mpid is not None:
            if now is not None:
                labels.unset(mpid)
                if recorded is not None:
                    recorded.unset(mpid)
            mpid = None
        if reading.label is not None:  # an answer without an MPID unsets it (section 8)
            labels.name(reading.label, mpid)
        if recorded is not None and reading.recorded_mpid is not None and mpid is not None:
            recorded.meets(reading.recorded_mpid, mpid, line)
        return answer


def _here(mpids: Sequence[int], recorded: RecordedMpids | None) -> Sequence[int]:
    """What MPIDs stand for, as far as that is known."""
    return mpids if recorded is None else [recorded.here(mpid) for mpid in mpids]


def _surveyed(
    decision: Decision,
    reading: wire.Reading,
    scope: str,
    seq: int,
    transaction: Transaction,
    now: int,
) -> Decision:
    """An erasure with what it removes, which the store knows."""
    profile = decision.profile
    assert profile is not None
    erasure = Erasure(profile.mpid, seq, scope, now, reading.request_id)
    return decision.reported(transaction.survey(erasure))
