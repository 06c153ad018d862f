"""The pairs and stories of an archive: found at the end of a run, kept up with edits, the same after a rebuild."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flows.runs.publish import PublishOrder, publish
from schemas.article import Article, Outcome
from schemas.errors import StorageFault
from schemas.find import FindResult, RevisionKind
from storage.archive import Archive, open_archive
from storage.database.writer import Database
from storage.integrity.repair import rebuild, repair, verify_archive
from storage.reading.examples import example, names
from storage.stories import follower, pairs
from tests.support.archives import contents, rows, store_results
from tests.support.prose import prose, sentences
from tests.support.values import NOW, PUBLISHED, article, ended, key, receipt, stored

TEXT = prose(1, 24)
CUT = "\n\n".join(TEXT.split("\n\n")[:5])


def published(number: int, body: str, minutes: int = 0, **given: object) -> Article:
    return article(number, body=body, published_at=PUBLISHED + timedelta(minutes=minutes), **given)


def edited(number: int, body: str, revision: int = 2) -> FindResult:
    text = published(number, body, number)
    return stored(text, outcome=Outcome.EDITED, revision=revision, revision_kind=RevisionKind.EDITED)


def run_of(number: int) -> str:
    return f"20260102T0{number}0405Z-000{number}"


def story_of(root: Path) -> dict[object, object]:
    return {id_: story for id_, story in rows(root, "SELECT id, story FROM story_members")}  # noqa: C416


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """Article 2 was first; 1 is a copy of it that came 20 minutes later, 3 something else."""
    with open_archive(tmp_path) as opened:
        store_results(
            opened,
            stored(published(1, CUT, 30, publisher="나루일보")),
            stored(published(2, TEXT, 10)),
            stored(published(3, prose(3), 50)),
            run=run_of(1),
        )
    return tmp_path


def test_a_copy_is_found_with_what_it_shares(archive: Path) -> None:
    sql = "SELECT a, b, shared > 200, of_a, of_b BETWEEN 0.5 AND 0.7 FROM near_duplicates"
    assert rows(archive, sql) == [(key(1).id, key(2).id, True, 1.0, True)]
    assert rows(archive, "SELECT * FROM story_members ORDER BY minutes_behind") == [
        (key(2).id, key(2).id, 0, None),
        (key(2).id, key(1).id, 20, 1.0),
    ]
    ((story, first, number, publishers, title),) = rows(
        archive, "SELECT story, first_id, articles, publishers, title FROM stories"
    )
    assert (story, first, number, publishers) == (key(2).id, key(2).id, 2, 2)
    assert title == article(2).title


def test_the_feed_tells_who_joins_and_who_leaves(archive: Path) -> None:
    sql = "SELECT id, story FROM events WHERE kind = 'story' ORDER BY seq"
    assert rows(archive, sql) == [(key(1).id, key(2).id), (key(2).id, key(2).id)]
    with open_archive(archive) as opened:
        store_results(opened, edited(1, prose(9)), run=run_of(2))
    assert rows(archive, sql)[2:] == [(key(1).id, None), (key(2).id, None)]
    assert rows(archive, "FROM near_duplicates") == rows(archive, "FROM stories") == []
    assert verify_archive(archive).faults == []


def test_an_earlier_article_renames_the_story(archive: Path) -> None:
    with open_archive(archive) as opened:
        store_results(opened, stored(published(4, TEXT + "\n\n한 줄 더.", 0)), run=run_of(2))
    assert story_of(archive) == {key(n).id: key(4).id for n in (1, 2, 4)}


def test_a_run_with_nothing_new_journals_no_pairs(archive: Path) -> None:
    with open_archive(archive) as opened:
        before = opened.database.rows("SELECT max(pairs_until) AS until FROM runs")
        store_results(opened, run=run_of(2))
        assert opened.database.rows("SELECT batches, pairs_until FROM runs ORDER BY number DESC LIMIT 1") == [
            {"batches": 0, "pairs_until": None}
        ]
        assert opened.database.rows("SELECT max(pairs_until) AS until FROM runs") == before


@pytest.mark.parametrize("then", ["run", "publish"])
def test_a_kill_between_the_batch_and_its_pairs_delays_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, then: str
) -> None:
    store_two_and_fail(tmp_path, monkeypatch, "storage.stories.follower.parts")
    assert story_of(tmp_path) == {}
    if then == "publish":
        publish(PublishOrder(tmp_path, formats=()))
    else:
        with open_archive(tmp_path) as opened:
            store_results(opened, run=run_of(2))
    assert story_of(tmp_path) == {key(1).id: key(1).id, key(2).id: key(1).id}
    assert verify_archive(tmp_path).faults == []


def store_two_and_fail(root: Path, monkeypatch: pytest.MonkeyPatch, at: str) -> None:
    """Store an article and its copy, in a run that ends when it calls the function `at`."""

    def fail(*_: object, **__: object) -> None:
        raise StorageFault("full")

    with monkeypatch.context() as broken:
        broken.setattr(at, fail)
        with pytest.raises(StorageFault), open_archive(root) as opened:
            store_results(opened, stored(published(1, TEXT)), stored(published(2, CUT, 9)), run=run_of(1))


def test_a_journaled_part_that_was_not_committed_is_replayed_by_the_next_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store_two_and_fail(tmp_path, monkeypatch, "storage.journal.stories._append_events")
    with open_archive(tmp_path) as opened:
        assert "replayed 1 journal entries that the database lacked" in opened.notes
    assert story_of(tmp_path) == {key(1).id: key(1).id, key(2).id: key(1).id}
    assert verify_archive(tmp_path).faults == []


def test_an_archive_from_before_gets_all_pairs_in_its_next_run(archive: Path) -> None:
    expected = rows(archive, "FROM near_duplicates")
    with open_archive(archive) as opened:
        for table in ("near_duplicates", "story_members", "sketches"):
            opened.database.execute(f"DELETE FROM {table}")
        opened.database.execute("DELETE FROM events WHERE kind = 'story' OR id = ?", [key(1).id])
        opened.database.execute("UPDATE runs SET pairs_until = NULL")
        store_results(opened, run=run_of(2))
    assert rows(archive, "FROM near_duplicates") == expected
    assert len(story_of(archive)) == 2


def test_parts_find_the_same_as_all_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pairs, "AT_ONCE", 2)
    monkeypatch.setattr(pairs, "_HASHED_AT_ONCE", 2)
    texts = [prose(1, 24), prose(2), CUT, f"{prose(2)}\n\n{prose(5, 3)}", f"{CUT}\n\n{prose(6, 3)}"]
    with open_archive(tmp_path) as opened:
        results = [stored(published(n, text, n)) for n, text in enumerate(texts, start=1)]
        store_results(opened, *results, run=run_of(1))
        assert opened.database.rows("SELECT batches FROM runs") == [{"batches": len(texts) + 3}]
    found = rows(tmp_path, "SELECT a, b FROM near_duplicates ORDER BY ALL")
    assert found == [(key(a).id, key(b).id) for a, b in ((1, 3), (1, 5), (2, 4), (3, 5))]
    assert verify_archive(tmp_path).faults == []


def test_where_memory_is_too_little_fewer_articles_are_joined(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Many texts that share a sentence make a join that DuckDB has no memory for."""
    joined = list[int]()

    def lookup(db: Database, ids: Sequence[str], sql: str) -> list[dict[str, Any]]:
        if sql == pairs._CANDIDATES:
            joined.append(len(ids))
            if len(ids) > 2:
                raise StorageFault("Out of Memory Error") from duckdb.OutOfMemoryException()
        return original(db, ids, sql)

    original = Database.lookup
    monkeypatch.setattr(Database, "lookup", lookup)
    with open_archive(tmp_path) as opened:
        texts = [prose(1, 24), prose(2), CUT, prose(7), f"{CUT}\n\n{prose(6, 3)}"]
        store_results(opened, *[stored(published(n, text, n)) for n, text in enumerate(texts, start=1)])
    assert joined == [5, 2, 3, 1, 2]
    found = rows(tmp_path, "SELECT a, b FROM near_duplicates ORDER BY ALL")
    assert found == [(key(a).id, key(b).id) for a, b in ((1, 3), (1, 5), (3, 5))]


