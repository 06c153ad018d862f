"""Checks that files, rows and captures of an archive are consistent.

Each capture has the checksum of the finished file, and each record the digest that it was written with. The rows are
those that a replay of the journal gives, and the near-duplicates those of the texts. Each row has its capture and its
file, with the recorded checksum; each file has its row. The lease must be held, so that nothing changes meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from schemas.article import text_hash
from schemas.errors import FrontMatterError
from schemas.find import Status
from schemas.front_matter import Document, loads
from schemas.nfc import nfc
from schemas.page import CaptureRef
from storage.archive import Archive
from storage.captures.homes.store import capture_store
from storage.captures.reader import capture_names
from storage.database.writer import Database
from storage.files import sha256_of
from storage.integrity.rebuild import Rebuilt, rebuilt
from storage.integrity.unjournaled import runs_without_journal
from storage.journal.recovery import in_order
from storage.journal.tables import JOURNALED

KEPT_KINDS = frozenset({"response", "resource", "revisit"})

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


def verify(archive: Archive) -> Verification:
    """Check the whole archive. Reads every file and every capture once."""
    root, database, found = archive.root, archive.database, Verification()
    with rebuilt(root) as again:
        records = _check_captures(root, database, again, found)
        if not found.damaged_captures and not runs_without_journal(database):
            _check_pairs(again, found)
        _check_rows(database, again, found)
    named = set()
    # In no order: sorting a hundred thousand texts takes more memory than the writer may have.
    for row in database.stream("SELECT * FROM articles"):
        found.articles += 1
        _check_row(root, row, records, found)
        if row["file"]:
            named.add(row["file"])
    for table, revision in (("superseded", "revision"), ("duplicates", "1"), ("quarantine", "1")):
        sql = f"SELECT id, {revision} AS revision, capture_file, capture_offset FROM {table}"
        for row in database.stream(sql):
            found.faults += _capture_faults(row, records)
    strays = [path for path in _files(root, found) if path not in named]
    found.faults += [f"file {path}: no row of the database names it; import it, or move it away" for path in strays]
    return found


# -- captures


def _check_captures(root: Path, db: Database, again: Rebuilt, found: Verification) -> set[CaptureRef]:
    """Read every capture: note its faults, replay its journal in the second database, return its records."""
    recorded = {row["name"]: row for row in db.rows("SELECT * FROM capture_files")}
    store = capture_store(root)
    names = in_order(root, capture_names(root))
    found.damaged_captures = sorted(recorded.keys() - set(names))
    found.faults += [f"capture {name}: missing; put it back from a copy" for name in found.damaged_captures]
    records = set()
    for name in names:
        with store.whole(name) as path:
            faults = _checksum_faults(path, name, recorded.get(name))
            for item in again.read_file(path, name):
                if isinstance(item, str):
                    faults.append(f"capture {item}")
                elif item.kind in KEPT_KINDS:
                    records.add(item.ref)
        if faults:
            found.damaged_captures.append(name)
            found.faults += faults
    found.captures = len(records)
    return records


def _checksum_faults(path: Path, name: str, recorded: Mapping[str, Any] | None) -> list[str]:
    if recorded is None:
        return []
    size = path.stat().st_size
    if size != recorded["bytes"]:
        return [f"capture {name}: {size} bytes, {recorded['bytes']} were written"]
    if sha256_of(path) != recorded["sha256"]:
        return [f"capture {name}: not, byte for byte, the file that was written"]
    return []


# -- rows


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


def _check_pairs(again: Rebuilt, found: Verification) -> None:
    """Find near-duplicates and stories that are not those of the texts."""
    faults = [f"near-duplicates {a} and {b}: not those of their texts" for a, b in again.wrong_pairs()]
    faults += [f"story of {id_}: not that of its near-duplicates" for id_ in again.wrong_members()]
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


def _check_row(root: Path, row: Mapping[str, Any], records: set[CaptureRef], found: Verification) -> None:
    found.faults += _capture_faults(row, records)
    if row["body"] is not None and text_hash(row["body"]) != row["text_hash"]:
        found.faults.append(f"row {row['id']}: text_hash is not that of the body")
    if row["file"]:
        faults = _file_faults(root, row)
        found.faults += faults
        found.lost_files += [row["file"]] if faults else []
    elif row["status"] != Status.LISTED and row["oid"] is not None:
        found.faults.append(f"row {row['id']}: has a text and no file")


def _capture_faults(row: Mapping[str, Any], records: set[CaptureRef]) -> list[str]:
    if row["capture_file"] is None:
        return []
    ref = CaptureRef(row["capture_file"], row["capture_offset"])
    if ref in records:
        return []
    return [f"row {row['id']}, revision {row['revision']}: no whole capture at {ref.file} {ref.offset}"]


# -- files


def _files(root: Path, found: Verification) -> Iterator[str]:
    for path in sorted((root / "articles").rglob("*.md")):
        found.files += 1
        yield path.relative_to(root).as_posix()


def _file_faults(root: Path, row: Mapping[str, Any]) -> list[str]:
    """What is wrong with a file, unless it has the recorded checksum."""
    path = root / row["file"]
    if path.is_file() and row["file_sha256"] is not None and sha256_of(path) == row["file_sha256"]:
        return []
    try:
        document = loads(path.read_bytes().decode(), file=row["file"])
    except FileNotFoundError:
        return [f"file {row['file']}: missing, the row {row['id']} names it"]
    except (OSError, UnicodeDecodeError, FrontMatterError) as error:
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
