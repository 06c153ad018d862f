"""Forty queries on real articles, compared with what a substring search finds in them.

The texts are not part of the project: skipped where they are not beside it.
"""

from __future__ import annotations

import re
import tarfile
from collections.abc import Iterator

import pytest

from schemas.front_matter import loads
from storage.search.index import Writer, opened_to_write
from storage.search.query import parse
from storage.search.tokens import fold
from tests.support.paths import SHARED
from tests.support.search import a_document

CORPUS = SHARED / "corpus" / "archive-2025-12-30.tar.xz"
EVERY = 3
"""One of so many articles is taken."""

_WORDS = "정부 대표 공사 전자 은행 이사 북한 투자 모델 독자 국회 경제 시장 교육 환경 서울 부산 기업 기술 산업"
SHORT = _WORDS.split()
"""Words of two syllables: inside compounds, before particles, and inside of other words."""

LONG = {
    "업스테이지": r"업\s?스\s?테\s?이\s?지",
    "소버린": "소버린",
    "파운데이션모델": r"파운데이션\s?모델",
    "인공지능": r"인공\s?지능",
    "데이터센터": r"데이터\s?센터",
    "공정거래위원회": r"공정\s?거래\s?위원회",
    "한국은행": r"한국\s?은행",
    "최저임금": r"최저\s?임금",
    '"기준 금리"': r"기준\s?금리",
    '"새 정부"': r"새\s?정부",
    '"올해 안에"': r"올해\s?안에",
    "국정감사": r"국정\s?감사",
    "LG전자": r"(?<![a-z])lg\s?전자",
    "SK하이닉스": r"(?<![a-z])sk\s?하이닉스",
    "AI": r"(?<![a-z])ai(?![a-z])",
    "10조원": r"(?<!\d)10조\s?원",
    "1000억": r"(?<!\d)1,?000억",
    "2025년": r"(?<!\d)2,?025년",
    "美": "美",
    "한·미": r"한[^\w\s]미",
}
"""What else people type, and how it may be written."""

Texts = dict[int, tuple[str, str]]


@pytest.fixture(scope="module")
def texts() -> Texts:
    """Number -> title and body, as tokens are made of them."""
    if not CORPUS.exists():
        pytest.skip(f"{CORPUS} is not here")
    return dict(_some())


def _some() -> Iterator[tuple[int, tuple[str, str]]]:
    with tarfile.open(CORPUS) as archive:
        names = (member for member in archive if member.name.endswith(".md"))
        for number, member in enumerate(names):
            file = archive.extractfile(member)
            if number % EVERY == 0 and file is not None:
                document = loads(file.read().decode(), file=member.name)
                yield number, (fold(document.title), fold(document.body))


@pytest.fixture(scope="module")
def index(texts: Texts, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Writer]:
    with opened_to_write(tmp_path_factory.mktemp("index")) as writer:
        with writer.transaction():
            writer.replace([], [a_document(number, text, title=title) for number, (title, text) in texts.items()])
        yield writer


def found(index: Writer, query: str) -> set[int]:
    sql = "SELECT id FROM ft JOIN doc ON doc.n = ft.rowid WHERE ft MATCH ?"
    rows = index._connection.execute(sql, (parse(query).match,))
    return {int(id_.partition("_")[2]) for (id_,) in rows}


@pytest.mark.parametrize("word", SHORT)
def test_a_short_word_finds_exactly_what_contains_it(index: Writer, texts: Texts, word: str) -> None:
    expected = {number for number, parts in texts.items() if any(word in part for part in parts)}
    assert expected, "a query that finds nothing proves nothing"
    assert found(index, word) == expected


@pytest.mark.parametrize(("query", "how"), LONG.items(), ids=LONG)
def test_whatever_is_written_otherwise_is_found(index: Writer, texts: Texts, query: str, how: str) -> None:
    pattern = re.compile(how)
    expected = {number for number, parts in texts.items() if any(map(pattern.search, parts))}
    answer = found(index, query)
    assert expected <= answer, "recall"
    assert len(expected) >= 0.9 * len(answer), "precision"


def test_nearly_all_of_these_queries_find_something(index: Writer) -> None:
    assert sum(bool(found(index, query)) for query in (*SHORT, *LONG)) >= 37
