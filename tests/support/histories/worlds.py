"""An archive over several days: crawls, nightly sweeps and closing of gaps, against a replica with a manual clock.

`World.lost` checks the invariant of every scenario: each article that was ever listed is archived, known to be deleted,
due for a retry, or published within a gap that `seogo status` shows.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Coroutine, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from functools import cached_property
from pathlib import Path
from random import Random
from time import monotonic, sleep
from typing import Any

import pytest

from flows.fetching.throttle import Clock
from flows.replica.corpus.articles import Corpus, MadeArticle, make_corpus
from flows.replica.corpus.plan import Shares
from flows.replica.disorder import with_burst
from flows.replica.faults import Behaviour, Fault, Rule
from flows.replica.finding import Finder
from flows.replica.server import Replica
from flows.runs.backfill import BackfillOrder, backfill
from flows.runs.crawl import CrawlOrder, crawl
from schemas.article import SEOUL, Outcome
from schemas.receipt import Receipt
from schemas.topic import Topic
from storage.reading.reader import open_snapshot, run_query
from tests.programs import torture
from tests.support.command import seogo
from tests.support.topics import KEYS, demo_topic, press_list, section_list

QUERIES = ("독자 AI 파운데이션 모델", "소버린 AI")

BEGIN = datetime(2035, 3, 12, 9, 0, tzinfo=SEOUL)
"""The time of the first run. Later than the real time of any test run, because stored pauses in the past expire."""
BEFORE = timedelta(days=3)
AFTER = timedelta(days=4)

GAPS_AT, SWEEP_AT = time(3, 40), time(4, 10)
"""As in prefect.yaml."""
SWEPT_DAYS = 3
"""The number of days that a sweep reads. An article listed more than 28:10 hours late may miss the last sweep."""

UNREACHABLE = "http://127.0.0.1:9"
"""An address that refuses every connection."""

QUARTER, HOUR, DAY = timedelta(minutes=15), timedelta(hours=1), timedelta(days=1)


@dataclass(frozen=True)
class Outage:
    """A period with a different behaviour of Naver; without a behaviour, Naver is unreachable."""

    since: datetime
    until: datetime
    behaviour: Behaviour | None = None


@dataclass(frozen=True)
class ScheduledRun:
    """A run on the schedule."""

    at: datetime
    what: str  # crawl, gaps or sweep


def scenario_corpus(
    seed: int,
    *,
    articles: int = 130,
    bursts: Sequence[tuple[datetime, int, timedelta]] = (),
    **shares: float,
) -> Corpus:
    """A week of a few press offices, mostly on topic; `bursts` are (time, number of articles, duration)."""
    wanted = replace(Shares(on_topic=0.8, tie=0.3, late=0.1, gone=0.03, edited=0.05), **shares)  # type: ignore[arg-type]
    days = (BEFORE + AFTER).days
    corpus = make_corpus(seed, articles=articles, presses=4, days=days, last=BEGIN + AFTER, shares=wanted)
    for at, many, within in bursts:
        corpus = with_burst(corpus, at, articles=many, within=within)
    return corpus


def scenario_topic(*sources: str, **limits: object) -> Topic:
    """The demo's rules with these sources (default: all but the press lists), without throttling, with short waits."""
    kinds: dict[str, dict[str, object]] = {
        "search_api": {"type": "search_api", "endpoint": "openapi"},
        "search_page": {"type": "search_page"},
        "section_list": section_list("105"),
        "press_list": press_list("701", "705", "709", "713"),
    }
    chosen = [kinds[name] for name in sources or ("search_api", "search_page", "section_list")]
    settings = {"tries": 2, "patience_seconds": 1.0, "backoff_seconds": 0.0, "max_backoff_seconds": 0.0, **limits}
    return demo_topic(*chosen, queries=QUERIES, **settings)


