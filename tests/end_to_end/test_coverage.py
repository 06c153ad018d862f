"""No article is lost: several days with bursts, late arrivals, unstable lists, result limits, outages and kills.

Every scenario checks the invariant of `World.lost`. Runs are as far apart as a scenario allows, because each takes a
quarter of a second. The long version uses random scenarios; `SEEDS` is their number.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from flows.replica.corpus.articles import Corpus
from flows.replica.disorder import with_burst
from flows.replica.faults import Behaviour, Fault, Rule
from flows.replica.server import Replica
from schemas.receipt import ExitReason, SourceEnd
from schemas.topic import Topic
from tests.support.histories.worlds import (
    BEGIN,
    DAY,
    HOUR,
    QUARTER,
    Outage,
    World,
    disable_syncs,
    random_scenario,
    run_two_days,
    scenario_corpus,
    scenario_topic,
    use_clock_of,
)

NEWS, NNEWS, SEARCH, OPENAPI = "news.naver.com", "n.news.naver.com", "search.naver.com", "openapi.naver.com"
LISTS, API, PAGE = (
    scenario_topic(name, lookback=timedelta(days=2)) for name in ("section_list", "search_api", "search_page")
)
ALL = scenario_topic(lookback=timedelta(days=2))
SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
MORNING = BEGIN + 19 * HOUR + 10 * MINUTE
"""The sweep of the first night."""

SEEDS = 3
"""The number of random scenarios, of about fifteen seconds each."""

Worlds = Callable[..., World]


@pytest.fixture
def world_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Worlds]:
    """Creates a world from a corpus, a topic, and further arguments of `World`."""
    disable_syncs(monkeypatch)
    with ExitStack() as running:

        def made(corpus: Corpus, topic: Topic = ALL, **more: Any) -> World:
            naver = running.enter_context(Replica(corpus, now=BEGIN))
            use_clock_of(monkeypatch, naver)
            return World(naver, tmp_path / "archive", topic, **more)

        yield made


def bad(*rules: Rule, hours: tuple[float, float]) -> Outage:
    """Rules that apply during these hours after the beginning."""
    return Outage(BEGIN + hours[0] * HOUR, BEGIN + hours[1] * HOUR, Behaviour(rules=rules))


def end_well(world: World) -> None:
    """Run an evening and a night: nothing is lost, and no gap remains."""
    world.run_schedule(BEGIN, MORNING, 9 * HOUR)
    assert world.observations[-1].what == "sweep"
    assert len(world.visible()) > 15
    assert world.lost() == []
    assert world.gaps == []


# -- days without faults


def test_on_clean_days_nothing_is_lost_and_there_is_never_a_gap(world_of: Worlds) -> None:
    world = world_of(scenario_corpus(1, late=0.2))
    end_well(world)
    assert [receipt.gaps for receipt in world.receipts] == [[]] * len(world.receipts)
    assert {receipt.exit_reason for receipt in world.receipts} <= {ExitReason.DONE, ExitReason.NOTHING_NEW}


@pytest.mark.parametrize(
    "topic", [LISTS, API, pytest.param(PAGE, marks=pytest.mark.long)], ids=["lists", "api", "page"]
)
def test_late_arrivals_are_swept_up_at_night_by_each_source_alone(world_of: Worlds, topic: Topic) -> None:
    """They are deep in the list of a day that had been read to its end, after pages without new articles."""
    world = world_of(scenario_corpus(2, articles=200, late=0.5), topic)
    end_well(world)
    late = [one for one in world.visible() if one.listed_at > one.published_at]
    assert len(late) > 8


@pytest.mark.long
def test_a_hundred_articles_of_one_minute_between_two_runs(world_of: Worlds) -> None:
    burst = BEGIN + 6 * HOUR - MINUTE
    world = world_of(scenario_corpus(3, articles=260, late=0.0, bursts=[(burst, 100, MINUTE)]), API)
    world.run_schedule(BEGIN, BEGIN + 6 * HOUR, 6 * HOUR)
    assert len(world.visible()) > 150
    assert (world.lost(), world.gaps) == ([], [])


def test_articles_of_the_cursor_s_minute_that_came_after_the_run(world_of: Worlds) -> None:
    """The run is in the middle of a minute. The Search API has whole minutes, and the newest one becomes the cursor."""
    minute = BEGIN + 6 * HOUR
    world = world_of(scenario_corpus(4, articles=220, late=0.0, bursts=[(minute, 40, MINUTE)]), API)
    for at in (BEGIN, minute + MINUTE / 2, minute + QUARTER):
        world.run("crawl", at)
    assert (world.lost(), world.gaps) == ([], [])


def test_midnight_in_korea(world_of: Worlds) -> None:
    """Articles of the last minutes of a day are in a list that is no longer requested an hour later."""
    midnight = BEGIN + 15 * HOUR
    world = world_of(scenario_corpus(5, articles=220, bursts=[(midnight - 2 * MINUTE, 60, 4 * MINUTE)]), LISTS)
    for at in (BEGIN, midnight - MINUTE, midnight + MINUTE, midnight + 6 * HOUR):
        world.run("crawl", at)
    assert (world.lost(), world.gaps) == ([], [])


# -- unstable lists


@pytest.mark.parametrize("topic", [LISTS, pytest.param(PAGE, marks=pytest.mark.long)], ids=["lists", "page"])
def test_pages_that_have_changed_places(world_of: Worlds, topic: Topic) -> None:
    end_well(world_of(scenario_corpus(6, articles=220), topic, usual=Behaviour(swapped=True)))


def test_disorder_in_every_source_is_made_good_by_the_others(world_of: Worlds) -> None:
    world = world_of(scenario_corpus(7), usual=Behaviour(shuffled=30))
    world.run_schedule(BEGIN, MORNING, 9 * HOUR)
    assert world.lost() == []


def test_lists_that_grow_while_they_are_read(world_of: Worlds) -> None:
    """Each request takes three minutes, so that items move to the next page before it is requested."""
    end_well(world_of(scenario_corpus(8, articles=170), usual=Behaviour(tick=180.0)))


@pytest.mark.parametrize(
    ("topic", "articles"), [(LISTS, 600), pytest.param(PAGE, 300, marks=pytest.mark.long)], ids=["lists", "page"]
)
def test_disorder_in_the_only_source_is_noticed(world_of: Worlds, topic: Topic, articles: int) -> None:
    world = world_of(scenario_corpus(3, articles=articles), topic, usual=Behaviour(shuffled=30))
    world.run_schedule(BEGIN, MORNING, 9 * HOUR)
    assert world.lost() == []


@pytest.mark.long
def test_the_first_two_pages_of_the_search_api_have_changed_places(world_of: Worlds) -> None:
    world = world_of(scenario_corpus(3, articles=500), API, usual=Behaviour(swapped=True))
    for at in (BEGIN, MORNING, BEGIN + 2 * DAY):
        world.run("crawl", at)
    world.run("sweep", BEGIN + 2 * DAY)
    assert world.lost() == []


def test_a_whole_page_is_pushed_on_to_the_next(world_of: Worlds) -> None:
    """Twenty articles are published between two requests, so that the second page equals the previous first one."""
    at = BEGIN + 3 * HOUR
    plain = scenario_corpus(5, articles=1_000, late=0.0, gone=0.0)
    after = [one for one in plain if one.published_at >= at]
    listed = [number for number, one in enumerate(after) if one.key and one.section == "105"]
    corpus = with_burst(plain, at + 10 * SECOND, articles=listed[19] + 1, within=40 * SECOND)
    world = world_of(corpus, LISTS, usual=Behaviour(tick=60.0))
    world.run("crawl", at)
    world.usual = Behaviour()
    world.run("crawl", at + QUARTER)
    assert world.lost() == []


# -- limits of results


def small_caps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Limit the Search API and the search page to 100 results instead of 1,000, which takes a tenth of the time."""
    for name, value in (("search_api.API_PAGE", 20), ("search_api.API_CAP", 100), ("search_page.SEARCH_PAGE_CAP", 100)):
        monkeypatch.setattr(f"flows.sources.{name}", value)


