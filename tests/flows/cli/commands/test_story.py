"""`seogo story` and `seogo show --story`."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from flows.reports.text import duration
from schemas.article import SEOUL, Outcome
from storage.archive import open_archive
from tests.support.archives import store_results
from tests.support.command import seogo
from tests.support.prose import prose, sentences
from tests.support.values import PUBLISHED, article, key, stored

LINES = sentences(1, 24)
AT = PUBLISHED + timedelta(minutes=2)
FIRST = article(2, published_at=AT, body="\n\n".join(LINES), title="가온, 모델 공개", publisher="가온통신")
COPY = article(
    1,
    title="가온 모델 나왔다",
    publisher="나루일보",
    body="\n\n".join(
        [*LINES[:11], LINES[11].replace(LINES[11].split()[0], "바뀐말"), "나루일보만의 문장은 여기에만 있다."]
    ),
    published_at=AT + timedelta(minutes=18),
)
SAME = replace(FIRST, key=key(4, "003"), publisher="다온일보", published_at=AT + timedelta(minutes=30))
ALONE = article(5, body=prose(5, 12))


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("story") / "archive"
    same = stored(
        SAME,
        outcome=Outcome.DUPLICATE,
        revision_kind=None,
        duplicate_of=FIRST.id,
        matched_by="content_hash",
    )
    with open_archive(root) as opened:
        store_results(opened, stored(COPY), stored(FIRST), stored(ALONE), same)
    return root


@pytest.mark.parametrize(
    ("minutes", "said", "korean"),
    [
        (0, "0 minutes", "0분"),
        (1, "1 minute", "1분"),
        (119, "119 minutes", "1시간 59분"),
        (318, "5 h 18 min", "5시간 18분"),
        (1_500, "25 h 0 min", "25시간"),
        (2_879, "47 h 59 min", "47시간 59분"),
        (2_880, "2 days", "2일"),
    ],
)
def test_a_time_between_two_articles(minutes: int, said: str, korean: str) -> None:
    assert (duration(minutes), duration(minutes, "ko")) == (said, korean)


@pytest.mark.parametrize("asked", [COPY.id, FIRST.id, SAME.id])
def test_the_timeline_of_a_story(archive: Path, asked: str) -> None:
    lines = seogo("story", asked, "--archive", archive).out.splitlines()
    assert lines[0] == "가온, 모델 공개"
    assert lines[1] == f"story {FIRST.id}: 3 articles of 3 publishers"
    assert lines[3] == f"{AT:%Y-%m-%d %H:%M:%S}  가온통신 {FIRST.id}  가온, 모델 공개"
    assert lines[4] == "    first"
    assert f"나루일보 {COPY.id}  가온 모델 나왔다" in lines[6]
    assert f" of this stands in 가온통신 {FIRST.id}, 18 minutes before; " in lines[7]
    assert lines[10] == f"    the same text as 가온통신 {FIRST.id}, letter for letter, 30 minutes before"


def test_where_only_the_day_is_known_nobody_was_first_by_a_minute(tmp_path: Path) -> None:
    """As in the documents of the older archive."""
    day = PUBLISHED.astimezone(SEOUL).replace(hour=0, minute=0, second=0, microsecond=0)
    whole, cut, rest = LINES, LINES[:16], LINES[12:]
    texts = [
        article(n, published_at=day, body="\n\n".join(lines)) for n, lines in enumerate((whole, cut, rest), start=1)
    ]
    with open_archive(tmp_path) as opened:
        store_results(opened, *map(stored, texts))
    lines = seogo("story", texts[0].id, "--archive", tmp_path).out.splitlines()
    assert lines[4] == "    first by its number: only the day is known"
    assert f"100 % of this stands in 가온신문 {texts[0].id}, of the same day; " in lines[7]


def test_the_timeline_for_programs(archive: Path) -> None:
    found = seogo("story", COPY.id, "--archive", archive, "--json").json
    assert found["story"] == FIRST.id
    first, copy, same = found["publications"]
    assert (first["id"], first["minutes_behind"], first["source"], first["share"]) == (FIRST.id, 0, None, None)
    assert (copy["id"], copy["minutes_behind"], copy["source"], copy["identical"]) == (COPY.id, 18, FIRST.id, False)
    assert 0.8 < copy["share"] < 1.0
    assert 0.4 < copy["kept"] < 0.5
    assert (same["id"], same["source"], same["share"], same["identical"]) == (SAME.id, FIRST.id, 1.0, True)


def test_a_text_sentence_by_sentence(archive: Path) -> None:
    lines = seogo("show", COPY.id, "--story", "--archive", archive).out.splitlines()
    assert lines[1] == f"compared with 가온통신 {FIRST.id}: 가온, 모델 공개"
    assert [line[:2] for line in lines[4:]] == ["= "] * 11 + ["~ ", "+ "] + ["- "] * 12
    assert lines[4] == f"= {LINES[0]}"
    assert "{+바뀐말+}" in lines[15]
    assert lines[16] == "+ 나루일보만의 문장은 여기에만 있다."


def test_the_first_text_is_compared_with_its_closest_copy(archive: Path) -> None:
    found = seogo("show", FIRST.id, "--story", "--archive", archive, "--json").json
    assert found["other"]["id"] == SAME.id
    assert {passage["kind"] for passage in found["passages"]} == {"shared"}
    changed = seogo("show", COPY.id, "--story", "--archive", archive, "--json").json["passages"][11]
    assert changed["kind"] == "changed"
    assert {hunk["op"] for hunk in changed["hunks"]} == {"equal", "delete", "insert"}


def test_an_article_alone_is_its_own_story(archive: Path) -> None:
    found = seogo("story", ALONE.id, "--archive", archive, "--json").json
    assert [one["id"] for one in found["publications"]] == [ALONE.id]
    assert "no near-copy to compare" in seogo("show", ALONE.id, "--story", "--archive", archive).complaint


def test_an_article_that_is_not_there(archive: Path) -> None:
    assert "is not in the archive" in seogo("story", key(99).id, "--archive", archive).complaint
    assert "exclude each other" in seogo("show", COPY.id, "--story", "--diff", "--archive", archive).complaint
