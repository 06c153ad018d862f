"""An archive that a deployment filled, compared with what the plain function archives."""

from __future__ import annotations

import asyncio
from pathlib import Path

from flows.replica.search_answers import CLIENT_ID, CLIENT_SECRET
from flows.runs.crawl import CrawlOrder, crawl
from flows.runs.settings import topic_from
from flows.sources.api_keys import ApiKey
from schemas.receipt import Receipt
from storage.integrity.repair import verify_archive
from tests.support.paths import ROOT


def crawl_plainly(naver: str, archive: Path) -> Receipt:
    """A crawl by the plain function, with the same topic, key and replica."""
    keys = {"openapi": ApiKey(CLIENT_ID, CLIENT_SECRET)}
    order = CrawlOrder(topic_from(ROOT / "topics" / "demo.yaml"), archive, naver=naver, keys=keys)
    return asyncio.run(crawl(order))


def files_of(archive: Path) -> dict[str, str]:
    """Every article's file by its path, without the time of its crawl."""
    files = (archive / "articles").rglob("*.md")
    return {str(f.relative_to(archive)): "\n".join(_lasting(f.read_text("utf-8"))) for f in files}


def _lasting(text: str) -> list[str]:
    return [line for line in text.splitlines() if "rawled" not in line]


def assert_whole(archive: Path, whole: dict[str, str]) -> None:
    """Nothing is lost, duplicated or damaged."""
    assert files_of(archive) == whole
    assert verify_archive(archive, wait=10).faults == []
