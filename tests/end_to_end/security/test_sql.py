"""SECURITY.md, the promises about `seogo sql`: it reads the archive's tables, nothing else, and writes nothing."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from schemas.errors import QueryError
from storage.reading.reader import open_snapshot, run_query
from tests.support.command import Ran, ending, process, seogo, start

SECRET = "outside-7c1e"


@pytest.fixture(scope="module")
def outside(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that no query has any business in: files of every kind that DuckDB reads."""
    folder = tmp_path_factory.mktemp("outside")
    (folder / "a.csv").write_text(f"word\n{SECRET}\n", "utf-8")
    (folder / "a.json").write_text(f'{{"word": "{SECRET}"}}\n', "utf-8")
    (folder / "schema.sql").write_text(f"CREATE TEMP TABLE got AS SELECT '{SECRET}' AS word;", "utf-8")
    (folder / "load.sql").write_text("", "utf-8")
    with duckdb.connect(str(folder / "other.duckdb")) as other:
        other.execute(f"CREATE TABLE t AS SELECT '{SECRET}' AS word")
        other.execute(f"COPY t TO '{folder / 'a.parquet'}'")
    return folder


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `seogo sql` needs of an archive: the readers' database."""
    root = tmp_path_factory.mktemp("sql") / "archive"
    root.mkdir()
    with duckdb.connect(str(root / "archive.duckdb")) as made:
        made.execute("CREATE TABLE articles AS SELECT range::VARCHAR AS id, '14억원' AS title FROM range(3)")
    return root


@pytest.fixture
def unchanged(archive: Path, outside: Path) -> Iterator[None]:
    """Sees to it that a test changes no file, neither of the archive nor outside."""
    before = _contents(archive), _contents(outside)
    yield
    assert (_contents(archive), _contents(outside)) == before


def _contents(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() if path.is_file() else b"" for path in folder.rglob("*")}


def sql(archive: Path, query: str) -> Ran:
    return seogo("sql", query, "--archive", archive, "--format", "json")


# -- reading and writing outside

READS = [
    "SELECT * FROM read_csv('{out}/a.csv')",
    "SELECT * FROM read_csv_auto('{out}/*.csv')",
    "SELECT * FROM read_text('{out}/a.csv')",
    "SELECT * FROM read_blob('{out}/a.csv')",
    "SELECT * FROM read_parquet('{out}/a.parquet')",
    "SELECT * FROM parquet_metadata('{out}/a.parquet')",
    "SELECT * FROM read_json('{out}/a.json')",
    "SELECT * FROM read_ndjson_objects('{out}/a.json')",
    "SELECT * FROM read_duckdb('{out}/other.duckdb', table_name='t')",
    "SELECT * FROM sniff_csv('{out}/a.csv')",
    "SELECT * FROM glob('{out}/*')",
    "SELECT * FROM '{out}/a.csv'",
    "SELECT * FROM '{out}/a.parquet'",
    "SELECT * FROM '/etc/passwd'",
    "SELECT * FROM query('SELECT * FROM read_text(''{out}/a.csv'')')",
    "SELECT * FROM query_table('{out}/a.csv')",
    "SELECT * FROM read_text('{archive}/../../{name}/a.csv')",
    "SELECT * FROM read_text('file://{out}/a.csv')",
    "SELECT * FROM read_text('/proc/self/environ')",
    "SELECT * FROM read_text('/dev/stdin')",
    "SELECT getenv('HOME')",
    "CREATE TEMP MACRO m() AS TABLE SELECT * FROM read_text('{out}/a.csv'); SELECT * FROM m()",
    "CREATE TYPE z AS ENUM (SELECT content FROM read_text('{out}/a.csv'))",
    "PREPARE p AS SELECT * FROM read_text($1); EXECUTE p('{out}/a.csv')",
    "CREATE TEMP TABLE t (word TEXT); COPY t FROM '{out}/a.csv'; SELECT * FROM t",
    "ATTACH '{out}/other.duckdb'; SELECT * FROM other.t",
    "ATTACH '{out}/other.duckdb' AS o (READ_ONLY); SELECT * FROM o.t",
    "IMPORT DATABASE '{out}'; SELECT * FROM got",
    "SELECT * FROM read_text('http://127.0.0.1:9/')",
    "SELECT * FROM read_parquet('s3://bucket/a.parquet')",
    "ATTACH 'http://127.0.0.1:9/a.duckdb'",
]

