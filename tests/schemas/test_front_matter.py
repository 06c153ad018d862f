"""The archive's Markdown format: golden files, hostile text, damaged files, files of the existing archive."""

from __future__ import annotations

import hashlib
import html
import re
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.article import SEOUL, Article, ArticleKey, Author
from schemas.errors import FrontMatterError
from schemas.front_matter import Document, dumps, from_article, in_style, loads
from schemas.front_matter.styles import KEYS, Style, escape, unescape
from schemas.plain_text import PlainDocument, loads_plain, looks_plain
from tests.support.paths import GOLDEN, SEEDS

STYLES: tuple[Style, ...] = ("seed", "strict")
CRAWLED = datetime(2026, 3, 4, 17, 23, 53, 999_999, tzinfo=SEOUL)

ARTICLE = Article(
    key=ArticleKey("997", "0000000042"),
    title="한빛연구원, '독자 AI' 2차 모델 공개…\"성능 1.7배\"",
    body="매개변수 300B 규모, 4월 공개\n\n한빛연구원이 4일 새 모델을 내놨다. A&B 시험에서 점수 x < y 였다.\n\n"
    "연구원은 '누구나 쓸 수 있다'고 했다.",
    publisher="가람일보",
    published_at=datetime(2026, 3, 4, 9, 5, 59, tzinfo=SEOUL),
    parser="article_page/1",
    byline="\n\t\t나해솔 기자 (haesol@garam.example)\n\t",
    categories=("IT/과학", "경제"),
)
FLASH = Article(
    key=ArticleKey("001", "0000000001"),
    title="[1보] 미리내 1호 공개",
    body="",
    publisher="다솜통신",
    published_at=None,
    parser="article_page/1",
)
HOSTILE = Article(
    key=ArticleKey("998", "0123456789"),
    title='--- # C:\\모델 "따옴표": &lt;b&gt;\n둘째\u2028줄\u00a0끝 😀',
    body="첫 문단\n\n---\n\n*Crawled at: 2026-03-04 08:23:53*\n"
    "*Source: [원문 보기](https://n.news.naver.com/mnews/article/998/0123456789)*\n\n# 제목 같은 줄\n\n&amp;lt; 그대로",
    publisher="[특보]: 0x_",
    published_at=datetime(2026, 3, 3, 23, 0, tzinfo=UTC),
    parser="article_page/1",
    authors=(Author("나해솔", "haesol@garam.example"), Author(None, "desk@garam.example"), Author("도담")),
    categories=("0x_",),
)
ARTICLES = {"article": ARTICLE, "flash": FLASH, "hostile": HOSTILE}


def text_of(article: Article = ARTICLE, style: Style = "seed") -> str:
    return dumps(from_article(article, CRAWLED, style=style))


def header_of(text: str, loader: Any = yaml.BaseLoader) -> dict[str, Any]:
    """The front matter as another YAML tool reads it."""
    loaded: dict[str, Any] = yaml.load(text[: text.index("\n---\n", 3)], loader)  # noqa: S506 (BaseLoader)
    return loaded


# ---- golden files -----------------------------------------------------------


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("name", ARTICLES)
def test_writes_the_golden_file(name: str, style: Style) -> None:
    golden = (GOLDEN / f"{name}.{style}.md").read_bytes()
    assert text_of(ARTICLES[name], style).encode() == golden


def test_a_strict_file_from_before_zones_is_read_and_written_as_it_was() -> None:
    text = (GOLDEN / "article.strict_without_zones.md").read_bytes().decode()
    older, document = loads(text), loads(text_of(ARTICLE, "strict"))
    assert (older.published_at, older.crawled_at) == (document.published_at, document.crawled_at)
    assert dumps(from_article(ARTICLE, CRAWLED, style="strict", zones=False)) == text


@pytest.mark.parametrize("name", ARTICLES)
def test_a_document_in_the_other_style_is_the_document_of_that_style(name: str) -> None:
    for style, other in (STYLES, STYLES[::-1]):
        assert dumps(in_style(loads(text_of(ARTICLES[name], style)), other)) == text_of(ARTICLES[name], other)
        assert dumps(in_style(loads(text_of(ARTICLES[name], style)), style)) == text_of(ARTICLES[name], style)


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("*.md")), ids=lambda path: path.name)
def test_reads_every_golden_file_back_byte_for_byte(path: Path) -> None:
    text = path.read_bytes().decode()
    document = loads(text, file=path.name)
    assert dumps(document) == text
    assert document.hash_matches


