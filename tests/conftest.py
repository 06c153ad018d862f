"""Which tests are run when: the marks are explained in pyproject.toml."""

from __future__ import annotations

from collections import Counter

import pytest


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark as long what `every(n)` leaves out: of a test's cases all but each n-th."""
    met: Counter[str] = Counter()
    for item in items:
        if (marker := item.get_closest_marker("every")) is not None:
            (step,) = marker.args
            test = item.nodeid.partition("[")[0]
            if met[test] % step:
                item.add_marker(pytest.mark.long)
            met[test] += 1
