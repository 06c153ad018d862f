"""The Model Context Protocol, with the SDK's own client: in this process, by HTTP, and as a command."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest
from mcp.client import Client
from mcp.client.stdio import StdioServerParameters

from flows.serving.assistant import make_assistant
from flows.serving.context import Library
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


def test_questions_of_an_assistant(library: Library) -> None:
    server = make_assistant(library)
    _, found = called(server, "search", query="나래 모델", sort="newest")
    assert found["articles"][0]["id"] == EDITED
    for one in found["articles"]:
        assert {"id", "publisher", "published_at", "url", "title", "snippet"} <= one.keys()
    assert called(server, "get_article", id=FIRST)[1]["body"]
    assert called(server, "get_story", id=FIRST)[1]["members"][0]["url"].endswith("0000000001")
    assert called(server, "share_of_voice", days=3650)[1]["teams"][0]["team"] in ("가온", "나래")
    assert called(server, "sql", query="SELECT count(*) AS n FROM duplicates")[1]["rows"] == [[3]]
    first = called(server, "changes_since", cursor=0, limit=5)[1]
    second = called(server, "changes_since", cursor=first["cursor"], limit=50)[1]
    assert second["changes"][0]["seq"] > first["cursor"]
    assert {change["kind"] for change in second["changes"]} >= {"edited", "gone"}


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [
        ("search", {"query": '"'}),
        ("search", {"query": "가", "limit": 1000}),
        ("get_article", {"id": "001_9999999999"}),
        ("get_story", {"id": "none"}),
        ("changes_since", {"cursor": 10**15}),
        ("share_of_voice", {"days": 0}),
        ("sql", {"query": "DROP TABLE articles"}),
    ],
)
def test_mistakes_are_reported(library: Library, tool: str, arguments: dict[str, Any]) -> None:
    failed, said = called(make_assistant(library), tool, **arguments)
    assert failed
    assert "Traceback" not in said.text
    assert len(said.text) > 20


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