@pytest.mark.parametrize("style", STYLES)
def test_a_document_gives_the_values_of_its_article(style: Style) -> None:
    document = loads((GOLDEN / f"article.{style}.md").read_bytes().decode())
    assert document.style == style
    assert (document.id, document.oid, document.aid) == ("997_0000000042", "997", "0000000042")
    assert document.key == ARTICLE.key
    assert document.title == ARTICLE.title
    assert document.category == "IT/과학, 경제"
    assert document.publisher == "가람일보"
    assert document.author == "나해솔 기자 (haesol@garam.example)"
    assert document.published_at == datetime(2026, 3, 4, 9, 5, tzinfo=SEOUL)
    assert document.crawled_at == datetime(2026, 3, 4, 8, 23, 53, tzinfo=UTC)
    assert (document.published_at.tzname(), document.crawled_at.tzname()) == ("Asia/Seoul", "UTC")
    assert document.url == "https://n.news.naver.com/mnews/article/997/0000000042"
    assert document.content_hash == ARTICLE.content_hash
    assert document.body == ARTICLE.body


def test_a_flash_without_anything_but_a_headline() -> None:
    document = loads((GOLDEN / "flash.seed.md").read_bytes().decode())
    assert (document.body, document.author, document.category, document.published_at) == ("", "", "", None)


def test_without_a_byline_the_author_is_made_of_the_authors() -> None:
    assert from_article(HOSTILE, CRAWLED).author == "나해솔 (haesol@garam.example), desk@garam.example, 도담"


def test_reads_what_the_older_crawler_wrote() -> None:
    document = loads((GOLDEN / "older_crawler.md").read_bytes().decode())
    assert document.fields.author == "\n\t\t\n\t\t\t마루 기자 (maru@garam.example)\n\t\t\n\t"
    assert document.author == "마루 기자 (maru@garam.example)"
    assert document.title == "'새 모델' 공개…\u00a0남은 과제는"
    assert document.published_at == datetime(2025, 12, 29, tzinfo=SEOUL)


# ---- hostile text -----------------------------------------------------------

# fmt: off
FRAGMENTS = st.sampled_from([
    "---", "\n---\n", "\n\n---\n\n", "\n", "\r\n", "\r", "\t", "  ", "\u00a0", "\u2028", "\u0085", "\ufeff", "\uffff",
    "\x00", "\x07", "\x1b", "\x9f", "\\", "\\x41", '"', "'", "`", "=", "&", "&amp;lt;", "&#x27;", "&#x0;", "&nbsp;",
    "R&D", ": ", ":", " #", "# ", "|", "**", "[", "{", "*", "!", ">", "%", "@", "-", "?", "? ", ",", "~", "<<", "null",
    "0x_", ".", "_", "2025-99-99", "\ncrawled_at: 2025-01-01 00:00:00\n", "\n*Crawled at: 2026-03-04 08:23:53*\n",
    "*Source: [원문 보기](https://n.news.naver.com/mnews/article/997/0000000042)*\n", "가", "😀",
    "👨\u200d👩", "e\u0301", "\ntags: ",
])
# fmt: on
ANY_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
TEXT = ANY_TEXT | st.lists(FRAGMENTS | ANY_TEXT, max_size=8).map("".join)
TIMES = st.datetimes(datetime(1990, 1, 1), datetime(2100, 1, 1), timezones=st.sampled_from([UTC, SEOUL]))  # noqa: DTZ001
HOSTILE_ARTICLES = st.builds(
    Article,
    key=st.builds(ArticleKey, st.from_regex(r"[0-9]{3}", fullmatch=True), st.from_regex(r"[0-9]{10}", fullmatch=True)),
    title=TEXT,
    body=TEXT,
    publisher=TEXT,
    published_at=st.none() | TIMES,
    parser=st.just("article_page/1"),
    byline=TEXT,
    categories=st.lists(TEXT, max_size=3).map(tuple),
)


