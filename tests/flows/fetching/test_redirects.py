"""Where requests may go: to Naver's hosts, by plain URLs, and nowhere else, whatever a response says."""

from __future__ import annotations

from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.fetching.hosts import Routing
from schemas.errors import AddressError, BadInput
from schemas.page import Fault, FetchFault
from tests.support.servers.http import BODY, NEWS, PAGE, SPORTS, Store, client_of, harness, in_loop, redirect, reply

PATH = "/mnews/article/001/0000000001"


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "303 See", "307 Temporary", "308 Permanent"])
@in_loop
async def test_a_redirect_to_another_host_of_naver_is_followed(status: str) -> None:
    target = f"https://{SPORTS}/kbaseball/article/001/0000000001?a=1"
    async with harness({NEWS + PATH: redirect(target, status), "/kbaseball/article/001/0000000001?a=1": reply()}) as w:
        page = await w.page()
        hosts = [seen.host for seen in w.server.articles]
    assert (page.url, page.final_url, page.content) == (PAGE, target, BODY)
    assert hosts == [NEWS, SPORTS]


@pytest.mark.parametrize("location", ["/there?q=1#part", "there/../../there?q=1", "//n.news.naver.com/there?q=1"])
@in_loop
async def test_relative_redirects(location: str) -> None:
    async with harness({"/here": redirect(location), "/there?q=1": reply()}) as w:
        assert (await w.page(f"https://{NEWS}/here")).final_url == f"https://{NEWS}/there?q=1"


@in_loop
async def test_a_location_may_contain_unescaped_korean() -> None:
    moved = b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: /" + "뉴스".encode() + b"\r\n\r\n"
    async with harness({PATH: moved, "/%EB%89%B4%EC%8A%A4": reply()}) as w:
        assert (await w.page()).final_url == f"https://{NEWS}/%EB%89%B4%EC%8A%A4"


@in_loop
async def test_a_redirect_to_the_stand_in_stays_on_the_real_host() -> None:
    pages: dict[str, object] = {"/there": reply()}
    async with harness(pages) as w:  # type: ignore[arg-type]  # completed below, when the port is known
        pages[PATH] = redirect(f"http://127.0.0.1:{w.server.port}/there")
        page = await w.page()
        assert w.server.articles[-1].host == NEWS
    assert page.final_url == f"https://{NEWS}/there"


@in_loop
async def test_a_redirect_without_a_location_is_a_page() -> None:
    async with harness({PATH: reply(b"", "302 Found")}) as w:
        assert (await w.page()).status == 302


@pytest.mark.parametrize(
    "location",
    [
        "https://evil.example/article",
        "http://127.0.0.1:1/",
        "http://169.254.169.254/latest/meta-data",
        "https://n.news.naver.com.evil.example/",
        "https://n.news.naver.com@evil.example/",
        "https://user:pw@n.news.naver.com/",
        "https://n.news.naver.com:8443/",
        "https://[::1]/",
        "ftp://n.news.naver.com/",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "https://n.news.naver.com:99999999/",
        "https://",
        "//evil.example/x",
    ],
)
@in_loop
async def test_a_redirect_that_leads_off_naver_is_not_followed(location: str) -> None:
    async with harness({PATH: redirect(location)}) as w:
        got = await w.client.fetch(PAGE, why="article")
        assert len(w.server.articles) == 1
    assert isinstance(got, FetchFault)
    assert (got.fault, got.url, got.status) == (Fault.BAD_REDIRECT, PAGE, 302)
    assert repr(location) in got.detail


@in_loop
async def test_a_redirect_loop() -> None:
    async with harness({"/a": redirect("/b"), "/b": redirect("/a#other")}) as w:
        got = await w.client.fetch(f"https://{NEWS}/a", why="article")
        assert len(w.server.articles) == 2
    assert isinstance(got, FetchFault)
    assert got.fault is Fault.BAD_REDIRECT
    assert "loop" in got.detail


@in_loop
async def test_at_most_five_redirects() -> None:
    pages = {f"/{n}": redirect(f"/{n + 1}") for n in range(6)} | {"/6": reply()}
    async with harness(pages) as w:
        assert (await w.page(f"https://{NEWS}/1")).final_url == f"https://{NEWS}/6"
        got = await w.client.fetch(f"https://{NEWS}/0", why="article")
        assert len(w.server.articles) == 6 + 6
    assert isinstance(got, FetchFault)
    assert got.fault is Fault.BAD_REDIRECT
    assert "5 redirects" in got.detail


REFUSED = [
    "https://evil.example/",
    "http://127.0.0.1/",
    "http://localhost:8080/",
    "https://naver.com/",
    "https://n.news.naver.com./",
    "https://n.news.naver.com:8080/",
    "https://u@n.news.naver.com/",
    "https://n.news.naver.com\\@evil.example/",
    "https://n.news.naver.com\r\nHost: evil.example",
    "ftp://n.news.naver.com/",
    "n.news.naver.com/mnews",
    "//n.news.naver.com/",
    "",
    "https://ｎ.news.naver.com/",
]


@pytest.mark.parametrize("url", REFUSED)
@in_loop
async def test_a_url_outside_naver_is_a_mistake_of_the_caller(url: str) -> None:
    async with harness({}) as w:
        with pytest.raises(AddressError):
            await w.client.fetch(url, why="article")
        assert w.server.seen == []


@given(st.text(max_size=80) | st.text(alphabet="htps:/@n.ewaver com\\#?[]%0", max_size=60).map("https:".__add__))
def test_no_text_leads_to_another_host(text: str) -> None:
    routing = Routing({NEWS}, None)
    here = routing.check(f"https://{NEWS}/a")
    for way in (routing.check, partial(routing.redirected, here)):
        try:
            address = way(text)
        except AddressError:
            continue
        assert str(routing.destination(address)).startswith((f"https://{NEWS}/", f"http://{NEWS}/"))


@pytest.mark.parametrize(
    "naver", ["127.0.0.1:8080", "ftp://127.0.0.1", "http://", "http://u:p@h", "http://h/path", "x\n"]
)
@in_loop
async def test_a_stand_in_that_is_not_a_url_is_refused(naver: str) -> None:
    with pytest.raises(BadInput, match="naver"):
        async with client_of(naver, backoff=Store()):
            pass
