"""The throttle of one host: the spacing and the number of concurrent requests hold, also when callers are cancelled."""

from __future__ import annotations

import asyncio
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.fetching.throttle import Throttle
from tests.support.servers.http import NEWS, SPORTS, HandClock, Reply, Seen, harness, in_loop, redirect, reply


def throttle_of(clock: HandClock, rate: float = 2, patience: float = 60, pause_until: float = 0) -> Throttle:
    return Throttle(
        requests_per_second=rate,
        concurrency=3,
        patience=patience,
        pause_left=lambda: pause_until - clock.at,
        clock=clock.clock(),
    )


def gaps(seen: list[Seen]) -> list[float]:
    return [later.at - earlier.at for earlier, later in pairwise(seen)]


# --- as the server sees it -------------------------------------------------------------------------------------------


@in_loop
async def test_requests_of_every_kind_arrive_at_the_pace() -> None:
    """Requests for robots.txt, redirects and retries count too, and sixteen concurrent callers do not cause a burst."""
    pages: dict[str, Reply | list[Reply]] = {f"/{n}": reply() for n in range(5)}
    pages |= {"/r": redirect("/0"), "/again": [reply(b"", "503 Busy"), reply()]}
    async with harness(pages, requests_per_second=20, concurrency=16, backoff_seconds=0) as w:
        await asyncio.gather(*(w.page(f"https://{NEWS}{path}") for path in pages))
        assert len(w.server.seen) == 1 + 5 + 2 + 2
        # The server may notice one request late and the next in time: the total is exact, a single gap nearly so.
        assert w.server.seen[-1].at - w.server.seen[0].at >= 9 * 0.05 - 0.02
        assert min(gaps(w.server.seen)) > 0.02


@in_loop
async def test_each_host_has_a_pace_of_its_own_although_one_address_answers_for_all() -> None:
    hosts = {SPORTS: {"requests_per_second": 20, "concurrency": 1}}
    async with harness({"/a": reply(), "/robots.txt": reply(b"", "404 None")}, hosts=hosts) as w:
        urls = [f"https://{host}/a" for host in (NEWS, SPORTS) for _ in range(5)]
        await asyncio.gather(*map(w.page, urls))
        news = [seen for seen in w.server.seen if seen.host == NEWS]
        sports = [seen for seen in w.server.seen if seen.host == SPORTS]
    assert news[-1].at < sports[3].at, "the slow host must not delay the other"
    assert sports[-1].at - sports[0].at >= 5 * 0.05 - 0.02


@in_loop
async def test_no_more_at_once_than_allowed() -> None:
    async def slow(_: object, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.02)
        writer.write(reply())

    async with harness({"/a": slow}, concurrency=3) as w:
        await asyncio.gather(*(w.page(f"https://{NEWS}/a") for _ in range(12)))
        assert w.server.most_inside == 3


# --- with a manual clock ---------------------------------------------------------------------------------------------


@given(st.lists(st.floats(0, 3), min_size=1, max_size=20), st.floats(0.1, 50))
def test_no_two_turns_are_closer_than_the_pace(idle: list[float], rate: float) -> None:
    clock = HandClock()

    async def turns() -> list[float]:
        throttle, at = throttle_of(clock, rate), []
        for seconds in idle:
            clock.at += seconds
            assert await throttle.wait_turn() == 0
            at.append(clock.at)
        return at

    for earlier, later in pairwise(asyncio.run(turns())):
        assert later - earlier >= 1 / rate - 1e-9


@in_loop
async def test_no_pace_waits_for_nothing() -> None:
    clock = HandClock()
    throttle = throttle_of(clock, rate=0)
    for _ in range(100):
        assert await throttle.wait_turn() == 0
    assert clock.slept == []


@in_loop
async def test_waiting_callers_are_served_in_order_and_one_at_a_time() -> None:
    clock = HandClock()
    throttle, served = throttle_of(clock), []

    async def turn(number: int) -> None:
        await throttle.wait_turn()
        served.append(number)

    await asyncio.gather(*map(turn, range(5)))
    assert served == [0, 1, 2, 3, 4]
    assert clock.slept == pytest.approx([0.5] * 4)


@in_loop
async def test_slowing_down_never_speeds_up() -> None:
    clock = HandClock()
    throttle = throttle_of(clock, rate=0.5)
    throttle.slow_down(1)
    await throttle.wait_turn()
    await throttle.wait_turn()
    throttle.slow_down(7)
    await throttle.wait_turn()
    assert clock.slept == pytest.approx([2, 7])


@in_loop
async def test_a_cancelled_wait_uses_up_no_turn() -> None:
    class Stuck(HandClock):
        async def sleep(self, seconds: float) -> None:
            self.slept.append(seconds)
            await asyncio.Event().wait()

    clock = Stuck()
    throttle = throttle_of(clock)
    await throttle.wait_turn()
    waiting = [asyncio.create_task(throttle.wait_turn()) for _ in range(5)]
    await asyncio.sleep(0)  # the first one sleeps, the others wait in the queue
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    clock.at += 0.5
    assert await throttle.wait_turn() == 0
    assert clock.slept == pytest.approx([0.5])


@in_loop
async def test_a_wait_beyond_the_patience_is_reported_and_not_started() -> None:
    clock = HandClock()
    throttle = throttle_of(clock, patience=60, pause_until=clock.at + 61)
    assert await throttle.wait_turn() == pytest.approx(61)
    clock.at += 1
    assert await throttle.wait_turn() == 0
    assert clock.slept == pytest.approx([60])


@in_loop
async def test_a_pace_slower_than_the_patience_is_the_users_own_wish() -> None:
    clock = HandClock()
    throttle = throttle_of(clock, rate=0.01, patience=60)
    assert [await throttle.wait_turn(), await throttle.wait_turn()] == [0, 0]
    assert clock.slept == pytest.approx([100])
    throttle.slow_down(500)
    assert await throttle.wait_turn() == pytest.approx(500), "the patience limits a delay set by the host"
