"""Reading day lists: where a day ends, how a silent list shows that it works, and what is never skipped."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta

import pytest

from flows.sources.readers import SourceQuery
from flows.sources.reading import PASSES, UNSTEADY
from flows.sources.window import FirstFound, Window
from schemas.page import Fault, FetchFault
from schemas.receipt import SourceEnd, SourceReport
from schemas.topic import PressList
from tests.support.naver.sources import DAWN, NOON, TODAY, Answers, found_at, nothing_found, pages_of, read
from tests.support.values import key

PRESS = PressList(type="press_list", oids=("001",))


def list_page(numbers: Sequence[int], *, page: int = 1, last: int = 1) -> bytes:
    items = "".join(
        f'<li><dl><dt><a href="{key(n).url}">제목 {n}</a></dt><dd><span class="writing">가온</span></dd></dl></li>'
        for n in numbers
    )
    links = "".join(
        f"<strong>{n}</strong>" if n == page else f'<a href="?page={n}">{n}</a>' for n in range(1, last + 1)
    )
    return f'<ul class="type06_headline">{items}</ul><div class="paging">{links}</div>'.encode("cp949")


def lists(days: dict[date, list[list[int]]]) -> Answers:
    """Press lists by day and page; past the end of a day, its last page again."""

    def answer(query: dict[str, str]) -> bytes:
        pages = days.get(datetime.strptime(query["date"], "%Y%m%d").date())  # noqa: DTZ007 — a day
        if not pages:
            return b'<div class="list_body newsflash_body"></div><div class="paging"></div>'
        number = min(int(query["page"]), len(pages))
        return list_page(pages[number - 1], page=number, last=len(pages))

    return Answers(answer)


def read_press(
    answers: Answers, window: Window, first_found: FirstFound = nothing_found
) -> tuple[list[str], SourceReport]:
    return read(PRESS, "001", window, answers, first_found=first_found)


class TestLists:
    def test_a_first_reading_reads_every_page_of_every_day(self) -> None:
        yesterday = TODAY - timedelta(days=1)
        answers = lists({TODAY: [[9, 8], [7]], yesterday: [[6], [5], [4]]})
        ids, report = read_press(answers, Window(NOON - timedelta(days=1), NOON))
        assert ids == [key(n).id for n in (9, 8, 7, 6, 5, 4)]
        assert (report.end, report.watermark, report.pages) == (SourceEnd.OVERLAP, NOON, 5)

    def test_the_last_page_that_repeats_ends_the_day(self) -> None:
        def endless(query: dict[str, str]) -> bytes:
            number = int(query["page"])
            body = list_page([3] if number == 1 else [2], page=min(number, 2), last=2)
            return body.replace(b"</div>", b'<a href="?page=99" class="next">next</a></div>')

        answers = Answers(endless)
        ids, _ = read_press(answers, Window(NOON, NOON))
        assert ids == [key(3).id, key(2).id]
        assert len(answers.queries) == 3

    def test_a_page_with_nothing_new_ends_a_day_that_was_read_before(self) -> None:
        before = NOON - timedelta(hours=1)
        answers = lists({TODAY: [[9], [8], [7]]})
        asked = Window(before, NOON, read_before=before)
        ids, report = read_press(answers, asked, found_at(before, 8, 7))
        assert ids == [key(9).id, key(8).id]
        assert (report.end, len(answers.queries)) == (SourceEnd.OVERLAP, 2)

    def test_what_an_unfinished_run_found_does_not_end_a_day(self) -> None:
        """That run was killed after page 2: page 3 has never been read."""
        before = NOON - timedelta(hours=1)
        answers = lists({TODAY: [[9], [8], [7]]})
        killed = found_at(NOON - timedelta(minutes=15), 9, 8)
        ids, _ = read_press(answers, Window(before, NOON, read_before=before), killed)
        assert ids == [key(9).id, key(8).id, key(7).id]

    def test_a_day_is_read_to_its_end_once_more_after_it_ended(self) -> None:
        yesterday = TODAY - timedelta(days=1)
        before = NOON - timedelta(days=1)
        answers = lists({TODAY: [[9]], yesterday: [[8], [7], [6]]})
        ids, _ = read_press(answers, Window(before, NOON, read_before=before), found_at(before, 8, 7))
        assert key(6).id in ids

    def test_an_empty_list_that_was_never_read_is_not_read_further_back(self) -> None:
        answers = lists({})
        ids, report = read_press(answers, Window(NOON, NOON))
        assert (ids, report.end, len(answers.queries)) == ([], SourceEnd.EMPTY, 1)
        assert "the list is empty on 2026-01-15" in report.reason
        assert report.watermark is None

    def test_before_dawn_older_articles_show_that_the_list_works(self) -> None:
        """The new day and the day before are empty; the first page of the day before that is known, and enough."""
        last = TODAY - timedelta(days=2)
        answers = lists({last: [[9], [8], [7]]})
        before = DAWN - timedelta(minutes=15)
        asked = Window(DAWN, DAWN, read_before=before)
        ids, report = read_press(answers, asked, found_at(before, 9, 8, 7))
        assert (ids, report.end, report.watermark) == ([key(9).id], SourceEnd.EMPTY, DAWN)
        assert report.reason == (
            "the list is empty from 2026-01-14 to 2026-01-15, but still shows articles on 2026-01-13"
        )
        assert [query["date"] for query in answers.queries] == ["20260115", "20260114", "20260113"]

    def test_articles_from_before_all_that_was_to_be_read_only_show_that_it_works(self) -> None:
        before, last = DAWN - timedelta(minutes=15), TODAY - timedelta(days=3)
        answers = lists({last: [[9], [8], [7]]})
        ids, report = read_press(answers, Window(DAWN, DAWN, read_before=before, begin=DAWN - timedelta(days=2)))
        assert (ids, report.items, report.end, report.watermark) == ([], 1, SourceEnd.EMPTY, DAWN)
        assert "still shows articles on 2026-01-12" in report.reason
        ids, _ = read_press(answers, Window(DAWN, DAWN, read_before=before, begin=DAWN - timedelta(days=3)))
        assert key(9).id in ids

    def test_an_article_that_came_late_to_the_day_before_is_found_too(self) -> None:
        before = DAWN - timedelta(minutes=15)
        answers = lists({TODAY - timedelta(days=1): [[9], [8], [7]]})
        ids, _ = read_press(answers, Window(DAWN, DAWN, read_before=before), found_at(before, 8, 7))
        assert ids == [key(9).id, key(8).id]

    def test_a_list_that_has_something_is_not_read_further_back(self) -> None:
        before = DAWN - timedelta(minutes=15)
        answers = lists({TODAY: [[9]], TODAY - timedelta(days=1): [[8]]})
        _, report = read_press(answers, Window(DAWN, DAWN, read_before=before), found_at(before, 9))
        assert (report.end, len(answers.queries)) == (SourceEnd.OVERLAP, 1)

    @pytest.mark.parametrize(("silent", "believed"), [(timedelta(hours=1), False), (timedelta(days=8), True)])
    def test_a_silent_list_moves_its_cursor_only_after_a_week(self, silent: timedelta, believed: bool) -> None:
        """A broken list looks like this: what it hides is read once it works again, if that is within a week."""
        answers = lists({})
        ids, report = read_press(answers, Window(NOON - silent, NOON, read_before=NOON - silent))
        assert (ids, report.end, report.items) == ([], SourceEnd.EMPTY, 0)
        assert report.watermark == (NOON if believed else None)
        assert len(answers.queries) <= 9

    def test_an_empty_page_that_links_to_later_ones_is_a_changed_layout(self) -> None:
        answers = Answers(lambda query: b'<div class="list_body"></div>' + list_page([], page=1, last=3))
        _, report = read_press(answers, Window(NOON, NOON))
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
        answers = Answers(lambda query: first if query["page"] == "1" else answer)
        ids, report = read_press(answers, Window(NOON, NOON))
        assert ids == [key(9).id]
        assert (report.end, report.watermark) == (end, None)
        assert report.reason

    def test_a_page_that_cannot_be_parsed_is_handed_over_to_be_kept(self) -> None:
        answers = Answers(lambda query: b"<html><p>another site</p></html>")
        (page,), report = pages_of(SourceQuery(PRESS, "001"), Window(NOON, NOON), answers)
        assert (page.refs, page.unparsed, page.page.content) == ((), True, b"<html><p>another site</p></html>")
        assert report.end is SourceEnd.LAYOUT_CHANGED

    def test_a_day_whose_items_keep_moving_is_read_again_and_then_a_gap(self) -> None:
        """Article 9 is shown on both pages although nothing new has pushed it on: another article was missed."""
        answers = lists({TODAY: [[9, 8], [7, 9]]})
        ids, report = read_press(answers, Window(DAWN, NOON))
        assert set(ids) == {key(n).id for n in (9, 8, 7)}
        assert len(answers.queries) == 2 * PASSES
        assert (report.end, report.reason) == (SourceEnd.CAP, f"{TODAY}: {UNSTEADY}")
        assert report.window is not None
        assert report.window.unread
