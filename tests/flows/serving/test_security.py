"""Hostile texts of articles, and hostile requests."""

from __future__ import annotations

import socket
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from flows.serving.guard import host_is_allowed
from flows.serving.server import check_exposure
from schemas.errors import BadInput, QueryError
from storage.reading import bounded
from storage.reading.bounded import bounded_query
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
    assert host_is_allowed(host, {"news.example"}) is allowed


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


def test_a_spreadsheet_executes_nothing(web: httpx.Client) -> None:
    answer = web.get("/sql", params={"q": "SELECT '=1+1' AS a, '@x' AS b", "format": "csv"})
    assert answer.content.decode("utf-8-sig").splitlines()[1] == "'=1+1,'@x"


def test_the_id_of_an_article_is_all_that_a_file_name_has(web: httpx.Client) -> None:
    assert web.get(f"/article/{key(1).id}.md").headers["content-disposition"].isprintable()
