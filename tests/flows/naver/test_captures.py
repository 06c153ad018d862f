"""The captured pages are the oracle: what every field must be was written down by hand, from reading each page.

Of a body only hash, length and edges are kept, so that no third-party text gets into the project.
"""

from __future__ import annotations

import gzip
import json
import re
from datetime import UTC, datetime
from functools import cache
from typing import Any

import pytest

from flows.naver.articles import nnews_page, read_nhn_page
from flows.naver.articles.layouts import parse_article, parse_whole_page
from flows.naver.listing import parse_list_page, parse_section_page
from flows.naver.partial_tree import partial_tree
from flows.naver.search.api import parse_search_answer
from flows.naver.search.page import parse_search_page
from schemas.article import SEOUL, Article
from schemas.errors import LayoutChanged
from tests.support.paths import CAPTURES, DATA

EXPECTED = {path.stem: json.loads(path.read_text("utf-8")) for path in DATA.glob("expected/*_*.json")}
FIELDS = ["id", "title", "subtitle", "publisher", "byline", "original_url", "parser", "kind"]

pytestmark = pytest.mark.skipif(not CAPTURES.is_dir(), reason="the captured pages are not part of the project")


@cache
def capture(name: str) -> bytes:
    content = (CAPTURES / name).read_bytes()
    return gzip.decompress(content) if name.endswith(".gz") else content


@cache
def parsed(name: str) -> Article:
    return parse_article(capture(EXPECTED[name]["capture"]), EXPECTED[name]["url"])


def source() -> dict[str, Any]:
    return {
        "source": "test",
        "seen_at": datetime(2026, 1, 1, tzinfo=UTC),
        "url": "https://news.naver.com/main/list.naver",
    }


def test_there_is_an_expectation_for_each_article() -> None:
    assert len(EXPECTED) == 7


@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize("name", EXPECTED)
def test_field(name: str, field: str) -> None:
    assert getattr(parsed(name), field) == EXPECTED[name][field]


@pytest.mark.parametrize("field", ["published_at", "modified_at"])
@pytest.mark.parametrize("name", EXPECTED)
def test_time(name: str, field: str) -> None:
    time = getattr(parsed(name), field)
    assert (time.isoformat() if time else None) == EXPECTED[name][field]


@pytest.mark.parametrize("name", EXPECTED)
def test_people_and_categories(name: str) -> None:
    article = parsed(name)
    assert [[author.name, author.email] for author in article.authors] == EXPECTED[name]["authors"]
    assert list(article.categories) == EXPECTED[name]["categories"]


@pytest.mark.parametrize("name", EXPECTED)
def test_images(name: str) -> None:
    found = [
        {"url": image.url, "caption_lines": len(lines), "caption_first": lines[0]}
        for image in parsed(name).images
        for lines in [(image.caption or "").split("\n")]
    ]
    assert found == EXPECTED[name]["images"]


@pytest.mark.parametrize("name", EXPECTED)
def test_body(name: str) -> None:
    article, body = parsed(name), EXPECTED[name]["body"]
    assert article.body.startswith(body["first"])
    assert article.body.endswith(body["last"])
    assert len([part for part in article.body.split("\n\n") if part]) == body["paragraphs"]
    assert len(article.body) == body["characters"]
    assert article.content_hash == body["sha256"]


@pytest.mark.parametrize("name", EXPECTED)
def test_the_whole_page_gives_the_same_article(name: str) -> None:
    assert parse_whole_page(capture(EXPECTED[name]["capture"]), EXPECTED[name]["url"]) == parsed(name)


@pytest.mark.parametrize("name", sorted(set(EXPECTED) - {"nnews_025_0003555843"}))  # an excerpt without what follows
def test_only_the_beginning_of_a_page_is_parsed(name: str) -> None:
    layout = nnews_page if name.startswith("nnews") else read_nhn_page
    assert partial_tree(capture(EXPECTED[name]["capture"]), layout.CUT) is not None


def test_authors_behind_a_subtitle_of_three_lines_where_the_page_has_no_byline() -> None:
    name = "nnews_003_0012577249"
    content, count = re.subn(
        rb'<div class="byline">.*?</div>', b"", capture(EXPECTED[name]["capture"]), flags=re.DOTALL
    )
    content = re.sub(rb'<em class="media_end_head_journalist_name">[^<]*</em>', b"", content)
    article = parse_article(content, EXPECTED[name]["url"])
    assert count == 1
    assert (article.byline, [author.name for author in article.authors]) == ("이현주 기자", ["이현주"])
    assert article.body == parsed(name).body


