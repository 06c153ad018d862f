"""Random histories of an archive, and crashing consumers of its change feed: is their state equal to the tables?

    python -m tests.support.histories.feed --histories 10000 --seed 1

Each history consists of a few articles to which anything may happen: found, edited, copied, deleted, restored, parsed
again, only listed, off topic, imported, assessed again. One step of all histories is one batch of a run; from time to
time a run ends and the next begins. The consumers read at random times, some lines at a time. They store their state
together with the cursor, and lose everything that they have not stored when they crash."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any

import duckdb

from flows.pipeline.judge import Assessment, Judge, Parsed
from schemas.article import ArticleKey, Outcome
from schemas.find import FindResult, PlainText, Relevance
from schemas.journal import Reassessment
from schemas.page import CaptureRef
from schemas.traits import Traits
from storage.archive import Archive, open_archive
from storage.reading.changes import Change, changes
from storage.reading.reader import open_snapshot
from tests.support.prose import prose
from tests.support.values import NOW, article, ended, key, receipt, ref

KEYS, TEXTS, STEPS = 4, 3, 14
CONSUMERS = 12


@dataclass
class Consumer:
    """A consumer of the feed, which stores its state together with the cursor."""

    rng: Random
    cursor: int = 0
    articles: dict[str, tuple[int, str | None]] = field(default_factory=dict)
    on_topic: dict[str, bool | None] = field(default_factory=dict)
    copies: dict[str, str] = field(default_factory=dict)
    gone: set[str] = field(default_factory=set)
    stories: dict[str, str] = field(default_factory=dict)

    def follow(self, connection: duckdb.DuckDBPyConnection, *, to_the_end: bool = False) -> None:
        """Read the next changes. Sometimes it crashes before it has stored them."""
        feed = changes(connection, self.cursor)
        lines = list(feed) if to_the_end else list(islice(feed, self.rng.randrange(400)))
        if to_the_end or self.rng.random() < 0.7:
            for change in lines:
                self.take_in(change)

    def take_in(self, change: Change) -> None:
        assert change["seq"] > self.cursor, "a change is repeated or out of order"
        self.cursor = change["seq"]
        id_ = change["id"]
        match change["kind"]:
            case "reassessed":
                text = change["article"]  # None: there is another text since, or none
                assert self.articles[id_][0] == change["revision"]
                self.on_topic[id_] = text and text["on_topic"]
            case "inserted" | "edited" | "re-extracted":
                self.copies.pop(id_, None)
                text = change["article"]  # None: a later change removed it
                assert text is None or (text["id"], text["revision"]) == (id_, change["revision"])
                assert (change["kind"] == "inserted") == (id_ not in self.articles), change
                self.articles[id_] = (change["revision"], text and text["content_hash"])
                self.on_topic[id_] = text and text["on_topic"]
            case "duplicate":
                assert change["duplicate"] is None or change["duplicate"]["id"] == id_
                self.copies[id_] = change["duplicate_of"]
            case "gone":
                assert id_ in self.articles
                self.gone.add(id_)
            case "restored":
                self.gone.remove(id_)
            case "story":
                assert self.stories.pop(id_, None) != change["story"]
                self.stories |= {id_: change["story"]} if change["story"] else {}
            case "removed":
                del self.articles[id_], self.on_topic[id_]
                self.gone.discard(id_)


def check(consumer: Consumer, connection: duckdb.DuckDBPyConnection) -> None:
    """Check that the state of a consumer equals the tables."""

    def rows(sql: str) -> list[Any]:
        return connection.execute(sql).fetchall()

    stored = {
        id_: (revision, digest) for id_, revision, digest in rows("SELECT id, revision, content_hash FROM articles")
    }
    assert consumer.articles == stored
    on_topic = dict(rows("SELECT id, on_topic FROM articles"))
    assert {id_: consumer.on_topic[id_] for id_ in consumer.articles} == on_topic
    assert consumer.copies == dict(rows("SELECT id, duplicate_of FROM duplicates"))
    assert consumer.stories == dict(rows("SELECT id, story FROM story_members"))
    gone = rows("SELECT id FROM articles JOIN frontier USING (id) WHERE gone_at IS NOT NULL")
    assert consumer.gone == {id_ for (id_,) in gone}


class Histories:
    """Many small histories in parallel, in one archive."""

    def __init__(self, count: int, rng: Random) -> None:
        self._count = count
        self._rng = rng

    def step(self, archive: Archive, run_id: str, at: datetime) -> None:
        """One event in each history."""
        finds, texts = [], []
        for history in range(self._count):
            if self._rng.random() < 0.06:
                texts.append(self._plain_text(history, at))
            else:
                finds.append(self._find(history, at))
        known = archive.known([find.ref.key.id for find in finds])
        finds = [f for f in finds if not _listed_again(f, known)]
        judge = Judge(archive, self._assess, lambda pages, *, unread=0: {}, at)
        archive.store(run_id, judge.results(finds, known), texts=texts)
        if self._rng.random() < 0.4:
            self._reassess(archive, run_id)

    def _reassess(self, archive: Archive, run_id: str) -> None:
        """Some texts get another score by another topic file."""
        some = [row for row in archive.texts(sorted(archive.text_ids())) if self._rng.random() < 0.3]
        texts = [Reassessment(row["id"], row["revision"], self._assess("", "").relevance) for row in some]
        archive.reassess(run_id, texts)

    def _find(self, history: int, at: datetime) -> Parsed | FindResult:
        of = self._key(history)
        capture = CaptureRef("captures/x.warc.gz", 0)
        drawn = self._rng.random()
        if drawn < 0.15:
            return FindResult(ref(of), Outcome.GONE, "status 404", capture=capture, crawled_at=at)
        if drawn < 0.25:
            return FindResult(ref(of), Outcome.FAILED, "timeout", tries=1, retry_at=at)
        if drawn < 0.35:
            return FindResult(ref(of), Outcome.LISTED, "robots.txt", Relevance(1.0), crawled_at=at)
        body = self._body(history)
        page = article(key=of, title=f"제목 {self._rng.randrange(2)}", body=body, byline="", authors=())
        return Parsed(ref(of), page, Traits("test/1", of.oid, frozenset()), capture, at)

    def _plain_text(self, history: int, at: datetime) -> PlainText:
        number = f"plain_{history}_{self._rng.randrange(10**9)}"
        return PlainText(number, self._body(history), at, "notes.txt", "plain/1", CaptureRef("captures/x.warc.gz", 0))

    def _key(self, history: int) -> ArticleKey:
        return key(history * KEYS + self._rng.randrange(KEYS))

    def _body(self, history: int) -> str:
        text = f"역사 {history}의 본문 {self._rng.randrange(TEXTS)}.\n\n{prose(history, 8)}"
        return text.replace(" ", "  ") if self._rng.random() < 0.2 else text

    def _assess(self, title: str, body: str) -> Assessment:
        relevant = self._rng.random() < 0.85
        return Assessment(Relevance(5.0, on_topic=relevant), relevant)


def _listed_again(find: Parsed | FindResult, known: Any) -> bool:
    """Whether a known article is listed again, which the pipeline would report as unchanged."""
    stored = known.get(find.ref.key.id)
    return (
        isinstance(find, FindResult)
        and find.outcome is Outcome.LISTED
        and stored is not None
        and stored.status is not None
    )


def replayed(root: Path, *, histories: int, seed: int, steps: int = STEPS) -> int:
    """Run the histories, and check every consumer at the end. Returns the number of changes."""
    rng = Random(seed)
    world = Histories(histories, rng)
    consumers = [Consumer(Random(seed * 1000 + number)) for number in range(CONSUMERS)]
    for run in _runs(rng, steps):
        with open_archive(root) as archive:
            account = receipt(f"20260102T030405Z-{run[0]:08x}")
            archive.start_run(account)
            for step in run:
                world.step(archive, account.run_id, NOW + timedelta(hours=step))
            archive.finish_run(ended(account), {}, [])
        with open_snapshot(root) as connection:
            for consumer in consumers:
                consumer.follow(connection)
    with open_snapshot(root) as connection:
        for consumer in consumers:
            consumer.follow(connection, to_the_end=True)
            check(consumer, connection)
    return sum(1 for _ in _all(root))


def _runs(rng: Random, steps: int) -> Iterator[Sequence[int]]:
    """The steps, divided into runs."""
    at = 0
    while at < steps:
        length = rng.randrange(1, 5)
        yield range(at, min(at + length, steps))
        at += length


def _all(root: Path) -> Iterator[Change]:
    with open_snapshot(root) as connection:
        yield from changes(connection, 0)


def main() -> None:
    """Run the requested number of histories, two hundred at a time."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--histories", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    total = done = 0
    while done < options.histories:
        with tempfile.TemporaryDirectory() as folder:
            total += replayed(Path(folder), histories=min(200, options.histories - done), seed=options.seed + done)
        done += min(200, options.histories - done)
        sys.stdout.write(f"{done} histories, {total} changes: every consumer equals the tables\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
