"""All journal entries -> what the tables end with: the same as a replay, from the keys of the entries alone.

`storage.journal.commit` defines what an entry does to the rows of a database; `Fold` does it to keys in memory, so that
no second database is needed. Tests hold the two equal, for every kind of entry.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from schemas.coverage import WindowRead
from schemas.journal import PairsFound, RunStarted
from schemas.page import CaptureRef
from storage.captures.reader import run_of
from storage.database.writer import Row
from storage.integrity.journals.contents import FileContents
from storage.integrity.journals.digests import NONE
from storage.integrity.journals.keys import (
    ArticleKeys,
    BatchKeys,
    EndKeys,
    EntryKeys,
    ReassessedKeys,
    RestatedKeys,
    RowKeys,
)
from storage.integrity.journals.places import Place, PlacedDigests
from storage.integrity.journals.stories import Stories
from storage.journal.entry_rows import covered, cursor_rows, receipt_columns, start_row
from storage.journal.events import batch_events, entries_used, numbered
from storage.journal.tables import JOURNALED


class Named(NamedTuple):
    """The publisher that a row had lacked, and the place of the reassessment that filled it in."""

    publisher: str
    at: Place


class ArticleRow(NamedTuple):
    """A row of `articles` or `superseded`, as far as later entries depend on it; there are as many as articles.

    If it was reassessed: `assessed` is the place of that, and `named` what it had lacked.
    """

    at: Place
    revision: int
    is_listed: bool
    published_at: datetime | None
    has_publisher: bool
    plain: Row | None
    assessed: Place | None = None
    named: Named | None = None


class KeyedRow(NamedTuple):
    """A row of another table with ids. `gone`: of `frontier`, whether the article is known to be deleted."""

    at: Place
    gone: bool


class Answer(NamedTuple):
    """A captured response that no entry mentions."""

    ref: CaptureRef
    url: str
    at: datetime

    def row(self) -> Row:
        """The row of `unprocessed`."""
        ref = self.ref
        return {"url": self.url, "capture_file": ref.file, "capture_offset": ref.offset, "fetched_at": self.at}


class Fold:
    """The state after the files that were added, in the order of `recovery.in_order`.

    Rows of `finds` and `requests` are only added up; `on_events` gets those of `events`. `entries` counts all entries,
    `repeated` those that were there already, `restated` names the tables of which a repair journaled rows again.
    """

    def __init__(self, on_events: Callable[[Sequence[Row]], None]) -> None:
        self.runs: dict[str, dict[str, Any]] = {}
        self.cursors: dict[str, Row] = {}
        self.coverage: dict[str, list[Row]] = {}
        self.articles: dict[str, ArticleRow] = {}
        self.superseded: dict[tuple[str, int], ArticleRow] = {}
        self.duplicates: dict[str, KeyedRow | Row] = {}
        self.frontier: dict[str, KeyedRow] = {}
        self.quarantine: dict[str, KeyedRow] = {}
        self.segments: dict[tuple[str, int], Row] = {}
        self.finds = self.requests = NONE
        self.digests = PlacedDigests()
        self.stories = Stories()
        self.unprocessed: dict[str, Answer] = {}
        self.restated: set[str] = set()
        self.entries = self.repeated = 0
        self._on_events = on_events
        self._file = ""
        self._unfinished: set[str] = set()
        self._imported: defaultdict[str, set[str]] = defaultdict(set)
        self._answers: dict[CaptureRef, Answer] = {}

    def add(self, contents: FileContents) -> None:
        """Take in the next file."""
        if run_of(contents.name) != run_of(self._file):
            self._end_file_of_run()
        self._file = contents.name
        self.digests.add(contents.name, contents.digests)
        for offset, url, at in contents.answers:
            ref = CaptureRef(contents.name, offset)
            self._answers[ref] = Answer(ref, url, at)
        for entry in contents.entries:
            self.entries += 1
            if isinstance(entry, BatchKeys):
                for ref in entry.taken:
                    self._answers.pop(ref, None)
            if self._has(entry):
                self.repeated += 1
            else:
                self._commit(entry)

    def finish(self) -> None:
        """After the last file: runs that have not ended were interrupted."""
        self._end_file_of_run()
        self._interrupt()

    def _end_file_of_run(self) -> None:
        self.unprocessed |= {answer.url: answer for answer in self._answers.values()}
        self._answers = {}

    # -- entries, as in storage.journal.commit

    def _has(self, entry: EntryKeys) -> bool:
        run = self.runs.get(entry.entry.run_id if isinstance(entry, EndKeys) else entry.run_id)
        match entry:
            case RunStarted():
                return run is not None
            case EndKeys():
                return run is not None and run.get("finished_at") is not None
            case _:
                return run is not None and (run["batches"] or 0) >= entry.number

    def _commit(self, entry: EntryKeys) -> None:
        match entry:
            case RunStarted():
                self.runs[entry.run_id] = start_row(entry)
                self._interrupt()
                self._unfinished.add(entry.run_id)
            case BatchKeys():
                self._store(entry)
            case EndKeys():
                self._end(entry)
            case ReassessedKeys():
                self._reassess(entry)
            case PairsFound():
                self._find_pairs(entry)
            case RestatedKeys():
                self._restate(entry)

    def _interrupt(self) -> None:
        for run_id in self._unfinished:
            self.runs[run_id]["exit_reason"] = "interrupted"
        self._unfinished.clear()

    def _store(self, entry: BatchKeys) -> None:
        finds = entry.changed
        before = {one.id: self._is_gone(one.id) for one in finds if not one.known and one.id in self.articles}
        for keys in entry.articles:
            if keys.revision > 1 and (old := self.articles.get(keys.id)):
                self.superseded[keys.id, old.revision] = old
        adopted = self._adopt(entry.articles)
        removed = sorted(id_ for id_ in entry.unlisted if (old := self.articles.get(id_)) and old.is_listed)
        for id_ in removed:
            self._drop_article(id_)
        for id_ in entry.released:
            self.quarantine.pop(id_, None)
        self._put_rows(entry)
        stored = [{"id": one.id, "revision": one.revision, "revision_kind": one.kind} for one in entry.articles]
        found = list(batch_events(finds, stored, adopted, [*adopted, *removed], before))
        self._add_events(entry.run_id, entry.number, found, entry.crawled_at)
        self._take(entry.taken)
        self._cover(entry.run_id, entry.coverage)
        self._count(entry.run_id, entry.number)

    def _put_rows(self, entry: BatchKeys) -> None:
        for article in entry.articles:
            self.duplicates.pop(article.id, None)
            self._put_article(article)
        self.duplicates |= {one.id: self._keyed(one) for one in entry.duplicates}
        self.frontier |= {one.id: self._keyed(one) for one in entry.frontier}
        self.quarantine |= {one.id: self._keyed(one) for one in entry.quarantine}
        if entry.segment is not None:
            self.segments[entry.segment["fetcher"], entry.segment["number"]] = entry.segment
        self.finds, self.requests = self.finds.plus(entry.finds), self.requests.plus(entry.requests)

    def _is_gone(self, id_: str) -> bool:
        found = self.frontier.get(id_)
        return found is not None and found.gone

    def _adopt(self, articles: Sequence[ArticleKeys]) -> dict[str, str]:
        """Imported texts without an address become duplicates of articles with the same text: id -> article."""
        first: dict[str, str] = {}
        for one in articles:
            if one.text is not None:
                first.setdefault(one.text, one.id)
        adopted = dict(sorted((id_, first[text]) for text in first for id_ in self._imported.get(text, ())))
        for id_, article in adopted.items():
            old = self.articles[id_]
            plain = {**(old.plain or {}), "duplicate_of": article, "matched_by": "text_hash"}
            self.duplicates[id_] = plain if old.named is None else {**plain, "publisher": old.named.publisher}
            self._drop_article(id_)
        return adopted

    def _end(self, keys: EndKeys) -> None:
        entry = keys.entry
        self.requests = self.requests.plus(keys.requests)
        self.cursors |= {row["source"]: row for row in cursor_rows(entry)}
        self._cover(entry.run_id, entry.coverage)
        if run := self.runs.get(entry.run_id):
            run |= receipt_columns(entry.receipt)
            if run["exit_reason"] is not None:
                self._unfinished.discard(entry.run_id)

    def _reassess(self, entry: ReassessedKeys) -> None:
        found = []
        for id_, revision, number, publisher in entry.texts:
            old = self.articles.get(id_)
            if old is not None and old.revision == revision:
                self.articles[id_] = _reassessed(old, Place(self._file, number), publisher)
                found.append({"kind": "reassessed", "id": id_, "revision": revision})
        self._add_events(entry.run_id, entry.number, found, None)
        self._count(entry.run_id, entry.number)

    def _find_pairs(self, entry: PairsFound) -> None:
        published = {id_: row.published_at for id_ in self.stories.touched(entry) if (row := self.articles.get(id_))}
        changed = self.stories.renew(entry, published)
        found = [{"kind": "story", "id": id_, "story": story} for id_, story in changed.items()]
        self._add_events(entry.run_id, entry.number, found, entry.found_at)
        if run := self.runs.get(entry.run_id):
            run |= {"batches": entry.number + entries_used(len(found)), "pairs_until": entry.until}

    def _add_events(self, run_id: str, number: int, found: Sequence[Row], at: datetime | None) -> None:
        if found and (run := self.runs.get(run_id)):
            at = at or run["started_at"]
            self._on_events(numbered(found, run=run["number"], entry=number, at=at, run_id=run_id))

    def _cover(self, run_id: str, windows: Sequence[WindowRead]) -> None:
        sources = {read.source for read in windows}
        before = [dict(row) for source in sources for row in self.coverage.get(source, ())]
        after = covered(before, run_id, windows)
        self.coverage |= {source: [row for row in after if row["source"] == source] for source in sources}

    def _count(self, run_id: str, number: int) -> None:
        if run := self.runs.get(run_id):
            run["batches"] = number

    def _take(self, refs: Iterable[CaptureRef]) -> None:
        """Responses that an entry mentions are no longer unprocessed."""
        if self.unprocessed and (taken := set(refs)):
            self.unprocessed = {url: one for url, one in self.unprocessed.items() if one.ref not in taken}

    # -- rows that a repair journaled again

    def _restate(self, entry: RestatedKeys) -> None:
        """Of tables whose rows are only added up, none is removed: then the sums differ, and a replay decides."""
        table = entry.table
        self.restated.add(table)
        for row in [*entry.rows, *entry.absent]:
            self._remove(table, row)
        if entry.table == "finds":
            self.finds = self.finds.plus(entry.sum)
        elif entry.table == "requests":
            self.requests = self.requests.plus(entry.sum)
        else:
            for number, row in enumerate(entry.rows):
                self._insert(entry, number, row)
        refs = ((row.get("capture_file"), row.get("capture_offset")) for row in entry.rows)
        self._take(CaptureRef(file, offset) for file, offset in refs if file is not None and offset is not None)
        self._count(entry.run_id, entry.number)

    def _remove(self, table: str, row: Row) -> None:
        key = tuple(row[name] for name in JOURNALED[table].key)
        match table:
            case "articles":
                self._drop_article(row["id"])
            case "superseded":
                self.superseded.pop((row["id"], row["revision"]), None)
            case "segments":
                self.segments.pop((row["fetcher"], row["number"]), None)
            case "duplicates" | "frontier" | "quarantine" | "runs" | "cursors":
                getattr(self, table).pop(key[0], None)
                self._unfinished.discard(key[0])
            case "coverage":
                self.coverage[row["source"]] = [
                    one for one in self.coverage.get(row["source"], []) if one["since"] != row["since"]
                ]
            case "near_duplicates" | "story_members":
                self.stories.remove(table, key)

    def _insert(self, entry: RestatedKeys, number: int, row: Row) -> None:
        table = entry.table
        match table:
            case "articles":
                self._put_article(entry.articles[number])
            case "superseded":
                self.superseded[row["id"], row["revision"]] = self._article(entry.articles[number])
            case "duplicates" | "frontier" | "quarantine":
                gone = row.get("gone_at") is not None
                getattr(self, table)[row["id"]] = self._keyed(RowKeys(row["id"], entry.numbers[number], gone))
            case "runs":
                self.runs[row["run_id"]] = dict(row)
                if row.get("exit_reason") is None:
                    self._unfinished.add(row["run_id"])
            case "cursors":
                self.cursors[row["source"]] = row
            case "segments":
                self.segments[row["fetcher"], row["number"]] = row
            case "coverage":
                self.coverage.setdefault(row["source"], []).append(row)
            case "events":
                self._on_events([row])
            case "near_duplicates" | "story_members":
                self.stories.insert(table, dict(row))

    # -- rows

    def _article(self, keys: ArticleKeys) -> ArticleRow:
        at = Place(self._file, keys.number)
        return ArticleRow(at, keys.revision, keys.is_listed, keys.published_at, keys.has_publisher, keys.plain)

    def _put_article(self, keys: ArticleKeys) -> None:
        self._drop_article(keys.id)
        self.articles[keys.id] = self._article(keys)
        if keys.plain is not None:
            self._imported[keys.plain["text_hash"]].add(keys.id)

    def _drop_article(self, id_: str) -> None:
        old = self.articles.pop(id_, None)
        if old is not None and old.plain is not None:
            self._imported[old.plain["text_hash"]].discard(id_)

    def _keyed(self, keys: RowKeys) -> KeyedRow:
        return KeyedRow(Place(self._file, keys.number), keys.gone)


def _reassessed(old: ArticleRow, at: Place, publisher: str | None) -> ArticleRow:
    if publisher is None or old.has_publisher or old.named is not None:
        return old._replace(assessed=at)
    return old._replace(assessed=at, named=Named(publisher, at))
