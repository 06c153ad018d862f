"""The dialects of the existing archive: escaped or not, and with comments. The `content_hash` tells what is what."""

from __future__ import annotations

import re
import tarfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from itertools import islice

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.article import SEOUL, Article, ArticleKey
from schemas.errors import FrontMatterError
from schemas.front_matter import Document, dumps, from_article, loads
from schemas.front_matter.styles import Style, unescape
from tests.support.older_archive import CRAWLED, NO_COMMENTS, older_document
from tests.support.paths import GOLDEN, SHARED

ESCAPED = pytest.mark.parametrize("escaped", [True, False], ids=["escaped", "unescaped"])

CODE = Article(
    key=ArticleKey("997", "0000000011"),
    title="\"R&D 예산 10%↑\"…'&lt;b&gt;' 표기의 뜻",
    body="코드에서 &lt;b&gt; 는 <b> 를 뜻한다. A&B, x=1 이고 `y` > 2 다.\n\n'&amp;lt;' 도 그대로 적는다. &copy 가람",
    publisher="가람일보",
    published_at=datetime(2026, 3, 4, tzinfo=SEOUL),
    parser="import/1",
    byline="\n\t\t\n\t\t\t마루 기자 (maru@garam.example)\n\t\t\n\t",
)
PLAIN = replace(CODE, title="새 모델 공개", body="모델이 공개됐다.\n\n값은 정해지지 않았다.")
COMMENTS = (
    "📊 **댓글 통계**: 총 3 개 (최상위 2 | 답글 1 | BEST 0) | 최대 깊이: 2\n\n## 댓글 (3 개)\n\n"
    "**바람**** | 2026-03-04 09:10 | 👍 3 | 👎 0\n\n좋은 'AI' 소식 <기대>\n\n---\n\n*Crawled at: 2026-03-04 08:23:53*\n"
    "\n> **구름**** | 2026-03-04 09:12 | 👍 0 | 👎 0\n> \n> &lt;동감&gt;\n> \n"
    f"---\n\n**별빛****\n\n{NO_COMMENTS}\n\n---\n\n끝\n"
)
DISCUSSED = replace(CODE, body=f"{CODE.body}\n\n---\n\n{NO_COMMENTS}\n\n---\n\n본문은 여기에서 끝난다.")

GOLDEN_FILES = {
    "unescaped.md": older_document(CODE, escaped=False),
    "comments.escaped.md": older_document(DISCUSSED, escaped=True, comments=COMMENTS, count=3),
    "comments.unescaped.md": older_document(DISCUSSED, escaped=False, comments=COMMENTS, count=3),
}


# ---- golden files ----------------------------------------------------------------------------------------------------


def test_reads_an_unescaped_file() -> None:
    document = loads((GOLDEN / "unescaped.md").read_bytes().decode())
    assert (document.style, document.dialect, document.comment_count) == ("seed", "unescaped", 0)
    assert (document.title, document.body) == (CODE.title, CODE.body)
    assert document.author == "마루 기자 (maru@garam.example)"
    assert document.hash_matches


@ESCAPED
def test_reads_a_file_with_comments(escaped: bool) -> None:
    dialect = "escaped" if escaped else "unescaped"
    document = loads((GOLDEN / f"comments.{dialect}.md").read_bytes().decode())
    assert (document.dialect, document.comment_count) == (dialect, 3)
    assert (document.title, document.body) == (DISCUSSED.title, DISCUSSED.body)
    assert document.hash_matches


@pytest.mark.parametrize("name", GOLDEN_FILES)
def test_the_golden_files_are_what_the_generator_writes(name: str) -> None:
    assert (GOLDEN / name).read_bytes().decode() == GOLDEN_FILES[name]


# ---- which dialect ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("article", "comments", "escaped", "dialect"),
    [
        (CODE, None, True, "escaped"),
        (CODE, None, False, "unescaped"),
        (replace(CODE, body=PLAIN.body), None, True, "escaped"),
        (replace(CODE, body=PLAIN.body), None, False, "unescaped"),
        (replace(PLAIN, body="R&D"), None, False, "unescaped"),
        (replace(PLAIN, body="R&D"), None, True, "escaped"),
        (replace(PLAIN, body="&nosuch; &quot"), None, False, "unescaped"),
        (PLAIN, None, True, "either"),
        (PLAIN, None, False, "either"),
        (PLAIN, "> 답글", True, "escaped"),
        (PLAIN, "> 답글", False, "unescaped"),
        (PLAIN, NO_COMMENTS, False, "either"),
    ],
)
def test_the_dialect_of_a_file(article: Article, comments: str | None, escaped: bool, dialect: str) -> None:
    document = loads(older_document(article, escaped=escaped, comments=comments))
    assert (document.dialect, document.title, document.body) == (dialect, article.title, article.body)


@pytest.mark.parametrize(
    ("article", "style", "dialect"),
    [(CODE, "seed", "escaped"), (PLAIN, "seed", "either"), (CODE, "strict", "strict"), (PLAIN, "strict", "strict")],
)
def test_the_dialect_of_what_seogo_writes(article: Article, style: Style, dialect: str) -> None:
    assert loads(dumps(from_article(article, CRAWLED, style=style))).dialect == dialect


def test_a_file_that_either_generator_could_have_written_is_taken_for_an_escaped_one() -> None:
    document = loads(older_document(replace(PLAIN, title="&lt;속보&gt;"), escaped=False))
    assert (document.dialect, document.title) == ("escaped", "<속보>")


def test_a_changed_body_is_in_no_dialect_a_match() -> None:
    for escaped in (True, False):
        changed = older_document(CODE, escaped=escaped).replace("코드에서", "글에서")
        assert not loads(changed).hash_matches