def test_more_changes_than_an_entry_has_numbers_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("storage.journal.events._PLACES", 3)
    with open_archive(tmp_path) as opened:
        account = receipt(run_of(1))
        opened.start_run(account)
        for number in range(1, 8):
            opened.store(account.run_id, [stored(published(number, f"{TEXT}\n\n{number}째 판.", number))])
        opened.finish_run(ended(account), {}, [])
        store_results(opened, stored(published(8, f"{TEXT}\n\n여덟째 판.", 0)), run=run_of(2))
    numbers = [row[0] for row in rows(tmp_path, "SELECT seq FROM events ORDER BY seq")]
    assert len(numbers) == len(set(numbers)) == 8 + 7 + 8
    before = contents(tmp_path)
    rebuild(tmp_path)
    assert contents(tmp_path) == before


def test_the_examples_tell_of_stories(archive: Path) -> None:
    asked = {name: [row[:5] for row in rows(archive, example(name).sql)] for name in names() if "stories" in name}
    assert asked == {
        "most-copied-stories": [(key(2).id, "가온신문", PUBLISHED + timedelta(minutes=10), 1, 1)],
        "first-with-stories": [("가온신문", 1, 0, None, None), ("나루일보", 0, 1, 20.0, 100.0)],
        "exclusive-stories": [("가온신문", 1, 2, 50.0), ("나루일보", 0, 1, 0.0)],
    }


