"""Shared by the tests of the drift alarm: pages of the replica by layout, and baselines learned from clean ones."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from itertools import islice
from random import Random
from typing import NamedTuple

from flows.drift.alarm import DriftAlarm
from flows.naver.articles.layouts import read_article
from flows.replica.corpus.articles import Layout, MadeArticle, make_corpus
from flows.replica.pages.articles import View, article_page
from flows.replica.pages.old_layouts import article_json, old_page
from schemas.article import Article
from schemas.traits import Baseline, Traits
from tests.support.naver.mutations.markup import JSON, NNEWS, OLD

LOOKS = (Layout.Y2022, Layout.Y2024, Layout.Y2026_02, Layout.Y2026_10, Layout.OLD, Layout.SPORTS)


class Sample(NamedTuple):
    """A page as sent, and what is parsed from it."""

    id: str
    url: str
    content: bytes
    article: Article
    traits: Traits


def family(look: Layout) -> str:
    return {Layout.OLD: OLD, Layout.SPORTS: JSON}.get(look, NNEWS)


def sample(made: MadeArticle, look: Layout | None = None) -> Sample:
    """The page of an article, in its own layout or in another one."""
    assert made.key is not None
    url, view = made.key.url, View(made.corpus.last)
    if made.subject.arena:
        url, content = url.replace("n.news", "m.sports"), article_json(made, view)
    else:
        content = old_page(made, view) if look is Layout.OLD else article_page(made, view, look)
    return Sample(made.key.id, url, content, *read_article(content, url))


@cache
def samples(look: Layout, seed: int, count: int) -> tuple[Sample, ...]:
    """`count` clean pages in one layout."""
    arena = look is Layout.SPORTS
    corpus = make_corpus(seed, articles=count * (8 if arena else 2))
    return tuple(sample(made, look) for made in islice(_plain(corpus.articles, arena=arena), count))


def _plain(made: Iterator[MadeArticle], *, arena: bool) -> Iterator[MadeArticle]:
    return (one for one in made if bool(one.subject.arena) is arena)


@cache
def learned(look: Layout, seed: int = 11, count: int = 700) -> Baseline:
    """The baseline of `count` clean pages in one layout."""
    watch = DriftAlarm(Baseline())
    watch.check([(one.id, one.traits) for one in samples(look, seed, count)])
    return watch.learned()


def runs(seed: int, pages: int, *, on_topic: bool | None = None) -> Iterator[list[tuple[str, Traits]]]:
    """The pages of a corpus in order, in runs of 1 to 60 pages, each in its own layout; optionally by topic."""
    rng = Random(seed)
    every = make_corpus(seed, articles=pages).articles
    made = (sample(one) for one in every if on_topic is None or one.on_topic is on_topic)
    while run := [(one.id, one.traits) for one in islice(made, rng.randint(1, 60))]:
        yield run
