"""The tables that journals determine: what identifies a row, and how a row is named in messages."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class JournaledTable:
    """A table whose rows are the result of a replay.

    `key`: the columns that identify a row. `label`: an SQL expression that names a row in messages. `cumulative`: rows
    depend on entries of earlier runs, too, so that one damaged entry may affect the rows of any run.
    """

    key: tuple[str, ...]
    label: str
    cumulative: bool = False


JOURNALED = {
    "articles": JournaledTable(("id",), "id"),
    "superseded": JournaledTable(("id", "revision"), "id || ' revision ' || revision"),
    "duplicates": JournaledTable(("id",), "id"),
    "frontier": JournaledTable(("id",), "id"),
    "finds": JournaledTable(("run_id", "id"), "run_id || ' ' || id"),
    "runs": JournaledTable(("run_id",), "run_id"),
    "requests": JournaledTable(("run_id", "started_at", "url", "attempt"), "run_id || ' ' || url"),
    "cursors": JournaledTable(("source",), "source"),
    "coverage": JournaledTable(("source", "since"), "source || ' ' || since", cumulative=True),
    "quarantine": JournaledTable(("id",), "id", cumulative=True),
    "events": JournaledTable(("seq",), "seq", cumulative=True),
    "segments": JournaledTable(("fetcher", "number"), "fetcher || ' ' || number"),
    "near_duplicates": JournaledTable(("a", "b"), "a || ' ' || b", cumulative=True),
    "story_members": JournaledTable(("id",), "id", cumulative=True),
}
