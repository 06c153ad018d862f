"""verify, rebuild and reparse of an archive with captured pages: processor time, wall time and memory.

    python -m benchmarks.integrity [--articles N] [--before DIR] [--runs N] [--work DIR] [--quick]

The archive is made first, through the storage API (some minutes, once per --work): 500 articles a run, pages of about
200 KB, each captured, parsed and assessed. Then the real commands are measured with one worker and with two, each in
its own process: CPU seconds with those of their workers, wall-clock seconds, and the memory of the largest process.
`--before` is a checkout of an earlier version (`git worktree add DIR COMMIT`), whose commands run alternately.
"""

from __future__ import annotations

import gzip
import re
import shutil
import statistics
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from random import Random

from benchmarks.documents import in_subprocess
from benchmarks.pages import LAYOUTS, plain_articles
from benchmarks.support import ROOT, SEOGO, Run, introduce, measured, options, spread, topic_file, work_folder
from flows.naver.articles.layouts import parse_article
from flows.pipeline.judge import Assess, assess_by, assessed_text
from flows.replica.corpus.articles import MadeArticle
from flows.replica.pages.articles import View, article_page
from schemas.article import ArticleRef, Outcome
from schemas.find import FindResult, RevisionKind
from schemas.page import RawPage, RequestRecord
from schemas.receipt import ExitReason, Receipt
from schemas.topic import load_topic
from storage.archive import Archive, open_archive

PER_RUN = 500
PADDING = 190_000
_BATCH = 250
_END = rb'</article>|</div>\s*</div>\s*<div class="(?:byline|copyright)">'
_TEXT = re.compile(rb'(<(?:article|div) id="dic_area"[^>]*>).*?(' + _END + rb")", re.DOTALL)
_SYLLABLES = "가나다라마바사아자차카타파하거너더러머버서어저처커터퍼허고노도로모보소오조초코토포호구누두루무부수우"
_HEADERS = (("Content-Type", "text/html; charset=utf-8"), ("Content-Encoding", "gzip"))
_FIRST = datetime(2026, 1, 1, tzinfo=UTC)
_COMMANDS = {"verify": ("verify",), "reparse": ("reparse", "--dry-run"), "rebuild": ("rebuild",)}
_BEFORE, _ONE, _TWO = "before", "1 worker", "2 workers"
_OPTIONS = {_BEFORE: (), _ONE: ("--workers", "1"), _TWO: ("--workers", "2")}
_WANTED = {"verify": (2.3, 4.0), "rebuild": (7.0, 12.0), "reparse": (1.1, 2.0)}
"""How many times better than before: in CPU time with one worker, and in wall time with two idle cores."""


