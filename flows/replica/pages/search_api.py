"""What the Search API answers, in both of its shapes, and what it has in common with the search page."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from html import escape

from flows.replica.corpus.articles import MadeArticle
from flows.replica.pages.articles import original_link

LARGEST_START, LARGEST_DISPLAY = 1_000, 100

CLIENT_ID, CLIENT_SECRET = "replica-id", "replica-secret"
"""The key that the replica takes."""
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
    """Whether a request bears the replica's key in these two headers."""
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


def _api_item(article: MadeArticle, query: str, now: datetime) -> dict[str, str]:
    version = article.at(now)
    return {
        "title": marked(version.title, query, "b"),
        "originallink": original_link(article),
        "link": link(article),
        "description": marked(snippet(article, now), query, "b") + "... ",
        "pubDate": format_datetime(article.published_at.replace(second=0)),
    }


def snippet(article: MadeArticle, now: datetime) -> str:
    """The beginning of the text, on one line."""
    return " ".join(article.at(now).body.split())[:110]


def marked(text: str, query: str, tag: str) -> str:
    """Escaped, with the query's words in bold."""
    shown = escape(text).replace("&#x27;", "'")
    words = "|".join(re.escape(escape(word)) for word in query.replace('"', " ").split())
    return re.sub(f"({words})", rf"<{tag}>\1</{tag}>", shown, flags=re.IGNORECASE) if words else shown


def _number(text: str | None, usual: int) -> int | None:
    if text is None:
        return usual
    return int(text) if text.isdecimal() and text.isascii() and len(text) < 9 else None
