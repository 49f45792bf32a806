"""One request by itself, answered from a store; without one, as from an empty store."""

from collections.abc import Callable
from typing import NamedTuple

from idsync_cli import wire
from idsync_cli.core.codes import ErrorCode, Status
from idsync_cli.core.decision import Answer, Decision, Refusal
from idsync_cli.engine.engine import Engine
from idsync_cli.store import sqlite as stores
from idsync_cli.store.api import Store
from idsync_cli.store.sqlite import SqliteStore


class Reply(NamedTuple):
    """The answer to one request; with `dry_run` nothing of it was written."""

    answer: Answer
    dry_run: bool

    @property
    def exit_status(self) -> int:
        """1 if no profile was found, 2 if the request was refused for another reason."""
        outcome = self.answer.outcome
        if isinstance(outcome, Refusal):
            return 1 if outcome.code is ErrorCode.MPID_NOT_FOUND else 2
        return int(outcome.status is Status.NOT_FOUND)


def _accept(_answer: Answer, _opened: SqliteStore) -> None:
    """That nothing was found is all there is to say."""


def _names_nobody(answer: Answer) -> bool:
    """Whether an alias may have been refused for an MPID that no profile has."""
    outcome = answer.outcome
    return isinstance(outcome, Refusal) and outcome.code is ErrorCode.INVALID_ALIAS


def reply_to(
    request: wire.Json,
    opened: SqliteStore | None,
    path: str,
    *,
    engine_over: Callable[[Store], Engine],
    new_seed: Callable[[], int],
    dry_run: bool,
    on_nothing_found: Callable[[Answer, SqliteStore], None] = _accept,
) -> Reply:
    """Answer a request from an open store, which is closed then.

    If there is none, one is made at the path, but only if the answer changes it. Where nothing was
    found, `on_nothing_found` may look into the store for what was meant: for people at their own
    store alone.

    Raises:
        StoreFault: the store cannot be used, or made.
    """
    if opened is None:
        from idsync_cli.store.memory import MemoryStore

        seed = new_seed()
        with MemoryStore(seed) as empty:
            answer = engine_over(empty).one_shot(request, dry_run=True, near=True)
        outcome = answer.outcome
        if dry_run or not (isinstance(outcome, Decision) and outcome.changes_the_store):
            return Reply(answer, dry_run)
        opened = stores.create(path, seed)
    with opened:
        answer = engine_over(opened).one_shot(request, dry_run=dry_run, near=True)
        reply = Reply(answer, dry_run)
        if reply.exit_status == 1 or _names_nobody(answer):
            on_nothing_found(answer, opened)
        return reply
