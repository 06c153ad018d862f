"""The secrets in the environment, which are removed from everything that the doctor prints."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

_PREFECT = ("PREFECT_API_KEY", "PREFECT_API_AUTH_STRING", "PREFECT_SERVER_API_AUTH_STRING")
_OBJECT_STORE = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
_KEYS = frozenset({*_PREFECT, *_OBJECT_STORE})
_SHORTEST = 4
"""Characters; what is shorter is no secret, and would be found in any word."""


def secrets_of(environment: Mapping[str, str]) -> tuple[str, ...]:
    """Keys, passwords, and the parts of `user:password`."""
    values = [value.strip() for name, value in environment.items() if name.startswith("NAVER_") or name in _KEYS]
    values += [part for name in _PREFECT for part in environment.get(name, "").strip().split(":")]
    values += [_password(environment.get("PREFECT_API_URL", ""))]
    return tuple(sorted({value for value in values if len(value) >= _SHORTEST}, key=len, reverse=True))


def _password(address: str) -> str:
    try:
        return urlsplit(address).password or ""
    except ValueError:
        return ""
