"""The index follows the archive, whatever happened to it, and is rebuilt where it cannot be believed."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest

from schemas.article import Outcome
from schemas.errors import ArchiveBusy, ArchiveDamaged, BadInput, SearchIndexDamaged, StorageFault
from schemas.find import FindResult, RevisionKind
from storage import layout
from storage.archive import open_archive
from storage.search import follower
from storage.search.check import search_index_faults
from storage.search.follower import Followed, follow, locked, rebuild_index
from storage.search.index import VERSION, meta_of, opened_to_write, remove
from storage.search.query import parse
from storage.search.readers import opened_to_read
from storage.search.results import SearchRequest, SearchResult, search
from tests.support.archives import store_new, store_results
from tests.support.disks import fill, mount, needs_a_disk
from tests.support.histories.analyst import make
from tests.support.histories.feed import Histories
from tests.support.paths import ROOT
from tests.support.values import NOW, article, ended, key, receipt, ref, stored


def searched(root: Path, query: str, **wanted: Any) -> SearchResult:
    return search(root, replace(SearchRequest(parse(query)), **wanted))


def ids(root: Path, query: str, **wanted: Any) -> set[str]:
    return {hit.id for hit in searched(root, query, **wanted).hits}


def contents(root: Path) -> list[str]:
    """Every article of an index, but for its number."""
    with opened_to_write(root) as index:
        return sorted(repr(index.document(id_)) for id_ in index.ids())


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive of two articles that was searched."""
    root = tmp_path_factory.mktemp("made")
    with open_archive(root) as archive:
        store_new(archive, 1, 2)
    follow(root)
    return root


@pytest.fixture
def root(made: Path, tmp_path: Path) -> Path:
    """A copy of it."""
    return Path(shutil.copytree(made, tmp_path, dirs_exist_ok=True))


