"""Whether there is a network at all: a name that resolves, and a host that accepts a connection."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterable
from contextlib import suppress
from queue import Empty, SimpleQueue

Address = tuple[str, int]

_HEAD_START = 1.0


def offline_reason(first: Address, others: Iterable[Address], within: float) -> str:
    """Why none of these hosts accepts a TCP connection; empty as soon as one does. Takes at most `within` seconds.

    The others are tried only if the first one fails or takes long.
    """
    answers: SimpleQueue[str] = SimpleQueue()
    until = time.monotonic() + within
    waiting, reason = _start([first], answers, until), ""
    with suppress(Empty):
        waiting, reason = 0, answers.get(timeout=min(_HEAD_START, within))
        if not reason:
            return ""
    waiting += _start(others, answers, until)
    while waiting:
        try:
            answer = answers.get(timeout=max(0.0, until - time.monotonic()))
        except Empty:
            return reason or f"{first[0]}: no connection within {within:g} s"
        if not answer:
            return ""
        waiting, reason = waiting - 1, reason or answer
    return reason


def _start(addresses: Iterable[Address], answers: SimpleQueue[str], until: float) -> int:
    """Try all at once. Threads of their own: a resolver may take minutes, and nobody is to wait for it at the end."""
    threads = [threading.Thread(target=_try, args=(one, answers, until), daemon=True) for one in addresses]
    for thread in threads:
        thread.start()
    return len(threads)


def _try(address: Address, answers: SimpleQueue[str], until: float) -> None:
    try:
        socket.create_connection(address, timeout=max(0.1, until - time.monotonic())).close()
        answers.put("")
    except OSError as error:
        answers.put(f"{address[0]}: {error.strerror or error}")
