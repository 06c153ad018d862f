"""Judges a batch of parsed pages: how each find ends, and what is stored because of it.

    parsed pages | drift? | text lost? | relevance | same text? | next refresh

A page that has drifted from the baseline is quarantined: its find fails, and its capture is kept for later. So is a
page whose text lost most of what the archive has, until a later fetch returns the same text again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from flows.pipeline.decide import RETRIED, Decision, after_parse, next_refresh, next_try, text_loss
from flows.pipeline.relevance import mentions, score
from schemas.article import Article, ArticleRef, Image, Outcome
from schemas.errors import ParseError
from schemas.find import FindResult, Known, Relevance, Status, TeamModel
from schemas.page import CaptureRef, RawPage, Validators
from schemas.topic import Topic
from schemas.traits import Traits


@dataclass(frozen=True, slots=True)
class Assessment:
    """How relevant a text is to the topic, and whether it is on topic."""

    relevance: Relevance
    relevant: bool


Assess = Callable[[str, str], Assessment]
"""Title and body -> how relevant they are to the topic."""


def assess_by(topic: Topic) -> Assess:
    """Assess texts by the rules of a topic."""

    def assess(title: str, body: str) -> Assessment:
        found = score(title, body, topic.relevance, topic.teams)
        reasons = tuple(str(reason) for reason in found.reasons)
        named = mentions(title, body, topic.teams) if found.relevant else ()
        teams = tuple(one.team for one in named)
        models = tuple(TeamModel(one.team, model) for one in named for model in one.models)
        return Assessment(Relevance(found.value, reasons, teams, models, found.relevant), found.relevant)

    return assess


class DriftCheck(Protocol):
    """Finds the pages of a batch that must be quarantined because they have drifted: article id -> reason."""

    def __call__(self, pages: Sequence[tuple[str, Traits]], *, unread: int = 0) -> Mapping[str, str]:
        """`pages`: article ids with the traits of their pages. `unread`: how many other pages could not be parsed."""
        ...


class Texts(Protocol):
    """The texts of the archive."""

    def same_text(
        self, content_hashes: Sequence[str], text_hashes: Sequence[str]
    ) -> tuple[dict[str, str], dict[str, str]]:
        """For content hashes and for text hashes, the id of the first article that has each, if there is one."""
        ...

    def stored_bodies(self, ids: Sequence[str]) -> Mapping[str, str]:
        """The newest text of each of these articles, by id."""
        ...

    def quarantined_page(self, id_: str) -> RawPage | None:
        """The page of an article that is in quarantine, if there is one that can be read."""
        ...


@dataclass(frozen=True, slots=True)
class Parsed:
    """A find whose page has been fetched, captured and parsed: judged once its batch is complete.

    `cut`: the page lacks its end, according to its markup.
    """

    ref: ArticleRef
    article: Article
    traits: Traits
    capture: CaptureRef
    crawled_at: datetime
    validators: Validators | None = None
    cut: bool = False


@dataclass(frozen=True, slots=True)
class Judge:
    """Judges the batches of a run that began at `began`. `accept`: accept texts that lost most of their length."""

    texts: Texts
    assess: Assess
    drift_check: DriftCheck
    began: datetime
    accept: bool = False

    def results(self, visited: Sequence[Parsed | FindResult], known: Mapping[str, Known | None]) -> list[FindResult]:
        """How each find of a batch ends, in order."""
        pages = [item for item in visited if isinstance(item, Parsed)]
        unread = sum(1 for item in visited if isinstance(item, FindResult) and item.quarantined)
        unfit = self._losses(pages, known)
        unfit |= self.drift_check([(page.ref.key.id, page.traits) for page in pages], unread=unread)
        firsts = self.texts.same_text(
            [page.article.content_hash for page in pages], [page.article.text_hash for page in pages]
        )
        return [self._dated(self._result(item, known, unfit, firsts), known) for item in visited]

    def _result(
        self,
        item: Parsed | FindResult,
        known: Mapping[str, Known | None],
        unfit: Mapping[str, str],
        firsts: tuple[dict[str, str], dict[str, str]],
    ) -> FindResult:
        if isinstance(item, FindResult):
            return item
        if why := unfit.get(item.ref.key.id):
            return self._quarantined(item, known.get(item.ref.key.id), why)
        result = self._judged(item, known.get(item.ref.key.id), *firsts)
        if result.revision_kind is not None:
            # Later copies in the same batch are duplicates of this one.
            same_content, same_text = firsts
            same_content.setdefault(item.article.content_hash, item.article.id)
            same_text.setdefault(item.article.text_hash, item.article.id)
        return result

    def _losses(self, pages: Sequence[Parsed], known: Mapping[str, Known | None]) -> dict[str, str]:
        """The pages whose text probably lacks a part, if that is new: article id -> reason."""
        changed = {page.ref.key.id: page for page in pages if _changes_text(page, known.get(page.ref.key.id))}
        if self.accept or not changed:
            return {}
        stored = self.texts.stored_bodies(list(changed))
        losses = {id_: text_loss(stored.get(id_, ""), page.article.body, cut=page.cut) for id_, page in changed.items()}
        return {id_: why for id_, why in losses.items() if why and not self._was_seen(changed[id_])}

    def _was_seen(self, page: Parsed) -> bool:
        """Whether an earlier fetch, whose page is in quarantine, gave the same text."""
        earlier = self.texts.quarantined_page(page.ref.key.id)
        if earlier is None or earlier.capture == page.capture:
            return False
        from flows.naver.articles.layouts import parse_article

        try:
            return parse_article(earlier.content, page.ref.key.url).content_hash == page.article.content_hash
        except ParseError:
            return False

    def _judged(
        self, item: Parsed, known: Known | None, same_content: Mapping[str, str], same_text: Mapping[str, str]
    ) -> FindResult:
        article = item.article
        assessed = self.assess(article.title, assessed_text(article.body, article.images))
        relevant = assessed.relevant or item.ref.source == "address"  # given by a person: archived in any case
        decision = after_parse(
            article, known, assessed.relevance, relevant=relevant, same_content=same_content, same_text=same_text
        )
        return _result_of(item, known, decision, assessed.relevance)

    def _quarantined(self, item: Parsed, known: Known | None, why: str) -> FindResult:
        tries, retry_at = next_try(known, self.began, quarantined=True)
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
        """The result with the times and validators that follow from it and from what was known before."""
        before = known.get(result.ref.key.id)
        found_at = before.found_at if before else None
        return replace(
            result,
            found_at=found_at or self.began,
            refresh_at=self._refresh_at(result, before),
            gone_at=_gone_at(result, before),
            validators=result.validators or (before.validators if before and result.outcome in RETRIED else None),
        )

    def _refresh_at(self, result: FindResult, known: Known | None) -> datetime | None:
        archived = known is not None and known.status is Status.ARCHIVED
        if result.known or (result.revision_kind is None and not archived):
            return None
        # A response 304 has no page: the modification time of the last page is still valid.
        page = result.article or known
        modified_at = page.modified_at if page else None
        checked_at = max(result.crawled_at or self.began, self.began)
        return next_refresh(checked_at, published_at=result.ref.published_at, modified_at=modified_at)


def _result_of(item: Parsed, known: Known | None, decision: Decision, relevance: Relevance) -> FindResult:
    ref, article = item.ref, item.article
    return FindResult(
        ref=replace(ref, title=ref.title or article.title, published_at=ref.published_at or article.published_at),
        outcome=decision.outcome,
        reason=decision.reason,
        relevance=relevance,
        article=article,
        revision_kind=decision.revision_kind,
        revision=(known.revision if known else 0) + 1,
        file=known.file if known else None,
        duplicate_of=decision.duplicate_of,
        matched_by=decision.matched_by,
        capture=item.capture,
        crawled_at=item.crawled_at,
        validators=item.validators,
    )


def _changes_text(page: Parsed, known: Known | None) -> bool:
    has_text = known is not None and known.status in (Status.ARCHIVED, Status.IMPORTED)
    return has_text and known is not None and known.content_hash != page.article.content_hash


def _gone_at(result: FindResult, known: Known | None) -> datetime | None:
    """The time since which an article is deleted. A find that failed does not change it."""
    before = known.gone_at if known else None
    if result.outcome is Outcome.GONE:
        return before or result.crawled_at
    return before if result.outcome in RETRIED else None


def assessed_text(body: str, images: Sequence[Image]) -> str:
    """The text that is assessed with the title: the body, or the captions of a photo or a news flash without a body."""
    return body or "\n\n".join(image.caption for image in images if image.caption)
