"""The Search API's keys, from the environment. No other module reads them."""

from __future__ import annotations

from collections.abc import Mapping

from flows.discover import KEY_VARIABLES, ApiKey


def keys_from(environment: Mapping[str, str]) -> dict[str, ApiKey]:
    """The keys that are there; an endpoint without both parts of its key is left out."""
    return {
        endpoint: ApiKey(environment[key_id], environment[secret])
        for endpoint, (key_id, secret) in KEY_VARIABLES.items()
        if environment.get(key_id) and environment.get(secret)
    }
