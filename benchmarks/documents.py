"""Made-up articles as an archive that holds them already, and as documents to import."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import islice
from multiprocessing import get_context
from pathlib import Path
from typing import ParamSpec, TypeVar

from benchmarks.pages import plain_articles
from flows.replica.corpus import MadeArticle
from schemas.article import Article, ArticleKey, ArticleRef, Outcome
from schemas.find import FindResult, Relevance, RevisionKind
from schemas.front_matter import dumps, from_article
from schemas.page import RequestRecord
from schemas.receipt import ExitReason, Receipt
from storage.archive import open_archive

BATCH = 1000
_FIRST_AID = 5_000_000_000
"""Numbers of these articles begin here: the replica serves none as high."""

P = ParamSpec("P")
T = TypeVar("T")


def apart(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Call in a process of its own: a parent that has grown large is counted into the peak memory of its children."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(function, *args, **kwargs).result()


def articles(count: int) -> Iterator[Article]:
    """`count` articles as a parser would give them, no two of one key or text."""
    return (_article(made, number) for number, made in enumerate(plain_articles(count)))


def make_documents(folder: Path, count: int) -> Path:
    """Write `count` documents of the archive's format below `folder`, 1,000 in each subfolder. An old set is kept."""
    whole = folder / f"whole-{count}"
    if not whole.exists():
        shutil.rmtree(folder, ignore_errors=True)
        for number, article in enumerate(articles(count)):
            path = folder / f"{number // BATCH:03}" / f"{article.id}.md"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(dumps(from_article(article, _crawled(article), style="seed")), encoding="utf-8")
        whole.touch()
    return folder


def make_archive(root: Path, count: int) -> Path:
    """Make an archive of `count` articles at `root`, by the storage's own functions. An old one is kept."""
    whole = root / f"whole-{count}"
    if not whole.exists():
        shutil.rmtree(root, ignore_errors=True)
        with open_archive(root) as archive:
            receipt = Receipt("20200101T000000Z-0000", "crawl", "benchmark", datetime.now(UTC))
            archive.start_run(receipt)
            every = articles(count)
            while batch := list(islice(every, BATCH)):
                results = [_result(article, receipt.started_at) for article in batch]
                archive.store(receipt.run_id, results, [_request(article) for article in batch])
                receipt.outcomes[Outcome.NEW] += len(batch)
            receipt.finished_at, receipt.exit_reason = datetime.now(UTC), ExitReason.DONE
            archive.finish_run(receipt, {}, [])
        whole.touch()
    return root


def batch_of(first: int, count: int) -> list[FindResult]:
    """Results for `count` new articles of another press office, numbered from `first` on."""
    now = datetime.now(UTC)
    made = islice(articles(count), count)
    return [
        _result(replace(article, key=ArticleKey("999", f"{first + n:010}"), body=f"{first + n}. {article.body}"), now)
        for n, article in enumerate(made)
    ]


def _article(made: MadeArticle, number: int) -> Article:
    assert made.key is not None  # hosted ones only
    version = made.versions[0]
    return Article(
        key=ArticleKey(made.key.oid, f"{_FIRST_AID + number:010}"),
        title=version.title,
        body=version.body,
        publisher=made.press.name,
        published_at=made.published_at,
        parser="benchmark/1",
        kind=made.kind,
        byline=f"{made.writer.name} 기자" if made.writer else "",
        authors=made.authors,
        categories=made.categories,
        original_url=made.original_url,
        images=made.images,
    )


def _crawled(article: Article) -> datetime:
    return (article.published_at or datetime.now(UTC)) + timedelta(hours=1)


def _result(article: Article, started: datetime) -> FindResult:
    ref = ArticleRef(article.key, article.url, "search_page:소버린 AI", started, title=article.title)
    return FindResult(
        ref,
        Outcome.NEW,
        "stored",
        Relevance(4.0, ("+4 the project: '독자 AI 파운데이션' in the title",)),
        article,
        RevisionKind.NEW,
        revision=1,
        crawled_at=_crawled(article),
        found_at=started,
    )


def _request(article: Article) -> RequestRecord:
    return RequestRecord(_crawled(article), "n.news.naver.com", article.url, 200, 40_000, 0.05, 1, "article")
