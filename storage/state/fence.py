"""The lease of an archive over several machines: an advisory lock of PostgreSQL, and a fencing number.

The lock belongs to a session of the database, which the holder keeps alive. A holder that stops (a frozen machine, a
network that is cut) loses the session after LEASE_SECONDS, and another one may take over with the next number. Each
commit of the archive checks first that its number is still the newest, so a holder that wakes up commits nothing more.

Needs the extra `postgresql` (psycopg). Errors never contain the address, which may have a password in it.
"""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from schemas.errors import ArchiveBusy, BadInput, LeaseLost, StorageFault

LEASE_SECONDS = 30.0
"""Seconds after which a holder that shows no sign of life has lost the lease."""

_POLL = 0.2
_WITHIN = 10
"""Seconds for a connection. A network that is cut while a statement is sent is noticed as soon, not after minutes."""
_TABLE = """
    CREATE TABLE IF NOT EXISTS seogo_lease
    (archive TEXT PRIMARY KEY, number BIGINT NOT NULL, holder TEXT NOT NULL, since TIMESTAMPTZ NOT NULL)
"""
_TAKE = """
    INSERT INTO seogo_lease AS lease VALUES (%(archive)s, 1, %(holder)s, clock_timestamp())
    ON CONFLICT (archive) DO UPDATE SET number = lease.number + 1, holder = %(holder)s, since = clock_timestamp()
    RETURNING number
"""

_held: dict[Path, Fence] = {}
"""The fences that this process holds, by the state folder of the archive."""


class Fence:
    """A lease that is held: `number` is greater than that of every earlier holder."""

    def __init__(self, connection: Any, archive: str, number: int) -> None:
        self.number = number
        self._connection = connection
        self._archive = archive
        self._over = threading.Event()
        self._alive = threading.Thread(target=self._keep_alive, name="seogo-lease", daemon=True)
        self._alive.start()

    def check(self) -> None:
        """Raises LeaseLost unless the lease is still held."""
        import psycopg

        try:
            row = self._connection.execute(
                "SELECT number, holder FROM seogo_lease WHERE archive = %s", [self._archive]
            ).fetchone()
        except psycopg.Error:
            raise LeaseLost(f"{self._archive}: the session with the lease has ended. {_AFTERWARDS}") from None
        if row is None or row[0] != self.number:
            holder = row[1] if row else "nobody"
            raise LeaseLost(f"{self._archive}: {holder} is its writer now. {_AFTERWARDS}")

    def release(self) -> None:
        """Give the lease up."""
        self._over.set()
        self._alive.join()
        self._connection.close()

    def _keep_alive(self) -> None:
        import psycopg

        while not self._over.wait(LEASE_SECONDS / 4):
            with suppress(psycopg.Error):  # the next commit finds out
                self._connection.execute("SELECT 1")


_AFTERWARDS = "Nothing was committed since; run again, which takes up what was captured."


def check_held(state: Path) -> None:
    """Raises LeaseLost if this process has held the lease of the archive with this state folder, and has lost it."""
    if (fence := _held.get(state)) is not None:
        fence.check()


@contextmanager
def fenced(root: Path, *, wait: float = 0.0) -> Iterator[None]:
    """Hold the lease over machines of the archive at `root`, if SEOGO_LEASE is the address of a database.

    The archive is named by its path, which is the same on all machines. Raises ArchiveBusy, StorageFault, BadInput.
    """
    if not (address := os.environ.get("SEOGO_LEASE")):
        yield
        return
    fence, state = _taken(address, str(root.resolve()), wait), root / "state"
    _held[state] = fence
    try:
        yield
    finally:
        del _held[state]
        fence.release()


def _taken(address: str, archive: str, wait: float) -> Fence:
    with _database_faults():
        connection = _connected(address)
        try:
            _prepare(connection)
            number = _locked(connection, archive, wait)
        except BaseException:
            connection.close()
            raise
    return Fence(connection, archive, number)


def _locked(connection: Any, archive: str, wait: float) -> int:
    """Lock the archive, and return the number of this holder. Raises ArchiveBusy."""
    until = time.monotonic() + wait
    while not connection.execute("SELECT pg_try_advisory_lock(hashtextextended(%s, 0))", [archive]).fetchone()[0]:
        if time.monotonic() >= until:
            raise ArchiveBusy(
                f"{archive} is busy: {_holder(connection, archive)}. Try again, or wait with --wait SECONDS."
            )
        time.sleep(_POLL)
    holder = f"process {os.getpid()} on {socket.gethostname()}"
    return int(connection.execute(_TAKE, {"archive": archive, "holder": holder}).fetchone()[0])


def _connected(address: str) -> Any:
    import psycopg

    within: dict[str, Any] = {"connect_timeout": _WITHIN, "tcp_user_timeout": 1000 * _WITHIN}
    return psycopg.connect(address, autocommit=True, **within)


def _prepare(connection: Any) -> None:
    """Let the server end a session that shows no sign of life; create the table if there is none."""
    import psycopg

    connection.execute(f"SET idle_session_timeout = '{LEASE_SECONDS * 1000:.0f}ms'")
    with suppress(psycopg.errors.UniqueViolation):  # another machine creates it at this moment
        connection.execute(_TABLE)


@contextmanager
def _database_faults() -> Iterator[None]:
    """Turn the errors of the database in this block into ours."""
    try:
        import psycopg
    except ImportError as error:
        raise BadInput("SEOGO_LEASE needs an extra: pip install 'seogo[postgresql]'.") from error
    try:
        yield
    except psycopg.Error as error:
        raise StorageFault(
            f"the lease is kept in PostgreSQL (SEOGO_LEASE), which fails ({type(error).__name__}). Nothing is written"
            " without it: check the server, and the rights of its user, then run again."
        ) from None


def _holder(connection: Any, archive: str) -> str:
    row = connection.execute("SELECT holder, since FROM seogo_lease WHERE archive = %s", [archive]).fetchone()
    return f"{row[0]} has been writing to it since {row[1]:%Y-%m-%dT%H:%M:%S%z}" if row else "another machine"