def test_the_old_page_as_it_was_sent() -> None:
    expected = EXPECTED["read_nhn_029_0002625369"]
    sent = capture(expected["capture"]).decode().encode("cp949")
    assert parse_article(sent, expected["url"]) == parsed("read_nhn_029_0002625369")


@pytest.mark.parametrize(
    ("name", "url", "selector"),
    [
        (
            "read_nhn_article_277_0004565025_201911.excerpt.html",
            "https://n.news.naver.com/article/277/0004565025",
            "#articleBodyContents",
        ),
        (
            "apigw_sports_article_202610.fragment.json",
            "https://m.sports.naver.com/article/001/0016364463",
            "result.articleInfo.article.title",
        ),
        ("section_100_202508.excerpt.html", "https://n.news.naver.com/article/016/0002519357", "#dic_area"),
        ("search_news_AI_202605.html.gz", "https://n.news.naver.com/article/016/0002519357", "#dic_area"),
        ("list_nhn_100_265_202009.html.gz", "https://n.news.naver.com/article/016/0002519357", "#dic_area"),
    ],
)
def test_a_page_without_an_article_is_no_empty_article(name: str, url: str, selector: str) -> None:
    with pytest.raises(LayoutChanged) as caught:
        parse_article(capture(name), url)
    assert caught.value.selector == selector


def test_list_of_2020() -> None:
    page = parse_list_page(capture("list_nhn_100_265_202009.html.gz"), **source())
    assert (len(page.refs), page.page, page.has_next, page.empty) == (20, 1, True, False)
    first = page.refs[0]
    assert (first.key.id, first.publisher, first.published_at) == ("029_0002625369", "디지털타임스", None)
    assert first.title == '이재명, 자신 비판한 윤희숙에 "공개 토론하자"'
    assert page.refs[1].title == "[노컷브이]대정부질문이야 청문회야? 결국 폭발한 추미애...“판단은 국민이”"
    assert page.refs[-1].key.id == "001_0011891984"


def test_list_of_2024() -> None:
    page = parse_list_page(capture("list_page_202401_pynavernews.html.gz"), **source())
    assert (len(page.refs), page.page, page.has_next, page.empty) == (20, 2, True, False)
    assert [ref.key.id for ref in page.refs[:2]] == ["082_0001252309", "422_0000640951"]
    assert page.refs[1].title == "대중교통비 지원 늘린다…수도권 교통카드 연이어 출시"
    assert page.refs[1].publisher == "연합뉴스TV"


def test_list_of_2026_as_it_was_sent() -> None:
    page = parse_list_page(capture("list_cp949_202605.html.gz"), **source())
    assert (len(page.refs), page.page, page.has_next, page.empty) == (20, 1, True, False)
    assert page.refs[1].key.id == "003_0013977026"
    assert page.refs[1].title == '이 대통령 "투표 포기 중립 아닌 공동체 해치는 그들 편드는 것"'
    assert all(ref.title and ref.publisher and ref.description for ref in page.refs)


def test_section_of_2026() -> None:
    page = parse_section_page(capture("section_202605.html.gz"), **source())
    assert (len(page.refs), page.cursor) == (45, "20260530010909")
    assert page.refs[0].title == "사전투표 첫날, 여야 후보들 결집 총력"
    assert all(ref.title and ref.description for ref in page.refs)


def test_section_of_2025() -> None:
    page = parse_section_page(capture("section_100_202508.excerpt.html"), **source())
    assert [(ref.key.id, ref.publisher) for ref in page.refs] == [
        ("016_0002519357", "헤럴드경제"),
        ("001_0015586435", "연합뉴스"),
    ]
    assert page.refs[1].title == '정동영 "한미정상, 한반도 평화전략 인식·방법론 일치"[한미정상회담]'
    assert page.cursor is None


@pytest.mark.parametrize(
    ("name", "ids", "not_hosted"),
    [
        (
            "search_news_AI_202605.html.gz",
            ["015_0005290572", "009_0005684350", "009_0005684341", "009_0005684345", "654_0000182096"],
            5,
        ),
        ("search_news_da_202601.html.gz", ["009_0005614730", "009_0005614673", "011_0004572282"], 7),
        (
            "search_news_mynewsC_202602.html.gz",
            [
                "021_0002771338",
                "030_0003399682",
                "468_0001217708",
                "076_0004375130",
                "076_0004375129",
                "016_0002601314",
            ],
            4,
        ),
        (
            "search_news_pfnews_202504.html.gz",
            [
                "016_0002461468",
                "014_0005337824",
                "030_0003304736",
                "008_0005182851",
                "018_0005976464",
                "243_0000075632",
                "030_0003299392",
                "005_0001767383",
                "016_0002454475",
                "018_0005999647",
            ],
            9,
        ),
        ("search_combined_byjay_202607.html.gz", ["138_0002229088"], 4),
    ],
)
def test_search_page(name: str, ids: list[str], not_hosted: int) -> None:
    page = parse_search_page(capture(name), **source())
    assert [ref.key.id for ref in page.refs] == ids
    assert (page.not_hosted, page.no_results) == (not_hosted, False)
    assert all(ref.title and ref.original_url for ref in page.refs)


