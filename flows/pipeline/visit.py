"""One find, up to its article: fetch, capture, parse.

    find | needs a request? | fetch | capture | parse

A fault of one article becomes the outcome of its find; any other error ends the run.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Literal, Protocol
from urllib.parse import urlsplit

from flows.naver.press_offices import press_office
from flows.naver.urls import find_article_key, json_api_url
from flows.pipeline.decide import before_fetch, next_try
from flows.pipeline.judge import Assess, Parsed
from flows.pipeline.stop import Refusals, Stop
from schemas.article import ArticleRef, Outcome
from schemas.errors import ArticleGone, LayoutChanged, TemporarilyUnavailable
from schemas.find import FindResult, Known, Status
from schemas.page import CaptureRef, Fault, FetchFault, RawPage, Validators
from schemas.receipt import Receipt

_ROBOTS_AGAIN = timedelta(days=1)
_LONGEST_VALIDATOR = 200
_END_WITHIN = 4096
"""Bytes at the end of a page in which `</html>` is looked for."""
_NOT_MODIFIED = 304
_GONE = frozenset({404, 410})
REFUSED = frozenset({401, 403, 429})
"""The statuses with which a host refuses a request."""


class Fetch(Protocol):
    """How a page is fetched (the client's `fetch`)."""

    def __call__(
        self, url: str, *, why: str, headers: Mapping[str, str] | None = None
    ) -> Awaitable[RawPage | FetchFault]: ...


class Captures(Protocol):
    """Stores raw responses (the archive)."""

    def captured_answer(self, url: str) -> RawPage | None:
        """The answer to this address that an earlier run captured but did not process, if there is one."""
        ...

    def capture(self, page: RawPage, earlier: CaptureRef | None = None) -> CaptureRef:
        """Store a response; `earlier` is an earlier capture of the same article."""
        ...


@dataclass(frozen=True, slots=True)
class Find:
    """A find and what the archive knows of its article. `force`: fetch it whatever is known."""

    ref: ArticleRef
    known: Known | None
    force: bool = False


@dataclass(slots=True)
class Visitor:
    """Visits the articles of one run. `fetches_left`: how many may still be fetched (None: all).

    `recorded`: the answers were fetched earlier, so that refusals among them are no reason to end the run.
    """

    fetch: Fetch
    captures: Captures
    assess: Assess
    receipt: Receipt
    stop: Stop
    now: Callable[[], datetime]
    fetches_left: int | None = None
    recorded: bool = False
    _refusals: Refusals = field(init=False)

    def __post_init__(self) -> None:
        self._refusals = Refusals(None if self.recorded else self.stop)

    async def visit(self, find: Find) -> Parsed | FindResult:
        """Fetch, capture and parse the article of a find; or how the find ends without one."""
        decision = before_fetch(find.known, self.now(), force=find.force)
        if decision is not None:
            return FindResult(find.ref, decision.outcome, decision.reason, known=True)
        if self.stop.requested or not self._may_fetch():
            return self._deferred(find, "the run ended before its turn")
        answer = await self._fetch_article(find)
        if isinstance(answer, FetchFault):
            return self._faulted(find, answer)
        if answer.status == _NOT_MODIFIED:
            return self._not_modified(find, answer)
        return self._read(find, answer)

    def _may_fetch(self) -> bool:
        if self.fetches_left is None:
            return True
        self.fetches_left -= 1
        return self.fetches_left >= 0

    # -- fetch

    async def _fetch_article(self, find: Find) -> RawPage | FetchFault:
        began, conditional = time.monotonic(), _first_address(find.ref)

        async def get(url: str) -> RawPage | FetchFault:
            return await self._get(url, _conditions(find.known) if url == conditional else {})

        page = await fetch_article(find.ref, get)
        self.receipt.spend("fetch", time.monotonic() - began)
        return page

    async def _get(self, url: str, conditions: Mapping[str, str]) -> RawPage | FetchFault:
        captured = self.captures.captured_answer(url)
        if captured is not None and not self.recorded:
            return captured
        given = {"headers": conditions} if conditions else {}
        answer = await self.fetch(url, why="article", **given)
        # A recorded answer may have been captured already, when the run that took it in was killed.
        return captured if captured is not None and _is_same(captured, answer) else answer

    def _not_modified(self, find: Find, page: RawPage) -> FindResult:
        """The page has not changed, according to the server: there is nothing to capture, to parse or to store."""
        if find.known is None or find.known.validators is None:
            return self._failed(find, f"{page.final_url} answered 304 to an unconditional request", None)
        reason = "not modified since, as the server says"
        validators = find.known.validators
        return FindResult(find.ref, Outcome.UNCHANGED, reason, crawled_at=page.fetched_at, validators=validators)

    # -- capture and parse

    def _read(self, find: Find, page: RawPage) -> Parsed | FindResult:
        if page.status in REFUSED:
            return self._blocked(find, page.final_url, f"{page.final_url} answered with status {page.status}")
        self._refusals.answered(page.final_url)
        began = time.monotonic()
        capture = self.captures.capture(page, find.known.capture if find.known else None)
        captured = time.monotonic()
        self.receipt.spend("capture", captured - began)
        self.receipt.pages_read += 1
        try:
            return self._parse(find, page, capture)
        finally:
            self.receipt.spend("parse", time.monotonic() - captured)

    def _parse(self, find: Find, page: RawPage, capture: CaptureRef) -> Parsed | FindResult:
        # A run that finds nothing new reads no article: the parsers of all layouts are a tenth of what it would import.
        from flows.naver.articles.layouts import read_article

        ref, at = find.ref, page.fetched_at
        if page.status in _GONE:
            return FindResult(ref, Outcome.GONE, f"status {page.status}", capture=capture, crawled_at=at)
        if page.status != 200:
            return self._failed(find, f"{page.final_url} answered with status {page.status}", capture)
        if find_article_key(page.final_url) is None:
            return self._failed(find, f"the address redirects to {page.final_url}, which is not an article", capture)
        try:
            # With the find's own key: the page of another article must not be stored under it.
            article, traits = read_article(page.content, ref.key.url)
        except ArticleGone as error:
            return FindResult(ref, Outcome.GONE, error.notice, capture=capture, crawled_at=at)
        except TemporarilyUnavailable as error:
            return self._failed(find, str(error), capture)
        except LayoutChanged as error:
            self.receipt.layout_faults += 1
            tries, retry_at = next_try(find.known, self.now(), quarantined=True)
            failed = self._failed(find, str(error), capture)
            return replace(failed, crawled_at=at, quarantined=True, tries=tries, retry_at=retry_at)
        return Parsed(ref, article, traits, capture, at, _validators(page, ref), cut=_is_cut(page))

    # -- faults as outcomes

    def _faulted(self, find: Find, fault: FetchFault) -> FindResult:
        match fault.fault:
            case Fault.FORBIDDEN:
                return self._forbidden(find, fault.detail)
            case Fault.BLOCKED:
                return self._blocked(find, fault.url, fault.detail)
            case Fault.BACKING_OFF:
                self.receipt.resting[urlsplit(fault.url).netloc] = fault.detail
                return replace(self._deferred(find, fault.detail), retry_at=fault.retry_at)
            case Fault.STOPPED | Fault.OFFLINE:
                return self._deferred(find, fault.detail)
            case _:
                return self._failed(find, f"{fault.fault}: {fault.detail}", None)

    def _forbidden(self, find: Find, detail: str) -> FindResult:
        """robots.txt forbids the page: only what the source returned about the article is stored."""
        if find.known is not None and find.known.status is Status.ARCHIVED:
            # Tried again once robots.txt may have changed; until then other articles take its place.
            return replace(self._deferred(find, detail), retry_at=self.now() + _ROBOTS_AGAIN)
        if find.known is not None and find.known.status is not None:
            return FindResult(find.ref, Outcome.UNCHANGED, f"known as {find.known.status}; {detail}", known=True)
        if not find.ref.title:
            later = self.now() + _ROBOTS_AGAIN
            detail = f"{detail}; the source gave only the address"
            return FindResult(find.ref, Outcome.BLOCKED, detail, retry_at=later)
        relevance = self.assess(find.ref.title, find.ref.description or "").relevance
        ref = replace(find.ref, publisher=find.ref.publisher or press_office(find.ref.key.oid))
        return FindResult(ref, Outcome.LISTED, detail, relevance, crawled_at=ref.seen_at)

    def _blocked(self, find: Find, url: str, detail: str) -> FindResult:
        self._refusals.refused(url)
        return self._retried(find, Outcome.BLOCKED, detail, None)

    def _failed(self, find: Find, detail: str, capture: CaptureRef | None) -> FindResult:
        return self._retried(find, Outcome.FAILED, detail, capture)

    def _retried(self, find: Find, outcome: Outcome, detail: str, capture: CaptureRef | None) -> FindResult:
        tries, retry_at = next_try(find.known, self.now())
        return FindResult(find.ref, outcome, detail, capture=capture, tries=tries, retry_at=retry_at)

    def _deferred(self, find: Find, detail: str) -> FindResult:
        tries = find.known.tries if find.known else 0
        return FindResult(find.ref, Outcome.DEFERRED, detail, tries=tries, retry_at=self.now())


async def fetch_article(ref: ArticleRef, get: Callable[[str], Awaitable[RawPage | FetchFault]]) -> RawPage | FetchFault:
    """Get an article's page; or its JSON where the page needs scripts: the same article is available there."""
    page = await get(_first_address(ref))
    if isinstance(page, RawPage) and (service := _service(page.final_url)):
        page = await get(json_api_url(ref.key, service))
    return page


def _is_same(captured: RawPage, answer: RawPage | FetchFault) -> bool:
    return isinstance(answer, RawPage) and answer.fetched_at == captured.fetched_at


def _is_cut(page: RawPage) -> bool:
    """Whether an HTML page lacks its end."""
    is_json = page.content.lstrip()[:1] in (b"{", b"[")
    return not is_json and b"</html>" not in page.content[-_END_WITHIN:].lower()


def _first_address(ref: ArticleRef) -> str:
    """The address to fetch first: the article's page, or its JSON where the page is known to need scripts."""
    service = _service(ref.url)
    return json_api_url(ref.key, service) if service else ref.key.url


def _service(url: str) -> Literal["sports", "entertain"] | None:
    """The service to which an address belongs, if it is one whose pages need scripts."""
    host = url.split("/", 3)[2] if url.count("/") >= 2 else ""
    if host.endswith("sports.naver.com") and not host.startswith("api-gw."):
        return "sports"
    return "entertain" if host.endswith("entertain.naver.com") and not host.startswith("api-gw.") else None


def _conditions(known: Known | None) -> dict[str, str]:
    """The headers of a conditional request: send an archived page only if it has changed."""
    if known is None or known.validators is None or known.status is not Status.ARCHIVED:
        return {}
    if known.state in (Outcome.FAILED, Outcome.BLOCKED):
        return {}  # the validators may belong to a page that could not be read
    return known.validators.as_headers()


def _validators(page: RawPage, ref: ArticleRef) -> Validators | None:
    """The validators to send with the next request, if the answer came from the address that is fetched first."""
    if not page.url == page.final_url == _first_address(ref):
        return None
    found = Validators(_sendable(page.header("etag")), _sendable(page.header("last-modified")))
    return found if found.as_headers() else None


def _sendable(value: str | None) -> str | None:
    """A header's value if it can be sent back."""
    fit = value is not None and len(value) <= _LONGEST_VALIDATOR and value.isascii() and value.isprintable()
    return value if fit else None
