"""Precision and recall of the shipped topic on real documents, labelled by hand. The floors may only rise.

tests/data/relevance_labels.tsv holds 300 documents of one day, 2025-12-30, drawn from all sides of the threshold and
labelled before their score was seen: on-topic or not by docs/topics.md, and why. Their texts are not ours: they are
read from the archive beside the checkout, where it is.
"""

from __future__ import annotations

import csv
import tarfile
from pathlib import Path
from typing import NamedTuple

import pytest

from flows.pipeline.relevance import score
from schemas.front_matter import loads
from schemas.topic import default_topic_path, load_topic
from tests.support.paths import DATA, SHARED

CORPUS = SHARED / "corpus" / "archive-2025-12-30.tar.xz"
LABELS = DATA / "relevance_labels.tsv"
TOPIC = load_topic(default_topic_path())

PRECISION = 0.992  # measured: 129 of 130; the rules of 2025-12: 127 of 134, 0.948
RECALL = 0.992  # measured: 129 of 130; the rules of 2025-12: 127 of 130, 0.977
STEP = 0.004
"""How far a measure may lie above its floor before the floor has to follow."""


class Label(NamedTuple):
    """What a person who read the document says of it."""

    on_topic: bool
    reason: str


def read_labels() -> dict[str, Label]:
    with LABELS.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    assert {row["label"] for row in rows} == {"on", "off"}
    labels = {row["id"]: Label(row["label"] == "on", row["reason"]) for row in rows}
    assert len(labels) == len(rows)
    return labels


@pytest.fixture(scope="module")
def judged() -> dict[str, bool]:
    """What the topic says of each labelled document: id -> on-topic."""
    if not CORPUS.is_file():
        pytest.skip("the existing archive's documents are not here")
    labels, judged = read_labels(), {}
    with tarfile.open(CORPUS, "r|xz") as archive:
        for member in archive:
            id_ = Path(member.name).stem
            if id_ in labels and (file := archive.extractfile(member)) is not None:
                document = loads(file.read().decode(), file=member.name)
                judged[id_] = score(document.title, document.body, TOPIC.relevance, TOPIC.teams).relevant
    assert judged.keys() == labels.keys()
    return judged


def test_every_label_has_a_reason() -> None:
    labels = read_labels()
    assert len(labels) == 300
    assert all(label.reason.strip() for label in labels.values())


def test_precision_and_recall_do_not_fall(judged: dict[str, bool]) -> None:
    labels = read_labels()
    hits = {id_ for id_, relevant in judged.items() if relevant}
    on_topic = {id_ for id_, label in labels.items() if label.on_topic}
    wrong = "\n".join(f"{id_}\t{labels[id_].reason}" for id_ in sorted(hits ^ on_topic))
    measured = {"precision": len(hits & on_topic) / len(hits), "recall": len(hits & on_topic) / len(on_topic)}
    for name, floor in {"precision": PRECISION, "recall": RECALL}.items():
        assert measured[name] >= floor, f"{name} fell to {measured[name]:.4f}; judged wrongly:\n{wrong}"
        assert measured[name] < floor + STEP, f"{name} rose to {measured[name]:.4f}: raise its floor, {floor}"
