"""Hostile texts of articles, and hostile requests."""

from __future__ import annotations

import re
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from flows.cli.exit_codes import Exit
from flows.reports.history import word_diff
from flows.serving.content.rising import words_of
from flows.serving.context import paragraphs, web_address
from flows.serving.guard import host_is_allowed, host_name
from flows.serving.server import check_exposure, named
from schemas.errors import BadInput, QueryError
from storage.reading import bounded
from storage.reading.bounded import bounded_query
from storage.search.query import LONGEST, parse
from tests.support.command import seogo
from tests.support.servers.serving import CAPTURED, EVIL_ID, client_of, serving
from tests.support.values import key

PAGES = ("/", f"/article/{EVIL_ID}", f"/story/{EVIL_ID}", "/search?q=img", "/team/가온", "/publisher/001", "/status")


@pytest.mark.parametrize("path", PAGES)
def test_texts_of_articles_are_escaped(web: httpx.Client, path: str) -> None:
    page = web.get(path).text
    for tag in ("<img", "<script", "<i>", "<b>", "javascript:"):
        assert tag not in page
    assert "style=" not in page


def test_every_answer_has_the_headers(web: httpx.Client) -> None:
    for path in ("/", "/search?q=%22", "/none", "/assets/style.css", "/api/v1/teams", "/metrics", "/robots.txt"):
        headers = web.get(path).headers
        assert "default-src 'none'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert "noindex" in headers["x-robots-tag"]
        assert "set-cookie" not in headers
        assert "server" not in headers
    assert web.get("/robots.txt").text == "User-agent: *\nDisallow: /\n"


@pytest.mark.parametrize(
    ("host", "allowed"),
    [
        ("127.0.0.1:8080", True),
        ("localhost", True),
        ("[::1]:80", True),
        ("192.168.0.7", True),
        ("news.example", True),
        ("evil.example", False),
        ("127.0.0.1.evil.example", False),
        ("", False),
        ("a b", False),
        ("localhost:80:80", False),
        ("user@localhost", False),
    ],
)
def test_the_host_header(host: str, allowed: bool) -> None:
    assert host_is_allowed(host_name(host), {"news.example"}) is allowed


def test_requests_that_are_refused(web: httpx.Client, address: str) -> None:
    assert web.get("/", headers={"Host": "evil.example"}).status_code == 421
    assert web.post("/search").status_code == 405
    assert web.get("/search", params={"q": "가" * 3000}).status_code == 414
    for path in ("/article/..%2F..%2Fetc%2Fpasswd", "/assets/..%2Fapp.py", "/assets/base.html", "/article/%00"):
        assert web.get(path).status_code == 404, path
    for query in (
        "from=2025-13-01",
        "sort=x",
        "page=0",
        "page=51",
        "page=١",
        "team=%0d%0aX:1",
        "status=%27",
        "to=9999-01-01",
    ):
        assert web.get(f"/search?{query}").status_code == 400, query
    assert (
        b"X-Evil"
        not in raw(address, "/search.csv?q=a%0d%0aX-Evil:%201&lang=en%0d%0aX-Evil: 1").partition(b"\r\n\r\n")[0]
    )


def raw(address: str, path: str) -> bytes:
    """The bytes of an answer."""
    host = urlsplit(address)
    with socket.create_connection((host.hostname or "", host.port or 0), timeout=10) as connection:
        request = f"GET {path.replace(' ', '%20')} HTTP/1.1\r\nHost: {host.netloc}\r\nConnection: close\r\n\r\n"
        connection.sendall(request.encode())
        return b"".join(iter(lambda: connection.recv(65536), b""))


@pytest.mark.parametrize(
    "query", ['"' * 500, "(" * 900, "가 " * 300, "-" * 900, "가 OR " * 200, "\x00", "title:" * 150]
)
def test_a_search_that_is_a_bomb_ends_in_an_answer(web: httpx.Client, query: str) -> None:
    assert web.get("/search", params={"q": query}).status_code in (200, 400)


@contextmanager
def processor_time(seconds: float) -> Iterator[None]:
    """The block may use so much processor time, and no more: an expression that backtracks without end fails."""

    def fail(*_: object) -> None:
        raise AssertionError(f"more than {seconds:g} seconds")

    before = signal.signal(signal.SIGVTALRM, fail)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


HOSTILE = [
    "a" + "." * 50_000,
    "가.-" * 20_000,
    "\n " * 30_000,
    "http://" + "a" * 50_000 + "\n",
    "[" + "::" * 30_000,
    "…",
]


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_no_text_makes_an_expression_backtrack_without_end(text: str) -> None:
    with processor_time(20):
        words_of(text)
        list(paragraphs(text))
        web_address(text)
        host_is_allowed(host_name(text), ())
        word_diff(text, text[1:])
        with suppress(QueryError):
            parse(text[:LONGEST])
        with suppress(QueryError):
            parse(f'"{text[: LONGEST - 2]}"')


