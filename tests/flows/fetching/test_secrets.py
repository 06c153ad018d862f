"""API keys are sent only to their own host, only over TLS or loopback, and appear nowhere else."""

from __future__ import annotations

import asyncio
import logging

import pytest

from schemas.errors import AddressError
from schemas.page import FetchFault
from tests.support.servers.http import API, NEWS, Reply, Seen, client_of, harness, in_loop, redirect, reply

CANARY = "canary-8d1f77"
SECRET = {"X-Naver-Client-Id": "my-id", "X-Naver-Client-Secret": CANARY}
URL = f"https://{API}/v1/search/news.json?query=x"
TARGET = "/v1/search/news.json?query=x"


async def echo(seen: Seen, writer: asyncio.StreamWriter) -> None:
    """Not HTTP: echo the request, including the key."""
    writer.write(seen.headers["x-naver-client-secret"].encode() + b"\r\n" + seen.head)
    await writer.drain()
    writer.close()


CASES: dict[str, Reply] = {
    "a page": reply(b"{}"),
    "refused": reply(b"{}", "401 Unauthorized"),
    "busy": reply(b"", "429 Slow"),
    "down": reply(b"", f"503 {CANARY}"),
    "an echo": echo,
    "a redirect that leaks it": redirect(f"https://evil.example/?key={CANARY}"),
    "a redirect on the same host that leaks it": redirect(f"/?key={CANARY}"),
    "a coding that leaks it": reply(b"x", headers=[f"Content-Encoding: {CANARY}"]),
}


@pytest.mark.parametrize("case", CASES)
@in_loop
async def test_a_key_is_sent_and_appears_nowhere(case: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with harness({TARGET: CASES[case]}, tries=2, robots_exempt_hosts={API}) as w:
        got = await w.client.fetch(URL, why="search_api", secret_headers=SECRET)
        assert all(seen.headers["x-naver-client-secret"] == CANARY for seen in w.server.seen)
        assert w.server.seen
    assert CANARY not in f"{got!r} {w.ledger!r} {w.client!r} {vars(w.client)!r} {caplog.text}"


@in_loop
async def test_a_key_is_not_sent_to_another_host_nor_after_returning_from_it() -> None:
    pages: dict[str, Reply | list[Reply]] = {
        API + TARGET: redirect("/same"),
        API + "/same": redirect(f"https://{NEWS}/other"),
        NEWS + "/other": redirect(f"https://{API}/back"),
        API + "/back": reply(),
    }
    async with harness(pages, robots_exempt_hosts={API}) as w:
        await w.page(URL, secret_headers=SECRET)
        with_key = [seen.target for seen in w.server.seen if CANARY.encode() in seen.head]
    assert with_key == [TARGET, "/same"]
    assert [seen.target for seen in w.server.seen] == [TARGET, "/same", "/robots.txt", "/other", "/back"]


@in_loop
async def test_a_key_is_not_sent_with_the_request_for_robots_txt() -> None:
    async with harness({TARGET: reply()}) as w:
        await w.page(URL, secret_headers=SECRET)
        assert [CANARY.encode() in seen.head for seen in w.server.seen] == [False, True]


@pytest.mark.parametrize(
    ("naver", "url"),
    [
        (None, URL.replace("https", "http")),
        ("http://192.0.2.7:8080", URL),
        ("https://stand-in.example", URL),
        ("http://127.0.0.1.evil.example", URL),
    ],
)
@in_loop
async def test_a_key_that_would_be_sent_unencrypted_is_refused(naver: str | None, url: str) -> None:
    rows: list[object] = []
    async with client_of(naver, rows) as client:  # type: ignore[arg-type]
        with pytest.raises(AddressError, match="keys are sent only over https") as raised:
            await client.fetch(url, why="search_api", secret_headers=SECRET)
    assert rows == []
    assert CANARY not in repr(raised.value)


@in_loop
async def test_an_empty_key_hides_nothing() -> None:
    async with harness({TARGET: reply(b"", "503 Busy")}, tries=1, robots_exempt_hosts={API}) as w:
        got = await w.client.fetch(URL, why="search_api", secret_headers={"X-Naver-Client-Id": ""})
    assert isinstance(got, FetchFault)
    assert "***" not in got.detail
