"""Naver's addresses: from any address of an article to its `ArticleKey` and back, and those of the sources."""

from __future__ import annotations

import re
from datetime import date
from typing import Literal
from urllib.parse import unquote, urlencode, urljoin, urlsplit

from schemas.article import ArticleKey
from schemas.errors import AddressError

NAVER_HOSTS: frozenset[str] = frozenset(
    {
        "news.naver.com",
        "n.news.naver.com",
        "m.news.naver.com",
        "sports.news.naver.com",
        "entertain.naver.com",
        "m.entertain.naver.com",
        "sports.naver.com",
        "m.sports.naver.com",
        "finance.naver.com",
        "search.naver.com",
        "api-gw.sports.naver.com",
        "api-gw.entertain.naver.com",
        "openapi.naver.com",
        "naverapihub.apigw.ntruss.com",
    }
)
"""The hosts that requests and redirects may go to."""

_PATH_HOSTS = frozenset(
    {
        "news.naver.com",
        "n.news.naver.com",
        "m.news.naver.com",
        "entertain.naver.com",
        "m.entertain.naver.com",
        "sports.naver.com",
        "m.sports.naver.com",
        "api-gw.sports.naver.com",
        "api-gw.entertain.naver.com",
    }
)
_QUERY_HOSTS = frozenset(
    {"news.naver.com", "m.news.naver.com", "n.news.naver.com", "sports.news.naver.com", "entertain.naver.com"}
)
_FINANCE_HOST = "finance.naver.com"

# /mnews/article/001/0000000001, /article/newspaper/…, /mnews/article/comment/…, /kbaseball/article/…, /news/article/…
_PATH_FORM = re.compile(r"(?:/[a-z0-9_-]{1,32}){0,3}/article(?:/[a-z]{1,32})?/([0-9]{3})/([0-9]{10})/?")
# /main/read.nhn, /main/ranking/read.naver, /read.nhn, /rankingRead.nhn, /kbaseball/news/read, /main/tool/print.nhn
_QUERY_FORM = re.compile(r"(?:/[a-z0-9_-]{1,32}){0,3}/(?:[a-z]{0,32}read|news|print)(?:\.nhn|\.naver)?", re.IGNORECASE)
_FINANCE_FORM = re.compile(r"(?:/[a-z0-9_-]{1,32}){0,2}/news_read\.(?:nhn|naver)")

_LONGEST = 4096  # characters; browsers and servers stop earlier, and longer texts are not scanned
_UNSAFE = re.compile(r"[\x00-\x20\x7f\\\ud800-\udfff]")

# Parameters that only say where a reader came from. The first two lines of names are in the global rules of ClearURLs,
# which include no Korean site; no maintained Python library ships them. The third line is from Naver's pages.
_JUNK_PREFIXES = ("utm_", "ga_", "itm_", "otm_", "hmb_", "fb_", "wlog_")
_JUNK_NAMES = (
    "fbclid gclid dclid yclid msclkid igshid srsltid gs_l mkt_tok cmpid _ga _gl _openstat __twitter_impression"
    " mc_cid mc_eid wt_mc wt_zmc wtrid echobox tracking_source"
    " ref referer referrer input xtor cloc plink cooper n_cid napm influxdiv outurl"
)
_JUNK = frozenset(_JUNK_NAMES.split())
_JUNK_PAIRS = frozenset({"did=na"})  # 한국일보; elsewhere `did` may name a document
# Whatever the name: `sc=Naver`, `input=offer_naver`, `xtor=AL-73-[partner]-[naver]`, `pt=nv`. No article is named so.
_FROM_NAVER = re.compile(
    r"(?:[\w\[\]-]{0,40}[\W_])?(?:naver(?:news)?)(?:[\W_][\w\[\]-]{0,60})?|nv", re.IGNORECASE | re.ASCII
)


def article_key(url: str) -> ArticleKey:
    """The key in an address of any known form, with http or https and any query. Raises AddressError."""
    text = url.strip()
    if len(text) > _LONGEST:
        raise AddressError(f"{text[:80]}…", f"it is longer than {_LONGEST} characters")
    host, path, query = _split(text)
    if host in _PATH_HOSTS and (match := _PATH_FORM.fullmatch(path)):
        return ArticleKey(match[1], match[2])
    if host in _QUERY_HOSTS and _QUERY_FORM.fullmatch(path):
        return ArticleKey(_parameter(text, query, "oid"), _parameter(text, query, "aid"))
    if host == _FINANCE_HOST and _FINANCE_FORM.fullmatch(path):
        return ArticleKey(_parameter(text, query, "office_id"), _parameter(text, query, "article_id"))
    raise AddressError(text, "the host or the path is not one of an article")


def find_article_key(url: str) -> ArticleKey | None:
    """The key in an address, or None if it is not the address of an article."""
    try:
        return article_key(url)
    except AddressError:
        return None


def find_link(base: str, href: str) -> tuple[ArticleKey, str] | None:
    """The key and the absolute address of a link on the page `base`, or None if it does not lead to an article."""
    try:
        address = urljoin(base, href)
    except ValueError:
        return None  # such as an IPv6 address without its bracket
    key = find_article_key(address)
    return (key, address) if key else None


