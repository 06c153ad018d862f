"""The finds of a run in batches: visited, judged, stored and accounted for.

    finds | known? | visit (visit.py) | judge (judge.py) | store

While one batch is being fetched, the one before is judged and stored in another thread. So neither waits for the other,
and memory does not grow with the number of finds.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from datetime import datetime
from functools import partial
from types import TracebackType
from typing import Any, Protocol, Self, TypeVar

from flows.pipeline.judge import Judge, Parsed, Texts
from flows.pipeline.visit import Captures, Find
from schemas.article import Article, ArticleRef, Outcome
from schemas.coverage import WindowRead
from schemas.find import FindResult, Known, Status
from schemas.page import RawPage, RequestRecord
from schemas.receipt import Receipt
from schemas.segment import SegmentTaken

BATCH = 256
"""Finds in a batch. Two batches are in memory at a time: one is fetched while the other is stored."""

_FAULTS_NAMED = 5
_NAMED = 50

T = TypeVar("T")


class ArticleStore(Texts, Captures, Protocol):
    """What the pipeline needs of the archive."""

    def known(self, ids: Sequence[str]) -> Mapping[str, Known]: ...
    def first_found(self, ids: Sequence[str]) -> Mapping[str, datetime]: ...
    def store(
        self,
        run_id: str,
        results: Sequence[FindResult],
        requests: Sequence[RequestRecord] = (),
        /,
        *,
        coverage: Sequence[WindowRead] = (),
        segment: SegmentTaken | None = None,
    ) -> dict[str, float]: ...
    def publish_during_run(self) -> None: ...


class Visits(Protocol):
    """Takes a find to its parsed page, or to how it ends without one (`Visitor`, `HandOut`)."""

    async def visit(self, find: Find, /) -> Parsed | FindResult: ...


class Pipeline:
    """Takes the finds of a run to their outcomes: `add` them as they are discovered.

    An async context manager: at its end everything is stored, or, after an error, what was already being stored.
    `requests`: the records of the requests made so far, which are stored, and removed, with each batch.
    """

    def __init__(
        self,
        *,
        visitor: Visits,
        judge: Judge,
        archive: ArticleStore,
        receipt: Receipt,
        requests: list[RequestRecord],
        on_progress: Callable[[Receipt], None],
    ) -> None:
        self._visitor = visitor
        self._judge = judge
        self._archive = archive
        self._archive_lock = asyncio.Lock()
        self._receipt = receipt
        self._requests = requests
        self._on_progress = on_progress
        self._segment: SegmentTaken | None = None
        self._waiting: list[Find] = []
        self._storing: asyncio.Task[None] | None = None
        self._seen: set[str] = set()
        self.quarantined_sources: set[str] = set()
        """Sources that named an article whose page this run has quarantined."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            if error is None:
                await self.finish()
        finally:
            await self.wait_until_stored()

    # -- finds come in

    async def add(
        self, refs: Sequence[ArticleRef], *, page: RawPage | None = None, force: bool = False, keep: bool = False
    ) -> None:
        """Take up finds. Only the first find of each article in a run counts. `force`: fetch them whatever is known.

        `page`, the answer that named them, is captured if it names an article that the archive does not know. `keep`:
        capture it in any case.
        """
        if keep and page is not None:
            self._archive.capture(page)
        fresh = []
        for ref in refs:
            if ref.key.id not in self._seen:
                self._seen.add(ref.key.id)
                fresh.append(ref)
        self._receipt.discovered += len(fresh)
        # In batches, since there may be a hundred thousand of them.
        for at in range(0, len(fresh), BATCH):
            await self._take_up(fresh[at : at + BATCH], page, force)

    async def _take_up(self, refs: Sequence[ArticleRef], page: RawPage | None, force: bool) -> None:
        known = await self.in_thread(self._archive.known, [ref.key.id for ref in refs])
        if page is not None and len(known) < len(refs):
            self._archive.capture(page)
        self._waiting += [Find(ref, known.get(ref.key.id), force) for ref in refs]
        if len(self._waiting) >= BATCH:
            batch, self._waiting = self._waiting[:BATCH], self._waiting[BATCH:]
            await self._process(batch)

    async def add_segment(self, refs: Sequence[ArticleRef], late: Sequence[ArticleRef], segment: SegmentTaken) -> None:
        """Take up the finds of a segment, and store them with it: in one batch, of which no find has been met before.

        `late`: those of which the archive has a newer answer. They are not judged again.
        """
        self._segment = segment
        await self.add(refs, force=True)
        await self.add(late)
        await self.finish()
        if not (refs or late):
            store = partial(self._archive.store, segment=segment)
            await self.in_thread(store, self._receipt.run_id, [], self._taken_requests())
        self._segment = None

    async def first_found(self, ids: Sequence[str]) -> Mapping[str, datetime]:
        """For article ids, the start of the run that found each of them first. Unknown ids are left out."""
        return await self.in_thread(self._archive.first_found, ids)

    # -- batches are processed

    async def _process(self, batch: Sequence[Find]) -> None:
        visited = await gather([self._visitor.visit(find) for find in batch])
        await self.wait_until_stored()
        known = {find.ref.key.id: find.known for find in batch}
        self._storing = asyncio.create_task(self._judge_and_store(visited, known))

    async def _judge_and_store(self, visited: Sequence[Parsed | FindResult], known: Mapping[str, Known | None]) -> None:
        results = await self.in_thread(self._judge.results, visited, known)
        store = partial(self._archive.store, segment=self._segment)
        spent = await self.in_thread(store, self._receipt.run_id, results, self._taken_requests())
        for stage, seconds in spent.items():
            self._receipt.spend(stage, seconds)
        for result in results:
            self._account(result)
        self._on_progress(self._receipt)

    def _taken_requests(self) -> list[RequestRecord]:
        """The requests recorded since the last call."""
        requests, self._requests[:] = list(self._requests), []
        return requests

    def _account(self, result: FindResult) -> None:
        receipt, ref = self._receipt, result.ref
        receipt.outcomes[result.outcome] += 1
        of_source = receipt.by_source.setdefault(ref.source, {})
        of_source[result.outcome.value] = of_source.get(result.outcome.value, 0) + 1
        if result.outcome in (Outcome.FAILED, Outcome.BLOCKED) and len(receipt.faults) < _FAULTS_NAMED:
            receipt.faults[ref.key.id] = result.reason
        if result.quarantined:
            receipt.quarantined += 1
            self.quarantined_sources.add(ref.source)
            if len(receipt.held) < _NAMED:
                receipt.held[ref.key.id] = result.reason
        if len(receipt.newest) < _NAMED and (named := _as_named(result)):
            receipt.newest.append(named)

    async def in_thread(self, call: Callable[..., T], *arguments: Any) -> T:
        """Call the archive in another thread, so that fetches continue meanwhile. One call at a time."""
        async with self._archive_lock:
            return await asyncio.to_thread(call, *arguments)

    # -- what was found is stored

    async def finish(self) -> None:
        """Process the finds that are left, and wait until everything is stored."""
        if self._waiting:
            batch, self._waiting = self._waiting, []
            await self._process(batch)
        await self.wait_until_stored()

    async def wait_until_stored(self) -> None:
        """Wait for the batch that is being stored."""
        storing, self._storing = self._storing, None
        if storing is not None:
            await storing

    async def store_window(self, read: WindowRead) -> None:
        """Store all finds so far, and then in the coverage ledger that this window was read."""
        await self.finish()
        store = partial(self._archive.store, coverage=[read])
        await self.in_thread(store, self._receipt.run_id, [], self._taken_requests())

    async def refresh_snapshot(self) -> None:
        """Show readers what has been stored so far, if it is time for that."""
        await self.in_thread(self._archive.publish_during_run)


def _as_named(result: FindResult) -> dict[str, str | None] | None:
    """A new article as the receipt names it; None for other results, and for what is listed and off topic."""
    found: Article | ArticleRef | None = result.article if result.outcome is Outcome.NEW else None
    if result.outcome is Outcome.LISTED and not (result.relevance and result.relevance.on_topic is False):
        found = result.ref
    if found is None:
        return None
    return {
        "id": found.key.id,
        "title": found.title,
        "publisher": found.publisher,
        "url": found.key.url,
        "published_at": found.published_at.isoformat() if found.published_at else None,
        "status": (Status.LISTED if result.outcome is Outcome.LISTED else Status.ARCHIVED).value,
    }


async def gather(visits: Sequence[Coroutine[Any, Any, T]]) -> list[T]:
    """The results, in order. The first error cancels the others and is raised as it is."""
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(visit) for visit in visits]
    except BaseExceptionGroup as errors:
        raise errors.exceptions[0] from errors
    return [task.result() for task in tasks]
