"""What it costs to judge texts: score, reasons, teams and models of each, by the topic that ships, in one process.

    python -m benchmarks.relevance [--texts N] [--runs N] [--topic FILE] [--quick]

The texts are the real documents beside the checkout, where they are, else a made-up corpus; again and again, up to N.
"""

from __future__ import annotations

import tarfile
import time
from collections.abc import Iterator
from itertools import cycle, islice
from pathlib import Path

from benchmarks.support import ROOT, introduce, options, spread
from flows.pipeline.judge import assess_by
from flows.replica.corpus.articles import make_corpus
from schemas.front_matter import loads
from schemas.topic import default_topic_path, load_topic

CORPUS = ROOT.parent / "shared" / "corpus" / "archive-2025-12-30.tar.xz"


def documents() -> Iterator[tuple[str, str]]:
    """Title and body of each real document."""
    with tarfile.open(CORPUS, "r|xz") as archive:
        for member in archive:
            if member.isfile() and (file := archive.extractfile(member)) is not None:
                document = loads(file.read().decode(), file=member.name)
                yield document.title, document.body


def made_up() -> Iterator[tuple[str, str]]:
    """Title and body of each article of a made-up corpus."""
    corpus = make_corpus(1)
    versions = (article.at(corpus.last) for article in corpus.articles)
    return ((version.title, version.body) for version in versions)


def main() -> None:
    """Judge, and print seconds."""
    parser = options(__doc__ or "")
    parser.add_argument("--texts", type=int, default=100_000, metavar="N")
    parser.add_argument("--runs", type=int, default=3, metavar="N")
    parser.add_argument("--topic", type=Path, default=default_topic_path(), metavar="FILE")
    given = parser.parse_args()
    count, runs = (2_000, 1) if given.quick else (given.texts, given.runs)
    texts = list(islice(documents(), 2_000 if given.quick else None)) if CORPUS.is_file() else list(made_up())
    introduce(f"Judging {count:,} texts ({len(texts):,} different ones) by {given.topic.name}")
    assess = assess_by(load_topic(given.topic))
    seconds, relevant = [], 0
    for _ in range(runs):
        began = time.process_time()
        relevant = sum(assess(title, body).relevant for title, body in islice(cycle(texts), count))
        seconds.append(time.process_time() - began)
    print(f"on topic: {relevant:,}; seconds of the processor: {spread(seconds, '.1f')}")


if __name__ == "__main__":
    main()