def test_title_of_a_search_hit_is_its_own() -> None:
    refs = parse_search_page(capture("search_news_AI_202605.html.gz"), **source()).refs
    assert refs[1].title == "[기고] '속도의 게임'에 돌입한 AI 반도체"
    assert refs[1].original_url == "https://www.mk.co.kr/article/12056608"


@pytest.mark.parametrize(
    ("name", "key", "title", "original"),
    [
        (  # the head of a cluster, on a page that marks no titles
            "search_news_pfnews_202504.html.gz",
            "018_0005976464",
            "매장에서 즉시 부가세 환급…페이히어, 택스리펀 기능 강화",
            "http://www.edaily.co.kr/news/newspath.asp?newsid=02177926642132184",
        ),
        (  # a member of it
            "search_news_pfnews_202504.html.gz",
            "030_0003299392",
            "페이히어, 여권 스캔 기능으로 '택스리펀' 서비스 고도화",
            "https://www.etnews.com/20250402000262",
        ),
        (  # with words for screen readers
            "search_combined_byjay_202607.html.gz",
            "138_0002229088",
            "[DD퇴근길] 삼성 임금협상은 타결됐는데…6억 VS 600만 성과급 양극화 어...",
            "https://www.ddaily.co.kr/page/view/2026052715254207850",
        ),
    ],
)
def test_titles_of_clusters_and_without_hidden_words(name: str, key: str, title: str, original: str) -> None:
    (ref,) = (ref for ref in parse_search_page(capture(name), **source()).refs if ref.key.id == key)
    assert (ref.title, ref.original_url) == (title, original)


def test_search_api_of_2024() -> None:
    answer = parse_search_answer(capture("openapi_news_search_20240526.json"), **source())
    assert (answer.total, answer.start, answer.display, answer.items) == (99025, 1, 10, 10)
    assert (len(answer.refs), answer.not_hosted) == (9, 1)
    assert answer.newest == datetime(2024, 5, 26, 15, 31, tzinfo=SEOUL)
    assert answer.oldest == datetime(2024, 5, 26, 14, 47, tzinfo=SEOUL)
    first = answer.refs[0]
    assert first.key.id == "277_0005423294"
    assert first.title == "김호중 학폭 의혹 제기한 유튜버에 '살인 예고' 글…\"도넘은 팬심\""
    assert first.original_url == "https://view.asiae.co.kr/article/2024052615313092213"
    assert [ref.url for ref in answer.refs if "entertain" in ref.url] == [
        "https://m.entertain.naver.com/article/109/0005084283",
        "https://m.entertain.naver.com/article/144/0000964027",
    ]


def test_search_api_of_2025_is_cut_short_and_fails_until_it_is_completed() -> None:
    fragment = capture("openapi_news_search_20250611.fragment.txt")
    with pytest.raises(LayoutChanged):
        parse_search_answer(fragment, **source())
    answer = parse_search_answer(fragment.rstrip() + b"}]}", **source())
    assert (answer.total, answer.display, answer.items) == (5239452, 100, 1)
    assert answer.refs[0].key.id == "003_0013298045"
    assert answer.refs[0].title == "프로야구 한화, 고동진 코치 1군 등록…전력 분석 등 직무 수행"
    assert answer.refs[0].url == "https://m.sports.naver.com/kbaseball/article/003/0013298045"


def test_sports_answer_completed_by_hand() -> None:
    answer = json.loads(capture("apigw_sports_article_202610.fragment.json"))
    answer["result"]["articleInfo"]["article"]["title"] = "부산 전적"
    answer["result"]["officeInfo"] = {"hname": "연합뉴스"}
    article = parse_article(json.dumps(answer).encode(), "https://m.sports.naver.com/kbaseball/article/001/0016364463")
    assert article.body == "▲ 부산전적(7일)\n\nKIA 100 400 070 - 12"
    assert article.published_at == datetime(2026, 10, 7, 22, 11, 33, tzinfo=SEOUL)
    assert article.modified_at == datetime(2026, 10, 7, 22, 12, 20, tzinfo=SEOUL)
    assert article.categories == ("스포츠",)
