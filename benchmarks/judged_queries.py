"""Forty queries, and for each the spellings that it has to find: the truth that a search is compared with.

A short word has to find every text that contains it. For what people write with spaces or without, in capitals or with
commas, the truth is a regular expression.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import NamedTuple

from storage.search.tokens import fold

_SHORT = "정부 대표 공사 전자 은행 이사 북한 투자 모델 독자 국회 경제 시장 교육 환경 서울 부산 기업 기술 산업"

JUDGED: Mapping[str, str] = {
    **{word: word for word in _SHORT.split()},
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

Text = tuple[str, str]
"""Title and body."""


class Judgement(NamedTuple):
    """How many texts a query has to find, how many it found, and how many of these are right."""

    expected: int
    found: int
    right: int

    @property
    def recall(self) -> float:
        return self.right / self.expected if self.expected else 1.0

    @property
    def precision(self) -> float:
        return self.right / self.found if self.found else 1.0


def judge(texts: Mapping[str, Text], find: Callable[[str], set[str]]) -> dict[str, Judgement]:
    """Each query's judgement, on texts by id; `find` gives the ids that a query finds."""
    folded = {id_: (fold(title), fold(body)) for id_, (title, body) in texts.items()}
    return {query: _judged(folded, re.compile(spellings), find(query)) for query, spellings in JUDGED.items()}


def _judged(folded: Mapping[str, Text], spellings: re.Pattern[str], found: set[str]) -> Judgement:
    expected = {id_ for id_, parts in folded.items() if any(map(spellings.search, parts))}
    return Judgement(len(expected), len(found), len(found & expected))
