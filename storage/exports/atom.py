"""The export as an Atom feed (RFC 4287) of the newest articles."""

from __future__ import annotations

import hashlib
import re
import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET  # only to write

import duckdb

from schemas.article import SEOUL
from schemas.find import Status
from storage.exports.folder import ExportFile

NAME = "atom.xml"
NEWEST = 50
"""Articles in the feed."""

_SUMMARY = 300
"""Characters of the text: who wants all of it follows the link."""

_ATOM = "http://www.w3.org/2005/Atom"
_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What no XML 1.0 document may hold, escaped or not."""

_COLUMNS = (
    *("url", "title", "subtitle", "text", "publisher", "authors", "categories", "teams"),
    *("status", "published_at", "updated_at"),
)
# An entry is updated when the publisher changed it, not when its text was parsed again.
_NEWEST = f"""
    WITH newest AS (
        SELECT *, coalesce(left(body, {_SUMMARY + 1}), description) AS text FROM articles_on_topic
        WHERE url IS NOT NULL AND title IS NOT NULL AND published_at IS NOT NULL
        ORDER BY published_at DESC, id DESC LIMIT {NEWEST}
    ), edits AS (
        SELECT id, max(crawled_at) AS edited_at FROM revisions
        WHERE revision_kind = 'edited' AND id IN (SELECT id FROM newest) GROUP BY id
    )
    SELECT url, title, subtitle, text, publisher, authors, categories, teams, status, published_at,
        greatest(published_at, modified_at, edited_at) AS updated_at
    FROM newest LEFT JOIN edits USING (id) ORDER BY published_at DESC, id DESC
"""


def pieces(connection: duckdb.DuckDBPyConnection, archive: Path) -> list[ExportFile]:
    """One file. It is small: its bytes are its fingerprint."""
    rows = [dict(zip(_COLUMNS, row, strict=True)) for row in connection.execute(_NEWEST).fetchall()]
    data = feed(rows, feed_id(connection))
    return [ExportFile(NAME, len(rows), hashlib.sha256(data).hexdigest(), lambda path: _write(path, data))]


def feed_id(connection: duckdb.DuckDBPyConnection) -> str:
    """The feed's own id, another for each archive, and always the same: it is made of the archive's first run."""
    ((first,),) = connection.execute("SELECT min(run_id) FROM runs").fetchall()
    return uuid.uuid5(uuid.NAMESPACE_URL, f"seogo:{first or ''}").urn


def feed(rows: Sequence[Mapping[str, Any]], identity: str) -> bytes:
    """The document, of rows with the names of _COLUMNS, newest first."""
    root = ET.Element("feed", {"xmlns": _ATOM, "xml:lang": "ko"})
    _text(root, "id", identity)
    _text(root, "title", "서고")
    _text(root, "updated", _time(max((row["updated_at"] for row in rows), default=datetime(1970, 1, 1, tzinfo=UTC))))
    _text(ET.SubElement(root, "author"), "name", "seogo")
    _text(root, "generator", "seogo")
    for row in rows:
        _entry(ET.SubElement(root, "entry"), row)
    ET.indent(root)
    feed: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return feed + b"\n"


def _entry(entry: ET.Element, row: Mapping[str, Any]) -> None:
    _text(entry, "id", row["url"])
    _text(entry, "title", row["title"])
    ET.SubElement(entry, "link", {"rel": "alternate", "type": "text/html", "href": _clean(row["url"])})
    _text(entry, "published", _time(row["published_at"]))
    _text(entry, "updated", _time(row["updated_at"]))
    for name in [author["name"] for author in row["authors"] or ()] or [row["publisher"] or "unknown"]:
        _text(ET.SubElement(entry, "author"), "name", name)
    listed = [Status.LISTED.value] if row.get("status") == Status.LISTED else []  # its text is what a source said
    for word in dict.fromkeys([*(row["categories"] or ()), *(row["teams"] or ()), *listed]):
        ET.SubElement(entry, "category", {"term": _clean(word)})
    if row["publisher"]:
        _text(entry, "rights", f"© {row['publisher']}")
    if summary := _shortened(row["subtitle"] or row["text"] or ""):
        _text(entry, "summary", summary)


def _text(parent: ET.Element, name: str, value: str) -> None:
    ET.SubElement(parent, name).text = _clean(value)


def _clean(text: str) -> str:
    return _NO_XML.sub("", text)


def _shortened(text: str) -> str:
    one_line = " ".join(text.split())
    return one_line if len(one_line) <= _SUMMARY else f"{one_line[:_SUMMARY]}…"


def _time(moment: datetime) -> str:
    return moment.astimezone(SEOUL).isoformat(timespec="seconds")


def _write(path: Path, data: bytes) -> None:
    path.write_bytes(data)
