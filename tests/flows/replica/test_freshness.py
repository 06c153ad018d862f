"""The replica's validators and 304 responses, its unstable lists, and its bursts."""

from __future__ import annotations

import json
from datetime import timedelta
from random import Random

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.naver.articles.layouts import parse_article
from flows.replica.corpus.articles import Corpus, MadeArticle, make_corpus
from flows.replica.disorder import pages_swapped, shuffled, with_burst
from flows.replica.faults import Behaviour, behaviour_from_json
from flows.replica.finding import Finder
from flows.replica.log import min_interval
from flows.replica.server import Replica
from tests.support.replica import (
    NEWS,
    NNEWS,
    first,
    get,
    keys_on,
    path_of,
    search,
)

SECOND = timedelta(seconds=1)


def edited(corpus: Corpus) -> MadeArticle:
    """An edited article at n.news that is not deleted."""
    plain = (one for one in corpus.articles if not one.subject.arena and not one.gone_at)
    return next(one for one in plain if len(one.versions) == 2)


def ask(naver: Replica, article: MadeArticle, **conditions: str) -> httpx.Response:
    return get(naver, NNEWS, path_of(article), **conditions)


def validators(answer: httpx.Response) -> tuple[str | None, str | None]:
    return answer.headers.get("etag"), answer.headers.get("last-modified")


@pytest.mark.parametrize("header", ["If-None-Match", "If-Modified-Since"])
def test_a_version_is_sent_once_and_an_edit_immediately(naver: Replica, header: str) -> None:
    naver.behaviour = Behaviour(validators=True)
    article = edited(naver.corpus)
    naver.clock.set(article.versions[1].since - SECOND)
    whole = ask(naver, article)
    condition = {header: validators(whole)[0 if header == "If-None-Match" else 1] or ""}
    known = ask(naver, article, **condition)
    assert (whole.status_code, known.status_code, known.content) == (200, 304, b"")
    assert validators(known) == validators(whole)
    assert "content-length" not in known.headers
    naver.clock.advance(SECOND)
    later = ask(naver, article, **condition)
    assert later.status_code == 200
    assert validators(later) != validators(whole)
    assert article.key is not None
    assert parse_article(later.content, article.key.url).title == article.versions[1].title


def test_an_etag_takes_precedence_over_a_date(naver: Replica) -> None:
    naver.behaviour = Behaviour(validators=True)
    article = first(naver.corpus)
    _, modified = validators(ask(naver, article))
    conditions = {"If-None-Match": 'W/"another"', "If-Modified-Since": modified or ""}
    assert ask(naver, article, **conditions).status_code == 200
    assert ask(naver, article, **{"If-Modified-Since": "no date"}).status_code == 200


def test_json_has_validators_too(naver: Replica) -> None:
    naver.behaviour = Behaviour(validators=True)
    now = naver.clock.now
    arena = next(one for one in naver.corpus.articles if one.subject.arena == "sports" and not one.gone(now))
    assert arena.key is not None
    path = f"/news/article/{arena.key.oid}/{arena.key.aid}"
    whole = get(naver, "api-gw.sports.naver.com", path)
    again = get(naver, "api-gw.sports.naver.com", path, **{"If-None-Match": whole.headers["etag"]})
    assert (whole.status_code, again.status_code, again.content) == (200, 304, b"")


def test_without_validators_a_condition_is_ignored(naver: Replica) -> None:
    naver.behaviour = Behaviour(validators=True)
    article = first(naver.corpus)
    etag, _ = validators(ask(naver, article))
    naver.behaviour = Behaviour()
    answer = ask(naver, article, **{"If-None-Match": etag or ""})
    assert (answer.status_code, validators(answer)) == (200, (None, None))


@pytest.mark.parametrize("field", ["restless", "validators"])
def test_two_responses_differ_in_bytes_and_not_in_content(naver: Replica, field: str) -> None:
    article = first(naver.corpus)
    assert article.key is not None
    assert ask(naver, article).content == ask(naver, article).content
    naver.behaviour = Behaviour(**{field: True})  # type: ignore[arg-type]
    one, other = ask(naver, article).content, ask(naver, article).content
    assert one != other
    assert parse_article(one, article.key.url) == parse_article(other, article.key.url)