def schedule(begin: datetime, end: datetime, every: timedelta) -> Iterator[ScheduledRun]:
    """The runs from `begin` to `end` inclusive: a crawl at each interval, and every night a sweep and the gaps."""
    runs = [ScheduledRun(begin + every * n, "crawl") for n in range(int((end - begin) / every) + 1)]
    for day in range((end - begin).days + 2):
        night = begin.date() + timedelta(days=day)
        runs += [
            ScheduledRun(datetime.combine(night, at, SEOUL), what)
            for at, what in ((GAPS_AT, "gaps"), (SWEEP_AT, "sweep"))
        ]
    return iter(sorted((run for run in runs if begin <= run.at <= end), key=lambda run: run.at))


@dataclass(frozen=True)
class Observation:
    """The time of a run, and whether Naver worked normally then."""

    at: datetime
    what: str
    normal: bool

    def sweeps(self, moment: datetime) -> bool:
        """Whether it was a sweep that read the day of this time."""
        return self.what == "sweep" and moment.astimezone(SEOUL).date() >= first_swept(self.at)


def first_swept(at: datetime) -> date:
    """The first day that a sweep reads."""
    return at.astimezone(SEOUL).date() - timedelta(days=SWEPT_DAYS - 1)


def run_of(
    topic: Topic, archive: Path, naver: str, what: str, at: datetime, now: Callable[[], datetime]
) -> Coroutine[Any, Any, Receipt]:
    """A crawl, the closing of gaps, or the nightly sweep, as ordered at this time."""
    match what:
        case "crawl":
            return crawl(CrawlOrder(topic, archive, naver=naver, keys=KEYS), now=now)
        case "gaps":
            return backfill(BackfillOrder(topic, archive, gaps=True, naver=naver, keys=KEYS), now=now)
        case _:
            first, last = first_swept(at), at.astimezone(SEOUL).date()
            return backfill(BackfillOrder(topic, archive, first, last, again=True, naver=naver, keys=KEYS), now=now)


