"""Journal entries that this version cannot read."""

from __future__ import annotations

from pathlib import Path

import pytest

from schemas.errors import ArchiveDamaged, ArchiveTooNew
from storage.archive import open_archive
from storage.captures.writer import CaptureWriter
from storage.integrity.repair import rebuild, verify_archive
from storage.journal.entries import load_entry
from tests.support.archives import contents, new_archive
from tests.support.values import NOW

NEWER = b'{"texts_translated": {"run_id": "20260102T040405Z-0002", "number": 1}}'


def test_an_entry_of_a_newer_version_stops_everything_and_changes_nothing(tmp_path: Path) -> None:
    root = new_archive(tmp_path / "archive", 1)
    with CaptureWriter(root, "20260102T040405Z-0002", software="newer") as captures:
        captures.append_entry(NEWER, NOW)
    before = contents(root)

    def start(root: Path) -> None:
        with open_archive(root):
            pass

    for work in (verify_archive, rebuild, start):
        with pytest.raises(ArchiveTooNew, match=r"an entry of the kind texts_translated, .* update seogo"):
            work(root)
    assert contents(root) == before


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", b'{"run_started": {}}', b'{"run_started": 1'])
def test_an_entry_that_cannot_be_read_is_damaged(data: bytes) -> None:
    with pytest.raises(ArchiveDamaged, match="where: no journal entry that this seogo can read"):
        load_entry(data, where="where")