# ---- any text --------------------------------------------------------------------------------------------------------

# fmt: off
FRAGMENTS = st.sampled_from([
    "&", "<", ">", "&lt;", "&amp;", "&amp;lt;", "&#10;", "&#x27;", "&nbsp;", "&copy", "&#", ";", "lt;", "\"", "'", "`",
    "=", "R&D", "\n", "\n\n", "\r", "\n\n---\n\n", "\n---\n", "---", "\u00a0", "가", "😀",
    NO_COMMENTS, f"\n\n---\n\n{NO_COMMENTS}\n\n---\n\n", "📊 **댓글 통계**", "> ", "\n> ", "comment_count: 3",
    "\n\n---\n\n*Crawled at: 2026-03-04 08:23:53*\n",
    "*Source: [원문 보기](https://n.news.naver.com/mnews/article/997/0000000011)*\n",
])
# fmt: on
TEXT = st.lists(FRAGMENTS | st.text(st.characters(exclude_categories=["Cs"]), max_size=10), max_size=10).map("".join)


def fits_the_header(value: str) -> bool:
    """A line that looks like a key ends a value in any dialect; quotes around a whole value are taken for YAML's."""
    return not re.search(r"\n[a-z_]{1,40}:(?: |$)", f"{value}\n", re.MULTILINE) and not value.startswith('"')


VALUES = TEXT.filter(fits_the_header)
ARTICLES = st.builds(
    Article,
    key=st.just(CODE.key),
    title=TEXT.filter(lambda text: fits_the_header(f" {text}")),
    body=TEXT,
    publisher=VALUES,
    published_at=st.none(),
    parser=st.just("import/1"),
    byline=VALUES,
    categories=st.lists(VALUES, max_size=1).map(tuple),
)


@ESCAPED
@settings(max_examples=300)
@given(article=ARTICLES, comments=st.none() | TEXT, count=st.integers(0, 99_999))
def test_the_body_is_found_and_read_whatever_it_is_between(
    escaped: bool, article: Article, comments: str | None, count: int
) -> None:
    text = older_document(article, escaped=escaped, comments=comments, count=count)
    document = loads(text.encode().decode())
    assert dumps(document) == text
    assert document.body == article.body.strip("\n")
    assert document.hash_matches
    assert document.comment_count == (count if comments is not None else 0)


@ESCAPED
@settings(max_examples=300)
@given(article=ARTICLES, comments=st.none() | TEXT)
def test_the_header_is_read_in_the_dialect_of_the_body(escaped: bool, article: Article, comments: str | None) -> None:
    article = replace(article, body=f"{article.body} '끝'")
    document = loads(older_document(article, escaped=escaped, comments=comments))
    assert document.dialect == ("escaped" if escaped else "unescaped")
    assert document.title == article.title.strip()
    assert document.publisher == article.publisher.strip()
    assert document.category == ", ".join(article.categories).strip()
    assert document.author.split() == article.byline.split()


# ---- damaged and hostile files ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("count", ["", "셋", "-1", "3.0", "1" * 10, "3\ntags: x"])
def test_a_count_that_is_no_number_is_refused(count: str) -> None:
    text = older_document(PLAIN, escaped=True, comments=NO_COMMENTS)
    text = text.replace("comment_count: 0", f"comment_count: {count}")
    with pytest.raises(FrontMatterError, match="comment_count must be a number") as caught:
        loads(text)
    assert caught.value.line == text[: text.index("comment_count")].count("\n") + 1


def test_comments_whose_body_was_changed_do_not_match() -> None:
    text = older_document(DISCUSSED, escaped=True, comments=COMMENTS, count=3).replace("코드에서", "글에서")
    document = loads(text)
    assert dumps(document) == text
    assert not document.hash_matches


def test_comments_full_of_rules_are_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    read = 0

    def counted(text: str) -> str:
        nonlocal read
        read += len(text)
        return unescape(text)

    monkeypatch.setattr("schemas.front_matter.body.unescape", counted)
    text = older_document(PLAIN, escaped=True, comments="\n\n---\n\n" * 50_000).replace("공개됐다", "나왔다")
    assert not loads(text).hash_matches
    assert read < 3 * len(text)


# ---- the existing archive --------------------------------------------------------------------------------------------

CORPUS = SHARED / "corpus" / "archive-2025-12-30.tar.xz"
EVERY = 25


@pytest.mark.skipif(not CORPUS.is_file(), reason="the documents of the existing archive are not here")
def test_the_documents_of_the_existing_archive_in_every_dialect() -> None:
    """Each as it is, and as the generator of today would have written it."""
    read = 0
    for text in corpus_texts():
        read += 1
        document = loads(text)
        assert dumps(document) == text
        assert document.hash_matches
        assert document.dialect in ("escaped", "either")
        for comments in (None, COMMENTS):
            again = loads(older_document(as_parsed(document), escaped=False, comments=comments))
            assert (again.title, again.body, again.hash_matches) == (document.title, document.body, True)
            assert (again.publisher, again.author) == (document.publisher, document.author)
            assert (again.category, again.published_at) == (document.category, document.published_at)
            assert again.dialect == ("unescaped" if comments or document.dialect == "escaped" else "either")
    assert read > 500


def corpus_texts() -> Iterator[str]:
    with tarfile.open(CORPUS) as archive:
        for member in islice((member for member in archive if member.isfile()), 0, None, EVERY):
            file = archive.extractfile(member)
            assert file is not None
            yield file.read().decode()


def as_parsed(document: Document) -> Article:
    return Article(
        key=document.key,
        title=document.title,
        body=document.body,
        publisher=document.publisher,
        published_at=document.published_at,
        parser="import/1",
        byline=document.author,
        categories=(document.category,),
    )
