"""A fetcher: fetches addresses without an archive, and hands them over as segments to the archive's writer.

    finds | fetch | spool | seal | store -> take_in.py, at the archive

A fetcher has a name, a state directory and a pace of its own. It obeys robots.txt, back-off and `Retry-After` as a
crawl does. Killed at any point, it continues with its spool: what was fetched is not fetched again.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from flows.pipeline.batches import gather
from flows.pipeline.stop import Fetching, Refusals, Stop
from flows.pipeline.visit import REFUSED, fetch_article
from flows.runs.polite_client import polite_client
from schemas.article import ArticleRef
from schemas.errors import ObjectStoreUnavailable
from schemas.page import Fault, FetchFault, RawPage, RequestRecord
from schemas.receipt import ExitReason
from schemas.segment import Visited
from schemas.topic import Topic
from storage.files import make_folder
from storage.inbox.inbox import Inbox, check_fetcher
from storage.inbox.progress import Progress, load_progress, save_progress
from storage.inbox.spool import Spool, visited_in
from storage.state.lease import lease

BACKOFF = "backoff.json"
SPOOL = "spool"

_NOT_VISITED = frozenset({Fault.STOPPED, Fault.OFFLINE})
"""Faults after which an address is still to be fetched."""
_NO_ANSWER = frozenset({Fault.CONNECTION, Fault.TIMEOUT})
"""Faults that a network which was cut explains, too."""


@dataclass(frozen=True, slots=True)
class FetchOrder:
    """What to fetch: the finds `refs`, politely by the limits of `topic`, for the writer that takes in from `inbox`.

    `fetcher`: the fetcher's name; `state`: its directory. `naver`: the address of a replica. `wait`: seconds to wait
    for another process with this directory. `chunk`: the name of the chunk with these finds, if it has one: it is
    fetched once, however often it is ordered.
    """

    topic: Topic
    inbox: Inbox
    fetcher: str
    state: Path
    refs: tuple[ArticleRef, ...]
    naver: str | None = None
    wait: float = 0.0
    chunk: str | None = None


@dataclass(slots=True)
class FetchReport:
    """What a fetcher did. `visited`: addresses in this run; `done`: those of the chunk that are in segments, in all.

    `segments`: the names of the segments of this chunk in the store; `waiting`: how many wait on the disk, because of
    `unavailable`. `faults`: fetches that gave no page, by their fault.
    """

    fetcher: str
    addresses: int
    visited: int = 0
    done: int = 0
    pages: int = 0
    requests: int = 0
    bytes: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    segments: list[str] = field(default_factory=list)
    waiting: int = 0
    unavailable: str = ""
    exit_reason: ExitReason | None = None
    explanation: str = ""

    def as_json(self) -> dict[str, Any]:
        """The report as plain values."""
        return {name: _plain(getattr(self, name)) for name in self.__dataclass_fields__}


OnReport = Callable[[FetchReport], None]


async def fetch(order: FetchOrder, *, stop: Stop | None = None, on_progress: OnReport = lambda _: None) -> FetchReport:
    """Fetch, and return the report. Raises SeogoError where the fetcher cannot continue.

    A store that is away is no reason to stop: the segments wait on the disk for the next start.
    """
    check_fetcher(order.fetcher)
    make_folder(order.state)
    with lease(order.state, now=datetime.now(UTC), wait=order.wait), _opened(order) as fetcher:
        await fetcher.run(stop or Stop(), on_progress)
    return fetcher.report


@contextmanager
def _opened(order: FetchOrder) -> Iterator[_Fetcher]:
    progress = load_progress(order.state, order.fetcher) or Progress(order.fetcher, order.inbox.newest(order.fetcher))
    progress.begin(order.chunk or _digest(order.refs), again=order.chunk is None)
    progress.archive = _archive(order.inbox, progress.archive)
    save_progress(order.state, progress)
    spool = Spool(
        order.state / SPOOL,
        fetcher=order.fetcher,
        chunk=progress.chunk,
        archive=progress.archive,
        newest=progress.newest,
    )
    try:
        yield _Fetcher(order, progress, spool)
    finally:
        spool.close()


class _Fetcher:
    """One run of a fetcher."""

    def __init__(self, order: FetchOrder, progress: Progress, spool: Spool) -> None:
        self.report = FetchReport(order.fetcher, len(order.refs))
        self._order, self._progress, self._spool = order, progress, spool
        self._requests: list[RequestRecord] = []

    async def run(self, stop: Stop, on_progress: OnReport) -> None:
        """Fetch what is left of the chunk, segment by segment."""
        self._send()
        left = self._left()
        order = self._order
        pauses = order.state / BACKOFF
        async with polite_client(order.topic, naver=order.naver, pauses=pauses, record=self._record) as client:
            visit = _Visit(stop.guard(client.fetch), client.is_cut_off, Refusals(stop), self)
            while left and not stop.requested and not client.offline:
                part, left = left[: self._spool.room], left[self._spool.room :]
                await gather([visit(ref) for ref in part])
                on_progress(self.report)
                if not self._spool.room:
                    self._seal_and_send()
            self._seal_and_send()
            self._end(stop, client.offline)

    def keep(self, page: RawPage) -> None:
        """Spool a page."""
        self._spool.append_page(page)
        self.report.pages += 1

    def kept(self, url: str) -> RawPage | None:
        """The page of an address that an earlier process of this fetcher spooled."""
        return self._spool.page(url)

    def note_visited(self, ref: ArticleRef, answers: Sequence[RawPage | FetchFault]) -> None:
        """Spool that an address was visited, with the requests sent since the last one."""
        requests, self._requests = tuple(self._requests), []
        pages = tuple(answer.url for answer in answers if isinstance(answer, RawPage))
        faults = tuple(answer for answer in answers if isinstance(answer, FetchFault))
        self._spool.append_visited(Visited(ref, pages, faults, requests))
        self.report.visited += 1
        self.report.faults.update(fault.fault.value for fault in faults)

    def _left(self) -> list[ArticleRef]:
        """The finds that are neither in the store nor in the spool."""
        done = {*self._progress.visited, *(visited.ref.key.id for visited in self._spool.visited)}
        for _, path in self._spool.sealed():
            done |= {*visited_in(path, self._progress.chunk)}
        self.report.done = sum(1 for ref in self._order.refs if ref.key.id in done)
        return [ref for ref in self._order.refs if ref.key.id not in done]

    def _record(self, request: RequestRecord) -> None:
        self._requests.append(request)
        self.report.requests += 1
        self.report.bytes += request.received

    # -- segments

    def _seal_and_send(self) -> None:
        self._spool.seal()
        self._send()

    def _send(self) -> None:
        """Put the sealed segments into the store, oldest first; those that it does not take now wait."""
        progress, sealed = self._progress, self._spool.sealed()
        self.report.unavailable = ""
        for number, path in sealed:
            try:
                name = self._order.inbox.put(self._order.fetcher, number, path)
            except ObjectStoreUnavailable as error:
                self.report.unavailable = str(error)
                break
            if visited := visited_in(path, progress.chunk):
                progress.visited += visited
                progress.segments.append(name)
            progress.newest = max(progress.newest, number)
            save_progress(self._order.state, progress)
            self._spool.drop(number)
        self.report.waiting = len(self._spool.sealed())
        self.report.segments = list(progress.segments)

    def _end(self, stop: Stop, offline: str) -> None:
        report = self.report
        report.done += report.visited
        report.exit_reason, report.explanation = _exit_reason(report, stop, offline)
        if report.done == report.addresses and not report.waiting:
            self._progress.done = True
            save_progress(self._order.state, self._progress)


@dataclass(frozen=True, slots=True)
class _Visit:
    """Fetches the pages of one find."""

    fetch: Fetching[...]
    is_cut_off: Callable[[str], Awaitable[bool]]
    refusals: Refusals
    fetcher: _Fetcher

    async def __call__(self, ref: ArticleRef) -> None:
        answers: list[RawPage | FetchFault] = []

        async def get(url: str) -> RawPage | FetchFault:
            answer: RawPage | FetchFault | None = self.fetcher.kept(url)
            if answer is None:
                answer = await self.fetch(url, why="article")
                if isinstance(answer, RawPage):
                    self.fetcher.keep(answer)
            answers.append(answer)
            return answer

        answer = await fetch_article(ref, get)
        if isinstance(answer, FetchFault) and await self._is_to_be_fetched(answer):
            return
        self._note_refusal(answer)
        self.fetcher.note_visited(ref, answers)

    async def _is_to_be_fetched(self, fault: FetchFault) -> bool:
        """Whether an address counts as not visited yet."""
        return fault.fault in _NOT_VISITED or (fault.fault in _NO_ANSWER and await self.is_cut_off(fault.url))

    def _note_refusal(self, answer: RawPage | FetchFault) -> None:
        match answer:
            case FetchFault(fault=Fault.BLOCKED):
                self.refusals.refused(answer.url)
            case RawPage(status=status) if status in REFUSED:
                self.refusals.refused(answer.final_url)
            case RawPage():
                self.refusals.answered(answer.final_url)


def _exit_reason(report: FetchReport, stop: Stop, offline: str) -> tuple[ExitReason, str]:
    left = report.addresses - report.done
    if stop.by_hand:
        return ExitReason.INTERRUPTED, f"stopped by hand; addresses left for the next start: {left}"
    if offline:
        return ExitReason.OFFLINE, f"no host can be reached ({offline}); addresses left for the next start: {left}"
    if stop.requested:
        return ExitReason.BLOCKED, f"a host refused three requests in a row; addresses left: {left}"
    if report.unavailable:
        return ExitReason.PARTLY_FAILED, f"segments that wait on the disk: {report.waiting}; {report.unavailable}"
    return ExitReason.DONE, "every address is in a segment in the store"


def _archive(inbox: Inbox, known: str | None) -> str | None:
    """The id of the archive that the segments are for, as far as it is known."""
    try:
        return inbox.archive() or known
    except ObjectStoreUnavailable:
        return known


def _digest(refs: Sequence[ArticleRef]) -> str:
    """What identifies a chunk: its addresses, in any order."""
    return hashlib.sha256("\n".join(sorted(ref.url for ref in refs)).encode()).hexdigest()


def _plain(value: Any) -> Any:
    return dict(value) if isinstance(value, Counter) else value
