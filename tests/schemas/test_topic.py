"""The topic file: what it may contain, and how mistakes are reported."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from schemas.errors import TopicError
from schemas.topic import (
    ExcludeRule,
    HostLimits,
    Limits,
    PhraseRule,
    PressList,
    Relevance,
    SearchApi,
    SearchPage,
    SectionList,
    Team,
    Topic,
    Webhook,
    default_topic_path,
    load_topic,
)
from schemas.topic.fields import naver_address
from schemas.topic.model import _MODELS
from schemas.topic.yaml_source import MAX_BYTES, MAX_DEPTH
from tests.support.paths import ROOT

GOOD = """\
name: test
title: 시험
contact: a@example.org
sources:
  - type: search_page
queries: [소버린 AI]
relevance:
  threshold: 1
"""


def write(folder: Path, text: str, name: str = "topic.yaml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def mistakes(folder: Path, text: str) -> list[str]:
    """The lines of the TopicError for a file with this text, without the path."""
    path = write(folder, text)
    with pytest.raises(TopicError) as caught:
        load_topic(path)
    return [line.removeprefix(f"{path}:") for line in str(caught.value).splitlines()]


def with_line(line: str) -> str:
    """GOOD with further lines, beginning on line 9."""
    return GOOD + line + "\n"


# --- files that are right ------------------------------------------------------------------------------------------


def test_the_smallest_topic_has_the_documented_defaults(tmp_path: Path) -> None:
    topic = load_topic(write(tmp_path, GOOD))
    assert topic == Topic(
        name="test",
        title="시험",
        contact="a@example.org",
        sources=(SearchPage(),),
        queries=("소버린 AI",),
        relevance=Relevance(threshold=1),
    )
    assert topic.robots == "obey"
    assert topic.archive.front_matter == "seed"
    assert topic.limits == Limits(
        requests_per_second=1.0,
        concurrency=2,
        hosts={},
        tries=4,
        connect_timeout_seconds=10,
        read_timeout_seconds=20,
        total_timeout_seconds=60,
        max_answer_bytes=20_000_000,
        backoff_seconds=2.0,
        max_backoff_seconds=300,
        patience_seconds=120,
        lag=timedelta(hours=2),
        lookback=timedelta(days=3),
        max_fetches=None,
    )


def test_every_key_is_read(tmp_path: Path) -> None:
    text = """\
name: all_keys
title: 모든 키
contact: https://example.org/crawler
robots: permitted
permission: |
  agreement of
  2026-03-02
naver: http://127.0.0.1:8000/
sources:
  - {type: search_api, endpoint: openapi, name: 검색}
  - {type: press_list, oids: [001, 018, 119]}
  - {type: section_list, sids: [105, 110]}
  - {type: search_page}
queries: [no, 2025-12-30, 12, 독파모]
relevance:
  threshold: 2.5
  context: AI
  phrases:
    - {phrases: 독파모, weight: 3, where: title, name: the project}
    - {phrases: 정예팀, weight: 1, in_passing: 0.5}
  exclude:
    - {phrases: [부고, 인사], weight: veto}
    - {phrases: 태양광, weight: -1.5, where: body}
teams:
  - {name: 업스테이지, aliases: [업스테이지], models: [솔라, [솔라 오픈, Solar Open]], weight: 0.5}
  - {name: 가온, models: 노을}
limits:
  requests_per_second: 0
  concurrency: 8
  hosts: {N.news.naver.com: {requests_per_second: 0.5, concurrency: 1}}
  max_answer_bytes: 1_000_000
  lag: 90m
  lookback: P10D
  max_fetches: 100
