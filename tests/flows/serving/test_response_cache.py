"""Pages that are answered again without being made again: when they may be, and that they never are too old."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from flows.serving.context import Library, answer
from flows.serving.guard import HEADERS
from flows.serving.response_cache import ResponseCache, cached
from storage.layout import SEARCH_INDEX, SNAPSHOT

Ask = Callable[..., httpx.Response]


class Counted:
    """A page that says how often it was made. `during` is called while it is made."""

    def __init__(self, folder: Path) -> None:
        self.made = 0
        self.during: Callable[[], object] = lambda: None
        self._app = Starlette(routes=[Route("/page", cached(self._page))])
        self._app.state.library = Library.of(folder, title="시험")
        self._app.state.response_cache = ResponseCache()

    def _page(self, request: Request) -> Response:
        self.made += 1
        self.during()
        missing = request.query_params.get("missing")
        return answer(request, f"{self.made}".encode(), "text/plain", status=404 if missing else 200)

    def ask(self, path: str = "/page", host: str = "127.0.0.1", **headers: str) -> httpx.Response:
        async def ask() -> httpx.Response:
            async with httpx.AsyncClient(transport=httpx.ASGITransport(self._app), base_url=f"http://{host}") as client:
                return await client.get(path, headers=headers)

        return asyncio.run(ask())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in (SNAPSHOT, SEARCH_INDEX):
        (tmp_path / name).write_bytes(b"1")
    return tmp_path


def replace(file: Path) -> None:
    new = file.with_suffix(".new")
    new.write_bytes(b"2")
    new.replace(file)


def test_a_page_is_made_once_for_each_address_language_and_host(folder: Path) -> None:
    page = Counted(folder)
    first = page.ask()
    assert (page.ask().text, page.made) == (first.text, 1)
    different = [
        page.ask("/page?q=1"),
        page.ask("/page?lang=en"),
        page.ask(**{"accept-language": "en"}),
        page.ask(host="localhost"),
    ]
    assert [one.text for one in different] == ["2", "3", "4", "5"]


@pytest.mark.parametrize("name", [SNAPSHOT, SEARCH_INDEX, f"{SEARCH_INDEX}-wal"])
def test_it_is_made_again_when_a_file_was_replaced(folder: Path, name: str) -> None:
    page = Counted(folder)
    page.ask()
    replace(folder / name)
    assert page.ask().text == "2"


def test_a_page_that_was_made_while_a_file_was_replaced_is_not_kept(folder: Path) -> None:
    page = Counted(folder)
    page.during = lambda: replace(folder / SNAPSHOT)
    page.ask()
    page.during = lambda: None
    assert page.ask().text == "2"
    assert page.ask().text == "2"


def test_a_refusal_is_not_kept(folder: Path) -> None:
    page = Counted(folder)
    assert [page.ask("/page?missing=1").text for _ in range(2)] == ["1", "2"]


def test_whoever_has_it_gets_no_body(folder: Path) -> None:
    page = Counted(folder)
    tag = page.ask().headers["etag"]
    again = page.ask(**{"if-none-match": tag})
    assert (again.status_code, again.content, page.made) == (304, b"", 1)
    assert page.ask(**{"if-none-match": '"other"'}).status_code == 200


@pytest.mark.parametrize("path", ["/", "/search?q=모델", "/article/001_0000000006"])
def test_the_second_answer_is_the_first(web: httpx.Client, path: str) -> None:
    first, second = web.get(path), web.get(path)
    assert first.status_code == 200
    for one in (first, second):
        del one.headers["date"]
    assert (first.content, first.headers.multi_items()) == (second.content, second.headers.multi_items())
    assert all(len(second.headers.get_list(name)) == 1 for name in HEADERS)


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 60)), max_size=60))
def test_no_more_bytes_are_kept_than_allowed_and_the_newest_stay(pages: list[tuple[int, int]]) -> None:
    kept = ResponseCache(most_bytes=100)
    sizes: dict[int, int] = {}
    for name, size in pages:
        kept.put((name,), Response(b"x" * size))
        sizes.pop(name, None)
        sizes[name] = size
        expected, total = {}, 0
        for one in reversed(sizes):
            total += sizes[one]
            if total > 100:
                break
            expected[one] = sizes[one]
        assert {one: len(found.body) for one in range(10) if (found := kept._pages.get((one,)))} == expected
        sizes = {one: sizes[one] for one in sizes if one in expected}
