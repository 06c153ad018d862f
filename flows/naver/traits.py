"""Describe what a page looks like by marks, which the drift alarm compares with those of earlier pages.

    fields        which of the article's fields are there           `byline`, `subtitle`, `images`
    sections      Naver's sections, by name                         `section IT`
    places        where a field was found that can have several     `press from the logo`
    cross-checks  whether another part of the page agrees           `og:title is the title`, `og:title is not the …`
    shapes        the elements of the parts that are parsed         `body: <em.img_desc>`
    doubts        what is rarely true of a correct record           `published at midnight`
    echoes        short texts that should differ from page to page  `line: 로그인 후 볼 수 있습니다`

All of it is derived from the tree that the parser has built, at a fraction of the parser's cost.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from functools import lru_cache
from itertools import chain, islice
from zlib import crc32

from selectolax.lexbor import LexborHTMLParser, LexborNode

from flows.naver.articles.page_parts import CAPTION, CAPTIONED
from schemas.article import Article
from schemas.traits import Traits

MOST_MARKS = 120
"""Of one page; today's pages have about 50. Keeps hostile pages from filling the memory."""
TITLE_ENDS = "title ends: "
ECHOES = ("line: ", "byline: ", "title begins: ", TITLE_ENDS)
"""Prefixes of marks that contain text of the page itself."""
UNDECODABLE = "characters that could not be decoded"
FIELDS = ("body", "subtitle", "byline", "authors", "categories", "images", "original_url")
"""The marks of an article's fields, except its time of modification, which depends on when the page is fetched."""

_LINE, _BYLINE, _TITLE_BEGIN, _ = ECHOES
_OF_TEXTS = frozenset(
    (
        *FIELDS,
        *("e-mail of an author", "author without e-mail", "image with caption", "image without caption"),
        *("byline names nobody", "title without Hangul", "body without Hangul", "hardly a space in the text"),
        *("publisher without letters", "category that is no section's name"),
        *("original at Naver", "original without a path", "published at midnight"),  # the press office's; embargoes
        *("byline with a part of its own", "no part for a byline"),
        *("categories of the press", "category from the section", "og:description is the body's beginning"),
    )
)
_SECTION = "section "
_SHAPES = ("body: <", "behind ", "key ")
_MOST_NODES = 400  # of one part that are examined
_BYLINE_PART = "div.byline"
_PICTURE = f"img, .nbd_im_w, {CAPTIONED}"
_MOST_LINES, _SHORT_LINE = 8, 40
_WORD = 10  # characters: the words of a Korean text have 4 on average
_DESCRIPTION = 80  # characters of og:description that are compared, without white space
_DAYS_APART = 10  # between an article and its pictures, by months of 31 days
_BEGINNING = 4 * _DESCRIPTION  # characters of a body, more than half of which are hardly white space

_SECTION_NAMES = "정치 경제 사회 생활 문화 생활/문화 세계 IT IT/과학 오피니언 스포츠 연예 TV연예"
_SECTIONS = frozenset(_SECTION_NAMES.split())

_NAME = re.compile(r"[A-Za-z_][A-Za-z_-]*")
_HANGUL = re.compile(r"[가-힣]")
_RAW = re.compile(
    r"&(?:[a-z]{2,8}|#x?[0-9a-f]{1,6});|</?(?:br|div|p|span|a|strong|em|script)\b[^>]{0,200}>", re.IGNORECASE
)
# (서울=가람통신) 홍길동 기자 = 서고는 …, [가람경제 홍길동 기자] 서고는 …: how a text begins
_LEAD = re.compile(r"(?:\([^()=\n]{1,20}=[^()\n]{1,20}\)|\[[^\[\]\n]{1,30} 기자\]) ?\S[^\n]{20}")
_PREFIX = re.compile(r"\S{1,10}(?: \S{1,10})?:(?= )")
_SUFFIX = re.compile(r"\s[|:–-]\s*\S[^|]{0,20}$")
_PHOTO_DAY = re.compile(r"/(\d{4})/(\d{2})/(\d{2})/")


def is_of_texts(mark: str) -> bool:
    """Whether a mark describes the articles rather than the pages: other sources have other articles."""
    return mark in _OF_TEXTS or mark.startswith(("kind ", *ECHOES))


def is_section(mark: str) -> bool:
    """Whether a mark names a section, which depends on the sources and not on how pages look."""
    return mark.startswith(_SECTION)


