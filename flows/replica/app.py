"""The replica as an ASGI application.

    request: log, choose a fault, Site.answer, apply the fault, gzip, send (whole, in chunks, or truncated)

Requests below /__replica__/ control the replica: they are neither logged nor subject to faults.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial

from starlette.applications import Starlette
from starlette.requests import Request as HttpRequest
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from flows.replica.answers import Answer, corrupted, fault_answer, gzipped, retry_after_seconds
from flows.replica.clock import Clock
from flows.replica.corpus.articles import Corpus, MadeArticle
from flows.replica.faults import Fault, Faults, Rule, behaviour_from_json
from flows.replica.hosts import Request, Site
from flows.replica.log import RequestLog
from schemas.errors import BadInput

CONTROL = "/__replica__"
"""Requests below this path change or display the replica itself, whatever their host."""
MAX_TRUTHS = 1_000


class ReplicaApp:
    """The hosts of Naver as one ASGI application."""

    def __init__(self, corpus: Corpus, clock: Clock, faults: Faults, log: RequestLog) -> None:
        self._site = Site(corpus, clock, faults)
        self._faults = faults
        self._log = log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        request = _request(scope)
        target = f"{request.path}?{request.query}" if request.query else request.path
        forbidden = self._faults.behaviour.forbids(request.host, target)
        entry = self._log.arrive(scope["method"], request.host, target, dict(request.headers), forbidden=forbidden)
        rule = self._faults.choose(request.host, target)
        note = partial(self._log.finish, entry, fault=rule.fault if rule else None)
        try:
            answer = self._answer(request, target, rule)
            # Logged before the last bytes are sent, so that a client that has the response finds it in the log.
            ended = partial(note, status=answer.status, pause=retry_after_seconds(answer.headers))
            await _deliver(answer, rule, send, ended)
        finally:
            note(status=None, sent=0, pause=None)

    def _answer(self, request: Request, target: str, rule: Rule | None) -> Answer:
        answer = fault_answer(rule, request.host, target) if rule else None
        if answer is None:
            answer = self._site.answer(request)
            answer = corrupted(answer, rule) if rule else answer
        wanted = "gzip" in request.headers.get("accept-encoding", "") and self._faults.behaviour.gzip
        return gzipped(answer) if wanted and answer.body and "content-encoding" not in answer.headers else answer


def make_app(corpus: Corpus, clock: Clock, faults: Faults, log: RequestLog) -> ASGIApp:
    """The replica with its control requests."""
    control = _Control(corpus, clock, faults, log)
    return Starlette(
        routes=[
            Route(f"{CONTROL}/behaviour", control.behaviour, methods=["POST"]),
            Route(f"{CONTROL}/clock", control.clock, methods=["GET", "POST"]),
            Route(f"{CONTROL}/log", control.log, methods=["GET", "DELETE"]),
            Route(f"{CONTROL}/truth", control.truth, methods=["GET"]),
            Mount("/", ReplicaApp(corpus, clock, faults, log)),
        ]
    )


def truth(article: MadeArticle, now: datetime) -> dict[str, object]:
    """The ground truth of an article at a given time, as JSON values."""
    version = article.at(now)
    return {
        "id": article.key.id if article.key else None,
        "title": version.title,
        "subtitle": version.text.subtitle or None,
        "body": version.body,
        "publisher": article.press.name,
        "authors": [{"name": author.name, "email": author.email} for author in article.authors],
        "categories": list(article.categories),
        "published_at": article.published_at.isoformat(),
        "modified_at": version.modified_at.isoformat() if version.modified_at else None,
        "listed_at": article.listed_at.isoformat(),
        "gone_at": article.gone_at.isoformat() if article.gone_at else None,
        "copy_of": article.copy_of.id if article.copy_of else None,
        "on_topic": article.on_topic,
        "layout": article.layout,
        "kind": article.kind,
        "original_url": article.original_url,
        "images": [{"url": image.url, "caption": image.caption} for image in article.images],
    }


class _Control:
    """The control requests."""

    def __init__(self, corpus: Corpus, clock: Clock, faults: Faults, log: RequestLog) -> None:
        self._corpus = corpus
        self._clock = clock
        self._faults = faults
        self._log = log

    async def behaviour(self, request: HttpRequest) -> Response:
        try:
            self._faults.behaviour = behaviour_from_json(json.loads(await request.body()))
        except (BadInput, ValueError) as error:
            return _refused(error)
        return JSONResponse({"behaviour": "set"})

    async def clock(self, request: HttpRequest) -> Response:
        """`{"now": "2026-10-07T09:00:00+09:00"}` sets the clock, `{"advance": 3600}` advances it by seconds."""
        if request.method == "POST":
            try:
                self._set_clock(json.loads(await request.body()))
            except (ValueError, TypeError) as error:
                return _refused(error)
        return JSONResponse({"now": self._clock.now.isoformat()})

    def _set_clock(self, wanted: object) -> None:
        if isinstance(wanted, dict) and "now" in wanted:
            self._clock.set(datetime.fromisoformat(wanted["now"]))
        elif isinstance(wanted, dict) and "advance" in wanted:
            self._clock.advance(timedelta(seconds=wanted["advance"]))
        else:
            raise ValueError('expected {"now": a time with zone} or {"advance": seconds}')

    async def log(self, request: HttpRequest) -> Response:
        if request.method == "DELETE":
            self._log.clear()
        return JSONResponse([entry.as_json() for entry in self._log.entries])

    async def truth(self, request: HttpRequest) -> Response:
        """One article (`?id={oid}_{aid}`), or up to 1,000 that Naver hosts, starting with number `?from=`."""
        now = self._clock.now
        if "id" in request.query_params:
            article = self._corpus.find(*request.query_params["id"].partition("_")[::2])
            return JSONResponse(truth(article, now)) if article else _refused(ValueError("no such article"), 404)
        first = request.query_params.get("from", "0")
        shown = self._corpus[int(first) : int(first) + MAX_TRUTHS] if first.isdecimal() else []
        return JSONResponse([truth(article, now) for article in shown if article.key])


def _refused(error: Exception, status: int = 400) -> Response:
    return JSONResponse({"error": str(error)}, status)


def _request(scope: Scope) -> Request:
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    host = headers.get("host", "").partition(":")[0].lower()
    return Request(host, scope["path"], scope["query_string"].decode("latin-1"), headers)


async def _deliver(answer: Answer, rule: Rule | None, send: Send, ended: Callable[..., None]) -> None:
    """Send a response as the fault requires. Calls `ended(sent=…)` with the size before the last bytes are sent."""
    body, cut = answer.body, bool(rule and rule.fault is Fault.CUT)
    if rule and rule.fault is Fault.SLOW:
        await asyncio.sleep(rule.seconds)
    await send({"type": "http.response.start", "status": answer.status, "headers": _raw_headers(answer)})
    if rule and rule.fault is Fault.TRICKLE:
        await _trickle(body, rule.seconds, send)
    # A truncated response is half of its Content-Length; the server closes the connection when nothing follows.
    rest = b"" if rule and rule.fault is Fault.TRICKLE else body[: len(body) // 2] if cut else body
    ended(sent=len(body) // 2 if cut else len(body))
    await send({"type": "http.response.body", "body": rest, "more_body": cut})


async def _trickle(body: bytes, seconds: float, send: Send, pieces: int = 20) -> None:
    size = -(-len(body) // pieces) or 1
    for at in range(0, len(body), size):
        await send({"type": "http.response.body", "body": body[at : at + size], "more_body": True})
        await asyncio.sleep(seconds / pieces)


def _raw_headers(answer: Answer) -> list[tuple[bytes, bytes]]:
    about = {"content-type": answer.kind, "content-length": str(len(answer.body))} if answer.status != 304 else {}
    headers = {**about, **answer.headers}
    return [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
