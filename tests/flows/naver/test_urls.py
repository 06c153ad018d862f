"""Addresses: every form to its key, nothing else to any, and what is kept of a publisher's address."""

from __future__ import annotations

import time
from datetime import date
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.naver.urls import (
    NAVER_HOSTS,
    article_key,
    clean_original_url,
    find_article_key,
    json_api_url,
    press_list_url,
    search_api_url,
    search_page_url,
    section_list_url,
    section_more_url,
    section_page_url,
)
from schemas.article import ArticleKey
from schemas.errors import AddressError

FORMS = [
    "n.news.naver.com/mnews/article/{oid}/{aid}",
    "n.news.naver.com/article/{oid}/{aid}",
    "n.news.naver.com/article/{oid}/{aid}/",
    "N.News.Naver.com/mnews/article/{oid}/{aid}",
    "n.news.naver.com/mnews/hotissue/article/{oid}/{aid}",
    "n.news.naver.com/mnews/ranking/article/{oid}/{aid}",
    "n.news.naver.com/article/newspaper/{oid}/{aid}",
    "n.news.naver.com/mnews/article/newspaper/{oid}/{aid}",
    "n.news.naver.com/mnews/article/comment/{oid}/{aid}",
    "n.news.naver.com/mnews/article/print/{oid}/{aid}",
    "news.naver.com/main/read.nhn?oid={oid}&aid={aid}",
    "news.naver.com/main/read.naver?mode=LSD&mid=sec&oid={oid}&aid={aid}&sid1=001",
    "news.naver.com/main/ranking/read.nhn?rankingType=popular_day&oid={oid}&aid={aid}",
    "news.naver.com/main/hotissue/read.nhn?aid={aid}&oid={oid}",
    "news.naver.com/main/tool/print.nhn?oid={oid}&aid={aid}",
    "m.news.naver.com/read.nhn?mode=LSD&oid={oid}&aid={aid}",
    "m.news.naver.com/read.naver?oid={oid}&aid={aid}",
    "m.news.naver.com/rankingRead.nhn?oid={oid}&aid={aid}",
    "sports.news.naver.com/news?oid={oid}&aid={aid}",
    "sports.news.naver.com/kbaseball/news/read?oid={oid}&aid={aid}",
    "sports.news.naver.com/news.nhn?oid={oid}&aid={aid}",
    "entertain.naver.com/read?oid={oid}&aid={aid}",
    "entertain.naver.com/now/read?oid={oid}&aid={aid}",
    "sports.naver.com/kbaseball/article/{oid}/{aid}",
    "m.sports.naver.com/kbaseball/article/{oid}/{aid}",
    "m.sports.naver.com/article/{oid}/{aid}",
    "m.entertain.naver.com/article/{oid}/{aid}",
    "m.entertain.naver.com/now/article/{oid}/{aid}",
    "api-gw.sports.naver.com/news/article/{oid}/{aid}",
    "api-gw.entertain.naver.com/news/article/{oid}/{aid}",
    "finance.naver.com/item/news_read.naver?article_id={aid}&office_id={oid}&code=005930",
    "finance.naver.com/news/news_read.nhn?office_id={oid}&article_id={aid}",
]

REFUSED = [
    "",
    "001_0016361303",
    "n.news.naver.com/mnews/article/001/0016361303",
    "//n.news.naver.com/mnews/article/001/0016361303",
    "ftp://n.news.naver.com/mnews/article/001/0016361303",
    "javascript:alert(1)",
    "https://n.news.naver.com:443/mnews/article/001/0016361303",
    "https://n.news.naver.com:8080/mnews/article/001/0016361303",
    "https://n.news.naver.com.evil.example/mnews/article/001/0016361303",
    "https://evil.example/https://n.news.naver.com/mnews/article/001/0016361303",
    "https://n.news.naver.com@evil.example/mnews/article/001/0016361303",
    "https://evil.example@n.news.naver.com/mnews/article/001/0016361303",
    "https://evil.example\\@n.news.naver.com/mnews/article/001/0016361303",
    "https://n.news.naver.com./mnews/article/001/0016361303",
    "https://blog.naver.com/mnews/article/001/0016361303",
    "https://n.news.naver.com/mnews/article/01/0016361303",
    "https://n.news.naver.com/mnews/article/001/16361303",
    "https://n.news.naver.com/mnews/article/001/00163613034",
    "https://n.news.naver.com/mnews/article/00１/0016361303",
    "https://n.news.naver.com/mnews/article/001/001636130a",
    "https://n.news.naver.com/mnews/article/001/0016361303/../../x",
    "https://n.news.naver.com/mnews/article/0\n01/0016361303",
    "https://n.news.naver.com/mnews/ranking",
    "https://news.naver.com/main/read.naver?oid=001",
    "https://news.naver.com/main/read.naver?oid=001&oid=002&aid=0016361303",
    "https://news.naver.com/main/list.naver?oid=001&aid=0016361303",
    "https://finance.naver.com/item/news_read.naver?oid=001&aid=0016361303",
    "http://[::1/mnews/article/001/0016361303",
]

