"""Every text of the archive derived once more from its capture, without the network: for when a parser got better.

What a capture gives today is held against what the archive has, field by field. Accepted, it is stored as a new
revision, `re-extracted`; the older text stays. Articles keep their capture and the time of their crawl.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from flows.naver.article_page import parse_article
from flows.pipeline.judge import Assess
from flows.runs.import_files import article_of
from flows.runs.lifecycle import assess_by
from schemas.article import Article, ArticleKey, ArticleRef, Outcome
from schemas.errors import ArchiveDamaged, BadInput, FrontMatterError, ParseError
from schemas.find import FindResult, RevisionKind
from schemas.front_matter import loads
from schemas.page import CaptureRef
from schemas.receipt import ExitReason, Receipt, run_id_at
from schemas.topic import Topic
from storage.archive import Archive, open_archive
from storage.database.rows import article_row

BATCH = 256
EXAMPLES = 50
"""Differences that are kept to be shown; all of them are counted."""

COMPARED = (
    *("title", "subtitle", "body", "publisher", "byline", "authors", "categories", "published_at", "modified_at"),
    *("original_url", "images", "kind"),
)
"""The columns of `articles` that a parser decides. Another version of a parser that reads the same is no difference."""

OnProgress = Callable[[Receipt], None]


@dataclass(frozen=True, slots=True)
class ReparseOrder:
    """What to derive again: articles crawled at `since` or later, and only these `ids`, where they are given.

    `dry_run`: compare and store nothing. `wait`: seconds to wait for another process to leave the archive.
    """

    topic: Topic
    archive: Path
    since: datetime | None = None
    ids: tuple[str, ...] = ()
    dry_run: bool = False
    wait: float = 0.0


@dataclass(frozen=True, slots=True)
class Difference:
    """A field of an article, as the archive has it and as its capture gives it today."""

    id: str
    field: str
    before: Any
    after: Any


@dataclass(slots=True)
class Reparsed:
    """What came of it. `read` articles were derived again, `changed` of them differ; `failed` says why some gave none.

    `fields` counts the differences by field; `examples` are the first of them. `receipt` is None for a dry run.
    """

    read: int = 0
    changed: int = 0
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
        return ExitReason.DONE if self.changed else ExitReason.NOTHING_NEW


def reparse(
    order: ReparseOrder,
    *,
    on_progress: OnProgress = lambda receipt: None,
    stopped: Callable[[], bool] = lambda: False,
) -> Reparsed:
    """Derive again, and store what differs. Raises SeogoError. Once `stopped` says so, it ends behind a batch."""
    now = datetime.now(UTC)
    receipt = Receipt(run_id_at(now), "reparse", order.topic.name, now)
    style = order.topic.archive.front_matter
    with open_archive(order.archive, style=style, wait=order.wait) as archive:
        receipt.notes += archive.notes
        _check_ids(archive, order.ids)
        ids = archive.captured_articles(since=order.since, ids=order.ids)
        receipt.discovered = len(ids)
        work = _Work(archive, assess_by(order.topic), receipt, dry_run=order.dry_run)
        if order.dry_run:
            work.through(ids, on_progress, stopped)
        else:
            _stored(work, ids, on_progress, stopped)
    return work.done


def _check_ids(archive: Archive, ids: Sequence[str]) -> None:
    """A mistyped id is not passed over."""
    known = set(archive.captured_articles(ids=ids)) if ids else set()
    if unknown := [id_ for id_ in ids if id_ not in known]:
        raise BadInput(f"{', '.join(unknown)}: no article of the archive with a capture. Nothing was derived.")


def _stored(work: _Work, ids: Sequence[str], on_progress: OnProgress, stopped: Callable[[], bool]) -> None:
    """Do the work as a run of its own, with a receipt whatever happens."""
    whole, receipt = False, work.receipt
    work.archive.start_run(receipt)
    try:
        whole = work.through(ids, on_progress, stopped)
    finally:
        _end(receipt, work.done, whole=whole)
        work.archive.finish_run(receipt, {}, [])
    work.done.receipt = receipt


def _end(receipt: Receipt, done: Reparsed, *, whole: bool) -> None:
    receipt.finished_at = datetime.now(UTC)
    receipt.faults = dict(list(done.failed.items())[:5])
    if not whole:
        receipt.exit_reason, receipt.explanation = ExitReason.INTERRUPTED, "ended early; run it again to go on"
    elif done.failed:
        receipt.exit_reason = ExitReason.PARTLY_FAILED
        receipt.explanation = f"{len(done.failed)} captures give no article today; their texts stay as they are"
    elif done.changed:
        receipt.exit_reason, receipt.explanation = ExitReason.DONE, f"{done.changed} texts were derived anew"
    else:
        receipt.exit_reason = ExitReason.NOTHING_NEW
        receipt.explanation = "the captures give what the archive has"


class _Work:
    """Batches of articles, compared and stored."""

    def __init__(self, archive: Archive, assess: Assess, receipt: Receipt, *, dry_run: bool) -> None:
        self.done = Reparsed()
        self.archive = archive
        self.receipt = receipt
        self._assess = assess
        self._dry_run = dry_run

    def through(self, ids: Sequence[str], on_progress: OnProgress, stopped: Callable[[], bool]) -> bool:
        """Batch by batch. Whether all of them were taken."""
        for at in range(0, len(ids), BATCH):
            if stopped():
                return False
            results = self._derived(ids[at : at + BATCH])
            if results and not self._dry_run:
                self.archive.store(self.receipt.run_id, results)
            on_progress(self.receipt)
        return True

    def _derived(self, ids: Sequence[str]) -> list[FindResult]:
        results = []
        for row in self.archive.article_rows(ids):
            self.done.read += 1
            try:
                kind, article = self._article(row)
            except (ParseError, FrontMatterError, ArchiveDamaged) as error:
                self.done.failed[row["id"]] = str(error)
                self.receipt.outcomes[Outcome.FAILED] += 1
                continue
            self.receipt.outcomes[Outcome.UNCHANGED] += 1
            result = self._result(row, article, kind)
            if differences := _differences(row, result):
                results.append(self._noted(result, differences))
        return results

    def _article(self, row: Mapping[str, Any]) -> tuple[RevisionKind, Article]:
        """What the row's capture gives today. An imported document stays one: a crawl will still replace it."""
        capture = self.archive.read_capture(CaptureRef(row["capture_file"], row["capture_offset"]))
        if capture.kind == "resource":
            document = loads(capture.content.decode(), file=row["source"])
            return RevisionKind.IMPORTED, article_of(document, file=row["source"])[0]
        return RevisionKind.RE_EXTRACTED, parse_article(capture.content, row["url"])

    def _result(self, row: Mapping[str, Any], article: Article, kind: RevisionKind) -> FindResult:
        assessed = self._assess(article.title, article.body) if row["relevance"] is not None else None
        return FindResult(
            ref=ArticleRef(
                ArticleKey.from_id(row["id"]),
                row["url"],
                row["source"],
                self.receipt.started_at,
                description=row["description"],
            ),
            outcome=Outcome.UNCHANGED,
            reason="re-extracted",
            relevance=assessed.relevance if assessed else None,
            article=article,
            revision_kind=kind,
            revision=row["revision"] + 1,
            file=row["file"],
            capture=CaptureRef(row["capture_file"], row["capture_offset"]),
            crawled_at=row["crawled_at"],
            known=True,
        )

    def _noted(self, result: FindResult, differences: Sequence[Difference]) -> FindResult:
        self.done.changed += 1
        self.done.fields.update(difference.field for difference in differences)
        self.done.examples += differences[: max(EXAMPLES - len(self.done.examples), 0)]
        return result


def _differences(row: Mapping[str, Any], result: FindResult) -> list[Difference]:
    derived = article_row(result, "") or {}
    return [
        Difference(row["id"], name, row[name], derived[name])
        for name in COMPARED
        if not _same(row[name], derived[name])
    ]


def _same(held: Any, derived: Any) -> bool:
    """Whether a column holds the same, nothing being an empty list."""
    return (held or None) == (derived or None)
