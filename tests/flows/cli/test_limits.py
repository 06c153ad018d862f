"""Paths that DuckDB does not take, too little memory, a repair that cannot help: a sentence and an exit code."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from unittest import mock

import duckdb
import pytest

from flows.cli.exit_codes import Exit
from schemas.errors import ArchiveDamaged
from tests.support.archives import new_archive, write_document
from tests.support.command import COMMAND, environment, seogo
from tests.support.values import article

NOT_UTF8 = os.fsdecode(b"d\xff")


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return new_archive(tmp_path_factory.mktemp("limits") / "archive", 1, 2)


@pytest.mark.parametrize(("name", "says"), [("who?", "a path with a '?'"), (NOT_UTF8, "the path is not UTF-8")])
def test_an_archive_cannot_be_where_duckdb_cannot_write(archive: Path, tmp_path: Path, name: str, says: str) -> None:
    write_document(tmp_path, article(1))
    (tmp_path / name).mkdir()
    bad = Path(shutil.copytree(archive, tmp_path / name / "archive"))
    for words in (["status"], ["verify"], ["repair"], ["publish"], ["export"], ["import", tmp_path]):
        ran = seogo(*words, "--archive", bad)
        assert (ran.code, says in ran.complaint) == (Exit.BAD_INPUT, True), (words, ran.complaint)
    assert seogo("import", tmp_path, "--archive", tmp_path / name / "new").code == Exit.BAD_INPUT
    assert not (tmp_path / name / "new").exists()


def test_stars_and_brackets_in_a_path_are_no_patterns(archive: Path, tmp_path: Path) -> None:
    root = Path(shutil.copytree(archive, tmp_path / "a*[b]'c" / "[archive"))
    for words in (["publish"], ["export", "--format", "jsonl"], ["verify"], ["rebuild"], ["verify"], ["report"]):
        assert seogo(*words, "--archive", root).code == Exit.DONE, words
    assert (root / "exports" / "articles" / "month=2025-12" / "articles.parquet").is_file()


@pytest.mark.parametrize(
    "words",
    [["export"], ["export", "--since", "0", "--format", "parquet"], ["sql", "SELECT 1", "--format", "parquet"]],
)
def test_a_target_that_is_not_utf8(archive: Path, tmp_path: Path, words: list[str]) -> None:
    (tmp_path / NOT_UTF8).mkdir()
    ran = seogo(*words, "--to", tmp_path / NOT_UTF8 / "x", "--archive", archive)
    assert (ran.code, "the path is not UTF-8" in ran.complaint) == (Exit.BAD_INPUT, True)


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        duckdb.OutOfMemoryException("Out of Memory Error: failed to allocate"),
        RuntimeError("can't start new thread"),
        ImportError("libarrow.so: failed to map segment from shared object"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_too_little_memory(archive: Path, error: Exception) -> None:
    with mock.patch("storage.reading.reader.status", side_effect=error):
        ran = seogo("status", "--archive", archive)
    assert (ran.code, ran.complaint.startswith("seogo: there is too little memory")) == (Exit.STORAGE_FAULT, True)


@pytest.mark.parametrize(("limit", "code"), [(800_000_000, Exit.STORAGE_FAULT), (3_000_000_000, Exit.DONE)])
def test_too_little_address_space_is_said_before_duckdb_ends_by_a_signal(archive: Path, limit: int, code: Exit) -> None:
    """In a process of its own, which `ulimit -v` limits. At 0.8 GB most commands ended by a segmentation fault."""
    command = [
        "bash",
        "-c",
        f'ulimit -v {limit // 1000}; exec "$@"',
        "-",
        *COMMAND,
        "verify",
        "--archive",
        str(archive),
    ]
    ran = subprocess.run(command, env=environment(), capture_output=True, text=True, check=False)
    assert (ran.returncode, "the address space is limited to 0.8 GB" in ran.stderr) == (code, code != Exit.DONE)


def test_another_error_stays_a_bug(archive: Path) -> None:
    with (
        mock.patch("storage.reading.reader.status", side_effect=RuntimeError("something else")),
        pytest.raises(RuntimeError, match="something else"),
    ):
        seogo("status", "--archive", archive)


@pytest.mark.parametrize("command", ["repair", "rebuild"])
def test_a_repair_does_not_advise_a_repair(archive: Path, command: str) -> None:
    damaged = ArchiveDamaged("state/writer.duckdb is damaged: it is empty. Run: seogo repair")
    with mock.patch("storage.integrity.repair.opened", side_effect=damaged):
        assert seogo("verify", "--archive", archive).out.count("Run: seogo repair") == 1
        ran = seogo(command, "--archive", archive)
    assert ran.code == Exit.ARCHIVE_DAMAGED
    assert "It cannot be repaired" in ran.complaint
    assert "Run: seogo repair" not in ran.out + ran.err