def is_shape(mark: str) -> bool:
    """Whether a mark names an element in or next to a part that is parsed, or a key of a JSON response."""
    return mark.startswith(_SHAPES)


def make_traits(article: Article, marks: Iterable[str]) -> Traits:
    """The traits of a page: the marks of its article and of its layout, `MOST_MARKS` at most."""
    lines = article.body.split("\n") if article.body else []
    own = chain(_fields(article), _doubts(article), _echoes(article, lines))
    every = frozenset(islice(chain(own, marks), MOST_MARKS))
    paragraphs = lines.count("") + 1 if lines else 0
    lengths = (("title", len(article.title)), ("body", len(article.body)), ("paragraphs", paragraphs))
    return Traits(article.parser, article.key.oid, every, lengths, _sketch(lines))


def _fields(article: Article) -> Iterator[str]:
    yield f"kind {article.kind.value}"
    yield from (name for name in FIELDS if getattr(article, name))
    yield from (_SECTION + name for name in article.categories if name in _SECTIONS)
    for author in article.authors:
        yield "e-mail of an author" if author.email else "author without e-mail"
    for image in article.images:
        yield "image with caption" if image.caption else "image without caption"


def _doubts(article: Article) -> Iterator[str]:
    """Marks that a correct record hardly ever has."""
    yield from _odd_text(article.title, article.body)
    if _LEAD.match(article.body, article.body.rfind("\n") + 1) and not _LEAD.match(article.body):
        yield "the last line begins as a first one does"
    if article.byline and not article.authors:
        yield "byline names nobody"
    if not any(map(str.isalpha, article.publisher)):
        yield "publisher without letters"
    if not _SECTIONS.issuperset(article.categories):
        yield "category that is no section's name"
    address = article.original_url or ""
    if ".naver.com/" in address:
        yield "original at Naver"
    if address.endswith("/") and address.count("/") == 3:
        yield "original without a path"
    if article.published_at:
        yield from _odd_times(article, article.published_at)


def _odd_text(title: str, body: str) -> Iterator[str]:
    if not _HANGUL.search(title):
        yield "title without Hangul"
    if body and not _HANGUL.search(body):
        yield "body without Hangul"
    half = len(title) // 2
    if half and title[:half].strip() == title[-half:].strip():
        yield "title twice"
    if len(body) > _WORD * (body.count(" ") + 1):
        yield "hardly a space in the text"
    if "\ufffd" in body or "\ufffd" in title:
        yield UNDECODABLE
    if any(mark in text and _RAW.search(text) for text in (title, body) for mark in "&<"):
        yield "markup in the text"


def _odd_times(article: Article, published: datetime) -> Iterator[str]:
    if article.modified_at and article.modified_at < published:
        yield "modified before it was published"
    if not (published.hour or published.minute or published.second):
        yield "published at midnight"
    if article.images and not _same_days(article, published):
        yield "pictures of another day than the article"


def _same_days(article: Article, published: datetime) -> bool:
    """Whether the first picture's address contains the day of publication, a day close to it, or no day."""
    day = _PHOTO_DAY.search(article.images[0].url)
    return day is None or abs(int(day[1]) * 372 + int(day[2]) * 31 + int(day[3]) - _days(published)) <= _DAYS_APART


def _days(moment: datetime) -> int:
    return moment.year * 372 + moment.month * 31 + moment.day


def _echoes(article: Article, lines: Sequence[str]) -> Iterator[str]:
    """Short texts that should not be the same on many pages."""
    short = (line for line in lines if 0 < len(line) <= _SHORT_LINE and "@" not in line)
    yield from (_LINE + line for line in islice(short, _MOST_LINES))
    if article.byline:
        yield _BYLINE + article.byline[:_SHORT_LINE]
    if prefix := _PREFIX.match(article.title):
        yield _TITLE_BEGIN + prefix[0]
    if suffix := _SUFFIX.search(article.title):
        yield TITLE_ENDS + suffix[0].strip()


def _sketch(lines: Sequence[str]) -> tuple[int, ...]:
    """Checksums of the two longest lines. Copies of a release differ in their first and last lines, not in these."""
    longest = sorted(lines, key=len)[-2:]
    return tuple(crc32(line.encode("utf-8", "replace")) for line in longest if len(line) > _SHORT_LINE)


# --- cross-checks ----------------------------------------------------------------------------------------------------


