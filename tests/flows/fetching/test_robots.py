"""robots.txt: read once per host, before any other request, and obeyed or only recorded, as configured."""

from __future__ import annotations

import asyncio
import gzip
from datetime import UTC, datetime, timedelta

import pytest

from flows.fetching.robots import PARSED_BYTES, Robots, read_rules
from schemas.errors import AddressError
from schemas.page import Fault, FetchFault, RawPage
from tests.support.servers.http import API, NEWS, PAGE, SPORTS, HandClock, Reply, harness, in_loop, redirect, reply

PATH = "/mnews/article/001/0000000001"
NOTHING = b"User-agent: *\nDisallow: /\n"
OTHERS = b"User-agent: *\nDisallow: /\n\nUser-agent: Seogo\nDisallow: /private\nAllow: /private/open\n"
AT = datetime(2026, 10, 1, tzinfo=UTC)


def answer(content: bytes, status: int = 200) -> RawPage:
    url = f"https://{NEWS}/robots.txt"
    return RawPage(url, url, status, "", "HTTP/1.1", (), (), content, content, AT)


def refused(content: bytes, path: str) -> bool:
    url = f"https://{NEWS}{path}"
    return read_rules(NEWS, answer(content)).refusal(url, url) is not None


# --- what a text means -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "path", "no"),
    [
        (b"", "/a", False),
        (NOTHING, "/a", True),
        (b"\xef\xbb\xbf" + NOTHING, "/a", True),
        (NOTHING.replace(b"\n", b"\r\n"), "/a", True),
        (b"User-agent: *\nDisallow:\n", "/a", False),
        (OTHERS, "/a", False),
        (OTHERS, "/private/x", True),
        (OTHERS, "/private/open/x", False),
        (b"User-agent: *\nDisallow: /*?sid=\n", "/a?x=1&sid=2", False),
        (b"User-agent: *\nDisallow: /*sid=\n", "/a?x=1&sid=2", True),
        (b"<html>" + bytes(range(256)) * 9, "/a", False),
        (b"#" * PARSED_BYTES + b"\n" + NOTHING, "/a", False),
        (b"#" * (PARSED_BYTES - 100) + b"\n" + NOTHING, "/a", True),
    ],
)
def test_rules(text: bytes, path: str, no: bool) -> None:
    assert refused(text, path) is no


@pytest.mark.parametrize(
    ("status", "no"), [(400, False), (401, False), (404, False), (410, False), (304, True), (501, True)]
)
def test_statuses(status: int, no: bool) -> None:
    refusal = read_rules(NEWS, answer(NOTHING, status)).refusal(PAGE, PAGE)
    assert (refusal is not None) is no


@pytest.mark.parametrize(
    ("delay", "seconds"),
    [("5", 5), ("0.5", 0.5), ("0", 0), ("-3", 0), ("nan", 0), ("soon", 0), ("inf", 0), ("1e300", 86_400)],
)
def test_crawl_delays(delay: str, seconds: float) -> None:
    text = f"User-agent: *\nCrawl-delay: {delay}\nDisallow: /x\n".encode()
    assert read_rules(NEWS, answer(text)).delay == seconds


# --- read once -------------------------------------------------------------------------------------------------------


class Asked:
    """A stand-in for the function that fetches a robots.txt."""

    def __init__(self, *answers: RawPage | FetchFault) -> None:
        self.answers = list(answers)
        self.urls: list[str] = []

    async def __call__(self, url: str) -> RawPage | FetchFault:
        self.urls.append(url)
        await asyncio.sleep(0.01)
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


@in_loop
async def test_concurrent_callers_share_one_reading() -> None:
    asked = Asked(answer(OTHERS))
    robots = Robots(asked, HandClock().clock())
    rules = await asyncio.gather(*(robots.rules("https", NEWS) for _ in range(10)), robots.rules("https", SPORTS))
    assert sorted(asked.urls) == [f"https://{SPORTS}/robots.txt", f"https://{NEWS}/robots.txt"]
    assert len({id(each) for each in rules}) == 2


@in_loop
async def test_if_the_reading_caller_is_cancelled_the_next_one_reads() -> None:
    asked = Asked(answer(NOTHING))
    robots = Robots(asked, HandClock().clock())
    first, second = (asyncio.create_task(robots.rules("https", NEWS)) for _ in range(2))
    await asyncio.sleep(0.001)
    first.cancel()
    assert (await second).refusal(PAGE, PAGE) is not None
    assert len(asked.urls) == 2


@pytest.mark.parametrize(
    ("got", "fresh", "stale"),
    [
        (answer(OTHERS), 86_399, 86_401),
        (answer(b"", 404), 86_399, 86_401),
        (FetchFault("", Fault.CONNECTION, "refused"), 599, 601),
    ],
)
@in_loop
async def test_it_is_read_again_after_a_day_or_sooner_if_it_was_unreadable(
    got: RawPage | FetchFault, fresh: float, stale: float
) -> None:
    clock, asked = HandClock(), Asked(got)
    robots = Robots(asked, clock.clock())
    for age, readings in ((0, 1), (fresh, 1), (stale - fresh, 2)):
        clock.at += age
        await robots.rules("https", NEWS)
        assert len(asked.urls) == readings


# --- in the client ---------------------------------------------------------------------------------------------------


@in_loop
async def test_a_forbidden_url_is_not_requested() -> None:
    async with harness({"/robots.txt": reply(OTHERS), "/private/a": reply(), "/a": reply()}) as w:
        got = await w.client.fetch(f"https://{NEWS}/private/a", why="article")
        assert (await w.page(f"https://{NEWS}/a")).status == 200
        assert [seen.target for seen in w.server.seen] == ["/robots.txt", "/a"]
    assert isinstance(got, FetchFault)
    assert got.fault is Fault.FORBIDDEN
    assert f"https://{NEWS}/robots.txt" in got.detail
    assert [row.why for row in w.ledger] == ["robots", "article"]


@in_loop
async def test_the_rules_of_a_host_are_read_once_with_the_time_of_its_clock() -> None:
    date = "Tue, 01 Dec 2026 03:00:00 GMT"
    async with harness({"/robots.txt": reply(OTHERS, headers=[f"Date: {date}"]), "/a": reply()}) as w:
        rules = await w.client.rules(NEWS)
        await w.page(f"https://{NEWS}/a")
        assert [seen.target for seen in w.server.seen] == ["/robots.txt", "/a"]
    refused, allowed = (f"https://{NEWS}/{path}" for path in ("private/a", "a"))
    assert (rules.refusal(refused, refused) is None, rules.refusal(allowed, allowed)) == (False, None)
    assert rules.source.date == date


@in_loop
async def test_the_rules_of_a_host_that_is_not_requested() -> None:
    async with harness({}) as w:
        with pytest.raises(AddressError, match="elsewhere"):
            await w.client.rules("elsewhere.example")
        assert w.server.seen == []


@in_loop
async def test_if_not_obeyed_the_text_is_still_read_and_kept_but_its_delay_is_ignored() -> None:
    clock = HandClock()
    text = NOTHING + b"Crawl-delay: 30\n"
    async with harness({"/robots.txt": reply(text), PATH: reply()}, obey_robots=False, clock=clock.clock()) as w:
        await w.page()
        await w.page()
        kept = w.client.robots[NEWS]
    assert (kept.text.encode(), kept.status, kept.fault) == (text, 200, None)
    assert kept.url == f"https://{NEWS}/robots.txt"
    assert clock.slept == []


@in_loop
async def test_a_redirect_must_be_allowed_by_the_target_host() -> None:
    pages: dict[str, Reply | list[Reply]] = {
        SPORTS + "/robots.txt": reply(NOTHING),
        NEWS + PATH: redirect(f"https://{SPORTS}/x"),
    }
    async with harness(pages) as w:
        got = await w.client.fetch(PAGE, why="article")
        assert [seen.target for seen in w.server.seen] == ["/robots.txt", PATH, "/robots.txt"]
    assert isinstance(got, FetchFault)
    assert (got.fault, got.url) == (Fault.FORBIDDEN, PAGE)
    assert SPORTS in got.detail


@in_loop
async def test_robots_txt_of_an_exempt_api_host_is_not_read() -> None:
    async with harness({"/robots.txt": reply(NOTHING), "/v1": reply()}, robots_exempt_hosts={API}) as w:
        assert (await w.page(f"https://{API}/v1")).status == 200
        assert [seen.target for seen in w.server.seen] == ["/v1"]


@pytest.mark.parametrize(("status", "fault"), [("503 Busy", Fault.UNAVAILABLE), ("429 Slow", Fault.BLOCKED)])
@in_loop
async def test_a_robots_txt_that_cannot_be_read_forbids_and_says_so(status: str, fault: Fault) -> None:
    async with harness({"/robots.txt": reply(NOTHING, status), PATH: reply()}, tries=2) as w:
        for _ in range(3):
            got = await w.client.fetch(PAGE, why="article")
            assert isinstance(got, FetchFault)
            assert (got.fault, got.url, got.status) == (fault, PAGE, int(status[:3]))
            assert "robots.txt cannot be read" in got.detail
        assert [seen.target for seen in w.server.seen] == ["/robots.txt"] * 2
        assert w.client.robots[NEWS].fault is not None


@in_loop
async def test_it_is_read_again_when_the_pause_of_the_host_is_over() -> None:
    clock = HandClock()
    busy = reply(b"", "503 Busy", ["Retry-After: 300"])
    pages: dict[str, Reply | list[Reply]] = {"/robots.txt": [busy, reply(b"")], PATH: reply()}
    async with harness(pages, clock=clock.clock(), patience_seconds=60) as w:
        got = await w.client.fetch(PAGE, why="article")
        assert isinstance(got, FetchFault)
        assert got.fault is Fault.BACKING_OFF
        assert got.retry_at == clock.day + timedelta(seconds=300)
        clock.at += 301
        assert (await w.page()).status == 200


@pytest.mark.parametrize(
    ("location", "allowed"),
    [(f"https://{SPORTS}/rules", False), ("/moved", True), ("https://evil.example/robots.txt", False)],
)
@in_loop
async def test_a_redirected_robots_txt(location: str, allowed: bool) -> None:
    pages: dict[str, Reply | list[Reply]] = {
        NEWS + "/robots.txt": redirect(location),
        SPORTS + "/rules": reply(NOTHING),
        NEWS + "/moved": reply(OTHERS),
        NEWS + PATH: reply(),
    }
    async with harness(pages) as w:
        got = await w.client.fetch(PAGE, why="article")
        assert isinstance(got, RawPage) is allowed
        assert (PATH in [seen.target for seen in w.server.seen]) is allowed


@in_loop
async def test_a_crawl_delay_slower_than_the_pace_is_obeyed() -> None:
    clock = HandClock()
    robots = reply(gzip.compress(b"User-agent: *\nCrawl-delay: 30\n"), headers=["Content-Encoding: gzip"])
    async with harness({"/robots.txt": robots, PATH: reply()}, clock=clock.clock(), requests_per_second=10) as w:
        await w.page()
        await w.page()
    assert clock.slept == pytest.approx([0.1, 30, 30]), "the delay also applies after the request for robots.txt itself"


@in_loop
async def test_a_crawl_delay_beyond_the_patience_defers_the_article() -> None:
    clock = HandClock()
    robots = reply(b"User-agent: *\nCrawl-delay: 7200\n")
    async with harness({"/robots.txt": robots, PATH: reply()}, clock=clock.clock(), patience_seconds=60) as w:
        got = await w.client.fetch(PAGE, why="article")
        assert len(w.server.seen) == 1
    assert isinstance(got, FetchFault)
    assert got.fault is Fault.BACKING_OFF
    assert got.retry_at == clock.day + timedelta(hours=2)