@dataclass
class World:
    """An archive, a topic, and a Naver with outages."""

    naver: Replica
    archive: Path
    topic: Topic
    usual: Behaviour = field(default_factory=Behaviour)
    outages: Sequence[Outage] = ()
    receipts: list[Receipt] = field(default_factory=list)
    observations: list[Observation] = field(default_factory=list)

    # -- actions

    def run_schedule(self, begin: datetime, end: datetime, every: timedelta) -> None:
        """All runs on the schedule from `begin` to `end`."""
        for run in schedule(begin, end, every):
            self.run(run.what, run.at)

    def run(self, what: str, at: datetime) -> Receipt:
        """One run at this time."""
        naver = self._prepare(at, what)
        receipt = asyncio.run(run_of(self.topic, self.archive, naver, what, at, self.now))
        self.receipts.append(receipt)
        return receipt

    def _prepare(self, at: datetime, what: str) -> str:
        """Set clock and behaviour for a run at this time. Returns Naver's address."""
        outage = next((one for one in self.outages if one.since <= at < one.until), None)
        if what in ("crawl", "sweep"):
            self.observations.append(Observation(at, what, outage is None))
        self.naver.clock.set(at)
        wanted = outage.behaviour if outage else self.usual
        if wanted is not None and wanted is not self.naver.behaviour:
            self.naver.behaviour = wanted
        return self.naver.url if wanted is not None else UNREACHABLE

    def now(self) -> datetime:
        return self.naver.clock.now

    def run_killed(self, what: str, at: datetime, *, after: int) -> None:
        """A run in its own process, killed after so many requests."""
        naver, before = self._prepare(at, f"killed {what}"), len(self.naver.log.entries)
        process = torture.forkserver().Process(target=run_in_process, args=(self.topic, self.archive, naver, what, at))
        process.start()
        wait_until(lambda: len(self.naver.log.entries) >= before + after or process.exitcode is not None)
        assert process.exitcode is None, f"the run ended with {process.exitcode} before it could be killed"
        process.kill()
        process.join(10)

    # -- checks

    @property
    def gaps(self) -> list[dict[str, Any]]:
        """The gaps as shown by `seogo status`."""
        ran = seogo("status", "--json", "--archive", self.archive)
        assert ran.code == 0, ran.err
        return list(ran.json["gaps"])

    def lost(self) -> list[str]:
        """The articles that were visible to a run and are not accounted for. There must be none."""
        states = self._states()
        missing = [one for one in self.visible() if one.key and not _accounted(states.get(one.key.id), one, self.now())]
        gaps = self.gaps if missing else []
        return [_described(one) for one in missing if not self._in_a_gap(one, gaps)]

    def waiting(self) -> list[str]:
        """The finds that are due for a retry or were abandoned."""
        return [id_ for id_, (state, _) in self._states().items() if state in ("failed", "blocked", "deferred")]

    def visible(self) -> list[MadeArticle]:
        """The articles that a run could find: on topic, named by a source of the topic, listed at the time of a run."""
        horizon = self.observations[0].at - self.topic.limits.lookback
        return [
            one
            for one in self.naver.corpus.articles
            if one.on_topic and one.published_at >= horizon and self._was_shown(one) and self.named_by(one)
        ]

    def _was_shown(self, article: MadeArticle) -> bool:
        """Articles deleted during an outage were not visible. Sweeps find late arrivals, any run finds all others."""
        listed = [one for one in self.observations if article.listed(one.at)]
        if article.listed_at > article.published_at:
            return any(one.normal and one.sweeps(article.published_at) for one in listed)
        return any(one.normal for one in listed) or (bool(listed) and article.listed(self.now()))

    def named_by(self, article: MadeArticle) -> list[str]:
        """The sources that name this article, as written in the coverage ledger."""
        named = []
        for source in self.topic.sources:
            match source.type:
                case "section_list":
                    named += [f"section_list:{article.section}"] if self._in_section(article, source.sids) else []
                case "press_list":
                    named += [f"press_list:{article.press.oid}"] if article.press.oid in source.oids else []
                case _:
                    named += [f"{source.type}:{query}" for query in self._found_by(article)]
        return named

    def _in_section(self, article: MadeArticle, sids: Sequence[str]) -> bool:
        return article.section in sids and not article.subject.arena

    def _found_by(self, article: MadeArticle) -> list[str]:
        return [query for query, found in self._hits.items() if article.index in found]

    @cached_property
    def _hits(self) -> dict[str, set[int]]:
        finder, corpus = Finder(self.naver.corpus), self.naver.corpus
        always = [{at for moment in _moments(corpus) for at in finder.search(q, moment)} for q in self.topic.queries]
        return dict(zip(self.topic.queries, always, strict=True))

    def _in_a_gap(self, article: MadeArticle, gaps: Sequence[dict[str, Any]]) -> bool:
        named, out = self.named_by(article), article.published_at
        return any(gap["source"] in named and _time(gap["since"]) <= out < _time(gap["until"]) for gap in gaps)

    def _states(self) -> dict[str, tuple[str, bool]]:
        """The state of each id in the archive, and whether it is due for a retry."""
        with open_snapshot(self.archive) as connection:
            waiting = list(run_query(connection, "SELECT id, state, due_at IS NOT NULL FROM frontier")[1])
            stored = list(run_query(connection, "SELECT id FROM articles UNION SELECT id FROM duplicates")[1])
            states = {str(id_): (str(state), bool(due)) for id_, state, due in waiting}
            return states | {str(row[0]): ("stored", False) for row in stored}


def _accounted(state: tuple[str, bool] | None, article: MadeArticle, now: datetime) -> bool:
    """Whether nothing is lost. An article that was abandoned, or wrongly taken for deleted or off topic, is lost."""
    match state:
        case ("stored", _):
            return True
        case (Outcome.GONE.value, _):
            return article.gone(now)
        case (_, waiting):
            return waiting
    return False


def _described(article: MadeArticle) -> str:
    key = article.key.id if article.key else "?"
    gone = f", gone {article.gone_at:%d %H:%M}" if article.gone_at else ""
    return f"{key} out {article.published_at:%d %H:%M:%S}, listed {article.listed_at:%d %H:%M}{gone}"


