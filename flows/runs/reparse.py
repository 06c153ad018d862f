"""A reparse: every text of the archive, derived again from its capture, without the network.

For when a parser has improved. What a capture gives now is compared with the archive, field by field. A text that
differs is stored as a new revision, `re-extracted`; the older one stays. Articles keep their capture and the time of
their crawl.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple, Protocol, TypeVar

from flows.naver.articles.layouts import parse_article
from flows.pipeline.judge import Assess, assess_by
from flows.runs.import_files import article_of
from flows.runs.lifecycle import OnProgress, Order, Run, ignore_progress, open_for_run, utc_now
from schemas.article import Article, ArticleKey, ArticleRef, Outcome
from schemas.errors import ArchiveDamaged, BadInput, FrontMatterError, ParseError
from schemas.find import FindResult, RevisionKind
from schemas.front_matter import loads
from schemas.page import CaptureRef
from schemas.receipt import ExitReason, Receipt
from storage.archive import Archive
from storage.captures.reader import Capture, read_captures
from storage.database.queries import CapturedText
from storage.database.rows import article_row
from storage.executor import HERE_ALONE, Pool, Workers, pool_of
from storage.integrity.journals.digests import hasher

T = TypeVar("T")

BATCH = 256
MANY = 2_000
"""Articles from which on they are parsed in processes of their own, unless the number of processes was given."""
EXAMPLES = 50
"""Differences that are kept as examples; all of them are counted."""

COMPARED = (
    *("title", "subtitle", "body", "publisher", "byline", "authors", "categories", "published_at", "modified_at"),
    *("original_url", "images", "kind"),
)
"""The columns of `articles` that a parser fills. The parser's version is not one: on its own it is no difference."""

_FAULTS_NAMED = 5
_ANY_TIME = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class ReparseOrder(Order):
    """What to derive again: articles that were crawled at `since` or later, and only these `ids`, if any are given.

    `dry_run`: compare and store nothing. `workers`: who parses.
    """

    since: datetime | None = None
    ids: tuple[str, ...] = ()
    dry_run: bool = False
    workers: Workers = HERE_ALONE


@dataclass(frozen=True, slots=True)
class Difference:
    """A field of an article, as the archive has it and as its capture gives it now."""

    id: str
    field: str
    before: Any
    after: Any


