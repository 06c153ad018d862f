"""The digest of a day: its facts, in Markdown and HTML, in both languages, and `seogo digest`."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest

from flows.reports.digest import MOST, Digest, html, markdown, read_digest, subject
from schemas.errors import BadInput
from tests.support.command import seogo
from tests.support.histories.analyst import EDITED, MADE, december, make
from tests.support.reports import EVIL

DAY = date(2025, 12, 29)


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("digest") / "archive")


def on(archive: Path, day: date) -> Digest:
    return read_digest(archive, day, title="독자 AI")


def test_a_story_has_the_first_publisher_its_copies_and_how_long_they_took(archive: Path) -> None:
    found = on(archive, DAY)
    (story,) = found.stories
    assert (story["publisher"], story["published_at"]) == ("다온일보", december(29, 9, 30))
    assert (story["copies"], story["publishers"], story["minutes"]) == (2, 3, 150)
    assert found.voices == [{"team": "가온", "articles": 1}]
    assert on(archive, DAY + timedelta(days=2)).stories == []


def test_edits_and_deletions_are_of_the_day_on_which_they_were_noticed(archive: Path) -> None:
    second = MADE.date() + timedelta(days=1)
    found = on(archive, second)
    (edit,) = found.edits
    assert (edit["id"], edit["before"], edit["title"]) == (EDITED, "나래 모델, 세계 1위", "나래 모델, 세계 2위")
    assert [row["title"] for row in found.gone] == ["지워진 글"]
    assert on(archive, MADE.date()).edits == []


def test_markdown_in_korean_and_in_english(archive: Path) -> None:
    found = on(archive, DAY)
    korean, english = markdown(found, "ko"), markdown(found, "en")
    assert korean.splitlines()[0] == "# 독자 AI: 하루 요약 2025-12-29 (월)"
    assert ": 다온일보 09:30, 받아쓴 기사 2건, 언론사 3곳, 2시간 30분 동안" in korean
    assert "독자 AI: Daily digest 2025-12-29 (Mon)" in english
    assert "다온일보 09:30, copied 2 times, 3 publishers, within 2 h 30 min" in english
    assert "1 article, 1 publisher, 0 edits, 0 deletions" in english
    assert "보도된 기사가 없습니다." in markdown(on(archive, date(2025, 1, 1)), "ko")


def test_strangers_text_is_escaped_and_long_lists_are_cut() -> None:
    row = {"id": "1", "title": EVIL, "publisher": EVIL, "published_at": december(29, 10), "url": "javascript:alert(1)"}
    rows = [{**row, "copies": 0, "publishers": 1, "minutes": 0}] * (MOST + 3)
    found = Digest(DAY, "주제", len(rows), 1, rows, [], [], [{"team": EVIL, "articles": 1}])
    page, text = html(found, "ko"), markdown(found, "ko")
    assert "<script" not in page
    assert "javascript:" not in page + text
    assert page.count("<li style") == text.count("10:00") == MOST
    assert "그 밖에 3건" in page
    assert "그 밖에 3건" in text


def test_the_page_asks_nobody_and_has_the_same_rows(archive: Path) -> None:
    page = html(on(archive, DAY), "en")
    assert "가온, 첫 모델 공개" in page
    assert subject(on(archive, DAY), "en") in page
    assert not [part for part in ("<script", "<link", "<img", "url(") if part in page]


def test_the_command(archive: Path, tmp_path: Path) -> None:
    words = ("digest", "--archive", archive, "--day", "2025-12-29")
    assert "하루 요약 2025-12-29 (월)" in seogo(*words).out
    assert seogo(*words, "--json").json["stories"][0]["copies"] == 2
    assert "보도된 기사가 없습니다" in seogo("digest", "--archive", archive).out
    assert seogo(*words, "--html", tmp_path / "day.html").code == 0
    assert "다온일보 09:30" in (tmp_path / "day.html").read_text("utf-8")
    assert seogo(*words, "--html", tmp_path / "no" / "day.html").code == 9
    assert seogo(*words, "--html", archive / "articles" / "day.html").code == 2
    with pytest.raises(BadInput, match="no archive there"):
        read_digest(tmp_path, DAY, title="")
