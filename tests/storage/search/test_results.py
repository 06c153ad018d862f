"""What a search gives: filters, order, counts, and why an article ranks where it does."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pytest

from schemas.errors import BadInput
from storage.archive import open_archive
from storage.search import results
from storage.search.index import SLOTS, Document, opened_to_write, packed, stamp_of
from storage.search.query import parse
from storage.search.results import SearchRequest, SearchResult, search
from tests.support.search import a_document
from tests.support.values import key

DAY = 86_400
FIRST = 1_767_000_000
DOCUMENTS = (
    a_document(1, "독자 모델의 이야기", title="독자 모델 공개", teams=packed(["가온", "나래"]), on_topic=True),
    a_document(2, "독자 모델이 아닌 이야기", title="나래의 하루", teams=packed(["나래"]), publisher="나래일보"),
    a_document(3, "유독자극적인 모델", title="다른 이야기", published=FIRST + 3 * DAY),
    a_document(4, "독자 모델을 지웠다", title="지워진 이야기", gone=True),
    a_document(5, "독자 모델이라고 한다", title="목록의 이야기", status="listed", published=None),
    a_document(6, "독자 모델을 가져왔다", title="옛날 이야기", status="imported"),
    a_document(7, "독자 모델과 무관하다", title="벗어난 이야기", on_topic=False),
    a_document(8, "독자 모델도 가져왔다", title="벗어난 옛날 이야기", status="imported", on_topic=False, gone=True),
)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive whose index holds documents that no crawl has stored."""
    root = tmp_path_factory.mktemp("archive")
    with open_archive(root):
        pass
    fill(root, *DOCUMENTS)
    return root


def fill(root: Path, *documents: Document) -> None:
    with opened_to_write(root) as index, index.transaction():
        index.replace([document.id for document in documents], documents)
        index.set_stories([key(1).id, key(2).id], {key(1).id: key(2).id, key(2).id: key(2).id})
        index.set_meta(replace(index.meta, snapshot=stamp_of(root)))


def look(root: Path, query: str, **wanted: Any) -> SearchResult:
    return search(root, replace(SearchRequest(parse(query)), **wanted))


def numbers(found: SearchResult) -> list[int]:
    return [int(hit.id[-1]) for hit in found.hits]


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ({}, {1, 2, 3, 4, 5}),
        ({"everything": True}, {1, 2, 3, 4, 5, 6, 7, 8}),
        ({"team": "나래"}, {1, 2}),
        ({"team": "가온"}, {1}),
        ({"publisher": "나래일보"}, {2}),
        ({"status": "archived"}, {1, 2, 3}),
        ({"status": "listed"}, {5}),
        ({"status": "imported"}, {6}),  # it is named, and on topic for all we know
        ({"status": "imported", "everything": True}, {6}),
        ({"status": "gone"}, {4}),
        ({"status": "gone", "everything": True}, {4, 8}),
        ({"since": FIRST + DAY}, {3}),
        ({"until": FIRST + DAY}, {1, 2, 4}),  # nobody knows when 5 was published
        ({"since": FIRST + 60, "until": FIRST + 61}, {1}),
        ({"since": FIRST + 61, "until": FIRST + 120}, set()),
        ({"in_story": True}, {1, 2}),
        ({"in_story": False, "everything": True}, {3, 4, 5, 6, 7, 8}),
    ],
)
def test_filters(root: Path, wanted: dict[str, Any], expected: set[int]) -> None:
    found = look(root, "독자 모델", **wanted)
    assert (set(numbers(found)), found.total) == (expected, len(expected))
    assert found.total + found.hidden == look(root, "독자 모델", **{**wanted, "everything": True}).total


def test_a_hit_as_json(root: Path) -> None:
    (hit,) = look(root, "title:공개").hits
    assert hit.as_json() == {
        "id": key(1).id,
        "title": "독자 모델 공개",
        "publisher": "가온신문",
        "published_at": hit.published_at,
        "status": "archived",
        "on_topic": True,
        "story": key(2).id,
        "score": hit.score,
        "snippet": "독자 모델의 이야기",
    }
    assert hit.published_at is not None
    assert hit.published_at.timestamp() == FIRST + 60
    assert hit.score is not None
    assert hit.score > 0
    assert hit.headline.marked() == "독자 모델 **공개**"


