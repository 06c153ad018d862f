"""The records of a segment: pages as in a capture, and JSON in `metadata` records with its kind as the only key."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import BinaryIO

from fastwarc.warc import ArchiveIterator, WarcRecord, WarcRecordType
from pydantic import ValidationError

from schemas.page import RawPage
from schemas.segment import SEGMENT_FORMAT, SegmentBegun, SegmentSealed, Visited
from storage.captures import warc
from storage.captures.reader import page_of
from storage.tagged_json import TaggedJson, UnknownKind

RECORD_TYPE = "application/vnd.seogo.segment+json"
"""The content type of the `metadata` records of a segment."""


Record = SegmentBegun | Visited | SegmentSealed
_JSON = TaggedJson[Record]({"begun": SegmentBegun, "visited": Visited, "sealed": SegmentSealed})


class NewerFormat(ValueError):
    """The segment has a format that only a newer seogo reads."""


@dataclass(slots=True)
class Contents:
    """What the records of a segment say. `pages`: by the address that was requested. `sealed_at`: in bytes.

    `places`: by the address of a page, where each of its records begins, and where the last one ends, in bytes.
    """

    begun: SegmentBegun | None = None
    visited: list[Visited] = field(default_factory=list)
    pages: dict[str, RawPage] = field(default_factory=dict)
    places: dict[str, list[int]] = field(default_factory=dict)
    sealed: SegmentSealed | None = None
    sealed_at: int = 0


def record_bytes(record: Record, target: str, now: datetime) -> bytes:
    """A record as a gzip member. `target`: the URI of the segment."""
    line = _JSON.dump(record)
    fields = [("WARC-Target-URI", target), ("Content-Type", RECORD_TYPE)]
    return warc.member(WarcRecordType.metadata, now, fields, line, payload=line)


def read_contents(stream: BinaryIO) -> Contents:
    """The records of a stream. Raises NewerFormat, and ValueError if they are not those of a segment."""
    contents, last = Contents(), ""
    places: list[int] = []
    for record in _records(stream):
        places.append(record.stream_pos)
        match record.record_type:
            case WarcRecordType.response:
                page = page_of(record)
                last, contents.pages[page.url] = page.url, page
                places = contents.places[page.url] = [record.stream_pos]
            case WarcRecordType.request if last in contents.pages:
                sent = tuple(record.http_headers.astuples()) if record.http_headers else ()
                contents.pages[last] = replace(contents.pages[last], request_headers=sent)
            case WarcRecordType.metadata:
                places = []
                _add(contents, record)
    return contents


def _records(stream: BinaryIO) -> Iterator[WarcRecord]:
    try:
        for record in ArchiveIterator(stream, parse_http=False):
            if not record.verify_block_digest():
                raise ValueError(f"the digest of the record at {record.stream_pos} differs")
            record.parse_http()
            yield record
    except (OSError, zlib.error, EOFError) as error:
        raise ValueError(f"a record cannot be read: {error}") from error


def _add(contents: Contents, record: WarcRecord) -> None:
    if contents.sealed is not None:
        raise ValueError("a record follows the seal")
    try:
        found = _JSON.load(record.reader.read())
    except UnknownKind as kind:
        raise NewerFormat(f"a record of the kind {kind}: update seogo") from None
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise ValueError(f"a record is none of a segment ({first['msg']})") from error
    match found:
        case SegmentBegun():
            if found.format > SEGMENT_FORMAT:
                raise NewerFormat(f"format {found.format}: update seogo, which reads format {SEGMENT_FORMAT}")
            contents.begun = contents.begun or found
        case Visited():
            contents.visited.append(found)
        case SegmentSealed():
            contents.sealed, contents.sealed_at = found, record.stream_pos
