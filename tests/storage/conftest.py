"""Fixtures for what uses an object store."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.servers.s3 import S3Server, s3_server


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[S3Server]:
    """An S3 server; the environment has its address and its key."""
    with s3_server() as server:
        for name, value in server.environment.items():
            monkeypatch.setenv(name, value)
        yield server
