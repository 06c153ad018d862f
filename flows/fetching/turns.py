"""One pace for several machines: a row of PostgreSQL per host gives the turns.

Machines that share one permission must together send no more than it allows. `Turns` gives each request a time of its
own; a machine that misses it asks for another, so that no two requests come closer together than the interval.

Needs the extra `postgresql` (psycopg). Errors never contain the address, which may have a password in it.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from types import TracebackType
from typing import Any, Self

from schemas.errors import BadInput, StorageFault

_TABLE = """
    CREATE TABLE IF NOT EXISTS seogo_pace (host TEXT PRIMARY KEY, next TIMESTAMPTZ NOT NULL)
"""
_TAKE = """
    INSERT INTO seogo_pace AS pace VALUES (%(host)s, clock_timestamp() + %(every)s * INTERVAL '1 second')
    ON CONFLICT (host) DO UPDATE
    SET next = greatest(pace.next, clock_timestamp()) + %(every)s * INTERVAL '1 second'
    RETURNING extract(epoch FROM next - %(every)s * INTERVAL '1 second' - clock_timestamp())
"""
_PAUSE = """
    INSERT INTO seogo_pace AS pace VALUES (%(host)s, clock_timestamp() + %(seconds)s * INTERVAL '1 second')
    ON CONFLICT (host) DO UPDATE
    SET next = greatest(pace.next, clock_timestamp() + %(seconds)s * INTERVAL '1 second')
"""
_TRIES = 3
_PAUSE_BETWEEN = 1.0
_WITHIN = 10
"""Seconds for a connection. A network that is cut while a statement is sent is noticed as soon, not after minutes."""


class Turns:
    """The turns of one permission, for all machines that use the same database. `address`: `postgresql://…`."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._connection: Any = None
        self._one_at_a_time = asyncio.Lock()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._close()

    async def take(self, host: str, every: float) -> float:
        """Take the next turn at a host, `every` seconds after the last one. Returns the seconds until it.

        Raises StorageFault if the database cannot be reached: without it nothing may be sent.
        """
        (wait,) = await self._ask(_TAKE, {"host": host, "every": every})
        return max(float(wait), 0.0)

    async def pause(self, host: str, seconds: float) -> None:
        """Give no turn at a host for so long: it has asked one of the machines for a pause."""
        await self._ask(_PAUSE, {"host": host, "seconds": seconds})

    async def _ask(self, sql: str, values: dict[str, Any]) -> tuple[Any, ...]:
        import psycopg

        async with self._one_at_a_time:
            for tried in range(1, _TRIES + 1):
                try:
                    cursor = await (await self._connected()).execute(sql, values)
                    return (await cursor.fetchone() or ()) if cursor.description else ()
                except psycopg.Error as error:
                    await self._close()
                    if tried == _TRIES:
                        raise StorageFault(
                            f"the pace is kept in PostgreSQL (SEOGO_PACE), which fails ({type(error).__name__})."
                            " Nothing is requested without it: check the server, and the rights of its user, then run"
                            " again."
                        ) from None
                    await asyncio.sleep(_PAUSE_BETWEEN)
        raise AssertionError("not reached")

    async def _connected(self) -> Any:
        import psycopg

        if self._connection is None:
            self._connection = await psycopg.AsyncConnection.connect(
                self._address, autocommit=True, connect_timeout=_WITHIN, tcp_user_timeout=1000 * _WITHIN
            )
            with suppress(psycopg.errors.UniqueViolation):  # another machine creates it at this moment
                await self._connection.execute(_TABLE)
        return self._connection

    async def _close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()


def open_turns(address: str) -> Turns:
    """Raises BadInput if the library is not installed, or if the address is not one of PostgreSQL."""
    try:
        import psycopg  # noqa: F401
    except ImportError as error:
        raise BadInput("SEOGO_PACE needs an extra: pip install 'seogo[postgresql]'.") from error
    if not address.startswith(("postgresql://", "postgres://")):
        raise BadInput("SEOGO_PACE is not an address such as postgresql://user@host/database.")
    return Turns(address)