@settings(max_examples=150)
@given(HOSTILE_ARTICLES, TIMES, st.sampled_from(STYLES))
def test_every_article_is_preserved(article: Article, crawled_at: datetime, style: Style) -> None:
    document = from_article(article, crawled_at, style=style)
    text = dumps(document)
    read = loads(text.encode().decode())

    assert read == document
    assert dumps(read) == text
    assert read.title == article.title.strip()
    assert read.publisher == article.publisher.strip()
    assert read.category == ", ".join(article.categories).strip()
    assert read.body == article.body.strip("\n")
    assert read.hash_matches
    assert read.content_hash == article.content_hash
    assert read.crawled_at == crawled_at.replace(microsecond=0)
    assert read.published_at == (article.published_at and article.published_at.replace(second=0, microsecond=0))
    assert not re.search(r"[\t\r\n]", read.author)
    assert "".join(read.author.split()) == "".join(article.byline.split())


@settings(max_examples=150)
@given(HOSTILE_ARTICLES, st.sampled_from(STYLES))
def test_yaml_reads_the_same_values(article: Article, style: Style) -> None:
    text = text_of(article, style)
    document = loads(text)
    un_escape = unescape if style == "seed" else str
    for loader in (yaml.BaseLoader, yaml.CBaseLoader):
        values = {key: un_escape(value) for key, value in header_of(text, loader).items()}
        assert tuple(values) == KEYS
        korea, utc = ("+09:00", "+00:00") if style == "strict" else ("", "")
        published = f"{document.published_at:%Y-%m-%d %H:%M}{korea}" if document.published_at else ""
        assert (values["published_at"], values["crawled_at"]) == (published, f"2026-03-04 08:23:53{utc}")
        for key in set(KEYS) - {"published_at", "crawled_at"}:
            assert values[key] == getattr(document, key)


@settings(max_examples=150)
@given(HOSTILE_ARTICLES)
def test_a_typed_yaml_loader_never_raises(article: Article) -> None:
    for loader in (yaml.SafeLoader, yaml.CSafeLoader):
        assert tuple(header_of(text_of(article, "seed"), loader)) == KEYS
        strict = text_of(article, "strict")
        assert header_of(strict, loader) == header_of(strict)


@given(HOSTILE_ARTICLES)
def test_the_standard_library_alone_reproduces_the_hash(article: Article) -> None:
    document = loads(text_of(article))
    body = html.unescape(document.raw_body).strip("\n")
    assert hashlib.sha256(body.encode()).hexdigest() == article.content_hash


@given(HOSTILE_ARTICLES)
def test_every_line_of_the_header_is_one_line(article: Article) -> None:
    for style in STYLES:
        lines = text_of(article, style).split("\n")[:13]
        assert [line.partition(": ")[0] for line in lines] == ["---", *KEYS, "---"]


@given(TEXT)
def test_unescape_undoes_escape_once(text: str) -> None:
    assert unescape(escape(text)) == text
    assert not set("<>\"'`=\r") & set(escape(text))


@pytest.mark.parametrize(
    ("escaped", "text"),
    [
        ("&amp;lt;b&amp;gt;", "&lt;b&gt;"),
        ("&#39;&#x27;&#X27;", "''&#X27;"),
        ("&nbsp;&hellip;", "\u00a0…"),
        ("R&D ?a=1&copy=2 &nosuch; &;", "R&D ?a=1&copy=2 &nosuch; &;"),
        ("&#x0;&#x80;&#xD;", "\x00\x80\r"),
        ("&#xD800;&#x110000;&#99999999;", "\ufffd" * 3),
    ],
)
def test_unescape(escaped: str, text: str) -> None:
    assert unescape(escaped) == text


@pytest.mark.parametrize(
    "value", ["0x_", "0b_", "1" * 5000, "2025-99-99", "._", "+.", "[x", "- x", "a: b", "a #b", "a:"]
)
def test_values_that_yaml_would_misread_are_quoted(value: str) -> None:
    text = text_of(replace(ARTICLE, publisher=value))
    assert f'\npublisher: "{value}"\n' in text
    assert f"\n**{value}** | " in text


@pytest.mark.parametrize(
    "value", ["데일리안", "1코노미뉴스", "KBS", "IT/과학, 경제", "나 기자 (a@b.example)", "시사:인", "C#"]
)
def test_ordinary_values_are_not_quoted(value: str) -> None:
    assert f"\npublisher: {value}\n" in text_of(replace(ARTICLE, publisher=value))


