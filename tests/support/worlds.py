"""Days in the life of an archive: crawls, nightly sweeps and mended gaps against a stand-in whose clock is set by hand.

The invariant that every scenario has to keep stands here once (`World.lost`): what was ever listed is held, or known to
be gone, or waiting for another try, or its time of publication lies in a gap that `seogo status` shows.
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
from flows.replica.corpus import Corpus, MadeArticle, make_corpus
from flows.replica.disorder import with_burst
from flows.replica.faults import Behaviour, Fault, Rule
from flows.replica.finding import Finder
from flows.replica.plan import Shares
from flows.replica.search_answers import CLIENT_ID, CLIENT_SECRET
from flows.replica.server import Replica
from flows.runs.backfill import BackfillOrder, backfill
from flows.runs.crawl import CrawlOrder, crawl
from flows.sources.api_keys import ApiKey
from schemas.article import SEOUL, Outcome
from schemas.receipt import Receipt
from schemas.topic import Topic, load_topic
from storage.reading.reader import open_snapshot, run_query
from tests.programs import torture
from tests.support.command import seogo
from tests.support.paths import DEMO_TOPIC

DEMO = DEMO_TOPIC
KEYS = {"openapi": ApiKey(CLIENT_ID, CLIENT_SECRET)}
QUERIES = ("독자 AI 파운데이션 모델", "소버린 AI")

BEGIN = datetime(2035, 3, 12, 9, 0, tzinfo=SEOUL)
"""When the first run looks. Later than any clock that runs these tests: the file of pauses forgets what is past."""
BEFORE = timedelta(days=3)
AFTER = timedelta(days=4)

GAPS_AT, SWEEP_AT = time(3, 40), time(4, 10)
"""As in prefect.yaml."""
SWEPT_DAYS = 3
"""How many days a sweep reads. What comes more than 28:10 hours late may find its day swept for the last time."""

NOWHERE = "http://127.0.0.1:9"
"""Where every connection is refused."""

QUARTER, HOUR, DAY = timedelta(minutes=15), timedelta(hours=1), timedelta(days=1)


@dataclass(frozen=True)
class Trouble:
    """What the world is like for a while; without a behaviour nobody can be reached at all."""

    since: datetime
    until: datetime
    behaviour: Behaviour | None = None


@dataclass(frozen=True)
class Deed:
    """Something that the schedule does."""

    at: datetime
    what: str  # crawl, gaps or sweep


def scenario_corpus(
    seed: int,
    *,
    articles: int = 130,
    bursts: Sequence[tuple[datetime, int, timedelta]] = (),
    **shares: float,
) -> Corpus:
    """A week of few press offices, much of it on topic; `bursts` are moments, articles, and spans that they come in."""
    wanted = replace(Shares(on_topic=0.8, tie=0.3, late=0.1, gone=0.03, edited=0.05), **shares)  # type: ignore[arg-type]
    days = (BEFORE + AFTER).days
    corpus = make_corpus(seed, articles=articles, presses=4, days=days, last=BEGIN + AFTER, shares=wanted)
    for at, many, within in bursts:
        corpus = with_burst(corpus, at, articles=many, within=within)
    return corpus


def scenario_topic(*sources: str, **limits: object) -> Topic:
    """The demo's rules with these sources (default: all but the press lists), without a pace and without patience."""
    kinds: dict[str, dict[str, object]] = {
        "search_api": {"type": "search_api", "endpoint": "openapi"},
        "search_page": {"type": "search_page"},
        "section_list": {"type": "section_list", "sids": ["105"]},
        "press_list": {"type": "press_list", "oids": ["701", "705", "709", "713"]},
    }
    names = sources or ("search_api", "search_page", "section_list")
    values = load_topic(DEMO).model_dump(mode="json", exclude={"sources"})
    topic = Topic.model_validate({**values, "queries": QUERIES, "sources": [kinds[name] for name in names]})
    settings = {"tries": 2, "patience_seconds": 1.0, "backoff_seconds": 0.0, "max_backoff_seconds": 0.0, **limits}
    return topic.model_copy(update={"limits": topic.limits.model_copy(update=settings)})


def schedule(begin: datetime, end: datetime, every: timedelta) -> Iterator[Deed]:
    """What is done from `begin` up to and with `end`: a crawl every so often, and every night a sweep and the gaps."""
    deeds = [Deed(begin + every * n, "crawl") for n in range(int((end - begin) / every) + 1)]
    for day in range((end - begin).days + 2):
        night = begin.date() + timedelta(days=day)
        deeds += [
            Deed(datetime.combine(night, at, SEOUL), what) for at, what in ((GAPS_AT, "gaps"), (SWEEP_AT, "sweep"))
        ]
    return iter(sorted((deed for deed in deeds if begin <= deed.at <= end), key=lambda deed: deed.at))


