"""The checks that need the network, against the replica: what is right, what goes wrong, how politely it is asked."""

from __future__ import annotations

import json
import socket
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from flows.replica.corpus.articles import Corpus
from flows.replica.faults import Behaviour, Fault, Rule
from flows.replica.log import forbidden_fetches, min_interval
from flows.replica.pages.notices import Robots
from flows.replica.pages.search_api import CLIENT_ID, CLIENT_SECRET
from flows.replica.server import Replica
from flows.runs.doctor.check import Check, Level
from flows.runs.doctor.naver.checks import NaverSeen, _short, check_naver
from schemas.topic import PressList, SearchApi, SearchPage, SectionList, Topic, load_topic
from storage.layout import BACKOFF
from tests.support.checks import found
from tests.support.naver.small import OLD, article_page, html, small_naver
from tests.support.paths import DEMO_TOPIC
from tests.support.servers.http import reply

NEWS, NNEWS, SEARCH, OPENAPI = "news.naver.com", "n.news.naver.com", "search.naver.com", "openapi.naver.com"
KEY = {"NAVER_CLIENT_ID": CLIENT_ID, "NAVER_CLIENT_SECRET": CLIENT_SECRET}
HOSTS = 7
"""Whose robots.txt is read: articles, lists, the search page, and two each for sports and entertainment."""


@pytest.fixture(scope="module")
def server(corpus: Corpus) -> Iterator[Replica]:
    """A replica whose clock runs."""
    with Replica(corpus, pace=1.0) as replica:
        yield replica


def topic(*sources: Any, **changed: Any) -> Topic:
    """The demo's topic, or one with other sources."""
    demo = load_topic(DEMO_TOPIC)
    return demo.model_copy(update={**({"sources": sources} if sources else {}), **changed})


def seen(
    naver: Replica, about: Topic | None = None, *, archive: Path = Path("none"), keys: Mapping[str, str] = KEY
) -> NaverSeen:
    return check_naver(about or topic(), naver.url, archive, keys)


def checks(naver: Replica, *rules: Rule, about: Topic | None = None, **behaviour: Any) -> tuple[Check, ...]:
    naver.behaviour = Behaviour(rules=rules, **behaviour)
    return seen(naver, about).checks


def robots_of(all_checks: tuple[Check, ...], host: str) -> Check:
    (check,) = [check for check in all_checks if check.name == "robots.txt" and check.found.startswith(host)]
    return check


# -- all is well, and what it costs


def test_all_checks_of_a_naver_in_order(naver: Replica) -> None:
    before = datetime.now(UTC) - timedelta(seconds=2)
    naver_seen = seen(naver)
    assert {check.level for check in naver_seen.checks} == {Level.OK}, naver_seen.checks
    assert [check.name for check in naver_seen.checks] == [
        *["robots.txt"] * HOSTS,
        *("key openapi", "source search_api", "source search_page", "source section_list", "article"),
    ]
    assert (
        "10 articles on its first page: 10 with title, 10 with desc"
        in found(naver_seen.checks, "source search_api").found
    )
    assert "with title" in found(naver_seen.checks, "source section_list").found
    article = found(naver_seen.checks, "article").found
    assert "by article_page/2: title " in article
    assert "with publisher, published_at" in article
    assert "body: in <article.go_trans>" in article
    assert naver_seen.time is not None
    assert before <= naver_seen.time <= datetime.now(UTC)


def test_a_dozen_requests_each_of_them_once_and_at_the_pace_of_the_topic(naver: Replica) -> None:
    demo = load_topic(DEMO_TOPIC)
    slow = demo.limits.model_copy(update={"requests_per_second": 4})
    seen(naver, topic(limits=slow))
    asked = Counter((entry.host, entry.target) for entry in naver.log.entries)
    assert set(asked.values()) == {1}
    assert sum(target == "/robots.txt" for _, target in asked) == HOSTS
    assert len(asked) == HOSTS + 4
    assert {entry.user_agent for entry in naver.log.entries} == {next(iter(naver.log.entries)).user_agent}
    assert all(min_interval(naver.log.entries, host) > 0.7 / 4 for host in (NEWS, NNEWS, SEARCH))


def test_what_robots_txt_forbids_is_not_asked_for(naver: Replica) -> None:
    all_checks = checks(naver, robots=Robots.FORBID)
    assert forbidden_fetches(naver.log.entries) == []
    assert {entry.target for entry in naver.log.entries if entry.host != OPENAPI} == {"/robots.txt"}
    assert {check.level for check in all_checks} == {Level.OK, Level.WARNING}
    assert robots_of(all_checks, NNEWS).found == f"{NNEWS} forbids articles"
    assert "robots.txt forbids it" in found(all_checks, "source search_page").found
    assert found(all_checks, "source section_list").level is Level.WARNING
    assert found(all_checks, "article").level is Level.WARNING
    assert found(all_checks, "source search_api").level is Level.OK


