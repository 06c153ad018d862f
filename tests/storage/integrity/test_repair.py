"""An archive that was damaged: verify names it, repair restores it, and the captures alone are enough to rebuild it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest

from schemas.article import Outcome
from schemas.errors import ArchiveDamaged
from schemas.find import PlainText, RevisionKind
from storage.archive import Archive, open_archive
from storage.captures.reader import ScannedRecord, scan
from storage.database.writer import Database, Row
from storage.integrity.repair import Repair, rebuild, repair, verify_archive
from storage.integrity.verify import verify
from storage.journal import commit
from tests.support.archives import contents, flip, killed, rows, store_new, store_results
from tests.support.values import NOW, article, ended, key, page, receipt, stored

FILE = "articles/2025/12/30/001_0000000001.md"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive with a bit of everything: an edit, a copy, an off-topic find, a text in decomposed Hangul."""
    root = tmp_path_factory.mktemp("made") / "archive"
    with open_archive(root) as archive:
        store_new(archive, 1, 2, 3)
        known = archive.known([key(1).id])[key(1).id]
        account = receipt("20260102T040405Z-0002")
        archive.start_run(account)
        edited = stored(
            article(1, body="고쳐 쓴 글이다."),
            outcome=Outcome.EDITED,
            revision_kind=RevisionKind.EDITED,
            revision=2,
            file=known.file,
            capture=archive.capture(page(key(1).url, "고침".encode())),
        )
        copy = stored(
            article(4, body=article(2).body),
            outcome=Outcome.DUPLICATE,
            revision_kind=None,
            duplicate_of=key(2).id,
            matched_by="content_hash",
        )
        decomposed = stored(article(5, body="\u1100\u1161온연구소"))
        off = stored(article(6), outcome=Outcome.OFF_TOPIC, revision_kind=None)
        note = PlainText(
            "text_0", "주소 없는 글", NOW, "import:a.txt", "import/1", archive.capture_file("a", b"a", NOW)
        )
        archive.capture(page(key(8).url, why="article"))  # no batch tells of it
        archive.store(account.run_id, [edited, copy, decomposed, off], (), [note])
        archive.finish_run(ended(account), {}, [])
    # A clock that was set back: the order of the runs is not that of their names.
    with open_archive(root) as archive:
        store_results(archive, stored(article(7)), run="20250102T040405Z-0003")
    return root


@pytest.fixture
def root(made: Path, tmp_path: Path) -> Path:
    """A copy of it."""
    return Path(shutil.copytree(made, tmp_path / "archive"))


def test_a_whole_archive_has_nothing_to_repair(root: Path) -> None:
    before = contents(root)
    found = verify_archive(root)
    assert (found.faults, found.articles, found.files) == ([], 6, 5)
    done = repair(root)
    assert (done.mended, done.left, done.aside) == ([], [], [])
    assert contents(root) == before


def test_the_captures_are_enough(root: Path) -> None:
    before = contents(root)
    for name in ("articles", "state"):
        shutil.rmtree(root / name)
    (root / "archive.duckdb").unlink()
    with pytest.raises(ArchiveDamaged, match="Run: seogo repair"), open_archive(root):
        pass
    done = rebuild(root)
    assert done.left == []
    assert contents(root) == before
    assert verify_archive(root).faults == []


append = Database.append


def append_known(db: Database, table: str, rows: Sequence[Row], *, replacing: bool = False) -> None:
    """Append what of these rows the table has columns for."""
    known = {
        row["name"] for row in db.rows("SELECT column_name AS name FROM duckdb_columns() WHERE table_name = ?", [table])
    }
    append(db, table, [{name: row[name] for name in row if name in known} for row in rows], replacing=replacing)


