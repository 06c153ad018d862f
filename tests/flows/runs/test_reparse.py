"""Deriving texts again from their captures: differences are shown, stored as revisions, and cost no request."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from flows.naver.articles.layouts import parse_article
from flows.replica.corpus.articles import make_corpus
from flows.replica.server import Replica
from flows.runs.crawl import CrawlOrder, crawl
from flows.runs.import_files import ImportOrder, import_files
from flows.runs.move_captures import move_captures
from flows.runs.reparse import Reparsed, ReparseOrder, reparse
from schemas.article import Article, ArticleKey, ArticleRef
from schemas.errors import LayoutChanged
from schemas.find import RevisionKind
from schemas.front_matter import loads
from schemas.page import CaptureRef
from schemas.receipt import ExitReason
from schemas.topic import Topic, load_topic
from storage.archive import open_archive
from storage.captures.reader import capture_names
from storage.integrity.repair import verify_archive
from tests.support.archives import contents, rows, write_document
from tests.support.paths import DEMO_TOPIC
from tests.support.values import NOW, article, ended, receipt, stored

TOPIC = DEMO_TOPIC


@pytest.fixture(scope="module")
def topic() -> Topic:
    return load_topic(TOPIC)


@pytest.fixture
def root(tmp_path: Path, topic: Topic) -> Path:
    """Six crawled articles and an imported one; the replica no longer runs."""
    root = tmp_path / "archive"
    with Replica(make_corpus(5, articles=60, presses=4, days=3)) as naver:
        made = [one for one in naver.corpus.articles if one.key and not one.subject.arena and not one.gone_at][:6]
        addresses = tuple(one.key.url for one in made if one.key)
        asyncio.run(crawl(CrawlOrder(topic, root, addresses=addresses, naver=naver.url), now=lambda: naver.clock.now))
    import_files(ImportOrder(topic, root, (write_document(tmp_path / "old", article(9)),)))
    return root


def again(root: Path, topic: Topic, **order: object) -> Reparsed:
    return reparse(ReparseOrder(**{"topic": topic, "archive": root, **order}))  # type: ignore[arg-type]


def better(content: bytes, url: str) -> Article:
    """A parser that reads titles and publishers differently."""
    found = parse_article(content, url)
    return replace(found, title=f"{found.title} (고침)", publisher="다른 신문", parser="article_page/2")


def test_the_same_parsers_give_the_same_archive(root: Path, topic: Topic) -> None:
    before = contents(root)
    done = again(root, topic)
    assert done.receipt is not None
    assert done.receipt.exit_reason is ExitReason.NOTHING_NEW
    assert (done.read, done.changed, done.failed) == (len(before["articles"]), 0, {})
    after = contents(root)
    assert {table: after[table] for table in after if table != "runs"} == {
        table: before[table] for table in before if table != "runs"
    }


def test_a_dry_run_shows_field_by_field_and_stores_nothing(
    root: Path, topic: Topic, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = contents(root)
    monkeypatch.setattr("flows.runs.reparse.parse_article", better)
    done = again(root, topic, dry_run=True)
    crawled = done.read - 1  # the imported document is read by another
    assert (done.changed, done.fields) == (crawled, {"title": crawled, "publisher": crawled})
    example = next(one for one in done.examples if one.field == "title")
    assert example.after == f"{example.before} (고침)"
    assert contents(root) == before


def test_what_is_accepted_is_a_revision_and_the_older_text_stays(
    root: Path, topic: Topic, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flows.runs.reparse.parse_article", better)
    done = again(root, topic)
    assert done.receipt is not None
    assert done.receipt.exit_reason is ExitReason.DONE
    kinds = rows(root, "SELECT revision_kind, count(*) FROM articles GROUP BY ALL ORDER BY ALL")
    assert kinds == [("imported", 1), ("re-extracted", done.changed)]
    changed = rows(
        root,
        "SELECT s.title, a.title, a.file FROM articles a JOIN superseded s USING (id)"
        " WHERE a.crawled_at = s.crawled_at AND a.capture_offset = s.capture_offset AND a.revision = s.revision + 1",
    )
    assert len(changed) == done.changed
    for old, new, file in changed:
        assert new == f"{old} (고침)"
        assert loads((root / str(file)).read_bytes().decode()).title == new
    assert verify_archive(root).faults == []
    assert again(root, topic).changed == 0


def test_the_snippet_of_a_search_stays(root: Path, topic: Topic, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is on no page: only the find has it."""
    ((id_,),) = rows(root, "SELECT id FROM articles WHERE status = 'archived' ORDER BY id LIMIT 1")
    with open_archive(root) as archive:
        account = receipt("20260102T050505Z-0009")
        archive.start_run(account)
        (one,) = archive.article_rows([str(id_)])
        found = ArticleRef(ArticleKey.from_id(one["id"]), one["url"], one["source"], NOW, description="찾은 말")
        page = archive.read_capture(CaptureRef(one["capture_file"], one["capture_offset"]))
        text = stored(
            parse_article(page.content, one["url"]),
            ref=found,
            revision=one["revision"] + 1,
            revision_kind=RevisionKind.EDITED,
            file=one["file"],
            capture=CaptureRef(one["capture_file"], one["capture_offset"]),
        )
        archive.store(account.run_id, [text])
        archive.finish_run(ended(account), {}, [])
    monkeypatch.setattr("flows.runs.reparse.parse_article", better)
    again(root, topic)
    query = f"SELECT description, revision_kind FROM articles WHERE id = '{one['id']}'"
    assert rows(root, query) == [("찾은 말", "re-extracted")]


def test_only_what_was_ordered_is_derived_again(root: Path, topic: Topic) -> None:
    ((one, newest),) = rows(root, "SELECT id, max(crawled_at) OVER () FROM articles ORDER BY crawled_at DESC LIMIT 1")
    assert again(root, topic, dry_run=True, ids=(str(one),)).read == 1
    assert 0 < again(root, topic, dry_run=True, since=newest).read < again(root, topic, dry_run=True).read


def test_a_capture_that_no_longer_gives_an_article_leaves_the_text_as_it_is(
    root: Path, topic: Topic, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = contents(root)

    def worse(content: bytes, url: str) -> Article:
        raise LayoutChanged("h2.title", url=url, layout="test")

    monkeypatch.setattr("flows.runs.reparse.parse_article", worse)
    done = again(root, topic)
    assert done.receipt is not None
    assert done.receipt.exit_reason is ExitReason.PARTLY_FAILED
    assert len(done.failed) == done.read - 1
    assert all("h2.title" in reason for reason in done.failed.values())
    assert contents(root)["articles"] == before["articles"]


def test_an_interrupt_ends_after_a_batch(root: Path, topic: Topic) -> None:
    done = reparse(ReparseOrder(topic, root), stopped=lambda: True)
    assert done.receipt is not None
    assert (done.read, done.receipt.exit_reason) == (0, ExitReason.INTERRUPTED)


def test_captures_in_an_object_store_are_read_there(root: Path, topic: Topic, tmp_path: Path) -> None:
    read = again(root, topic, dry_run=True).read
    move_captures(root, f"file://{tmp_path}/objects")
    assert not list((root / "captures").rglob("*.warc.gz"))
    for name in (None, capture_names(root)[0]):
        if name is not None:  # one of the files is still in the directory
            (root / name).parent.mkdir(parents=True)
            (tmp_path / "objects" / name).rename(root / name)
        done = again(root, topic, dry_run=True)
        assert (done.read, done.changed, done.failed) == (read, 0, {})
