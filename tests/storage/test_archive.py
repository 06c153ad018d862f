"""The archive directory: what is stored is there, whole, once, and after a kill too."""

from __future__ import annotations

import errno
import os
import threading
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import cast

import duckdb
import pyarrow as pa
import pytest

from schemas.article import Outcome
from schemas.errors import ArchiveBusy, ArchiveDamaged, ArchiveTooNew, QueryError, StorageFault
from schemas.find import Known, Relevance, RevisionKind, Status
from schemas.front_matter import loads
from schemas.page import CaptureRef
from storage.archive import open_archive
from storage.captures.reader import read_capture
from storage.database.writer import Database, Migration, migrations
from storage.integrity.repair import verify_archive
from storage.integrity.verify import verify
from storage.reading.reader import open_snapshot, run_query
from tests.support.archives import killed, rows, store_new, store_results
from tests.support.values import NOW, article, ended, key, page, receipt, ref, stored


def as_a_reader(root: Path, sql: str) -> list[tuple[object, ...]]:
    with open_snapshot(root) as connection:
        return list(run_query(connection, sql)[1])


class TestStoring:
    def test_an_article_is_a_row_a_file_and_a_capture_that_agree(self, tmp_path: Path) -> None:
        with open_archive(tmp_path) as archive:
            store_new(archive, 1)
            assert verify(archive).faults == []
        (file,) = (tmp_path / "articles").rglob("*.md")
        assert file.relative_to(tmp_path).as_posix() == "articles/2025/12/30/001_0000000001.md"
        document = loads(file.read_bytes().decode())
        assert (document.body, document.hash_matches) == (article(1).body, True)
        ((title, name, offset),) = rows(tmp_path, "SELECT title, capture_file, capture_offset FROM articles")
        assert title == article(1).title
        record = read_capture(tmp_path, CaptureRef(str(name), int(str(offset))))
        assert (record.url, record.status, record.content) == (key(1).url, 200, "<p>쪽</p>".encode())

    def test_known_returns_stored_articles_and_omits_others(self, tmp_path: Path) -> None:
        with open_archive(tmp_path) as archive:
            store_new(archive, 1)
            known = archive.known([key(1).id, key(2).id])
        held = known[key(1).id].capture
        assert held is not None
        assert read_capture(tmp_path, held).url == key(1).url
        assert known == {
            key(1).id: Known(
                key(1).id,
                Outcome.NEW,
                found_at=NOW,
                status=Status.ARCHIVED,
                title=article(1).title,
                content_hash=article(1).content_hash,
                revision=1,
                file="articles/2025/12/30/001_0000000001.md",
                capture=held,
            )
        }

    def test_a_new_revision_keeps_the_older_text_and_the_file_shows_the_newest(self, tmp_path: Path) -> None:
        with open_archive(tmp_path) as archive:
            store_new(archive, 1)
            edited = article(1, body="고쳐 쓴 글이다.")
            file = archive.known([key(1).id])[key(1).id].file
            result = stored(edited, outcome=Outcome.EDITED, revision_kind=RevisionKind.EDITED, revision=2, file=file)
            store_results(archive, result)
            assert verify(archive).faults == []
        texts = rows(tmp_path, "SELECT revision, revision_kind, body FROM revisions ORDER BY revision")
        assert texts == [(1, "new", article(1).body), (2, "edited", "고쳐 쓴 글이다.")]
        assert rows(tmp_path, "SELECT count(*) FROM articles") == [(1,)]
        (path,) = (tmp_path / "articles").rglob("*.md")
        assert loads(path.read_bytes().decode()).body == "고쳐 쓴 글이다."

    def test_a_duplicate_has_a_row_that_points_at_the_first_and_no_file(self, tmp_path: Path) -> None:
        with open_archive(tmp_path) as archive:
            store_new(archive, 1)
            copy = article(2, body=article(1).body)
            result = stored(
                copy,
                outcome=Outcome.DUPLICATE,
                revision_kind=None,
                duplicate_of=key(1).id,
                matched_by="content_hash",
            )
            store_results(archive, result)
            assert archive.same_text([copy.content_hash], [])[0] == {copy.content_hash: key(1).id}
        assert rows(tmp_path, "SELECT id, duplicate_of FROM duplicates") == [(key(2).id, key(1).id)]
        assert len(list((tmp_path / "articles").rglob("*.md"))) == 1

    def test_what_was_only_listed_leaves_the_articles_when_it_is_off_topic(self, tmp_path: Path) -> None:
        with open_archive(tmp_path) as archive:
            listed = stored(article(1), outcome=Outcome.LISTED, article=None, revision_kind=None)
            store_results(archive, listed, run="20260102T030405Z-0001")
            assert archive.known([key(1).id])[key(1).id].status is Status.LISTED
            store_results(archive, stored(article(1), outcome=Outcome.OFF_TOPIC, revision_kind=None))
            assert archive.known([key(1).id])[key(1).id].status is None

    def test_text_is_nfc_in_the_record_and_its_own_in_file_and_hash(self, tmp_path: Path) -> None:
        decomposed = "\u1100\u1161온연구소"  # 가온연구소, its first letter in two
        with open_archive(tmp_path) as archive:
            store_results(archive, stored(article(1, body=decomposed)))
            assert verify(archive).faults == []
        ((body, digest),) = rows(tmp_path, "SELECT body, content_hash FROM articles")
        assert body == "가온연구소"
        assert digest == article(1, body=decomposed).content_hash
        (file,) = (tmp_path / "articles").rglob("*.md")
        assert loads(file.read_bytes().decode()).body == decomposed

    def test_a_batch_that_fails_leaves_nothing(self, tmp_path: Path) -> None:
        with open_archive(tmp_path) as archive:
            archive.start_run(receipt())
            bad = stored(article(1), relevance=Relevance(cast("float", "no number")))
            with pytest.raises(pa.ArrowInvalid):
                archive.store("20260102T030405Z-0001", [stored(article(2)), bad])
        with open_archive(tmp_path) as archive:
            assert archive.known([key(1).id, key(2).id]) == {}
        assert list(tmp_path.rglob("*.md")) == []

    def test_finds_that_are_due_come_back_oldest_first(self, tmp_path: Path) -> None:
        with open_archive(tmp_path) as archive:
            failed = [
                stored(
                    article(number),
                    outcome=Outcome.FAILED,
                    article=None,
                    revision_kind=None,
                    tries=1,
                    retry_at=NOW + timedelta(minutes=minutes),
                )
                for number, minutes in ((1, 5), (2, 1), (3, 60))
            ]
            store_results(archive, *failed)
            due = archive.due(NOW + timedelta(minutes=30), 10)
        assert [found.key for found in due] == [key(2), key(1)]
        assert due[0] == ref(key(2), seen_at=NOW + timedelta(minutes=30))


