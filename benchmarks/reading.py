"""Reading an archive: the time that `seogo sql` takes to start, and each example query to run.

    python -m benchmarks.reading [--articles N] [--runs N] [--work DIR] [--quick]

The archive is created through the storage API (some minutes, once per --work): a tenth of its articles have a copy, a
twentieth were edited, a hundredth deleted, half of them name one or two teams. The start is measured as the whole
command `seogo sql "SELECT 1"`; a query is measured in one process, each time on a new connection, as in the prompt.
"""

from __future__ import annotations

import shutil
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from benchmarks.documents import articles, in_subprocess, store_run
from benchmarks.support import SEOGO, introduce, measured, options, spread, work_folder
from schemas.article import Article, ArticleKey, ArticleRef, Outcome
from schemas.find import FindResult, Relevance, RevisionKind
from schemas.page import CaptureRef
from storage.archive import Archive, open_archive
from storage.reading.examples import examples
from storage.reading.reader import open_snapshot, run_query

START = 0.6
QUERY = 1.0
"""Targets in seconds."""

TEAMS = ("네이버클라우드", "업스테이지", "SK텔레콤", "NC AI", "LG AI연구원")
COPIED, EDITED, GONE = 10, 20, 100
"""One in so many articles is."""

_VIEWS = {
    "view revision_changes": "SELECT changed, count(*) FROM revision_changes GROUP BY ALL",
    "its rows of one article": "FROM revision_changes WHERE id = '{edited}'",
    "articles_as_of, all titles": "SELECT sum(length(title)) FROM articles_as_of(now() - INTERVAL 1 DAY)",
    "articles_as_of, all bodies": "SELECT sum(length(body)) FROM articles_as_of(now() - INTERVAL 1 DAY)",
    "articles_as_of, one article": "FROM articles_as_of(now()) WHERE id = '{edited}'",
    "archive_info": "FROM archive_info",
}


def main() -> None:
    """Measure and print."""
    parser = options(__doc__ or "")
    parser.add_argument("--articles", type=int, default=100_000)
    parser.add_argument("--runs", type=int, default=9)
    given = parser.parse_args()
    count, runs = (2000, 3) if given.quick else (given.articles, given.runs)
    work = work_folder(given.work)
    root = in_subprocess(make_read_archive, work / f"reading-{count}", count)
    introduce(f"reading an archive of {count:,} articles")
    print(f"  {'':34}{'seconds':>32}{'target':>12}")
    edited = _edited(root)
    commands = {"sql": ["sql", "SELECT 1"], "show --history": ["show", edited, "--history"]}
    for name, words in commands.items():
        _report(f"seogo {name}, whole", [_start(words, root, work) for _ in range(runs + 1)], START)
    views = {name: sql.format(edited=edited) for name, sql in _VIEWS.items()}
    for name, sql in ({one.name: one.sql for one in examples()} | views).items():
        _report(name, [_timed(root, sql) for _ in range(runs + 1)], QUERY)


def _report(name: str, seconds: Sequence[float], wanted: float) -> None:
    """Print one line; the first run is a warm-up."""
    middle = statistics.median(seconds[1:])
    verdict = f"{'' if middle < wanted else 'NOT '}< {wanted:g}"
    print(f"  {name:34}{spread(seconds[1:], '.3f'):>32}{verdict:>12}", flush=True)


def _edited(root: Path) -> str:
    """The id of an article with two revisions."""
    with open_snapshot(root) as connection:
        ((article_id,),) = run_query(connection, "SELECT max(id) FROM superseded")[1]
    return str(article_id)


def _start(words: Sequence[str], root: Path, work: Path) -> float:
    return measured([*SEOGO, *words, "--archive", root], work).seconds


def _timed(root: Path, sql: str) -> float:
    began = time.perf_counter()
    with open_snapshot(root) as connection:
        for _ in run_query(connection, sql)[1]:
            pass
    return time.perf_counter() - began


# -- the archive


def make_read_archive(root: Path, count: int) -> Path:
    """An archive of `count` articles with copies, edits, deletions and teams. An existing one is reused."""
    whole = root / f"whole-{count}"
    if not whole.exists():
        shutil.rmtree(root, ignore_errors=True)
        with open_archive(root) as archive:
            now = datetime.now(UTC)
            _run(archive, now - timedelta(days=1), count, _first)
            _run(archive, now, count, _later)
        whole.touch()
    return root


Results = Callable[[Article, int, datetime], Iterator[FindResult]]


def _run(archive: Archive, at: datetime, count: int, results: Results) -> None:
    stored = (result for number, article in enumerate(articles(count)) for result in results(article, number, at))
    store_run(archive, f"{at:%Y%m%dT%H%M%SZ}-0000", at, stored)


def _first(article: Article, number: int, at: datetime) -> Iterator[FindResult]:
    """A new article, and for some its copy."""
    yield _stored(article, number, at)
    if number % COPIED == 0:
        key = ArticleKey(f"{900 + number // COPIED % 40}", article.key.aid)
        published = (article.published_at or at) + timedelta(minutes=number % 300)
        copy = replace(article, key=key, publisher=f"다른 신문 {key.oid}", published_at=published)
        linked = _stored(copy, number, at)
        yield replace(
            linked,
            outcome=Outcome.DUPLICATE,
            revision_kind=None,
            duplicate_of=article.id,
            matched_by="content_hash",
        )


def _later(article: Article, number: int, at: datetime) -> Iterator[FindResult]:
    """The same article: for some edited, for some deleted."""
    if number % EDITED == 0:
        notice = "\n\n바로잡습니다: 숫자가 틀렸습니다." if number % (2 * EDITED) == 0 else ""
        edited = replace(article, title=f"{article.title} (종합)", body=article.body + notice)
        yield replace(
            _stored(edited, number, at), outcome=Outcome.EDITED, revision=2, revision_kind=RevisionKind.EDITED
        )
    elif number % GONE == 1:
        capture = CaptureRef("captures/x.warc.gz", 0)
        yield FindResult(_ref(article, at), Outcome.GONE, "status 404", capture=capture, crawled_at=at, gone_at=at)


def _stored(article: Article, number: int, at: datetime) -> FindResult:
    teams = tuple(TEAMS[(number + place) % len(TEAMS)] for place in range(number % 4 if number % 4 < 3 else 0))
    return FindResult(
        _ref(article, at),
        Outcome.NEW,
        "stored",
        Relevance(4.0, ("+4 the project: '독자 AI 파운데이션' in the title",), teams),
        article,
        RevisionKind.NEW,
        revision=1,
        crawled_at=at,
        found_at=at,
    )


def _ref(article: Article, at: datetime) -> ArticleRef:
    return ArticleRef(article.key, article.url, "search_page:소버린 AI", at, title=article.title)


if __name__ == "__main__":
    main()
