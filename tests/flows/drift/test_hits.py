"""The drift alarm on search pages and lists: titles that end alike, hits without a title, and nothing else."""

from __future__ import annotations

import asyncio
import tarfile
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path

import pytest

from flows.drift.alarm import DriftAlarm
from flows.naver.hit_traits import hit_traits
from flows.replica.corpus.articles import Corpus, make_corpus
from flows.replica.faults import Behaviour, Fault, Rule
from flows.replica.server import Replica
from flows.runs.backfill import BackfillOrder, backfill
from flows.runs.crawl import CrawlOrder, crawl
from flows.runs.quarantine import QuarantineOrder, reparse_quarantined
from schemas.article import SEOUL, ArticleKey, ArticleRef
from schemas.front_matter import loads
from schemas.receipt import ExitReason, Receipt, SourceEnd
from schemas.topic import Topic, load_topic
from schemas.traits import Baseline
from tests.support.command import seogo
from tests.support.paths import ROOT

LAYOUT = "search_page/2"
ARCHIVE = ROOT.parent / "shared" / "corpus" / "archive-2025-12-30.tar.xz"
SEEN = datetime(2026, 10, 7, tzinfo=UTC)
WORDS = (
    *("서고", "누리", "모델", "발표", "공개", "시연", "도서관", "은행나무"),
    *("하천", "마을", "음악회", "장터", "돌봄", "교실", "정류장", "가로등"),
)


def hit(
    number: int, title: str | None = "", *, press: int | None = None, source: str = "search_page:국가대표"
) -> ArticleRef:
    """A hit of one of ten press offices; with a title of its own unless one is given."""
    own = f"{number}번째 {WORDS[number // 16 % 16]}에서 {WORDS[number // 7 % 16]}의 {WORDS[number % 16]}"
    key = ArticleKey(f"{press if press is not None else 100 + number % 10}", f"{number:010}")
    return ArticleRef(key=key, url=key.url, source=source, seen_at=SEEN, title=own if title == "" else title)


def hits(numbers: Iterable[int]) -> list[ArticleRef]:
    return [hit(number) for number in numbers]


def ending_in(words: str, refs: Iterable[ArticleRef]) -> list[ArticleRef]:
    return [replace(ref, title=f"{ref.title}{words}") for ref in refs]


def untitled(refs: Sequence[ArticleRef], every: int) -> list[ArticleRef]:
    return [replace(ref, title=None) if at % every == 0 else ref for at, ref in enumerate(refs)]


def pages(refs: Iterable[ArticleRef], size: int = 10) -> Iterator[list[ArticleRef]]:
    left = iter(refs)
    while page := list(islice(left, size)):
        yield page


def look(watch: DriftAlarm, refs: Iterable[ArticleRef], layout: str = LAYOUT) -> int | None:
    """Check these hits page by page. Returns the number of the first page with an alarm, from 1."""
    for number, page in enumerate(pages(refs), 1):
        watch.check([(ref.key.id, hit_traits(ref, layout)) for ref in page])
        if watch.alarms:
            return number
    return None


@pytest.fixture(params=["fresh", "learned"])
def baseline(request: pytest.FixtureRequest) -> Baseline:
    """The initial baseline of hits, and one extended by correct hits."""
    if request.param == "fresh":
        return Baseline()
    watch = DriftAlarm(Baseline())
    assert look(watch, hits(range(2_000, 2_600))) is None
    return watch.learned()


@pytest.mark.parametrize("words", ["새 창 열림", " 새창", "...다른 창에서 봅니다", " (새 창)"])
def test_titles_with_a_common_ending_raise_an_alarm(baseline: Baseline, words: str) -> None:
    watch = DriftAlarm(baseline)
    assert (look(watch, ending_in(words, hits(range(60)))) or 99) <= 4
    assert watch.alarms[0].startswith("hits of search_page/2: the hits differ from earlier ones: “title ends: ")
    assert "--accept" in watch.alarms[0]


@pytest.mark.parametrize("every", [1, 2, 4])
def test_a_share_of_hits_without_a_title_raises_an_alarm(baseline: Baseline, every: int) -> None:
    watch = DriftAlarm(baseline)
    assert (look(watch, untitled(hits(range(60)), every)) or 99) <= 4
    assert "“title” is missing on" in watch.alarms[0]
    assert " hits of " in watch.alarms[0]


def test_a_page_that_cannot_be_decoded_raises_an_alarm(baseline: Baseline) -> None:
    assert look(DriftAlarm(baseline), [replace(ref, title=f"\ufffd{ref.title}") for ref in hits(range(40))])


