"""A reassessment: every text of the archive by today's topic file, without the network.

For when the topic file has changed. Score, reasons, teams, models and `on_topic` of each text are compared with the
archive, field by field. Texts that are off topic now stay, and are marked. Pages of finds that were off topic are read
from their captures; what is on topic now is stored as if it had just been crawled. A listed article without a publisher
gets the name of its press office: older versions did not know these names.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from flows.naver.articles.layouts import read_article
from flows.naver.press_offices import press_office
from flows.pipeline.judge import Assess, Judge, Parsed, assess_by, assessed_text
from flows.runs.lifecycle import OnProgress, Order, Run, ignore_progress, open_for_run, utc_now
from flows.runs.reparse import EXAMPLES, MANY, Difference, batches, captures_of
from schemas.article import ArticleRef, Image, Outcome
from schemas.errors import ArchiveDamaged, ParseError
from schemas.find import Relevance, Status
from schemas.journal import Reassessment
from schemas.page import CaptureRef
from schemas.receipt import ExitReason, Receipt
from schemas.topic import Topic
from storage.archive import REASSESSED_AT_ONCE, Archive
from storage.captures.reader import Capture
from storage.database.rows import relevance_columns
from storage.executor import Pool, Workers, pool_of

NAMED = 50
"""Ids that are named, of those that are counted."""

_CHUNK = 500
_FAULTS_NAMED = 5

Row = Mapping[str, Any]
Texts = Sequence[tuple[str, str]]
Submit = Callable[[Texts], Callable[[], list[Relevance]]]
"""Begin to assess texts; the call of what is returned waits for the result."""


@dataclass(frozen=True, slots=True)
class ReassessOrder(Order):
    """To assess all texts by the topic. `dry_run`: compare and store nothing. `workers`: who assesses."""

    dry_run: bool = False
    workers: Workers = field(default_factory=Workers)


@dataclass(slots=True)
class Reassessed:
    """The result: of `read` texts, `changed` differ; `left` are off topic now, `joined` are on topic again.

    `arrived`: the first ids, of `arrivals`, that were off topic as finds and are articles or copies now. `uncaptured`:
    the first ids, of `without_capture`, of finds whose page cannot be assessed: `crawl --url` fetches it. `failed`: id
    -> why its capture gave no article. `fields` counts the differences by field; `examples` are the first of them.
    """

    read: int = 0
    changed: int = 0
    left: int = 0
    joined: int = 0
    arrivals: int = 0
    arrived: list[str] = field(default_factory=list)
    without_capture: int = 0
    uncaptured: list[str] = field(default_factory=list)
    fields: Counter[str] = field(default_factory=Counter)
    examples: list[Difference] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)
    receipt: Receipt | None = None

    @property
    def exit_reason(self) -> ExitReason:
        """Why it ended, also for a dry run."""
        if self.receipt is not None and self.receipt.exit_reason is not None:
            return self.receipt.exit_reason
        if self.failed:
            return ExitReason.PARTLY_FAILED
        return ExitReason.DONE if self.changed or self.arrivals else ExitReason.NOTHING_NEW

    @property
    def summary(self) -> str:
        """What it came to, in a sentence."""
        said = f"{self.read:,} texts assessed: {self.changed:,} differ, {self.left:,} leave the topic, "
        said += f"{self.joined:,} return to it, {self.arrivals:,} arrive"
        if self.without_capture:
            said += f"; {self.without_capture:,} finds that were off topic have no known capture"
        return said + (f"; {len(self.failed):,} captures give no article" if self.failed else "")


def reassess(
    order: ReassessOrder,
    *,
    on_progress: OnProgress = ignore_progress,
    stopped: Callable[[], bool] = lambda: False,
) -> Reassessed:
    """Assess the texts again, and store what differs. Raises SeogoError.

    Once `stopped` returns true, it ends after the batch that it is at; run again, it continues.
    """
    with open_for_run(order, "reassess", utc_now()) as (archive, receipt):
        run = Run(archive, receipt, on_progress)
        work = _Reassess(run, order.topic, order.dry_run, order.workers)
        if order.dry_run:
            work.do(stopped)
        else:
            with run.recorded(work.exit_reason):
                work.do(stopped)
            work.done.receipt = receipt
    return work.done


@dataclass(slots=True)
class _Reassess:
    """Assesses texts and finds in batches, compares and stores them."""

    run: Run
    topic: Topic
    dry_run: bool
    workers: Workers
    done: Reassessed = field(default_factory=Reassessed)

    def do(self, stopped: Callable[[], bool]) -> None:
        """All texts, then the finds that were off topic, until `stopped` returns true."""
        archive, receipt = self.run.archive, self.run.receipt
        ids, finds = archive.text_ids(), archive.off_topic(receipt.started_at)
        receipt.discovered = len(ids) + len(finds)
        with pool_of(self.workers, archive.root, worth_it=receipt.discovered >= MANY) as pool:
            for rows, found in _assessed(archive, ids, partial(_submitted, pool, self.topic)):
                self._compare(rows, found)
                if self._ends(stopped):
                    return
            for found_pages in pool.map(
                partial(relevant_pages, archive.root, self.topic), batches(self._captured(finds))
            ):
                self._take(found_pages)
                if self._ends(stopped):
                    return

    def exit_reason(self, receipt: Receipt, *, interrupted: bool, broken: bool) -> tuple[ExitReason, str]:
        """Why it ended, and an explanation in a sentence."""
        if interrupted or broken:
            return ExitReason.INTERRUPTED, "ended early; run it again to continue"
        return self.done.exit_reason, self.done.summary

    def _ends(self, stopped: Callable[[], bool]) -> bool:
        self.run.on_progress(self.run.receipt)
        self.run.interrupted = stopped()
        return self.run.interrupted

    # -- texts

    def _compare(self, rows: Sequence[Row], found: Sequence[Relevance]) -> None:
        differing = []
        for row, relevance in zip(rows, found, strict=True):
            publisher = _missing_publisher(row)
            if differences := _differences(row, relevance, publisher):
                self._count(row, relevance, differences)
                differing.append(Reassessment(row["id"], row["revision"], relevance, publisher))
        self.done.read += len(rows)
        self.run.receipt.outcomes[Outcome.UNCHANGED] += len(rows)
        if differing and not self.dry_run:
            self.run.archive.reassess(self.run.receipt.run_id, differing)

    def _count(self, row: Row, relevance: Relevance, differences: Sequence[Difference]) -> None:
        done = self.done
        done.changed += 1
        done.left += row["on_topic"] is not False and relevance.on_topic is False
        done.joined += row["on_topic"] is False and relevance.on_topic is True
        done.fields.update(difference.field for difference in differences)
        done.examples += differences[: max(EXAMPLES - len(done.examples), 0)]

    # -- finds that were off topic

    def _captured(self, finds: Sequence[tuple[ArticleRef, CaptureRef | None, datetime | None]]) -> list[CapturedFind]:
        """The finds whose page was captured, in the order of the captures. The others are counted."""
        found = []
        for ref, capture, at in finds:
            if capture is None or at is None:
                self._count_uncaptured(ref.key.id)
            else:
                found.append(CapturedFind(ref, capture, at))
        return sorted(found, key=lambda find: (find.capture.file, find.capture.offset))

    def _take(self, found: Sequence[Page]) -> None:
        """Judge and store the pages that are on topic now."""
        pages = [page for _, page in found if isinstance(page, Parsed)]
        for id_, page in found:
            if isinstance(page, str):
                self._failed(id_, page)
        self.run.receipt.outcomes[Outcome.UNCHANGED] += sum(page is None for _, page in found)
        known = self.run.archive.known([page.ref.key.id for page in pages])
        parsed = [replace(page, validators=known[page.ref.key.id].validators) for page in pages]
        judge = Judge(
            self.run.archive, assess_by(self.topic), lambda pages, *, unread=0: {}, self.run.receipt.started_at
        )
        results = judge.results(parsed, known)
        for result in results:
            self.run.receipt.outcomes[result.outcome] += 1
            self.done.arrivals += 1
            if len(self.done.arrived) < NAMED:
                self.done.arrived.append(result.ref.key.id)
        if results and not self.dry_run:
            self.run.archive.store(self.run.receipt.run_id, results)

    def _count_uncaptured(self, id_: str) -> None:
        self.run.receipt.outcomes[Outcome.UNCHANGED] += 1
        self.done.without_capture += 1
        if len(self.done.uncaptured) < NAMED:
            self.done.uncaptured.append(id_)

    def _failed(self, id_: str, reason: str) -> None:
        self.done.failed[id_] = reason
        self.run.receipt.outcomes[Outcome.FAILED] += 1
        if len(self.run.receipt.faults) < _FAULTS_NAMED:
            self.run.receipt.faults[id_] = reason


# -- pages of finds, in any process


class CapturedFind(NamedTuple):
    """A find that was off topic, and where its page is."""

    ref: ArticleRef
    capture: CaptureRef
    at: datetime


Page = tuple[str, Parsed | str | None]
"""The id of a find with its page, if that is on topic now, or why the capture gives no article."""


def relevant_pages(root: Path, topic: Topic, finds: Sequence[CapturedFind]) -> list[Page]:
    """The pages of these finds, which are in the order of the captures."""
    assess = assess_by(topic)
    return [(find.ref.key.id, _page(assess, find, capture)) for find, capture in captures_of(root, finds)]


def _page(assess: Assess, find: CapturedFind, capture: Capture | ArchiveDamaged) -> Parsed | str | None:
    if isinstance(capture, ArchiveDamaged):
        return str(capture)
    try:
        article, traits = read_article(capture.content, find.ref.key.url)
    except ParseError as error:
        return str(error)
    if assess(article.title, assessed_text(article.body, article.images)).relevant:
        return Parsed(find.ref, article, traits, find.capture, find.at)
    return None


# -- assessing


def _assessed(
    archive: Archive, ids: Sequence[str], submit: Submit
) -> Iterator[tuple[Sequence[Row], Sequence[Relevance]]]:
    """Batches of rows and what they come to. While one is compared and stored, the next is being assessed."""
    batches = (ids[at : at + REASSESSED_AT_ONCE] for at in range(0, len(ids), REASSESSED_AT_ONCE))
    read = (archive.texts(batch) for batch in batches)
    waiting = deque((rows, submit([_text(row) for row in rows])) for rows in islice(read, 1))
    for rows in read:
        waiting.append((rows, submit([_text(row) for row in rows])))
        before, result = waiting.popleft()
        yield before, result()
    yield from ((rows, result()) for rows, result in waiting)


def _text(row: Row) -> tuple[str, str]:
    """Title and text, as they were assessed when the article was stored."""
    if row["status"] == Status.LISTED:
        return row["title"] or "", row["description"] or ""
    images = [Image(image["url"], image["caption"]) for image in row["images"] or ()]
    return row["title"] or "", assessed_text(row["body"] or "", images)


def _submitted(pool: Pool, topic: Topic, texts: Texts) -> Callable[[], list[Relevance]]:
    chunks = [texts[at : at + _CHUNK] for at in range(0, len(texts), _CHUNK)]
    futures = [pool.submit(_relevances, topic, chunk) for chunk in chunks]
    return lambda: [relevance for future in futures for relevance in future.result()]


def _relevances(topic: Topic, texts: Texts) -> list[Relevance]:
    assess = assess_by(topic)
    return [assess(title, text).relevance for title, text in texts]


def _missing_publisher(row: Row) -> str | None:
    """The press office of a listed article without a publisher, by its number."""
    lacks_it = row["status"] == Status.LISTED and row["publisher"] is None
    return press_office(row["oid"]) if lacks_it else None


def _differences(row: Row, relevance: Relevance, publisher: str | None) -> list[Difference]:
    found = relevance_columns(relevance) | ({"publisher": publisher} if publisher else {})
    return [Difference(row["id"], name, row[name], value) for name, value in found.items() if row[name] != value]
