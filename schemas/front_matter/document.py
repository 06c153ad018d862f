"""The archive's Markdown format: one file per article.

    ---
    id: 119_0003042504           the front matter: eleven keys, always in this order, one line each
    title: "…"
    …
    content_hash: 94bc342c…
    ---

    # title                      repeats the front matter, for people

    **publisher** | published_at | category

    ---

    body

    ---

    *Crawled at: …*              the footer, which also repeats the front matter
    *Source: [원문 보기](url)*

`loads` parses a text into a `Document`, `dumps` writes it again, byte for byte; `from_article` creates a new one.

No text in a body can be mistaken for its end: the text above and below the body follows from the front matter. `loads`
removes the former from the start of the file and the latter from its end; what remains is the body.

There are two styles, which differ in the quotes around the `id`:

- `seed`, the style of the existing archive. Every value and the body are HTML-escaped once (see `escape`). In the
  front matter, characters that YAML does not allow are numeric entities. The title is in double quotes, and so is a
  category, publisher or author that YAML would misread without them. Two dialects of it are read and never
  written: files in which nothing is escaped, and files with a twelfth key `comment_count` and comments between body and
  footer. See `body`.
- `strict`, for tools that assign types to YAML values. Every value of the front matter is in double quotes, with YAML's
  escapes; there are no entities, and the body is the plain text.

Values are trimmed but otherwise lossless: `loads(dumps(from_article(a, …)))` returns the title, category, publisher and
body of `a` without surrounding white space (for the body: line breaks). Only the author is put on one line. UTF-8
cannot encode a lone surrogate: reading or writing such a text raises FrontMatterError. Read and write files as bytes or
with `newline=""`, because Python's text mode turns the `\\r` of a `strict` body or of an older file into `\\n`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal, NamedTuple, NoReturn

from schemas.article import SEOUL, Article, ArticleKey, Author
from schemas.article import content_hash as hash_of
from schemas.errors import FrontMatterError
from schemas.front_matter.body import end_of_body, is_escaped
from schemas.front_matter.header import Source, check_start, check_values, clip, read_header
from schemas.front_matter.styles import (
    CODECS,
    KEYS,
    UNESCAPED,
    Codec,
    Fields,
    Style,
    one_line,
    style_of,
    with_offsets,
    without_offsets,
)

Dialect = Literal["escaped", "unescaped", "either", "strict"]


class Comments(NamedTuple):
    """What readers wrote below an article, as the file has it: the value of `comment_count`, and the text."""

    number: str
    text: str


@dataclass(frozen=True, slots=True)
class Document:
    """A file of the archive. Created by `loads` or `from_article`, which ensure that its parts are consistent.

    `fields` and `raw_body` are the exact text of the file, `end` the line breaks after the footer (seogo writes one).
    The properties are the values: unescaped once if the file is `escaped`, without surrounding white space.
    """

    fields: Fields
    raw_body: str
    end: str = "\n"
    escaped: bool = True
    comments: Comments | None = None

    @property
    def style(self) -> Style:
        """`seed` or `strict`."""
        return style_of(self.fields)

    @property
    def dialect(self) -> Dialect:
        """Of a `seed` file: `escaped`, `unescaped`, or `either`, where it would be the same text in both."""
        if self.style == "strict":
            return "strict"
        if not self.escaped:
            return "unescaped"
        comments = self.comments.text if self.comments else ""
        return "escaped" if any("&" in raw for raw in (*self.fields, self.raw_body, comments)) else "either"

    @property
    def comment_count(self) -> int:
        """How many comments the file says it holds."""
        return int(self.comments.number) if self.comments else 0

    @property
    def id(self) -> str:
        return self._value("id")

    @property
    def oid(self) -> str:
        return self._value("oid")

    @property
    def aid(self) -> str:
        return self._value("aid")

    @property
    def key(self) -> ArticleKey:
        return ArticleKey(self.oid, self.aid)

    @property
    def title(self) -> str:
        return self._value("title")

    @property
    def category(self) -> str:
        """All categories, joined with `, `; empty if none is known."""
        return self._value("category")

    @property
    def publisher(self) -> str:
        return self._value("publisher")

    @property
    def author(self) -> str:
        """The byline on one line; empty if none is known."""
        return one_line(self._value("author"))

    @property
    def published_at(self) -> datetime | None:
        """To the minute, in Asia/Seoul. In files of the older crawler, which stored only the day, the time is 00:00."""
        value = self._value("published_at")
        return datetime.fromisoformat(value).replace(tzinfo=SEOUL) if value else None

    @property
    def crawled_at(self) -> datetime:
        """To the second, in UTC."""
        return datetime.fromisoformat(self._value("crawled_at")).replace(tzinfo=UTC)

    @property
    def url(self) -> str:
        return self._value("url")

    @property
    def content_hash(self) -> str:
        """The hash stated in the file, whether it is correct or not."""
        return self._value("content_hash")

    @property
    def body(self) -> str:
        """The text without surrounding line breaks, of which `content_hash` is the hash."""
        return self._codec.read_body(self.raw_body).strip("\n")

    @property
    def hash_matches(self) -> bool:
        """Whether `content_hash` is the hash of the body."""
        return hash_of(self.body) == self.content_hash

    def _value(self, key: str) -> str:
        return self._codec.read(getattr(self.fields, key)).strip()

    @property
    def _codec(self) -> Codec:
        return CODECS[self.style] if self.escaped else UNESCAPED


def from_article(article: Article, crawled_at: datetime, *, style: Style = "seed", zones: bool = True) -> Document:
    """The document of an article, crawled at this (aware) time.

    `zones`: times in `strict` have an offset; older files have none.

    Raises FrontMatterError for a time without a zone and for a lone surrogate, with the line that it would have had.
    """
    values = Fields(
        id=article.id,
        title=article.title.strip(),
        category=", ".join(article.categories).strip(),
        publisher=article.publisher.strip(),
        author=one_line(article.byline) or one_line(", ".join(map(_signature, article.authors))),
        published_at=_clock(article, "published_at", article.published_at) if article.published_at else "",
        crawled_at=_clock(article, "crawled_at", crawled_at),
        url=article.url,
        oid=article.key.oid,
        aid=article.key.aid,
        content_hash="",
    )
    _check_encodable(article, values)
    values = values._replace(content_hash=article.content_hash)
    return _written(with_offsets(values) if style == "strict" and zones else values, article.body.strip("\n"), style)


def in_style(document: Document, style: Style) -> Document:
    """The same document in a style; one that has it already is returned as it is. Comments are left out."""
    if document.style == style:
        return document
    values = without_offsets(Fields(*(document._value(key) for key in KEYS)))
    return _written(with_offsets(values) if style == "strict" else values, document.body, style)


def _written(values: Fields, body: str, style: Style) -> Document:
    codec = CODECS[style]
    return Document(Fields(*map(codec.write, KEYS, values)), codec.write_body(body))


def dumps(document: Document) -> str:
    """The text of the file. For a document from `loads`, this is the text that was parsed."""
    comments = document.comments
    header = "".join([f"{key}: {raw}\n" for key, raw in zip(KEYS, document.fields, strict=True)])
    header += f"comment_count: {comments.number}\n" if comments else ""
    above = "".join([part.text for part in _above(document.fields)])
    below = "".join([part.text for part in _below(document.fields)])
    return f"---\n{header}---\n{above}{document.raw_body}{comments.text if comments else ''}{below}{document.end}"


def loads(text: str, *, file: str = "<text>") -> Document:
    """Parse a file of the archive, in any style and dialect. Raises FrontMatterError with `file`, line and reason.

    Accepted are line breaks within free text, as the older crawler left them; entities and quotes where seogo would
    write none; any number of line breaks at the end; and a `content_hash` that does not match the body (see
    `hash_matches`). Every other deviation from the format is an error.
    """
    source = Source(text, file)
    check_start(source)
    fields, count, at = read_header(source)
    check_values(source, fields)
    start = _pass_above(source, fields, at)
    end = len(text.rstrip("\n"))
    stop = _pass_below(source, fields, start, end)
    if style_of(fields) == "strict":
        return Document(fields, text[start:stop], text[end:])
    region = text[start:stop]
    size = len(region) if count is None else end_of_body(region, fields.content_hash)
    body, below = region[:size], region[size:]
    comments = None if count is None else Comments(count, below)
    return Document(fields, body, text[end:], is_escaped(fields, body, below), comments)


# ---- the text around the body ---------------------------------------------------------------------------------------


class _Part(NamedTuple):
    """A part of the text that follows from the front matter, and the error if a file lacks it."""

    text: str
    otherwise: str


_BLANK = _Part("\n", "a blank line is missing")


def _above(fields: Fields) -> tuple[_Part, ...]:
    show = CODECS[style_of(fields)].show
    line = f"**{show(fields.publisher)}** | {show(fields.published_at)} | {show(fields.category)}\n"
    return (
        _BLANK,
        _Part(f"# {show(fields.title)}\n", "the heading differs from the title in the front matter"),
        _BLANK,
        _Part(line, "this line differs from publisher, published_at and category in the front matter"),
        _BLANK,
        _Part("---\n", "the line '---' above the body is missing"),
        _BLANK,
    )


def _below(fields: Fields) -> tuple[_Part, ...]:
    show = CODECS[style_of(fields)].show
    return (
        _Part("\n", "the body's last line has no line break"),
        _BLANK,
        _Part("---\n", "the line '---' below the body is missing"),
        _BLANK,
        _Part(f"*Crawled at: {show(fields.crawled_at)}*\n", "crawled_at in the footer differs from the front matter"),
        _Part(
            f"*Source: [원문 보기]({show(fields.url)})*", "the file does not end with a footer that contains its url"
        ),
    )


def _pass_above(source: Source, fields: Fields, at: int) -> int:
    """The position where the body begins."""
    for part in _above(fields):
        if not source.text.startswith(part.text, at):
            source.fail(at, f"{part.otherwise}: expected {clip(part.text)}, found {source.line(at)}")
        at += len(part.text)
    return at


def _pass_below(source: Source, fields: Fields, start: int, end: int) -> int:
    """The position where the body ends; it is not before `start`, and the footer ends at `end`."""
    for part in reversed(_below(fields)):
        if not source.text.endswith(part.text, start, end):
            source.fail(end - 1, f"{part.otherwise}: expected {clip(part.text)}, found {source.line(end - 1)}")
        end -= len(part.text)
    return end


# ---- from an article ------------------------------------------------------------------------------------------------


def _signature(author: Author) -> str:
    if author.name and author.email:
        return f"{author.name} ({author.email})"
    return author.name or author.email or ""


def _clock(article: Article, key: str, moment: datetime) -> str:
    if moment.tzinfo is None:
        _fail_article(article, key, f"{key} has no time zone: {moment.isoformat()}")
    zone, precision = (UTC, "seconds") if key == "crawled_at" else (SEOUL, "minutes")
    return moment.astimezone(zone).replace(tzinfo=None).isoformat(" ", precision)


def _check_encodable(article: Article, values: Iterable[str]) -> None:
    for key, value in [*zip(KEYS, values, strict=True), ("body", article.body)]:
        try:
            value.encode()
        except UnicodeEncodeError as error:
            surrogate = f"U+{ord(value[error.start]):04X}"
            _fail_article(
                article, key, f"{key} contains a lone surrogate ({surrogate}), which UTF-8 cannot encode: replace it"
            )


def _fail_article(article: Article, key: str, reason: str) -> NoReturn:
    line = (*KEYS, "body").index(key) + 2
    raise FrontMatterError(reason, line=line, file=article.id)
