"""Runs of deployments, and their archives compared with what the plain function archives."""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from prefect.settings import PREFECT_API_URL, PREFECT_HOME, temporary_settings

from flows.deployed.automations import registration
from flows.replica.faults import Behaviour, Fault, Rule
from flows.replica.pages.search_api import CLIENT_ID, CLIENT_SECRET
from flows.runs.crawl import CrawlOrder, crawl
from flows.runs.settings import topic_from
from flows.sources.api_keys import ApiKey
from schemas.receipt import Receipt
from storage.integrity.repair import verify_archive
from tests.support.paths import ROOT
from tests.support.servers.prefect import PATIENCE, Operator, Sink, operator, until, writer_of


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


CRAWL = "crawl/crawl-every-15-minutes"
SLOWLY = Behaviour(rules=(Rule(Fault.SLOW, host="n.news.naver.com", seconds=1.5),))
"""A crawl of the replica then takes some seconds: time for an accident."""


def begun(hand: Operator, archive: Path, **parameters: str) -> tuple[str, int]:
    """A run that has fetched some of its pages. Returns its id and its process."""
    hand.naver.behaviour = SLOWLY
    hand.naver.log.clear()
    run = hand.start(CRAWL, archive=str(archive), create=True, **parameters)
    until(lambda: _pages(hand) >= 5 or None, PATIENCE, lambda: f"{hand.run(run)['state']}")
    return run, writer_of(archive)


def cancel_once_begun(hand: Operator) -> str:
    """Cancel the run that executes, once it has fetched some of its pages. Returns its id."""
    until(lambda: _pages(hand) >= 5 or None, PATIENCE, lambda: "no run fetches pages")
    (run,) = hand.post("flow_runs/filter", {"flow_runs": {"state": {"type": {"any_": ["RUNNING"]}}}})
    hand.cancel(run["id"])
    return str(run["id"])


def _pages(hand: Operator) -> int:
    return sum(entry.host == "n.news.naver.com" for entry in hand.naver.log.entries)


@contextmanager
def client_of(hand: Operator) -> Iterator[None]:
    """This process as a client of the server."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with temporary_settings({PREFECT_API_URL: hand.engine.api, PREFECT_HOME: hand.folder}):
            yield


@contextmanager
def everything_running(folder: Path, sink: Sink, **environment: str) -> Iterator[Operator]:
    """Server, worker and replica, prepared."""
    with operator(folder, **environment) as hand:
        prepare(hand, sink)
        yield hand


def prepare(hand: Operator, sink: Sink) -> None:
    """Put the key into Secret blocks, and send alerts to `sink`."""
    for name, value in (("naver-client-id", CLIENT_ID), ("naver-client-secret", CLIENT_SECRET)):
        hand.save_block("secret", name, {"value": value})
    template = {"text": "{{subject}}\n{{body}}"}
    hand.save_block("custom-webhook", "sink", {"name": "sink", "url": sink.url, "json_data": template})
    with client_of(hand):
        assert registration.main(["--notify", "custom-webhook/sink"]) == 0
    hand.enable("publish-hourly when articles were stored", is_on=False)  # most tests look at single runs