WRITES = [
    "COPY articles TO '{out}/stolen.csv'",
    "COPY (SELECT 1) TO '{out}/stolen.parquet' (FORMAT parquet)",
    "COPY articles TO '{archive}/archive.duckdb'",
    "COPY articles TO '{archive}/beside.csv'",
    "COPY articles TO '/dev/stderr'",
    "EXPORT DATABASE '{out}/exported'",
    "EXPORT DATABASE '{archive}/exported'",
    "ATTACH '{out}/new.duckdb' AS n; CREATE TABLE n.t AS SELECT 1",
    "ATTACH '{out}/other.duckdb' AS o; DROP TABLE o.t",
    "ATTACH '{archive}/archive.duckdb' AS w (READ_WRITE)",
    "ATTACH '{archive}/archive.duckdb' AS w; DELETE FROM w.articles",
    "COPY FROM DATABASE archive TO other",
    "SET log_query_path = '{out}/log'",
    "CALL enable_logging(storage = 'file', storage_config = {{'path': '{out}/logs'}})",
    "CALL enable_logging('QueryLog', storage = 'file', storage_path = '{out}/logs')",
    "SET profiling_output = '{out}/profile.json'",
    "PRAGMA profiling_output = '{out}/profile.json'",
    "CALL enable_profiling(save_location = '{out}/profile.json')",
    "SET temp_directory = '{out}/spilled'",
    "SET secret_directory = '{out}/secrets'",
    "CREATE PERSISTENT SECRET s (TYPE http, BEARER_TOKEN 'b')",
    "CREATE SECRET s (TYPE s3, KEY_ID 'a', SECRET 'b')",
    "INSERT INTO articles VALUES ('4', 'x')",
    "UPDATE articles SET title = 'x'",
    "DELETE FROM articles",
    "TRUNCATE articles",
    "DROP TABLE articles",
    "ALTER TABLE articles ADD COLUMN x INT",
    "CREATE TABLE x AS SELECT 1",
    "CREATE VIEW x AS SELECT 1",
    "CREATE MACRO x() AS 1",
    "CREATE INDEX x ON articles(id)",
    "BEGIN TRANSACTION READ WRITE; DROP TABLE articles",
]

SWITCHES = [
    "SET enable_external_access = true",
    "SET GLOBAL enable_external_access = true",
    "PRAGMA enable_external_access = true",
    "RESET enable_external_access",
    "SET allowed_directories = ['/']",
    "SET allowed_paths = ['/etc/passwd']",
    "SET allowed_configs = ['enable_external_access']",
    "SET lock_configuration = false",
    "RESET lock_configuration",
    "SET access_mode = 'read_write'",
    "SET python_enable_replacements = true",
    "SET python_scan_all_frames = true",
    "SET allow_persistent_secrets = true",
    "SET allow_unsigned_extensions = true",
    "SET autoinstall_known_extensions = true",
    "SET autoload_known_extensions = true",
    "SET extension_directory = '/tmp'",
    "SET custom_extension_repository = 'http://127.0.0.1:9'",
    "SET home_directory = '/tmp'",
    "SET file_search_path = '/etc'",
    "SET http_proxy = '127.0.0.1:9'",
    "SET memory_limit = '900GB'",
    "SET max_temp_directory_size = '1TB'",
    "PRAGMA threads = 64",
    "INSTALL httpfs",
    "FORCE INSTALL httpfs FROM community",
    "LOAD httpfs",
    "LOAD '/tmp/x.duckdb_extension'",
    "UPDATE EXTENSIONS",
    "CALL start_ui()",
]


@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize("query", [*READS, *WRITES, *SWITCHES])
def test_a_query_reads_and_writes_nothing_outside(archive: Path, outside: Path, query: str) -> None:
    """In this process, with the command's own connection: a process each would take a minute."""
    whole = query.format(out=outside, archive=archive, name=outside.name)
    with open_snapshot(archive) as connection:
        with pytest.raises(QueryError):
            list(run_query(connection, whole)[1])
        # Whatever it began, the door is shut behind it.
        for still in (f"SELECT * FROM read_text('{outside}/a.csv')", f"COPY articles TO '{outside}/later.csv'"):
            with pytest.raises(QueryError):
                run_query(connection, still)


