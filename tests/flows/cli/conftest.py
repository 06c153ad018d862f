"""The archive that the tests of `show` and `sql` read."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.analyst_archive import make


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("analyst") / "archive")