def _split(url: str) -> tuple[str, str, str]:
    """Host, path and query. Raises AddressError for control characters, spaces and other invalid ones."""
    if _UNSAFE.search(url):
        raise AddressError(url, "it contains a space, a backslash, a control character or half a character")
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise AddressError(url, f"it cannot be read ({error})") from error
    if parts.scheme not in {"http", "https"}:
        raise AddressError(url, "it does not begin with http:// or https://")
    # The whole authority is compared, so addresses with `user@` or `:port` never match.
    return parts.netloc.lower(), parts.path, parts.query


def _parameter(url: str, query: str, name: str) -> str:
    # The wanted values are digits, so the query needs no decoding.
    values = {value for field, _, value in (part.partition("=") for part in query.split("&")) if field == name}
    if len(values) != 1:
        raise AddressError(url, f"its query needs exactly one {name}")
    return values.pop()


def json_api_url(key: ArticleKey, host: Literal["sports", "entertain"]) -> str:
    """The address of a sports or entertainment article as JSON."""
    return f"https://api-gw.{host}.naver.com/news/article/{key.oid}/{key.aid}"


def press_list_url(oid: str, day: date, page: int) -> str:
    """A page (from 1) of a press office's articles of a day."""
    query = f"mode=LPOD&mid=sec&oid={oid}&listType=title&date={day:%Y%m%d}&page={page}"
    return f"https://news.naver.com/main/list.naver?{query}"


def section_list_url(sid: str, day: date, page: int) -> str:
    """A page (from 1) of a section's articles of a day (`105` is IT and science)."""
    return f"https://news.naver.com/main/list.naver?mode=LSD&mid=shm&sid1={sid}&date={day:%Y%m%d}&page={page}"


def section_page_url(sid: str, sid2: str | None = None, day: date | None = None) -> str:
    """A section's first page, or with `sid2` a subsection's page of `day`."""
    if sid2 is None:
        return f"https://news.naver.com/section/{sid}"
    date_part = f"?date={day:%Y%m%d}" if day else ""
    return f"https://news.naver.com/breakingnews/section/{sid}/{sid2}{date_part}"


def section_more_url(sid: str, cursor: str, *, sid2: str = "", day: date | None = None, page: int = 2) -> str:
    """The next items of a section page. Only `cursor` advances; the site sends `page` too."""
    fields = {
        "sid": sid,
        "sid2": sid2,
        "cluid": "",
        "pageNo": page,
        "date": f"{day:%Y%m%d}" if day else "",
        "next": cursor,
    }
    return f"https://news.naver.com/section/template/SECTION_ARTICLE_LIST_FOR_LATEST?{urlencode(fields)}"


def search_page_url(query: str, *, first: date, last: date, start: int) -> str:
    """A page of the news search, newest first, for the days `first` to `last`; `start` is 1, 11, 21 …"""
    fields = {
        "where": "news",
        "query": query,
        "sort": 1,
        "nso": f"so:dd,p:from{first:%Y%m%d}to{last:%Y%m%d},a:all",
        "start": start,
    }
    return f"https://search.naver.com/search.naver?{urlencode(fields, safe=':,')}"


_SEARCH_APIS = {
    "openapi": "https://openapi.naver.com/v1/search/news.json",
    "apihub": "https://naverapihub.apigw.ntruss.com/search/v1/news",
}


def search_api_url(
    endpoint: Literal["openapi", "apihub"],
    query: str,
    *,
    start: int,
    display: int,
    sort: Literal["sim", "date"] = "date",
) -> str:
    """A call of the Search API: `start` 1 to 1000, `display` 1 to 100. Keys are headers, never part of it."""
    fields = {"query": query, "display": display, "start": start, "sort": sort}
    return f"{_SEARCH_APIS[endpoint]}?{urlencode(fields)}"


def clean_original_url(url: str) -> str | None:
    """An article's address at its press office, without parameters that only say where the reader came from.

    None if it is not a web address. The rest is left as written, because the query may identify the article.
    """
    text = url.strip()
    if len(text) > _LONGEST or _UNSAFE.search(text):
        return None
    try:
        parts = urlsplit(text)
    except ValueError:
        return None  # such as an IPv6 address without its bracket
    if parts.scheme not in {"http", "https"} or not parts.netloc or "@" in parts.netloc:
        return None
    query = "&".join(field for field in parts.query.split("&") if field and not _is_junk(field))
    # `#!/…` and `#/…` are pages of a single-page application; other fragments are places on a page.
    fragment = parts.fragment if parts.fragment.startswith(("!", "/")) else ""
    return parts._replace(query=query, fragment=fragment).geturl()


def _is_junk(field: str) -> bool:
    name, _, value = field.lower().partition("=")
    named = name in _JUNK or name.startswith(_JUNK_PREFIXES) or f"{name}={value}" in _JUNK_PAIRS
    return named or _FROM_NAVER.fullmatch(unquote(value)) is not None