@pytest.mark.usefixtures("unchanged")
def test_the_command_itself_refuses_and_ends_in_order(archive: Path, outside: Path) -> None:
    # Without the lock on its settings, DuckDB 2.0 ends the whole process over this one.
    ran = process("sql", WRITES[14].format(out=outside), "--archive", archive)
    assert (ran.code, ran.out) == (2, "")
    assert "Settings are fixed" in ran.complaint
    ran = process("sql", READS[2].format(out=outside), "--archive", archive)
    assert (ran.code, ran.out) == (2, "")
    assert SECRET not in ran.err
    assert "Traceback" not in ran.err


def test_a_query_sees_no_variable_of_the_program(archive: Path) -> None:
    words = pa.table({"word": [SECRET]})
    with open_snapshot(archive) as connection, pytest.raises(duckdb.CatalogException, match="words does not exist"):
        connection.execute("SELECT * FROM words")
    assert words.num_rows == 1


@pytest.mark.usefixtures("unchanged")
def test_stored_secrets_of_the_user_are_not_read(archive: Path, tmp_path: Path) -> None:
    stored = tmp_path / ".duckdb" / "stored_secrets"
    with duckdb.connect(config={"secret_directory": str(stored)}) as own:
        own.execute(f"CREATE PERSISTENT SECRET mine (TYPE http, BEARER_TOKEN '{SECRET}')")
    assert list(stored.iterdir())
    ran = process(
        *("sql", "SELECT * FROM duckdb_secrets()", "--archive", archive, "--format", "json"), env={"HOME": tmp_path}
    )
    assert ran.json == []


def test_what_a_query_may_do_still_goes(archive: Path) -> None:
    query = "SET VARIABLE n = 2; CREATE TEMP TABLE t AS SELECT id FROM articles LIMIT getvariable('n')"
    assert sql(archive, f"{query}; SELECT count(*) AS n FROM t").json == [{"n": 2}]
    assert sql(archive, "SELECT current_setting('TimeZone') AS zone").json == [{"zone": "Asia/Seoul"}]


def test_two_readers_in_one_process_are_both_locked(archive: Path) -> None:
    with open_snapshot(archive) as one, open_snapshot(archive) as other:
        for connection in (one, other):
            with pytest.raises(QueryError, match="Settings are fixed"):
                run_query(connection, "SET threads = 64")
            assert list(run_query(connection, "SELECT count(*) FROM articles")[1]) == [(3,)]


# -- memory, disk, time


@pytest.mark.usefixtures("unchanged")
def test_a_query_that_wants_too_much_ends_in_words_and_spills_nothing(
    archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(_settings(), "memory_limit", "60MB")
    ran = sql(archive, "SELECT repeat('x', 100) || range AS s FROM range(2000000) ORDER BY s DESC")
    assert ran.code == 2
    assert "Out of Memory" in ran.err
    assert "Traceback" not in ran.err


def test_half_of_the_memory_is_the_most_and_nothing_is_spilled(archive: Path) -> None:
    with open_snapshot(archive) as connection:
        names = "current_setting('temp_directory'), current_setting('enable_external_access')"
        assert list(run_query(connection, f"SELECT {names}")[1]) == [("", False)]
    assert _settings()["memory_limit"] == "50%"


def _settings() -> dict[str, str | bool | int | float | list[str]]:
    from storage.reading import reader

    return reader._SETTINGS


ENDLESS = "WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t) SELECT {what} FROM t"


@pytest.mark.parametrize(
    "query", [ENDLESS.format(what="count(*)"), "SELECT n FROM range(100000000000) t(n) WHERE n < 0"]
)
def test_ctrl_c_ends_an_endless_query(archive: Path, query: str) -> None:
    with ending(start("sql", query, "--archive", archive)) as running:
        time.sleep(1.5)  # the query is under way: it has nothing to show, ever
        assert running.poll() is None
        asked = time.monotonic()
        running.send_signal(signal.SIGINT)
        out, err = running.communicate(timeout=10)
    assert time.monotonic() - asked < 3
    assert (running.returncode, out) == (130, "")
    assert "Traceback" not in err


def test_ctrl_c_ends_an_endless_query_whose_rows_are_being_read(archive: Path) -> None:
    with ending(start("sql", ENDLESS.format(what="n"), "--archive", archive, "--format", "csv")) as running:
        assert running.stdout is not None
        assert running.stdout.readline() == "n\n"
        os.kill(running.pid, signal.SIGINT)
        asked = time.monotonic()
        _, err = running.communicate(timeout=10)
    assert time.monotonic() - asked < 3
    assert running.returncode == 130
    assert "Traceback" not in err
