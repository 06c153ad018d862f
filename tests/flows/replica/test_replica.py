"""The replica of Naver: pages, lists and searches show the corpus at the time of the clock."""

from __future__ import annotations

import json
import re
import time
from collections import Counter
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime

import httpx
import pytest

from flows.naver.articles.layouts import parse_article
from flows.naver.listing import parse_list_page, parse_section_more, parse_section_page
from flows.naver.search.api import ApiErrorKind, parse_api_error, parse_search_answer
from flows.naver.search.page import parse_search_page
from flows.naver.urls import (
    find_article_key,
    press_list_url,
    search_api_url,
    search_page_url,
    section_more_url,
    section_page_url,
)
from flows.replica.clock import Clock
from flows.replica.corpus.articles import Corpus, Layout, make_corpus
from flows.replica.corpus.plan import Edit
from flows.replica.faults import Behaviour
from flows.replica.pages.articles import View, article_page
from flows.replica.pages.old_layouts import article_json, old_page
from flows.replica.pages.search import LONGEST_TITLE, SPOKEN, SPOKEN_SINCE, clusters, search_page
from flows.replica.pages.search_api import CLIENT_ID
from flows.replica.server import Replica
from schemas.article import SEOUL, Author
from tests.support.replica import (
    APIHUB,
    APIHUB_KEY,
    NEWS,
    NNEWS,
    OPENAPI,
    OPENAPI_KEY,
    PAGE_LAYOUTS,
    body_of,
    expected,
    first,
    get,
    keys_on,
    parsed,
    path_of,
    search,
)


@pytest.fixture
def dense() -> Corpus:
    """Many articles per day from few press offices: lists of several pages, searches beyond the limit."""
    return make_corpus(seed=5, articles=3_000, presses=3, days=6)


@pytest.mark.parametrize("layout", [*PAGE_LAYOUTS, Layout.OLD])
@pytest.mark.parametrize("padding", [0, 150_000])
def test_the_parser_reads_the_ground_truth_in_every_layout(corpus: Corpus, layout: Layout, padding: int) -> None:
    view = View(corpus.last, "seogo", padding)
    shown = [article for article in corpus.articles if not article.subject.arena][: 60 if padding else 350]
    for article in shown:
        assert article.key is not None
        page = old_page(article, view) if layout is Layout.OLD else article_page(article, view, layout)
        assert len(page) > padding
        assert parsed(page, article.key.url) == expected(article, layout, corpus.last)


def test_the_parser_reads_the_ground_truth_in_the_json_of_sports(corpus: Corpus) -> None:
    shown = [article for article in corpus.articles if article.subject.arena]
    assert {article.layout for article in shown} == {Layout.SPORTS, Layout.ENTERTAIN}
    for article in shown:
        assert article.key is not None
        url = f"https://api-gw.{article.subject.arena}.naver.com/news/article/{article.key.oid}/{article.key.aid}"
        answer = article_json(article, View(corpus.last))
        assert parsed(answer, url) == expected(article, article.layout, corpus.last)


def test_each_layout_has_its_characteristic_markup(corpus: Corpus) -> None:
    article = next(one for one in corpus.articles if one.writer and one.images and one.press.kind == "일보")
    pages = {layout: article_page(article, View(corpus.last), layout).decode() for layout in PAGE_LAYOUTS}
    assert {layout for layout, page in pages.items() if 'id="title_area"' in page} == set(PAGE_LAYOUTS[1:])
    assert {layout for layout, page in pages.items() if "byline_s" in page} == set(PAGE_LAYOUTS[:3])
    assert {layout for layout, page in pages.items() if "media_end_head_top_img" in page} == {Layout.Y2026_10}
    assert {layout for layout, page in pages.items() if '<div id="dic_area"' in page} == {Layout.Y2022}
    for page in pages.values():
        stamp = re.search(r'_ARTICLE_DATE_TIME" data-date-time="([^"]+)"', page)
        assert stamp is not None
        assert datetime.fromisoformat(stamp[1]).replace(tzinfo=SEOUL) == article.published_at
    assert b"euc-kr" in old_page(article, View(corpus.last))
    with pytest.raises(UnicodeDecodeError):
        old_page(article, View(corpus.last)).decode()


def test_without_a_byline_only_the_text_names_the_author(corpus: Corpus) -> None:
    for article in list(corpus.articles)[:300]:
        page = article_page(article, View(corpus.last), Layout.Y2026_10).decode()
        for author in article.authors_in(Layout.Y2026_10):
            assert isinstance(author, Author)
            assert f"{author.name} 기자" in page
            assert author.email is None or author.email in page


