"""The ten questions of docs/serving.md, each answered by the page that it names."""

from __future__ import annotations

import re

import httpx
import pytest

from tests.support.histories.analyst import EDITED
from tests.support.paths import ROOT
from tests.support.values import key

FIRST, DELETED = key(1).id, key(7).id

ANSWERS = [
    ("/", r"최근 7일 신규 \d.*나래 모델, 세계 1위 ?2위"),
    (f"/story/{FIRST}", r"09:30 첫 보도.*30분 뒤.*2시간 30분 뒤"),
    ("/publishers", r"누가 누구를 뒤따르나.*20분 뒤"),
    ("/team/가온", r"주별 언급 비중.*함께 언급된 팀 나래 1"),
    ("/sql?example=edited-headlines", r"나래 모델, 세계 1위 나래 모델, 세계 2위"),
    (f"/article/{EDITED}?as_of=2026-01-06T12:00", r"보고 있는 판: 1.*바뀐 곳"),
    ("/search?model=노을&publisher=다온일보&from=2025-12-30&to=2025-12-31", r"기사 1건.*나래, 둘째 모델"),
    ("/search?status=gone&sort=newest", r"기사 1건.*지워진 글"),
    ("/reporter/001/김가온", r"기자 · .*보도한 팀 가온"),
    ("/status", r"수집 공백 press_list:001|press_list:001.*1,000 results shown"),
]


@pytest.mark.parametrize(("asked", "answer"), ANSWERS)
def test_each_question_is_answered(web: httpx.Client, asked: str, answer: str) -> None:
    page = web.get(asked)
    assert page.status_code == 200
    told = " ".join(re.sub(r"<title>.*?</title>", "", re.sub(r"<(?!/?title)[^>]+>", " ", page.text)).split())
    assert re.search(answer, told), told


def test_the_documentation_has_ten() -> None:
    text = (ROOT / "docs" / "serving.md").read_text("utf-8")
    table = text.partition("### Ten questions")[2].partition("## API")[0]
    documented = re.findall(r"^\| [^|]+ \| `(/\w*)", table, re.MULTILINE)
    assert documented == [re.sub(r"(/\w*).*", r"\1", asked) for asked, _ in ANSWERS]
