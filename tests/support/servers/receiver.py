"""The receiver of webhooks on loopback: it checks signatures, keeps what it accepts, and answers as it is told."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self

from tests.support.paths import ROOT

SECRET = "whsec_" + base64.b64encode(b"0123456789abcdef0123456789abcdef").decode()
VARIABLE = "RECEIVER_SECRET"


class Receiver:
    """`status` answers a message by its id. `ids`: of all messages, in order; `accepted`: answered with a 2xx."""

    def __init__(self, port: int = 0) -> None:
        self.ids: list[str] = []
        self.accepted: dict[str, Any] = {}
        self.status: Callable[[str], int] = lambda id_: 204
        self.headers: dict[str, str] = {}
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver._take(dict(self.headers), body)
                status = receiver.status(self.headers["webhook-id"])
                if 200 <= status < 300:
                    receiver.accepted[self.headers["webhook-id"]] = json.loads(body)
                self.send_response(status)
                for name, value in {"Content-Length": "0", **receiver.headers}.items():
                    self.send_header(name, value)
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the library's name
                """Do not log to standard error."""

            def handle(self) -> None:
                try:
                    super().handle()
                except ConnectionError:
                    self.close_connection = True  # the sender gave up, or was killed

        self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.port = self._server.server_port
        self.url = f"http://127.0.0.1:{self.port}/changes?token=hidden-in-the-path"

    def _take(self, headers: dict[str, str], body: bytes) -> None:
        id_, at = headers["webhook-id"], headers["webhook-timestamp"]
        key = base64.b64decode(SECRET.removeprefix("whsec_"))
        expected = base64.b64encode(hmac.digest(key, f"{id_}.{at}.".encode() + body, hashlib.sha256)).decode()
        assert headers["webhook-signature"] == f"v1,{expected}"
        assert abs(time.time() - int(at)) < 300
        self.ids.append(id_)

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(self, *error: object) -> None:
        self._server.shutdown()
        self._server.server_close()


def topic_with_webhook(folder: Path, receiver: Receiver) -> Path:
    """The demo's topic with this receiver as a webhook, as a file."""
    file = folder / "topic.yaml"
    base = os.path.relpath(ROOT / "topics" / "demo.yaml", folder)
    hook = f"{{name: 판, url: '{receiver.url}', secret: {VARIABLE}}}"
    file.write_text(f"extends: {base}\nwebhooks:\n  - {hook}\n", "utf-8")
    return file
