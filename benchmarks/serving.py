"""`seogo serve` beside Datasette, on the same articles: requests a second, the slowest of a hundred, memory, start.

    python -m benchmarks.serving [--articles N] [--seconds S] [--corpus FILE] [--peers-python PYTHON] [--work DIR]

Datasette has them in SQLite with FTS5, one row an article. Each page is asked by 2 and by 16 clients in turn, each on
one connection, from this process on the same machine. 30 searches and 200 articles take turns; seogo answers them from
memory after the first time. So searches and articles that were never asked before are measured too (`new`). The
processor's time is that of the server, for each answer.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import date, timedelta
from itertools import cycle
from pathlib import Path
from urllib.parse import quote, urlsplit

from benchmarks.peers import peers_python
from benchmarks.search_texts import CORPUS, make_archive
from benchmarks.support import ROOT, SEOGO, introduce, options, work_folder
from storage.reading.reader import open_snapshot
from storage.search.follower import follow

WORDS = (
    *(
        "정부",
        "대표",
        "은행",
        "투자",
        "모델",
        "독자",
        "업스테이지",
        "소버린",
        "파운데이션",
        "삼성전자",
        "대통령",
        "코스피",
    ),
    *("반도체", "네이버", "북한", "데이터센터", "한국은행", "최저임금", "기준금리", "인공지능", "공사", "전자", "서울"),
    *("부산", "정부 투자", "삼성전자 반도체", "정부 은행", "국정감사", "부동산정책", "LG전자"),
)
CLIENTS = (2, 16)
SHOWN = 200
KEPT = ("home", "search", "article")
"""Each of these pages is asked once before."""
_CREATE = """
CREATE TABLE articles (id TEXT PRIMARY KEY, title TEXT, body TEXT, publisher TEXT, published_at TEXT, url TEXT);
CREATE VIRTUAL TABLE articles_fts USING fts5 (title, body, content='articles');
"""
_STARTS_WITHIN = 60.0


def main() -> None:
    """Make the archive and its copy, and measure both servers one after the other."""
    parser = options(__doc__ or "")
    parser.add_argument("--articles", type=int, default=10_000, metavar="N")
    parser.add_argument("--seconds", type=float, default=5.0, metavar="S", help="how long each figure is measured")
    parser.add_argument("--corpus", type=Path, default=CORPUS, metavar="FILE")
    parser.add_argument("--peers-python", type=Path, metavar="PYTHON", help="a Python that has Datasette")
    given = parser.parse_args()
    count, seconds = (300, 0.5) if given.quick else (given.articles, given.seconds)
    introduce(f"serving {count:,} articles")
    work = work_folder(given.work)
    python = peers_python(work, given.peers_python, needs="datasette")
    root = make_archive(work / f"serving-{count}", count, given.corpus)
    follow(root)
    copy = work / "copy.db"
    ids = copy_for_datasette(root, copy)
    port = "8791"
    seogo = [*SEOGO, "serve", "--archive", str(root), "--port", port]
    datasette = [str(python), "-m", "datasette", "serve", "--immutable", str(copy), "--port", port]
    measure("seogo", seogo, port, seconds, pages_of_seogo(ids))
    measure("Datasette", datasette, port, seconds, pages_of_datasette(ids))


def pages_of_seogo(ids: Sequence[str]) -> dict[str, list[str]]:
    """The addresses of each kind of page."""
    searches = [f"/search?q={quote(word)}&all=1" for word in WORDS]
    articles = [f"/article/{one}" for one in ids]
    days = [date(2099, 1, 1) + timedelta(days=number) for number in range(300)]
    new = [f"{one}&to={day}" for day in days for one in searches]
    return {
        "home": ["/"],
        "search": searches,
        "article": articles[:SHOWN],
        "search, new": new,
        "article, new": articles[SHOWN:],
    }


def pages_of_datasette(ids: Sequence[str]) -> dict[str, list[str]]:
    """The same of Datasette; 20 rows a page, as in seogo."""
    searches = [f"/copy/articles?_search={quote(word)}&_size=20" for word in WORDS]
    return {"home": ["/"], "search": searches, "article": [f"/copy/articles/{one}" for one in ids[:SHOWN]]}


def copy_for_datasette(root: Path, path: Path) -> list[str]:
    """The articles in SQLite; returns their ids in an order without meaning."""
    path.unlink(missing_ok=True)
    columns = "id, title, body, publisher, published_at::VARCHAR, url"
    with open_snapshot(root) as archive, closing(sqlite3.connect(path)) as copy:
        copy.executescript(_CREATE)
        cursor = archive.execute(f"SELECT {columns} FROM articles")
        while rows := cursor.fetchmany(1_000):
            copy.executemany("INSERT INTO articles VALUES (?, ?, ?, ?, ?, ?)", rows)
        copy.execute("INSERT INTO articles_fts (articles_fts) VALUES ('rebuild')")
        copy.commit()
        return [id_ for (id_,) in archive.execute("SELECT id FROM articles ORDER BY hash(id)").fetchall()]


def measure(name: str, command: Sequence[str], port: str, seconds: float, pages: dict[str, list[str]]) -> None:
    """Start a server, ask each kind of page, and print the figures."""
    with running(command, port) as (process, started):
        print(f"{name}: answers {started:.2f} s after its start")
        for kind, paths in pages.items():
            if kind in KEPT:
                asyncio.run(load(port, iter(paths), 1, 60.0))
        every = {kind: cycle(paths) for kind, paths in pages.items() if paths}
        for clients in CLIENTS:
            for kind, paths in every.items():
                before = processor_seconds(process.pid)
                times, failed = asyncio.run(load(port, paths, clients, seconds))
                spent = 1000 * (processor_seconds(process.pid) - before) / len(times)
                ordered = sorted(times)
                p50, p99 = (1000 * ordered[int(share * (len(ordered) - 1))] for share in (0.5, 0.99))
                rate = len(times) / seconds
                shown = f"p50 {p50:6.1f} ms  p99 {p99:6.1f} ms  processor {spent:5.2f} ms  failed {failed}"
                print(f"  {kind:12} {clients:3} clients: {rate:7.1f}/s  {shown}", flush=True)
        print(f"  peak memory {peak(process.pid) / 1e6:.0f} MB")


@contextmanager
def running(command: Sequence[str], port: str) -> Iterator[tuple[subprocess.Popen[bytes], float]]:
    """A server, and the seconds until it answered the first request."""
    began = time.monotonic()
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            while not asyncio.run(answers(port)):
                if process.poll() is not None or time.monotonic() > began + _STARTS_WITHIN:
                    raise SystemExit(f"{' '.join(command)} did not start")
                time.sleep(0.01)
            yield process, time.monotonic() - began
        finally:
            process.terminate()


async def answers(port: str) -> bool:
    """Whether somebody listens."""
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", int(port))
    except OSError:
        return False
    writer.close()
    return True


async def load(port: str, every: Iterator[str], clients: int, seconds: float) -> tuple[list[float], int]:
    """The seconds of each answer, and how many were not 200."""
    times: list[float] = []
    failed = 0

    async def client(ends: float) -> None:
        nonlocal failed
        reader, writer = await asyncio.open_connection("127.0.0.1", int(port))
        for path in every:
            if time.monotonic() > ends:
                break
            began = time.monotonic()
            failed += await ask(reader, writer, path) != 200
            times.append(time.monotonic() - began)
        writer.close()

    await asyncio.gather(*(client(time.monotonic() + seconds) for _ in range(clients)))
    return times, failed


async def ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, path: str) -> int:
    """One request on an open connection; the status of the answer, which is read to its end."""
    target = urlsplit(path)
    writer.write(f"GET {target.geturl()} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
    if "transfer-encoding: chunked" in head:
        while size := int((await reader.readline()).split(b";")[0], 16):
            await reader.readexactly(size + 2)
        await reader.readline()
    else:
        await reader.readexactly(int(head.partition("content-length:")[2].split("\r\n")[0]))
    return int(head.split()[1])


def processor_seconds(pid: int) -> float:
    """The processor time of a process, user and system."""
    fields = Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def peak(pid: int) -> int:
    """The peak memory of a process, in bytes."""
    status = Path(f"/proc/{pid}/status").read_text("utf-8")
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024


if __name__ == "__main__":
    main()
