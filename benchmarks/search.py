"""Search in an archive of real texts: how good the answers are, what they cost, and what the index costs.

    python -m benchmarks.search [--articles N] [--index-only] [--corpus FILE] [--peers-python PYTHON] [--work DIR]

The archive is created through the storage API (some minutes, once per --work). Searches are measured in one process,
on an open index, over 40 queries; the command from start to end. In the same run: `contains()` of DuckDB, tantivy with
the same tokens, and DuckDB's extension fts. With --index-only the index is filled directly, for sizes at which the
archive would take an hour.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

from benchmarks.documents import in_subprocess, store_run
from benchmarks.judged_queries import Judgement, judge
from benchmarks.peers import fts_python, peers_python
from benchmarks.search_texts import CORPUS, make_archive, make_index, originals, stored, texts
from benchmarks.support import ROOT, SEOGO, Took, introduce, measured, options, spread, timed, work_folder
from schemas.article import ArticleKey
from storage.archive import open_archive
from storage.layout import SEARCH_INDEX
from storage.reading.reader import open_snapshot
from storage.search.follower import follow, rebuild_index
from storage.search.query import parse
from storage.search.readers import opened_to_read
from storage.search.results import Ranked, Search, SearchRequest, search

_WORDS = """
정부 대표 공사 전자 은행 이사 북한 투자 모델 독자 업스테이지 소버린 파운데이션 휘발유 삼성전자 대통령 코스피 반도체
네이버 국정감사 인공지능 독자파운데이션모델 데이터센터 대한민국 공정거래위원회 한국은행 최저임금 부동산정책 전기차배터리
기준금리 title:정부 10조원 LG전자
"""
_OTHERS = (
    "정부 투자",
    "AI 모델",
    "삼성전자 반도체 -주가",
    "서울 OR 부산",
    '"인공지능 모델"',
    '"올해 안에"',
    "새 정부",
)
QUERIES = (*_WORDS.split(), *_OTHERS)
_TIMES = 5
"""How often each query is measured."""


def main() -> None:
    """Measure and print."""
    parser = options(__doc__ or "")
    parser.add_argument("--articles", type=int, default=100_000)
    parser.add_argument("--index-only", action="store_true", help="measure searches in an index without an archive")
    parser.add_argument("--corpus", type=Path, default=CORPUS)
    parser.add_argument("--peers-python", type=Path, metavar="PYTHON", help="a Python that has tantivy")
    given = parser.parse_args()
    count = 1_000 if given.quick else given.articles
    work = work_folder(given.work)
    if given.index_only:
        root = in_subprocess(make_index, work / f"index-{count}", count, given.corpus)
        _introduce(root, count)
        _report_searches(root)
        return
    root = in_subprocess(make_archive, work / f"searching-{count}", count, given.corpus)
    _introduce(root, count)
    _report_build(root)
    _report_searches(root)
    _report_following(root, count, given.corpus)
    _report_command(root, work)
    _report_contains(root)
    _report_tantivy(root, work, peers_python(work, given.peers_python, needs="tantivy"))
    _report_duckdb_fts(root, work)
    if given.corpus.exists():
        _report_judgement(work, given.corpus)


def _introduce(root: Path, count: int) -> None:
    introduce(f"search in {root}, {count:,} articles")
    print(f"  {'milliseconds':40}{'median':>34}{'p99':>9}{'p99, CPU':>10}", flush=True)


def _say(name: str, took: Sequence[Took], wanted: float | None = None) -> None:
    """Median and range, and what only one call in a hundred exceeds: on the clock, and of the processor."""
    clock, processor = (sorted(ms)[min(int(len(ms) * 0.99), len(ms) - 1)] for ms in zip(*took, strict=True))
    judged = "" if wanted is None else f"{'' if clock < wanted else 'NOT '}< {wanted:g}"
    print(
        f"  {name:40}{spread([one.clock for one in took], '.2f'):>34}{clock:>9.1f}{processor:>10.1f}{judged:>12}",
        flush=True,
    )


# -- the index


def _report_build(root: Path) -> None:
    took = timed(partial(rebuild_index, root))
    size = (root / SEARCH_INDEX).stat().st_size
    print(
        f"  built in {took.clock / 1_000:.0f} s ({took.processor / 1_000:.0f} s CPU), {size / 2**20:,.0f} MB",
        flush=True,
    )


def _report_searches(root: Path) -> None:
    """Each query several times; the first time warms up."""
    figures: dict[str, list[Took]] = {}
    with opened_to_read(root) as index:
        for query in QUERIES * (1 + _TIMES):
            request = SearchRequest(parse(query))
            newest, best = Search(index, replace(request, sort="newest")), Search(index, request)
            total = best.counted().total
            steps: dict[str, Callable[[], object]] = {
                "newest 20": partial(newest.ranked, total),
                "count": best.counted,
                "best 20": partial(best.ranked, total),
                "20 snippets": partial(_show, best, best.ranked(total)),
            }
            for name, step in steps.items():
                figures.setdefault(name, []).append(timed(step))
    figures["all of it, opened and counted"] = [
        timed(partial(search, root, SearchRequest(parse(query)))) for query in QUERIES * (1 + _TIMES)
    ]
    wanted = {"newest 20": 5, "best 20": 50, "20 snippets": 5}
    for name, took in figures.items():
        _say(name, took[len(QUERIES) :], wanted.get(name))


def _show(of: Search, ranked: Sequence[Ranked]) -> None:
    for _ in of.hits(ranked):
        pass


def _report_following(root: Path, count: int, corpus: Path) -> None:
    """What 100 new articles cost a process that has followed before."""
    took = []
    every = texts(corpus, seed=2)
    for turn in range(_TIMES + 1):
        now = datetime.now(UTC)
        numbered = enumerate(islice(every, 100), start=count + 1_000 * turn)
        fresh = (replace(one, key=ArticleKey("999", f"{n:010}"), published_at=now) for n, one in numbered)
        with open_archive(root) as archive:
            store_run(archive, f"{now:%Y%m%dT%H%M%SZ}-{turn + 1:04}", now, [stored(article, now) for article in fresh])
        took.append(timed(partial(follow, root)))
    _say("100 new articles indexed", took[1:], 200)


def _report_command(root: Path, work: Path) -> None:
    for name, words in {"": [], " --json": ["--json"], " --sort newest --json": ["--sort", "newest", "--json"]}.items():
        command = [*SEOGO, "search", "업스테이지 소버린", *words, "--archive", root]
        runs = [measured(command, work) for _ in range(2 * _TIMES + 1)]
        _say(f"seogo search{name}", [Took(1_000 * run.seconds, 1_000 * run.processor) for run in runs[1:]], 350)


# -- peers


def _report_contains(root: Path) -> None:
    """DuckDB reads every text: one word, the newest 20."""
    condition = "contains(body, $word) OR contains(title, $word)"
    query = f"SELECT id FROM articles WHERE {condition} ORDER BY published_at DESC LIMIT 20"
    words = [word for word in QUERIES if word.isalpha()]
    with open_snapshot(root) as connection:

        def ask(word: str) -> None:
            connection.execute(query, {"word": word}).fetchall()

        took = [timed(partial(ask, word)) for word in words]
    _say("DuckDB contains(), newest 20", took)


def _report_tantivy(root: Path, work: Path, python: Path) -> None:
    """The same tokens in tantivy, in a process of its own."""
    index = work / "tantivy"
    shutil.rmtree(index, ignore_errors=True)
    index.mkdir()
    figures = _peer("tantivy", [python, root / SEARCH_INDEX, index], [parse(query).match for query in QUERIES])
    _say("tantivy, best 20 and count", [Took(*took) for took in figures["best"]])
    _say("tantivy, newest 20 and count", [Took(*took) for took in figures["newest"]])


def _report_duckdb_fts(root: Path, work: Path) -> None:
    """Words in DuckDB's index, in a process of its own, and how many of the articles with a word it finds."""
    try:
        python = fts_python(work)
    except SystemExit as missing:
        print(f"  DuckDB fts: not measured: {missing}", flush=True)
        return
    database, words = work / "fts.duckdb", [word for word in QUERIES if word.isalpha()]
    database.unlink(missing_ok=True)
    figures = _peer("duckdb_fts", [python, root / SEARCH_INDEX, database], words)
    _say("DuckDB fts, best 20", [Took(*took) for took in figures["best"]])
    with opened_to_read(root) as index:
        totals = {word: Search(index, SearchRequest(parse(word))).counted().total for word in words}
    shares = [figures["found"][word] / max(totals[word], 1) for word in words]
    print(f"  DuckDB fts finds {spread(shares, '.2f')} of the articles that seogo finds", flush=True)


