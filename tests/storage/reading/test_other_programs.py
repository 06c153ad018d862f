"""Other programs read what this one wrote: an older DuckDB, pandas, polars.

`make test` sets them up, by tests/data/readers.lock.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from storage.exports.changes import export_changes
from storage.exports.full import export
from storage.reading.examples import examples
from storage.reading.reader import open_snapshot, run_query
from tests.support.command import environment
from tests.support.histories.analyst import make

READERS = Path(sys.prefix) / "readers"
TABLES = (
    *("articles", "revisions", "revision_changes", "duplicates", "teams", "publishers", "daily"),
    *("finds", "runs", "requests", "coverage", "events", "archive_info", "frontier"),
    *("stories", "story_members", "near_duplicates"),
)

pytestmark = pytest.mark.skipif(not READERS.is_dir(), reason=f"{READERS} is not there: `make test` makes it")


def asked(script: str, *words: object, stdin: str = "") -> Any:
    """What a program that sees the other readers prints, as JSON."""
    done = subprocess.run(
        [sys.executable, "-P", "-c", script, *map(str, words)],
        env=environment(PYTHONPATH=READERS),
        input=stdin,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With its Parquet and JSON lines in `exports/`, and all changes of its feed in `changes/`."""
    root = make(tmp_path_factory.mktemp("read") / "archive")
    for form in ("parquet", "jsonl"):
        export(root, form)
        export_changes(root, 0, form, root / "changes")
    return root


def test_duckdb_1_5_opens_the_database(archive: Path) -> None:
    queries = {name: f"SELECT * FROM {name} ORDER BY ALL" for name in TABLES}
    queries |= {one.name: one.sql for one in examples()}
    queries["as of"] = "SELECT * FROM articles_as_of(TIMESTAMPTZ '2026-01-08 00:00:00+09') ORDER BY id"
    version, answers = asked(_DUCKDB, archive / "archive.duckdb", stdin=json.dumps(queries))
    assert version.startswith("1.5."), version
    with open_snapshot(archive) as connection:
        for name, sql in queries.items():
            assert answers[name] == repr(list(run_query(connection, sql)[1])), name


_DUCKDB = """
import json, sys, duckdb
connection = duckdb.connect(sys.argv[1], read_only=True)
connection.execute("SET TimeZone = 'Asia/Seoul'")
queries = json.load(sys.stdin)
answers = {name: repr(connection.execute(sql).fetchall()) for name, sql in queries.items()}
print(json.dumps([duckdb.__version__, answers]))
"""

_PANDAS = """
import json, sys, pandas
root, changes = sys.argv[1:]
printed = []
for frame in (
    pandas.read_parquet(f"{root}/exports/articles"),
    pandas.read_json(f"{root}/exports/articles.jsonl", lines=True, dtype={"id": str}),  # else they are numbers
    pandas.read_parquet(f"{changes}.parquet").dropna(subset="title"),
    pandas.json_normalize([one for line in open(f"{changes}.jsonl") if (one := json.loads(line)["article"])]),
):
    frame["published_at"] = pandas.to_datetime(frame["published_at"], utc=True)
    rows = frame.sort_values(["id", "revision"])[["id", "revision", "title", "published_at", "teams"]]
    printed.append([[*row[:3], row[3].isoformat(), list(row[4])] for row in rows.itertuples(index=False)])
print(json.dumps(printed))
"""

_POLARS = """
import json, sys, polars
root, changes = sys.argv[1:]
printed = []
for frame in (
    polars.read_parquet(f"{root}/exports/articles/**/*.parquet", hive_partitioning=True),
    polars.read_ndjson(f"{root}/exports/articles.jsonl"),
    polars.read_parquet(f"{changes}.parquet").drop_nulls("title"),
    polars.read_ndjson(f"{changes}.jsonl").select(polars.col("article").struct.unnest()).drop_nulls("id"),
):
    if frame.schema["published_at"] == polars.String:
        frame = frame.with_columns(polars.col("published_at").str.to_datetime(time_zone="UTC"))
    rows = frame.sort("id", "revision").select("id", "revision", "title", "published_at", "teams").rows()
    printed.append([[*row[:3], row[3].isoformat(), row[4]] for row in rows])
print(json.dumps(printed))
"""


@pytest.mark.parametrize("script", [_PANDAS, _POLARS], ids=["pandas", "polars"])
def test_data_frames_of_exports_and_changes_hold_what_the_database_holds(archive: Path, script: str) -> None:
    (changes,) = (archive / "changes").glob("*.parquet")
    query = "SELECT id, revision, title, published_at AT TIME ZONE 'UTC', teams FROM {} ORDER BY id, revision"
    with open_snapshot(archive) as connection:
        newest, every = (
            [[*row[:3], f"{row[3].isoformat()}+00:00", row[4]] for row in run_query(connection, query.format(table))[1]]
            for table in ("articles", "revisions")
        )
    assert asked(script, archive, changes.with_suffix("")) == [newest, newest, every, every]