def test_where_no_source_may_be_read_no_run_finds_anything(naver: Replica) -> None:
    all_checks = checks(naver, about=topic(SearchPage(), SectionList(sids=("105",))), robots=Robots.FORBID)
    assert found(all_checks, "sources").level is Level.ERROR
    assert found(all_checks, "article").found == "not tried: no source names one"


def test_by_permission_the_rules_are_reported_and_not_applied(naver: Replica) -> None:
    allowed = topic(robots="permitted", permission="CANARY of 2026")
    all_checks = checks(naver, about=allowed, robots=Robots.FORBID)
    assert {check.level for check in all_checks} == {Level.OK}
    assert "forbids articles; not applied, by the permission" in robots_of(all_checks, NNEWS).found
    assert "CANARY" not in repr(all_checks)


def test_a_pause_that_a_host_asked_an_earlier_run_for_is_kept_to(naver: Replica, tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    until = datetime.now(UTC) + timedelta(hours=1)
    pauses = json.dumps({SEARCH: until.isoformat()})
    (tmp_path / BACKOFF).write_text(pauses, "utf-8")
    all_checks = seen(naver, archive=tmp_path).checks
    assert [entry for entry in naver.log.entries if entry.host == SEARCH] == []
    assert robots_of(all_checks, SEARCH).level is Level.ERROR
    assert "asked for a pause until" in found(all_checks, "source search_page").found
    assert (tmp_path / BACKOFF).read_text("utf-8") == pauses


def test_a_pause_that_a_host_asks_for_now_is_not_noted_in_the_archive(naver: Replica, tmp_path: Path) -> None:
    naver.behaviour = Behaviour(rules=(Rule(Fault.TOO_MANY, host=SEARCH, retry_after=600),))
    check = found(seen(naver, archive=tmp_path).checks, "source search_page")
    assert (check.level, check.found) == (Level.ERROR, "not read: blocked (status 429)")
    assert list(tmp_path.iterdir()) == []


# -- robots.txt


@pytest.mark.parametrize(
    ("variant", "level", "said"),
    [
        (Robots.MISSING, Level.OK, "has none, which allows articles"),
        (Robots.SLOW, Level.OK, "allows articles, 2 s between two requests"),
        (Robots.FORBID, Level.WARNING, "forbids articles"),
        (Robots.BROKEN, Level.ERROR, "cannot be read: unavailable (status 503), so nothing may be requested"),
    ],
)
def test_the_rules_of_the_host_of_articles(naver: Replica, variant: Robots, level: Level, said: str) -> None:
    check = robots_of(checks(naver, robots_by_host={NNEWS: variant}), NNEWS)
    assert check.level is level
    assert said in check.found


def test_a_host_of_sports_that_fails_is_no_reason_to_stop(naver: Replica) -> None:
    all_checks = checks(naver, robots_by_host={"api-gw.sports.naver.com": Robots.BROKEN})
    assert robots_of(all_checks, "api-gw.sports.naver.com").level is Level.WARNING


def test_hosts_that_no_source_of_the_topic_asks_are_left_alone(naver: Replica) -> None:
    all_checks = checks(naver, about=topic(SearchApi(endpoint="openapi")))
    assert {SEARCH, NEWS}.isdisjoint(entry.host for entry in naver.log.entries)
    assert sum(check.name == "robots.txt" for check in all_checks) == HOSTS - 2


# -- keys


@pytest.mark.parametrize(
    ("rule", "level", "said"),
    [
        (Rule(Fault.QUOTA, host=OPENAPI), Level.WARNING, "the day's quota is used up (status 429)"),
        (Rule(Fault.TOO_MANY, host=OPENAPI), Level.WARNING, "requests come too fast"),
        (Rule(Fault.SERVER_ERROR, host=OPENAPI), Level.WARNING, "a fault of its own"),
        (Rule(Fault.BLOCK_NOTICE, host=OPENAPI), Level.ERROR, "unknown layout: search_api/1 needs 'a JSON object'"),
        (Rule(Fault.CUT, host=OPENAPI), Level.ERROR, "no answer: connection"),
        (Rule(Fault.FORBIDDEN, host=OPENAPI), Level.ERROR, "refuses the key (status 403)"),
    ],
)
def test_what_the_search_api_says_to_a_key(naver: Replica, rule: Rule, level: Level, said: str) -> None:
    all_checks = checks(naver, rule)
    assert found(all_checks, "key openapi").level is level
    assert said in found(all_checks, "key openapi").found
    assert found(all_checks, "source search_api").level is Level.ERROR
    assert sum(entry.host == OPENAPI for entry in naver.log.entries) == 1


@pytest.mark.parametrize(
    ("given", "said", "asked"),
    [
        ({"NAVER_CLIENT_SECRET": "CANARY"}, "refuses the key (status 401)", 1),
        ({"NAVER_CLIENT_SECRET": ""}, "NAVER_CLIENT_SECRET: not set", 0),
        ({"NAVER_CLIENT_ID": "", "NAVER_CLIENT_SECRET": " "}, "NAVER_CLIENT_ID and NAVER_CLIENT_SECRET: not set", 0),
        ({"NAVER_CLIENT_SECRET": "CANARY\u200b"}, "NAVER_CLIENT_SECRET is not a key", 0),
    ],
)
def test_a_key_that_does_not_work(naver: Replica, given: dict[str, str], said: str, asked: int) -> None:
    all_checks = seen(naver, keys=KEY | given).checks
    assert found(all_checks, "key openapi").level is Level.ERROR
    assert said in found(all_checks, "key openapi").found
    assert found(all_checks, "source search_api").level is Level.ERROR
    assert sum(entry.host == OPENAPI for entry in naver.log.entries) == asked
    assert "CANARY" not in repr(all_checks)


def test_a_key_that_the_topic_has_no_use_for_is_tried_too(naver: Replica) -> None:
    both = {"NAVER_APIHUB_KEY_ID": CLIENT_ID, "NAVER_APIHUB_KEY": CLIENT_SECRET}
    all_checks = seen(naver, keys=KEY | both).checks
    assert found(all_checks, "key openapi").found == "accepted"
    assert "no search_api source with this endpoint" in found(all_checks, "key apihub").found
    half = seen(naver, keys=KEY | {"NAVER_APIHUB_KEY_ID": CLIENT_ID}).checks
    assert found(half, "key apihub").level is Level.WARNING


def test_a_topic_without_queries_tries_a_key_with_its_title(naver: Replica) -> None:
    all_checks = checks(naver, about=topic(PressList(oids=("001",)), queries=()))
    assert found(all_checks, "key openapi").level is Level.OK


def test_a_key_is_not_sent_in_the_open(naver: Replica, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flows.fetching.hosts._is_loopback", lambda host: False)
    check = found(seen(naver).checks, "key openapi")
    assert check.level is Level.ERROR
    assert "not sent: API keys are sent only over https" in check.found
    assert OPENAPI not in {entry.host for entry in naver.log.entries}


# -- sources


@pytest.mark.parametrize(
    ("name", "rule", "level", "said"),
    [
        ("search_page", Rule(Fault.FORBIDDEN, host=SEARCH), Level.ERROR, "answered with status 403"),
        ("search_page", Rule(Fault.BLOCK_NOTICE, host=SEARCH), Level.ERROR, "unknown layout: search_page/2 needs"),
        ("search_page", Rule(Fault.NO_LINKS, host=SEARCH), Level.WARNING, "names no article; 10 more are not hosted"),
        (
            "search_page",
            Rule(Fault.RENAMED, host=SEARCH, old="data-heatmap-target", new="data-target"),
            Level.OK,
            "10 articles on its first page: 10 with title",
        ),
        ("search_page", Rule(Fault.SERVER_ERROR, host=SEARCH), Level.ERROR, "not read: unavailable (status 503)"),
        ("section_list", Rule(Fault.EMPTY_LIST, host=NEWS), Level.WARNING, "names no article"),
        ("section_list", Rule(Fault.UNAVAILABLE, host=NEWS), Level.ERROR, "unknown layout: list_page/1 needs"),
        ("section_list", Rule(Fault.REDIRECT_OFF, host=NEWS), Level.ERROR, "not read: bad_redirect (status 302)"),
    ],
)
def test_a_source_that_goes_wrong(naver: Replica, name: str, rule: Rule, level: Level, said: str) -> None:
    check = found(checks(naver, rule), f"source {name}")
    assert check.level is level
    assert said in check.found


def test_a_query_that_finds_nothing(naver: Replica) -> None:
    all_checks = checks(naver, about=topic(SearchPage(), queries=("없는 낱말 없는 낱말",)))
    assert found(all_checks, "source search_page").level is Level.WARNING
    assert found(all_checks, "sources").level is Level.ERROR


def test_a_list_of_a_press_office(naver: Replica) -> None:
    oid = next(article.press.oid for article in naver.corpus.articles if article.key)
    check = found(checks(naver, about=topic(PressList(oids=(oid,), name="daily"))), "source daily")
    assert check.level is Level.OK


# -- one article


@pytest.mark.parametrize(
    ("rule", "level", "said"),
    [
        (Rule(Fault.NO_BODY, host=NNEWS), Level.ERROR, "unknown layout: article_page/2 needs"),
        (Rule(Fault.NO_DATE, host=NNEWS), Level.ERROR, "unknown layout: article_page/2 needs"),
        (Rule(Fault.UNAVAILABLE, host=NNEWS), Level.WARNING, "not available at the moment"),
        (Rule(Fault.FORBIDDEN, host=NNEWS), Level.ERROR, "answered with status 403"),
        (Rule(Fault.SERVER_ERROR, host=NNEWS), Level.ERROR, "unavailable (status 503)"),
        (Rule(Fault.GONE, host=NNEWS), Level.WARNING, "the first 3 that the sources name are gone"),
        (Rule(Fault.GONE, host=NNEWS, times=2), Level.OK, "by article_page/2"),
    ],
)
def test_an_article_that_goes_wrong(naver: Replica, rule: Rule, level: Level, said: str) -> None:
    check = found(checks(naver, rule), "article")
    assert check.level is level
    assert said in check.found


def test_a_list_without_titles_looks_different_now() -> None:
    with small_naver() as naver:
        naver.titles = dict.fromkeys(OLD, "")
        all_checks = check_naver(topic(SectionList(sids=("105",))), naver.url, Path("none"), {}).checks
    check = found(all_checks, "source section_list")
    assert check.level is Level.WARNING
    assert "2 articles on its first page" in check.found
    assert "titles are missing" in check.todo


def test_an_article_without_a_text_may_be_a_flash() -> None:
    with small_naver() as naver:
        naver.poison(naver.listed[0], html(article_page(naver.listed[0], body="")))
        all_checks = check_naver(topic(SectionList(sids=("105",))), naver.url, Path("none"), {}).checks
    assert found(all_checks, "article").level is Level.WARNING
    assert "without a text" in found(all_checks, "article").found


# -- no network


def test_nobody_listens() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        naver_seen = check_naver(topic(), f"http://127.0.0.1:{free.getsockname()[1]}", Path("none"), KEY)
    (check,) = naver_seen.checks
    assert (check.name, check.level, naver_seen.time) == ("network", Level.ERROR, None)
    assert "no host answers: connection: " in check.found


@contextmanager
def black_hole() -> Iterator[str]:
    """A server that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


def test_nobody_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flows.runs.doctor.naver.checks._AT_MOST", {"read_timeout_seconds": 0.2})
    with black_hole() as url:
        (check,) = check_naver(topic(), url, Path("none"), KEY).checks
    assert check.name == "network"
    assert "no host answers: timeout" in check.found


def test_each_host_is_tried_once_and_not_for_long() -> None:
    patient = load_topic(DEMO_TOPIC).limits.model_copy(update={"total_timeout_seconds": 3600.0})
    short = _short(patient)
    assert (short.tries, short.connect_timeout_seconds, short.read_timeout_seconds) == (1, 5, 6)
    assert (short.total_timeout_seconds, short.patience_seconds) == (15, 5)
    hasty = patient.model_copy(update={"connect_timeout_seconds": 0.5, "requests_per_second": 0.1})
    assert _short(hasty).connect_timeout_seconds == 0.5
    assert _short(hasty).requests_per_second == 0.1


def test_a_name_that_leads_nowhere() -> None:
    (check,) = check_naver(topic(), "http://no-such-host.invalid:8000", Path("none"), KEY).checks
    assert check.name == "network"
    assert "the name no-such-host.invalid cannot be resolved: " in check.found


def test_a_resolver_that_does_not_answer_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    silent = Event()
    monkeypatch.setattr("flows.runs.doctor.naver.checks.RESOLVED_WITHIN", 0.05)
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_: silent.wait(20))
    (check,) = check_naver(topic(), None, Path("none"), KEY).checks
    silent.set()
    assert check.level is Level.ERROR
    assert "the name n.news.naver.com is not resolved within 0.05 s" in check.found


# -- the servers' clock


def test_the_servers_clock_is_read_even_where_everything_is_forbidden() -> None:
    text = b"User-agent: *\nDisallow: /\n"
    with small_naver() as naver:
        naver.strange["/robots.txt"] = reply(text, headers=["Date: Tue, 01 Dec 2026 03:00:00 GMT"])
        naver_seen = check_naver(topic(SectionList(sids=("105",))), naver.url, Path("none"), {})
    assert naver_seen.time == datetime(2026, 12, 1, 3, tzinfo=UTC)