keys = st.builds(ArticleKey, st.from_regex(r"[0-9]{3}", fullmatch=True), st.from_regex(r"[0-9]{10}", fullmatch=True))
extras = st.sampled_from(
    ["", "sid=105", "type=series&cid=1", "cds=news_media_pc&ntype=RANKING", "lfrom=kakao", "oid2=9"]
)


@given(key=keys, form=st.sampled_from(FORMS), scheme=st.sampled_from(["http", "https"]), extra=extras)
def test_every_form_of_an_address_names_the_key(key: ArticleKey, form: str, scheme: str, extra: str) -> None:
    address = f"{scheme}://{form.format(oid=key.oid, aid=key.aid)}"
    joint = "&" if "?" in address else "?"
    assert article_key(f"{address}{joint}{extra}#comment") == key
    assert article_key(f"  {address}\n") == key


@given(keys)
def test_a_keys_own_addresses_lead_back_to_it(key: ArticleKey) -> None:
    assert article_key(key.url) == key
    assert article_key(json_api_url(key, "sports")) == article_key(json_api_url(key, "entertain")) == key


@pytest.mark.parametrize("address", REFUSED)
def test_what_is_no_article_is_refused(address: str) -> None:
    with pytest.raises(AddressError):
        article_key(address)
    assert find_article_key(address) is None


PIECES = [
    "https://",
    "n.news.naver.com",
    "/article/",
    "001",
    "0016361303",
    "?oid=",
    "&aid=",
    "@",
    ":",
    "[",
    "%",
    "\x00",
]


@given(st.one_of(st.text(), st.lists(st.sampled_from(PIECES)).map("".join)))
def test_garbage_is_refused_and_nothing_else_happens(text: str) -> None:
    key = find_article_key(text)
    assert key is None or key.oid in text
    clean_original_url(text)


