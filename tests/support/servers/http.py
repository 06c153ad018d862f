"""Shared by the tests of the client: a server that sends raw bytes, a manual clock, and a client that connects them."""

from __future__ import annotations

import asyncio
import functools
import random
import socket
import ssl
import struct
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, ParamSpec

from flows.fetching.client import Client
from flows.fetching.throttle import Clock
from schemas.page import RawPage, RequestRecord
from schemas.topic import Limits

NEWS = "n.news.naver.com"
SPORTS = "m.sports.naver.com"
API = "openapi.naver.com"
HOSTS = frozenset({NEWS, SPORTS, API})
PAGE = f"https://{NEWS}/mnews/article/001/0000000001"
BODY = "<html><h2>독자 모델 발표</h2></html>".encode()

P = ParamSpec("P")


def in_loop(test: Callable[P, Coroutine[Any, Any, None]]) -> Callable[P, None]:
    """Run an async test, for 20 seconds at most."""

    @functools.wraps(test)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        asyncio.run(asyncio.wait_for(test(*args, **kwargs), 20))

    return run


def reply(body: bytes = BODY, status: str = "200 OK", headers: Iterable[str] = ()) -> bytes:
    """A complete HTTP/1.1 response."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def redirect(location: str, status: str = "302 Found") -> bytes:
    return reply(b"", status, [f"Location: {location}"])


def packed(body: bytes) -> bytes:
    """A response whose body claims to be gzip."""
    return reply(body, headers=["Content-Encoding: gzip", "Content-Type: text/html"])


@dataclass(frozen=True)
class Seen:
    """A request as the server received it; `at` is monotonic time."""

    at: float
    target: str
    headers: dict[str, str]
    head: bytes

    @property
    def host(self) -> str:
        return self.headers["host"]


Script = Callable[[Seen, asyncio.StreamWriter], Awaitable[None]]
Reply = bytes | Script


def reset(data: bytes = b"") -> Script:
    """Send some bytes, then close with RST, as a killed process does."""

    async def script(_: Seen, writer: asyncio.StreamWriter) -> None:
        writer.write(data)
        await writer.drain()
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()

    return script


async def endless(_: Seen, writer: asyncio.StreamWriter) -> None:
    """A response that never ends."""
    writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    for _number in range(10_000):
        writer.write(b"4000\r\n" + b"x" * 0x4000 + b"\r\n")
        await writer.drain()


@dataclass
class Server:
    """Responds by path, or by host and path. The last item of a list is repeated. An unknown path is 404."""

    pages: Mapping[str, Reply | list[Reply]]
    seen: list[Seen] = field(default_factory=list)
    inside: int = 0
    most_inside: int = 0
    port: int = 0
    open: dict[asyncio.Task[None], asyncio.StreamWriter] = field(default_factory=dict)

    @property
    def articles(self) -> list[Seen]:
        return [seen for seen in self.seen if seen.target != "/robots.txt"]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self.open[task] = writer
        try:
            while not writer.is_closing():
                head = await reader.readuntil(b"\r\n\r\n")
                await self._answer(_seen(head), writer)
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()
            del self.open[task]

    async def hang_up(self) -> None:
        """Close every connection. Otherwise the garbage collector would find an open one during another test."""
        left = dict(self.open)
        for writer in left.values():
            writer.close()
        if left:
            _, busy = await asyncio.wait(left, timeout=0.2)
            for task in busy:
                task.cancel()
            await asyncio.gather(*left, return_exceptions=True)
            await asyncio.sleep(0)  # lets the loop close the sockets

    async def _answer(self, seen: Seen, writer: asyncio.StreamWriter) -> None:
        self.seen.append(seen)
        self.inside += 1
        self.most_inside = max(self.most_inside, self.inside)
        try:
            answer = self._reply(seen)
            if isinstance(answer, bytes):
                writer.write(answer)
            else:
                await answer(seen, writer)
        finally:
            self.inside -= 1

    def _reply(self, seen: Seen) -> Reply:
        found = self.pages.get(seen.host + seen.target) or self.pages.get(seen.target)
        if isinstance(found, list):
            return found.pop(0) if len(found) > 1 else found[0]
        return found or reply(b"", "404 Not Found")


def _seen(head: bytes) -> Seen:
    first, *lines = head.decode("latin-1").strip().split("\r\n")
    headers = dict(line.lower().split(": ", 1) for line in lines)
    return Seen(time.monotonic(), first.split(" ")[1], headers, head)


@asynccontextmanager
async def serving(pages: Mapping[str, Reply | list[Reply]], tls: ssl.SSLContext | None = None) -> AsyncIterator[Server]:
    server = Server(pages)
    listener = await asyncio.start_server(server.serve, "127.0.0.1", 0, ssl=tls)
    server.port = listener.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        for _ in range(5):
            await asyncio.sleep(0)  # a connection accepted just now gets its task before the listener closes
        listener.close()
        await server.hang_up()


class Store:
    """Stores pauses in memory."""

    def __init__(self) -> None:
        self.pauses: dict[str, datetime] = {}
        self.saved = asyncio.Event()

    def load(self) -> dict[str, datetime]:
        return dict(self.pauses)

    def save(self, host: str, until: datetime) -> None:
        self.pauses[host] = until
        self.saved.set()


class Widest(random.Random):
    """A random generator that always draws the upper bound."""

    def uniform(self, a: float, b: float) -> float:
        return max(a, b)


class HandClock:
    """Time that passes only during `sleep`; `slept` lists the sleeps. The time of day can be moved independently."""

    def __init__(self) -> None:
        self.at = 1000.0
        self.day = datetime(2026, 10, 1, 3, 0, tzinfo=UTC)
        self.slept: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.at += seconds
        await asyncio.sleep(0)

    def clock(self) -> Clock:
        return Clock(lambda: self.at, lambda: self.day + timedelta(seconds=self.at - 1000.0), self.sleep)


def limits(**changes: Any) -> Limits:
    """Limits without throttling and with short pauses, so that tests are fast unless they set a limit themselves."""
    settings: dict[str, Any] = {
        "requests_per_second": 0,
        "concurrency": 8,
        "tries": 3,
        "backoff_seconds": 0.01,
        "max_backoff_seconds": 0.05,
        "connect_timeout_seconds": 2,
        "read_timeout_seconds": 2,
        "total_timeout_seconds": 5,
    }
    return Limits.model_validate(settings | changes)


@dataclass
class Harness:
    """A client, its server, its requests and its stored pauses."""

    client: Client
    server: Server
    ledger: list[RequestRecord]
    store: Store

    async def page(self, url: str = PAGE, **options: Any) -> RawPage:
        got = await self.client.fetch(url, why="article", **options)
        assert isinstance(got, RawPage), got
        return got


@asynccontextmanager
async def client_of(
    naver: str | None, ledger: list[RequestRecord] | None = None, **changes: Any
) -> AsyncIterator[Client]:
    """A client with defaults for tests; `changes` are settings of the client or of its limits."""
    own = {"obey_robots", "backoff", "robots_exempt_hosts", "tls", "rng", "clock", "allowed_hosts"}
    settings: dict[str, Any] = {"obey_robots": True, "backoff": Store(), "allowed_hosts": HOSTS}
    settings |= {name: changes.pop(name) for name in own & changes.keys()}
    rows: list[RequestRecord] = [] if ledger is None else ledger
    async with Client(
        limits=limits(**changes),
        user_agent_contact="archive@example.org",
        naver=naver,
        record=rows.append,
        **settings,
    ) as client:
        yield client


@asynccontextmanager
async def harness(pages: Mapping[str, Reply | list[Reply]], **changes: Any) -> AsyncIterator[Harness]:
    """A server with these pages, and a client that uses it as Naver."""
    store = changes.setdefault("backoff", Store())
    ledger: list[RequestRecord] = []
    async with (
        serving(pages) as server,
        client_of(f"http://127.0.0.1:{server.port}", ledger, **changes) as client,
    ):
        yield Harness(client, server, ledger, store)