@pytest.mark.parametrize(
    ("sql", "says"),
    [
        ("SELECT repeat('x', 2000000000)", "memory"),
        ("SELECT count(*) FROM range(1000000000) a, range(1000000) b", "took longer"),
        ("SELECT * FROM read_text('/etc/passwd')", "Permission"),
        ("CREATE TABLE x AS SELECT 1", "one SELECT"),
        ("SELECT 1; SELECT 2", "one at a time"),
        ("SET memory_limit = '9GB'", "one SELECT"),
    ],
)
def test_a_query_of_somebody_else_is_bounded(root: Path, sql: str, says: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if says == "took longer":
        monkeypatch.setattr(bounded, "SECONDS", 1.5)
    with pytest.raises(QueryError, match=says):
        bounded_query(root, sql)


def test_a_fault_of_ours_is_not_passed_off_as_a_large_query(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.executable", "/bin/false")
    with pytest.raises(RuntimeError, match=r"bounded.* failed"):
        bounded_query(root, "SELECT 1")


def test_of_a_large_result_the_first_rows_are_given(root: Path) -> None:
    names, rows, more = bounded_query(root, "SELECT range AS n FROM range(5000)")
    assert (names, len(rows), rows[-1], more) == (["n"], 1000, [999], True)


def test_a_public_server_shows_neither_captures_nor_free_sql(root: Path) -> None:
    with serving(root, is_public=True) as url, client_of(url) as web:
        assert web.get(f"/article/{CAPTURED}/capture").status_code == 404
        assert web.get(f"/article/{CAPTURED}/capture/page").status_code == 404
        assert "capture" not in web.get(f"/article/{CAPTURED}").text
        assert web.get("/sql?q=SELECT 1").status_code == 400
        assert web.get("/sql?example=newest-articles").status_code == 200


@pytest.mark.parametrize(
    ("host", "sql", "public"),
    [("192.0.2.1", False, False), ("127.0.0.1", True, True), ("::", True, False), ("name", False, True)],
)
def test_other_machines_need_an_option(host: str, sql: bool, public: bool) -> None:
    with pytest.raises(BadInput):
        check_exposure(host, sql=sql, public=public)


def test_a_name_and_the_scheme_of_its_addresses(web: httpx.Client) -> None:
    assert (named("News.example"), named("https://news.example/")) == (
        ("news.example", "http"),
        ("news.example", "https"),
    )
    for text in ("http://a b", "news.example:80", "ftp://a", ""):
        with pytest.raises(BadInput, match="expected a host name"):
            named(text)
    feed = web.get("/feed.atom", headers={"Host": "news.example", "X-Forwarded-Proto": "ftp"}).text
    assert 'href="https://news.example/article/' in feed
    assert 'href="https://' not in web.get("/feed.atom", headers={"X-Forwarded-Proto": "https"}).text


def test_a_spreadsheet_executes_nothing(web: httpx.Client) -> None:
    answer = web.get("/sql", params={"q": "SELECT '=1+1' AS a, '@x' AS b", "format": "csv"})
    assert answer.content.decode("utf-8-sig").splitlines()[1] == "'=1+1,'@x"


def test_scripts_and_styles_are_files_of_this_site_or_nothing(web: httpx.Client) -> None:
    policy = web.get("/").headers["content-security-policy"].split("; ")
    assert {"default-src 'none'", "style-src 'self'", "form-action 'self'", "frame-ancestors 'none'"} <= set(policy)
    assert not any(one.startswith(("script-src", "connect-src", "object-src")) for one in policy)
    for path in PAGES:
        assert set(re.findall(r'(?:src|action)="([^"]*)"', web.get(path).text)) <= {"/search"}


def test_a_message_to_the_assistant_s_path(web: httpx.Client) -> None:
    for method, accept in (("GET", "text/html"), ("GET", "text/event-stream"), ("DELETE", "*/*"), ("HEAD", "*/*")):
        answer = web.request(method, "/mcp", headers={"Accept": accept})
        assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
    accepted = {"Accept": "application/json, text/event-stream", "Content-Type": "application/json"}
    assert web.post("/mcp", content=b"[" * 5_000_000, headers=accepted).status_code == 413
    assert web.post("/mcp", content=b"[" * 50_000, headers=accepted).status_code == 400
    assert web.post("/mcp", content=b"{}", headers={**accepted, "Accept": "text/html"}).status_code == 406
    assert web.post("/mcp", content=b"{}", headers={**accepted, "Host": "evil.example"}).status_code == 421


def test_the_command_refuses_other_machines_without_the_option(root: Path) -> None:
    refused = seogo("serve", "--archive", root, "--host", "0.0.0.0", "--port", "0")  # noqa: S104 — it is refused
    assert (refused.code, "--public" in refused.err) == (Exit.BAD_INPUT, True)


def test_the_id_of_an_article_is_all_that_a_file_name_has(web: httpx.Client) -> None:
    assert web.get(f"/article/{key(1).id}.md").headers["content-disposition"].isprintable()
