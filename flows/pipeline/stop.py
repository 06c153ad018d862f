"""Ends a run early: open fetches are cancelled, and everything fetched so far is stored."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import ParamSpec

from schemas.page import Fault, FetchFault, RawPage

P = ParamSpec("P")
Fetching = Callable[P, Awaitable[RawPage | FetchFault]]


class Stop:
    """A request to end the run, by a person's Ctrl-C (`by_hand`) or by the run itself. Guarded fetches end at once."""

    def __init__(self) -> None:
        self.by_hand = False
        self._event = asyncio.Event()

    @property
    def requested(self) -> bool:
        """Whether the run must end."""
        return self._event.is_set()

    def request(self, *, by_hand: bool = False) -> None:
        """End the run. Must be called in the event loop."""
        self.by_hand = self.by_hand or by_hand
        self._event.set()

    def guard(self, fetch: Fetching[P]) -> Fetching[P]:
        """The same fetch, which ends with `Fault.STOPPED` when the run must end."""

        async def guarded(*args: P.args, **kwargs: P.kwargs) -> RawPage | FetchFault:
            fetching = asyncio.ensure_future(fetch(*args, **kwargs))
            stopping = asyncio.ensure_future(self._event.wait())
            try:
                await asyncio.wait({fetching, stopping}, return_when=asyncio.FIRST_COMPLETED)
                if fetching.done():
                    return fetching.result()
                return FetchFault(str(args[0]), Fault.STOPPED, "the run was stopped")
            finally:
                await _cancel(fetching)
                stopping.cancel()

        return guarded


async def _cancel(task: asyncio.Future[RawPage | FetchFault]) -> None:
    """Cancel a fetch that is still open, and wait until it has released its slot."""
    if not task.done():
        task.cancel()
        await asyncio.wait({task})
