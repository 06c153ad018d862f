"""Sixteen power cuts in the middle of commands (`make torture`: 300 per model), and some on real file systems."""

from __future__ import annotations

import hashlib
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from storage.integrity.repair import verify_archive
from tests.programs import killing, torture
from tests.programs.powercut import disk
from tests.programs.powercut.recording import COMPILER, compiled, record
from tests.programs.powercut.scenarios import COMMANDS, Stage, cuts, recorded, stage, survive
from tests.support.paths import ROOT

STATES = {"strict": 1, "ordered": 1}
"""States of each command: sixteen in all."""

FORCE = {"ext4": "-F", "xfs": "-f", "btrfs": "-f"}
"""File systems, and how their `mkfs` is told that it is to make one in a file."""

pytestmark = pytest.mark.skipif(COMPILER is None, reason="the recorder is written in C: there is no C compiler")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with stage(tmp_path_factory.mktemp("powercut")) as made:
        yield made


@pytest.mark.slow
@pytest.mark.parametrize("name", COMMANDS)
@pytest.mark.every(4)
def test_a_power_cut_anywhere_in_a_command_loses_nothing(made: Stage, name: str) -> None:
    found = recorded(made, name)
    for model, number in STATES.items():
        for cut in cuts(found, model, number, seed=20260102):
            survive(made, found, cut)


@pytest.fixture(scope="module")
def recorder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return compiled(tmp_path_factory.mktemp("recorder"))


class TestTheModels:
    """Small programs of which it is known what a power cut may leave of them."""

    CAREFUL = """
import os
def sync(path):
    descriptor = os.open(path, os.O_RDONLY)
    os.fsync(descriptor)
    os.close(descriptor)
with open("beside", "wb") as file:
    file.write(b"whole" * 1000)
sync("beside")  # the file
os.rename("beside", "file")
sync(".")  # the name
with open("done", "wb") as file:
    file.write(b"done")
sync("done")
sync(".")
"""
    """Whoever finds `done` finds `file`, whole."""

    def broken(self, recorder: Path, folder: Path, code: str, model: str) -> set[str]:
        """What is wrong with `file` in states in which `done` is there."""
        root = folder / "disk"
        root.mkdir()
        recording = record(recorder, root, f"import os\nos.chdir({str(root)!r})\n{code}")
        rng, found = random.Random(1), set()
        for number in range(200):
            target = folder / f"state-{number}"
            cut = rng.randint(0, len(recording.calls))
            disk.materialise(recording, disk.MODELS[model](recording, cut, rng), target)
            if (target / "done").exists():
                whole = (target / "file").exists() and (target / "file").read_bytes() == b"whole" * 1000
                missing = not (target / "file").exists()
                found |= set() if whole else {"missing" if missing else "torn"}
        return found

    @pytest.mark.parametrize("model", disk.MODELS)
    def test_what_was_synced_is_there(self, recorder: Path, tmp_path: Path, model: str) -> None:
        assert self.broken(recorder, tmp_path, self.CAREFUL, model) == set()

    @pytest.mark.parametrize("model", disk.MODELS)
    def test_bytes_that_were_not_synced_may_be_lost(self, recorder: Path, tmp_path: Path, model: str) -> None:
        careless = self.CAREFUL.replace('sync("beside")  # the file', "")
        assert self.broken(recorder, tmp_path, careless, model) == {"torn"}

    @pytest.mark.parametrize(("model", "wrong"), [("strict", {"missing"}), ("ordered", set())])
    def test_a_name_that_was_not_synced_may_be_lost_where_there_is_no_order(
        self, recorder: Path, tmp_path: Path, model: str, wrong: set[str]
    ) -> None:
        careless = self.CAREFUL.replace('sync(".")  # the name', "").replace('sync("done")\nsync(".")', 'sync("done")')
        assert self.broken(recorder, tmp_path, careless, model) == wrong


class TestRealFileSystems:
    """A loop-mounted disk is copied while a crawl stands still: what a power cut at that moment leaves."""

    @pytest.mark.long
    @pytest.mark.parametrize("number", range(6))
    @pytest.mark.parametrize("kind", FORCE)
    def test_a_crawl_that_lost_its_power_is_made_up_for(
        self, made: Stage, tmp_path: Path, kind: str, number: int
    ) -> None:
        image, copy = tmp_path / "image", tmp_path / "copy"
        made_disk(kind, image)
        kill = killing.drawn(made.steps, 6, random.Random(f"{kind} {number}"))[number]
        with mounted(image, tmp_path / "disk") as place:
            shutil.copytree(made.earlier, place / "archive")
            subprocess.run(["sync", "-f", place], check=True)
            with stopped(made, place / "archive", kill):
                copy_as_it_is(image, copy)
        with mounted(copy, tmp_path / "again") as place:
            root = place / "archive"
            made.crawl(root, torture.LAST)
            found = torture.state_of(root)
            for what, expected in made.expected.items():
                assert found[what] == expected, f"{what} differ"
            assert verify_archive(root).faults == []


def made_disk(kind: str, image: Path) -> None:
    program = shutil.which(f"mkfs.{kind}", path=os.environ["PATH"] + ":/usr/sbin:/sbin")
    if os.geteuid() != 0 or program is None:
        pytest.skip(f"{kind} can be tried by root only, where mkfs.{kind} is installed")
    with image.open("wb") as file:
        file.truncate(400 * 1024 * 1024)
    subprocess.run([program, "-q", FORCE[kind], image], check=True, capture_output=True)


@contextmanager
def mounted(image: Path, place: Path) -> Iterator[Path]:
    place.mkdir()
    done = subprocess.run(["mount", "-o", "loop", image, place], check=False, capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"a disk in a file cannot be mounted here: {done.stderr.strip()}")
    try:
        yield place
    finally:
        subprocess.run(["umount", "--lazy", place], check=True)


@contextmanager
def stopped(made: Stage, root: Path, kill: killing.Kill) -> Iterator[None]:
    """A crawl that stands still at some step, and is killed afterwards."""
    code = f"""
import os, signal
from tests.programs import killing, torture
from datetime import datetime
from pathlib import Path
killing.die = lambda: os.kill(os.getpid(), signal.SIGSTOP)
now = datetime.fromisoformat({torture.LAST.isoformat()!r})
torture.crawl_once(Path({str(root)!r}), {made.naver.url!r}, now, killing.{kill!r})
"""
    made.naver.clock.set(torture.LAST)
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    with subprocess.Popen([sys.executable, "-c", code], env=environment) as process:
        try:
            _, status = os.waitpid(process.pid, os.WUNTRACED)
            assert os.WIFSTOPPED(status), f"the crawl ended before {kill}"
            yield
        finally:
            process.kill()


def copy_as_it_is(image: Path, copy: Path) -> None:
    """A copy during which nothing was written."""
    for _ in range(20):
        before = digest(image)
        shutil.copyfile(image, copy)
        if digest(copy) == digest(image) == before:
            return
    raise AssertionError("the disk is written to all the time")


def digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
