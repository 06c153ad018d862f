"""The Model Context Protocol, with the SDK's own client: in this process, by HTTP, and as a command."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from mcp.client import Client
from mcp.client.stdio import StdioServerParameters

from flows.serving.context import Library
from flows.serving.programs.assistant import make_assistant
from tests.support.histories.analyst import EDITED
from tests.support.values import key

FIRST = key(1).id


def called(server: Any, tool: str, **arguments: Any) -> tuple[bool, Any]:
    """Whether a tool failed, and what it answered."""

    async def call() -> tuple[bool, Any]:
        async with Client(server) as client:
            answer = await client.call_tool(tool, arguments)
            return bool(answer.is_error), answer.structured_content or answer.content[0]

    return asyncio.run(call())


@pytest.fixture(scope="module")
def library(root: Path) -> Library:
    return Library.of(root, title="시험", sql=True)


QUESTIONS: dict[str, tuple[str, dict[str, Any], Callable[[Any], list[Any]], list[tuple[str, str, str]]]] = {
    "나래 모델에 관한 최신 기사는?": (
        "search",
        {"query": "나래 모델", "sort": "newest"},
        lambda found: found["articles"][:1],
        [(EDITED, "라온방송", "2026-01-05T09:00")],
    ),
    "그 기사는 무엇을 바로잡았나?": (
        "get_article",
        {"id": EDITED},
        lambda found: [found] * ("바로잡습니다: 순위는 2위입니다." in found["body"]),
        [(EDITED, "라온방송", "2026-01-05T09:00")],
    ),
    "바로잡은 기사는?": (
        "search",
        {"query": '"바로잡습니다"'},
        lambda found: found["articles"],
        [(EDITED, "라온방송", "2026-01-05T09:00")],
    ),
    "가온의 첫 모델은 누가 먼저 보도했나?": (
        "get_story",
        {"id": FIRST},
        lambda found: found["members"][:1],
        [(key(3, "003").id, "다온일보", "2025-12-29T09:30")],
    ),
    "그대로 받아쓴 기사는, 몇 분 뒤에?": (
        "get_story",
        {"id": FIRST},
        lambda found: [one for one in found["members"] if one["minutes_behind"] == 150],
        [(key(4, "004").id, "라온방송", "2025-12-29T12:00")],
    ),
    "12월 30일에 나온 기사는?": (
        "search",
        {"query": "", "first_day": "2025-12-30", "last_day": "2025-12-30"},
        lambda found: [one for one in found["articles"] if one["id"] < key(90).id],
        [(key(2).id, "다온일보", "2025-12-30T11:00")],
    ),
    "다온일보가 쓴 나래 기사는?": (
        "search",
        {"query": "", "publisher": "다온일보", "team": "나래"},
        lambda found: found["articles"],
        [(key(2).id, "다온일보", "2025-12-30T11:00")],
    ),
    "어떤 기사가 삭제됐고, 다시 나오지 않았나?": (
        "changes_since",
        {"cursor": 0, "limit": 50},
        lambda found: [one for one in found["changes"] if one["kind"] == "gone" and one["id"] != EDITED],
        [(key(7).id, "가온신문", "2026-01-05T08:00")],
    ),
    "제목이나 글이 바뀐 기사는?": (
        "changes_since",
        {"cursor": 0, "limit": 50},
        lambda found: [one for one in found["changes"] if one["kind"] == "edited"][:1],
        [(EDITED, "라온방송", "2026-01-05T09:00")],
    ),
    "가장 먼저 나온 기사는?": (
        "sql",
        {"query": "SELECT id, publisher, published_at, url FROM articles WHERE oid = '001' ORDER BY 3 LIMIT 1"},
        lambda found: [dict(zip(found["columns"], row, strict=True)) for row in found["rows"]],
        [(FIRST, "가온신문", "2025-12-29T10:00")],
    ),
}
"""A question -> the tool, its arguments, the articles of the answer, and what they are to be cited by."""


@pytest.mark.parametrize("question", QUESTIONS)
def test_questions_of_an_assistant_and_what_the_answer_cites(library: Library, question: str) -> None:
    tool, arguments, articles, expected = QUESTIONS[question]
    failed, found = called(make_assistant(library), tool, **arguments)
    assert not failed, found
    cited = articles(found)
    assert [(one["id"], one["publisher"], one["published_at"][:16].replace(" ", "T")) for one in cited] == expected
    for one in cited:
        oid, aid = one["id"].split("_")
        assert one["url"] == f"https://n.news.naver.com/mnews/article/{oid}/{aid}"
        assert one["published_at"].endswith("+09:00")


def test_how_often_each_team_is_named_and_pages_of_changes(library: Library) -> None:
    server = make_assistant(library)
    voice = called(server, "share_of_voice", days=36_500)[1]["teams"][0]
    assert voice["team"] in ("가온", "나래")
    assert {"id", "publisher", "published_at", "url", "title"} <= voice["newest"].keys()
    first = called(server, "changes_since", cursor=0, limit=5)[1]
    second = called(server, "changes_since", cursor=first["cursor"], limit=50)[1]
    assert second["changes"][0]["seq"] > first["cursor"]
    assert (first["more"], second["more"]) == (True, False)
    assert all({"id", "publisher", "published_at", "url"} <= one.keys() for one in second["changes"])


def test_pages_of_a_search_and_parts_of_a_large_table(library: Library) -> None:
    server = make_assistant(library)
    pages = [called(server, "search", query="모델", limit=1, page=page)[1] for page in (1, 2)]
    assert pages[0]["next_page"] == 2
    assert pages[0]["articles"] != pages[1]["articles"]
    table = called(server, "sql", query="SELECT repeat('가', 20000) FROM range(3)")[1]
    assert (len(table["rows"]), table["more"]) == (2, True)


def test_a_copy_leads_to_its_story_and_its_text(library: Library) -> None:
    server, copy = make_assistant(library), key(3, "003").id
    story = called(server, "get_story", id=copy)[1]
    assert [one["id"] for one in story["members"]] == [copy, FIRST, key(4, "004").id]
    failed, said = called(server, "get_article", id=copy)
    assert (failed, f"the text of {FIRST}" in said.text) == (True, True)


@pytest.mark.parametrize(
    ("tool", "arguments", "says"),
    [
        ("search", {"query": '"'}, "expected a closing"),
        ("search", {"query": "가" * 100_000}, "at most 1,000"),
        ("search", {"query": "가", "limit": 1000}, "from 1 to 50"),
        ("search", {"query": "가", "page": -1}, "from 1 to 50"),
        ("search", {"query": "가", "first_day": "어제"}, "a day such as"),
        ("get_article", {"id": "001_9999999999"}, "Search for its id"),
        ("get_story", {"id": "none"}, "Search for its id"),
        ("changes_since", {"cursor": 10**15}, "ahead of this archive"),
        ("changes_since", {"cursor": -1}, "the `cursor` of an earlier answer"),
        ("share_of_voice", {"days": 0}, "from 1 to 36,500"),
        ("sql", {"query": "DROP TABLE articles"}, "one SELECT"),
        ("sql", {"query": "SELECT repeat('가', 60000)"}, "select fewer columns"),
    ],
)
def test_mistakes_are_reported_with_what_to_do(
    library: Library, tool: str, arguments: dict[str, Any], says: str
) -> None:
    failed, said = called(make_assistant(library), tool, **arguments)
    assert (failed, says in said.text) == (True, True), said.text


def test_an_article_is_a_resource(library: Library, root: Path) -> None:
    async def read() -> str:
        async with Client(make_assistant(library)) as client:
            return str((await client.read_resource(f"seogo://article/{FIRST}")).contents[0].text)  # type: ignore[union-attr]

    assert asyncio.run(read()).startswith(f"---\nid: {FIRST}\n")


def test_by_http_and_without_sql_where_it_is_off(address: str, root: Path) -> None:
    assert called(f"{address}/mcp", "search", query="가온")[1]["total"] >= 1

    async def names(server: Any) -> set[str]:
        async with Client(server) as client:
            return {tool.name for tool in (await client.list_tools()).tools}

    assert "sql" in asyncio.run(names(f"{address}/mcp"))
    assert "sql" not in asyncio.run(names(make_assistant(Library.of(root, title="시험"))))


def test_pages_of_other_sites_may_not_ask(web: httpx.Client) -> None:
    asked = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
    headers = {"Origin": "http://evil.example", "Accept": "application/json, text/event-stream"}
    assert web.post("/mcp", json=asked, headers=headers).status_code == 403
    assert web.options("/mcp", headers=headers).status_code == 405


def test_the_command(root: Path) -> None:
    command = StdioServerParameters(
        command=sys.executable, args=["-P", "-m", "flows.cli", "mcp", "--archive", str(root)]
    )
    assert called(command, "search", query="가온")[1]["total"] >= 1
    assert json.dumps(called(command, "get_article", id=FIRST)[1], ensure_ascii=False)
