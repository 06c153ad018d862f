"""Taking in: the one writer of an archive takes the segments of its fetchers, each exactly once.

    store | segment | pipeline (known? parse, judge) | archive: finds and segment in one transaction

The segments of a fetcher are taken in the order of their numbers. One that is missing or cannot be read holds up the
later ones of its fetcher, and no others. A segment's pages are judged as if they had just been fetched, and its
captures become the archive's: from then on the archive does not need the segment.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from flows.fetching.client import Client
from flows.pipeline.batches import Pipeline
from flows.pipeline.stop import Stop
from flows.runs.exit_reason import exit_reason_of
from flows.runs.lifecycle import Now, OnProgress, ignore_progress, utc_now
from flows.runs.pipeline_run import PipelineOrder, PipelineRun, run_pipeline
from schemas.article import ArticleRef
from schemas.errors import BadInput, ObjectMissing, SegmentRefused
from schemas.page import Fault, FetchFault, RawPage
from schemas.receipt import ExitReason, Receipt
from schemas.segment import SegmentTaken, Taken, Visited
from storage.inbox.inbox import Inbox, segment_name
from storage.inbox.segment import Segment, read_segment
from storage.state import held_segments


@dataclass(frozen=True, slots=True)
class TakeInOrder(PipelineOrder):
    """From which store to take in. `skip`: segments to give up, by fetcher and number."""

    inbox: Inbox
    skip: tuple[tuple[str, int], ...] = ()


async def take_in(
    order: TakeInOrder,
    *,
    stop: Stop | None = None,
    on_progress: OnProgress = ignore_progress,
    now: Now = utc_now,
) -> Receipt:
    """Take in every segment that can be, and return the receipt. Raises SeogoError where the run cannot continue.

    Segments that were taken in are deleted from the store at the end, except for the newest of each fetcher: it tells a
    fetcher that has lost its directory where to continue counting.
    """
    held: dict[str, str] = {}

    async def work(run: PipelineRun, client: Client) -> None:
        recording = _Recording()
        async with run.replay(recording.fetch) as pipeline:
            await _TakingIn(order, run, pipeline, recording, held).all()
        held_segments.note(order.archive, held)

    def exit_reason(receipt: Receipt, *, interrupted: bool, broken: bool) -> tuple[ExitReason, str]:
        reason, explanation = exit_reason_of(
            receipt, interrupted=interrupted, broken=broken, idle="no segment waits to be taken in"
        )
        if held and not (interrupted or broken):
            return ExitReason.PARTLY_FAILED, "; ".join(held.values())
        return reason, explanation

    return await run_pipeline(
        order, "take-in", work, stop=stop, on_progress=on_progress, now=now, exit_reason=exit_reason
    )


@dataclass(slots=True)
class _Recording:
    """Answers fetches from the segment that is being taken in."""

    answers: Mapping[str, RawPage | FetchFault] = field(default_factory=dict)

    async def fetch(self, url: str, *, why: str, headers: Mapping[str, str] | None = None) -> RawPage | FetchFault:
        missing = FetchFault(url, Fault.STOPPED, "the segment has no answer of this address")
        return self.answers.get(url, missing)


@dataclass(slots=True)
class _Line:
    """The segments of a fetcher: the number of the next one to take in, and those in the store with their sizes."""

    fetcher: str
    next: int
    sizes: Mapping[int, int]


@dataclass(slots=True)
class _TakingIn:
    """One run. `held`: why a fetcher's segments cannot be taken in now, by fetcher."""

    order: TakeInOrder
    run: PipelineRun
    pipeline: Pipeline
    recording: _Recording
    held: dict[str, str]
    archive_id: str = ""
    met: set[str] = field(default_factory=set)

    async def all(self) -> None:
        """Take in the segments of all fetchers, in turn."""
        archive, inbox = self.run.archive, self.order.inbox
        self.archive_id = await self.pipeline.in_thread(archive.first_run)
        inbox.claim(self.archive_id)
        newest = await self.pipeline.in_thread(archive.newest_segments)
        sizes = await asyncio.to_thread(inbox.sizes)
        await self._skip(newest)
        lines = [_Line(fetcher, newest.get(fetcher, 0) + 1, of_fetcher) for fetcher, of_fetcher in sizes.items()]
        for line in lines:
            await self._check_taken(line)
        lines = [line for line in lines if line.fetcher not in self.held]
        going = lines
        while going and not self.run.stop.requested:
            going = [line for line in going if not self.run.stop.requested and await self._take_next(line)]
        self._say(lines)
        for line in lines:
            inbox.delete(line.fetcher, [number for number in line.sizes if number < line.next - 1])

    async def _take_next(self, line: _Line) -> bool:
        """Take in the next segment of a fetcher. Returns whether there was one that could be."""
        if line.next not in line.sizes:
            if later := [number for number in line.sizes if number > line.next]:
                missing = segment_name(line.fetcher, line.next)
                self._hold(line, f"{missing} is missing; later segments that wait: {len(later)}")
            return False
        name = segment_name(line.fetcher, line.next)
        try:
            data = await asyncio.to_thread(self.order.inbox.read, line.fetcher, line.next)
            segment = read_segment(data, name, fetcher=line.fetcher, number=line.next, archive=self.archive_id)
        except ObjectMissing:
            self._hold(line, f"{name} has disappeared from the store")
            return False
        except SegmentRefused as error:
            self._hold(line, str(error))
            return False
        await self._take(segment)
        line.next += 1
        return True

    async def _take(self, segment: Segment) -> None:
        refs, late = await self._sorted(segment)
        begun, repeated = segment.begun, len(segment.visited) - len(refs) - len(late)
        taken = SegmentTaken(
            begun.fetcher,
            begun.number,
            Taken.TAKEN,
            segment.bytes,
            segment.sha256,
            len(segment.visited),
            repeated=repeated,
            late=len(late),
        )
        for visited in segment.visited:
            for request in visited.requests:
                self.run.record(request)
        self.recording.answers = segment.answers
        await self.pipeline.add_segment(refs, late, taken)
        self.recording.answers = {}  # its pages are as large as those of the next segment
        self.met |= {ref.key.id for ref in (*refs, *late)}
        self._note_twice(taken)

    async def _sorted(self, segment: Segment) -> tuple[list[ArticleRef], list[ArticleRef]]:
        """The finds that this run has not met, and those among them of which the archive has a newer answer."""
        fresh = [visited for visited in segment.visited if visited.ref.key.id not in self.met]
        ids = [visited.ref.key.id for visited in fresh]
        checked = await self.pipeline.in_thread(self.run.archive.checked_at, ids)

        def is_late(visited: Visited) -> bool:
            before, at = checked.get(visited.ref.key.id), _fetched_at(visited, segment)
            return before is not None and at is not None and at <= before

        late = [visited.ref for visited in fresh if is_late(visited)]
        keys = {ref.key for ref in late}
        return [visited.ref for visited in fresh if visited.ref.key not in keys], late

    def _note_twice(self, taken: SegmentTaken) -> None:
        name, notes = segment_name(taken.fetcher, taken.number), self.run.receipt.notes
        if taken.repeated:
            notes.append(f"{name}: addresses fetched twice: {taken.repeated}; the first answer of the run counts")
        if taken.late:
            notes.append(f"{name}: answers that came late: {taken.late}; the archive has newer ones")

    async def _check_taken(self, line: _Line) -> None:
        """Hold a fetcher whose store has another segment under a number that was taken in."""
        numbers = [number for number in line.sizes if number < line.next]
        taken = await self.pipeline.in_thread(self.run.archive.segment_sizes, line.fetcher, numbers)
        for number in numbers:
            if line.sizes[number] != taken.get(number):
                self._hold(
                    line,
                    f"another segment than {segment_name(line.fetcher, number)} was taken in under this number:"
                    " the fetcher has lost its directory, or two have its name. Give it a new name, and fetch again"
                    f" what is in inbox/{line.fetcher}/",
                )
                return

    async def _skip(self, newest: dict[str, int]) -> None:
        for fetcher, number in sorted(self.order.skip):
            if number != newest.get(fetcher, 0) + 1:
                raise BadInput(
                    f"--skip {fetcher}/{number}: the next segment of {fetcher!r} is {newest.get(fetcher, 0) + 1}."
                    " Only the next one can be skipped."
                )
            await self.pipeline.add_segment([], [], SegmentTaken(fetcher, number, Taken.SKIPPED))
            newest[fetcher] = number
            self.run.receipt.notes.append(f"{segment_name(fetcher, number)} was skipped, by order")

    def _hold(self, line: _Line, why: str) -> None:
        self.held[line.fetcher] = why
        self.run.receipt.notes.append(f"the segments of {line.fetcher} wait: {why}")

    def _say(self, lines: Sequence[_Line]) -> None:
        self.run.receipt.notes += [f"{line.fetcher}: taken in up to segment {line.next - 1}" for line in lines]


def _fetched_at(visited: Visited, segment: Segment) -> datetime | None:
    """When the last page of a find was fetched; None if no fetch gave one."""
    pages = [segment.answers[url] for url in visited.pages if url in segment.answers]
    return max((page.fetched_at for page in pages if isinstance(page, RawPage)), default=None)