def test_the_bytes_of_a_page_differ_between_requests(naver: Replica) -> None:
    article = first(naver.corpus, layout=Layout.Y2026_10)
    before = get(naver, NNEWS, path_of(article), **{"User-Agent": "one"}).content
    naver.clock.advance(timedelta(minutes=1))
    after = get(naver, NNEWS, path_of(article), **{"User-Agent": "two"}).content
    assert b'data-useragent="one"' in before
    assert b'data-useragent="two"' in after
    one, two = (re.search(rb'data-date-time-age-in-minutes="(\d+)"', page) for page in (before, after))
    assert one is not None
    assert two is not None
    assert int(two[1]) - int(one[1]) == 1
    assert article.key is not None
    assert parsed(before, article.key.url) == parsed(after, article.key.url)


@pytest.mark.parametrize(
    ("host", "form"),
    [
        (NEWS, "/main/read.naver?mode=LSD&oid={oid}&aid={aid}"),
        (NEWS, "/main/read.nhn?oid={oid}&aid={aid}"),
        ("m.news.naver.com", "/read.naver?oid={oid}&aid={aid}"),
        ("finance.naver.com", "/item/news_read.naver?article_id={aid}&office_id={oid}"),
    ],
)
def test_old_urls_redirect_to_the_article(naver: Replica, host: str, form: str) -> None:
    article = first(naver.corpus)
    assert article.key is not None
    answer = get(naver, host, form.format(oid=article.key.oid, aid=article.key.aid))
    assert (answer.status_code, answer.headers["location"]) == (301, article.key.url)


def test_sports_articles_exist_only_as_json(naver: Replica) -> None:
    article = next(one for one in naver.corpus.articles if one.subject.arena == "sports" and not one.gone_at)
    assert article.key is not None
    moved = get(naver, NNEWS, path_of(article))
    assert moved.status_code == 302
    assert moved.headers["location"].startswith("https://m.sports.naver.com/")
    assert find_article_key(moved.headers["location"]) == article.key
    shell = get(naver, "m.sports.naver.com", path_of(article).removeprefix("/mnews"))
    assert article.versions[0].body[:20] not in shell.text
    answer = get(naver, "api-gw.sports.naver.com", f"/news/article/{article.key.oid}/{article.key.aid}")
    assert answer.json()["result"]["articleInfo"]["article"]["title"] == article.at(naver.clock.now).title.replace(
        "&", "&amp;"
    )


def test_the_old_layout_is_served_at_its_own_url(naver: Replica) -> None:
    article = first(naver.corpus)
    assert article.key is not None
    naver.behaviour = Behaviour(layout=Layout.OLD)
    answer = get(naver, NEWS, f"/main/read.nhn?oid={article.key.oid}&aid={article.key.aid}")
    assert parsed(answer.content, article.key.url) == expected(article, Layout.OLD, naver.clock.now)


def test_an_unknown_host_says_what_is_missing(naver: Replica) -> None:
    answer = get(naver, "example.com", "/")
    assert answer.status_code == 404
    assert "Host header" in answer.text


def test_the_clock_stops_runs_and_is_advanced() -> None:
    noon = datetime(2026, 10, 7, 12, tzinfo=SEOUL)
    standing, running = Clock(noon), Clock(noon, pace=3_600)
    time.sleep(0.02)
    assert standing.now == noon
    assert timedelta(minutes=1) < running.now - noon < timedelta(hours=6)
    standing.advance(timedelta(hours=1))
    assert standing.now == noon + timedelta(hours=1)
    with pytest.raises(ValueError, match="no time zone"):
        standing.set(noon.replace(tzinfo=None))


def test_an_article_appears_changes_and_disappears_with_the_clock(naver: Replica) -> None:
    corpus = naver.corpus
    article = next(
        one for one in corpus.articles
        if one.gone_at and one.gone_at < corpus.last and one.slot.edit is Edit.BOTH and not one.subject.arena
        and one.versions[1].since < one.gone_at
    )  # fmt: skip
    assert article.key is not None
    assert article.gone_at is not None
    naver.clock.set(article.published_at - timedelta(seconds=1))
    assert get(naver, NNEWS, path_of(article)).status_code == 404
    for version in article.versions:
        naver.clock.set(version.since)
        page = parse_article(get(naver, NNEWS, path_of(article)).content, article.key.url)
        assert (page.title, page.body, page.modified_at) == (version.title, version.body, version.modified_at)
    naver.clock.set(article.gone_at)
    assert "삭제된 기사입니다" in get(naver, NNEWS, path_of(article)).text


