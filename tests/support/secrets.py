"""For the tests of SECURITY.md: a Search API that echoes keys, and a search through all bytes that seogo writes."""

from __future__ import annotations

import base64
import gzip
import http.client
import json
import re
import threading
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import quote

import duckdb

from flows.replica.server import Replica
from tests.support.replica import APIHUB_KEY, OPENAPI_KEY

KEYS = {
    "NAVER_CLIENT_ID": "CANARYid01openapi",
    "NAVER_CLIENT_SECRET": "CANARYsecret02openapi",
    "NAVER_APIHUB_KEY_ID": "CANARYid03apihub",
    "NAVER_APIHUB_KEY": "CANARYsecret04apihub",
}
"""The keys that a test puts in the environment."""

_REPLICA_KEYS = {name.lower(): value for name, value in (OPENAPI_KEY | APIHUB_KEY).items()}


# -- a Search API that echoes keys


@dataclass(frozen=True)
class ApiResponse:
    """A response of the Search API."""

    status: int
    reason: str
    headers: dict[str, str]
    body: bytes


Echo = Callable[[ApiResponse, str, str], ApiResponse]
"""(response of the replica, both parts of the key as one text, request target) -> response that is sent instead."""


def _in_title(answer: ApiResponse, key: str, target: str) -> ApiResponse:
    found = json.loads(answer.body)
    for item in found.get("items", []):
        item["title"], item["description"] = f"{item['title']} {key}", key
    return ApiResponse(answer.status, answer.reason, answer.headers, json.dumps(found).encode())


def _packed(answer: ApiResponse, key: str, target: str) -> ApiResponse:
    response = _in_title(answer, key, target)
    return ApiResponse(
        response.status, response.reason, response.headers | {"Content-Encoding": "gzip"}, gzip.compress(response.body)
    )


def _redirect(location: str) -> Echo:
    def echo(answer: ApiResponse, key: str, target: str) -> ApiResponse:
        if "moved=" in target:
            return answer
        return ApiResponse(302, "Found", {"Location": location.format(key=key.replace(" ", "."), target=target)}, b"")

    return echo


ECHOES: dict[str, Echo] = {
    "nothing": lambda answer, key, target: answer,
    "a title": _in_title,
    "a title, packed": _packed,
    "a header": lambda answer, key, target: ApiResponse(200, "OK", answer.headers | {"X-Echo": key}, answer.body),
    "a reason": lambda answer, key, target: ApiResponse(503, key, {}, key.encode()),
    "an error": lambda answer, key, target: ApiResponse(
        400, "Bad", {}, json.dumps({"errorCode": "SE01", "errorMessage": f"no {key}"}).encode()
    ),
    "a redirect": _redirect("{target}&moved={key}"),
    "a redirect off": _redirect("https://{key}.evil.example/"),
    "a broken answer": lambda answer, key, target: ApiResponse(200, "OK", {"Content-Encoding": key}, b"x"),
}


@contextmanager
def echoing_api(naver: Replica, name: str, *, good: bool = True) -> Iterator[tuple[str, list[str]]]:
    """A proxy of the replica whose Search API echoes keys. Yields its URL and the list of keys received so far.

    It accepts the keys if they are `good`.
    """
    received: list[str] = []

    class Handler(_EchoingApi):
        echo = staticmethod(ECHOES[name])
        keys_received = received
        upstream = naver.url.removeprefix("http://")
        accepts = good

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", received
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _EchoingApi(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    echo: Echo
    keys_received: list[str]
    upstream: str
    accepts: bool

    def do_GET(self) -> None:
        given = {name.lower(): value for name, value in self.headers.items()}
        key = " ".join(given[name] for name in _REPLICA_KEYS if name in given)
        self.keys_received += key.split()
        if key and self.accepts:
            given |= {name: value for name, value in _REPLICA_KEYS.items() if name in given}
        answer = self._forwarded(given | {"accept-encoding": "identity"})
        self._send(self.echo(answer, key, self.path) if key else answer)

    def _forwarded(self, headers: Mapping[str, str]) -> ApiResponse:
        connection = http.client.HTTPConnection(self.upstream, timeout=10)
        try:
            connection.request("GET", self.path, headers=dict(headers))
            answer = connection.getresponse()
            kept = {name: answer.headers[name] for name in ("Content-Type", "Location") if name in answer.headers}
            return ApiResponse(answer.status, answer.reason, kept, answer.read())
        finally:
            connection.close()

    def _send(self, answer: ApiResponse) -> None:
        self.send_response(answer.status, answer.reason)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name of the base class
        """Do not log."""


# -- a search through all files


def leaks(texts: Mapping[str, bytes]) -> list[str]:
    """The names of texts that contain a key, in any case, percent-encoded or in base64."""
    needles = [form.lower() for key in KEYS.values() for form in (key.encode(), quote(key).encode(), _base64(key))]
    return sorted(name for name, data in texts.items() if any(needle in data.lower() for needle in needles))


def _base64(key: str) -> bytes:
    return base64.b64encode(key.encode())[:-4]  # without the part that depends on the following text


def all_bytes(archive: Path) -> dict[str, bytes]:
    """All files of an archive by name, also decompressed: gzip members, responses in them, rows of databases."""
    texts: dict[str, bytes] = {}
    for path in sorted(path for path in archive.rglob("*") if path.is_file()):
        name = path.relative_to(archive).as_posix()
        texts[name] = name.encode() + path.read_bytes()
        if name.endswith(".gz"):
            texts[f"{name}, unpacked"] = _unpacked(path.read_bytes())
        if name.endswith(".duckdb"):
            texts[f"{name}, its rows"] = _rows(path)
    return texts


def _unpacked(data: bytes) -> bytes:
    """All gzip members, and all gzip streams within them."""
    whole = gzip.decompress(data)
    return whole + b"".join(_inner(whole, found.start()) for found in re.finditer(rb"\x1f\x8b\x08", whole))


def _inner(data: bytes, at: int) -> bytes:
    try:
        return zlib.decompressobj(wbits=31).decompress(data[at:])
    except zlib.error:
        return b""  # three bytes that only look like the start of a stream


def _rows(path: Path) -> bytes:
    """All rows of all tables, because the file is compressed."""
    with duckdb.connect(str(path), read_only=True) as connection:
        tables = connection.execute("SELECT table_name FROM duckdb_tables() WHERE NOT internal").fetchall()
        rows = [connection.execute(f'SELECT t::VARCHAR FROM "{name}" t').fetchall() for (name,) in tables]
    return repr(rows).encode()


# -- control characters

HOSTILE = "제목\x1b]0;pwned\x07\x1b[31m[red]빨강[/red]\r덮어쓰기\x08\u202e뒤집기\u2066\x9b2J\x00\u2028끝\x7f"
"""A title with every kind of terminal control."""

_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
_OWN_STYLE = re.compile(r"\x1b\[[0-9;]*m")


def control_characters(text: str, *, styled: bool = False) -> list[str]:
    """The characters that control a terminal; with `styled`, seogo's own colours are allowed."""
    return _CONTROLS.findall(_OWN_STYLE.sub("", text) if styled else text)
