"""The HTTP client of crawls and fetchers, as the topic file and the environment say."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from flows.fetching.client import Client
from flows.fetching.turns import open_turns
from flows.naver.urls import NAVER_HOSTS
from schemas.page import RequestRecord
from schemas.topic import Topic
from storage.state.backoff import JsonBackoffStore

NETWORK_WITHIN = 8.0
"""Seconds: more than a resolver needs to turn to its second server (5)."""


@asynccontextmanager
async def polite_client(
    topic: Topic,
    *,
    naver: str | None,
    pauses: Path,
    record: Callable[[RequestRecord], None],
    robots_exempt_hosts: Collection[str] = (),
) -> AsyncIterator[Client]:
    """A client. `naver`: the address of a stand-in; `pauses`: the file of the hosts' pauses.

    If SEOGO_PACE is the address of a database, its pace is shared with all machines that use the same one.
    """
    async with AsyncExitStack() as closing:
        address = os.environ.get("SEOGO_PACE")
        client = Client(
            limits=topic.limits,
            user_agent_contact=topic.contact,
            obey_robots=topic.robots == "obey",
            naver=naver or topic.naver,
            allowed_hosts=NAVER_HOSTS,
            robots_exempt_hosts=robots_exempt_hosts,
            network_within=NETWORK_WITHIN,
            backoff=JsonBackoffStore(pauses),
            record=record,
            turns=await closing.enter_async_context(open_turns(address)) if address else None,
        )
        yield await closing.enter_async_context(client)
