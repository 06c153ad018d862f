"""A plain function at work inside a task: in a thread with an event loop of its own, so that it stops in order.

Prefect ends a run by an exception in the main thread, wherever that happens to be. There, nothing but waiting is
done: the wait is cancelled, the plain function is asked to stop, and what it had fetched is stored before the run ends.
"""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, TypeVar

from prefect import get_run_logger
from prefect.client.schemas.objects import State
from pydantic import BaseModel

from flows.deployed import artifacts, states
from flows.pipeline.stop import Stop
from flows.reports.run_summary import Json, account, new_articles, remarks, summary
from schemas.errors import SeogoError
from schemas.receipt import Receipt

PROGRESS_EVERY = 3.0
"""Seconds between two updates of the progress artifact."""

T = TypeVar("T")


class Watch:
    """What the plain function's thread and the flow's loop tell each other: how far it is, and whether to stop."""

    def __init__(self) -> None:
        self.done, self.all, self.requests = 0, 0, 0
        self._asked = threading.Event()
        self._turn = threading.Lock()
        self._ask: Callable[[], object] = lambda: None

    def tell(self, receipt: Receipt) -> None:
        """How far the run is (a plain function's `on_progress`)."""
        self.done, self.all, self.requests = receipt.finds, receipt.discovered, receipt.requests

    def stopped(self) -> bool:
        """Whether the run is to stop (a synchronous plain function's `stopped`)."""
        return self._asked.is_set()

    def ask_to_stop(self) -> None:
        """To be called from the flow's loop."""
        with self._turn:
            self._asked.set()
            self._ask()

    def run(self, plain: Callable[[Stop], Awaitable[T]]) -> T:
        """Run an asynchronous plain function to its end, in this thread."""
        return asyncio.run(self._run(plain))

    async def _run(self, plain: Callable[[Stop], Awaitable[T]]) -> T:
        stop, loop = Stop(), asyncio.get_running_loop()
        with self._turn:
            self._ask = partial(loop.call_soon_threadsafe, partial(stop.ask, by_hand=True))
            if self.stopped():
                self._ask()
        try:
            return await plain(stop)
        finally:
            with self._turn:
                self._ask = lambda: None


async def in_thread(watch: Watch, work: Callable[[], T]) -> T:
    """Do `work` in another thread. Whatever ends the wait asks the work to stop, and waits until it has."""
    # A future, not a task: when Prefect ends the run, all tasks of the loop are cancelled.
    running = asyncio.get_running_loop().run_in_executor(None, contextvars.copy_context().run, work)
    try:
        async with _progress_shown(watch):
            return await asyncio.shield(running)
    finally:
        if not running.done():
            get_run_logger().warning("asked to end: what was fetched is stored first")
            watch.ask_to_stop()
            await asyncio.wait({running})


async def of_receipt(plain: Callable[[Watch], Receipt]) -> State[dict[str, Any]]:
    """Do a run that gives a receipt; account for it; return its state. An error of ours is a state, too."""
    watch = Watch()
    try:
        receipt = (await in_thread(watch, partial(plain, watch))).as_json()
    except SeogoError as error:
        return states.of_error(error)
    _log(receipt)
    await artifacts.markdown(receipt["command"], account(receipt), receipt["explanation"])
    if rows := new_articles(receipt):
        await artifacts.table(receipt["command"], rows)
    return states.of_receipt(receipt)


def _log(receipt: Json) -> None:
    """A line for the run, and one for whatever an operator should look at; all else is in the account."""
    get_run_logger().info("%s", summary(receipt))
    for line in remarks(receipt):
        get_run_logger().warning("%s", line)


async def as_flow(task: Any, parameters: BaseModel) -> State[Any]:
    """Run a flow's task, and give its state as the flow's: the same type, name, message and data."""
    state = await task(parameters, return_state=True)
    return State(type=state.type, name=state.name, message=state.message, data=state.data)


@asynccontextmanager
async def _progress_shown(watch: Watch) -> AsyncIterator[None]:
    """A progress artifact for the length of a block."""
    bar = artifacts.Progress()
    showing = asyncio.create_task(_show(bar, watch))
    try:
        yield
    finally:
        showing.cancel()
        await asyncio.wait({showing})
        if watch.done:
            await bar.show(watch.done, watch.all, watch.requests)


async def _show(bar: artifacts.Progress, watch: Watch) -> None:
    shown = (0, 0, 0)
    while True:
        now = (watch.done, watch.all, watch.requests)
        if now != shown:
            await bar.show(watch.done, watch.all, watch.requests)
            shown = now
        await asyncio.sleep(PROGRESS_EVERY)
