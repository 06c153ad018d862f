"""The stand-in under test, started once per module."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from flows.replica.corpus import Corpus, make_corpus
from flows.replica.faults import Behaviour
from flows.replica.server import Replica


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    return make_corpus(seed=1)


@pytest.fixture(scope="module")
def server(corpus: Corpus) -> Iterator[Replica]:
    with Replica(corpus) as replica:
        yield replica


@pytest.fixture
def naver(server: Replica) -> Replica:
    """The running stand-in, reset to its initial state."""
    server.behaviour = Behaviour()
    server.clock.set(server.corpus.last)
    server.log.clear()
    return server
