"""Validators of pages, and conditional requests: ETag, Last-Modified, 304 responses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime

from flows.replica.answers import Answer
from flows.replica.corpus.articles import MadeArticle


def with_validators(answer: Answer, article: MadeArticle, now: datetime) -> Answer:
    """The response with ETag and Last-Modified of the article's current version."""
    version = article.at(now)
    number = article.versions.index(version)
    # Weak, because two responses of one version differ in their bytes.
    validators = {
        "etag": f'W/"{article.key.id if article.key else article.index}-{number}"',
        "last-modified": format_datetime(version.since.astimezone(UTC), usegmt=True),
    }
    return replace(answer, headers={**answer.headers, **validators})


def conditional(answer: Answer, request_headers: Mapping[str, str]) -> Answer:
    """The response, or 304 if the request headers name its version. An ETag takes precedence (RFC 9110)."""
    validators = {name: answer.headers[name] for name in ("etag", "last-modified") if name in answer.headers}
    return Answer(b"", answer.kind, 304, validators) if _matches(validators, request_headers) else answer


def _matches(validators: Mapping[str, str], request_headers: Mapping[str, str]) -> bool:
    if "if-none-match" in request_headers:
        return validators.get("etag") in [tag.strip() for tag in request_headers["if-none-match"].split(",")]
    since = _moment(request_headers.get("if-modified-since", ""))
    modified = _moment(validators.get("last-modified", ""))
    return since is not None and modified is not None and modified <= since


def _moment(text: str) -> datetime | None:
    try:
        return parsedate_to_datetime(text)
    except ValueError:
        return None