def main() -> None:
    """Measure and print."""
    parser = options(__doc__ or "")
    parser.add_argument("--articles", type=int, default=20_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--before", type=Path, metavar="DIR", help="a checkout of the version to compare with")
    given = parser.parse_args()
    articles, runs = (500, 1) if given.quick else (given.articles, given.runs)
    work = work_folder(given.work)
    archive = in_subprocess(make_captured, work / f"distinct-{articles}", articles)
    archives = dict.fromkeys((_ONE, _TWO), archive)
    if given.before:
        archives |= {_BEFORE: _readable_before(archive, work, given.before)}
    introduce(f"verify, rebuild and reparse of {articles:,} articles with pages of 200 KB")
    for command, words in _COMMANDS.items():
        found: dict[str, list[Run]] = {}
        for _ in range(runs):
            for who, of in archives.items():
                found.setdefault(who, []).append(_measure(of, work, words, who, given.before))
        report(command, found)


def report(command: str, found: dict[str, list[Run]]) -> None:
    """Print CPU and wall-clock seconds and memory, and how many times better than before."""
    print(f"  {command:12}{'CPU seconds':>32}{'seconds':>32}{'peak, MB':>10}")
    for who, runs in found.items():
        processor, seconds = (spread([getattr(run, name) for run in runs], ".1f") for name in ("processor", "seconds"))
        print(f"    {who:10}{processor:>32}{seconds:>32}{max(run.peak for run in runs) / 1e6:>10.0f}", flush=True)
    if _BEFORE in found:
        times = [_median(found, _BEFORE, name) / _median(found, who, name) for who, name in _COMPARED]
        wanted = _WANTED[command]
        print(f"    {times[0]:.1f} times less CPU time with one worker (target {wanted[0]}),", end=" ")
        print(f"{times[1]:.1f} times faster with two (target {wanted[1]} on idle cores)\n", flush=True)


_COMPARED = ((_ONE, "processor"), (_TWO, "seconds"))


def _median(found: dict[str, list[Run]], who: str, name: str) -> float:
    return float(statistics.median(getattr(run, name) for run in found[who]))


def _readable_before(archive: Path, work: Path, before: Path) -> Path:
    """A copy of the archive that the earlier version can open: it rebuilds it from the captures. Reused."""
    copy = archive.with_name(f"{archive.name}-before")
    if not copy.exists():
        for part in ("captures", "articles"):
            shutil.copytree(archive / part, copy / part)
        measured([*SEOGO, "rebuild", "--archive", copy, "--json"], work, root=before)
    return copy


def _measure(archive: Path, work: Path, words: Sequence[str], who: str, before: Path | None) -> Run:
    root = before if who == _BEFORE and before else ROOT
    run = measured([*SEOGO, *words, "--archive", archive, "--json", *_OPTIONS[who]], work, root=root)
    shutil.rmtree(archive / "state" / "set-aside", ignore_errors=True)
    return run


def make_captured(root: Path, count: int) -> Path:
    """Create an archive of `count` articles with their pages at `root`. An existing one is reused."""
    whole = root / f"whole-{count}"
    if not whole.exists():
        shutil.rmtree(root, ignore_errors=True)
        assess = assess_by(load_topic(topic_file(root.parent)))
        made = plain_articles(count)
        for run in range(-(-count // PER_RUN)):
            with open_archive(root) as archive:
                _store(archive, assess, list(islice(made, PER_RUN)), run)
        whole.touch()
    return root


def _store(archive: Archive, assess: Assess, made: Sequence[MadeArticle], run: int) -> None:
    at = _FIRST + timedelta(minutes=15 * run)
    receipt = Receipt(f"{at:%Y%m%dT%H%M%SZ}-{run:04x}", "crawl", "benchmark", at)
    archive.start_run(receipt)
    for first in range(0, len(made), _BATCH):
        results = [_result(archive, assess, one, at, n) for n, one in enumerate(made[first : first + _BATCH])]
        archive.store(receipt.run_id, results, [_request(result) for result in results])
        receipt.outcomes[Outcome.NEW] += len(results)
    receipt.finished_at, receipt.exit_reason = at + timedelta(minutes=1), ExitReason.DONE
    archive.finish_run(receipt, {}, [])


def _result(archive: Archive, assess: Assess, made: MadeArticle, at: datetime, number: int) -> FindResult:
    """A new article, read from its page as a crawl reads it."""
    assert made.key is not None  # only hosted articles
    url = made.key.url
    page = article_page(made, View(made.corpus.last, padding=PADDING), LAYOUTS[number % len(LAYOUTS)])
    # Generated articles resemble each other more than real ones, and every text would be compared with every other.
    html, replaced = _TEXT.subn(rb"\g<1>" + _prose(Random(url)).encode() + rb"\g<2>", page, count=1)
    assert replaced == 1, url
    article = parse_article(html, url)
    capture = archive.capture(RawPage(url, url, 200, "OK", "HTTP/1.1", _HEADERS, (), gzip.compress(html, 6), html, at))
    ref = ArticleRef(article.key, url, "search_page:소버린 AI", at, title=article.title)
    relevance = assess(article.title, assessed_text(article.body, article.images)).relevance
    return FindResult(
        ref, Outcome.NEW, "stored", relevance, article, RevisionKind.NEW, 1, capture=capture, crawled_at=at, found_at=at
    )


def _prose(rng: Random) -> str:
    """A text of some 800 letters that has nothing in common with any other."""
    words = ("".join(rng.choices(_SYLLABLES, k=rng.randint(2, 4))) for _ in range(230))
    return "독자 AI 파운데이션 모델. " + " ".join(words) + "."


def _request(result: FindResult) -> RequestRecord:
    return RequestRecord(result.ref.seen_at, "n.news.naver.com", result.ref.url, 200, 31_000, 0.05, 1, "article")


if __name__ == "__main__":
    main()
