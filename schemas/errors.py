"""Every error that seogo raises on purpose, one tree:

    SeogoError
    ├── BadInput                 what the user gave cannot be used               exit 2
    │   ├── TopicError           a mistake in the topic file (file, line, key, what was expected)
    │   ├── AddressError         not the address of a Naver article
    │   ├── FrontMatterError     not a document of the archive's format (file, line, reason)
    │   ├── QueryError           SQL that DuckDB refuses
    │   └── MissingKey           a source needs an API key that nobody gave, or Naver refuses the one given
    ├── ParseError               a page that is not an article to be stored
    │   ├── LayoutChanged        a page without what its layout needs (selector)  exit 4
    │   ├── ArticleGone          the article was deleted or withdrawn
    │   └── TemporarilyUnavailable   Naver's "try again" page: a fault, to be fetched again
    └── ArchiveError             the archive directory cannot be used
        ├── ArchiveBusy          another process writes (who, since when)         exit 7
        ├── ArchiveDamaged       files, rows and captures contradict each other   exit 8
        ├── ArchiveTooNew        made by a newer seogo
        └── StorageFault         the disk is full, read-only or not permitted     exit 9

Each message says what happened, to what, and what to do. A fault of one article that is to be expected (a deleted
page, a host that does not answer) never leaves the pipeline as an exception: it becomes the outcome of its find.
"""

from __future__ import annotations


class SeogoError(Exception):
    """The root: catch this, and nothing else, to catch what seogo raises on purpose."""


class BadInput(SeogoError):
    """What the user gave cannot be used: an option, a file, an address, a query."""


class TopicError(BadInput):
    """A mistake in a topic file. The message has a line for each: file, line, key, what was expected."""


class AddressError(BadInput):
    """An address that names no Naver article."""

    def __init__(self, url: str, reason: str) -> None:
        super().__init__(f"{url!r} is not the address of a Naver article: {reason}")
        self.url = url
        self.reason = reason


class FrontMatterError(BadInput):
    """A text that is not a document of the archive's format."""

    def __init__(self, reason: str, *, line: int, file: str = "<text>") -> None:
        super().__init__(f"{file}:{line}: {reason}")
        self.reason = reason
        self.line = line
        self.file = file


class QueryError(BadInput):
    """SQL that DuckDB refuses."""


class MissingKey(BadInput):
    """A source needs an API key that nobody gave, or Naver refuses the one given. Never holds the key."""


class ParseError(SeogoError):
    """A page that is not an article to be stored. `url` is the page's address."""

    def __init__(self, message: str, *, url: str) -> None:
        super().__init__(message)
        self.url = url


class LayoutChanged(ParseError):
    """A page that lacks what its layout needs. `selector` names what was looked for and not found."""

    def __init__(self, selector: str, *, url: str, layout: str, detail: str = "") -> None:
        tail = f": {detail}" if detail else ""
        super().__init__(f"{url}: the layout {layout!r} needs {selector!r}, which is not on the page{tail}", url=url)
        self.selector = selector
        self.layout = layout


class ArticleGone(ParseError):
    """The article was deleted or withdrawn. `notice` is the page's own word for it."""

    def __init__(self, notice: str, *, url: str) -> None:
        super().__init__(f"{url}: the article is gone ({notice})", url=url)
        self.notice = notice


class TemporarilyUnavailable(ParseError):
    """Naver's page for "not now": a fault to be fetched again, not a statement about the article."""

    def __init__(self, notice: str, *, url: str) -> None:
        super().__init__(f"{url}: not available at the moment ({notice})", url=url)
        self.notice = notice


class ArchiveError(SeogoError):
    """The archive directory cannot be used."""


class ArchiveBusy(ArchiveError):
    """Another process writes to the archive."""


class ArchiveDamaged(ArchiveError):
    """Files, rows and captures of the archive contradict each other."""


class ArchiveTooNew(ArchiveError):
    """The archive was made by a newer seogo."""


class StorageFault(ArchiveError):
    """The disk is full, read-only, or the process may not write there."""
