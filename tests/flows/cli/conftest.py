"""The archive that the tests of `show` and `sql` read, and runs without progress lines."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.histories.analyst import make


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("analyst") / "archive")


@pytest.fixture(scope="module", autouse=True)
def _no_progress_lines() -> Iterator[None]:
    """On a slow machine, a run in this process would print progress lines."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("flows.cli.show.progress.FIRST_LINE_AFTER", 3600.0)
        yield
