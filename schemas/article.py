"""The values on an article's way: its key, a find of it, and the article itself.

ArticleKey    the identity: press office and article number
ArticleRef    a find: somebody (a search, a list, a person) named the article
Article       what a parser read off a page
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from enum import StrEnum
from typing import Self

from schemas.errors import AddressError
from schemas.nfc import nfc

SEOUL = timezone(timedelta(hours=9), "Asia/Seoul")
"""Korean time. Korea has had no daylight saving time since 1988, older than any article here."""

_OID = re.compile(r"[0-9]{3}")
_AID = re.compile(r"[0-9]{10}")


class Kind(StrEnum):
    """What an article consists of."""

    TEXT = "text"
    PHOTO = "photo"
    VIDEO = "video"
    FLASH = "flash"  # a 1보: a headline, with a photo at most


class Outcome(StrEnum):
    """How a find ends. Every find of a run ends in exactly one."""

    NEW = "new"  # stored, with a file
    EDITED = "edited"  # known under this key with another text: a new revision
    UNCHANGED = "unchanged"  # known, with this text (or not due to be fetched)
    DUPLICATE = "duplicate"  # the text of another article: points at the first
    OFF_TOPIC = "off_topic"  # fetched once, and not about the topic
    LISTED = "listed"  # may not be fetched: kept as what the source said of it
    GONE = "gone"  # deleted or withdrawn
    BLOCKED = "blocked"  # Naver refused
    FAILED = "failed"  # a fault that outlasted the tries, or a page that no parser knows
    DEFERRED = "deferred"  # not tried in this run: taken up by the next


@dataclass(frozen=True, slots=True, order=True)
class ArticleKey:
    """The identity of an article: press office (`oid`, 3 digits) and number (`aid`, 10 digits)."""

    oid: str
    aid: str

    def __post_init__(self) -> None:
        # An identifier becomes a file's name: nothing but digits gets past here.
        if not _OID.fullmatch(self.oid) or not _AID.fullmatch(self.aid):
            raise AddressError(f"{self.oid}_{self.aid}", "an article has an oid of 3 and an aid of 10 digits")

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
    """A find: an article as a source named it. Whatever the source did not say is None.

    `source` is the name of the source and what was asked of it, such as `search_api:소버린 AI`.
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
    """A person of the byline, without title: `조인영`, not `조인영 기자`. One of the two can be missing, not both."""

    name: str | None
    email: str | None = None


@dataclass(frozen=True, slots=True)
class Image:
    """A picture of an article: its address, and the caption where the page has one."""

    url: str
    caption: str | None = None


@dataclass(frozen=True, slots=True)
class Article:
    """An article as a parser read it off a page.

    `body` holds paragraphs separated by one blank line, the subtitle first where there is one; it is empty for a
    flash that is only a headline. `byline` is the page's own line (`조인영 기자 (ciy8100@dailian.co.kr)`), from which
    `authors` are read. Times bear a zone. `parser` is name and version, such as `article_page/1`.
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


def content_hash(body: str) -> str:
    """SHA-256 (64 hex digits) of the body's UTF-8 bytes, without the line breaks around it."""
    return hashlib.sha256(body.strip("\n").encode()).hexdigest()


def text_hash(body: str) -> str:
    """SHA-256 (64 hex digits) of the body's NFC form without any white space: the same for two layouts of one text."""
    return hashlib.sha256(nfc("".join(body.split())).encode()).hexdigest()
