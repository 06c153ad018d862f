"""What tells a reader that a page has not changed: ETag, Last-Modified, and the answer 304 to who sends them back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime

from flows.replica.answers import Answer
from flows.replica.corpus import MadeArticle


def marked(answer: Answer, article: MadeArticle, now: datetime) -> Answer:
    """The answer with the marks of the article's version at this moment."""
    version = article.at(now)
    number = article.versions.index(version)
    # Weak: two answers of one version say the same, and differ in their bytes.
    marks = {
        "etag": f'W/"{article.key.id if article.key else article.index}-{number}"',
        "last-modified": format_datetime(version.since.astimezone(UTC), usegmt=True),
    }
    return replace(answer, headers={**answer.headers, **marks})


def unless_known(answer: Answer, asked: Mapping[str, str]) -> Answer:
    """304 without a body for who has this version already, else the answer. As RFC 9110 says, an ETag comes first."""
    marks = {name: answer.headers[name] for name in ("etag", "last-modified") if name in answer.headers}
    return Answer(b"", answer.kind, 304, marks) if _is_known(marks, asked) else answer


def _is_known(marks: Mapping[str, str], asked: Mapping[str, str]) -> bool:
    if "if-none-match" in asked:
        return marks.get("etag") in [tag.strip() for tag in asked["if-none-match"].split(",")]
    since = _moment(asked.get("if-modified-since", ""))
    modified = _moment(marks.get("last-modified", ""))
    return since is not None and modified is not None and modified <= since


def _moment(text: str) -> datetime | None:
    try:
        return parsedate_to_datetime(text)
    except ValueError:
        return None
