"""What a request is answered with: the archive, the language of the reader, links, and the templates."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from jinja2 import Environment
from markupsafe import Markup, escape
from starlette.requests import Request
from starlette.responses import Response

from flows.reports.templates import templates
from flows.reports.text import duration, moment, share, size
from flows.serving.language import LANGUAGES, choose, translate
from storage.reading.shared import SharedSnapshot, Snapshot
from storage.search.facets import Browser
from storage.search.snippets import Snippet


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


def library(request: Request) -> Library:
    """The library of the application that answers."""
    found: Library = request.app.state.library
    return found


@contextmanager
def reading(request: Request) -> Iterator[Snapshot]:
    """The newest snapshot, the same within the block. Raises BadInput, ArchiveDamaged."""
    with library(request).shared.reading() as snapshot:
        yield snapshot


_ONE = {"articles": "article", "publishers": "publisher", "rows": "row"}


class View:
    """A reader's language, and the links of the page in it."""

    def __init__(self, request: Request) -> None:
        self._asked = request.query_params.get("lang")
        self._path = request.url.path
        self._query = [(name, value) for name, value in request.query_params.multi_items() if name != "lang"]
        self.language = choose(self._asked, request.headers.get("accept-language", ""))
        self.title = library(request).title
        self.base = str(request.base_url).rstrip("/")

    def t(self, text: str) -> str:
        """The words in the reader's language."""
        return translate(self.language, text)

    def count(self, number: int, of: str) -> str:
        """A number with what it counts, such as `articles`."""
        if self.language == "ko":
            return f"{number:,}{self.t(of)}"
        return f"{number:,} {_ONE.get(of, of) if number == 1 else of}"

    def later(self, minutes: int) -> str:
        """How much later something was."""
        if self.language == "ko":
            return f"{duration(minutes, korean=True)} 뒤"
        return f"{duration(minutes)} later"

    def link(self, path: str, **query: object) -> str:
        """An address of this site; the language goes along if the reader chose it."""
        given = {name.rstrip("_"): str(value) for name, value in query.items() if value not in (None, "", False)}
        if self._asked in LANGUAGES:
            given["lang"] = self.language
        return quote(path, safe="/:@,;=~.-_") + (f"?{urlencode(given)}" if given else "")

    def in_language(self, language: str) -> str:
        """This page in another language."""
        return f"{quote(self._path, safe='/:@,;=~.-_')}?{urlencode([*self._query, ('lang', language)])}"


@cache
def environment() -> Environment:
    """The templates, which escape every value."""
    made = templates("flows.serving")
    made.filters |= {"moment": moment, "size": size, "share": share, "marked": marked, "grouped": grouped}
    made.filters |= {"paragraphs": paragraphs, "web": web_address}
    return made


def page(request: Request, template: str, *, status: int = 200, **values: Any) -> Response:
    """A page by its template."""
    view = View(request)
    text = environment().get_template(template).render(view=view, t=view.t, library=library(request), **values)
    headers = {"Content-Language": view.language, "Vary": "Accept-Language"}
    return answer(request, text.encode(), "text/html; charset=utf-8", status=status, headers=headers)


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
    asked = request.headers.get("if-none-match", "")
    if status == 200 and tag in [one.strip().removeprefix("W/") for one in asked.split(",")]:
        return Response(status_code=304, headers=kept)
    return Response(body, status, kept, media)


def attachment(name: str) -> dict[str, str]:
    """The header that makes a download of a response. Names are plain ASCII."""
    return {"Content-Disposition": f'attachment; filename="{re.sub("[^A-Za-z0-9._-]", "_", name)}"'}


# -- filters of the templates


def marked(snippet: Snippet) -> Markup:
    """A piece of a text, escaped, with what was searched for in <mark>."""
    parts, at = [], 0
    for begin, end in snippet.marks:
        parts += [escape(snippet.text[at:begin]), Markup("<mark>%s</mark>") % snippet.text[begin:end]]
        at = end
    return Markup("").join([*parts, escape(snippet.text[at:])])


def grouped(value: int | float | None) -> str:
    """A number with its thousands grouped; empty for None."""
    return "" if value is None else f"{value:,}"


def paragraphs(text: str | None) -> Sequence[str]:
    """The paragraphs of a text."""
    return [part for part in re.split(r"\n\s*\n", text or "") if part.strip()]


def web_address(url: str | None) -> str | None:
    """An address of the web; None for any other, such as javascript:."""
    return url if url and re.match(r"https?://[^\s]+\Z", url) else None