def _peer(name: str, command: Sequence[str | Path], queries: Sequence[str]) -> dict[str, Any]:
    """The figures of a peer, given its Python and arguments. Prints what its index cost."""
    python, *arguments = command
    module = [python, "-m", f"benchmarks.{name}_peer", *arguments]
    done = subprocess.run(module, check=False, capture_output=True, text=True, cwd=ROOT, input="\n".join(queries))
    if done.returncode:
        raise SystemExit(f"{name}: {done.stderr[-2000:]}")
    figures: dict[str, Any] = json.loads(done.stdout)
    print(f"  {name}: built in {figures['built']:.0f} s, {figures['bytes'] / 2**20:,.0f} MB", flush=True)
    return figures


# -- how good


def _report_judgement(work: Path, corpus: Path) -> None:
    """Forty queries on the corpus as it is, compared with a substring search."""
    root = in_subprocess(make_index, work / "index-judged", sum(1 for _ in originals(corpus)), corpus)
    every = {article.id: (article.title, article.body) for article in originals(corpus)}
    with opened_to_read(root) as index:

        def find(query: str) -> set[str]:
            sql = "SELECT id FROM ft JOIN doc ON doc.n = ft.rowid WHERE ft MATCH ?"
            return {id_ for (id_,) in index.execute(sql, (parse(query).match,))}

        judged = judge(every, find)
    print(f"\n  {len(judged)} judged queries on {len(every):,} texts, compared with a substring search")
    for name in ("recall", "precision"):
        print(f"    {name:12}{spread([getattr(one, name) for one in judged.values()], '.3f')}")
    print("".join(_imperfect(judged)), end="", flush=True)


def _imperfect(judged: dict[str, Judgement]) -> Iterator[str]:
    for query, one in judged.items():
        if one.recall < 1 or one.precision < 1:
            yield f"    {query}: {one.right:,} of {one.expected:,}, and {one.found - one.right:,} others\n"


if __name__ == "__main__":
    main()
