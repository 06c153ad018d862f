"""The replica's faults on demand, its robots.txt, and its request log."""

from __future__ import annotations

import gzip
import re
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx
import pytest

from flows.naver.articles.layouts import parse_article
from flows.naver.urls import find_article_key
from flows.replica.faults import Behaviour, Fault, Faults, Rule, behaviour_from_json
from flows.replica.log import LogEntry, forbidden_fetches, max_in_flight, max_rate, requests_during_pause
from flows.replica.pages.notices import Robots
from flows.replica.pages.search_api import CLIENT_SECRET
from flows.replica.server import Replica
from schemas.article import SEOUL
from schemas.errors import BadInput, LayoutChanged, TemporarilyUnavailable
from tests.support.replica import (
    NEWS,
    NNEWS,
    TLS,
    first,
    get,
    keys_on,
    path_of,
    search,
)


def apply_fault(naver: Replica, fault: Fault, **options: object) -> None:
    naver.behaviour = Behaviour(rules=(Rule(fault, **options),))  # type: ignore[arg-type]


@pytest.mark.parametrize("as_date", [False, True])
def test_too_many_requests_asks_for_a_pause(naver: Replica, as_date: bool) -> None:
    apply_fault(naver, Fault.TOO_MANY, host=NNEWS, times=1, retry_after=5, as_date=as_date)
    path = path_of(first(naver.corpus))
    refused, passed = get(naver, NNEWS, path), get(naver, NNEWS, path)
    assert (refused.status_code, passed.status_code) == (429, 200)
    named = refused.headers["retry-after"]
    seconds = (parsedate_to_datetime(named) - datetime.now(UTC)).total_seconds() if as_date else float(named)
    assert 3 < seconds <= 5
    assert [entry.status for entry in requests_during_pause(naver.log.entries, grace=0)] == [200]


def test_faults_of_the_search_api_have_its_error_format(naver: Replica) -> None:
    for fault, status, code in (
        (Fault.TOO_MANY, 429, "012"),
        (Fault.QUOTA, 429, "010"),
        (Fault.SERVER_ERROR, 500, "SE99"),
    ):
        apply_fault(naver, fault, status=500)
        answer = search(naver, query="AI")
        assert (answer.status_code, answer.json()["errorCode"]) == (status, code)


def test_a_cut_answer_breaks_the_connection(naver: Replica) -> None:
    apply_fault(naver, Fault.CUT, times=1)
    path = path_of(first(naver.corpus))
    with pytest.raises(httpx.RemoteProtocolError):
        get(naver, NNEWS, path)
    assert get(naver, NNEWS, path).status_code == 200
    assert [entry.fault for entry in naver.log.entries] == [Fault.CUT, None]


@pytest.mark.parametrize("fault", [Fault.SLOW, Fault.TRICKLE])
def test_slow_responses_are_correct_and_late(naver: Replica, fault: Fault) -> None:
    apply_fault(naver, fault, seconds=0.3)
    article = first(naver.corpus)
    assert article.key is not None
    started = time.monotonic()
    answer = get(naver, NNEWS, path_of(article))
    assert time.monotonic() - started >= 0.28
    assert parse_article(answer.content, article.key.url).title == article.at(naver.clock.now).title


@pytest.mark.parametrize(
    ("rule", "selector"),
    [
        (Rule(Fault.NO_BODY), "#dic_area"),
        (Rule(Fault.NO_DATE), "_ARTICLE_DATE_TIME"),
        (Rule(Fault.RENAMED, old="media_end_head_headline", new="x9f"), "media_end_head_headline"),
        (Rule(Fault.BLOCK_NOTICE), "#dic_area"),
    ],
)
def test_a_changed_layout_is_detected(naver: Replica, rule: Rule, selector: str) -> None:
    naver.behaviour = Behaviour(rules=(rule,))
    article = first(naver.corpus)
    assert article.key is not None
    answer = get(naver, NNEWS, path_of(article))
    assert answer.status_code == 200
    with pytest.raises(LayoutChanged, match=re.escape(selector)):
        parse_article(answer.content, article.key.url)


def test_unavailable_pages_and_invalid_compression(naver: Replica) -> None:
    article = first(naver.corpus)
    assert article.key is not None
    apply_fault(naver, Fault.UNAVAILABLE)
    with pytest.raises(TemporarilyUnavailable):
        parse_article(get(naver, NNEWS, path_of(article)).content, article.key.url)
    apply_fault(naver, Fault.BAD_GZIP)
    with pytest.raises(httpx.DecodingError):
        get(naver, NNEWS, path_of(article))
    apply_fault(naver, Fault.BOMB, size=3_000_000)
    bomb = get(naver, NNEWS, path_of(article))
    assert int(bomb.headers["content-length"]) < 10_000
    assert len(bomb.content) == 3_000_000


def test_gzip_is_sent_to_clients_that_accept_it(naver: Replica) -> None:
    path = path_of(first(naver.corpus))
    packed, plain = get(naver, NNEWS, path), get(naver, NNEWS, path, **{"Accept-Encoding": "identity"})
    assert packed.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert packed.content == plain.content
    assert int(packed.headers["content-length"]) == len(gzip.compress(plain.content, 1, mtime=0))
    naver.behaviour = Behaviour(gzip=False)
    assert "content-encoding" not in get(naver, NNEWS, path).headers