def test_an_archive_of_an_earlier_schema_opens_and_is_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from storage.database import writer

    every, capture = writer.migrations(), Archive.capture
    with monkeypatch.context() as earlier:
        earlier.setattr(writer, "migrations", lambda: [one for one in every if one.version < 6])
        earlier.setattr(writer, "comments", lambda: writer.Migration(0, "comments.sql", "SELECT 'none yet'"))
        earlier.setattr(Archive, "_find_pairs", lambda *_, **__: None)  # there were none
        # Neither were there lengths of records, which today's code writes.
        earlier.setattr(Archive, "capture", lambda *page: replace(capture(*page), length=None))
        earlier.setattr(commit, "_PLAIN_TEXTS", commit._PLAIN_TEXTS.replace(" capture_length,", ""))
        earlier.setattr(Database, "append", append_known)
        with open_archive(tmp_path) as archive:
            store_new(archive, 1, 2)
            edited = stored(article(1, body="고쳐 쓴 글이다."), outcome=Outcome.EDITED, revision=2)
        with open_archive(tmp_path) as archive:
            store_results(archive, edited, run="20260102T050405Z-0002")
    with open_archive(tmp_path) as archive:
        store_results(archive, stored(article(3)), run="20260102T060405Z-0003")
    assert rows(tmp_path, "SELECT DISTINCT models FROM revisions") == [(None,)]
    assert len(rows(tmp_path, "FROM revisions")) == 4
    assert verify_archive(tmp_path).faults == []


