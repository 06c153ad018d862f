"""Fetchers and the archive that takes in from them, killed at any step (`make torture` does three hundred)."""

from __future__ import annotations

import asyncio
import random
import subprocess
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from flows.cli.exit_codes import Exit
from flows.replica.log import max_rate, min_interval
from flows.runs.crawl import refs_of_addresses
from flows.runs.fetch import FetchOrder, FetchReport, fetch
from tests.programs import fetchers
from tests.programs.torture import NNEWS
from tests.support.command import COMMAND, environment
from tests.support.paths import DEMO_TOPIC
from tests.support.servers.machines import shared_database


@pytest.mark.slow
@pytest.mark.parametrize("kills", [6, pytest.param(60, marks=pytest.mark.long)])
def test_killed_fetchers_and_a_killed_archive_end_as_one_crawl(tmp_path: Path, kills: int) -> None:
    for number, at in enumerate(range(0, kills, 15)):
        with fetchers.place(tmp_path / str(number), articles=45) as (where, naver):
            fetchers.survive(where, naver, min(15, kills - at), random.Random(20261130 + number))


def test_the_comparison_notices_what_is_lost(tmp_path: Path) -> None:
    """An archive that lacks a page of its fetchers must not pass."""
    with fetchers.place(tmp_path, articles=9) as (where, naver):
        some = replace(where, addresses={name: urls[1:] for name, urls in where.addresses.items()})
        died = fetchers.survive(some, naver, 0, random.Random(1))
        with pytest.raises(AssertionError):
            fetchers.check(where, naver, died)


@pytest.mark.slow
def test_three_machines_with_one_permission_keep_its_pace_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the server sees it: no two requests to a host are closer together than one machine alone may send them."""
    with shared_database() as database, fetchers.place(tmp_path, articles=18, pace=database) as (where, naver):
        monkeypatch.setenv("SEOGO_PACE", database)

        async def machine(name: str) -> FetchReport:
            refs = refs_of_addresses(where.addresses[name], datetime.now(UTC))
            return await fetch(FetchOrder(where.topic, where.inbox, name, tmp_path / name, refs, naver.url))

        async def all_machines() -> list[FetchReport]:
            return await asyncio.gather(*(machine(name) for name in fetchers.FETCHERS))

        reports = asyncio.run(all_machines())
        assert [report.done for report in reports] == [report.addresses for report in reports]
        assert min_interval(naver.log.entries, NNEWS) >= 0.7 / fetchers.RATE  # as in test_politeness
        assert max_rate(naver.log.entries, NNEWS) <= fetchers.RATE + 1


@pytest.mark.slow
def test_a_fetcher_that_is_cut_off_says_so_and_goes_on_when_it_is_back(tmp_path: Path) -> None:
    """In a network namespace without a route."""
    alone = ["unshare", "--net", "--"]
    if subprocess.run([*alone, "true"], check=False, capture_output=True).returncode:
        pytest.skip("network namespaces need root")
    with fetchers.place(tmp_path, articles=6) as (where, naver):
        asked = tmp_path / "addresses.txt"
        asked.write_text("\n".join(where.addresses["seoul-1"]), "utf-8")
        env = environment(SEOGO_NAVER=naver.url, SEOGO_TOPIC=DEMO_TOPIC, SEOGO_STORE=str(where.inbox.store.address))
        words = [*COMMAND, "fetch", str(asked), "--fetcher", "seoul-1", "--state", str(tmp_path / "one")]
        cut = subprocess.run([*alone, *words], env=env, check=False, capture_output=True, text=True, timeout=60)
        assert cut.returncode == Exit.OFFLINE, cut.stderr
        assert "addresses left for the next start: " in cut.stdout
        back = subprocess.run(words, env=env, check=False, capture_output=True, text=True, timeout=60)
        assert back.returncode == Exit.DONE, back.stderr
