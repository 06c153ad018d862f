"""Days of the past, read source by source and window by window.

Each window is noted in the coverage ledger once all that it named is stored: a backfill that was stopped or killed goes
on where it was, and one that is run again does nothing. A window is a Korean day, but for the Search API, which knows
no dates: it is read back from its newest result, as far as it shows them.

`gaps` reads what earlier runs asked for and could not read. What the Search API does not show any more is asked of the
search page, day by day, where the topic has that source.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from functools import partial
from itertools import groupby
from pathlib import Path

from flows.fetching.client import Client
from flows.pipeline.batches import Pipeline
from flows.pipeline.stop import Stop
from flows.runs.crawl import take_up
from flows.runs.exit_reason import ending
from flows.runs.lifecycle import Clock, OnProgress, Run, gaps_of, run_work, unheard, utc_now
from flows.sources.api_keys import ApiKey
from flows.sources.readers import SourceQuery, SourceReader, queries
from flows.sources.window import Window, day_span
from schemas.article import SEOUL
from schemas.coverage import Span, Stretch, WindowRead, minus
from schemas.errors import BadInput
from schemas.receipt import ExitReason, Receipt, SourceEnd, SourceReport
from schemas.topic import SearchApi, SearchPage, Topic

_ENDS_THE_RUN = frozenset({SourceEnd.BLOCKED, SourceEnd.INTERRUPTED})
_ENDS_THE_SOURCE = frozenset({SourceEnd.FORBIDDEN, SourceEnd.NO_KEY, SourceEnd.LAYOUT_CHANGED, SourceEnd.FAILED})
_WORST_FIRST = (
    *(SourceEnd.LAYOUT_CHANGED, SourceEnd.BLOCKED, SourceEnd.INTERRUPTED, SourceEnd.FAILED, SourceEnd.FORBIDDEN),
    *(SourceEnd.NO_KEY, SourceEnd.CAP, SourceEnd.SILENT, SourceEnd.OVERLAP, SourceEnd.END, SourceEnd.EMPTY),
)


@dataclass(frozen=True, slots=True)
class BackfillOrder:
    """What a backfill is asked to read: all days from `first` to `last`, or, with `gaps`, what could not be read.

    `sources`: only these (their type, their name, or one question such as `press_list:001`). `again`: also what was
    read before. `naver` stands in for every Naver host. `wait`: seconds to wait for another process.
    """

    topic: Topic
    archive: Path
    first: date | None = None
    last: date | None = None
    sources: tuple[str, ...] = ()
    again: bool = False
    gaps: bool = False
    most_fetches: int | None = None
    naver: str | None = None
    wait: float = 0.0
    keys: Mapping[str, ApiKey] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Task:
    """A window to be read, and for which query it counts: its own, or one whose source cannot show it any more."""

    query: SourceQuery
    span: Span
    counts_for: str


async def backfill(
    order: BackfillOrder,
    *,
    stop: Stop | None = None,
    on_progress: OnProgress = unheard,
    now: Clock = utc_now,
) -> Receipt:
    """Read what was ordered and is not read yet. Raises BadInput, and SeogoError where it cannot go on at all."""
    asked = _chosen(order)
    days = None if order.gaps else _span_of(order, now())

    async def work(run: Run, client: Client) -> None:
        tasks = _gap_tasks(run, asked) if days is None else _day_tasks(run, asked, days, again=order.again)
        if days is not None:
            _promise(run, tasks)
        pipeline = run.pipeline(client.fetch)
        sources = SourceReader(
            run.stop.guard(client.fetch), pipeline.found, partial(take_up, run, pipeline), order.keys
        )
        reader = _Reader(run, pipeline, sources)
        try:
            await reader.read(tasks)
            await pipeline.finish()
        finally:
            await pipeline.settle()

    return await run_work(order, "backfill", work, stop=stop, on_progress=on_progress, now=now, end=_ending)


# -- what is to be read


def _chosen(order: BackfillOrder) -> list[SourceQuery]:
    """The questions that are meant. Raises BadInput where a name means none."""
    asked = queries(order.topic)
    if unknown := [name for name in order.sources if not any(_means(name, query) for query in asked)]:
        known = ", ".join(dict.fromkeys(query.source.label for query in asked))
        raise BadInput(f"--source {unknown[0]}: the topic has no such source; it has {known}.")
    return [q for q in asked if not order.sources or any(_means(name, q) for name in order.sources)]


def _means(name: str, query: SourceQuery) -> bool:
    return name in (query.name, query.source.label, query.source.type)


def _span_of(order: BackfillOrder, now: datetime) -> Span:
    """The days that are meant, up to now. Raises BadInput."""
    if order.first is None or order.last is None:
        raise BadInput("a backfill needs its first and its last day, or --gaps.")
    if order.first > order.last:
        raise BadInput(f"the first day, {order.first}, is after the last, {order.last}: give them the other way round.")
    begin = datetime.combine(order.first, time(), SEOUL)
    if begin >= now:
        raise BadInput(f"{order.first} has not begun in Korea: there is nothing to read yet.")
    return Span(begin, min(day_span(order.last).until, now))


def _day_tasks(run: Run, asked: Sequence[SourceQuery], days: Span, *, again: bool) -> list[Task]:
    tasks = []
    for query in asked:
        closed = [] if again else [row.span for row in run.archive.coverage(query.name) if row.reason is None]
        left = minus([days], closed)
        tasks += [Task(query, span, query.name) for span in _windows(query, left)]
    return tasks


def _promise(run: Run, tasks: Sequence[Task]) -> None:
    """Note what was asked for as not read yet: wherever this ends, the ledger says what is left."""
    reason = "a backfill was asked for it, and has not come to it yet"
    own = [task for task in tasks if task.counts_for == task.query.name]
    windows = [WindowRead(t.counts_for, t.span.since, t.span.until, (t.span,), reason) for t in own]
    if windows:
        run.archive.store(run.receipt.run_id, [], coverage=windows)


def _gap_tasks(run: Run, asked: Sequence[SourceQuery]) -> list[Task]:
    """A task for each window that lies in a gap; for one behind the Search API's cap, also at the search page."""
    gaps = run.archive.gaps()
    tasks = []
    for query in asked:
        left = [gap.span for gap in gaps.pop(query.name, [])]
        tasks += [Task(query, span, query.name) for span in _windows(query, left)]
        tasks += [Task(q, span, query.name) for q in _stand_ins(query, run) for span in _windows(q, left)]
    for source, stretches in gaps.items():
        if not any(q.name == source for q in queries(run.order.topic)):
            run.receipt.notes.append(f"{source} has {len(stretches)} gaps, and is no source of the topic any more")
    return tasks