class TestOrder:
    def test_newest_first_and_the_undated_last(self, root: Path) -> None:
        found = look(root, "독자 모델", sort="newest")
        assert numbers(found) == [3, 4, 2, 1, 5]
        assert {hit.score for hit in found.hits} == {None}

    def test_a_limit_shows_the_first_and_counts_all(self, root: Path) -> None:
        found = look(root, "독자 모델", sort="newest", limit=2)
        assert (numbers(found), found.total) == ([3, 4], 5)
        assert len(look(root, "독자 모델", limit=0).hits) == 5

    def test_a_limit_gives_the_first_of_all(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Although texts are read only until no further one can come before the last that is wanted."""
        rng = Random(3)
        monkeypatch.setattr(results, "_POOL", 150)
        words = ("독자 ", "유독자극 ")
        texts = (rng.choice(words) * rng.randint(1, 9) + "이야기 " * rng.randint(0, 300) for _ in range(150))
        with open_archive(tmp_path):
            pass
        fill(tmp_path, *(a_document(n, text) for n, text in enumerate(texts, start=1)))
        every = look(tmp_path, "독자", limit=0).hits
        inside = ["longer words" in hit.why for hit in every]
        assert inside != sorted(inside)
        for limit in (1, 20, 80):
            assert look(tmp_path, "독자", limit=limit).hits == every[:limit]

    def test_a_title_before_a_text_and_whole_words_before_parts_of_others(self, root: Path) -> None:
        found = look(root, "독자 모델")
        assert numbers(found)[0] == 1
        assert numbers(found)[-1] == 3
        scores = [hit.score or 0 for hit in found.hits]
        assert scores == sorted(scores, reverse=True)
        assert found.hits[0].why.startswith("in the title, BM25 ")
        assert found.hits[-1].why.startswith("in the text, inside of longer words, BM25 ")

    def test_what_many_articles_match_is_ordered_by_title_and_time(
        self, root: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(results, "_MANY", 2)
        found = look(root, "독자 모델")
        assert numbers(found) == [1, 3, 4, 2, 5]
        assert [hit.score for hit in found.hits] == [1.0, 0.0, 0.0, 0.0, 0.0]
        assert [hit.why for hit in found.hits] == ["in the title", *["in the text"] * 4]
        assert numbers(look(root, "독자 모델", limit=3)) == [1, 3, 4]
        assert numbers(look(root, "독자 모델 -공개")) == [3, 4, 2, 5]


class TestNames:
    def test_a_publisher_that_is_misspelt(self, root: Path) -> None:
        with pytest.raises(BadInput, match=r"--publisher 나래일뽀: no article .* Did you mean 나래일보\?"):
            look(root, "독자", publisher="나래일뽀")

    def test_a_team_that_nobody_names(self, root: Path) -> None:
        with pytest.raises(BadInput, match="--team 라온: no article of the archive has it"):
            look(root, "독자", team="라온")

    def test_nothing_found_under_a_name_that_is_right(self, root: Path) -> None:
        assert look(root, "없는말", publisher="나래일보", team="나래").total == 0


def test_more_articles_of_one_second_than_have_room_there(tmp_path: Path) -> None:
    """The plain texts of a day all bear its first second."""
    with open_archive(tmp_path):
        pass
    count = 3 * SLOTS + 5
    fill(
        tmp_path,
        *(a_document(number, f"글 {number}번", published=FIRST) for number in range(1, count + 1)),
        a_document(count + 1, "글 다음날", published=FIRST + DAY),
    )
    assert look(tmp_path, "글", since=FIRST, until=FIRST + 1, limit=1).total == count
    assert look(tmp_path, "글", since=FIRST + 1, limit=1).total == 1
    assert look(tmp_path, "다음날", sort="newest").total == 1


@pytest.mark.parametrize("syllables", [350_000, pytest.param(3_500_000, marks=pytest.mark.long)])
def test_texts_of_any_length_and_kind_are_indexed(tmp_path: Path, syllables: int) -> None:
    with open_archive(tmp_path):
        pass
    fill(
        tmp_path,
        a_document(1, "가" * syllables),  # 1 MB of UTF-8, and 10 MB
        a_document(2, "업스테이지가 독자 AI모델을 내놓았다. " * 5_000 + "끝으로 소나무를 심었다."),
        a_document(3, "no hangul at all, 12345 " * 10_000 + "pine"),
        a_document(4, ""),
        a_document(5, "!?… \n\n ― "),
        a_document(6, "가"),
        a_document(7, "🤖\u202e끝" + "\u0301" * 1000),
    )
    assert numbers(look(tmp_path, "가가")) == [1]
    assert numbers(look(tmp_path, "소나무")) == [2]
    assert "**소나무**를" in look(tmp_path, "소나무").hits[0].snippet.marked()
    assert numbers(look(tmp_path, "pine")) == [3]
    assert set(numbers(look(tmp_path, "가"))) == {1, 2, 6}
    assert set(numbers(look(tmp_path, "끝"))) == {2, 7}
    with opened_to_write(tmp_path) as index:
        index.check()
