"""Naver's hosts and paths: a request to its correct response. Knows nothing about faults, logs or connections."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import count
from random import Random
from urllib.parse import parse_qsl, urlencode

from flows.replica.answers import CP949, JSON, Answer, redirect
from flows.replica.clock import Clock
from flows.replica.corpus.articles import Corpus, Layout, MadeArticle
from flows.replica.disorder import pages_swapped, shuffled
from flows.replica.faults import Faults
from flows.replica.finding import Finder
from flows.replica.freshness import conditional, with_validators
from flows.replica.pages.articles import View, article_page
from flows.replica.pages.lists import PER_PAGE, list_page, section_json, section_page
from flows.replica.pages.notices import gone_page, robots_txt
from flows.replica.pages.old_layouts import article_json, old_page, script_page
from flows.replica.pages.search import SEARCH_PAGE_SIZE, search_page
from flows.replica.pages.search_api import (
    APIHUB_HEADERS,
    NOT_AUTHENTICATED,
    OPENAPI_HEADERS,
    UNKNOWN_API,
    ApiFault,
    api_answer,
    api_error,
    has_key,
    link,
    read_call,
)

SECTION_SIZE = 36
"""Articles on a section page."""

_NUMBERS = re.compile(r"/(?P<oid>[0-9]{3})/(?P<aid>[0-9]{10})/?$")
_SECTION = re.compile(r"/(?:breakingnews/)?section/(?P<sid>[0-9]{3})(?:/[0-9]{3})?$")
_TEMPLATE = "/section/template/SECTION_ARTICLE_LIST_FOR_LATEST"
_RANGE = re.compile(r"p:from([0-9]{8})to([0-9]{8})")


@dataclass(frozen=True, slots=True)
class Request:
    """A request. Header names are in lower case; the last of repeated parameters counts."""

    host: str
    path: str
    query: str
    headers: Mapping[str, str]

    @property
    def parameters(self) -> dict[str, str]:
        return dict(parse_qsl(self.query, keep_blank_values=True))


class Site:
    """Naver's hosts, with one corpus and one clock."""

    def __init__(self, corpus: Corpus, clock: Clock, faults: Faults) -> None:
        self._corpus = corpus
        self._clock = clock
        self._faults = faults
        self._finder = Finder(corpus)
        self._serials = count(1)
        self._visits: Counter[str] = Counter()
        self._hosts: Mapping[str, Callable[[Request], Answer]] = {
            "n.news.naver.com": self._article,
            "m.news.naver.com": self._moved,
            "news.naver.com": self._news,
            "finance.naver.com": self._moved,
            "sports.naver.com": self._arena,
            "m.sports.naver.com": self._arena,
            "entertain.naver.com": self._arena,
            "m.entertain.naver.com": self._arena,
            "api-gw.sports.naver.com": self._json,
            "api-gw.entertain.naver.com": self._json,
            "search.naver.com": self._search,
            "openapi.naver.com": self._openapi,
            "naverapihub.apigw.ntruss.com": self._apihub,
        }

    def answer(self, request: Request) -> Answer:
        """The correct response to a request."""
        answering = self._hosts.get(request.host)
        if answering is None:
            return _plain(404, f"the replica has no host {request.host!r}: send one of Naver's in the Host header")
        if request.path == "/robots.txt":
            status, body = robots_txt(self._faults.behaviour.robots_of(request.host))
            return Answer(body, "text/plain", status)
        return answering(request)

    def _view(self, request: Request) -> View:
        behaviour = self._faults.behaviour
        serial = next(self._serials) if behaviour.restless or behaviour.validators else 0
        return View(self._clock.now, request.headers.get("user-agent", ""), behaviour.padding, serial)

    def _fresh(self, answer: Answer, article: MadeArticle, request: Request) -> Answer:
        """An article's response, or 304 if the client already has this version."""
        if not self._faults.behaviour.validators:
            return answer
        return conditional(with_validators(answer, article, self._clock.now), request.headers)

    def _arranged(self, found: Sequence[int], request: Request, size: int) -> Sequence[int]:
        """The items of a list or search in the order in which this response shows them. Advances the clock."""
        behaviour, target = self._faults.behaviour, f"{request.host}{request.path}?{request.query}"
        self._visits[target] += 1
        if behaviour.tick:
            self._clock.advance(timedelta(seconds=behaviour.tick))
        rng = Random(f"{behaviour.seed} {target} {self._visits[target]}")
        found = shuffled(found, behaviour.shuffled, rng)
        return pages_swapped(found, size) if behaviour.swapped else found

    def _find(self, path: str) -> MadeArticle | None:
        """The article at the end of a path, if it has been published."""
        numbers = _NUMBERS.search(path)
        article = self._corpus.find(numbers["oid"], numbers["aid"]) if numbers else None
        return article if article and article.published_at <= self._clock.now else None

    def _article(self, request: Request) -> Answer:
        article = self._find(request.path)
        if article is None or "/article/" not in request.path:
            return Answer(gone_page(notice="페이지를 찾을 수 없습니다"), status=404)
        if article.gone(self._clock.now):
            # Half of the deleted articles respond with status 200.
            return Answer(gone_page(), status=404 if article.index % 2 else 200)
        if article.subject.arena:
            return redirect(link(article))
        layout = self._faults.behaviour.layout
        cookies = {"set-cookie": "NNB=REPLICA; path=/; domain=.naver.com"}
        page = article_page(article, self._view(request), None if layout is Layout.OLD else layout)
        return self._fresh(Answer(page, headers=cookies), article, request)

    def _news(self, request: Request) -> Answer:
        """Lists, section pages, and old URLs of articles."""
        if request.path.startswith(("/main/list.n", "/main/list.naver")):
            return self._list(request)
        if request.path.startswith(_TEMPLATE):
            return self._section_more(request)
        if section := _SECTION.match(request.path):
            return self._section(section["sid"])
        if "read." in request.path and self._faults.behaviour.layout is Layout.OLD:
            return self._old(request)
        return self._moved(request)

    def _moved(self, request: Request) -> Answer:
        """Old URLs redirect to the current ones."""
        parameters = request.parameters
        oid = parameters.get("oid") or parameters.get("office_id", "")
        aid = parameters.get("aid") or parameters.get("article_id", "")
        numbers = _NUMBERS.search(request.path) or _NUMBERS.search(f"/{oid}/{aid}")
        if numbers is None:
            return Answer(gone_page(notice="페이지를 찾을 수 없습니다"), status=404)
        return redirect(f"https://n.news.naver.com/mnews/article/{numbers['oid']}/{numbers['aid']}", 301)

    def _old(self, request: Request) -> Answer:
        parameters = request.parameters
        article = self._find(f"/{parameters.get('oid')}/{parameters.get('aid')}")
        if article is None or article.subject.arena or article.gone(self._clock.now):
            return Answer(gone_page().decode().encode("cp949"), CP949, 404)
        return Answer(old_page(article, self._view(request)), CP949)

    def _arena(self, request: Request) -> Answer:
        article = self._find(request.path)
        if article is None or article.gone(self._clock.now):
            return Answer(gone_page(), status=404)
        return Answer(script_page(article, self._view(request)))

    def _json(self, request: Request) -> Answer:
        article = self._find(request.path)
        if article is None or not article.subject.arena or article.gone(self._clock.now):
            return Answer(b'{"code":404,"success":false,"message":"NOT_FOUND"}', JSON, 404)
        return self._fresh(Answer(article_json(article, self._view(request)), JSON), article, request)

    def _list(self, request: Request) -> Answer:
        parameters, now = request.parameters, self._clock.now
        name = parameters.get("oid") if parameters.get("mode") == "LPOD" else parameters.get("sid1")
        day = _day(parameters["date"]) if "date" in parameters else now.date()
        if name is None or day is None:
            return _plain(400, "a list requires oid or sid1, and a date such as 20261007")
        page = parameters.get("page", "1")
        kept = urlencode([(key, value) for key, value in parameters.items() if key != "page"])
        found = self._arranged(self._finder.listed(name, day, now), request, PER_PAGE)
        listed = [self._corpus[index] for index in found]
        number = int(page) if page.isdecimal() else 1
        return Answer(list_page(listed, number, kept, now, titles=parameters.get("listType") == "title"), CP949)

    def _section(self, sid: str) -> Answer:
        shown, cursor = self._latest(sid, len(self._corpus))
        return Answer(section_page(shown, cursor, sid, self._clock.now))

    def _section_more(self, request: Request) -> Answer:
        parameters = request.parameters
        following = parameters.get("next", "")
        before = int(following) if following.isdecimal() else len(self._corpus)
        shown, cursor = self._latest(parameters.get("sid", ""), before)
        return Answer(section_json(shown, cursor, self._clock.now), JSON)

    def _latest(self, sid: str, before: int) -> tuple[list[MadeArticle], int | None]:
        found = self._finder.latest(sid, self._clock.now, before=before, count=SECTION_SIZE)
        cursor = found[-1] if len(found) == SECTION_SIZE else None
        return [self._corpus[index] for index in found], cursor

    def _search(self, request: Request) -> Answer:
        parameters, now = request.parameters, self._clock.now
        query, start = parameters.get("query", ""), parameters.get("start", "1")
        first, last = _range(parameters.get("nso", ""))
        sort = "date" if parameters.get("sort") == "1" or "so:dd" in parameters.get("nso", "") else "sim"
        found = self._finder.search(query, now, sort=sort, first=first, last=last)
        found = self._arranged(found, request, SEARCH_PAGE_SIZE)
        at = max(int(start), 1) - 1 if start.isdecimal() else 0
        shown = [self._corpus[index] for index in found[at : at + SEARCH_PAGE_SIZE]]
        return Answer(search_page(query, shown, now))

    def _openapi(self, request: Request) -> Answer:
        return self._api(request, "/v1/search/news.json", OPENAPI_HEADERS, nested=False)

    def _apihub(self, request: Request) -> Answer:
        return self._api(request, "/search/v1/news", APIHUB_HEADERS, nested=True)

    def _api(self, request: Request, path: str, names: tuple[str, str], *, nested: bool) -> Answer:
        key = has_key(request.headers, (names[0].lower(), names[1].lower()))
        call = UNKNOWN_API if request.path != path else read_call(request.parameters) if key else NOT_AUTHENTICATED
        if isinstance(call, ApiFault):
            return Answer(api_error(call, nested=nested), JSON, call.status)
        now = self._clock.now
        found = self._arranged(self._finder.search(call.query, now, sort=call.sort), request, call.display)
        shown = [self._corpus[index] for index in found[call.start - 1 : call.start - 1 + call.display]]
        return Answer(api_answer(call, len(found), shown, now), JSON)


def _plain(status: int, text: str) -> Answer:
    return Answer(text.encode(), "text/plain; charset=utf-8", status)


def _day(text: str) -> date | None:
    """`20261007`; None for anything else."""
    try:
        return datetime.strptime(text, "%Y%m%d").date()  # noqa: DTZ007  a calendar day in Korea
    except ValueError:
        return None


def _range(nso: str) -> tuple[date | None, date | None]:
    match = _RANGE.search(nso)
    return (_day(match[1]), _day(match[2])) if match else (None, None)
