"""One pace for several machines: the turns of a row in PostgreSQL."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from itertools import pairwise

import pytest

from flows.fetching.throttle import Clock, Throttle
from flows.fetching.turns import Turns, open_turns
from schemas.errors import BadInput, StorageFault
from tests.support.servers.machines import shared_database

HOST = "n.news.naver.com"


@pytest.fixture(scope="module")
def database() -> Iterator[str]:
    with shared_database() as address:
        yield address


def throttle(turns: Turns, host: str, rate: float, patience: float = 60) -> Throttle:
    return Throttle(
        requests_per_second=rate,
        concurrency=4,
        patience=patience,
        pause_left=lambda: 0,
        clock=Clock(),
        take_turn=lambda every: turns.take(host, every),
    )


@pytest.mark.slow
def test_machines_that_share_a_pace_keep_it_together(database: str) -> None:
    """Three machines, each with a connection of its own. A gap is never shorter than the interval."""
    sent: list[float] = []

    async def machine() -> None:
        async with open_turns(database) as turns:
            gate = throttle(turns, "one", 20)
            for _ in range(8):
                assert await gate.wait_turn() == 0
                sent.append(time.monotonic())

    async def all_machines() -> None:
        await asyncio.gather(machine(), machine(), machine())

    asyncio.run(all_machines())
    assert len(sent) == 24
    assert min(later - earlier for earlier, later in pairwise(sent)) >= 1 / 20


def test_a_pause_that_one_machine_was_asked_for_holds_for_all(database: str) -> None:
    async def both() -> tuple[float, float]:
        async with open_turns(database) as one, open_turns(database) as other:
            await one.take("two", 0.001)
            await one.pause("two", 90)
            return await other.take("two", 0.001), await throttle(other, "two", 10, patience=5).wait_turn()

    turn, refused = asyncio.run(both())
    assert 60 < turn <= 90
    assert refused > 60  # longer than the patience: the caller is told, and sends nothing


def test_a_request_that_is_late_for_its_turn_takes_another(database: str) -> None:
    """The process slept through its turn: had it sent then, the next machine's request would come too close."""
    asked: list[float] = []
    at = [0.0]

    async def take(every: float) -> float:
        asked.append(every)
        return 1.0

    async def oversleep(seconds: float) -> None:
        at[0] += seconds + (5.0 if len(asked) < 3 else 0.0)

    gate = Throttle(
        requests_per_second=1,
        concurrency=1,
        patience=60,
        pause_left=lambda: 0,
        clock=Clock(monotonic=lambda: at[0], sleep=oversleep),
        take_turn=take,
    )
    assert asyncio.run(gate.wait_turn()) == 0
    assert asked == [1.1, 1.1, 1.1]


def test_without_the_database_nothing_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flows.fetching.turns._PAUSE_BETWEEN", 0)

    async def take() -> float:
        async with open_turns("postgresql://someone:secret@127.0.0.1:9/none") as turns:
            return await turns.take(HOST, 1)

    with pytest.raises(StorageFault, match="Nothing is requested without it") as raised:
        asyncio.run(take())
    assert "secret" not in str(raised.value)
    with pytest.raises(BadInput, match="is not an address such as"):
        open_turns("mysql://127.0.0.1/x")