def test_lists_of_two_press_offices_are_enough() -> None:
    lists = [hit(number, press=200 + number // 20, source=f"press_list:{200 + number // 20}") for number in range(80)]
    assert (look(DriftAlarm(Baseline()), ending_in("새 창 열림", lists), "list_page/1") or 99) <= 4


@pytest.mark.parametrize(
    "shown",
    [
        # A press office's series, or pictures of one event, page after page.
        [hit(number, f"{number}번째 서고의 하루를 담은 사진 포토", press=123) for number in range(200)],
        [hit(number, f"{WORDS[number % 16]}의 {number}번째 하루 [포토]") for number in range(200)],
        # One story that everybody tells, and a release that everybody prints.
        [hit(number, f"서고통신 모델발표회 {number}번째 소식 공개") for number in range(200)],
        [hit(number, f"{WORDS[number % 16]}의 하루, 모델 {number / 10:.1f}% 하락 마감") for number in range(200)],
        # Titles that end in what was searched for.
        [hit(number, f"{WORDS[number % 16]} {number}과 {number * 7}, 그리고 국가대표") for number in range(200)],
        # Short ones, and none at all now and then.
        [hit(number, f"{number % 9}일 인사") for number in range(200)],
        untitled(hits(range(200)), 20),
    ],
    ids=["series", "labels", "story", "numbers", "query", "short", "few without"],
)
def test_habits_of_press_offices_raise_no_alarm(baseline: Baseline, shown: list[ArticleRef]) -> None:
    assert look(DriftAlarm(baseline), shown) is None


def test_repeated_hits_count_once() -> None:
    watch = DriftAlarm(Baseline())
    assert look(watch, [*untitled(hits(range(2)), 1), *hits(range(2, 10))] * 30) is None


def test_an_accepted_ending_enters_the_baseline() -> None:
    shown = untitled(hits(range(600)), 3)
    watch = DriftAlarm(Baseline())
    look(watch, shown[:60])
    assert watch.alarms
    accepting = DriftAlarm(watch.learned(), accept=True)
    after = DriftAlarm(accepting.learned())
    assert look(after, shown) is None
    assert look(DriftAlarm(after.learned()), untitled(hits(range(1_000, 1_060)), 1))


@pytest.mark.skipif(not ARCHIVE.is_file(), reason="the existing archive is not part of the project")
@pytest.mark.every(2)
def test_real_titles_of_one_day_raise_no_alarm() -> None:
    """As lists of press offices, and as what searches for the day's commonest words find: 20 and 10 a page."""
    refs = real_hits()
    by_press: dict[str, list[ArticleRef]] = defaultdict(list)
    by_word: dict[str, list[ArticleRef]] = defaultdict(list)
    for ref in refs:
        by_press[ref.key.oid].append(ref)
        for word in set((ref.title or "").split()):
            by_word[word].append(replace(ref, source=f"search_page:{word}"))
    watch = DriftAlarm(Baseline())
    for found in by_press.values():
        for page in pages(found, 20):
            watch.check([(ref.key.id, hit_traits(ref, "list_page/1")) for ref in page])
    common = sorted(by_word, key=lambda word: -len(by_word[word]))[:300]
    assert look(watch, (ref for word in common for ref in by_word[word][:40])) is None
    assert watch.alarms == []
    one_story = [DriftAlarm(Baseline()) for _ in common]
    assert not [word for word, own in zip(common, one_story, strict=True) if look(own, by_word[word])]


def real_hits() -> list[ArticleRef]:
    with tarfile.open(ARCHIVE) as packed:
        documents = [packed.extractfile(one) for one in islice(packed, 6_000) if one.name.endswith(".md")]
        parsed = [loads(one.read().decode()) for one in documents if one]
    return [
        ArticleRef(key=one.key, url=one.url, source="press_list", seen_at=SEEN, title=one.title)
        for one in parsed
        if one.key is not None
    ]


# --- whole crawls --------------------------------------------------------------------------------------------------

LAST = datetime(2026, 10, 7, 22, 0, tzinfo=SEOUL)
BEFORE = LAST - timedelta(days=2)
SEARCH = "search.naver.com"
BARE_WORDS = Rule(Fault.RENAMED, host=SEARCH, old="새 창 열림</span></a>", new="</span> 다른 창에서 봅니다</a>")
HEADS_UNMARKED = Rule(
    Fault.RENAMED,
    host=SEARCH,
    old='data-heatmap-target=".tit"><span class="sds-comps-text sds-comps-text-type-headline1">',
    new='data-heatmap-target=".subject"><span class="sds-comps-text">',
)
LIST_WORDS = Rule(
    Fault.RENAMED, host="news.naver.com", old="\n</a>\n<span", new=" (another window)</a><span"
)  # in cp949 and in UTF-8


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    return make_corpus(41, articles=500, presses=12, days=8, last=LAST)


@pytest.fixture
def naver(corpus: Corpus) -> Iterator[Replica]:
    with Replica(corpus, now=BEFORE) as replica:
        yield replica


def about(corpus: Corpus, kind: str) -> Topic:
    values = load_topic(ROOT / "topics" / "demo.yaml").model_dump(mode="json", exclude={"sources"})
    values["limits"]["lookback"] = "5d"
    lists = {"type": "press_list", "oids": [press.oid for press in corpus.offices[:6]]}
    return Topic.model_validate({**values, "sources": [{"type": "search_page"} if kind == "search" else lists]})


def crawled(naver: Replica, root: Path, kind: str) -> Receipt:
    order = CrawlOrder(about(naver.corpus, kind), root, naver=naver.url)
    return asyncio.run(crawl(order, now=lambda: naver.clock.now))


def ids(root: Path) -> set[str]:
    return {row["id"] for row in seogo("sql", "SELECT id FROM frontier", "--format", "json", "--archive", root).json}


@pytest.mark.parametrize(
    ("kind", "rule"),
    [("search", BARE_WORDS), ("search", HEADS_UNMARKED), ("lists", LIST_WORDS)],
    ids=["words in links", "heads of clusters", "lists"],
)
@pytest.mark.parametrize("fresh", [True, False], ids=["first crawl", "later crawl"])
@pytest.mark.every(3)
def test_a_changed_page_ends_its_source_and_nothing_is_lost(
    naver: Replica, tmp_path: Path, kind: str, rule: Rule, *, fresh: bool
) -> None:
    root, undisturbed = tmp_path / "archive", tmp_path / "undisturbed"
    if not fresh:
        first = crawled(naver, root, kind)
        assert (first.exit_reason, first.drift) == (ExitReason.DONE, []), first.explanation
    naver.clock.advance(LAST - BEFORE)
    naver.behaviour = Behaviour(rules=(rule,))
    struck = crawled(naver, root, kind)
    assert struck.exit_reason is ExitReason.LAYOUT_CHANGED, struck.explanation
    assert [alarm.partition(":")[0] for alarm in struck.drift] == [
        "hits of search_page/2" if kind == "search" else "hits of list_page/1"
    ]
    (changed, *_) = [report for report in struck.sources if report.end is SourceEnd.LAYOUT_CHANGED]
    assert changed.watermark is None
    assert changed.window is not None
    assert changed.window.unread
    naver.behaviour = Behaviour()
    healed = crawled(naver, root, kind)
    assert healed.drift == []
    assert healed.exit_reason in (ExitReason.DONE, ExitReason.NOTHING_NEW), healed.explanation
    whole = crawled(naver, undisturbed, kind)
    assert whole.drift == []
    assert ids(root) >= ids(undisturbed)


def test_correct_hits_are_accepted_despite_an_alarm(naver: Replica, tmp_path: Path) -> None:
    naver.behaviour = Behaviour(rules=(BARE_WORDS,))
    assert crawled(naver, tmp_path, "search").drift
    order = QuarantineOrder(about(naver.corpus, "search"), tmp_path, accept=True)
    asyncio.run(reparse_quarantined(order, now=lambda: naver.clock.now))
    accepted = crawled(naver, tmp_path, "search")
    assert (accepted.exit_reason, accepted.drift) == (ExitReason.DONE, []), accepted.explanation
    assert ids(tmp_path)


def test_a_backfill_ends_there_too(naver: Replica, tmp_path: Path) -> None:
    naver.clock.advance(LAST - BEFORE)
    naver.behaviour = Behaviour(rules=(BARE_WORDS,))
    first, last = ((LAST - timedelta(days=ago)).date() for ago in (4, 1))
    order = BackfillOrder(about(naver.corpus, "search"), tmp_path, first, last, naver=naver.url)
    receipt = asyncio.run(backfill(order, now=lambda: naver.clock.now))
    assert receipt.exit_reason is ExitReason.LAYOUT_CHANGED
    assert receipt.gaps
    naver.behaviour = Behaviour()
    again = asyncio.run(backfill(order, now=lambda: naver.clock.now))
    assert (again.exit_reason, again.gaps) == (ExitReason.DONE, []), again.explanation


def test_where_robots_forbids_the_articles_no_wrong_title_is_listed(naver: Replica, tmp_path: Path) -> None:
    naver.clock.advance(LAST - BEFORE)
    robots = Behaviour(robots_by_host={"n.news.naver.com": "forbid"}, rules=(BARE_WORDS,))  # type: ignore[dict-item]
    naver.behaviour = robots
    for _ in range(2):
        crawled(naver, tmp_path, "search")
    assert ids(tmp_path) == set()