def test_late_arrivals_are_listed_after_their_time_of_publication(naver: Replica) -> None:
    late = next(one for one in naver.corpus.articles if one.slot.late and not one.gone_at and not one.subject.arena)
    assert late.key is not None
    path = f"/main/list.naver?mode=LPOD&mid=sec&oid={late.key.oid}&date={late.published_at:%Y%m%d}&page=1"
    naver.clock.set(late.listed_at - timedelta(seconds=1))
    assert late.key.aid not in get(naver, NEWS, path).text
    assert get(naver, NNEWS, path_of(late)).status_code == 200
    naver.clock.set(late.listed_at)
    assert late.key.aid in get(naver, NEWS, path).text


def test_a_press_list_contains_the_day_and_repeats_its_last_page(dense: Corpus) -> None:
    day = dense.first.date() + timedelta(days=2)
    oid = dense.offices[0].oid
    wanted = {
        f"{oid}/{one.key.aid}"
        for one in dense.articles
        if one.key and one.press.oid == oid and one.published_at.date() == day and one.listed(dense.last)
    }
    with Replica(dense) as naver:
        path = f"/main/list.naver?mode=LPOD&mid=sec&oid={oid}&date={day:%Y%m%d}&page="
        answers = [get(naver, NEWS, f"{path}{page}") for page in range(1, 13)]
    pages = [keys_on(answer.content.decode("cp949")) for answer in answers]
    last = -(-len(wanted) // 20)
    assert 3 < last < 11
    assert [len(page) for page in pages[: last - 1]] == [20] * (last - 1)
    assert sorted(key for page in pages[:last] for key in page) == sorted(wanted)
    assert all(page == pages[last - 1] for page in pages[last:])
    assert "EUC-KR" in answers[0].headers["content-type"]
    assert f"<strong>{last}</strong>" in answers[-1].text


def test_section_lists_contain_several_press_offices_but_no_sports(dense: Corpus) -> None:
    with Replica(dense) as naver:
        day = f"{dense.first + timedelta(days=2):%Y%m%d}"
        text = get(naver, NEWS, f"/main/list.naver?mode=LSD&mid=shm&sid1=105&date={day}&page=1").text
        empty = get(naver, NEWS, "/main/list.naver?mode=LSD&mid=shm&sid1=107&page=1").text
    assert len({key[:3] for key in keys_on(text)}) == 3
    assert not keys_on(empty)


def test_only_the_cursor_of_a_section_page_advances(naver: Replica) -> None:
    page = get(naver, NEWS, "/section/105").text
    seen = re.findall(r'class="sa_text_title"', page)
    found = re.findall(r"article/(\d{3}/\d{10})\" class=\"sa_text_title", page)
    cursor = re.search(r'data-cursor="(\d+)"', page)
    for _ in range(60):
        if cursor is None:
            break
        path = f"/section/template/SECTION_ARTICLE_LIST_FOR_LATEST?sid=105&pageNo=9&next={cursor[1]}"
        part = get(naver, NEWS, path).json()["renderedComponent"]["SECTION_ARTICLE_LIST_FOR_LATEST"]
        found += re.findall(r"article/(\d{3}/\d{10})\" class=\"sa_text_title", part)
        cursor = re.search(r'data-cursor="(\d+)"', part)
    wanted = [one for one in naver.corpus.articles if one.section == "105" and one.listed(naver.clock.now)]
    assert len(seen) == 36
    assert len(found) == len(set(found)) == len(wanted)


def test_the_search_api_is_served_at_both_urls(naver: Replica) -> None:
    asked = "?query=%EC%86%8C%EB%B2%84%EB%A6%B0%20AI&display=30&sort=date"
    answers = [
        get(naver, OPENAPI, f"/v1/search/news.json{asked}", **OPENAPI_KEY),
        get(naver, APIHUB, f"/search/v1/news{asked}", **APIHUB_KEY),
    ]
    assert answers[0].json() == answers[1].json()
    items = answers[0].json()["items"]
    assert len(items) == 30
    assert "<b>소버린</b>" in json.dumps(items, ensure_ascii=False)
    times = [parsedate_to_datetime(item["pubDate"]) for item in items]
    assert times == sorted(times, reverse=True)
    assert {moment.second for moment in times} == {0}
    assert {moment.utcoffset() for moment in times} == {timedelta(hours=9)}


def test_a_search_finds_what_the_corpus_contains(naver: Replica) -> None:
    now = naver.clock.now
    total = search(naver, query='"국가대표 AI"', display=1).json()["total"]
    wanted = [
        article for article in naver.corpus
        if "국가대표 AI" in " ".join(article.subject.focuses[article.slot.focus].values())
        and article.listed_at <= now and (article.gone_at is None or now < article.gone_at + timedelta(days=1))
    ]  # fmt: skip
    assert total == len(wanted) > 100


def test_a_search_finds_what_naver_does_not_host(naver: Replica) -> None:
    items = [
        item
        for start in range(1, 1_000, 100)
        for item in search(naver, query="AI", display=100, start=start, sort="date").json()["items"]
    ]
    foreign = [item for item in items if item["link"] == item["originallink"]]
    assert foreign
    assert all(find_article_key(item["link"]) is None for item in foreign)
    hosts = Counter(httpx.URL(item["link"]).host for item in items if item not in foreign)
    assert set(hosts) == {NNEWS, "m.sports.naver.com", "m.entertain.naver.com"}


def test_a_search_ends_at_1100_results_whatever_the_total(dense: Corpus) -> None:
    with Replica(dense) as naver:
        pages = [search(naver, query="AI", display=100, start=start, sort="date").json() for start in (1, 901, 1_000)]
        beyond = search(naver, query="AI", start=1_001)
    assert {page["total"] for page in pages} == {pages[0]["total"]}
    assert pages[0]["total"] > 1_100
    assert [len(page["items"]) for page in pages] == [100, 100, 100]
    assert (beyond.status_code, beyond.json()["errorCode"]) == (400, "SE03")


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"query": ""}, "SE01"),
        ({"query": "AI", "display": 101}, "SE02"),
        ({"query": "AI", "display": 0}, "SE02"),
        ({"query": "AI", "start": 0}, "SE03"),
        ({"query": "AI", "start": "one"}, "SE03"),
        ({"query": "AI", "sort": "age"}, "SE04"),
    ],
)
def test_wrong_calls_of_the_search_api(naver: Replica, asked: dict[str, object], code: str) -> None:
    answer = search(naver, **asked)
    assert (answer.status_code, answer.json()["errorCode"]) == (400, code)


