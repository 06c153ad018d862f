"""Parse answers of the Search API. The old address (openapi) and its successor (apihub) return the same JSON."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from flows.naver.clock import parse_mail_date
from flows.naver.decoding import decode
from flows.naver.lines import LONGEST_LINE, storable, usable_line
from flows.naver.urls import clean_original_url, find_article_key
from schemas.article import ArticleRef
from schemas.errors import LayoutChanged

LAYOUT = "search_api/1"

_BOLD = re.compile(r"</?b>")


@dataclass(frozen=True, slots=True)
class SearchAnswer:
    """A response. `items`: the number of its items, of which `not_hosted` are not on Naver and yield no ref.

    `refs` contains each article once. `oldest` and `newest` are the publication times over all items, hosted or not; if
    the items are `in_order`, newest first, they show how far the response reaches. Times have minutes only (the
    API always gives 00 seconds).
    """

    total: int
    start: int
    display: int
    items: int
    not_hosted: int
    refs: tuple[ArticleRef, ...]
    oldest: datetime | None
    newest: datetime | None
    in_order: bool = True


class ApiErrorKind(StrEnum):
    """What to do about an error: fix the query, fix the key, wait a little, wait until tomorrow, try again."""

    BAD_QUERY = "bad_query"
    BAD_KEY = "bad_key"
    RATE = "rate"
    QUOTA = "quota"
    SERVER = "server"


@dataclass(frozen=True, slots=True)
class ApiError:
    """An error answer. `code` is Naver's own (`SE01`, `024`, `012`), or the HTTP status if there is none."""

    code: str
    message: str
    kind: ApiErrorKind


_KINDS = {
    "SE05": ApiErrorKind.BAD_QUERY,
    "SE99": ApiErrorKind.SERVER,
    "024": ApiErrorKind.BAD_KEY,
    "012": ApiErrorKind.RATE,
    "010": ApiErrorKind.QUOTA,
}


def parse_search_answer(content: bytes, *, source: str, seen_at: datetime, url: str) -> SearchAnswer:
    """Parse an answer. Raises LayoutChanged for anything but a complete, well-formed one."""
    answer = _loaded(content)
    if not isinstance(answer, dict):
        raise LayoutChanged("a JSON object", url=url, layout=LAYOUT, detail="the answer is cut short or no JSON")
    items = _items(answer, url)
    times = [_published_at(item, url) for item in items]
    refs = [_ref(item, time, source=source, seen_at=seen_at, url=url) for item, time in zip(items, times, strict=True)]
    hosted = [ref for ref in refs if ref is not None]
    return SearchAnswer(
        total=_number(answer, "total", url),
        start=_number(answer, "start", url),
        display=_number(answer, "display", url),
        items=len(items),
        not_hosted=len(items) - len(hosted),
        refs=unique(hosted),
        oldest=min(times, default=None),
        newest=max(times, default=None),
        in_order=times == sorted(times, reverse=True),
    )


def unique(refs: Iterable[ArticleRef]) -> tuple[ArticleRef, ...]:
    """The first find of each article, in order."""
    first: dict[str, ArticleRef] = {}
    for ref in refs:
        first.setdefault(ref.key.id, ref)
    return tuple(first.values())


def parse_api_error(content: bytes, status: int) -> ApiError | None:
    """The error in an answer of either shape; None if there is none.

    `{"errorCode", "errorMessage"}` comes from the old address, `{"error": {"errorCode", "message"}}` from the gateway.
    An error status without either is classified by the status alone.
    """
    answer = _loaded(content)
    record = answer if isinstance(answer, dict) else {}
    inner = record.get("error")
    code, message = _error_fields(inner) if isinstance(inner, dict) else _error_fields(record)
    if not code and (status < 400 or "items" in record):
        return None
    return ApiError(code or str(status), message or f"HTTP status {status}", _kind(code, status))


def _error_fields(record: dict[str, Any]) -> tuple[str, str]:
    code, message = record.get("errorCode"), record.get("errorMessage", record.get("message"))
    return _word(code), _word(message)


def _word(value: Any) -> str:
    """A string or a number as text; empty for anything else."""
    return storable(str(value))[:LONGEST_LINE] if isinstance(value, str | int) else ""


def _kind(code: str, status: int) -> ApiErrorKind:
    if code in _KINDS:
        return _KINDS[code]
    if status in {401, 403}:
        return ApiErrorKind.BAD_KEY
    if status == 429:
        return ApiErrorKind.RATE
    return ApiErrorKind.SERVER if status >= 500 else ApiErrorKind.BAD_QUERY


def _loaded(content: bytes) -> Any:
    """The JSON value, or None if the bytes are not JSON; the caller decides what that means."""
    try:
        return json.loads(decode(content))
    except (ValueError, RecursionError):
        return None


def _items(answer: dict[str, Any], url: str) -> list[dict[str, Any]]:
    items = answer.get("items")
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise LayoutChanged("items", url=url, layout=LAYOUT)
    return items


def _number(answer: dict[str, Any], name: str, url: str) -> int:
    value = answer.get(name)
    if not isinstance(value, int):
        raise LayoutChanged(name, url=url, layout=LAYOUT)
    return value


def _text(item: dict[str, Any], name: str, url: str) -> str:
    value = item.get(name)
    if not isinstance(value, str):
        raise LayoutChanged(f"items[].{name}", url=url, layout=LAYOUT)
    return storable(value)


def _plain(item: dict[str, Any], name: str, url: str) -> str | None:
    """Text as people see it: `<b>` around the words searched for is removed, then entities are decoded once."""
    return usable_line(html.unescape(_BOLD.sub("", _text(item, name, url))).strip())


def _published_at(item: dict[str, Any], url: str) -> datetime:
    stamp = _text(item, "pubDate", url)
    time = parse_mail_date(stamp)
    if time is None:
        detail = f"{stamp[:40]!r} is no time with a zone"
        raise LayoutChanged("items[].pubDate", url=url, layout=LAYOUT, detail=detail)
    return time


def _ref(item: dict[str, Any], time: datetime, *, source: str, seen_at: datetime, url: str) -> ArticleRef | None:
    link = _text(item, "link", url).strip()
    key = find_article_key(link)
    if key is None:
        return None
    return ArticleRef(
        key=key,
        url=link,
        source=source,
        seen_at=seen_at,
        title=_plain(item, "title", url),
        description=_plain(item, "description", url),
        published_at=time,
        original_url=_original_url(item, url),
    )


def _original_url(item: dict[str, Any], url: str) -> str | None:
    address = _text(item, "originallink", url)
    return None if find_article_key(address) else clean_original_url(address)
