"""A successful fetch: what is sent, what is returned, what is recorded."""

from __future__ import annotations

import asyncio
import gzip
import zlib
from importlib.metadata import version

import pytest

from flows.fetching.client import Client
from schemas.errors import BadInput
from schemas.page import FetchFault, RawPage
from tests.support.servers.http import (
    BODY,
    HOSTS,
    NEWS,
    PAGE,
    Server,
    Store,
    client_of,
    harness,
    in_loop,
    limits,
    redirect,
    reply,
    serving,
)

PATH = "/mnews/article/001/0000000001"


@in_loop
async def test_a_compressed_page_is_kept_as_sent_and_decoded() -> None:
    packed = gzip.compress(BODY)
    async with harness({PATH: reply(packed, headers=["Content-Encoding: gzip"])}) as w:
        page = await w.page()
    assert (page.status, page.reason, page.http_version) == (200, "OK", "HTTP/1.1")
    assert page.payload == packed
    assert page.content == BODY
    assert page.url == page.final_url == PAGE
    assert page.header("content-encoding") == "gzip"
    assert ("Content-Length", str(len(packed))) in page.headers


@in_loop
async def test_the_stand_in_sees_the_real_host_path_and_query() -> None:
    target = "/search.naver?where=news&query=%EB%8F%85%EC%9E%90+AI&nso=so:dd,p:all&start=11"
    async with harness({target: reply()}) as w:
        page = await w.page(f"https://{NEWS}{target}#top")
        seen = w.server.articles[0]
    assert (seen.host, seen.target) == (NEWS, target)
    assert page.final_url == f"https://{NEWS}{target}"


@in_loop
async def test_the_request_identifies_the_crawler_and_the_page_keeps_what_was_sent() -> None:
    async with harness({PATH: reply()}) as w:
        page = await w.page()
        sent = w.server.articles[0].headers
    assert sent["user-agent"] == f"seogo/{version('seogo')} (+archive@example.org)"
    assert sent["accept-encoding"] == "gzip, deflate"
    assert sent["accept-language"] == "ko"
    assert {name.lower(): value.lower() for name, value in page.request_headers} == sent


@in_loop
async def test_every_request_is_recorded() -> None:
    async with harness({PATH: redirect("/moved"), "/moved": [reply(b"", "503 Busy"), reply(BODY)]}) as w:
        await w.page()
        seen = [seen.target for seen in w.server.seen]
    assert [(row.why, row.url, row.status, row.attempt) for row in w.ledger] == [
        ("robots", f"https://{NEWS}/robots.txt", 404, 1),
        ("article", PAGE, 302, 1),
        ("article", f"https://{NEWS}/moved", 503, 1),
        ("article", f"https://{NEWS}/moved", 200, 2),
    ]
    assert seen == ["/robots.txt", PATH, "/moved", "/moved"]
    assert w.ledger[-1].received == len(BODY)
    assert all(row.host == NEWS and row.fault is None and row.seconds > 0 for row in w.ledger)
    assert sorted(row.started_at for row in w.ledger) == [row.started_at for row in w.ledger]


@in_loop
async def test_cookies_are_not_sent_back() -> None:
    cookies = ["Set-Cookie: NNB=CANARY; Domain=naver.com; Path=/", "Set-Cookie: a=CANARY"]
    async with (
        serving({PATH: [reply(b"", "503 Busy", cookies), reply(headers=cookies)]}) as server,
        # By host name: aiohttp keeps no cookies of an IP address in any case.
        client_of(f"http://localhost:{server.port}") as client,
    ):
        for _ in range(3):
            assert isinstance(await client.fetch(PAGE, why="article"), RawPage)
        assert len(server.articles) == 4
        assert not any(b"cookie" in seen.head.lower() for seen in server.seen)


@in_loop
async def test_a_conditional_request_and_its_304() -> None:
    async with harness({PATH: reply(b"", "304 Not Modified", ["Content-Encoding: gzip"])}) as w:
        page = await w.page(headers={"If-None-Match": '"a1"', "accept": "text/html"})
        sent = w.server.articles[0]
    assert (page.status, page.content) == (304, b"")
    assert sent.headers["if-none-match"] == '"a1"'
    assert sent.head.lower().count(b"accept:") == 1