@pytest.mark.parametrize("field", ["title", "body", "publisher", "byline"])
def test_a_lone_surrogate_cannot_be_written(field: str) -> None:
    broken: dict[str, Any] = {field: "깨진 \ud83d 글자"}
    with pytest.raises(FrontMatterError, match=r"997_0000000042:\d+: .* lone surrogate \(U\+D83D\)"):
        from_article(replace(ARTICLE, **broken), CRAWLED)


def test_a_time_without_a_zone_cannot_be_written() -> None:
    naive = CRAWLED.replace(tzinfo=None)
    with pytest.raises(FrontMatterError, match="crawled_at has no time zone"):
        from_article(ARTICLE, naive)
    with pytest.raises(FrontMatterError, match="published_at has no time zone"):
        from_article(replace(ARTICLE, published_at=naive), CRAWLED)


# ---- damaged files ----------------------------------------------------------


def load_or_refuse(text: str) -> Document | None:
    """The document, which must be written as the same text; None if it is refused."""
    try:
        document = loads(text)
    except FrontMatterError as error:
        assert 1 <= error.line <= text.count("\n") + 1  # noqa: PT017 (refusing is one of two correct results)
        return None
    assert dumps(document) == text
    return document


MUTATIONS: dict[str, Callable[[str], list[str]]] = {
    "cut": lambda _: [],
    "twice": lambda line: [line, line],
    "x before": lambda line: [f"x{line}"],
    "x behind": lambda line: [f"{line}x"],
    "space behind": lambda line: [f"{line} "],
    "emptied": lambda line: [""] if line else ["x"],
    "ruled": lambda line: ["---"] if line != "---" else ["--"],
    "blank below": lambda line: [line, ""],
}


@pytest.mark.parametrize("mutation", MUTATIONS)
@pytest.mark.parametrize("path", sorted(GOLDEN.glob("*.md")), ids=lambda path: path.name)
def test_a_changed_line_is_refused_or_kept(path: Path, mutation: str) -> None:
    text = path.read_bytes().decode()
    original = loads(text)
    lines = text.split("\n")
    for number, line in enumerate(lines[:-1]):
        changed = "\n".join([*lines[:number], *MUTATIONS[mutation](line), *lines[number + 1 :]])
        document = load_or_refuse(changed)
        # Only the author and the body occur once in the file. Everything else is fixed or occurs twice.
        assert document is None or document.fields._replace(author=original.fields.author) == original.fields


def test_a_changed_body_no_longer_matches_its_hash() -> None:
    document = loads(text_of().replace("누구나", "아무나"))
    assert not document.hash_matches


def edit(old: str, new: str) -> str:
    text = text_of()
    assert old in text
    return text.replace(old, new, 1)


