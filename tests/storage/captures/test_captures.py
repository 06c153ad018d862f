"""WARC files: what goes in comes out, other readers agree, and a torn tail costs only the torn record."""

from __future__ import annotations

import gzip
import subprocess
import sys
import zlib
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from fastwarc.warc import ArchiveIterator, WarcRecordType
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.errors import ArchiveDamaged
from schemas.page import CaptureRef, RawPage
from storage.captures.reader import ScannedRecord, read_capture, read_captures, read_page, scan, whole_length
from storage.captures.writer import CaptureWriter
from storage.journal.recovery import cut_torn_tail
from tests.support.values import NOW, key, page

CONTENT = "<html>독자 AI 파운데이션 모델</html>".encode()


def writer(root: Path, **options: int) -> CaptureWriter:
    (root / "state").mkdir(parents=True, exist_ok=True)
    return CaptureWriter(root, "20260102T030405Z-0001", software="seogo/test", **options)


def encoded(encoding: str | None) -> RawPage:
    payloads = {
        "gzip": gzip.compress(CONTENT),
        "deflate": zlib.compress(CONTENT),
        "DEFLATE": zlib.compress(CONTENT)[2:-4],
        None: CONTENT,
    }
    headers = (("Content-Type", "text/html"), *((("Content-Encoding", encoding),) if encoding else ()))
    return page(key().url + "?sid=105", CONTENT, headers=headers, payload=payloads[encoding])


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "DEFLATE", None])
def test_a_page_comes_back_as_it_was_sent(tmp_path: Path, encoding: str | None) -> None:
    with writer(tmp_path) as file:
        ref = file.append_page(encoded(encoding))
    back = read_capture(tmp_path, ref)
    assert (back.kind, back.url, back.status, back.content, back.date) == (
        "response",
        key().url + "?sid=105",
        200,
        CONTENT,
        NOW,
    )


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "DEFLATE", None])
def test_a_page_comes_back_as_the_client_gave_it(tmp_path: Path, encoding: str | None) -> None:
    asked = replace(
        encoded(encoding), url=key().url + "?asked", reason="Not  Found\xe9", status=404, why="list:독자 AI"
    )
    with writer(tmp_path) as file:
        ref = file.append_page(asked)
    assert read_page(tmp_path, ref) == replace(asked, capture=ref, request_headers=())


def test_an_imported_file_comes_back_byte_for_byte(tmp_path: Path) -> None:
    data = b"---\r\nid: \x00\xff"
    with writer(tmp_path) as file:
        ref = file.append_file("오래된 글.md", data, NOW)
    back = read_capture(tmp_path, ref)
    assert (back.kind, back.content, back.status) == ("resource", data, None)


