"""`seogo verify`, `repair`, `rebuild`, `reparse`: output, JSON and exit codes."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from flows.cli.exit_codes import Exit
from tests.support.archives import import_documents, new_archive, write_document
from tests.support.command import COMMAND, Ran, environment, seogo
from tests.support.values import article, key


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return new_archive(tmp_path / "archive", *range(1, 60))


def file_of(root: Path, number: int) -> Path:
    (found,) = (root / "articles").rglob(f"{key(number).id}.md")
    return found


def damage(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0x01
    path.write_bytes(data)


def test_a_whole_archive(root: Path) -> None:
    for command in ("verify", "repair"):
        ran = seogo(command, "--archive", root)
        assert (ran.code, ran.out.splitlines()[-1].rpartition(" ")[2]) == (Exit.DONE, "agree")


def test_damage_is_named_until_it_is_repaired(root: Path) -> None:
    damage(file_of(root, 7))
    found = seogo("verify", "--archive", root)
    assert (found.code, key(7).id in found.out) == (Exit.ARCHIVE_DAMAGED, True)
    repaired = seogo("repair", "--archive", root, "--json")
    assert repaired.code == Exit.DONE
    assert repaired.json["left"] == []
    assert [line for line in repaired.json["mended"] if key(7).id in line]
    assert seogo("verify", "--archive", root).code == Exit.DONE


HOLDING = """
import sys, time
from pathlib import Path
from storage.archive import leased

with leased(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.mark.parametrize("command", ["rebuild", "verify"])
def test_beside_a_writer_whose_lock_file_was_deleted(root: Path, command: str) -> None:
    words = [sys.executable, "-c", HOLDING, str(root)]
    with subprocess.Popen(words, env=environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        (root / "state" / "lock").unlink()
        ran = seogo(command, "--archive", root)
        assert (ran.code, f"process {holder.pid} on" in ran.complaint) == (Exit.ARCHIVE_BUSY, True)
        holder.communicate()
    assert seogo(command, "--archive", root).code == Exit.DONE


def test_damage_that_cannot_be_repaired_has_its_own_exit_code(root: Path) -> None:
    for capture in (root / "captures").rglob("*.warc.gz"):
        capture.unlink()
    for command in ("verify", "repair", "rebuild"):
        ran = seogo(command, "--archive", root)
        assert ran.code == Exit.ARCHIVE_DAMAGED
        assert "missing; put it back from a copy" in ran.out
        assert len(ran.out.splitlines()) < 60  # the first of three hundred faults
    assert len(seogo("sql", "SELECT id FROM articles", "--format", "json", "--archive", root).json) == 59


def test_the_captures_alone_are_enough(root: Path) -> None:
    for part in ("state", "articles"):
        shutil.rmtree(root / part)
    (root / "archive.duckdb").unlink()
    assert "Run: seogo repair" in seogo("status", "--archive", root).complaint
    assert seogo("rebuild", "--archive", root).code == Exit.DONE
    assert len(list((root / "articles").rglob("*.md"))) == 59


@pytest.mark.parametrize("command", ["verify", "repair", "rebuild", "reparse"])
def test_what_is_no_archive_does_not_become_one(tmp_path: Path, command: str) -> None:
    ran = seogo(command, "--archive", tmp_path / "typo")
    assert (ran.code, "is not an archive" in ran.complaint) == (Exit.BAD_INPUT, True)
    assert not (tmp_path / "typo").exists()


@pytest.mark.parametrize("words", [("verify",), ("verify", "--json"), ("repair",)])
def test_a_reader_that_leaves_early_does_not_turn_faults_into_success(root: Path, words: tuple[str, ...]) -> None:
    for capture in (root / "captures").rglob("*.warc.gz"):
        capture.unlink()
    writing = subprocess.Popen(
        [*COMMAND, *words, "--archive", str(root)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment()
    )
    assert writing.stdout is not None
    writing.stdout.close()
    _, err = writing.communicate(timeout=60)
    progress = re.compile(rb"(repair: .*\n)*")  # on a slow machine
    assert writing.returncode == Exit.ARCHIVE_DAMAGED
    assert progress.fullmatch(err)


class TestReparse:
    @pytest.fixture
    def root(self, tmp_path: Path) -> Path:
        archive = tmp_path / "archive"
        import_documents(
            archive, write_document(tmp_path / "old", article(1)), write_document(tmp_path / "old", article(2))
        )
        return archive

    def reparse(self, root: Path, *words: str) -> Ran:
        return seogo("reparse", *words, "--archive", root)

    def test_nothing_changes_while_the_parsers_are_the_same(self, root: Path) -> None:
        dry = self.reparse(root, "--dry-run", "--json")
        assert (dry.code, dry.json["read"], dry.json["changed"], dry.json["receipt"]) == (Exit.DONE, 2, 0, None)
        ran = self.reparse(root, "--json")
        assert (ran.code, ran.json["exit_reason"]) == (Exit.DONE, "nothing_new")

    def test_an_id_or_an_address_chooses(self, root: Path) -> None:
        for name in (key(1).id, key(1).url):
            assert self.reparse(root, name, "--dry-run", "--json").json["read"] == 1

    @pytest.mark.parametrize("name", ["nope", "999_0000000000"])
    def test_an_id_that_is_not_there_is_not_passed_over(self, root: Path, name: str) -> None:
        ran = self.reparse(root, key(1).id, name)
        assert (ran.code, name in ran.complaint) == (Exit.BAD_INPUT, True)
