"""`seogo parse` over every captured page there is: what must hold of any, and the counts of those that are known."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from flows.cli.exit_codes import Exit
from tests.support.command import seogo
from tests.support.paths import CAPTURES

FILES = sorted(path for path in CAPTURES.glob("*") if path.suffix != ".tsv") if CAPTURES.is_dir() else []

INCOMPLETE = {
    "apigw_sports_article_202610.fragment.json": "result.articleInfo.article.title",
    "openapi_news_search_20250611.fragment.txt": "a JSON object",
    "read_nhn_article_277_0004565025_201911.excerpt.html": "#articleBodyContents",
}
"""Excerpts that lack what their layout needs: what is named as missing."""
HITS = {
    "list_cp949_202605.html.gz": (20, None),
    "list_nhn_100_265_202009.html.gz": (20, None),
    "list_page_202401_pynavernews.html.gz": (20, None),
    "openapi_news_search_20240526.json": (9, 1),
    "search_combined_byjay_202607.html.gz": (1, 4),
    "search_news_AI_202605.html.gz": (5, 5),
    "search_news_da_202601.html.gz": (3, 7),
    "search_news_mynewsC_202602.html.gz": (6, 4),
    "search_news_pfnews_202504.html.gz": (10, 9),
    "section_100_202508.excerpt.html": (2, None),
    "section_202605.html.gz": (45, None),
}
"""Articles that each page names, and results that are not on Naver."""
ADDRESSES = {
    "list": "https://news.naver.com/main/list.naver?mode=LSD",
    "section": "https://news.naver.com/section/100",
    "search": "https://search.naver.com/search.naver?where=news",
    "openapi": "https://openapi.naver.com/v1/search/news.json",
    "apigw": "https://m.sports.naver.com/kbaseball/article/001/0016364463",
}
SPOKEN = re.compile(r"새 ?창|열림$|열기$")

pytestmark = pytest.mark.skipif(not FILES, reason="the captured pages are not part of the project")


def address_of(name: str) -> str:
    if key := re.search(r"_article_([0-9]{3})_([0-9]{10})_", name):
        return f"https://n.news.naver.com/mnews/article/{key[1]}/{key[2]}"
    return ADDRESSES[name.partition("_")[0]]


def parsed(path: Path) -> Any:
    ran = seogo("parse", path, "--url", address_of(path.name), "--json")
    assert ran.code == Exit.DONE, ran.err
    return ran.json


@pytest.mark.parametrize("path", [path for path in FILES if path.name in INCOMPLETE], ids=lambda path: path.name)
def test_an_incomplete_page_is_no_article(path: Path) -> None:
    ran = seogo("parse", path, "--url", address_of(path.name))
    assert ran.code == Exit.LAYOUT_CHANGED
    assert INCOMPLETE[path.name] in ran.complaint


@pytest.mark.parametrize(
    "path",
    [path for path in FILES if "_article_" in path.name and path.name not in INCOMPLETE],
    ids=lambda path: path.name,
)
def test_an_article_has_all_that_articles_have(path: Path) -> None:
    article = parsed(path)
    assert article["title"]
    assert not SPOKEN.search(article["title"])
    assert article["publisher"]
    assert article["categories"]
    assert 2018 <= datetime.fromisoformat(article["published_at"]).year <= 2026
    assert article["body"] or article["kind"] in ("flash", "photo")
    assert article["original_url"].startswith("http")
    assert not re.search(r"naver|utm_|[?&](?:ref|cp|pt|sc)=", article["original_url"], re.IGNORECASE)
    assert all(author["name"] or author["email"] for author in article["authors"])
    credit = re.search(
        r"[\[(][^\[\]()\n]{1,20}[\])] ?[가-힣]{3} 기자 =|[가-힣]{3} ?기자 ?[\w.]+@[\w.]+", article["body"]
    )
    assert article["authors"] or not credit


@pytest.mark.parametrize(
    "path",
    [path for path in FILES if "_article_" not in path.name and path.name not in INCOMPLETE],
    ids=lambda path: path.name,
)
def test_every_hit_has_the_title_that_people_read(path: Path) -> None:
    page = parsed(path)
    assert page["refs"]
    for ref in page["refs"]:
        assert ref["title"]
        assert not SPOKEN.search(ref["title"])
        assert re.search("[가-힣]", ref["title"])
    assert len({(ref["key"]["oid"], ref["key"]["aid"]) for ref in page["refs"]}) == len(page["refs"])
    if path.name in HITS:
        hits, not_hosted = HITS[path.name]
        assert (len(page["refs"]), page.get("not_hosted")) == (hits, not_hosted)


def test_the_known_captures_are_there() -> None:
    assert {*HITS, *INCOMPLETE} <= {path.name for path in FILES}
