"""What exports, publishing and reports cost on a small archive and on a large one.

    python -m benchmarks.exports [--work DIR] [--quick]

Archives of 10,000 and of 100,000 articles are made by the storage's own functions (some minutes, once for each --work).
Each step then runs in a process of its own, on a copy: every format for the first time, again with nothing changed, and
after a run that stored 100 articles more; then the readers' database, the report, and the page.
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

from benchmarks.documents import apart, batch_of, make_archive
from benchmarks.support import introduce, options, work_folder
from flows.reports.markdown import report
from flows.runs.publish import PublishOrder, publish
from schemas.errors import BadInput
from schemas.receipt import ExitReason, Receipt
from storage.archive import open_archive
from storage.exports.full import FORMS, export

SIZES = (10_000, 100_000)
MORE = 100


@dataclass(frozen=True, slots=True)
class Cost:
    """Of a step: seconds, bytes written, and the process's peak memory in bytes."""

    seconds: float
    bytes: int
    peak: int


def main() -> None:
    """Measure and print."""
    given = options(__doc__ or "").parse_args()
    work = work_folder(given.work)
    introduce("exports, publishing, reports")
    for size in (300, 3000) if given.quick else SIZES:
        made = apart(make_archive, work / f"archive-of-{size}", size)
        _measure(_copied(made, work / "exported"), size)


def _measure(root: Path, size: int) -> None:
    print(f"  {size:,} articles{'seconds':>29}{'MB written':>14}{'peak, MB':>12}", flush=True)
    for form in FORMS:
        for turn in ("first", "nothing changed"):
            _print(f"{form}, {turn}", apart(_cost, partial(_export, root, form)))
    _print(f"(a run that stores {MORE})", apart(_cost, partial(_store, root)))
    for form in FORMS:
        _print(f"{form}, {MORE} more", apart(_cost, partial(_export, root, form)))
    shutil.rmtree(root / "exports")
    (root / "state" / "seals.json").unlink()  # as after a run that did not get to its end
    for turn in ("database and exports", "nothing changed"):
        _print(f"publish, {turn}", apart(_cost, partial(_publish, root)))
    _print("report, Markdown", apart(_cost, partial(_report, root)))
    _print("report, page", apart(_cost, partial(_page, root)))
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
    """A run like any other. It brings readers their copy itself."""
    with open_archive(root) as archive:
        receipt = Receipt("20200102T000000Z-0000", "crawl", "benchmark", datetime.now(UTC))
        archive.start_run(receipt)
        archive.store(receipt.run_id, batch_of(1, MORE))
        receipt.finished_at, receipt.exit_reason = datetime.now(UTC), ExitReason.DONE
        archive.finish_run(receipt, {}, [])
    return (root / "archive.duckdb").stat().st_size


def _publish(root: Path) -> int:
    done = publish(PublishOrder(root))
    return done.snapshot * done.snapshot_bytes + sum(one.bytes for one in done.exports)


def _report(root: Path) -> int:
    return len(report(root).encode())


def _page(root: Path) -> int:
    from flows.reports.page import write_page

    try:
        return write_page(root, root / "exports/report.html", days=30)
    except BadInput as error:
        print(f"    (no page: {error})")
        return 0


def _copied(made: Path, root: Path) -> Path:
    """A copy to write in."""
    shutil.rmtree(root, ignore_errors=True)
    shutil.copytree(made, root)
    return root


if __name__ == "__main__":
    main()