DEFECTS = {
    "nothing": ("", 1, "the first line must be '---', found ''"),
    "no opening": (text_of()[4:], 1, "the first line must be '---', found 'id: 997_0000000042'"),
    "byte order mark": ("\ufeff" + text_of(), 1, "byte order mark"),
    "CR LF": (text_of().replace("\n", "\r\n"), 1, "convert the file to LF"),
    "surrogate": (edit("누구나", "\udc80"), 25, "lone surrogate (U+DC80): the file was not read as UTF-8"),
    "line before id": (edit("---\nid", "---\n메모\nid"), 2, "expected the key 'id', found '메모'"),
    "missing key": (edit("category: IT/과학, 경제\n", ""), 4, "the key 'category' is missing before 'publisher'"),
    "missing last key": (
        edit(f"content_hash: {ARTICLE.content_hash}\n", ""),
        12,
        "ends without the key 'content_hash'",
    ),
    "unknown key": (edit("publisher: ", "press: "), 5, "unknown key 'press', expected 'publisher'"),
    "duplicate key": (edit("author: ", "title: x\nauthor: "), 6, "duplicate key 'title', expected 'author'"),
    "unknown key at the end": (
        edit("\n---\n", "\ntags: x\n---\n"),
        13,
        "an unknown key of the front matter: 'tags: x'",
    ),
    "no space": (edit("category: IT/과학, 경제", "category:"), 4, "no space after 'category:'"),
    "stray line": (edit("url: ", "url: \n"), 10, "not a key of the front matter: 'https://"),
    "cut in the header": (text_of()[:60], 3, "the key 'category' is missing after this line"),
    "cut behind the keys": (text_of().split("\n---\n")[0], 12, "no closing line '---'"),
    "title unquoted": (edit('title: "', "title: "), 3, "the title is not in double quotes"),
    "oid": (edit("oid: 997", "oid: 97"), 10, "oid must be 3 digits, not '97'"),
    "aid": (edit("aid: 0000000042", "aid: 42"), 11, "aid must be 10 digits, not '42'"),
    "id": (
        edit("id: 997_0000000042", "id: 997-42"),
        2,
        "id must be an oid of 3 digits, '_' and an aid of 10, not '997-42'",
    ),
    "another id": (edit("id: 997_", "id: 996_"), 2, "id 996_0000000042 does not consist of the oid 997 and"),
    "another url": (
        edit("url: https://n.news.naver.com/mnews/article/997", "url: https://x/9"),
        9,
        "does not belong to 997_",
    ),
    "hash": (edit("content_hash: ", "content_hash: z"), 12, "content_hash must be a SHA-256 of 64"),
    "day": (edit("published_at: 2026-03-04", "published_at: 2026-02-30"), 7, "published_at is not a valid time"),
    "clock": (edit("published_at: 2026-03-04 09:05", "published_at: 어제"), 7, "published_at must be YYYY-MM-DD HH:MM"),
    "no crawled_at": (
        edit("crawled_at: 2026-03-04 08:23:53", "crawled_at: "),
        8,
        "crawled_at must be YYYY-MM-DD HH:MM:SS",
    ),
    "no blank line": (edit("---\n\n# ", "---\n# "), 14, "a blank line is missing"),
    "heading": (
        edit("# 한빛", "# 달빛"),
        15,
        "the heading differs from the title in the front matter: expected '# 한빛",
    ),
    "publisher line": (
        edit("**가람", "**다솜"),
        17,
        "differs from publisher, published_at and category in the front matter",
    ),
    "upper rule": (edit("경제\n\n---", "경제\n\n--"), 19, "the line '---' above the body is missing"),
    "lower rule": (edit("\n---\n\n*Cr", "\n***\n\n*Cr"), 27, "the line '---' below the body is missing"),
    "footer time": (edit("*Crawled at: 2026", "*Crawled at: 2025"), 29, "crawled_at in the footer differs"),
    "footer url": (edit("](https", "](http"), 30, "does not end with a footer that contains its url"),
    "no footer": (text_of()[: text_of().rindex("\n\n---")], 25, "does not end with a footer that contains its url"),
    "no body": (edit(f"\n\n{escape(ARTICLE.body)}", ""), 20, "a blank line is missing"),
    "quotes mixed": (text_of(style="strict").replace('oid: "997"', "oid: 997"), 10, "oid is not in double quotes"),
    "strict escapes": (text_of(style="strict").replace("한빛", "\\u3001", 1), 3, "title is not in double quotes"),
}


@pytest.mark.parametrize("name", DEFECTS)
def test_each_defect_is_reported_with_line_and_reason(name: str) -> None:
    text, line, reason = DEFECTS[name]
    with pytest.raises(FrontMatterError) as caught:
        loads(text, file="damaged.md")
    assert reason in caught.value.reason
    assert (caught.value.file, caught.value.line) == ("damaged.md", line)


def test_line_breaks_at_the_end_may_differ() -> None:
    for text in (text_of().rstrip("\n"), text_of() + "\n\n"):
        assert load_or_refuse(text) == replace(loads(text_of()), end=text[len(text.rstrip("\n")) :])


@given(st.data())
def test_any_cut_or_paste_is_refused_or_kept(data: st.DataObject) -> None:
    text = text_of(data.draw(st.sampled_from(list(ARTICLES.values()))), data.draw(st.sampled_from(STYLES)))
    start = data.draw(st.integers(0, len(text)))
    stop = data.draw(st.integers(start, min(len(text), start + 40)))
    load_or_refuse(text[:start] + data.draw(FRAGMENTS | st.just("")) + text[stop:])