def test_deleted_articles_have_no_validators(naver: Replica) -> None:
    naver.behaviour = Behaviour(validators=True)
    for gone in [one for one in naver.corpus.articles if one.gone(naver.clock.now) and not one.subject.arena][:4]:
        assert validators(ask(naver, gone)) == (None, None)


# -- unstable lists


@given(st.integers(0, 200), st.integers(0, 40), st.integers(0, 1000))
def test_no_item_moves_farther_than_allowed(number: int, places: int, seed: int) -> None:
    found = shuffled(range(number), places, Random(seed))
    assert sorted(found) == list(range(number))
    assert all(abs(at - item) <= places for at, item in enumerate(found))


@given(st.integers(0, 90), st.integers(1, 20))
def test_pages_are_swapped_in_pairs(number: int, size: int) -> None:
    swapped = pages_swapped(range(number), size)
    assert sorted(swapped) == list(range(number))
    if number >= 2 * size:
        assert list(swapped[:size]) == list(range(size, 2 * size))
    assert pages_swapped(swapped, size) == list(range(number)) or number % (2 * size)


def test_each_response_has_a_different_order_and_the_same_items(naver: Replica) -> None:
    asked = {"query": "소버린 AI", "display": 100, "sort": "date"}
    naver.behaviour = Behaviour(shuffled=20)
    one, other = (json.loads(search(naver, **asked).content)["items"] for _ in range(2))
    assert one != other
    assert len(one) == 100
    naver.behaviour = Behaviour(swapped=True)
    second = json.loads(search(naver, **asked).content)["items"]
    naver.behaviour = Behaviour()
    assert second == json.loads(search(naver, **asked, start=101).content)["items"]


def test_a_list_grows_while_it_is_read(naver: Replica) -> None:
    day = naver.corpus.first.replace(hour=9) + timedelta(days=5)
    naver.clock.set(day)
    naver.behaviour = Behaviour(tick=6 * 3600.0)
    path = f"/main/list.naver?mode=LSD&sid1=105&date={day:%Y%m%d}&page=1"
    early, late = (keys_on(get(naver, NEWS, path).text) for _ in range(2))
    assert naver.clock.now == day + timedelta(hours=12)
    assert len(set(late) - set(early)) > 0
    get(naver, NNEWS, path_of(first(naver.corpus)))
    assert naver.clock.now == day + timedelta(hours=12), "an article's page does not advance the clock"


def test_these_behaviours_can_be_set_from_outside() -> None:
    assert behaviour_from_json({"validators": True, "shuffled": 3, "tick": 1.5}) == Behaviour(
        validators=True, shuffled=3, tick=1.5
    )


# -- bursts


def test_a_burst_is_published_within_its_span_and_keeps_the_order() -> None:
    plain = make_corpus(3, articles=300, presses=3, days=4)
    at = plain.first + timedelta(days=2)
    corpus = with_burst(plain, at, articles=60, within=timedelta(minutes=1))
    times = [slot.since for slot in corpus.slots]
    assert times == sorted(times)
    inside = [slot for slot in corpus.slots if 0 <= slot.since - corpus.since(at) < 60]
    assert len(inside) >= 60
    assert [one.versions[0].text for one in corpus] == [one.versions[0].text for one in plain]
    shown = Finder(corpus).listed(corpus.offices[0].oid, at.date(), corpus.last)
    assert shown == sorted(shown, reverse=True)


def test_a_burst_needs_enough_later_articles() -> None:
    corpus = make_corpus(3, articles=20, presses=3, days=4)
    with pytest.raises(ValueError, match="no burst of 5"):
        with_burst(corpus, corpus.last, articles=5, within=timedelta(minutes=1))


def test_the_shortest_interval_between_two_requests(naver: Replica) -> None:
    assert min_interval(naver.log.entries, NNEWS) == float("inf")
    for _ in range(2):
        ask(naver, first(naver.corpus))
    assert 0 < min_interval(naver.log.entries, NNEWS) < 5