@dataclass(slots=True)
class Reparsed:
    """The result: `read` articles were derived again, `changed` of them differ; `failed`: id -> why it gave none.

    `fields` counts the differences by field; `examples` are the first of them. `receipt` is None after a dry run.
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
    on_progress: OnProgress = ignore_progress,
    stopped: Callable[[], bool] = lambda: False,
) -> Reparsed:
    """Derive the texts again, and store those that differ. Raises SeogoError.

    Once `stopped` returns true, the reparse ends after the batch that it is at.
    """
    with open_for_run(order, "reparse", utc_now()) as (archive, receipt):
        texts = archive.captured_texts(COMPARED, since=order.since, ids=order.ids)
        _check_ids(archive, order.ids)
        receipt.discovered = len(texts)
        run = Run(archive, receipt, on_progress)
        work = _Reparse(run, assess_by(order.topic), order.dry_run)
        with pool_of(order.workers, order.archive, worth_it=len(texts) >= MANY) as pool:
            if order.dry_run:
                work.do(texts, pool, stopped)
            else:
                with run.recorded(work.exit_reason):
                    work.do(texts, pool, stopped)
                work.done.receipt = receipt
    return work.done


def _check_ids(archive: Archive, ids: Sequence[str]) -> None:
    """Raises BadInput for ids that are not in the archive: one may be mistyped."""
    known = {text.id for text in archive.captured_texts(COMPARED, ids=ids)} if ids else set()
    if unknown := [id_ for id_ in ids if id_ not in known]:
        raise BadInput(f"{', '.join(unknown)}: no such article with a capture in the archive. Nothing was derived.")


# -- in any process


class Derived(NamedTuple):
    """What the capture of an article gives now: the same as the archive has (None), a text, or why there is none."""

    id: str
    text: tuple[RevisionKind, Article] | str | None


def derive(root: Path, texts: Sequence[CapturedText]) -> list[Derived]:
    """Parse the captures of these articles, which are in the order of the captures."""
    found = [(text, _parse_or_fault(capture, text)) for text, capture in captures_of(root, texts)]
    rows = [_row(text, parsed) for text, parsed in found if not isinstance(parsed, str)]
    digests = iter(hasher().of_columns("articles", rows, COMPARED))
    return [
        Derived(text.id, parsed if isinstance(parsed, str) or next(digests) != text.digest else None)
        for text, parsed in found
    ]


class InCapture(Protocol):
    """Something whose page is in a capture."""

    @property
    def capture(self) -> CaptureRef: ...


OfCapture = TypeVar("OfCapture", bound=InCapture)


def captures_of(root: Path, wanted: Iterable[OfCapture]) -> Iterator[tuple[OfCapture, Capture | ArchiveDamaged]]:
    """Each of these, which are in the order of the captures, with its record. Each file is read once, in order."""
    for _, of_file in groupby(wanted, key=lambda one: one.capture.file):
        by_ref = {ref: list(some) for ref, some in groupby(of_file, key=lambda one: one.capture)}
        for ref, capture in read_captures(root, list(by_ref)):
            yield from ((one, capture) for one in by_ref[ref])


def _parse_or_fault(capture: Capture | ArchiveDamaged, text: CapturedText) -> tuple[RevisionKind, Article] | str:
    """What a capture gives now. An imported document stays imported: a crawl can still replace it."""
    if isinstance(capture, ArchiveDamaged):
        return str(capture)
    try:
        if capture.kind == "resource":
            document = loads(capture.content.decode(), file=text.source)
            return RevisionKind.IMPORTED, article_of(document, file=text.source)[0]
        return RevisionKind.RE_EXTRACTED, parse_article(capture.content, text.url)
    except (ParseError, FrontMatterError) as error:
        return str(error)


def _row(text: CapturedText, parsed: tuple[RevisionKind, Article]) -> dict[str, Any]:
    kind, article = parsed
    ref = ArticleRef(ArticleKey.from_id(text.id), text.url, text.source, _ANY_TIME)
    result = FindResult(ref, Outcome.UNCHANGED, "", article=article, revision_kind=kind)
    return article_row(result, "") or {}


def batches(items: Sequence[T]) -> Iterator[Sequence[T]]:
    """BATCH items at a time."""
    return (items[at : at + BATCH] for at in range(0, len(items), BATCH))


# -- here


@dataclass(slots=True)
class _Reparse:
    """Derives articles again in batches, compares and stores them."""

    run: Run
    assess: Assess
    dry_run: bool
    done: Reparsed = field(default_factory=Reparsed)

    def do(self, texts: Sequence[CapturedText], pool: Pool, stopped: Callable[[], bool]) -> None:
        """Derive these articles, batch by batch, until `stopped` returns true."""
        if stopped():
            self.run.interrupted = True
            return
        for derived in pool.map(partial(derive, self.run.archive.root), batches(texts)):
            results = self._results(derived)
            if results and not self.dry_run:
                self.run.archive.store(self.run.receipt.run_id, results)
            self.run.on_progress(self.run.receipt)
            if stopped():
                self.run.interrupted = True
                return

    def exit_reason(self, receipt: Receipt, *, interrupted: bool, broken: bool) -> tuple[ExitReason, str]:
        """Why it ended, and an explanation in a sentence."""
        if interrupted or broken:
            return ExitReason.INTERRUPTED, "ended early; run it again to continue"
        explanation = "the captures give what the archive has"
        if self.done.failed:
            explanation = f"{len(self.done.failed)} captures no longer give an article; their texts stay as they are"
        elif self.done.changed:
            explanation = f"{self.done.changed} texts were derived again and differ"
        return self.done.exit_reason, explanation

    def _results(self, derived: Sequence[Derived]) -> list[FindResult]:
        """The results for those of the articles that differ now."""
        self.done.read += len(derived)
        texts = {one.id: one.text for one in derived if isinstance(one.text, tuple)}
        for one in derived:
            if isinstance(one.text, str):
                self._failed(one.id, one.text)
            else:
                self.run.receipt.outcomes[Outcome.UNCHANGED] += 1
        results = []
        for row in self.run.archive.article_rows(list(texts)) if texts else ():
            kind, article = texts[row["id"]]
            result = self._result(row, article, kind)
            if differences := _differences(row, result):
                self._count(differences)
                results.append(result)
        return results

    def _result(self, row: Mapping[str, Any], article: Article, kind: RevisionKind) -> FindResult:
        assessed = self.assess(article.title, article.body) if row["relevance"] is not None else None
        ref = ArticleRef(
            ArticleKey.from_id(row["id"]),
            row["url"],
            row["source"],
            self.run.receipt.started_at,
            description=row["description"],
        )
        return FindResult(
            ref=ref,
            outcome=Outcome.UNCHANGED,
            reason="re-extracted",
            relevance=assessed.relevance if assessed else None,
            article=article,
            revision_kind=kind,
            revision=row["revision"] + 1,
            file=row["file"],
            capture=_capture(row),
            crawled_at=row["crawled_at"],
            known=True,
        )

    def _failed(self, id_: str, reason: str) -> None:
        self.done.failed[id_] = reason
        self.run.receipt.outcomes[Outcome.FAILED] += 1
        if len(self.run.receipt.faults) < _FAULTS_NAMED:
            self.run.receipt.faults[id_] = reason

    def _count(self, differences: Sequence[Difference]) -> None:
        self.done.changed += 1
        self.done.fields.update(difference.field for difference in differences)
        self.done.examples += differences[: max(EXAMPLES - len(self.done.examples), 0)]


def _capture(row: Mapping[str, Any]) -> CaptureRef:
    return CaptureRef(row["capture_file"], row["capture_offset"], row["capture_length"])


def _differences(row: Mapping[str, Any], result: FindResult) -> list[Difference]:
    derived = article_row(result, "") or {}
    return [
        Difference(row["id"], name, row[name], derived[name])
        for name in COMPARED
        if not _same(row[name], derived[name])
    ]


def _same(before: Any, after: Any) -> bool:
    """Whether two values of a column are the same; None and an empty list are."""
    return (before or None) == (after or None)