def test_wrong_keys_are_refused_in_both_formats(naver: Replica) -> None:
    wrong = {"X-Naver-Client-Id": CLIENT_ID, "X-Naver-Client-Secret": "canary-secret"}
    flat = get(naver, OPENAPI, "/v1/search/news.json?query=AI", **wrong)
    nested = get(naver, APIHUB, "/search/v1/news?query=AI", **OPENAPI_KEY)
    unknown = get(naver, OPENAPI, "/v1/search/blogs.json?query=AI", **OPENAPI_KEY)
    assert (flat.status_code, flat.json()["errorCode"]) == (401, "024")
    assert (nested.status_code, nested.json()["error"]["errorCode"]) == (401, "024")
    assert (unknown.status_code, unknown.json()["errorCode"]) == (404, "SE05")
    assert "canary-secret" not in repr(naver.log.entries)


def test_the_search_page_has_ten_results_within_its_days(naver: Replica) -> None:
    last = naver.corpus.last.date()
    span = f"p:from{last - timedelta(days=3):%Y%m%d}to{last - timedelta(days=2):%Y%m%d}"
    path = f"/search.naver?where=news&query=AI&sort=1&nso=so:dd,{span},a:all&start="
    found = []
    for start in range(1, 402, 10):
        text = get(naver, "search.naver.com", f"{path}{start}").text
        if "검색결과가 없습니다" in text:
            break
        assert text.count('data-heatmap-target=".tit"') <= 10
        found += re.findall(r'href="(https://(?:n\.news|m\.sports|m\.entertain)[^"]+)"', text)
    articles = [naver.corpus.find(key.oid, key.aid) for url in found if (key := find_article_key(url))]
    days = {article.published_at.date() for article in articles if article}
    assert len(found) == len(set(found)) > 10
    assert days == {last - timedelta(days=3), last - timedelta(days=2)}


# -- the project's own parsers on lists and searches