archive: {front_matter: strict}
"""
    topic = load_topic(write(tmp_path, text))
    assert topic.permission == "agreement of 2026-03-02"
    assert topic.naver == "http://127.0.0.1:8000"
    assert topic.sources == (
        SearchApi(endpoint="openapi", name="검색"),
        PressList(oids=("001", "018", "119")),  # not 1, 18, 119
        SectionList(sids=("105", "110")),
        SearchPage(),
    )
    assert [source.label for source in topic.sources] == ["검색", "press_list", "section_list", "search_page"]
    assert topic.queries == ("no", "2025-12-30", "12", "독파모")
    assert topic.relevance == Relevance(
        threshold=2.5,
        context=("AI",),
        phrases=(
            PhraseRule(phrases=("독파모",), weight=3, where="title", name="the project"),
            PhraseRule(phrases=("정예팀",), weight=1, in_passing=0.5),
        ),
        exclude=(
            ExcludeRule(phrases=("부고", "인사"), weight="veto"),
            ExcludeRule(phrases=("태양광",), weight=-1.5, where="body"),
        ),
    )
    assert topic.teams == (
        Team(name="업스테이지", aliases=("업스테이지",), models=(("솔라",), ("솔라 오픈", "Solar Open")), weight=0.5),
        Team(name="가온", models=(("노을",),)),
    )
    assert (topic.limits.lag, topic.limits.lookback) == (timedelta(minutes=90), timedelta(days=10))
    assert (topic.limits.max_answer_bytes, topic.limits.max_fetches) == (1_000_000, 100)
    assert topic.limits.hosts == {"n.news.naver.com": HostLimits(requests_per_second=0.5, concurrency=1)}
    assert (topic.limits.requests_per_second, topic.limits.concurrency) == (0, 8)
    assert topic.archive.front_matter == "strict"


def test_a_topic_is_frozen_and_its_rules_can_be_a_key_of_a_cache() -> None:
    topic = load_topic(default_topic_path())
    with pytest.raises(ValidationError):
        topic.name = "other"
    assert hash((topic.relevance, topic.teams)) == hash(
        (load_topic(default_topic_path()).relevance, load_topic(default_topic_path()).teams)
    )


def test_a_key_without_a_value_is_left_out(tmp_path: Path) -> None:
    assert load_topic(write(tmp_path, GOOD + "limits:\n  tries:\npermission: ~\nteams: null\n")).limits == Limits()


def test_a_file_from_a_windows_editor_is_read(tmp_path: Path) -> None:
    path = tmp_path / "topic.yaml"
    path.write_bytes(b"\xef\xbb\xbf" + GOOD.replace("\n", "\r\n").encode())
    assert load_topic(path).title == "시험"


def test_text_is_kept_in_nfc(tmp_path: Path) -> None:
    decomposed = "\u1103\u1169\u11a8\u1111\u1161\u1106\u1169"  # 독파모 as separate letters
    assert load_topic(write(tmp_path, GOOD.replace("소버린 AI", decomposed))).queries == ("독파모",)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("45s", timedelta(seconds=45)),
        ("90m", timedelta(minutes=90)),
        ("2 h", timedelta(hours=2)),
        ("1.5d", timedelta(hours=36)),
        ("1w", timedelta(days=7)),
        ("PT2H30M", timedelta(hours=2, minutes=30)),
        ("0m", timedelta(0)),
    ],
)
def test_durations(text: str, expected: timedelta) -> None:
    assert Limits.model_validate({"lag": text}).lag == expected


@pytest.mark.parametrize(
    "text", ["", "2", "h", "-2h", "2 hours", "1e3h", "P", "PT", "P1000000000D", "31d", "9" * 99 + "d"]
)
def test_invalid_durations(text: str) -> None:
    with pytest.raises(ValidationError):
        Limits.model_validate({"lag": text})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000"),
        (" https://replica.example.org/ ", "https://replica.example.org"),
        ("http://[::1]:8000", "http://[::1]:8000"),
    ],
)
def test_naver_addresses(text: str, expected: str) -> None:
    assert naver_address(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "127.0.0.1:8000",
        "ftp://a",
        "http://",
        "http://a/b",
        "http://a?b",
        "http://u@a",
        "http://a:0",
        "http://a:65536",
        "http://a b",
        "http://a\r\nX: y",
        "http://é.example",
    ],
)
def test_invalid_naver_addresses(text: str) -> None:
    with pytest.raises(ValueError, match="expected an address such as"):
        naver_address(text)


@pytest.mark.parametrize(
    "contact", ["nobody", "a@b", "a b@example.org", "a@example.org\r\nX: y", "http://", "é@example.org"]
)
def test_an_invalid_contact(contact: str, tmp_path: Path) -> None:
    text = GOOD.replace("a@example.org", repr(contact).replace("'", '"'))
    (line,) = mistakes(tmp_path, text)
    assert line.startswith("3: contact: expected an e-mail address or URL where Naver can reach you (given ")


HOOK = GOOD + "webhooks:\n  - name: 판\n    url: {url}\n    secret: {secret}\n"


@pytest.mark.parametrize(
    "url",
    [
        *("https://receiver.example/a?b=c", "https://receiver.example:8443", "http://localhost:9000/x"),
        *("http://127.0.0.1/", "http://10.0.0.3:80/", "http://[::1]:8000/", "https://203.0.113.9/"),
    ],
)
def test_an_address_of_a_webhook(url: str, tmp_path: Path) -> None:
    topic = load_topic(write(tmp_path, HOOK.format(url=url, secret="SEOGO_HOOK")))
    assert topic.webhooks == (Webhook(name="판", url=url, secret="SEOGO_HOOK"),)


@pytest.mark.parametrize(
    "url",
    [
        *("http://receiver.example/", "http://8.8.8.8/", "ftp://receiver.example", "//receiver.example", "receiver"),
        *("https://user:word@receiver.example/", "https://receiver.example/#a", "https://receiver.example/a b"),
        *("http://169.254.169.254/latest", "https://169.254.169.254/", "http://[fe80::1]/", "http://0.0.0.0/"),
        *("https://224.0.0.1/", "https://receiver.example:80a/", "https://수신.example/"),
    ],
)
def test_an_address_that_no_webhook_may_have(url: str, tmp_path: Path) -> None:
    (line,) = mistakes(tmp_path, HOOK.format(url=f"'{url}'", secret="SEOGO_HOOK"))
    assert "webhooks[0].url: expected an https address" in line


def test_a_secret_in_the_topic_file_is_refused_and_not_repeated(tmp_path: Path) -> None:
    (line,) = mistakes(tmp_path, HOOK.format(url="https://a.example/", secret="whsec_c2VjcmV0"))
    assert "webhooks[0].secret: expected the name of the environment variable" in line
    assert "c2VjcmV0" not in line


def test_webhooks_ask_for_teams_of_the_topic_and_have_names_of_their_own(tmp_path: Path) -> None:
    hook = "  - {name: 판, url: 'https://a.example/', secret: SEOGO_HOOK"
    (line,) = mistakes(tmp_path, f"{GOOD}webhooks:\n{hook}, teams: [없는 팀]}}\n")
    assert "expected names of teams of this topic (given '없는 팀')" in line
    (line,) = mistakes(tmp_path, f"{GOOD}webhooks:\n{hook}}}\n{hook}}}\n")
    assert "has the same name as number 1" in line


# --- the topics that ship ------------------------------------------------------------------------------------------


def test_the_topic_that_ships() -> None:
    topic = load_topic(default_topic_path())
    assert topic.name == "foundation_model"
    assert (topic.robots, topic.permission, topic.naver) == ("obey", None, None)
    assert topic.limits == Limits()  # the file spells the defaults out
    assert [team.name for team in topic.teams] == [
        *("LG AI연구원", "SK텔레콤", "업스테이지", "모티프테크놀로지스", "네이버클라우드", "NC AI")
    ]
    assert [source.label for source in topic.sources] == ["search_api", "search_page", "section_list"]


def test_the_demo_has_the_rules_of_the_topic_that_ships() -> None:
    real, demo = load_topic(default_topic_path()), load_topic(ROOT / "topics" / "demo.yaml")
    assert (demo.relevance, demo.teams, demo.queries) == (real.relevance, real.teams, real.queries)
    assert (demo.name, demo.robots, demo.limits.requests_per_second) == ("demo", "obey", 0)


def test_the_default_topic_is_found_in_an_installed_package_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("schemas.topic.model.__file__", str(tmp_path / "schemas" / "topic" / "model.py"))
    assert default_topic_path() == tmp_path / "topics" / "foundation_model.yaml"
    (tmp_path / "flows" / "topics").mkdir(parents=True)
    shipped = write(tmp_path / "flows" / "topics", GOOD, "foundation_model.yaml")
    assert default_topic_path() == shipped


# --- mistakes ------------------------------------------------------------------------------------------------------

PHRASES = "expected one phrase or a list of phrases, plain text with a letter or digit in each"
MODELS = "expected a list of models, each one name or a list of its spellings"

ONE_MISTAKE = {
    "name": (
        GOOD.replace("name: test", "name: My Topic"),
        "1: name: expected a short name of a-z, 0-9 and _ (given 'My Topic')",
    ),
    "missing": (
        GOOD.replace("contact: a@example.org\n", ""),
        "1: contact: is missing: expected an e-mail address or URL where Naver can reach you",
    ),
    "missing below": (
        GOOD.replace("  threshold: 1", "  phrases: []"),
        "7: relevance.threshold: is missing: expected a number from 0 to 1000, the lowest relevant score",
    ),
    "typo": (with_line("robot: obey"), "9: robot: unknown key: did you mean 'robots'?"),
    "typo of extends": (with_line("extend: a.yaml"), "9: extend: unknown key: did you mean 'extends'?"),
    "typo below": (GOOD + "  treshold: 1\n", "9: relevance.treshold: unknown key: did you mean 'threshold'?"),
    "unknown": (
        with_line("archive:\n  colour: red"),
        "10: archive.colour: unknown key: expected one of front_matter",
    ),
    "unknown in a source": (
        GOOD.replace("search_page\n", "search_page\n    oids: ['001']\n"),
        "6: sources[0].oids: unknown key: expected one of name, type",
    ),
    "unknown, with control characters": (
        with_line('"a\\e[1m": 1'),
        "9: ['a\\x1b[1m']: unknown key: expected one of archive, contact, extends, language, limits, name, naver,"
        " permission, queries, relevance, robots, sources, teams, title, webhooks",
    ),
    "merge key": (
        GOOD + "  <<: {context: AI}\n",
        "9: relevance['<<']: unknown key: expected one of context, exclude, phrases, threshold",
    ),
    "robots": (with_line("robots: ignore"), "9: robots: expected obey or permitted (given 'ignore')"),
    "permitted": (
        with_line("robots: permitted"),
        "1: permission: expected the reason why robots.txt need not be obeyed, because robots is permitted",
    ),
    "permitted for no reason": (
        with_line("robots: permitted\npermission: '  '"),
        "10: permission: expected the reason why robots.txt need not be obeyed, because robots is permitted",
    ),
    "obey with a reason": (
        with_line("permission: because"),
        "9: permission: expected no reason, because robots is obey: set robots to permitted, or remove this key",
    ),
    "naver": (
        with_line("naver: http://127.0.0.1/path"),
        "9: naver: expected an address such as http://127.0.0.1:8000, without a path (given 'http://127.0.0.1/path')",
    ),
    "no query": (
        GOOD.replace("[소버린 AI]", "[]"),
        "6: queries: expected at least one query, because the source search_page needs one",
    ),
    "query twice": (
        GOOD.replace("[소버린 AI]", "[소버린 AI, 독파모, 소버린  ai]"),
        "6: queries[2]: is the same query as number 1",
    ),
    "query that is nothing": (
        GOOD.replace("[소버린 AI]", "[독파모, ]\n  # x").replace(", ]", ", ~]"),
        f"6: queries[1]: {PHRASES} (given nothing)",
    ),
    "query of dots": (GOOD.replace("[소버린 AI]", "\n  - 독파모\n  - …"), f"8: queries[1]: {PHRASES} (given '…')"),
    "query on two lines": (
        GOOD.replace("[소버린 AI]", "|\n  소버린\n  AI"),
        f"6: queries[0]: {PHRASES} (given '소버린\\nAI\\n')",
    ),
    "no source": (
        GOOD.replace("\n  - type: search_page", " []"),
        "4: sources: expected a list of at least one source (given an empty list)",
    ),
    "source without type": (
        GOOD.replace("type: search_page", "name: x"),
        "5: sources[0].type: expected one of search_api, press_list, section_list, search_page (given nothing)",
    ),
    "source of no type": (
        GOOD.replace("type: search_page", "type: rss"),
        "5: sources[0].type: expected one of search_api, press_list, section_list, search_page (given 'rss')",
    ),
    "source as a word": (
        GOOD.replace("type: search_page", "search_page"),
        "5: sources[0]: expected keys with values (given 'search_page')",
    ),
    "two sources of one name": (
        GOOD.replace("search_page\n", "search_page\n  - type: search_page\n"),
        "6: sources[1]: needs a different name than number 1",
    ),
    "source with a colon": (
        GOOD.replace("search_page\n", "search_page\n    name: a:b\n"),
        "6: sources[0].name: expected a name without colon, at most 60 characters (given 'a:b')",
    ),
    "oid": (
        GOOD.replace("search_page\n", "search_page\n  - type: press_list\n    oids: [001, 1]\n"),
        "7: sources[1].oids[1]: expected a list of press offices, 3 digits each, such as ['001', '018'] (given '1')",
    ),
    "sid": (
        GOOD.replace("search_page\n", "search_page\n  - type: section_list\n    sids:\n    - 105\n    - 200\n"),
        "9: sources[1].sids[1]: expected a list of sections, 100 to 110, such as [101, 105] (given '200')",
    ),
    "endpoint": (
        GOOD.replace("search_page", "search_api\n    endpoint: http://x"),
        "6: sources[0].endpoint: expected apihub or openapi (given 'http://x')",
    ),
    "threshold": (
        GOOD.replace("threshold: 1", "threshold: high"),
        "8: relevance.threshold: expected a number from 0 to 1000, the lowest relevant score (given 'high')",
    ),
    "threshold nan": (
        GOOD.replace("threshold: 1", "threshold: .nan"),
        "8: relevance.threshold: expected a number from 0 to 1000, the lowest relevant score (given '.nan')",
    ),
    "phrase without weight": (
        GOOD + "  phrases:\n    - phrases: 독파모\n",
        "10: relevance.phrases[0].weight: is missing: expected a number above 0, at most 1000",
    ),
    "rules as a word": (
        GOOD + "  phrases: 독파모\n",
        "9: relevance.phrases: expected a list of rules (given '독파모')",
    ),
    "no phrases": (
        GOOD + "  phrases:\n    - {weight: 1, phrases: []}\n",
        f"10: relevance.phrases[0].phrases: {PHRASES} (given an empty list)",
    ),
    "place": (
        GOOD + "  phrases:\n    - phrases: 독파모\n      weight: 1\n      where: head\n",
        "12: relevance.phrases[0].where: expected any, title or body (given 'head')",
    ),
    "exclude by a bonus": (
        GOOD + "  exclude:\n    - {phrases: 부고, weight: 3}\n",
        "10: relevance.exclude[0].weight: expected a number below 0 (at least -1000), or veto (given '3')",
    ),
    "exclude by nan": (
        GOOD + "  exclude:\n    - {phrases: 부고, weight: nan}\n",
        "10: relevance.exclude[0].weight: expected a number below 0 (at least -1000), or veto (given 'nan')",
    ),
    "team": (
        with_line("teams:\n  - nmae: x\n    name: 하나"),
        "10: teams[0].nmae: unknown key: did you mean 'name'?",
    ),
    "team twice": (
        with_line("teams:\n  - name: NC AI\n  - name: nc ai"),
        "11: teams[1]: has the same name as number 1",
    ),
    "model without a name": (
        with_line("teams:\n  - name: 하나\n    models:\n      - 노을\n      - []"),
        f"13: teams[0].models[1]: {MODELS} (given an empty list)",
    ),
    "spelling of dots": (
        with_line("teams:\n  - name: 하나\n    models:\n      - [노을, …]"),
        f"12: teams[0].models[0][1]: {MODELS} (given '…')",
    ),
    "in passing for a penalty": (
        GOOD + "  phrases:\n    - {phrases: 독파모, weight: 1, in_passing: -1}\n",
        "10: relevance.phrases[0].in_passing: expected a number from 0 to 1000 (given '-1')",
    ),
    "too fast": (
        with_line("limits:\n  requests_per_second: 1000"),
        "10: limits.requests_per_second: expected a number from 0 to 100, 0 for no pause (given '1000')",
    ),
    "half a request": (
        with_line("limits: {concurrency: 1.5}"),
        "9: limits.concurrency: expected a whole number from 1 to 64, requests at once (given '1.5')",
    ),
    "lag without a unit": (
        with_line("limits: {lag: 2}"),
        "9: limits.lag: expected a duration such as 2h, 90m, 1d or PT2H, at most 30 days (given '2')",
    ),
    "lookback": (
        with_line("limits: {lookback: 100000d}"),
        "9: limits.lookback: expected a duration such as 2h, 90m, 1d or PT2H, 1 minute to 10 years (given '100000d')",
    ),
    "host": (
        with_line("limits:\n  hosts:\n    a b: {requests_per_second: 1, concurrency: 1}"),
        "11: limits.hosts['a b']: expected host names, each with its own requests_per_second and concurrency"
        " (given 'a b')",
    ),
    "half of a host's limits": (
        with_line("limits:\n  hosts:\n    n.news.naver.com:\n      concurrency: 1"),
        "11: limits.hosts['n.news.naver.com'].requests_per_second: is missing: expected a number from 0 to 100,"
        " 0 for no pause",
    ),
    "archive": (with_line("archive: strict"), "9: archive: expected keys with values (given 'strict')"),
    "key twice": (with_line("name: other"), "9: name: duplicate key: first on line 1"),
    "key twice below": (
        with_line("limits:\n  tries: 3\n  tries: 4"),
        "11: limits.tries: duplicate key: first on line 10",
    ),
    "key that is a list": (with_line("[a, b]: c"), "9: expected text as the key (given a list or a mapping)"),
    "tag": (
        GOOD.replace("title: 시험", "title: !!python/name:os.system 시험"),
        "2: title: tags such as 'tag:yaml.org,2002:python/name:os.system' are not allowed in a topic file",
    ),
    "own tag": (GOOD.replace("시험", "!env 시험"), "2: title: tags such as '!env' are not allowed in a topic file"),
    "surrogate": (
        GOOD.replace("시험", '"\\ud800"'),
        "2: title: half of a surrogate pair is not a character",
    ),
    "empty": ("", "1: expected a topic with lines of the form `key: value` (given an empty file)"),
    "list": ("- a\n", "1: expected a topic with lines of the form `key: value` (given no keys)"),
    "tab": (
        with_line("limits:\n\ttries: 1"),
        "10:1: not YAML: found character '\\t' that cannot start any token, while scanning for the next token"
        " (YAML requires spaces, not tabs)",
    ),
    "bracket": (
        GOOD.replace("[소버린 AI]", "[소버린 AI"),
        "7:10: not YAML: expected ',' or ']', but got ':', while parsing a flow sequence",
    ),
    "colon": (
        GOOD.replace("시험", "시험: 둘"),
        "2:10: not YAML: mapping values are not allowed here",
    ),
    "two documents": (
        GOOD + "---\n" + GOOD,
        "9:1: not YAML: but found another document, expected a single document in the stream",
    ),
    "control character": (GOOD.replace("시험", "\x07"), "2: not YAML: the character U+0007 is not allowed"),
    "escape": (
        GOOD.replace("시험", '"\\U99999999"'),
        "1: not YAML: a number in an escape or a directive is out of range",
    ),
    "alias": (
        "a: &a [x]\nb: [*a, *a]\n",
        "2:5: not YAML: aliases (*name) are not allowed in a topic file",
    ),
    "deep": ("[" * 50_000, f"1:{MAX_DEPTH + 1}: not YAML: nested deeper than {MAX_DEPTH} levels"),
}


@pytest.mark.parametrize("case", ONE_MISTAKE)
def test_one_mistake_is_one_line_with_its_position(case: str, tmp_path: Path) -> None:
    text, expected = ONE_MISTAKE[case]
    assert mistakes(tmp_path, text) == [expected]


def test_all_mistakes_are_reported_at_once_in_the_order_of_the_file(tmp_path: Path) -> None:
    text = """\
