"""A small server on loopback that speaks the part of S3 that seogo uses, and misbehaves on request."""

from __future__ import annotations

import hashlib
import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape, unescape

BUCKET = "seogo-test"
KEY, SECRET = "AKIAMADEUP", "wholly-made-up-secret"

Fault = Callable[["_Handler"], bool]
"""Answers a request in place of the server, and returns True; or returns False, and the server answers."""


@dataclass
class S3Server:
    """`objects`: by key, with the bucket. `faults`: by the method, asked before the server answers.

    `seen`: method and key of each request; `headers`: the header lines of all requests.
    """

    port: int = 0
    objects: dict[str, bytes] = field(default_factory=dict)
    faults: dict[str, Fault] = field(default_factory=dict)
    seen: list[tuple[str, str]] = field(default_factory=list)
    headers: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def environment(self) -> Mapping[str, str]:
        """The environment variables of a client."""
        return {
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{self.port}",
            "AWS_ALLOW_HTTP": "true",
            "AWS_ACCESS_KEY_ID": KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_REGION": "us-east-1",
        }

    def names(self) -> list[str]:
        """The names of the objects in the bucket."""
        return sorted(name.removeprefix(f"{BUCKET}/") for name in self.objects)


def refuse(status: int, code: str, headers: Mapping[str, str] | None = None) -> Fault:
    """An error as S3 words it, with things in it that belong into no log."""

    def fault(handler: _Handler) -> bool:
        body = f"<Error><Code>{code}</Code><AWSAccessKeyId>{KEY}</AWSAccessKeyId><Token>{SECRET}</Token></Error>"
        handler.answer(status, body.encode(), headers or {})
        return True

    return fault


def once(fault: Fault) -> Fault:
    """A fault that happens once."""
    left = [fault]
    return lambda handler: bool(left) and left.pop()(handler)


def hang_up(handler: _Handler) -> bool:
    """Close the connection in the middle of the request."""
    handler.close_connection = True
    handler.connection.close()
    return True


def wait(seconds: float) -> Fault:
    """Answer late."""

    def fault(_: _Handler) -> bool:
        time.sleep(seconds)
        return False

    return fault


