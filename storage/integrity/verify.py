"""Checks that files, rows and captures of an archive are consistent.

Each capture has the checksum of the finished file, and each record the digest that it was written with. The rows are
those that a replay of the journal gives, and the near-duplicates those of the texts. Each row has its capture and its
file, with the recorded checksum; each file has its row. The lease must be held, so that nothing changes meanwhile.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

from schemas.article import text_hash
from schemas.errors import FrontMatterError
from schemas.find import Status
from schemas.front_matter import Document, loads
from schemas.nfc import nfc
from schemas.page import CaptureRef
from storage.archive import Archive
from storage.database.writer import Database
from storage.executor import Pool
from storage.files import sha256_of
from storage.integrity.journals.contents import FileContents
from storage.integrity.journals.read import JournalReader, Journals
from storage.integrity.journals.sums import agree
from storage.integrity.rebuild import Rebuilt, rebuilt
from storage.integrity.unjournaled import runs_without_journal
from storage.journal.tables import JOURNALED
from storage.stories import follower

T = TypeVar("T")

_JOURNALED_ROWS = "run_id NOT IN (SELECT run_id FROM {0}runs WHERE batches IS NULL)"
"""Excludes rows of runs from before there was a journal, but not rows of unknown runs, which are forged."""

_ALL_JOURNALED = "NOT EXISTS (SELECT 1 FROM runs WHERE batches IS NULL)"
_STORIES = {
    "near_duplicates": _ALL_JOURNALED,
    "story_members": _ALL_JOURNALED,
    "events": f"{_JOURNALED_ROWS} AND (kind <> 'story' OR {_ALL_JOURNALED})",
}
"""Stories depend on all articles: if some are in no journal, a replay gives other stories."""

_WRONG_SKETCHES = """
    SELECT s.id FROM sketches s JOIN again.sketches other USING (id, revision)
    WHERE s.hashes <> other.hashes ORDER BY s.id
"""


_FILES_AT_ONCE = 500
_NAMES_AT_ONCE = 10_000
_WITHOUT_FILE = "SELECT id FROM articles WHERE file IS NULL AND status <> 'listed' AND oid IS NOT NULL"
_STRAYS = """
    SELECT id FROM wanted WHERE id NOT IN (SELECT file FROM articles WHERE file IS NOT NULL) ORDER BY id
