"""One archive and one server for all tests of the room."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.support.servers.serving import client_of, make_archive, serving


@pytest.fixture(scope="session")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_archive(tmp_path_factory.mktemp("served") / "archive")


@pytest.fixture(scope="session")
def address(root: Path) -> Iterator[str]:
    with serving(root, sql=True) as url:
        yield url


@pytest.fixture
def web(address: str) -> Iterator[httpx.Client]:
    with client_of(address) as client:
        yield client
