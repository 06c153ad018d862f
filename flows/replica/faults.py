"""Faults on demand, by seeded rates or by rules. They can be changed while the replica runs.

Behaviour(rates={Fault.SERVER_ERROR: 0.1})                       one response in ten
Behaviour(rules=(Rule(Fault.TOO_MANY, host="n.news.naver.com", times=2, retry_after=3),))
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from enum import StrEnum
from typing import Any
from zlib import crc32

from flows.replica.corpus.articles import Layout
from flows.replica.pages.notices import Robots
from schemas.errors import BadInput

API_HOSTS = frozenset({"openapi.naver.com", "naverapihub.apigw.ntruss.com"})


class Fault(StrEnum):
    """What is wrong with a response."""

    TOO_MANY = "too_many"  # 429 with Retry-After
    QUOTA = "quota"  # 429 of the Search API: the daily quota is used up
    SERVER_ERROR = "server_error"  # `status`, 503 by default; with Retry-After if `retry_after` is set
    FORBIDDEN = "forbidden"  # 403
    SLOW = "slow"  # correct, but `seconds` late
    TRICKLE = "trickle"  # correct, but in small chunks over `seconds`
    CUT = "cut"  # half of the bytes that Content-Length announces
    BAD_GZIP = "bad_gzip"  # declared as gzip, but is not
    BOMB = "bomb"  # `size` blank bytes, compressed
    BLOCK_NOTICE = "block_notice"  # 200, a page that calls the client a robot
    UNAVAILABLE = "unavailable"  # 200, "Service Temporarily Unavailable"
    GONE = "gone"  # 404
    RENAMED = "renamed"  # `old` is replaced by `new` everywhere on the page
    NO_DATE = "no_date"  # the page without its times
    NO_BODY = "no_body"  # the page without #dic_area
    EMPTY_LIST = "empty_list"  # lists without items
    NO_LINKS = "no_links"  # the search page without links to articles
    WRONG_CHARSET = "wrong_charset"  # a Content-Type that names another encoding
    REDIRECT_OFF = "redirect_off"  # to a host outside Naver
    REDIRECT_LOOP = "redirect_loop"


@dataclass(frozen=True, slots=True)
class Rule:
    """When a fault applies: to which host (empty: any), to paths and queries that contain `path`, and how often.

    The first `after` matching requests are not affected, the next `times` (None: all) are. The other fields are
    options of single faults: `retry_after` is in seconds, and sent as an HTTP date if `as_date`.
    """

    fault: Fault
    host: str = ""
    path: str = ""
    after: int = 0
    times: int | None = None
    retry_after: int | None = None
    as_date: bool = False
    status: int = 503
    seconds: float = 1.0
    size: int = 50_000_000
    old: str = ""
    new: str = ""

    def matches(self, host: str, target: str) -> bool:
        # robots.txt is affected only by a rule that names it; otherwise `Behaviour.robots` applies.
        named = self.path in target if self.path else target != "/robots.txt"
        return named and self.host in ("", host)


@dataclass(frozen=True, slots=True)
class Behaviour:
    """How the replica behaves. `rates` are fractions of all responses; the first matching rule takes precedence.

    `robots` is the robots.txt of all page hosts, `robots_by_host` that of single hosts (the hosts of the Search API
    allow everything unless they are listed). `layout` displays every article in one layout; with `old`, main/read.nhn
    responds itself instead of redirecting. `padding` is the number of bytes of scripts and other articles on an
    article's page.

    With `restless`, the bytes of an article's page differ at every request, as Naver's do. With `validators` they
    differ too, but articles have an ETag and a Last-Modified header, and conditional requests get a 304 response.
    Items of lists and searches are up to `shuffled` places away from their position, differently at each request; with
    `swapped`, every two pages are exchanged. `tick` is the number of seconds by which each request for a list or a
    search advances the clock, so that lists grow while they are read.
    """

    seed: int = 0
    rates: Mapping[Fault, float] = field(default_factory=dict)
    rules: tuple[Rule, ...] = ()
    robots: Robots = Robots.ALLOW
    robots_by_host: Mapping[str, Robots] = field(default_factory=dict)
    layout: Layout | None = None
    padding: int = 0
    gzip: bool = True
    restless: bool = False
    validators: bool = False
    shuffled: int = 0
    swapped: bool = False
    tick: float = 0.0

    def robots_of(self, host: str) -> Robots:
        usual = Robots.ALLOW if host in API_HOSTS else self.robots
        return self.robots_by_host.get(host, usual)

    def forbids(self, host: str, target: str) -> bool:
        """Whether the host's robots.txt forbids an address. An unreadable one forbids everything (RFC 9309)."""
        return self.robots_of(host) in (Robots.FORBID, Robots.BROKEN) and target != "/robots.txt"


