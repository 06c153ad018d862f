"""What searches answer: the search page, in its look of 2026, and the Search API in both of its shapes."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from hashlib import blake2s
from html import escape

from flows.replica.article_pages import original_link
from flows.replica.corpus import MadeArticle

SEARCH_PAGE_SIZE = 10
"""Articles on a search page."""
LARGEST_START, LARGEST_DISPLAY = 1_000, 100

CLIENT_ID, CLIENT_SECRET = "replica-id", "replica-secret"
"""The key that the stand-in takes."""
OPENAPI_HEADERS = ("X-Naver-Client-Id", "X-Naver-Client-Secret")
APIHUB_HEADERS = ("X-NCP-APIGW-API-KEY-ID", "X-NCP-APIGW-API-KEY")


@dataclass(frozen=True, slots=True)
class ApiFault:
    """An error of the Search API. Its numbers are those of Naver's own documentation."""

    status: int
    code: str
    message: str


RATE_LIMIT = ApiFault(429, "012", "Rate limit exceeded. (속도 제한을 초과했습니다.)")
QUOTA = ApiFault(429, "010", "Query limit exceeded (쿼리 한도를 초과했습니다.)")
SYSTEM_ERROR = ApiFault(500, "SE99", "System Error (시스템 에러)")
NOT_AUTHENTICATED = ApiFault(401, "024", "Not Exist Client ID : Authentication failed. (인증에 실패했습니다.)")
UNKNOWN_API = ApiFault(404, "SE05", "Invalid search api (존재하지 않는 검색 api 입니다.)")
_BAD_QUERY = ApiFault(400, "SE01", "Incorrect query request (잘못된 쿼리요청입니다.)")
_BAD_DISPLAY = ApiFault(400, "SE02", "Invalid display value (부적절한 display 값입니다.)")
_BAD_START = ApiFault(400, "SE03", "Invalid start value (부적절한 start 값입니다.)")
_BAD_SORT = ApiFault(400, "SE04", "Invalid sort value (부적절한 sort 값입니다.)")


@dataclass(frozen=True, slots=True)
class ApiCall:
    """A valid call of the Search API."""

    query: str
    display: int
    start: int
    sort: str


def read_call(parameters: Mapping[str, str]) -> ApiCall | ApiFault:
    """The call that a query string makes, or the fault it deserves."""
    query = parameters.get("query", "").strip()
    display, start = (_number(parameters.get(name), usual) for name, usual in (("display", 10), ("start", 1)))
    sort = parameters.get("sort", "sim")
    if not query:
        return _BAD_QUERY
    if display is None or not 1 <= display <= LARGEST_DISPLAY:
        return _BAD_DISPLAY
    if start is None or not 1 <= start <= LARGEST_START:
        return _BAD_START
    return ApiCall(query, display, start, sort) if sort in ("sim", "date") else _BAD_SORT


def api_answer(call: ApiCall, total: int, shown: Sequence[MadeArticle], now: datetime) -> bytes:
    """The answer to a call. `pubDate` has whole minutes."""
    answer = {
        "lastBuildDate": format_datetime(now),
        "total": total,
        "start": call.start,
        "display": len(shown),
        "items": [_api_item(article, call.query, now) for article in shown],
    }
    return json.dumps(answer, ensure_ascii=False).encode()


def api_error(fault: ApiFault, *, nested: bool) -> bytes:
    """An error as openapi.naver.com says it, or (nested) as its successor does."""
    flat = {"errorCode": fault.code, "message" if nested else "errorMessage": fault.message}
    return json.dumps({"error": flat} if nested else flat, ensure_ascii=False).encode()


def has_key(headers: Mapping[str, str], names: tuple[str, str]) -> bool:
    """Whether a request bears the stand-in's key in these two headers."""
    return (headers.get(names[0]), headers.get(names[1])) == (CLIENT_ID, CLIENT_SECRET)


def link(article: MadeArticle) -> str:
    """Where a search sends the reader: to Naver, or to the press office when Naver does not host the article."""
    if article.key is None:
        return original_link(article)
    path = f"article/{article.key.oid}/{article.key.aid}"
    if article.subject.arena == "sports":
        return f"https://m.sports.naver.com/{'kbaseball' if article.index % 2 else 'kfootball'}/{path}"
    if article.subject.arena == "entertain":
        return f"https://m.entertain.naver.com/{path}"
    return f"{article.key.url}?sid={article.section}"