@dataclass(frozen=True)
class Look:
    """A moment at which a run looked, and whether the world was well then."""

    at: datetime
    what: str
    well: bool

    def sweeps(self, moment: datetime) -> bool:
        """Whether it was a sweep that read the day of this moment."""
        return self.what == "sweep" and moment.astimezone(SEOUL).date() >= first_swept(self.at)


def first_swept(at: datetime) -> date:
    """The first day that a sweep reads."""
    return at.astimezone(SEOUL).date() - timedelta(days=SWEPT_DAYS - 1)


def deed_of(
    topic: Topic, archive: Path, naver: str, what: str, at: datetime, now: Callable[[], datetime]
) -> Coroutine[Any, Any, Receipt]:
    """A crawl, the mending of gaps, or the nightly sweep, as it is ordered at that moment."""
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
    """An archive, a topic, and a Naver that lives through its troubles."""

    naver: Replica
    archive: Path
    topic: Topic
    usual: Behaviour = field(default_factory=Behaviour)
    troubles: Sequence[Trouble] = ()
    receipts: list[Receipt] = field(default_factory=list)
    looks: list[Look] = field(default_factory=list)

    # -- what is done

    def live(self, begin: datetime, end: datetime, every: timedelta) -> None:
        """Everything on the schedule from `begin` to `end`."""
        for deed in schedule(begin, end, every):
            self.do(deed.what, deed.at)

    def do(self, what: str, at: datetime) -> Receipt:
        """One run, then."""
        naver = self.be(at, what)
        receipt = asyncio.run(deed_of(self.topic, self.archive, naver, what, at, self.now))
        self.receipts.append(receipt)
        return receipt

    def be(self, at: datetime, what: str) -> str:
        """Let it be that time, for this run: the world behaves as it does then. Returns where it is to be reached."""
        trouble = next((one for one in self.troubles if one.since <= at < one.until), None)
        if what in ("crawl", "sweep"):
            self.looks.append(Look(at, what, trouble is None))
        self.naver.clock.set(at)
        wanted = trouble.behaviour if trouble else self.usual
        if wanted is not None and wanted is not self.naver.behaviour:
            self.naver.behaviour = wanted
        return self.naver.url if wanted is not None else NOWHERE

    def now(self) -> datetime:
        return self.naver.clock.now

    def killed(self, what: str, at: datetime, *, after: int) -> None:
        """A run in a process of its own, that is killed once so many requests of it have come in."""
        naver, before = self.be(at, f"killed {what}"), len(self.naver.log.entries)
        process = torture.forkserver().Process(target=run_apart, args=(self.topic, self.archive, naver, what, at))
        process.start()
        wait_until(lambda: len(self.naver.log.entries) >= before + after or process.exitcode is not None)
        assert process.exitcode is None, f"the run ended with {process.exitcode} before it could be killed"
        process.kill()
        process.join(10)

    # -- what is true then

    @property
    def gaps(self) -> list[dict[str, Any]]:
        """The gaps as an operator sees them."""
        ran = seogo("status", "--json", "--archive", self.archive)
        assert ran.code == 0, ran.err
        return list(ran.json["gaps"])

    def lost(self) -> list[str]:
        """The invariant: articles that somebody could have seen and that nobody knows of. None, in a world in order."""
        fates = self._fates()
        missing = [one for one in self.seen() if one.key and not _accounted(fates.get(one.key.id), one, self.now())]
        gaps = self.gaps if missing else []
        return [_described(one) for one in missing if not self._in_a_gap(one, gaps)]

    def waiting(self) -> list[str]:
        """Finds that are to be tried again, or were given up."""
        return [id_ for id_, (state, _) in self._fates().items() if state in ("failed", "blocked", "deferred")]

    def seen(self) -> list[MadeArticle]:
        """What the runs could have been shown: on topic, named by a source of this topic, listed when one looked."""
        horizon = self.looks[0].at - self.topic.limits.lookback
        return [
            one
            for one in self.naver.corpus.articles
            if one.on_topic and one.published_at >= horizon and self._was_shown(one) and self.named_by(one)
        ]

    def _was_shown(self, article: MadeArticle) -> bool:
        """What vanished in bad times nobody saw. Late arrivals are for the sweeps, all others for every run."""
        listed = [look for look in self.looks if article.listed(look.at)]
        if article.listed_at > article.published_at:
            return any(look.well and look.sweeps(article.published_at) for look in listed)
        return any(look.well for look in listed) or (bool(listed) and article.listed(self.now()))

    def named_by(self, article: MadeArticle) -> list[str]:
        """The sources, as the ledger calls them, that name this article."""
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

    def _fates(self) -> dict[str, tuple[str, bool]]:
        """What the archive knows of each id: how it ended, and whether it is to be tried again."""
        with open_snapshot(self.archive) as connection:
            waiting = list(run_query(connection, "SELECT id, state, due_at IS NOT NULL FROM frontier")[1])
            held = list(run_query(connection, "SELECT id FROM articles UNION SELECT id FROM duplicates")[1])
            fates = {str(id_): (str(state), bool(due)) for id_, state, due in waiting}
            return fates | {str(row[0]): ("held", False) for row in held}


