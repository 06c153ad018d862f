"""The texts of the benchmark of search, as an archive and as an index alone.

They are the documents of an archive of one day, a .tar.xz of Markdown files, repeated with other words until there are
enough; without such a file, generated articles.
"""

from __future__ import annotations

import re
import shutil
import sys
import tarfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count as numbers
from itertools import islice
from pathlib import Path
from random import Random

from benchmarks.documents import articles, store_run
from flows.runs.import_files import article_of
from schemas.article import Article, ArticleKey, ArticleRef, Outcome
from schemas.find import FindResult, Relevance, RevisionKind
from schemas.front_matter import loads
from storage.archive import open_archive
from storage.search.index import Document, opened_to_write, packed, stamp_of

CORPUS = Path(__file__).resolve().parents[2] / "shared" / "corpus" / "archive-2025-12-30.tar.xz"
_AT_ONCE = 2_000
_REPLACED = 6
"""Words of a repeated text that are replaced, so that texts and dictionary grow."""
_WORD = re.compile(r"[가-힣]{2,4}")


def make_archive(root: Path, count: int, corpus: Path) -> Path:
    """An archive of `count` articles. An existing one is reused."""
    whole = root / f"whole-{count}"
    if not whole.exists():
        shutil.rmtree(root, ignore_errors=True)
        at = datetime.now(UTC) - timedelta(days=1)
        with open_archive(root) as archive:
            results = (stored(article, at) for article in islice(texts(corpus), count))
            store_run(archive, f"{at:%Y%m%dT%H%M%SZ}-0000", at, results)
        whole.touch()
    return root


def make_index(root: Path, count: int, corpus: Path) -> Path:
    """An empty archive with an index of `count` articles. An existing one is reused."""
    whole = root / f"whole-{count}"
    if not whole.exists():
        shutil.rmtree(root, ignore_errors=True)
        with open_archive(root):
            pass
        left = islice(texts(corpus), count)
        with opened_to_write(root) as index:
            while batch := [_indexed(article) for article in islice(left, _AT_ONCE)]:
                with index.transaction():
                    index.replace([], batch)
            with index.transaction():
                index.optimize()
                index.set_meta(replace(index.meta, snapshot=stamp_of(root)))
        whole.touch()
    return root


def originals(corpus: Path) -> Iterator[Article]:
    """The documents of the corpus."""
    with tarfile.open(corpus) as archive:
        for member in archive:
            file = archive.extractfile(member) if member.name.endswith(".md") else None
            if file is not None:
                yield article_of(loads(file.read().decode(), file=member.name), file=member.name)[0]


def texts(corpus: Path, seed: int = 1) -> Iterator[Article]:
    """Articles without end: the corpus again and again, each time a day older and with some other words."""
    if not corpus.exists():
        print(f"  {corpus} does not exist: the articles are generated", file=sys.stderr)
        yield from articles(10**7)
    of_one_day = list(originals(corpus))
    words = sorted({word for article in of_one_day[:300] for word in _WORD.findall(article.body)})
    rng = Random(seed)
    for turn in numbers():
        yield from (_repeated(one, turn, words, rng) if turn else one for one in of_one_day)


def _repeated(of: Article, turn: int, words: Sequence[str], rng: Random) -> Article:
    body = of.body
    found = _WORD.findall(body)
    for word in rng.sample(found, min(len(found), _REPLACED)):
        body = body.replace(word, rng.choice(words))
    key = ArticleKey(of.key.oid, f"{(int(of.key.aid) + turn * 10**8) % 10**10:010}")
    body = f"{body}\n\n{rng.choice(words)} {rng.randrange(10**6):,}"
    published = of.published_at and of.published_at - timedelta(days=turn)
    return replace(of, key=key, body=body, published_at=published)


def stored(article: Article, at: datetime) -> FindResult:
    """A crawl's result for a new article."""
    return FindResult(
        ArticleRef(article.key, article.url, "search_page:소버린 AI", at, title=article.title),
        Outcome.NEW,
        "stored",
        Relevance(4.0, ("+4 the project: '독자 AI 파운데이션' in the title",)),
        article,
        RevisionKind.NEW,
        revision=1,
        crawled_at=at,
        found_at=at,
    )


def _indexed(article: Article) -> Document:
    published = int(article.published_at.timestamp()) if article.published_at else None
    none = packed([])
    return Document(
        article.id, 1, article.title, article.body, article.publisher, published, "archived", False, True, none, none
    )
