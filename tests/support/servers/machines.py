"""A PostgreSQL server that several machines share in a test, and programs that use it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.support.servers.postgresql import binaries, postgresql


@contextmanager
def shared_database() -> Iterator[str]:
    """The address of an empty database; skips the test where PostgreSQL is not installed."""
    installed = binaries()
    if installed is None:
        pytest.skip("PostgreSQL is not installed")
    with postgresql(installed) as address:
        yield address.replace("+asyncpg", "")