"""
_WITH_CAPTURE = {"articles": "revision", "superseded": "revision", "duplicates": "1", "quarantine": "1"}


@dataclass(slots=True)
class Verification:
    """How much was checked, and every fault: what is wrong, with which file, row or capture.

    The rest is for the repair. `lost_files`: the files that are missing or altered. `database_differs`: the rows are
    not those of a replay of the journal. `pairs_differ`: the near-duplicates of the journal are not those of the texts.
    `damaged_captures`: the captures that are missing or altered.
    """

    articles: int = 0
    files: int = 0
    captures: int = 0
    faults: list[str] = field(default_factory=list)
    lost_files: list[str] = field(default_factory=list)
    database_differs: bool = False
    pairs_differ: bool = False
    damaged_captures: list[str] = field(default_factory=list)


def verify(archive: Archive, reader: JournalReader | None = None) -> Verification:
    """Check the whole archive. Reads every file and every capture once; with a `reader`, those that it has not read."""
    root, database, found = archive.root, archive.database, Verification()
    reader = reader or JournalReader(root)
    journals = reader.journals()
    _check_captures(database, journals, found)
    agreed = agree(database, journals.fold, journals.events)
    if agreed:
        _check_pairs(database, found)
    else:
        _check_by_replay(root, list(journals.files), database, found)
    # Rows that follow from the journals have the hashes of their texts.
    _check_articles(root, database, found, reader.pool, texts=not agreed or bool(journals.fold.restated))
    _check_refs(database, journals, found)
    return found


# -- captures


def _check_captures(db: Database, journals: Journals, found: Verification) -> None:
    """Note the faults of the captures."""
    recorded = {row["name"]: row for row in db.rows("SELECT * FROM capture_files")}
    found.damaged_captures = sorted(recorded.keys() - journals.files.keys())
    found.faults += [f"capture {name}: missing; put it back from a copy" for name in found.damaged_captures]
    for name, contents in journals.files.items():
        faults = _checksum_faults(contents, recorded.get(name))
        faults += [f"capture {fault}" for fault in contents.faults]
        if faults:
            found.damaged_captures.append(name)
            found.faults += faults
    found.captures = journals.records


def _checksum_faults(contents: FileContents, recorded: Mapping[str, Any] | None) -> list[str]:
    if recorded is None:
        return []
    if contents.bytes != recorded["bytes"]:
        return [f"capture {contents.name}: {contents.bytes} bytes, {recorded['bytes']} were written"]
    if contents.sha256 != recorded["sha256"]:
        return [f"capture {contents.name}: differs from the file that was written"]
    return []


# -- rows


def _check_by_replay(root: Path, names: Sequence[str], database: Database, found: Verification) -> None:
    """Replay all journals into a second database, and compare it row by row: this names the rows that differ."""
    with rebuilt(root) as again:
        for name in names:
            deque(again.read(name), maxlen=0)
        if not found.damaged_captures and not runs_without_journal(database):
            _note_pairs(again.wrong_pairs(), again.wrong_members(), found)
        _check_rows(database, again, found)


def _check_rows(database: Database, again: Rebuilt, found: Verification) -> None:
    """Find rows that differ from a replay of the journal, are missing, or are not in it."""
    with database.attached(again.finish(), "again"):
        for name, table in JOURNALED.items():
            for row in database.rows(_difference(name, table.label)):
                found.database_differs = True
                found.faults.append(f"row {name} {row['name']}: {row['problem']}")
        if not found.database_differs:
            wrong = [row["id"] for row in database.rows(_WRONG_SKETCHES)]
            found.database_differs = bool(wrong)
            found.faults += [f"row sketches {id_}: not the sketch of its text" for id_ in wrong]


def _check_pairs(database: Database, found: Verification) -> None:
    """Find near-duplicates and stories that are not those of the texts, in a database that has the right rows."""
    if not found.damaged_captures:
        _note_pairs(follower.wrong_pairs(database), follower.wrong_members(database), found)


def _note_pairs(pairs: Sequence[tuple[str, str]], members: Sequence[str], found: Verification) -> None:
    faults = [f"near-duplicates {a} and {b}: not those of their texts" for a, b in pairs]
    faults += [f"story of {id_}: not that of its near-duplicates" for id_ in members]
    found.pairs_differ = bool(faults)
    found.faults += faults


def _difference(table: str, name: str) -> str:
    """A query for the rows in which a table differs from the replayed one, attached as `again`: name and problem."""
    ours, theirs = _counted(table, name, ""), _counted(table, name, "again.")
    return (
        f"SELECT name, CASE WHEN count(DISTINCT side) = 2 THEN 'differs from the journal'"
        f" WHEN min(side) = 'ours' THEN 'not in the journal' ELSE 'missing, but in the journal' END"
        f" AS problem FROM (SELECT 'ours' AS side, * FROM ({ours} EXCEPT {theirs})"
        f" UNION ALL SELECT 'theirs', * FROM ({theirs} EXCEPT {ours})) GROUP BY name ORDER BY name"
    )


def _counted(table: str, name: str, schema: str) -> str:
    """Each row's name, a digest of all its columns, and how often it is there."""
    journaled = _STORIES.get(table, _JOURNALED_ROWS).format(schema)
    return (
        f"SELECT {name} AS name, hash(t) AS digest, count(*) AS n FROM {schema}{table} t WHERE {journaled} GROUP BY ALL"
    )


def _check_articles(root: Path, db: Database, found: Verification, pool: Pool, *, texts: bool) -> None:
    """Check the file of every article, with `texts` the hash of its text, and that every file has an article."""
    found.articles = db.rows("SELECT count(*) AS number FROM articles")[0]["number"]
    suspects = {row["id"] for row in db.rows(_WITHOUT_FILE)}
    with_files = db.stream("SELECT id, file, file_sha256 FROM articles WHERE file IS NOT NULL")
    for altered in pool.map(partial(altered_files, root), _chunks(with_files, _FILES_AT_ONCE)):
        suspects.update(altered)
    if texts:
        each = db.stream("SELECT id, body, text_hash FROM articles WHERE body IS NOT NULL")
        suspects |= {row["id"] for row in each if text_hash(row["body"]) != row["text_hash"]}
    _check_suspects(root, db, sorted(suspects), found)
    for paths in _chunks(_files(root, found), _NAMES_AT_ONCE):
        strays = [row["id"] for row in db.lookup(paths, _STRAYS)]
        found.faults += [f"file {path}: no row of the database names it; import it, or move it away" for path in strays]


