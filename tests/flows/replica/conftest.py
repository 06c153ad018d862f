"""The corpus of the replica under test."""

from __future__ import annotations

import pytest

from flows.replica.corpus.articles import Corpus, make_corpus


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    return make_corpus(seed=1)
