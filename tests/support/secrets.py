"""For the tests of SECURITY.md: a Search API that sends keys back, a search through every byte that seogo leaves."""

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
"""What a test plants in the environment."""

_REPLICA_KEYS = {name.lower(): value for name, value in (OPENAPI_KEY | APIHUB_KEY).items()}


# -- a Search API that says what it was told


@dataclass(frozen=True)
class Told:
    """An answer of the Search API; `told` are the keys that came with the request."""

    status: int
    reason: str
    headers: dict[str, str]
    body: bytes


Trick = Callable[[Told, str, str], Told]
"""The replica's answer, both parts of the key in one text, and the target asked -> what is answered instead."""


def _in_title(answer: Told, key: str, target: str) -> Told:
    found = json.loads(answer.body)
    for item in found.get("items", []):
        item["title"], item["description"] = f"{item['title']} {key}", key
    return Told(answer.status, answer.reason, answer.headers, json.dumps(found).encode())


def _packed(answer: Told, key: str, target: str) -> Told:
    told = _in_title(answer, key, target)
    return Told(told.status, told.reason, told.headers | {"Content-Encoding": "gzip"}, gzip.compress(told.body))


def _redirect(location: str) -> Trick:
    def trick(answer: Told, key: str, target: str) -> Told:
        if "moved=" in target:
            return answer
        return Told(302, "Found", {"Location": location.format(key=key.replace(" ", "."), target=target)}, b"")

    return trick


TRICKS: dict[str, Trick] = {
    "nothing": lambda answer, key, target: answer,
    "a title": _in_title,
    "a title, packed": _packed,
    "a header": lambda answer, key, target: Told(200, "OK", answer.headers | {"X-Echo": key}, answer.body),
    "a reason": lambda answer, key, target: Told(503, key, {}, key.encode()),
    "an error": lambda answer, key, target: Told(
        400, "Bad", {}, json.dumps({"errorCode": "SE01", "errorMessage": f"no {key}"}).encode()
    ),
    "a redirect": _redirect("{target}&moved={key}"),
    "a redirect off": _redirect("https://{key}.evil.example/"),
    "a broken answer": lambda answer, key, target: Told(200, "OK", {"Content-Encoding": key}, b"x"),
}


@contextmanager
def telltale(naver: Replica, trick: str, *, good: bool = True) -> Iterator[tuple[str, list[str]]]:
    """The address of the replica behind a Search API that plays a trick, and the keys that it was told so far.

    It takes the canaries, if they are `good`."""
    heard: list[str] = []

    class Handler(_Telltale):
        play = staticmethod(TRICKS[trick])
        keys_told = heard
        behind = naver.url.removeprefix("http://")
        takes = good

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", heard
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Telltale(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    play: Trick
    keys_told: list[str]
    behind: str
    takes: bool

    def do_GET(self) -> None:
        given = {name.lower(): value for name, value in self.headers.items()}
        told = " ".join(given[name] for name in _REPLICA_KEYS if name in given)
        self.keys_told += told.split()
        if told and self.takes:
            given |= {name: value for name, value in _REPLICA_KEYS.items() if name in given}
        answer = self._asked(given | {"accept-encoding": "identity"})
        self._send(self.play(answer, told, self.path) if told else answer)

    def _asked(self, headers: Mapping[str, str]) -> Told:
        connection = http.client.HTTPConnection(self.behind, timeout=10)
        try:
            connection.request("GET", self.path, headers=dict(headers))
            answer = connection.getresponse()
            kept = {name: answer.headers[name] for name in ("Content-Type", "Location") if name in answer.headers}
            return Told(answer.status, answer.reason, kept, answer.read())
        finally:
            connection.close()

    def _send(self, answer: Told) -> None:
        self.send_response(answer.status, answer.reason)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name of the base class
        """Say nothing."""


# -- a search through everything


def betrayed(texts: Mapping[str, bytes]) -> list[str]:
    """Where a key stands, in any case, percent-encoded or in base64."""
    needles = [form.lower() for key in KEYS.values() for form in (key.encode(), quote(key).encode(), _base64(key))]
    return sorted(name for name, data in texts.items() if any(needle in data.lower() for needle in needles))


def _base64(key: str) -> bytes:
    return base64.b64encode(key.encode())[:-4]  # without what depends on the text behind


def every_byte(archive: Path) -> dict[str, bytes]:
    """Every file of an archive by name, and what is packed in it: gzip members, answers in them, rows of databases."""
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
    """Every gzip member, and every gzip stream inside of one."""
    whole = gzip.decompress(data)
    return whole + b"".join(_inner(whole, found.start()) for found in re.finditer(rb"\x1f\x8b\x08", whole))


def _inner(data: bytes, at: int) -> bytes:
    try:
        return zlib.decompressobj(wbits=31).decompress(data[at:])
    except zlib.error:
        return b""  # three bytes that only look like the start of a stream


def _rows(path: Path) -> bytes:
    """Every row of every table: in the file, texts are packed."""
    with duckdb.connect(str(path), read_only=True) as connection:
        tables = connection.execute("SELECT table_name FROM duckdb_tables() WHERE NOT internal").fetchall()
        rows = [connection.execute(f'SELECT t::VARCHAR FROM "{name}" t').fetchall() for (name,) in tables]
    return repr(rows).encode()


# -- escape sequences and the like

HOSTILE = "제목\x1b]0;pwned\x07\x1b[31m[red]빨강[/red]\r덮어쓰기\x08\u202e뒤집기\u2066\x9b2J\x00\u2028끝\x7f"
"""A title that steers a terminal in every way it can."""

_STEERS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
_OWN_STYLE = re.compile(r"\x1b\[[0-9;]*m")


def steering(text: str, *, styled: bool = False) -> list[str]:
    """The characters of a text that steer a terminal; with `styled`, our own colours are none of them."""
    return _STEERS.findall(_OWN_STYLE.sub("", text) if styled else text)
