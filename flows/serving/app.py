"""The application: routes, and errors as pages or as problem+json."""

from __future__ import annotations

import mimetypes
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import partial
from importlib import resources
from urllib.parse import quote

from anyio import to_thread
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from flows.serving.context import Library, answer, library, page
from flows.serving.guard import ASSISTANT, Guard
from flows.serving.metrics import MEDIA, Metrics
from flows.serving.pages import article, views
from flows.serving.pages.article import Moved, NotFound
from flows.serving.programs import api
from flows.serving.programs.protocol import Protocol
from flows.serving.response_cache import ResponseCache, cached
from schemas.errors import ArchiveBusy, ArchiveError, BadInput, SearchIndexDamaged, SeogoError

_THREADS = 4
"""Pages that are made at the same time. Python runs one thread at a time, so more of them take longer, and more memory:
at 100,000 articles 12 to 40 MB for another four.
"""
_ASSETS = ("style.css", "icon.svg")


def make_app(found: Library, *, names: Mapping[str, str]) -> ASGIApp:
    """The application for an archive.

    `names`: host names besides localhost and IP addresses that it answers to, each with the scheme of its addresses.
    """
    metrics = Metrics(found)
    protocol = Protocol(found)
    measured = Route("/metrics", lambda request: Response(metrics.text(), 200, None, MEDIA))
    app = Starlette(
        routes=[*_PAGES, *_API, *_OTHERS, measured, Route(ASSISTANT, protocol)],
        lifespan=partial(_running, protocol),
        exception_handlers={SeogoError: _refusal, HTTPException: _http_error, Exception: _fault},
    )
    app.state.library = found
    app.state.waiters = 0
    app.state.response_cache = ResponseCache()
    return Guard(app, names, metrics.observe)  # around everything, so that no answer is without its headers


@asynccontextmanager
async def _running(protocol: Protocol, app: Starlette) -> AsyncIterator[None]:
    to_thread.current_default_thread_limiter().total_tokens = _THREADS
    async with protocol.running(app):
        yield


def asset(request: Request) -> Response:
    """A file of the style."""
    name = request.path_params["name"]
    if name not in _ASSETS:
        raise NotFound("There is no such file.")
    data = resources.files("flows.serving").joinpath("assets", name).read_bytes()
    media = mimetypes.guess_type(name)[0] or "application/octet-stream"
    return answer(request, data, media, headers={"Cache-Control": "max-age=3600"})


def robots(request: Request) -> Response:
    """Nothing is to be indexed: the texts belong to their publishers."""
    return answer(request, b"User-agent: *\nDisallow: /\n", "text/plain; charset=utf-8")


def alive(request: Request) -> Response:
    """`/healthz`: the process answers."""
    return answer(request, b"ok\n", "text/plain; charset=utf-8")


def ready(request: Request) -> Response:
    """`/readyz`: the archive can be read."""
    with library(request).shared.reading():
        return answer(request, b"ready\n", "text/plain; charset=utf-8")


_PAGES = [
    Route("/", cached(views.today)),
    Route("/search", cached(views.search)),
    Route("/search.{form}", views.search_file),
    Route("/feed.atom", cached(views.feed)),
    Route("/article/{id}.json", article.as_json),
    Route("/article/{id}.md", article.as_markdown),
    Route("/article/{id}", cached(article.article)),
    Route("/article/{id}/capture", article.capture),
    Route("/article/{id}/capture/page", article.captured_page),
    Route("/story/{id}.atom", cached(views.story_feed)),
    Route("/story/{id}", cached(views.story_page)),
    Route("/team/{name}", cached(views.team)),
    Route("/publisher/{oid}", cached(views.publisher)),
    Route("/publishers", cached(views.publishers)),
    Route("/reporter/{oid}/{name}", cached(views.reporter)),
    Route("/status", views.status),
    Route("/sql", views.sql),
]
_API = [
    Route("/api/v1", api.documentation),
    Route("/api/v1/openapi.json", api.openapi),
    Route("/api/v1/articles", api.articles),
    Route("/api/v1/articles/{id}", cached(api.article)),
    Route("/api/v1/stories/{id}", cached(api.story_of_id)),
    Route("/api/v1/search", cached(api.search)),
    Route("/api/v1/changes", api.changes),
    Route("/api/v1/teams", api.teams),
    Route("/api/v1/publishers", api.publishers),
    Route("/api/v1/runs", api.runs),
    Route("/api/v1/health", api.health),
]
_OTHERS = [
    Route("/assets/{name}", asset),
    Route("/robots.txt", robots),
    Route("/healthz", alive),
    Route("/readyz", ready),
]


# -- errors

_TITLES = {
    400: "The request cannot be answered",
    404: "The page does not exist",
    503: "The archive cannot be read",
}


def _refusal(request: Request, error: Exception) -> Response:
    if isinstance(error, Moved) and not _is_for_programs(request):
        return RedirectResponse(f"/article/{quote(error.article_id)}", 302)
    if isinstance(error, SearchIndexDamaged):
        return _error(request, 503, "The search index is being built. Try again in a moment.")
    for kind, status in _STATUSES:
        if isinstance(error, kind):
            return _error(request, status, str(error))
    return _error(request, 503, str(error))


_STATUSES: tuple[tuple[type[SeogoError], int], ...] = (
    (NotFound, 404),
    (ArchiveBusy, 503),
    (ArchiveError, 503),
    (BadInput, 400),
)


def _http_error(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    return _error(request, status, "The address is wrong, or the article is not in the archive.")


def _fault(request: Request, error: Exception) -> Response:
    # Starlette raises the exception again behind the answer, so that it reaches the log.
    return _error(request, 500, "This is a fault of seogo. The log of the server has the details.")


def _error(request: Request, status: int, detail: str) -> Response:
    title = _TITLES.get(status, _TITLES[400])
    if _is_for_programs(request):
        return api.problem(status, title, detail)
    answered = page(request, "error.html", status=status, code=status, title=title, detail=detail)
    answered.headers["Cache-Control"] = "no-store"
    return answered


def _is_for_programs(request: Request) -> bool:
    return request.url.path.startswith("/api/")
