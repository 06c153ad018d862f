"""Random journals, committed entry by entry to a database in memory as they are written."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from random import Random

from schemas.article import Outcome
from schemas.coverage import Span, WindowRead
from schemas.find import FindResult, PlainText, Relevance, RevisionKind, TeamModel
from schemas.journal import (
    BatchStored,
    Entry,
    NearDuplicate,
    PairsFound,
    Reassessment,
    RowsRestated,
    RunEnded,
    RunStarted,
    TextsReassessed,
)
from schemas.page import CaptureRef, RequestRecord, Validators
from schemas.segment import SegmentTaken, Taken
from storage.captures.writer import CaptureWriter
from storage.database.writer import Database
from storage.journal.commit import interrupt, is_committed, plan_commit
from storage.journal.entries import dump_entry, load_entry
from storage.journal.tables import JOURNALED
from tests.support.prose import prose
from tests.support.values import NOW, article, ended, key, receipt, ref

KEYS = 6
ADDED_UP = ("finds", "requests", "events")
CAPTURE = CaptureRef("captures/2026/01/02/x-00000.warc.gz", 7)


class Journal:
    """A random journal: runs of entries of every kind, of few articles, so that they meet. Some entries are lost.

    `repaired`: some are there twice, and some are of a repair.
    """

    def __init__(self, rng: Random, *, repaired: bool) -> None:
        self.rng = rng
        self.repaired = repaired
        self.db = Database.open(Path(":memory:"), commented=False)
        self.entries: list[Entry] = []
        self.segments = 0

    def write(self, runs: int) -> None:
        for number in range(1, runs + 1):
            run_id = f"20260102T0304{number:02}Z-{number:04x}"
            self._add(RunStarted(run_id, number, "crawl", "test", NOW + timedelta(hours=number), "v1", 3.0))
            for entry in range(1, self.rng.randint(1, 5)):
                self._add(self._numbered(run_id, entry, NOW + timedelta(hours=number, minutes=entry)))
            if self.rng.random() < 0.8:
                self._add(self._end(run_id))
        with self.db.transaction():
            interrupt(self.db)

    def save(self, root: Path) -> None:
        """Write the entries to WARC files, a file a run."""
        (root / "state").mkdir()
        for run_id in dict.fromkeys(entry.run_id for entry in self.entries):
            with CaptureWriter(root, run_id, software="test") as file:
                for entry in self.entries:
                    if entry.run_id == run_id:
                        file.append_entry(dump_entry(entry), NOW)

    def _add(self, entry: Entry) -> None:
        if self.rng.random() < 0.05:
            return  # its record is damaged
        entry = load_entry(dump_entry(entry), where="here")
        is_twice = self.repaired and self.rng.random() < 0.05 and getattr(entry, "segment", None) is None
        for _ in range(1 + is_twice):
            self.entries.append(entry)
            if not is_committed(self.db, entry):
                plan_commit(self.db, entry)()

    def _numbered(self, run_id: str, number: int, at: datetime) -> Entry:
        kind = self.rng.choices(["batch", "reassessed", "pairs", "restated"], [6, 2, 2, self.repaired])[0]
        match kind:
            case "reassessed":
                texts = [self._reassessment(id_) for id_ in self._ids()]
                return TextsReassessed(run_id, number, tuple(texts))
            case "pairs":
                ids = self._ids()
                pairs = [self._pair(a, b) for a in ids for b in self._ids() if a < b]
                unique = {(pair.a, pair.b): pair for pair in pairs}
                return PairsFound(run_id, number, at, tuple(ids), tuple(unique.values()), number * 10_000)
            case "restated":
                return self._restated(run_id, number)
        results = [self._result(one, at) for one in sorted(self.rng.sample(range(KEYS), self.rng.randint(1, KEYS)))]
        plain = [self._text(n) for n in range(self.rng.choice([0, 0, 1, 2]))]
        requests = tuple(self._request(at) for _ in results)
        coverage, segment = self._coverage(at), self._segment()
        return BatchStored(run_id, number, "seed", tuple(results), requests, tuple(plain), coverage, segment)

    def _result(self, number: int, at: datetime) -> FindResult:
        outcome, newest = self.rng.choice(list(Outcome)), self._newest_revision(number)
        if outcome is Outcome.LISTED and newest:
            outcome = Outcome.GONE  # an article that the archive has is not listed again
        body = prose(self.rng.randrange(3), 4)
        page = article(number, body=body, published_at=self.rng.choice([None, NOW, NOW - timedelta(days=1)]))
        whole = FindResult(
            ref(key(number)), outcome, "random", self.rng.choice([None, self._relevance()]), crawled_at=at
        )
        whole = replace(whole, capture=self.rng.choice([None, CAPTURE]), known=self.rng.random() < 0.2)
        match outcome:
            case Outcome.NEW | Outcome.EDITED | Outcome.UNCHANGED if self.rng.random() < 0.8:
                kind, revision = self.rng.choice(list(RevisionKind)), newest + 1
                return replace(whole, article=page, revision_kind=kind, revision=revision, file="a.md", file_sha256="0")
            case Outcome.DUPLICATE:
                return replace(whole, article=page, duplicate_of=self._ids()[0], matched_by="text_hash")
            case Outcome.GONE:
                return replace(whole, gone_at=at, validators=Validators("e", None))
            case Outcome.FAILED:
                return replace(whole, quarantined=self.rng.random() < 0.5, retry_at=at, tries=2)
        return whole

    def _newest_revision(self, number: int) -> int:
        sql = "SELECT max(revision) AS newest FROM revisions WHERE id = ?"
        return int(self.db.rows(sql, [key(number).id])[0]["newest"] or 0)

    def _text(self, number: int) -> PlainText:
        id_ = f"text_{number}_{self.rng.randrange(10**6)}"
        return PlainText(id_, prose(self.rng.randrange(3), 4), NOW, "a.txt", "plain/1", CAPTURE, self._relevance())

    def _relevance(self) -> Relevance:
        models = self.rng.choice([None, (), (TeamModel("가온", "가온 2"),)])
        return Relevance(self.rng.random(), ("+1 제목",), ("가온",), models, self.rng.choice([None, True, False]))

    def _reassessment(self, id_: str) -> Reassessment:
        publisher = self.rng.choice([None, "가온신문", "나래일보"])
        return Reassessment(id_, self.rng.randint(1, 2), self._relevance(), publisher)

    def _pair(self, a: str, b: str) -> NearDuplicate:
        return NearDuplicate(
            a, b, self.rng.randint(1, 99), self.rng.choice([0.2, 0.6, 1.0]), self.rng.choice([0.4, 0.5])
        )

    def _request(self, at: datetime) -> RequestRecord:
        fault = self.rng.choice([None, "timeout"])
        return RequestRecord(at, "n.news.naver.com", "https://n.news.naver.com/1", 200, 9, 0.5, 1, "article", fault)

    def _segment(self) -> SegmentTaken | None:
        self.segments += 1
        taken = SegmentTaken("fetcher-1", self.segments, Taken.TAKEN, 9, "0", 1)
        return taken if self.rng.random() < 0.3 else None

    def _coverage(self, at: datetime) -> tuple[WindowRead, ...]:
        since = at - timedelta(hours=self.rng.randint(1, 9))
        unread = (Span(since, since + timedelta(minutes=20)),) if self.rng.random() < 0.4 else ()
        source = self.rng.choice(["section_list:105", "search_api:독자 모델"])
        return (WindowRead(source, since, at, unread, "timeout"),) if self.rng.random() < 0.5 else ()

    def _end(self, run_id: str) -> RunEnded:
        account = ended(receipt(run_id))
        account.outcomes[Outcome.NEW] = self.rng.randrange(9)
        marks = {"section_list:105": NOW + timedelta(minutes=self.rng.randrange(99))}
        return RunEnded(run_id, account.as_json(), marks, (self._request(NOW),), self._coverage(NOW))

    def _ids(self) -> list[str]:
        every = [key(n).id for n in range(KEYS)] + [
            row["id"] for row in self.db.rows("SELECT id FROM articles WHERE oid IS NULL")
        ]
        return sorted(self.rng.sample(every, self.rng.randint(1, 3)))

    def _restated(self, run_id: str, number: int) -> RowsRestated:
        """Some rows as a repair journals them; others are absent from now on. Of tables that are added up: new rows."""
        table = self.rng.choice(list(JOURNALED))
        rows = [row for row in self.db.rows(f"SELECT * FROM {table}") if self.rng.random() < 0.5]
        absent = [{name: row[name] for name in JOURNALED[table].key} for row in rows if self.rng.random() < 0.3]
        if table in ADDED_UP:
            absent, other = [], "seq" if table == "events" else "run_id"
            rows = [{**row, other: _other(row[other], number, place)} for place, row in enumerate(rows)]
        return RowsRestated(run_id, number, table, tuple(rows), tuple(absent))


def _other(value: int | str, number: int, place: int) -> int | str:
    return -number * 1000 - place if isinstance(value, int) else f"{value}-{number}-{place}"
