"""A Prefect server and a worker as processes on this machine, for `make prefect` and for tests.

All their files are in one directory (PREFECT_HOME), and they listen on 127.0.0.1 only.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from flows.deployed.server import NoServer, wait_for_server
from schemas.errors import SeogoError

HOST = "127.0.0.1"
ENDED_WITHIN = 40.0
"""Seconds. A worker gives its runs 30 seconds to end."""


class EngineFailed(SeogoError):
    """Prefect's server or worker did not start. The message names the log."""


class Engine:
    """A server and a worker with the PREFECT_HOME `home`. `environment`: further variables for both."""

    def __init__(self, home: Path, environment: Mapping[str, str], *, port: int = 0) -> None:
        self.home = home
        self.port = port or free_port()
        self.environment = {
            **os.environ,
            "PREFECT_HOME": str(home),
            "PREFECT_PROFILES_PATH": str(home / "profiles.toml"),
            "PREFECT_API_URL": self.api,
            "PREFECT_UI_URL": self.url,
            "PREFECT_SERVER_API_HOST": HOST,
            "PREFECT_SERVER_API_PORT": str(self.port),
            "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
            "DO_NOT_TRACK": "1",
            **environment,
        }
        self.server: subprocess.Popen[bytes] | None = None
        self.worker: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """The UI's address."""
        return f"http://{HOST}:{self.port}"

    @property
    def api(self) -> str:
        return f"{self.url}/api"

    def start_server(self) -> None:
        """Start the server, and wait until it answers. Raises EngineFailed."""
        with _signals_deferred():
            self.server = self._start("server", "prefect", "server", "start", "--host", HOST, "--port", str(self.port))
        started = self.server
        try:
            wait_for_server(self.api, lives=lambda: started.poll() is None)
        except NoServer as error:
            raise EngineFailed(f"{error} See {self._log('server')}.") from error

    def start_worker(self) -> None:
        """Start a worker of the pool. It is ready once it has polled the server."""
        with _signals_deferred():
            self.worker = self._start("worker", "flows.deployed.worker", "--name", "here")

    def run(self, *words: str) -> None:
        """Run a Python module as the server's client, such as `flows.deployed.apply`. Raises EngineFailed."""
        with self.running(*words):
            pass

    @contextmanager
    def running(self, *words: str) -> Iterator[None]:
        """Run a Python module as the server's client during a block, and wait for its end. Raises EngineFailed."""
        with self._log(words[0]).open("ab") as log, self._popen(log, *words) as client:
            try:
                yield
                code = client.wait()
            except BaseException:
                client.kill()
                raise
        if code:
            raise EngineFailed(f"{' '.join(words)} failed: see {self._log(words[0])}.")

    def stop_worker(self) -> None:
        """Stop the worker. Before the server, so that it can report how its runs ended."""
        _end(self.worker)
        self.worker = None

    def stop_server(self) -> None:
        _end(self.server)
        self.server = None

    def stop(self) -> None:
        """Stop both, in order."""
        self.stop_worker()
        self.stop_server()

    def _start(self, name: str, *words: str) -> subprocess.Popen[bytes]:
        with self._log(name).open("ab") as log:
            # A session of its own: Ctrl-C in the terminal must not reach it, since `stop` keeps the order.
            return self._popen(log, *words, start_new_session=True)

    def _popen(self, log: IO[bytes], *words: str, start_new_session: bool = False) -> subprocess.Popen[bytes]:
        return subprocess.Popen(  # noqa: S603 - fixed arguments
            [sys.executable, "-m", *words],
            env=self.environment,
            stdout=log,
            stderr=log,
            start_new_session=start_new_session,
        )

    def _log(self, name: str) -> Path:
        self.home.mkdir(parents=True, exist_ok=True)
        return self.home / f"{name}.log"


@contextmanager
def _signals_deferred() -> Iterator[None]:
    """Defer signals to the end of the block. One while a process is started would leave it running unnoticed."""
    if threading.current_thread() is not threading.main_thread():
        yield  # signals are delivered to the main thread
        return
    came: list[int] = []
    before = {one: signal.signal(one, lambda number, _: came.append(number)) for one in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)
    for number in came[:1]:
        signal.raise_signal(number)


def free_port() -> int:
    """A port of 127.0.0.1 that is free at the moment."""
    with socket.socket() as listener:
        listener.bind((HOST, 0))
        return int(listener.getsockname()[1])


def below(parent: int) -> list[int]:
    """All descendants of a process."""
    try:
        children = [int(pid) for pid in Path(f"/proc/{parent}/task/{parent}/children").read_text("ascii").split()]
    except OSError:
        return []
    return children + [pid for child in children for pid in below(child)]


def _end(process: subprocess.Popen[bytes] | None) -> None:
    """Terminate a process; after ENDED_WITHIN seconds, kill its process group."""
    if process is None:
        return
    process.send_signal(signal.SIGTERM)
    with suppress(subprocess.TimeoutExpired):
        process.wait(ENDED_WITHIN)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
