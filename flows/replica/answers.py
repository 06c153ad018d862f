"""A response before it is sent, and how faults change it."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from gzip import compress

from flows.replica.faults import API_HOSTS, Fault, Rule
from flows.replica.pages.notices import block_page, gone_page, unavailable_page
from flows.replica.pages.search_api import QUOTA, RATE_LIMIT, SYSTEM_ERROR, ApiFault, api_error

HTML = "text/html; charset=utf-8"
CP949 = "text/html;charset=EUC-KR"
JSON = "application/json; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Answer:
    """Status, headers (lower case, without Content-Length) and body."""

    body: bytes
    kind: str = HTML
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


def redirect(location: str, status: int = 302) -> Answer:
    return Answer(b"", status=status, headers={"location": location})


def fault_answer(rule: Rule, host: str, target: str) -> Answer | None:
    """The response of a fault that replaces the page; None for all other faults."""
    maker = _REPLACEMENTS.get(rule.fault)
    return maker(rule, host, target) if maker else None


def corrupted(answer: Answer, rule: Rule) -> Answer:
    """A correct response changed by a fault. Redirects and errors are not changed."""
    change = _CHANGES.get(rule.fault)
    return change(answer, rule) if change and answer.status == 200 else answer


def gzipped(answer: Answer) -> Answer:
    """The response with the content coding gzip."""
    return replace(
        answer,
        body=compress(answer.body, compresslevel=1, mtime=0),
        headers={**answer.headers, "content-encoding": "gzip", "vary": "Accept-Encoding"},
    )


def retry_after_seconds(headers: Mapping[str, str]) -> float | None:
    """The seconds from now that a Retry-After header asks for."""
    value = headers.get("retry-after")
    if value is None:
        return None
    if value.isdecimal():
        return float(value)
    until = datetime.strptime(value, "%a, %d %b %Y %H:%M:%S GMT").replace(tzinfo=UTC)
    return max(until.timestamp() - time.time(), 0.0)


def _retry_after(rule: Rule) -> dict[str, str]:
    if rule.retry_after is None:
        return {}
    if not rule.as_date:
        return {"retry-after": str(rule.retry_after)}
    until = datetime.now(UTC) + timedelta(seconds=rule.retry_after)
    return {"retry-after": format_datetime(until, usegmt=True)}


def _too_many(rule: Rule, host: str, _target: str) -> Answer:
    if host in API_HOSTS:
        return replace(_api(RATE_LIMIT, host), headers=_retry_after(rule))
    return Answer(b"Too Many Requests", "text/plain", 429, _retry_after(rule))


def _server_error(rule: Rule, host: str, _target: str) -> Answer:
    body = _api(SYSTEM_ERROR, host) if host in API_HOSTS else Answer(unavailable_page())
    return replace(body, status=rule.status, headers=_retry_after(rule))


def _api(fault: ApiFault, host: str) -> Answer:
    return Answer(api_error(fault, nested=host != "openapi.naver.com"), JSON, fault.status)


def _bomb(rule: Rule, _host: str, _target: str) -> Answer:
    body = compress(b" " * rule.size, compresslevel=9, mtime=0)
    return Answer(body, headers={"content-encoding": "gzip"})


def _replaced(*pairs: tuple[bytes, bytes]) -> Callable[[Answer, Rule], Answer]:
    """A change that replaces some bytes of the page."""

    def change(answer: Answer, _rule: Rule) -> Answer:
        body = answer.body
        for old, new in pairs:
            body = body.replace(old, new)
        return replace(answer, body=body)

    return change


def _renamed(answer: Answer, rule: Rule) -> Answer:
    return replace(answer, body=answer.body.replace(rule.old.encode(), rule.new.encode()))


def _without_items(answer: Answer, _rule: Rule) -> Answer:
    if answer.kind == JSON:
        return replace(answer, body=re.sub(rb"<li.*?</li>", b"", answer.body, flags=re.DOTALL))
    return replace(answer, body=re.sub(rb"<li\b.*?</li>\s*", b"", answer.body, flags=re.DOTALL))


def _wrong_charset(answer: Answer, _rule: Rule) -> Answer:
    return replace(answer, kind=CP949 if "utf-8" in answer.kind else HTML)


_REPLACEMENTS: Mapping[Fault, Callable[[Rule, str, str], Answer]] = {
    Fault.TOO_MANY: _too_many,
    Fault.QUOTA: lambda rule, host, target: _api(QUOTA, host),
    Fault.SERVER_ERROR: _server_error,
    Fault.FORBIDDEN: lambda rule, host, target: Answer(block_page(), status=403),
    Fault.BOMB: _bomb,
    Fault.BAD_GZIP: lambda rule, host, target: Answer(b"not gzip at all", headers={"content-encoding": "gzip"}),
    Fault.BLOCK_NOTICE: lambda rule, host, target: Answer(block_page()),
    Fault.UNAVAILABLE: lambda rule, host, target: Answer(unavailable_page()),
    Fault.GONE: lambda rule, host, target: Answer(gone_page(), status=404),
    Fault.REDIRECT_OFF: lambda rule, host, target: redirect("http://elsewhere.example/landing"),
    Fault.REDIRECT_LOOP: lambda rule, host, target: redirect(f"https://{host}{target}"),
}
_CHANGES: Mapping[Fault, Callable[[Answer, Rule], Answer]] = {
    Fault.RENAMED: _renamed,
    Fault.NO_DATE: _replaced(
        (b"_ARTICLE_DATE_TIME", b"_WHEN"), (b'class="t11"', b'class="t12"'), (b'"serviceDatetime"', b'"served"')
    ),
    Fault.NO_BODY: _replaced(
        (b'id="dic_area"', b'id="read_area"'), (b'id="articleBodyContents"', b'id="read"'), (b'"content"', b'"text"')
    ),
    Fault.EMPTY_LIST: _without_items,
    Fault.NO_LINKS: _replaced((b".naver.com/mnews/article/", b".naver.com/hidden/"), (b"/article/", b"/hidden/")),
    Fault.WRONG_CHARSET: _wrong_charset,
}
