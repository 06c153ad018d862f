"""Pages that were answered before, while snapshot and search index are the same.

A page is made of these two, its address, the reader's language and the host name. So it is kept under all of them, and
a crawl that replaces the snapshot makes every kept page unreachable.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from pathlib import Path

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from flows.serving.context import library, unchanged
from flows.serving.language import choose
from storage.layout import SEARCH_INDEX, SNAPSHOT

Key = tuple[object, ...]

_FILES = (SNAPSHOT, SEARCH_INDEX, f"{SEARCH_INDEX}-wal")
_MOST_BYTES = 16_000_000
_LARGEST = 500_000
"""Bytes of all pages that are kept, and of the largest one."""


class Remembered:
    """The pages that were asked for last, within a number of bytes. Threads may use it at the same time."""

    def __init__(self, most_bytes: int = _MOST_BYTES) -> None:
        self._most = most_bytes
        self._bytes = 0
        self._pages: OrderedDict[Key, Response] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Key) -> Response | None:
        """The page; None if it is not kept."""
        with self._lock:
            found = self._pages.get(key)
            if found is not None:
                self._pages.move_to_end(key)
            return found

    def put(self, key: Key, page: Response) -> None:
        """Keep a page, and let go of those that nobody has asked for longest."""
        if len(page.body) > _LARGEST:
            return
        with self._lock:
            old = self._pages.pop(key, None)
            self._pages[key] = page
            self._bytes += len(page.body) - (len(old.body) if old else 0)
            while self._bytes > self._most:
                self._bytes -= len(self._pages.popitem(last=False)[1].body)


def remembered(page: Callable[[Request], Response]) -> Callable[[Request], Awaitable[Response]]:
    """The endpoint of a page that depends on the archive's state and on the address alone. It answers a page that is
    kept at once, and makes any other in a thread."""

    async def endpoint(request: Request) -> Response:
        kept: Remembered = request.app.state.remembered
        before = _key(request)
        found = kept.get(before)
        if found is None:
            found = await run_in_threadpool(page, request)
            # If a file was replaced meanwhile, it is not known of which state the page is.
            if found.status_code == 200 and _key(request) == before:
                kept.put(before, Response(found.body, found.status_code, dict(found.headers)))
            return found
        # A copy, because what follows adds headers to the response that it sends.
        return unchanged(request, Response(found.body, found.status_code, dict(found.headers)))

    return endpoint


def _key(request: Request) -> Key:
    language = choose(request.query_params.get("lang"), request.headers.get("accept-language", ""))
    root = library(request).root
    return (str(request.url), language, *(_stamp(root / name) for name in _FILES))


def _stamp(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except OSError:  # the page says what is wrong
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns
