"""Reading sources: where each stops, what it reports, and that no window skips what an unfinished run left."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from functools import partial
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.naver.urls import press_list_url
from flows.sources.discover import (
    ApiKey,
    Discovered,
    Reading,
    read_list,
    read_search_api,
    read_search_page,
    refs_of_addresses,
)
from flows.sources.window import Known, Window, window
from schemas.article import SEOUL
from schemas.errors import AddressError
from schemas.page import Fault, FetchFault, RawPage
from schemas.receipt import SourceEnd, SourceReport
from schemas.topic import default_topic_path, load_topic
from tests.support.values import key

NOW = datetime(2026, 1, 15, 12, 0, tzinfo=SEOUL)
TODAY = NOW.date()
DAWN = datetime(2026, 1, 15, 2, 30, tzinfo=SEOUL)
NO_RESULTS = "<p>'독자'에 대한 검색결과가 없습니다.</p>"
KEY = ApiKey("an id", "a secret")


class World:
    """Answers by address; keeps what was asked."""

    def __init__(self, answer: Callable[[dict[str, str]], bytes | FetchFault | int]) -> None:
        self.answer = answer
        self.asked: list[dict[str, str]] = []

    async def __call__(self, url: str, *, why: str, **_: object) -> RawPage | FetchFault:
        query = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
        self.asked.append(query)
        answer = self.answer(query)
        if isinstance(answer, FetchFault):
            return answer
        status, content = (answer, b"{}") if isinstance(answer, int) else (200, answer)
        return RawPage(url, url, status, "", "HTTP/1.1", (), (), content, content, NOW)


def read(reading: Reading) -> tuple[list[str], SourceReport]:
    """The ids that a reading names, in order, and its report."""

    async def all_of_it() -> list[Discovered | SourceReport]:
        return [part async for part in reading]

    *pages, report = asyncio.run(all_of_it())
    assert isinstance(report, SourceReport)
    ids = [ref.key.id for page in pages if isinstance(page, Discovered) for ref in page.refs]
    return ids, report


async def nothing_known(ids: Sequence[str]) -> dict[str, datetime]:
    return {}


def known_since(when: datetime, *numbers: int) -> Known:
    found = {key(n).id: when for n in numbers}

    async def known(ids: Sequence[str]) -> dict[str, datetime]:
        return {id_: found[id_] for id_ in ids if id_ in found}

    return known


def list_page(numbers: Sequence[int], *, page: int = 1, last: int = 1) -> bytes:
    items = "".join(
        f'<li><dl><dt><a href="{key(n).url}">제목 {n}</a></dt><dd><span class="writing">가온</span></dd></dl></li>'
        for n in numbers
    )
    links = "".join(
        f"<strong>{n}</strong>" if n == page else f'<a href="?page={n}">{n}</a>' for n in range(1, last + 1)
    )
    return f'<ul class="type06_headline">{items}</ul><div class="paging">{links}</div>'.encode("cp949")


def lists(days: dict[date, list[list[int]]]) -> World:
    """Press lists by day and page; behind the last page, the last page again."""

    def answer(query: dict[str, str]) -> bytes:
        pages = days.get(datetime.strptime(query["date"], "%Y%m%d").date())  # noqa: DTZ007 — a day
        if not pages:
            return b'<div class="list_body newsflash_body"></div><div class="paging"></div>'
        number = min(int(query["page"]), len(pages))
        return list_page(pages[number - 1], page=number, last=len(pages))

    return World(answer)


def read_press(world: World, asked: Window, known: Known = nothing_known) -> tuple[list[str], SourceReport]:
    return read(read_list("press_list:001", partial(press_list_url, "001"), asked, world, known))


class TestLists:
    def test_a_first_reading_reads_every_page_of_every_day(self) -> None:
        yesterday = TODAY - timedelta(days=1)
        world = lists({TODAY: [[9, 8], [7]], yesterday: [[6], [5], [4]]})
        ids, report = read_press(world, Window(NOW - timedelta(days=1), NOW))
        assert ids == [key(n).id for n in (9, 8, 7, 6, 5, 4)]
        assert (report.end, report.watermark, report.pages) == (SourceEnd.OVERLAP, NOW, 5)

    def test_the_last_page_that_repeats_ends_the_day(self) -> None:
        def endless(query: dict[str, str]) -> bytes:
            number = int(query["page"])
            body = list_page([3] if number == 1 else [2], page=min(number, 2), last=2)
            return body.replace(b"</div>", b'<a href="?page=99" class="next">next</a></div>')

        world = World(endless)
        ids, _ = read_press(world, Window(NOW, NOW))
        assert ids == [key(3).id, key(2).id]
        assert len(world.asked) == 3

    def test_a_page_without_anything_new_ends_a_day_that_was_read_before(self) -> None:
        before = NOW - timedelta(hours=1)
        world = lists({TODAY: [[9], [8], [7]]})
        asked = Window(before, NOW, read_before=before)
        ids, report = read_press(world, asked, known_since(before, 8, 7))
        assert ids == [key(9).id, key(8).id]
        assert (report.end, len(world.asked)) == (SourceEnd.OVERLAP, 2)

    def test_what_an_unfinished_run_found_does_not_end_a_day(self) -> None:
        """That run was killed behind page 2: page 3 is what nobody has seen."""
        before = NOW - timedelta(hours=1)
        world = lists({TODAY: [[9], [8], [7]]})
        killed = known_since(NOW - timedelta(minutes=15), 9, 8)
        ids, _ = read_press(world, Window(before, NOW, read_before=before), killed)
        assert ids == [key(9).id, key(8).id, key(7).id]

    def test_a_day_is_read_to_its_end_once_more_after_it_ended(self) -> None:
        yesterday = TODAY - timedelta(days=1)
        before = NOW - timedelta(days=1)
        world = lists({TODAY: [[9]], yesterday: [[8], [7], [6]]})
        ids, _ = read_press(world, Window(before, NOW, read_before=before), known_since(before, 8, 7))
        assert key(6).id in ids

    def test_a_list_never_read_that_is_empty_gets_what_it_was_asked_for(self) -> None:
        world = lists({})
        ids, report = read_press(world, Window(NOW, NOW))
        assert (ids, report.end, len(world.asked)) == ([], SourceEnd.EMPTY, 1)
        assert "the list is empty on 2026-01-15" in report.reason
        assert report.watermark is None

    def test_before_dawn_a_list_shows_by_its_last_articles_that_it_works(self) -> None:
        """The new day is empty, Sunday was too; Saturday's first page is known, and one page is enough."""
        last = TODAY - timedelta(days=2)
        world = lists({last: [[9], [8], [7]]})
        before = DAWN - timedelta(minutes=15)
        asked = Window(DAWN, DAWN, read_before=before)
        ids, report = read_press(world, asked, known_since(before, 9, 8, 7))
        assert (ids, report.end, report.watermark) == ([key(9).id], SourceEnd.EMPTY, DAWN)
        assert report.reason == (
            "the list is empty from 2026-01-14 to 2026-01-15, and that of 2026-01-13 still shows its articles"
        )
        assert [query["date"] for query in world.asked] == ["20260115", "20260114", "20260113"]

    def test_what_came_late_to_the_day_before_is_found_by_the_look_back(self) -> None:
        before = DAWN - timedelta(minutes=15)
        world = lists({TODAY - timedelta(days=1): [[9], [8], [7]]})
        ids, _ = read_press(world, Window(DAWN, DAWN, read_before=before), known_since(before, 8, 7))
        assert ids == [key(9).id, key(8).id]

    def test_a_list_that_has_something_is_not_read_further_back(self) -> None:
        before = DAWN - timedelta(minutes=15)
        world = lists({TODAY: [[9]], TODAY - timedelta(days=1): [[8]]})
        _, report = read_press(world, Window(DAWN, DAWN, read_before=before), known_since(before, 9))
        assert (report.end, len(world.asked)) == (SourceEnd.OVERLAP, 1)

    @pytest.mark.parametrize(("silent", "believed"), [(timedelta(hours=1), False), (timedelta(days=8), True)])
    def test_a_silent_list_moves_its_cursor_only_after_a_week(self, silent: timedelta, believed: bool) -> None:
        """A list that broke looks like this: what it hides is read when it is mended, if that takes no week."""
        world = lists({})
        ids, report = read_press(world, Window(NOW - silent, NOW, read_before=NOW - silent))
        assert (ids, report.end, report.items) == ([], SourceEnd.EMPTY, 0)
        assert report.watermark == (NOW if believed else None)
        assert len(world.asked) <= 9

    def test_an_empty_page_that_links_to_later_ones_is_a_changed_layout(self) -> None:
        world = World(lambda query: b'<div class="list_body"></div>' + list_page([], page=1, last=3))
        _, report = read_press(world, Window(NOW, NOW))
        assert (report.end, report.watermark) == (SourceEnd.LAYOUT_CHANGED, None)

    @pytest.mark.parametrize(
        ("answer", "end"),
        [
            (FetchFault("u", Fault.FORBIDDEN, "robots.txt"), SourceEnd.FORBIDDEN),
            (FetchFault("u", Fault.BLOCKED, "429"), SourceEnd.BLOCKED),
            (FetchFault("u", Fault.BACKING_OFF, "later"), SourceEnd.BLOCKED),
            (FetchFault("u", Fault.STOPPED, "stopped"), SourceEnd.INTERRUPTED),
            (FetchFault("u", Fault.TIMEOUT, "20 s"), SourceEnd.FAILED),
            (403, SourceEnd.BLOCKED),
            (500, SourceEnd.FAILED),
            (b"<html><p>another site</p></html>", SourceEnd.LAYOUT_CHANGED),
        ],
        ids=str,
    )
    def test_a_reading_that_fails_moves_no_cursor(self, answer: bytes | FetchFault | int, end: SourceEnd) -> None:
        first = list_page([9], page=1, last=2)
        world = World(lambda query: first if query["page"] == "1" else answer)
        ids, report = read_press(world, Window(NOW, NOW))
        assert ids == [key(9).id]
        assert (report.end, report.watermark) == (end, None)
        assert report.reason


