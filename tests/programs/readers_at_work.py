"""Processes for `test_readers.py` that use an archive until they are killed, or until the file STOP exists.

readers_at_work.py write ARCHIVE        run after run, without a pause; prints a line for each
readers_at_work.py read ARCHIVE STOP    open, check and close repeatedly; prints a summary as JSON
readers_at_work.py stay ARCHIVE STOP    check repeatedly with one connection that stays open

Readers print a line after their first look.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

import duckdb

from schemas.article import Outcome
from schemas.find import FindResult
from schemas.receipt import Receipt, run_id_at
from storage.archive import open_archive
from storage.reading.reader import open_snapshot
from tests.support.values import article, ended, key, stored

PAUSE = 0.3
"""Seconds between two reads, so that eight readers leave the writer enough of two cores."""

BATCHES, NEW = 3, 5
"""Batches per run, and new articles per batch; each batch also has one copy."""

_COUNTS = """
    SELECT
        (SELECT count(*) FROM articles) AS articles,
        (SELECT count(*) FROM duplicates) AS duplicates,
        (SELECT count(*) FROM duplicates ANTI JOIN articles ON duplicates.duplicate_of = articles.id) AS orphans,
        (SELECT count(*) FROM events WHERE kind = 'inserted') AS inserted,
        (SELECT count(*) FROM events WHERE kind = 'duplicate') AS linked,
        (SELECT count(*) FROM events ANTI JOIN runs USING (run_id)) AS stray_events,
        (SELECT max(seq) FROM events) AS newest_event,
        (SELECT count(*) FROM articles WHERE NOT contains(body, aid)) AS torn,
        (SELECT count(*) FROM finds) AS finds
"""


@dataclass(frozen=True)
class Seen:
    """The checked result of one read."""

    run_id: str | None
    articles: int


def look(connection: duckdb.DuckDBPyConnection) -> Seen:
    """Read the whole archive. Raises AssertionError if its state is not that after some batch."""
    counts, info = _row(connection, _COUNTS), _row(connection, "FROM archive_info")
    state = f"{counts} {info}"
    assert counts["articles"] == info["articles"] == counts["inserted"] == NEW * counts["duplicates"], state
    assert counts["duplicates"] == info["duplicates"] == counts["linked"], state
    assert counts["finds"] == counts["articles"] + counts["duplicates"], state
    assert counts["newest_event"] == info["newest_event"], state
    assert (counts["orphans"], counts["stray_events"], counts["torn"]) == (0, 0, 0), state
    return Seen(info["run_id"], counts["articles"])


def _row(connection: duckdb.DuckDBPyConnection, sql: str) -> dict[str, Any]:
    cursor = connection.execute(sql)
    (row,) = cursor.fetchall()
    return dict(zip([column[0] for column in cursor.description or ()], row, strict=True))


def read(root: Path, stop: Path) -> None:
    """Open and check the archive repeatedly."""
    states: list[Seen] = []
    for reads in _until(stop):
        with open_snapshot(root) as connection:
            now = look(connection)
        if not states or states[-1] != now:
            assert not states or states[-1].articles <= now.articles, f"{states[-1]} was newer than {now}"
            states.append(now)
        if reads == 1:
            _say("reading")
    _say(json.dumps({"states": len(states), "articles": states[-1].articles}))


def stay(root: Path, stop: Path) -> None:
    """Use one connection that stays open: it must always show the same state."""
    with open_snapshot(root) as connection:
        first = look(connection)
        _say("reading")
        for _ in _until(stop):
            assert look(connection) == first
    _say(json.dumps({"states": 1, "articles": first.articles}))


def _until(stop: Path) -> Iterator[int]:
    for number in count(1):
        yield number
        if stop.exists():
            return
        time.sleep(PAUSE)


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def write(root: Path) -> None:
    """Run after run."""
    while True:
        with open_archive(root, wait=20) as archive:
            (stored,) = archive.database.rows("SELECT count(*) AS articles FROM articles")
            run = Receipt(run_id_at(datetime.now(UTC)), "crawl", "test", datetime.now(UTC))
            archive.start_run(run)
            for batch in range(BATCHES):
                archive.store(run.run_id, _results(stored["articles"] + batch * NEW))
            archive.finish_run(ended(run), {}, [])
        _say("run")


def _results(first: int) -> list[FindResult]:
    new = [_article(number) for number in range(first + 1, first + 1 + NEW)]
    copy = replace(new[0], key=key(first + 1, "002"))
    linked = stored(copy, outcome=Outcome.DUPLICATE, revision_kind=None, duplicate_of=new[0].id, matched_by="text_hash")
    return [*map(stored, new), linked]


def _article(number: int) -> Any:
    # Long enough that a run rewrites more than one block of the file.
    return article(number, body=f"{key(number).aid} 번째 글이다.\n\n" + f"독자 모델 {number}호를 공개했다. " * 200)


if __name__ == "__main__":
    acts: dict[str, Callable[..., None]] = {"write": write, "read": read, "stay": stay}
    acts[sys.argv[1]](*map(Path, sys.argv[2:]))
