"""Results of other threads come to the event loop, whatever they are (section 10)."""

import asyncio
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor

import pytest

from idsync_cli.server.results import Results


def test_each_gets_its_own_whatever_came_with_it() -> None:
    async def ask() -> None:
        results = Results()
        asked: list[Future[int]] = [Future() for _ in range(2_000)]
        waiting = [asyncio.create_task(results.of(each)) for each in asked]
        await asyncio.sleep(0)
        with ThreadPoolExecutor(4) as threads:
            list(threads.map(lambda number: asked[number].set_result(number), range(len(asked))))
        assert await asyncio.gather(*waiting) == list(range(len(asked)))

    asyncio.run(asyncio.wait_for(ask(), 60))


def test_one_that_is_there_already_and_one_that_failed() -> None:
    async def ask() -> None:
        results, done, failed = Results(), Future[int](), Future[int]()
        done.set_result(5)
        failed.set_exception(ValueError("no"))
        assert await results.of(done) == 5
        with pytest.raises(ValueError, match="no"):
            await results.of(failed)

    asyncio.run(asyncio.wait_for(ask(), 60))


def test_who_waits_no_more_lets_what_is_not_begun_be() -> None:
    async def ask() -> None:
        results = Results()
        one, other, cancelled = Future[int](), Future[int](), Future[int]()
        waiting = [asyncio.create_task(results.of(each)) for each in (one, other)]
        await asyncio.sleep(0)
        assert other.set_running_or_notify_cancel()
        for each in waiting:
            each.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        assert one.cancelled()
        other.set_result(1)  # nobody waits for it
        cancelled.cancel()
        with pytest.raises((asyncio.CancelledError, CancelledError)):
            await results.of(cancelled)

    asyncio.run(asyncio.wait_for(ask(), 60))
