"""The generated corpus: reproducible by seed, varied, and complete in what can happen."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections import Counter, defaultdict
from datetime import datetime, timedelta

import pyarrow.compute as pc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.replica.corpus.articles import Corpus, Layout, make_corpus
from flows.replica.corpus.plan import Edit, Shares
from flows.replica.corpus.text import Word, particle
from schemas.article import Kind, content_hash, text_hash
from storage.stories.hashing import shingle_hashes
from storage.stories.sketch import compared_text, is_kept, shared_with


@pytest.mark.parametrize(
    ("word", "form", "expected"),
    [
        ("모델", "은", "은"), ("회사", "은", "는"), ("모델", "으로", "로"), ("평가", "으로", "로"),
        ("학습", "으로", "으로"), ("A.X K1", "을", "을"), ("K-엑사원", "이", "이"), ("배키(VAETKI)", "과", "와"),
        ("3", "이", "이"), ("2", "이", "가"),
        ("좋다", "고", "고"), ("처음", "고", "이라고"), ("사례", "고", "라고"), ("사례", "도", "도"),
    ],
)  # fmt: skip
def test_particles_agree_with_the_last_sound(word: str, form: str, expected: str) -> None:
    assert particle(word, form) == expected


def test_a_particle_follows_the_closing_quotation_mark() -> None:
    name = Word("옴니")
    assert f"‘{name:’은}" == "‘옴니’는"


@given(st.text(max_size=5), st.sampled_from(["은", "이", "을", "과", "으로", "고", "며"]))
def test_any_word_takes_a_particle(word: str, form: str) -> None:
    assert particle(word, form)


def test_a_seed_makes_the_same_corpus_in_every_process() -> None:
    script = "from flows.replica.corpus.articles import make_corpus as m; print(m(3, articles=200).digest())"
    digests = {
        subprocess.run(
            [sys.executable, "-c", script],
            env={**os.environ, "PYTHONHASHSEED": seed},
            check=True,
            capture_output=True,
            text=True,
            timeout=30,
        ).stdout.strip()
        for seed in ("1", "2")
    }
    assert digests == {make_corpus(3, articles=200).digest()}
    assert make_corpus(4, articles=200).digest() not in digests


def test_the_default_corpus_has_everything_that_can_happen(corpus: Corpus) -> None:
    articles = list(corpus.articles)
    assert len(articles) == 2_000
    assert len({article.press.oid for article in articles}) == 30
    assert len({article.key for article in articles}) == 2_000
    assert articles[-1].published_at <= corpus.last
    assert corpus.last - corpus.first == timedelta(days=60)
    assert 0.4 < sum(article.on_topic for article in articles) / 2_000 < 0.6
    assert {article.kind for article in articles} == set(Kind)
    assert {article.layout for article in articles} == set(Layout) - {Layout.OLD}
    assert {article.slot.edit for article in articles} == set(Edit)
    assert any(article.gone_at for article in articles)
    assert any(article.subject.opinion and not article.authors for article in articles)
    assert any(article.listed_at - article.published_at > timedelta(hours=2) for article in articles)
    assert {article.exact_copy for article in articles if article.copy_of} == {True, False}
    assert all(article.key is None for article in corpus.elsewhere)
    assert any(corpus.elsewhere)
    minutes = Counter(article.published_at.replace(second=0) for article in articles)
    assert max(minutes.values()) >= 3, "ties"


def test_copies_repeat_the_text_of_the_first(corpus: Corpus) -> None:
    copies = [article for article in corpus.articles if article.copy_of]
    for copy in copies:
        assert copy.copy_of is not None
        original = corpus.find(copy.copy_of.oid, copy.copy_of.aid)
        assert original is not None
        assert original.press != copy.press
        assert original.published_at <= copy.published_at
        body, repeated = original.versions[0].body, copy.versions[0].body
        assert text_hash(repeated) == text_hash(body)
        assert (content_hash(repeated) == content_hash(body)) is copy.exact_copy


def test_rewritten_articles_keep_most_of_a_text_of_another_office() -> None:
    corpus = make_corpus(1, articles=400, shares=Shares(rewritten=0.2))
    rewritten = [article for article in corpus.articles if article.slot.rewrites >= 0]
    assert len(rewritten) > 20
    for article in rewritten:
        first = corpus[article.slot.rewrites]
        assert first.press != article.press
        assert first.published_at <= article.published_at
        assert first.on_topic == article.on_topic
        body, other = article.versions[0].body, first.versions[0].body
        assert text_hash(body) != text_hash(other)
        one, two = map(pc.unique, shingle_hashes(map(compared_text, (body, other))))
        (shared,) = shared_with(one, [two])
        assert is_kept(shared, len(one), len(two))


def test_independent_articles_are_not_alike(corpus: Corpus) -> None:
    shingles: list[set[str]] = []
    holders: defaultdict[str, list[int]] = defaultdict(list)
    closest = 0.0
    for article in [one for one in corpus.articles if not one.copy_of and one.versions[0].text.paragraphs][:600]:
        words = article.versions[0].body.split()
        own = {" ".join(words[at : at + 4]) for at in range(len(words) - 3)}
        shared = Counter(other for shingle in own for other in holders[shingle])
        closest = max([closest, *(count / len(own | shingles[other]) for other, count in shared.items())])
        for shingle in own:
            holders[shingle].append(len(shingles))
        shingles.append(own)
    assert len(shingles) == 600
    assert closest < 0.4


def test_every_article_contains_the_words_by_which_a_search_finds_it(corpus: Corpus) -> None:
    for article in corpus[:400]:
        text = article.versions[0]
        whole = " ".join((text.title, text.body, *text.text.captions))
        missing = [word for word in article.subject.focuses[article.slot.focus].values() if word not in whole]
        assert not missing or not (text.body or text.text.captions), (article, missing)


def test_flashes_have_no_text_and_are_followed_by_the_whole_story(corpus: Corpus) -> None:
    flashes = {article.index: article for article in corpus.articles if article.kind is Kind.FLASH}
    sequels = defaultdict(list)
    for article in corpus.articles:
        if article.slot.origin in flashes and not article.copy_of:
            sequels[article.slot.origin].append(article)
    followed = [index for index, articles in sequels.items() if len(articles) == 2]
    assert followed
    for index in followed:
        flash, (second, full) = flashes[index], sequels[index]
        story = flash.versions[0].title.removeprefix("[1보] ")
        assert (flash.versions[0].body, len(flash.images)) == ("", 1)
        assert second.versions[0].title == f"[2보] {story}"
        assert full.versions[0].title == f"{story}(종합)"
        assert len(second.versions[0].body) < len(full.versions[0].body)


def test_an_edit_changes_the_text_from_its_time_on(corpus: Corpus) -> None:
    changed = {
        Edit.TITLE: (True, False), Edit.BODY: (False, True), Edit.BOTH: (True, True), Edit.TOUCHED: (False, False),
    }  # fmt: skip
    for edit, expected in changed.items():
        article = next(one for one in corpus.articles if one.slot.edit is edit)
        before, after = article.versions
        assert (before.title != after.title, before.body != after.body) == expected
        assert article.at(after.since - timedelta(seconds=1)) == before
        assert article.at(after.since) == after
        assert (before.modified_at, after.modified_at) == (None, after.since)


@pytest.mark.parametrize("wrong", [{"articles": 0}, {"days": 0}, {"presses": 61}, {"last": datetime(2026, 1, 1)}])  # noqa: DTZ001
def test_an_impossible_corpus_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"corpus|press"):
        make_corpus(1, **wrong)  # type: ignore[arg-type]


def test_a_hundred_thousand_articles_are_planned_without_their_texts() -> None:
    started = time.perf_counter()
    large = make_corpus(9, articles=100_000)
    assert time.perf_counter() - started < 10
    assert len(large) == 106_000
    assert large[-1].published_at <= large.last
    assert large[70_000].versions[0].title