def test_a_burst_beyond_the_cap_is_a_gap_until_the_search_page_has_shown_it(
    world_of: Worlds, monkeypatch: pytest.MonkeyPatch
) -> None:
    small_caps(monkeypatch)
    corpus = scenario_corpus(9, articles=500, late=0.0, bursts=[(BEGIN + 5 * HOUR, 190, HOUR)])
    world = world_of(corpus, scenario_topic("search_api", lookback=timedelta(hours=6)))
    world.run_schedule(BEGIN, BEGIN + 6 * HOUR, 6 * HOUR)
    assert {gap["reason"].partition(",")[0] for gap in world.gaps} == {"100 results shown"}
    assert world.lost() == []
    held = sum(receipt.finds for receipt in world.receipts)
    assert held < len(world.visible()), "the limit was not reached"
    # The Search API no longer shows it, but a search page with dates does, once the topic has one.
    world.topic = scenario_topic("search_api", "search_page", lookback=timedelta(hours=6))
    monkeypatch.setattr("flows.sources.search_page.SEARCH_PAGE_CAP", 1000)
    world.run("gaps", BEGIN + 7 * HOUR)
    assert (world.gaps, world.lost()) == ([], [])


@pytest.mark.long
def test_what_neither_of_them_shows_stays_a_gap(world_of: Worlds, monkeypatch: pytest.MonkeyPatch) -> None:
    small_caps(monkeypatch)
    corpus = scenario_corpus(9, articles=500, late=0.0, bursts=[(BEGIN + 5 * HOUR, 190, HOUR)])
    world = world_of(corpus, scenario_topic("search_api", "search_page", lookback=timedelta(hours=6)))
    world.run_schedule(BEGIN, BEGIN + 6 * HOUR, 6 * HOUR)
    receipt = world.run("gaps", BEGIN + 7 * HOUR)
    assert receipt.exit_reason is ExitReason.PARTLY_FAILED
    assert world.gaps != []
    assert world.lost() == []


# -- outages


