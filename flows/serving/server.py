"""The process that serves: the port, the signals, the thread that keeps the search index up to date."""

from __future__ import annotations

import ipaddress
import re
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import uvicorn
from starlette.types import ASGIApp

from flows import http_server
from flows.serving.app import make_app
from flows.serving.context import Library
from flows.serving.workers import Site, serve_by_workers
from schemas.errors import ArchiveBusy, BadInput, SeogoError
from storage.search.index import stamp_of

_LOOKS_EVERY = 1.0
"""Seconds between two looks whether the snapshot was replaced."""
_CLOSE_WITHIN = 2


def serve(
    archive: Path,
    *,
    host: str,
    port: int,
    title: str,
    sql: bool = False,
    public: bool = False,
    names: Sequence[str] = (),
    workers: int = 1,
) -> None:
    """Serve an archive until SIGINT or SIGTERM; prints one line with the address. Raises BadInput.

    `workers`: the number of processes that answer; 1 is this one.
    """
    check_exposure(host, sql=sql, public=public or bool(names))
    site = Site(archive, title, sql, public or bool(names), dict(map(named, names)))
    listener = http_server.listen(host, port)
    address = listener.getsockname()
    shown = f"[{address[0]}]" if ":" in address[0] else address[0]
    announce = partial(_announce, f"http://{shown}:{address[1]}", archive)
    ended_by = None
    with index_follower(archive), closing(listener):
        if workers == 1:
            _serve_here(site, listener, announce)
        else:
            ended_by = serve_by_workers(site, config, listener, workers, announce)
    if ended_by is not None:  # after everything is cleaned up, the same end as without workers
        signal.signal(ended_by, signal.default_int_handler if ended_by == signal.SIGINT else signal.SIG_DFL)
        signal.raise_signal(ended_by)


def _serve_here(site: Site, listener: socket.socket, on_ready: Callable[[], object]) -> None:
    with closing(site.library()) as library:
        http_server.Server(config(make_app(library, names=site.names)), on_ready).run([listener])


def named(text: str) -> tuple[str, str]:
    """The host name and the scheme of `news.example.org` (http) or `https://news.example.org`. Raises BadInput."""
    found = re.fullmatch(r"(?:(https?)://)?([a-z0-9.-]+)/?", text.lower())
    if not found:
        raise BadInput(f"--name {text}: expected a host name, such as news.example.org or https://news.example.org.")
    return found[2], found[1] or "http"


def check_exposure(host: str, *, sql: bool, public: bool) -> None:
    """Raises BadInput if strangers could ask for what only this machine may."""
    try:
        is_loopback = ipaddress.ip_address(host).is_loopback
    except ValueError as error:
        raise BadInput(f"--host {host}: expected an IP address, such as 127.0.0.1 or 0.0.0.0.") from error
    if not is_loopback and not public:
        raise BadInput(
            f"--host {host} lets other machines read the archive, whose texts belong to their publishers."
            " Add --public if you may."
        )
    if sql and public:
        raise BadInput("--sql is for this machine alone: leave out --public, --name and any --host but 127.0.0.1.")


def config(app: ASGIApp | Callable[[], ASGIApp], **more: Any) -> uvicorn.Config:
    """The settings of uvicorn: warnings only, nothing about itself, no trust in the headers of a proxy."""
    return http_server.config(
        app, close_within=_CLOSE_WITHIN, log_level="warning", server_header=False, proxy_headers=False, **more
    )


def _announce(address: str, archive: Path) -> None:
    sys.stdout.write(f"seogo: {archive} at {address} (Ctrl-C ends it)\n")
    sys.stdout.flush()


def serve_assistant(archive: Path, *, title: str) -> None:
    """Answer an assistant on standard input and output until it leaves. Raises BadInput if there is no archive."""
    from flows.serving.programs.assistant import make_assistant

    library = Library.of(archive, title=title, sql=True)
    with library.shared.reading():
        pass  # it says what is wrong with the archive, if anything is
    with index_follower(archive):
        make_assistant(library).run("stdio")


@contextmanager
def index_follower(archive: Path) -> Iterator[None]:
    """Inside the block, a thread brings the search index up to date whenever the snapshot was replaced."""
    stop = threading.Event()
    thread = threading.Thread(target=_follow, args=(archive, stop), name="search index", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(_CLOSE_WITHIN)


def _follow(archive: Path, stop: threading.Event) -> None:
    """Try each snapshot until no other process is updating the index."""
    done = ""
    while not stop.is_set():
        stamp = stamp_of(archive)
        if stamp and stamp != done and _is_tried(archive):
            done = stamp
        stop.wait(_LOOKS_EVERY)


def _is_tried(archive: Path) -> bool:
    from storage.search.follower import follow

    try:
        follow(archive, wait=_CLOSE_WITHIN)
    except ArchiveBusy:
        return False
    except SeogoError:
        return True  # the pages say that the index is behind; the next snapshot is another try
    return True
