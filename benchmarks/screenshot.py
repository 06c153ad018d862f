"""Screenshots of Prefect's UI with seogo's deployments and a crawl, by a headless browser.

    python -m benchmarks.screenshot [--out DIR] [--all] [--chromium PATH]        (make prefect-screenshot)

Needs Debian's `chromium`, which has no part in anything else. Everything runs on this machine, against the replica.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import httpx

from benchmarks.engine import DEPLOYMENT, FINAL, posted
from benchmarks.support import ROOT
from flows.deployed.local import engine_at
from flows.replica.corpus import make_corpus
from flows.replica.server import Replica

QUIET = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--hide-scrollbars"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync", "--force-dark-mode"),
)


def main() -> None:
    """Bring everything up, crawl twice, take the pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "images")
    parser.add_argument("--chromium", default=shutil.which("chromium") or "/usr/bin/chromium")
    parser.add_argument("--all", action="store_true", help="also of the run and of the deployments, to look at")
    given = parser.parse_args()
    naver = Replica(make_corpus(seed=1, last=datetime.now(UTC)), pace=1.0)
    with tempfile.TemporaryDirectory() as folder, naver, engine_at(Path(folder), naver=naver) as engine:
        with httpx.Client(base_url=f"{engine.api}/", timeout=90, trust_env=False) as client:
            runs = [_crawled(client) for _ in range(2)]
            found = posted(client, "artifacts/filter", {"flow_runs": {"id": {"any_": [runs[0]]}}})
        artifact = next(one["id"] for one in found if one["type"] == "markdown")
        pages = {
            "prefect": f"artifacts/artifact/{artifact}",
            "prefect-run": f"runs/flow-run/{runs[0]}",
            "prefect-deployments": "deployments",
        }
        for name, page in list(pages.items())[: None if given.all else 1]:
            take(given.chromium, f"{engine.url}/{page}", given.out / f"{name}.png")


def _crawled(client: httpx.Client) -> str:
    """A whole crawl; returns the run's id."""
    deployment = client.get(f"deployments/name/{DEPLOYMENT}").raise_for_status().json()
    run = posted(client, f"deployments/{deployment['id']}/create_flow_run", {})
    while client.get(f"flow_runs/{run['id']}").json()["state_type"] not in FINAL:
        time.sleep(0.2)
    return str(run["id"])


def take(chromium: str, url: str, path: Path) -> None:
    """One picture of one page, when it has settled."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as profile:
        words = [chromium, *QUIET, f"--user-data-dir={profile}", "--window-size=1400,1000"]
        words += ["--virtual-time-budget=15000", f"--screenshot={path}", url]
        subprocess.run(words, check=True, timeout=120, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    print(f"{path}: {path.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
