"""A stop ends guarded fetches, and nothing else."""

from __future__ import annotations

import asyncio

import pytest

from flows.pipeline.stop import Stop
from schemas.page import Fault, FetchFault, RawPage
from tests.support.values import page

URL = "https://n.news.naver.com/mnews/article/001/0000000001"
STOPPED = FetchFault(URL, Fault.STOPPED, "the run was stopped")


class Host:
    """Answers after `seconds`; counts the requests, and those that were cancelled."""

    def __init__(self, answer: RawPage | Exception, seconds: float = 0.0) -> None:
        self.requests = self.cancelled = 0
        self._answer = answer
        self._seconds = seconds

    async def fetch(self, url: str) -> RawPage | FetchFault:
        self.requests += 1
        try:
            await asyncio.sleep(self._seconds)
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        if isinstance(self._answer, Exception):
            raise self._answer
        return self._answer


def test_open_fetches_end_at_once_and_later_ones_send_nothing() -> None:
    async def run() -> None:
        stop, host = Stop(), Host(page(URL), seconds=60)
        fetch = stop.guard(host.fetch)
        opened = [asyncio.ensure_future(fetch(URL)) for _ in range(3)]
        await asyncio.sleep(0)
        stop.request()
        stop.request(by_hand=True)
        assert await asyncio.gather(*opened) == [STOPPED] * 3
        assert (host.requests, host.cancelled) == (3, 3)
        assert await fetch(URL) == STOPPED
        assert (host.requests, stop.requested, stop.by_hand) == (3, True, True)

    asyncio.run(run())


def test_open_fetches_end_in_their_order() -> None:
    """The next run retries them in this order: of two copies, it keeps the one that an uninterrupted run would."""

    async def run() -> None:
        stop, host, ended = Stop(), Host(page(URL), seconds=60), list[int]()
        fetch = stop.guard(host.fetch)

        async def visit(number: int) -> None:
            await fetch(URL)
            ended.append(number)

        visits = [asyncio.ensure_future(visit(number)) for number in range(100)]
        await asyncio.sleep(0)
        stop.request()
        await asyncio.gather(*visits)
        assert ended == list(range(100))

    asyncio.run(run())


def test_an_answer_and_an_error_of_the_fetch_itself_pass() -> None:
    async def run() -> None:
        stop, answer = Stop(), page(URL)
        assert await stop.guard(Host(answer).fetch)(URL) is answer
        with pytest.raises(TimeoutError, match="its own"):
            await stop.guard(Host(TimeoutError("its own")).fetch)(URL)
        assert not stop.requested

    asyncio.run(run())


def test_a_fetch_that_is_cancelled_by_its_caller_is_not_taken_for_a_stop() -> None:
    async def run() -> None:
        stop = Stop()
        task = asyncio.ensure_future(stop.guard(Host(page(URL), seconds=60).fetch)(URL))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        stop.request()  # of no fetch that has ended

    asyncio.run(run())