def _accounted(fate: tuple[str, bool] | None, article: MadeArticle, now: datetime) -> bool:
    """Whether a fate is one that loses nothing. What was given up, or taken for gone or off topic, is lost."""
    match fate:
        case ("held", _):
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
    """Moments at which everything that was ever found by a search is found at one of them."""
    moment = corpus.first
    while moment <= corpus.last + DAY:
        yield moment
        moment += 6 * HOUR


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)


# -- by seed

ODD_HOURS = (
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
class Drawn:
    """A scenario by seed: two days of whatever can go wrong."""

    corpus: Corpus
    topic: Topic
    usual: Behaviour
    troubles: tuple[Trouble, ...]

    @property
    def clean(self) -> bool:
        return not self.troubles


def drawn(seed: int) -> Drawn:
    """The scenario of a seed. One in four has clean days."""
    rng = Random(seed)
    bursts = [
        (BEGIN + rng.uniform(1, 40) * HOUR, rng.randint(20, 60), timedelta(minutes=rng.choice((1, 10, 60))))
        for _ in range(rng.randint(0, 2))
    ]
    corpus = scenario_corpus(seed, articles=rng.randint(250, 400), bursts=bursts, late=rng.uniform(0.0, 0.4))
    usual = rng.choice((Behaviour(), Behaviour(), Behaviour(tick=rng.uniform(10, 200))))
    troubles = [_trouble(rng) for _ in range(rng.randint(1, 2) if rng.random() < 0.75 else 0)]
    return Drawn(corpus, scenario_topic(*rng.choice(TOPICS), lookback=2 * DAY), usual, tuple(troubles))


def _trouble(rng: Random) -> Trouble:
    since = BEGIN + rng.uniform(0, 40) * HOUR
    until = since + rng.choice((1, 3, 6)) * HOUR
    rule = rng.choice((None, *ODD_HOURS))
    return Trouble(since, until, Behaviour(rules=(rule,)) if rule else None)


def live_through(world: World, every: timedelta) -> None:
    """Two days on schedule, then a day for what has to be tried again. The invariant holds after every night."""
    world.live(BEGIN, BEGIN + DAY, every)
    assert world.lost() == []
    world.live(BEGIN + DAY + every, BEGIN + 2 * DAY, every)
    for what, at in (("crawl", HOUR), ("gaps", 2 * HOUR), ("crawl", DAY), ("sweep", DAY + HOUR)):
        world.do(what, BEGIN + 2 * DAY + at)
    assert world.lost() == []


# -- in a process of its own


def run_apart(topic: Topic, archive: Path, naver: str, what: str, at: datetime) -> None:
    """One run of a world, at a moment: to be killed."""
    asyncio.run(deed_of(topic, archive, naver, what, at, lambda: at))


def wait_until(true: Callable[[], bool], seconds: float = 20.0) -> None:
    """Wait for something that is bound to come. AssertionError where it does not."""
    end = monotonic() + seconds
    while not true():
        assert monotonic() < end, f"nothing came of it in {seconds:g} s"
        sleep(0.002)


# -- fixtures


def world_clock(monkeypatch: pytest.MonkeyPatch, naver: Replica) -> None:
    """The client's time of day is the stand-in's: a page is crawled, and a pause ends, by that clock."""
    monkeypatch.setattr("flows.fetching.client.Clock", lambda: Clock(now=lambda: naver.clock.now))


def no_syncs(monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that is never waited for: no machine goes down in these tests."""
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)
    monkeypatch.setattr(os, "fdatasync", lambda descriptor: None)