def _stand_ins(query: SourceQuery, run: Run) -> list[SourceQuery]:
    """SourceQuerys to a source with dates that show what the Search API has left behind."""
    if not isinstance(query.source, SearchApi):
        return []
    return [
        other for other in queries(run.order.topic) if isinstance(other.source, SearchPage) and other.term == query.term
    ]


def _windows(query: SourceQuery, left: Sequence[Span]) -> Iterator[Span]:
    """What is unread as windows that a source can be asked for, newest first."""
    if not left:
        return
    if isinstance(query.source, SearchApi):
        yield Span(left[0].since, left[-1].until)
        return
    for span in reversed(left):
        yield from reversed(list(_days(span)))


def _days(span: Span) -> Iterator[Span]:
    """The Korean days of a stretch, each whole; the last one up to the end of the stretch."""
    day = span.since.astimezone(SEOUL).date()
    while (whole := day_span(day)).since < span.until:
        yield Span(whole.since, min(whole.until, span.until))
        day += timedelta(days=1)


# -- reading it


class _Reader:
    """Reads windows one after the other, and notes each in the ledger with what it named."""

    def __init__(self, run: Run, pipeline: Pipeline, sources: SourceReader) -> None:
        self._run = run
        self._pipeline = pipeline
        self._sources = sources
        self._empty: list[WindowRead] = []

    async def read(self, tasks: Sequence[Task]) -> None:
        for _, same in groupby(tasks, key=lambda task: task.query):
            if self._run.stop.asked or self._run.watch.alarms:
                return
            reports = await self._read_source(list(same))
            if not reports:
                continue
            self._run.receipt.sources.append(_summary(reports))
            if reports[-1].end in _ENDS_THE_RUN:
                return

    async def _read_source(self, tasks: Sequence[Task]) -> list[SourceReport]:
        """Window by window. What is silent all through is not believed to have been read."""
        reports: list[SourceReport] = []
        self._empty = []
        for task in tasks:
            if await self._covered(task):
                continue
            report = await self._read_window(task)
            reports.append(report)
            if report.end in _ENDS_THE_RUN | _ENDS_THE_SOURCE or self._run.watch.alarms:
                break
        works = any(report.items for report in reports)
        for read in self._empty:
            await self._pipeline.close_window(replace(read, unread=(), reason="") if works else read)
        self._run.receipt.gaps += [] if works else [gap for read in self._empty for gap in gaps_of(read)]
        return reports

    async def _covered(self, task: Task) -> bool:
        """Whether a stand-in has nothing left to do: its own question closed the gap."""
        if task.counts_for == task.query.name:
            return False
        await self._pipeline.settle()  # the archive answers one question at a time
        return not any(_touch(gap, task.span) for gap in self._run.archive.gaps().get(task.counts_for, []))

    async def _read_window(self, task: Task) -> SourceReport:
        asked = Window(task.span.since, self._run.now(), until=task.span.until)
        report = await self._sources.read(task.query, asked)
        assert report.window is not None  # noqa: S101  every reading has one
        await self._note(task, report, report.window)
        return report

    async def _note(self, task: Task, report: SourceReport, read: WindowRead) -> None:
        """Into the ledger with it. An empty day has to wait until another day of the source shows that it works."""
        if task.counts_for != task.query.name and read.unread:
            return  # the gap stays as it was, with its own reason
        read = replace(read, source=task.counts_for)
        if report.end is SourceEnd.EMPTY and read.unread:
            self._empty.append(replace(read, reason="the list is empty, and so are the others that were asked for"))
            return
        await self._pipeline.settle()
        held = [row.span for row in self._run.archive.coverage(read.source) if row.reason is None]
        self._run.receipt.gaps += gaps_of(replace(read, unread=tuple(minus(read.unread, held))))
        await self._pipeline.close_window(read)


