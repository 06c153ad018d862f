"""A batch of parsed pages -> how each find ends, and what is stored because of it.

    parsed pages | looks as always? | relevance | same text? | due again when?

A page that does not look as its like always did is held back: its find fails, and its capture waits in quarantine.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from flows.pipeline.decide import RETRIED, Verdict, judge, next_try
from flows.pipeline.refreshing import next_refresh
from schemas.article import Article, ArticleRef, Outcome
from schemas.find import FindResult, Known, Relevance, Status
from schemas.page import CaptureRef, Validators
from schemas.traits import Traits


@dataclass(frozen=True, slots=True)
class Assessment:
    """A text held against the topic's rules."""

    relevance: Relevance
    relevant: bool


Assess = Callable[[str, str], Assessment]
"""Title and body -> how much they are about the topic."""


class Held(Protocol):
    """Of the pages of a batch, by article id, those that do not look as pages always did: id -> why."""

    def __call__(self, pages: Sequence[tuple[str, Traits]], *, unread: int = 0) -> Mapping[str, str]:
        """`unread`: how many pages of the batch no parser could read."""
        ...


def nothing_held(pages: Sequence[tuple[str, Traits]], *, unread: int = 0) -> Mapping[str, str]:
    """For runs that do not watch."""
    return {}


class Texts(Protocol):
    """What is asked of the archive: who was the first with a text."""

    def same_text(
        self, content_hashes: Sequence[str], text_hashes: Sequence[str]
    ) -> tuple[dict[str, str], dict[str, str]]: ...


@dataclass(frozen=True, slots=True)
class Parsed:
    """A find whose page was fetched, captured and parsed: to be judged once its batch is complete."""

    ref: ArticleRef
    article: Article
    traits: Traits
    capture: CaptureRef
    crawled_at: datetime
    validators: Validators | None = None


class Judge:
    """Judges the batches of one run, which `began` then."""

    def __init__(self, texts: Texts, assess: Assess, held: Held, began: datetime) -> None:
        self._texts = texts
        self._assess = assess
        self._held = held
        self._began = began

    def results(self, visited: Sequence[Parsed | FindResult], known: Mapping[str, Known | None]) -> list[FindResult]:
        """How each find of a batch ends, in order."""
        pages = [item for item in visited if isinstance(item, Parsed)]
        unread = sum(1 for item in visited if isinstance(item, FindResult) and item.quarantined)
        held = self._held([(page.ref.key.id, page.traits) for page in pages], unread=unread)
        firsts = self._texts.same_text(
            [page.article.content_hash for page in pages], [page.article.text_hash for page in pages]
        )
        return [self._dated(self._result(item, known, held, firsts), known) for item in visited]

    def _result(
        self,
        item: Parsed | FindResult,
        known: Mapping[str, Known | None],
        held: Mapping[str, str],
        firsts: tuple[dict[str, str], dict[str, str]],
    ) -> FindResult:
        if isinstance(item, FindResult):
            return item
        if why := held.get(item.ref.key.id):
            return self._quarantined(item, known.get(item.ref.key.id), why)
        result = self._judged(item, known.get(item.ref.key.id), *firsts)
        if result.revision_kind is not None:
            # Later copies in the same batch point at this one.
            same_content, same_text = firsts
            same_content.setdefault(item.article.content_hash, item.article.id)
            same_text.setdefault(item.article.text_hash, item.article.id)
        return result

    def _judged(
        self, item: Parsed, known: Known | None, same_content: Mapping[str, str], same_text: Mapping[str, str]
    ) -> FindResult:
        article = item.article
        assessed = self._assess(article.title, article.body or _captions(article))
        relevant = assessed.relevant or item.ref.source == "address"  # what a person names is wanted
        verdict = judge(
            article, known, assessed.relevance, relevant=relevant, same_content=same_content, same_text=same_text
        )
        return _stored(item, known, verdict, assessed.relevance)

    def _quarantined(self, item: Parsed, known: Known | None, why: str) -> FindResult:
        tries, retry_at = next_try(known, self._began, held=True)
        return FindResult(
            item.ref,
            Outcome.FAILED,
            f"in quarantine: {why}",
            capture=item.capture,
            crawled_at=item.crawled_at,
            tries=tries,
            retry_at=retry_at,
            quarantined=True,
        )

    def _dated(self, result: FindResult, known: Mapping[str, Known | None]) -> FindResult:
        before = known.get(result.ref.key.id)
        found_at = before.found_at if before else None
        return replace(
            result,
            found_at=found_at or self._began,
            refresh_at=self._refresh_at(result, before),
            gone_at=_gone_at(result, before),
            validators=result.validators or (before.validators if before and result.outcome in RETRIED else None),
        )

    def _refresh_at(self, result: FindResult, known: Known | None) -> datetime | None:
        archived = known is not None and known.status is Status.ARCHIVED
        if result.known or (result.revision_kind is None and not archived):
            return None
        # A 304 shows no page: what the last one said of its modification still holds.
        page = result.article or known
        modified_at = page.modified_at if page else None
        checked_at = max(result.crawled_at or self._began, self._began)
        return next_refresh(checked_at, published_at=result.ref.published_at, modified_at=modified_at)


def _stored(item: Parsed, known: Known | None, verdict: Verdict, relevance: Relevance) -> FindResult:
    ref, article = item.ref, item.article
    return FindResult(
        ref=replace(ref, title=ref.title or article.title, published_at=ref.published_at or article.published_at),
        outcome=verdict.outcome,
        reason=verdict.reason,
        relevance=relevance,
        article=article,
        revision_kind=verdict.revision_kind,
        revision=(known.revision if known else 0) + 1,
        file=known.file if known else None,
        duplicate_of=verdict.duplicate_of,
        matched_by=verdict.matched_by,
        capture=item.capture,
        crawled_at=item.crawled_at,
        validators=item.validators,
    )


def _gone_at(result: FindResult, known: Known | None) -> datetime | None:
    """Since when an article is deleted. A find that failed says nothing of that."""
    before = known.gone_at if known else None
    if result.outcome is Outcome.GONE:
        return before or result.crawled_at
    return before if result.outcome in RETRIED else None


def _captions(article: Article) -> str:
    """What a flash or a picture without a text says beside its headline."""
    return "\n\n".join(image.caption for image in article.images if image.caption)
