"""A search as CSV, JSON, Parquet and Atom."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit
from xml.etree import ElementTree as ET  # only to write

from schemas.article import SEOUL
from storage.search.results import SearchResult

COLUMNS = ("id", "title", "publisher", "published_at", "status", "on_topic", "story", "score", "snippet")
MOST = 1_000
"""Articles in one file."""

_ASKED = ("q", "team", "model", "publisher", "from", "to", "status")
_UNKNOWN = datetime(1970, 1, 1, tzinfo=UTC)
"""The time in a feed of what has none."""
_ATOM = "http://www.w3.org/2005/Atom"
_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_FORMULA = re.compile(r"^[=+\-@\t\r]")


def as_json(found: SearchResult, address: str) -> bytes:
    """One document, as `seogo search --json` prints it."""
    return json_bytes(found.as_json())


def as_csv(found: SearchResult, address: str) -> bytes:
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


def as_parquet(found: SearchResult, address: str) -> bytes:
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


def as_atom(found: SearchResult, address: str) -> bytes:
    """The newest articles of a search as an Atom feed."""
    parts = urlsplit(address)
    asked = [(name, value) for name, value in parse_qsl(parts.query) if name in _ASKED]
    feed = Feed(address, urlunsplit(parts._replace(path="/search")), " ".join(value for _, value in asked) or "전체")
    return atom(
        feed, [Entry(hit.id, hit.title, hit.publisher, hit.published_at, hit.snippet.text) for hit in found.hits]
    )


@dataclass(frozen=True, slots=True)
class Feed:
    """A feed: its own address, that of the page that shows the same, its title."""

    address: str
    page: str
    title: str


@dataclass(frozen=True, slots=True)
class Entry:
    """An article in a feed."""

    id: str
    title: str | None
    publisher: str | None
    published_at: datetime | None
    summary: str = ""


def atom(about: Feed, entries: Sequence[Entry]) -> bytes:
    """An Atom feed (RFC 4287). Its id is its path and what is asked for, without host and language."""
    parts = urlsplit(about.address)
    base = f"{parts.scheme}://{parts.netloc}"
    asked = urlencode([(name, value) for name, value in parse_qsl(parts.query) if name != "lang"])
    feed = ET.Element("feed", xmlns=_ATOM)
    newest = max((entry.published_at for entry in entries if entry.published_at), default=_UNKNOWN)
    _add(feed, "id", f"urn:seogo:feed:{quote(parts.path, safe='')}:{quote(asked, safe='')}")
    _add(feed, "title", f"seogo: {about.title}")
    _add(feed, "updated", newest.astimezone(SEOUL).isoformat())
    ET.SubElement(feed, "link", rel="self", href=about.address)
    ET.SubElement(feed, "link", rel="alternate", type="text/html", href=about.page)
    for entry in entries:
        _add_entry(feed, entry, base)
    written: bytes = ET.tostring(feed, "utf-8")
    return b'<?xml version="1.0" encoding="utf-8"?>\n' + written


def _add_entry(feed: ET.Element, one: Entry, base: str) -> None:
    entry = ET.SubElement(feed, "entry")
    _add(entry, "id", f"urn:seogo:article:{one.id}")
    _add(entry, "title", one.title or one.id)
    ET.SubElement(entry, "link", rel="alternate", href=f"{base}/article/{one.id}")
    published = (one.published_at or _UNKNOWN).astimezone(SEOUL).isoformat()
    _add(entry, "published", published)
    _add(entry, "updated", published)
    _add(ET.SubElement(entry, "author"), "name", one.publisher or "-")
    _add(entry, "summary", one.summary)


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
