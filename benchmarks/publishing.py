"""Publishing the snapshot, and exporting a small change, by size of the archive.

    python -m benchmarks.publishing [--largest N] [--runs N] [--work DIR] [--quick]

An archive of 10,000 or 100,000 articles is created through the storage API (some minutes, once per --work); larger ones
multiply the rows of the one of 100,000 under other ids. Publishing is compared with a plain, synced copy of the same
file. `seogo export --since` of the last three changes is measured as a whole command.
"""

from __future__ import annotations

import os
import shutil
import statistics
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import duckdb

from benchmarks.documents import in_subprocess
from benchmarks.reading import make_read_archive
from benchmarks.support import SEOGO, introduce, measured, options, work_folder
from storage import layout
from storage.database import snapshot

MADE = 100_000
TIMES, SINCE = 1.5, 0.5
"""Targets: publishing takes at most this multiple of a plain copy; a small change is exported within these seconds."""


def main() -> None:
    """Measure and print."""
    parser = options(__doc__ or "")
    parser.add_argument("--largest", type=int, default=1_000_000)
    parser.add_argument("--runs", type=int, default=5)
    given = parser.parse_args()
    sizes = (2_000,) if given.quick else tuple(n for n in (10_000, MADE, 1_000_000) if n <= given.largest)
    work = work_folder(given.work)
    roots = {size: _archive(work, size) for size in sizes}
    introduce("publishing the snapshot, and exporting a small change")
    print(f"  {'articles':>10}{'MB':>8}{'publish, ms':>14}{'plain copy, ms':>16}{'times':>8}{'export --since, s':>20}")
    for size, root in roots.items():
        writer = root / layout.WRITER_DATABASE
        published = _median(given.runs, partial(_publish, root, writer))
        copied = _median(given.runs, partial(_copy, writer, root / "plain.copy"))
        asked = statistics.median(_since(root, work) for _ in range(given.runs))
        megabytes = writer.stat().st_size / 1e6
        figures = f"{published * 1000:>14,.0f}{copied * 1000:>16,.0f}{published / copied:>8.2f}{asked:>20.3f}"
        print(f"  {size:>10,}{megabytes:>8,.0f}{figures}")
    print(f"\n  target: at most {TIMES} times a plain copy; a small change in less than {SINCE} s")


def _archive(work: Path, size: int) -> Path:
    if size <= MADE:
        return in_subprocess(make_read_archive, work / f"reading-{size}", size)
    root = work / f"multiplied-{size}"
    if not (root / layout.WRITER_DATABASE).exists():
        _multiply(in_subprocess(make_read_archive, work / f"reading-{MADE}", MADE), root, size // MADE)
    return root


def _multiply(source: Path, root: Path, times: int) -> None:
    """Multiply the rows of an archive, each time under other ids and after the previous events."""
    shutil.rmtree(root, ignore_errors=True)
    (root / "state").mkdir(parents=True)
    part = root / "state" / "part.duckdb"
    shutil.copyfile(source / layout.WRITER_DATABASE, part)
    with duckdb.connect(str(part), config={"memory_limit": "2GB", "preserve_insertion_order": False}) as connection:
        connection.execute(f"ATTACH '{source / layout.WRITER_DATABASE}' AS first (READ_ONLY)")
        for turn in range(1, times):
            aid = f"lpad((aid::BIGINT + {turn} * 1000000)::VARCHAR, 10, '0')"
            connection.execute(
                f"INSERT INTO articles SELECT * REPLACE ({aid} AS aid, oid || '_' || {aid} AS id) FROM first.articles"
            )
            connection.execute(
                f"INSERT INTO events SELECT * REPLACE (seq + {turn} * 1000000000000000 AS seq) FROM first.events"
            )
            connection.execute("CHECKPOINT")
    part.replace(root / layout.WRITER_DATABASE)


def _publish(root: Path, writer: Path) -> None:
    snapshot.publish(writer, root / layout.SNAPSHOT, temporary=root / "state" / "snapshot.tmp")


def _copy(source: Path, target: Path) -> None:
    shutil.copyfile(source, target)
    descriptor = os.open(target, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
        target.unlink()


def _since(root: Path, work: Path) -> float:
    with duckdb.connect(str(root / layout.SNAPSHOT), read_only=True) as connection:
        ((cursor,),) = connection.execute("SELECT seq FROM events ORDER BY seq DESC LIMIT 1 OFFSET 3").fetchall()
    words = ["export", "--since", str(cursor), "--format", "jsonl", "--archive", str(root)]
    return measured([*SEOGO, *words], work).seconds


def _median(runs: int, act: Callable[[], None]) -> float:
    """The median duration; a first call is a warm-up."""
    found = []
    for _ in range(runs + 1):
        began = time.monotonic()
        act()
        found.append(time.monotonic() - began)
    return statistics.median(found[1:])


if __name__ == "__main__":
    main()
