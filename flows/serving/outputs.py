"""A search as CSV, JSON, Parquet and Atom."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote
from xml.etree import ElementTree as ET  # only to write

from schemas.article import SEOUL
from storage.search.results import Hit, SearchResult

COLUMNS = ("id", "title", "publisher", "published_at", "status", "on_topic", "story", "score", "snippet")
MOST = 1_000
"""Articles in one file."""

_ATOM = "http://www.w3.org/2005/Atom"
_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_FORMULA = re.compile(r"^[=+\-@\t\r]")


def as_json(found: SearchResult, base: str) -> bytes:
    """One document, as `seogo search --json` prints it."""
    return json_bytes(found.as_json())


def as_csv(found: SearchResult, base: str) -> bytes:
    """UTF-8 with a mark, so that spreadsheets read Korean. A cell that they would execute gets an apostrophe."""
    file = io.StringIO(newline="")
    writer = csv.writer(file)
    writer.writerow(COLUMNS)
    writer.writerows([_cell(hit.as_json()[name]) for name in COLUMNS] for hit in found.hits)
    return b"\xef\xbb\xbf" + file.getvalue().encode("utf-8", "replace")


def _cell(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    return f"'{value}" if isinstance(value, str) and _FORMULA.match(value) else value


def as_parquet(found: SearchResult, base: str) -> bytes:
    """The same columns, times in UTC."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    types: dict[str, pa.DataType] = {
        "published_at": pa.timestamp("us", tz="UTC"),
        "on_topic": pa.bool_(),
        "score": pa.float64(),
    }
    schema = pa.schema([(name, types.get(name, pa.string())) for name in COLUMNS])
    sink = io.BytesIO()
    pq.write_table(pa.Table.from_pylist([hit.as_json() for hit in found.hits], schema=schema), sink, compression="zstd")
    return sink.getvalue()


def as_atom(found: SearchResult, base: str) -> bytes:
    """An Atom feed (RFC 4287). `base`: the address of this site."""
    feed = ET.Element("feed", xmlns=_ATOM)
    newest = max((hit.published_at for hit in found.hits if hit.published_at), default=datetime(1970, 1, 1, tzinfo=UTC))
    _add(feed, "id", f"urn:seogo:search:{quote(found.query)}")
    _add(feed, "title", f"seogo: {found.query or '전체'}")
    _add(feed, "updated", newest.astimezone(SEOUL).isoformat())
    for hit in found.hits:
        _add_entry(feed, hit, base)
    written: bytes = ET.tostring(feed, "utf-8")
    return b'<?xml version="1.0" encoding="utf-8"?>\n' + written


def _add_entry(feed: ET.Element, hit: Hit, base: str) -> None:
    entry = ET.SubElement(feed, "entry")
    _add(entry, "id", f"urn:seogo:article:{hit.id}")
    _add(entry, "title", hit.title or hit.id)
    ET.SubElement(entry, "link", rel="alternate", href=f"{base}/article/{hit.id}")
    published = (hit.published_at or datetime(1970, 1, 1, tzinfo=UTC)).astimezone(SEOUL).isoformat()
    _add(entry, "published", published)
    _add(entry, "updated", published)
    _add(ET.SubElement(entry, "author"), "name", hit.publisher or "-")
    _add(entry, "summary", hit.snippet.text)


def _add(parent: ET.Element, name: str, text: str) -> None:
    ET.SubElement(parent, name).text = _NO_XML.sub("", text)


def json_bytes(value: Any) -> bytes:
    """A value as one JSON document. Times are Korean time with its offset."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=_plain).encode("utf-8", "replace")


def _plain(value: Any) -> str:
    return value.astimezone(SEOUL).isoformat() if isinstance(value, datetime) else str(value)


FORMATS: dict[str, tuple[Callable[[SearchResult, str], bytes], str]] = {
    "csv": (as_csv, "text/csv; charset=utf-8"),
    "json": (as_json, "application/json"),
    "parquet": (as_parquet, "application/vnd.apache.parquet"),
    "atom": (as_atom, "application/atom+xml; charset=utf-8"),
}
"""The ending of the address -> how it is written, and its media type."""


def rows_as_csv(names: Sequence[str], rows: Sequence[Sequence[Any]]) -> bytes:
    """The rows of a query as CSV."""
    file = io.StringIO(newline="")
    writer = csv.writer(file)
    writer.writerow(names)
    writer.writerows([_cell(value) for value in row] for row in rows)
    return b"\xef\xbb\xbf" + file.getvalue().encode("utf-8", "replace")
