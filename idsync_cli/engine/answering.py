"""Answering: from a request as it came to an answer, over a transaction of any store."""

from collections.abc import Callable, Sequence

from idsync_cli import wire
from idsync_cli.core.config.rules import Organization, ScopeRules
from idsync_cli.core.decide import decide
from idsync_cli.core.decision import Answer, Decision, Refusal
from idsync_cli.core.identity import Identifier
from idsync_cli.engine.labels import Labels, RecordedMpids
from idsync_cli.engine.names import names_of
from idsync_cli.files import rules_json
from idsync_cli.store.api import RequestEntry, Transaction


class Answering:
    """Answers requests under one configuration, over whatever transaction it is given.

    `now` gives milliseconds since 1970, UTC, for the history. With `explain`, answers have the
    account of every tier.
    """

    def __init__(
        self,
        organization: Organization,
        seed: int,
        *,
        now: Callable[[], int],
        target: wire.Target | None = None,
        explain: bool = False,
    ) -> None:
        self._organization = organization
        self._seed = seed
        self._now = now
        self._reader = wire.Reader(organization, target)
        self._explain = explain
        self._remembers_rules = False

    def rules_are_kept(self) -> None:
        """Hear that a transaction was kept in which the store was told the rules."""
        self._remembers_rules = True

    def read(self, request: object | Refusal) -> wire.Reading:
        """Read a request, as far as it is one."""
        return self._reader.read(request)

    def answer_all(
        self,
        requests: Sequence[wire.Incoming],
        seqs: Sequence[int],
        transaction: Transaction,
        labels: Labels,
    ) -> list[Answer]:
        """Answer requests one after another by these sequence numbers, and do what is decided.

        What all of them name is looked up beforehand. Each answer with a label names it.
        """
        readings = [self._reader.read(each.request) for each in requests]
        self.prefetch(readings, transaction, labels)
        now, explain = self._now(), self._explain
        return [
            self._answer(
                reading, requests[place].line, seqs[place], transaction, labels, now, explain, False
            )
            for place, reading in enumerate(readings)
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
        """Answer one request by its sequence number; what is decided is done, or only decided.

        With `explain` this one has the account of every tier, even if the others have not, and with
        `near` who holds what was asked for where nobody was the answer.
        """
        now = None if decide_only else self._now()
        explain = explain or self._explain
        return self._answer(reading, None, seq, transaction, labels, now, explain, near)

    def prefetch(
        self, readings: Sequence[wire.Reading], transaction: Transaction, labels: Labels
    ) -> None:
        """Let the store read at once all that some requests name."""
        by_scope: dict[str, tuple[ScopeRules, list[Identifier], list[int]]] = {}
        for reading in readings:
            scope, rules = reading.scope, reading.rules
            if scope is None or rules is None:
                continue
            names = names_of(reading)
            its = by_scope.get(scope)
            if its is None:
                its = by_scope[scope] = (rules, [], [])
            its[1].extend(names.identifiers)
            its[2].extend(_here(names.mpids, labels.recorded))
            for label in names.labels:
                mpid = labels.get(label)
                if mpid is not None:
                    its[2].append(mpid)
        for scope, (rules, identifiers, mpids) in by_scope.items():
            transaction.prefetch(scope, rules, identifiers, mpids)

    def _answer(
        self,
        reading: wire.Reading,
        line: int | None,
        seq: int,
        transaction: Transaction,
        labels: Labels,
        now: int | None,
        explain: bool,
        near: bool,
    ) -> Answer:
        scope, rules, recorded = reading.scope, reading.rules, labels.recorded
        outcome: Decision | Refusal
        if recorded is not None:
            reading.translate(recorded.here)
        try:
            request = wire.request_of(reading, labels)
            assert scope is not None
            assert rules is not None
            lookup = transaction.lookup(scope, rules)
            outcome = decide(request, rules, lookup, seq, self._seed, explain=explain, near=near)
            if now is not None and outcome.changes_the_store:
                assert reading.kind is not None
                its_id, its_time = reading.request_id, reading.request_timestamp_ms
                entry = RequestEntry(seq, now, reading.kind, its_id, its_time)
                transaction.apply(outcome, scope, rules, entry)
                if not (self._remembers_rules or transaction.remembers_rules):
                    transaction.remember_rules(rules_json.remembered(self._organization))
        except Refusal as refusal:
            outcome = refusal.with_traceback(None)  # which would keep all that is around here
        answer = Answer(seq, line, reading.kind, scope, outcome)
        if reading.label is not None:  # an answer without an MPID unsets it (section 8)
            labels.name(reading.label, answer.mpid)
        if recorded is not None and reading.recorded_mpid is not None:
            mpid = answer.mpid
            if mpid is not None:
                recorded.meets(reading.recorded_mpid, mpid, line)
        return answer


def _here(mpids: Sequence[int], recorded: RecordedMpids | None) -> Sequence[int]:
    """What MPIDs stand for, as far as that is known."""
    return mpids if recorded is None else [recorded.here(mpid) for mpid in mpids]
