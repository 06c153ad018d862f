"""The state of the archive and of the server for Prometheus. Each scrape reads the snapshot once."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from starlette.types import Scope

from flows.serving.context import Library
from schemas.errors import SeogoError
from storage.reading.changes import changes_behind
from storage.reading.shared import Snapshot

SHARED_METRICS = "PROMETHEUS_MULTIPROC_DIR"
"""The variable with the folder of what several processes count. prometheus-client reads it when it is imported."""
MEDIA = "text/plain; version=0.0.4; charset=utf-8"
_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5)

_COUNTED: tuple[tuple[str, str, tuple[str, ...], str, str], ...] = (
    ("articles", "Articles by status.", ("status",), "articles", "SELECT status, count(*) FROM articles GROUP BY ALL"),
    (
        "finds",
        "Finds of all runs by outcome.",
        ("outcome",),
        "finds",
        "SELECT outcome, count(*) FROM finds GROUP BY ALL",
    ),
    (
        "requests",
        "Requests of all runs by host and status.",
        ("host", "status"),
        "requests",
        "SELECT host, coalesce(status::VARCHAR, 'none'), count(*) FROM requests GROUP BY ALL",
    ),
    (
        "run_finished_timestamp_seconds",
        "End of the last run by command and result.",
        ("command", "exit_reason"),
        "runs",
        "SELECT command, exit_reason, max(epoch(finished_at)) FROM runs WHERE finished_at IS NOT NULL GROUP BY ALL",
    ),
    (
        "source_read_timestamp_seconds",
        "Time up to which a source was read.",
        ("source",),
        "cursors",
        "SELECT source, epoch(watermark) FROM cursors",
    ),
    ("gaps", "Gaps in coverage.", (), "coverage", "SELECT count(*) FROM coverage WHERE state = 'gap'"),
    ("quarantined", "Pages in quarantine.", (), "quarantine", "SELECT count(*) FROM quarantine"),
)


class Metrics:
    """The metrics of one application."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self._registry = CollectorRegistry()
        own: CollectorRegistry | None = self._registry
        if os.environ.get(SHARED_METRICS):
            own = None
            MultiProcessCollector(self._registry)  # type: ignore[no-untyped-call]
        self._answers = Counter("seogo_http_answers", "Answers of this server.", ("route", "status"), registry=own)
        self._seconds = Histogram("seogo_http_seconds", "Time to answer.", ("route",), buckets=_BUCKETS, registry=own)
        self._registry.register(self)

    def observe(self, scope: Scope, status: int, seconds: float) -> None:
        """Count an answer, by the pattern of its address and not by the address."""
        route = getattr(scope.get("route"), "path", "other")
        self._answers.labels(route, str(status)).inc()
        self._seconds.labels(route).observe(seconds)

    def text(self) -> bytes:
        """All metrics as Prometheus reads them."""
        return generate_latest(self._registry)

    def collect(self) -> Iterator[Metric]:
        """The state of the archive. `seogo_up` is 0 if it cannot be read."""
        try:
            with self._library.shared.reading() as snapshot:
                found = list(_archive(snapshot, self._library))
        except SeogoError:
            yield _gauge("up", "Whether the archive can be read.", (), [(0,)])
            return
        yield _gauge("up", "Whether the archive can be read.", (), [(1,)])
        yield from found

    def describe(self) -> list[Metric]:
        """Nothing is read at registration."""
        return []


def _archive(snapshot: Snapshot, library: Library) -> Iterator[Metric]:
    for name, text, labels, table, sql in _COUNTED:
        if table in snapshot.tables:
            rows = snapshot.kept(f"metric {name}", lambda sql=sql: snapshot.rows(sql))  # type: ignore[misc]
            yield _gauge(name, text, labels, [tuple(row.values()) for row in rows])
    _, size, changed = snapshot.stamp
    yield _gauge("snapshot_age_seconds", "Age of the snapshot.", (), [(time.time() - changed / 1e9,)])
    yield _gauge("snapshot_bytes", "Size of the snapshot.", (), [(size,)])
    behind = library.browser.behind()
    yield _gauge("search_index_current", "1: the search index is that of the snapshot.", (), [(int(behind is False),)])
    if "events" in snapshot.tables:
        with snapshot.cursor() as connection:
            lag = changes_behind(connection, library.browser.cursor())
        yield _gauge("search_index_lag_changes", "Changes that the search index lacks.", (), [(lag,)])


def _gauge(name: str, text: str, labels: tuple[str, ...], rows: list[tuple[Any, ...]]) -> GaugeMetricFamily:
    gauge = GaugeMetricFamily(f"seogo_{name}", text, labels=labels)
    for *values, number in rows:
        value = number.timestamp() if isinstance(number, datetime) else float(number or 0)
        gauge.add_metric([str(one) for one in values], value)
    return gauge