@pytest.mark.parametrize("size", [0, 1, 60_000, 70_000, 300_000])
def test_a_record_of_any_size_comes_back_and_is_compressed(tmp_path: Path, size: int) -> None:
    data = (b"%07d " * (size // 8 + 1) % tuple(range(size // 8 + 1)))[:size]
    with writer(tmp_path) as file:
        ref = file.append_file("long.md", data, NOW)
    assert read_capture(tmp_path, ref).content == data
    assert ref.length is not None
    assert ref.length < 600 + size // 2


def test_other_readers_agree(tmp_path: Path) -> None:
    with writer(tmp_path) as file:
        for number in range(5):
            file.append_page(page(key(number).url, CONTENT))
    (path,) = tmp_path.rglob("*.warc.gz")
    check = subprocess.run([sys.executable, "-m", "warcio.cli", "check", str(path)], check=False, capture_output=True)
    assert check.returncode == 0, check.stdout
    with path.open("rb") as stream:
        records = [
            (r.record_type, r.headers.get("WARC-Target-URI"), r.verify_block_digest())
            for r in ArchiveIterator(stream, parse_http=False)
        ]
    kinds = [kind for kind, _, _ in records]
    assert kinds == [WarcRecordType.warcinfo, *[WarcRecordType.response, WarcRecordType.request] * 5]
    assert all(good for kind, _, good in records if kind is not WarcRecordType.warcinfo)
    assert [uri for kind, uri, _ in records if kind is WarcRecordType.response] == [key(n).url for n in range(5)]


def test_request_and_response_name_each_other(tmp_path: Path) -> None:
    with writer(tmp_path) as file:
        file.append_page(page(key().url))
    (path,) = tmp_path.rglob("*.warc.gz")
    with path.open("rb") as stream:
        ids = {str(r.record_type): (r.record_id, r.headers.get("WARC-Concurrent-To")) for r in ArchiveIterator(stream)}
    assert ids["request"][1] == ids["response"][0]


def test_files_are_rolled_at_a_size_and_each_reads_by_itself(tmp_path: Path) -> None:
    with writer(tmp_path, roll_at=2000) as file:
        refs = [file.append_page(page(key(number).url, CONTENT)) for number in range(10)]
    assert len({ref.file for ref in refs}) > 2
    assert [read_capture(tmp_path, ref).url for ref in refs] == [key(n).url for n in range(10)]
    found = [item for name in sorted({ref.file for ref in refs}) for item in scan(tmp_path, name)]
    assert [met.ref for met in found if isinstance(met, ScannedRecord) and met.kind == "response"] == refs
    assert not [fault for fault in found if isinstance(fault, str)]


def test_an_unchanged_answer_is_a_revisit(tmp_path: Path) -> None:
    with writer(tmp_path) as file:
        first = file.append_page(page(key().url, CONTENT))
        stored_before = file.append_page(page(key().url, CONTENT, fetched_at=NOW + timedelta(hours=1)), first)
        changed = file.append_page(page(key().url, CONTENT + b"!"), first)
    path = tmp_path / first.file
    with path.open("rb") as stream:
        records = {r.stream_pos: (str(r.record_type), dict(r.headers)) for r in ArchiveIterator(stream)}
    assert stored_before == first  # what can be read is there
    ((_, named),) = [record for record in records.values() if record[0] == "revisit"]
    _, held = records[first.offset]
    assert [records[ref.offset][0] for ref in (first, changed)] == ["response", "response"]
    assert named["WARC-Refers-To"] == held["WARC-Record-ID"]
    assert named["WARC-Refers-To-Date"] == held["WARC-Date"]
    assert named["WARC-Payload-Digest"] == held["WARC-Payload-Digest"]
    assert "identical-payload-digest" in named["WARC-Profile"]
    check = subprocess.run([sys.executable, "-m", "warcio.cli", "check", str(path)], check=False, capture_output=True)
    assert check.returncode == 0, check.stdout


def test_hop_by_hop_headers_are_kept_under_another_name(tmp_path: Path) -> None:
    chunked = page(key().url, CONTENT, headers=(("Transfer-Encoding", "chunked"),), payload=CONTENT)
    with writer(tmp_path) as file:
        ref = file.append_page(chunked)
    assert read_capture(tmp_path, ref).content == CONTENT
    (path,) = tmp_path.rglob("*.warc.gz")
    assert b"X-Archive-Orig-Transfer-Encoding: chunked" in gzip.decompress(path.read_bytes())


@settings(max_examples=60)
@given(share=st.floats(0, 1))
def test_a_file_cut_anywhere_keeps_its_whole_records(share: float, tmp_path_factory: pytest.TempPathFactory) -> None:
    root = tmp_path_factory.mktemp("cut")
    with writer(root) as file:
        refs = [file.append_page(page(key(number).url, CONTENT)) for number in range(4)]
    (path,) = root.rglob("*.warc.gz")
    data = path.read_bytes()
    cut = int(share * len(data))
    path.write_bytes(data[:cut])
    note = cut_torn_tail(root, refs[0].file)
    kept = path.stat().st_size if path.exists() else 0
    assert kept <= cut
    assert (note is None) == (kept == cut)
    whole = [ref for ref in refs if ref.offset < kept]
    assert [read_capture(root, ref).url for ref in whole] == [key(n).url for n in range(len(whole))]
    if path.exists():
        assert whole_length(path) == kept
        assert not [item for item in scan(root, refs[0].file) if isinstance(item, str)]
    assert cut_torn_tail(root, refs[0].file) is None


@pytest.mark.parametrize("position", [12, 60, 200, 300])
def test_reading_continues_after_a_damaged_record(tmp_path: Path, position: int) -> None:
    with writer(tmp_path) as file:
        refs = [file.append_page(page(key(number).url, CONTENT + b"x" * 3000)) for number in range(6)]
    path = tmp_path / refs[0].file
    data = bytearray(path.read_bytes())
    data[refs[2].offset + position] ^= 1
    path.write_bytes(data)
    found = list(scan(tmp_path, refs[0].file))
    whole = [met.ref for met in found if isinstance(met, ScannedRecord) and met.kind == "response"]
    assert whole == refs[:2] + refs[3:]
    (fault,) = [item for item in found if isinstance(item, str)]
    assert fault.startswith(f"{refs[0].file}: no complete record after")


@pytest.mark.parametrize("position", [12, 60, 200])
def test_reading_in_sequence_gives_what_reading_one_by_one_gives(tmp_path: Path, position: int) -> None:
    """Also behind a damaged record, and for a record that is not there."""
    with writer(tmp_path) as file:
        refs = [file.append_page(page(key(number).url, CONTENT + b"x" * 3000)) for number in range(12)]
    path = tmp_path / refs[0].file
    data = bytearray(path.read_bytes())
    data[refs[5].offset + position] ^= 1
    path.write_bytes(data)
    wanted = [refs[1], *refs[3:9], CaptureRef(refs[0].file, refs[8].offset + 5), refs[11]]
    found = dict(read_captures(tmp_path, wanted))
    assert list(found) == wanted
    for ref in wanted:
        if isinstance(capture := found[ref], ArchiveDamaged):
            with pytest.raises(ArchiveDamaged) as error:
                read_capture(tmp_path, ref)
            assert str(error.value) == str(capture)
        else:
            assert capture == read_capture(tmp_path, ref)
    assert sum(isinstance(capture, ArchiveDamaged) for capture in found.values()) == 2


def test_a_record_that_is_not_there_is_a_clear_error(tmp_path: Path) -> None:
    with writer(tmp_path) as file:
        ref = file.append_page(page(key().url))
    for wrong in (
        CaptureRef(ref.file, ref.offset + 3),
        CaptureRef(ref.file, 10**9),
        CaptureRef("captures/none.warc.gz", 0),
    ):
        with pytest.raises(ArchiveDamaged, match=wrong.file):
            read_capture(tmp_path, wrong)


@pytest.mark.parametrize("encoding", ["br", "gzip", "gzip, gzip, gzip"])
def test_a_payload_that_cannot_be_decoded_is_damage(tmp_path: Path, encoding: str) -> None:
    with writer(tmp_path) as file:
        ref = file.append_page(page(key().url, headers=(("Content-Encoding", encoding),), payload=b"plain"))
    for read in (read_capture, read_page):
        with pytest.raises(ArchiveDamaged, match=ref.file):
            read(tmp_path, ref)
