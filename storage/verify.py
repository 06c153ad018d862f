"""Hold files, rows and captures of an archive against each other.

Every row has its file, its file says what the row says, and its capture is where the row says; every file has its
row; every record of every capture has the digest that it was written with. Readers' copy is not looked at: it may be
older than the writer's database, and the next run that changes something replaces it.
Reads only; an archive that is being written to is verified by its writer's lease, so that nothing moves meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unicodedata import normalize

from schemas.article import text_hash
from schemas.errors import FrontMatterError
from schemas.find import Status
from schemas.front_matter import Document, loads
from schemas.page import CaptureRef
from storage import captures
from storage.database import Database


@dataclass(slots=True)
class Verification:
    """What was looked at, and every fault: what is wrong, with which file, row or capture."""

    articles: int = 0
    files: int = 0
    captures: int = 0
    faults: list[str] = field(default_factory=list)


def verify(root: Path, database: Database) -> Verification:
    """Check the whole archive. Reads every file and every capture once."""
    found = Verification()
    records = _check_captures(root, found)
    named = set()
    for row in database.stream("SELECT * FROM articles ORDER BY id"):
        found.articles += 1
        found.faults += _row_faults(root, row, records)
        if row["file"]:
            named.add(row["file"])
    for row in database.stream("SELECT id, revision, capture_file, capture_offset FROM superseded"):
        found.faults += _capture_faults(row, records)
    for row in database.stream("SELECT id, 1 AS revision, capture_file, capture_offset FROM duplicates"):
        found.faults += _capture_faults(row, records)
    found.faults += [
        f"file {path}: no row of the database names it" for path in _files(root, found) if path not in named
    ]
    return found


def _check_captures(root: Path, found: Verification) -> set[tuple[str, int]]:
    records = set()
    for path in sorted((root / "captures").rglob("*.warc.gz")):
        for item in captures.scan(root, path.relative_to(root).as_posix()):
            if isinstance(item, CaptureRef):
                records.add((item.file, item.offset))
            else:
                found.faults.append(f"capture {item}")
    found.captures = len(records)
    return records


def _files(root: Path, found: Verification) -> Iterator[str]:
    for path in sorted((root / "articles").rglob("*.md")):
        found.files += 1
        yield path.relative_to(root).as_posix()


def _row_faults(root: Path, row: Mapping[str, Any], records: set[tuple[str, int]]) -> list[str]:
    faults = _capture_faults(row, records)
    if row["body"] is not None and text_hash(row["body"]) != row["text_hash"]:
        faults.append(f"row {row['id']}: text_hash is not that of the body")
    if row["file"]:
        faults += _file_faults(root, row)
    elif row["status"] != Status.LISTED and row["oid"] is not None:
        faults.append(f"row {row['id']}: has a text and no file")
    return faults


def _capture_faults(row: Mapping[str, Any], records: set[tuple[str, int]]) -> list[str]:
    at = (row["capture_file"], row["capture_offset"])
    if row["capture_file"] is None or at in records:
        return []
    return [f"row {row['id']}, revision {row['revision']}: no whole capture at {at[0]} {at[1]}"]


def _file_faults(root: Path, row: Mapping[str, Any]) -> list[str]:
    path = root / row["file"]
    try:
        document = loads(path.read_bytes().decode(), file=row["file"])
    except FileNotFoundError:
        return [f"file {row['file']}: missing, the row {row['id']} names it"]
    except (OSError, UnicodeDecodeError, FrontMatterError) as error:
        return [f"file {row['file']}: {error}"]
    faults = [] if document.hash_matches else [f"file {row['file']}: content_hash is not that of the body"]
    return faults + [
        f"file {row['file']}: {name} differs from the row {row['id']}"
        for name, (said, held) in _both(document, row).items()
        if said != held
    ]


def _both(document: Document, row: Mapping[str, Any]) -> dict[str, tuple[object, object]]:
    """What file and row each say of the same thing."""
    published = row["published_at"]
    return {
        "id": (document.id, row["id"]),
        "title": (_nfc(document.title), row["title"].strip()),
        "publisher": (_nfc(document.publisher), row["publisher"].strip()),
        "body": (_nfc(document.body), row["body"].strip("\n")),
        "content_hash": (document.content_hash, row["content_hash"]),
        "category": (_nfc(document.category), ", ".join(row["categories"]).strip()),
        "published_at": (document.published_at, published and published.replace(second=0, microsecond=0)),
        "crawled_at": (document.crawled_at, row["crawled_at"].replace(microsecond=0)),
    }


def _nfc(text: str) -> str:
    return normalize("NFC", text)
