"""Values for tests: articles, finds, pages and results with defaults; tests set only what matters to them."""

from __future__ import annotations

import gzip
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from schemas.article import SEOUL, Article, ArticleKey, ArticleRef, Author, Image, Outcome
from schemas.find import FindResult, Relevance, RevisionKind
from schemas.page import RawPage
from schemas.receipt import ExitReason, Receipt

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
PUBLISHED = datetime(2025, 12, 30, 9, 15, 20, tzinfo=SEOUL)


def key(number: int = 1, oid: str = "001") -> ArticleKey:
    return ArticleKey(oid, f"{number:010d}")


def article(number: int = 1, **given: Any) -> Article:
    whole = Article(
        key=key(number),
        title=f"가온연구소, 독자 모델 {number}호 공개",
        body=f"가온연구소가 독자 모델 {number}호를 공개했다.\n\n두 번째 문단이다. 값은 {number * 7}억원이다.",
        publisher="가온신문",
        published_at=PUBLISHED + timedelta(minutes=number),
        parser="test/1",
        byline="김가온 기자 (gaon@example.org)",
        authors=(Author("김가온", "gaon@example.org"),),
        categories=("IT/과학",),
        images=(Image("https://imgnews.pstatic.net/1.jpg", "설명"),),
    )
    return replace(whole, **given)


def ref(of: ArticleKey, **given: Any) -> ArticleRef:
    return replace(ArticleRef(of, of.url, "search_api:독자 모델", NOW, title="찾은 제목"), **given)


def page(url: str, content: bytes = "<p>쪽</p>".encode(), **given: Any) -> RawPage:
    whole = RawPage(
        url=url,
        final_url=url,
        status=200,
        reason="OK",
        http_version="HTTP/1.1",
        headers=(("Content-Type", "text/html; charset=utf-8"), ("Content-Encoding", "gzip")),
        request_headers=(("Host", "n.news.naver.com"), ("User-Agent", "seogo/0 (+test)")),
        payload=gzip.compress(content),
        content=content,
        fetched_at=NOW,
    )
    return replace(whole, **given)


def stored(of: Article, **given: Any) -> FindResult:
    """The result of a new article."""
    whole = FindResult(
        ref=ref(of.key),
        outcome=Outcome.NEW,
        reason="stored",
        relevance=Relevance(5.0, ("+5 독자 모델",), ("가온",)),
        article=of,
        revision_kind=RevisionKind.NEW,
        revision=1,
        crawled_at=NOW,
        found_at=NOW,
    )
    return replace(whole, **given)


def receipt(run_id: str = "20260102T030405Z-0001") -> Receipt:
    return Receipt(run_id, "crawl", "test", NOW)


def ended(of: Receipt) -> Receipt:
    of.finished_at, of.exit_reason = NOW + timedelta(seconds=1), ExitReason.DONE
    return of