@pytest.mark.parametrize("unit", ["a", "/", "&", "[", "0", "%", "?oid=001&aid="])
def test_ten_megabytes_take_no_time(unit: str) -> None:
    text = "https://n.news.naver.com/mnews/article/" + unit * (10_000_000 // len(unit))
    began = time.perf_counter()
    with pytest.raises(AddressError) as caught:
        article_key(text)
    assert clean_original_url(text) is None
    assert time.perf_counter() - began < 1
    assert len(str(caught.value)) < 1000


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("https://www.yna.co.kr/view/AKR1?input=1195m", "https://www.yna.co.kr/view/AKR1"),
        (
            "http://www.dt.co.kr/contents.html?article_no=20&ref=naver",
            "http://www.dt.co.kr/contents.html?article_no=20",
        ),
        ("https://a.example/1?utm_source=naver&utm_medium=x&UTM_ID=1", "https://a.example/1"),
        ("https://a.example/v?id=NISX_1&cID=10201&pID=2", "https://a.example/v?id=NISX_1&cID=10201&pID=2"),
        ("https://www.hankookilbo.com/News/Read/A1?did=NA", "https://www.hankookilbo.com/News/Read/A1"),
        ("https://a.example/view?did=4711", "https://a.example/view?did=4711"),
        ("https://a.example/한글?q=%ED%95%9C&x=a+b", "https://a.example/한글?q=%ED%95%9C&x=a+b"),
        ("https://a.example/x#photo", "https://a.example/x"),
        ("https://a.example/#/news/1", "https://a.example/#/news/1"),
        ("https://a.example:8443/1?", "https://a.example:8443/1"),
        ("https://a.example/1?influxDiv=NAVER", "https://a.example/1"),
        ("http://a.example/html/2024/1.html?OutUrl=naver", "http://a.example/html/2024/1.html"),
        ("https://a.example/newsView.php?id=20211004&wlog_tag3=naver", "https://a.example/newsView.php?id=20211004"),
        ("https://a.example/v?id=2&wlog_tag3=naver_relation", "https://a.example/v?id=2"),
        ("https://a.example/news/view/1/?sc=Naver", "https://a.example/news/view/1/"),
        ("https://a.example/view.asp?arcid=1&code=61141111&cp=nv", "https://a.example/view.asp?arcid=1&code=61141111"),
        ("https://a.example/1?xtor=AL-73-%5Bpartner%5D-%5Bnaver%5D-%5Bheadline%5D", "https://a.example/1"),
        ("https://a.example/1?input=offer_naver", "https://a.example/1"),
        ("https://a.example/?9&site=naver_news&fbclid=x&gclid=y", "https://a.example/?9"),
        ("https://a.example/endPage.do?news_id=N1&plink=ORI&cooper=NAVER", "https://a.example/endPage.do?news_id=N1"),
        ("https://a.example/v?id=naver2024&sc=1", "https://a.example/v?id=naver2024&sc=1"),
        ("https://a.example/v?q=naverland&w=snaver", "https://a.example/v?q=naverland&w=snaver"),
        ("https://a.example/go?u=https://blog.naver.com/1", "https://a.example/go?u=https://blog.naver.com/1"),
        ("https://a.example/v?mc=1&no=2&input_no=3", "https://a.example/v?mc=1&no=2&input_no=3"),
    ],
)
def test_only_junk_is_taken_off_a_publishers_address(given: str, kept: str) -> None:
    assert clean_original_url(given) == kept


@pytest.mark.parametrize(
    "address", ["", "#", "/view/1", "javascript:alert(1)", "data:text/html,x", "https://", "http://a@b/"]
)
def test_what_is_no_web_address_is_dropped(address: str) -> None:
    assert clean_original_url(address) is None


def fields(address: str) -> dict[str, list[str]]:
    return parse_qs(urlsplit(address).query, keep_blank_values=True)


def test_addresses_of_lists() -> None:
    day = date(2025, 12, 3)
    press = "https://news.naver.com/main/list.naver?mode=LPOD&mid=sec&oid=032&listType=title&date=20251203&page=7"
    assert press_list_url("032", day, 7) == press
    section = "https://news.naver.com/main/list.naver?mode=LSD&mid=shm&sid1=105&date=20251203&page=1"
    assert section_list_url("105", day, 1) == section
    assert section_page_url("105") == "https://news.naver.com/section/105"
    parted = "https://news.naver.com/breakingnews/section/105/230?date=20251203"
    assert section_page_url("105", "230", day) == parted
    assert fields(section_more_url("105", "20251203&x", day=day))["next"] == ["20251203&x"]


def test_addresses_of_searches_keep_the_query_whole() -> None:
    query = "소버린 AI & 독파모+#"
    page = fields(search_page_url(query, first=date(2025, 12, 1), last=date(2025, 12, 31), start=11))
    assert page["query"] == [query]
    assert page["nso"] == ["so:dd,p:from20251201to20251231,a:all"]
    assert page["start"] == ["11"]
    for endpoint, host in (("openapi", "openapi.naver.com"), ("apihub", "naverapihub.apigw.ntruss.com")):
        address = search_api_url(endpoint, query, start=101, display=100)  # type: ignore[arg-type]
        assert urlsplit(address).netloc == host
        assert fields(address) == {"query": [query], "display": ["100"], "start": ["101"], "sort": ["date"]}


def test_every_requested_address_is_on_a_known_host() -> None:
    key, day = ArticleKey("001", "0000000001"), date(2025, 12, 3)
    asked = [
        key.url,
        json_api_url(key, "sports"),
        json_api_url(key, "entertain"),
        press_list_url("001", day, 1),
        section_list_url("105", day, 1),
        section_page_url("105"),
        section_more_url("105", "1"),
        search_page_url("AI", first=day, last=day, start=1),
        search_api_url("openapi", "AI", start=1, display=10),
        search_api_url("apihub", "AI", start=1, display=10),
    ]
    assert {urlsplit(address).netloc for address in asked} <= NAVER_HOSTS
