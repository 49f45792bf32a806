"""What is due of the requests of data subjects is carried out (section 10)."""

import asyncio
import math
from typing import Final

from idsync_cli.engine.engine import Engine
from idsync_cli.erasure import requests as subject_requests
from idsync_cli.erasure.erase import ErasureOutcome
from idsync_cli.server.api import Api
from idsync_cli.store.api import Store
from idsync_cli.store.sqlite import SqliteStore
from idsync_cli.store.sqlite.erasing.subject_requests import SubjectRequestRow


class DueRequests:
    """Carries out what is due; what cannot be done is due again in `look_again` seconds."""

    def __init__(self, api: Api, look_again: float) -> None:
        self._api: Final = api
        self._look_again: Final = look_again

    async def carry_out(self) -> float:
        """Carry out all that is due; gives in how many seconds there may be more."""
        stuck = 0
        await self._api.forget_the_erased()
        while True:
            waiting = (await self._api.look(subject_requests.pending))[stuck:]
            now = self._api.now()
            if not waiting or waiting[0].due_ms > now:
                is_finished = await self._api.do(_finish)
                wait = (waiting[0].due_ms - now) / 1000 if waiting else math.inf
                is_all = is_finished and not stuck
                return wait if is_all else min(wait, self._look_again)
            task = asyncio.ensure_future(self._carry_out(waiting[0]))
            try:
                is_done = await asyncio.shield(task)
            except asyncio.CancelledError:  # what was begun is carried out, and recorded
                await task
                raise
            stuck += not is_done

    async def _carry_out(self, row: SubjectRequestRow) -> bool:
        """Carry out a request; False where it stays pending."""
        now, its_id = self._api.now, row.subject_request_id

        def do(engine: Engine, store: Store) -> ErasureOutcome | None:
            assert isinstance(store, SqliteStore)
            return subject_requests.carry_out(engine, store, row.workspace, its_id, now=now)

        outcome = await self._api.do(do)
        if outcome is None:
            return True
        if outcome.report is None:
            return False
        if self._api.live is not None:
            self._api.live.erased_until(outcome.answer.seq)
        answer, recorder = outcome.answer, self._api.recorder
        if recorder is not None:
            erased = {"scope": answer.scope, "mpid": str(answer.mpid), "request_id": its_id}
            recorder.add({"type": "erase", **erased}, answer)
        return True


def _finish(_engine: Engine, store: Store) -> bool:
    assert isinstance(store, SqliteStore)
    return store.erased_bytes.remove_at_once()
