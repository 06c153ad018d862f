"""A segment from the spool to its reader: whole, or refused."""

from __future__ import annotations

import gzip
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import SegmentRefused
from schemas.page import Fault, FetchFault, RawPage
from schemas.segment import SegmentBegun, SegmentSealed, Visited
from storage.captures.reader import read_page
from storage.captures.writer import CaptureWriter
from storage.inbox.records import Record, record_bytes
from storage.inbox.segment import Segment, read_segment
from storage.inbox.spool import Spool
from tests.support.values import NOW, key, page, ref

FAULT = FetchFault(key(2).url, Fault.TIMEOUT, "too slow")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The segment of two addresses: a page, and a fault."""
    spool = Spool(tmp_path_factory.mktemp("spool"), fetcher="seoul-1", chunk="c", archive="a", newest=0)
    spool.append_page(page(key(1).url))
    spool.append_visited(Visited(ref(key(1)), (key(1).url,)))
    spool.append_visited(Visited(ref(key(2)), faults=(FAULT,)))
    spool.seal()
    ((number, path),) = spool.sealed()
    assert number == 1
    return path.read_bytes()


def read(data: bytes) -> Segment:
    return read_segment(data, "inbox/seoul-1/000001.warc.gz", fetcher="seoul-1", number=1, archive="a")


def test_what_was_spooled_is_read(whole: bytes) -> None:
    segment = read(whole)
    assert [visited.ref for visited in segment.visited] == [ref(key(1)), ref(key(2))]
    first = page(key(1).url)
    assert segment.answers[key(2).url] == FAULT
    assert segment.answers[key(1).url] == first
    assert (segment.bytes, segment.sha256) == (len(whole), sha256(whole).hexdigest())


def test_the_records_of_a_page_become_those_of_the_archive(whole: bytes, tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    answer = read(whole).answers[key(1).url]
    assert isinstance(answer, RawPage)
    with CaptureWriter(tmp_path, "20260102T030405Z-0001", software="test") as captures:
        ref = captures.append_page(answer)
    assert b"".join(answer.records) in whole
    assert (tmp_path / ref.file).read_bytes().endswith(b"".join(answer.records))
    assert ref.length == len(answer.records[0])
    assert read_page(tmp_path, ref) == replace(answer, request_headers=(), capture=ref)


@given(data=st.data())
def test_a_segment_that_is_cut_or_has_a_flipped_bit_is_refused(whole: bytes, data: st.DataObject) -> None:
    if data.draw(st.booleans()):
        damaged = whole[: data.draw(st.integers(0, len(whole) - 1))]
    else:
        at = data.draw(st.integers(0, whole.rindex(b"\x1f\x8b\x08") - 1))  # before the seal, whose SHA-256 is of this
        damaged = whole[:at] + bytes([whole[at] ^ 1 << data.draw(st.integers(0, 7))]) + whole[at + 1 :]
    with pytest.raises(SegmentRefused, match=r"is damaged: |has format"):
        read(damaged)


def made(*records: Record | bytes, seal: int | None = 0) -> bytes:
    """A segment with these records; `seal`: the number of addresses that its seal says (None: no seal)."""
    data = b"".join(record if isinstance(record, bytes) else packed(record) for record in records)
    sealed = [] if seal is None else [SegmentSealed(seal, sha256(data).hexdigest())]
    return data + b"".join(map(packed, sealed))


def packed(record: Record) -> bytes:
    return record_bytes(record, "urn:seogo:segment:test", NOW)


def altered(record: Record) -> bytes:
    """A record with a digest that is not that of its content."""
    return gzip.compress(gzip.decompress(packed(record)).replace(b'"seoul-1"', b'"seoul-2"'))


def begun(number: int = 1, archive: str | None = None, format_: int = 1) -> SegmentBegun:
    return SegmentBegun(format_, "seoul-1", number, "c", archive, datetime.now(UTC))


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "is damaged: it does not begin as a segment does"),
        (made(), "is damaged: it does not begin as a segment does"),
        (made(begun(), seal=None), "is damaged: it has no seal: its end is missing"),
        (made(begun()) + made(begun()), "is damaged: a record follows the seal"),
        (made(begun()) + b"\x1f\x8b\x08\x00", "is damaged: "),
        (made(begun(), seal=3), "is damaged: it has 0 addresses, and its seal says 3"),
        (made(begun(), Visited(ref(key(1))), Visited(ref(key(1))), seal=2), "is damaged: it has 2 addresses"),
        (made(altered(begun())), "is damaged: the digest of the record at 0 differs"),
        (made(begun(7)), "is damaged: it says that it is segment 7 of seoul-1"),
        (made(begun(format_=2)), "has format 2: update seogo, which reads format 1"),
        (made(begun(archive="b")), r"is for another archive \(b\)"),
    ],
)
def test_why_a_segment_is_refused(data: bytes, why: str) -> None:
    with pytest.raises(SegmentRefused, match=why):
        read(data)


def test_a_segment_for_an_archive_that_its_fetcher_did_not_know_is_taken() -> None:
    assert read(made(begun())).visited == []
