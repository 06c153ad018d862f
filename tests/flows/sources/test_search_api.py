"""Reading the Search API: where it stops, what lies beyond its cap, and what its errors become."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest

from flows.sources.api_keys import ApiKey
from flows.sources.window import Window, next_window
from schemas.page import RawPage
from schemas.receipt import SourceEnd, SourceReport
from schemas.topic import SearchApi, default_topic_path, load_topic
from tests.support.naver.sources import NOON, Answers, read
from tests.support.values import key

KEY = ApiKey("an id", "a secret")
OPENAPI = SearchApi(type="search_api", endpoint="openapi")


def api(published: Sequence[datetime], *, total: int | None = None) -> Answers:
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

    return Answers(answer)


def read_api(answers: Answers, window: Window, key_: ApiKey | None = KEY) -> tuple[list[str], SourceReport]:
    return read(OPENAPI, "q", window, answers, keys={"openapi": key_} if key_ else {})


class TestSearchApi:
    def test_it_stops_at_an_item_older_than_the_window(self) -> None:
        times = [NOON - timedelta(minutes=n) for n in range(300)]
        answers = api(times)
        ids, report = read_api(answers, Window(NOON - timedelta(minutes=120), NOON))
        assert ids == [key(n).id for n in range(1, 122)]
        assert (report.end, report.watermark, len(answers.queries)) == (SourceEnd.OVERLAP, NOON, 2)

    def test_a_query_without_an_article_in_its_first_window_does_not_take_older_ones_in_its_second(self) -> None:
        topic = load_topic(default_topic_path())
        first = next_window(topic, None, NOON)
        answers = api([NOON - timedelta(days=30), NOON - timedelta(days=31)])
        ids, report = read_api(answers, first)
        assert (ids, report.watermark) == ([], NOON - timedelta(days=30))
        later = NOON + timedelta(minutes=15)
        ids, _ = read_api(answers, next_window(topic, report.watermark, later, begin=first.since))
        assert ids == []
        assert next_window(topic, NOON, later, begin=first.since).since == NOON - topic.limits.lag

    def test_all_articles_of_the_window_s_first_minute_are_inside(self) -> None:
        since = NOON - timedelta(minutes=5, seconds=30)
        ids, _ = read_api(
            api([NOON, *[NOON - timedelta(minutes=6)] * 3, NOON - timedelta(minutes=7)]), Window(since, NOON)
        )
        assert len(ids) == 4

    def test_a_short_page_is_the_end(self) -> None:
        _, report = read_api(api([NOON] * 30), Window(NOON - timedelta(days=9), NOON))
        assert report.end is SourceEnd.END

    def test_the_cap_is_reported_with_the_gap_beyond_it(self) -> None:
        times = [NOON - timedelta(seconds=n) for n in range(2000)]
        ids, report = read_api(api(times), Window(NOON - timedelta(days=1), NOON))
        assert (len(ids), report.end) == (1000, SourceEnd.CAP)
        assert "nothing between 2026-01-14 12:00 and 2026-01-15 11:43" in report.reason

    def test_one_old_item_among_the_newest_does_not_hide_the_gap(self) -> None:
        times = [NOON - timedelta(seconds=n) for n in range(2000)]
        times[350] = NOON - timedelta(days=30)
        _, report = read_api(api(times), Window(NOON - timedelta(days=1), NOON))
        assert report.window is not None
        (gap,) = report.window.unread
        assert gap.since == NOON - timedelta(days=1)
        assert gap.until >= NOON - timedelta(seconds=1000)

    def test_an_empty_page_before_the_last_result_is_no_end(self) -> None:
        times = [NOON - timedelta(seconds=n) for n in range(200)]
        _, report = read_api(api(times, total=5000), Window(NOON - timedelta(days=1), NOON))
        assert (report.end, report.reason) == (SourceEnd.CAP, "an empty page at result 201 of 5000")
        assert report.window is not None
        assert report.window.unread

    def test_no_results_is_empty_and_moves_no_cursor_back(self) -> None:
        before = NOON - timedelta(hours=1)
        _, report = read_api(api([]), Window(before, NOON, read_before=before))
        assert (report.end, report.watermark) == (SourceEnd.EMPTY, before)

    def test_without_a_key_nothing_is_requested(self) -> None:
        answers = api([NOON])
        _, report = read_api(answers, Window(NOON, NOON), None)
        assert (report.end, answers.queries) == (SourceEnd.NO_KEY, [])

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
            return RawPage(url, url, status, "", "HTTP/1.1", (), (), content, content, NOON)

        _, report = read(OPENAPI, "q", Window(NOON, NOON), fetch, keys={"openapi": KEY})
        assert report.end is end
        assert str(next(iter(error.values())))[:3] in report.reason or "010" in report.reason

    def test_the_key_is_not_in_its_representation(self) -> None:
        assert "secret" not in repr(KEY).replace("secret=", "")
        assert KEY.headers("apihub") == {"X-NCP-APIGW-API-KEY-ID": "an id", "X-NCP-APIGW-API-KEY": "a secret"}
