"""The queries of the writer's database that precede fetches and decisions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from operator import itemgetter
from sys import intern
from typing import Any, Literal, NamedTuple

from schemas.article import ArticleRef
from schemas.coverage import Stretch
from schemas.find import Known
from schemas.page import CaptureRef
from storage.database.rows import capture_of, known_of, ref_of
from storage.database.writer import Database

_CAPTURE_COLUMNS = ("capture_file", "capture_offset", "capture_length")
_CAPTURE = itemgetter(*_CAPTURE_COLUMNS)
_OF_FRONTIER = ("state", "tries", "due_at", "found_at", "etag", "last_modified", "gone_at")
_OF_ARTICLES = ("status", "title", "content_hash", "revision", "modified_at", "file", *_CAPTURE_COLUMNS)


class CapturedText(NamedTuple):
    """An article whose text was read from a capture. `digest` is that of the columns that a parser fills."""

    id: str
    url: str
    source: str
    capture: CaptureRef
    digest: int


class Queries:
    """The queries that a run needs. None of them changes the database."""

    _db: Database

    def known(self, ids: Sequence[str]) -> dict[str, Known]:
        """What the archive has for each of these ids. Unknown ids are omitted."""
        # Two statements: planning a join of the tables takes as long as both.
        found: dict[str, dict[str, Any]] = {}
        for table, columns in (("frontier", _OF_FRONTIER), ("articles", _OF_ARTICLES)):
            for row in self._of_ids(ids, f"SELECT id, {', '.join(columns)} FROM {table}"):
                found.setdefault(row["id"], dict.fromkeys(_OF_FRONTIER + _OF_ARTICLES)).update(row)
        return {id_: known_of(row) for id_, row in found.items()}

    def first_found(self, ids: Sequence[str]) -> dict[str, datetime]:
        """The start of the run that found each of these ids first. Ids that no run has found are omitted."""
        rows = self._of_ids(ids, "SELECT id, found_at FROM frontier")
        return {row["id"]: row["found_at"] for row in rows if row["found_at"] is not None}

    def same_text(
        self, content_hashes: Sequence[str], text_hashes: Sequence[str]
    ) -> tuple[dict[str, str], dict[str, str]]:
        """The id of the first article with each content hash, and with each text hash. Unknown hashes are omitted."""
        return self._first_with("content_hash", content_hashes), self._first_with("text_hash", text_hashes)

    def stored_bodies(self, ids: Sequence[str]) -> dict[str, str]:
        """The newest text of each of these articles that has one, by id."""
        rows = self._db.lookup(
            ids, "SELECT a.id, a.body FROM wanted JOIN articles a USING (id) WHERE a.body IS NOT NULL"
        )
        return {row["id"]: row["body"] for row in rows}

    def quarantined_capture(self, id_: str) -> CaptureRef | None:
        """The capture of an article's page that is in quarantine, if there is one."""
        rows = self._db.rows("SELECT * FROM quarantine WHERE id = ?", [id_])
        return capture_of(rows[0]) if rows else None

    def due(self, now: datetime, limit: int) -> list[ArticleRef]:
        """Unfinished finds of earlier runs that are due for a retry, the longest due first.

        A retry is never more than a day away: a later time was written by a clock that was ahead, and counts as due.
        """
        rows = self._db.rows(
            "SELECT * FROM frontier WHERE due_at <= ? OR due_at > ? ORDER BY due_at, id LIMIT ?",
            [now, now + timedelta(days=1), limit],
        )
        return [ref_of(row, now) for row in rows]

    def to_refresh(self, now: datetime, limit: int) -> list[ArticleRef]:
        """Archived articles that are due for a refresh, the longest due first. Failed finds are in `due` instead."""
        rows = self._db.rows(
            "SELECT f.* FROM frontier f JOIN articles a USING (id)"
            " WHERE f.refresh_at <= ? AND f.due_at IS NULL AND a.status = 'archived' ORDER BY f.refresh_at, id LIMIT ?",
            [now, limit],
        )
        return [ref_of(row, now) for row in rows]

    def quarantined(self, now: datetime) -> list[tuple[ArticleRef, CaptureRef]]:
        """The articles in quarantine, each with the capture of its page."""
        rows = self._db.rows(
            "SELECT f.* EXCLUDE (capture_file, capture_offset, capture_length), q.capture_file, q.capture_offset,"
            " q.capture_length FROM quarantine q JOIN frontier f USING (id) ORDER BY id"
        )
        return [(ref_of(row, now), CaptureRef(*_CAPTURE(row))) for row in rows]

    def coverage(self, source: str) -> list[Stretch]:
        """The coverage ledger of a source, oldest stretch first."""
        rows = self._db.rows("SELECT * FROM coverage WHERE source = ? ORDER BY since", [source])
        return [Stretch(row["since"], row["until"], row["reason"]) for row in rows]

    def gaps(self) -> dict[str, list[Stretch]]:
        """The gaps by source, oldest first."""
        rows = self._db.rows("SELECT * FROM coverage WHERE state = 'gap' ORDER BY source, since")
        gaps: dict[str, list[Stretch]] = {}
        for row in rows:
            gaps.setdefault(row["source"], []).append(Stretch(row["since"], row["until"], row["reason"]))
        return gaps

    def covered_since(self) -> dict[str, datetime]:
        """The time at which the coverage ledger begins, by source."""
        rows = self._db.rows("SELECT source, min(since) AS since FROM coverage GROUP BY source")
        return {row["source"]: row["since"] for row in rows}

    def watermarks(self) -> dict[str, datetime]:
        """The time up to which each source has been read. Sources that never were are omitted."""
        rows = self._db.rows("SELECT source, watermark FROM cursors WHERE watermark IS NOT NULL")
        return {row["source"]: row["watermark"] for row in rows}

    def captured_texts(
        self, columns: Sequence[str], *, since: datetime | None = None, ids: Sequence[str] = ()
    ) -> list[CapturedText]:
        """The articles whose text was read from a capture, in the order of the captures, with a digest of `columns`.

        Only those crawled at `since` or later, and only these `ids`, if any are given.
        """
        rows = self._db.stream(
            f"SELECT id, url, source, {', '.join(_CAPTURE_COLUMNS)}, hash({', '.join(columns)}) AS digest FROM articles"
            " WHERE capture_file IS NOT NULL AND oid IS NOT NULL AND body IS NOT NULL"
            " AND crawled_at >= coalesce(?, '-infinity'::TIMESTAMPTZ) AND (len(?) = 0 OR id IN (SELECT unnest(?)))"
            " ORDER BY capture_file, capture_offset, id",
            [since, list(ids), list(ids)],
        )
        return [_captured_text(row) for row in rows]

    def first_run(self) -> str:
        """The archive's first run, which no other archive has: its id."""
        return str(self._db.rows("SELECT arg_min(run_id, number) AS id FROM runs")[0]["id"])

    def newest_segments(self) -> dict[str, int]:
        """The number of the newest segment that was taken in, by fetcher."""
        rows = self._db.rows("SELECT fetcher, max(number) AS number FROM segments GROUP BY fetcher")
        return {row["fetcher"]: row["number"] for row in rows}

    def segment_sizes(self, fetcher: str, numbers: Sequence[int]) -> dict[int, int]:
        """The sizes in bytes of these segments, as they were taken in. Skipped ones are omitted."""
        rows = self._db.rows(
            "SELECT number, bytes FROM segments"
            " WHERE outcome = 'taken' AND fetcher = ? AND number IN (SELECT unnest(?))",
            [fetcher, list(numbers)],
        )
        return {row["number"]: row["bytes"] for row in rows}

    def checked_at(self, ids: Sequence[str]) -> dict[str, datetime]:
        """When the newest page of each of these articles was fetched. Ids without one are omitted."""
        sql = "SELECT f.id, f.checked_at FROM wanted JOIN frontier f USING (id) WHERE f.checked_at IS NOT NULL"
        return {row["id"]: row["checked_at"] for row in self._db.lookup(ids, sql)}

    def article_rows(self, ids: Sequence[str]) -> list[dict[str, Any]]:
        """These rows of `articles`, in the order of their ids."""
        if not ids:
            return []
        return self._db.lookup(ids, "SELECT a.* FROM articles a WHERE id IN (SELECT id FROM wanted) ORDER BY id")

    def text_ids(self) -> list[str]:
        """The ids of all articles in storage order, so that `texts` reads little for consecutive ids."""
        return [row["id"] for row in self._db.rows("SELECT id FROM articles ORDER BY rowid")]

    def texts(self, ids: Sequence[str]) -> list[dict[str, Any]]:
        """The texts of these articles, with the results of their last assessment."""
        # With a range of rowids DuckDB reads only that part of the table; with ids alone it reads every body.
        sql = "SELECT min(rowid) AS first, max(rowid) AS last FROM articles WHERE id IN (SELECT id FROM wanted)"
        (part,) = self._db.lookup(ids, sql)
        if part["first"] is None:
            return []
        return self._db.rows(
            "SELECT id, oid, revision, status, title, body, description, publisher, images, relevance, reasons, teams,"
            " models, on_topic"
            f" FROM articles WHERE rowid BETWEEN {part['first']:d} AND {part['last']:d}"
            " AND id IN (SELECT id FROM wanted) ORDER BY rowid"
        )

    def off_topic(self, now: datetime) -> list[tuple[ArticleRef, CaptureRef | None, datetime | None]]:
        """The finds that are off topic, with the capture of each page, if it is known, and when it was fetched."""
        rows = self._db.rows("SELECT * FROM frontier WHERE state = 'off_topic' ORDER BY id")
        return [(ref_of(row, now), capture_of(row), row["checked_at"]) for row in rows]

    def topic_before(self, run_id: str) -> str | None:
        """The name of the topic of the newest run but this one, if a run had any."""
        sql = "SELECT topic FROM runs WHERE topic IS NOT NULL AND run_id <> ? ORDER BY number DESC LIMIT 1"
        rows = self._db.rows(sql, [run_id])
        return rows[0]["topic"] if rows else None

    def assessed_by(self, but: str) -> set[str | None]:
        """The versions of the topic by which texts were assessed, except by the run `but`; None stands for unknown.

        A reassessment that was not interrupted replaces all earlier versions.
        """
        rows = self._db.rows(
            "SELECT DISTINCT topic_version AS version FROM runs WHERE topic_version IS NOT NULL AND run_id <> ?"
            " AND number >= coalesce("
            "(SELECT max(number) FROM runs WHERE command = 'reassess' AND exit_reason <> 'interrupted'), 0)"
            " AND (command = 'reassess' OR finds IS NULL"
            " OR finds > coalesce(list_sum(map_extract(outcomes, 'unchanged')), 0))"
            " UNION ALL (SELECT NULL FROM articles WHERE on_topic IS NULL LIMIT 1)",
            [but],
        )
        return {row["version"] for row in rows}

    def _of_ids(self, ids: Sequence[str], select: str) -> list[dict[str, Any]]:
        """The rows with these ids. For some hundreds of ids, which is faster than a table of them."""
        return self._db.rows(f"{select} WHERE id IN ({', '.join('?' * len(ids))})", ids) if ids else []

    def _first_with(self, column: Literal["content_hash", "text_hash"], digests: Sequence[str]) -> dict[str, str]:
        if not digests:
            return {}
        rows = self._db.lookup(
            digests,
            f"SELECT a.{column} AS digest, min(a.id) AS id FROM articles a"
            f" WHERE a.oid IS NOT NULL AND a.{column} IN (SELECT id FROM wanted) GROUP BY ALL",
        )
        return {row["digest"]: row["id"] for row in rows}


def _captured_text(row: Mapping[str, Any]) -> CapturedText:
    # Names of files and sources are shared: there are as many of these as articles.
    file, source = intern(row["capture_file"]), intern(row["source"] or "")
    ref = CaptureRef(file, row["capture_offset"], row["capture_length"])
    return CapturedText(row["id"], row["url"], source, ref, row["digest"])