@pytest.mark.parametrize(
    "name", ["state/writer.duckdb", "archive.duckdb", FILE, "articles/2025/12/30/001_0000000005.md"]
)
@pytest.mark.parametrize("damage", ["missing", "flipped", "cut", "garbage"])
@pytest.mark.every(5)
def test_damage_is_named_and_repaired(root: Path, name: str, damage: str) -> None:
    before, path = contents(root), root / name
    data = path.read_bytes()
    match damage:
        case "missing":
            path.unlink()
        case "flipped":
            path.write_bytes(data[: len(data) // 2] + bytes([data[len(data) // 2] ^ 1]) + data[len(data) // 2 + 1 :])
        case "cut":
            path.write_bytes(data[: len(data) // 2])
        case "garbage":
            path.write_bytes(b"\x00 no archive " * 1000)
    assert any(name in fault for fault in verify_archive(root).faults)
    done = repair(root)
    assert done.left == []
    assert contents(root) == before
    assert verify_archive(root).faults == []


@pytest.mark.parametrize("share", [0.0, 0.2, 0.4, 0.6, 0.8, 0.999])
@pytest.mark.parametrize("name", ["state/writer.duckdb", "archive.duckdb", FILE])
@pytest.mark.every(5)
def test_one_flipped_byte_is_found_wherever_it_is(root: Path, name: str, share: float) -> None:
    path = root / name
    data = bytearray(path.read_bytes())
    data[int(share * len(data))] ^= 0x01
    path.write_bytes(data)
    assert any(name in fault for fault in verify_archive(root).faults)


BLOCKS_FROM, BLOCK = 3 * 4096, 256 * 1024
"""DuckDB's file: three headers, then blocks, each with a checksum of its own."""


def block_of(database: Path, table: str) -> int:
    """The number of a block that a table's rows lie in."""
    with duckdb.connect(str(database), read_only=True) as connection:
        sql = f"SELECT max(block_id) FROM pragma_storage_info('{table}')"
        (found,) = connection.execute(sql).fetchall()
    return int(found[0])


@pytest.mark.parametrize("act", [repair, rebuild])
@pytest.mark.parametrize("files", [("state/writer.duckdb",), ("state/writer.duckdb", "archive.duckdb")])
@pytest.mark.parametrize("table", ["capture_files", "unprocessed", "schema_version", "articles", "runs"])
@pytest.mark.every(7)
def test_one_flipped_byte_of_any_table_is_repaired(
    root: Path, table: str, files: tuple[str, ...], act: Callable[[Path], Repair]
) -> None:
    """Of the readers' copy as well: where it was copied, the damage went with it."""
    before = contents(root)
    for name in files:
        flip(root / name, BLOCKS_FROM + BLOCK * block_of(root / name, table) + 1000)
    assert act(root).left == []
    assert contents(root) == before
    assert verify_archive(root).faults == []
    with open_archive(root) as archive:
        store_new(archive, 9, run="20260302T050405Z-0009")
        assert verify(archive).faults == []


@pytest.mark.parametrize("block", range(-2, 18))
@pytest.mark.every(10)
def test_one_flipped_byte_of_any_block_is_repaired(root: Path, block: int) -> None:
    """Indexes, the catalogue and free blocks among them."""
    before, path = contents(root), root / "state" / "writer.duckdb"
    assert path.stat().st_size >= BLOCKS_FROM + BLOCK * 18
    flip(path, BLOCKS_FROM + (BLOCK * block + 1000 if block >= 0 else 4096 * block + 100))
    assert repair(root).left == []
    assert contents(root) == before
    assert verify_archive(root).faults == []


@pytest.mark.parametrize("table", ["capture_files", "unprocessed", "schema_version"])
@pytest.mark.every(3)
def test_a_table_that_cannot_be_read_does_not_cost_the_rows_of_a_damaged_capture(root: Path, table: str) -> None:
    """The other tables of both databases are all that still tells of them."""
    before = contents(root)
    (file,) = (root / "captures").rglob("*-0002-*.warc.gz")
    file.write_bytes(b"damaged")
    for name in ("state/writer.duckdb", "archive.duckdb"):
        flip(root / name, BLOCKS_FROM + BLOCK * block_of(root / name, table) + 1000)
    assert all("capture" in fault for fault in repair(root).left)
    assert without_repairs(contents(root)) == without_repairs(before)
    assert all("capture" in fault for fault in rebuild(root).left)
    assert without_repairs(contents(root)) == without_repairs(before)


def test_an_altered_row_is_named_and_restored(root: Path) -> None:
    before = contents(root)
    with duckdb.connect(str(root / "state" / "writer.duckdb")) as connection:
        connection.execute(f"UPDATE articles SET publisher = '다른 신문' WHERE id = '{key(2).id}'")
        connection.execute(f"DELETE FROM duplicates WHERE id = '{key(4).id}'")
        connection.execute("INSERT INTO finds SELECT * REPLACE ('999_0000000009' AS id) FROM finds LIMIT 1")
    faults = "\n".join(verify_archive(root).faults)
    assert f"row articles {key(2).id}: differs from the journal" in faults
    assert f"row duplicates {key(4).id}: missing, but in the journal" in faults
    assert "999_0000000009: not in the journal" in faults
    assert repair(root).left == []
    assert contents(root) == before


def test_a_file_that_no_row_names_is_named_and_left_alone(root: Path) -> None:
    """It may be all that is left of an article."""
    stray = root / "articles/2025/12/30/009_0000000009.md"
    stray.write_bytes(b"somebody's")
    (left,) = repair(root).left
    assert "009_0000000009.md: no row" in left
    assert stray.read_bytes() == b"somebody's"


def test_what_is_replaced_is_kept(root: Path) -> None:
    (root / FILE).write_bytes(b"somebody's notes")
    (aside,) = repair(root).aside
    assert aside.endswith(FILE)
    assert (root / aside).read_bytes() == b"somebody's notes"


@pytest.mark.parametrize("kind", ["response", "metadata", "warcinfo", "resource"])
@pytest.mark.every(4)
def test_a_damaged_capture_cannot_be_repaired_and_costs_no_row(root: Path, kind: str) -> None:
    """Neither now nor in a later rebuild, although its journal may be what is damaged."""
    before = contents(root)
    (file,) = (root / "captures").rglob("*-0002-*.warc.gz")
    name = file.relative_to(root).as_posix()
    for met in [met for met in scan(root, name) if isinstance(met, ScannedRecord) and met.kind == kind]:
        flip(file, met.ref.offset + 60)
    done = repair(root)
    assert any(name in fault for fault in done.left)
    assert without_repairs(contents(root)) == without_repairs(before)
    assert any(name in fault for fault in rebuild(root).left)
    assert without_repairs(contents(root)) == without_repairs(before)


def test_rows_are_journaled_again_only_once(root: Path) -> None:
    (file,) = (root / "captures").rglob("*-0002-*.warc.gz")
    name = file.relative_to(root).as_posix()
    (batch,) = [
        met
        for met in scan(root, name)
        if isinstance(met, ScannedRecord) and met.entry and b"batch_stored" in met.entry[:20]
    ]
    flip(file, batch.ref.offset + 60)
    assert any("journaled again" in line for line in repair(root).mended)
    again = repair(root)
    assert not any("journaled again" in line for line in again.mended)
    assert all(name in fault for fault in again.left)


def without_repairs(of: dict[str, list[tuple[object, ...]]]) -> dict[str, list[tuple[object, ...]]]:
    """Everything but the repair's own run."""
    return {name: [row for row in rows if "repair" not in row] for name, rows in of.items()}


def test_a_lost_capture_is_named(root: Path) -> None:
    (lost,) = (root / "captures").rglob("*-0002-*.warc.gz")
    lost.unlink()
    name = lost.relative_to(root).as_posix()
    before = contents(root)
    assert any(f"capture {name}: missing" in fault for fault in verify_archive(root).faults)
    for act in (repair, rebuild):
        assert any(f"capture {name}: missing" in fault for fault in act(root).left)
        assert without_repairs(contents(root)) == without_repairs(before)


@pytest.mark.parametrize("act", [repair, rebuild])
@pytest.mark.parametrize("writer", ["missing", "unreadable"])
@pytest.mark.parametrize("lost", ["-0001-", "-0002-", "-000"])
@pytest.mark.every(7)
def test_rows_are_restored_from_the_snapshot(root: Path, act: Callable[[Path], Repair], writer: str, lost: str) -> None:
    """The writer's database is gone, and a capture (or all of them) with it: the copy still has the rows."""
    before = contents(root)
    for file in (root / "captures").rglob(f"*{lost}*"):
        file.unlink()
    if writer == "missing":
        shutil.rmtree(root / "state")
    else:
        (root / "state" / "writer.duckdb").write_bytes(b"no database")
    with pytest.raises(ArchiveDamaged, match="seogo repair"), open_archive(root):
        pass
    left = act(root).left
    assert left
    assert all("capture" in fault for fault in left)
    assert without_repairs(contents(root)) == without_repairs(before)


def test_without_captures_and_databases_the_files_stay(root: Path) -> None:
    files = {path: path.read_bytes() for path in (root / "articles").rglob("*.md")}
    (lost,) = (root / "captures").rglob("*-0001-*.warc.gz")
    lost.unlink()
    shutil.rmtree(root / "state")
    (root / "archive.duckdb").unlink()
    done = rebuild(root)
    assert any("no row of the database names it" in fault for fault in done.left)
    kept = [root / aside for aside in done.aside]
    assert {path.name for path in files} == {path.name for path in (root / "articles").rglob("*.md")}
    assert all(data in [p.read_bytes() for p in (path, *kept) if p.exists()] for path, data in files.items())


def test_damage_of_the_database_is_found_as_often_as_somebody_looks(root: Path) -> None:
    path = root / "state" / "writer.duckdb"
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0x01
    path.write_bytes(data)
    for _ in range(2):
        assert any("writer.duckdb" in fault for fault in verify_archive(root).faults)
    assert repair(root).left == []
    assert verify_archive(root).faults == []


def test_an_article_that_took_over_a_text_is_journaled_again_with_it(tmp_path: Path) -> None:
    """Its damaged entry had removed a row and added a copy: neither may come back, or be lost, in a rebuild."""
    with open_archive(tmp_path) as archive:
        account = receipt("20260102T030405Z-0001")
        archive.start_run(account)
        note = PlainText("text_0", article(1).body, NOW, "import:a", "import/1", archive.capture_file("a", b"a", NOW))
        archive.store(account.run_id, [], (), [note])
        archive.finish_run(ended(account), {}, [])
        store_new(archive, 1, run="20260102T040405Z-0002")
    before = contents(tmp_path)
    (file,) = (tmp_path / "captures").rglob("*-0002-*.warc.gz")
    entries = [
        met
        for met in scan(tmp_path, file.relative_to(tmp_path).as_posix())
        if isinstance(met, ScannedRecord) and met.entry
    ]
    flip(file, entries[1].ref.offset + 60)
    for act in (repair, rebuild):
        assert all("capture" in fault for fault in act(tmp_path).left)
        assert without_repairs(contents(tmp_path)) == without_repairs(before)


def test_a_database_half_created_by_a_first_start_is_created_again(tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "writer.duckdb").write_bytes(b"\0" * 4096)
    with open_archive(tmp_path) as archive:
        store_new(archive, 1)
    assert verify_archive(tmp_path).faults == []


@pytest.mark.parametrize("damaged", [b"[]", b"{", b'{"archive.duckdb": 5}', b'{"other": {"bytes": 1, "sha256": ""}}'])
def test_damaged_seals_claim_nothing(root: Path, damaged: bytes) -> None:
    (root / "state" / "seals.json").write_bytes(damaged)
    assert verify_archive(root).faults == []


def test_a_log_of_the_database_that_belongs_to_an_older_state_costs_nothing(tmp_path: Path) -> None:
    """DuckDB leaves one behind in rare cases, and then does not open the file."""
    log = tmp_path / "state" / "writer.duckdb.wal"
    with open_archive(tmp_path) as archive:
        store_new(archive, 1)
        stale = log.read_bytes()
    killed(tmp_path, "archive.finish_run = kill")
    log.write_bytes(stale)
    with open_archive(tmp_path) as archive:
        assert any("log could not be read" in note for note in archive.notes)
        assert any("replayed" in note for note in archive.notes)
        assert set(archive.known([key(1).id, key(2).id])) == {key(1).id, key(2).id}
        assert verify(archive).faults == []


@pytest.mark.parametrize("log", [b"no log at all" * 100, b""])
def test_a_log_of_the_database_that_was_lost_costs_nothing(tmp_path: Path, log: bytes) -> None:
    """DuckDB passes over it without a word: the journal has what it held."""
    with open_archive(tmp_path) as archive:
        store_new(archive, 1)
    killed(tmp_path, "archive.finish_run = kill")
    (tmp_path / "state" / "writer.duckdb.wal").write_bytes(log)
    with open_archive(tmp_path) as archive:
        assert set(archive.known([key(1).id, key(2).id])) == {key(1).id, key(2).id}
        assert verify(archive).faults == []


def test_rows_from_before_there_was_a_journal_survive_a_rebuild(root: Path) -> None:
    shutil.rmtree(root / "captures")
    with duckdb.connect(str(root / "state" / "writer.duckdb")) as connection:
        connection.execute("UPDATE runs SET batches = NULL, number = NULL")
        connection.execute("DELETE FROM capture_files")
        connection.execute("UPDATE articles SET capture_file = NULL, capture_offset = NULL")
        connection.execute("UPDATE superseded SET capture_file = NULL, capture_offset = NULL")
    (root / "state" / "seals.json").unlink()
    (root / "archive.duckdb").unlink()
    assert verify_archive(root).faults == []
    before = contents(root)
    for _ in range(2):
        assert rebuild(root).left == []
        assert without_repairs(contents(root)) == without_repairs(before)