def test_lists_and_searches_lose_their_articles(naver: Replica) -> None:
    apply_fault(naver, Fault.EMPTY_LIST)
    day = f"{naver.corpus.last:%Y%m%d}"
    text = get(naver, NEWS, f"/main/list.naver?mode=LSD&mid=shm&sid1=105&date={day}&page=1").text
    assert "type06_headline" in text
    assert not keys_on(text)
    apply_fault(naver, Fault.NO_LINKS)
    text = get(naver, "search.naver.com", "/search.naver?where=news&query=AI&start=1").text
    assert 'data-heatmap-target=".nav"' in text
    assert not [url for url in re.findall(r'href="([^"]+)"', text) if find_article_key(url)]


def test_faulty_redirects(naver: Replica) -> None:
    path = path_of(first(naver.corpus))
    apply_fault(naver, Fault.REDIRECT_OFF)
    assert httpx.URL(get(naver, NNEWS, path).headers["location"]).host == "elsewhere.example"
    apply_fault(naver, Fault.REDIRECT_LOOP)
    assert get(naver, NNEWS, path).headers["location"] == f"https://{NNEWS}{path}"


def test_a_wrong_charset_names_another_encoding_than_the_bytes_have(naver: Replica) -> None:
    apply_fault(naver, Fault.WRONG_CHARSET)
    answer = get(naver, NNEWS, path_of(first(naver.corpus)))
    assert "EUC-KR" in answer.headers["content-type"]
    assert "dic_area" in answer.content.decode("utf-8")


def test_rules_apply_as_often_as_they_state() -> None:
    faults = Faults(
        Behaviour(rules=(Rule(Fault.SERVER_ERROR, path="/a", after=1, times=2), Rule(Fault.GONE, host="b")))
    )
    assert [rule.fault if (rule := faults.choose("h", "/a")) else None for _ in range(4)] == [
        None, Fault.SERVER_ERROR, Fault.SERVER_ERROR, None,
    ]  # fmt: skip
    assert faults.choose("h", "/x") is None
    assert faults.choose("b", "/robots.txt") is None
    assert faults.choose("b", "/x") is not None


def test_rates_depend_on_the_seed_and_not_on_the_order() -> None:
    targets = [f"/{number}" for number in range(2_000)]
    rates = {Fault.SERVER_ERROR: 0.1, Fault.SLOW: 0.2}

    def struck(seed: int, order: list[str]) -> dict[str, Fault | None]:
        faults = Faults(Behaviour(seed=seed, rates=rates))
        return {target: rule.fault if (rule := faults.choose("h", target)) else None for target in order}

    chosen = struck(1, targets)
    counts = Counter(chosen.values())
    assert chosen == struck(1, targets[::-1]) != struck(2, targets)
    assert 150 < counts[Fault.SERVER_ERROR] < 250
    assert 330 < counts[Fault.SLOW] < 470


@pytest.mark.parametrize(
    ("variant", "status", "text"),
    [
        (Robots.ALLOW, 200, "Allow: /"),
        (Robots.FORBID, 200, "Disallow: /"),
        (Robots.SLOW, 200, "Crawl-delay: 2"),
        (Robots.BROKEN, 503, "Unavailable"),
        (Robots.MISSING, 404, "Not Found"),
    ],
)
def test_robots_and_the_fetches_that_it_forbids(naver: Replica, variant: Robots, status: int, text: str) -> None:
    naver.behaviour = Behaviour(robots=variant)
    answer = get(naver, NNEWS, "/robots.txt")
    assert (answer.status_code, text in answer.text) == (status, True)
    get(naver, NNEWS, path_of(first(naver.corpus)))
    search(naver, query="AI")
    forbidden = [entry.target for entry in forbidden_fetches(naver.log.entries)]
    assert forbidden == ([path_of(first(naver.corpus))] if variant in (Robots.FORBID, Robots.BROKEN) else [])


def test_the_log_records_clients_cookies_and_keys(naver: Replica) -> None:
    with httpx.Client(headers={"User-Agent": "seogo/0.1"}) as client:
        for _ in range(2):  # this client stores the cookie that the page sets
            url = naver.url + path_of(first(naver.corpus))
            client.get(url, headers={"Host": NNEWS})
            client.cookies.set("NNB", "canary-cookie", domain="127.0.0.1")
    search(naver, query="AI")
    one, two, three = naver.log.entries
    assert (one.host, one.status, one.user_agent, one.cookies) == (NNEWS, 200, "seogo/0.1", ())
    assert (two.cookies, three.keys) == (("NNB",), ("x-naver-client-id", "x-naver-client-secret"))
    assert one.finished is not None
    assert one.arrived < one.finished <= two.arrived
    assert "canary-cookie" not in repr(naver.log.entries)
    assert CLIENT_SECRET not in repr(naver.log.entries)


