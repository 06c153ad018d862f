"""`seogo serve` for tests: the real application on a free port of 127.0.0.1, and archives to be read."""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import uvicorn

from flows.http_server import listen
from flows.serving.app import make_app
from flows.serving.context import Library
from flows.serving.server import config
from schemas.find import Relevance
from storage.archive import open_archive
from storage.search.follower import follow
from tests.support.command import COMMAND, environment
from tests.support.histories.analyst import make
from tests.support.reports import EVIL
from tests.support.values import article, ended, key, page, receipt, stored

EVIL_ID = key(90).id
CAPTURED = key(91).id
STARTS_WITHIN = 20.0


def make_archive(root: Path) -> Path:
    """The analyst's archive, with a hostile article, one with a capture, and the search index."""
    make(root)
    evil = article(90, title=EVIL, body=f"{EVIL}\n\n</p><script>alert(1)</script>", publisher='<b>"악"</b>')
    with open_archive(root) as archive:
        account = receipt("20260112T000000Z-0009")
        archive.start_run(account)
        html = "<script>alert(1)</script><p>받은 쪽</p>".encode()
        results = [
            stored(evil, relevance=Relevance(9.0, ("<i>규칙</i>",), ("가온",))),
            stored(article(91, title="받은 글"), capture=archive.capture(page(key(91).url, html))),
        ]
        archive.store(account.run_id, results)
        archive.finish_run(ended(account), {}, [])
    follow(root)
    return root


@contextmanager
def serving(root: Path, *, sql: bool = False, is_public: bool = False) -> Iterator[str]:
    """The address of a server that reads this archive."""
    library = Library.of(root, title="시험 주제", sql=sql, is_public=is_public)
    listener = listen("127.0.0.1", 0)
    server = uvicorn.Server(config(make_app(library, names={"news.example": "https"})))
    thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
    thread.start()
    ends = time.monotonic() + STARTS_WITHIN
    while not server.started:
        assert time.monotonic() < ends, "the server did not start"
        time.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(STARTS_WITHIN)
        listener.close()
        library.close()


@contextmanager
def serving_process(root: Path, *options: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """`seogo serve` as a process of its own, and its address."""
    command = [*COMMAND, "serve", "--archive", str(root), "--port", "0", *options]
    with subprocess.Popen(command, env=environment(), stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        try:
            line = process.stdout.readline()
            yield process, line.split(" at ")[1].split()[0]
        finally:
            process.terminate()


def client_of(url: str) -> httpx.Client:
    """A client with Korean as its language."""
    return httpx.Client(base_url=url, headers={"Accept-Language": "ko-KR,ko;q=0.9,en;q=0.5"}, timeout=30)