@pytest.mark.parametrize("how", ["refused", pytest.param("503", marks=pytest.mark.long)])
def test_an_outage_of_six_hours_is_a_gap_of_every_source_and_is_made_good(world_of: Worlds, how: str) -> None:
    rules = (Rule(Fault.SERVER_ERROR), Rule(Fault.SERVER_ERROR, path="/robots.txt"))
    down = Behaviour(rules=rules) if how == "503" else None
    world = world_of(scenario_corpus(10, articles=170), outages=[Outage(BEGIN + 12 * HOUR, BEGIN + 18 * HOUR, down)])
    world.run_schedule(BEGIN, BEGIN + 16 * HOUR, 8 * HOUR)
    assert {gap["source"] for gap in world.gaps} == {*(f"search_api:{q}" for q in ALL.queries), *_dated(ALL)}
    assert world.lost() == []
    assert [one for one in world.visible() if one.published_at > BEGIN + 12 * HOUR]
    world.run_schedule(BEGIN + 18 * HOUR, MORNING, 8 * HOUR)
    assert (world.lost(), world.gaps) == ([], [])


def _dated(topic: Topic) -> set[str]:
    return {*(f"search_page:{q}" for q in topic.queries), "section_list:105"}


@pytest.mark.parametrize(
    "rule",
    [
        pytest.param(Rule(Fault.FORBIDDEN, host=NEWS), marks=pytest.mark.long),
        Rule(Fault.BLOCK_NOTICE, host=SEARCH),
        pytest.param(Rule(Fault.QUOTA, host=OPENAPI), marks=pytest.mark.long),
        pytest.param(Rule(Fault.FORBIDDEN, host=NNEWS, path="/article/"), marks=pytest.mark.long),
        Rule(Fault.TOO_MANY, host=NNEWS, path="/article/", retry_after=7200),
    ],
    ids=lambda rule: f"{rule.fault} {rule.host}",
)
def test_a_host_that_fails_or_blocks_for_some_hours(world_of: Worlds, rule: Rule) -> None:
    world = world_of(scenario_corpus(11), outages=[bad(rule, hours=(6, 13))])
    for at in (BEGIN, BEGIN + 12 * HOUR):
        world.run("crawl", at)
    assert world.lost() == []
    named = {gap["source"].partition(":")[0] for gap in world.gaps}
    assert named == {NEWS: {"section_list"}, SEARCH: {"search_page"}, OPENAPI: {"search_api"}}.get(rule.host, set())
    world.run("crawl", MORNING)
    assert (world.lost(), world.gaps, world.waiting()) == ([], [], [])


def test_a_source_that_fails_on_its_third_page_counts_as_not_read(world_of: Worlds) -> None:
    outage = bad(Rule(Fault.SERVER_ERROR, path="page=3"), hours=(0, 7))
    world = world_of(scenario_corpus(12, articles=600), LISTS, outages=[outage])
    first = world.run("crawl", BEGIN)
    assert [source.end for source in first.sources] == [SourceEnd.FAILED]
    assert first.sources[0].pages >= 2
    world.run("crawl", BEGIN + 6 * HOUR)
    assert [gap["source"] for gap in world.gaps] == ["section_list:105"]
    assert world.lost() == []
    world.run("gaps", BEGIN + 8 * HOUR)
    assert (world.lost(), world.gaps) == ([], [])


@pytest.mark.long
def test_gaps_are_closed_without_a_crawl(world_of: Worlds) -> None:
    """This is about the days before the window of a crawl, which would read the rest anyway."""
    world = world_of(scenario_corpus(13), outages=[bad(Rule(Fault.FORBIDDEN, host=NEWS), hours=(0, 1))])
    world.run("sweep", BEGIN)
    assert {gap["source"] for gap in world.gaps} == {"section_list:105"}
    assert world.lost() == []
    world.run("gaps", BEGIN + 2 * HOUR)
    assert (world.lost(), world.gaps) == ([], [])
    assert world.run("gaps", BEGIN + 3 * HOUR).exit_reason is ExitReason.NOTHING_NEW


# -- kills


@pytest.mark.parametrize(("what", "after"), [("crawl", 6), pytest.param("sweep", 20, marks=pytest.mark.long)])
def test_a_run_that_is_killed_closes_no_window(world_of: Worlds, what: str, after: int) -> None:
    world = world_of(scenario_corpus(14, articles=170))
    world.run("crawl", BEGIN)
    world.run_killed(what, MORNING - HOUR, after=after)
    world.run("crawl", MORNING - HOUR + QUARTER)
    world.run("sweep", MORNING)
    assert (world.lost(), world.gaps) == ([], [])


# -- random scenarios


@pytest.mark.long
@pytest.mark.parametrize("seed", range(SEEDS))
def test_two_days_by_seed(world_of: Worlds, seed: int) -> None:
    one = random_scenario(seed)
    world = world_of(one.corpus, one.topic, usual=one.usual, outages=one.outages)
    run_two_days(world, HOUR)
    if one.clean:
        assert [receipt.gaps for receipt in world.receipts] == [[]] * len(world.receipts)
    assert world.gaps == []