def test_the_list_parser_reads_every_list(dense: Corpus) -> None:
    day = dense.first.date() + timedelta(days=2)
    oid = dense.offices[0].oid
    office = [one for one in dense.articles if one.press.oid == oid and one.published_at.date() == day]
    listed = [one for one in reversed(office) if one.listed(dense.last)]
    with Replica(dense) as naver:
        for url in (press_list_url(oid, day, 2), press_list_url(oid, day, 2).replace("listType=title&", "")):
            page = parse_list_page(body_of(naver, url), source="list", seen_at=naver.clock.now, url=url)
            assert [(ref.key, ref.title, ref.publisher) for ref in page.refs] == [
                (one.key, one.at(dense.last).title, one.press.name) for one in listed[20:40]
            ]
            assert (page.page, page.has_next, page.empty) == (2, True, False)
        beyond = press_list_url(oid, day, 99)
        last = parse_list_page(body_of(naver, beyond), source="list", seen_at=naver.clock.now, url=beyond)
        quiet = press_list_url(oid, day - timedelta(days=99), 1)
        nothing = parse_list_page(body_of(naver, quiet), source="list", seen_at=naver.clock.now, url=quiet)
    assert (last.page, last.has_next) == (-(-len(listed) // 20), False)
    assert (nothing.refs, nothing.empty) == ((), True)


def test_the_section_parsers_read_a_section_to_its_end(naver: Replica) -> None:
    now = naver.clock.now
    wanted = [one for one in naver.corpus.articles if one.section == "101" and one.listed(now)][::-1]
    url = section_page_url("101")
    page = parse_section_page(body_of(naver, url), source="section", seen_at=now, url=url)
    refs = list(page.refs)
    for _ in range(40):
        if page.cursor is None:
            break
        url = section_more_url("101", page.cursor)
        page = parse_section_more(body_of(naver, url), source="section", seen_at=now, url=url)
        refs += page.refs
    assert page.cursor is None
    assert [(ref.key, ref.title) for ref in refs] == [(one.key, one.at(now).title) for one in wanted]


def shortened(title: str | None) -> str | None:
    """A title as the search page shows it."""
    return f"{title[:LONGEST_TITLE]}..." if title and len(title) > LONGEST_TITLE else title


@pytest.mark.parametrize(
    "moment", ["2026-10-07T22:00:00+09:00", "2026-05-01T12:00:00+09:00", "2025-04-20T12:00:00+09:00"]
)
def test_every_hit_of_every_look_of_the_search_page_has_its_title(moment: str) -> None:
    """With the words for screen readers, before them, and before titles were marked as such."""
    last = datetime.fromisoformat(moment)
    shown = list(make_corpus(5, articles=200, days=10, last=last))[-100:]
    heads = [cluster[0] for at in range(0, 100, 10) for cluster in clusters(shown[at : at + 10]) if len(cluster) > 1]
    assert len(heads) > 10
    for at in range(0, 100, 10):
        some = shown[at : at + 10]
        content = search_page("국가대표 AI", some, last)
        assert (SPOKEN.encode() in content) == (last >= SPOKEN_SINCE)
        page = parse_search_page(content, source="page", seen_at=last, url="https://search.naver.com/")
        hosted = [one for one in some if one.key]
        assert [(ref.key, ref.title, ref.original_url) for ref in page.refs] == [
            (one.key, shortened(one.at(last).title), one.original_url) for one in hosted
        ]
        assert page.not_hosted == len(some) - len(hosted)


def test_the_search_parsers_agree_on_what_a_search_finds(naver: Replica) -> None:
    now = naver.clock.now
    today = now.date()
    url = search_api_url("openapi", "국가대표 AI", start=1, display=10)
    answer = parse_search_answer(body_of(naver, url, **OPENAPI_KEY), source="api", seen_at=now, url=url)
    url = search_page_url("국가대표 AI", first=today - timedelta(days=60), last=today, start=1)
    page = parse_search_page(body_of(naver, url), source="page", seen_at=now, url=url)
    assert [ref.key for ref in answer.refs] == [ref.key for ref in page.refs]
    assert answer.not_hosted == page.not_hosted
    assert [ref.original_url for ref in answer.refs] == [ref.original_url for ref in page.refs]
    assert [shortened(ref.title) for ref in answer.refs] == [ref.title for ref in page.refs]
    assert len(answer.refs) + answer.not_hosted == answer.items == 10
    for ref in answer.refs:
        article = naver.corpus.find(ref.key.oid, ref.key.aid)
        assert article is not None
        assert (ref.title, ref.original_url) == (article.at(now).title, article.original_url)
        assert ref.published_at == article.published_at.replace(second=0)
    url = search_page_url("아무도쓰지않은말", first=today, last=today, start=1)
    assert parse_search_page(body_of(naver, url), source="page", seen_at=now, url=url).no_results


def test_the_error_parser_reads_both_formats(naver: Replica) -> None:
    answers = [get(naver, OPENAPI, "/v1/search/news.json?query=AI"), get(naver, APIHUB, "/search/v1/news?query=AI")]
    errors = [parse_api_error(answer.content, answer.status_code) for answer in answers]
    assert [error and error.kind for error in errors] == [ApiErrorKind.BAD_KEY, ApiErrorKind.BAD_KEY]
