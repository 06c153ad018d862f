"""The pages for people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from flows.serving.content import following, overview, subjects
from flows.serving.content.stories import Publication, story, timeline
from flows.serving.content.table_chart import table_chart
from flows.serving.context import answer, attachment, library, page, reading
from flows.serving.outputs import FORMATS, MOST, Entry, Feed, atom, rows_as_csv
from flows.serving.pages.article import NotFound, known_id
from flows.serving.search_parameters import ON_PAGE, SearchParameters, read_parameters
from schemas.errors import BadInput, QueryError
from storage.reading import examples
from storage.reading.bounded import ROWS, bounded_query
from storage.reading.shared import Row
from storage.search.results import SearchRequest, SearchResult

_LONGEST_SQL = 4_000


def today(request: Request) -> Response:
    """`/`"""
    with reading(request) as snapshot:
        found = overview.today(snapshot)
    return page(request, "today.html", today=found, subject=found.subject)


# -- search


def search(request: Request) -> Response:
    """`/search`, as a page."""
    parameters = read_parameters(request.query_params)
    try:
        found = library(request).browser.page(parameters.as_request())
    except QueryError as mistake:
        return page(
            request, "search.html", status=400, parameters=parameters, found=None, mistake=str(mistake), pages=0
        )
    pages = min(-(-found.found.total // ON_PAGE), 50)
    return page(request, "search.html", parameters=parameters, found=found, mistake="", pages=pages)


def search_file(request: Request) -> Response:
    """`/search.csv`, `.json`, `.parquet`, `.atom`: the same result for programs."""
    return as_file(request, read_parameters(request.query_params), request.path_params["form"])


def feed(request: Request) -> Response:
    """`/feed.atom`: the newest articles of a search."""
    return as_file(request, replace(read_parameters(request.query_params), sort="newest"), "atom")


def as_file(request: Request, one: SearchParameters, form: str) -> Response:
    """The first articles of a search in a format."""
    if form not in FORMATS:
        raise NotFound(f"There is no format {form}: {', '.join(FORMATS)}.")
    write, media = FORMATS[form]
    most = 50 if form == "atom" else MOST
    found = found_of(request, replace(one, page=1).as_request(limit=most))
    body = write(found, str(request.url))
    headers = attachment(f"seogo-search.{form}") if form in ("csv", "parquet") else {}
    return answer(request, body, media, headers=headers)


def story_feed(request: Request) -> Response:
    """`/story/{id}.atom`: the publications of a story, newest first."""
    found, publications = _story(request)
    rows = [one.member.row for one in reversed(publications)]
    address = str(request.url)
    about = Feed(address, address.replace(".atom", "", 1), found["title"] or found["story"])
    entries = [Entry(row["id"], row["title"], row["publisher"], row["published_at"]) for row in rows]
    return answer(request, atom(about, entries), FORMATS["atom"][1])


def found_of(request: Request, search: SearchRequest) -> SearchResult:
    """What a search finds."""
    return library(request).browser.page(search).found


# -- subjects


def team(request: Request) -> Response:
    """`/team/{name}`"""
    name = request.path_params["name"]
    with reading(request) as snapshot:
        found = subjects.team(snapshot, name)
    if found is None:
        raise NotFound(f"No article names a team {name}.")
    return page(request, "team.html", name=name, subject=found)


def publisher(request: Request) -> Response:
    """`/publisher/{oid}`"""
    with reading(request) as snapshot:
        found = subjects.publisher(snapshot, request.path_params["oid"])
    if found is None:
        raise NotFound("The archive has no article of this publisher.")
    return page(request, "publisher.html", name=found[0], oid=request.path_params["oid"], subject=found[1])


def reporter(request: Request) -> Response:
    """`/reporter/{oid}/{name}`"""
    oid, name = request.path_params["oid"], request.path_params["name"]
    with reading(request) as snapshot:
        publisher_name = subjects.publisher_name(snapshot, oid)
        found = subjects.reporter(snapshot, oid, name) if publisher_name else None
    if found is None:
        raise NotFound(f"No article of this publisher names {name} in its byline.")
    return page(request, "reporter.html", name=name, oid=oid, publisher=publisher_name, subject=found)


def publishers(request: Request) -> Response:
    """`/publishers`: all publishers, and who follows whom."""
    with reading(request) as snapshot:
        pairs = following.following(snapshot)
        shown: dict[str, Any] = {
            "publishers": subjects.all_publishers(snapshot),
            "first": following.stories_had_first(snapshot),
            "pairs": pairs[: following.MOST],
            "matrix": following.matrix(pairs),
        }
    return page(request, "publishers.html", **shown)


def story_page(request: Request) -> Response:
    """`/story/{id}`"""
    found, publications = _story(request)
    return page(request, "story.html", story=found, publications=publications)


def _story(request: Request) -> tuple[Row, list[Publication]]:
    with reading(request) as snapshot:
        found = story(snapshot, known_id(request))
        if found is None:
            raise NotFound("There is no such story.")
        texts = library(request).texts(snapshot, [row["id"] for row in found[1]])
        publications = timeline(snapshot, found[0]["story"], found[1], texts)
    return found[0], publications


# -- status, SQL


def status(request: Request) -> Response:
    """`/status`"""
    one = library(request)
    with reading(request) as snapshot:
        found = overview.state(snapshot, one.root)
    return page(request, "status.html", state=found, behind=one.browser.behind())


def sql(request: Request) -> Response:
    """`/sql`: an example by name, or, if the server allows it, a query of the reader's own."""
    name, own = request.query_params.get("example", ""), request.query_params.get("q", "")
    text = _query(request, name, own)
    shown: dict[str, Any] = {
        "examples": examples.examples(),
        "name": name,
        "text": text,
        "allowed": library(request).sql,
    }
    try:
        result = _result(request, name, text) if text else None
    except QueryError as mistake:
        return page(request, "sql.html", status=400, result=None, chart=None, mistake=str(mistake), **shown)
    if result and request.query_params.get("format") == "csv":
        return answer(request, rows_as_csv(*result[:2]), "text/csv; charset=utf-8", headers=attachment("seogo-sql.csv"))
    chart = table_chart(*result[:2]) if result else None
    return page(request, "sql.html", result=result, chart=chart, mistake="", **shown)


def _query(request: Request, name: str, own: str) -> str:
    if name:
        return examples.example(name).sql
    if own and not library(request).sql:
        raise BadInput("Free SQL is off. Start the server on loopback with --sql.")
    if len(own) > _LONGEST_SQL:
        raise BadInput(f"The query is longer than {_LONGEST_SQL:,} characters.")
    return own


Result = tuple[Sequence[str], Sequence[Sequence[Any]], bool]


def _result(request: Request, name: str, text: str) -> Result:
    if not name:
        return bounded_query(library(request).root, text)
    with reading(request) as snapshot:
        return snapshot.kept(f"example {name}", lambda: snapshot.table(text, ROWS))
