"""Which Prefect server is to be asked, found out without Prefect, whose import takes seconds."""

from __future__ import annotations

import urllib.request
from collections.abc import Mapping
from http.client import HTTPException

_WITHIN = 2.0


def server_of(environment: Mapping[str, str]) -> str | None:
    """The address of the server's API: that of PREFECT_API_URL, or this machine's own, if a server answers there."""
    if named := environment.get("PREFECT_API_URL", "").strip():
        return named
    host = environment.get("PREFECT_SERVER_API_HOST") or "127.0.0.1"
    port = environment.get("PREFECT_SERVER_API_PORT") or "4200"
    usual = f"http://{host}:{port}/api"
    return usual if is_ready(usual) else None


def is_ready(api: str) -> bool:
    """Whether a Prefect server answers: it says `true`."""
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with direct.open(f"{api}/health", timeout=_WITHIN) as answer:
            return bool(answer.read(10).strip() == b"true")
    except (OSError, HTTPException):  # nobody, or somebody else
        return False
