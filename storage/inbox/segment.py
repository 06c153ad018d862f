"""A whole segment: its seal is checked, its records are read."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from io import BytesIO
from itertools import pairwise

from schemas.errors import SegmentRefused
from schemas.page import FetchFault, RawPage
from schemas.segment import MOST_VISITED, SegmentBegun, Visited
from storage.inbox.records import Contents, NewerFormat, read_contents


@dataclass(frozen=True, slots=True)
class Segment:
    """A segment that is whole. `answers`: the page or the fault that each requested address gave."""

    begun: SegmentBegun
    visited: Sequence[Visited]
    answers: Mapping[str, RawPage | FetchFault]
    bytes: int
    sha256: str


def read_segment(data: bytes, name: str, *, fetcher: str, number: int, archive: str) -> Segment:
    """The segment `number` of `fetcher`, for the archive of this id. Raises SegmentRefused, which names `name`."""
    try:
        contents = read_contents(BytesIO(data))
        begun = _checked(contents, data)
    except NewerFormat as error:
        raise SegmentRefused(f"{name} has {error}") from error
    except ValueError as error:
        raise SegmentRefused(f"{name} is damaged: {error}") from error
    if (begun.fetcher, begun.number) != (fetcher, number):
        raise SegmentRefused(f"{name} is damaged: it says that it is segment {begun.number} of {begun.fetcher}")
    if begun.archive not in (None, archive):
        raise SegmentRefused(f"{name} is for another archive ({begun.archive})")
    faults = {fault.url: fault for visited in contents.visited for fault in visited.faults}
    digest = hashlib.sha256(data).hexdigest()
    pages = {url: replace(page, records=_slices(data, contents.places[url])) for url, page in contents.pages.items()}
    return Segment(begun, contents.visited, {**faults, **pages}, len(data), digest)


def _checked(contents: Contents, data: bytes) -> SegmentBegun:
    """The first record. Raises ValueError if the segment is not whole."""
    begun, sealed = contents.begun, contents.sealed
    if begun is None:
        raise ValueError("it does not begin as a segment does")
    if sealed is None:
        raise ValueError("it has no seal: its end is missing")
    if not _is_last(data[contents.sealed_at :]):
        raise ValueError("something follows its seal")
    if hashlib.sha256(data[: contents.sealed_at]).hexdigest() != sealed.sha256:
        raise ValueError("its SHA-256 is not that of its seal")
    ids = {visited.ref.key.id for visited in contents.visited}
    if not sealed.visited == len(contents.visited) == len(ids) <= MOST_VISITED:
        raise ValueError(f"it has {len(contents.visited)} addresses, and its seal says {sealed.visited}")
    return begun


def _slices(data: bytes, places: Sequence[int]) -> tuple[bytes, ...]:
    return tuple(data[begin:end] for begin, end in pairwise(places))


def _is_last(data: bytes) -> bool:
    """Whether this is one whole gzip member."""
    unpacker = zlib.decompressobj(wbits=31)
    unpacker.decompress(data)
    return unpacker.eof and not unpacker.unused_data
