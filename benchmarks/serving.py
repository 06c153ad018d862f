"""`seogo serve` beside Datasette, on the same articles: requests a second, the slowest of a hundred, memory, start.

    python -m benchmarks.serving [--articles N ...] [--seconds S] [--corpus FILE] [--peers-python PYTHON] [--work DIR]

Datasette has them in SQLite with FTS5, one row an article. Each page is asked by 2 and by 16 clients in turn, each on
one connection, from this process on the same machine. 30 searches and 200 articles take turns; seogo answers them from
memory after the first time. So searches and articles that were never asked before are measured too (`new`). seogo is
measured with one process and with two. The processor's time is that of the server, for each answer. The figures are
printed as they come, and at the end as tables.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import cycle
from pathlib import Path
from typing import NamedTuple
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
PORT = "8791"
KINDS = ("home", "search", "article", "search, new", "article, new")
KEPT = KINDS[:3]
"""Each of these pages is asked once before."""
_CREATE = """
CREATE TABLE articles (id TEXT PRIMARY KEY, title TEXT, body TEXT, publisher TEXT, published_at TEXT, url TEXT);
CREATE VIRTUAL TABLE articles_fts USING fts5 (title, body, content='articles');
"""
_STARTS_WITHIN = 60.0


class Figures(NamedTuple):
    """What some clients got: answers a second, milliseconds of the median and of the slowest of a hundred, milliseconds
    of the processor for each answer, and how many answers were not 200.
    """

    rate: float
    p50: float
    p99: float
    processor: float
    failed: int


@dataclass(frozen=True)
class Measured:
    """A server: the seconds until its first answer, the bytes of its peak memory, and its figures by page and number of
    clients.
    """

    started: float
    memory: int
    figures: dict[tuple[str, int], Figures]


def main() -> None:
    """Make the archives and their copies, and measure the servers one after the other."""
    parser = options(__doc__ or "")
    parser.add_argument("--articles", type=int, nargs="+", default=[10_000, 100_000], metavar="N")
    parser.add_argument("--seconds", type=float, default=5.0, metavar="S", help="how long each figure is measured")
    parser.add_argument("--corpus", type=Path, default=CORPUS, metavar="FILE")
    parser.add_argument("--peers-python", type=Path, metavar="PYTHON", help="a Python that has Datasette")
    given = parser.parse_args()
    sizes, seconds = ([300], 0.5) if given.quick else (given.articles, given.seconds)
    introduce("serving")
    work = work_folder(given.work)
    python = peers_python(work, given.peers_python, needs="datasette")
    tables = [table(count, compared(work, count, given.corpus, python, seconds)) for count in sizes]
    print("", *tables, sep="\n")


def compared(work: Path, count: int, corpus: Path, python: Path, seconds: float) -> dict[str, Measured]:
    """The figures of each server with so many articles."""
    root = make_archive(work / f"serving-{count}", count, corpus)
    follow(root)
    copy = work / "copy.db"
    ids = copy_for_datasette(root, copy)
    seogo = [*map(str, SEOGO), "serve", "--archive", str(root), "--port", PORT]
    datasette = [str(python), "-m", "datasette", "serve", "--immutable", str(copy), "--port", PORT]
    servers: dict[str, tuple[Sequence[str], dict[str, list[str]]]] = {
        "seogo": (seogo, pages_of_seogo(ids)),
        "seogo, 2 processes": ([*seogo, "--workers", "2"], pages_of_seogo(ids)),
        "Datasette": (datasette, pages_of_datasette(ids)),
    }
    return {name: measure(f"{name}, {count:,}", *server, seconds) for name, server in servers.items()}


def table(count: int, servers: dict[str, Measured]) -> str:
    """The figures of one number of articles as Markdown: requests a second, p99 (p50), processor."""
    lines = [f"{count:,} articles | " + " | ".join(f"{name}, {n} clients" for name in servers for n in CLIENTS)]
    lines.append(" | ".join(["---"] * (1 + len(servers) * len(CLIENTS))))
    for kind in KINDS:
        cells = [_cell(one.figures.get((kind, n))) for one in servers.values() for n in CLIENTS]
        lines.append(" | ".join([kind, *cells]))
    rows = "\n".join(f"| {line} |" for line in lines)
    more = "; ".join(f"{name}: {one.started:.2f} s, {one.memory / 1e6:.0f} MB" for name, one in servers.items())
    return f"{rows}\n\nStart and peak memory. {more}.\n"


def _cell(one: Figures | None) -> str:
    if one is None:
        return "–"
    failed = f", {one.failed} failed" if one.failed else ""
    return f"{one.rate:,.0f}/s, {one.p99:.0f} ({one.p50:.0f}) ms, {one.processor:.1f}{failed}"


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


def measure(name: str, command: Sequence[str], pages: dict[str, list[str]], seconds: float) -> Measured:
    """Start a server, ask each kind of page, and print the figures."""
    figures: dict[tuple[str, int], Figures] = {}
    with running(command) as (process, started):
        print(f"{name}: answers {started:.2f} s after its start", flush=True)
        for kind in KEPT:
            asyncio.run(warm(pages[kind], 8 if "--workers" in command else 1))
        every = {kind: cycle(paths) for kind, paths in pages.items() if paths}
        for clients in CLIENTS:
            for kind, paths in every.items():
                one = figures[kind, clients] = asked(process.pid, paths, clients, seconds)
                print(f"  {kind:12} {clients:3} clients: {_cell(one)}", flush=True)
        memory = sum(peak(pid) for pid in family(process.pid))
    print(f"  peak memory {memory / 1e6:.0f} MB", flush=True)
    return Measured(started, memory, figures)


async def warm(paths: Sequence[str], connections: int) -> None:
    """Ask for each page once on each connection: with several, each process answers some of them."""
    await asyncio.gather(*(load(iter(paths), 1, 60.0) for _ in range(connections)))


def asked(pid: int, paths: Iterator[str], clients: int, seconds: float) -> Figures:
    """The figures of one kind of page."""
    before = sum(map(processor_seconds, family(pid)))
    times, failed = asyncio.run(load(paths, clients, seconds))
    spent = sum(map(processor_seconds, family(pid))) - before
    ordered = sorted(times)
    p50, p99 = (1000 * ordered[int(share * (len(ordered) - 1))] for share in (0.5, 0.99))
    return Figures(len(times) / seconds, p50, p99, 1000 * spent / len(times), failed)


def family(pid: int) -> list[int]:
    """A process and its children."""
    return [pid, *map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text("utf-8").split())]


@contextmanager
def running(command: Sequence[str]) -> Iterator[tuple[subprocess.Popen[bytes], float]]:
    """A server, and the seconds until it answered the first request."""
    began = time.monotonic()
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            while not asyncio.run(answers()):
                if process.poll() is not None or time.monotonic() > began + _STARTS_WITHIN:
                    raise SystemExit(f"{' '.join(command)} did not start")
                time.sleep(0.01)
            yield process, time.monotonic() - began
        finally:
            process.terminate()
            process.wait()


async def answers() -> bool:
    """Whether the first page is answered: a socket that listens says nothing of the processes behind it."""
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", int(PORT))
        await ask(reader, writer, "/")
    except (OSError, asyncio.IncompleteReadError):
        return False
    writer.close()
    return True


async def load(every: Iterator[str], clients: int, seconds: float) -> tuple[list[float], int]:
    """The seconds of each answer, and how many were not 200."""
    times: list[float] = []
    failed = 0

    async def client(ends: float) -> None:
        nonlocal failed
        reader, writer = await asyncio.open_connection("127.0.0.1", int(PORT))
        for path in every:
            began = time.monotonic()
            failed += await ask(reader, writer, path) != 200
            times.append(time.monotonic() - began)
            if time.monotonic() > ends:
                break
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
