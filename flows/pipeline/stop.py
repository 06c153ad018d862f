"""Ends a run early: open fetches are cancelled, and everything fetched so far is stored.

Stop       a request to end the run
Refusals   ends it once a host has refused several requests in a row
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import ParamSpec
from urllib.parse import urlsplit

from schemas.page import Fault, FetchFault, RawPage

_REFUSALS_IN_A_ROW = 3
"""Refusals by one host in a row after which the run ends."""

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


class Refusals:
    """Counts the refusals of each host, and ends the run after the third in a row (`stop` is None: never)."""

    def __init__(self, stop: Stop | None) -> None:
        self._stop = stop
        self._in_a_row = Counter[str]()

    def answered(self, url: str) -> None:
        """The host of this address did not refuse."""
        self._in_a_row[urlsplit(url).netloc] = 0

    def refused(self, url: str) -> None:
        """The host of this address refused: further requests would be impolite and useless."""
        host = urlsplit(url).netloc
        self._in_a_row[host] += 1
        if self._stop is not None and self._in_a_row[host] >= _REFUSALS_IN_A_ROW:
            self._stop.request()


async def _cancel(task: asyncio.Future[RawPage | FetchFault]) -> None:
    """Cancel a fetch that is still open, and wait until it has released its slot."""
    if not task.done():
        task.cancel()
        await asyncio.wait({task})