@given(TEXT)
def test_any_text_is_refused_with_the_right_error(text: str) -> None:
    for candidate in (text, f"---\n{text}", f"---\nid: {text}"):
        assert load_or_refuse(candidate) is None


# ---- large files ------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        "\n---\n" * 100_000,
        "&" * 500_000,
        "\\" * 500_000,
        "\n" * 500_000 + "x",
        "\na_b: \t" * 80_000,
        "&#x27" * 100_000,
    ],
    ids=["rules", "ampersands", "backslashes", "blank lines", "keys", "half entities"],
)
def test_time_is_linear_in_the_length(body: str) -> None:
    started = time.perf_counter()
    for style in STYLES:
        text = text_of(replace(ARTICLE, body=body, title=body, byline=body), style)
        assert loads(text).hash_matches
    for damaged in (f"---\n{body}", text.rstrip(")*\n"), f"---\nid: {body}", f'---\nid: "{body}'):
        assert load_or_refuse(damaged) is None
    assert time.perf_counter() - started < 10  # far more than it takes, far less than a quadratic algorithm would


# ---- the existing archive ---------------------------------------------------


@pytest.mark.skipif(not SEEDS.is_dir(), reason="the documents of the existing archive are not available")
@pytest.mark.parametrize(
    ("name", "id_", "author", "crawled_at"),
    [
        ("001_", "119_0003042504", "조인영 기자 (ciy8100@dailian.co.kr)", datetime(2025, 12, 30, 0, 9, tzinfo=UTC)),
        ("002_", "018_0006192217", "김아름(autumn@edaily.co.kr)", datetime(2025, 12, 30, 8, 23, 53, tzinfo=UTC)),
    ],
)
def test_existing_files(name: str, id_: str, author: str, crawled_at: datetime) -> None:
    (path,) = SEEDS.glob(f"{name}*.txt")
    text = path.read_bytes().decode()
    document = loads(text, file=path.name)
    assert dumps(document) == text
    assert document.hash_matches
    assert (document.id, document.author, document.category) == (id_, author, "")
    assert document.crawled_at == crawled_at
    assert document.published_at == datetime(2025, 12, 30, tzinfo=SEOUL)
    assert not looks_plain(text)


@pytest.mark.skipif(not SEEDS.is_dir(), reason="the documents of the existing archive are not available")
def test_existing_plain_text() -> None:
    (path,) = SEEDS.glob("000_*.txt")
    text = path.read_bytes().decode()
    assert looks_plain(text)
    document = loads_plain(text)
    assert document.date == date(2025, 12, 30)
    assert text == f" date 2025-12-30 {document.body}"


# ---- plain text -------------------------------------------------------------


@pytest.mark.parametrize(
    "head", [" date 2026-03-04 ", "date 2026-03-04\n\n", "\ufeff date 2026-03-04 \r\n", "\ndate\t2026-03-04\n"]
)
def test_plain_text_begins_on_the_line_of_the_date_or_below(head: str) -> None:
    text = f"{head}첫 문단 &amp; 'AI'\n\n둘째 문단\n"
    assert looks_plain(text)
    assert loads_plain(text) == PlainDocument(date(2026, 3, 4), "첫 문단 &amp; 'AI'\n\n둘째 문단")


@pytest.mark.parametrize("text", ["", "날짜 2026-03-04 글", "date 2026-3-4 글", "date 2026-03-041 글", text_of()])
def test_other_text_is_not_plain(text: str) -> None:
    assert not looks_plain(text)
    with pytest.raises(FrontMatterError, match=r"f\.txt:1: the text does not begin with 'date YYYY-MM-DD'"):
        loads_plain(text, file="f.txt")


@pytest.mark.parametrize(
    ("text", "reason"), [("\ndate 2026-02-30 글", "not a valid date"), ("\ndate 2026-03-04 \n", "no text after")]
)
def test_plain_text_without_a_day_or_a_text(text: str, reason: str) -> None:
    with pytest.raises(FrontMatterError, match=reason) as caught:
        loads_plain(text)
    assert caught.value.line == 2


@given(ANY_TEXT.filter(str.strip), st.dates(date(1990, 1, 1) + timedelta(days=1)))
def test_plain_text_keeps_any_text(body: str, day: date) -> None:
    assert loads_plain(f" date {day} {body}") == PlainDocument(day, body.strip())
