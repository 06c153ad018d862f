"""A PostgreSQL server of a test, where it is installed (Debian's package `postgresql`)."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flows.deployed.processes import free_port

USER = "postgres"
"""Debian's user. PostgreSQL refuses to run as root."""


def binaries() -> Path | None:
    """The directory of initdb and pg_ctl; None if PostgreSQL is not installed."""
    newest = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda file: int(file.parts[-3]))
    return newest[-1].parent if newest else None


@contextmanager
def postgresql(bin_: Path) -> Iterator[str]:
    """An empty database during a block: its address for Prefect's server."""
    folder = Path(tempfile.mkdtemp(prefix="seogo-postgresql-"))  # pytest's folders are closed to other users
    data, port = folder / "data", free_port()
    try:
        if os.geteuid() == 0:
            shutil.chown(folder, USER, USER)
        _run(bin_ / "initdb", "--pgdata", data, "--auth", "trust", "--username", "prefect", "--no-sync")
        options = f"-c listen_addresses=127.0.0.1 -c port={port} -c unix_socket_directories={folder} -c fsync=off"
        _run(bin_ / "pg_ctl", "start", "--wait", "--pgdata", data, "--log", folder / "log", "--options", options)
        yield f"postgresql+asyncpg://prefect@127.0.0.1:{port}/postgres"
    finally:
        if (data / "postmaster.pid").exists():
            _run(bin_ / "pg_ctl", "stop", "--mode", "immediate", "--pgdata", data)
        shutil.rmtree(folder, ignore_errors=True)


def _run(*words: str | Path) -> None:
    as_user = ["runuser", "-u", USER, "--"] if os.geteuid() == 0 else []
    # Not captured: the server would keep the pipe.
    subprocess.run([*as_user, *map(str, words)], check=True, stdout=subprocess.DEVNULL, cwd="/")
