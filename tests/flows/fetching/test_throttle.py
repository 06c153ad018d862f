"""One host's door: never closer together than the pace, never more inside than allowed, nothing lost by giving up."""

from __future__ import annotations

import asyncio
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.fetching.throttle import Door
from tests.support.http_server import NEWS, SPORTS, HandClock, Reply, Seen, in_loop, redirect, reply, world


def door_of(clock: HandClock, rate: float = 2, patience: float = 60, pause_until: float = 0) -> Door:
    return Door(
        requests_per_second=rate,
        concurrency=3,
        patience=patience,
        pause_left=lambda: pause_until - clock.at,
        clock=clock.clock(),
    )


def gaps(seen: list[Seen]) -> list[float]:
    return [later.at - earlier.at for earlier, later in pairwise(seen)]


# --- from the server's side ------------------------------------------------------------------------------------------


@in_loop
async def test_requests_of_every_kind_arrive_at_the_pace() -> None:
    """robots.txt, redirects and tries again count, and sixteen who ask at once get no burst."""
    pages: dict[str, Reply | list[Reply]] = {f"/{n}": reply() for n in range(5)}
    pages |= {"/r": redirect("/0"), "/again": [reply(b"", "503 Busy"), reply()]}
    async with world(pages, requests_per_second=20, concurrency=16, backoff_seconds=0) as w:
        await asyncio.gather(*(w.page(f"https://{NEWS}{path}") for path in pages))
        assert len(w.server.seen) == 1 + 5 + 2 + 2
        # The server's own loop may wake late for one request and not for the next: the sum is firm, a gap nearly.
        assert w.server.seen[-1].at - w.server.seen[0].at >= 9 * 0.05 - 0.02
        assert min(gaps(w.server.seen)) > 0.02


@in_loop
async def test_each_host_has_a_pace_of_its_own_although_one_address_answers_for_all() -> None:
    hosts = {SPORTS: {"requests_per_second": 20, "concurrency": 1}}
    async with world({"/a": reply(), "/robots.txt": reply(b"", "404 None")}, hosts=hosts) as w:
        urls = [f"https://{host}/a" for host in (NEWS, SPORTS) for _ in range(5)]
        await asyncio.gather(*map(w.page, urls))
        news = [seen for seen in w.server.seen if seen.host == NEWS]
        sports = [seen for seen in w.server.seen if seen.host == SPORTS]
    assert news[-1].at < sports[3].at, "the slow host holds up nobody else"
    assert sports[-1].at - sports[0].at >= 5 * 0.05 - 0.02


@in_loop
async def test_no_more_at_once_than_allowed() -> None:
    async def slow(_: object, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.02)
        writer.write(reply())

    async with world({"/a": slow}, concurrency=3) as w:
        await asyncio.gather(*(w.page(f"https://{NEWS}/a") for _ in range(12)))
        assert w.server.most_inside == 3


# --- by hand ---------------------------------------------------------------------------------------------------------


@given(st.lists(st.floats(0, 3), min_size=1, max_size=20), st.floats(0.1, 50))
def test_no_two_turns_are_closer_than_the_pace(idle: list[float], rate: float) -> None:
    clock = HandClock()

    async def turns() -> list[float]:
        door, at = door_of(clock, rate), []
        for seconds in idle:
            clock.at += seconds
            assert await door.turn() == 0
            at.append(clock.at)
        return at

    for earlier, later in pairwise(asyncio.run(turns())):
        assert later - earlier >= 1 / rate - 1e-9


@in_loop
async def test_no_pace_waits_for_nothing() -> None:
    clock = HandClock()
    door = door_of(clock, rate=0)
    for _ in range(100):
        assert await door.turn() == 0
    assert clock.slept == []


@in_loop
async def test_those_in_line_are_served_in_order_and_one_at_a_time() -> None:
    clock = HandClock()
    door, served = door_of(clock), []

    async def turn(number: int) -> None:
        await door.turn()
        served.append(number)

    await asyncio.gather(*map(turn, range(5)))
    assert served == [0, 1, 2, 3, 4]
    assert clock.slept == pytest.approx([0.5] * 4)


@in_loop
async def test_slowing_down_never_speeds_up() -> None:
    clock = HandClock()
    door = door_of(clock, rate=0.5)
    door.slow_down(1)
    await door.turn()
    await door.turn()
    door.slow_down(7)
    await door.turn()
    assert clock.slept == pytest.approx([2, 7])


@in_loop
async def test_who_gives_up_while_waiting_takes_no_turn() -> None:
    clock = HandClock()
    door = door_of(clock)
    await door.turn()
    hung = HandClock()
    hung.at = clock.at
    waiting = [asyncio.create_task(door.turn()) for _ in range(5)]
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    clock.at += 0.5
    assert await door.turn() == 0
    assert clock.slept == []


@in_loop
async def test_a_wait_beyond_the_patience_is_told_and_not_begun() -> None:
    clock = HandClock()
    door = door_of(clock, patience=60, pause_until=clock.at + 61)
    assert await door.turn() == pytest.approx(61)
    clock.at += 1
    assert await door.turn() == 0
    assert clock.slept == pytest.approx([60])


@in_loop
async def test_a_pace_slower_than_the_patience_is_the_users_own_wish() -> None:
    clock = HandClock()
    door = door_of(clock, rate=0.01, patience=60)
    assert [await door.turn(), await door.turn()] == [0, 0]
    assert clock.slept == pytest.approx([100])
    door.slow_down(500)
    assert await door.turn() == pytest.approx(500), "but not a host's"
