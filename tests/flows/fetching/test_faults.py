"""Misbehaving servers and networks: each becomes a fault that says what happened, and the client remains usable."""

from __future__ import annotations

import asyncio
import gzip
import socket
import time
import tracemalloc
import zlib
from asyncio import StreamWriter
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.content_coding import Undecodable, decode
from schemas.page import Fault, FetchFault, RequestRecord
from tests.support.servers.http import (
    BODY,
    NEWS,
    PAGE,
    Reply,
    client_of,
    endless,
    harness,
    in_loop,
    packed,
    reply,
    reset,
)

PATH = "/mnews/article/001/0000000001"
LIMIT = 100_000


def sending(*pieces: bytes, pause: float = 0.0, close: bool = True) -> Callable[[object, StreamWriter], Any]:
    async def script(_: object, writer: StreamWriter) -> None:
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(pause)
        if close:
            writer.close()

    return script


BOMB = gzip.compress(b"\0" * 50_000_000)

CASES: dict[str, tuple[Reply, Fault, str, int]] = {
    "closed before a word": (sending(), Fault.CONNECTION, "disconnected", 2),
    "reset": (reset(), Fault.CONNECTION, "", 2),
    "cut by length": (
        sending(b"HTTP/1.1 200 OK\r\nContent-Length: 90\r\n\r\nabc"),
        Fault.CONNECTION,
        "not completed",
        2,
    ),
    "cut in chunks": (
        sending(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n"),
        Fault.CONNECTION,
        "not completed",
        2,
    ),
    "cut gzip": (packed(gzip.compress(BODY * 9)[:-20]), Fault.CONNECTION, "truncated", 2),
    "no gzip": (packed(b"<html>"), Fault.BAD_ANSWER, "decompressed", 1),
    "broken gzip": (packed(gzip.compress(BODY)[:-8] + bytes(8)), Fault.BAD_ANSWER, "decompressed", 1),
    "unsupported coding": (reply(b"abc", headers=["Content-Encoding: br"]), Fault.BAD_ANSWER, "'br'", 1),
    "not HTTP": (sending(b"SSH-2.0-OpenSSH_9.6\r\n\r\n"), Fault.BAD_ANSWER, "", 1),
    "a header without end": (sending(b"HTTP/1.1 200 OK\r\nX: " + b"y" * 70_000), Fault.BAD_ANSWER, "", 1),
    "too large, announced": (
        sending(b"HTTP/1.1 200 OK\r\nContent-Length: 900000000\r\n\r\n", pause=1),
        Fault.TOO_LARGE,
        "900000000",
        1,
    ),
    "too large, endless": (endless, Fault.TOO_LARGE, "more than 100000", 1),
    "a bomb": (packed(BOMB), Fault.TOO_LARGE, "decompression", 1),
    "a bomb in a bomb": (
        reply(gzip.compress(BOMB), headers=["Content-Encoding: gzip, gzip"]),
        Fault.TOO_LARGE,
        "decompression",
        1,
    ),
    "packed thrice": (
        reply(b"", headers=["Content-Encoding: gzip, gzip, gzip"]),
        Fault.BAD_ANSWER,
        "3 content codings",
        1,
    ),
    "a thousand members": (packed(gzip.compress(b"") * 1000), Fault.BAD_ANSWER, "members", 1),
    "silence": (sending(b"", pause=3), Fault.TIMEOUT, "", 2),
    "silence in the middle": (
        sending(b"HTTP/1.1 200 OK\r\nContent-Length: 90\r\n\r\nabc", b"d", pause=3),
        Fault.TIMEOUT,
        "",
        2,
    ),
    "a slow drip": (
        sending(b"HTTP/1.1 200 OK\r\nContent-Length: 90\r\n\r\n", *[b"a"] * 90, pause=0.05),
        Fault.TIMEOUT,
        "not complete",
        2,
    ),
}


@pytest.mark.parametrize("case", CASES)
@in_loop
async def test_a_fault_is_named_retried_if_transient_and_leaves_the_client_usable(case: str) -> None:
    bad, fault, words, tries = CASES[case]
    bounds = {"read_timeout_seconds": 0.15, "total_timeout_seconds": 0.3, "max_answer_bytes": LIMIT}
    async with harness({PATH: bad, "/good": reply()}, tries=2, concurrency=1, **bounds) as w:
        got = await w.client.fetch(PAGE, why="article")
        assert isinstance(got, FetchFault), got
        assert (got.fault, got.url) == (fault, PAGE)
        assert words in got.detail
        rows = [row for row in w.ledger if row.why == "article"]
        assert len(rows) == len(w.server.articles) == tries, "every request is recorded once"
        assert all(row.fault is not None and row.fault.startswith(fault) for row in rows)
        # The only slot of the host is free again, and the next response is not mixed up with this one.
        assert (await w.page(f"https://{NEWS}/good")).content == BODY


@in_loop
async def test_a_request_on_a_closed_connection_is_retried_as_a_recorded_request() -> None:
    """aiohttp would repeat such a request silently, bypassing the throttle and the request log."""
    async with harness({PATH: [reply(), reset(), reply()]}) as w:
        await w.page()
        await w.page()
        assert [row.status for row in w.ledger if row.why == "article"] == [200, None, 200]
        assert len(w.server.articles) == 3


@in_loop
async def test_the_received_bytes_of_a_broken_response_are_counted() -> None:
    cut = sending(b"HTTP/1.1 200 OK\r\nContent-Length: 90\r\n\r\nabcde")
    async with harness({PATH: cut}, tries=1) as w:
        got = await w.client.fetch(PAGE, why="article")
    assert isinstance(got, FetchFault)
    assert (got.status, w.ledger[-1].status, w.ledger[-1].received) == (200, 200, 5)


@in_loop
async def test_a_refused_connection() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, but not listening: connections are refused
        rows: list[RequestRecord] = []
        for scheme in ("http", "https"):
            naver = f"{scheme}://127.0.0.1:{taken.getsockname()[1]}"
            async with client_of(naver, rows, obey_robots=False, tries=2) as client:
                got = await client.fetch(PAGE, why="article")
            assert isinstance(got, FetchFault)
            assert got.fault is Fault.CONNECTION
            assert "try 2" in got.detail
    assert len([row for row in rows if row.why == "article"]) == 4


@pytest.mark.parametrize("scheme", ["http", "https"])
@in_loop
async def test_an_unknown_host_name(monkeypatch: pytest.MonkeyPatch, scheme: str) -> None:
    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    async with client_of(None, obey_robots=False, tries=1) as client:
        monkeypatch.setattr(socket, "getaddrinfo", unknown)
        got = await client.fetch(f"{scheme}://{NEWS}/", why="article")
        monkeypatch.undo()
    assert isinstance(got, FetchFault)
    assert got.fault is Fault.CONNECTION
    assert "not known" in got.detail


@pytest.mark.parametrize("scheme", ["http", "https"])
@in_loop
async def test_a_hanging_dns_lookup(monkeypatch: pytest.MonkeyPatch, scheme: str) -> None:
    def slow(*_: object, **__: object) -> None:
        time.sleep(0.15)
        raise socket.gaierror(socket.EAI_AGAIN, "later")

    async with client_of(None, obey_robots=False, tries=1, connect_timeout_seconds=0.05) as client:
        monkeypatch.setattr(socket, "getaddrinfo", slow)
        got = await client.fetch(f"{scheme}://{NEWS}/", why="article")
        await asyncio.sleep(0.15)  # the lookup thread must end before the patch is removed
        monkeypatch.undo()
    assert isinstance(got, FetchFault)
    assert got.fault is Fault.TIMEOUT


def test_a_decompression_bomb_is_never_expanded() -> None:
    tracemalloc.start()
    try:
        assert isinstance(decode(BOMB, "gzip", LIMIT), Undecodable)
        assert tracemalloc.get_traced_memory()[1] < 10 * LIMIT
    finally:
        tracemalloc.stop()


@given(body=st.binary(max_size=3000), limit=st.integers(0, 3000), level=st.integers(0, 9))
def test_decoding_returns_the_body_or_says_that_it_is_too_large(body: bytes, limit: int, level: int) -> None:
    got = decode(gzip.compress(body, level), "gzip", limit)
    if len(body) <= limit:
        assert got == body
    else:
        assert isinstance(got, Undecodable)
        assert got.fault is Fault.TOO_LARGE


@given(body=st.binary(min_size=1, max_size=500), data=st.data())
def test_a_truncated_compressed_body_is_never_accepted(body: bytes, data: st.DataObject) -> None:
    whole = gzip.compress(body)
    part = whole[: data.draw(st.integers(1, len(whole) - 1))]
    got = decode(part, "gzip", 1000)
    assert isinstance(got, Undecodable)
    assert got.fault is Fault.CONNECTION


@given(
    junk=st.binary(max_size=300), coding=st.sampled_from(["gzip", "deflate", "gzip, deflate", "deflate, gzip", "br"])
)
def test_junk_never_raises(junk: bytes, coding: str) -> None:
    got = decode(junk, coding, 1000)
    assert isinstance(got, (bytes, Undecodable))
    assert got != zlib.compress(junk)
