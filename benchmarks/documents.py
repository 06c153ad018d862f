"""Generated articles as an archive that already contains them, and as documents to import."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import islice
from multiprocessing import get_context
from pathlib import Path
from typing import ParamSpec, TypeVar

from benchmarks.pages import plain_articles
from flows.replica.corpus.articles import MadeArticle
from schemas.article import Article, ArticleKey, ArticleRef, Outcome
from schemas.find import FindResult, Relevance, RevisionKind
from schemas.front_matter import dumps, from_article
from schemas.page import RequestRecord
from schemas.receipt import ExitReason, Receipt
from storage.archive import Archive, open_archive

BATCH = 1000
_FIRST_AID = 5_000_000_000
"""The first article number; those of the replica are lower."""

P = ParamSpec("P")
T = TypeVar("T")


def in_subprocess(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Call a function in its own process: the memory of a large parent counts towards the peak of its children."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(function, *args, **kwargs).result()


def articles(count: int) -> Iterator[Article]:
    """`count` articles as a parser would return them, all with different keys and texts."""
    return (_article(made, number) for number, made in enumerate(plain_articles(count)))


def make_documents(folder: Path, count: int) -> Path:
    """Write `count` documents in the archive's format below `folder`, 1,000 per subfolder, unless they exist."""
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
    """Create an archive of `count` articles at `root`, through the storage API. An existing one is reused."""
    whole = root / f"whole-{count}"
    if not whole.exists():
        shutil.rmtree(root, ignore_errors=True)
        now = datetime.now(UTC)
        results = (_result(article, now) for article in articles(count))
        with open_archive(root) as archive:
            store_run(archive, "20200101T000000Z-0000", now, results, request=_request)
        whole.touch()
    return root


def store_run(
    archive: Archive,
    run_id: str,
    at: datetime,
    results: Iterable[FindResult],
    *,
    request: Callable[[FindResult], RequestRecord] | None = None,
) -> None:
    """Store a whole run of these results in batches, with a request for each if `request` is given."""
    receipt = Receipt(run_id, "crawl", "benchmark", at)
    archive.start_run(receipt)
    remaining = iter(results)
    while batch := list(islice(remaining, BATCH)):
        archive.store(run_id, batch, list(map(request, batch)) if request else ())
        for result in batch:
            receipt.outcomes[result.outcome] += 1
    receipt.finished_at, receipt.exit_reason = at + timedelta(seconds=60), ExitReason.DONE
    archive.finish_run(receipt, {}, [])


def batch_of(first: int, count: int) -> list[FindResult]:
    """Results for `count` new articles of another press office, numbered from `first`."""
    now = datetime.now(UTC)
    made = islice(articles(count), count)
    return [
        _result(replace(article, key=ArticleKey("999", f"{first + n:010}"), body=f"{first + n}. {article.body}"), now)
        for n, article in enumerate(made)
    ]


def _article(made: MadeArticle, number: int) -> Article:
    assert made.key is not None  # only hosted articles
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


def _request(result: FindResult) -> RequestRecord:
    crawled = result.crawled_at or result.ref.seen_at
    return RequestRecord(crawled, "n.news.naver.com", result.ref.url, 200, 40_000, 0.05, 1, "article")
