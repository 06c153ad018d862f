"""Small disks for tests, full or read-only, mounted if the tests run as root."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

_MAY_MOUNT = os.geteuid() == 0 and Path("/bin/mount").exists()
needs_a_disk = pytest.mark.skipif(not _MAY_MOUNT, reason="only root can mount a small disk")


def mount(place: Path, options: str, *words: str) -> None:
    done = subprocess.run(
        ["mount", *words, "-o", options, "tmpfs", str(place)], check=False, capture_output=True, text=True
    )
    if done.returncode:
        pytest.skip(f"a small disk cannot be mounted here: {done.stderr.strip()}")


def fill(disk: Path, left: int) -> None:
    """Fill the disk except for `left` bytes."""
    free = os.statvfs(disk)
    with (disk / "filler").open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, free.f_bavail * free.f_bsize - left)
