"""Searching an archive of real texts: what a search costs, and what it costs to keep the index up to date.

    python -m benchmarks.search [--articles N] [--corpus FILE] [--peers-python PYTHON] [--work DIR] [--quick]

The texts are the documents of an archive of one day, a .tar.xz of Markdown files, repeated with other names until there
are enough (--corpus; without one, made-up articles). The archive is made by the storage's own functions, once for each
--work. Searches are measured in one process, on an index that is open, over 40 queries; the command from its start to
its end. Beside them, in the same run: `contains()` of DuckDB, and tantivy with the same tokens where it is installed.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tarfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import count as numbers
from itertools import islice
from pathlib import Path
from random import Random

from benchmarks.documents import articles, in_subprocess, store_run
from benchmarks.support import ROOT, SEOGO, introduce, measured, options, spread, work_folder
from flows.runs.import_files import article_of
from schemas.article import Article, ArticleKey, ArticleRef, Outcome
from schemas.find import FindResult, Relevance, RevisionKind
from schemas.front_matter import loads
from storage.archive import open_archive
from storage.layout import SEARCH_INDEX
from storage.reading.reader import open_snapshot
from storage.search.follower import build_anew, follow
from storage.search.index import opened_to_read
from storage.search.query import parse
from storage.search.results import Ranked, Search, Wanted, search

CORPUS = Path(__file__).resolve().parents[2] / "shared" / "corpus" / "archive-2025-12-30.tar.xz"
_WORDS = """
정부 대표 공사 전자 은행 이사 북한 투자 모델 독자 업스테이지 소버린 파운데이션 휘발유 삼성전자 대통령 코스피 반도체
네이버 국정감사 인공지능 독자파운데이션모델 데이터센터 대한민국 공정거래위원회 한국은행 최저임금 부동산정책 전기차배터리
기준금리 title:정부 10조원 LG전자
"""
_PHRASES = (
    "정부 투자",
    "AI 모델",
    "삼성전자 반도체 -주가",
    "서울 OR 부산",
    '"인공지능 모델"',
    '"올해 안에"',
    "새 정부",
)
QUERIES = (*_WORDS.split(), *_PHRASES)
_TIMES = 5
"""Times that each query is measured."""
_NAMES = {
    "newest 20": "newest 20, which ones",
    "best 20": "best 20, which ones",
    "whole": "a whole search, best 20, opened and counted",
}
_MOST_CHANGED = 6
_WORD = re.compile(r"[가-힣]{2,4}")


def main() -> None:
    """Measure and print."""
    parser = options(__doc__ or "")
    parser.add_argument("--articles", type=int, default=100_000)
    parser.add_argument("--corpus", type=Path, default=CORPUS)
    parser.add_argument("--peers-python", type=Path, metavar="PYTHON", help="a Python with tantivy, to be measured too")
    given = parser.parse_args()
    count = 1_000 if given.quick else given.articles
    work = work_folder(given.work)
    root = in_subprocess(make_archive, work / f"searching-{count}", count, given.corpus)
    introduce(f"searching an archive of {count:,} articles")
    _report_build(root)
    _report_searches(root)
    _report_following(root, count, given.corpus)
    _report_command(root, work)
    _report_contains(root)
    if given.peers_python:
        _report_tantivy(root, work, given.peers_python)


def _say(name: str, seconds: Sequence[float], wanted: float | None = None) -> None:
    """Median, range and the last hundredth, in milliseconds."""
    ms = sorted(1_000 * one for one in seconds)
    late = ms[min(int(len(ms) * 0.99), len(ms) - 1)]
    said = "" if wanted is None else f"{'' if late < wanted else 'NOT '}< {wanted:g}"
    print(f"  {name:44}{spread(ms, '.2f'):>34}{f'p99 {late:.1f}':>14}{said:>12}", flush=True)


def _timed(act: Callable[[], object]) -> float:
    began = time.perf_counter()
    act()
    return time.perf_counter() - began


# -- the index


def _report_build(root: Path) -> None:
    began, used = time.perf_counter(), time.process_time()
    build_anew(root)
    seconds, used = time.perf_counter() - began, time.process_time() - used
    size = (root / SEARCH_INDEX).stat().st_size
    print(f"  built in {seconds:.0f} s ({used:.0f} s of the processor), {size / 2**20:,.0f} MB", flush=True)


# -- searches


def _report_searches(root: Path) -> None:
    """Each query several times; the first time warms up."""
    figures: dict[str, list[float]] = {"newest 20": [], "counted": [], "best 20": [], "20 snippets": [], "whole": []}
    with opened_to_read(root) as index:
        for query in QUERIES * (1 + _TIMES):
            newest = Search(index, Wanted(parse(query), sort="newest"))
            best = Search(index, Wanted(parse(query)))
            total = best.count()
            ranked = best.ranked(total)
            figures["newest 20"].append(_timed(partial(newest.ranked, total)))
            figures["counted"].append(_timed(best.count))
            figures["best 20"].append(_timed(partial(best.ranked, total)))
            figures["20 snippets"].append(_timed(partial(_show, best, ranked)))
    figures["whole"] = [_timed(partial(search, root, Wanted(parse(query)))) for query in QUERIES * (1 + _TIMES)]
    wanted = {"newest 20": 5, "best 20": 50, "20 snippets": 5}
    for name, seconds in figures.items():
        _say(_NAMES.get(name, name), seconds[len(QUERIES) :], wanted.get(name))


def _show(of: Search, ranked: Sequence[Ranked]) -> None:
    for _ in of.hits(ranked):
        pass


def _report_following(root: Path, count: int, corpus: Path) -> None:
    """What it costs to take in 100 new articles, by a process that has followed before."""
    seconds = []
    every = texts(corpus, seed=2)
    for turn in range(_TIMES + 1):
        now = datetime.now(UTC)
        numbered = enumerate(islice(every, 100), start=count + 1_000 * turn)
        fresh = (replace(one, key=ArticleKey("999", f"{n:010}"), published_at=now) for n, one in numbered)
        with open_archive(root) as archive:
            store_run(archive, f"{now:%Y%m%dT%H%M%SZ}-{turn + 1:04}", now, [_stored(article, now) for article in fresh])
        seconds.append(_timed(partial(follow, root)))
    _say("100 new articles taken in", seconds[1:], 200)


def _report_command(root: Path, work: Path) -> None:
    for name, words in {
        "--json": ["--json"],
        "table": [],
        "--sort newest --json": ["--sort", "newest", "--json"],
    }.items():
        command = [*SEOGO, "search", "업스테이지 소버린", *words, "--archive", root]
        seconds = [measured(command, work).seconds for _ in range(2 * _TIMES + 1)]
        _say(f"seogo search {name}, whole", seconds[1:], 350)


# -- peers


def _report_contains(root: Path) -> None:
    """DuckDB reads every text: one word, the newest 20."""
    condition = "contains(body, $word) OR contains(title, $word)"
    query = f"SELECT id FROM articles WHERE {condition} ORDER BY published_at DESC LIMIT 20"
    with open_snapshot(root) as connection:
        words = [word for word in QUERIES if _WORD.fullmatch(word)]
        seconds = [_timed(lambda word=word: connection.execute(query, {"word": word}).fetchall()) for word in words]
    _say("DuckDB contains(), newest 20", seconds)


def _report_tantivy(root: Path, work: Path, python: Path) -> None:
    """The same tokens in tantivy, in a process of its own."""
    index = work / "tantivy"
    shutil.rmtree(index, ignore_errors=True)
    index.mkdir()
    expressions = "\n".join(parse(query).match for query in QUERIES)
    command = [python, "-m", "benchmarks.tantivy_peer", root / SEARCH_INDEX, index]
    done = subprocess.run(command, check=False, capture_output=True, text=True, cwd=ROOT, input=expressions)
    if done.returncode:
        raise SystemExit(f"tantivy: {done.stderr[-2000:]}")
    told = json.loads(done.stdout)
    print(f"  tantivy: built in {told['built']:.0f} s, {told['bytes'] / 2**20:,.0f} MB", flush=True)
    _say("tantivy, best 20 and counted", told["best"])
    _say("tantivy, newest 20 and counted", told["newest"])


# -- the archive


def make_archive(root: Path, count: int, corpus: Path) -> Path:
    """An archive of `count` articles. An existing one is reused."""
    whole = root / f"whole-{count}"
    if not whole.exists():
        shutil.rmtree(root, ignore_errors=True)
        at = datetime.now(UTC) - timedelta(days=1)
        with open_archive(root) as archive:
            results = (_stored(article, at) for article in islice(texts(corpus), count))
            store_run(archive, f"{at:%Y%m%dT%H%M%SZ}-0000", at, results)
        whole.touch()
    return root


def texts(corpus: Path, seed: int = 1) -> Iterator[Article]:
    """Articles without end: the corpus again and again, each time a day older and with some other words."""
    if not corpus.exists():
        print(f"  {corpus} is not there: the articles are made up", file=sys.stderr)
        yield from articles(10**7)
    originals = list(_documents(corpus))
    words = sorted({word for article in originals[:300] for word in _WORD.findall(article.body)})
    rng = Random(seed)
    for turn in numbers():
        yield from (_changed(one, turn, words, rng) if turn else one for one in originals)


def _documents(corpus: Path) -> Iterator[Article]:
    with tarfile.open(corpus) as archive:
        for member in archive:
            file = archive.extractfile(member) if member.name.endswith(".md") else None
            if file is not None:
                yield article_of(loads(file.read().decode(), file=member.name), file=member.name)[0]


def _changed(of: Article, turn: int, words: Sequence[str], rng: Random) -> Article:
    body = of.body
    found = _WORD.findall(body)
    for word in rng.sample(found, min(len(found), _MOST_CHANGED)):
        body = body.replace(word, rng.choice(words))
    key = ArticleKey(of.key.oid, f"{(int(of.key.aid) + turn * 10**9) % 10**10:010}")
    body = f"{body}\n\n{rng.choice(words)} {rng.randrange(10**6):,}"
    published = of.published_at and of.published_at - timedelta(days=turn)
    return replace(of, key=key, body=body, published_at=published)


def _stored(article: Article, at: datetime) -> FindResult:
    return FindResult(
        ArticleRef(article.key, article.url, "search_page:소버린 AI", at, title=article.title),
        Outcome.NEW,
        "stored",
        Relevance(4.0, ("+4 the project: '독자 AI 파운데이션' in the title",)),
        article,
        RevisionKind.NEW,
        revision=1,
        crawled_at=at,
        found_at=at,
    )


if __name__ == "__main__":
    main()
