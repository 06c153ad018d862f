"""Reading the search page: its window, the days before it, and when its layout must have changed."""

from __future__ import annotations

import re
from datetime import date, timedelta

from flows.sources.window import FirstFound, Window
from schemas.receipt import SourceEnd, SourceReport
from schemas.topic import SearchPage
from tests.support.naver.sources import DAWN, NOON, TODAY, Answers, found_at, nothing_found, read
from tests.support.values import key

NO_RESULTS = "<p>'독자'에 대한 검색결과가 없습니다.</p>"
PAGE = SearchPage(type="search_page")


def search_page(hits: dict[date, list[int]]) -> Answers:
    """A search page over the articles of some days: the hits of the days searched, on one page that repeats."""

    def answer(query: dict[str, str]) -> bytes:
        first, last = re.findall(r"[0-9]{8}", query["nso"])
        found = [n for day, numbers in hits.items() if first <= f"{day:%Y%m%d}" <= last for n in numbers]
        links = "".join(f'<a href="{key(n).url}">네이버뉴스</a>' for n in found)
        return f"<html><body>{links or NO_RESULTS}</body></html>".encode()

    return Answers(answer)


def read_search(
    answers: Answers, window: Window, first_found: FirstFound = nothing_found
) -> tuple[list[str], SourceReport]:
    return read(PAGE, "q", window, answers, first_found=first_found)


class TestSearchPage:
    def test_before_dawn_older_hits_show_that_it_works(self) -> None:
        before = DAWN - timedelta(minutes=15)
        answers = search_page({TODAY - timedelta(days=4): [9, 8]})
        ids, report = read_search(answers, Window(DAWN, DAWN, read_before=before), found_at(before, 9, 8))
        assert (ids, report.end, report.watermark) == ([key(9).id, key(8).id], SourceEnd.OVERLAP, DAWN)
        assert len(answers.queries) == 2

    def test_a_window_with_hits_is_all_that_is_searched(self) -> None:
        before = DAWN - timedelta(minutes=15)
        answers = search_page({TODAY: [9], TODAY - timedelta(days=4): [8]})
        ids, _ = read_search(answers, Window(DAWN, DAWN, read_before=before), found_at(before, 9))
        assert (ids, len(answers.queries)) == ([key(9).id], 1)

    def test_without_a_hit_in_a_week_no_cursor_moves(self) -> None:
        before = DAWN - timedelta(minutes=15)
        answers = search_page({TODAY - timedelta(days=9): [9]})
        ids, report = read_search(answers, Window(DAWN, DAWN, read_before=before))
        assert (ids, report.end, report.watermark) == ([], SourceEnd.EMPTY, None)
        assert report.reason == "the search page has no hit from 2026-01-08 to 2026-01-15"

    def test_hits_from_before_all_that_was_to_be_read_only_show_that_it_works(self) -> None:
        before, begin = DAWN - timedelta(minutes=15), DAWN - timedelta(days=2)
        answers = search_page({TODAY - timedelta(days=4): [9, 8]})
        ids, report = read_search(answers, Window(DAWN, DAWN, read_before=before, begin=begin))
        assert (ids, report.items, report.watermark) == ([], 2, DAWN)
        answers = search_page({TODAY - timedelta(days=2): [7], TODAY - timedelta(days=4): [9, 8]})
        ids, report = read_search(answers, Window(DAWN, DAWN, read_before=before, begin=begin))
        assert (set(ids), report.watermark) == ({key(7).id}, DAWN)

    def test_hits_that_all_lead_elsewhere_are_a_changed_layout(self) -> None:
        hits = "".join(f'<a href="https://press.example/{n}" data-heatmap-target=".tit">글 {n}</a>' for n in range(10))
        shown = {"1": hits}
        answers = Answers(lambda query: f"<html><body>{shown.get(query['start'], NO_RESULTS)}</body></html>".encode())
        _, report = read_search(answers, Window(NOON, NOON))
        assert (report.end, report.watermark) == (SourceEnd.LAYOUT_CHANGED, None)
