"""One find, up to its article: which fault becomes which outcome, and when nothing is fetched at all."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest

from flows.pipeline.judge import Assessment, Parsed
from flows.pipeline.stop import Stop
from flows.pipeline.visit import Find, Visitor
from schemas.article import ArticleKey, ArticleRef, Outcome
from schemas.find import FindResult, Known, Relevance, Status
from schemas.page import CaptureRef, Fault, FetchFault, RawPage
from tests.support.values import NOW, key, page, receipt, ref

KEY = key(1)
CAPTURE = CaptureRef("captures/a.warc.gz", 0)
LATER = NOW + timedelta(hours=1)


@dataclass
class Site:
    """Answers every request with the same; keeps what was requested and captured."""

    answer: RawPage | FetchFault
    captured: RawPage | None = None
    requested: list[str] = field(default_factory=list)
    kept: list[RawPage] = field(default_factory=list)

    async def fetch(self, url: str, *, why: str, headers: Mapping[str, str] | None = None) -> RawPage | FetchFault:
        self.requested.append(url)
        return self.answer

    def captured_answer(self, url: str) -> RawPage | None:
        return self.captured

    def capture(self, page: RawPage, earlier: CaptureRef | None = None) -> CaptureRef:
        self.kept.append(page)
        return CAPTURE


def visitor(site: Site, *, stop: Stop | None = None, fetches_left: int | None = None) -> Visitor:
    assessment = Assessment(Relevance(3.0), relevant=True)
    return Visitor(
        site.fetch, site, lambda title, body: assessment, receipt(), stop or Stop(), lambda: NOW, fetches_left
    )


def visited(site: Site, known: Known | None = None, of: ArticleRef | None = None) -> Parsed | FindResult:
    return asyncio.run(visitor(site).visit(Find(of or ref(KEY), known)))


def ended(site: Site, known: Known | None = None, of: ArticleRef | None = None) -> FindResult:
    result = visited(site, known, of)
    assert isinstance(result, FindResult)
    return result


@pytest.mark.parametrize(("seconds", "is_same"), [(0, True), (-5, False), (5, False)])
def test_a_recorded_answer_counts_unless_it_was_captured_already(seconds: int, is_same: bool) -> None:
    """A page that another run has captured from the same address is not the one in the segment."""
    recorded = page(KEY.url)
    captured = replace(recorded, fetched_at=recorded.fetched_at + timedelta(seconds=seconds), capture=CAPTURE)
    site = Site(recorded, captured)
    asyncio.run(replace(visitor(site), recorded=True).visit(Find(ref(KEY), None)))
    assert site.kept == [captured if is_same else recorded]


@pytest.mark.parametrize(
    ("fault", "outcome"),
    [
        (Fault.FORBIDDEN, Outcome.LISTED),
        (Fault.BLOCKED, Outcome.BLOCKED),
        (Fault.BACKING_OFF, Outcome.DEFERRED),
        (Fault.STOPPED, Outcome.DEFERRED),
        (Fault.OFFLINE, Outcome.DEFERRED),
        *((fault, Outcome.FAILED) for fault in (Fault.TIMEOUT, Fault.CONNECTION, Fault.TOO_LARGE, Fault.BAD_REDIRECT)),
    ],
)
def test_each_fault_becomes_an_outcome_that_says_why(fault: Fault, outcome: Outcome) -> None:
    result = ended(Site(FetchFault(KEY.url, fault, "the detail")))
    assert (result.outcome, "the detail" in result.reason) == (outcome, True)


def test_a_host_that_asks_for_a_pause_is_asked_again_when_the_pause_is_over() -> None:
    assert ended(Site(FetchFault(KEY.url, Fault.BACKING_OFF, "later", retry_at=LATER))).retry_at == LATER


def test_of_a_forbidden_page_only_what_the_source_said_is_kept() -> None:
    forbidden = Site(FetchFault(KEY.url, Fault.FORBIDDEN, "robots.txt"))
    assert ended(forbidden).relevance == Relevance(3.0)
    assert ended(forbidden, of=ref(KEY, title=None)).outcome is Outcome.BLOCKED


@pytest.mark.parametrize(
    ("oid", "said", "publisher"), [("092", None, "ZDNet Korea"), ("666", None, "경기일보"), ("099", None, None),
     ("092", "나루일보", "나루일보")]
)  # fmt: skip
def test_the_publisher_of_a_forbidden_page_is_that_of_the_press_office_s_number(
    oid: str, said: str | None, publisher: str | None
) -> None:
    of = ref(ArticleKey(oid, "0000000001"), publisher=said)
    assert ended(Site(FetchFault(KEY.url, Fault.FORBIDDEN, "robots.txt")), of=of).ref.publisher == publisher


@pytest.mark.parametrize(
    ("status", "outcome"), [(Status.ARCHIVED, Outcome.DEFERRED), (Status.IMPORTED, Outcome.UNCHANGED)]
)
def test_a_forbidden_page_takes_nothing_away_from_the_archive(status: Status, outcome: Outcome) -> None:
    known = Known(KEY.id, Outcome.DEFERRED, tries=1, due_at=NOW, status=status)
    result = ended(Site(FetchFault(KEY.url, Fault.FORBIDDEN, "robots.txt")), known)
    assert (result.outcome, result.article, result.relevance) == (outcome, None, None)


@pytest.mark.parametrize(
    ("status", "outcome"),
    [(404, Outcome.GONE), (410, Outcome.GONE), (403, Outcome.BLOCKED), (429, Outcome.BLOCKED), (500, Outcome.FAILED)],
)
def test_each_status_becomes_an_outcome(status: int, outcome: Outcome) -> None:
    assert ended(Site(page(KEY.url, status=status))).outcome is outcome


def test_a_page_of_an_unknown_form_is_captured_and_quarantined() -> None:
    site = Site(page(KEY.url, b"<html>another form</html>"))
    result = ended(site)
    assert (result.outcome, result.quarantined, result.capture) == (Outcome.FAILED, True, CAPTURE)
    assert site.kept == [site.answer]


def test_a_redirect_to_something_else_is_a_failure_and_no_article() -> None:
    result = ended(Site(page(KEY.url, final_url="https://n.news.naver.com/")))
    assert (result.outcome, result.quarantined) == (Outcome.FAILED, False)
    assert "which is not an article" in result.reason


def test_a_captured_answer_is_used_instead_of_a_request() -> None:
    site = Site(FetchFault(KEY.url, Fault.TIMEOUT, "no answer"), captured=page(KEY.url, status=404))
    assert (ended(site).outcome, site.requested) == (Outcome.GONE, [])


def test_a_known_article_costs_no_request_unless_it_is_forced() -> None:
    known = Known(KEY.id, Outcome.OFF_TOPIC)
    site = Site(page(KEY.url, status=404))
    assert (ended(site, known).outcome, site.requested) == (Outcome.UNCHANGED, [])
    forced = asyncio.run(visitor(site).visit(Find(ref(KEY), known, force=True)))
    assert isinstance(forced, FindResult)
    assert (forced.outcome, site.requested) == (Outcome.GONE, [KEY.url])


def test_three_refusals_in_a_row_end_the_run_and_fewer_do_not() -> None:
    refused, fine = page(KEY.url, status=403), page(KEY.url, status=404)

    async def outcomes(*answers: RawPage) -> tuple[list[Outcome], bool]:
        site, stop = Site(fine), Stop()
        visits = visitor(site, stop=stop)
        found = []
        for answer in answers:
            site.answer = answer
            result = await visits.visit(Find(ref(KEY), None))
            assert isinstance(result, FindResult)
            found.append(result.outcome)
        return found, stop.requested

    assert asyncio.run(outcomes(refused, refused, fine, refused, refused))[1] is False
    ends, stopped = asyncio.run(outcomes(refused, refused, refused, fine))
    assert (ends[-1], stopped) == (Outcome.DEFERRED, True)


def test_the_limit_defers_what_is_left() -> None:
    async def two() -> list[Outcome]:
        visits = visitor(Site(page(KEY.url, status=404)), fetches_left=1)
        found = [await visits.visit(Find(ref(key(number)), None)) for number in (1, 2)]
        return [one.outcome for one in found if isinstance(one, FindResult)]

    assert asyncio.run(two()) == [Outcome.GONE, Outcome.DEFERRED]


def test_304_is_unchanged_only_where_a_condition_was_sent() -> None:
    not_modified = Site(page(KEY.url, b"", status=304))
    assert ended(not_modified).outcome is Outcome.FAILED
    assert not_modified.kept == []
