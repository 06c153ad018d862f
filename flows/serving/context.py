"""What a request is answered with: the archive, the language of the reader, links, and the templates."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus, urlencode

from jinja2 import Environment
from markupsafe import Markup, escape
from starlette.requests import Request
from starlette.responses import Response

from flows.reports.language import Language, words
from flows.reports.templates import templates
from flows.reports.text import duration, moment, share, size
from flows.serving.language import LANGUAGES, choose
from storage.reading.shared import SharedSnapshot, Snapshot
from storage.search.facets import Browser
from storage.search.snippets import Snippet

_AROUND = 120
"""Characters of the unchanged text that a diff shows before and after a change."""


@dataclass(frozen=True, slots=True)
class Library:
    """The archive that a server reads. `sql`: free SQL is allowed; `is_public`: strangers may ask."""

    root: Path
    shared: SharedSnapshot
    browser: Browser
    title: str
    sql: bool = False
    is_public: bool = False

    @classmethod
    def of(cls, root: Path, *, title: str, sql: bool = False, is_public: bool = False) -> Library:
        return cls(root, SharedSnapshot(root), Browser(root), title, sql, is_public)

    def texts(self, snapshot: Snapshot, ids: Sequence[str]) -> dict[str, str]:
        """The texts of articles, or their descriptions where they have none. Raises ArchiveDamaged.

        They are read from the search index if it is that of the snapshot, which takes a hundredth of the time: DuckDB
        unpacks the block around each.
        """
        found = self.browser.texts(ids, snapshot.stamp)
        missing = [one for one in ids if one not in found]
        rows = snapshot.rows(_TEXTS.format(", ".join("?" * len(missing))), missing) if missing else []
        return found | {row["id"]: row["text"] for row in rows}

    def close(self) -> None:
        """Close what nobody reads."""
        self.shared.close()
        self.browser.close()


_TEXTS = "SELECT id, coalesce(body, description, '') AS text FROM articles WHERE id IN ({})"


def library(request: Request) -> Library:
    """The library of the application that answers."""
    found: Library = request.app.state.library
    return found


@contextmanager
def reading(request: Request) -> Iterator[Snapshot]:
    """The newest snapshot, the same within the block. Raises BadInput, ArchiveDamaged."""
    with library(request).shared.reading() as snapshot:
        yield snapshot


class View:
    """A reader's language, and the links of the page in it. `asked`: the language that the address names, if any."""

    is_static = False
    """Whether the page is a file, which has no other pages to link to."""

    def __init__(self, language: Language, title: str, *, asked: str | None = None) -> None:
        self.language = language
        self.words = words(language)
        self.title = title
        self._asked = asked

    def duration(self, minutes: float) -> str:
        """Minutes as people say them."""
        return duration(round(minutes), self.language)

    def later(self, minutes: int) -> str:
        """How long after something else."""
        return f"{self.duration(minutes)} {self.words.t('later')}"

    def link(self, path: str, **query: object) -> str:
        """An address of this site; the language goes along if the reader chose it."""
        given = {name.rstrip("_"): str(value) for name, value in query.items() if value not in (None, "", False)}
        if self._asked in LANGUAGES:
            given["lang"] = self.language
        named = "&".join(f"{name}={_value(value)}" for name, value in given.items())
        return _path(path) + (f"?{named}" if given else "")

    def to(self, path: str, *, fragment: str = "", **query: object) -> Markup:
        """The attribute `href` of a link; nothing, if there is no such page."""
        return Markup(' href="%s%s"') % (self.link(path, **query), fragment and f"#{fragment}")


# A page has hundreds of links, most of which share their values.


@lru_cache(1_024)
def _path(path: str) -> str:
    return quote(path, safe="/:@,;=~.-_")


@lru_cache(1_024)
def _value(value: str) -> str:
    return quote_plus(value)


class RequestView(View):
    """The view of a page that answers a request."""

    def __init__(self, request: Request) -> None:
        asked = request.query_params.get("lang")
        language = choose(asked, request.headers.get("accept-language", ""))
        super().__init__(language, library(request).title, asked=asked)
        self._path = request.url.path
        self._query = [(name, value) for name, value in request.query_params.multi_items() if name != "lang"]

    def in_language(self, language: str) -> str:
        """This page in another language."""
        return f"{_path(self._path)}?{urlencode([*self._query, ('lang', language)])}"


@cache
def environment() -> Environment:
    """The templates, which escape every value."""
    made = templates("flows.serving")
    made.filters |= {"moment": moment, "size": size, "share": share, "marked": marked, "grouped": grouped}
    made.filters |= {"paragraphs": paragraphs, "web": web_address, "around": around}
    return made


def page(request: Request, template: str, *, status: int = 200, **values: Any) -> Response:
    """A page by its template."""
    view = RequestView(request)
    text = render(view, template, library=library(request), **values)
    headers = {"Content-Language": view.language, "Vary": "Accept-Language"}
    return answer(request, text.encode(), "text/html; charset=utf-8", status=status, headers=headers)


def render(view: View, template: str, **values: Any) -> str:
    """The text of a page."""
    return environment().get_template(template).render(view=view, t=view.words.t, n=view.words.n, **values)


def answer(
    request: Request,
    body: bytes,
    media: str,
    *,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """A body with its ETag; 304 where the client has it already."""
    tag = f'"{hashlib.blake2b(body, digest_size=12).hexdigest()}"'
    kept = {"ETag": tag, "Cache-Control": "no-cache", **(headers or {})}
    return unchanged(request, Response(body, status, kept, media))


def unchanged(request: Request, answered: Response) -> Response:
    """A response; 304 without its body where the client has it already."""
    asked, tag = request.headers.get("if-none-match", ""), answered.headers.get("etag")
    if answered.status_code != 200 or tag not in [one.strip().removeprefix("W/") for one in asked.split(",")]:
        return answered
    kept = {name: value for name, value in answered.headers.items() if name not in ("content-length", "content-type")}
    return Response(status_code=304, headers=kept)


def attachment(name: str) -> dict[str, str]:
    """The header that makes a download of a response. Names are plain ASCII."""
    return {"Content-Disposition": f'attachment; filename="{re.sub("[^A-Za-z0-9._-]", "_", name)}"'}


# -- filters of the templates


def marked(snippet: Snippet) -> Markup:
    """A piece of a text, escaped, with what was searched for in <mark>."""
    parts, at = [], 0
    for begin, end in snippet.marks:
        parts.append(f"{escape(snippet.text[at:begin])}<mark>{escape(snippet.text[begin:end])}</mark>")
        at = end
    return Markup("".join(parts) + f"{escape(snippet.text[at:])}")  # noqa: S704 - each part was escaped


def grouped(value: int | float | None) -> str:
    """A number with its thousands grouped; empty for None."""
    return "" if value is None else f"{value:,}"


def paragraphs(text: str | None) -> Sequence[str]:
    """The paragraphs of a text."""
    return [part for part in re.split(r"\n\s*\n", text or "") if part.strip()]


def around(text: str, after: bool, before: bool) -> str:
    """The parts of an unchanged text that stand next to a change: `after` one, and `before` the next one."""
    if len(text) <= (after + before + 1) * _AROUND:
        return text
    return f"{text[:_AROUND] if after else ''} … {text[-_AROUND:] if before else ''}"


def web_address(url: str | None) -> str | None:
    """An address of the web; None for any other, such as javascript:."""
    return url if url and re.match(r"https?://[^\s]+\Z", url) else None
