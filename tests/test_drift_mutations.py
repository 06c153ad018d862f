"""Every way in which a page can be read wrongly is noticed, and what was read wrongly is not stored."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import NamedTuple

import pytest
from drift_support import LOOKS, family, learned, samples
from mutations import Mutation, mutations

from flows.drift import Watch
from flows.naver.article_page import read_article
from flows.replica.corpus import Layout
from schemas.article import Article
from schemas.errors import ParseError
from schemas.traits import Traits

MOST = 20
"""Pages until which a mutation has to be noticed."""
EVERY_NTH = 8
"""Of the mutations that the quick test tries for each look; all of them are tried for one look or another."""
BLIND = {
    ("old", "body: in reverse"),
    ("old", "removed subtitle"),
    ("sports", "removed subtitle"),
    ("sports", "body: first paragraph gone"),
    ("sports", "body: in reverse"),
}
"""What 20 pages cannot tell: nothing else on such a page says what the text should be, and many do without."""


class Trial(NamedTuple):
    """What came of up to 20 mutated pages: all, unreadable, differing from the truth, differing and not held back."""

    pages: int
    unreadable: int
    wrong: int
    passed: int
    rang: bool

    @property
    def harmful(self) -> bool:
        return bool(self.unreadable or self.wrong)

    @property
    def noticed(self) -> bool:
        return bool(self.unreadable) or self.rang


def attempt(content: bytes, url: str) -> tuple[Article, Traits] | None:
    try:
        return read_article(content, url)
    except ParseError:
        return None


def struck(mutation: Mutation, look: Layout) -> Iterator[tuple[str, str, bytes, Article]]:
    """Pages that the mutation changes: id, address, what is sent now, and the article as it is."""
    for page in samples(look, 12, 500):
        content = mutation.of(page.content, family(look))
        if content != page.content:
            yield page.id, page.url, content, page.article


def trial(mutation: Mutation, look: Layout, batch: int = MOST) -> Trial:
    """Mutated pages one batch after the other, watched over from a baseline of clean ones."""
    watch = Watch(learned(look))
    pages = list(islice(struck(mutation, look), MOST))
    unreadable = wrong = passed = 0
    for at in range(0, len(pages), batch):
        read = [(name, attempt(content, url), truth) for name, url, content, truth in pages[at : at + batch]]
        good = [(name, both, truth) for name, both, truth in read if both is not None]
        held = watch.look([(name, traits) for name, (_, traits), _ in good], unread=len(read) - len(good))
        differing = [name for name, (article, _), truth in good if article != truth]
        unreadable += len(read) - len(good)
        wrong += len(differing)
        passed += sum(name not in held for name in differing)
    return Trial(len(pages), unreadable, wrong, passed, bool(watch.alarms))


def chosen(every: int) -> Iterator[tuple[Layout, Mutation]]:
    for shift, look in enumerate(LOOKS):
        fitting = (one for one in mutations() if family(look) in one.families)
        yield from ((look, mutation) for at, mutation in enumerate(fitting) if (at + shift) % every == 0)


def harmful(tried: Iterable[tuple[Layout, Mutation]], batch: int = MOST) -> dict[tuple[str, str], Trial]:
    """The trials of the mutations that change what is read. Those that strike fewer than 3 pages say nothing."""
    trials = {(look.value, mutation.name): trial(mutation, look, batch) for look, mutation in tried}
    return {name: one for name, one in trials.items() if one.harmful and one.pages >= 3}


def test_there_are_enough_and_their_names_are_unique() -> None:
    names = [one.name for one in mutations()]
    assert len(names) >= 200
    assert len(set(names)) == len(names)


def test_a_mutation_is_the_same_for_all_pages_and_can_be_seeded() -> None:
    seeded = [next(one for one in mutations(seed) if one.name == "renamed dic_area") for seed in range(5)]
    page = samples(Layout.Y2024, 12, 500)[0].content
    assert seeded[0].of(page, "nnews") == seeded[0].of(page, "nnews")
    assert len({one.of(page, "nnews") for one in seeded}) > 1


def test_some_of_all_mutations_are_noticed_and_let_no_wrong_record_pass() -> None:
    tried = harmful(chosen(EVERY_NTH))
    assert len(tried) >= 100
    assert {name for name, one in tried.items() if not one.noticed} <= BLIND
    assert {name for name, one in tried.items() if one.passed} <= BLIND


@pytest.mark.slow
def test_all_mutations_of_all_looks() -> None:
    tried = harmful(chosen(1))
    missed = {name for name, one in tried.items() if not one.noticed}
    assert len(tried) >= 900
    assert missed <= BLIND
    assert len(missed) <= len(tried) / 100
    assert {name for name, one in tried.items() if one.passed} <= BLIND


@pytest.mark.parametrize(
    ("look", "name"),
    [
        (Layout.Y2026_02, "removed byline and reporter"),
        (Layout.Y2026_02, "renamed media_end_head_top_logo_img"),
        (Layout.Y2024, "removed title's id"),
        (Layout.Y2022, "body: article and div swapped"),
    ],
)
def test_the_changes_that_the_site_has_really_seen(look: Layout, name: str) -> None:
    mutation = next(one for one in mutations() if one.name == name)
    result = trial(mutation, look)
    assert result.pages == MOST
    assert result.passed == 0
    assert not result.harmful or result.noticed


def test_pages_that_a_mutation_does_not_strike_pass() -> None:
    mutation = next(one for one in mutations() if one.name == "body: promotion behind")
    clean, mutated = samples(Layout.Y2026_10, 12, 500)[:15], list(islice(struck(mutation, Layout.Y2026_10), 20))[15:]
    watch = Watch(learned(Layout.Y2026_10))
    batch = [(one.id, one.traits) for one in clean]
    batch += [(name, read_article(content, url)[1]) for name, url, content, _ in mutated]
    assert set(watch.look(batch)) == {name for name, *_ in mutated}


def test_a_change_that_comes_in_runs_of_one_page_is_noticed_too() -> None:
    mutation = next(one for one in mutations() if one.name == "body: promotion behind")
    baseline, alarms = learned(Layout.Y2026_10), []
    for name, url, content, _ in islice(struck(mutation, Layout.Y2026_10), MOST):
        watch = Watch(baseline)
        watch.look([(name, read_article(content, url)[1])])
        baseline = watch.learned()
        alarms += watch.alarms
    assert alarms


def test_an_article_of_every_look_has_traits_of_its_own_layout() -> None:
    layouts = {look: samples(look, 12, 500)[0].traits.layout for look in LOOKS}
    assert layouts[Layout.SPORTS] == "sports_json/1"
    assert {layouts[look] for look in LOOKS[:4]} == {"article_page/1"}
