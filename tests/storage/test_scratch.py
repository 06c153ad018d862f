"""Temporary folders are deleted at the end, and those of a killed process by the next one."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from storage.scratch import scratch_folder
from tests.support.paths import ROOT


def killed_with_a_folder(root: Path) -> Path:
    code = f"""
import signal
from pathlib import Path
from storage.scratch import scratch_folder
with scratch_folder(Path({str(root)!r})) as folder:
    (folder / "download").write_bytes(b"x" * 1000)
    signal.raise_signal(signal.SIGKILL)
"""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", code], check=False, timeout=60, env=environment)
    assert done.returncode == -signal.SIGKILL
    (left,) = (root / "state").iterdir()
    return left


def test_a_folder_is_deleted_at_the_end(tmp_path: Path) -> None:
    with scratch_folder(tmp_path) as folder:
        (folder / "file").write_bytes(b"x")
    assert list((tmp_path / "state").iterdir()) == []


def test_what_a_killed_process_left_is_deleted_and_what_is_in_use_stays(tmp_path: Path) -> None:
    left = killed_with_a_folder(tmp_path)
    with scratch_folder(tmp_path) as used:
        assert left.is_dir()  # its process might be about to lock it
        for folder in (left, used):
            os.utime(folder, (0, 0))
        with scratch_folder(tmp_path):
            assert not left.exists()
            assert used.is_dir()