def _chunks(items: Iterator[T], size: int) -> Iterator[list[T]]:
    """So many items at a time, of a large archive's all."""
    return iter(lambda: list(islice(items, size)), [])


def altered_files(root: Path, rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Of articles (id, file, file_sha256), those whose file is missing or another. Any process can call it."""
    return [row["id"] for row in rows if not _is_unaltered(root / row["file"], row["file_sha256"])]


def _is_unaltered(path: Path, sha256: str | None) -> bool:
    try:
        return sha256 is not None and sha256_of(path) == sha256
    except OSError:
        return False


def _check_suspects(root: Path, db: Database, ids: Sequence[str], found: Verification) -> None:
    """Find out what is wrong with these articles."""
    for at in range(0, len(ids), _FILES_AT_ONCE):
        some = ids[at : at + _FILES_AT_ONCE]
        for row in db.lookup(some, "SELECT * FROM articles WHERE id IN (SELECT id FROM wanted)"):
            _check_row(root, row, found)


def _check_row(root: Path, row: Mapping[str, Any], found: Verification) -> None:
    if row["body"] is not None and text_hash(row["body"]) != row["text_hash"]:
        found.faults.append(f"row {row['id']}: text_hash is not that of the body")
    if row["file"]:
        faults = _file_faults(root, row)
        found.faults += faults
        found.lost_files += [row["file"]] if faults else []
    elif row["status"] != Status.LISTED and row["oid"] is not None:
        found.faults.append(f"row {row['id']}: has a text and no file")


def _check_refs(db: Database, journals: Journals, found: Verification) -> None:
    """Check that every row has its capture."""
    for table, revision in _WITH_CAPTURE.items():
        sql = f"SELECT id, {revision} AS revision, capture_file, capture_offset FROM {table}"
        for row in db.stream(f"{sql} WHERE capture_file IS NOT NULL"):
            ref = CaptureRef(row["capture_file"], row["capture_offset"])
            if not journals.has(ref):
                fault = f"row {row['id']}, revision {row['revision']}: no whole capture at {ref.file} {ref.offset}"
                found.faults.append(fault)


# -- files


def _files(root: Path, found: Verification) -> Iterator[str]:
    """The names of all files, folder by folder; they are counted."""
    for folder, folders, names in os.walk(root / "articles"):
        folders.sort()
        for name in sorted(names):
            if name.endswith(".md"):
                found.files += 1
                yield f"{Path(folder).relative_to(root).as_posix()}/{name}"


def _file_faults(root: Path, row: Mapping[str, Any]) -> list[str]:
    """What is wrong with a file, unless it has the recorded checksum."""
    path = root / row["file"]
    if path.is_file() and row["file_sha256"] is not None and sha256_of(path) == row["file_sha256"]:
        return []
    try:
        document = loads(path.read_bytes().decode(), file=row["file"])
    except FileNotFoundError:
        return [f"file {row['file']}: missing, the row {row['id']} names it"]
    except FrontMatterError as error:  # which names the file
        return [f"file {error}"]
    except (OSError, UnicodeDecodeError) as error:
        return [f"file {row['file']}: {error}"]
    return _differences(document, row)


def _differences(document: Document, row: Mapping[str, Any]) -> list[str]:
    faults = [] if document.hash_matches else [f"file {row['file']}: content_hash is not that of the body"]
    faults += [
        f"file {row['file']}: {name} differs from the row {row['id']}"
        for name, (written, stored) in _both(document, row).items()
        if written != stored
    ]
    if not faults and row["file_sha256"] is not None:
        faults = [f"file {row['file']}: altered since it was written"]
    return faults


def _both(document: Document, row: Mapping[str, Any]) -> dict[str, tuple[object, object]]:
    """Each field as the file and as the row has it."""
    published = row["published_at"]
    return {
        "id": (document.id, row["id"]),
        "title": (nfc(document.title), row["title"].strip()),
        "publisher": (nfc(document.publisher), row["publisher"].strip()),
        "body": (nfc(document.body), row["body"].strip("\n")),
        "content_hash": (document.content_hash, row["content_hash"]),
        "category": (nfc(document.category), ", ".join(row["categories"]).strip()),
        "published_at": (document.published_at, published and published.replace(second=0, microsecond=0)),
        "crawled_at": (document.crawled_at, row["crawled_at"].replace(microsecond=0)),
    }
