"""The Search API's keys, from the environment. No other module reads them."""

from __future__ import annotations

from collections.abc import Mapping

from flows.discover import ApiKey, Endpoint

VARIABLES: Mapping[Endpoint, tuple[str, str]] = {
    "apihub": ("NAVER_APIHUB_KEY_ID", "NAVER_APIHUB_KEY"),
    "openapi": ("NAVER_CLIENT_ID", "NAVER_CLIENT_SECRET"),
}
"""The environment variables of each endpoint: id and secret."""


def keys_from(environment: Mapping[str, str]) -> dict[str, ApiKey]:
    """The keys that are there; an endpoint without both parts of its key is left out."""
    return {
        endpoint: ApiKey(environment[key_id], environment[secret])
        for endpoint, (key_id, secret) in VARIABLES.items()
        if environment.get(key_id) and environment.get(secret)
    }
