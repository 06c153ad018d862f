"""An article's key, a find of it, and the article itself.

ArticleKey    the identity: press office and article number
ArticleRef    a find: the article as a source (a search, a list, a person) named it
Article       what a parser read from a page
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from enum import StrEnum
from functools import lru_cache, wraps
from typing import Self

from schemas.errors import AddressError
from schemas.nfc import nfc

SEOUL = timezone(timedelta(hours=9), "Asia/Seoul")
"""The Korean time zone. Korea has had no daylight saving time since 1988, before any article here was published."""

_OID = re.compile(r"[0-9]{3}")
_AID = re.compile(r"[0-9]{10}")

_TWO_BATCHES = 512
"""Texts whose digests are kept: those of an article are asked for several times until it is stored."""
_USUAL = 5_000
"""Characters of the longest text whose digests are kept, since the text is kept with them."""


class Kind(StrEnum):
    """What an article consists of."""

    TEXT = "text"
    PHOTO = "photo"
    VIDEO = "video"
    FLASH = "flash"  # a 1보: a headline, with at most a photo


class Outcome(StrEnum):
    """The outcome of a find. Every find of a run has exactly one."""

    NEW = "new"  # stored, with a file
    EDITED = "edited"  # known under this key with another text: a new revision
    UNCHANGED = "unchanged"  # known, with this text, or not due to be fetched
    DUPLICATE = "duplicate"  # the text of another article: refers to the first one
    OFF_TOPIC = "off_topic"  # fetched, but not about the topic
    LISTED = "listed"  # may not be fetched: only what the source returned is stored
    GONE = "gone"  # deleted or withdrawn
    BLOCKED = "blocked"  # refused by Naver
    FAILED = "failed"  # a fault that remained after all tries, or a page that no parser knows
    DEFERRED = "deferred"  # not tried in this run: the next run continues with it


@dataclass(frozen=True, slots=True, order=True)
class ArticleKey:
    """The identity of an article: press office (`oid`, 3 digits) and number (`aid`, 10 digits)."""

    oid: str
    aid: str

    def __post_init__(self) -> None:
        # The identifier becomes a file name, so only digits are accepted.
        if not _OID.fullmatch(self.oid) or not _AID.fullmatch(self.aid):
            raise AddressError(f"{self.oid}_{self.aid}", "the oid must have 3 digits and the aid 10 digits")

    @property
    def id(self) -> str:
        return f"{self.oid}_{self.aid}"

    @property
    def url(self) -> str:
        return f"https://n.news.naver.com/mnews/article/{self.oid}/{self.aid}"

    @classmethod
    def from_id(cls, text: str) -> Self:
        """Read `{oid}_{aid}`. Raises AddressError."""
        oid, _, aid = text.partition("_")
        return cls(oid, aid)


@dataclass(frozen=True, slots=True)
class ArticleRef:
    """A find: an article as a source named it. Fields that the source does not give are None.

    `source` is the name of the source and its query, such as `search_api:소버린 AI`.
    """

    key: ArticleKey
    url: str
    source: str
    seen_at: datetime
    title: str | None = None
    description: str | None = None
    publisher: str | None = None
    published_at: datetime | None = None
    original_url: str | None = None


@dataclass(frozen=True, slots=True)
class Author:
    """A person in the byline, without title: `조인영`, not `조인영 기자`. Name or e-mail address can be missing."""

    name: str | None
    email: str | None = None


@dataclass(frozen=True, slots=True)
class Image:
    """A picture of an article: its URL, and its caption if the page has one."""

    url: str
    caption: str | None = None


@dataclass(frozen=True, slots=True)
class Article:
    """An article as a parser read it from a page.

    `body` consists of paragraphs separated by one blank line, beginning with the subtitle if there is one; it is empty
    for a flash that is only a headline. `byline` is the line on the page (`조인영 기자 (ciy8100@dailian.co.kr)`), or
    else a credit in the text; `authors` are parsed from it. Times are aware. `parser` is its name and version, such as
    `article_page/2`.
    """

    key: ArticleKey
    title: str
    body: str
    publisher: str
    published_at: datetime | None
    parser: str
    kind: Kind = Kind.TEXT
    subtitle: str | None = None
    byline: str = ""
    authors: tuple[Author, ...] = ()
    categories: tuple[str, ...] = ()
    modified_at: datetime | None = None
    original_url: str | None = None
    images: tuple[Image, ...] = ()

    @property
    def id(self) -> str:
        return self.key.id

    @property
    def url(self) -> str:
        return self.key.url

    @property
    def content_hash(self) -> str:
        return content_hash(self.body)

    @property
    def text_hash(self) -> str:
        return text_hash(self.body)


def _remembered(digest: Callable[[str], str]) -> Callable[[str], str]:
    """The same function, which computes the digest of a text of usual length once."""
    kept = lru_cache(maxsize=_TWO_BATCHES)(digest)

    @wraps(digest)
    def remembered(body: str) -> str:
        return kept(body) if len(body) <= _USUAL else digest(body)

    return remembered


@_remembered
def content_hash(body: str) -> str:
    """SHA-256 (64 hex digits) of the body in UTF-8, without leading and trailing line breaks."""
    return hashlib.sha256(body.strip("\n").encode()).hexdigest()


@_remembered
def text_hash(body: str) -> str:
    """SHA-256 (64 hex digits) of the body in NFC without white space: the same for two layouts of one text."""
    return hashlib.sha256(nfc("".join(body.split())).encode()).hexdigest()