@pytest.mark.parametrize(
    "status", ["400 Bad Request", "401 No", "403 Forbidden", "404 Not Found", "410 Gone", "501 No"]
)
@in_loop
async def test_a_response_that_a_retry_would_not_change_is_a_page(status: str) -> None:
    async with harness({PATH: reply(b"{}", status)}) as w:
        page = await w.page()
        assert len(w.server.articles) == 1
    assert f"{page.status} {page.reason}" == status
    assert w.store.pauses == {}


@in_loop
async def test_the_caller_may_declare_a_refusal_final_from_its_content() -> None:
    quota = reply(b'{"errorCode":"010"}', "429 Too Many Requests")
    async with harness({PATH: quota}) as w:
        page = await w.page(final=lambda page: b"010" in page.content)
        other = await w.client.fetch(PAGE, why="article", final=lambda page: b"012" in page.content)
    assert page.status == 429
    assert isinstance(other, FetchFault)
    assert len(w.server.articles) == 1 + 3


def deflated(data: bytes, wbits: int) -> bytes:
    stream = zlib.compressobj(wbits=wbits)
    return stream.compress(data) + stream.flush()


@pytest.mark.parametrize(
    ("coding", "packed"),
    [
        ("deflate", deflated(BODY, zlib.MAX_WBITS)),
        ("deflate", deflated(BODY, -zlib.MAX_WBITS)),
        ("X-GZIP", gzip.compress(BODY, mtime=0)),
        ("gzip", gzip.compress(BODY[:7], mtime=0) + gzip.compress(BODY[7:], mtime=0)),
        ("gzip", gzip.compress(BODY, mtime=0) + b"\0" * 8),
        ("deflate, gzip", gzip.compress(deflated(BODY, zlib.MAX_WBITS), mtime=0)),
        ("identity", BODY),
    ],
)
@in_loop
async def test_every_content_coding_that_is_accepted(coding: str, packed: bytes) -> None:
    async with harness({PATH: reply(packed, headers=[f"Content-Encoding: {coding}"])}) as w:
        assert (await w.page()).content == BODY


@in_loop
async def test_a_page_in_chunks_without_a_length() -> None:
    async def chunks(_: object, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n")
        await writer.drain()
        writer.write(b"2\r\nde\r\n0\r\n\r\n")

    async with harness({PATH: chunks}) as w:
        assert (await w.page()).payload == b"abcde"


@in_loop
async def test_a_server_that_uses_http_1_0_and_closes_the_connection() -> None:
    async def old(_: object, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.0 200 OK\r\nContent-Type: text/html\r\n\r\n" + BODY)
        writer.close()

    async with harness({PATH: old}) as w:
        for _ in range(2):
            assert (await w.page()).content == BODY


@in_loop
async def test_connections_are_kept_alive_and_reused() -> None:
    connections = []

    class Counting(Server):
        async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            connections.append(writer)
            await super().serve(reader, writer)

    server = Counting({PATH: reply()})
    listener = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    async with listener, client_of(f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}") as client:
        for _ in range(5):
            assert isinstance(await client.fetch(PAGE, why="article"), RawPage)
    assert len(connections) == 1


@pytest.mark.parametrize("contact", ["", "  ", "문의", "a@b.kr\r\nCookie: x"])
def test_a_contact_that_cannot_be_a_header_is_refused(contact: str) -> None:
    with pytest.raises(BadInput, match="contact"):
        Client(
            limits=limits(),
            user_agent_contact=contact,
            obey_robots=True,
            naver=None,
            allowed_hosts=HOSTS,
            backoff=Store(),
            record=lambda _: None,
        )


@in_loop
async def test_a_cancelled_fetch_is_recorded_and_frees_its_slot() -> None:
    asked = asyncio.Event()

    async def never(_: object, __: object) -> None:
        asked.set()
        await asyncio.sleep(5)

    async with harness({PATH: [never, reply()]}, concurrency=1) as w:
        task = asyncio.create_task(w.client.fetch(PAGE, why="article"))
        await asked.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert w.ledger[-1].fault is not None
        assert "cancelled" in w.ledger[-1].fault
        assert (await w.page()).status == 200