def _touch(gap: Stretch, span: Span) -> bool:
    return gap.since < span.until and span.since < gap.until


def _summary(reports: Sequence[SourceReport]) -> SourceReport:
    """The windows of one source as one report: the worst end, with its reason."""
    worst = min(reports, key=lambda report: _WORST_FIRST.index(report.end))
    unread = sum(1 for report in reports if report.window and report.window.unread)
    read = f"{len(reports) - unread} of {len(reports)} windows read"
    return SourceReport(
        worst.source,
        worst.end,
        f"{read}; {worst.reason}",
        sum(report.pages for report in reports),
        sum(report.items for report in reports),
        sum(report.not_hosted for report in reports),
    )


def _ending(receipt: Receipt, *, interrupted: bool, broken: bool = False) -> tuple[ExitReason, str]:
    """As for any run; but that all windows were read before is no failure, and a window that stays unread is one."""
    if not (receipt.finds or receipt.sources or interrupted or broken):
        return ExitReason.NOTHING_NEW, "every window was read before"
    reason, explanation = ending(receipt, interrupted=interrupted, broken=broken)
    if receipt.gaps and reason in (ExitReason.DONE, ExitReason.NOTHING_NEW):
        return ExitReason.PARTLY_FAILED, f"{len(receipt.gaps)} windows were not read through: {receipt.gaps[0]}"
    return reason, explanation