def api(published: Sequence[datetime], *, total: int | None = None) -> World:
    """The Search API over articles published at these times, newest first."""

    def item(number: int) -> dict[str, str]:
        link = key(number + 1).url
        when = f"{published[number]:%a, %d %b %Y %H:%M:00 +0900}"
        return {"title": "<b>독자</b> 모델", "link": link, "originallink": link, "description": "", "pubDate": when}

    def answer(query: dict[str, str]) -> bytes:
        start, display = int(query["start"]), int(query["display"])
        items = [item(n) for n in range(start - 1, min(start - 1 + display, len(published)))]
        whole = {"lastBuildDate": "", "total": total or len(published), "start": start, "display": len(items)}
        return json.dumps({**whole, "items": items}).encode()

    return World(answer)


def read_api(world: World, asked: Window, key_: ApiKey | None = KEY) -> tuple[list[str], SourceReport]:
    return read(read_search_api("search_api:q", "q", asked, world, endpoint="openapi", key=key_))


class TestSearchApi:
    def test_it_stops_at_an_item_older_than_the_window(self) -> None:
        times = [NOW - timedelta(minutes=n) for n in range(300)]
        world = api(times)
        ids, report = read_api(world, Window(NOW - timedelta(minutes=120), NOW))
        assert ids == [key(n).id for n in range(1, 122)]
        assert (report.end, report.watermark, len(world.asked)) == (SourceEnd.OVERLAP, NOW, 2)

    def test_ties_on_the_window_s_first_minute_are_inside(self) -> None:
        since = NOW - timedelta(minutes=5, seconds=30)
        ids, _ = read_api(api([NOW, *[NOW - timedelta(minutes=6)] * 3, NOW - timedelta(minutes=7)]), Window(since, NOW))
        assert len(ids) == 4

    def test_a_short_page_is_the_end(self) -> None:
        _, report = read_api(api([NOW] * 30), Window(NOW - timedelta(days=9), NOW))
        assert report.end is SourceEnd.END

    def test_the_cap_is_named_with_the_gap_behind_it(self) -> None:
        times = [NOW - timedelta(seconds=n) for n in range(2000)]
        ids, report = read_api(api(times), Window(NOW - timedelta(days=1), NOW))
        assert (len(ids), report.end) == (1000, SourceEnd.CAP)
        assert "nothing between 2026-01-14 12:00 and 2026-01-15 11:43" in report.reason

    def test_one_old_item_among_the_newest_does_not_hide_the_gap(self) -> None:
        times = [NOW - timedelta(seconds=n) for n in range(2000)]
        times[350] = NOW - timedelta(days=30)
        _, report = read_api(api(times), Window(NOW - timedelta(days=1), NOW))
        assert report.window is not None
        (gap,) = report.window.unread
        assert gap.since == NOW - timedelta(days=1)
        assert gap.until >= NOW - timedelta(seconds=1000)

    def test_an_empty_page_before_the_last_result_is_no_end(self) -> None:
        times = [NOW - timedelta(seconds=n) for n in range(200)]
        _, report = read_api(api(times, total=5000), Window(NOW - timedelta(days=1), NOW))
        assert (report.end, report.reason) == (SourceEnd.CAP, "an empty page at result 201 of 5000")
        assert report.window is not None
        assert report.window.unread

    def test_no_results_is_empty_and_moves_no_cursor_back(self) -> None:
        before = NOW - timedelta(hours=1)
        _, report = read_api(api([]), Window(before, NOW, read_before=before))
        assert (report.end, report.watermark) == (SourceEnd.EMPTY, before)

    def test_without_a_key_nothing_is_asked(self) -> None:
        world = api([NOW])
        _, report = read_api(world, Window(NOW, NOW), None)
        assert (report.end, world.asked) == (SourceEnd.NO_KEY, [])

    @pytest.mark.parametrize(
        ("status", "error", "end"),
        [
            (401, {"errorCode": "024", "errorMessage": "Authentication failed"}, SourceEnd.NO_KEY),
            (429, {"error": {"errorCode": "010", "message": "quota"}}, SourceEnd.BLOCKED),
            (400, {"errorCode": "SE01", "errorMessage": "bad query"}, SourceEnd.FAILED),
            (500, {"errorCode": "SE99", "errorMessage": "system"}, SourceEnd.FAILED),
        ],
    )
    def test_errors_say_what_the_api_said(self, status: int, error: dict[str, object], end: SourceEnd) -> None:
        async def fetch(url: str, **_: object) -> RawPage:
            content = json.dumps(error).encode()
            return RawPage(url, url, status, "", "HTTP/1.1", (), (), content, content, NOW)

        _, report = read(read_search_api("n", "q", Window(NOW, NOW), fetch, endpoint="openapi", key=KEY))
        assert report.end is end
        assert str(next(iter(error.values())))[:3] in report.reason or "010" in report.reason

    def test_the_key_is_not_in_its_representation(self) -> None:
        assert "secret" not in repr(KEY).replace("secret=", "")
        assert KEY.headers("apihub") == {"X-NCP-APIGW-API-KEY-ID": "an id", "X-NCP-APIGW-API-KEY": "a secret"}


