"""The Search API's keys, read from the environment. No other module reads them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from schemas.errors import MissingKey

Endpoint = Literal["openapi", "apihub"]

KEY_VARIABLES: Mapping[Endpoint, tuple[str, str]] = {
    "apihub": ("NAVER_APIHUB_KEY_ID", "NAVER_APIHUB_KEY"),
    "openapi": ("NAVER_CLIENT_ID", "NAVER_CLIENT_SECRET"),
}
"""The environment variables that hold the key of each endpoint: id and secret."""

_KEY_HEADERS: Mapping[Endpoint, tuple[str, str]] = {
    "openapi": ("X-Naver-Client-Id", "X-Naver-Client-Secret"),
    "apihub": ("X-NCP-APIGW-API-KEY-ID", "X-NCP-APIGW-API-KEY"),
}

_KEY = re.compile(r"[A-Za-z0-9_.~+/=-]+")
"""The characters that a key may have: all look the same in a header, in JSON, in HTML and in an error message, so that
a key is recognised when a server sends it back."""


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key of the Search API. Its representation never shows it."""

    id: str = field(repr=False)
    secret: str = field(repr=False)

    def headers(self, endpoint: Endpoint) -> dict[str, str]:
        """The request headers that send the key to an endpoint."""
        id_name, secret_name = _KEY_HEADERS[endpoint]
        return {id_name: self.id, secret_name: self.secret}


def keys_from(environment: Mapping[str, str]) -> dict[str, ApiKey]:
    """The keys by endpoint. An endpoint whose id or secret is not set is left out. Raises MissingKey."""
    return {
        endpoint: ApiKey(_part(environment, key_id), _part(environment, secret))
        for endpoint, (key_id, secret) in KEY_VARIABLES.items()
        if environment.get(key_id, "").strip() and environment.get(secret, "").strip()
    }


def _part(environment: Mapping[str, str], variable: str) -> str:
    part = environment[variable].strip()  # a value read from a file ends in a line break
    if not _KEY.fullmatch(part):
        raise MissingKey(f"{variable} is not a key: it contains a character that no key has. Copy the key again.")
    return part