class Faults:
    """Decides which responses are faulty. `behaviour` may be replaced at any time, from any thread."""

    def __init__(self, behaviour: Behaviour | None = None) -> None:
        self._lock = threading.Lock()
        self.behaviour = behaviour or Behaviour()

    @property
    def behaviour(self) -> Behaviour:
        return self._behaviour

    @behaviour.setter
    def behaviour(self, behaviour: Behaviour) -> None:
        with self._lock:
            self._behaviour = behaviour
            self._seen: Counter[int] = Counter()
            self._visits: Counter[str] = Counter()

    def choose(self, host: str, target: str) -> Rule | None:
        """The fault of this request. Rates depend on the address and its number of visits, not on the order."""
        with self._lock:
            self._visits[host + target] += 1
            visit = self._visits[host + target]
            return self._by_rule(host, target) or self._by_rate(host, target, visit)

    def _by_rule(self, host: str, target: str) -> Rule | None:
        for at, rule in enumerate(self._behaviour.rules):
            if not rule.matches(host, target):
                continue
            self._seen[at] += 1
            number = self._seen[at] - rule.after
            if number > 0 and (rule.times is None or number <= rule.times):
                return rule
        return None

    def _by_rate(self, host: str, target: str, visit: int) -> Rule | None:
        if target == "/robots.txt":
            return None
        drawn = crc32(f"{self._behaviour.seed} {host}{target} {visit}".encode()) / 2**32
        for fault, rate in self._behaviour.rates.items():
            if drawn < rate:
                return Rule(fault, retry_after=1 if fault is Fault.TOO_MANY else None)
            drawn -= rate
        return None


def behaviour_from_json(data: object) -> Behaviour:
    """A Behaviour from a JSON object with the names of its fields. Raises BadInput that names the wrong part."""
    if not isinstance(data, dict):
        raise BadInput("the behaviour must be a JSON object with the fields of Behaviour")
    _known(data, Behaviour)
    try:
        return replace(Behaviour(**data), **_typed(data))
    except (TypeError, ValueError) as error:
        raise BadInput(f"invalid behaviour: {error}") from error


def _typed(data: dict[str, Any]) -> dict[str, Any]:
    """The fields that need conversion from JSON: enums, rules, mappings."""
    typed: dict[str, Any] = {"rules": tuple(_rule(entry) for entry in data.get("rules", ()))}
    typed["rates"] = {Fault(name): float(rate) for name, rate in data.get("rates", {}).items()}
    typed["robots"] = Robots(data.get("robots", Robots.ALLOW))
    typed["robots_by_host"] = {host: Robots(name) for host, name in data.get("robots_by_host", {}).items()}
    typed["layout"] = Layout(data["layout"]) if data.get("layout") else None
    return typed


def _rule(entry: dict[str, Any]) -> Rule:
    _known(entry, Rule)
    return Rule(**{**entry, "fault": Fault(entry["fault"])})


def _known(data: dict[str, Any], kind: type[Behaviour] | type[Rule]) -> None:
    names = {one.name for one in fields(kind)}
    if unknown := sorted(set(data) - names):
        raise BadInput(f"{kind.__name__} has no field {', '.join(unknown)}: its fields are {', '.join(sorted(names))}")