def keep_half(handler: _Handler) -> bool:
    """Say that an object was stored, and store the first half of it."""
    handler.server_state.objects[handler.key] = handler.body[: len(handler.body) // 2]
    handler.answer(200, b"", {"ETag": '"half"'})
    return True


def send_half(handler: _Handler) -> bool:
    """Announce an object and end in the middle of it."""
    data = handler.server_state.objects[handler.key]
    handler.send_response(206)
    handler.send_header("Content-Range", f"bytes 0-{len(data) - 1}/{len(data)}")
    handler.send_header("Content-Length", str(len(data)))
    handler.send_header("ETag", '"half"')
    handler.send_header("Last-Modified", _DATE)
    handler.end_headers()
    handler.wfile.write(data[: len(data) // 2])
    return hang_up(handler)


def send_other_range(handler: _Handler) -> bool:
    """Answer with another part of the object than the one that was asked for."""
    data = handler.server_state.objects[handler.key]
    headers = {"Content-Range": f"bytes 1-2/{len(data)}", "ETag": '"other"', "Last-Modified": _DATE}
    handler.answer(206, data[1:3], headers)
    return True


def send_page(handler: _Handler) -> bool:
    """Answer like a network that wants a login first, or a server that knows no S3."""
    handler.answer(200, b"<html><title>Welcome</title></html>", {"Content-Type": "text/html"})
    return True


def list_nothing(handler: _Handler) -> bool:
    """Answer each list with an empty one, and everything else rightly."""
    if handler.key != BUCKET:
        return False
    handler.answer(200, b"<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>", {})
    return True


def send_too_little(handler: _Handler) -> bool:
    """Answer with the right range in the headers, and with fewer bytes."""
    data = handler.server_state.objects[handler.key]
    headers = {"Content-Range": f"bytes 0-{len(data) - 1}/{len(data)}", "ETag": '"x"', "Last-Modified": _DATE}
    handler.answer(206, data[:3], headers)
    return True


def say_twice_the_size(handler: _Handler) -> bool:
    """Tell a reader that an object is twice as large as it is."""
    data = handler.server_state.objects[handler.key]
    end = 2 * len(data) - 1
    headers = {"Content-Range": f"bytes 0-{end}/{end + 1}", "ETag": '"x"', "Last-Modified": _DATE}
    handler.answer(206, data, headers)
    return True


_DATE = "Mon, 01 Dec 2025 00:00:00 GMT"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_state: S3Server
    body = b""
    key = ""

    def _serve(self) -> None:
        state, parts = self.server_state, urlsplit(self.path)
        self.key = unquote(parts.path).strip("/")
        length = int(self.headers.get("Content-Length") or 0)
        self.body = self.rfile.read(length)
        if len(self.body) < length:
            hang_up(self)  # S3 stores no part of an upload that was cut off
            return
        state.seen.append((self.command, self.key))
        state.headers += [f"{name}: {value}" for name, value in self.headers.items()]
        fault = state.faults.get(self.command)
        if fault is not None and fault(self):
            return
        if not self.key.startswith(BUCKET):
            refuse(404, "NoSuchBucket")(self)
        elif self.command == "POST":
            self._delete()
        elif self.key == BUCKET:
            self._list(parse_qs(parts.query))
        else:
            {"PUT": self._put}.get(self.command, self._get)()

    do_GET = do_HEAD = do_PUT = do_POST = _serve  # noqa: N815 — the names of the base class

    def _put(self) -> None:
        with self.server_state.lock:
            if self.headers.get("If-None-Match") == "*" and self.key in self.server_state.objects:
                refuse(412, "PreconditionFailed")(self)
                return
            self.server_state.objects[self.key] = self.body
        self.answer(200, b"", {"ETag": _tag(self.body)})

    def _delete(self) -> None:
        names = re.findall("<Key>(.*?)</Key>", self.body.decode())
        for name in names:
            self.server_state.objects.pop(f"{BUCKET}/{unescape(name)}", None)
        deleted = "".join(f"<Deleted><Key>{name}</Key></Deleted>" for name in names)
        self.answer(200, f"<DeleteResult>{deleted}</DeleteResult>".encode(), {})

    def _get(self) -> None:
        data = self.server_state.objects.get(self.key)
        if data is None:
            refuse(404, "NoSuchKey")(self)
            return
        headers = {"ETag": _tag(data), "Last-Modified": _DATE}
        if self.headers.get("If-Match") not in (None, _tag(data)):
            refuse(412, "PreconditionFailed")(self)
        elif asked := self.headers.get("Range"):
            first, last = asked.removeprefix("bytes=").split("-")
            start, end = int(first), min(int(last) + 1, len(data))
            if start >= len(data):
                refuse(416, "InvalidRange")(self)
                return
            self.answer(206, data[start:end], {**headers, "Content-Range": f"bytes {start}-{end - 1}/{len(data)}"})
        else:
            self.answer(200, data, headers)

    def _list(self, query: Mapping[str, list[str]]) -> None:
        prefix, after = query.get("prefix", [""])[0], query.get("start-after", [""])[0]
        names = [n for n in self.server_state.names() if n.startswith(prefix) and n > after]
        items = "".join(
            f"<Contents><Key>{escape(name)}</Key><LastModified>2025-12-01T00:00:00Z</LastModified>"
            f"<Size>{len(self.server_state.objects[f'{BUCKET}/{name}'])}</Size><ETag>x</ETag></Contents>"
            for name in names
        )
        body = f"<ListBucketResult><IsTruncated>false</IsTruncated>{items}</ListBucketResult>"
        self.answer(200, body.encode(), {})

    def answer(self, status: int, body: bytes, headers: Mapping[str, str]) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 — the name of the base class
        """Nothing: a test's output is its own."""


def _tag(data: bytes) -> str:
    return f'"{hashlib.md5(data, usedforsecurity=False).hexdigest()}"'


@contextmanager
def s3_server(port: int = 0) -> Iterator[S3Server]:
    """A server with an empty bucket BUCKET."""
    state = S3Server()
    handler = type("Handler", (_Handler,), {"server_state": state})
    server = _Server(("127.0.0.1", port), handler)
    state.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hung up is part of a test."""
