"""Pages that drifted: quarantined, with the cursor left in place, and archived once they can be read."""

from __future__ import annotations

import asyncio
import shutil
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

import flows.naver.articles.layouts
from flows.cli.exit_codes import Exit, exit_of_run
from flows.naver.articles.layouts import read_article
from flows.replica.corpus.articles import Corpus, Layout, make_corpus
from flows.replica.faults import Behaviour, Fault, Rule
from flows.replica.server import Replica
from flows.runs.crawl import CrawlOrder, crawl
from schemas.article import SEOUL, Article, Outcome
from schemas.receipt import ExitReason, Receipt
from schemas.topic import Topic
from schemas.traits import Traits
from storage.integrity.repair import verify_archive
from tests.support.command import query, seogo
from tests.support.topics import demo_topic, section_list

LAST = datetime(2026, 1, 15, 18, 0, tzinfo=SEOUL)
BEFORE = LAST - timedelta(hours=14)
PAGES = "n.news.naver.com"
LOOK = Behaviour(layout=Layout.Y2026_10)
PROMOTION = "<div class='subscribe_box'>지금 구독하고 더 많은 소식을 받아 보세요</div>"
SOURCE = "section_list:105"


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    return make_corpus(23, articles=1000, presses=6, days=4, last=LAST)


@pytest.fixture
def naver(naver: Replica) -> Replica:
    """Fourteen hours of new articles later than the archive."""
    naver.behaviour = LOOK
    return naver


def about() -> Topic:
    return demo_topic(section_list("105"), lookback="5d")


@pytest.fixture(scope="module")
def learned(corpus: Corpus, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive that has seen enough pages to know what they look like."""
    root = tmp_path_factory.mktemp("learned")
    with Replica(corpus, now=BEFORE) as replica:
        replica.behaviour = LOOK
        receipt = crawled(replica, root)
    assert receipt.exit_reason is ExitReason.DONE, receipt.explanation
    assert receipt.pages_read > 200
    assert not receipt.drift
    return root


@pytest.fixture
def archive(learned: Path, tmp_path: Path) -> Path:
    return shutil.copytree(learned, tmp_path / "archive")


def crawled(naver: Replica, root: Path) -> Receipt:
    return asyncio.run(crawl(CrawlOrder(about(), root, naver=naver.url), now=lambda: naver.clock.now))


def quarantined(root: Path) -> set[str]:
    return {row["id"] for row in query(root, "SELECT id FROM quarantine")}


def changed(naver: Replica, rule: Rule) -> None:
    naver.behaviour = Behaviour(layout=LOOK.layout, rules=(rule,))


def reparse(root: Path, *words: str) -> dict[str, Any]:
    ran = seogo("reparse", "--quarantined", *words, "--json", env={"SEOGO_ARCHIVE": root})
    data: dict[str, Any] = ran.json
    assert ran.code == exit_of_run(ExitReason(data["exit_reason"]))
    return data


NO_BODY = Rule(Fault.NO_BODY, host=PAGES)
IN_THE_BODY = Rule(Fault.RENAMED, host=PAGES, old="</article>", new=f"{PROMOTION}</article>")


def corrected(content: bytes, url: str) -> tuple[Article, Traits]:
    """The parser, corrected to find the body where it is now."""
    article, traits = read_article(content.replace(b'id="read_area"', b'id="dic_area"'), url)
    return article, traits


@pytest.mark.parametrize("rule", [NO_BODY, IN_THE_BODY], ids=["no parser knows it", "it parses, and wrongly"])
def test_nothing_of_a_changed_layout_is_published_and_the_cursor_stays(
    naver: Replica, archive: Path, rule: Rule
) -> None:
    before = query(archive, "SELECT id FROM articles ORDER BY id")
    cursor = query(archive, f"SELECT watermark FROM cursors WHERE source = '{SOURCE}'")
    changed(naver, rule)
    receipt = crawled(naver, archive)
    assert exit_of_run(receipt.exit_reason) == Exit.LAYOUT_CHANGED
    assert receipt.quarantined == len(quarantined(archive)) == receipt.outcomes[Outcome.FAILED] > 20
    assert query(archive, "SELECT id FROM articles ORDER BY id") == before
    assert query(archive, f"SELECT watermark FROM cursors WHERE source = '{SOURCE}'") == cursor
    assert seogo("status", "--archive", archive, "--json").json["quarantined"] == receipt.quarantined
    assert not query(archive, "SELECT id FROM revisions WHERE body LIKE '%구독하고%'")
    assert verify_archive(archive).faults == []


def test_once_the_parser_is_fixed_they_are_archived_without_a_request(
    naver: Replica, archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    changed(naver, NO_BODY)
    crawled(naver, archive)
    waiting = quarantined(archive)
    assert reparse(archive)["exit_reason"] == "layout_changed"
    assert quarantined(archive) == waiting

    naver.log.clear()
    monkeypatch.setattr(flows.naver.articles.layouts, "read_article", corrected)
    done = reparse(archive)
    assert (done["exit_reason"], done["finds"], done["requests"]) == ("done", len(waiting), 0)
    assert not naver.log.entries
    assert quarantined(archive) == set()
    fates = query(archive, "SELECT id, state FROM frontier WHERE due_at IS NOT NULL")
    assert fates == []
    assert verify_archive(archive).faults == []
    sources = query(archive, "SELECT DISTINCT source FROM finds")
    assert sources == [{"source": SOURCE}]

    crawled_again = crawled(naver, archive)
    assert crawled_again.exit_reason is ExitReason.NOTHING_NEW, crawled_again.explanation
    assert not any("/article/" in entry.target for entry in naver.log.entries)


def test_what_is_right_as_it_looks_now_is_accepted_and_the_next_is_like_it(naver: Replica, archive: Path) -> None:
    changed(naver, IN_THE_BODY)
    receipt = crawled(naver, archive)
    assert receipt.drift
    again = reparse(archive)
    assert again["exit_reason"] == "layout_changed"
    done = reparse(archive, "--accept")
    assert (done["exit_reason"], done["quarantined"], quarantined(archive)) == ("done", 0, set())
    assert verify_archive(archive).faults == []


def test_when_the_site_heals_the_next_run_does_too(naver: Replica, archive: Path) -> None:
    changed(naver, IN_THE_BODY)
    waiting = crawled(naver, archive).quarantined
    naver.behaviour = LOOK
    naver.clock.set(LAST + timedelta(minutes=20))
    receipt = crawled(naver, archive)
    assert receipt.exit_reason is ExitReason.DONE, receipt.explanation
    assert receipt.pages_read >= waiting
    assert quarantined(archive) == set()
    (cursor,) = query(archive, f"SELECT watermark::VARCHAR AS at FROM cursors WHERE source = '{SOURCE}'")
    assert cursor["at"].startswith("2026-01-15 18:20")


def test_an_empty_quarantine_is_no_failure(archive: Path) -> None:
    done = reparse(archive)
    assert (done["exit_reason"], done["explanation"]) == ("nothing_new", "nothing is in quarantine")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--accept",), "add --quarantined"),
        (("--quarantined", "--dry-run"), "leave out ids"),
        (("--quarantined", "119_0003042504"), "leave out ids"),
    ],
)
def test_options_that_do_not_go_together(learned: Path, words: tuple[str, ...], says: str) -> None:
    ran = seogo("reparse", *words, "--archive", learned)
    assert (ran.code, says in ran.err) == (Exit.BAD_INPUT, True)
