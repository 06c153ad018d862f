"""Files in the strict style from before their times had zones: they verify, and a repair restores them as they were."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from schemas.front_matter import from_article
from storage.archive import open_archive
from storage.integrity.repair import rebuild, repair, verify_archive
from tests.support.archives import store_new


@pytest.fixture
def older(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    with monkeypatch.context() as patch:
        patch.setattr("storage.journal.staging.from_article", partial(from_article, zones=False))
        with open_archive(tmp_path / "archive", style="strict") as archive:
            store_new(archive, 1, 2)
    return tmp_path / "archive"


@pytest.mark.parametrize("act", [repair, rebuild])
def test_they_are_restored_as_they_were(older: Path, act: object) -> None:
    before = {path: path.read_bytes() for path in (older / "articles").rglob("*.md")}
    assert all(b"+09:00" not in data for data in before.values())
    assert verify_archive(older).faults == []
    next(iter(before)).unlink()
    assert callable(act)
    assert act(older).left == []
    assert {path: path.read_bytes() for path in (older / "articles").rglob("*.md")} == before
    assert verify_archive(older).faults == []


def test_new_files_beside_them_have_zones(older: Path) -> None:
    with open_archive(older, style="strict") as archive:
        store_new(archive, 3, run="20260103T000000Z-0002")
    zoned = [path for path in (older / "articles").rglob("*.md") if b"+09:00" in path.read_bytes()]
    assert [path.stem for path in zoned] == ["001_0000000003"]
    assert verify_archive(older).faults == []
