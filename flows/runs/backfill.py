"""A backfill: days of the past, read query by query and window by window.

Each window is recorded in the coverage ledger once all its finds are stored, so a backfill that was stopped or killed
continues where it was, and one that is run again does nothing. A window is a Korean day. Only the Search API, which
cannot be asked for dates, is read as one window, from its newest result back as far as it goes.

With `gaps`, the windows are those that earlier runs could not read. What the Search API no longer shows is read from
the search page, day by day, if the topic has that source.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from itertools import groupby

from flows.fetching.client import Client
from flows.pipeline.batches import Pipeline
from flows.pipeline.stop import Stop
from flows.runs.exit_reason import exit_reason_of
from flows.runs.lifecycle import Now, OnProgress, ignore_progress, utc_now
from flows.runs.pipeline_run import PipelineOrder, PipelineRun, run_pipeline
from flows.sources.api_keys import ApiKey
from flows.sources.readers import SourceQuery, SourceReader, queries
from flows.sources.window import Window, day_span
from schemas.article import SEOUL
from schemas.coverage import Span, WindowRead, minus
from schemas.errors import BadInput
from schemas.page import DISALLOWED
from schemas.receipt import ExitReason, Receipt, SourceEnd, SourceReport
from schemas.topic import SearchApi, SearchPage

_ENDS_THE_RUN = frozenset({SourceEnd.BLOCKED, SourceEnd.INTERRUPTED})
_ENDS_THE_SOURCE = frozenset({SourceEnd.FORBIDDEN, SourceEnd.NO_KEY, SourceEnd.LAYOUT_CHANGED, SourceEnd.FAILED})
_WORST_FIRST = (
    *(SourceEnd.LAYOUT_CHANGED, SourceEnd.BLOCKED, SourceEnd.INTERRUPTED, SourceEnd.FAILED, SourceEnd.FORBIDDEN),
    *(SourceEnd.NO_KEY, SourceEnd.CAP, SourceEnd.SILENT, SourceEnd.OVERLAP, SourceEnd.END, SourceEnd.EMPTY),
)


@dataclass(frozen=True, slots=True)
class BackfillOrder(PipelineOrder):
    """What to read: all days from `first` to `last`, or, with `gaps`, what earlier runs could not read.

    `sources`: only these, each given by its type, its name, or one query such as `press_list:001`. `again`: also what
    was read before. `keys`: of the Search API, by endpoint.
    """

    first: date | None = None
    last: date | None = None
    sources: tuple[str, ...] = ()
    again: bool = False
    gaps: bool = False
    keys: Mapping[str, ApiKey] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class WindowTask:
    """A window to read, and the query that it counts for: its own, or one that no longer shows this window."""

    query: SourceQuery
    span: Span
    counts_for: str

    @property
    def is_substitute(self) -> bool:
        """Whether the window is read in place of another query."""
        return self.counts_for != self.query.name


async def backfill(
    order: BackfillOrder,
    *,
    stop: Stop | None = None,
    on_progress: OnProgress = ignore_progress,
    now: Now = utc_now,
) -> Receipt:
    """Read what was ordered and not read before. Raises BadInput, and SeogoError where the run cannot continue."""
    chosen = _chosen_queries(order)
    days = None if order.gaps else _days_of(order, now())

    async def work(run: PipelineRun, client: Client) -> None:
        tasks = _gap_tasks(run, chosen) if days is None else _day_tasks(run, chosen, days, again=order.again)
        if days is not None:
            _record_as_unread(run, tasks)
        async with run.pipeline(client.fetch) as pipeline:
            await _WindowReader(run, pipeline, run.source_reader(client, pipeline, order.keys)).read(tasks)

    exit_reason = _exit_reason_of_gaps if order.gaps else _exit_reason
    return await run_pipeline(
        order, "backfill", work, stop=stop, on_progress=on_progress, now=now, exit_reason=exit_reason
    )


# -- which windows to read


def _chosen_queries(order: BackfillOrder) -> list[SourceQuery]:
    """The queries that the order names. Raises BadInput where a name matches none."""
    known = queries(order.topic)
    if unknown := [name for name in order.sources if not any(_matches(name, query) for query in known)]:
        labels = ", ".join(dict.fromkeys(query.source.label for query in known))
        raise BadInput(f"--source {unknown[0]}: the topic has no such source; it has {labels}.")
    return [query for query in known if not order.sources or any(_matches(name, query) for name in order.sources)]


def _matches(name: str, query: SourceQuery) -> bool:
    return name in (query.name, query.source.label, query.source.type)


def _days_of(order: BackfillOrder, now: datetime) -> Span:
    """The days that are ordered, up to now. Raises BadInput."""
    if order.first is None or order.last is None:
        raise BadInput("a backfill needs its first and its last day, or --gaps.")
    if order.first > order.last:
        raise BadInput(f"the first day, {order.first}, is after the last, {order.last}: swap them.")
    begin = datetime.combine(order.first, time(), SEOUL)
    if begin >= now:
        raise BadInput(f"{order.first} has not begun in Korea yet: there is nothing to read.")
    return Span(begin, min(day_span(order.last).until, now))


def _day_tasks(run: PipelineRun, chosen: Sequence[SourceQuery], days: Span, *, again: bool) -> list[WindowTask]:
    tasks = []
    for query in chosen:
        closed = [] if again else _closed(run, query.name)
        tasks += [WindowTask(query, span, query.name) for span in _windows(query, minus([days], closed))]
    return tasks


def _record_as_unread(run: PipelineRun, tasks: Sequence[WindowTask]) -> None:
    """Record all windows as gaps first, so that the ledger is right wherever the backfill ends."""
    reason = "ordered by a backfill that has not read it yet"
    windows = [WindowRead(t.counts_for, t.span.since, t.span.until, (t.span,), reason) for t in tasks]
    if windows:
        run.archive.store(run.receipt.run_id, [], coverage=windows)


def _gap_tasks(run: PipelineRun, chosen: Sequence[SourceQuery]) -> list[WindowTask]:
    """A task for each window in a gap; for one that the Search API no longer shows, also at the search page."""
    gaps = run.archive.gaps()
    known = queries(run.order.topic)
    tasks = []
    for query in chosen:
        spans = [gap.span for gap in gaps.pop(query.name, [])]
        for reader in (query, *_substitutes(query, known)):
            tasks += [WindowTask(reader, span, query.name) for span in _windows(reader, spans)]
    for source, stretches in gaps.items():
        if not any(query.name == source for query in known):
            run.receipt.notes.append(f"{source} has {len(stretches)} gaps, but is no longer a source of the topic")
    return tasks


def _substitutes(query: SourceQuery, known: Sequence[SourceQuery]) -> list[SourceQuery]:
    """Queries of the search page, which can be asked for dates, in place of one of the Search API."""
    if not isinstance(query.source, SearchApi):
        return []
    return [other for other in known if isinstance(other.source, SearchPage) and other.term == query.term]


def _windows(query: SourceQuery, spans: Sequence[Span]) -> Iterator[Span]:
    """Unread spans as windows that a source can be read for, newest first."""
    if not spans:
        return
    if isinstance(query.source, SearchApi):
        yield Span(spans[0].since, spans[-1].until)
        return
    for span in reversed(spans):
        yield from reversed(list(_days(span)))


def _days(span: Span) -> Iterator[Span]:
    """The Korean days of a span, each whole, but the last only up to the end of the span."""
    day = span.since.astimezone(SEOUL).date()
    while (whole := day_span(day)).since < span.until:
        yield Span(whole.since, min(whole.until, span.until))
        day += timedelta(days=1)


def _closed(run: PipelineRun, source: str) -> list[Span]:
    """The spans of a source that have been read."""
    return [row.span for row in run.archive.coverage(source) if row.reason is None]


# -- reading them


@dataclass(slots=True)
class _WindowReader:
    """Reads windows one after the other, and records each in the ledger together with its finds."""

    run: PipelineRun
    pipeline: Pipeline
    sources: SourceReader
    empty: list[WindowRead] = field(default_factory=list)

    async def read(self, tasks: Sequence[WindowTask]) -> None:
        """Read the windows, query by query, until the run has to end."""
        for _, same in groupby(tasks, key=lambda task: task.query):
            if self.run.stop.requested or self.run.drift_alarm.alarms:
                return
            reports = await self._read_query(list(same))
            if not reports:
                continue
            self.run.receipt.sources.append(_summary(reports))
            if reports[-1].end in _ENDS_THE_RUN:
                return

    async def _read_query(self, tasks: Sequence[WindowTask]) -> list[SourceReport]:
        """Read the windows of one query. Empty ones count as read only if another one was not empty."""
        reports: list[SourceReport] = []
        self.empty = []
        for task in tasks:
            if await self._is_done(task):
                continue
            report = await self._read_window(task)
            reports.append(report)
            if report.end in _ENDS_THE_RUN | _ENDS_THE_SOURCE or self.run.drift_alarm.alarms:
                break
        works = any(report.items for report in reports)
        for read in self.empty:
            await self.pipeline.store_window(replace(read, unread=(), reason="") if works else read)
        self.run.unread += [] if works else self.empty
        return reports

    async def _is_done(self, task: WindowTask) -> bool:
        """Whether the query that this one substitutes has closed the gap itself."""
        if not task.is_substitute:
            return False
        await self.pipeline.wait_until_stored()  # the archive answers one question at a time
        return not any(_overlap(gap.span, task.span) for gap in self.run.archive.gaps().get(task.counts_for, []))

    async def _read_window(self, task: WindowTask) -> SourceReport:
        window = Window(task.span.since, self.run.now(), until=task.span.until)
        report = await self.sources.read(task.query, window)
        assert report.window is not None  # noqa: S101  every reading has one
        await self._store(task, report, replace(report.window, source=task.counts_for))
        return report

    async def _store(self, task: WindowTask, report: SourceReport, read: WindowRead) -> None:
        """Record a window in the ledger. An empty day is recorded once it is known whether the source works."""
        if task.is_substitute and read.unread:
            return  # the gap stays as it is, with its own reason
        if report.end is SourceEnd.EMPTY and read.unread:
            self.empty.append(replace(read, reason="the list is empty, like all others that were read with it"))
            return
        await self.pipeline.wait_until_stored()
        unread = minus(read.unread, _closed(self.run, read.source))
        self.run.unread.append(replace(read, unread=tuple(unread)))
        await self.pipeline.store_window(read)


def _overlap(one: Span, other: Span) -> bool:
    return one.since < other.until and other.since < one.until


def _summary(reports: Sequence[SourceReport]) -> SourceReport:
    """The reports of a query's windows as one: the worst end, with its reason."""
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


