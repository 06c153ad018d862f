"""`/mcp`: the assistant's protocol over HTTP.

The SDK takes longer to import than everything else together, so that the first request does it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.types import Receive, Scope, Send

from flows.serving.context import Library
from flows.serving.guard import ASSISTANT

if TYPE_CHECKING:
    from mcp.server.streamable_http_manager import StreamableHTTPSessionManager


class Protocol:
    """The application at `/mcp`, while `running`."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self._lock = asyncio.Lock()
        self._manager: StreamableHTTPSessionManager | None = None
        self._task: asyncio.Task[None] | None = None

    @asynccontextmanager
    async def running(self, app: Starlette) -> AsyncIterator[None]:
        """The lifespan of the whole application."""
        yield
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with self._lock:
            if self._manager is None:
                manager = await run_in_threadpool(_manager, self._library)
                started = asyncio.Event()
                self._task = asyncio.create_task(_run(manager, started))
                await started.wait()
                self._manager = manager
        await self._manager.handle_request(scope, receive, send)


async def _run(manager: StreamableHTTPSessionManager, started: asyncio.Event) -> None:
    async with manager.run():
        started.set()
        await asyncio.Event().wait()


def _manager(library: Library) -> StreamableHTTPSessionManager:
    from mcp.server.transport_security import TransportSecuritySettings

    from flows.serving.programs.assistant import make_assistant

    assistant = make_assistant(library)
    # Hosts and origins are checked by the guard.
    unchecked = TransportSecuritySettings(enable_dns_rebinding_protection=False)
    assistant.streamable_http_app(
        streamable_http_path=ASSISTANT, stateless_http=True, json_response=True, transport_security=unchecked
    )
    return assistant.session_manager
