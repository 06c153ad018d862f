"""A segment: what a fetcher hands over to the archive's writer. Its records are in a WARC file (`storage.inbox`).

SegmentBegun    the first record: whose segment it is, and for which archive
Visited         an address that was fetched: its pages come before this record
SegmentSealed   the last record: a segment without it is torn
SegmentTaken    in the journal: how the archive took a segment in
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from schemas.article import ArticleRef
from schemas.page import FetchFault, RequestRecord

SEGMENT_FORMAT = 1
"""The format of segments. It changes when an older seogo could no longer read them."""

MOST_VISITED = 256
"""Addresses in a segment: as many as in a batch, so that a segment is taken in by one transaction."""


@dataclass(frozen=True, slots=True)
class SegmentBegun:
    """The segment `number` of a fetcher, counted from 1. `chunk`: a digest of the addresses that the fetcher was given.

    `archive`: the id of the archive that it is for; None if the fetcher did not know it.
    """

    format: int
    fetcher: str
    number: int
    chunk: str
    archive: str | None
    begun_at: datetime


@dataclass(frozen=True, slots=True)
class Visited:
    """A find whose address was fetched.

    `pages`: the addresses that gave a page; `faults`: why the others did not; `requests`: those sent meanwhile.
    """

    ref: ArticleRef
    pages: tuple[str, ...] = ()
    faults: tuple[FetchFault, ...] = ()
    requests: tuple[RequestRecord, ...] = ()


@dataclass(frozen=True, slots=True)
class SegmentSealed:
    """The end of a segment: the number of visited addresses, and the SHA-256 of all bytes before this record."""

    visited: int
    sha256: str


class Taken(StrEnum):
    """What became of a segment."""

    TAKEN = "taken"  # its finds are in the archive
    SKIPPED = "skipped"  # given up by a person: it is missing, or cannot be read


@dataclass(frozen=True, slots=True)
class SegmentTaken:
    """A segment that the archive has taken in: its size in bytes, its SHA-256, and the number of addresses in it.

    `repeated`: addresses that another segment of the same run had already. `late`: addresses of which the archive had a
    newer answer. Neither changed the archive.
    """

    fetcher: str
    number: int
    outcome: Taken
    bytes: int = 0
    sha256: str | None = None
    addresses: int = 0
    repeated: int = 0
    late: int = 0