# -- verify, repair


def test_a_rebuild_gives_the_same_pairs_stories_and_changes(archive: Path) -> None:
    before = contents(archive)
    rebuild(archive)
    assert contents(archive) == before
    assert verify_archive(archive).faults == []


@pytest.mark.parametrize(
    ("statement", "fault"),
    [
        ("DELETE FROM near_duplicates", "row near_duplicates"),
        ("UPDATE near_duplicates SET of_b = 0.9", "row near_duplicates"),
        ("UPDATE story_members SET minutes_behind = 1", "row story_members"),
        ("UPDATE sketches SET hashes = [1, 2]", "row sketches"),
    ],
)
@pytest.mark.every(3)
def test_an_altered_row_is_named_and_repaired(archive: Path, statement: str, fault: str) -> None:
    before = contents(archive)
    with open_archive(archive) as opened:
        opened.database.execute(statement)
    assert any(fault in one for one in verify_archive(archive).faults)
    assert repair(archive).left == []
    assert contents(archive) == before


def test_wrong_pairs_in_the_journal_are_named_and_found_again(archive: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as broken, open_archive(archive) as opened:
        broken.setattr(pairs, "pairs_of", lambda *_, **__: [])
        store_results(opened, edited(1, CUT + "\n\n한 줄 더."), run=run_of(2))
    assert rows(archive, "FROM near_duplicates") == []
    assert verify_archive(archive).faults == [f"near-duplicates {key(1).id} and {key(2).id}: not those of their texts"]
    done = repair(archive)
    assert done.left == []
    assert "near-duplicates and stories: found again in the texts" in done.mended
    assert story_of(archive) == {key(1).id: key(1).id, key(2).id: key(1).id}


# -- whatever happens, in whatever order

BODIES = {
    "whole": TEXT,
    "cut": CUT,
    "longer": f"{CUT}\n\n{prose(4, 12)}",
    "round-up": "\n\n".join([CUT, prose(4, 12), prose(5, 24)]),
    "other": prose(5, 24),
    "short": " ".join(sentences(1, 3)),
}
steps = st.lists(
    st.lists(
        st.tuples(st.integers(1, 6), st.sampled_from(sorted(BODIES))), min_size=1, max_size=3, unique_by=lambda s: s[0]
    ),
    min_size=1,
    max_size=5,
)


@settings(max_examples=6, suppress_health_check=[HealthCheck.too_slow])
@given(steps)
def test_pairs_and_stories_are_those_of_the_texts_that_are_there(
    tmp_path_factory: pytest.TempPathFactory, runs: Sequence[Sequence[tuple[int, str]]]
) -> None:
    root = tmp_path_factory.mktemp("history")
    revisions: dict[int, int] = {}
    with open_archive(root) as opened:
        for number, run in enumerate(runs, start=1):
            results = [_next(article_, body, revisions) for article_, body in run]
            _store(opened, run_of(number), results)
        assert follower.wrong_pairs(opened.database) == []
        assert follower.wrong_members(opened.database) == []
    assert verify_archive(root).faults == []


def _next(number: int, body: str, revisions: dict[int, int]) -> FindResult:
    revisions[number] = revisions.get(number, 0) + 1
    text = f"{BODIES[body]}\n\n{number}번 기사."
    if revisions[number] == 1:
        return stored(published(number, text, number))
    return edited(number, text, revisions[number])


def _store(archive: Archive, run: str, results: Sequence[FindResult]) -> None:
    account = receipt(run)
    archive.start_run(account)
    archive.store(run, results)
    archive.finish_run(ended(account), {"search_api:독자 모델": NOW}, [])