class TestWhatChanged:
    def test_new_articles_are_found_by_the_next_search(self, root: Path) -> None:
        with open_archive(root) as archive:
            store_new(archive, 3, run="20260102T040405Z-0002")
        assert ids(root, "독자 모델") == {key(number).id for number in (1, 2, 3)}

    def test_an_edit_replaces_the_text(self, root: Path) -> None:
        edited = article(1, body="다른 글이다. 소나무를 심었다.")
        with open_archive(root) as archive:
            store_results(
                archive,
                stored(edited, outcome=Outcome.EDITED, revision=2, revision_kind=RevisionKind.EDITED, known=True),
            )
        assert ids(root, "소나무") == {key(1).id}
        assert ids(root, "title:독자 억원") == {key(2).id}
        assert search_index_faults(root) == []

    def test_a_deleted_article_stays_found_and_is_marked_until_it_is_back(self, root: Path) -> None:
        gone = FindResult(ref(key(1)), Outcome.GONE, "status 404", crawled_at=NOW, gone_at=NOW)
        with open_archive(root) as archive:
            store_results(archive, gone)
        assert {hit.id: hit.status for hit in searched(root, "모델").hits} == {key(1).id: "gone", key(2).id: "archived"}
        assert ids(root, "모델", status="gone") == {key(1).id}
        back = FindResult(ref(key(1)), Outcome.UNCHANGED, "as it was", crawled_at=NOW)
        with open_archive(root) as archive:
            store_results(archive, back, run="20260102T050405Z-0003")
        assert ids(root, "모델", status="archived") == {key(1).id, key(2).id}

    def test_a_listed_article_that_is_off_topic_is_forgotten(self, root: Path) -> None:
        of = replace(ref(key(7)), title="다람쥐 소식", description="도토리를 찾았다")
        with open_archive(root) as archive:
            store_results(archive, FindResult(of, Outcome.LISTED, "robots.txt", crawled_at=NOW))
        assert {hit.status for hit in searched(root, "다람쥐 도토리").hits} == {"listed"}
        off = FindResult(ref(key(7)), Outcome.OFF_TOPIC, "beside the topic")
        with open_archive(root) as archive:
            store_results(archive, off, run="20260102T050405Z-0003")
        assert ids(root, "다람쥐") == set()
        assert search_index_faults(root) == []

    def test_nothing_new_costs_no_look_into_the_archive(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        assert len(searched(root, "모델").hits) == 2
        monkeypatch.setattr(follower, "follow", lambda *_, **__: pytest.fail("it is up to date"))
        assert len(searched(root, "모델").hits) == 2

    @pytest.mark.parametrize("seed", range(2))
    @pytest.mark.every(2)
    def test_after_any_history_the_index_is_what_the_texts_come_to(
        self, tmp_path: Path, seed: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(follower, "AT_ONCE", 5)
        rng = Random(seed)
        world = Histories(8, rng)
        for run in range(5):
            with open_archive(tmp_path) as archive:
                account = receipt(f"20260102T030405Z-{run:04x}")
                archive.start_run(account)
                for step in range(rng.randrange(1, 4)):
                    world.step(archive, account.run_id, NOW + timedelta(hours=10 * run + step))
                archive.finish_run(ended(account), {}, [])
            if rng.random() < 0.7:
                assert follow(tmp_path).rebuilt == ""
                assert search_index_faults(tmp_path) == []
        follow(tmp_path)
        followed = contents(tmp_path)
        rebuild_index(tmp_path)
        assert followed == contents(tmp_path)
        assert search_index_faults(tmp_path) == []


class TestAnIndexThatIsRebuilt:
    def test_a_missing_one_is_built(self, root: Path) -> None:
        remove(root)
        assert ids(root, "모델") == {key(1).id, key(2).id}
        assert search_index_faults(root) == []

    def test_one_of_another_archive(self, root: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
        other = make(tmp_path_factory.mktemp("other"))
        follow(other)
        shutil.copy(other / layout.SEARCH_INDEX, root / layout.SEARCH_INDEX)
        assert ids(root, "모델") == {key(1).id, key(2).id}
        assert search_index_faults(root) == []

    def test_one_that_followed_another_course_of_the_same_archive(
        self, root: Path, tmp_path_factory: pytest.TempPathFactory
    ) -> None:
        other = tmp_path_factory.mktemp("other") / "copy"
        shutil.copytree(root, other)
        for place, number, run in ((root, 3, "20260102T040405Z-0002"), (other, 4, "20260102T040405Z-0003")):
            with open_archive(place) as archive:
                store_new(archive, number, run=run)
        follow(other)
        shutil.copy(other / layout.SEARCH_INDEX, root / layout.SEARCH_INDEX)
        assert ids(root, "모델") == {key(number).id for number in (1, 2, 3)}

    def test_one_that_is_ahead_of_an_archive_put_back_from_a_copy(
        self, root: Path, tmp_path_factory: pytest.TempPathFactory
    ) -> None:
        kept = tmp_path_factory.mktemp("kept") / "copy"
        shutil.copytree(root, kept)
        with open_archive(root) as archive:
            store_new(archive, 3, run="20260102T040405Z-0002")
        assert len(ids(root, "모델")) == 3
        shutil.copy(kept / layout.SNAPSHOT, root / layout.SNAPSHOT)
        assert follow(root).rebuilt.startswith("the change at its cursor, ")
        assert ids(root, "모델") == {key(1).id, key(2).id}

    def test_one_of_another_version(self, root: Path) -> None:
        connection = sqlite3.connect(root / layout.SEARCH_INDEX)
        with connection:
            connection.execute("UPDATE meta SET version = '0'")
        connection.close()
        assert follow(root) == Followed(2, f"it is of version 0, not {VERSION}")

    @pytest.mark.parametrize(
        "damage",
        [
            pytest.param(lambda data: b"", id="empty"),
            pytest.param(lambda data: data[:4096], id="without its tables"),
            pytest.param(lambda data: data[: len(data) // 2], id="half of it"),
            pytest.param(lambda data: b"\0" * len(data), id="zeros"),
            pytest.param(lambda data: b"no database at all" * 1000, id="something else"),
            pytest.param(lambda data: data[:100] + b"\xff" * 4000 + data[4100:], id="without its first page"),
            pytest.param(lambda data: data[:8192] + b"\xff" * (len(data) - 8192), id="with its first pages only"),
        ],
    )
    def test_a_damaged_one(self, root: Path, damage: Callable[[bytes], bytes]) -> None:
        path = root / layout.SEARCH_INDEX
        path.write_bytes(damage(path.read_bytes()))
        assert ids(root, "모델") == {key(1).id, key(2).id}
        assert search_index_faults(root) == []

    def test_a_database_of_somebody_else(self, root: Path) -> None:
        remove(root)
        sqlite3.connect(root / layout.SEARCH_INDEX).execute("CREATE TABLE doc (something)").connection.close()
        assert ids(root, "모델") == {key(1).id, key(2).id}

    def test_one_that_lacks_an_article(self, root: Path) -> None:
        with opened_to_write(root) as index, index.transaction():
            index.replace([key(1).id], [])
            index.set_meta(replace(index.meta, snapshot=""))
        assert ids(root, "모델") == {key(1).id, key(2).id}

    def test_an_archive_with_an_incomplete_feed_is_reported_as_damaged(self, root: Path) -> None:
        remove(root)
        with open_archive(root) as archive:
            archive.database.execute("DELETE FROM events WHERE id = ?", [key(1).id])
            archive.publish_at_end()
        with pytest.raises(ArchiveDamaged, match=r"it holds 1 article, and the archive 2\. Run: seogo repair"):
            searched(root, "모델")


class TestTheFoldersAndTheirOwners:
    def test_where_there_is_no_archive_there_is_no_search(self, tmp_path: Path) -> None:
        with pytest.raises(BadInput, match="there is no archive there"):
            searched(tmp_path / "nowhere", "모델")
        assert not (tmp_path / "nowhere").exists()

    def test_beside_another_follower_the_older_state_answers_and_says_so(self, root: Path) -> None:
        with open_archive(root) as archive:
            store_new(archive, 3, 4, run="20260102T040405Z-0002")
        with locked(root, wait=0):
            found = searched(root, "모델")
        assert {hit.id for hit in found.hits} == {key(1).id, key(2).id}
        assert found.note.startswith("the search index is 2 changes behind the archive: another process")

    def test_without_any_index_beside_another_follower_there_is_no_answer(self, root: Path) -> None:
        remove(root)
        with locked(root, wait=0), pytest.raises(ArchiveBusy):
            searched(root, "모델")

    @needs_a_disk
    def test_who_may_not_write_gets_the_older_state(self, tmp_path: Path) -> None:
        mount(tmp_path, "size=64m", "-t", "tmpfs")
        try:
            root = tmp_path / "archive"
            with open_archive(root) as archive:
                store_new(archive, 1)
            follow(root)
            with open_archive(root) as archive:
                store_new(archive, 2, run="20260102T040405Z-0002")
            mount(tmp_path, "remount,ro", "-t", "tmpfs")
            found = searched(root, "모델")
            assert [hit.id for hit in found.hits] == [key(1).id]
            assert found.note.startswith("the search index is 1 change behind the archive: ")
            mount(tmp_path, "remount,rw", "-t", "tmpfs")
            remove(root)
            mount(tmp_path, "remount,ro", "-t", "tmpfs")
            with pytest.raises(StorageFault, match="Read-only file system"):
                searched(root, "모델")
        finally:
            subprocess.run(["umount", str(tmp_path)], check=False)

    @needs_a_disk
    def test_a_full_disk_loses_nothing(self, tmp_path: Path) -> None:
        made = make(tmp_path / "made")
        (tmp_path / "disk").mkdir()
        mount(tmp_path / "disk", "size=32m", "-t", "tmpfs")
        try:
            root = tmp_path / "disk" / "archive"
            shutil.copytree(made, root)
            fill(tmp_path / "disk", 40_000)
            with pytest.raises(StorageFault):
                follow(root)
            (tmp_path / "disk" / "filler").unlink()
            assert len(searched(root, "모델").hits) == 4
            assert search_index_faults(root) == []
        finally:
            subprocess.run(["umount", str(tmp_path / "disk")], check=False)

    def test_searches_answer_while_another_process_follows(self, tmp_path: Path) -> None:
        """Each answer is that of one whole state: what a run stored is found together, or not at all."""
        with open_archive(tmp_path) as archive:
            store_new(archive, 1)
        follow(tmp_path)
        stop = threading.Event()
        answers: list[tuple[int, int]] = []

        def read() -> None:
            while not stop.is_set():
                with opened_to_read(tmp_path) as index:
                    (counted,) = index.execute("SELECT count(*) FROM ft WHERE ft MATCH '\"모델\"'").fetchone()
                    answers.append((counted, meta_of(index, tmp_path).documents))

        readers = [threading.Thread(target=read) for _ in range(2)]
        for reader in readers:
            reader.start()
        try:
            for run in range(2, 8):
                with open_archive(tmp_path) as archive:
                    store_new(archive, *range(run * 10, run * 10 + 10), run=f"20260102T040405Z-{run:04}")
                follow(tmp_path)
        finally:
            stop.set()
            for reader in readers:
                reader.join()
        assert set(answers) <= {(number, number) for number in range(1, 62, 10)}
        assert len(set(answers)) > 1


_INTERRUPTED = """
import sys
from pathlib import Path
import duckdb
from flows.runs.search_index import update_search_index
from storage.search import follower

original, follower.AT_ONCE, calls = follower.documents, 1, []

def documents(archive, ids):
    calls.append(ids)
    if len(calls) > 1:
        raise duckdb.InterruptException("INTERRUPT Error: Interrupted!")  # as DuckDB answers to Ctrl-C
    return original(archive, ids)

follower.documents = documents
print(update_search_index(Path(sys.argv[1])))
"""


def test_ctrl_c_ends_the_update_and_not_the_run(root: Path) -> None:
    with open_archive(root) as archive:
        store_new(archive, 3, 4, run="20260102T040405Z-0002")
    command = [sys.executable, "-c", _INTERRUPTED, str(root)]
    ran = subprocess.run(command, check=False, capture_output=True, text=True, timeout=120, cwd=ROOT)
    assert ran.stdout.endswith("tries again: interrupted']\n"), ran.stderr
    assert len(ids(root, "모델")) == 4


def test_an_index_of_which_only_the_first_page_reached_the_disk_is_new(root: Path) -> None:
    """As after a power cut: SQLite has synced the file's header, and not yet the log with the tables."""
    remove(root)
    connection = sqlite3.connect(root / layout.SEARCH_INDEX)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.close()
    assert search_index_faults(root) == []
    assert ids(root, "독자 모델") == {key(1).id, key(2).id}


def test_a_damaged_snapshot_is_named(root: Path) -> None:
    snapshot = root / layout.SNAPSHOT
    data = snapshot.read_bytes()
    snapshot.write_bytes(data[:8192] + b"\xff" * (len(data) - 8192))
    with pytest.raises(ArchiveDamaged, match=r"archive\.duckdb cannot be (read|opened): "):
        follow(root)


_KILLED = """
import os, random, signal, sqlite3, sys, threading, time
from functools import partial
from pathlib import Path
from storage.search import follower, index

rng, step, statements = random.Random(sys.argv[2]), int(sys.argv[2]), 0

def kill():
    os.kill(os.getpid(), signal.SIGKILL)

def kill_soon(delay):
    time.sleep(delay)
    kill()

class Killed(sqlite3.Connection):
    def execute(self, *given):
        global statements
        statements += 1
        if statements == step:
            if rng.random() < 0.3:
                kill()
            threading.Thread(target=kill_soon, args=[rng.random() * 0.002]).start()  # somewhere in what follows
        return super().execute(*given)

index.sqlite3.connect = partial(sqlite3.connect, factory=Killed)
follower.AT_ONCE = 8
follower.follow(Path(sys.argv[1]))
print(statements)
"""


def killed_follower(root: Path, step: int) -> subprocess.CompletedProcess[str]:
    """A follower that is killed at so many statements, or soon after."""
    command = [sys.executable, "-c", _KILLED, str(root), str(step)]
    return subprocess.run(command, check=False, capture_output=True, text=True, timeout=120, cwd=ROOT)


@pytest.fixture(scope="module")
def changed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive with an index that is behind it by new, edited, deleted and removed articles."""
    root = tmp_path_factory.mktemp("changed")
    world = Histories(12, Random(7))
    for run in range(6):
        with open_archive(root) as archive:
            account = receipt(f"20260102T030405Z-{run:04x}")
            archive.start_run(account)
            world.step(archive, account.run_id, NOW + timedelta(hours=run))
            archive.finish_run(ended(account), {}, [])
        if run == 2:
            follow(root)
    return root


def _kill_everywhere(changed: Path, tmp_path: Path, kills: int) -> None:
    whole = tmp_path / "whole"
    shutil.copytree(changed, whole)
    undisturbed = killed_follower(whole, -1)
    assert undisturbed.returncode == 0, undisturbed.stderr
    statements = int(undisturbed.stdout)
    expected = contents(whole)
    died = 0
    for number in range(kills):
        root = tmp_path / f"{number}"
        shutil.copytree(changed, root)
        if number % 3 == 0:
            remove(root)
        for again in range(1 + number % 2):
            ran = killed_follower(root, 1 + (number * statements // kills + again * 17) % statements)
            died += ran.returncode == -9
            _check_no_wrong_answer(root)
        follow(root)
        assert contents(root) == expected, f"kill {number}"
        assert search_index_faults(root) == []
        shutil.rmtree(root)
    assert died > kills // 2


def _check_no_wrong_answer(root: Path) -> None:
    """What a killed follower left may be late; its tokens are those of its texts, and `meta` counts them."""
    try:
        with opened_to_read(root) as index:
            meta = meta_of(index, root)
            numbers = {n for (n,) in index.execute("SELECT n FROM doc")}
            found = {n for (n,) in index.execute('SELECT rowid FROM ft WHERE ft MATCH \'"본문" OR "제목"\'')}
    except SearchIndexDamaged as none:
        if not none.reason.startswith(("no such table", "it does not exist", "it is of version none")):
            raise
        return
    assert meta.documents == len(numbers)
    assert found <= numbers
    with opened_to_write(root) as writer:
        writer.check()


@pytest.mark.parametrize("kills", [6, pytest.param(60, marks=pytest.mark.long)])
def test_killed_while_it_catches_up_it_is_late_and_never_wrong(changed: Path, tmp_path: Path, kills: int) -> None:
    _kill_everywhere(changed, tmp_path, kills)
