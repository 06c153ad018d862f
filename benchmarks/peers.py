"""A separate virtual environment for the programs that seogo is compared with; they are never installed with it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

REQUIREMENTS = Path(__file__).with_name("requirements-peers.txt")
SHARED = ("selectolax", "duckdb", "pyarrow", "pytz", "fastwarc")
"""Packages that the peers share with seogo, in the versions that seogo uses."""

WITH_FTS = ("duckdb==1.5.5", "duckdb-extensions==1.5.5", "duckdb-extension-fts==1.5.5")
"""Without a package, DuckDB downloads the extension."""


def peers_python(work: Path, chosen: Path | None = None, *, needs: str = "scrapy") -> Path:
    """The Python that has the peers: the chosen one, or that of `work/peers`, which is created if necessary.

    Raises SystemExit if it cannot be created or lacks the module that is needed.
    """
    python = chosen or work / "peers" / "bin" / "python"
    if chosen is None and not python.exists():
        _make(work / "peers", ["-r", REQUIREMENTS, *(f"{name}=={version(name)}" for name in SHARED)])
    if subprocess.run([python, "-c", f"import {needs}"], check=False, capture_output=True).returncode:
        raise SystemExit(f"{python} has no {needs}: install {REQUIREMENTS} there, or remove it and run again.")
    return python


def fts_python(work: Path) -> Path:
    """The Python that has the last DuckDB whose extension fts is a package. Raises SystemExit if there is none."""
    python = work / "peers-fts" / "bin" / "python"
    if not python.exists():
        _make(work / "peers-fts", [*WITH_FTS, f"pyarrow=={version('pyarrow')}"])
    return python


def _make(folder: Path, packages: Sequence[str | Path]) -> None:
    uv = Path(sys.executable).with_name("uv")
    print(f"creating the environment of the peers in {folder} …", flush=True)
    install: Sequence[str | Path] = [uv, "pip", "install", "--quiet", "--python", folder / "bin" / "python", *packages]
    create: Sequence[str | Path] = [uv, "venv", "--quiet", "--python", sys.executable, folder]
    for command in (create, install):
        if not uv.exists() or subprocess.run(command, check=False).returncode:
            shutil.rmtree(folder, ignore_errors=True)
            raise SystemExit(
                "the peers cannot be installed (is a package index available?):"
                f" create an environment with {REQUIREMENTS} and name its Python with --peers-python."
            )