def _exit_reason(
    receipt: Receipt, *, interrupted: bool, broken: bool, idle: str = "every window was read before"
) -> tuple[ExitReason, str]:
    """As for any run, except that it is no failure if all windows were read before, but one if any stays unread.

    What robots.txt forbids does not count: no later run can read it either.
    """
    reason, explanation = exit_reason_of(receipt, interrupted=interrupted, broken=broken, idle=idle)
    gaps = [gap for gap in receipt.gaps if DISALLOWED not in gap]
    if gaps and reason in (ExitReason.DONE, ExitReason.NOTHING_NEW):
        return ExitReason.PARTLY_FAILED, f"{len(gaps)} windows were not read to their end: {gaps[0]}"
    return reason, explanation


def _exit_reason_of_gaps(receipt: Receipt, *, interrupted: bool, broken: bool) -> tuple[ExitReason, str]:
    """As for any backfill, without the sources that robots.txt forbids: their gaps stay, and that is no failure."""
    readable = [source for source in receipt.sources if source.end is not SourceEnd.FORBIDDEN or source.items]
    left = len(readable) < len(receipt.sources)
    idle = "no gap is left but those that robots.txt forbids to read" if left else "no source has a gap"
    return _exit_reason(replace(receipt, sources=readable), interrupted=interrupted, broken=broken, idle=idle)