name: Bad Name
contact: nobody
robot: obey
permission: because
queries: [소버린 AI, 소버린 AI]
queries: [독파모]
sources:
  - type: press_list
    oids: ['01', '999', abc]
  - type: rss
relevance:
  threshold: -1
limits:
  tries: none
"""
    oids = "expected a list of press offices, 3 digits each, such as ['001', '018']"
    assert mistakes(tmp_path, text) == [
        "1: name: expected a short name of a-z, 0-9 and _ (given 'Bad Name')",
        "1: title: is missing: expected a title on one line, at most 200 characters",
        "2: contact: expected an e-mail address or URL where Naver can reach you (given 'nobody')",
        "3: robot: unknown key: did you mean 'robots'?",
        "4: permission: expected no reason, because robots is obey: set robots to permitted, or remove this key",
        "5: queries[1]: is the same query as number 1",
        "6: queries: duplicate key: first on line 5",
        f"9: sources[0].oids[0]: {oids} (given '01')",
        f"9: sources[0].oids[2]: {oids} (given 'abc')",
        "10: sources[1].type: expected one of search_api, press_list, section_list, search_page (given 'rss')",
        "12: relevance.threshold: expected a number from 0 to 1000, the lowest relevant score (given '-1')",
        "14: limits.tries: expected a whole number from 1 to 20, tries for one request (given 'none')",
    ]


def test_a_long_list_of_mistakes_is_cut(tmp_path: Path) -> None:
    lines = mistakes(tmp_path, GOOD + "".join(f"k{n}: 1\n" for n in range(1000)))
    assert len(lines) == 101
    assert lines[-1] == "… and 900 more mistakes"


@pytest.mark.parametrize(
    "text",
    [
        "queries: [" + "x," * 32_000 + "]",
        "a: [" + "[]," * 21_000 + "]",
        "".join(f"k{n}: 1\n" for n in range(6_000)),
        "sources:\n" + "- x\n" * 15_000,
        "{" + "a," * 30_000 + "}",
        '"' + "\\x41" * 16_000 + '": 1',
        "- " * 32_000,
    ],
    ids=["items", "lists", "keys", "sources", "flow keys", "escapes", "nesting"],
)
def test_a_hostile_file_is_refused_quickly(text: str, tmp_path: Path) -> None:
    started = time.process_time()
    assert mistakes(tmp_path, text)
    assert time.process_time() - started < 5  # measured: below 1 second


# --- files that cannot be read -------------------------------------------------------------------------------------


def test_a_path_that_is_not_a_file_is_reported(tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    hint = "name a topic file with --topic FILE or SEOGO_TOPIC"
    for path, what in [(tmp_path / "none", "no such file"), (tmp_path, "not a file"), (fifo, "not a file")]:
        with pytest.raises(TopicError, match=re.escape(f"{path}: {what}: {hint}")):
            load_topic(path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_read_permission_is_reported(tmp_path: Path) -> None:
    path = write(tmp_path, GOOD)
    path.chmod(0)
    with pytest.raises(TopicError, match="cannot be read: Permission denied"):
        load_topic(path)


def test_a_file_that_is_too_large_is_reported_without_reading_it(tmp_path: Path) -> None:
    path = tmp_path / "large.yaml"
    with path.open("wb") as file:
        file.truncate(10_000_000_000)  # sparse
    with pytest.raises(TopicError, match=f"too large for a topic file: expected at most {MAX_BYTES:,} bytes"):
        load_topic(path)


def test_a_file_that_is_not_utf8_is_reported_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "topic.yaml"
    path.write_bytes(GOOD.encode("cp949"))
    with pytest.raises(TopicError, match=r"topic\.yaml:2: not UTF-8 text: save the file as UTF-8"):
        load_topic(path)


# --- extends -------------------------------------------------------------------------------------------------------


def test_a_file_inherits_the_keys_that_it_does_not_have(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    write(tmp_path, GOOD + "limits: {tries: 2, concurrency: 8}\n", "base.yaml")
    path = write(tmp_path / "sub", "extends: ../base.yaml\nname: child\nlimits: {tries: 3}\n")
    topic = load_topic(path)
    assert (topic.name, topic.title, topic.queries) == ("child", "시험", ("소버린 AI",))
    assert topic.limits == Limits(tries=3)  # the whole key is replaced


def test_a_mistake_is_reported_in_its_own_file(tmp_path: Path) -> None:
    base = write(tmp_path, GOOD.replace("threshold: 1", "threshold: x") + "robot: obey\n", "base.yaml")
    path = write(tmp_path, "extends: base.yaml\nlimits:\n  tries: x\n")
    with pytest.raises(TopicError) as caught:
        load_topic(path)
    assert [line.split(": ")[:2] for line in str(caught.value).splitlines()] == [
        [f"{base}:8", "relevance.threshold"],
        [f"{base}:9", "robot"],
        [f"{path}:3", "limits.tries"],
    ]


def test_a_mistake_in_a_key_that_is_replaced_does_not_matter(tmp_path: Path) -> None:
    write(tmp_path, GOOD + "limits: {tries: x}\n", "base.yaml")
    assert load_topic(write(tmp_path, "extends: base.yaml\nlimits: {tries: 3}\n")).limits.tries == 3


def test_a_missing_key_is_reported_in_the_file_that_lacks_it(tmp_path: Path) -> None:
    write(tmp_path, GOOD.replace("type: search_page", "{type: press_list, oids: ['001']}"), "base.yaml")
    (line,) = mistakes(tmp_path, "extends: base.yaml\nsources:\n  - type: press_list\n")
    assert line.startswith("3: sources[0].oids: is missing")


def test_circular_extends_are_refused(tmp_path: Path) -> None:
    write(tmp_path, "extends: topic.yaml\n", "a.yaml")
    path = write(tmp_path, "name: x\nextends: a.yaml\n")
    with pytest.raises(TopicError) as caught:
        load_topic(path)
    assert str(caught.value) == (
        f"{path}:2: extends: {tmp_path}/a.yaml:1: extends: "
        f"{path}: a topic file cannot extend itself, directly or indirectly"
    )


def test_a_long_chain_is_refused(tmp_path: Path) -> None:
    for n in range(9):
        write(tmp_path, f"extends: {n + 1}.yaml\n", f"{n}.yaml")
    with pytest.raises(TopicError, match="more than 5 levels of extends"):
        load_topic(tmp_path / "0.yaml")


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("none.yaml", "extends: {folder}/none.yaml: no such file (the name is relative to the file that extends it)"),
        ("[a, b]", "extends: expected the name of another topic file"),
        ("'\\0'", "extends: "),
    ],
)
def test_what_cannot_be_extended(value: str, message: str, tmp_path: Path) -> None:
    (line,) = mistakes(tmp_path, f"extends: {value}\n")
    assert line.startswith("1: " + message.format(folder=tmp_path))


# --- anything at all -----------------------------------------------------------------------------------------------

yamlish = st.lists(
    st.one_of(
        st.sampled_from(list(" \n\t:-[]{},&*!|>'\"#%@`?~<=.\\")),
        st.sampled_from(["\n  ", ": ", "\n- ", "extends: ", "\\U", "\\x", "%YAML ", "--- ", "!!", "<<: "]),
        st.sampled_from([*Topic.model_fields, *Limits.model_fields, "type", "search_page", "oids", "phrases"]),
        st.text(max_size=4),
    ),
    max_size=40,
).map("".join)


@settings(max_examples=300, deadline=2000, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(raw=st.one_of(st.binary(max_size=300), yamlish.map(lambda text: text.encode(errors="surrogatepass"))))
def test_any_bytes_are_a_topic_or_a_topic_error(raw: bytes, tmp_path: Path) -> None:
    path = tmp_path / "topic.yaml"
    path.write_bytes(raw)
    assert_topic_or_error(path)


plain = st.one_of(st.none(), st.text(max_size=8), st.integers(), st.floats(), st.booleans())
anything: Any = st.recursive(
    plain,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from([*Topic.model_fields, *Limits.model_fields, "type", "oids"]), inner, max_size=3
        ),
    ),
    max_leaves=8,
)


@settings(max_examples=200, deadline=2000, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(values=st.dictionaries(st.sampled_from(sorted(Topic.model_fields)), anything, max_size=5))
def test_any_values_are_a_topic_or_a_topic_error(values: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "topic.yaml"
    path.write_text(yaml.safe_dump(values, allow_unicode=True), encoding="utf-8", errors="replace")
    assert_topic_or_error(path)


def assert_topic_or_error(path: Path) -> None:
    try:
        load_topic(path)
    except TopicError as error:
        message = str(error)
        assert message.encode()  # can be printed
        assert all(line.startswith((str(path), "…")) for line in message.split("\n"))
        assert not re.search(
            "Input should|Value error|validation error|pydantic", message
        )  # the messages are ours, not pydantic's


# --- the documentation, and the import -----------------------------------------------------------------------------


def fields_of(model: type[BaseModel], prefix: str = "") -> set[str]:
    return {f"{prefix}{name}" for name in model.model_fields}


def test_every_key_is_documented_and_every_documented_key_exists() -> None:
    text = (ROOT / "docs" / "topics.md").read_text(encoding="utf-8")
    documented = re.findall(r"^\| `([^`]+)` \|", text, flags=re.MULTILINE)
    expected = {"extends"} | fields_of(Topic)
    for source in (SearchApi, PressList, SectionList, SearchPage):
        expected |= fields_of(source, "sources[].")
    expected |= fields_of(Relevance, "relevance.") | fields_of(Team, "teams[].") | fields_of(Limits, "limits.")
    expected |= fields_of(PhraseRule, "relevance.phrases[].") | fields_of(ExcludeRule, "relevance.exclude[].")
    expected |= fields_of(HostLimits, "limits.hosts.HOST.") | {"archive.front_matter"}
    expected |= fields_of(Webhook, "webhooks[].")
    assert sorted(documented) == sorted(expected)


def test_the_documented_defaults_of_the_limits_are_the_real_ones() -> None:
    text = (ROOT / "docs" / "topics.md").read_text(encoding="utf-8")
    documented = dict(re.findall(r"^\| `limits\.(\w+)` \| ([^|]*) \|", text, flags=re.MULTILINE))
    for name, field in Limits.model_fields.items():
        cell = documented[name].strip()
        assert Limits.model_validate({name: cell} if cell not in ("none", "") else {}) == Limits(), (name, field)


def test_every_field_says_what_it_expects() -> None:
    for model in _MODELS.values():
        for name, field in model.model_fields.items():
            assert field.description or name == "type", (model, name)


def test_importing_it_imports_nothing_heavy() -> None:
    code = (
        "import sys, schemas.topic, flows.pipeline.relevance;"
        "heavy = {'httpx', 'duckdb', 'prefect', 'asyncio', 'socket', 'selectolax', 'rich', 'typer'} & set(sys.modules);"
        "print(*heavy)"
    )
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (run.stdout, run.stderr) == ("\n", "")