def search_page(hits: dict[date, list[int]]) -> World:
    """A search page over the articles of some days: the hits of the days asked for, on one page that repeats."""

    def answer(query: dict[str, str]) -> bytes:
        first, last = re.findall(r"[0-9]{8}", query["nso"])
        found = [n for day, numbers in hits.items() if first <= f"{day:%Y%m%d}" <= last for n in numbers]
        links = "".join(f'<a href="{key(n).url}">네이버뉴스</a>' for n in found)
        return f"<html><body>{links or NO_RESULTS}</body></html>".encode()

    return World(answer)


def read_search(world: World, asked: Window, known: Known = nothing_known) -> tuple[list[str], SourceReport]:
    return read(read_search_page("search_page:q", "q", asked, world, known))


class TestSearchPage:
    def test_before_dawn_it_shows_by_older_hits_that_it_works(self) -> None:
        before = DAWN - timedelta(minutes=15)
        world = search_page({TODAY - timedelta(days=4): [9, 8]})
        ids, report = read_search(world, Window(DAWN, DAWN, read_before=before), known_since(before, 9, 8))
        assert (ids, report.end, report.watermark) == ([key(9).id, key(8).id], SourceEnd.OVERLAP, DAWN)
        assert len(world.asked) == 2

    def test_a_window_with_hits_is_all_that_is_asked(self) -> None:
        before = DAWN - timedelta(minutes=15)
        world = search_page({TODAY: [9], TODAY - timedelta(days=4): [8]})
        ids, _ = read_search(world, Window(DAWN, DAWN, read_before=before), known_since(before, 9))
        assert (ids, len(world.asked)) == ([key(9).id], 1)

    def test_without_a_hit_in_a_week_no_cursor_moves(self) -> None:
        before = DAWN - timedelta(minutes=15)
        world = search_page({TODAY - timedelta(days=9): [9]})
        ids, report = read_search(world, Window(DAWN, DAWN, read_before=before))
        assert (ids, report.end, report.watermark) == ([], SourceEnd.EMPTY, None)
        assert report.reason == "the search page finds nothing from 2026-01-08 to 2026-01-15"

    def test_hits_that_all_lead_elsewhere_are_a_changed_layout(self) -> None:
        hits = "".join(f'<a href="https://press.example/{n}" data-heatmap-target=".tit">글 {n}</a>' for n in range(10))
        shown = {"1": hits}
        world = World(lambda query: f"<html><body>{shown.get(query['start'], NO_RESULTS)}</body></html>".encode())
        _, report = read_search(world, Window(NOW, NOW))
        assert (report.end, report.watermark) == (SourceEnd.LAYOUT_CHANGED, None)


