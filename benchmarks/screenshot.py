"""The pictures of the documentation, taken by a headless browser: an archive's report and web site, Prefect's UI.

    python -m benchmarks.screenshot [--only report|serve|prefect] [--out DIR] [--chromium PATH]  (make screenshots)

Needs Debian's `chromium`, `fonts-noto-cjk` and `faketime`. Everything runs on this machine, against the replica.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx

from benchmarks.engine import DEPLOYMENT, FINAL, posted
from benchmarks.support import ROOT, SEOGO
from flows.deployed.local import engine_at
from flows.replica.corpus.articles import Corpus, make_corpus
from flows.replica.corpus.plan import Shares
from flows.replica.pages.search_api import CLIENT_ID, CLIENT_SECRET
from flows.replica.server import Replica

DAYS = 10
QUIET = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--hide-scrollbars"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)


def main() -> None:
    """Take the pictures that were asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=PICTURES, help="this picture and no other")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "images")
    parser.add_argument("--chromium", default=shutil.which("chromium") or "/usr/bin/chromium")
    given = parser.parse_args()
    for name in [given.only] if given.only else PICTURES:
        with tempfile.TemporaryDirectory() as folder:
            PICTURES[name](Path(folder), given.chromium, given.out / f"{name}.png")


def _report(folder: Path, chromium: str, picture: Path) -> None:
    """The page of `seogo report --html` after ten days of daily crawls, at a fixed time: the same page every time."""
    with Replica(_corpus()) as naver:
        _crawl_daily(folder, naver)
        _seogo(folder, naver, "report", "--days", str(DAYS), "--html", "report.html")
    _take(chromium, (folder / "report.html").as_uri(), picture, size=(1280, 800))


def _serve(folder: Path, chromium: str, picture: Path) -> None:
    """The first page of `seogo serve` after the same days."""
    with Replica(_corpus()) as naver:
        _crawl_daily(folder, naver)
    command = [*SEOGO, "serve", "--port", "0", "--topic", str(ROOT / "topics" / "demo.yaml")]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.PIPE, text=True) as running:
        said = running.stdout.readline() if running.stdout else ""
        address = next(word for word in said.split() if word.startswith("http"))
        _take(chromium, f"{address}/?lang=ko", picture, size=(1280, 1000))
        running.terminate()


def _corpus() -> Corpus:
    """Articles of which many are rewritten by other publishers: the pages show stories."""
    return make_corpus(seed=1, shares=Shares(rewritten=0.4))


def _crawl_daily(folder: Path, naver: Replica) -> None:
    last = naver.clock.now
    for days in reversed(range(DAYS)):
        naver.clock.set(last - timedelta(days=days))
        for command in ("crawl", "refresh"):
            _seogo(folder, naver, command)
    naver.clock.advance(timedelta(minutes=1))  # later than everything that was crawled
    # The pages say how old the snapshot is, by the file's own time.
    os.utime(folder / "archive" / "archive.duckdb", (last.timestamp(),) * 2)


def _seogo(folder: Path, naver: Replica, *words: str) -> None:
    """A command of seogo's in `folder`, which takes the replica's time for the present."""
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "SEOGO_NAVER": naver.url,
        "SEOGO_TOPIC": str(ROOT / "topics" / "demo.yaml"),
        "NAVER_CLIENT_ID": CLIENT_ID,
        "NAVER_CLIENT_SECRET": CLIENT_SECRET,
    }
    present = naver.clock.now.astimezone().strftime("%Y-%m-%d %H:%M:%S")
    command = ["faketime", present, *SEOGO, *words]
    subprocess.run(command, cwd=folder, env=environment, check=True, timeout=120, stdout=subprocess.DEVNULL)


def _prefect(folder: Path, chromium: str, picture: Path) -> None:
    """The summary of a crawl in Prefect's UI."""
    naver = Replica(make_corpus(seed=1, last=datetime.now(UTC)), pace=1.0)
    with naver, engine_at(folder, naver=naver) as engine:
        with httpx.Client(base_url=f"{engine.api}/", timeout=90, trust_env=False) as client:
            run = _crawled(client)
            found = posted(client, "artifacts/filter", {"flow_runs": {"id": {"any_": [run]}}})
        artifact = next(one["id"] for one in found if one["type"] == "markdown")
        _take(chromium, f"{engine.url}/artifacts/artifact/{artifact}", picture, "--force-dark-mode", size=(1400, 1000))


def _crawled(client: httpx.Client) -> str:
    """Run the crawl's deployment to its end; returns the run's id."""
    deployment = client.get(f"deployments/name/{DEPLOYMENT}").raise_for_status().json()
    run = posted(client, f"deployments/{deployment['id']}/create_flow_run", {"parameters": {"create": True}})
    while client.get(f"flow_runs/{run['id']}").json()["state_type"] not in FINAL:
        time.sleep(0.2)
    return str(run["id"])


def _take(chromium: str, url: str, path: Path, *options: str, size: Sequence[int]) -> None:
    """One picture of one page, once it has settled."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as profile:
        words = [chromium, *QUIET, *options, f"--user-data-dir={profile}", f"--window-size={size[0]},{size[1]}"]
        words += ["--virtual-time-budget=15000", f"--screenshot={path}", url]
        subprocess.run(words, check=True, timeout=120, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    print(f"{path}: {path.stat().st_size:,} bytes")


PICTURES = {"report": _report, "serve": _serve, "prefect": _prefect}

if __name__ == "__main__":
    main()
