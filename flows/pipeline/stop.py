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
        self._requested = False
        # In order, in which they end: the next run retries them in this order, and of two copies keeps the first.
        self._fetches: dict[asyncio.Timeout, None] = {}

    @property
    def requested(self) -> bool:
        """Whether the run must end."""
        return self._requested

    def request(self, *, by_hand: bool = False) -> None:
        """End the run. Must be called in the event loop."""
        self.by_hand = self.by_hand or by_hand
        if not self._requested:
            self._requested = True
            for fetch in self._fetches:
                fetch.reschedule(0.0)

    def guard(self, fetch: Fetching[P]) -> Fetching[P]:
        """The same fetch, which ends with `Fault.STOPPED` when the run must end.

        The stop is a timeout, which needs no task of its own for each fetch.
        """

        async def guarded(*args: P.args, **kwargs: P.kwargs) -> RawPage | FetchFault:
            stopped = FetchFault(str(args[0]), Fault.STOPPED, "the run was stopped")
            if self._requested:
                return stopped
            limit = asyncio.timeout(None)
            self._fetches[limit] = None
            try:
                async with limit:
                    return await fetch(*args, **kwargs)
            except TimeoutError:
                if limit.expired():
                    return stopped
                raise
            finally:
                del self._fetches[limit]

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
