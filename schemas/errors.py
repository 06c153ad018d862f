"""All errors that seogo raises on purpose, as one tree:

    SeogoError
    ├── BadInput                 the user's input cannot be used                 exit 2
    │   ├── TopicError           a mistake in the topic file (file, line, key, what was expected)
    │   ├── AddressError         not the URL of a Naver article
    │   ├── FrontMatterError     not a document in the archive's format (file, line, reason)
    │   ├── QueryError           SQL that DuckDB rejects, or a search that cannot be read
    │   └── MissingKey           a source needs an API key: there is none, or Naver rejects it
    ├── ParseError               a page that cannot be stored as an article
    │   ├── LayoutChanged        a page lacks what its layout needs (selector)    exit 4
    │   ├── ArticleGone          the article was deleted or withdrawn
    │   └── TemporarilyUnavailable   Naver's "try again later" page: to be fetched again
    └── ArchiveError             the archive directory cannot be used
        ├── ArchiveBusy          another process is writing (who, since when)     exit 7
        │   └── LeaseLost        another machine has taken over meanwhile
        ├── ArchiveDamaged       files, rows and captures contradict each other   exit 8
        │   ├── SearchIndexDamaged   the search index cannot be used: it is rebuilt
        │   ├── ObjectMissing        an object of an object store is not there
        │   └── ObjectChanged        an object is not the one that was written
        ├── ArchiveTooNew        created by a newer version of seogo
        ├── SegmentRefused       a fetcher's segment that cannot be taken in
        └── StorageFault         the disk is full, read-only or not permitted     exit 9
            └── ObjectStoreFault     an object store does not do what it is asked
                ├── ObjectStoreRefused      no rights, no such bucket, wrong region
                ├── ObjectStoreUnavailable  away, overloaded or too slow
                └── ObjectExists            the name of a new object is taken

Each message says what happened, to what, and what to do. An expected fault of one article (a deleted page, a host that
does not respond) never leaves the pipeline as an exception: it becomes the outcome of its find.
"""

from __future__ import annotations

from pathlib import Path


class SeogoError(Exception):
    """The root of the tree: catch it to catch everything that seogo raises on purpose."""


class BadInput(SeogoError):
    """The user's input cannot be used: an option, a file, a URL, a query."""


class TopicError(BadInput):
    """Mistakes in a topic file. The message has one line for each: file, line, key, and what was expected."""


class AddressError(BadInput):
    """A URL that does not belong to a Naver article."""

    def __init__(self, url: str, reason: str) -> None:
        super().__init__(f"{url!r} is not the address of a Naver article: {reason}")
        self.url = url
        self.reason = reason


class FrontMatterError(BadInput):
    """A text that is not a document in the archive's format."""

    def __init__(self, reason: str, *, line: int, file: str = "<text>") -> None:
        super().__init__(f"{file}:{line}: {reason}")
        self.reason = reason
        self.line = line
        self.file = file


class QueryError(BadInput):
    """SQL that DuckDB rejects, or a search that cannot be read."""


class MissingKey(BadInput):
    """A source needs an API key: there is none, or Naver rejects it. Never contains the key."""


class ParseError(SeogoError):
    """A page that cannot be stored as an article. `url` is the page's URL."""

    def __init__(self, message: str, *, url: str) -> None:
        super().__init__(message)
        self.url = url


class LayoutChanged(ParseError):
    """A page that lacks what its layout needs. `selector` names what was not found."""

    def __init__(self, selector: str, *, url: str, layout: str, detail: str = "") -> None:
        tail = f": {detail}" if detail else ""
        super().__init__(f"{url}: the layout {layout!r} needs {selector!r}, which is not on the page{tail}", url=url)
        self.selector = selector
        self.layout = layout


class ArticleGone(ParseError):
    """The article was deleted or withdrawn. `notice` is the page's own wording."""

    def __init__(self, notice: str, *, url: str) -> None:
        super().__init__(f"{url}: the article is gone ({notice})", url=url)
        self.notice = notice


class TemporarilyUnavailable(ParseError):
    """Naver's "try again later" page: a fault, to be fetched again, that says nothing about the article."""

    def __init__(self, notice: str, *, url: str) -> None:
        super().__init__(f"{url}: temporarily unavailable ({notice})", url=url)
        self.notice = notice


class ArchiveError(SeogoError):
    """The archive directory cannot be used."""


class ArchiveBusy(ArchiveError):
    """Another process is writing to the archive."""


class LeaseLost(ArchiveBusy):
    """This process was the archive's writer, and another machine has taken over. Nothing more is committed."""


class ArchiveDamaged(ArchiveError):
    """Files, rows and captures of the archive contradict each other."""


class SearchIndexDamaged(ArchiveDamaged):
    """The search index is missing, damaged, of another version or of another archive: it is rebuilt."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path} cannot be used: {reason}. It is derived data: `seogo repair` rebuilds it.")
        self.reason = reason


class ArchiveTooNew(ArchiveError):
    """The archive was created by a newer version of seogo."""


class SegmentRefused(ArchiveError):
    """A fetcher's segment that cannot be taken in: damaged, of another archive, or of a newer version of seogo."""


class StorageFault(ArchiveError):
    """The disk is full or read-only, or the process is not permitted to write there."""


class ObjectMissing(ArchiveDamaged):
    """An object of an object store is not there."""


class ObjectChanged(ArchiveDamaged):
    """An object of an object store is not the one that was written, or not while it was read."""


class ObjectStoreFault(StorageFault):
    """An object store does not do what it is asked. Never contains a key, nor a server's answer."""


class ObjectStoreRefused(ObjectStoreFault):
    """An object store refuses access: no rights, no such bucket, wrong region. Trying again does not help."""


class ObjectStoreUnavailable(ObjectStoreFault):
    """An object store is away, overloaded or too slow: try again later."""


class ObjectExists(ObjectStoreFault):
    """The name under which an object was to be created is taken."""
