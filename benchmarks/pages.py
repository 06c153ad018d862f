"""Generated article pages as files for nginx: created by the replica, each with a text of its own."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path
from random import Random

from flows.replica.corpus.articles import BYLINE_LAYOUTS, Corpus, Layout, MadeArticle, make_corpus
from flows.replica.corpus.plan import Copy, Form, Shares
from flows.replica.corpus.text import pick
from flows.replica.corpus.writing import Text
from flows.replica.pages.articles import View, article_page

LAYOUTS = (*sorted(BYLINE_LAYOUTS), Layout.Y2026_10)
_PLAIN = Shares(on_topic=1.0, copy=0.0, edited=0.0, gone=0.0, flash=0.0, elsewhere=0.0)
_SIZES = (0.85, 0.95, 1.05, 1.15)
"""Pages differ in size: these multiples of the padding, in turn."""


_SYLLABLES = "가나다라마바사아자차카타파하거너더러머버서어저처커터퍼허고노도로모보소오조초코토포호구누두루무부수우"
_KEPT = 5
"""Words at the beginning of a paragraph, where the text may name its author."""


class OwnWords(Corpus):
    """A corpus whose texts differ as those of real articles do: the generator fills the same few hundred sentences.

    Every second word is followed by one that hardly any other text has. Copies stay copies.
    """

    @classmethod
    def of(cls, corpus: Corpus) -> OwnWords:
        """The articles of a corpus, with such texts."""
        return cls(corpus.seed, corpus.slots, corpus.offices, corpus.first, corpus.last)

    def text(self, index: int) -> Text:
        """The text of an article's first version."""
        text, slot = super().text(index), self.slots[index]
        if slot.copy is not Copy.NONE or slot.rewrites >= 0:
            return text
        rng = Random(self.seed << 32 | index)
        return replace(text, paragraphs=tuple(_with_own_words(each, rng) for each in text.paragraphs))


def _with_own_words(paragraph: str, rng: Random) -> str:
    words = paragraph.split(" ")
    mixed = (f"{word} {_word(rng)}" if at % 2 else word for at, word in enumerate(words[_KEPT:]))
    return " ".join([*words[:_KEPT], *mixed])


def _word(rng: Random) -> str:
    return pick(rng, _SYLLABLES) + pick(rng, _SYLLABLES) + pick(rng, _SYLLABLES)


def plain_articles(count: int, *, seed: int = 7) -> Iterator[MadeArticle]:
    """`count` generated articles on topic with different texts and a page at n.news.naver.com."""
    corpus = OwnWords.of(make_corpus(seed, articles=count + count // 4 + 50, shares=_PLAIN))
    wanted = (one for one in corpus.articles if one.slot.form is not Form.PHOTO and one.slot.copy is Copy.NONE)
    return islice(wanted, count)


def make_pages(work: Path, count: int, padding: int) -> tuple[Path, Path]:
    """Write `count` gzip pages in a folder of `work`, as `site/mnews/article/{oid}/{aid}.gz`.

    A page is about `padding` bytes larger than its article. Existing pages are reused. Returns the folder, and the file
    of the pages' URLs.
    """
    folder = work / f"pages-of-own-words-{count}-{padding}"
    addresses = folder / "addresses.txt"
    if not addresses.exists():
        articles = plain_articles(count)
        urls = [_make_page(folder, article, at, padding) for at, article in enumerate(articles)]
        addresses.write_text("\n".join(urls) + "\n", encoding="utf-8")
    return folder, addresses


def _make_page(folder: Path, article: MadeArticle, at: int, padding: int) -> str:
    assert article.key is not None  # only hosted articles
    view = View(article.corpus.last, padding=int(padding * _SIZES[at % len(_SIZES)]))
    page = article_page(article, view, LAYOUTS[at % len(LAYOUTS)])
    path = folder / "site" / "mnews" / "article" / article.key.oid / f"{article.key.aid}.gz"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(page, 6, mtime=0))
    return article.key.url