def _moments(corpus: Corpus) -> Iterator[datetime]:
    """Times such that every article that a search ever finds is found at one of them."""
    moment = corpus.first
    while moment <= corpus.last + DAY:
        yield moment
        moment += 6 * HOUR


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)


# -- random scenarios

FAULT_RULES = (
    Rule(Fault.SERVER_ERROR),
    Rule(Fault.FORBIDDEN, host="news.naver.com"),
    Rule(Fault.FORBIDDEN, host="n.news.naver.com", path="/article/"),
    Rule(Fault.TOO_MANY, host="search.naver.com", retry_after=5400),
    Rule(Fault.QUOTA, host="openapi.naver.com"),
    Rule(Fault.SERVER_ERROR, path="page=2"),
    Rule(Fault.BLOCK_NOTICE, host="search.naver.com"),
    Rule(Fault.CUT, path="start="),
    Rule(Fault.EMPTY_LIST, host="news.naver.com"),
)
TOPICS = (("section_list",), ("press_list",), ("search_api",), ("search_page",), ("search_api", "press_list"), ())


@dataclass(frozen=True)
class RandomScenario:
    """Two days with random faults."""

    corpus: Corpus
    topic: Topic
    usual: Behaviour
    outages: tuple[Outage, ...]

    @property
    def clean(self) -> bool:
        return not self.outages


def random_scenario(seed: int) -> RandomScenario:
    """The scenario of a seed. One in four has no outages."""
    rng = Random(seed)
    bursts = [
        (BEGIN + rng.uniform(1, 40) * HOUR, rng.randint(20, 60), timedelta(minutes=rng.choice((1, 10, 60))))
        for _ in range(rng.randint(0, 2))
    ]
    corpus = scenario_corpus(seed, articles=rng.randint(250, 400), bursts=bursts, late=rng.uniform(0.0, 0.4))
    usual = rng.choice((Behaviour(), Behaviour(), Behaviour(tick=rng.uniform(10, 200))))
    outages = [_outage(rng) for _ in range(rng.randint(1, 2) if rng.random() < 0.75 else 0)]
    return RandomScenario(corpus, scenario_topic(*rng.choice(TOPICS), lookback=2 * DAY), usual, tuple(outages))


def _outage(rng: Random) -> Outage:
    since = BEGIN + rng.uniform(0, 40) * HOUR
    until = since + rng.choice((1, 3, 6)) * HOUR
    rule = rng.choice((None, *FAULT_RULES))
    return Outage(since, until, Behaviour(rules=(rule,)) if rule else None)


def run_two_days(world: World, every: timedelta) -> None:
    """Two days on schedule, then a day for retries. Checks the invariant after every night."""
    world.run_schedule(BEGIN, BEGIN + DAY, every)
    assert world.lost() == []
    world.run_schedule(BEGIN + DAY + every, BEGIN + 2 * DAY, every)
    for what, at in (("crawl", HOUR), ("gaps", 2 * HOUR), ("crawl", DAY), ("sweep", DAY + HOUR)):
        world.run(what, BEGIN + 2 * DAY + at)
    assert world.lost() == []


# -- in its own process


def run_in_process(topic: Topic, archive: Path, naver: str, what: str, at: datetime) -> None:
    """One run at this time, which will be killed."""
    asyncio.run(run_of(topic, archive, naver, what, at, lambda: at))


def wait_until(true: Callable[[], bool], seconds: float = 20.0) -> None:
    """Wait until a condition is true. Raises AssertionError after the given seconds."""
    end = monotonic() + seconds
    while not true():
        assert monotonic() < end, f"the condition did not become true within {seconds:g} s"
        sleep(0.002)


# -- fixtures


def use_clock_of(monkeypatch: pytest.MonkeyPatch, naver: Replica) -> None:
    """Make the client use the replica's clock for the time of day: for crawl times and for pauses."""
    monkeypatch.setattr("flows.fetching.client.Clock", lambda: Clock(now=lambda: naver.clock.now))


def disable_syncs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Disable syncing to disk: these tests do not simulate power failures."""
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)
    monkeypatch.setattr(os, "fdatasync", lambda descriptor: None)
