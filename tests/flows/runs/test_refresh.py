"""Known articles checked again: edits, deletions, restorations, and what is left alone."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from flows.cli.exit_codes import Exit
from flows.runs.refresh import RefreshOrder, refresh
from schemas.article import SEOUL, Outcome
from schemas.receipt import ExitReason, Receipt
from schemas.topic import load_topic
from storage.integrity.repair import repair
from tests.support.command import seogo
from tests.support.naver.small import (
    OLD,
    SmallNaver,
    Story,
    article_page,
    begun,
    copied,
    html,
    path_of,
    small_naver,
    small_topic,
)
from tests.support.servers.http import Seen, reply

ONE = OLD[0]
TOMORROW = timedelta(days=1)
WEEK = timedelta(days=7)
NOT_MODIFIED = reply(b"", "304 Not Modified")
DELETED = html("<html><body><p>삭제된 기사입니다.</p></body></html>")


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    """Two articles, published an hour ago and archived."""
    folder = tmp_path_factory.mktemp("first")
    with small_naver() as naver:
        yield begun(naver, folder, small_topic(folder))


@pytest.fixture
def story(first: Story, tmp_path: Path) -> Story:
    """A copy of it."""
    return copied(first, tmp_path, listed=OLD)


def later(story: Story, after: timedelta, **order: int) -> Receipt:
    """A refresh, this much later."""
    asked = RefreshOrder(load_topic(story.topic), story.archive, naver=story.naver.url, **order)
    return asyncio.run(refresh(asked, now=lambda: datetime.now(UTC) + after))


def ends(receipt: Receipt) -> dict[Outcome, int]:
    return {outcome: number for outcome, number in receipt.outcomes.items() if number}


def shows(naver: SmallNaver, page: str) -> None:
    naver.poison(ONE, html(page))


def body_of(story: Story) -> str:
    (row,) = story.sql(f"SELECT body FROM articles WHERE id = '{ONE}'")
    return str(row["body"])


def edited(naver: SmallNaver, title: str = "독자 AI 파운데이션 모델, 고친 제목") -> None:
    head = f'<h2 class="media_end_head_headline">{title}</h2>'
    naver.poison(ONE, html(article_page(ONE, title=head)))


def test_what_is_not_due_is_not_requested(story: Story) -> None:
    receipt = later(story, timedelta(minutes=1))
    assert (receipt.requests, receipt.finds, receipt.exit_reason) == (0, 0, ExitReason.NOTHING_NEW)
    assert receipt.explanation == "no article is due to be checked again"


def test_what_has_not_changed_is_checked_once_a_stage(story: Story) -> None:
    first, again = later(story, TOMORROW), later(story, TOMORROW + timedelta(minutes=5))
    assert (ends(first), first.exit_reason) == ({Outcome.UNCHANGED: 2}, ExitReason.NOTHING_NEW)
    assert (ends(again), again.requests) == ({}, 0)
    assert ends(later(story, WEEK)) == {Outcome.UNCHANGED: 2}
    assert ends(later(story, WEEK * 100)) == {}
    story.check_whole(OLD)


def test_an_edit_becomes_a_revision_and_the_file_shows_it(story: Story) -> None:
    edited(story.naver)
    receipt = later(story, TOMORROW)
    assert ends(receipt) == {Outcome.EDITED: 1, Outcome.UNCHANGED: 1}
    story.check_whole(OLD)
    (row,) = story.sql(f"SELECT file, revision, revision_kind FROM articles WHERE id = '{ONE}'")
    assert (row["revision"], row["revision_kind"]) == (2, "edited")
    assert "고친 제목" in (story.archive / row["file"]).read_text("utf-8")
    assert story.sql("SELECT DISTINCT command FROM runs ORDER BY 1") == [{"command": "crawl"}, {"command": "refresh"}]


def test_a_deletion_is_noted_and_the_text_stays_and_comes_back(story: Story) -> None:
    story.naver.poison(ONE, DELETED)
    assert ends(later(story, TOMORROW)) == {Outcome.GONE: 1, Outcome.UNCHANGED: 1}
    assert story.fate(ONE)[0] == "gone"
    story.check_whole(OLD)
    story.naver.heal()
    assert ends(later(story, WEEK)) == {Outcome.UNCHANGED: 2}
    assert story.sql(f"SELECT state FROM frontier WHERE id = '{ONE}'") == [{"state": "unchanged"}]


def test_a_modified_article_is_checked_sooner(story: Story) -> None:
    stamp = f"{datetime.now(SEOUL) + TOMORROW:%Y-%m-%d %H:%M:%S}"
    modified = f'<span class="_ARTICLE_MODIFY_DATE_TIME" data-modify-date-time="{stamp}">…</span>'
    published = article_page(ONE)
    story.naver.poison(ONE, html(published.replace("</span>", f"</span>{modified}", 1)))
    later(story, TOMORROW + timedelta(minutes=5))
    assert ends(later(story, TOMORROW + timedelta(hours=2))) == {Outcome.UNCHANGED: 1}


def test_a_fault_is_tried_again_by_the_next_crawl(story: Story) -> None:
    story.naver.poison(ONE, reply(b"", "503 Service Unavailable"))
    receipt = later(story, TOMORROW)
    assert ends(receipt) == {Outcome.FAILED: 1, Outcome.UNCHANGED: 1}
    assert receipt.exit_reason is ExitReason.PARTLY_FAILED
    assert ends(later(story, TOMORROW + timedelta(hours=3))) == {}
    story.naver.heal()
    crawled, code = story.crawl_at(datetime.now(UTC) + TOMORROW + timedelta(hours=3))
    assert code == Exit.DONE, crawled.explanation
    assert story.sql("SELECT DISTINCT state FROM frontier") == [{"state": "unchanged"}]


def test_no_more_than_ordered(story: Story) -> None:
    assert ends(later(story, TOMORROW, most_fetches=1)) == {Outcome.UNCHANGED: 1}
    assert ends(later(story, TOMORROW, most_fetches=1)) == {Outcome.UNCHANGED: 1}
    assert ends(later(story, TOMORROW)) == {}


def test_what_robots_txt_forbids_now_makes_room_for_others(story: Story) -> None:
    story.naver.strange["/robots.txt"] = reply(b"User-agent: *\nDisallow: " + path_of(ONE).encode())
    assert ends(later(story, TOMORROW)) == {Outcome.DEFERRED: 1, Outcome.UNCHANGED: 1}
    assert ends(later(story, TOMORROW + timedelta(minutes=1))) == {}
    (row,) = story.sql(f"SELECT state, due_at > now() + INTERVAL 47 HOUR AS tomorrow FROM frontier WHERE id = '{ONE}'")
    assert row == {"state": "deferred", "tomorrow": True}


def test_a_wrong_folder_does_not_become_an_archive(tmp_path: Path) -> None:
    ran = seogo("refresh", "--archive", tmp_path / "typo")
    assert (ran.code, "is not an archive" in ran.err) == (Exit.BAD_INPUT, True)
    assert not (tmp_path / "typo").exists()


def test_a_lost_journal_costs_the_feed_no_event_of_a_later_run(story: Story) -> None:
    """The journal of the run that archived the article is damaged, not that of the run that saw it deleted."""
    (first,) = (story.archive / "captures").rglob("*.warc.gz")
    story.naver.poison(ONE, DELETED)
    later(story, TOMORROW)
    events = "SELECT * FROM events ORDER BY seq"
    before = story.sql(events)
    assert before[-1]["kind"] == "gone"
    first.write_bytes(first.read_bytes()[: first.stat().st_size // 2])
    repair(story.archive)
    assert story.sql(events) == before


def test_a_lost_journal_brings_no_page_back_into_quarantine(story: Story) -> None:
    story.naver.poison(ONE, html("<html><body>다른 모양</body></html>"))
    later(story, TOMORROW)
    assert story.sql("SELECT id FROM quarantine") == [{"id": ONE}]
    earlier = set((story.archive / "captures").rglob("*.warc.gz"))
    story.naver.heal()
    story.crawl_at(datetime.now(UTC) + TOMORROW + timedelta(hours=2))
    assert story.sql("SELECT id FROM quarantine") == []
    (healing,) = set((story.archive / "captures").rglob("*.warc.gz")) - earlier
    healing.write_bytes(healing.read_bytes()[: healing.stat().st_size // 2])
    repair(story.archive)
    assert story.sql("SELECT id FROM quarantine") == []
    assert story.sql("SELECT source FROM coverage WHERE state = 'gap'") == []


def test_the_command(story: Story) -> None:
    ran = seogo("refresh", "--json", env=story.env)
    assert (ran.code, ran.json["command"], ran.json["exit_reason"]) == (Exit.DONE, "refresh", "nothing_new")


# -- conditional requests


class Cautious:
    """A server with an ETag, which answers 304 to a request with the same ETag."""

    def __init__(self, naver: SmallNaver, etag: str) -> None:
        self.asked: list[str | None] = []
        self.etag = etag
        naver.strange[path_of(ONE)] = self.answer

    async def answer(self, seen: Seen, writer: asyncio.StreamWriter) -> None:
        condition = seen.headers.get("if-none-match")
        self.asked.append(condition)
        page = html(article_page(ONE), "Content-Type: text/html; charset=utf-8", f"ETag: {self.etag}")
        writer.write(NOT_MODIFIED if condition == self.etag else page)


def captured(story: Story) -> int:
    return sum(path.stat().st_size for path in (story.archive / "captures").rglob("*.warc.gz"))


def test_a_page_that_the_server_calls_unchanged_is_not_sent_again(tmp_path: Path) -> None:
    with small_naver() as naver:
        server = Cautious(naver, '"first"')
        story = begun(naver, tmp_path, small_topic(tmp_path))
        before = captured(story)
        receipt = later(story, TOMORROW)
        assert ends(receipt) == {Outcome.UNCHANGED: 2}
        assert server.asked == [None, '"first"']
        assert story.fate(ONE) == ("unchanged", "not modified since, as the server says")
        assert captured(story) - before < 6000  # the other page, and the journal
        server.etag = '"second"'
        assert ends(later(story, WEEK)) == {Outcome.UNCHANGED: 2}
        assert server.asked == [None, '"first"', '"first"']
        assert story.sql(f"SELECT etag FROM frontier WHERE id = '{ONE}'") == [{"etag": '"second"'}]
        story.check_whole(OLD)


def test_304_to_an_unconditional_request_is_a_fault(story: Story) -> None:
    story.naver.poison(ONE, NOT_MODIFIED)
    assert ends(later(story, TOMORROW)) == {Outcome.FAILED: 1, Outcome.UNCHANGED: 1}
    assert "unconditional request" in story.fate(ONE)[1]


@pytest.mark.parametrize("etag", ["가나다", "x" * 300])
def test_a_validator_that_cannot_be_sent_back_is_not_kept(tmp_path: Path, etag: str) -> None:
    with small_naver() as naver:
        server = Cautious(naver, etag)
        story = begun(naver, tmp_path, small_topic(tmp_path))
        later(story, TOMORROW)
        assert server.asked == [None, None]


RETRACTED = "언론사의 요청으로 내용을 줄였다."
BROKEN = {
    "emptied": article_page(ONE, body=""),
    "shrunken": article_page(ONE, body=RETRACTED),
    "a beginning": article_page(ONE, body="독자 AI 파운데이션 모델 사업의 1번째"),
    "cut": article_page(ONE, body="독자 AI 파운데이션 모델 사업의 1번째 점검이 끝났다.").partition(
        '<div class="copyright">'
    )[0],
}


@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN)
@pytest.mark.every(2)
def test_a_broken_page_does_not_replace_a_good_text(story: Story, broken: str) -> None:
    before = body_of(story)
    shows(story.naver, broken)
    receipt = later(story, TOMORROW)
    assert ends(receipt) == {Outcome.FAILED: 1, Outcome.UNCHANGED: 1}
    assert receipt.exit_reason is ExitReason.PARTLY_FAILED
    assert story.sql(f"SELECT id FROM quarantine WHERE id = '{ONE}'") == [{"id": ONE}]
    story.naver.heal()
    story.crawl_at(datetime.now(UTC) + TOMORROW + timedelta(hours=1))
    assert (body_of(story), story.sql("SELECT id FROM quarantine")) == (before, [])
    assert story.sql("SELECT count(*) AS n FROM superseded") == [{"n": 0}]
    story.check_whole(OLD)


def test_a_retraction_that_lasts_is_an_edit(story: Story) -> None:
    shows(story.naver, article_page(ONE, body=RETRACTED))
    assert ends(later(story, TOMORROW)) == {Outcome.FAILED: 1, Outcome.UNCHANGED: 1}
    shows(story.naver, article_page(ONE, body=RETRACTED, tail="<!-- 다른 답 -->"))
    crawled, _ = story.crawl_at(datetime.now(UTC) + TOMORROW + timedelta(hours=1))
    assert crawled.outcomes[Outcome.EDITED] == 1
    assert (body_of(story), story.sql("SELECT id FROM quarantine")) == (RETRACTED, [])
    story.check_whole(OLD)


def test_another_loss_is_not_the_same_text_seen_again(story: Story) -> None:
    before = body_of(story)
    shows(story.naver, article_page(ONE, body=RETRACTED))
    later(story, TOMORROW)
    shows(story.naver, article_page(ONE, body=""))
    crawled, _ = story.crawl_at(datetime.now(UTC) + TOMORROW + timedelta(hours=1))
    assert crawled.outcomes[Outcome.FAILED] == 1
    assert body_of(story) == before


def test_the_quarantined_page_alone_does_not_confirm_itself(story: Story) -> None:
    before = body_of(story)
    shows(story.naver, article_page(ONE, body=RETRACTED))
    later(story, TOMORROW)
    words = ("reparse", "--quarantined", "--archive", story.archive, "--topic", story.topic)
    assert seogo(*words).code == Exit.PARTLY_FAILED
    assert body_of(story) == before
    assert seogo(*words, "--accept").code == Exit.DONE
    assert body_of(story) == RETRACTED
