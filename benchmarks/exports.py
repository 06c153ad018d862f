"""The cost of exports, publication and reports, on a small and on a large archive.

    python -m benchmarks.exports [--work DIR] [--quick]

Archives of 10,000 and of 100,000 articles are created through the storage API (some minutes, once per --work). Each
step then runs in its own process, on a copy: every format for the first time, again without changes, and after a run
that stored 100 more articles; then the snapshot, the report, and the HTML page.
"""

from __future__ import annotations

import resource
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from benchmarks.documents import batch_of, in_subprocess, make_archive, store_run
from benchmarks.support import introduce, options, work_folder
from flows.reports.markdown import report
from flows.runs.publish import PublishOrder, publish
from storage.archive import open_archive
from storage.exports.full import FORMS, export

SIZES = (10_000, 100_000)
MORE = 100


@dataclass(frozen=True, slots=True)
class Cost:
    """The cost of a step: seconds, bytes written, and peak memory of its process in bytes."""

    seconds: float
    bytes: int
    peak: int


def main() -> None:
    """Measure and print."""
    given = options(__doc__ or "").parse_args()
    work = work_folder(given.work)
    introduce("exports, publication, reports")
    for size in (300, 3000) if given.quick else SIZES:
        made = in_subprocess(make_archive, work / f"archive-of-{size}", size)
        _measure(_copied(made, work / "exported"), size)


def _measure(root: Path, size: int) -> None:
    print(f"  {size:,} articles{'seconds':>29}{'MB written':>14}{'peak, MB':>12}", flush=True)
    for form in FORMS:
        for turn in ("first", "nothing changed"):
            _print(f"{form}, {turn}", in_subprocess(_cost, partial(_export, root, form)))
    _print(f"(a run that stores {MORE})", in_subprocess(_cost, partial(_store, root)))
    for form in FORMS:
        _print(f"{form}, {MORE} more", in_subprocess(_cost, partial(_export, root, form)))
    shutil.rmtree(root / "exports")
    (root / "state" / "seals.json").unlink()  # as after a run that was interrupted
    for turn in ("database and exports", "nothing changed"):
        _print(f"publish, {turn}", in_subprocess(_cost, partial(_publish, root)))
    _print("report, Markdown", in_subprocess(_cost, partial(_report, root)))
    _print("report, page", in_subprocess(_cost, partial(_page, root)))
    print()


def _print(what: str, cost: Cost) -> None:
    print(f"    {what:32}{cost.seconds:>11.2f}{cost.bytes / 1e6:>14.1f}{cost.peak / 1e6:>12.0f}", flush=True)


def _cost(step: Callable[[], int]) -> Cost:
    began = time.monotonic()
    written = step()
    return Cost(time.monotonic() - began, written, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)


def _export(root: Path, form: str) -> int:
    return export(root, form).bytes


def _store(root: Path) -> int:
    """A regular run, which also publishes the snapshot."""
    with open_archive(root) as archive:
        store_run(archive, "20200102T000000Z-0000", datetime.now(UTC), batch_of(1, MORE))
    return (root / "archive.duckdb").stat().st_size


def _publish(root: Path) -> int:
    done = publish(PublishOrder(root))
    return done.snapshot * done.snapshot_bytes + sum(one.bytes for one in done.exports)


def _report(root: Path) -> int:
    return len(report(root).encode())


def _page(root: Path) -> int:
    from flows.serving.pages.static_page import write_page

    return write_page(root, root / "exports/report.html", title="report", language="ko", days=30)


def _copied(made: Path, root: Path) -> Path:
    """A writable copy."""
    shutil.rmtree(root, ignore_errors=True)
    shutil.copytree(made, root)
    return root


if __name__ == "__main__":
    main()