def search_page(query: str, shown: Sequence[MadeArticle], now: datetime) -> bytes:
    """The search page. Its class names are hashes that change from month to month; the addresses are what lasts."""
    items = "\n".join(_search_item(article, query, now) for article in shown)
    found = f'<ul class="list_news _infinite_list">{items}</ul>' if shown else _nothing(query)
    return f"""<!doctype html> <html lang="ko"><head> <meta charset="utf-8">
<meta property="og:title" content="{escape(query)} : 네이버 뉴스검색"/>
<title>{escape(query)} : 네이버 뉴스검색</title></head>
<body><div id="wrap"><div id="container"><div id="content" class="pack_group"><div id="main_pack" class="main_pack">
<section class="sc_new sp_nnews _fe_news_collection"><div class="api_subject_bx"><div class="group_news">
{found}
</div></div></section></div></div></div></div></body></html>
""".encode()


def _api_item(article: MadeArticle, query: str, now: datetime) -> dict[str, str]:
    version = article.at(now)
    return {
        "title": _marked(version.title, query, "b"),
        "originallink": original_link(article),
        "link": link(article),
        "description": _marked(_snippet(article, now), query, "b") + "... ",
        "pubDate": format_datetime(article.published_at.replace(second=0)),
    }


def _snippet(article: MadeArticle, now: datetime) -> str:
    return " ".join(article.at(now).body.split())[:110]


def _marked(text: str, query: str, tag: str) -> str:
    """Escaped, with the query's words in bold."""
    shown = escape(text).replace("&#x27;", "'")
    words = "|".join(re.escape(escape(word)) for word in query.replace('"', " ").split())
    return re.sub(f"({words})", rf"<{tag}>\1</{tag}>", shown, flags=re.IGNORECASE) if words else shown


def _number(text: str | None, usual: int) -> int | None:
    if text is None:
        return usual
    return int(text) if text.isdecimal() and text.isascii() and len(text) < 9 else None


def _hashed(name: str, now: datetime) -> str:
    return blake2s(f"{name}{now:%Y%m}".encode(), digest_size=8).hexdigest()


def _search_item(article: MadeArticle, query: str, now: datetime) -> str:
    version, original = article.at(now), escape(original_link(article))
    profile, title, body = (f"fender-ui_228e3bd1 {_hashed(name, now)}" for name in ("profile", "title", "body"))
    press = f"https://media.naver.com/press/{article.press.oid}" if article.key else article.press.site
    naver = (
        f'<a nocr="1" href="{escape(link(article))}" class="{profile}" target="_blank" data-heatmap-target=".nav">'
        '<span class="sds-comps-text sds-comps-text-type-body2">네이버뉴스</span></a>'
    )
    return f"""<div class="sds-comps-vertical-layout sds-comps-full-layout {_hashed("item", now)}">
<div class="sds-comps-horizontal-layout sds-comps-profile" data-sds-comp="Profile">
<a nocr="1" href="{press}" class="{profile}" target="_blank" data-heatmap-target=".prof">
<span class="sds-comps-text sds-comps-profile-info-title-text">{article.press.name}</span></a>
<span class="sds-comps-text sds-comps-profile-info-subtext">{_ago(article.published_at, now)}</span>
{naver if article.key else ""}</div>
<a nocr="1" href="{original}" class="{title}" target="_blank" data-heatmap-target=".tit">
<span class="sds-comps-text sds-comps-text-type-headline1">{_marked(version.title[:60], query, "mark")}</span></a>
<a nocr="1" href="{original}" class="{body}" target="_blank" data-heatmap-target=".body">
<span class="sds-comps-text sds-comps-text-type-body1">{_marked(_snippet(article, now), query, "mark")}... </span></a>
</div>"""


def _ago(moment: datetime, now: datetime) -> str:
    minutes = max(int((now - moment).total_seconds() // 60), 0)
    for size, unit in ((7 * 1_440, "주"), (1_440, "일"), (60, "시간")):
        if minutes >= size:
            return f"{minutes // size}{unit} 전"
    return f"{minutes}분 전"


def _nothing(query: str) -> str:
    return (
        f'<div class="not_found02"><p class="message">‘<em>{escape(query)}</em>’에 대한 검색결과가 없습니다.</p></div>'
    )
