"""Damaged files in `state/`: a message or nothing at all, never a traceback, and they are replaced."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from flows.cli.exit_codes import Exit
from storage.archive import open_archive
from tests.support.archives import store_new
from tests.support.command import Ran, seogo

FILES = (
    *("state/seals.json", "state/last_run.json", "state/last_verify.json", "state/holder.json"),
    "exports/.state/manifest.json",
)
DAMAGES = {
    "empty": b"",
    "NULs": b"\0" * 200,
    "not UTF-8": b'{"\xff": 1}',
    "cut": b'{"command": "crawl", "sta',
    "a list": b"[]",
    "a number": b"1e999",
    "nothing": b"null",
    "deep": b"[" * 100_000,
    "other values": b'{"command": 1, "started_at": 2, "ended_at": "soon", "faults": [],'
    b' "archive.duckdb": {"bytes": {}}, "parquet": {"snapshot": 3, "files": []}}',
}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("made") / "archive"
    with open_archive(root) as archive:
        store_new(archive, 1, 2)
    for command in ("publish", "verify"):
        assert said(command, root).code == Exit.DONE
    return root


def said(command: str, root: Path) -> Ran:
    return seogo(command, "--archive", root)


@pytest.mark.parametrize("how", DAMAGES)
@pytest.mark.parametrize("name", FILES)
@pytest.mark.every(30)
def test_a_damaged_file_costs_a_sentence_at_most(made: Path, tmp_path: Path, name: str, how: str) -> None:
    root = Path(shutil.copytree(made, tmp_path / "archive"))
    (root / name).write_bytes(DAMAGES[how])
    for command in ("status", "report", "publish", "verify", "repair"):
        ran = said(command, root)
        assert "Traceback" not in ran.err
        if (name, command) == ("state/last_run.json", "status"):
            assert ran.code == Exit.ARCHIVE_DAMAGED
            assert f"{name} is damaged" in ran.complaint
        else:
            assert ran.code == Exit.DONE, ran.err
    with open_archive(root) as archive:
        store_new(archive, 3, run="20260102T060405Z-0004")
    for command in ("status", "report", "publish", "verify"):
        assert said(command, root).code == Exit.DONE