class TestPublishing:
    def test_a_new_archive_can_be_read_before_anything_is_in_it(self, tmp_path: Path) -> None:
        with open_archive(tmp_path / "new"):
            pass
        assert rows(tmp_path / "new", "SELECT count(*) FROM articles") == [(0,)]

    def test_readers_keep_their_copy_and_see_the_next_when_they_open_it(self, tmp_path: Path) -> None:
        with open_archive(tmp_path) as archive:
            store_new(archive, 1)
        with open_snapshot(tmp_path) as early:
            with open_archive(tmp_path) as archive:
                store_new(archive, 2, run="20260102T040405Z-0002")
                assert rows(tmp_path, "SELECT count(*) FROM articles") == [(1,)]  # while the writer writes
            assert early.execute("SELECT count(*) FROM articles").fetchone() == (1,)
        assert rows(tmp_path, "SELECT count(*) FROM articles") == [(2,)]

    def test_a_block_that_ends_in_an_error_publishes_what_was_committed(self, tmp_path: Path) -> None:
        def crash() -> None:
            with open_archive(tmp_path) as archive:
                store_new(archive, 1)
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            crash()
        assert rows(tmp_path, "SELECT count(*) FROM articles") == [(1,)]

    def test_in_the_middle_of_a_long_run_readers_see_what_it_has_stored_so_far(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("storage.database.publisher.PUBLISH_EVERY", 0.0)
        monkeypatch.setattr("storage.database.publisher._PAUSE", 0.0)
        run = receipt()
        with open_archive(tmp_path) as archive:
            archive.start_run(run)
            for number in (1, 2):
                archive.store(run.run_id, [stored(article(number), capture=archive.capture(page(key(number).url)))])
                assert rows(tmp_path, "SELECT articles, as_of, run_id FROM archive_info") == [(number, NOW, run.run_id)]
                assert rows(tmp_path, "SELECT exit_reason FROM runs") == [(None,)]
            # Nothing new to show: the copy stays the same file.
            before = (tmp_path / "archive.duckdb").stat().st_ino
            archive.store(run.run_id, [replace(stored(article(2)), known=True, article=None, revision_kind=None)])
            assert (tmp_path / "archive.duckdb").stat().st_ino == before
            archive.finish_run(ended(run), {}, [])
        assert rows(tmp_path, "SELECT exit_reason FROM runs") == [("done",)]
        assert verify_archive(tmp_path).faults == []

    def test_a_short_run_is_shown_when_it_has_ended(self, tmp_path: Path) -> None:
        with open_archive(tmp_path) as archive:
            run = receipt()
            archive.start_run(run)
            archive.store(run.run_id, [stored(article(1))])
            assert rows(tmp_path, "FROM articles") == []
            archive.finish_run(ended(run), {}, [])
        assert len(rows(tmp_path, "FROM articles")) == 1

    def test_a_failed_snapshot_during_a_run_is_logged_and_repeated(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        def full(source: Path, target: Path) -> str:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(target))

        run = receipt()
        with open_archive(tmp_path) as archive:
            archive.start_run(run)
            with monkeypatch.context() as patch:
                patch.setattr("storage.database.publisher.PUBLISH_EVERY", 0.0)
                patch.setattr("storage.database.publisher._PAUSE", 0.0)
                patch.setattr("storage.database.snapshot._copy", full)
                archive.store(run.run_id, [stored(article(1), capture=archive.capture(page(key(1).url)))])
            assert "could not be published: No space left on device" in caplog.text
            assert rows(tmp_path, "FROM articles") == []
            archive.store(run.run_id, [stored(article(2), capture=archive.capture(page(key(2).url)))])
            archive.finish_run(ended(run), {}, [])
        assert len(rows(tmp_path, "FROM articles")) == 2
        assert verify_archive(tmp_path).faults == []

    def test_a_database_that_cannot_be_opened_again_ends_the_run_with_the_reason(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refused(path: Path) -> Database:
            raise StorageFault(f"{path}: Too many open files.")

        def run_into_it() -> None:
            with open_archive(tmp_path) as archive, monkeypatch.context() as patch:
                archive.start_run(receipt())
                patch.setattr("storage.database.publisher.PUBLISH_EVERY", 0.0)
                patch.setattr("storage.database.publisher._PAUSE", 0.0)
                patch.setattr(Database, "open", refused)
                archive.store(receipt().run_id, [stored(article(1), capture=archive.capture(page(key(1).url)))])

        with pytest.raises(StorageFault, match="Too many open files"):
            run_into_it()
        with open_archive(tmp_path):
            pass
        assert len(rows(tmp_path, "FROM articles")) == 1
        assert verify_archive(tmp_path).faults == []

    def test_a_re_extracted_text_is_published_however_large_the_archive(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("storage.database.publisher.SMALL", 0)
        with open_archive(tmp_path) as archive:
            store_new(archive, 1)
        again = stored(
            article(1, title="고쳐 읽은 제목"), revision=2, revision_kind=RevisionKind.RE_EXTRACTED, known=True
        )
        with open_archive(tmp_path) as archive:
            store_results(archive, again)
        assert rows(tmp_path, "SELECT title FROM articles") == [("고쳐 읽은 제목",)]

    def test_a_failed_compaction_is_logged_and_the_snapshot_is_published(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        def full(path: Path, *, temporary: Path) -> None:
            raise StorageFault(f"{temporary}: no memory.")

        monkeypatch.setattr("storage.database.publisher.is_bloated", lambda database: True)
        monkeypatch.setattr("storage.database.publisher.compact", full)
        with open_archive(tmp_path) as archive:
            store_new(archive, 1)
        assert "the database could not be compacted" in caplog.text
        assert len(rows(tmp_path, "FROM articles")) == 1

    def test_readers_get_what_a_migration_brought(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("storage.database.publisher.SMALL", 0)
        every = migrations()
        with monkeypatch.context() as earlier:
            earlier.setattr("storage.database.writer.migrations", lambda: [one for one in every if one.version < 8])
            earlier.setattr(
                "storage.database.writer.comments", lambda: Migration(0, "comments.sql", "SELECT 'none yet'")
            )
            with open_archive(tmp_path):
                pass
        with pytest.raises(QueryError, match=r"written by an older seogo: run `seogo publish`"):
            as_a_reader(tmp_path, "FROM stories")
        with open_archive(tmp_path):
            pass
        assert rows(tmp_path, "SELECT max(version) FROM schema_version") == [(every[-1].version,)]

    def test_a_snapshot_without_a_checksum_after_a_kill_is_no_damage(self, tmp_path: Path) -> None:
        with open_archive(tmp_path) as archive:
            store_new(archive, 1)
        (tmp_path / "state" / "unpublished").touch()
        with (tmp_path / "archive.duckdb").open("ab") as copy:
            copy.write(b"of a later state")
        assert verify_archive(tmp_path).faults == []
        assert verify_archive(tmp_path).faults == []

    def test_a_query_cannot_write_nor_read_other_files(self, tmp_path: Path) -> None:
        with open_archive(tmp_path) as archive:
            store_new(archive, 1)
        secret = tmp_path / "secret.csv"
        secret.write_text("a\n1\n")
        for sql in (
            "DELETE FROM articles",
            f"SELECT * FROM read_csv('{secret}')",
            f"COPY articles TO '{tmp_path}/out.csv'",
            "SET enable_external_access = true",
            f"ATTACH '{tmp_path}/other.duckdb'",
        ):
            with pytest.raises(Exception, match="DuckDB refuses"):
                as_a_reader(tmp_path, sql)


class TestLease:
    def test_the_error_of_a_second_writer_names_the_holder(self, tmp_path: Path) -> None:
        with open_archive(tmp_path), pytest.raises(ArchiveBusy, match=f"process {os.getpid()} on .* since"):
            open_archive(tmp_path).__enter__()

    def test_a_second_writer_may_wait(self, tmp_path: Path) -> None:
        entered, leave = threading.Event(), threading.Event()

        def hold() -> None:
            with open_archive(tmp_path):
                entered.set()
                leave.wait(10)

        holder = threading.Thread(target=hold)
        holder.start()
        assert entered.wait(10)
        threading.Timer(0.2, leave.set).start()
        with open_archive(tmp_path, wait=10):
            assert leave.is_set()
        holder.join()

    def test_the_lease_of_a_killed_process_is_free(self, tmp_path: Path) -> None:
        killed(tmp_path, "signal.raise_signal(signal.SIGKILL)")
        with open_archive(tmp_path):
            pass


class TestKilled:
    """SIGKILL at each step of storing a batch; the next start finishes or forgets it, whole."""

    @pytest.fixture
    def root(self, tmp_path: Path) -> Path:
        with open_archive(tmp_path) as archive:
            store_new(archive, 1)
        return tmp_path

    @pytest.mark.parametrize(
        "at",
        [
            "module.plan_commit = kill",
            "archive.capture = kill",
            "archive._enter = kill",
            "archive.store = kill",
        ],
    )
    @pytest.mark.every(2)
    def test_before_the_journal_has_it_nothing_was_stored(self, root: Path, at: str) -> None:
        killed(root, at)
        with open_archive(root) as archive:
            assert verify(archive).faults == []
            assert set(archive.known([key(1).id, key(2).id])) == {key(1).id}
            store_new(archive, 2, run="20260102T050405Z-0003")
            assert verify(archive).faults == []
        assert rows(root, "SELECT count(*) FROM articles") == [(2,)]
        assert not list((root / "state" / "staged").rglob("*.md"))

    @pytest.mark.parametrize(
        "at",
        [
            "archive._writer.sync = kill",
            "module.stage = kill",
            "archive._db.upsert = kill",
            "archive._db.insert = kill",
            "module.put_in_place = kill",
            "archive.finish_run = kill",
            "archive._writer.close = kill",
            "archive._note_captures = kill",
            "module.remove_staging = kill",
            "module.json_file.save = kill",
            "archive._close = kill",
        ],
    )
    @pytest.mark.every(4)
    def test_what_the_journal_has_is_there_with_its_file(self, root: Path, at: str) -> None:
        killed(root, at)
        with open_archive(root) as archive:
            assert verify(archive).faults == []
            assert set(archive.known([key(1).id, key(2).id])) == {key(1).id, key(2).id}
        assert rows(root, "SELECT count(*) FROM articles") == [(2,)]
        assert len(list((root / "articles").rglob("*.md"))) == 2
        assert not list((root / "state" / "staged").rglob("*"))

    def test_an_answer_that_was_captured_and_not_stored_is_kept_for_the_next_run(self, root: Path) -> None:
        killed(root, "archive.store = kill")
        with open_archive(root) as archive:
            assert any("1 responses of a killed run are kept" in note for note in archive.notes)
            account = receipt("20260102T050405Z-0003")
            archive.start_run(account)
            kept = archive.captured_answer(key(2).url)
            assert kept is not None
            assert (kept.content, kept.fetched_at) == (page(key(2).url).content, NOW)
            capture = archive.capture(kept)
            assert capture == kept.capture  # not a second time
            archive.store(account.run_id, [stored(article(2), capture=capture)])
            archive.finish_run(ended(account), {}, [])
            assert verify(archive).faults == []
        with open_archive(root) as archive:
            archive.start_run(receipt("20260102T060405Z-0004"))
            assert archive.captured_answer(key(2).url) is None

    def test_an_answer_is_kept_for_a_day(self, root: Path) -> None:
        killed(root, "archive.store = kill")
        with open_archive(root) as archive:
            archive.start_run(replace(receipt("20260104T050405Z-0003"), started_at=NOW + timedelta(days=1, seconds=1)))
            assert archive.captured_answer(key(2).url) is None

    def test_a_torn_capture_is_cut_and_noted(self, root: Path) -> None:
        killed(root, "module.stage = kill")
        (torn,) = (root / "captures").rglob("20260102T040405Z-0002-*.warc.gz")
        whole = torn.stat().st_size
        with torn.open("ab") as file:
            file.write(b"\x1f\x8b\x08\x00 half a record")
        with open_archive(root) as archive:
            (note,) = [note for note in archive.notes if "half-written" in note]
            assert verify(archive).faults == []
        assert str(torn.relative_to(root)) in note
        assert torn.stat().st_size == whole


class TestDamage:
    @pytest.fixture
    def root(self, tmp_path: Path) -> Path:
        with open_archive(tmp_path) as archive:
            store_new(archive, 1, 2)
        return tmp_path

    def faults(self, root: Path) -> list[str]:
        with open_archive(root) as archive:
            return verify(archive).faults

    def test_a_missing_file_is_named(self, root: Path) -> None:
        (root / "articles/2025/12/30/001_0000000001.md").unlink()
        (fault,) = self.faults(root)
        assert "articles/2025/12/30/001_0000000001.md: missing" in fault

    def test_an_altered_file_is_named(self, root: Path) -> None:
        file = root / "articles/2025/12/30/001_0000000001.md"
        file.write_bytes(file.read_bytes().replace("두 번째".encode(), "세 번째".encode()))
        assert any("content_hash is not that of the body" in fault for fault in self.faults(root))

    def test_a_file_that_no_row_names_is_named(self, root: Path) -> None:
        stray = root / "articles/2025/12/30/009_0000000009.md"
        stray.write_bytes((root / "articles/2025/12/30/001_0000000001.md").read_bytes())
        (fault,) = self.faults(root)
        assert "009_0000000009.md: no row" in fault

    def test_a_flipped_byte_of_a_capture_is_found_wherever_it_is(self, root: Path) -> None:
        (file,) = (root / "captures").rglob("*.warc.gz")
        data = file.read_bytes()
        for position in range(0, len(data), len(data) // 10):
            flipped = bytearray(data)
            flipped[position] ^= 0x40
            file.write_bytes(flipped)
            assert any("differs from the file that was written" in fault for fault in self.faults(root))
        file.write_bytes(data)
        assert self.faults(root) == []

    def test_a_newer_archive_is_refused(self, root: Path) -> None:
        with duckdb.connect(str(root / "state" / "writer.duckdb")) as connection:
            connection.execute("INSERT INTO schema_version VALUES (99, '0099.sql', '', now())")
        with pytest.raises(ArchiveTooNew, match="schema version 99"), open_archive(root):
            pass

    def test_a_database_that_is_none_is_a_clear_error(self, root: Path) -> None:
        (root / "state" / "writer.duckdb").write_bytes(b"not a database" * 1000)
        with pytest.raises(ArchiveDamaged, match=r"writer\.duckdb is damaged"), open_archive(root):
            pass

    def test_the_file_opens_in_the_older_format(self, root: Path) -> None:
        tags = duckdb.connect(str(root / "archive.duckdb"), read_only=True).execute(
            "SELECT tags FROM duckdb_databases() WHERE NOT internal"
        )
        assert "v1.5" in str(tags.fetchall())
