"""A listening socket, and uvicorn on it, for the two servers of seogo: `flows.serving` and `flows.replica`."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

import uvicorn
from starlette.types import ASGIApp

from schemas.errors import BadInput

_BACKLOG = 512


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 means any free one. Raises BadInput if the port cannot be used."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # IPPROTO_TCP is explicit because asyncio sets TCP_NODELAY only on such sockets. Without it, each response on a
    # kept-alive connection waits 40 ms for the client's acknowledgement.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(_BACKLOG)
    except (OSError, OverflowError) as error:
        listener.close()
        raise BadInput(
            f"port {port} of {host} cannot be used ({error}): choose another one, or 0 for any free port"
        ) from error
    return listener


def config(app: ASGIApp | Callable[[], ASGIApp], *, close_within: int, **settings: Any) -> uvicorn.Config:
    """The settings of uvicorn: HTTP/1.1 without a log of requests. `close_within`: the seconds that open responses get
    when the server stops. `settings` are uvicorn's own.
    """
    return uvicorn.Config(
        app,
        loop="asyncio",
        ws="none",
        access_log=False,
        timeout_graceful_shutdown=close_within,
        timeout_keep_alive=30,
        **settings,
    )


class Server(uvicorn.Server):
    """A server that calls a function when it is ready."""

    def __init__(self, config: uvicorn.Config, on_ready: Callable[[], object]) -> None:
        super().__init__(config)
        self._on_ready = on_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._on_ready()
