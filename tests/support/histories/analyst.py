"""A small archive with copies, edits, a correction, a deletion and a gap, for the tests of the examples and of `show`.

001_…1  가온신문   Mon 29 Dec 10:00  가온 and its 노을   copied by 003_…3 (earlier, at 09:30) and 004_…4 (at 12:00)
001_…2  다온일보   Tue 30 Dec 11:00  가온 and 나래    copied by 003_…5 (at 11:20)
001_…6  라온방송   Mon  5 Jan 09:00  나래             headline edited, then body with a correction notice, then
                                                      parsed again; deleted and restored in between
001_…7  가온신문   Mon  5 Jan 08:00  no team          deleted
001_…8  failed                                       003_…9 off topic
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from schemas.article import SEOUL, Article, Outcome
from schemas.coverage import Span, WindowRead
from schemas.find import FindResult, Relevance, RevisionKind, TeamModel
from schemas.page import CaptureRef
from schemas.receipt import ExitReason, Receipt
from storage.archive import Archive, open_archive
from tests.support.values import article, key, ref, stored

MADE = datetime(2026, 1, 6, 9, 0, tzinfo=SEOUL)
"""The time of the first run; each later one is a day after the previous one."""

EDITED = key(6).id


def december(day: int, hour: int, minute: int = 0) -> datetime:
    """A Korean time in December 2025."""
    return datetime(2025, 12, day, hour, minute, tzinfo=SEOUL)


def january(day: int, hour: int, minute: int = 0) -> datetime:
    """A Korean time in January 2026."""
    return datetime(2026, 1, day, hour, minute, tzinfo=SEOUL)


TEXTS = {
    1: article(1, title="가온, 첫 모델 공개", published_at=december(29, 10)),
    2: article(2, title="나래, 둘째 모델", publisher="다온일보", published_at=december(30, 11)),
    6: article(6, title="나래 모델, 세계 1위", publisher="라온방송", published_at=january(5, 9)),
    7: article(7, title="지워진 글", published_at=january(5, 8)),
}
TEAMS = {1: ("가온",), 2: ("가온", "나래"), 6: ("나래",), 7: ()}
MODELS = {1: (TeamModel("가온", "노을"),), 2: (TeamModel("가온", "노을"), TeamModel("가온", "Gaon"))}

SECOND = replace(TEXTS[6], title="나래 모델, 세계 2위")
THIRD = replace(
    SECOND,
    body=SECOND.body.replace("공개했다", "내놓았다") + "\n\n바로잡습니다: 순위는 2위입니다.",
    modified_at=january(8, 8),
)
FOURTH = replace(THIRD, byline="나래 기자", authors=())


def make(root: Path) -> Path:
    """Create the archive with five runs."""
    with open_archive(root) as archive:
        for day, results in enumerate(_runs()):
            _run(archive, day, results)
    return root


def _runs() -> list[list[FindResult]]:
    """The results that each run stores."""
    first = [
        *(_stored(text, Relevance(5.0, (), TEAMS[n], MODELS.get(n, ()))) for n, text in TEXTS.items()),
        _copy(3, "003", "다온일보", 1, december(29, 9, 30)),
        _copy(4, "004", "라온방송", 1, december(29, 12)),
        _copy(5, "003", "가온신문", 2, december(30, 11, 20)),
        FindResult(ref(key(8)), Outcome.FAILED, "timeout", tries=1, retry_at=MADE + timedelta(hours=1)),
        FindResult(ref(key(9, "003")), Outcome.OFF_TOPIC, "relevance 0 is below the topic's threshold"),
    ]
    return [
        first,
        [_edited(SECOND, 2, 1), _gone(7, 1)],
        [_gone(6, 2)],
        [_edited(THIRD, 3, 3)],
        [_edited(FOURTH, 4, 4, RevisionKind.RE_EXTRACTED)],
    ]


def _run(archive: Archive, day: int, results: list[FindResult]) -> None:
    at = MADE + timedelta(days=day)
    run = Receipt(f"{at:%Y%m%d}T000000Z-{day:04d}", "crawl", "test", at)
    archive.start_run(run)
    gap = Span(december(28, 0), december(28, 6))
    read = WindowRead("press_list:001", december(27, 0), december(29, 0), (gap,), "1,000 results shown")
    archive.store(run.run_id, results, coverage=[read] if day == 0 else [])
    for result in results:
        run.outcomes[result.outcome] += 1
    run.finished_at, run.exit_reason = at + timedelta(seconds=90), ExitReason.DONE
    archive.finish_run(run, {}, [])


def _stored(text: Article, relevance: Relevance) -> FindResult:
    return stored(text, relevance=relevance, crawled_at=MADE)


def _copy(number: int, oid: str, publisher: str, of: int, at: datetime) -> FindResult:
    text = replace(TEXTS[of], key=key(number, oid), publisher=publisher, published_at=at)
    return stored(
        text,
        outcome=Outcome.DUPLICATE,
        revision_kind=None,
        duplicate_of=key(of).id,
        matched_by="content_hash",
        crawled_at=MADE,
    )


def _edited(text: Article, revision: int, day: int, kind: RevisionKind = RevisionKind.EDITED) -> FindResult:
    return stored(
        text,
        outcome=Outcome.EDITED,
        relevance=Relevance(5.0, (), ("나래",)),
        revision_kind=kind,
        revision=revision,
        crawled_at=MADE + timedelta(days=day),
    )


def _gone(number: int, day: int) -> FindResult:
    at = MADE + timedelta(days=day)
    capture = CaptureRef("captures/x.warc.gz", 0)
    return FindResult(ref(key(number)), Outcome.GONE, "status 404", capture=capture, crawled_at=at, gone_at=at)