class TestWindow:
    @given(hours=st.integers(0, 2000))
    def test_windows_overlap_by_the_lag(self, hours: int) -> None:
        topic = load_topic(default_topic_path())
        before = NOW - timedelta(hours=hours)
        asked = window(topic, before, NOW)
        assert asked.since == before - topic.limits.lag
        assert asked.days[0] == TODAY
        assert asked.days[-1] == asked.since.astimezone(SEOUL).date()
        assert len(asked.days) == len(set(asked.days))

    @pytest.mark.parametrize("ahead", [timedelta(hours=3), timedelta(days=400)])
    def test_a_cursor_of_the_future_counts_for_nothing(self, ahead: timedelta) -> None:
        topic = load_topic(default_topic_path())
        assert window(topic, NOW + ahead, NOW) == window(topic, None, NOW)

    def test_a_cursor_some_minutes_ahead_is_that_of_another_clock(self) -> None:
        topic = load_topic(default_topic_path())
        assert window(topic, NOW + timedelta(minutes=2), NOW) == window(topic, NOW, NOW)

    def test_a_source_never_read_is_read_as_far_back_as_the_topic_says(self) -> None:
        topic = load_topic(default_topic_path())
        assert window(topic, None, NOW).since == NOW - topic.limits.lookback

    @given(read_hours_ago=st.integers(0, 400))
    def test_a_source_that_was_read_looks_back_a_week_at_least_and_each_day_once(self, read_hours_ago: int) -> None:
        before = NOW - timedelta(hours=read_hours_ago)
        asked = Window(before, NOW, read_before=before)
        days = asked.days + asked.days_before
        assert days == [TODAY - timedelta(days=n) for n in range(len(days))]
        assert len(days) == max(8, len(asked.days))
        assert Window(before, NOW).days_before == []

    @given(read_hours_ago=st.integers(0, 100), day_ago=st.integers(0, 4))
    def test_a_day_is_read_in_full_exactly_until_it_was_read_after_its_end(
        self, read_hours_ago: int, day_ago: int
    ) -> None:
        before, day = NOW - timedelta(hours=read_hours_ago), TODAY - timedelta(days=day_ago)
        asked = Window(NOW - timedelta(days=9), NOW, read_before=before)
        ended = datetime.combine(day + timedelta(days=1), datetime.min.time(), SEOUL)
        assert asked.read_in_full(day) == (day < TODAY and before < ended)


def test_addresses_become_finds_once_each() -> None:
    one, other = key(1).url, f"https://news.naver.com/main/read.naver?oid=001&aid={key(1).aid}"
    (ref,) = refs_of_addresses([one, other], NOW)
    assert (ref.key, ref.source) == (key(1), "address")
    with pytest.raises(AddressError, match="evil"):
        refs_of_addresses(["https://evil.example/mnews/article/001/0000000001"], NOW)
