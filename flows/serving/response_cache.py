"""A cache of responses. An entry is used while snapshot and search index are the same.

A page depends on these two, its URL, the reader's language and the host name. All of them are its key, so a
crawl that replaces the snapshot makes every cached page unreachable.
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
"""Bytes of all cached pages, and of the largest one."""


class ResponseCache:
    """The most recently used pages, within a number of bytes. Thread-safe."""

    def __init__(self, most_bytes: int = _MOST_BYTES) -> None:
        self._most = most_bytes
        self._bytes = 0
        self._pages: OrderedDict[Key, Response] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Key) -> Response | None:
        """The page; None if it is not cached."""
        with self._lock:
            found = self._pages.get(key)
            if found is not None:
                self._pages.move_to_end(key)
            return found

    def put(self, key: Key, page: Response) -> None:
        """Cache a page, and drop the least recently used ones."""
        if len(page.body) > _LARGEST:
            return
        with self._lock:
            old = self._pages.pop(key, None)
            self._pages[key] = page
            self._bytes += len(page.body) - (len(old.body) if old else 0)
            while self._bytes > self._most:
                self._bytes -= len(self._pages.popitem(last=False)[1].body)


def cached(page: Callable[[Request], Response]) -> Callable[[Request], Awaitable[Response]]:
    """The endpoint of a page that depends only on the state of the archive and on the URL.

    It answers with a cached page at once, and makes any other in a thread.
    """

    async def endpoint(request: Request) -> Response:
        kept: ResponseCache = request.app.state.response_cache
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
