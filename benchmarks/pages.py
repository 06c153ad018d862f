"""Generated article pages as files for nginx: created by the replica, each with a different text."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from flows.replica.corpus.articles import BYLINE_LAYOUTS, Layout, MadeArticle, make_corpus
from flows.replica.corpus.plan import Copy, Form, Shares
from flows.replica.pages.articles import View, article_page

LAYOUTS = (*sorted(BYLINE_LAYOUTS), Layout.Y2026_10)
_PLAIN = Shares(on_topic=1.0, copy=0.0, edited=0.0, gone=0.0, flash=0.0, elsewhere=0.0)
_SIZES = (0.85, 0.95, 1.05, 1.15)
"""Pages differ in size: these multiples of the padding, in turn."""


def plain_articles(count: int, *, seed: int = 7) -> Iterator[MadeArticle]:
    """`count` generated articles on topic with different texts and a page at n.news.naver.com."""
    corpus = make_corpus(seed, articles=count + count // 4 + 50, shares=_PLAIN)
    wanted = (one for one in corpus.articles if one.slot.form is not Form.PHOTO and one.slot.copy is Copy.NONE)
    return islice(wanted, count)


def make_pages(folder: Path, count: int, padding: int) -> Path:
    """Write `count` gzip pages below `folder` as `mnews/article/{oid}/{aid}.gz`; returns the file of their URLs.

    A page is about `padding` bytes larger than its article. Existing pages are reused.
    """
    addresses = folder / "addresses.txt"
    if not addresses.exists():
        urls = [_make_page(folder, article, at, padding) for at, article in enumerate(plain_articles(count))]
        addresses.write_text("\n".join(urls) + "\n", encoding="utf-8")
    return addresses


def _make_page(folder: Path, article: MadeArticle, at: int, padding: int) -> str:
    assert article.key is not None  # only hosted articles
    view = View(article.corpus.last, padding=int(padding * _SIZES[at % len(_SIZES)]))
    page = article_page(article, view, LAYOUTS[at % len(LAYOUTS)])
    path = folder / "site" / "mnews" / "article" / article.key.oid / f"{article.key.aid}.gz"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(page, 6, mtime=0))
    return article.key.url
