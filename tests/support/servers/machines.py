"""Machines in a test: a PostgreSQL server that several share, and a machine whose network can be cut.

A machine is a network namespace, which needs root. It has no route but its cables: each leads to one port of this
machine, and can be cut at any time, also in the middle of a transfer. Packets are then lost without an answer.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import count
from socketserver import BaseRequestHandler, ThreadingTCPServer

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


class Cable:
    """From a machine to a port of this one, which it reaches at `host` and `port`."""

    def __init__(self, link: str, host: str, target: int) -> None:
        self.host, self.port = host, 0
        self._link, self._target = link, target
        self._left: int | None = None
        self._lock = threading.Lock()

    @property
    def address(self) -> str:
        return f"{self.host}:{self.port}"

    @property
    def is_cut(self) -> bool:
        return self._left == 0

    def cut_after(self, size: int) -> None:
        """Cut the cable before it has carried so many bytes more."""
        with self._lock:
            self._left = size

    def mend(self) -> None:
        """Connect the cable again."""
        with self._lock:
            self._left = None
        _ip("link", "set", self._link, "up")

    def carry(self, source: socket.socket, target: socket.socket) -> None:
        """Carry bytes until one side closes."""
        with suppress(OSError):
            while data := source.recv(4096):
                self._count(len(data))
                target.sendall(data)
        with suppress(OSError):
            target.shutdown(socket.SHUT_WR)

    def _count(self, size: int) -> None:
        with self._lock:
            if not self._left:  # not to be cut, or cut already
                return
            self._left = max(0, self._left - size)
            if self._left == 0:
                _ip("link", "set", self._link, "down")

    @contextmanager
    def connected(self) -> Iterator[None]:
        """Accept connections during the block."""
        cable = self

        class Relay(BaseRequestHandler):
            def handle(self) -> None:
                with socket.create_connection(("127.0.0.1", cable._target)) as there:
                    back = threading.Thread(target=cable.carry, args=(there, self.request), daemon=True)
                    back.start()
                    cable.carry(self.request, there)
                    back.join()

        with _Server((self.host, 0), Relay) as server:
            self.port = server.server_address[1]
            threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
            try:
                yield
            finally:
                server.shutdown()


class _Server(ThreadingTCPServer):
    daemon_threads = True
    block_on_close = False

    def handle_error(self, request: object, client_address: object) -> None:
        """A connection that was cut is part of a test."""


_NUMBERS = count()


@dataclass(frozen=True)
class Machine:
    """A machine. `enter`: the words before a command that is to run on it."""

    name: str

    @property
    def enter(self) -> tuple[str, ...]:
        return ("ip", "netns", "exec", self.name)

    @contextmanager
    def cable(self, target: int) -> Iterator[Cable]:
        """A cable to a port of this machine."""
        number = next(_NUMBERS)
        # Addresses for tests of networks (RFC 2544), four for each cable.
        first = (198 << 24) + (18 << 16) + 4 * ((os.getpid() * 8 + number) % (1 << 15))
        here, there = (socket.inet_ntoa((first + at).to_bytes(4, "big")) for at in (1, 2))
        link, end = f"sg{os.getpid()}h{number}", f"sg{os.getpid()}m{number}"
        _ip("link", "add", link, "type", "veth", "peer", "name", end, "netns", self.name)
        try:
            _ip("addr", "add", f"{here}/30", "dev", link)
            _ip("link", "set", link, "up")
            _ip("-n", self.name, "addr", "add", f"{there}/30", "dev", end)
            _ip("-n", self.name, "link", "set", end, "up")
            made = Cable(link, here, target)
            with made.connected():
                yield made
        finally:
            _ip("link", "del", link)


@contextmanager
def machine() -> Iterator[Machine]:
    """A machine without any cable; skips the test where there are no network namespaces."""
    usable = shutil.which("ip") and subprocess.run(["unshare", "--net", "true"], check=False, capture_output=True)
    if not usable or usable.returncode:
        pytest.skip("network namespaces need root and iproute2")
    name = f"seogo-{os.getpid()}-{next(_NUMBERS)}"
    _ip("netns", "add", name)
    try:
        yield Machine(name)
    finally:
        _ip("netns", "del", name)


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True)
