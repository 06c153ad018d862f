"""Forty queries on made-up texts, compared with what a substring search finds in them.

`python -m benchmarks.search` compares them on real articles.
"""

from __future__ import annotations

from random import Random

import pytest

from benchmarks.judged_queries import JUDGED, Judgement, judge
from storage.search.index import opened_to_write
from storage.search.query import parse
from storage.search.spellings import occurring
from tests.support.search import a_document
from tests.support.values import key

_WORDS = """
파운데이션 인공 지능 데이터 센터 공정 거래 위원회 한국 최저 임금 기준 금리 새 올해 안에 국정 감사 LG SK 하이닉스 OpenAI
10조 110조 원 1,000억 11000억 2,025년 한 미 항공 사업 운 가 를 의 에서 나 한다
"""
_PIECES = [*_WORDS.split(), *(query.strip('"') for query in JUDGED)]
_BETWEEN = [" ", " ", " ", " ", "", "", "", ", ", "·", "\n", "\n\n", "(", ") "]


def _text(rng: Random) -> str:
    return "".join(rng.choice(_PIECES) + rng.choice(_BETWEEN) for _ in range(rng.randrange(5, 40)))


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Judgement]:
    rng = Random(12)
    texts = {key(number).id: (_text(rng)[:30], _text(rng)) for number in range(1, 1_000)}
    with opened_to_write(tmp_path_factory.mktemp("index")) as index:
        with index.transaction():
            documents = [a_document(n, body, title=title) for n, (title, body) in enumerate(texts.values(), start=1)]
            index.replace([], documents)

        def find(query: str) -> set[str]:
            sql = "SELECT id FROM ft JOIN doc ON doc.n = ft.rowid WHERE ft MATCH ?"
            return {id_ for (id_,) in index.connection.execute(sql, (occurring(index.connection, parse(query).match),))}

        return judge(texts, find)


@pytest.mark.parametrize("query", JUDGED)
def test_a_query_finds_every_spelling_and_little_else(judged: dict[str, Judgement], query: str) -> None:
    assert judged[query].expected >= 5, "a query that finds nothing proves nothing"
    assert judged[query].recall == 1.0
    assert judged[query].precision >= 0.9
