"""Requests in transactions of a store, one by one or many at once: read, decide, write."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Final

from mypy_extensions import mypyc_attr

from idsync_cli import wire
from idsync_cli.core.codes import RequestKind
from idsync_cli.core.config.rules import Organization
from idsync_cli.core.decision import Answer, Decision, Refusal
from idsync_cli.engine.answering import Answering
from idsync_cli.engine.labels import Labels
from idsync_cli.store.api import Store, Transaction

AddAnswers = Callable[[list[Answer]], None]
"""Is called with the answers of each block of requests."""

BeforeCommit = Callable[[Transaction], None]
"""Is called in the transaction of a batch, after it was answered and before the commit."""


def _nothing_more(_transaction: Transaction) -> None:
    """Do nothing: nothing is kept with the batch."""


def _one_by_one(blocks: Iterable[Sequence[wire.Incoming]]) -> Iterator[Sequence[wire.Incoming]]:
    """The requests of blocks, each as a block of its own."""
    for block in blocks:
        for request in block:
            yield [request]


@mypyc_attr(allow_interpreted_subclasses=True)
class Companion(ABC):
    """Is told of each answer of a batch of requests, one at a time and in its transaction."""

    @abstractmethod
    def begin(self, transaction: Transaction) -> None:
        """A transaction has begun; what belonged to an earlier one and was not kept is undone."""

    @abstractmethod
    def add(self, request: wire.Incoming, answer: Answer, transaction: Transaction) -> None:
        """A request was answered; the transaction has what it changed, and nothing later."""

    @abstractmethod
    def before_commit(self) -> None:
        """The transaction is complete, and is about to be committed."""

    @abstractmethod
    def kept(self) -> None:
        """The transaction was committed."""


class Engine:
    """Answers requests over one store under one configuration.

    `now` gives milliseconds since 1970, UTC, for the history. With `explain`, answers have what
    every tier did. `on_aligned` is called with the name of each scope whose login types have
    changed, so that the store had to be brought up to date. A `companion` goes with all batches,
    which therefore must be written by this process.
    """

    def __init__(
        self,
        organization: Organization,
        store: Store,
        *,
        now: Callable[[], int],
        target: wire.Target | None = None,
        explain: bool = False,
        on_aligned: Callable[[str], None] = lambda _: None,
        companion: Companion | None = None,
    ) -> None:
        self._organization = organization
        self._store = store
        self._answering = Answering(
            organization, store.seed, now=now, target=target, explain=explain
        )
        self._on_aligned = on_aligned
        self.companion: Final = companion

    def one_shot(
        self,
        request: object | Refusal,
        labels: Labels | None = None,
        *,
        dry_run: bool = False,
        near: bool = False,
    ) -> Answer:
        """Answer one request in a transaction of its own.

        It takes a sequence number only if it changes the store (section 7). A search and a dry run
        change nothing, and only read. With `near`, the answer has the near misses, if no profile
        was the answer.

        Raises:
            StoreFault: the store cannot be used; nothing was changed.
        """
        reading = self._answering.read(request)
        labels = Labels() if labels is None else labels
        if dry_run or reading.kind is RequestKind.SEARCH:
            with self.reading() as transaction:
                return self.answer(reading, transaction, labels, decide_only=True, near=near)
        with self.writing() as transaction:
            return self.answer(reading, transaction, labels, near=near)

    def explain_lines(self, lines: frozenset[int]) -> None:
        """Give answers to these lines of a file what every tier did, even if others do not."""
        self._answering.explain_lines(lines)

    def read(self, request: object | Refusal, *, from_app: bool = False) -> wire.Reading:
        """Read a request, to be answered by `answer`."""
        return self._answering.read(request, from_app=from_app)

    def prefetch(self, readings: Sequence[wire.Reading], transaction: Transaction) -> None:
        """Let the store read everything that some requests name, before they are answered."""
        self._answering.prefetch(readings, transaction, Labels())

    def answer(
        self,
        reading: wire.Reading,
        transaction: Transaction,
        labels: Labels,
        *,
        decide_only: bool = False,
        explain: bool = False,
        near: bool = False,
    ) -> Answer:
        """Answer one request as `one_shot` does, in a transaction that has begun."""
        seq = transaction.last_seq + 1
        answer = self._answering.answer(
            reading,
            seq,
            transaction,
            labels,
            decide_only=decide_only,
            explain=explain,
            near=near,
        )
        outcome = answer.outcome
        if not decide_only and isinstance(outcome, Decision) and outcome.changes_the_store:
            transaction.advance_to(seq)
        return answer

    def batch(
        self,
        requests: Iterable[wire.Incoming],
        labels: Labels | None = None,
        before_commit: BeforeCommit = _nothing_more,
    ) -> list[Answer]:
        """Answer requests one after another in one transaction; each takes a sequence number.

        `labels` are those set before; without them only those of the batch itself are known.

        Raises:
            StoreFault: the store cannot be used; nothing of the batch was changed.
        """
        answers: list[Answer] = []
        labels = Labels() if labels is None else labels
        with self.writing() as transaction:
            self.answer_blocks([list(requests)], labels, transaction, answers.extend)
            transaction.flush()
            before_commit(transaction)
        return answers

    def answer_blocks(
        self,
        blocks: Iterable[Sequence[wire.Incoming]],
        labels: Labels,
        transaction: Transaction,
        add: AddAnswers,
    ) -> None:
        """Answer blocks of requests in a transaction that has begun, under its next numbers.

        `add` is called after each block, so that few answers are in memory.
        """
        companion = self.companion
        if companion is not None:
            blocks = _one_by_one(blocks)
        for block in blocks:
            first = transaction.last_seq + 1
            seqs = range(first, first + len(block))
            answers = self._answering.answer_all(block, seqs, transaction, labels)
            add(answers)
            transaction.advance_to(first + len(block) - 1)
            if companion is not None:
                companion.add(block[0], answers[0], transaction)

    def reading(self) -> AbstractContextManager[Transaction]:
        """A transaction in which requests can be decided; nothing is written."""
        return self._store.reading()

    @contextmanager
    def writing(self, *, trust_new_mpids: bool = False) -> Iterator[Transaction]:
        """A transaction in which requests can be answered under these rules."""
        with self._store.writing(trust_new_mpids=trust_new_mpids) as transaction:
            aligned = transaction.align(self._organization.scopes)
            if self.companion is not None:
                self.companion.begin(transaction)
            yield transaction
            if self.companion is not None:
                self.companion.before_commit()
        if self.companion is not None:
            self.companion.kept()
        if transaction.remembers_rules:
            self._answering.rules_are_kept()
        for scope in aligned:
            self._on_aligned(scope)
