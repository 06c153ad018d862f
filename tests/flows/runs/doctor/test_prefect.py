"""Where a Prefect server is asked: what the environment names, or this machine's own."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from flows.runs.doctor.prefect import server_of


@contextmanager
def answering(body: bytes) -> Iterator[dict[str, str]]:
    """A server that answers everything so, as the environment names it."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
            """Nothing to standard error."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield {"PREFECT_SERVER_API_PORT": str(server.server_port)}
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_the_address_in_the_environment_is_taken_whether_or_not_it_answers() -> None:
    assert server_of({"PREFECT_API_URL": " http://127.0.0.1:9/api\n"}) == "http://127.0.0.1:9/api"


def test_a_server_of_this_machine_is_found() -> None:
    with answering(b"true") as environment:
        assert server_of(environment) == f"http://127.0.0.1:{environment['PREFECT_SERVER_API_PORT']}/api"


def test_what_else_answers_there_is_none() -> None:
    with answering(b"<html>") as environment:
        assert server_of(environment) is None


@pytest.mark.parametrize("port", ["9", "no port"])
def test_nobody_answers(port: str) -> None:
    assert server_of({"PREFECT_SERVER_API_PORT": port}) is None
