"""https: HTTP/2 where it is offered, HTTP/1.1 elsewhere, and no request to a server with an untrusted certificate."""

from __future__ import annotations

import asyncio
import gzip
import logging
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import h2.config
import h2.connection
import h2.events
import pytest

from schemas.page import Fault, FetchFault, RawPage, RequestRecord
from tests.support.servers.http import API, BODY, HOSTS, PAGE, Reply, client_of, in_loop, reply, serving
from tests.support.servers.tls import server_side, trusting

CANARY = "canary-5f0c1d"
PATH = "/mnews/article/001/0000000001"


async def speak_h2(reader: StreamReader, writer: StreamWriter, seen: list[dict[str, str]]) -> None:
    """A minimal HTTP/2 server: it responds to every request with the same compressed page."""
    connection = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False, header_encoding="utf-8"))
    connection.initiate_connection()
    writer.write(connection.data_to_send())
    while data := await reader.read(65_536):
        for event in connection.receive_data(data):
            if isinstance(event, h2.events.RequestReceived):
                seen.append({str(name): str(value) for name, value in event.headers or []})
                connection.send_headers(event.stream_id, [(":status", "200"), ("content-encoding", "gzip")])
                connection.send_data(event.stream_id, gzip.compress(BODY, mtime=0), end_stream=True)
        writer.write(connection.data_to_send())
        await writer.drain()
    writer.close()


@asynccontextmanager
async def serving_h2(certificate: Path) -> AsyncIterator[tuple[int, list[dict[str, str]]]]:
    seen: list[dict[str, str]] = []
    listener = await asyncio.start_server(
        lambda reader, writer: speak_h2(reader, writer, seen), "127.0.0.1", 0, ssl=server_side(certificate, "h2")
    )
    try:
        yield listener.sockets[0].getsockname()[1], seen
    finally:
        listener.close()


@in_loop
async def test_http2_is_used_where_it_is_offered(certificate: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    rows: list[RequestRecord] = []
    async with serving_h2(certificate) as (port, seen):
        tls = trusting(certificate)
        naver = f"https://127.0.0.1:{port}"
        async with client_of(naver, rows, tls=tls, robots_exempt_hosts=HOSTS) as client:
            page = await client.fetch(f"https://{API}/v1", why="api", secret_headers={"X-Naver-Client-Secret": CANARY})
    assert isinstance(page, RawPage)
    assert (page.http_version, page.content, page.payload) == ("HTTP/2", BODY, gzip.compress(BODY, mtime=0))
    assert (seen[0][":authority"], seen[0][":path"]) == (API, "/v1")
    assert seen[0]["x-naver-client-secret"] == CANARY
    assert CANARY not in f"{page!r}{rows!r}{caplog.text}"


@in_loop
async def test_http11_is_used_where_http2_is_not_offered(certificate: Path) -> None:
    pages: dict[str, Reply | list[Reply]] = {PATH: reply()}
    async with (
        serving(pages, server_side(certificate, "http/1.1")) as server,
        client_of(f"https://127.0.0.1:{server.port}", tls=trusting(certificate)) as client,
    ):
        page = await client.fetch(PAGE, why="article")
    assert isinstance(page, RawPage)
    assert (page.http_version, page.content) == ("HTTP/1.1", BODY)


@in_loop
async def test_a_server_with_an_untrusted_certificate_gets_no_request(certificate: Path) -> None:
    async with (
        serving({PATH: reply()}, server_side(certificate, "http/1.1")) as server,
        client_of(f"https://127.0.0.1:{server.port}", obey_robots=False, tries=1) as client,
    ):
        got = await client.fetch(PAGE, why="article")
        assert server.seen == []
    assert isinstance(got, FetchFault)
    assert got.fault is Fault.CONNECTION
    assert "CERTIFICATE_VERIFY_FAILED" in got.detail


@pytest.mark.parametrize(
    ("answer", "fault", "tries"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 90\r\n\r\nabc", Fault.CONNECTION, 2),
        (b"", Fault.CONNECTION, 2),
        (b"SSH-2.0-OpenSSH_9.6\r\n\r\n", Fault.BAD_ANSWER, 1),
    ],
)
@in_loop
async def test_broken_responses_over_tls(certificate: Path, answer: bytes, fault: Fault, tries: int) -> None:
    async def script(_: object, writer: StreamWriter) -> None:
        writer.write(answer)
        await writer.drain()
        writer.close()

    async with (
        serving({PATH: script}, server_side(certificate, "http/1.1")) as server,
        client_of(f"https://127.0.0.1:{server.port}", tls=trusting(certificate), tries=2) as client,
    ):
        got = await client.fetch(PAGE, why="article")
        assert len(server.articles) == tries
    assert isinstance(got, FetchFault)
    assert got.fault is fault


@in_loop
async def test_a_handshake_that_never_ends() -> None:
    async def mute(reader: StreamReader, writer: StreamWriter) -> None:
        await reader.read()
        writer.close()

    listener = await asyncio.start_server(mute, "127.0.0.1", 0)
    naver = f"https://127.0.0.1:{listener.sockets[0].getsockname()[1]}"
    async with listener, client_of(naver, obey_robots=False, tries=1, connect_timeout_seconds=0.2) as client:
        got = await client.fetch(PAGE, why="article")
    assert isinstance(got, FetchFault)
    assert got.fault is Fault.TIMEOUT