def test_the_log_counts_what_is_open_at_once(naver: Replica) -> None:
    apply_fault(naver, Fault.SLOW, seconds=0.3)
    path = path_of(first(naver.corpus))
    threads = [threading.Thread(target=get, args=(naver, NNEWS, path)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(5)
    assert max_in_flight(naver.log.entries, NNEWS) == 4
    assert max_in_flight(naver.log.entries, NEWS) == 0
    naver.behaviour = Behaviour()
    get(naver, NNEWS, path)
    assert naver.log.entries[-1].in_flight == 1


def entry_at(second: float, host: str = "h") -> LogEntry:
    return LogEntry(0, second, datetime.now(UTC), "GET", host, "/", "", 1, (), (), False, 200, second + 0.1)


def test_the_rate_is_that_of_the_busiest_second() -> None:
    log = [entry_at(second) for second in (0.0, 0.9, 1.0, 1.1, 1.8, 5.0)] + [entry_at(1.0, "other")]
    assert max_rate(log, "h") == 4  # 0.9, 1.0, 1.1, 1.8
    assert max_rate(log, "h", window=2) == 2.5
    assert max_rate(log, "nobody") == 0


def test_only_requests_during_a_pause_of_their_own_host_are_violations() -> None:
    pause = replace(entry_at(10.0), status=429, paused_until=13.1)
    log = [entry_at(9.0), pause, entry_at(10.12), entry_at(11.0), entry_at(11.0, "other"), entry_at(13.2)]
    assert [entry.arrived for entry in requests_during_pause(log)] == [11.0]


def control(naver: Replica, what: str, data: object) -> httpx.Response:
    with httpx.Client(timeout=5, verify=TLS) as client:
        return client.post(f"{naver.url}/__replica__/{what}", json=data)


def test_everything_can_be_changed_over_http(naver: Replica) -> None:
    article = first(naver.corpus)
    assert article.key is not None
    rule = {"fault": "server_error", "path": "/mnews/", "status": 502, "times": 1}
    assert control(naver, "behaviour", {"rules": [rule], "robots": "forbid", "layout": "2022"}).status_code == 200
    assert naver.behaviour.rules == (Rule(Fault.SERVER_ERROR, path="/mnews/", status=502, times=1),)
    assert get(naver, NNEWS, path_of(article)).status_code == 502
    assert '<div id="dic_area"' in get(naver, NNEWS, path_of(article)).text
    assert control(naver, "clock", {"advance": 3_600}).json() == {"now": "2026-10-07T23:00:00+09:00"}
    assert control(naver, "clock", {"now": "2026-10-01T00:00:00+09:00"}).status_code == 200
    assert naver.clock.now == datetime(2026, 10, 1, tzinfo=SEOUL)
    log = get(naver, "", "/__replica__/log").json()
    assert [(entry["status"], entry["forbidden"]) for entry in log] == [(502, True), (200, True)]
    truth = get(naver, "", f"/__replica__/truth?id={article.key.id}").json()
    assert (truth["title"], truth["on_topic"]) == (article.at(naver.clock.now).title, article.on_topic)
    assert len(get(naver, "", "/__replica__/truth?from=0").json()) > 900


@pytest.mark.parametrize(
    ("what", "data", "named"),
    [
        ("behaviour", {"colour": 1}, "colour"),
        ("behaviour", {"rates": {"rain": 1}}, "rain"),
        ("behaviour", {"rules": [{"fault": "cut", "often": 2}]}, "often"),
        ("behaviour", [], "JSON object"),
        ("clock", {"now": "2026-10-01T00:00:00"}, "time zone"),
        ("clock", {}, "advance"),
    ],
)
def test_mistakes_in_control_requests_are_named(naver: Replica, what: str, data: object, named: str) -> None:
    answer = control(naver, what, data)
    assert answer.status_code == 400
    assert named in answer.json()["error"]


def test_a_behaviour_from_json_is_the_one_in_python() -> None:
    given_json = {"seed": 3, "rates": {"cut": 0.5}, "robots_by_host": {NEWS: "slow"}, "padding": 10, "gzip": False}
    assert behaviour_from_json(given_json) == Behaviour(
        seed=3, rates={Fault.CUT: 0.5}, robots_by_host={NEWS: Robots.SLOW}, padding=10, gzip=False
    )


def test_a_taken_port_is_named(naver: Replica) -> None:
    port = int(naver.url.rpartition(":")[2])
    with pytest.raises(BadInput, match=f"port {port} "), Replica(naver.corpus, port=port):
        pass


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_command_line_server_prints_its_address_and_stops_on_a_signal(number: int) -> None:
    script = "from flows.replica.server import serve; serve(seed=2, articles=50)"
    with subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as one:
        try:
            assert one.stdout is not None
            line = one.stdout.readline()
            url = re.match(r"replica: (http://127\.0\.0\.1:\d+) ", line)
            assert url is not None, line
            assert httpx.get(url[1] + "/robots.txt", headers={"Host": NEWS}, timeout=5).status_code == 200
            one.send_signal(number)
            out, err = one.communicate(timeout=10)
        finally:
            one.kill()
    assert (one.returncode, out, err) == (0, "", "")
