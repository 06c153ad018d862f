"""Exported files that were altered, cut or removed by others: noticed, named and written again."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from flows.cli.exit_codes import Exit
from flows.runs.publish import PublishOrder, publish
from schemas.errors import ArchiveBusy
from storage.exports.folder import opened_folder
from storage.exports.full import FOLDER, export, export_faults
from storage.integrity.repair import verify_archive
from tests.support.archives import new_archive
from tests.support.command import seogo

PARQUET = "articles/month=2025-12/articles.parquet"


def altered(path: Path) -> None:
    """As many bytes as before."""
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0x01
    path.write_bytes(data)


def altered_unseen(path: Path) -> None:
    """With the time that the file had, as by a disk."""
    before = path.stat().st_mtime_ns
    altered(path)
    os.utime(path, ns=(before, before))


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-7])


DAMAGES = [altered, cut, Path.unlink]


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = new_archive(tmp_path_factory.mktemp("published") / "archive", 1, 2, 3)
    publish(PublishOrder(root))
    return root


@pytest.fixture
def root(published: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(published, tmp_path / "archive"))


@pytest.mark.parametrize("name", [PARQUET, "atom.xml"])
@pytest.mark.parametrize("damage", DAMAGES)
def test_publish_writes_again_what_was_damaged(root: Path, name: str, damage: Callable[[Path], None]) -> None:
    path = root / FOLDER / name
    before = path.read_bytes()
    damage(path)
    done = publish(PublishOrder(root))
    assert [one.restored for one in done.exports if one.changed] == [(name,)]
    assert "1 of them missing or altered" in done.explanation
    assert path.read_bytes() == before
    assert not publish(PublishOrder(root)).changed


@pytest.mark.parametrize("damage", [*DAMAGES, altered_unseen])
def test_verify_names_it_until_publish_has_written_it_again(root: Path, damage: Callable[[Path], None]) -> None:
    damage(root / FOLDER / PARQUET)
    for _ in range(2):
        ran = seogo("verify", "--archive", root, "--json")
        assert ran.code == Exit.ARCHIVE_DAMAGED
        (fault,) = ran.json["faults"]
        assert fault.startswith(f"export exports/{PARQUET}: ")
        assert fault.endswith("Run: seogo publish --format parquet")
    done = publish(PublishOrder(root))
    assert [one.restored for one in done.exports] == [(PARQUET,), ()]
    assert verify_archive(root).faults == []


def test_a_file_that_no_export_wrote_is_named_and_removed(root: Path) -> None:
    stray = root / FOLDER / "articles" / "month=2099-01" / "articles.parquet"
    stray.parent.mkdir()
    shutil.copy(root / FOLDER / PARQUET, stray)  # its articles would be counted twice
    assert [fault.split(":")[1].strip() for fault in verify_archive(root).faults] == ["no export wrote it. Run"]
    assert publish(PublishOrder(root)).exports[0].removed == ("articles/month=2099-01/articles.parquet",)
    assert verify_archive(root).faults == []


def test_a_touched_file_stays_and_is_not_read_again(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    os.utime(root / FOLDER / PARQUET)
    assert not export(root, "parquet").changed
    with monkeypatch.context() as patch:
        patch.delattr("storage.exports.folder.sha256_of")
        assert not export(root, "parquet").changed


def test_repair_leaves_exports_alone(root: Path) -> None:
    altered(root / FOLDER / "atom.xml")
    assert seogo("repair", "--archive", root).code == Exit.DONE
    assert len(verify_archive(root).faults) == 1


def test_files_of_a_manifest_without_checksums_are_no_fault_and_are_written_once(root: Path) -> None:
    manifest = root / FOLDER / ".state" / "manifest.json"
    lines = manifest.read_text("utf-8").splitlines()
    kept = [line for line in lines if "sha256" not in line and "modified_ns" not in line]
    manifest.write_text("\n".join(kept).replace(",\n    }", "\n    }").replace(",\n   }", "\n   }"), "utf-8")
    assert verify_archive(root).faults == []
    assert [one.written for one in publish(PublishOrder(root)).exports] == [(PARQUET,), ("atom.xml",)]
    assert not publish(PublishOrder(root)).changed


def test_while_another_exports(root: Path) -> None:
    with opened_folder(root / FOLDER), pytest.raises(ArchiveBusy):
        export_faults(root)
