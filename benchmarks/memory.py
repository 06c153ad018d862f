"""Peak memory of an import and of a crawl of 100,000 articles.

    python -m benchmarks.memory [--articles N] [--padding BYTES] [--work DIR] [--quick]

Each is the real command in its own process; the peak is its resident memory as measured by the kernel. Documents and
pages are generated first (some minutes, once per --work); nginx serves the pages, which are small unless --padding is
given.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from benchmarks.documents import in_subprocess, make_documents
from benchmarks.nginx import nginx
from benchmarks.pages import make_pages
from benchmarks.support import SEOGO, Run, introduce, measured, options, topic_file, work_folder

WANTED = 400
"""Megabytes."""


def main() -> None:
    """Measure and print."""
    parser = options(__doc__ or "")
    parser.add_argument("--articles", type=int, default=100_000)
    parser.add_argument("--padding", type=int, default=0, help="bytes of a page besides its article")
    given = parser.parse_args()
    articles = 300 if given.quick else given.articles
    work = work_folder(given.work)
    documents = in_subprocess(make_documents, work / f"documents-{articles}", articles)
    pages, addresses = in_subprocess(make_pages, work, articles, given.padding)
    introduce(f"peak memory at {articles:,} articles")
    print(f"  {'':10}{'peak, MB':>10}{'target':>10}{'seconds':>10}{'articles per second':>20}", flush=True)
    _print_line("import", _import(work, documents, articles), articles)
    with nginx(pages / "site") as site:
        _print_line("crawl", _crawl(work, addresses, site, articles), articles)


def _import(work: Path, documents: Path, articles: int) -> Run:
    archive = _fresh(work)
    return _checked(measured([*SEOGO, "import", "--json", "--archive", archive, documents], work), articles)


def _crawl(work: Path, addresses: Path, site: str, articles: int) -> Run:
    command = [*SEOGO, "crawl", "--json", "--archive", _fresh(work), "--topic", topic_file(work)]
    return _checked(measured([*command, "--from-file", addresses], work, {"SEOGO_NAVER": site}), articles)


def _fresh(work: Path) -> Path:
    shutil.rmtree(work / "archive", ignore_errors=True)
    return work / "archive"


def _checked(run: Run, articles: int) -> Run:
    if run.receipt["outcomes"]["new"] != articles:
        raise SystemExit(f"not all {articles} articles were stored: {run.receipt['outcomes']}.")
    return run


def _print_line(what: str, run: Run, articles: int) -> None:
    below = f"< {WANTED}" if run.peak / 1e6 < WANTED else f"NOT < {WANTED}"
    print(
        f"  {what:10}{run.peak / 1e6:>10.0f}{below:>10}{run.seconds:>10.1f}{articles / run.seconds:>20.0f}", flush=True
    )


if __name__ == "__main__":
    main()
