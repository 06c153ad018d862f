"""A plain function in a Prefect task, in a thread with an event loop of its own, so that it can stop in order.

Prefect ends a run by an exception in the main thread, at any point. There, this module only waits: the wait is
cancelled, the plain function is asked to stop, and what it has fetched is stored before the run ends.
"""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, Protocol, TypeVar

from prefect import get_run_logger, task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State

from flows.deployed.flow_runs import artifacts, states
from flows.deployed.flow_runs.cancellation import leave_out_noise, until_cancelled
from flows.deployed.flow_runs.housekeeping import before_work
from flows.pipeline.stop import Stop
from flows.reports.run_summary import Json, account, new_articles, remarks, summary
from schemas.errors import SeogoError
from schemas.receipt import Receipt

PROGRESS_EVERY = 3.0
"""Seconds between two updates of the progress artifact."""

T = TypeVar("T")


class PlainRun(Protocol):
    """An asynchronous run without its order, such as `partial(crawl, order)`."""

    def __call__(self, *, stop: Stop, on_progress: Callable[[Receipt], None]) -> Awaitable[Receipt]: ...


class RunBridge:
    """Connects a plain function's thread with its flow's loop: progress one way, a request to stop the other."""

    def __init__(self) -> None:
        self.progress = (0, 0, 0)
        """Finds that have ended, finds so far, requests."""
        self._stop_requested = threading.Event()
        self._lock = threading.Lock()
        self._wake: Callable[[], object] = lambda: None

    def report(self, receipt: Receipt) -> None:
        """Take over the progress (a plain function's `on_progress`)."""
        self.progress = (receipt.finds, receipt.discovered, receipt.requests)

    def stopped(self) -> bool:
        """Whether the run is to stop (a synchronous plain function's `stopped`)."""
        return self._stop_requested.is_set()

    def request_stop(self) -> None:
        """To be called from the flow's loop."""
        with self._lock:
            self._stop_requested.set()
            self._wake()

    def run(self, plain: Callable[[Stop], Awaitable[T]]) -> T:
        """Run an asynchronous function to its end, in this thread."""
        return asyncio.run(self._run(plain))

    async def _run(self, plain: Callable[[Stop], Awaitable[T]]) -> T:
        stop, loop = Stop(), asyncio.get_running_loop()
        with self._lock:
            self._wake = partial(loop.call_soon_threadsafe, partial(stop.request, by_hand=True))
            if self.stopped():
                self._wake()
        try:
            return await plain(stop)
        finally:
            with self._lock:
                self._wake = lambda: None


async def as_task(name: str, work: Callable[[], Awaitable[State[Any]]]) -> State[Any]:
    """Do the work of a flow as its one task. The task's state becomes the flow's; an error of ours is a state, too."""

    async def once() -> State[Any]:
        try:
            return await work()
        except SeogoError as error:
            return states.of_error(error)

    silence = await before_work()
    # An article is no task of its own: the server handles some 15 task runs a second.
    run: Any = task(name=name, cache_policy=NO_CACHE)(once)
    state = await run(return_state=True)
    if silence and state.is_completed():
        silence.end()
    return State(type=state.type, name=state.name, message=state.message, data=state.data)


async def with_receipt(plain: PlainRun) -> State[dict[str, Any]]:
    """Do a run that gives a receipt: log it, make its artifacts, return its state. Raises SeogoError."""
    bridge = RunBridge()
    run = partial(bridge.run, lambda stop: plain(stop=stop, on_progress=bridge.report))
    receipt = (await in_thread(run, bridge)).as_json()
    _log(receipt)
    await artifacts.markdown(receipt["command"], account(receipt), receipt["explanation"])
    if rows := new_articles(receipt):
        await artifacts.table(receipt["command"], rows, of=receipt["outcomes"]["new"])
    return states.of_receipt(receipt)


async def in_thread(work: Callable[[], T], bridge: RunBridge | None = None) -> T:
    """Do `work` in another thread. Whatever ends the wait requests a stop, and waits until the work has ended.

    Raises what `work` raises, and RunCancelled.
    """
    bridge = bridge or RunBridge()
    # A future, not a task: if Prefect ends the run, all tasks of the loop are cancelled.
    running: asyncio.Future[T] = asyncio.get_running_loop().run_in_executor(None, contextvars.copy_context().run, work)
    cancelled = asyncio.create_task(until_cancelled())
    ends: set[asyncio.Future[Any]] = {running, cancelled}
    try:
        async with _progress_shown(bridge):
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        return running.result() if running.done() else cancelled.result()
    finally:
        cancelled.cancel()
        if not running.done():
            get_run_logger().warning("stopping: what was fetched is stored first")
            leave_out_noise()
            bridge.request_stop()
            await asyncio.wait({running})


def _log(receipt: Json) -> None:
    """A line for the run, and a line for each thing that an operator should look at."""
    get_run_logger().info("%s", summary(receipt))
    for line in remarks(receipt):
        get_run_logger().warning("%s", line)


@asynccontextmanager
async def _progress_shown(bridge: RunBridge) -> AsyncIterator[None]:
    """Keeps a progress artifact up to date inside the block."""
    bar = artifacts.Progress()
    updates = asyncio.create_task(_update(bar, bridge))
    try:
        yield
    finally:
        updates.cancel()
        await asyncio.wait({updates})
        if bridge.progress[0]:
            await bar.show(*bridge.progress)


async def _update(bar: artifacts.Progress, bridge: RunBridge) -> None:
    shown = (0, 0, 0)
    while True:
        if (now := bridge.progress) != shown:
            await bar.show(*now)
            shown = now
        await asyncio.sleep(PROGRESS_EVERY)
