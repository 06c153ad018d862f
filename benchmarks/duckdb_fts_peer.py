"""The peer of `benchmarks.search`: DuckDB's extension fts. Runs in an environment of its own, with DuckDB 1.5.

    python -m benchmarks.duckdb_fts_peer search.sqlite DATABASE < WORDS

Reads texts and numbers from seogo's index, and one word a line; prints its figures as JSON. The extension splits texts
at spaces and punctuation: it finds a word as it stands alone, not inside compounds or before particles.
"""

from __future__ import annotations

import json
import sqlite3
import sys
import time
import zlib
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
from duckdb_extensions import import_extension

from benchmarks.support import timed

TIMES = 5
_AT_ONCE = 2_000
_TEXTS = "SELECT n, title, text FROM doc JOIN body USING (n) ORDER BY n"
_INDEX = """
    PRAGMA create_fts_index(
        'texts', 'n', 'title', 'body', stemmer = 'none', stopwords = 'none', ignore = '[^가-힣a-z0-9]+'
    )
"""
_SCORED = "(SELECT n, fts_main_texts.match_bm25(n, $word) AS score FROM texts)"
_BEST = f"SELECT n FROM {_SCORED} WHERE score IS NOT NULL ORDER BY score DESC, n DESC LIMIT 20"
_COUNT = f"SELECT count(score) FROM {_SCORED}"


def main() -> None:
    """Build, and time the searches."""
    source, path = Path(sys.argv[1]), Path(sys.argv[2])
    import_extension("fts")
    began = time.perf_counter()
    with duckdb.connect(str(path), config={"memory_limit": "4GB", "threads": 1}) as connection:
        connection.load_extension("fts")
        connection.execute("CREATE TABLE texts (n BIGINT, title VARCHAR, body VARCHAR)")
        for part in _parts(source):
            connection.register("part", part)
            connection.execute("INSERT INTO texts FROM part")
        connection.execute(_INDEX)
        connection.execute("CHECKPOINT")
        figures = {"built": time.perf_counter() - began, "bytes": path.stat().st_size, **_searches(connection)}
    print(json.dumps(figures))


def _parts(source: Path) -> Iterator[pa.Table]:
    rows = sqlite3.connect(f"file:{source}?mode=ro", uri=True).execute(_TEXTS)
    while part := rows.fetchmany(_AT_ONCE):
        texts = [{"n": n, "title": title, "body": zlib.decompress(text).decode()} for n, title, text in part]
        yield pa.Table.from_pylist(texts)


def _searches(connection: duckdb.DuckDBPyConnection) -> dict[str, Any]:
    """The times of the searches, and how many articles each word is found in."""
    words = sys.stdin.read().split()

    def asked(query: str, word: str) -> list[Any]:
        return connection.execute(query, {"word": word}).fetchall()

    best = [timed(partial(asked, _BEST, word)) for word in words * TIMES]
    return {"best": best, "found": {word: asked(_COUNT, word)[0][0] for word in words}}


if __name__ == "__main__":
    main()
