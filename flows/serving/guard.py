"""What every request passes: the Host header, the method, the length of the address, security headers, metrics."""

from __future__ import annotations

import ipaddress
import re
import time
from collections.abc import Callable, Container, Mapping

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LONGEST = 8_192
"""Bytes of an address."""
METHODS = ("GET", "HEAD")
ASSISTANT = "/mcp"
"""The path of the Model Context Protocol, to which messages are posted. There is nothing to get: no stream is kept."""

CSP = (
    "default-src 'none'; style-src 'self'; img-src 'self'; frame-src 'self'; form-action 'self';"
    " frame-ancestors 'none'; base-uri 'none'"
)
HEADERS = {
    "Content-Security-Policy": CSP,
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex, nofollow, noarchive",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
"""Sent with every response that does not set them itself."""

_HOST = re.compile(r"(\[[0-9a-f:.]+\]|[a-z0-9.-]+)(?::[0-9]{1,5})?", re.IGNORECASE)


def host_name(host: str) -> str:
    """The name or address in a Host header, without the port; empty if there is none."""
    found = _HOST.fullmatch(host)
    return found[1].lower().strip("[]").rstrip(".") if found else ""


def host_is_allowed(name: str, names: Container[str]) -> bool:
    """Whether a host may be answered: an IP address, localhost, or one of `names`.

    A page elsewhere can make its own name resolve to this server (DNS rebinding), but an address it cannot.
    """
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return name == "localhost" or name in names
    return True


class Guard:
    """Middleware around the whole application.

    `names`: host names, and the scheme of the addresses that they are asked by, which a proxy in front decides.
    `observe`: called with method, route, status and seconds.
    """

    def __init__(self, app: ASGIApp, names: Mapping[str, str], observe: Callable[[Scope, int, float], None]) -> None:
        self._app = app
        self._names = names
        self._observe = observe

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, status = time.perf_counter(), 500

        async def send_guarded(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        refusal = self._refusal(scope)
        try:
            if refusal:
                await _refuse(scope, send_guarded, *refusal)
            else:
                await self._app(scope, receive, send_guarded)
        finally:
            self._observe(scope, status, time.perf_counter() - began)

    def _refusal(self, scope: Scope) -> tuple[int, str] | None:
        hosts = [host_name(value.decode("latin-1")) for name, value in scope["headers"] if name == b"host"]
        if len(hosts) != 1 or not host_is_allowed(hosts[0], self._names):
            return 421, "This server is not asked by that host name. Its operator can add it with --name."
        if scope["path"] == ASSISTANT:
            if scope["method"] != "POST":
                return 405, "Assistants post messages here (Model Context Protocol, streamable HTTP without sessions)."
            if any(name == b"origin" for name, _ in scope["headers"]):
                return 403, "Pages of other sites may not ask here."
        elif scope["method"] not in METHODS:
            return 405, "This server only answers GET and HEAD."
        if len(scope["raw_path"]) + len(scope["query_string"]) > LONGEST:
            return 414, f"The address is longer than {LONGEST:,} bytes."
        scope["scheme"] = self._names.get(hosts[0], scope["scheme"])
        return None


async def _refuse(scope: Scope, send: Send, status: int, reason: str) -> None:
    body = f"{reason}\n".encode()
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", str(len(body)).encode())]
    if status == 405:
        headers.append((b"allow", b"POST" if scope["path"] == ASSISTANT else b"GET, HEAD"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
