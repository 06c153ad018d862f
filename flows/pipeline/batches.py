"""One article's route, from find to outcome:

    finds | known? | fetch | capture | parse | relevance | same text? | store | write the file

Composed here of strangers: this module knows the order, and no Prefect, no HTTP and no SQL. What it needs of the others
it names in `Fetch`, `Stacks` and `Assess`. A fault of one article becomes the outcome of its find; anything else stops
the run.

Finds go in batches: while one batch is being fetched, the one before is being stored, so that neither waits for the
other and memory stays flat whatever the number of finds.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Literal, Protocol, TypeVar
from urllib.parse import urlsplit

from flows.naver.article_page import read_article
from flows.naver.urls import find_article_key, json_api_url
from flows.pipeline.decide import before_fetch, next_try
from flows.pipeline.judge import Assess, Held, Judge, Parsed, Texts, nothing_held
from flows.pipeline.stop import Stop
from schemas.article import Article, ArticleRef, Outcome
from schemas.coverage import WindowRead
from schemas.errors import ArticleGone, LayoutChanged, TemporarilyUnavailable
from schemas.find import FindResult, Known, Status
from schemas.page import CaptureRef, Fault, FetchFault, RawPage, RequestRecord, Validators
from schemas.receipt import Receipt

BATCH = 256
"""Finds in memory at a time (twice that: one batch is fetched while another is stored)."""

_ROBOTS_AGAIN = timedelta(days=1)
_BLOCKS_IN_A_ROW = 3
"""Refusals by one host after which the run stops."""
_FAULTS_NAMED = 5
_NAMED = 50
_LONGEST_VALIDATOR = 200
_NOT_MODIFIED = 304
_GONE = frozenset({404, 410})
_REFUSED = frozenset({401, 403, 429})

T = TypeVar("T")


class Fetch(Protocol):
    """How a page is fetched (the client's `fetch`)."""

    def __call__(
        self, url: str, *, why: str, headers: Mapping[str, str] | None = None
    ) -> Awaitable[RawPage | FetchFault]: ...


class Stacks(Texts, Protocol):
    """What the pipeline asks of the archive."""

    def known(self, ids: Sequence[str]) -> Mapping[str, Known]: ...
    def kept(self, url: str) -> RawPage | None: ...
    def capture(self, page: RawPage, earlier: CaptureRef | None = None) -> CaptureRef: ...
    def store(
        self,
        run_id: str,
        results: Sequence[FindResult],
        requests: Sequence[RequestRecord] = (),
        /,
        *,
        coverage: Sequence[WindowRead] = (),
    ) -> dict[str, float]: ...
    def keep_readers_fresh(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Find:
    """A find and what the archive knows of its key. `by_hand`: a person named the address."""

    ref: ArticleRef
    known: Known | None
    by_hand: bool = False


class Pipeline:
    """The route for all finds of a run. `add` them as they are discovered, `finish` at the end."""

    def __init__(
        self,
        *,
        fetch: Fetch,
        archive: Stacks,
        assess: Assess,
        receipt: Receipt,
        stop: Stop,
        now: Callable[[], datetime],
        requests: list[RequestRecord],
        most_fetches: int | None = None,
        held: Held = nothing_held,
        on_progress: Callable[[Receipt], None] = lambda receipt: None,
    ) -> None:
        self.receipt = receipt
        self._judge = Judge(archive, assess, held, receipt.started_at)
        self._stop = stop
        self._fetch = stop.guard(fetch)
        self._archive = archive
        self._assess = assess
        self._now = now
        self._requests = requests
        self._left = most_fetches
        self._on_progress = on_progress
        self._waiting: list[Find] = []
        self._storing: asyncio.Task[None] | None = None
        self._seen: set[str] = set()
        self._blocks: Counter[str] = Counter()
        self._turn = asyncio.Lock()
        self.held_sources: set[str] = set()
        """Sources that named an article whose page is in quarantine now."""

    # -- from outside

    async def found(self, ids: Sequence[str]) -> Mapping[str, datetime]:
        """Of these ids, those that earlier runs found: id -> start of the run that first did."""
        known = await self._in_store(self._archive.known, ids)
        return {id_: k.found_at for id_, k in known.items() if k.found_at is not None}

    async def add(
        self, refs: Sequence[ArticleRef], *, page: RawPage | None = None, by_hand: bool = False, keep: bool = False
    ) -> None:
        """Take up finds. Of a key that the run has met already, the first find counts.

        `page`, the answer that named them, is captured when it names a key that the archive does not know, or if it is
        to be kept whatever it names.
        """
        if keep and page is not None:
            self._archive.capture(page)
        fresh = []
        for ref in refs:
            if ref.key.id not in self._seen:
                self._seen.add(ref.key.id)
                fresh.append(ref)
        self.receipt.discovered += len(fresh)
        # In parts: what the archive knows of a hundred thousand addresses would not be little.
        for at in range(0, len(fresh), BATCH):
            await self._take_up(fresh[at : at + BATCH], page, by_hand)

    async def _take_up(self, refs: Sequence[ArticleRef], page: RawPage | None, by_hand: bool) -> None:
        known = await self._in_store(self._archive.known, [ref.key.id for ref in refs])
        if page is not None and len(known) < len(refs):
            self._archive.capture(page)
        self._waiting += [Find(ref, known.get(ref.key.id), by_hand) for ref in refs]
        if len(self._waiting) >= BATCH:
            batch, self._waiting = self._waiting[:BATCH], self._waiting[BATCH:]
            await self._process(batch)

    async def close_window(self, read: WindowRead) -> None:
        """See everything stored that was found so far, and with it that this window has been read."""
        await self.finish()
        requests, self._requests[:] = list(self._requests), []
        await self._in_store(partial(self._archive.store, coverage=[read]), self.receipt.run_id, [], requests)

    async def show_readers(self) -> None:
        """Let readers see what was stored so far, where it is time for that."""
        await self._in_store(self._archive.keep_readers_fresh)

    async def finish(self) -> None:
        """Process what is left, and see everything stored."""
        if self._waiting:
            batch, self._waiting = self._waiting, []
            await self._process(batch)
        await self.settle()

    async def settle(self) -> None:
        """Wait until nothing is being stored any more. To be awaited however the run ends."""
        storing, self._storing = self._storing, None
        if storing is not None:
            await storing

    # -- a batch

    async def _process(self, batch: Sequence[Find]) -> None:
        visited = await _together([self._visit(find) for find in batch])
        await self.settle()
        known = {find.ref.key.id: find.known for find in batch}
        self._storing = asyncio.create_task(self._judge_and_store(visited, known))

    async def _judge_and_store(self, visited: Sequence[Parsed | FindResult], known: Mapping[str, Known | None]) -> None:
        results = await self._in_store(self._judge.results, visited, known)
        requests, self._requests[:] = list(self._requests), []
        spent = await self._in_store(self._archive.store, self.receipt.run_id, results, requests)
        for stage, seconds in spent.items():
            self.receipt.spend(stage, seconds)
        for result in results:
            self._account(result)
        self._on_progress(self.receipt)

    def _account(self, result: FindResult) -> None:
        receipt, ref = self.receipt, result.ref
        receipt.outcomes[result.outcome] += 1
        of_source = receipt.by_source.setdefault(ref.source, {})
        of_source[result.outcome.value] = of_source.get(result.outcome.value, 0) + 1
        if result.outcome in (Outcome.FAILED, Outcome.BLOCKED) and len(receipt.faults) < _FAULTS_NAMED:
            receipt.faults[ref.key.id] = result.reason
        if result.quarantined:
            receipt.quarantined += 1
            self.held_sources.add(ref.source)
            if len(receipt.held) < _NAMED:
                receipt.held[ref.key.id] = result.reason
        if result.outcome is Outcome.NEW and result.article and len(receipt.newest) < _NAMED:
            receipt.newest.append(_named(result.article))

    async def _in_store(self, call: Callable[..., T], *arguments: Any) -> T:
        """Call the archive in another thread: the fetches go on meanwhile. Never two calls at once."""
        async with self._turn:
            return await asyncio.to_thread(call, *arguments)

    # -- one find, up to its article

    async def _visit(self, find: Find) -> Parsed | FindResult:
        verdict = before_fetch(find.known, self._now(), named_by_hand=find.by_hand)
        if verdict is not None:
            return FindResult(find.ref, verdict.outcome, verdict.reason, known=True)
        if self._stop.asked or not self._take_fetch():
            return self._deferred(find, "the run ended before its turn")
        answer = await self._fetch_article(find)
        if isinstance(answer, FetchFault):
            return self._faulted(find, answer)
        if answer.status == _NOT_MODIFIED:
            return self._not_modified(find, answer)
        return self._read(find, answer)

    def _take_fetch(self) -> bool:
        if self._left is None:
            return True
        self._left -= 1
        return self._left >= 0

    async def _fetch_article(self, find: Find) -> RawPage | FetchFault:
        began = time.monotonic()
        url = _first_address(find.ref)
        page = await self._ask(url, _conditions(find.known))
        if isinstance(page, RawPage) and (service := _service(page.final_url)):
            # A page of scripts: the same article is to be had as JSON.
            page = await self._ask(json_api_url(find.ref.key, service), {})
        self.receipt.spend("fetch", time.monotonic() - began)
        return page

    async def _ask(self, url: str, conditions: Mapping[str, str]) -> RawPage | FetchFault:
        if (kept := self._archive.kept(url)) is not None:
            return kept
        if conditions:
            return await self._fetch(url, why="article", headers=conditions)
        return await self._fetch(url, why="article")

    def _not_modified(self, find: Find, page: RawPage) -> FindResult:
        """The server says that the page is the one of before: nothing to capture, to parse or to store."""
        if find.known is None or find.known.validators is None:
            return self._failed(find, f"{page.final_url} answered 304 to a question that set no condition", None)
        reason = "not modified since, as the server says"
        validators = find.known.validators
        return FindResult(find.ref, Outcome.UNCHANGED, reason, crawled_at=page.fetched_at, validators=validators)

    def _read(self, find: Find, page: RawPage) -> Parsed | FindResult:
        if page.status in _REFUSED:
            return self._blocked(find, page.final_url, f"{page.final_url} answered with status {page.status}")
        self._blocks[urlsplit(page.final_url).netloc] = 0
        began = time.monotonic()
        capture = self._archive.capture(page, find.known.capture if find.known else None)
        captured = time.monotonic()
        self.receipt.spend("capture", captured - began)
        self.receipt.pages_read += 1
        try:
            return self._parse(find, page, capture)
        finally:
            self.receipt.spend("parse", time.monotonic() - captured)

    def _parse(self, find: Find, page: RawPage, capture: CaptureRef) -> Parsed | FindResult:
        ref, at = find.ref, page.fetched_at
        if page.status in _GONE:
            return FindResult(ref, Outcome.GONE, f"status {page.status}", capture=capture, crawled_at=at)
        if page.status != 200:
            return self._failed(find, f"{page.final_url} answered with status {page.status}", capture)
        if find_article_key(page.final_url) is None:
            return self._failed(find, f"the address led to {page.final_url}, which is no article", capture)
        try:
            # By the find's own key: a page of another article is not stored under this one.
            article, traits = read_article(page.content, ref.key.url)
        except ArticleGone as error:
            return FindResult(ref, Outcome.GONE, error.notice, capture=capture, crawled_at=at)
        except TemporarilyUnavailable as error:
            return self._failed(find, str(error), capture)
        except LayoutChanged as error:
            self.receipt.layout_faults += 1
            tries, retry_at = next_try(find.known, self._now(), held=True)
            failed = self._failed(find, str(error), capture)
            return replace(failed, crawled_at=at, quarantined=True, tries=tries, retry_at=retry_at)
        return Parsed(ref, article, traits, capture, at, _validators(page, ref))

    # -- faults as outcomes

    def _faulted(self, find: Find, fault: FetchFault) -> FindResult:
        match fault.fault:
            case Fault.FORBIDDEN:
                return self._listed(find, fault.detail)
            case Fault.BLOCKED:
                return self._blocked(find, fault.url, fault.detail)
            case Fault.BACKING_OFF:
                self.receipt.resting[urlsplit(fault.url).netloc] = fault.detail
                return replace(self._deferred(find, fault.detail), retry_at=fault.retry_at)
            case Fault.STOPPED:
                return self._deferred(find, fault.detail)
            case _:
                return self._failed(find, f"{fault.fault}: {fault.detail}", None)

    def _listed(self, find: Find, detail: str) -> FindResult:
        """robots.txt forbids the page: kept as what the source said of it."""
        if find.known is not None and find.known.status is Status.ARCHIVED:
            # Not now: it is asked for again once robots.txt may have changed, and makes room for others until then.
            return replace(self._deferred(find, detail), retry_at=self._now() + _ROBOTS_AGAIN)
        if find.known is not None and find.known.status is not None:
            return FindResult(find.ref, Outcome.UNCHANGED, f"known as {find.known.status}; {detail}", known=True)
        if not find.ref.title:
            later = self._now() + _ROBOTS_AGAIN
            detail = f"{detail}; the source gave nothing but the address"
            return FindResult(find.ref, Outcome.BLOCKED, detail, retry_at=later)
        relevance = self._assess(find.ref.title, find.ref.description or "").relevance
        return FindResult(find.ref, Outcome.LISTED, detail, relevance, crawled_at=find.ref.seen_at)

    def _blocked(self, find: Find, url: str, detail: str) -> FindResult:
        host = urlsplit(url).netloc
        self._blocks[host] += 1
        if self._blocks[host] >= _BLOCKS_IN_A_ROW:
            self._stop.ask()  # Naver does not want us now: asking on would be rude, and in vain
        return self._to_be_retried(find, Outcome.BLOCKED, detail, None)

    def _failed(self, find: Find, detail: str, capture: CaptureRef | None) -> FindResult:
        return self._to_be_retried(find, Outcome.FAILED, detail, capture)

    def _to_be_retried(self, find: Find, outcome: Outcome, detail: str, capture: CaptureRef | None) -> FindResult:
        tries, retry_at = next_try(find.known, self._now())
        return FindResult(find.ref, outcome, detail, capture=capture, tries=tries, retry_at=retry_at)

    def _deferred(self, find: Find, detail: str) -> FindResult:
        tries = find.known.tries if find.known else 0
        return FindResult(find.ref, Outcome.DEFERRED, detail, tries=tries, retry_at=self._now())


def _named(article: Article) -> dict[str, str | None]:
    """An article as a receipt names it."""
    return {
        "id": article.id,
        "title": article.title,
        "publisher": article.publisher,
        "url": article.url,
        "published_at": article.published_at.isoformat() if article.published_at else None,
    }


def _first_address(ref: ArticleRef) -> str:
    """What is asked first for an article: its page, or its JSON where its page is known to be one of scripts."""
    service = _service(ref.url)
    return json_api_url(ref.key, service) if service else ref.key.url


def _conditions(known: Known | None) -> dict[str, str]:
    """Request headers that ask for an archived page only if it has changed."""
    if known is None or known.validators is None or known.status is not Status.ARCHIVED:
        return {}
    if known.state in (Outcome.FAILED, Outcome.BLOCKED):
        return {}  # what failed was perhaps another page than the one that they are of
    return known.validators.as_headers()


def _validators(page: RawPage, ref: ArticleRef) -> Validators | None:
    """What may be sent back with the next question: only where the address that is asked first gave the answer."""
    if not page.url == page.final_url == _first_address(ref):
        return None
    found = Validators(_short(page.header("etag")), _short(page.header("last-modified")))
    return found if found.as_headers() else None


def _short(value: str | None) -> str | None:
    """A header's value that is fit to be sent back."""
    fit = value is not None and len(value) <= _LONGEST_VALIDATOR and value.isascii() and value.isprintable()
    return value if fit else None


def _service(url: str) -> Literal["sports", "entertain"] | None:
    """Which of the services that show pages of scripts an address belongs to."""
    host = url.split("/", 3)[2] if url.count("/") >= 2 else ""
    if host.endswith("sports.naver.com") and not host.startswith("api-gw."):
        return "sports"
    return "entertain" if host.endswith("entertain.naver.com") and not host.startswith("api-gw.") else None


async def _together(visits: Sequence[Coroutine[Any, Any, T]]) -> list[T]:
    """The results, in order. The first error ends the others, and is raised as itself."""
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(visit) for visit in visits]
    except BaseExceptionGroup as errors:
        raise errors.exceptions[0] from errors
    return [task.result() for task in tasks]