def cross_checks(article: Article, tree: LexborHTMLParser) -> Iterator[str]:
    """Whether `<meta property="og:…">` and the element for a byline agree with the article."""
    properties = _open_graph(tree)
    if title := properties.get("og:title"):
        same = title == article.title or _squeezed(title) == _squeezed(article.title)
        yield agrees("og:title", "the title", yes=same)
    if author := properties.get("og:article:author"):
        yield agrees("og:article:author", "the publisher", yes=author.partition("|")[0].strip() == article.publisher)
    if properties.get("og:url"):
        yield "og:url"
    if description := _squeezed(properties.get("og:description", ""))[:_DESCRIPTION]:
        yield agrees("og:description", "the body's beginning", yes=_begins(article, description))
    if (part := tree.css_first(_BYLINE_PART)) and not _names(part, article.byline):
        yield agrees("the part for a byline", "the byline", yes=False)


def _names(part: LexborNode, byline: str | None) -> bool:
    """Whether an element's text begins with the first entry of a byline."""
    first = _squeezed((byline or "").partition(",")[0])
    return bool(first) and _squeezed(part.text()).startswith(first)


def agrees(other: str, what: str, *, yes: bool) -> str:
    """The mark of a cross-check: `og:title is the title`, `og:title is not the title`."""
    return f"{other} is {'' if yes else 'not '}{what}"


def _open_graph(tree: LexborHTMLParser) -> dict[str, str]:
    nodes = tree.head.css('meta[property^="og:"]') if tree.head is not None else []
    metas = [node.attributes for node in islice(nodes, _MOST_NODES)]
    return {meta.get("property") or "": (meta.get("content") or "").strip() for meta in reversed(metas)}


def _begins(article: Article, description: str) -> bool:
    """Whether the text (with or without subtitle), a caption, or the title of an article without text begins so."""
    text = article.body[len(article.subtitle or "") :]
    captions = (image.caption or "" for image in article.images)
    starts = chain((article.body, text), captions, () if article.body else (article.title,))
    return any(_squeezed(start[:_BEGINNING]).startswith(description) for start in starts)


def _squeezed(text: str) -> str:
    return "".join(text.split())


# --- shapes --------------------------------------------------------------------------------------------------------


def shape(part: str, frame: LexborNode) -> Iterator[str]:
    """The elements in `frame` except line breaks, as `part: <em.img_desc>`, each once."""
    yield f"{part}: in {name_of(frame)}"
    names = {name_of(node) for node in frame.css(":not(br)")[1:_MOST_NODES]}  # the first is the frame itself
    yield from (f"{part}: {name}" for name in sorted(names))


def beside(part: str, node: LexborNode, stop: str = "") -> Iterator[str]:
    """The elements and bare texts that follow a node in its parent, up to an element of the class `stop`."""
    following = node.next
    for _ in range(_MOST_NODES):
        if following is None:
            return
        name = name_of(following) if following.is_element_node else _bare(following)
        if stop and name.endswith(f".{stop}>"):
            return
        if name:
            yield f"behind {part}: {name}"
        following = following.next


def left_out(article: Article, body: LexborNode) -> Iterator[str]:
    """Signs that pictures or a good part of the text were not read."""
    if not article.images and body.css_first(_PICTURE) is not None:
        yield "no image read, though there is a picture's markup"
    if body.css_first(CAPTION) is not None and not any(image.caption for image in article.images):
        yield "no caption read, though there is a caption's markup"
    known = len(article.body) + sum(len(image.caption or "") for image in article.images)
    if article.body and 3 * known < 2 * len(body.text().strip()):
        yield "a third of the body's text left out"


def name_of(node: LexborNode) -> str:
    """An element by its tag and first class (else its id), without numbers and hashes: `<em.img_desc>`."""
    attributes = node.attributes
    return _name(node.tag or "", attributes.get("class") or "", attributes.get("id") or "")


@lru_cache(maxsize=4_096)
def _name(tag: str, classes: str, identity: str) -> str:
    if first := _NAME.match(classes.strip()):
        return f"<{tag[:20]}.{_steady(first[0])}>"
    if first := _NAME.match(identity.strip()):
        return f"<{tag[:20]}#{_steady(first[0])}>"
    return f"<{tag[:20]}>"


def _steady(name: str) -> str:
    return name[:40].partition("__")[0] or "_"  # Layout_wrap__3kPq7


def _bare(node: LexborNode) -> str:
    return "text" if node.is_text_node and (node.text_content or "").strip() else ""
