"""Several processes that answer at one port: `seogo serve --workers N`.

They share the listening socket, and the system gives each connection to one of them. Each has its own snapshot, kept
pages and connections. This process only watches them: it starts one again that has ended, passes on the end, and keeps
the search index up to date. What they count for Prometheus is in files of a temporary folder, so that each can tell the
sum.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import socket
import tempfile
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from starlette.types import ASGIApp
from uvicorn import Config
from uvicorn.supervisors import Multiprocess

from flows.serving.app import make_app
from flows.serving.context import Library
from flows.serving.metrics import SHARED_METRICS

_STARTS_WITHIN = 30
"""Seconds within which a process answers the one that watches it, also while it starts on a busy machine."""


@dataclass(frozen=True, slots=True)
class Site:
    """What is served: the arguments of `Library.of`; and `names`, those of `make_app`."""

    archive: Path
    title: str
    sql: bool = False
    is_public: bool = False
    names: dict[str, str] = field(default_factory=dict)

    def library(self) -> Library:
        return Library.of(self.archive, title=self.title, sql=self.sql, is_public=self.is_public)


def serve_by_workers(
    site: Site, config: Callable[..., Config], listener: socket.socket, workers: int, on_ready: Callable[[], object]
) -> signal.Signals | None:
    """Answer until SIGINT or SIGTERM, which is returned. `config`: makes uvicorn's settings for an application.

    `on_ready` is called when the first process answers.
    """
    with tempfile.TemporaryDirectory(prefix="seogo-metrics-") as folder:
        os.environ[SHARED_METRICS] = folder  # the processes inherit it
        settings = config(
            partial(_application, site), factory=True, workers=workers, timeout_worker_healthcheck=_STARTS_WITHIN
        )
        watch = _Watch(settings, listener, on_ready)
        watch.run()
    return watch.ended_by


class _Watch(Multiprocess):
    """uvicorn's watch over processes, which also says that the first of them is ready, and which signal ended it."""

    def __init__(self, config: Config, listener: socket.socket, on_ready: Callable[[], object]) -> None:
        super().__init__(config, [listener])
        self.ended_by: signal.Signals | None = None
        self._on_ready = on_ready

    def init_processes(self) -> None:
        super().init_processes()
        if self.processes[0].wait_until_ready(_STARTS_WITHIN, self.should_exit):
            self._on_ready()

    def handle_int(self) -> None:
        self.ended_by = signal.SIGINT
        super().handle_int()

    def handle_term(self) -> None:
        self.ended_by = signal.SIGTERM
        super().handle_term()


def _application(site: Site) -> ASGIApp:
    """The application of one process."""
    threading.Thread(target=_end_with_parent, name="parent", daemon=True).start()
    return make_app(site.library(), names=site.names)


def _end_with_parent() -> None:
    """End this process if the one that watches it was killed: nobody else would."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)
